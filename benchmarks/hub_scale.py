"""A large hub: many teams' files validated, collected and scored. What it takes is printed.

python -m benchmarks.hub_scale [TEAMS] [ROUNDS]
"""

from __future__ import annotations

import datetime as dt
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
import yaml

from core.quantiles import QUANTILE_LEVELS
from core.release import FORECASTS
from core.routes import ARRIVAL_ROUTES
from core.schema import ALL, make_series_id
from forecasting.quantiles import QuantileTable, to_rows
from hub.outputs import tidy
from hub.targets import config_files
from nightly.hub import collect
from nightly.hub_tables import hub_tables
from store.files import parquet_bytes, write_bytes

SERIES = [make_series_id("arrivals", route_id, ALL, ALL, "M") for route_id in ARRIVAL_ROUTES]
HORIZONS = 12
AS_OF = dt.date(2024, 12, 31)
T = TypeVar("T")


def main() -> None:
    """Make the hub, collect, score, print."""
    teams, rounds = (int(one) for one in (*sys.argv[1:], "100", "52")[:2]) if len(sys.argv) > 2 else (100, 52)
    rng = np.random.default_rng(0)
    ends = pd.date_range("2018-01-31", periods=144, freq="ME")
    values = np.exp(7 + np.cumsum(rng.normal(0, 0.2, (len(ends), len(SERIES))), axis=0)).round()
    origins = pd.date_range(end=AS_OF, periods=rounds, freq="ME")
    with tempfile.TemporaryDirectory() as folder:
        place, home = Path(folder) / "hub", Path(folder) / "home"
        for path, content in config_files(SERIES, dt.date(2023, 2, 1), "A large hub").items():
            write_bytes(place / path, content)
        for team in range(teams):
            name = "vigie-baseline" if team == 0 else f"t{team}-model"
            _write(place, name, origins, ends, values, rng)
        read, reading = _seconds(lambda: sum(len(pd.read_parquet(one)) for one in place.rglob("*-*-*-*.parquet")))
        found, collecting = _seconds(lambda: collect(str(place), home, AS_OF))
        wide = pd.DataFrame(values, index=ends, columns=SERIES).rename_axis("target_end_date").reset_index()
        counts = wide.melt("target_end_date", var_name="series_id").assign(as_of=np.datetime64("NaT", "ns"))
        tables, scoring = _seconds(lambda: hub_tables(FORECASTS.empty(), counts, home, AS_OF))
    if found.refused:
        raise SystemExit(str(next(iter(found.refused.values()))[0]))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    lines = [
        f"{teams} teams x {rounds} rounds x {len(SERIES)} series x {HORIZONS} horizons, {memory:.1f} GB at most",
        f"read by pandas alone: {read:,} rows in {reading}",
        f"validated and collected: {len(found.added):,} files in {collecting}",
        f"scored and combined: {len(tables['hub_scores']):,} lines in {scoring}",
    ]
    print("\n".join(lines))  # noqa: T201  # a command that prints


def _seconds(work: Callable[[], T]) -> tuple[T, str]:
    """What a piece of work gives, and what it took."""
    wall, processor = time.monotonic(), time.process_time()
    done = work()
    return done, f"{time.monotonic() - wall:.1f} s ({time.process_time() - processor:.1f} s of processor time)"


def _write(  # the world and the model
    place: Path,
    model_id: str,
    origins: pd.DatetimeIndex,
    ends: pd.DatetimeIndex,
    values: np.ndarray,
    rng: np.random.Generator,
) -> None:
    team, model = model_id.split("-")
    about = {
        "team_name": team, "team_abbr": team, "model_name": model, "model_abbr": model,
        "model_contributors": [{"name": team, "affiliation": team}], "license": "CC0-1.0", "designated_model": True,
        "data_inputs": "none", "methods": "drawn by chance", "methods_long": "drawn by chance",
        "ensemble_of_models": False, "ensemble_of_hub_models": False,
    }  # fmt: skip
    write_bytes(place / "model-metadata" / f"{model_id}.yml", yaml.safe_dump(about).encode())
    scores = np.linspace(-2.3, 2.3, len(QUANTILE_LEVELS)) * rng.uniform(0.1, 0.6)
    steps = np.arange(1, HORIZONS + 1)
    for origin in origins:
        at = values[ends.get_loc(origin)]
        keys = pd.DataFrame(
            {
                "model_id": model_id,
                "series_id": np.repeat(SERIES, HORIZONS),
                "origin_date": origin,
                "horizon": np.tile(steps, len(SERIES)),
                "target_end_date": np.tile([origin + pd.offsets.MonthEnd(int(step)) for step in steps], len(SERIES)),
                "target": "arrivals",
            }
        )
        centre = np.log(np.repeat(at, HORIZONS)) + rng.normal(0, 0.1, len(keys))
        rows = tidy(to_rows(QuantileTable(keys, np.exp(centre[:, None] + scores).round(1))))
        name = f"{origin:%Y-%m-%d}-{model_id}"
        write_bytes(place / "model-output" / model_id / f"{name}.parquet", parquet_bytes(rows))


if __name__ == "__main__":
    main()
