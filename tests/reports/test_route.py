"""What the Overview and the Route page say about routes."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import cast

import pandas as pd
import pytest

from core.languages import Language
from core.routes import ROUTES
from reports.numbers import Expected
from reports.overview import overview_title
from reports.route import (
    RouteForecast,
    absent_words,
    fallback_words,
    key_numbers,
    running_words,
    skill_words,
    without_forecast,
)
from reports.route import title as route_title

from .conftest import alert_row, record_of_rules

ENGLISH = Language("en")


def frame(*rows: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(alert_row(0, ["CMR"])))


def title(alerts: pd.DataFrame, levels: list[str], states: list[str] | str = "ok", *, ended: bool = False) -> str:
    gone = frame(alert_row(0, ["CMR"])) if ended else frame()
    summary = pd.DataFrame({"level": levels, "state": states})
    return overview_title(alerts, None, gone, summary, record_of_rules(9), ENGLISH)


UP = alert_row(0, ["EMR"], change="up")


def test_title_counts_quiet_routes() -> None:
    assert title(frame(UP), ["severe", "", "", ""]) == (
        "Eastern Mediterranean moves up to Severe; 3 other routes are quiet"
    )


def test_route_without_forecast_is_not_called_quiet() -> None:
    assert title(frame(UP), ["severe", "", ""], ["ok", "too_old", "ok"]) == (
        "Eastern Mediterranean moves up to Severe; no forecast for 1 route"
    )


def test_title_names_two_gravest_routes_whatever_order_of_alerts() -> None:
    mild = [alert_row(2, [route_id]) for route_id in list(ROUTES)[2:]]
    many = frame(*mild, alert_row(1, ["EMR"]), alert_row(0, ["CMR"]))
    assert title(many, [""] * 9).startswith(
        "Central Mediterranean: new alert, Severe; Eastern Mediterranean: new alert, Warning"
    )
    assert title(many, ["watch"] * 9).count(";") == 1


def test_untested_rule_leads_no_title() -> None:
    both = frame(alert_row(9, ["CMR"]), alert_row(1, ["EMR"]))
    assert title(both, [""] * 9).startswith(
        "Eastern Mediterranean: new alert, Warning; Central Mediterranean: new alert, Severe, untested rule"
    )


def test_no_alert_is_said_as_plainly_as_alert() -> None:
    assert title(frame(), [""]) == "No alert is open on any route"
    assert title(frame(), [""], ended=True) == "No alert is open on any route; the last ones have ended"


def test_route_without_forecast_says_how_far_its_figures_go() -> None:
    assert without_forecast({"route_id": "BSR", "last_period": "2024-01"}, ENGLISH) == (
        "Black Sea: latest data January 2024, too old for a current forecast."
    )
    assert without_forecast({"route_id": "BSR", "last_period": ""}, ENGLISH) == "Black Sea: no figures, so no forecast."


def test_routes_without_open_figures_are_named() -> None:
    said = absent_words(["CMR"], ENGLISH)
    assert said.startswith("No forecast, since monthly figures may not be passed on: ") and "Western Balkan" in said
    assert "Eastern Mediterranean" not in said
    assert absent_words(list(ROUTES), ENGLISH) == ""


def past_and_ahead(**other: object) -> RouteForecast:
    """A route as known on 10 January 2025: December is counted, January runs, and so on."""
    ends = pd.to_datetime(["2025-01-31", "2025-02-28"])
    quantiles = pd.DataFrame({0.1: [100.0, 1000.0], 0.5: [200.0, 2000.0], 0.9: [300.0, 3000.0]}, index=ends)
    counted = pd.DataFrame({
        "time_period": ["2023-12", "2024-12"], "obs_value": [700.0, 800.0], "obs_flag": ["", "p"],
        "end_date": pd.to_datetime(["2023-12-31", "2024-12-31"]),
    })  # fmt: skip
    usual: dict[str, object] = {
        "route_id": "CMR", "origin": "", "known_on": dt.date(2025, 1, 10), "history": counted,
        "summary": {"route_id": "CMR", "state": "ok", "expected": 6000.0, "low": 3000.0, "high": 9000.0,
                    "last_period": "2024-12", "verdicts": {}},
        "running": pd.DataFrame({"so_far": [50.0]}),
        "quantiles": quantiles.assign(horizon=[1, 2]), "expected_before": Expected(900.0, 500.0, 1500.0),
    }  # fmt: skip
    return cast(RouteForecast, SimpleNamespace(**usual | other))


def test_key_numbers_cover_window_peak_and_count() -> None:
    assert key_numbers(past_and_ahead(), dt.date(2025, 1, 10), ENGLISH) == [
        ("Expected in three months, February–April 2025", "6,000", "80% interval 3,000 to 9,000"),
        ("Likely the highest month, February 2025", ENGLISH.interval(1000, 3000), "80% interval"),
        ("Last month (December 2024, provisional)", "800", "900 expected on 30 Nov 2024; 700 a year earlier"),
    ]


def test_unknown_key_numbers_are_left_out() -> None:
    as_of, known = dt.date(2025, 1, 10), past_and_ahead()
    (last,) = key_numbers(past_and_ahead(origin="2024-12-31"), as_of, ENGLISH)
    assert last[0].startswith("Last month")
    nothing = {"state": "too_old", "expected": float("nan")}
    assert [label for label, *_ in key_numbers(past_and_ahead(summary=nothing), as_of, ENGLISH)] == [
        "Likely the highest month, February 2025", "Last month (December 2024, provisional)",
    ]  # fmt: skip
    ahead = past_and_ahead(history=known.history.iloc[:0], quantiles=known.quantiles.iloc[:0])
    assert [label for label, *_ in key_numbers(ahead, as_of, ENGLISH)] == [
        "Expected in three months, February–April 2025"
    ]
    for flag, label in (("e", "Last month (December 2024, estimated)"), ("", "Last month (December 2024)")):
        flagged = past_and_ahead(history=known.history.tail(1).assign(obs_flag=flag))
        assert key_numbers(flagged, as_of, ENGLISH)[-1] == (label, "800", "900 expected on 30 Nov 2024")


def test_past_title_states_first_month() -> None:
    then = past_and_ahead(origin="2024-12-31")
    assert route_title(then, dt.date(2025, 1, 31), ENGLISH) == (
        "Central Mediterranean: on 10 January 2025, 200 arrivals were expected in January 2025, 80% interval 100 to 300"
    )
    empty = past_and_ahead(origin="2024-12-31", quantiles=then.quantiles.iloc[:0])
    assert route_title(empty, dt.date(2025, 1, 31), ENGLISH) == "Central Mediterranean"


@pytest.mark.parametrize("held", [0.8, 0.71])
def test_title_gives_one_chance_whatever_its_interval_held(held: float) -> None:
    summary = {"state": "ok", "expected": 1500.0, "low": 1000.0, "high": 2000.0, "held": held}
    assert route_title(past_and_ahead(summary=summary), dt.date(2025, 1, 10), ENGLISH) == (
        "Central Mediterranean: 1,500 arrivals expected in February–April 2025, 80% interval 1,000 to 2,000"
    )


@pytest.mark.parametrize(
    ("verdicts", "origin", "said"),
    [
        (None, "", "No score for this route in this release."),
        (None, "2024-12-31", "No score for this route in this release."),
        ({}, "2024-12-31", "How far the forecast can be trusted is judged on all past origins"),
        ({}, "", "No sign of beating the baseline in February–April 2025."),
    ],
)
def test_no_evidence_claims_no_skill(verdicts: dict[pd.Timestamp, str] | None, origin: str, said: str) -> None:
    view = past_and_ahead(summary={"verdicts": verdicts}, origin=origin)
    assert skill_words(view, ENGLISH).startswith(said)


def test_running_month_states_count_and_forecast() -> None:
    row = {"so_far": 120.0, "places": "", "target_end_date": pd.Timestamp("2025-01-31"),
           "last_day": pd.Timestamp("2025-01-09"), "q10": 300.0, "q50": 400.0, "q90": 500.0}  # fmt: skip
    running = pd.DataFrame([row])
    said = running_words(past_and_ahead(running=running), ENGLISH)
    assert said == ("January 2025 so far: 120 counted up to 9 Jan 2025; 400 estimated in all, 80% interval 300 to 500.")
    alone = past_and_ahead(running=running.iloc[:0])
    assert running_words(alone, ENGLISH) == "January 2025: 200 expected in all, 80% interval 100 to 300."
    for nothing in (
        past_and_ahead(origin="2024-12-31"),
        past_and_ahead(known_on=dt.date(2025, 3, 2), running=pd.DataFrame()),
    ):
        assert running_words(nothing, ENGLISH) == ""
    of_italy = running.assign(places="ITA")
    assert "120 counted up to 9 Jan 2025 in Italy alone;" in running_words(past_and_ahead(running=of_italy), ENGLISH)


def test_stand_ins_and_cut_tails_are_named() -> None:
    ends = pd.to_datetime(["2025-01-31", "2025-02-28", "2025-03-31"])
    rows = pd.DataFrame({
        "target_end_date": ends, "fallback": [True, False, True], "capped": [False, True, False],
    })  # fmt: skip
    assert fallback_words(past_and_ahead(forecast=rows), ENGLISH) == (
        "The baseline stands in for January 2025, March 2025: no model could be fitted. "
        "Upper tails were cut by the cap on explosive forecasts in February 2025."
    )
    for none in (rows.assign(fallback=False, capped=False), rows[["target_end_date"]]):
        assert fallback_words(past_and_ahead(forecast=none), ENGLISH) == ""
