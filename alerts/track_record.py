"""How often each rule was right at past origins, with what was known then.

Events are those of the rules themselves; the headline is *onset*: the first month of an event after at least three
months without, seen from an origin at which it was not there. Intervals: moving-block bootstrap over origins, 90 %.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from alerts import thresholds
from alerts.exceedance import EXCEEDANCE_RULES, ExceedanceRule
from alerts.ledger import Ledger, Ranked, measures, of_month, of_window, ranking, single_month, window
from alerts.levels import LEVELS
from alerts.past import Issued, Past, issued, replay
from alerts.resample import draw_weights
from core.quantiles import FloatArray
from core.schema import ALL, FORECASTS, PANEL, TRACK_RECORD, check
from core.settings import AlertSettings

HORIZONS = 6
ANY_MONTH = 0
"""``horizon`` of the rows about an alert as it is issued: any month of the rule's window."""


def track_record(
    backtest: pd.DataFrame,
    panel: pd.DataFrame,
    settings: AlertSettings,
    *,
    model_id: str = "vigie-ensemble",
    rules: Sequence[ExceedanceRule] = EXCEEDANCE_RULES,
) -> pd.DataFrame:
    """Judge every rule about the months ahead at every past origin.

    Args:
        backtest: Past quantile forecasts (``core.schema.FORECASTS``), monthly.
        panel: Outcomes (``core.schema.PANEL``).
        settings: The reader's numbers.
        model_id: The model whose forecasts the alerts rest on.
        rules: The rules.

    Returns:
        A frame that keeps ``core.schema.TRACK_RECORD``. ``level``: alerts at this level or a graver one. ``route_id``:
        a route, or ``_T`` for all together. ``horizon``: 1 to 6 for alerts about that one month, or 0 for the alert as
        it is issued, about any month of its window. A measure that cannot be known is NaN.

    Raises:
        SchemaError: A frame breaks its contract.
    """
    check(backtest, FORECASTS)
    check(panel, PANEL)
    counts = thresholds.by_route(panel)
    made = issued(backtest, model_id, [str(name) for name in counts.columns], HORIZONS)
    weights = draw_weights(len(made.origins))
    rows: list[dict[str, object]] = []
    for rule in rules if made.series else ():
        past = replay(rule, made, counts, settings)
        rows += _rows(rule, past, made, weights)
    return check(pd.DataFrame(rows, columns=list(TRACK_RECORD.columns)).astype(_kinds()), TRACK_RECORD)


def _rows(rule: ExceedanceRule, past: Past, made: Issued, weights: FloatArray) -> Iterator[dict[str, object]]:
    whole = {level: window(past, rule.window, getattr(rule.cutoffs, level)) for level in LEVELS}
    yield from _route_rows(whole, of_window(past, rule.window), made, weights, rule=rule.rule, horizon=ANY_MONTH)
    for ahead in range(1, past.chance.shape[2] + 1):
        months = {level: single_month(past, ahead, getattr(rule.cutoffs, level)) for level in LEVELS}
        yield from _route_rows(months, of_month(past, ahead), made, weights, rule=rule.rule, horizon=ahead)


def _route_rows(
    ledgers: Mapping[str, Ledger], ranked: Ranked, made: Issued, weights: FloatArray, **common: object
) -> Iterator[dict[str, object]]:
    """Each route, then all of them pooled."""
    everywhere = list(range(len(made.series)))
    routes = {thresholds.route_of(name) or name: [place] for place, name in enumerate(made.series)}
    for route_id, places in {**routes, ALL: everywhere}.items():
        area = ranking(ranked.of(places), weights)
        for level, ledger in ledgers.items():
            part = ledger.of(places)
            found = area | measures(part, weights)
            yield {**common, "route_id": route_id, "level": level, "n_events": int(part.event.sum()), **found}


def _kinds() -> dict[str, str]:
    texts = dict.fromkeys(("rule", "level", "route_id"), "object")
    counts = dict.fromkeys(("horizon", "n_events"), "int64")
    return dict.fromkeys(TRACK_RECORD.columns, "float64") | texts | counts
