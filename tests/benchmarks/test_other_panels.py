"""Panels that the engine was not made for: drawn from the newest published figures, scored as others would."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from benchmarks import other_panels
from benchmarks.other_panels import (
    DRAWS,
    PANELS,
    by_chance,
    draws_of,
    line_of,
    panel_of,
    panels_of,
    scored,
    scores_of,
)
from benchmarks.routes import HORIZONS
from forecasting import BASELINE, LEVELS
from forecasting.members import Request
from forecasting.panel import Panel, panel_from_rows
from forecasting.runs import backtest
from ingest.sources import SOURCES

YEARS = 6


@pytest.fixture
def panel() -> Panel:
    months = pd.period_range("2015-01", periods=12 * YEARS, freq="M").astype(str)
    rows = [
        {"series_id": f"s{number}", "time_period": month, "value": float(100 * number + 40 * (place % 12) + place % 7)}
        for number in range(1, 4)
        for place, month in enumerate(months)
    ]
    return panel_from_rows(pd.DataFrame(rows))


def test_every_panel_is_read_by_a_source_that_there_is() -> None:
    assert {source_id for one in PANELS for source_id in one.files} <= set(SOURCES)


def test_of_a_figure_in_several_files_the_last_one_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def observations(name: str) -> pd.DataFrame:
        months = ["2020-01", "2020-02"] if name == "old" else ["2020-02", "2020-03"]
        return pd.DataFrame(
            {
                "series_id": "flow", "time_period": months, "obs_value": 1.0 + (name == "new"), "target": "flow",
                "freq": "M", "route_id": "_Z", "geo": "AUT", "citizen": "_T", "as_of": "2021-01-01",
            }
        )  # fmt: skip

    for name in ("old", "new"):
        (tmp_path / name).write_bytes(b"any")
    source = SimpleNamespace(parse=lambda raw: SimpleNamespace(observations=observations(raw.name)))
    monkeypatch.setattr(other_panels, "SOURCES", {"source": source})
    published = replace(
        PANELS[0], files={"source": ("old", "new")}, target="flow", end="2020-03", periods=3, smallest=0.0
    )
    assert panel_of(published, tmp_path).matrix["flow"].tolist() == [1.0, 2.0, 2.0]


def test_series_are_drawn_from_those_known_in_every_month(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    months = [f"2020-{month:02d}" for month in range(1, 13)]
    figures = [
        {
            "series_id": name, "time_period": month, "obs_value": size, "target": "flow", "freq": "M", "route_id": "_Z",
            "geo": "AUT", "citizen": name, "as_of": "2021-01-01",
        }
        for name, size, known in (("whole", 9.0, months), ("gap", 9.0, months[:-1]), ("small", 1.0, months))
        for month in known
    ]  # fmt: skip
    (tmp_path / "any").write_bytes(b"any")
    source = SimpleNamespace(parse=lambda _raw: SimpleNamespace(observations=pd.DataFrame(figures)))
    monkeypatch.setattr(other_panels, "SOURCES", {"source": source})
    published = replace(PANELS[0], files={"source": ("any",)}, target="flow", end="2020-12", periods=12, series=2)
    assert panel_of(published, tmp_path).series_ids == ["whole"]


def test_months_are_added_up_to_quarters_that_are_known_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    figures = pd.DataFrame(
        {
            "series_id": name, "time_period": month, "obs_value": 3.0, "target": "flow", "freq": "M", "route_id": "_Z",
            "geo": "AUT", "citizen": name, "as_of": "2021-01-01",
        }
        for name, first in (("whole", 1), ("late", 2))
        for month in [f"2020-{month:02d}" for month in range(first, 9)]
    )  # fmt: skip
    (tmp_path / "any").write_bytes(b"any")
    source = SimpleNamespace(parse=lambda _raw: SimpleNamespace(observations=figures))
    monkeypatch.setattr(other_panels, "SOURCES", {"source": source})
    published = replace(
        PANELS[0], files={"source": ("any",)}, target="flow", end="2020-Q2", periods=2, smallest=0.0, freq="Q"
    )
    assert panel_of(published, tmp_path).matrix.to_dict("list") == {"whole": [9.0, 9.0]}


def test_a_line_holds_the_engine_s_scores_over_others_and_what_closed_intervals_held(
    monkeypatch: pytest.MonkeyPatch, panel: Panel
) -> None:
    def last_value(_totals: pd.DataFrame, parts: pd.DataFrame, horizon: int) -> np.ndarray:
        return np.full((1, horizon, len(LEVELS)), parts.iloc[-1, 0])

    monkeypatch.setattr(other_panels, "PEERS", dict.fromkeys(other_panels.TOGETHER, last_value))
    published = replace(PANELS[0], what="made up", series=3, periods=72)
    own = backtest(Request.of(panel, None, [BASELINE], HORIZONS), origins=12, step=1).table
    frames = scored(panel, [own, own, own])
    line = line_of(published, [frames])
    assert line[0] == "made up; 3 × 72, 24 origins"
    ratios = [float(ratio) for ratio in line[1].split(" / ")]
    assert ratios[0] == ratios[1] < 1
    assert ratios[2:] == [1, 1]
    scores = scores_of(own, panel)
    assert line[3].startswith(f"{scores[50].mean():.2f}/")
    assert line[3].endswith(f"({len(scores)})")
    assert not scores["small"].any()
    assert line[4] == "–"


def test_of_several_draws_the_geometric_mean_and_the_ends_are_told_and_forecasts_are_counted_together() -> None:
    def frame(score: float) -> pd.DataFrame:
        return pd.DataFrame(
            {50: [True, False], 80: True, 95: True, "natural": score, "log": score, "small": False, "series": "a"}
        )

    draws = [[frame(1.0), frame(2.0), frame(1.0), frame(4.0)], [frame(1.0), frame(0.5), frame(1.0), frame(1.0)]]
    line = line_of(PANELS[0], draws)
    assert line[0].endswith("; 2 × 5 × 60, 24 origins")
    assert line[1] == line[2] == "1.000 (0.50–2.00) / 1.000 (1.00–1.00) / 0.500"
    assert line[3] == "0.50/1.00/1.00 (4)"


def test_a_panel_is_drawn_alike_in_every_run_and_no_series_twice(panel: Panel) -> None:
    drawn = [one.series_ids for one in draws_of(panel, 1)]
    assert len(drawn) == len(panel.series_ids) < DRAWS
    assert sorted(name for names in drawn for name in names) == panel.series_ids
    assert drawn == [one.series_ids for one in draws_of(panel, 1)]
    assert [len(one.series_ids) for one in draws_of(panel, 2)] == [2] * (len(panel.series_ids) // 2)
    assert [one.series_ids for one in draws_of(panel, len(panel.series_ids) + 1)] == [panel.series_ids]


def test_a_panel_is_drawn_no_more_often_than_it_says(panel: Panel) -> None:
    assert len(draws_of(panel, 1, len(panel.series_ids) - 1)) == len(panel.series_ids) - 1


def test_what_two_places_count_is_taken_to_the_same_day_of_several_years(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []
    monkeypatch.setattr(other_panels, "panel_of", lambda published, _raw: taken.append(published.end))
    panels_of(replace(PANELS[0], end="2025-W35", freq="W", years=2), Path("any"))
    assert taken == ["2023-W35", "2024-W35", "2025-W35"]


def test_chance_alone_moves_coverage_the_more_the_fewer_the_series_and_the_right_share_lies_within() -> None:
    ranges = [
        [[float(end) for end in part.split("–")] for part in by_chance(series, 24).split("/")] for series in (1, 5, 50)
    ]
    for one in ranges:
        assert all(low < share < high for (low, high), share in zip(one, (0.5, 0.8, 0.95), strict=True))
    widths = [sum(high - low for low, high in one) for one in ranges]
    assert widths[0] > widths[1] > widths[2]
