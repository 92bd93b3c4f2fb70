"""Recorded messages as people read them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pandas as pd
import pytest

from core.errors import message
from core.languages import Language
from core.routes import ROUTES
from reports import numbers
from reports.messages import compose
from reports.names import expected_title, in_unit, message_in
from reports.overview import cards, together
from reports.route import RouteForecast, title
from reports.year_ahead import year_lines, year_title, year_words

from .conftest import Announce, MakeRelease, year_row

ENGLISH = Language("en")


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (
            "en",
            "prices.csv waits for a person as e1: 12 known figures (FAO food price index, by month) change, half of "
            "them to 1,000 times the former or more (another unit, or other columns?); Arrivals, Central "
            "Mediterranean, Italy, December 2024 is missing in it, and is known; 3 in all (was it cut short?)",
        ),
        (
            "es",
            "prices.csv espera a una persona como e1: cambian 12 cifras conocidas (Índice de precios de los alimentos "
            "de la FAO, por mes), la mitad de ellas a 1.000 veces la anterior o más (¿otra unidad, u otras columnas?); "
            "Llegadas, Mediterráneo central, Italia, diciembre de 2024 falta, y se conoce; 3 en total (¿se cortó?)",
        ),
    ],
)
def test_why_edition_waits_is_sentence_without_codes(language: str, expected: str) -> None:
    of_size = message(
        "{n} known figures ({target}, {freq}) change, half of them to {times} times the former or more "
        "(another unit, or other columns?)",
        n=12, target="food_price_index", freq="M", times=1000.0,
    )  # fmt: skip
    cut = message(
        "{series} {period} is missing in it, and is known; {n} in all (was it cut short?)",
        n=3, series="arrivals.CMR.ITA._T.M", period="2024-12",
    )  # fmt: skip
    whole = message(
        "{file} waits for a person as {edition}: {reasons}", file="prices.csv", edition="e1", reasons=[of_size, cut]
    )
    assert message_in(whole, Language(language)) == expected


def test_unit_is_given_exactly_where_events_are_counted() -> None:
    summed = {code: route for code, route in ROUTES.items() if route.parts}
    assert {code for code, route in summed.items() if route.unit} == {
        code for code, route in summed.items() if route.counts == "detections"
    }


def test_text_has_unit_of_its_route() -> None:
    assert in_unit("{median} {unit} expected", "CMR", ENGLISH, median="2") == "2 arrivals expected"
    assert in_unit("{median} {unit} expected", "US_NORTH", ENGLISH, median="2") == "2 encounters expected"
    assert in_unit("{unit} per month", "CMR", ENGLISH) == "Arrivals per month"


def test_table_with_events_has_no_title_of_arrivals() -> None:
    titles = [expected_title(routes, ENGLISH) for routes in (["CMR", "CHA"], ["DARIEN", "US_NORTH"])]
    assert titles == ["Arrivals expected, {months}", "Expected, {months}"]


def test_every_sentence_on_a_corridor_of_events_has_its_unit(make_release: MakeRelease, announce: Announce) -> None:
    release = make_release(["US_NORTH"], 0)
    release = release.with_frame("ended_alerts", release.frame("alerts"))
    ends = numbers.window_ends(release.as_of)
    summary = numbers.route_summary(release.frame, release.frame("alerts"), ends)
    (row,) = summary.to_dict("records")
    usual = {"route_id": "US_NORTH", "summary": row, "known_on": release.as_of}
    ahead = numbers.quantiles_of(release.frame("forecasts"), numbers.route_series("US_NORTH"))
    views = [SimpleNamespace(origin=origin, quantiles=ahead, **usual) for origin in ("", "2024-11-30")]
    year = pd.DataFrame([year_row(numbers.route_series("US_NORTH"))])
    lines = year_lines(year, release.frame("observations"), "calendar year", ENGLISH)
    message = compose(announce(route_id="US_NORTH"), "en", "")
    said = [
        *(title(cast(RouteForecast, view), release.as_of, ENGLISH) for view in views),
        *(card.sentence for card in cards(release, None, summary, ENGLISH)),
        year_title(lines, ENGLISH), year_words(year, numbers.route_series("US_NORTH"), 2025, ENGLISH),
        message.rows[0][0], message.picture_alt,
    ]  # fmt: skip
    assert [text for text in said if "ncounters" not in text or "rrival" in text] == []


def test_events_and_another_regions_persons_are_never_added_up(make_release: MakeRelease) -> None:
    both = make_release(["CMR", "DARIEN", "WMR", "US_NORTH"], 0)
    ends = numbers.window_ends(both.as_of)
    summary = numbers.route_summary(both.frame, both.frame("alerts"), ends)
    total = together(both, summary, ENGLISH)
    alone = numbers.expected_total(
        both.frame("trajectories"), [numbers.route_series(one) for one in ("CMR", "WMR")], ends
    )
    assert alone is not None and (total.low, total.high) == (alone.low, alone.high)
    assert total.number == 2
    year = pd.DataFrame([year_row("_T"), *(year_row(numbers.route_series(one)) for one in ("CMR", "DARIEN", "WMR"))])
    lines = year_lines(year, both.frame("observations"), "calendar year", ENGLISH)
    assert lines[0].name == "2 routes together"
    counted = both.frame("observations")
    added = counted[counted["route_id"].isin(["CMR", "WMR"]) & counted["time_period"].str.startswith("2024")]
    assert lines[0].past[2024] == added["obs_value"].sum()
