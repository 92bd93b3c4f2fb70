"""How often each rule was right at past origins, with what was known then.

Events are those of the rules themselves; the headline is *onset*: the first month of an event after at least three
months without, seen from an origin at which it was not there. Cut-offs are frozen on a training span; alerts are
counted on the origins after it, and the chances themselves are judged on all. Intervals: circular block bootstrap over
origins, 90 %, no narrower than the number of cases allows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from alerts import thresholds, training
from alerts.comparisons import COMPARISONS, Comparison, compared
from alerts.exceedance import EXCEEDANCE_RULES, ExceedanceRule
from alerts.ledger import QUARTILES, Ledger, Ranked, measures, of_month, of_window, ranking, single_month, window
from alerts.levels import LEVELS, Cutoffs
from alerts.past import HORIZONS, Issued, Past, issued, replay
from alerts.reliability import COLUMNS as RELIABILITY_COLUMNS
from alerts.reliability import reliability
from alerts.training import ANY_MONTH, Span
from core.quantiles import FloatArray
from core.release import FORECASTS, PANEL, TRACK_RECORD
from core.schema import ALL, check
from core.settings import AlertSettings
from forecasting.model import ENSEMBLE
from forecasting.verification.bootstrap import draw_weights

COMPARED_HORIZONS = (ANY_MONTH, 1, 3, 6)
_MEASURED = (
    "precision", "recall", "false_alarms_per_route_year", *(f"lead_months_{name}" for name in QUARTILES), "auc",
    "brier_skill",
)  # fmt: skip
_SPANS = ("trained_from", "trained_to", "judged_from", "judged_to")
COLUMNS = [
    "rule", "level", "route_id", "horizon", "n_events",
    *(name + suffix for name in _MEASURED for suffix in ("", "_lo", "_hi")),
    "n_alerts", "base_rate", "cutoff", *_SPANS,
]  # fmt: skip


@dataclass(frozen=True)
class Record:
    """Everything that past origins say about the rules.

    Attributes:
        rules: Keeps ``core.release.TRACK_RECORD``; see :func:`track_record`.
        comparisons: The same columns plus ``against``: simple rules (``rule``) on the events of a rule (``against``).
        thresholds: Frozen cut-offs; see :func:`alerts.training.table`.
        reliability: Chances said against how often the event came; see :mod:`alerts.reliability`.
        made: Forecasts issued at past origins.
        frozen: Cut-offs by rule and horizon.
        span: How the origins are parted.
    """

    rules: pd.DataFrame
    comparisons: pd.DataFrame
    thresholds: pd.DataFrame
    reliability: pd.DataFrame
    made: Issued
    frozen: Mapping[str, Mapping[int, Cutoffs]]
    span: Span

    @property
    def cutoffs(self) -> dict[str, Cutoffs]:
        """Cut-offs of alerts as they are issued, by rule."""
        as_issued = self.thresholds[self.thresholds["horizon"] == ANY_MONTH]
        return {
            str(rule): Cutoffs(**dict(zip(rows["level"], rows["cutoff"], strict=True)))
            for rule, rows in as_issued.groupby("rule")
        }


@dataclass(frozen=True)
class _Judge:
    """What every row of a record is counted with."""

    made: Issued
    span: Span
    judged: FloatArray
    everything: FloatArray


def full_record(  # the parts of one judgement, each named by the caller
    backtest: pd.DataFrame,
    panel: pd.DataFrame,
    settings: AlertSettings,
    *,
    as_of: dt.date,
    rules: Sequence[ExceedanceRule] = EXCEEDANCE_RULES,
    cutoffs: Mapping[str, Cutoffs] | None = None,
    simple_rules: Sequence[Comparison] = COMPARISONS,
) -> Record:
    """Judge every rule about the months ahead at every past origin, beside simple rules.

    Args:
        backtest: Past quantile forecasts (``core.release.FORECASTS``), monthly.
        panel: Outcomes (``core.release.PANEL``).
        settings: The reader's numbers and ratio of costs.
        as_of: Date of the release: alerts about its planning window are judged with the lag that each route's counts
            have on it.
        rules: The rules.
        cutoffs: Cut-offs by rule, given beforehand: then nothing is learned, and every origin is judged.
        simple_rules: Rules to compare with.

    Raises:
        SchemaError: A frame breaks its contract.
    """
    check(backtest, FORECASTS)
    check(panel, PANEL)
    counts = thresholds.by_route(panel)
    made = issued(backtest, ENSEMBLE, counts, as_of)
    span = Span(made.origins, 0) if cutoffs is not None else training.part(made.origins, settings)
    judge = _Judge(made, span, draw_weights(len(made.origins) - span.first_judged), draw_weights(len(made.origins)))
    own: list[dict[str, object]] = []
    beside: list[dict[str, object]] = []
    reliable: list[pd.DataFrame] = []
    frozen: dict[str, dict[int, Cutoffs]] = {}
    for rule in rules if made.series else ():
        past = replay(rule, made, counts, settings)
        if cutoffs is not None:
            frozen[rule.rule] = dict.fromkeys(range(HORIZONS + 1), cutoffs[rule.rule])
        else:
            frozen[rule.rule] = training.freeze(past, rule.costs, span, settings)
        own += _rows(past, rule, frozen[rule.rule], judge, range(HORIZONS + 1))
        reliable.append(reliability(past, rule, judge.everything))
        for simple, other in compared(rule, past, made, counts, settings, simple_rules):
            learned = training.freeze(other, rule.costs, span, settings, simple)
            rows = _rows(other, rule, learned, judge, COMPARED_HORIZONS, chance=simple.chance)
            beside += [row | {"rule": simple.rule, "against": rule.rule} for row in rows]
    costs = {rule.rule: rule.costs for rule in rules}
    return Record(
        check(_frame(own, COLUMNS), TRACK_RECORD),
        check(_frame(beside, ["against", *COLUMNS]), TRACK_RECORD),
        training.table(frozen, costs, span, settings.cost_loss_ratio),
        pd.concat(reliable, ignore_index=True) if reliable else pd.DataFrame(columns=RELIABILITY_COLUMNS),
        made,
        frozen,
        span,
    )


def track_record(
    backtest: pd.DataFrame,
    panel: pd.DataFrame,
    settings: AlertSettings,
    *,
    as_of: dt.date,
    rules: Sequence[ExceedanceRule] = EXCEEDANCE_RULES,
    cutoffs: Mapping[str, Cutoffs] | None = None,
) -> pd.DataFrame:
    """The rules' own record; arguments as in :func:`full_record`.

    Returns:
        A frame that keeps ``core.release.TRACK_RECORD``. ``level``: alerts at this level or a graver one. ``route_id``:
        a route, or ``_T`` for all together. ``horizon``: 1 to 6 for alerts about that one month, or 0 for the alert as
        it is issued, about any month of the planning window; its lead counts from the release. A measure that cannot
        be known is NaN.
    """
    return full_record(backtest, panel, settings, as_of=as_of, rules=rules, cutoffs=cutoffs, simple_rules=()).rules


def _rows(
    past: Past,
    rule: ExceedanceRule,
    frozen: Mapping[int, Cutoffs],
    judge: _Judge,
    horizons: Sequence[int],
    *,
    chance: bool = True,
) -> Iterator[dict[str, object]]:
    for horizon in horizons:
        cutoffs = frozen[horizon]
        if horizon == ANY_MONTH:
            ranked = of_window(past)
            ledgers = {level: window(past, cutoffs.of(level)) for level in LEVELS}
        else:
            ranked = of_month(past, horizon)
            ledgers = {level: single_month(past, horizon, cutoffs.of(level)) for level in LEVELS}
        for row in _route_rows(ledgers, ranked, judge, chance=chance):
            yield row | {"rule": rule.rule, "horizon": horizon, "cutoff": cutoffs.of(str(row["level"]))}


def _route_rows(
    ledgers: Mapping[str, Ledger], ranked: Ranked, judge: _Judge, *, chance: bool
) -> Iterator[dict[str, object]]:
    """Each route, then all of them pooled."""
    series = judge.made.series
    routes = {thresholds.route_of(name) or name: [place] for place, name in enumerate(series)}
    spans = dict(zip(_SPANS, (*judge.span.trained, *judge.span.judged), strict=True))
    for route_id, places in {**routes, ALL: list(range(len(series)))}.items():
        quality = ranking(ranked.of(places), judge.everything, chance=chance)
        for level, ledger in ledgers.items():
            own = ledger.of(places).since(judge.span.first_judged)
            found = quality | measures(own, judge.judged)
            yield {"route_id": route_id, "level": level, "n_events": int(own.event.sum()), **spans, **found}


def _frame(rows: list[dict[str, object]], columns: list[str]) -> pd.DataFrame:
    texts = ("against", "rule", "level", "route_id", *_SPANS)
    kinds = dict.fromkeys(columns, "float64")
    kinds |= {name: "object" for name in texts if name in columns} | dict.fromkeys(("horizon", "n_events"), "int64")
    return pd.DataFrame(rows, columns=columns).astype(kinds)
