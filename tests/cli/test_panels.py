"""What is asked of a panel: models and periods ahead, as people write them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cli.panels import _horizons, _names
from core.errors import InputError
from tests.cli.command_line import command, vigie


@pytest.mark.parametrize("text", ["", "0", "0,1", "-1", "1.5", "one", "1;3"])
def test_horizons_must_be_whole_numbers(text: str) -> None:
    with pytest.raises(InputError, match=r"--horizons .*whole numbers"):
        _horizons(text)


USUAL = {"models": ["ensemble", "baseline"], "totals": None, "freq": None}
USUAL_PAST = {"origins": 60, "step": 1, "horizons": [1, 3, 6, 12], **USUAL}
ALL_SAID = ["--models", "ets,baseline", "--totals", "route_id", "--freq", "W"]
SAID = {"models": ["ets", "baseline"], "totals": "route_id", "freq": "W"}


@pytest.mark.parametrize(
    ("command", "options", "asked"),
    [
        ("forecast", [], {"horizon": 12, **USUAL}),
        ("forecast", ["--horizon", "1", *ALL_SAID], {"horizon": 1, **SAID}),
        ("backtest", [], USUAL_PAST),
        ("backtest", ["--origins", "1"], {**USUAL_PAST, "origins": 1}),
        ("backtest", ["--step", "2", "--horizons", "2"], {**USUAL_PAST, "step": 2, "horizons": [2]}),
    ],
)
def test_panel_forecast_uses_given_or_default_options(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str, options: list[str], asked: dict[str, Any]
) -> None:
    given: list[dict[str, Any]] = []

    @contextmanager
    def running(*_given: object) -> Iterator[dict[str, Any]]:
        yield {}

    monkeypatch.setattr("cli.panels.running", running)
    monkeypatch.setattr("cli.panels._write", lambda *_given, **_more: None)
    monkeypatch.setattr(f"forecasting.runs.{command}_file", lambda _panel, **means: given.append(means))
    vigie(tmp_path, command, "--panel", "p.csv", "--out", str(tmp_path / "out.csv"), *options)
    assert given == [asked]


@pytest.mark.parametrize(
    ("text", "names"), [("ensemble, baseline", ["ensemble", "baseline"]), (" ets ,, ", ["ets"]), ("", []), (",", [])]
)
def test_names_are_split_at_commas(text: str, names: list[str]) -> None:
    assert _names(text) == names


@pytest.mark.parametrize(
    "line", ["forecast --horizon 0", "backtest --origins 0", "backtest --step 0", "forecast --horizon -1"]
)
def test_counts_below_one_are_refused(tmp_path: Path, line: str) -> None:
    done = command(*line.split(), "--panel", "p.csv", "--out", str(tmp_path / "out.csv"), home=tmp_path)
    assert (done.returncode, "greater than or equal to 1" in done.stderr) == (1, True)
