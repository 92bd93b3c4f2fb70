"""A home folder in which one night was run on the bundled figures, small enough to be made for a test run."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

from core.settings import Settings, load_settings

AS_OF = dt.date(2025, 1, 31)


@contextmanager
def without_forecasting(made: Path) -> Iterator[None]:
    """Nights take the forecasts, scores and alerts of a home's newest release instead of making their own."""
    from core.release import NOWCASTS, YEAR_AHEAD  # noqa: PLC0415  # see first_night: what forecasts is imported late
    from nightly.asylum import Asylum  # noqa: PLC0415  # as above
    from nightly.forecasts import ForecastSet  # noqa: PLC0415  # as above
    from store.releases import ReleaseStore  # noqa: PLC0415  # as above

    former = ReleaseStore(made).current()
    assert former is not None
    tables = {name: former.read(name) for name in former.names}
    nothing = pd.DataFrame({"model_id": []})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nightly.night.make_forecasts", lambda *_: ForecastSet(nothing, nothing, nothing, nothing, 0))
        patch.setattr("nightly.night.make_nowcasts", lambda *_: NOWCASTS.empty())
        patch.setattr("nightly.night.forecast_tables", lambda *_: dict(tables))
        patch.setattr("nightly.night.data_tables", lambda *_: {})
        patch.setattr("nightly.night.make_weeks", lambda *_: {})
        patch.setattr("nightly.night.run_alerts", lambda *_: {})
        patch.setattr("nightly.night.errors_by_group", lambda *_: tables["group_errors"])
        patch.setattr(
            "nightly.night.forecast_asylum", lambda *_, **__: Asylum({}, pd.DataFrame(), YEAR_AHEAD.empty(), [], 0)
        )
        patch.setattr("nightly.night.hub_of_night", lambda *_: ({}, []))
        yield


@pytest.fixture
def home(first_night: Path, tmp_path: Path) -> Path:
    """A copy of that home folder to change at will."""
    return Path(shutil.copytree(first_night, tmp_path / "home"))


@pytest.fixture
def settings_of() -> Callable[[Path], Settings]:
    return load_settings
