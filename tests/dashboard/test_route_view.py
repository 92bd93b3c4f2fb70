"""How far a forecast beats the baseline, and which months are shown."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pandas as pd
import pytest

from dashboard import evaluation_view, reads, record_view, route_view, scenario_state, skill_map
from dashboard.charts.bars import week_alt, week_chart
from dashboard.route_view import skill_span, spaced
from dashboard.theme import LIGHT
from decisions.judgements import LARGEST
from forecasting import BASELINE, ENSEMBLE
from forecasting.verification.verdict import BETTER, NO_EVIDENCE, WORSE
from reports import numbers
from tests.golden import check_golden

from .conftest import AS_OF, alert, make_scores, publish, usual_frames
from .shown import drawn
from .test_pages import GOLDEN

EMR = "arrivals.EMR._T._T.M"
NAN = float("nan")


def test_better_than_the_baseline_needs_the_whole_interval_below_one() -> None:
    better = numbers.better_than_baseline(make_scores(), EMR)
    assert better[1]
    assert not better[8]  # its ratio is below 1, its interval is not


def test_warnings_that_came_true_are_counted_among_those_that_tell_for_or_against_and_context_is_none() -> None:
    class Recorded:
        def frame(self, name: str) -> pd.DataFrame:
            if name == "scores":
                return make_scores()
            row = {"level": "watch", "route_id": "_T", "horizon": 0, "n_alerts": 20.0, "n_repeats": 1.0}
            others = {"n_no_onset": 6.0, "precision": 8 / 13}
            rules = {"surge": others, "record_12": {"precision": np.nan}, "origin_context": {"precision": 0.5}}
            return pd.DataFrame([{"rule": rule, **row, **more} for rule, more in rules.items()])

    said = skill_map.sentences(cast(reads.Night, Recorded()), skill_map.verdicts(make_scores()))
    assert said[-1] == "Of 13 warnings at past dates 8 came true, all rules together."


def test_at_a_past_origin_scores_are_those_of_the_ensemble_and_the_baseline_in_the_months_shown_that_were_counted() -> (
    None
):
    rows = [
        (model, series, origin, horizon, np.nan if horizon == 2 else float(horizon))
        for model in (ENSEMBLE, BASELINE, "vigie-ets")
        for series in (EMR, "arrivals.CMR._T._T.M")
        for origin in pd.to_datetime(["2024-05-31", "2024-06-30"])
        for horizon in (1, 2, 3, 4)
    ]
    replays = pd.DataFrame(rows, columns=["model_id", "series_id", "origin_date", "horizon", "wis"])
    night = cast(reads.Night, SimpleNamespace(frame=lambda _name: replays))
    found = route_view.scores_then(night, EMR, "2024-06-30", 3, pd.DataFrame())
    assert found.to_numpy().tolist() == [[ENSEMBLE, 1, 1.0], [ENSEMBLE, 3, 3.0], [BASELINE, 1, 1.0], [BASELINE, 3, 3.0]]


@pytest.mark.parametrize(
    ("better", "span"),
    [
        ({1: True, 2: True, 3: False, 4: True}, (1, 2)),
        ({1: False, 2: True, 3: True, 6: True}, (2, 6)),
        ({1: True, 3: True}, (1, 3)),
        ({1: False}, (1, 0)),
        ({1: True, 2: False, 3: True}, (1, 1)),
        ({1: False, 2: True, 3: False, 4: True}, (2, 2)),
        ({1: True, 2: False, 4: True, 5: True, 6: True, 7: False, 8: True, 9: True}, (4, 6)),
        ({3: True, 2: True, 1: False}, (2, 3)),
        ({2: True, 3: True, 6: False, 7: True, 10: True}, (7, 10)),
        ({}, None),
    ],
)
def test_skill_is_the_longest_stretch_without_a_gap(better: dict[int, bool], span: tuple[int, int] | None) -> None:
    assert skill_span(better) == span


@pytest.mark.parametrize(
    ("months", "count", "horizons"),
    [
        (12, 4, [3, 6, 9, 12]),
        (3, 4, [1, 2, 3]),
        (6, 3, [2, 4, 6]),
        (7, 3, [3, 5, 7]),
        (11, 4, [5, 7, 9, 11]),
        (9, 3, [3, 6, 9]),
        (0, 3, []),
    ],
)
def test_chances_are_shown_at_even_distances_up_to_the_last_month(months: int, count: int, horizons: list[int]) -> None:
    chances = pd.DataFrame({"horizon": range(1, months + 1)})
    assert spaced(chances, count)["horizon"].tolist() == horizons


@pytest.mark.parametrize(
    ("model_id", "ratio", "verdict", "words"),
    [
        ("vigie-ets", 0.9, BETTER, "better"),
        ("vigie-ets", 0.9, NO_EVIDENCE, "no evidence"),
        ("vigie-ets", 1.2, WORSE, "worse"),
        ("vigie-ets", np.nan, NO_EVIDENCE, "not scored"),
        ("vigie-baseline", 1.0, NO_EVIDENCE, "the baseline"),
    ],
)
def test_the_evaluation_page_words_the_verdict(model_id: str, ratio: float, verdict: str, words: str) -> None:
    assert evaluation_view.verdict_words(model_id, ratio, verdict) == words


@pytest.mark.slow
def test_the_chance_that_any_month_exceeds_a_number_is_counted_on_joint_paths() -> None:
    ends, paths = numbers.window_ends(AS_OF), usual_frames(None)["trajectories"]
    one, all_three = (numbers.chance_of_any(paths, "arrivals.EMR._T._T.M", some, 1500.0) for some in (ends[:1], ends))
    assert one is not None and all_three is not None and 0 < one <= all_three <= 1
    assert numbers.chance_of_any(paths, "arrivals.EMR._T._T.M", [*ends, pd.Timestamp("2031-01-31")], 1500.0) is None


def test_what_merely_informs_colours_no_route_and_opens_no_page(home: Path) -> None:
    told = alert("watch", "CMR", rule="origin_context", probability=np.nan, threshold=np.nan)
    publish(home, alerts=pd.DataFrame([told, alert("watch", "WAR")]))
    night = reads.nights()[0]
    assert route_view.build(night, "CMR", "", 12, None).alert is None
    assert route_view.build(night, "WAR", "", 12, None).alert is not None
    assert route_view.routes_of(night)[1] == "WAR"


def test_no_number_to_begin_with_is_larger_than_one_that_may_be_typed() -> None:
    counted = pd.DataFrame({"obs_value": [400.0] * 12})
    crowd = counted * 100_000
    assert [route_view.usual_threshold([], history) for history in (counted, crowd)] == [600.0, LARGEST]
    assert route_view.usual_threshold([{"threshold": np.nan}, {"threshold": 5854.5}], crowd) == 5855.0
    assert route_view.usual_threshold([{"rule": "capacity", "threshold": 5854.5}], crowd) == 5854.0


def test_a_scenario_of_many_millions_begins_with_a_number_that_its_field_takes(home: Path) -> None:
    publish(home)
    night = reads.nights()[0]
    paths = night.frame("trajectories")

    class Crowded:
        as_of = night.as_of

        def frame(self, name: str) -> pd.DataFrame:
            return paths.assign(value=paths["value"] * 1e5) if name == "trajectories" else night.frame(name)

    known = scenario_state.levers(cast(reads.Night, Crowded()), "CMR", ["CMR"])
    assert known["if_value"].takes(known["if_value"].default)


def test_weeks_are_drawn_as_the_golden_chart_counted_ones_as_bars_and_those_to_come_as_intervals() -> None:
    ends = pd.date_range("2024-11-03", periods=13, freq="W")
    counted = pd.DataFrame({"target_end_date": ends[:8], "value": [100.0 + 20 * place for place in range(8)]})
    ahead = pd.DataFrame(
        {"target_end_date": ends[8:], "so_far": [60.0, 0.0, 0.0, 0.0, 0.0]}
        | {f"q{level}": [level * (3.0 + place / 4) for place in range(5)] for level in (10, 25, 50, 75, 90)}
    )
    lines = [*drawn(week_chart(counted, ahead, theme=LIGHT).to_json()), week_alt(ahead)]
    check_golden(GOLDEN / "weeks.txt", lines)


@pytest.mark.parametrize(
    ("quartiles", "said"),
    [
        ((1.0, 2.0, 3.5), "2 (1–3.5)"), ((NAN, 2.0, 3.0), "2"), ((1.0, 2.0, NAN), "2"), ((1.0, NAN, 3.0), "–"),
    ],
)  # fmt: skip
def test_the_lead_of_warnings_has_its_quartiles_where_both_are_known(
    quartiles: tuple[float, float, float], said: str
) -> None:
    names = ("lead_months_q25", "lead_months_median", "lead_months_q75")
    assert record_view._quartiles(dict(zip(names, quartiles, strict=True))) == said


@pytest.mark.parametrize(
    ("rule", "cutoff", "said"), [("surge", 0.3, "30%"), ("compare.always", 0.305, "0.31"), ("surge", NAN, "–")]
)
def test_the_cut_off_of_a_rule_is_a_chance_and_that_of_a_comparison_a_number(
    rule: str, cutoff: float, said: str
) -> None:
    assert record_view._cutoff({"rule": rule, "cutoff": cutoff}) == said


def test_a_documented_rise_has_a_chance_for_each_month_before_it_and_the_first_alert_that_was_given() -> None:
    about = {"title": "A rise", "what": "Boats.", "url": "https://a"}
    said = [(step, 0.1 * step, "warning" if step in {2, 4} else "", step == 1) for step in range(1, 7)]
    rises = pd.DataFrame(
        [
            {
                **about, "event_id": "a", "basis": "arrivals", "horizon": step, "chance": chance, "level": level,
                "origin": f"2024-0{7 - step}", "came": came,
            }
            for step, chance, level, came in said
        ]
        + [{**about, "event_id": "b", "basis": "", "horizon": 0, "chance": NAN, "level": "", "origin": "", "came": NAN}]
    )  # fmt: skip
    told, untold = record_view.rises_table(rises).astype(str).to_numpy().tolist()
    chances = ["60%", "50%", "40% ▲", "30%", "20% ▲", "10%"]
    assert told == ["A rise", *chances, "March 2024", "far above the mean", "arrivals", "https://a", "Boats."]
    assert untold == ["A rise", *["–"] * 6, "none", "–", "no figures", "https://a", "Boats."]


def test_the_planning_windows_months_are_all_shown_and_three_later_ones() -> None:
    ends = pd.date_range("2025-01-31", periods=12, freq="ME")
    shown = route_view.window_and_later(pd.DataFrame({"target_end_date": ends}), list(ends[1:4]))
    assert [end.month for end in shown["target_end_date"]] == [2, 3, 4, 8, 10, 12]


def test_earlier_forecasts_are_those_of_every_sixth_month_back_over_the_months_counted_since() -> None:
    newest = pd.Timestamp("2024-12-31")
    origins = [newest - pd.offsets.MonthEnd(back) for back in range(40)]
    past = pd.DataFrame(
        [
            (origin, horizon, origin + pd.offsets.MonthEnd(horizon), "quantile", level, 100.0 * level)
            for origin in origins
            for horizon in range(1, 13)
            for level in (0.1, 0.25, 0.5, 0.9)
        ],
        columns=["origin_date", "horizon", "target_end_date", "output_type", "output_type_id", "value"],
    )
    found = route_view.earlier_forecasts(past, newest)
    by_origin = found.groupby("origin_date")["target_end_date"].agg(["count", "max"])
    assert by_origin.index.tolist() == [origins[24], origins[18], origins[12], origins[6]]
    assert by_origin["count"].tolist() == [6, 6, 6, 6]
    assert by_origin["max"].tolist() == [origins[18], origins[12], origins[6], newest]
    assert found[["q10", "q50", "q90"]].drop_duplicates().to_numpy().tolist() == [[10.0, 50.0, 90.0]]
    cut = route_view.earlier_forecasts(past, newest - pd.offsets.MonthEnd(3))
    assert cut["target_end_date"].max() == newest - pd.offsets.MonthEnd(3)


def test_a_running_month_is_told_where_its_nowcast_took_the_forecasts_place() -> None:
    day = pd.Timestamp("2025-01-20")
    levels = {"output_type_id": [0.1, 0.5, 0.9], "value": [10.0, 20.0, 40.0]}
    rows = pd.DataFrame({"series_id": "a", "target_end_date": day, "last_day": day, "so_far": 7.0, **levels})
    used, unused = rows.assign(used=True), rows.assign(used=False, series_id="b")
    found = route_view.running_month(pd.concat([unused, used]), "a").to_dict("records")
    assert found == [{"target_end_date": day, "last_day": day, "so_far": 7.0, "q10": 10.0, "q50": 20.0, "q90": 40.0}]
    assert route_view.running_month(pd.concat([unused, used]), "b").empty


@pytest.mark.parametrize(("editions", "number"), [(None, 1), ([1.0, 4.0], 4), ([1.0, 1.0], 1)])
def test_editions_of_a_route_are_one_where_a_release_does_not_say(editions: list[float] | None, number: int) -> None:
    routes = pd.DataFrame({"route_id": ["CMR", "CMR"]})
    routes = routes if editions is None else routes.assign(editions=editions)
    assert route_view.editions_of(routes, "CMR") == number
