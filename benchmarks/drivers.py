"""Do drivers help the pooled model? ``python -m benchmarks.drivers``, once a year; releases publish what it found.

Frontex's seven dense routes and their largest nationalities (from the workbook under VIGIE_RAW_DATA) against the
indicators of the bundled snapshot, by the test of :mod:`benchmarks.placebo`. Only ratios of scores are
kept: no figure of any source can be read back from them.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import placebo
from benchmarks.placebo import Driver, World, same_for_all, spread_over_world
from benchmarks.routes import ORIGINS, dense_parts, dense_routes, fingerprint
from benchmarks.shared import published_files
from core import FloatArray
from core.log import progress_bar
from core.release import DRIVER_TESTS
from core.schema import check
from core.settings import SNAPSHOT
from forecasting.models import POOLED_MODELS
from forecasting.panel import Panel
from ingest import snapshot
from ingest.snapshot import DRIVER_PROVENANCE, DRIVER_TABLE
from ingest.sources import frontex

HORIZONS = (1, 3, 6)
LARGEST_PARTS = 60


def world_of(parts: Panel) -> World:
    """The routes and the parts that were largest at the first origin."""
    known = parts.matrix.iloc[:-ORIGINS]
    names = known.sum().sort_values(ascending=False, kind="stable").index[:LARGEST_PARTS]
    return World(dense_routes(parts), parts.select(sorted(names)), parts)


def known_at_origins(observations: pd.DataFrame, target: str, place: str = "geo") -> pd.DataFrame:
    """Periods × places of one indicator, each figure in the month at whose forecast it was first known.

    A forecast from a month's end is made when that month's detections are published; a figure counts as known then if
    its source usually has it out by that day. Figures are the newest known: few sources keep their former ones.
    ``place`` is ``geo`` for countries, ``route_id`` for routes, and for a figure of the whole world either.
    """
    rows = observations[(observations["target"] == target) & (observations["freq"] == "M")]
    newest = rows.sort_values("as_of").drop_duplicates(["series_id", "time_period"], keep="last")
    periods = pd.PeriodIndex(newest["time_period"].astype(str), freq="M")
    late = (pd.DatetimeIndex(newest["as_of"]) - periods.end_time.normalize()).days[newest["as_of_estimated"]]
    months = max(0, int(np.ceil((float(np.median(late)) - frontex.LAG_DAYS) / 30)))
    places = newest[place].astype(str).to_numpy()
    wide = newest.assign(period=periods, place=places).pivot_table("obs_value", "period", "place", "mean")
    return wide.set_axis(wide.index + months, axis=0)


def drivers_of(observations: pd.DataFrame, world: World) -> list[Driver]:
    """Every driver that the snapshot's indicators and the panel itself allow."""

    def country(target: str) -> FloatArray:
        # Months that a source skips between its first and last figure had none: it lists what happened.
        return spread_over_world(known_at_origins(observations, target).fillna(0.0).transform(np.log1p), world)

    def worldwide(target: str) -> FloatArray:
        return same_for_all(known_at_origins(observations, target).iloc[:, 0].transform(np.log1p), world)

    deaths = known_at_origins(observations, "deaths_and_disappearances", "route_id").transform(np.log1p)
    el_nino = known_at_origins(observations, "oceanic_nino_index").iloc[:, 0]
    logs = world.totals.matrix.transform(np.log1p)
    others = logs.rsub(logs.sum(axis=1), axis=0) / (len(logs.columns) - 1)
    return [
        Driver("conflict_deaths", (country("conflict_deaths"),)),
        Driver("new_displacement", (country("new_displacement"),)),
        Driver("exchange_rates", (worldwide("exchange_rate_try"), worldwide("exchange_rate_usd"))),
        Driver("food_prices", (worldwide("food_price_index"), worldwide("food_price_index_cereals"))),
        Driver("oil_price", (worldwide("commodity_price_crude_oil"),)),
        Driver("el_nino", (same_for_all(el_nino, world),)),
        Driver("deaths_at_sea", (on_routes(deaths, world),)),
        Driver("other_routes", (on_routes(others, world),)),
    ]


def on_routes(by_route: pd.DataFrame, world: World) -> FloatArray:
    """A figure of a route for the route and all its parts: periods × series."""
    routes = [*world.totals.series_ids, *world.parts.groups.loc[world.parts.series_ids, "route_id"]]
    return by_route.reindex(index=world.totals.periods, columns=routes).to_numpy(float)


def write_driver_tests(found: pd.DataFrame, about: Mapping[str, object], data_folder: Path) -> None:
    """Keep a test of drivers, a frame of ``DRIVER_TESTS``, beside the snapshot, and where it comes from."""
    content = check(found, DRIVER_TESTS).to_csv(index=False, float_format="%.4f", lineterminator="\n").encode()
    (data_folder / DRIVER_TABLE).write_bytes(content)
    facts = {**about, "sha256": hashlib.sha256(content).hexdigest()}
    lines = [f'{name} = "{value}"\n' for name, value in facts.items()]
    (data_folder / DRIVER_PROVENANCE).write_text("".join(lines), encoding="utf-8")


def main() -> None:
    """Test each driver on all routes and on their parts; write the table that releases publish."""
    parts = dense_parts(published_files())
    world = world_of(parts)
    drivers = drivers_of(snapshot.load(SNAPSHOT), world)
    with progress_bar() as report:
        found = placebo.test_drivers(world, drivers, origins=ORIGINS, horizons=HORIZONS, progress=report)
    about: dict[str, object] = {
        "command": "python -m benchmarks.drivers",
        "made_on": dt.datetime.now(dt.UTC).date().isoformat(),
        "panel": f"{len(world.totals.series_ids)} dense Frontex routes and their {LARGEST_PARTS} largest nationalities",
        "first_origin": str(world.totals.periods[-1 - ORIGINS]),
        "last_origin": str(world.totals.periods[-2]),
        "panel_hash": fingerprint(parts),
        "snapshot": snapshot.fingerprint(SNAPSHOT),
        "model": f"{placebo.MODEL_ID} {POOLED_MODELS[placebo.MODEL_ID].version}",
        "shift_months": placebo.SHIFT,
    }
    write_driver_tests(found, about, SNAPSHOT)


if __name__ == "__main__":
    main()
