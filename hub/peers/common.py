"""What the peers share: reading a hub's own target data, writing a submission and its metadata. Nothing of Vigie.

python hub/peers/auto_arima.py HUB 2024-11-30 2024-12-31
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray
from scipy.special import ndtri

LEVELS = np.asarray([0.01, 0.025, *(round(0.05 * step, 2) for step in range(1, 20)), 0.975, 0.99])
HORIZON = 12
OPEN_DAYS = 31
"""A round closes so long after its origin: what was known then may be used."""
DESIGNATED = {"ets_theta", "lightgbm"}
"""A team may put two models into the ensemble."""
FEWEST = 36
COLUMNS = ["origin_date", "target", "series_id", "horizon", "target_end_date", "output_type", "output_type_id", "value"]

Forecast = Callable[[dict[str, "pd.Series[float]"]], dict[str, NDArray[np.float64]]]
"""From log1p values by month of each series to quantiles on the same scale, shape ``(12, 23)``."""


def known_at(hub: Path, origin: pd.Timestamp) -> dict[str, pd.Series[float]]:
    """log1p of every monthly series as it was known when a round closed; series without the origin's month left out."""
    rows = pd.read_parquet(hub / "target-data" / "time-series.parquet")
    rows = rows.assign(**{name: pd.to_datetime(rows[name]) for name in ("target_end_date", "as_of")})
    rows = rows[(rows["as_of"] <= origin + pd.Timedelta(days=OPEN_DAYS)) & (rows["target_end_date"] <= origin)]
    rows = rows[rows["series_id"].str.endswith(".M")].sort_values("as_of")
    newest = rows.drop_duplicates(["series_id", "target_end_date"], keep="last").dropna(subset=["observation"])
    out = {}
    for series_id, own in newest.groupby("series_id"):
        values = np.log1p(own.sort_values("target_end_date").set_index("target_end_date")["observation"])
        if values.index.max() == origin and len(values) >= FEWEST:
            out[str(series_id)] = values.asfreq("ME").interpolate()
    return out


def normal(mean: NDArray[np.float64], spread: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quantiles of normal distributions, shape ``(12, 23)``."""
    return np.asarray(mean[:, None] + np.maximum(spread, 1e-6)[:, None] * ndtri(LEVELS))


def main(model_id: str, name: str, method: str, forecast: Forecast) -> None:
    """Forecast the rounds named on the command line and write them into the hub."""
    hub, rounds = Path(sys.argv[1]), sys.argv[2:]
    team, model = model_id.split("-")
    about = {
        "team_name": "Peers of Vigie", "team_abbr": team, "model_name": name, "model_abbr": model,
        "model_contributors": [{"name": "Vigie", "affiliation": "Vigie"}], "license": "CC0-1.0",
        "designated_model": model in DESIGNATED, "data_inputs": "The target data of this hub.", "methods": method[:200],
        "methods_long": method, "ensemble_of_models": False, "ensemble_of_hub_models": False,
    }  # fmt: skip
    (hub / "model-metadata").mkdir(exist_ok=True)
    (hub / "model-metadata" / f"{model_id}.yml").write_text(yaml.safe_dump(about, sort_keys=False), encoding="utf-8")
    folder = hub / "model-output" / model_id
    folder.mkdir(parents=True, exist_ok=True)
    for round_id in rounds:
        origin, rows = pd.Timestamp(round_id), []
        for series_id, logs in forecast(known_at(hub, origin)).items():
            values = np.sort(np.clip(np.expm1(logs), 0, 1e7), axis=1).round(1)
            for step in range(HORIZON):
                end = (origin + pd.offsets.MonthEnd(step + 1)).date()
                task = (origin.date(), series_id.split(".")[0], series_id, step + 1, end, "quantile")
                rows += [(*task, *pair) for pair in zip(LEVELS, values[step], strict=True)]
        pd.DataFrame(rows, columns=COLUMNS).to_parquet(folder / f"{round_id}-{model_id}.parquet", index=False)
