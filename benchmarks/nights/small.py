"""Kill -9 of small nights: real in all that they read, take in, write, record, share and announce, without the fits.

What a night computes is computed once and handed to the others, so that a thousand of them can be killed in the time of
forty whole ones. Each begins with a file of own figures in its inbox; half of them end or bring back alerts. Meanwhile
a person comments on alerts, one acts at the journal, one reads every file of the current release, one opens pages of
the dashboard, and a mirror follows the shared store.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from itertools import count
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

import pandas as pd

from access import Actor
from alerts.lifecycle import COMMENTED
from benchmarks.nights.bench import NEXT, Bench, Home, Result
from benchmarks.nights.kills import note_after, seen
from benchmarks.nights.processes import FaultError
from benchmarks.nights.watchers import Role, WatchError, act, watching
from core.settings import StoreSettings, load_settings
from decisions import actions, open_workflow
from store.figures.vintages import VintageStore
from store.journal import Journal, journal_url
from store.mirror import Follower
from store.releases import ReleaseStore
from store.releases.caches import BacktestStore
from store.status import NIGHT_ACTIONS, witnesses
from store.verify import verify_home

_COMPUTED = (
    "RealTimeData", "pooled_night", "make_forecasts", "make_nowcasts", "judge", "forecast_tables",
    "attribute", "data_tables", "make_weeks", "run_alerts", "errors_by_group", "issued_scores", "forecast_asylum",
    "hub_of_night", "documents",
)  # fmt: skip
_SOURCE, _LOOKED_AT = "own_post", 20
_MAPPING = f"""
[source]
source_id = "{_SOURCE}"
publisher = "Border post"
dataset = "Figures of a test"
lag_days = 10
[table]
what = "indicator"
[columns]
time_period = "Month"
value = "Persons"
[fixed]
name = "post_figure"
"""
Computed = Any
"""What a step of a night returns: of no interest here, and handed on as it is."""


def killed_small(bench: Bench) -> Iterator[Result]:
    """Kill small nights at moments drawn evenly from the time that one takes; every twentieth is left alone.

    Raises:
        FaultError: Something is torn, lost, or there twice.
    """
    home, kept = bench.copy("small"), bench.prepared.with_suffix(".computed")
    _share(home.folder, bench.spare / "shared")
    if not kept.exists():  # else of an earlier part of the run
        _compute_apart(home.folder, kept)
    workers = multiprocessing.get_context("forkserver")
    workers.set_forkserver_preload(["benchmarks.nights.small", "nightly.night"])
    start = partial(_Night, workers, home.folder, kept)
    follower = bench.spare / "follower"
    follower.mkdir()
    _share(follower, bench.spare / "shared")
    roles: tuple[tuple[Role, tuple[object, ...]], ...] = ((act, (0.5,)), (decide, ()), (follow, (follower,)))
    with watching(home.folder, bench.spare, pages=not (bench.quick or bench.alone), commands=False) as watchers:
        for role, arguments in roles:
            watchers.start(role, *arguments)
        length = max(_whole(start, home, number) for number in range(3))
        for at, number in enumerate(bench.numbers, start=1):
            result = Result("`kill -9` of a small night at a moment drawn from its whole time")
            _hand_in(home.folder, bench.numbers[-1] + number)
            before = {one.run_id for one in home.releases.all()}
            night = start(number)
            time.sleep(bench.random("small", number).uniform(0, length))
            stage = night.kill()
            home.check_whole(watchers.committed())
            watchers.check()
            new = {one.run_id for one in home.releases.all()} - before
            channel = new <= set(witnesses(home.folder))
            what = "the new release is whole" if new else "the former release stands whole"
            result.note(f"{stage}: {what}{'' if channel else ', its row is left to the next night'}")
            over = time.monotonic() > bench.until or number == bench.numbers[-1]
            if over or at % _LOOKED_AT == 0:
                length = _whole(start, home, number)
                note_after(result, "the next night published; figures, editions, journal and releases whole, each once")
                sys.stderr.write(f"  kill {number}: a night takes {length:.1f} s\n")
            yield result
            if over:
                break
        home.check_whole(watchers.committed())
        yield from seen(watchers)
        for role, fault, outcome in (
            (decide, "comments on alerts meanwhile", "committed, and in the journal to the end"),
            (follow, "looks of a mirror meanwhile", "its chain whole, every file as published"),
        ):
            one = Result(fault, watchers.count(role))
            one.outcomes[outcome] = one.times
            yield one


class _Night:
    """A small night in a process group of its own."""

    def __init__(self, workers: ForkServerContext, home: Path, kept: Path, number: int) -> None:
        ours, theirs = workers.Pipe()
        self._stage = ours
        self.process = workers.Process(target=run_small, args=(home, kept, number, theirs), daemon=True)
        self.process.start()
        self.pid = cast("int", self.process.pid)
        theirs.close()
        ours.recv()
        self.began = time.monotonic()

    def kill(self) -> str:
        """End it with all that it started, if it has not ended; the stage it was in."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.join()
        stage = "while it reads"
        with suppress(EOFError, ConnectionError):
            while self._stage.poll():
                stage = self._stage.recv()
        return stage


def run_small(home: Path, kept: Path, number: int, channel: Connection) -> None:
    """One night with what was computed before.

    Args:
        home: The home folder.
        kept: What :func:`compute` kept.
        number: Of the night; every other one warns of half as much.
        channel: Of its beginning, then of each stage.
    """
    os.setsid()
    night = importlib.import_module("nightly.night")
    computed = {name: pickle.loads(one) for name, one in pickle.loads(kept.read_bytes()).items()}  # noqa: S301  # ours
    warned = computed["run_alerts"]["alerts"]
    if number % 2:
        computed["run_alerts"] = computed["run_alerts"] | {"alerts": warned.iloc[: len(warned) // 2]}
    past = next(iter(sorted((home / "backtests").glob("*.parquet"))), None)
    some = None if past is None else pd.read_parquet(past).head(23)

    def answer(name: str, *_args: object, **_named: object) -> Computed:
        channel.send(f"at “{name}”")
        if name == "make_forecasts" and some is not None:
            BacktestStore(home).append(some.assign(history_hash=f"small-{os.getpid()}"))
        return computed[name]

    with ExitStack() as stack:
        for name in _COMPUTED:
            stack.enter_context(patch.object(night, name, partial(answer, name)))
        for name in ("publish_tables", "_remove_old_releases", "record_publication", "notify"):
            stack.enter_context(patch.object(night, name, _announced(channel, name, getattr(night, name))))
        stack.enter_context(patch.object(night.Pool, "start", lambda *_: None))
        # Reading files apart is tried in tests/ingest/test_intake.py; a process for each would be most of a night.
        stack.enter_context(patch("nightly.inputs.apart", lambda parse, *given: parse(*given)))
        channel.send("begun")
        night.run_night(home, load_settings(home), pd.Timestamp(NEXT).date())


def compute(home: str, kept: str) -> None:
    """Run a whole night, and keep what it computed."""
    night = importlib.import_module("nightly.night")
    computed: dict[str, bytes] = {}

    def keep(name: str, function: Callable[..., Any], *args: object, **named: object) -> Computed:
        given = function(*args, **named)
        computed[name] = pickle.dumps(given)  # at once: a night adds to tables that a step gave it
        return given

    functions = {name: getattr(night, name) for name in _COMPUTED}
    known_then = functions["RealTimeData"]
    functions["RealTimeData"] = lambda *given: known_then(*given[:-1])  # a report of progress cannot be pickled
    with ExitStack() as stack:
        for name, function in functions.items():
            stack.enter_context(patch.object(night, name, partial(keep, name, function)))
        night.run_night(Path(home), load_settings(Path(home)), pd.Timestamp(NEXT).date())
    Path(kept).write_bytes(pickle.dumps(computed))


def decide(home: Path) -> Iterator[str]:
    """Comment on an alert of the current release, over and over."""
    with open_workflow(home, load_settings(home)) as desk:
        for number in count():
            release = ReleaseStore(home).current()
            if release is None:
                raise WatchError("there is no release")
            words, alert_ids = f"decide {os.getpid()} {number}", release.read("alerts")["alert_id"]
            step = actions.Step(Actor("A. Person"), COMMENTED, words)
            actions.act(desk, release, str(alert_ids.iloc[number % len(alert_ids)]), step)
            yield words
            time.sleep(1)


def follow(_home: Path, follower: Path) -> Iterator[str]:
    """A mirror: takes over what is new, and holds it against its hashes."""
    eye = Follower(follower, load_settings(follower))
    while True:
        contact = eye.look()
        problem = ReleaseStore(follower).verify({})
        if contact.reason or problem is not None:
            raise WatchError(f"mirror: {contact.reason} {problem or ''}")
        yield "looked"
        time.sleep(3)


def _announced(channel: Connection, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: object, **named: object) -> Computed:
        channel.send(f"at “{name.strip('_')}”")
        return function(*args, **named)

    return call


def _compute_apart(home: Path, kept: Path) -> None:
    """In a process of its own: this one stays small."""
    line = f"from benchmarks.nights.small import compute; compute({str(home)!r}, {str(kept)!r})"
    subprocess.run([sys.executable, "-c", line], check=True)  # noqa: S603  # our own lines


def _whole(start: Callable[[int], _Night], home: Home, number: int) -> float:
    """Seconds of a night that is left alone: it must publish, and all that the home holds must be there once."""
    before = home.releases.head()
    _hand_in(home.folder, -number)
    night = start(number)
    night.process.join()
    seconds = time.monotonic() - night.began
    if night.process.exitcode != 0 or home.releases.head() == before:
        raise FaultError(f"a night left alone: exit {night.process.exitcode}")
    # The shared store's own copies are held against their hashes by the mirror.
    alone = load_settings(home.folder).model_copy(update={"store": StoreSettings()})
    if (problem := verify_home(home.folder, alone)) is not None:
        raise FaultError(f"verify: {problem}")
    _refuse_doubles(home.folder)
    return seconds


def _refuse_doubles(home: Path) -> None:
    """No release, edition or figure is there twice.

    Raises:
        FaultError: One is.
    """
    journal = Journal(journal_url("", home))
    entries = journal.entries()
    journal.close()
    runs = Counter(entry.run_id for entry in entries if entry.action in NIGHT_ACTIONS and entry.run_id)
    taken = Counter(entry.payload.get("sha256", "") for entry in entries if entry.action == "edition taken in")
    rows = VintageStore(home).history()
    rows = rows[rows["source_id"] == _SOURCE]
    figures = Counter(rows["obs_value"].dropna())
    for what, counted in (("release", runs), ("edition", taken), ("figure", figures)):
        if twice := [name for name, number in counted.items() if number > 1 and name]:
            raise FaultError(f"{what} {twice[0]} is there {counted[twice[0]]} times")


def _hand_in(home: Path, number: int) -> None:
    """A file of own figures in the inbox: one month whose figure no other has."""
    folder = home / "inbox" / _SOURCE
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "figures.csv").write_text(f"Month,Persons\n2024-11,{10_000 + number}\n")


def _share(home: Path, folder: Path) -> None:
    """Let a home have a shared store and a mapping of own figures."""
    folder.mkdir(exist_ok=True)
    settings = home / "settings.toml"
    text = settings.read_text() if settings.exists() else ""
    settings.write_text(f'{text}\n[store]\nurl = "file://{folder}"\n')
    (home / "own").mkdir(exist_ok=True)
    (home / "own" / f"{_SOURCE}.toml").write_text(_MAPPING)
