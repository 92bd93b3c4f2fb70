"""What a scenario assumes, as codes, and what it makes of the release's sample paths: a distribution again.

The whole assumption stands in the address, defaults included, so that a link means the same on any later day.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from alerts.rules import EXCEEDANCE
from alerts.rules.nationality_shift import UNKNOWN
from core import QUANTILE_LEVELS, interval_levels
from core.calendar import planning_window
from core.errors import InputError
from core.languages import WORD_JOINER, Language, capital, round_expected
from core.languages import marked as _
from core.schema import ALL, NOT_APPLICABLE
from forecasting.scenarios import (
    EPISODES,
    FEWEST_EFFECTIVE,
    HOWS,
    STAYS,
    Condition,
    Course,
    TooFewPathsError,
    course,
    given,
    replay,
)
from forecasting.scenarios.shocks import Diversion, Shock, apply_shock, estimate_diversion
from reports import ReadableRelease, Row, citations, numbers
from reports import scenario as wording
from reports.alert import limit_of
from reports.names import in_unit, message_in, route_name, source_name
from reports.numbers import LARGEST, route_paths

LONGEST_TOTAL = 3
"""Months whose total stands in the title and is compared."""
LEVELS = {0.025: "q025", 0.1: "q10", 0.25: "q25", 0.5: "median", 0.75: "q75", 0.9: "q90", 0.975: "q975"}
KINDS = ("past", "shock", "if")
NONE, EVERYBODY = "none", "all"
MONTHS_OF_SHARES, MOST_NATIONALITIES = 12, 12
Values = dict[str, str]
"""Every lever by its name in the address."""
LEVERS_OF = {
    "if": ("if_route", "if_side", "if_value", "if_how", "if_from", "if_to", "and_route", "and_side", "and_value"),
    "shock": (
        "shock_of",
        "shock_size",
        "shock_from",
        "shock_onset",
        "shock_months",
        "shock_decay",
        "to_route",
        "to_share",
    ),
    "past": ("episode", "past_from", "past_as", "past_strength"),
}
PLACES = ("stock", "stay", "stay_kind", "needs_place", "confidence")


@dataclass(frozen=True)
class Scenario:
    """One scenario on one release.

    Attributes:
        route_id: The route that is looked at.
        trajectories: Sample paths under the assumption; None where there is no answer.
        refused: Why there is none, in a sentence.
        notes: What a reader must know of this scenario, in sentences.
        course: The past episode's figures, where it is one.
        chance: Chance of the assumption; None where it is not estimated.
    """

    route_id: str
    trajectories: pd.DataFrame | None
    refused: str = ""
    notes: list[str] = field(default_factory=list)
    course: Course | None = None
    chance: float | None = None


def build(release: ReadableRelease, values: Mapping[str, str], route_id: str, language: Language) -> Scenario:
    """Work a scenario out."""
    try:
        if values["kind"] == "if":
            return _conditional(release, values, route_id, language)
        if values["kind"] == "shock":
            return _shocked(release, values, route_id, language)
        return _analogue(release, values, route_id, language)
    except InputError as error:
        return Scenario(route_id, None, refused=message_in(error.message, language))


def _conditional(release: ReadableRelease, values: Mapping[str, str], route_id: str, language: Language) -> Scenario:
    paths = release.frame("trajectories")
    count = paths["output_type_id"].nunique()
    try:
        found = given(paths, conditions(values))
    except TooFewPathsError as error:
        text = _(
            "Too rare for an answer: it happens on {left} of {n} sample paths, and at least {fewest} are needed. "
            "Bring the number nearer to the forecast, or choose other months."
        )
        left, of = round(error.effective), language.counted(error.paths)
        return Scenario(route_id, None, refused=language.text(text, left=left, n=of, fewest=FEWEST_EFFECTIVE))
    text = _(
        "Of {n} sample paths, {left} meet the condition, and the scenario shows only those. About {few} of them lie "
        "beyond each end of the 95% band, so its ends are rough. Other months differ because months move together in "
        "past figures, not as an effect of the condition."
    )
    few = language.counted(round(found.effective * interval_levels(0.95)[0]))
    note = language.text(text, left=language.counted(found.effective), n=language.counted(count), few=few)
    return Scenario(route_id, found.trajectories, notes=[note], chance=found.probability)


def conditions(values: Mapping[str, str]) -> list[Condition]:
    """The conditions that the levers state."""
    first, last = sorted((month_end(values["if_from"]), month_end(values["if_to"])))
    out = []
    for prefix in ("if", "and"):
        route_id = values[f"{prefix}_route"]
        if route_id != NONE:
            above, value = values[f"{prefix}_side"] == "above", float(values[f"{prefix}_value"])
            how = next(one for one in ("any", "every", "total") if one == values["if_how"])
            out.append(Condition(numbers.route_series(route_id), first, last, how, above, value))
    return out


def condition_of(alert: Row) -> Values:
    """The levers that suppose the event of an alert whose rule forecasts one."""
    falls = EXCEEDANCE[str(alert["rule"])].falls
    return {
        "if_route": str(alert["route_id"]), "if_side": "below" if falls else "above",
        "if_value": f"{limit_of(alert):g}", "if_how": "any", "if_from": str(alert["first_period"]),
        "if_to": str(alert["last_period"]), "and_route": NONE,
    }  # fmt: skip


def _shocked(release: ReadableRelease, values: Mapping[str, str], route_id: str, language: Language) -> Scenario:
    of = values["shock_of"]
    part = 1.0 if of == EVERYBODY else shares_of(release, route_id)[of]
    shock = Shock(
        numbers.route_series(route_id),
        month_end(values["shock_from"]),
        size=part * float(values["shock_size"]) / 100,
        onset=int(float(values["shock_onset"])),
        duration=int(float(values["shock_months"])),
        half_life=float(values["shock_decay"]),
    )
    diversions, notes = [], [] if of == EVERYBODY else [wording.part_words(of, part, language)]
    last = month_end(values["shock_from"]) + pd.offsets.MonthEnd(shock.onset + shock.duration - 1)
    if not shock.half_life and last < release.frame("trajectories")["target_end_date"].max():
        text = _("The change ends {when}: after it the scenario is the forecast again.")
        notes.append(language.text(text, when=language.in_months(last, last)))
    if values["to_route"] != NONE:
        lines = []
        for name in (route_id, values["to_route"]):
            rows = numbers.series_of(release.frame("observations"), numbers.route_series(name))
            lines.append(pd.Series(rows["obs_value"].to_numpy(), pd.PeriodIndex(rows["time_period"], freq="M")))
        found = estimate_diversion(*lines)
        share = float(values["to_share"]) / 100
        notes.append(wording.diversion(found, route_id, values["to_route"], share, language))
        series_id = numbers.route_series(values["to_route"])
        # The estimate's own width counts only for the estimate itself; any other share is the reader's.
        if found.evidence and abs(share - found.share) < 0.005:
            low, high = min(found.low, share), max(found.high, share)
            diversions.append(Diversion(series_id, share, low, high))
        else:
            diversions.append(Diversion(series_id, share, share, share))
    return Scenario(route_id, apply_shock(release.frame("trajectories"), shock, diversions), notes=notes)


def _analogue(release: ReadableRelease, values: Mapping[str, str], route_id: str, language: Language) -> Scenario:
    episode = EPISODES[values["episode"]]
    name = wording.episode_name(episode.episode_id, language)
    found = course(release.frame("observations"), episode)
    if found is None:
        text = _(
            "{episode}: no source that may be passed on covers it. Where Frontex’s own workbook has been read in, it "
            "can be replayed."
        )
        return Scenario(route_id, None, refused=language.text(text, episode=name))
    strength = float(values["past_strength"]) / 100
    first = month_end(values["past_from"])
    series_id = numbers.route_series(route_id)
    by = episode.usual if values["past_as"] == "usual" else values["past_as"]
    paths = replay(release.frame("trajectories"), series_id, found, by, first=first, strength=strength)
    if by == "persons":
        said = language.text(_("The additional arrivals are added to the forecast; its own range is kept."))
    else:
        said = language.text(
            _("The forecast is multiplied by the episode’s ratios; its width grows or shrinks with them.")
        )
    sources = citations.sources_of(release, [found.series_id])
    publishers = language.listed([source_name(name, release.sources(), language) for name in sources])
    notes = [wording.course(found, episode, publishers, language), said]
    if fewer := wording.fewer_words(found, episode, first, language):
        notes.insert(0, fewer)
    if episode.route_id != route_id:
        text = language.text(_("The episode took place on another route ({route})."))
        notes.append(text.format(route=route_name(episode.route_id, language)))
    return Scenario(route_id, paths, notes=notes, course=found)


def title(release: ReadableRelease, scenario: Scenario, values: Mapping[str, str], language: Language) -> str:
    """The condition and what follows in one sentence, so that neither is quoted without the other."""
    route = route_name(scenario.route_id, language)
    if scenario.trajectories is None:
        return language.text(_("{route}: no answer"), route=route)
    assumed = wording.assumption(values, language)
    ends = title_months(release, scenario.route_id)
    then, plain = (sums["q50"] for sums in both_totals(release, scenario.trajectories, scenario.route_id))
    when, both = language.in_months(ends[0], ends[-1]), (language.expected(then), language.expected(plain))
    is_same = when in assumed
    if scenario.chance is not None:
        text = _("{condition} ({chance} chance)")
        assumed = language.text(text, condition=assumed, chance=language.percent(scenario.chance))
    condition = capital(assumed) if route in assumed else f"{route}, {assumed}"
    if is_same:
        return language.text(_("{condition}: {then}, not {plain}"), condition=condition, then=both[0], plain=both[1])
    text = language.text(_("{condition}: {then} {unit} {when} instead of {plain}"))
    return in_unit(text, scenario.route_id, language, condition=condition, then=both[0], plain=both[1], when=when)


def answer(release: ReadableRelease, scenario: Scenario, values: Mapping[str, str], language: Language) -> str:
    """The interval beside the forecast's, how far the medians lie apart, and what is unknown."""
    if scenario.trajectories is None:
        return language.text(_("Assumption: {assumption}."), assumption=wording.assumption(values, language))
    then, plain = both_totals(release, scenario.trajectories, scenario.route_id)
    chance = language.text(_("The chance of the condition is not estimated.")) if scenario.chance is None else ""
    said = language.text(
        _("80% interval {interval}; the forecast’s own: {usual}. Difference: {change}."),
        interval=language.interval_words(then["q10"], then["q90"]),
        usual=language.interval_words(plain["q10"], plain["q90"]), change=_apart(then["q50"], plain["q50"], language),
    )  # fmt: skip
    return f"{said} {chance}".rstrip()


def _apart(then: float, plain: float, language: Language) -> str:
    """Difference of two forecast figures as they are written, which a reader may subtract; per cent before rounding."""
    one, two = round_expected(then), round_expected(plain)
    if one == two:
        return language.counted(0)
    return f"{language.signed_count(one - two)} ({language.change(then, plain)})"


def by_level(release: ReadableRelease, trajectories: pd.DataFrame, route_id: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A route's forecast as it is served, and under a scenario: one row per month, one column per level.

    Quantiles of a finite number of paths are not quite those that are served. So the served ones are moved by the
    ratio of the scenario's paths to the forecast's: a scenario that changes nothing shows the forecast itself.
    """
    served = numbers.quantiles_of(release.frame("forecasts"), numbers.route_series(route_id))[list(QUANTILE_LEVELS)]
    plain, then = (
        route_paths(paths, route_id)[served.index].quantile(list(QUANTILE_LEVELS)).T
        for paths in (release.frame("trajectories"), trajectories)
    )
    moved = (served * then / plain.where(plain > 0)).fillna(then)
    # Ratios of neighbouring levels may cross where paths are few.
    return served, moved.cummax(axis=1)


def changed(forecast: pd.DataFrame, then: pd.DataFrame) -> pd.Series[bool]:
    """Months in which a scenario differs from the forecast: both have a row per month and a column per level."""
    return (then - forecast).abs().max(axis=1) > 1e-6


def shown_over(forecast: pd.DataFrame, then: pd.DataFrame) -> pd.DataFrame:
    """A scenario's rows in the months in which it differs from the forecast, and before these, where it leaves it."""
    differs = changed(forecast, then)
    return then[differs | differs.shift(-1, fill_value=False)]


def as_rows(table: pd.DataFrame) -> pd.DataFrame:
    """The same in rows: ``target_end_date, output_type_id, value``."""
    long = table.rename_axis("target_end_date").reset_index()
    return long.melt("target_end_date", var_name="output_type_id", value_name="value")


def totals(trajectories: pd.DataFrame, route_id: str, ends: list[pd.Timestamp]) -> pd.Series:
    """Quantiles of a route's total over months: ``q10, q25, q50, q75, q90``."""
    paths = route_paths(trajectories, route_id)
    sums = paths[[end for end in ends if end in paths.columns]].sum(axis=1)
    levels = (0.1, 0.25, 0.5, 0.75, 0.9)
    return pd.Series(np.quantile(sums, levels), [f"q{round(100 * level)}" for level in levels])


def title_months(release: ReadableRelease, route_id: str) -> list[pd.Timestamp]:
    """The planning window, whose total the page speaks of, as far as the route's sample paths cover it."""
    paths = route_paths(release.frame("trajectories"), route_id)
    return [end for end in pd.DatetimeIndex(paths.columns) if end in numbers.window_ends(release.as_of)]


def both_totals(release: ReadableRelease, trajectories: pd.DataFrame, route_id: str) -> tuple[pd.Series, pd.Series]:
    """A route's total over the planning window under a scenario, and by the forecast: see :func:`totals`."""
    ends = title_months(release, route_id)
    return totals(trajectories, route_id, ends), totals(release.frame("trajectories"), route_id, ends)


def _interval(low: float, high: float, language: Language) -> str:
    """An interval that may break after its dash: on a phone these tables must not be wider than the screen."""
    return language.interval(low, high).replace(WORD_JOINER, "")


def months_file(forecast: pd.DataFrame, then: pd.DataFrame, route_id: str) -> pd.DataFrame:
    """One row per month and kind: ``route_id, month, kind, q025 … q975``; ``kind`` is forecast or scenario."""
    parts = []
    for kind, table in (("forecast", forecast), ("scenario", then)):
        rows = table[list(LEVELS)].rename(columns=LEVELS)
        rows.insert(0, "kind", kind)
        rows.insert(0, "month", pd.DatetimeIndex(table.index).strftime("%Y-%m"))
        rows.insert(0, "route_id", route_id)
        parts.append(rows)
    return pd.concat(parts, ignore_index=True)


def months_table(forecast: pd.DataFrame, then: pd.DataFrame, language: Language) -> pd.DataFrame:
    """Months with both medians and 80 % intervals, and the difference; those that stay as forecast are one row."""
    levels = [0.1, 0.5, 0.9]
    then, forecast = then[levels], forecast[levels]
    same = ~changed(forecast, then)
    months = [language.month(end) for end in pd.DatetimeIndex(then.index[~same])]
    table = _compared({language.text(_("Month")): months}, then[~same], forecast[~same], language)
    if same.any():
        others = [language.text(_("Other months: as forecast")), *[""] * (table.shape[1] - 1)]
        table.loc[len(table)] = others
    return table


def _compared(names: dict[str, list[str]], then: pd.DataFrame, plain: pd.DataFrame, language: Language) -> pd.DataFrame:
    """The scenario beside the forecast; both have the lower end, the median and the upper end as columns."""
    rows, beside = then.to_numpy(), plain.to_numpy()
    words = {
        _("Scenario"): [language.expected(row[1]) for row in rows],
        _("Scenario, 80% interval"): [_interval(row[0], row[2], language) for row in rows],
        _("Forecast"): [language.expected(row[1]) for row in beside],
        _("Forecast, 80% interval"): [_interval(row[0], row[2], language) for row in beside],
        _("Difference"): [_apart(one[1], two[1], language) for one, two in zip(rows, beside, strict=True)],
    }
    return pd.DataFrame(names | {language.text(name): cells for name, cells in words.items()})


def routes_table(release: ReadableRelease, trajectories: pd.DataFrame, routes: Sequence[str]) -> pd.DataFrame:
    """Totals of each route's next months: ``route_id, first_month, last_month, kind, q10 … q90``."""
    lines = []
    for route_id in routes:
        ends = title_months(release, route_id)
        span = {"first_month": f"{ends[0]:%Y-%m}", "last_month": f"{ends[-1]:%Y-%m}"}
        for kind, paths in (("forecast", release.frame("trajectories")), ("scenario", trajectories)):
            total = totals(paths, route_id, ends)
            lines.append({"route_id": route_id, **span, "kind": kind, **total})
    return pd.DataFrame(lines)


def routes_shown(table: pd.DataFrame, language: Language) -> pd.DataFrame:
    """The same in words, one row per route."""
    then, plain = (table[table["kind"] == kind] for kind in ("scenario", "forecast"))
    names = [route_name(route_id, language) for route_id in then["route_id"]]
    ends = ["q10", "q50", "q90"]
    return _compared({language.text(_("Route")): names}, then[ends], plain[ends], language)


@dataclass(frozen=True)
class Lever:
    """One lever.

    Attributes:
        default: Its usual value.
        options: Values it may take; empty for a number.
        low: Lowest number.
        high: Highest number.
    """

    default: str
    options: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0

    def takes(self, text: str) -> bool:
        """Whether a text is one of its values."""
        if self.options:
            return text in self.options
        try:
            return self.low <= float(text) <= self.high
        except ValueError:
            return False


def forecast_routes(release: ReadableRelease) -> list[str]:
    """Routes of a release that are forecast, in the order of the overview."""
    routes = numbers.route_states(release.frame("routes"))
    known = set(release.frame("trajectories")["series_id"])
    return [str(name) for name in routes["route_id"] if numbers.route_series(str(name)) in known]


def months_of(release: ReadableRelease, route_id: str) -> list[str]:
    """Months ahead that a route's sample paths cover, ``YYYY-MM``."""
    rows = release.frame("trajectories")
    ends = rows.loc[rows["series_id"] == numbers.route_series(route_id), "target_end_date"]
    return [str(month) for month in sorted(pd.DatetimeIndex(ends.unique()).to_period("M"))]


def levers(release: ReadableRelease, route_id: str, routes: list[str]) -> dict[str, Lever]:
    """Every lever with its values on a release and route."""
    months = tuple(months_of(release, route_id))
    # The months that every route has, so that a condition on one may speak of another.
    spans = [set(months_of(release, other)) for other in routes]
    shared = tuple(month for month in months if all(month in span for span in spans))
    others = tuple(other for other in routes if other != route_id)
    begins = str(planning_window(release.as_of)[0])
    own_start, start = (begins if begins in found else found[min(1, len(found) - 1)] for found in (months, shared))
    names, sides = tuple(routes), ("above", "below")
    people = shares_of(release, route_id)
    return {
        "kind": Lever("past" if _has_own_episode(release, route_id) else "shock", KINDS),
        "if_route": Lever(route_id, names),
        "if_side": Lever("above", sides),
        "if_value": Lever(_upper_quartile(release, route_id, start), low=0, high=LARGEST),
        "if_how": Lever("any", HOWS),
        "if_from": Lever(start, shared),
        "if_to": Lever(start, shared),
        "and_route": Lever(NONE, (NONE, *names)),
        "and_side": Lever("above", sides),
        "and_value": Lever("0", low=0, high=LARGEST),
        "stock": Lever("0", low=0, high=LARGEST),
        "shock_of": Lever(EVERYBODY, (EVERYBODY, *people)),
        "shock_size": Lever("100", low=-100, high=500),
        "shock_from": Lever(own_start, months),
        "shock_onset": Lever("0", low=0, high=12),
        "shock_months": Lever("3", low=1, high=12),
        "shock_decay": Lever("0", low=0, high=12),
        "to_route": Lever(NONE, (NONE, *others)),
        "to_share": Lever("0", low=0, high=100),
        "episode": Lever(_own_episode(route_id), tuple(EPISODES)),
        "past_from": Lever(own_start, months),
        "past_as": Lever("usual", ("usual", "ratio", "persons")),
        "past_strength": Lever("100", low=10, high=150),
        "stay": Lever("3", low=0.5, high=24),
        "stay_kind": Lever("open", STAYS),
        "needs_place": Lever("100", low=1, high=100),
        "confidence": Lever("90", ("50", "75", "80", "90", "95", "99")),
    }


def shares_of(release: ReadableRelease, route_id: str) -> dict[str, float]:
    """Share of each large nationality among a route's arrivals in the newest twelve months with a breakdown.

    Returns:
        Citizenship -> share, 0 to 1, the largest first; empty where none is known.
    """
    rows = release.frame("observations")
    own = rows[(rows["route_id"] == route_id) & (rows["target"] == "arrivals") & (rows["freq"] == "M")]
    own = own[~own["citizen"].isin([ALL, NOT_APPLICABLE]) & own["geo"].isin([ALL, NOT_APPLICABLE])]
    recent = own[own["time_period"].isin(sorted(own["time_period"].unique())[-MONTHS_OF_SHARES:])]
    sums = recent.groupby("citizen")["obs_value"].sum()
    known = (sums / sums.sum()).drop(labels=list(UNKNOWN), errors="ignore").nlargest(MOST_NATIONALITIES)
    return {str(citizen): float(share) for citizen, share in known.items() if share > 0}


def parse(given: Mapping[str, str], known: Mapping[str, Lever]) -> tuple[Values, list[str]]:
    """Every lever's value, and the names of those whose text was not usable."""
    values = {name: given.get(name, lever.default) for name, lever in known.items()}
    bad = [name for name, text in values.items() if not known[name].takes(text)]
    return values | {name: known[name].default for name in bad}, bad


def assumption(values: Mapping[str, str], route_id: str) -> Values:
    """What makes a scenario: its route, its kind and the levers of that kind, and nothing of how it is looked at."""
    kept = {name: values[name] for name in LEVERS_OF[values["kind"]]}
    return {"route": route_id, "kind": values["kind"], **kept}


def scenario_id(values: Mapping[str, str], route_id: str) -> str:
    """The same assumption always has the same name."""
    text = json.dumps(assumption(values, route_id), sort_keys=True)
    return f"scenario-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


def month_end(month: str) -> pd.Timestamp:
    """Last day of a month written ``YYYY-MM``."""
    return pd.Period(month, "M").end_time.normalize()


def _upper_quartile(release: ReadableRelease, route_id: str, month: str) -> str:
    """A number to begin with: what the month passes one time in four."""
    rows = release.frame("trajectories")
    series = rows["series_id"] == numbers.route_series(route_id)
    values = rows.loc[series & (rows["target_end_date"] == month_end(month)), "value"]
    return str(int(min(round_expected(float(values.quantile(0.75))), LARGEST)))


def _own_episode(route_id: str) -> str:
    own = [name for name, episode in EPISODES.items() if episode.route_id == route_id]
    return own[-1] if own else next(iter(EPISODES))


def _has_own_episode(release: ReadableRelease, route_id: str) -> bool:
    """Whether an episode took place on the route itself and the release holds its figures."""
    episode = EPISODES[_own_episode(route_id)]
    return episode.route_id == route_id and course(release.frame("observations"), episode) is not None
