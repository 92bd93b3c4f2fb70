"""A cluster gives the numbers of one machine, and says plainly what it lacks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from cli.__main__ import app
from core.errors import InputError
from forecasting import distributed
from forecasting.distributed import FugueCluster, workers_of
from forecasting.panel import Panel, read_panel
from tests.servers import wait_until

from .frames import run_backtest

ENGINES = Path(sys.prefix) / "engines"
INSTALLING = 3600
"""Seconds that a test waits for the engines, which `make test` installs beside the first tests."""
SHORT_LIVED = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""Options of a Java that runs for seconds: what it compiles for speed takes longer than it saves."""
MODELS = "snaive,pooled,baseline"
BACKTEST = """
import sys
from pathlib import Path
from forecasting import distributed
from tests.forecasting.frames import run_backtest

engine, panel, out, models = sys.argv[1:]
distributed._cores = lambda: 1  # each further worker loads every model too
with distributed.workers_of(engine) as workers:
    run_backtest(Path(panel), origins=1, horizons=[1, 3], models=models, workers=workers).to_parquet(out)
"""


@pytest.fixture(scope="module")
def panel() -> Panel:
    random = np.random.default_rng(5)
    count, months = 6, 60
    season = 0.6 * np.sin(2 * np.pi * np.arange(months) / 12)[:, None]
    walk = 0.2 * random.standard_normal((months, count)).cumsum(axis=0)
    values = np.round(np.exp(random.uniform(1, 6, count) + season + walk))
    values[:40, 0] = np.nan
    calendar = pd.period_range("2018-01", periods=months, freq="M").astype(str)
    rows = pd.DataFrame(values, index=calendar, columns=[f"s{number:02d}" for number in range(count)])
    long = rows.rename_axis("time_period").reset_index().melt("time_period", var_name="series_id").dropna()
    return read_panel(long)


@pytest.fixture(scope="module")
def panel_path(panel: Panel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("panel") / "panel.csv"
    panel.long().to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def local(panel_path: Path) -> pd.DataFrame:
    return run_backtest(panel_path, origins=1, horizons=[1, 3], models=MODELS, workers=1)


@pytest.mark.cluster
@pytest.mark.parametrize("engine", ["dask", "ray", "spark"])
def test_cluster_gives_numbers_of_one_machine(
    engine: str, panel_path: Path, local: pd.DataFrame, tmp_path: Path
) -> None:
    if not ENGINES.exists():
        pytest.skip("the environment with Dask, Ray and Spark is made by `make test`")
    wait_until((ENGINES / "ready").exists, INSTALLING)
    if engine == "spark" and not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        pytest.skip("Spark needs Java, which could not be installed here")
    out = tmp_path / "past.parquet"
    # An engine's packages are compiled by the first process that loads them, else by each of its dozen processes.
    done = subprocess.run(
        [ENGINES / "bin" / "python", "-c", BACKTEST, engine, panel_path, out, MODELS],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "", "JAVA_TOOL_OPTIONS": SHORT_LIVED},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    pd.testing.assert_frame_equal(pd.read_parquet(out), local, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("engine", ["dask", "ray", "spark"])
@pytest.mark.parametrize("command", ["backtest", "forecast"])
def test_missing_engine_names_its_pinned_file(
    engine: str, command: str, panel_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("dask", "ray", "pyspark"):
        monkeypatch.setitem(sys.modules, package, None)
    out = tmp_path / "out.parquet"
    done = CliRunner().invoke(app, [command, "--panel", str(panel_path), "--out", str(out), "--engine", engine])
    assert isinstance(done.exception, InputError)
    assert f"-r requirements/{engine}.txt" in str(done.exception)
    assert (Path(__file__).parents[2] / f"requirements/{engine}.txt").is_file()
    assert not out.exists()


def test_unknown_engine_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(InputError, match="local, dask, ray, spark"), workers_of("abacus"):
        pass


def test_engine_that_does_not_start_is_named_with_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> FugueCluster:
        raise TimeoutError("nobody answers at tcp://10.0.0.1:8786")

    monkeypatch.setitem(distributed._ENGINES, "dask", broken)
    with pytest.raises(InputError, match="--engine dask did not start: TimeoutError: nobody answers"):
        workers_of("dask").__enter__()


class Waves:
    """Fugue's ``transform`` on this process, noting how many tasks came together."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sizes: list[int] = []
        monkeypatch.setattr("fugue.api.transform", self.transform)

    def transform(
        self, rows: pd.DataFrame, function: Callable[[pd.DataFrame], pd.DataFrame], **_: object
    ) -> pd.DataFrame:
        self.sizes.append(len(rows))
        return function(rows).iloc[::-1]


def _refuse(_: object) -> int:
    raise InputError("this series cannot be read")


def _divide(number: int) -> float:
    return 1 / number


def test_what_worker_refuses_reaches_person_in_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    Waves(monkeypatch)
    with pytest.raises(InputError, match=r"^this series cannot be read$"):
        list(FugueCluster("spark", None, 1).run(_refuse, enumerate([1, 2])))


def test_workers_that_fail_are_named_by_their_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    Waves(monkeypatch)
    with pytest.raises(InputError, match="--engine spark failed: ZeroDivisionError"):
        list(FugueCluster("spark", None, 1).run(_divide, enumerate([1, 0])))
