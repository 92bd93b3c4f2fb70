"""A large hub, validated, collected and scored: ``python -m benchmarks.hub_scale [TEAMS] [ROUNDS]``."""

from __future__ import annotations

import argparse
import datetime as dt
import resource
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from benchmarks.shared import table, timed
from core import QUANTILE_LEVELS
from core.release import FORECASTS
from core.routes import ARRIVAL_ROUTES
from core.schema import ALL, make_series_id
from forecasting.quantiles import QuantileTable, to_rows
from hub.night import collect, hub_tables
from hub.own import config_files, tidy
from store import parquet_bytes, write_bytes

SERIES = [make_series_id("arrivals", route_id, ALL, ALL, "M") for route_id in ARRIVAL_ROUTES]
HORIZONS = 12
AS_OF = dt.date(2024, 12, 31)


def main(teams: int, rounds: int) -> None:
    """Make the hub, collect, score, print."""
    rng = np.random.default_rng(0)
    ends = pd.date_range("2018-01-31", periods=144, freq="ME", name="target_end_date")
    walks = np.exp(7 + np.cumsum(rng.normal(0, 0.2, (len(ends), len(SERIES))), axis=0)).round()
    values = pd.DataFrame(walks, index=ends, columns=SERIES)
    with tempfile.TemporaryDirectory() as folder:
        place, home = Path(folder) / "hub", Path(folder) / "home"
        for path, content in config_files(SERIES, dt.date(2023, 2, 1), "A large hub").items():
            write_bytes(place / path, content)
        for team in range(teams):
            known = values.loc[pd.date_range(end=AS_OF, periods=rounds, freq="ME")]
            _write(place, f"t{team}-model" if team else "vigie-baseline", known, rng)
        rows, reading = timed(lambda: sum(len(pd.read_parquet(one)) for one in place.rglob("*-*-*-*.parquet")))
        found, collecting = timed(lambda: collect(str(place), home, AS_OF))
        counts = values.reset_index().melt("target_end_date", var_name="series_id")
        counts = counts.assign(as_of=np.datetime64("NaT", "ns"))
        tables, scoring = timed(lambda: hub_tables(FORECASTS.empty(), counts, home, AS_OF))
    if found.refused:
        raise SystemExit(str(next(iter(found.refused.values()))[0]))
    steps = {
        f"pandas alone reads {len(found.added):,} files, {rows:,} rows": reading.clock,
        "validated, kept with their hashes and collected": collecting.clock,
        f"scored and combined: {len(tables['hub_scores']):,} lines": scoring.clock,
        "all of it": reading.clock + collecting.clock + scoring.clock,
    }
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    lines = table("| wall", ((what, f"{seconds:.1f} s") for what, seconds in steps.items()))
    sys.stdout.write("\n".join([*lines, "", f"{memory:.1f} GB at most."]) + "\n")


def _write(place: Path, model_id: str, values: pd.DataFrame, rng: np.random.Generator) -> None:
    """A model's description, and its forecasts from each row of values."""
    team, model = model_id.split("-")
    about = dict.fromkeys(("data_inputs", "methods", "methods_long"), "drawn by chance") | {
        "team_name": team, "team_abbr": team, "model_name": model, "model_abbr": model, "license": "CC0-1.0",
        "model_contributors": [{"name": team, "affiliation": team}], "designated_model": True,
        "ensemble_of_models": False, "ensemble_of_hub_models": False,
    }  # fmt: skip
    write_bytes(place / "model-metadata" / f"{model_id}.yml", yaml.safe_dump(about).encode())
    scores = np.linspace(-2.3, 2.3, len(QUANTILE_LEVELS)) * rng.uniform(0.1, 0.6)
    for origin, now in zip(pd.DatetimeIndex(values.index), values.to_numpy(), strict=True):
        keys = pd.MultiIndex.from_product([SERIES, range(1, HORIZONS + 1)], names=["series_id", "horizon"])
        ends = pd.date_range(origin, periods=HORIZONS + 1, freq="ME")[1:]
        tasks = keys.to_frame(index=False).assign(
            model_id=model_id, origin_date=origin, target_end_date=[*ends] * len(SERIES), target="arrivals"
        )
        centre = np.log(np.repeat(now, HORIZONS)) + rng.normal(0, 0.1, len(tasks))
        rows = tidy(to_rows(QuantileTable(tasks, np.exp(centre[:, None] + scores).round(1))))
        write_bytes(place / "model-output" / model_id / f"{origin:%Y-%m-%d}-{model_id}.parquet", parquet_bytes(rows))


if __name__ == "__main__":
    given = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    given.add_argument("teams", type=int, nargs="?", default=100)
    given.add_argument("rounds", type=int, nargs="?", default=52)
    main(**vars(given.parse_args()))
