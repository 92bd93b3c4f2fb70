"""What the peers share: reading a hub's own target data, writing a submission and its metadata. Nothing of Vigie.

python benchmarks/peers/auto_arima.py HUB 2024-11-30 2024-12-31
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray
from scipy.special import ndtri

LEVELS = np.asarray([0.01, 0.025, *(round(0.05 * step, 2) for step in range(1, 20)), 0.975, 0.99])
DESIGNATED = {"ets_theta", "lightgbm"}
"""A team may put two models into the ensemble."""
FEWEST = 36
COLUMNS = ["origin_date", "target", "series_id", "horizon", "target_end_date", "output_type", "output_type_id", "value"]


@dataclass(frozen=True)
class Rhythm:
    """How series of one frequency, the last letter of their names, are forecast.

    Attributes:
        alias: pandas' word for it.
        horizon: The farthest period ahead.
        season: Periods in a year.
        open_days: A round closes so long after its origin: what was known then may be used.
        behind: Periods by which the newest figure may lie before the origin: asylum figures come late.
    """

    alias: str
    horizon: int
    season: int
    open_days: int
    behind: int


RHYTHMS = {"M": Rhythm("ME", 12, 12, 31, 3), "Q": Rhythm("QE", 4, 4, 31, 1), "W": Rhythm("W-SUN", 8, 52, 6, 0)}


@dataclass(frozen=True)
class Known:
    """Series of one frequency whose newest figures are of the same period.

    Attributes:
        logs: log1p values by period, of each series.
        horizon: The farthest period ahead of the newest figure.
        season: Periods in a year.
        alias: pandas' word for the frequency.
    """

    logs: dict[str, pd.Series[float]]
    horizon: int
    season: int
    alias: str

    @property
    def short_season(self) -> int:
        """The same for models of few seasons: they leave the 52 weeks of a year alone."""
        return self.season if self.season <= 12 else 1


Forecast = Callable[[Known], dict[str, NDArray[np.float64]]]
"""To quantiles on log1p scale of each series, shape ``(horizon, 23)``."""


def known_at(hub: Path, origin: pd.Timestamp) -> list[tuple[str, int, Known]]:
    """What was known when a round closed: by frequency, and by how many periods the newest figure lay before it."""
    rows = pd.read_csv(hub / "target-data" / "time-series.csv")
    rows = rows.assign(**{name: pd.to_datetime(rows[name]) for name in ("target_end_date", "as_of")})
    out = []
    for freq, rhythm in RHYTHMS.items():
        if not pd.date_range(origin, origin, freq=rhythm.alias).size or (freq == "W" and origin.is_month_end):
            continue  # a Sunday that ends a month is that month's round
        own = rows[rows["series_id"].str.endswith(f".{freq}") & (rows["target_end_date"] <= origin)]
        own = own[own["as_of"] <= origin + pd.Timedelta(days=rhythm.open_days)].sort_values("as_of")
        newest = own.drop_duplicates(["series_id", "target_end_date"], keep="last").dropna(subset=["observation"])
        groups: dict[int, dict[str, pd.Series[float]]] = {}
        for series_id, found in newest.groupby("series_id"):
            values = np.log1p(found.sort_values("target_end_date").set_index("target_end_date")["observation"])
            behind = len(pd.date_range(values.index.max(), origin, freq=rhythm.alias)) - 1
            if behind <= rhythm.behind and len(values) >= FEWEST:
                groups.setdefault(behind, {})[str(series_id)] = values.asfreq(rhythm.alias).interpolate()
        for behind, logs in groups.items():
            out.append((freq, behind, Known(logs, rhythm.horizon + behind, rhythm.season, rhythm.alias)))
    return out


def normal(mean: NDArray[np.float64], spread: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quantiles of normal distributions, one row each."""
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
        for freq, behind, known in known_at(hub, origin):
            ends = pd.date_range(origin, periods=RHYTHMS[freq].horizon + 1, freq=known.alias)[1:]
            for series_id, logs in forecast(known).items():
                values = np.sort(np.clip(np.expm1(logs[behind:]), 0, 1e7), axis=1).round(1)
                for step, end in enumerate(ends, 1):
                    task = (origin.date(), series_id.split(".")[0], series_id, step, end.date(), "quantile")
                    rows += [(*task, *pair) for pair in zip(LEVELS, values[step - 1], strict=True)]
        pd.DataFrame(rows, columns=COLUMNS).to_parquet(folder / f"{round_id}-{model_id}.parquet", index=False)
