"""Kill -9 of what nights write."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator

from store.figures.vintages import VintageStore
from store.releases.caches import BacktestStore
from store.status import witnesses
from tests.faults.nights.bench import Bench, Result
from tests.faults.nights.kills import note_after, seen
from tests.faults.nights.watchers import act, watching
from tests.faults.nights.writer import write_on


def killed_writing(bench: Bench) -> Iterator[Result]:
    """Kill what a night writes, over and over, without the minutes of forecasting between."""
    home, result = bench.copy("writing"), Result("`kill -9` of what a night writes, again and again")
    workers = multiprocessing.get_context("forkserver")
    workers.set_forkserver_preload(["tests.faults.nights.writer"])
    moments, longest, published = bench.random("writing"), 0.0, set(witnesses(home.folder))
    with watching(home.folder, bench.spare, pages=False, commands=not bench.alone) as watchers:
        watchers.start(act)
        for number in range(bench.writes):
            ours, theirs = workers.Pipe()
            writer = workers.Process(target=write_on, args=(home.folder, theirs), daemon=True)
            writer.start()
            ours.recv()
            if number == 0:  # a first round, whole, tells how long the others take here and now
                begun = time.monotonic()
                ours.recv()
                longest = 1.5 * (time.monotonic() - begun)
            else:
                time.sleep(moments.uniform(0, longest))
            writer.kill()
            writer.join()
            home.check_whole(watchers.committed())
            VintageStore(home.folder).history()
            BacktestStore(home.folder).heal()
            result.note("chain, figures and past forecasts whole")
            if time.monotonic() > bench.until:
                break
        result.outcomes["releases published, most of them removed again by retention"] += len(
            set(witnesses(home.folder)) - published
        )
        note_after(result, home.check_night())
        yield result
        yield from seen(watchers)
