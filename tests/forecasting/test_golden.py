"""Compare quantiles of a miniature world with a golden file: ensemble, spread, pooled, summed and reconciled forecasts.

The world is `golden_world.csv`: two routes of two and three nationalities, one of which counts a few persons. Members'
forecasts are formulas, so that all takes a second and only the engine's own rules decide the numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecasting import ENSEMBLE, LEVELS, NORMAL_SCORES
from forecasting import pooled as pooled_run
from forecasting.ensemble import combine
from forecasting.models import pooled as pooled_model
from forecasting.panel import Panel, read_panel
from forecasting.pooled import Level, past_origins, run_pooled
from forecasting.quantiles import KEYS, QuantileTable, stack
from forecasting.reconcile import reconcile, sum_of_parts, totals_panel
from tests.golden import check_golden, short

WORLD = Path(__file__).with_name("golden_world.csv")
GOLDEN = Path(__file__).with_name("golden") / "engine.txt"
HORIZONS = (1, 3)
FIRST = 30
MEMBERS = {"vigie-baseline": (0.0, 1.0, 0.35), "vigie-structural": (-0.2, 0.61, 0.45), "vigie-pooled": (0.1, 0.23, 0.5)}
"""By how much a member's median strays (log scale), how fast, and its spread."""
SPREADS = {0: 2.0, 1: 0.4}
"""One series' forecasts are too wide, another's too narrow."""
SHOWN = {"q10": 0.1, "q50": 0.5, "q90": 0.9}
VALUES = ("factor", *SHOWN)
LAST_ORIGINS, SHOWN_ORIGINS = 5, 3
STEP = ["section", "series_id", "origin_date", "horizon"]


def members_of(panel: Panel) -> QuantileTable:
    """Forecasts of every member from the 31st month on: the value at the origin, astray by a wave of its own."""
    logs = np.log1p(panel.matrix.to_numpy())
    tables = []
    for model_id, (height, speed, spread) in MEMBERS.items():
        rows, quantiles = [], []
        for column, name in enumerate(panel.series_ids):
            for place in range(FIRST, len(logs)):
                for horizon in HORIZONS:
                    end = (panel.periods[place] + horizon).end_time.normalize()
                    rows.append((model_id, name, panel.end_dates[place], horizon, end))
                    middle = logs[place, column] + height * np.sin(speed * place + column)
                    whole = spread * SPREADS.get(column, 1.0) * np.sqrt(horizon)
                    quantiles.append(middle + whole * NORMAL_SCORES)
        keys = pd.DataFrame(rows, columns=KEYS).assign(fallback=False, capped=False, history_hash="")
        tables.append(QuantileTable(keys, np.expm1(np.maximum(np.stack(quantiles), 0.0))))
    return stack(tables)


def answers() -> Iterator[tuple[str, QuantileTable]]:
    """What the engine makes of the world, section by section."""
    parts = read_panel(WORLD)
    totals = totals_panel(parts, "route_id")
    below, above = (combine(members_of(panel), panel).forecasts for panel in (parts, totals))
    yield "ensemble of parts", below
    yield "ensemble of totals", above
    pooled = members_of(parts).of_model("vigie-pooled")
    yield "sum of parts", sum_of_parts(pooled, parts, "route_id", parts.end_dates[-LAST_ORIGINS:])
    newest = [table.where(table.keys["origin_date"] >= parts.end_dates[-LAST_ORIGINS]) for table in (below, above)]
    yield "reconciled", reconcile(newest[0], newest[1], parts, "route_id", past=below)
    alone = [table.where(table.keys["horizon"] == 1) for table in newest]
    yield "reconciled without a past", reconcile(alone[0], alone[1], parts, "route_id", past=below.of_model("none"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pooled_run, "FEWEST_ROWS", 100)
        patch.setattr(pooled_model, "TREES", 8)
        patch.setattr(pooled_model, "FAR_TREES", 4)
        patch.setattr(pooled_model, "COUNT_TREES", 8)
        levels = [Level(one, past_origins(one, origins=3, step=1), kind) for kind, one in enumerate((parts, totals))]
        for table in run_pooled("vigie-pooled", levels, horizons=(1, 8), workers=1):
            yield "pooled", table


def as_frame() -> pd.DataFrame:
    """The newest origins of every section, with three quantiles and the factor of the spread."""
    frames = []
    for section, table in answers():
        shown = {name: table.quantiles[:, int(np.argmin(np.abs(LEVELS - level)))] for name, level in SHOWN.items()}
        factor = table.keys.get("spread_factor", pd.Series(np.nan, table.keys.index))
        frame = table.keys[["series_id", "origin_date", "horizon"]].assign(section=section, factor=factor, **shown)
        frames.append(frame[frame["origin_date"].isin(np.sort(frame["origin_date"].unique())[-LAST_ORIGINS:])])
    whole = pd.concat(frames, ignore_index=True)
    return whole.assign(origin_date=whole["origin_date"].astype(str)).sort_values(STEP, ignore_index=True)


@pytest.fixture(scope="module")
def made() -> pd.DataFrame:
    return as_frame()


def test_quantiles_of_engine_are_golden(made: pd.DataFrame) -> None:
    shown = made[made["origin_date"].isin(np.sort(made["origin_date"].unique())[-SHOWN_ORIGINS:])]
    lines = []
    for section, rows in shown.groupby("section"):
        lines += [f"{section}: {', '.join(VALUES)}"]
        lines += [
            f"  {row['series_id']} {row['origin_date']} +{row['horizon']}: {short([row[name] for name in VALUES])}"
            for row in rows.to_dict("records")
        ]
    check_golden(GOLDEN, lines)


def test_golden_world_moves_every_rule(made: pd.DataFrame) -> None:
    """Else a rule could change unseen: spreads are scaled, and the reconciled differ with their past."""
    factors = made.loc[made["section"] == "ensemble of parts", "factor"]
    assert factors.min() < 0.95
    place = ["series_id", "origin_date", "horizon"]
    alone, learned, free = (
        made[made["section"] == name].set_index(place)["q90"]
        for name in ("reconciled without a past", "reconciled", "ensemble of parts")
    )
    assert not np.allclose(alone, learned.reindex(alone.index), rtol=1e-3)
    assert not np.allclose(learned, free.reindex(learned.index), rtol=1e-3)
    assert ENSEMBLE == "vigie-ensemble"
