"""The command as a person or a scheduler meets it: output, exit code, never a traceback."""

from __future__ import annotations

import datetime as dt
import json
import socket
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.main import get_command

from cli.__main__ import PANELS, app
from tests.cli.command_line import command as vigie


@pytest.fixture
def panel(tmp_path: Path) -> Path:
    months = [str(month) for month in pd.period_range("2016-01", periods=72, freq="M")]
    season = 1000 + 400 * np.sin(np.arange(72) * np.pi / 6)
    noise = np.random.default_rng(3).lognormal(0, 0.2, 72)
    path = tmp_path / "panel.csv"
    pd.DataFrame({"series_id": "a", "time_period": months, "value": (season * noise).round()}).to_csv(path, index=False)
    return path


@pytest.mark.parametrize("words", ["", "access", "home", "home journal", "home store", "hub", "export"])
def test_group_without_command_prints_help_and_exits_0(words: str) -> None:
    done = vigie(*words.split())
    assert (done.returncode, done.stderr, "Usage: " in done.stdout) == (0, "", True)
    assert words or [name for name in chain(*PANELS.values()) if f" {name} " not in done.stdout] == []


def leaves(command: Any, name: str = "vigie") -> Iterator[tuple[str, Any]]:  # noqa: ANN401  # typer types them loosely
    """Return every command that does something, with its words."""
    if command.callback is not None and (command.invoke_without_command if hasattr(command, "commands") else True):
        yield name, command
    for inner, below in getattr(command, "commands", {}).items():
        yield from leaves(below, f"{name} {inner}")


def test_every_command_takes_home() -> None:
    found = {name: {word for one in each.params for word in one.opts} for name, each in leaves(get_command(app))}
    assert [name for name, options in found.items() if "--home" not in options and name != "vigie"] == []
    assert len(found) > 40


@pytest.mark.parametrize("line", ["nothing", "verify --nothing", "sign-off", "home prune --keep 0", "forecast"])
def test_usage_error_exits_1_and_names_word(line: str) -> None:
    done = vigie(*line.split())
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "No such" in done.stderr or "Missing" in done.stderr or "Invalid" in done.stderr


def test_without_release_status_says_so_and_fails(tmp_path: Path) -> None:
    done = vigie("status", "--json", home=tmp_path)
    assert done.returncode == 1
    assert json.loads(done.stdout)["release"] is None


@pytest.mark.parametrize(
    ("words", "variable", "is_json"),
    [
        ([], "", False),
        ([], "text", False),
        ([], "json", True),
        (["--log-format", "json"], "", True),
        (["--log-format=json"], "text", True),
        (["--log-format=text"], "json", False),
    ],
)
@pytest.mark.parametrize("mistake", ["nightly --as-of 31.01.2025", "nightly --no-such-option"])
def test_errors_are_sentences_unless_json_is_chosen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mistake: str, words: list[str], variable: str, *, is_json: bool
) -> None:
    monkeypatch.setenv("VIGIE_LOG_FORMAT", variable)
    (line,) = vigie(*mistake.split(), *words, home=tmp_path).stderr.splitlines()
    assert line.startswith('{"' if is_json else "error: ")


def test_verify_without_release_fails(tmp_path: Path) -> None:
    done = vigie("verify", home=tmp_path)
    assert (done.returncode, "no release here" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    "line",
    ["verify", "outbox deliver", "outbox", "alerts history x", "home check", "access audit",
     "access sign-out who --reason x", "home adopt", "home prune", "home prune --dry-run", "editions",
     "editions accept x --reason y", "home store push", "home store status", "home backup --to backup.tar.zst"],
)  # fmt: skip
def test_home_that_is_not_there_is_named_and_not_made_by_asking(tmp_path: Path, line: str) -> None:
    done = vigie(*line.split(), home=tmp_path / "mistyped")
    assert (done.returncode, "mistyped: there is no such folder" in done.stdout + done.stderr) == (1, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("is_json", [False, True])
def test_fault_in_vigie_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, is_json: bool) -> None:
    def broken(*_given: object) -> None:
        raise ZeroDivisionError("by nought")

    monkeypatch.setattr("cli.releases.load_settings", broken)
    done = vigie("status", *(["--log-format", "json"] if is_json else []), home=tmp_path)
    (line,) = done.stderr.splitlines()
    assert done.returncode == 1
    if is_json:
        logged = json.loads(line)
        assert (logged["event"], logged["kind"]) == ("fault in Vigie", "ZeroDivisionError")
        assert "Traceback" in logged["exception"] and "by nought" in logged["exception"]
    else:
        assert line.startswith("error: fault in Vigie: ZeroDivisionError: by nought (")
        assert "test_main.py, line" in line


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the bundled figures, which mistakes leave as it is."""
    home = tmp_path_factory.mktemp("begun")
    vigie("ingest", "--file", "nowhere=x.csv", home=home)
    return home


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("nightly", "--as-of", "31.01.2025"), "31.01.2025: not a date"),
        (("ingest", "--file", "uk_home_office"), "write SOURCE=PATH"),
        (("ingest", "--file", "nowhere=x.csv"), "unknown source 'nowhere'"),
        (("ingest", "--file", "uk_home_office=missing.csv"), "missing.csv"),
        (("ingest",), "give one of --file SOURCE=PATH, --live and --replay DATE"),
        (("ingest", "--live", "--source", "nowhere"), "unknown source 'nowhere'"),
        (("ingest", "--live", "--source", "idmc"), "idmc: needs a key: set IDMC_CLIENT_ID"),
        (("ingest", "--replay", "2024-01-01"), "no whole visit to any source is kept of 2024-01-01"),
        (("ingest", "--replay", "soon"), "soon: not a date"),
        (("nightly", "--live", "--as-of", "2025-01-31"), "with --live a night is made of today's figures"),
        (("backtest", "--panel", "missing.csv", "--out", "x.parquet"), "missing.csv: no such file"),
        (("alerts",), "run 'vigie nightly' first"),
    ],
)
def test_mistake_gets_sentence_and_no_traceback(begun: Path, arguments: tuple[str, ...], named: str) -> None:
    done = vigie(*arguments, home=begun)
    assert done.returncode == 1
    assert named in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_backtest_writes_hubverse_rows_at_origins_asked_for(panel: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    done = vigie(
        "backtest", "--panel", str(panel), "--origins", "3", "--step", "2", "--horizons", "1,3",
        "--models", "snaive,baseline", "--out", str(out),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    frame = pd.read_parquet(out)
    assert sorted(frame["origin_date"].dt.strftime("%Y-%m-%d").unique()) == ["2021-07-31", "2021-09-30", "2021-11-30"]
    assert set(frame["model_id"]) == {"vigie-snaive", "vigie-baseline"}
    assert len(frame) == 3 * 2 * 2 * 23


def test_forecast_of_present_starts_at_panels_end(panel: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    done = vigie("forecast", "--panel", str(panel), "--horizon", "2", "--models", "baseline", "--out", str(out))
    assert done.returncode == 0, done.stderr
    made = pd.read_parquet(out)
    assert set(made["target_end_date"].dt.strftime("%Y-%m")) == {"2022-01", "2022-02"}
    assert set(zip(made["target"], made["unit"], made["as_of"].dt.date, strict=True)) == {
        ("value", "count", dt.datetime.now(dt.UTC).date())
    }


@pytest.mark.parametrize(
    ("row", "named"), [("a,2022-01,many", "row 74, column value"), ("a,2022-01,inf", "row 74, column value"),
                       ("a,2021-12,5", "row 74, column time_period"), ("a,2022-Q1,5", "row 74, column time_period")]
)  # fmt: skip
def test_bad_row_of_panel_is_named(panel: Path, tmp_path: Path, row: str, named: str) -> None:
    panel.write_text(panel.read_text() + row + "\n")
    done = vigie("backtest", "--panel", str(panel), "--out", str(tmp_path / "out.parquet"))
    assert done.returncode == 1
    assert f"panel.csv, {named}" in done.stderr
    assert not (tmp_path / "out.parquet").exists()


def test_every_fault_is_json_line_where_json_is_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VIGIE_LOG_FORMAT", "json")
    monkeypatch.setattr("nightly.inputs.load_snapshot", lambda *_: "")
    bad = tmp_path / "bad.csv"
    bad.write_text("a,b\n1,2\n")
    (tmp_path / "home" / "releases" / "stranger").mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        runs = [
            vigie("ingest", "--file", f"frontex={bad}", home=tmp_path / "home"),
            vigie("verify", home=tmp_path / "home"),
            vigie("serve", "health", "--port", port, home=tmp_path / "home"),
        ]
    for done in runs:
        logged = [json.loads(line) for line in done.stderr.splitlines()]
        assert (done.returncode, bool(logged)) == (1, True)
        assert logged[-1]["text"]
