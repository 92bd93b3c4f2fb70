"""A miniature world: three monthly series whose every number can be derived by hand from a seed."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from forecasting import ensemble, members, reconcile
from forecasting import pooled as pooled_run
from forecasting.models import pooled
from forecasting.panel import Panel, read_panel


def make_rows(series: dict[str, np.ndarray], start: str = "2014-01") -> pd.DataFrame:
    frames = [
        pd.DataFrame(
            {
                "series_id": name,
                "time_period": pd.period_range(start, periods=len(values), freq="M").astype(str),
                "value": values.astype(float),
            }
        )
        for name, values in series.items()
    ]
    return pd.concat(frames, ignore_index=True)


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start processes as copies of this one: in milliseconds, and with its models."""
    context = multiprocessing.get_context("fork")
    monkeypatch.setattr("forecasting.pool.multiprocessing.get_context", lambda _method: context)


@pytest.fixture(scope="session")
def small_panel() -> Panel:
    random = np.random.default_rng(11)
    months = np.arange(84)
    season = 0.6 * np.sin(2 * np.pi * months / 12)
    walks = {
        name: np.round(np.exp(level + season + 0.25 * random.standard_normal(84).cumsum() * share))
        for name, level, share in (("north", 6.0, 0.6), ("south", 4.0, 0.9), ("west", 2.0, 1.0))
    }
    return read_panel(make_rows(walks))


@pytest.fixture(scope="module")
def few_trees() -> Iterator[None]:
    """A quarter of the trees, each learning four times as fast: as good in a quarter of the time; here alone."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("TREES", "FAR_TREES", "COUNT_TREES"):
            patch.setattr(pooled, name, getattr(pooled, name) // 4)
        for kind in ("", "COUNT_"):
            patch.setitem(getattr(pooled, f"{kind}PARAMETERS"), "learning_rate", 0.2)
        yield


@pytest.fixture(scope="module")
def quick_engine() -> Iterator[None]:
    """Few trees and short windows: for tests of who takes part and what is kept, not of skill."""
    with pytest.MonkeyPatch.context() as patch:
        for kind in ("TREES", "FAR_TREES", "COUNT_TREES"):
            patch.setattr(pooled, kind, 5)
        patch.setattr(pooled_run, "FEWEST_ROWS", 200)
        for module in (members, reconcile):
            patch.setattr(module, "MOST_ORIGINS", reconcile.FEWEST_ORIGINS)
        for module in (members, ensemble):
            patch.setattr(module, "WINDOW", 12)
        yield
