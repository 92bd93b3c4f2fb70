"""Backup, restore and prune from the command line: what a person reads, and the exit codes that scripts rely on."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from cli.__main__ import app
from core.errors import InputError
from decisions.health import read_health
from store.journal import Journal, journal_url
from store.releases import About, ReleaseStore


@pytest.fixture
def home(tmp_path: Path, release_frames: dict[str, pd.DataFrame]) -> Path:
    """A home folder with three releases of one month."""
    for day in (29, 30, 31):
        about = About(dt.date(2025, 1, day), "0.1.0", {}, {})
        ReleaseStore(tmp_path / "home").publish(release_frames, {}, about)
    Journal(journal_url("", tmp_path / "home")).close()
    return tmp_path / "home"


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, words)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


def test_backup_prints_size_and_restore_prints_chain(home: Path, tmp_path: Path) -> None:
    code, printed = run("home", "backup", "--to", str(tmp_path / "b"), "--home", str(home))
    assert (code, "read back" in printed, " MB" in printed) == (0, True, True)
    assert read_health(home).last_backup.startswith(f"{dt.datetime.now(dt.UTC):%Y-%m}")
    code, printed = run("home", "restore", "--from", str(tmp_path / "b"), "--home", str(tmp_path / "new"))
    assert (code, "The chain of releases is whole." in printed) == (0, True)
    with pytest.raises(InputError, match="is not empty"):
        run("home", "restore", "--from", str(tmp_path / "b"), "--home", str(home))


def test_home_is_put_in_service_once_and_only_where_it_is_drill(home: Path, tmp_path: Path) -> None:
    run("home", "backup", "--to", str(tmp_path / "b"), "--home", str(home))
    run("home", "restore", "--from", str(tmp_path / "b"), "--home", str(tmp_path / "drill"))
    code, printed = run("home", "adopt", "--home", str(tmp_path / "drill"))
    assert (code, printed) == (0, f"{tmp_path / 'drill'} is in service. Store: none; messages waiting: 0\n")
    for place in (tmp_path / "drill", home):
        with pytest.raises(InputError, match="is no drill: it is in service already"):
            run("home", "adopt", "--home", str(place))


def test_journal_of_settings_is_used_in_service(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("home", "backup", "--to", str(tmp_path / "b"), "--home", str(home))
    monkeypatch.setenv("VIGIE_JOURNAL_URL", f"sqlite:///{tmp_path / 'own.db'}")
    for option, is_used in (("--json", False), ("--in-service", True)):
        run("home", "restore", option, "--from", str(tmp_path / "b"), "--home", str(tmp_path / option))
        assert (tmp_path / "own.db").exists() == is_used


def test_backup_includes_caches_on_request(home: Path, tmp_path: Path) -> None:
    (home / "backtests").mkdir()
    (home / "backtests" / "past.parquet").write_bytes(b"past")
    for option, kept in (("--with-caches", True), ("", False)):
        to, into = str(tmp_path / f"{kept}.tar.zst"), tmp_path / str(kept)
        run("home", "backup", "--to", to, "--home", str(home), *[one for one in [option] if one])
        run("home", "restore", "--from", to, "--home", str(into))
        assert (into / "backtests" / "past.parquet").exists() == kept


def test_backup_of_broken_chain_is_written_and_said_to_be_broken(home: Path, tmp_path: Path) -> None:
    (ReleaseStore(home).all()[0].path / "scores.parquet").write_bytes(b"rubbish")
    code, printed = run("home", "backup", "--to", str(tmp_path / "one.tar.zst"), "--home", str(home))
    assert (code, "scores.parquet" in printed) == (3, True)
    assert (tmp_path / "one.tar.zst").is_file()
    code, printed = run("home", "restore", "--from", str(tmp_path / "one.tar.zst"), "--home", str(tmp_path / "new"))
    assert (code, "scores.parquet" in printed) == (1, True)


def test_pruning_is_rehearsed_and_done_by_number_of_settings(home: Path) -> None:
    (home / "settings.toml").write_text("[operation]\nkeep_nights = 2\n")
    code, printed = run("home", "prune", "--dry-run", "--home", str(home))
    assert (code, "1 release would be removed" in printed, len(ReleaseStore(home).all())) == (0, True, 3)
    code, printed = run("home", "prune", "--home", str(home))
    assert (code, "1 release removed" in printed, len(ReleaseStore(home).all())) == (0, True, 2)
    assert run("home", "prune", "--keep", "1", "--home", str(home))[0] == 0
    assert len(ReleaseStore(home).all()) == 1


def test_backup_restore_and_prune_as_json_name_files_and_sizes(home: Path, tmp_path: Path) -> None:
    archive = tmp_path / "b.tar.zst"
    made = json.loads(run("home", "backup", "--to", str(archive), "--json", "--home", str(home))[1])
    assert (made["path"], made["packed_bytes"], made["problem"]) == (str(archive), archive.stat().st_size, None)
    into = str(tmp_path / "new")
    restored = json.loads(run("home", "restore", "--from", str(archive), "--json", "--home", into)[1])
    assert (restored["home"], restored["bytes"], restored["is_drill"]) == (into, made["bytes"], True)
    pruned = json.loads(run("home", "prune", "--keep", "1", "--json", "--home", into)[1])
    assert pruned["bytes"] == sum(one["bytes"] for one in pruned["releases"])
    assert len(pruned["releases"]) == 2
