"""Early warning: declarative rules, their levels and reasons, and their record at past origins.

The levels, and the probabilities from which each pays, stand here. The static cost–loss model (Murphy 1977, Monthly
Weather Review 105; Richardson 2000, QJRMS 126): acting on an alert has a cost each time, and not acting
pays a loss where the event comes. With calibrated probabilities it pays to act from the Bayes threshold
``ratio / (1 + ratio)`` on.

What a rule is, what it sees and what it says stands here too: every module of ``alerts.rules`` is written with it.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core import FloatArray, whole
from core.calendar import PLANNING_MONTHS, period_index, planning_window
from core.release import FORECASTS, FRESHNESS, PANEL, TRAJECTORIES
from core.routes import is_route
from core.schema import ALL, NOT_APPLICABLE, PLACES, RECEPTION, TARGETS, check, make_series_id
from core.settings import AlertSettings

BY_CITIZEN = ("route_id", "citizen", "series_id", "time_period", "value")
DRIVERS = ("target", "geo", "time_period", "value")
FOLLOWED_MONTHS = 3
"""Months after a signal in which its claim must come true."""
YEAR = 12
SEASON_REACH = 1
"""Months before and after a calendar month that are of its season."""
PRIOR_MONTHS = 6
"""Months of the season at which the season and the whole year weigh the same in a base rate."""
FEWEST_CASES = 12
"""Fewer earlier months give no base rate."""


def route_of(series_id: str) -> str | None:
    """The route whose monthly total a series is; None for every other series."""
    parts = series_id.split(".")
    if len(parts) != 5:
        return None
    target, route_id, geo, citizen, freq = parts
    total = target in TARGETS and (geo, citizen, freq) == (ALL, ALL, "M")
    return route_id if total and is_route(route_id) else None


def place_of(series_id: str) -> str | None:
    """The place whose monthly stock of people a series is, as ``reception.ITA``; None for every other series."""
    parts = series_id.split(".")
    return ".".join(parts[:2]) if parts[0] == RECEPTION and parts[2:] == [ALL, "M"] else None


def places_series(series_id: str) -> str:
    """The series of the places of a stock of people in reception."""
    return make_series_id(PLACES, NOT_APPLICABLE, series_id.split(".")[1], ALL, "M")


def subject_of(series_id: str) -> str | None:
    """The route or place that a series is about; None for every other series."""
    return route_of(series_id) or place_of(series_id)


@dataclass(frozen=True)
class Evidence:
    """Everything that is known on a night.

    Attributes:
        as_of: The night.
        panel: Monthly outcomes (``core.release.PANEL``): of routes and, where places are known, of people in reception
            and the places.
        trajectories: Sample paths of both from each series' last observed month (``core.release.TRAJECTORIES``).
        backtest: Past forecasts of the ensemble (``core.release.FORECASTS``).
        freshness: Age of each source's figures (``core.release.FRESHNESS``).
        revisions: Changed figures since the former release: ``source_id, series_id, time_period, target, route_id,
            citizen, freq, before, after, share``.
        by_citizen: Monthly counts by nationality where the licence allows: ``route_id, citizen, series_id, time_period,
            value``; may be empty.
        drivers: Monthly indicators of countries, context only: ``target, geo, time_period, value``; may be empty.
    """

    as_of: dt.date
    panel: pd.DataFrame
    trajectories: pd.DataFrame
    backtest: pd.DataFrame
    freshness: pd.DataFrame
    revisions: pd.DataFrame
    by_citizen: pd.DataFrame
    drivers: pd.DataFrame

    def checked(self) -> Evidence:
        """The same evidence if every frame keeps its contract.

        Raises:
            SchemaError: A frame breaks its contract.
        """
        frames = (self.panel, self.trajectories, self.backtest, self.freshness)
        for frame, table in zip(frames, (PANEL, TRAJECTORIES, FORECASTS, FRESHNESS), strict=True):
            check(frame, table)
        return self


@dataclass(frozen=True, kw_only=True)
class Raised:
    """What a rule says on one night about one route or source, before it is compared with the night before.

    Attributes:
        rule: The rule.
        route_id: Route concerned, or place of reception (:func:`place_of`); ``_Z`` where a source is concerned.
        level: Level reached.
        reason_key: Key of its sentence among the rule's ``sentences``.
        reason_params: Figures of its sentence.
        series_id: Series concerned; empty where a source is concerned.
        source_id: Source concerned; empty where a route is concerned.
        probability: Of the event in any month from the first to the last; NaN where nothing is forecast.
        base_rate: How often the event followed earlier months of the season; NaN where that is not known.
        cutoff: Smallest probability for a level on this route in this season; NaN where nothing is forecast.
        prepare_from: Smallest probability at which the ratio of costs asks for preparation; NaN likewise.
        threshold: Number to be passed, or that was passed; NaN where there is none.
        first_period: First month concerned.
        last_period: Last month concerned.
        likely_period: First month concerned that carries at least half of the likeliest month's probability; empty
            where nothing is forecast.
        horizon: Months from the newest count to the first month concerned; 0 where that lies in the past.
    """

    rule: str
    route_id: str
    level: str = ""
    reason_key: str = ""
    reason_params: Mapping[str, str | float] = field(default_factory=dict)
    series_id: str = ""
    source_id: str = ""
    probability: float = float("nan")
    base_rate: float = float("nan")
    cutoff: float = float("nan")
    prepare_from: float = float("nan")
    threshold: float = float("nan")
    first_period: str = ""
    last_period: str = ""
    likely_period: str = ""
    horizon: int = 0


@dataclass(frozen=True, kw_only=True)
class Signal(Raised):
    """What a rule about counts just made says about one route in one month; no level where it says nothing.

    Attributes:
        month: Month whose count was the newest.
        confirmed: 1 where the months after bore the claim out, 0 where they did not, NaN where that cannot be known.
    """

    month: pd.Period
    confirmed: float = float("nan")

    def says(self, level: str, reason_key: str, since: pd.Period, **params: str | float) -> Signal:
        """The same with a level and its sentence, about the months since one."""
        first, last = str(since), str(self.month)
        return replace(
            self, level=level, reason_key=reason_key, reason_params=params, first_period=first, last_period=last
        )


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What every rule has.

    Attributes:
        rule: Its identity, in releases and settings.
        title: Its name on screen.
        sentences: Templates of what it says, by ``reason_key``; at most 110 characters when filled in.
        informs: True where its alerts are :data:`alerts.INFORMATION`, whatever its signals' levels.
    """

    rule: str
    title: str
    sentences: Mapping[str, str]
    informs: bool = False


@dataclass(frozen=True, kw_only=True)
class ObservedRule(Rule):
    """A rule about counts just made. Tonight's alert is its newest month; its record is all the others.

    Attributes:
        signals: What it says in every month with what was known then: nothing later may change it.
        followed: Months after which a standing signal counts anew in the record.
    """

    signals: Callable[[Evidence, AlertSettings], list[Signal]]
    followed: int = FOLLOWED_MONTHS


@dataclass(frozen=True, kw_only=True)
class DataRule(Rule):
    """A rule about the figures themselves; it has no record, and its alerts merely inform.

    Attributes:
        find: Its alerts of a night.
    """

    informs: bool = True
    find: Callable[[Evidence], Iterator[Raised]]


_COMPARISONS = {">": np.greater, ">=": np.greater_equal, "<=": np.less_equal}


@dataclass(frozen=True, kw_only=True)
class ExceedanceRule(Rule):
    """A rule about the planning window: is a number likely to be passed, or fallen to, in any of its months?

    Attributes:
        compares: How a month's count must compare with the number.
        threshold: The number to be passed in the months after each row: monthly counts, one column per series on an
            index without gaps (:func:`counts_by_series`), to a frame of the same shape. Only what was counted up to a
            month may define it; NaN, or no column, where it is not defined.
        costs: How dear a false alarm is at each level.
        say: The sentence of an alert and further figures for it, from its series and the settings.
        subject: The route or place that a series is about; None for a series with which the rule is not concerned.
    """

    compares: Literal[">", ">=", "<="]
    threshold: Callable[[pd.DataFrame, AlertSettings], pd.DataFrame]
    costs: LevelCosts
    say: Callable[[str, AlertSettings], tuple[str, dict[str, float]]] | None = None
    subject: Callable[[str], str | None] = route_of

    @property
    def falls(self) -> bool:
        """True where the event is a low count."""
        return self.compares == "<="

    def happened(self, values: FloatArray, limits: FloatArray) -> NDArray[np.bool_]:
        """True where a value, in whole persons, is an event under its limit; False where either is not known."""
        return np.asarray(_COMPARISONS[self.compares](whole(values), limits))

    def whole_limit(self, limit: float) -> float:
        """The limit as sentences name it: counts are whole, so a fraction is part of the number next to it.

        To reach 1,234.5 is to reach 1,235; to pass it is to pass 1,234, and to fall to it is to fall to 1,234.
        """
        if math.isnan(limit):
            return limit
        return float(math.ceil(limit) if self.compares == ">=" else math.floor(limit))

    def bayes_cutoffs(self, settings: AlertSettings) -> Cutoffs:
        """The levels' cut-offs as they would be if every probability were calibrated."""
        costs, ratio = self.costs, settings.cost_loss_ratio
        return Cutoffs(**{level: bayes_threshold(ratio * costs.of(level)) for level in LEVELS})

    def base_rates(
        self, counts: pd.DataFrame, settings: AlertSettings, start: int, months: int = PLANNING_MONTHS
    ) -> pd.DataFrame:
        """How often the event followed earlier months of the same season, seen from months without it.

        The season is the calendar month and its neighbours; it is shrunk towards the whole year.

        Args:
            counts: Monthly counts, one column per series on an index without gaps.
            settings: The reader's numbers.
            start: First month of the window, in months ahead of each row.
            months: Length of the window.

        Returns:
            0 to 1, of the same shape. Only what was counted up to a row counts for it; NaN with fewer than
            :data:`FEWEST_CASES` earlier months.
        """
        limits = self.threshold(counts, settings).reindex(columns=counts.columns).to_numpy(dtype=float)
        ahead = [counts.shift(-step).to_numpy(dtype=float) for step in range(start, start + months)]
        values = counts.to_numpy(dtype=float)
        known = np.isfinite([limits, values, *ahead]).all(axis=0) & ~self.happened(values, limits)
        event = known & np.any([self.happened(one, limits) for one in ahead], axis=0)
        rows, month = np.arange(len(counts)), pd.PeriodIndex(counts.index).month.to_numpy()
        is_over = rows[None] <= rows[:, None] - (start + months - 1)
        apart = np.abs((month[None] - month[:, None] + YEAR // 2) % YEAR - YEAR // 2)
        in_season = is_over & (apart <= SEASON_REACH)
        cases, all_cases = (weights.astype(float) @ known for weights in (in_season, is_over))
        events, all_events = (weights.astype(float) @ event for weights in (in_season, is_over))
        year = np.divide(all_events, all_cases, out=np.full(known.shape, np.nan), where=all_cases >= FEWEST_CASES)
        rates = (events + PRIOR_MONTHS * year) / (cases + PRIOR_MONTHS)
        return pd.DataFrame(rates, counts.index, counts.columns)

    def judged(self, evidence: Evidence, settings: AlertSettings, cutoffs: Cutoffs | None = None) -> Iterator[Raised]:
        """The probability of a night on every route or place; an alert from ``prepare_from`` on.

        A probability from which preparing pays, but that is no higher than usual, has no level: it informs.
        The months between a route's newest count and the planning window are the nowcast's: no alert is about them.

        Args:
            evidence: What is known on the night.
            settings: The reader's numbers.
            cutoffs: Cut-offs frozen on a training span; Bayes cut-offs where there are none.
        """
        counts = counts_by_series(evidence.panel)
        limits = self.threshold(counts, settings)
        window = planning_window(evidence.as_of)
        levels = cutoffs or self.bayes_cutoffs(settings)
        for name, paths in evidence.trajectories.groupby("series_id", sort=True):
            series_id, route_id = str(name), self.subject(str(name))
            if route_id is None or series_id not in limits.columns:
                continue
            origin = pd.Period(paths["origin_date"].iloc[0], "M")
            limit = float(limits[series_id].get(origin, np.nan))
            months = paths.pivot_table(index="output_type_id", columns="target_end_date", values="value")
            ahead = months.loc[:, pd.PeriodIndex(months.columns, freq="M").isin(window)]
            if np.isnan(limit) or len(ahead.columns) < PLANNING_MONTHS:
                continue
            happened = self.happened(ahead.to_numpy(), np.full(1, limit))
            probability = float(happened.any(axis=1).mean())
            start = (window[0] - origin).n
            usual = self.base_rates(counts[[series_id]], settings, start)[series_id]
            base_rate = float(usual[usual.index == origin].iloc[0])
            lifted = levels.lifted(base_rate)
            likely = happened.mean(axis=0)
            months_named = {"first": str(window[0]), "month": str(window[-1])}
            key, further = self.say(series_id, settings) if self.say else (self.rule, {})
            yield Raised(
                rule=self.rule,
                level=lifted.level(probability) or INFORMATION,
                reason_key=key,
                reason_params={"chance": probability, "threshold": limit, **months_named, **further},
                route_id=route_id,
                series_id=series_id,
                probability=probability,
                base_rate=base_rate,
                cutoff=lifted.watch,
                prepare_from=levels.watch,
                threshold=limit,
                first_period=str(window[0]),
                last_period=str(window[-1]),
                likely_period=str(window[int(np.argmax(likely >= likely.max() / 2))]),
                horizon=start,
            )


def counts_by_series(panel: pd.DataFrame) -> pd.DataFrame:
    """Monthly outcomes as one column per series, on every month from the first to the last.

    Args:
        panel: A frame that keeps ``core.release.PANEL``, monthly.
    """
    months = period_index(panel["time_period"], "M")
    wide = panel.assign(_month=months).pivot_table(index="_month", columns="series_id", values="value", observed=True)
    if wide.empty:
        return wide
    return wide.reindex(pd.period_range(wide.index.min(), wide.index.max(), freq="M"))


def large_enough_mean(counts: pd.DataFrame, settings: AlertSettings) -> pd.DataFrame:
    """Mean of the last 12 months where it is large enough to mean something."""
    mean = counts.rolling(YEAR).mean()
    return mean.where(mean >= smallest(settings))


def smallest(settings: AlertSettings) -> float:
    """The smallest monthly count that a rule about the months ahead compares with."""
    return max(settings.surge_minimum, 1)


LEVELS = ("watch", "warning", "severe")
"""From the mildest to the gravest."""
WATCH, WARNING, SEVERE = LEVELS
INFORMATION = "information"
"""State of an alert without a level: information and preparedness triggers. It needs no decision."""
LIFT = 1.1
"""Least ratio of a probability to the base rate of its event and season from which an alert has a level.

Of 1, 1.1, 1.25 and 1.5 the largest at which the demonstration's training span misses no onset that it foretells at 1.
"""


@dataclass(frozen=True)
class Cutoffs:
    """Smallest probability for each level, frozen: a track record belongs to the cut-offs it was measured with."""

    watch: float
    warning: float
    severe: float

    def of(self, level: str) -> float:
        """The smallest probability for a level."""
        return float(getattr(self, level))

    def level(self, probability: float) -> str | None:
        """The level reached by a probability; None below a watch."""
        reached = [name for name in LEVELS if probability >= self.of(name)]
        return reached[-1] if reached else None

    def lifted(self, base_rate: float) -> Cutoffs:
        """The same, none below :data:`LIFT` times a base rate; unchanged where that is NaN."""
        least = 0.0 if math.isnan(base_rate) else min(1.0, LIFT * base_rate)
        return Cutoffs(*(max(self.of(level), least) for level in LEVELS))


@dataclass(frozen=True)
class LevelCosts(Cutoffs):
    """By how many times the reader's ratio a false alarm is dearer at each level: a graver alert moves more people."""


RARE = LevelCosts(watch=1.0, warning=2.5, severe=5.5)
"""For events that are rare: with a ratio of one third, Bayes thresholds of 25, 45 and 65 %."""
COMMON = LevelCosts(watch=3.0, warning=5.5, severe=12.0)
"""For highs of a season, which come most years: 50, 65 and 80 %; less is not worth a manager's time."""


def bayes_threshold(ratio: float) -> float:
    """Smallest calibrated probability at which an alert pays.

    Args:
        ratio: Cost of a false alarm over the cost of a missed event, above 0.
    """
    return ratio / (1 + ratio)


def rank(level: str) -> int:
    """Place of a level, 0 for the mildest; -1 for :data:`INFORMATION`."""
    return -1 if level == INFORMATION else LEVELS.index(level)
