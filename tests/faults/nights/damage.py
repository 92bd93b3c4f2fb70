"""Files of every kind overwritten, cut off, emptied, altered by one byte, or gone."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from store.backup import write_backup
from store.journal import Entry, Journal, journal_url
from tests.faults.nights.bench import PUBLISHED, Bench, Home, Result
from tests.faults.nights.processes import FaultError

Damage = Callable[[Path, random.Random], None]
_ACTIONS = 50


def overwrite(path: Path, numbers: random.Random) -> None:
    """Random bytes, as many as there were."""
    path.write_bytes(numbers.randbytes(path.stat().st_size))


def cut(path: Path, _: random.Random) -> None:
    """The first half."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def empty(path: Path, _: random.Random) -> None:
    """Nothing."""
    path.write_bytes(b"")


def flip(path: Path, numbers: random.Random) -> None:
    """One bit in the middle half: everything around it looks sound."""
    content = bytearray(path.read_bytes())
    content[numbers.randrange(len(content) // 4, 3 * len(content) // 4)] ^= 1 << numbers.randrange(8)
    path.write_bytes(content)


def remove(path: Path, _: random.Random) -> None:
    """Gone."""
    path.unlink()


WAYS: Mapping[str, Damage] = {
    "overwritten": overwrite, "cut off": cut, "emptied": empty, "one bit altered": flip, "gone": remove,
}  # fmt: skip


def damaged_figures(bench: Bench) -> Iterator[Result]:
    """A file of published figures, in every way."""
    for way, damage in WAYS.items():
        home = bench.copy("figures")
        archive = write_backup(home.folder, bench.spare / f"figures-{way}.tar.zst").path
        path = max((home.folder / "vintages").rglob("*.parquet"), key=lambda one: one.stat().st_size)
        damage(path, bench.random("figures", way))
        result, done = Result(f"a file of figures {way}"), home.night()
        if way == "gone":
            if done.code not in PUBLISHED:
                raise FaultError(f"{way}: exit {done.code}: {done.told[-500:]}")
            result.note(f"bundled figures are put back by the night itself (exit {done.code})")
        else:
            home.expect(done, 1, path.name)
            home.check_whole()
            result.note("exit 1 names the file; the former release stands whole", _repaired(home, archive))
        yield result


def damaged_release(bench: Bench) -> Iterator[Result]:
    """Files of the current release and of the chain."""
    for name in ("forecasts.parquet", "alerts.parquet", "manifest.json", "HEAD.json"):
        for way in ("overwritten", "one bit altered", "gone"):
            home = bench.copy("release")
            archive = write_backup(home.folder, bench.spare / f"{name}-{way}.tar.zst").path
            current = home.releases.current()
            if current is None:
                raise FaultError("there is no release")
            path = (home.releases.folder if name == "HEAD.json" else current.path) / name
            WAYS[way](path, bench.random("release", name, way))
            verify = home.command("verify")
            home.expect(verify, 1, name if name == "HEAD.json" and way != "one bit altered" else current.run_id)
            result = Result(f"`{name}` {way}")
            whole_night = way == "overwritten" and not bench.quick
            if not whole_night:
                result.note("`verify` names it")
            else:
                done = home.night()
                if done.code == 1:
                    home.expect(done, 1, name)
                elif done.code == 3:
                    home.expect(done, 3, "damaged")
                said = {0: "publishes", 1: "names it, publishes nothing", 3: "publishes and says so"}[done.code]
                result.note(f"`verify` names it; the next night {said} (exit {done.code})")
            after = _repaired(Home(home.folder, quick=not whole_night), archive)
            result.after[after] += 1
            yield result


def damaged_journal(bench: Bench) -> Iterator[Result]:
    """The journal, in every way; what was committed before the backup must be back in the end."""
    for way, damage in WAYS.items():
        if damage is flip:  # SQLite keeps no hash of its pages: a letter altered in somebody's reason is not noticed
            continue
        home = bench.copy("journal")
        path = home.folder / "journal.sqlite"
        committed = _record(home)
        archive = write_backup(home.folder, bench.spare / f"journal-{way}.tar.zst").path
        damage(path, bench.random("journal", way))
        result, done = Result(f"the journal {way}"), home.night()
        if done.code not in {1, 3} or "journal" not in done.told:
            raise FaultError(f"the journal {way}: exit {done.code}: {done.told[-500:]}")
        if done.code == 3 and way in {"emptied", "gone"}:
            home.expect(done, 3, "restore")
            what = "published, exit 3 says that the journal is new and what to do if it was lost"
        else:
            what = "exit 1 names it; nothing is published"
            home.expect(done, 1, "journal")
        result.note(what, _repaired(home, archive, committed))
        yield result


def damaged_caches(bench: Bench) -> Iterator[Result]:
    """What can be made again, and what people and publishers put into the home folder."""
    if not bench.quick:
        yield _damaged_past_forecasts(bench)
    yield from _damaged_surroundings(bench)


def _damaged_past_forecasts(bench: Bench) -> Result:
    home = bench.copy("caches")
    files = sorted((home.folder / "backtests").glob("*.parquet"))
    for number, path in enumerate(files):
        WAYS[list(WAYS)[number % len(WAYS)]](path, bench.random("caches", number))
    done = home.night()
    if done.code not in PUBLISHED or "past forecasts damaged, made again" not in done.told:
        raise FaultError(f"damaged past forecasts: exit {done.code}: {done.told[-500:]}")
    home.check_whole()
    result = Result("files of past forecasts overwritten, cut off, emptied, altered and gone", len(files))
    result.outcomes["set aside, told in the log, made again"] += len(files)
    result.after[f"the same night published (exit {done.code})"] += 1
    return result


def _damaged_surroundings(bench: Bench) -> Iterator[Result]:
    home = bench.copy("surroundings")
    (home.folder / "settings.toml").write_bytes(bench.random("settings").randbytes(200))
    home.expect(home.night(), 1, "settings.toml")
    (home.folder / "settings.toml").unlink()
    result = Result("`settings.toml` overwritten")
    result.note("exit 1 names it; the former release stands whole")
    yield result
    (home.folder / "night.holder.json").write_bytes(b"\x00{")
    (home.folder / "inbox" / "frontex").mkdir(parents=True)
    (home.folder / "inbox" / "frontex" / "detections.xlsx").write_bytes(bench.random("inbox").randbytes(5000))
    result = Result("a damaged file in the inbox, and a damaged note of who holds the lock")
    if not bench.quick:
        home.expect(home.night(), 3, "frontex", "detections.xlsx")
        home.check_whole()
        result.note("published, exit 3 names the file; the lock is free")
        yield result


def _record(home: Home) -> dict[str, str]:
    journal = Journal(journal_url("", home.folder))
    words = [f"before the fault {number}" for number in range(_ACTIONS)]
    for one in words:
        journal.record(Entry("A. Person", "said", "a fault", reason=one))
    journal.close()
    return {one: one for one in words}


def _repaired(home: Home, archive: Path, committed: Mapping[str, str] | None = None) -> str:
    done = home.command("home", "restore", "--repair", "--from", str(archive))
    home.expect(done, 0)
    home.check_verify()
    archive.unlink()
    after = home.check_night()
    home.check_whole(committed)
    shutil.rmtree(home.folder)
    return "`vigie home restore --repair` puts it back" + (f"; {after}" if after else "")
