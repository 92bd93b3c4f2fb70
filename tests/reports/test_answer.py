"""An alert answers itself: months, chances, record, end, deadline, in both languages."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
import pytest

from core.languages import Language
from core.release import RELEASE
from core.schema import Entry
from core.settings import FEED
from reports import numbers
from reports.alert import alert_report
from reports.answer import (
    begins_words,
    came_true,
    consequences,
    decisions_title,
    end_words,
    ending,
    month_chances,
    months_of,
    needed_by,
    night_steps,
    not_counted,
    outcome,
    recipients_words,
)
from reports.names import subject_name

from .conftest import MakeRelease

ENGLISH = Language("en")


def surge(release: Any, **other: object) -> dict[str, Any]:  # noqa: ANN401  # a release of the fixture
    row = release.frame("alerts").iloc[0].to_dict()
    return {**row, "rule": "surge", "alert_level": "watch", "threshold": 1050.0, "probability": 0.4, **other}


def test_window_months_have_chances_on_same_paths(make_release: MakeRelease) -> None:
    release = make_release(1, 1)
    # Paths are 800, 900, 1000, 1100 and 1200 in each month: two of five reach 1050.
    found = month_chances(surge(release), release)
    assert [(str(end.to_period("M")), chance) for end, chance in found] == [
        ("2025-02", 0.4), ("2025-03", 0.4), ("2025-04", 0.4),
    ]  # fmt: skip


def test_fall_counts_paths_at_or_under_threshold(make_release: MakeRelease) -> None:
    release = make_release(1, 1)
    found = month_chances(surge(release, rule="fall", threshold=800.0), release)
    assert {chance for _end, chance in found} == {0.2}


def test_answer_states_each_month_and_end(make_release: MakeRelease) -> None:
    release = make_release(1, 1)
    assert months_of(surge(release), release, ENGLISH)[0] == ("February 2025", "40%")
    assert "ends once their chance is below the cut-off" in end_words(surge(release), ENGLISH)


def test_history_names_each_number_and_window(make_release: MakeRelease) -> None:
    row = surge(make_release(1, 1))
    moved = row | {"threshold": 2000.0, "first_period": "2025-03", "last_period": "2025-05", "probability": 0.5}
    days = [dt.date(2025, 1, day) for day in (1, 2, 3, 4)]
    nights = [
        (dt.datetime(2025, 1, day.day, tzinfo=dt.UTC), day, pd.DataFrame(rows, columns=list(row)), judged(row))
        for day, rows in zip(days, ([row], [row], [moved], []), strict=True)
    ]
    assert [(day, said) for _at, day, said in night_steps(nights, row, ENGLISH)] == [
        (days[0], "● Watch"),  # its number, months and chance stand in the alert
        (days[2], "● Watch · 2,000 a month, March–May 2025 · 50% · usually 39% · alert from 43%"),
        (days[3], "Ended, was Watch · 1,100 a month, March–May 2025 · 41% · usually 39% · alert from 43%"),
    ]


def test_recipients_are_counted_by_subscription() -> None:
    readers = [(FEED, FEED, "", "en"), ("desk", "post", "a@b.c", "fr"), ("desk", "post", "d@b.c", "fr")]
    assert recipients_words(readers, {"post": "email"}, ENGLISH) == [
        "Machines: CAP message and Atom feed, in every language", "desk: e-mail, 2 recipients, in French",
    ]  # fmt: skip


def test_exercise_says_that_nothing_is_sent() -> None:
    held = dt.datetime(2025, 2, 7, tzinfo=dt.UTC)
    assert consequences("a replay", held, ENGLISH)[0].startswith("Exercise: nothing leaves Vigie")
    assert "waits until 7 February 2025" in consequences("", held, ENGLISH)[0]
    assert "is sent at once" in consequences("", None, ENGLISH)[0]


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (
            dt.date(2025, 1, 31),
            ["decision needed by 28 February 2025: March 2025 is the first month at stake", "begins tomorrow"],
        ),
        (dt.date(2025, 2, 28), ["decision needed at once: March 2025 is the first month at stake", ""]),
        (dt.date(2025, 3, 1), ["", ""]),
    ],
)
def test_decision_is_needed_before_first_likely_month(make_release: MakeRelease, day: dt.date, said: list[str]) -> None:
    alert = surge(make_release(1, 1), likely_period="2025-03")
    assert [write(alert, day, ENGLISH) for write in (needed_by, begins_words)] == said


def test_alert_on_counted_month_has_no_deadline(make_release: MakeRelease) -> None:
    alert = surge(make_release(1, 1), rule="outside_95", likely_period="", first_period="2024-12")
    assert needed_by(alert, dt.date(2025, 1, 31), ENGLISH) == "no deadline: its month is counted already"


@pytest.mark.parametrize(
    ("counts", "came"),
    [
        ({"2025-02": 900.0, "2025-03": 1000.0}, True),
        ({"2025-02": 900.0, "2025-03": 999.0}, False),
        ({"2025-02": 1000.0}, True),
        ({"2025-02": 900.0}, None),
    ],
)
def test_alert_came_true_if_any_month_of_its_window_did(counts: dict[str, float], came: bool | None) -> None:  # noqa: FBT001  # a case
    alert = {"rule": "surge", "threshold": 1000.0, "first_period": "2025-02", "last_period": "2025-03"}
    ends = pd.PeriodIndex(list(counts), freq="M").to_timestamp(how="end")
    assert came_true(alert, pd.DataFrame({"end_date": ends, "obs_value": list(counts.values())})) is came


def test_alert_without_a_forecast_cannot_come_true() -> None:
    assert came_true({"rule": "outside_95", "threshold": 5.0}, pd.DataFrame()) is None


def judged(alert: dict[str, Any], **other: object) -> pd.DataFrame:
    """What the release says of the alert's event tonight, at another number and in later months."""
    now = {"probability": 0.41, "threshold": 1100.0, "first_period": "2025-03", "last_period": "2025-05"}
    return pd.DataFrame([{**alert, **now, **other}])[list(RELEASE["alert_chances"].columns)]


def test_ended_alert_names_what_ended_it_and_what_is_known_of_its_months(make_release: MakeRelease) -> None:
    release = make_release(1, 1)
    alert = surge(release, probability=0.6)
    # Two of five paths reach 1050 in every month.
    found = release.with_frame("alert_chances", judged(alert))
    then = ["Outcome known once April 2025 is counted.", "Nobody decided on it."]
    assert outcome(alert, found, [], ENGLISH) == [
        "Ended: new figures lowered the chance in those months from 60% to 40%; cut-off 43%.",
        "Each release judges the months then ahead: now 41% for 1,100 a month, March–May 2025; alert from 43%.",
        "The threshold follows the counts: 1,100 is 0.98 times 1,100, the mean of the twelve months to December 2024.",
        *then,
    ]
    assert outcome(alert, release, [], ENGLISH) == [
        "No such alert on the months judged now, February–April 2025.", *then,
    ]  # fmt: skip


LEFT = "40% chance that January 2025, not counted yet, reached 1,050"
NOT_COUNTED = f"{LEFT}. The months ahead need no alert: 41% for"


@pytest.mark.parametrize(
    ("cutoff", "limit", "why"),
    [
        (0.45, 1050.0, "Ended: new figures lowered the chance in those months from 60% to 40%; cut-off 45%."),
        (0.35, 1050.0, f"{NOT_COUNTED} 1,050 a month, March–May 2025; alert from 35%."),
        (0.15, 1100.0, f"{NOT_COUNTED} 1,100 a month, March–May 2025; alert from 15%."),
    ],
)
def test_ended_alert_gives_its_cause_and_what_is_not_counted(
    make_release: MakeRelease, cutoff: float, limit: float, why: str
) -> None:
    release = make_release(1, 1)
    alert = surge(release, probability=0.6, cutoff=cutoff, first_period="2025-01", last_period="2025-02")
    paths = release.frame("trajectories")
    # Two of five paths reach 1050 in January and one of them in later months.
    fewer = paths["output_type_id"].eq(paths["output_type_id"].max()) | paths["target_end_date"].lt("2025-02-01")
    paths = paths.assign(value=paths["value"].where(fewer, 0.0))
    found = release.with_frame("trajectories", paths).with_frame("alert_chances", judged(alert, threshold=limit))
    assert ending(alert, found, ENGLISH)[0] == why
    left = {"CMR": f"Central Mediterranean ({LEFT})"} if cutoff < 0.4 else {}
    assert not_counted(found.with_frame("ended_alerts", pd.DataFrame([alert])), ENGLISH) == left


def test_ended_alert_whose_months_are_counted_states_whether_it_happened(make_release: MakeRelease) -> None:
    release = make_release(1, 1)
    over = surge(release, first_period="2024-11", last_period="2024-12")
    signed = Entry("Ada", "signed off", str(over["alert_id"]), reason="yes")
    assert outcome(over, release, [signed], ENGLISH) == ["It happened.", "Signed off by Ada."]


@pytest.mark.parametrize(
    ("rule", "upper", "said"),
    [
        ("outside_95", 1500.0, "within the 100 to 1,500 expected before."),
        ("outside_95", 200.0, "averaged"),
        ("level_change", 1500.0, "averaged"),
    ],
)
def test_count_inside_its_interval_ends_alert(make_release: MakeRelease, rule: str, upper: float, said: str) -> None:
    release = make_release(1, 1)
    counts = numbers.series_of(release.frame("observations"), str(surge(release)["series_id"]))
    made = {"series_id": surge(release)["series_id"], "horizon": 1, "target_end_date": counts["end_date"].iloc[-1]}
    levels = pd.DataFrame({"output_type_id": [0.025, 0.5, 0.975], "value": [100.0, 150.0, upper]})
    release = release.with_frame("backtest", levels.assign(model_id="vigie-ensemble", output_type="quantile", **made))
    assert said in outcome(surge(release, rule=rule, first_period="2024-11"), release, [], ENGLISH)[0]


def test_title_names_what_waits_and_for_whom() -> None:
    waiting = [("A", "Severe"), ("B", "Watch, untested rule"), ("C", "Watch")]
    assert decisions_title(waiting, 4, ENGLISH, mine=True) == (
        "4 alerts need your sign-off: A (Severe), B (Watch, untested rule) and 1 more"
    )
    assert decisions_title(waiting[:1], 1, ENGLISH, mine=False) == "1 alert waits for sign-off: A (Severe)"
    assert decisions_title([], 0, ENGLISH, mine=True) == "Nothing waits for a decision"


def test_places_have_chances_of_release(make_release: MakeRelease) -> None:
    needs = pd.DataFrame(
        {"series_id": "reception.DEU._T.M", "factor": [1.0] * 4 + [2.0], "chance": [0.1, 0.2, 0.3, 0.4, 0.9],
         "time_period": ["2025-01", "2025-02", "2025-03", "2025-04", "2025-02"]}
    )  # fmt: skip
    release = make_release(1, 1).with_frame("reception_needs", needs)
    row = surge(
        release, rule="reception_full", route_id="reception.DEU", series_id="reception.DEU._T.M", threshold=1000.0
    )
    said = months_of(row, release, ENGLISH)
    assert said == [("February 2025", "20%"), ("March 2025", "30%"), ("April 2025", "40%")]
    assert alert_report(row, None, ENGLISH).event == "to need more places than 1,000"
    assert subject_name(row, {}, ENGLISH) == "Germany"
