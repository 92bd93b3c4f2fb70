"""Scores and ensembles of any hub, Vigie's or another's, from its own files alone.

Where an administrator has turned it on, a combination is served in the place of Vigie's own ensemble (:func:`serve`).
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core import FloatArray
from core.errors import InputError, SourceError
from core.languages import marked as _
from core.log import get_logger
from core.settings import HubSettings
from forecasting.panel import Panel
from forecasting.quantiles import QuantileTable, to_rows
from forecasting.verification import observed_at
from hub import Hub
from hub.outputs import DESIGNATED, TEAM, ensemble_metadata, tidy
from hub.score import as_quantiles, combine, grid, league, outcomes_at, quantile_rows, unit_name
from hub.submission import read_metadata, read_submission
from nightly import RealTimeData
from nightly.forecasts import HORIZONS, ForecastSet
from nightly.hub import METADATA, hub_of, submission_paths
from nightly.hub_tables import IN_TIME, collected, designated, left_out, with_own
from store import parquet_bytes
from store.hub import HubFiles

_VALUE = "oracle_value"


def score_hub(place: str, baseline: str) -> pd.DataFrame:
    """The league table of a hub (:func:`hub.score.league`).

    Files that break a rule are left out and named in the log.

    Raises:
        InputError: There is no readable hub, no oracle output, or nothing to score.
        StoreError: A file cannot be read.
    """
    files = HubFiles(place)
    hub = hub_of(files)
    rows = [part for part in _rows(files, hub) if len(part)]
    if not rows:
        raise InputError(f"{place}: no submission with quantiles keeps the hub's rules")
    table, levels = as_quantiles(pd.concat(rows, ignore_index=True))
    if np.isnan(table.quantiles).any():
        raise InputError(f"{place}: submissions have different quantile levels: they cannot be compared")
    if baseline not in set(table.keys["model_id"]):
        names = ", ".join(sorted(set(table.keys["model_id"]))[:10])
        raise InputError(f"--baseline {baseline}: no such model; there are {names}")
    scored = league(grid(table, _outcomes(files, hub, table.keys), levels), baseline)
    if scored.empty:
        raise InputError(f"{place}: no outcome of a forecast is known yet")
    return scored


def _rows(files: HubFiles, hub: Hub) -> Iterator[pd.DataFrame]:
    for path in submission_paths(files, hub):
        submission, faults = read_submission(hub, path, files.read(path))
        if submission is None:
            get_logger().warning("submission left out", file=path, reason=str(faults[0]))
        else:
            yield quantile_rows(submission, hub)


def _outcomes(files: HubFiles, hub: Hub, keys: pd.DataFrame) -> FloatArray:
    """The oracle's value of each forecast, NaN where it has none."""
    names = [
        name for name in files.names("target-data") if "oracle-output" in name and name.endswith((".csv", ".parquet"))
    ]
    if not names:
        raise InputError(f"{files.place}: target-data holds no oracle-output")
    parts = []
    for name in names:
        content = io.BytesIO(files.read(name))
        parts.append(pd.read_csv(content, dtype=str) if name.endswith(".csv") else pd.read_parquet(content))
    oracle = pd.concat(parts, ignore_index=True)
    if missing := [name for name in (_VALUE, "target_end_date") if name not in oracle]:
        raise InputError(str(SourceError(names[0], _("the column is missing"), row=1, column=missing[0])))
    if "output_type" in oracle:  # of categories and distributions the oracle says something else
        oracle = oracle[
            oracle["output_type"].isin(["quantile", "median", "sample", "mean"]) | oracle["output_type"].isna()
        ]
    units = [name for name in hub.rounds[0].columns if name in oracle.columns and name != "target_end_date"]
    named = oracle.assign(series_id=unit_name(oracle, units), value=pd.to_numeric(oracle[_VALUE], errors="coerce"))
    named = named.assign(target_end_date=pd.to_datetime(named["target_end_date"]))
    key = ["series_id", "target_end_date"]
    values = named.dropna(subset=["value"]).drop_duplicates(key, keep="last").set_index(key)["value"]
    return outcomes_at(keys, values)


def combine_hub(place: str) -> dict[str, bytes]:
    """The hub's ensembles as submissions, for every round in which two designated models took part.

    What an ensemble has said of a round stays as it was; it is left out here.

    Returns:
        Files by path, metadata among them.

    Raises:
        InputError: There is no readable hub.
        StoreError: A file cannot be read.
    """
    files = HubFiles(place)
    hub = hub_of(files)
    rows = [part for part in _rows(files, hub) if len(part)]
    about = {Path(path).stem: read_metadata(hub, path, files.read(path))[0] for path in files.names(METADATA)}
    members = [name for name, words in about.items() if words and words.get("designated_model")]
    if not rows:
        return {}
    table = as_quantiles(pd.concat(rows, ignore_index=True))[0]
    made = combine(table, _outcomes(files, hub, table.keys), members)
    out: dict[str, bytes] = {}
    for (model_id, origin), part in made.keys.groupby(["model_id", "origin_date"]):
        path = f"{hub.output_folder}/{model_id}/{origin:%Y-%m-%d}-{model_id}.parquet"
        if files.find(path) is None:
            own = QuantileTable(part.reset_index(drop=True), made.quantiles[part.index])
            named = to_rows(own).assign(target=lambda frame: frame["series_id"].str.split(".").str[0])
            out[path] = parquet_bytes(tidy(named))
            out[f"{METADATA}/{model_id}.yml"] = ensemble_metadata(str(model_id))
    for path, content in out.items():
        if path.startswith(hub.output_folder) and (faults := read_submission(hub, path, content)[1]):
            raise InputError(f"not written: {faults[0]}")
    return out


def serve(
    settings: HubSettings, home: Path, made: ForecastSet, nowcasts: pd.DataFrame, data: RealTimeData
) -> tuple[ForecastSet, dict[str, Any] | None, list[dict[str, str]]]:
    """Forecasts as they are served; where the hub cannot be read, Vigie's own are, and the night says why.

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
    """A combination from the newest origin of series that another team forecasts in time, every month of the year."""
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
