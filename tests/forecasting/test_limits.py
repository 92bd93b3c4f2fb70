from __future__ import annotations

import contextlib
import ctypes
import importlib
import multiprocessing
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from forecasting import limits, workers
from forecasting import pool as pools
from forecasting.limits import MOST_CUT_OFFS, Breaker, CutOff, CutOffError, Limits, time_limit
from forecasting.models import MODELS
from forecasting.pool import SupervisedPool
from forecasting.postprocess import SafeForecast
from forecasting.workers import Fit, run_fits, run_tasks, side_by_side
from tests.servers import LONGEST_SECONDS, wait_until

SHORT = Limits(seconds=3.0, megabytes=512)


@pytest.fixture(autouse=True)
def misbehaving_models(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # Processes find it by this name; `tests` may be another package to them.
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    stuck_models = importlib.import_module("stuck_models")
    monkeypatch.setattr(workers, "run_fit", stuck_models.run_fit_here)
    monkeypatch.setattr(workers, "Limits", lambda: SHORT)
    stuck_models.register()
    yield
    for model_id in stuck_models.STUCK:
        del MODELS[model_id]


def fits_of(*models: str) -> list[Fit]:
    values = np.random.default_rng(1).poisson(200, 60).astype(float)
    period = pd.Period("2024-12", "M")
    return [Fit(f"vigie-{model}", f"series {place}", period, values, 12) for place, model in enumerate(models)]


def quantiles_of(answers: list[SafeForecast]) -> list[list[float]]:
    return [answer.quantiles[0].tolist() for answer in answers]


def test_a_library_that_is_being_loaded_is_loaded_to_its_end_before_its_fit_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slow_to_load.py").write_text("import time\ntime.sleep(0.5)\nWHOLE = True\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(limits, "_AGAIN_SECONDS", 0.05)
    with pytest.raises(CutOffError), time_limit(0.1):
        importlib.import_module("slow_to_load")
        time.sleep(60)
    assert sys.modules.pop("slow_to_load").WHOLE


@pytest.mark.parametrize("stuck", ["sleeps", "loops"])
def test_a_stuck_fit_in_this_process_is_cut_off_and_the_baseline_stands_in(stuck: str) -> None:
    begun = time.monotonic()
    answers = run_fits(fits_of("baseline", stuck, "snaive"), 3, workers=1)
    assert time.monotonic() - begun < 50
    assert [answer.reason for answer in answers] == ["", "cut off after 3 s", ""]
    assert np.array_equal(answers[1].quantiles, answers[0].quantiles)


@pytest.mark.slow
def test_a_model_that_is_always_cut_off_is_given_up_after_some_times() -> None:
    answers = run_fits(fits_of(*["sleeps"] * (MOST_CUT_OFFS + 2), "snaive"), 3, workers=1)
    reasons = [answer.reason for answer in answers]
    assert reasons.count("cut off after 3 s") == MOST_CUT_OFFS
    assert reasons.count(f"cut off untried: {MOST_CUT_OFFS} earlier fits of this model were cut off") == 2
    assert reasons[-1] == ""


@pytest.mark.slow
def test_of_a_pool_only_what_hangs_dies_or_devours_memory_is_lost_and_named() -> None:
    models = ["baseline", "hears_nothing", "snaive", "dies", "baseline", "eats", "sleeps", "snaive", "loops"]
    with SupervisedPool(2, SHORT) as pool:
        answers = run_fits(fits_of(*models), 3, workers=pool)
        again = run_fits(fits_of("baseline", "snaive"), 3, workers=pool)
    reasons = dict(zip(models, (answer.reason for answer in answers), strict=True))
    assert reasons == {
        "baseline": "", "snaive": "",
        "hears_nothing": "cut off after 3 s", "sleeps": "cut off after 3 s", "loops": "cut off after 3 s",
        "dies": "cut off: its process died 2 times, perhaps for want of memory",
        "eats": "cut off: it needs more memory than is allowed",
    }  # fmt: skip
    alone = run_fits(fits_of("baseline", "snaive"), 3, workers=1)
    assert quantiles_of(again) == quantiles_of(alone)


@pytest.mark.slow
def test_tasks_that_a_pool_cuts_off_are_done_here_and_answers_keep_their_order() -> None:
    told = []
    with SupervisedPool(2, SHORT) as pool:
        answers = run_tasks(
            slept_there, [os.getpid(), 0, os.getpid()], workers=pool, progress=lambda *at: told.append(at)
        )
        there = {worker.process.pid for worker in pool.workers}
    assert [answers[0], answers[2]] == [os.getpid()] * 2
    assert answers[1] in there
    assert told == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.slow
def test_calculations_wait_for_no_process_that_does_not_run_yet() -> None:
    calls = [os.getpid, os.getpid]
    with SupervisedPool(2, SHORT) as pool:
        assert side_by_side(calls, pool) == [os.getpid()] * 2
        assert not pool.workers
        pool.start()
        assert os.getpid() not in side_by_side(calls, pool)


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pool's processes begin as copies of this one, in milliseconds: its own begin anew and load for seconds."""
    context = multiprocessing.get_context("fork")
    monkeypatch.setattr("forecasting.pool.multiprocessing.get_context", lambda _method: context)


def answers_of(pool: SupervisedPool, tasks: list[str], batches: list[list[int]]) -> list[object]:
    found: dict[int, object] = {}
    pool.run(behaved, tasks, batches, str, found.update)
    return [found[place] for place in range(len(tasks))]


def behaved(how: str) -> int:
    """The process that this ran in, or that it started; or nothing, for it dies."""
    if how == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "starts another":
        STARTED.append(subprocess.Popen(["sleep", "3600"]))
        return STARTED[0].pid
    time.sleep(0.2 if how == "takes its time" else 0.0)
    return os.getpid()


STARTED: list[subprocess.Popen[bytes]] = []


@pytest.mark.usefixtures("forked")
def test_a_process_that_is_still_at_work_is_left_to_it_while_others_answer() -> None:
    with SupervisedPool(2, SHORT) as pool:
        pool.start()
        there = [worker.process.pid for worker in pool.workers]
        assert answers_of(pool, ["takes its time", "is quick"], [[0], [1]]) == there
        assert [worker.process.pid for worker in pool.workers] == there


@pytest.mark.usefixtures("forked")
def test_a_task_whose_process_dies_twice_is_lost_and_its_neighbours_are_answered() -> None:
    with SupervisedPool(1, SHORT) as pool:
        first, lost, last = answers_of(pool, ["is quick", "dies", "is quick"], [[0, 1, 2]])
        assert len(pool.workers) == 1
    assert lost == CutOff("cut off: its process died 2 times, perhaps for want of memory")
    assert isinstance(first, int)
    assert isinstance(last, int)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a process started")
@pytest.mark.usefixtures("forked")
def test_what_a_process_of_a_pool_started_ends_with_it() -> None:
    with SupervisedPool(1, SHORT) as pool:
        (child,) = answers_of(pool, ["starts another"], [[0]])
        assert isinstance(child, int)
        assert runs(child)
    try:
        wait_until(lambda: not runs(child))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


def slept_there(home: int) -> int:
    """The process that this ran in; anywhere but in ``home`` it first sleeps too long."""
    if home and os.getpid() != home:
        time.sleep(60)
    return os.getpid()


class Quiet:
    """A worker's process and pipe as they look from outside, and the pool that it is in: nothing is started."""

    limits, sentinel, pid = SHORT, 0, None

    def __init__(self, *, batch: list[int], at: int | None, alive: bool = False, others: int = 0) -> None:
        marks: Any = [float(at or 0), 0.0 if at is None else time.monotonic()]
        self._alive, self.done, self.left = alive, list[str](), dict[int, object]()
        self.worker = pools._Worker(cast(Any, self), cast(Any, self), marks, batch)
        self.workers = [self.worker] * (1 + others)
        tasks = [f"task {place}" for place in range(9)]
        self.round = pools._Round(cast(Any, self), str, tasks, lambda _task: "a model", self.left.update)

    def is_alive(self) -> bool:
        return self._alive

    def poll(self) -> bool:
        return False

    def replace(self, _worker: object) -> None:
        self.done.append("replaced")

    def drop(self, _worker: object) -> None:
        self.done.append("dropped")

    def look(self) -> list[list[int]]:
        """What waits after the worker is looked after once more."""
        self.round._poll(self.worker)
        return [list(batch) for batch in self.round._waiting]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_of_a_batch_whose_process_died_the_task_at_hand_is_tried_once_more_alone_and_then_lost(place: int) -> None:
    batch = [4, 5, 6]
    seen, others = Quiet(batch=batch, at=place), [one for one in batch if one != batch[place]]
    assert seen.look() == [others, [batch[place]]]
    assert (seen.done, seen.left) == (["replaced"], {})
    seen.round._waiting.clear()
    assert seen.look() == [others]
    assert seen.left == {batch[place]: CutOff("cut off: its process died 2 times, perhaps for want of memory")}


def test_a_process_that_lives_and_is_in_time_is_left_alone_and_one_that_is_overdue_loses_its_task_alone() -> None:
    seen = Quiet(batch=[4, 5, 6], at=1, alive=True)
    assert (seen.look(), seen.done, seen.left) == ([], [], {})
    seen.worker.marks[1] -= SHORT.seconds + pools._GRACE_SECONDS + 1
    assert (seen.look(), seen.done, list(seen.left)) == ([[4, 6]], ["replaced"], [5])


@pytest.mark.parametrize("others", [0, 1])
def test_a_process_that_dies_before_it_begins_gives_its_batch_back_and_is_replaced_two_times(others: int) -> None:
    seen = Quiet(batch=[4, 5], at=None, others=others)
    for _time in range(2):
        assert seen.look() == [[4, 5]]
        seen.round._waiting.clear()
    assert seen.done == ["replaced"] * 2
    if others:
        assert seen.look() == [[4, 5]]
        assert seen.done == ["replaced", "replaced", "dropped"]
    else:
        with pytest.raises(pools.WorkersFailedError, match="3 processes ended before they began"):
            seen.look()
    assert seen.left == {}


@pytest.mark.parametrize("pid", [None, 7])
def test_a_worker_is_ended_with_what_its_process_started_if_it_ever_ran(
    monkeypatch: pytest.MonkeyPatch, pid: int | None
) -> None:
    ended: list[object] = []
    process = SimpleNamespace(pid=pid, kill=lambda: ended.append("killed"), join=lambda: ended.append("waited for"))
    pipe = SimpleNamespace(close=lambda: ended.append("closed"))
    monkeypatch.setattr(pools, "end_children", ended.append)
    pools._Worker(cast(Any, process), cast(Any, pipe), cast(Any, [0.0, 0.0])).end()
    assert ended == [*([] if pid is None else [pid]), "killed", "waited for", "closed"]


def test_of_a_batch_the_answers_up_to_the_first_task_that_is_cut_off_are_given_with_it() -> None:
    def answer(task: str) -> str:
        if task == "slow":
            time.sleep(60)
        if task == "hungry":
            raise MemoryError
        return task.upper()

    begun: list[int] = []
    assert pools.run_batch(answer, ["a", "b"], 1.0, begun.append) == ["A", "B"]
    assert begun == [0, 1]
    assert pools.run_batch(answer, ["a", "slow", "b"], 1.0) == ["A", CutOff("cut off after 1 s")]
    hungry = CutOff("cut off: it needs more memory than is allowed")
    assert pools.run_batch(answer, ["hungry", "b"], 1.0) == [hungry]


def test_the_tasks_of_a_model_that_was_cut_off_three_times_are_given_up_wherever_they_wait() -> None:
    seen = Quiet(batch=[], at=None)
    seen.round._kind = lambda task: "odd" if int(task.split()[1]) % 2 else "even"
    late = CutOff("cut off after 1 s")
    for place in (1, 3, 5):
        assert seen.round._without_given_up([7, 8]) == [7, 8]
        seen.round._take([place, place + 1], [late])
        assert seen.left.pop(place) == late
        assert list(seen.round._waiting) == [[place + 1]]  # what was not answered waits again
        seen.round._waiting.clear()
    assert seen.left == {}
    assert seen.round._without_given_up([7, 8]) == [8]
    assert seen.left == {7: CutOff("cut off untried: 3 earlier fits of this model were cut off")}


@pytest.mark.parametrize(("waited", "is_overdue"), [(0.0, False), (5.9, False), (6.1, True)])
def test_a_task_is_overdue_five_seconds_after_it_should_have_ended_by_itself(
    monkeypatch: pytest.MonkeyPatch, waited: float, *, is_overdue: bool
) -> None:
    seen = Quiet(batch=[4], at=0)
    now = seen.worker.marks[1] + waited
    monkeypatch.setattr(pools, "time", SimpleNamespace(monotonic=lambda: now))
    assert seen.worker.overdue(1.0) == is_overdue
    seen.worker.marks[1] = 0.0  # it has not begun
    assert not seen.worker.overdue(1.0)


def test_a_process_answers_batch_after_batch_and_hands_faults_back_until_who_asks_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bounds: list[tuple[str, int]] = []
    monkeypatch.setattr(pools, "signal", SimpleNamespace(signal=lambda *_: None, SIGINT=0, SIG_IGN=0))
    monkeypatch.setattr(pools, "end_with_parent", lambda parent: bounds.append(("parent", parent)))
    monkeypatch.setattr(pools, "limit_memory", lambda megabytes: bounds.append(("megabytes", megabytes)))
    ours, its = multiprocessing.Pipe()
    marks: Any = [0.0, 0.0]
    begun = time.monotonic()
    serving = threading.Thread(target=pools._serve, args=(its, marks, 512, 7), daemon=True)
    serving.start()
    answers = []
    for work in ((abs, [-1, -2, -3], 60.0), (len, [3], 60.0), (abs, [-4], 60.0)):
        ours.send(work)
        answers.append(ours.recv())
        assert begun <= marks[1] <= time.monotonic()
    assert (answers[0], answers[2], marks[0]) == ([1, 2, 3], [4], 0)
    assert isinstance(answers[1], TypeError)
    assert bounds == [("parent", 7), ("megabytes", 512)]
    ours.close()
    serving.join(timeout=LONGEST_SECONDS)
    assert not serving.is_alive()


@pytest.mark.parametrize("before", [None, "4"])
def test_what_is_started_loads_linear_algebra_with_one_thread_and_nothing_else_does(
    monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    for name in pools._THREAD_SETTINGS:
        monkeypatch.delenv(name, raising=False) if before is None else monkeypatch.setenv(name, before)
    with pools.one_thread_each():
        assert {os.environ[name] for name in pools._THREAD_SETTINGS} == {"1"}
    assert {os.environ.get(name) for name in pools._THREAD_SETTINGS} == {before}


def test_a_pool_starts_as_many_processes_as_are_wanted_and_it_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "_start", lambda _megabytes: SimpleNamespace(end=lambda: None))
    with SupervisedPool(3, SHORT) as pool:
        found = []
        for wanted in (1, 2, 9):
            pool.start(wanted)
            found.append((len(pool.workers), pool.is_awake))
        assert found == [(1, False), (2, True), (3, True)]
    assert pool.workers == []
    whole = SupervisedPool(2, SHORT)
    whole.start()
    assert len(whole.workers) == 2


@pytest.mark.slow
def test_the_processes_of_a_pool_end_with_it() -> None:
    with SupervisedPool(2, SHORT) as pool:
        run_fits(fits_of("baseline", "snaive"), 3, workers=pool)
        pids = [worker.process.pid for worker in pool.workers]
    for pid in pids:
        assert pid is not None
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_what_ends_in_time_is_left_alone_and_no_alarm_stays() -> None:
    with time_limit(1):
        ended = True
    time.sleep(1.2)
    assert ended


def test_an_alarm_is_no_exception_that_a_model_may_take_for_a_failed_fit() -> None:
    with pytest.raises(CutOffError), time_limit(0.1):
        try:
            time.sleep(60)
        except Exception:  # as models do
            pytest.fail("the model swallowed it")


def test_what_a_block_started_ends_with_it_and_what_ran_before_is_spared() -> None:
    before = subprocess.Popen(["sleep", "3600"])
    time.sleep(0.1)
    started: list[subprocess.Popen[bytes]] = []
    with pytest.raises(CutOffError), time_limit(60):
        started.append(subprocess.Popen(["sleep", "3600"]))
        signal.raise_signal(signal.SIGALRM)
    try:
        assert started[0].wait(LONGEST_SECONDS) == -signal.SIGKILL
        assert before.poll() is None
    finally:
        before.kill()
        before.wait()


def test_a_block_of_another_thread_is_not_limited_for_an_alarm_would_ring_in_the_main_one() -> None:
    ended: list[bool] = []

    def limited() -> None:
        with time_limit(0.01):
            time.sleep(0.05)
        ended.append(True)

    thread = threading.Thread(target=limited)
    thread.start()
    thread.join()
    assert ended


def test_a_handler_of_alarms_that_was_there_before_is_there_again() -> None:
    before = signal.signal(signal.SIGALRM, signal.SIG_IGN)
    try:
        with time_limit(5):
            assert signal.getsignal(signal.SIGALRM) != signal.SIG_IGN
        assert signal.getsignal(signal.SIGALRM) == signal.SIG_IGN
        assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    finally:
        signal.signal(signal.SIGALRM, before)


def test_a_model_is_given_up_with_its_third_cut_off_and_others_are_not() -> None:
    breaker = Breaker()
    verdicts = []
    for _fit in range(3):
        verdicts.append(breaker.verdict("slow"))
        breaker.note("slow")
    assert verdicts == [None, None, None]
    assert breaker.verdict("slow") == CutOff("cut off untried: 3 earlier fits of this model were cut off")
    assert breaker.verdict("quick") is None


MEGABYTE = 1 << 20


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a process holds")
@pytest.mark.parametrize("hard", [-1, 1 << 50, MEGABYTE])
def test_a_process_may_take_so_much_more_than_it_holds_but_no_more_than_was_allowed_it_before(
    hard: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, tuple[int, int]]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _kind: (-1, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda *limit: asked.append(limit))
    limits.limit_memory(300)
    limits.limit_memory(1300)
    (few, many) = asked
    assert few[0] == many[0] == resource.RLIMIT_DATA
    assert few[1][1] == many[1][1] == hard
    if hard == MEGABYTE:
        assert few[1][0] == many[1][0] == hard
    else:
        assert 990 * MEGABYTE < many[1][0] - few[1][0] < 1010 * MEGABYTE
        assert few[1][0] > (300 + 20) * MEGABYTE  # this process with its libraries holds far more than 20


def death_signal() -> int:
    """The signal that this process gets when its parent ends."""
    found = ctypes.c_int()
    ctypes.CDLL(None).prctl(2, ctypes.byref(found))  # PR_GET_PDEATHSIG of prctl(2)
    return found.value


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_a_process_is_killed_with_its_parent_and_ends_if_that_had_ended_before() -> None:
    def bound_to(parent: int) -> None:
        limits.end_with_parent(parent)
        os._exit(100 + death_signal())

    codes = []
    for parent in (os.getpid(), -1):
        child = multiprocessing.get_context("fork").Process(target=bound_to, args=(parent,))
        child.start()
        child.join()
        codes.append(child.exitcode)
    assert codes == [100 + signal.SIGKILL, 1]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells when a process was started")
def test_a_process_is_known_to_be_younger_than_the_moment_before_it_whatever_its_name(tmp_path: Path) -> None:
    program = shutil.copy(shutil.which("sleep") or "", tmp_path / "a ) 1 2")
    before = limits._since_boot()
    child = subprocess.Popen([program, "3600"])
    try:
        assert before <= limits._born(child.pid) <= time.clock_gettime(time.CLOCK_BOOTTIME)
        assert limits._born(os.getpid()) < before
    finally:
        child.kill()
        child.wait()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_processes_end_at_once_when_who_started_them_is_killed_in_the_middle_of_a_fit(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import sys, time\n"
        f"sys.path.insert(0, {str(Path(__file__).parents[2])!r})\n"
        "from forecasting.pool import SupervisedPool\n"
        "if __name__ == '__main__':\n"
        "    pool = SupervisedPool(1)\n"
        "    pool.start()\n"
        "    print(pool.workers[0].process.pid, flush=True)\n"
        "    pool.run(time.sleep, [60.0], [[0]], str, print)\n"
    )
    starter = subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    worker = int(starter.stdout.readline())
    time.sleep(1)
    starter.kill()
    starter.wait()
    starter.stdout.close()
    deadline = time.monotonic() + 50
    while runs(worker) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not runs(worker)


def runs(pid: int) -> bool:
    """False for a process that has ended, whether anybody has asked for its exit code or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
def test_script_without_a_guard_runs_once(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("from forecasting.workers import run_tasks\nprint(run_tasks(abs, [-1, -2], workers=2))\n")
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, str(program)], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[1, 2]\n", "")


@pytest.mark.slow
def test_where_processes_die_before_they_begin_the_rest_is_run_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "_serve", ends_at_once)
    with SupervisedPool(2, SHORT) as pool:
        answers = run_fits(fits_of("baseline", "snaive"), 3, workers=pool)
    assert [answer.reason for answer in answers] == ["", ""]


def ends_at_once(*_: object) -> None:
    sys.exit(3)
