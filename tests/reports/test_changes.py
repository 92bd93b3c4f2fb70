"""A release is compared with the one before it once, by route."""

from __future__ import annotations

import datetime as dt
import json

import pandas as pd
import pytest

from alerts.lifecycle import State
from core.languages import Language
from reports import Decisions, LoadedRelease
from reports.changes import Figure, Move, change_since, change_words, changes, move_words, moved_words, new_counts
from reports.numbers import Expected
from reports.overview import cards, facts, overview_title

from .conftest import MakeRelease, alert_row, record_of_rules

ENGLISH = Language("en")


def frame(*rows: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(alert_row(0, ["CMR"])))


WATCH, SEVERE, WARNING = alert_row(2, ["CMR"]), alert_row(0, ["CMR"]), alert_row(1, ["CMR"])


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (frame(SEVERE), "down from Severe (then 5,000 a month, February–April 2025)"),
        (frame(SEVERE | {"threshold": WATCH["threshold"]}), "down from Severe"),
        (frame(WATCH), "unchanged"),
        (frame(), "new"),
        (frame(alert_row(0, ["EMR"])), "new"),
        (None, "new"),
    ],
)
def test_gravest_alert_of_route_is_compared_with_gravest_before(before: pd.DataFrame | None, words: str) -> None:
    assert change_words(change_since(WATCH, frame(WATCH), before, record_of_rules(1)), ENGLISH) == words


def test_without_release_before_alert_says_itself_how_it_moved() -> None:
    change = change_since({**WATCH, "change": "up"}, frame(WATCH), None, record_of_rules(1))
    assert change_words(change, ENGLISH) == "moved up"


@pytest.mark.parametrize(
    ("status", "signed_only", "announced", "is_compared"),
    [
        ("", False, False, True),
        ("signed off", False, False, True),
        ("dismissed", False, True, False),  # it stands, and is not shown
        ("signed off", True, False, True),
        ("acknowledged", True, False, True),
        ("", True, True, False),
        ("ended", False, False, True),  # it stands no more
        ("ended", True, True, True),
        ("ended", True, False, False),  # never announced outside
    ],
)
def test_alerts_are_compared_with_those_before(
    status: str,
    signed_only: bool,  # noqa: FBT001  # a case
    announced: bool,  # noqa: FBT001  # as above
    is_compared: bool,  # noqa: FBT001  # as above
) -> None:
    name = str(WATCH["alert_id"])
    states = {} if status in {"", "ended"} else {name: State(status)}
    decisions = Decisions(states, frozenset([name] if announced else []), signed_only=signed_only)
    before, now = frame(WATCH, alert_row(5, ["EMR"])), frame(*([] if status == "ended" else [WATCH]))
    kept = decisions.shown_before(before.set_index(pd.Index([7, 8])), now)
    assert (name in set(kept["alert_id"])) == is_compared


def test_title_card_and_list_report_same_change(make_release: MakeRelease) -> None:
    now = make_release(1, 3).with_frame("alerts", frame(WATCH)).with_frame("ended_alerts", frame(SEVERE))
    former = make_release(1, 0).with_frame("alerts", frame(SEVERE))
    summary = pd.DataFrame({"route_id": ["CMR"], "level": ["watch"], "state": ["ok"]})
    alerts, before = now.frame("alerts"), former.frame("alerts")
    title = overview_title(alerts, before, frame(), summary, now.frame("track_record"), ENGLISH)
    assert title == "Central Mediterranean moves down to Watch"
    assert [card.change for card in cards(now, former, summary, ENGLISH)] == [
        "down from Severe (then 5,000 a month, February–April 2025)"
    ]
    counted = now.with_frame("alerts", frame(WATCH | {"rule": "outside_95", "probability": float("nan")}))
    assert cards(counted, None, summary, ENGLISH)[0].record == "reports what is known: no track record"
    assert changes(now, former, ENGLISH) == ["Central Mediterranean: from Severe to Watch"]
    now, near, far = (now.with_frame("alerts", frame(WATCH | {"probability": one})) for one in (0.5, 0.46, 0.44))
    said = "Central Mediterranean: chance to pass 5,002 a month from 44% to 50%"
    assert [changes(now, former, ENGLISH) for former in (near, far)] == [[], [said]]


def test_month_that_closed_stands_beside_what_was_expected(make_release: MakeRelease) -> None:
    now, former = make_release(1, 0), make_release(1, 0)
    counted = now.frame("observations")
    former = former.with_frame("observations", counted[counted["time_period"] < "2024-12"])
    expected = "Counted in December 2024: Central Mediterranean 1,161 (1,400 expected on 30 Nov 2024)"
    assert new_counts(now, former, ENGLISH) == [expected]
    nowcast = pd.DataFrame({
        "series_id": ["arrivals.CMR._T._T.M"], "target_end_date": pd.Timestamp("2024-12-31"), "output_type_id": 0.5,
        "value": 1220.0,
        "last_day": pd.Timestamp("2024-12-29"), "used": True,
    })  # fmt: skip
    (said,) = new_counts(now, former.with_frame("nowcasts", nowcast), ENGLISH)
    assert said.endswith("1,161 (1,400 expected on 30 Nov 2024; estimate of 29 Dec 2024: 1,200)")


def of_release(release: LoadedRelease, **steps: float) -> LoadedRelease:
    """The release with the same steps of every route's total."""
    rows = [
        (series_id, pd.Timestamp("2025-04-30"), "total", step.replace("_from_", ":"), value)
        for series_id in release.frame("trajectories")["series_id"].unique()
        for step, value in steps.items()
    ]
    columns = ["series_id", "target_end_date", "quantity", "step", "value"]
    return release.with_frame("attribution", pd.DataFrame(rows, columns=columns))


SOURCES = {"iom_dtm": {"publisher": "IOM, Displacement Tracking Matrix"}, "italy_interior": {"publisher": "Ministry"}}
FIGURES = {
    "iom_dtm": Figure(pd.Timestamp("2024-12-31"), 3163.0, is_counted=True, before=2194.0, was_estimated=True),
    "italy_interior": Figure(pd.Timestamp("2025-01-31"), 3700.0, is_counted=False, before=2337.0, was_estimated=False),
}


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (
            {"counts:iom_dtm": 1500.0, "counts:italy_interior": 2400.0, "refit": 69.0},
            "up from 8,500; mostly (+2,400) because of January 2025: 3,700 estimated, 2,300 forecast (Ministry)",
        ),
        (
            {"counts:iom_dtm": 1500.0, "counts:italy_interior": -400.0},
            "up from 11,400; mostly (+1,500) because of December 2024: 3,163 counted, 2,200 estimated before (IOM)",
        ),
        (
            {"revisions:iom_dtm": -700.0, "counts:other": -400.0, "model": 800.0},
            "down from 12,800; mostly (−700) because of revised figures (IOM)",
        ),
        (
            {"counts:x": 6049.0, "refit": -160.0, "model": -130.0},
            "up from 6,700; mostly (+6,100) because of new figures (x)",
        ),
        ({"counts:iom_dtm": -500.0}, "down from 13,000; mostly (−500) because of new figures to December 2024 (IOM)"),
        (
            {"counts:x": 400.0, "revisions:iom_dtm": 300.0, "refit": 300.0},
            "up from 11,500; partly (+400) because of new figures (x)",
        ),
        (
            {"counts:other": 800.0, "refit": -800.0},
            "as in the release before; mostly (+800) because of new figures (other)",
        ),
    ],
)  # fmt: skip
def test_move_states_largest_step_that_leads_there(steps: dict[str, float], said: str) -> None:
    before = 12_500 - sum(steps.values())
    now, then = (Expected(value, value - 7000, value + 7000) for value in (12_500, before))
    move = Move("CMR", dt.date(2024, 12, 31), then, now, steps, FIGURES)
    assert sum(move.seen().values()) == move.written
    assert move_words(move, SOURCES, ENGLISH) == f"Central Mediterranean: 12,500, {said}"


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (5100.0, 12_100.0, "12,500, up from 8,500, above the former 80% interval (5,100 to 12,100)"),
        (5100.0, 12_500.0, "12,500, up from 8,500"),
        (13_000.0, 14_000.0, "12,500, up from 8,500, below the former 80% interval (13,000 to 14,000)"),
    ],
)
def test_move_beyond_former_interval_is_said(low: float, high: float, said: str) -> None:
    now, then = Expected(12_500, 8800, 16_800), Expected(8500, low, high)
    assert moved_words(Move("CMR", dt.date(2024, 12, 31), then, now, {}, {}), ENGLISH) == said


def test_fact_about_two_routes_is_said_once() -> None:
    reason = json.dumps({"citizen": "SYR", "share": 0.2, "value": 1736.0})
    about = {"alert_level": "information", "reason_key": "origin_conflict_deaths", "prepare_from": float("nan")}
    alerts = pd.DataFrame([alert_row(number, ["CMR", "EMR"], reason_params=reason, **about) for number in (0, 1)])
    said = "Syria: 1,736 conflict deaths in 3 months, the highest in 3 years"
    assert facts(alerts, {}, ENGLISH) == [f"{said} (Central Mediterranean, Eastern Mediterranean)"]


def test_changes_lead_with_largest_move(make_release: MakeRelease) -> None:
    now, former = of_release(make_release(2, 0), refit=0.0, model=0.0), make_release(2, 0)
    rows = now.frame("attribution")
    rows.loc[rows["step"] == "refit", "value"] = [200.0, -900.0]
    assert [text.partition(":")[0] for text in changes(now, former, ENGLISH)] == [
        "Eastern Mediterranean", "Central Mediterranean",
    ]  # fmt: skip


def test_sum_of_routes_follows_largest_move(make_release: MakeRelease) -> None:
    now, former = of_release(make_release(2, 0), refit=-200.0, model=0.0), make_release(2, 0)
    paths = former.frame("trajectories")
    more = former.with_frame("trajectories", paths.assign(value=paths["value"] * 2))
    assert changes(now, more, ENGLISH)[1].startswith("2 routes together: 9,000, down from 18,000, below the former 80%")


def test_move_names_month_that_former_release_lacked(make_release: MakeRelease) -> None:
    now, former = of_release(make_release(1, 0), **{"counts_from_vigie-routes": -1000.0}), make_release(1, 0)
    rows = former.frame("observations")
    added = rows.tail(1).assign(time_period="2025-01", obs_value=1234.0)
    grown = now.with_frame("observations", pd.concat([rows, added], ignore_index=True))
    assert "January 2025: 1,234 counted, 2,000 forecast" in changes(grown, former, ENGLISH)[0]
    partly = grown.with_frame("observations", pd.concat([rows, added.assign(obs_flag="e")], ignore_index=True))
    assert "January 2025: 1,234 estimated, 2,000 forecast" in changes(partly, former, ENGLISH)[0]


def test_running_month_is_named_by_its_nowcast(make_release: MakeRelease) -> None:
    now, former = of_release(make_release(1, 0), **{"counts_from_daily": -1000.0}), make_release(1, 0)
    rows = former.frame("observations")
    added = rows.tail(1).assign(
        source_id="daily", freq="D", time_period="2025-01-29", series_id="arrivals.CMR.ITA._T.D"
    )
    nowcast = pd.DataFrame({
        "series_id": "arrivals.CMR._T._T.M", "target_end_date": pd.Timestamp("2025-01-31"), "so_far": 900.0,
        "last_day": pd.Timestamp("2025-01-29"), "output_type_id": [0.1, 0.5, 0.9], "value": [950.0, 1010.0, 1090.0],
        "used": True,
    })  # fmt: skip
    grown = now.with_frame("observations", pd.concat([rows, added], ignore_index=True))
    said = changes(grown.with_frame("nowcasts", nowcast), former, ENGLISH)[0]
    assert said.endswith("mostly (−1,000) because of January 2025: 1,000 estimated, 2,000 forecast (daily)")
