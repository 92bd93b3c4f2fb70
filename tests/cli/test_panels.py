"""What is asked of a panel: models and periods ahead, as people write them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from cli.panels import _horizons, _write
from core.errors import InputError
from forecasting.quantiles import QuantileTable
from tests.cli.command_line import vigie


@pytest.mark.parametrize("text", ["", "0", "0,1", "-1", "1.5", "one", "1;3"])
def test_periods_ahead_that_are_no_whole_numbers_from_one_on_are_refused(text: str) -> None:
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
def test_a_panel_is_forecast_as_it_is_asked_for_and_else_as_the_help_says(
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


@pytest.mark.parametrize(("forecasts", "blocks"), [(1, 1), (4, 2), (5, 3)])
def test_forecasts_are_written_in_blocks_of_which_the_bar_knows_the_number(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, forecasts: int, blocks: int
) -> None:
    told: list[tuple[str, int, int]] = []

    @contextmanager
    def bar() -> Iterator[Callable[[str, int, int], None]]:
        yield lambda *given: told.append(given)

    monkeypatch.setattr("cli.panels.progress_bar", bar)
    monkeypatch.setattr("forecasting.quantiles.BLOCK", 2)
    monkeypatch.setattr("forecasting.quantiles.row_blocks.__defaults__", (2,))
    day = pd.Timestamp("2024-12-31")
    keys = pd.DataFrame(
        {"model_id": "m", "series_id": [f"s{number}" for number in range(forecasts)], "origin_date": day, "horizon": 1,
         "target_end_date": day, "fallback": False}
    )  # fmt: skip
    table = QuantileTable(keys, np.tile(np.arange(23.0), (forecasts, 1)))
    lines = SimpleNamespace(lines=lambda **_most: ["worth knowing"], account=["how"], series=forecasts)
    made = cast(Any, SimpleNamespace(table=table, diagnostics=lines))
    _write(made, tmp_path / "out.csv", "A title", strictly_hub=True)
    assert told == [("Writing", place, blocks) for place in range(1, blocks + 1)]
    written = pd.read_csv(tmp_path / "out.csv")
    assert (len(written), "fallback" in written) == (forecasts * 23, False)
    out = capsys.readouterr().out.splitlines()
    assert out[0] == f"{forecasts * 23} rows of {forecasts} series written to {tmp_path / 'out.csv'}"
    assert out[1] == "  worth knowing"
    assert (tmp_path / "out.csv.about.txt").read_text() == "A title\n\nworth knowing\n\nhow\n"
