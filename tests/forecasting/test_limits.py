"""Test that work in processes gives the numbers of one process, and that a bad fit costs its own answer only."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import structlog.testing

from forecasting import pool as pools
from forecasting.models import MODELS
from forecasting.pool import Limits, Pool
from forecasting.workers import MOST_CUT_OFFS, Fit, run_fits, run_tasks
from tests.servers import wait_until

from . import stuck_models

SHORT = Limits(seconds=2.0, megabytes=512)
DIED = "cut off: its process died, perhaps for want of memory"
PROJECT = str(Path(__file__).parents[2])
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems do not list what a process started")


@pytest.fixture(autouse=True)
def misbehaving_models() -> Iterator[None]:
    stuck_models.register()
    yield
    for model_id in stuck_models.STUCK:
        del MODELS[model_id]


def fits_of(*models: str) -> list[Fit]:
    values = np.random.default_rng(1).poisson(200, 60).astype(float)
    period = pd.Period("2024-12", "M")
    return [Fit(f"vigie-{model}", f"series {place}", period, values, 12) for place, model in enumerate(models)]


def is_running(pid: int) -> bool:
    """Return False for a process that has ended, whether its exit code was read or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@on_linux
def test_processes_give_numbers_of_one_and_end_with_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    fits = fits_of(*["snaive", "seasonal-walk", "baseline"] * 4)
    here = run_fits(fits, 3, workers=1)
    done: list[tuple[int, int]] = []
    with Pool(2) as pool:
        assert pool.pids == []
        there = run_fits(fits, 3, workers=pool, progress=lambda *step: done.append(step))
        pids = pool.pids
        answers = run_tasks(stuck_models.about_process, range(5), workers=pool, is_small=True)
        assert pool.pids == pids
    assert [one.quantiles.tolist() for one in there] == [one.quantiles.tolist() for one in here]
    assert done == [(place, 12) for place in range(1, 13)]
    assert {pid for pid, _, _ in answers} <= set(pids)
    assert {(*threads, ignores_interrupt) for _, threads, ignores_interrupt in answers} == {(1, True)}
    assert not any(map(is_running, pids))


@pytest.mark.usefixtures("forked")
def test_bad_fit_in_process_costs_its_own_answer_only() -> None:
    models = ["baseline", "sleeps", "snaive", "dies", "eats", "snaive", "sleeps", "baseline"]
    with Pool(2, SHORT) as pool:
        answers = run_fits(fits_of(*models), 3, workers=pool)
    assert [answer.reason for answer in answers] == [
        "", "cut off after 2 s", "", DIED, "cut off: it needs more memory than is allowed", "", "cut off after 2 s", "",
    ]  # fmt: skip
    good = run_fits(fits_of(*["snaive" if model == "snaive" else "baseline" for model in models]), 3)
    assert [one.quantiles.tolist() for one in answers] == [one.quantiles.tolist() for one in good]


@pytest.mark.usefixtures("forked")
def test_round_that_waits_for_process_keeps_its_time() -> None:
    with Pool(1) as pool, ThreadPoolExecutor() as threads:
        pool.start()
        rounds = [threads.submit(lambda: [*pool.run(time.sleep, [("round", 0.6)], 1.8)]) for _ in range(4)]
        assert [answer for found in rounds for answer in found.result()] == [("round", None)] * 4


@pytest.mark.usefixtures("forked")
def test_process_outlives_thread_that_started_it() -> None:
    with Pool(1, SHORT) as pool:
        with ThreadPoolExecutor(1) as thread:
            assert thread.submit(list, pool.run(abs, [("first", -1)])).result() == [("first", 1)]
        assert list(pool.run(abs, [("second", -2)])) == [("second", 2)]


@on_linux
@pytest.mark.usefixtures("forked")
def test_tasks_that_hang_are_tried_once_and_end_with_what_they_started(tmp_path: Path) -> None:
    noted = tmp_path / "noted"
    with Pool(2) as pool:
        answers = sorted(pool.run(stuck_models.note_and_hang, [(0, noted), (1, noted)], 5.0))
    assert answers == [(0, "cut off after 5 s"), (1, "cut off after 5 s")]  # long enough to note on a loaded machine
    started = [int(pid) for pid in noted.read_text().splitlines()]
    assert len(started) == 2
    wait_until(lambda: not any(map(is_running, started)))


@pytest.mark.usefixtures("forked")
def test_model_is_given_up_after_its_third_cut_off() -> None:
    with Pool(1, Limits(seconds=1.0)) as pool:
        answers = run_fits(fits_of(*["sleeps"] * (MOST_CUT_OFFS + 2), "snaive"), 3, workers=pool)
    untried = f"cut off untried: {MOST_CUT_OFFS} earlier fits of this model were cut off"
    assert [answer.reason for answer in answers] == ["cut off after 1 s"] * MOST_CUT_OFFS + [untried] * 2 + [""]


@pytest.mark.usefixtures("forked")
def test_error_of_task_is_raised() -> None:
    with pytest.raises(ZeroDivisionError), Pool(2) as pool:
        run_tasks((1).__truediv__, [1, 0], workers=pool)


@pytest.mark.parametrize("fault", ["refused", "ended"])
@pytest.mark.usefixtures("forked")
def test_work_goes_on_here_if_processes_fail_to_start(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("no processes")

    if fault == "refused":
        monkeypatch.setattr(pools, "ProcessPoolExecutor", refuse)
    else:
        monkeypatch.setattr(pools, "_set_up", stuck_models.exit_at_once)
    with structlog.testing.capture_logs() as events, Pool(2) as pool:
        assert run_tasks(stuck_models.end_elsewhere, [os.getpid()] * 3, workers=pool) == [os.getpid()] * 3
    assert [(event["event"], event["log_level"]) for event in events] == [
        ("processes failed, the work goes on without them", "warning")
    ]


def run_script(folder: Path, text: str) -> subprocess.Popen[str]:
    script = folder / "script.py"
    script.write_text(text)
    return subprocess.Popen(
        [sys.executable, script], env=os.environ | {"PYTHONPATH": PROJECT}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_script_without_guard_runs_once(tmp_path: Path) -> None:
    script = run_script(
        tmp_path, "from forecasting.workers import run_tasks\nprint(run_tasks(abs, [-1, -2], workers=2))\n"
    )
    assert (*script.communicate(), script.returncode) == ("[1, 2]\n", "", 0)


@on_linux
def test_processes_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    script = run_script(
        tmp_path,
        "import time\n"
        "from forecasting.pool import Pool\n"
        "pool = Pool(1)\n"
        "print(list(pool.run(abs, [(0, -1)])), *pool.pids, flush=True)\n"
        "list(pool.run(time.sleep, [(0, 600)]))\n",
    )
    assert script.stdout is not None
    pid = int(script.stdout.readline().split()[-1])
    script.kill()
    script.communicate()
    wait_until(lambda: not is_running(pid))
