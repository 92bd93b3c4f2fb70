"""A home folder in which one night was run on the bundled figures, small enough to be made for a test run."""

from __future__ import annotations

import copy
import datetime as dt
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

AS_OF = dt.date(2025, 1, 31)
OF_FORECASTS = {
    "forecasts", "trajectories", "year_ahead", "nowcasts", "backtest", "replays", "figures_then", "scores",
    "total_scores", "calibration", "situation_scores", "driver_tests",
}  # fmt: skip
"""What ``nightly.tables.forecast_tables`` makes."""


@contextmanager
def without_forecasting(made: Path, *but: str) -> Iterator[None]:
    """Nights take forecasts, scores, alerts and texts of a home's newest release instead of making their own.

    Args:
        made: The home folder.
        but: Steps of ``nightly.night`` that do their own work all the same.
    """
    from core.release import NOWCASTS, RELEASE, YEAR_AHEAD  # noqa: PLC0415  # see first_night: what forecasts is imported late
    from forecasting.pool import Pool  # noqa: PLC0415  # as above
    from nightly.asylum import Asylum  # noqa: PLC0415  # as above
    from nightly.forecasts import ForecastSet  # noqa: PLC0415  # as above
    from store.releases import ReleaseStore  # noqa: PLC0415  # as above

    former = ReleaseStore(made).current()
    assert former is not None
    tables = {name: former.read(name) for name in former.names}
    texts = {name: former.document(name) for name in former.manifest["files"] if name.endswith((".md", "sources.json"))}
    nothing = pd.DataFrame({"model_id": []})
    borrowed: dict[str, object] = {
        "make_forecasts": ForecastSet(nothing, nothing, nothing, 0), "make_nowcasts": NOWCASTS.empty(),
        "forecast_tables": ({name: table for name, table in tables.items() if name in OF_FORECASTS}, None),
        "data_tables": {name: table for name, table in tables.items() if name not in OF_FORECASTS}, "make_weeks": {},
        "attribute": RELEASE["attribution"].empty(), "run_alerts": {}, "errors_by_group": tables["group_errors"],
        "forecast_asylum": Asylum({}, pd.DataFrame(), YEAR_AHEAD.empty(), []),
        "forecast_reception": SimpleNamespace(tables={}), "hub_of_night": ({}, []), "documents": texts,
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        for step, answer in borrowed.items():
            if step not in but:
                patch.setattr(f"nightly.night.{step}", partial(_answered, answer))
        patch.setattr("nightly.night.Pool", partial(Pool, 0))  # processes would load every model for little
        yield


def _answered(answer: object, *_: object, **__: object) -> object:
    return copy.copy(answer)


@pytest.fixture
def home(first_night: Path, tmp_path: Path) -> Path:
    """A copy of that home folder to change at will."""
    return Path(shutil.copytree(first_night, tmp_path / "home"))
