"""What the Evaluation page says of scores."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import cast
from unittest.mock import MagicMock, Mock

import pandas as pd
import pytest

from dashboard import evaluation_view
from dashboard.evaluation_view import baseline_note, issued_table
from dashboard.reads import Night
from forecasting import BASELINE, ENSEMBLE
from forecasting.verification import FEW, NARROW
from forecasting.verification.verdict import BETTER, NO_EVIDENCE, WORSE


@pytest.mark.parametrize(("ratio", "is_told"), [(0.969, True), (0.9998, False), (1.0, False), (float("nan"), False)])
def test_the_baseline_says_why_its_own_ratio_is_not_1_where_it_is_not(ratio: float, is_told: bool) -> None:  # noqa: FBT001  # a case
    rows = pd.DataFrame({"model_id": [BASELINE, BASELINE, ENSEMBLE], "relative_wis": [1.0, ratio, 0.8]})
    assert ("cut at zero" in baseline_note(rows)) == is_told


def test_scores_as_issued_are_shown_to_the_thousandth_with_their_cases() -> None:
    names = ["relative_wis_log", "relative_wis_natural", "coverage_50", "coverage_80", "coverage_95"]
    found = pd.DataFrame({"horizon": [3], "n": [17], "kept": ["not shown"]} | {name: [0.87654] for name in names})
    table = issued_table(found)
    assert table.iloc[0].tolist() == [3, *[0.877] * 5, 17]
    assert table.columns[0] == "Months ahead"


def verdicts(*better: int, horizons: tuple[int, ...] = (1, 3, 6)) -> pd.DataFrame:
    """Verdicts on the ensemble, better at some horizons."""
    said = [BETTER if horizon in better else NO_EVIDENCE for horizon in horizons]
    return pd.DataFrame({"model_id": ENSEMBLE, "horizon": horizons, "verdict": said, "relative_wis": 0.9})


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (verdicts(), "No evidence that the forecast is better than the baseline"),
        (verdicts(1, 3, 6), "The forecast beats the baseline at every horizon"),
        (verdicts(1), "The forecast beats the baseline 1 month ahead; no evidence beyond"),
        (verdicts(1, 3), "The forecast beats the baseline up to 3 months ahead; no evidence beyond"),
        (verdicts(1, 6), "The forecast beats the baseline at 2 of 3 horizons"),
        (verdicts(3), "The forecast beats the baseline at 1 of 3 horizons"),
        (verdicts(1, 3).assign(relative_wis=float("nan")), "No past forecasts have been scored yet"),
        (verdicts(1).assign(model_id=BASELINE), "No past forecasts have been scored yet"),
    ],
)
def test_the_title_tells_how_far_the_forecast_beats_the_baseline(rows: pd.DataFrame, said: str) -> None:
    assert evaluation_view.title(rows) == said


@pytest.mark.parametrize("first", [0.0, 0.05])
def test_bins_named_by_edge_or_by_middle_have_the_same_edges(first: float) -> None:
    rows = pd.DataFrame({"kind": "pit", "level": [first + 0.9, first, first + 0.5], "value": [0.3, 0.1, 0.2]})
    bins = evaluation_view.pit_rows(pd.concat([rows, rows.assign(kind="coverage")]))
    assert bins.to_numpy().tolist() == [[0.0, 0.1], [0.5, 0.2], [0.9, 0.3]]
    assert evaluation_view.pit_rows(rows.iloc[:0]).empty


NAN = float("nan")


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        ((1.0123, 0.99, 1.03), "1.012 (0.990–1.030)"), ((0.9, NAN, 1.0), "0.900"), ((0.9, 0.8, NAN), "0.900"),
        ((NAN, 0.8, 1.0), "–"),
    ],
)  # fmt: skip
def test_a_ratio_has_its_interval_where_both_ends_are_known(ratio: tuple[float, float, float], said: str) -> None:
    assert evaluation_view.ratio_words(*ratio) == said


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ([], "Do drivers help?"),
        (["no evidence"], "Do drivers help? No evidence for 1 that was tested"),
        (["no evidence", "makes it worse"], "Do drivers help? No evidence for any of the 2 tested"),
        (
            ["evidence", "no evidence"],
            "Do drivers help? Evidence for Deaths in armed conflict (UCDP); none for the others of 2 tested",
        ),
    ],
)
def test_the_title_of_drivers_tells_which_help(verdicts: list[str], said: str) -> None:
    names = ["conflict_deaths", "el_nino"][: len(verdicts)]
    assert evaluation_view.drivers_title(pd.DataFrame({"driver": names, "verdict": verdicts})) == said


def groups(marks: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "kind": "citizen", "route_id": "EMR", "geo": ["_T", "GRC", "_T"], "group": ["SYR", "AFG", "IRQ"],
            "relative_wis": [0.8, 1.2, 0.9], "relative_wis_lo": 0.7, "relative_wis_hi": [1.0, 1.3, 1.1],
            "bias": [-0.25, 0.5, 0.0], "coverage_80": [0.8, 0.6, 0.75], "n": [40, 30, 9], "mark": marks,
        }
    )  # fmt: skip


def test_groups_served_worse_are_named_and_counted_among_those_with_forecasts_enough() -> None:
    said = evaluation_view.groups_finding(groups(["", WORSE, FEW]))
    assert said.startswith("Forecasts are less accurate for 1 of 2 groups: Eastern Mediterranean ")
    assert "Greece" in said
    assert "Syria" not in said
    assert "2 of 3 groups" in evaluation_view.groups_finding(groups([NARROW, WORSE, ""]))
    assert evaluation_view.groups_finding(groups(["", "", FEW])).startswith("No group of 2 is worse")


def test_the_table_of_groups_stands_worst_first_with_its_marks_in_words() -> None:
    table = evaluation_view.groups_table(groups([NARROW, WORSE, FEW]))
    assert table["Forecasts"].tolist() == [30, 9, 40]
    assert table["Note"].tolist() == ["worse than the baseline", "too few forecasts", "intervals too narrow"]
    assert table["Relative WIS"].iloc[0] == "1.20 (0.70–1.30)"
    assert table["80% interval coverage"].tolist() == ["0.60", "0.75", "0.80"]


def test_a_model_s_ratio_is_in_words_and_the_baseline_has_none() -> None:
    said = [
        evaluation_view.verdict_words(model, ratio, verdict)
        for model, ratio, verdict in (
            (BASELINE, 0.9, BETTER), (ENSEMBLE, NAN, BETTER), (ENSEMBLE, 0.9, BETTER), (ENSEMBLE, 1.1, WORSE),
            (ENSEMBLE, 0.9, NO_EVIDENCE),
        )
    ]  # fmt: skip
    assert said == ["the baseline", "not scored", "better", "worse", "no evidence"]


def test_skill_stands_ensemble_first_then_the_baseline_then_the_others_by_name_and_horizon() -> None:
    rows = [(model, horizon) for model in ("zeta", "alpha", BASELINE, ENSEMBLE) for horizon in (2, 1)]
    scores = pd.DataFrame(rows, columns=["model_id", "horizon"]).assign(series_id="a", scale="log", relative_wis=1.0)
    scores[["relative_wis_lo", "relative_wis_hi", "p_holm"]] = float("nan")
    others = pd.concat([scores.assign(series_id="b"), scores.assign(scale="natural")])
    found = evaluation_view.skill_rows(pd.concat([scores, others]), "a", "log")
    assert list(zip(found["model_id"], found["horizon"], strict=True)) == [
        (model, horizon) for model in (ENSEMBLE, BASELINE, "alpha", "zeta") for horizon in (1, 2)
    ]


def test_where_a_test_of_drivers_comes_from_is_told_with_its_span_and_the_snapshot_s_beginning() -> None:
    test = {
        "panel": "P", "first_origin": "2019-01", "last_origin": "2024-06", "model": "M", "made_on": "2025-02-03",
        "panel_hash": "abc", "snapshot": "0123456789abcdef",
    }  # fmt: skip
    said = evaluation_view.origin_words(pd.DataFrame([test, {**test, "panel": "other"}]))
    assert said.startswith("Tested on P, forecasts made from January 2019 to June 2024; model M.")
    assert "data abc, snapshot 0123456789ab." in said
    assert evaluation_view.origin_words(pd.DataFrame([{"panel": "P"}])) == ""


def test_groups_are_drawn_of_the_kind_and_distance_asked_for_among_the_distances_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: dict[str, str] = {}
    offered: dict[str, list[str]] = {}

    def choice(name: str, options: Sequence[str], default: str) -> str:
        offered[name] = list(options)
        return asked.get(name, default)

    drawn = Mock()
    monkeypatch.setattr(evaluation_view, "st", MagicMock())
    monkeypatch.setattr(evaluation_view, "downloads", Mock())
    monkeypatch.setattr(evaluation_view, "state", SimpleNamespace(choice=choice, widget=lambda *_: {}))
    monkeypatch.setattr(evaluation_view, "reads", SimpleNamespace(drawn_once=drawn))

    def shown(steps: list[int], **choices: str) -> list[tuple[str, int]]:
        asked.clear()
        asked.update(choices)
        rows = pd.DataFrame([(kind, step) for kind in ("region", "citizen") for step in steps])
        evaluation_view.show_groups(cast(Night, Mock(frame=lambda _: rows.set_axis(["kind", "horizon"], axis=1))))
        return list(drawn.call_args.args[1].args[0].itertuples(index=False, name=None))

    assert shown([12, 2, 3, 1]) == [("region", 3)]
    assert offered["group_ahead"] == ["1", "3", "12"]
    assert shown([6, 1]) == [("region", 1)], "the nearest where there is no third month"
    assert shown([1, 6], group="citizen", group_ahead="6") == [("citizen", 6)]
