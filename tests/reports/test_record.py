"""What Track record says of scores."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import cast

import pandas as pd
import pytest

from core.languages import Language
from core.schema import ALL
from forecasting import BASELINE, ENSEMBLE
from forecasting.verification import FEW, NARROW
from forecasting.verification.verdict import BETTER, NO_EVIDENCE, WORSE
from reports import ReadableRelease, record
from reports.skill import MARKS

NAN = float("nan")


@pytest.mark.parametrize(("ratio", "is_told"), [(0.969, True), (0.9998, False), (1.0, False), (float("nan"), False)])
def test_baseline_ratio_other_than_1_is_explained(ratio: float, is_told: bool) -> None:  # noqa: FBT001  # a case
    rows = pd.DataFrame({"model_id": [BASELINE, BASELINE, ENSEMBLE], "relative_wis": [1.0, ratio, 0.8]})
    assert ("cut at zero" in record.baseline_note(rows, Language())) == is_told


ENDS = pd.date_range("2025-01-31", periods=4, freq="ME")


class Scored:
    """A release of 31 January 2025 with the ensemble's verdicts on series, month by month from January."""

    as_of = dt.date(2025, 1, 31)

    def __init__(self, **better: list[bool]) -> None:
        series = {"T": ALL, "CMR": "arrivals.CMR._T._T.M", "EMR": "arrivals.EMR._T._T.M"}
        rows = [
            (series[name], step, 0.01 if is_better else 0.5, end)
            for name, verdicts in better.items()
            for step, (is_better, end) in enumerate(zip(verdicts, ENDS, strict=True), 1)
        ]
        frame = pd.DataFrame(rows, columns=["series_id", "horizon", "p_holm", "target_end_date"])
        frame = frame.assign(model_id=ENSEMBLE, scale="log", n=60, relative_wis=0.8)
        scores = frame.assign(relative_wis_lo=0.7, relative_wis_hi=0.9)
        self.frames = {"scores": scores, "forecasts": frame[frame["series_id"] != ALL]}

    def frame(self, name: str) -> pd.DataFrame:
        return self.frames[name]


def release(**better: list[bool]) -> ReadableRelease:
    return cast(ReadableRelease, Scored(**better))


YES, NO = [True] * 4, [False] * 4
SMALLER = "past forecast errors 20% smaller than by repeating the last count"


@pytest.mark.parametrize(
    ("route_id", "said"),
    [
        (ALL, f"Average over the routes: {SMALLER}, 1–4 months ahead; single months: not proven for Eastern"),
        ("CMR", f"Central Mediterranean: {SMALLER}, 1, 3–4 months ahead"),
        ("EMR", "Eastern Mediterranean: likely better than the baseline 1–4 months ahead"),
        ("WMR", "No past forecasts have been scored yet"),
    ],
)
def test_title_says_how_far_ahead_past_forecasts_were_better(route_id: str, said: str) -> None:
    scored = release(T=YES, CMR=[True, False, True, True], EMR=NO)
    assert record.title(scored, route_id, Language()).startswith(said)


def test_interval_below_1_without_proof_is_likely_better() -> None:
    grid = record.verdicts(release(T=YES, EMR=[True, False, False, True]))
    assert [MARKS[str(one)] for one in grid.loc["EMR"].to_numpy()] == ["✓", "◐", "◐", "✓"]


def test_month_1_is_named_by_newest_count() -> None:
    said = "Month 1 is the month after the newest count: January 2025 here (the nowcast, where its days are counted)."
    assert record.first_month_words(release(CMR=YES), "CMR", Language()) == said
    assert record.first_month_words(release(CMR=YES), "EMR", Language()) == ""


@pytest.mark.parametrize(
    ("route_id", "said"),
    [
        ("CMR", ["by 20% (200 a month)", "the last count repeated, by 3%."]),
        (ALL, ["by 18% (30 to 200 a month, by route)", "the last count repeated, by 4%."]),
        ("EMR", ["by 15% (30 a month)", "the last count repeated, by 10%."]),
    ],
)
def test_error_is_median_beside_last_count_repeated(route_id: str, said: list[str]) -> None:
    cmr, emr = "arrivals.CMR._T._T.M", "arrivals.EMR._T._T.M"
    rows = [(cmr, 3, 0, 1100.0), (cmr, 3, 1, 800.0), (cmr, 3, 2, 1300.0), (cmr, 1, 0, 9.0), (emr, 3, 0, 230.0)]
    backtest = pd.DataFrame(rows, columns=["series_id", "horizon", "end", "value"])
    origins = pd.date_range("2024-10-31", periods=3, freq="ME")[backtest["end"]]
    backtest = backtest.assign(target_end_date=ENDS[backtest["end"]], origin_date=origins, output_type_id=0.5)
    wide = backtest.assign(output_type_id=0.9, value=9e9)
    months = ["2024-10", "2024-11", "2024-12", "2025-01", "2025-02", "2025-03", "2024-10", "2025-01"]
    values = [970.0, 1020.0, 950.0, 1000.0, 1000.0, 1000.0, 180.0, 200.0]
    counts = pd.DataFrame({"series_id": [cmr] * 6 + [emr] * 2, "time_period": months, "obs_value": values})
    found = record.error_words(pd.concat([backtest, wide]), counts, route_id, Language())
    assert all(one in found for one in said)
    assert record.error_words(backtest, counts, "WMR", Language()) == ""


def test_live_record_leads_with_forecasts_judged() -> None:
    issued = pd.DataFrame({"wis_log": [0.3, 0.1], "reference_log": [0.5, 0.5], "covered_80": [True, False]})
    assert record.live_title(issued, Language()) == (
        "2 forecasts judged live: 0.40 of the baseline’s error, 50% inside the 80% interval"
    )
    assert record.live_title(issued.iloc[:0], Language()) == "No forecast has been judged live yet"


def test_span_of_past_forecasts_and_day_of_outcomes_are_named() -> None:
    rows = pd.DataFrame(
        {"series_id": "arrivals.CMR._T._T.M", "origin_date": pd.to_datetime(["2020-01-31", "2024-11-30"])}
    )
    release = cast("ReadableRelease", SimpleNamespace(frame={"backtest": rows}.__getitem__, as_of=dt.date(2025, 1, 31)))
    said = (
        "Past forecasts start at month ends, January 2020–November 2024. Outcomes are counts as known on 31 January "
        "2025, corrections included."
    )
    assert [record.span_words(release, one, Language()) for one in (ALL, "CMR", "EMR")] == [said, said, ""]


def test_pooled_record_says_on_which_routes() -> None:
    row = {"level": "watch", "route_id": "_T", "horizon": 0, "n_alerts": 20.0, "n_repeats": 1.0}
    rules: dict[str, dict[str, object]] = {
        "surge": {"n_no_onset": 6.0, "precision": 8 / 13, "base_rate": 0.25, "n_events": 10, "recall": 0.8},
        "fall": {"n_no_onset": 17.0, "precision": 0.5, "base_rate": 0.4, "n_events": 3, "recall": 1 / 3},
        "record_12": {"precision": NAN, "base_rate": 0.25, "n_events": 2, "recall": 0.0},
        "nationality_shift": {"precision": 0.5, "base_rate": 0.25},
        "origin_context": {"precision": 0.5, "level": "information", "base_rate": 0.25},
    }
    lines = [{"rule": rule, **row, **more} for rule, more in rules.items()]
    table = pd.DataFrame([*lines, *({**line, "route_id": code} for line in lines for code in ("CMR", "EMR"))])
    said = (
        "9 of 15 Watch alerts on months ahead came true at past dates (60%; by chance 27%); 6 of 15 events were "
        "missed. Left out, as repeats or on events already under way: 25."
    )
    words = [record.watch_words(table, one, Language()) for one in (ALL, "CMR")]
    assert words == [f"All rules together, on all routes: {said}", f"All rules together: {said}"]


@pytest.mark.parametrize(
    ("model_id", "interval", "verdict", "words"),
    [
        ("vigie-ets", (0.9, 0.8, 0.95), BETTER, "better than the baseline"),
        ("vigie-ets", (0.9, 0.8, 1.1), NO_EVIDENCE, "no sign of beating the baseline"),
        ("vigie-ets", (1.2, 1.1, 1.3), WORSE, "worse than the baseline"),
        ("vigie-ets", (NAN, NAN, NAN), NO_EVIDENCE, "not scored"),
        ("vigie-baseline", (1.0, NAN, NAN), NO_EVIDENCE, "the baseline"),
    ],
)
def test_verdict_in_words(model_id: str, interval: tuple[float, float, float], verdict: str, words: str) -> None:
    names = ("relative_wis", "relative_wis_lo", "relative_wis_hi")
    row = {"model_id": model_id, "verdict": verdict, **dict(zip(names, interval, strict=True))}
    assert record.row_verdict(row, Language()) == words


def groups(marks: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "kind": "citizen", "route_id": "EMR", "geo": ["_T", "GRC", "_T"], "group": ["SYR", "AFG", "IRQ"],
            "relative_wis": [0.8, 1.2, 0.9], "relative_wis_lo": 0.7, "relative_wis_hi": [1.0, 1.3, 1.1],
            "bias": [-0.25, 0.5, 0.0], "coverage_80": [0.8, 0.6, 0.75], "n": [40, 30, 9], "mark": marks,
        }
    )  # fmt: skip


def test_groups_served_worse_are_named_and_counted() -> None:
    said = record.groups_finding(groups(["", WORSE, FEW]), Language())
    assert said.startswith("Forecasts are less accurate for 1 of 2 groups: Eastern Mediterranean ")
    assert "Greece" in said
    assert "Syria" not in said
    assert "2 of 3 groups" in record.groups_finding(groups([NARROW, WORSE, ""]), Language())
    assert record.groups_finding(groups(["", "", FEW]), Language()).startswith("No group of 2 is worse")


def test_skill_rows_begin_with_ensemble_and_baseline() -> None:
    rows = [(model, horizon) for model in ("zeta", "alpha", BASELINE, ENSEMBLE) for horizon in (2, 1)]
    scores = pd.DataFrame(rows, columns=["model_id", "horizon"]).assign(series_id="a", scale="log", relative_wis=1.0)
    scores[["relative_wis_lo", "relative_wis_hi", "p_holm"]] = float("nan")
    others = pd.concat([scores.assign(series_id="b"), scores.assign(scale="natural")])
    found = record.skill_rows(pd.concat([scores, others]), "a", "log", Language())
    assert list(zip(found["model_id"], found["horizon"], strict=True)) == [
        (model, horizon) for model in (ENSEMBLE, BASELINE, "alpha", "zeta") for horizon in (1, 2)
    ]


def test_counts_stand_beside_forecasts_made_three_months_before() -> None:
    months, series_id = ["2024-11", "2024-12"], "arrivals.CMR._T._T.M"
    rows = [
        (series_id, end, horizon, level, value * horizon)
        for end in pd.to_datetime(["2024-11-30", "2024-12-31", "2025-01-31"])
        for horizon in (1, 3)
        for level, value in ((0.1, 10.0), (0.5, 20.0), (0.9, 30.0))
    ]
    columns = ["series_id", "target_end_date", "horizon", "output_type_id", "value"]
    backtest = pd.DataFrame(rows, columns=columns).assign(model_id=ENSEMBLE, output_type="quantile")
    counts = pd.DataFrame({"series_id": series_id, "time_period": months, "obs_value": [90.0, 91.0], "obs_flag": ""})
    judged = Scored(CMR=YES)
    totals = judged.frames["scores"].head(1).assign(n=120, coverage_80=0.66)
    judged.frames |= {"backtest": backtest, "observations": counts, "total_scores": totals}
    both = record.said_and_counted(cast(ReadableRelease, judged), "CMR")
    assert both[["q10", "q50", "q90", "obs_value"]].to_numpy().tolist() == [[30, 60, 90, 90], [30, 60, 90, 91]]
    said = "Central Mediterranean: 1 of 2 counts (50%) fell inside the 80% interval forecast 3 months ahead"
    assert record.said_title(both, "CMR", Language()) == said
    said = (
        "Past three-month totals: 79 of 120 lay in the 80% interval, 66% (target 80%). Errors −20% against the last "
        "count repeated: better. Single months: 50% (3 months ahead)."
    )
    assert record.held_words(cast(ReadableRelease, judged), "CMR", Language()) == said
    assert record.held_words(cast(ReadableRelease, judged), "EMR", Language()) == ""
