"""What the Overview and the Route page say about routes."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import cast

import pandas as pd
import pytest

from core.languages import Language
from core.routes import ROUTES
from reports.overview import overview_title, quiet_card
from reports.route import (
    RouteForecast,
    fallback_words,
    known_to,
    skill_words,
    window_words,
    without_forecast,
)
from reports.route import (
    title as route_title,
)

from .conftest import MakeRelease, alert_row

ENGLISH = Language("en")


def frame(*rows: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(alert_row(0, ["CMR"])))


def title(alerts: pd.DataFrame, levels: list[str], states: list[str] | str = "ok", *, ended: bool = False) -> str:
    gone = frame(alert_row(0, ["CMR"])) if ended else frame()
    return overview_title(alerts, None, gone, pd.DataFrame({"level": levels, "state": states}), ENGLISH)


UP = alert_row(0, ["EMR"], change="up")


def test_the_title_counts_the_quiet_routes() -> None:
    assert title(frame(UP), ["severe", "", "", ""]) == (
        "Eastern Mediterranean moves up to Severe; 3 other routes are quiet"
    )


def test_a_route_without_a_forecast_is_not_called_quiet() -> None:
    assert title(frame(UP), ["severe", "", ""], ["ok", "too_old", "ok"]) == (
        "Eastern Mediterranean moves up to Severe; no forecast for 1 route"
    )


def test_the_title_names_the_two_gravest_routes_whatever_the_order_of_the_alerts() -> None:
    mild = [alert_row(2, [route_id]) for route_id in list(ROUTES)[2:]]
    many = frame(*mild, alert_row(1, ["EMR"]), alert_row(0, ["CMR"]))
    assert title(many, [""] * 9).startswith(
        "Central Mediterranean: new alert, Severe; Eastern Mediterranean: new alert, Warning"
    )
    assert title(many, ["watch"] * 9).count(";") == 1


def test_no_alert_is_said_as_plainly_as_an_alert() -> None:
    assert title(frame(), [""]) == "No alert is open on any route"
    assert title(frame(), [""], ended=True) == "No alert is open on any route; the last ones have ended"


def test_a_late_source_is_not_named_in_the_title() -> None:
    late = alert_row(0, ["_Z"], rule="stale_source", source_id="a_bureau")
    assert title(frame(late), [""]) == "No alert is open on any route"


def test_a_quiet_route_says_what_is_expected_in_the_planning_window() -> None:
    row = {"route_id": "CMR", "state": "ok", "low": 1000.0, "high": 2000.0, "expected": 1500.0}
    card = quiet_card(row, dt.date(2025, 1, 10), ENGLISH)
    assert card.when == window_words(dt.date(2025, 1, 10), ENGLISH) == "February–April 2025"
    assert card.sentence == "Nothing unusual is expected: most likely 1,000 to 2,000 arrivals in February–April 2025."


@pytest.mark.parametrize(
    ("was", "over", "level", "change", "begins"),
    [
        ("", "ended", "", "", "Nothing unusual is expected: most likely"),
        ("severe", "ended", "ended", "was Severe", "Nothing unusual is expected: most likely"),
        ("watch", "dismissed", "dismissed", "was Watch", "The alert was dismissed. Most likely"),
    ],
)
def test_a_quiet_route_says_how_its_alert_ended_where_it_had_one(
    was: str, over: str, level: str, change: str, begins: str
) -> None:
    row = {"route_id": "CMR", "state": "ok", "low": 1000.0, "high": 2000.0, "expected": 1500.0}
    card = quiet_card(row, dt.date(2025, 1, 10), ENGLISH, was, over=over)
    assert (card.level, card.change, card.figure) == (level, change, "1,500")
    assert card.sentence.startswith(begins)


def test_a_route_without_forecast_says_how_far_its_figures_go() -> None:
    assert without_forecast({"route_id": "BSR", "last_period": "2024-01"}, ENGLISH) == (
        "Black Sea: latest data January 2024, too old for a current forecast."
    )
    assert without_forecast({"route_id": "BSR", "last_period": ""}, ENGLISH) == "Black Sea: no figures, so no forecast."


def test_a_route_whose_figures_go_further_than_the_others_is_named(make_release: MakeRelease) -> None:
    release = make_release(["CMR", "EMR", "CHA"])
    ends = pd.to_datetime(["2024-12-31", "2024-12-31", "2025-01-31"])
    routes = release.frame("routes").assign(origin_date=ends)
    assert known_to(release.with_frame("routes", routes), ENGLISH) == (
        "figures to December 2024, English Channel to January 2025"
    )


def test_months_that_follow_each_other_are_told_as_one_stretch() -> None:
    ends = pd.to_datetime(["2025-01-31", "2025-02-28", "2025-03-31", "2025-06-30"])
    view = SimpleNamespace(forecast=pd.DataFrame({"target_end_date": ends, "capped": True}))
    said = fallback_words(cast(RouteForecast, view), Language("es"))
    assert said.endswith("en enero–marzo de 2025, junio de 2025.")


@pytest.mark.parametrize(
    ("skill", "said"),
    [
        ((1, 1), "Better than the baseline 1 month ahead; no evidence beyond."),
        ((1, 3), "Better than the baseline up to 3 months ahead; no evidence beyond."),
        ((1, 4), "Better than the baseline at every horizon shown."),
        ((2, 2), "Better than the baseline 2 months ahead; no evidence at other distances."),
        ((2, 3), "Better than the baseline 2 to 3 months ahead; no evidence at other distances."),
    ],
)
def test_skill_is_told_of_the_months_that_have_it_counted_from_the_newest_count(
    skill: tuple[int, int], said: str
) -> None:
    shown = pd.DataFrame({"horizon": [1, 2, 3, 4]})  # a month that is over, and three to come
    view = SimpleNamespace(skill=skill, origin="", horizon=3, quantiles=shown)
    assert skill_words(cast(RouteForecast, view), ENGLISH) == said


@pytest.mark.parametrize(
    ("expected", "language", "said"),
    [
        (0.3, "fr", "Méditerranée centrale\u202f: 0 arrivée attendue en"),
        (1.2, "fr", "Méditerranée centrale\u202f: 1 arrivée attendue en"),
        (1.6, "fr", "Méditerranée centrale\u202f: 2 arrivées attendues en"),
        (0.3, "es", "Mediterráneo central: 0 llegadas esperadas en"),
        (1.2, "es", "Mediterráneo central: 1 llegada esperada en"),
        (0.3, "en", "Central Mediterranean: 0 arrivals expected in"),
        (1.2, "en", "Central Mediterranean: 1 arrival expected in"),
    ],
)
def test_none_and_one_are_singular_or_plural_as_each_language_has_them(
    expected: float, language: str, said: str
) -> None:
    summary = {"state": "ok", "expected": expected, "low": 0.0, "high": 5.0}
    view = cast(RouteForecast, SimpleNamespace(route_id="CMR", origin=None, summary=summary))
    assert route_title(view, dt.date(2025, 1, 31), Language(language)).startswith(said)
