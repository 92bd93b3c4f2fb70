"""A combination of the hub in the place of Vigie's own ensemble, where an administrator has turned it on."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import pandas as pd

from core.settings import HubSettings
from forecasting.panel import Panel
from forecasting.quantiles import QuantileTable
from forecasting.verification.scores import observed_at
from hub.outputs import DESIGNATED, TEAM
from hub.score import combine
from nightly.forecasts import HORIZONS, ForecastSet
from nightly.hub_tables import IN_TIME, collected, designated, left_out, with_own
from nightly.real_time import RealTimeData


def serve(
    settings: HubSettings, home: Path, made: ForecastSet, nowcasts: pd.DataFrame, data: RealTimeData
) -> tuple[ForecastSet, dict[str, Any] | None, list[dict[str, str]]]:
    """Forecasts as they are served; where the hub cannot be read, Vigie's own are, and the night says why.

    Args:
        settings: Which combination.
        home: The home folder, with what was collected.
        made: Vigie's own forecasts, present and past.
        nowcasts: What the first month follows, whichever forecast is served.
        data: What was known.

    Returns:
        Forecasts; what the manifest says of the combination, None where it is off; what the night had to do without.
    """
    if not settings.serve:
        return made.with_nowcasts(nowcasts), None, []
    degraded, series, served = [], [], made
    try:
        received, _editions, about = collected(home, data.date)
        if received is not None:
            of_routes = received.keys["series_id"].isin(data.panel.series_ids)
            received = received.where(of_routes & (received.keys["timing"] == IN_TIME))
            own = pd.concat([made.current, made.hindcasts], ignore_index=True)
            everything = with_own(received, own[own["model_id"].isin(DESIGNATED)])
            origins = made.current_ensemble.drop_duplicates("series_id").set_index("series_id")["origin_date"]
            found = combined_now(everything, data.panel, origins, designated(about), settings.serve)
            series = sorted(set(found.keys["series_id"]))
            served = made.with_combination(found, data.panel) if series else made
    except Exception as error:
        degraded.append(left_out(error))
        series, served = [], made
    return served.with_nowcasts(nowcasts), {"combination": settings.serve, "series": series}, degraded


def combined_now(
    everything: QuantileTable, panel: Panel, origins: pd.Series, members: Collection[str], name: str
) -> QuantileTable:
    """A combination from the newest origin of the series that another team forecasts in time, every month of the year.

    Args:
        everything: Forecasts submitted in time, and Vigie's own.
        panel: Outcomes known tonight.
        origins: Last complete month's end by series.
        members: Models that take part.
        name: The combination.
    """
    keys = everything.keys
    now = keys["origin_date"] == keys["series_id"].map(origins)
    others = keys[now & keys["model_id"].isin(list(members)) & ~keys["model_id"].str.startswith(f"{TEAM}-")]
    months = others[others["horizon"].isin(HORIZONS)].groupby("series_id")["horizon"].nunique()
    series = months.index[months == len(HORIZONS)]
    made = combine(everything, observed_at(keys, panel), members)
    rows = made.keys
    newest = rows["origin_date"] == rows["series_id"].map(origins)
    chosen = newest & (rows["model_id"] == name) & rows["series_id"].isin(series) & rows["horizon"].isin(HORIZONS)
    return made.where(chosen)
