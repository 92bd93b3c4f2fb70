"""How often each rule was right at past origins, with what was known then.

Events are those of the rules themselves; the headline is *onset*: the first month of an event after at least three
months without, seen from an origin at which it was not there. Cut-offs are frozen on a training span; alerts are
counted on the origins after it, and the probabilities themselves are scored on all. Intervals: circular block bootstrap
over origins, 90 %, no narrower than the number of cases allows.

Probabilities are never quite calibrated, so a level's cut-off is the one that would have cost least on the training
span, drawn towards the Bayes threshold (:mod:`alerts`) where the span is short.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import alerts
from alerts import LEVELS, Cutoffs, ExceedanceRule, LevelCosts, Signal, bayes_threshold, counts_by_series
from alerts.rules import INFORMING, OBSERVED_RULES, ROUTE_RULES
from alerts.rules.surge import RULE as SURGE
from alerts.verification import contingency, hindcast
from alerts.verification.contingency import ContingencyTable, contingency_table, measures
from alerts.verification.hindcast import WINDOW, BoolArray, Judged, Pairs, PastForecasts
from core import FloatArray
from core.calendar import PLANNING_MONTHS
from core.release import ALERT_RELIABILITY, FORECASTS, PANEL, RELEASE, TRACK_RECORD
from core.routes import is_route
from core.schema import ALL, Table, check, concat_filled, typed
from core.settings import AlertSettings
from forecasting import ENSEMBLE
from forecasting.verification.verdict import draw_weights

FEWEST_EVENTS = 5
"""Fewer past events say little about a rule."""
COMPARED_HORIZONS = (WINDOW, 1, 3, 6)
_SPANS = ("trained_from", "trained_to", "judged_from", "judged_to")
_QUIET, _NOT_JUDGED = -1, -2


@dataclass(frozen=True)
class Record:
    """Everything that past origins say about the rules.

    Attributes:
        rules: Keeps ``core.release.TRACK_RECORD``. ``level``: alerts at this level or a graver one. ``route_id``: a
            route, or ``_T`` for all together. ``horizon``: 1 to 6 for alerts about that one month, or 0 for the alert
            as it is issued, about any month of the planning window; its lead counts from the release. A measure that
            cannot be known is NaN.
        comparisons: The same columns plus ``against``: simple rules (``rule``) on the events of a rule (``against``).
        thresholds: Frozen cut-offs; see :func:`alerts.verification.cutoff_table`.
        reliability: Probabilities against how often the event occurred.
        past: Forecasts issued at past origins.
        frozen: Cut-offs by rule and horizon.
        span: How the origins are parted.
    """

    rules: pd.DataFrame
    comparisons: pd.DataFrame
    thresholds: pd.DataFrame
    reliability: pd.DataFrame
    past: PastForecasts
    frozen: Mapping[str, Mapping[int, Cutoffs]]
    span: Span

    @property
    def cutoffs(self) -> dict[str, Cutoffs]:
        """Cut-offs of alerts as they are issued, by rule."""
        return {rule: by_horizon[WINDOW] for rule, by_horizon in self.frozen.items()}


def full_record(  # noqa: PLR0913  # the parts of one judgement, each named by the caller
    backtest: pd.DataFrame,
    panel: pd.DataFrame,
    settings: AlertSettings,
    *,
    as_of: dt.date,
    rules: Sequence[ExceedanceRule] = ROUTE_RULES,
    model_id: str = ENSEMBLE,
    simple_rules: Sequence[hindcast.Comparison] = hindcast.COMPARISONS,
    nowcasts: hindcast.Nowcasts | None = None,
) -> Record:
    """Judge every rule about the months ahead at every past origin, beside simple rules.

    Args:
        backtest: Past quantile forecasts (``core.release.FORECASTS``), monthly.
        panel: Outcomes (``core.release.PANEL``).
        settings: The reader's numbers and ratio of costs.
        as_of: Date of the release: alerts about its planning window are judged with the lag that each route's counts
            have on it.
        rules: The rules.
        model_id: The model whose forecasts they rest on.
        simple_rules: Rules to compare with.
        nowcasts: Of the month after past origins, where alerts are issued from forecasts that follow one.

    Raises:
        SchemaError: A frame breaks its contract.
    """
    check(backtest, FORECASTS)
    check(panel, PANEL)
    counts = counts_by_series(panel)
    past = hindcast.past_forecasts(backtest, model_id, counts, as_of, nowcasts)
    span = part(past.origins, settings)
    own, beside = list[dict[str, object]](), list[dict[str, object]]()
    reliable: list[pd.DataFrame] = []  # a rule without a case has no row
    frozen: dict[str, dict[int, Cutoffs]] = {}
    for rule in rules if past.series else ():
        judged = hindcast.judge(rule, past, counts, settings)
        frozen[rule.rule] = freeze(judged, rule.costs, span, settings)
        own += [row | {"rule": rule.rule} for row in _rows(judged, frozen[rule.rule], past, span)]
        reliable.append(contingency.reliability(judged, rule.rule, draw_weights(len(past.origins))))
        for simple, other in hindcast.compared(rule, judged, past, counts, settings, simple_rules):
            learned = freeze(other, rule.costs, span, settings, simple.conventional)
            chosen = {horizon: learned[horizon] for horizon in COMPARED_HORIZONS}
            rows = _rows(other, chosen, past, span, is_probability=simple.is_probability)
            beside += [row | {"rule": simple.rule, "against": rule.rule} for row in rows]
    return Record(
        _frame(own, TRACK_RECORD),
        _frame(beside, RELEASE["track_record_comparison"]),
        cutoff_table(frozen, {rule.rule: rule.costs for rule in rules}, span, settings.cost_loss_ratio),
        concat_filled(reliable, ALERT_RELIABILITY.empty()),
        past,
        frozen,
        span,
    )


def documented_rises(
    record: Record, panel: pd.DataFrame, settings: AlertSettings, catalogue: pd.DataFrame, said: pd.DataFrame
) -> pd.DataFrame:
    """Return what would have been said before the rises that public sources document.

    Args:
        record: Of the rules about the months ahead.
        panel: Outcomes (``core.release.PANEL``).
        settings: The reader's numbers.
        catalogue: One row per event, ``event_id``, ``route_id`` and ``month`` among its columns.
        said: The same as the result of :func:`retrospective_alerts`, on detections.

    Returns:
        ``core.release.DOCUMENTED_RISES``: one row per event, basis of values and months ahead; one row with the empty
        basis and ``horizon`` 0 for an event of which nothing is kept.
    """
    parts = [pd.DataFrame(columns=hindcast.EVENT_COLUMNS), said]
    if SURGE.rule in record.frozen:
        events = catalogue[["event_id", "route_id", "month"]].itertuples(index=False, name=None)
        named = {event_id: (route_id, month) for event_id, route_id, month in events}
        counts, first = counts_by_series(panel), record.span.first_judged
        frozen, find = record.frozen[SURGE.rule], hindcast.retrospective_alerts
        parts.append(find(named, record.past, counts, frozen, first, settings, basis="arrivals"))
    found = concat_filled(parts, parts[0])
    joined = catalogue.merge(found.drop(columns=["route_id", "month"]), on="event_id", how="left")
    return joined.fillna({"horizon": 0, "origin": "", "level": "", "basis": ""}).astype(hindcast.EVENT_KINDS)


def observed_record(signals: Mapping[str, list[Signal]]) -> pd.DataFrame:
    """The record of rules about counts just made (``core.release.TRACK_RECORD``)."""
    followed = {rule.rule: rule.followed for rule in OBSERVED_RULES}
    rows = [
        row | ({"level": alerts.INFORMATION} if rule in INFORMING else {})
        for rule, own in signals.items()
        for row in signal_rows(own, window=followed.get(rule, alerts.FOLLOWED_MONTHS))
    ]
    return _frame(rows, TRACK_RECORD)


def signal_rows(signals: list[Signal], *, window: int = alerts.FOLLOWED_MONTHS) -> Iterator[dict[str, object]]:
    """How often one rule's signals were confirmed, per level and route.

    Args:
        signals: All signals of one rule.
        window: Months after which a standing signal counts anew.

    Yields:
        Rows as :attr:`Record.rules` has them, horizon 0. ``precision`` is the share that was confirmed; ``base_rate``
        how often the claim came true whether or not there was a signal, where it can be asked; ``n_events`` the signals
        that could be followed. There is no recall and no lead: what such a rule does not say is no event.
    """
    known = [signal for signal in signals if not signal.level or np.isfinite(signal.confirmed)]
    if not known:
        return
    months = pd.period_range(min(one.month for one in known), max(one.month for one in known), freq="M")
    routes = sorted({signal.route_id for signal in known})
    level = np.full((len(months), len(routes)), _NOT_JUDGED)
    confirmed = np.full(level.shape, np.nan)
    for signal in known:
        cell = months.get_loc(signal.month), routes.index(signal.route_id)
        level[cell] = alerts.rank(signal.level) if signal.level else _QUIET
        confirmed[cell] = signal.confirmed
    spans = dict(zip(_SPANS, ("", "", str(months[0]), str(months[-1])), strict=True))
    weights = draw_weights(len(months))
    asked = bool(np.isfinite(confirmed[level == _QUIET]).any())
    for name in LEVELS[: level.max() + 1]:
        table = _table(level >= alerts.rank(name), confirmed == 1, level > _NOT_JUDGED, window)
        for route_id, columns in _columns_by_route(routes).items():
            values = confirmed[:, columns][np.isfinite(confirmed[:, columns])] if asked else np.empty(0)
            found = measures(table.of(columns), weights)
            rate, events = float(values.mean()) if len(values) else float("nan"), int(found["n_alerts"])
            key = {"rule": known[0].rule, "level": name, "route_id": route_id, "horizon": WINDOW}
            yield {**key, "n_events": events, "base_rate": rate, **spans, **found}


def precision_cases(found: Mapping[Any, Any]) -> float:
    """Of how many alerts a record's precision is the share; NaN where their number is not known.

    Repeats and alerts about no onset came true and foretold nothing new: they count neither for nor against.
    """
    raised, *others = (float(found.get(name, float("nan"))) for name in ("n_alerts", "n_repeats", "n_no_onset"))
    return raised - sum(other for other in others if np.isfinite(other))


def record_of(alert: Mapping[Any, Any], record: pd.DataFrame) -> dict[Any, Any] | None:
    """The track record of an alert's rule at its level: on its own route, else over all routes.

    Preferred is the row about the alert as it is issued (horizon 0). A route with fewer than :data:`FEWEST_EVENTS` past
    events proves little by itself: then all routes together count. A place of reception has its own record.

    Args:
        alert: A row of ``core.release.ALERTS``.
        record: Rows of ``core.release.TRACK_RECORD``.

    Returns:
        A row of ``record``; None where the rule has none.
    """
    rows = record[(record["rule"] == alert["rule"]) & record["level"].isin([alert["alert_level"], ALL, ""])]
    for route_id in (alert["route_id"], ALL):
        fewest = FEWEST_EVENTS if is_route(route_id) else 0
        own = rows[(rows["route_id"] == route_id) & rows["precision"].notna() & (rows["n_events"] >= fewest)]
        if len(own):
            whole = own[own["horizon"] == WINDOW]
            nearest = int((own["horizon"] - int(alert["horizon"])).abs().to_numpy().argmin())
            return dict((whole if len(whole) else own.iloc[[nearest]]).iloc[0])
    return None


def _rows(
    judged: Judged, frozen: Mapping[int, Cutoffs], past: PastForecasts, span: Span, *, is_probability: bool = True
) -> Iterator[dict[str, object]]:
    """Rows of one rule: every horizon with cut-offs, every route and all of them pooled, every level."""
    routes = _columns_by_route([alerts.subject_of(name) or name for name in past.series])
    spans = dict(zip(_SPANS, (*span.trained, *span.judged), strict=True))
    everything, since = draw_weights(len(past.origins)), draw_weights(len(past.origins) - span.first_judged)
    for horizon, cutoffs in frozen.items():
        tables = {level: contingency_table(judged, horizon, cutoffs.of(level)) for level in LEVELS}
        for route_id, columns in routes.items():
            quality = contingency.ranking(judged.month(horizon).of(columns), everything, is_probability=is_probability)
            for level, table in tables.items():
                own = table.of(columns).rows(slice(span.first_judged, None))
                key = {"level": level, "route_id": route_id, "horizon": horizon, "cutoff": cutoffs.of(level)}
                yield {**key, "n_events": int(own.events.sum()), **spans, **quality, **measures(own, since)}


def _columns_by_route(routes: Sequence[str]) -> dict[str, list[int]]:
    return {**{route_id: [column] for column, route_id in enumerate(routes)}, ALL: list(range(len(routes)))}


def _table(alert: BoolArray, confirmed: BoolArray, judged: BoolArray, window: int) -> ContingencyTable:
    raised, fulfilled = contingency.entries(alert, confirmed, window)
    nothing, no_lead = np.zeros(alert.shape, dtype=bool), np.zeros(alert.shape)
    return ContingencyTable(raised & fulfilled, nothing, nothing, raised & ~fulfilled, nothing, no_lead, judged)


def _frame(rows: Sequence[object], table: Table) -> pd.DataFrame:
    return typed(pd.DataFrame(rows, columns=list(table.columns)), table)


TRAINING_SHARE = 0.4
FEWEST_ORIGINS = 48
"""Fewer past origins are not parted: cut-offs are then Bayes thresholds, and all origins are judged."""
PRIOR_MONTHS = 360.0
"""Months of a route (thirty years of one, six of five) at which the span and theory weigh the same."""
CANDIDATES: FloatArray = np.round(np.arange(0.05, 0.951, 0.01), 2)


@dataclass(frozen=True)
class Span:
    """How the past origins are parted.

    Attributes:
        origins: Every month from the first origin to the last.
        first_judged: Index of the first origin that is judged; those before it train.
    """

    origins: pd.PeriodIndex
    first_judged: int

    @property
    def trained(self) -> tuple[str, str]:
        """First and last origin of the training span; empty where there is none."""
        return _ends(self.origins[: self.first_judged])

    @property
    def judged(self) -> tuple[str, str]:
        """First and last origin that the record is counted on; empty where there is none."""
        return _ends(self.origins[self.first_judged :])


def _ends(months: pd.PeriodIndex) -> tuple[str, str]:
    return (str(months[0]), str(months[-1])) if len(months) else ("", "")


def part(origins: pd.PeriodIndex, settings: AlertSettings) -> Span:
    """Part past origins into a training span and those that are judged.

    The span ends with ``settings.trained_until`` where it is set, else after the first 40 %.
    """
    if settings.trained_until:
        return Span(origins, int((origins <= pd.Period(settings.trained_until, "M")).sum()))
    return Span(origins, int(len(origins) * TRAINING_SHARE) if len(origins) >= FEWEST_ORIGINS else 0)


def freeze(
    judged: Judged, costs: LevelCosts, span: Span, settings: AlertSettings, conventional: float | None = None
) -> dict[int, Cutoffs]:
    """Learn a rule's cut-offs on the training span.

    Args:
        judged: The rule at past origins.
        costs: How dear a false alarm is at each level.
        span: The span. Only outcomes known at the first judged origin count.
        settings: The reader's ratio of costs.
        conventional: For scores that are no probabilities, their conventional cut-off.

    Returns:
        Cut-offs by horizon: 0 for the alert as it is issued, then 1, 2, … for single months.
    """
    frozen = {}
    for horizon in range(WINDOW, hindcast.HORIZONS + 1):
        farthest = horizon or int(judged.starts.max(initial=1)) + PLANNING_MONTHS - 1
        known_then = slice(0, max(span.first_judged - farthest + 1, 0))
        frozen[horizon] = _learn(judged.month(horizon).rows(known_then), costs, settings, conventional)
    return frozen


def cutoff_table(
    frozen: Mapping[str, dict[int, Cutoffs]], costs: Mapping[str, LevelCosts], span: Span, ratio: float
) -> pd.DataFrame:
    """Frozen cut-offs as rows, to be published.

    Returns:
        ``core.release.RELEASE["alert_thresholds"]``; ``honest_cutoff`` is the Bayes threshold.
    """
    rows = [
        (rule, level, horizon, cutoffs.of(level), bayes_threshold(ratio * costs[rule].of(level)), ratio, *span.trained)
        for rule, by_horizon in frozen.items()
        for horizon, cutoffs in by_horizon.items()
        for level in LEVELS
    ]
    return _frame(rows, RELEASE["alert_thresholds"])


def _learn(pairs: Pairs, costs: LevelCosts, settings: AlertSettings, conventional: float | None) -> Cutoffs:
    score, occurred = pairs.probability[pairs.calm], pairs.occurred[pairs.calm]
    learn = learn_cutoff if conventional is None else partial(learn_score, conventional=conventional)
    found = [learn(score, occurred, settings.cost_loss_ratio * costs.of(level)) for level in LEVELS]
    return Cutoffs(*(float(cutoff) for cutoff in np.maximum.accumulate(found)))


def learn_cutoff(probability: FloatArray, occurred: NDArray[np.bool_], ratio: float) -> float:
    """The probability from which alerts would have cost least on the training span.

    Args:
        probability: Probabilities, one per route and month of the span.
        occurred: Whether each event occurred.
        ratio: Cost of a false alarm over the cost of a missed event.

    Returns:
        The cut-off of least cost. The span counts for its months; :data:`PRIOR_MONTHS` further ones are thought in,
        in which the same probabilities are calibrated. Of cut-offs that cost the same, the one nearest to theory.
    """
    bayes = bayes_threshold(ratio)
    if len(probability) == 0:
        return bayes
    alerted = probability[None] >= CANDIDATES[:, None]
    counted = _cost(alerted, occurred.astype(float), ratio).sum(axis=1)
    cost = counted + _cost(alerted, probability, ratio).mean(axis=1) * PRIOR_MONTHS
    least = np.isclose(cost, cost.min(), rtol=0, atol=1e-9)
    nearest = np.argmin(np.where(least, np.abs(CANDIDATES - bayes), np.inf))
    return float(CANDIDATES[nearest])


def learn_score(score: FloatArray, occurred: NDArray[np.bool_], ratio: float, conventional: float) -> float:
    """The same for a score that is no probability, such as a control chart's.

    Where the span holds no event, it is the conventional cut-off.
    """
    known = np.isfinite(score)
    score, occurred = score[known], occurred[known]
    if not occurred.any():
        return conventional
    candidates = np.unique(np.append(score, conventional))
    cost = _cost(score[None] >= candidates[:, None], occurred.astype(float), ratio).sum(axis=1)
    return float(candidates[np.flatnonzero(cost == cost.min())[-1]])


def _cost(alerted: NDArray[np.bool_], probability: FloatArray, ratio: float) -> FloatArray:
    """Expected cost of each month: a false alarm costs ``ratio``, a missed event 1."""
    return np.where(alerted, ratio * (1 - probability), probability)
