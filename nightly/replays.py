"""What past origins knew and would have said, in compact tables, so that a reader can go back to any of them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.calendar import write_period
from core.release import FIGURES_THEN, REPLAYS
from core.schema import check
from forecasting.model import LEVELS
from forecasting.panel import Panel, panel_from_observations
from forecasting.quantiles import to_matrix
from forecasting.verification.scores import observed_at, wis
from nightly.knowledge import FREQ, TARGET, Knowledge

KEPT = {"q10": 0.1, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q90": 0.9}
MONTHS_BACK = 60
"""Months before an origin whose figures are compared: what a page shows."""


def replays(past: pd.DataFrame, outcomes: Panel) -> pd.DataFrame:
    """Every model's past forecasts, reduced to the bounds that pages show, each with its score.

    Args:
        past: Quantile rows of all models at past origins.
        outcomes: What was counted.

    Returns:
        A frame that keeps ``REPLAYS``.
    """
    table = to_matrix(past)
    observed = observed_at(table.keys, outcomes)
    bounds = {name: table.quantiles[:, _column(level)].round() for name, level in KEPT.items()}
    score = wis(np.log1p(observed), np.log1p(table.quantiles)).round(4)
    keys = table.keys[["model_id", "series_id", "origin_date", "horizon", "target_end_date"]]
    return check(keys.assign(**bounds, wis=score).reset_index(drop=True), REPLAYS)


def outcome_panel(knowledge: Knowledge) -> Panel:
    """Months of the routes as known tonight and, after a replayed night, as counted later."""
    totals = knowledge.route_figures[knowledge.route_figures["series_id"].isin(knowledge.forecastable)]
    later = knowledge.outcomes()
    later = later[later["series_id"].isin(knowledge.forecastable)]
    return panel_from_observations(pd.concat([totals, later], ignore_index=True), TARGET, FREQ)


def figures_then(knowledge: Knowledge, past: pd.DataFrame) -> pd.DataFrame:
    """What each past origin knew otherwise, over the five years before it.

    Args:
        knowledge: What is known tonight, and the vintages behind it.
        past: Past forecasts: their origins are looked at.

    Returns:
        A frame that keeps ``FIGURES_THEN``.
    """
    parts = [
        differences(knowledge.panel_at(pd.Timestamp(origin)), knowledge.panel, pd.Timestamp(origin))
        for origin in np.sort(past["origin_date"].unique())
    ]
    rows = pd.concat([FIGURES_THEN.empty(), *[part for part in parts if len(part)]], ignore_index=True)
    return check(rows.astype({"origin_date": "datetime64[ns]", "obs_value": "float64"}), FIGURES_THEN)


def differences(then: Panel, now: Panel, origin: pd.Timestamp) -> pd.DataFrame:
    """Cells up to an origin that two panels hold differently, with the value of the first.

    Args:
        then: What was known at the origin.
        now: What is known now.
        origin: Last day of the last month compared.
    """
    recent = now.until(origin.date()).matrix.tail(MONTHS_BACK)
    former = then.matrix.reindex(index=recent.index, columns=recent.columns)
    differ = ~((former == recent) | (former.isna() & recent.isna()))
    row, column = np.nonzero(differ.to_numpy())
    return pd.DataFrame(
        {
            "series_id": recent.columns.to_numpy()[column],
            "origin_date": origin,
            "time_period": [write_period(period, now.freq) for period in recent.index[row]],
            "obs_value": former.to_numpy()[row, column],
        }
    )


def editions(knowledge: Knowledge) -> dict[str, int]:
    """The most editions on record of one figure behind a route, by route: 1 where no past edition is kept."""
    rows = knowledge.vintages[
        knowledge.vintages["target"].eq(TARGET) & knowledge.vintages["as_of"].le(pd.Timestamp(knowledge.as_of))
    ]
    counts = rows.groupby(["route_id", "figure"], sort=False).size()
    return {str(route_id): int(count) for route_id, count in counts.groupby("route_id").max().items()}


def _column(level: float) -> int:
    return int(np.argmin(np.abs(LEVELS - level)))
