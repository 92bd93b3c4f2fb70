"""What a release says of people in reception: places that are enough, when they may not, and the record."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.languages import Language
from core.routes import ARRIVAL_SERIES
from forecasting import ENSEMBLE
from reports import reception
from reports.names import place_name
from reports.reception import Need
from reports.year_ahead import LEVELS

from .conftest import MakeRelease

ENGLISH = Language("en")
ITALY, LOMBARDY, SICILY = "reception.ITA._T.M", "reception.ITA-25._T.M", "reception.ITA-82._T.M"


def rows(series_id: str = ITALY, start: float = 1000.0, step: float = 100.0, places: float = np.nan) -> pd.DataFrame:
    """Three months whose median grows by ``step``, with uniform quantiles of 200 people around it."""
    horizon = np.arange(1, 4)
    spread = {name: start + step * horizon + 200 * (level - 0.5) for level, name in LEVELS.items()}
    return pd.DataFrame({
        "series_id": series_id, "factor": 1.0, "freq": "M", "last_period": "2024-12", "last_value": start,
        "time_period": ["2025-01", "2025-02", "2025-03"], "horizon": horizon, **spread, "entries": 300.0,
        "exits": 200.0, "enough": start + step * horizon + 80, "places": places, "chance": np.nan,
    })  # fmt: skip


def scores(ratio: float = 0.7, high: float = 0.9, held: float = 0.8) -> pd.DataFrame:
    return pd.DataFrame({
        "model_id": "vigie-reception", "series_id": ITALY, "horizon": [1, 3, 6], "scale": "log",
        "reference": "vigie-baseline", "relative_wis": ratio, "relative_wis_lo": 0.5, "relative_wis_hi": high,
        "coverage_80": held, "n": [44, 42, 40], "p_holm": 0.5,
    })  # fmt: skip


ARRIVALS = "arrivals.CMR._T._T.M"
HISTORY = pd.DataFrame(
    {"series_id": ITALY, "time_period": ["2024-11", "2024-12"], "obs_value": [950.0, 1000.0], "obs_flag": ""}
)


def need(places: float | None = None, ahead: int = 3, upper: tuple[float, ...] = (950.0, 1000.0, 900.0)) -> Need:
    return reception.needs_of([rows().head(ahead), HISTORY, scores(), past(*upper)], ITALY, 1.0, places)


def test_title_names_people_now_and_expected() -> None:
    said = reception.title(need(), ENGLISH)
    assert said == (
        "Italy: 1,300 expected in reception at the end of March 2025, 80% interval 1,200 to 1,400; "
        "1,000 counted at the end of December 2024"
    )


def test_countries_say_when_people_were_counted_and_are_expected() -> None:
    found = reception.countries_table([need(ahead=2)], ENGLISH)
    expected = f"1,000, last count\n{ENGLISH.interval(1120, 1280)}"
    last, aim = "1,000\nDecember 2024", "1,300\n+300"
    assert [*found.iloc[0]] == ["Italy", last, expected, aim, "through February 2025", "1 of 1"]


def test_entries_stand_beside_arrivals_expected() -> None:
    ends = need().ends
    paths = [(ARRIVALS, end, path, 1000.0) for end in ends for path in range(3)]
    columns = ["series_id", "target_end_date", "output_type_id", "value"]
    trajectories = pd.DataFrame(paths, columns=columns).assign(model_id=ENSEMBLE)
    said = f"Entries are {ENGLISH.share(need().rows['entries'].sum() / 3000)} of the arrivals expected in January–March"
    said += " 2025: not everyone who arrives enters reception."
    assert reception.entries_words(need(), trajectories, ENGLISH) == said
    assert reception.entries_words(need(), trajectories.iloc[:0], ENGLISH) == ""


def test_first_failing_months_are_named() -> None:
    both = "It first exceeds 20% in January 2025. It first exceeds 50% in February 2025."
    assert both in reception.places_words(need(1150), ENGLISH)


def test_release_probability_precedes_interpolation() -> None:
    own = rows(places=1200.0).assign(chance=[0.1, 0.3, 0.9])
    need_of = reception.needs_of((own, HISTORY, scores(), past(0.0, 0.0, 0.0)), ITALY, 1.0, None)
    assert need_of.chances.tolist() == [0.1, 0.3, 0.9]
    assert replace(need_of, places=1100.0).chances.tolist() == pytest.approx([0.5, 1.0, 1.0])


def test_regions_follow_their_country_by_further_places_needed() -> None:
    parts = [rows(), rows(SICILY, 500, 10), rows(LOMBARDY, 200, 60), rows("reception_sai.ITA._T.M")]
    assert reception.stocks(pd.concat(parts)) == [ITALY, LOMBARDY, SICILY]
    assert place_name("ITA-25", ENGLISH) == "Lombardia"


def test_country_without_known_places_has_line_on_its_people(make_release: MakeRelease) -> None:
    known, gbr = rows(places=1150.0).assign(chance=[0.1, 0.3, 0.9]), {"series_id": "reception.GBR._T.M"}
    needs = pd.concat([known, rows().head(2).assign(**gbr), rows(LOMBARDY, places=10.0)])
    past_ones = past(950.0, 1000.0, 950.0).assign(**gbr)
    release = make_release(1, 0).with_frame("observations", HISTORY.assign(**gbr))
    release = release.with_frame("reception_backtest", past_ones).with_frame("reception_needs", needs)
    lines = reception.lines(release, ENGLISH)
    assert lines["ITA"].startswith("Italy: ") and "1,150 places: the probability" in lines["ITA"]
    assert lines["GBR"] == (
        "United Kingdom: 1,300 places should be enough through February 2025 (aim: nine cases in ten; past forecasts: "
        "at least 1 of 1); 1,200 people expected, 1,000 counted at the end of December 2024"
    )


def past(*upper: float) -> pd.DataFrame:
    """Past forecasts of the two counts, a month and two months before; the last one's upper end is below its count."""
    keys = {
        "series_id": ITALY,
        "horizon": [1, 1, 2, 2],
        "target_end_date": pd.to_datetime(["2024-11-30", "2024-12-31"] * 2),
    }
    rows = pd.DataFrame(keys).assign(origin_date=pd.Timestamp("2024-10-31"))
    return pd.concat([
        rows.assign(output_type_id=0.9, value=[*upper, 900.0]),
        *(rows.assign(output_type_id=level, value=900.0) for level in (0.1, 0.5)),
    ])  # fmt: skip


def test_record_names_ratio_interval_and_share_held() -> None:
    ends = (950.0, 1000.0, 1000.0)
    words = reception.record_words(need(upper=ends), ENGLISH)
    assert words == [
        "Three months ahead: likely better than the baseline. Errors −30% against repeating the last "
        "count (90% interval −50% to −10%).",
        "1–2 months ahead, the 80% interval held 3 of 4 outcomes (75%).",
    ]
    worse = reception.record_words(replace(need(upper=ends), scores=scores(1.1, 1.3)), ENGLISH)
    assert "no sign of beating the baseline. Errors +10% against" in worse[0] and "−50% to +30%" in worse[0]


def test_places_were_enough_where_no_count_exceeds_them() -> None:
    short, enough = (need(ahead=2, upper=(950.0, top, 900.0 + end)) for top, end in ((800.0, 0), (1e3, 50)))
    words = [reception.enough_words(one, ENGLISH).split("least ")[1] for one in (short, enough)]
    assert words == ["0 of 1; intervals too narrow)", "1 of 1)"]
    said = "Past forecasts named too few places at most 1 time, by up to 5%: that of October 2024."
    assert said in reception.record_words(short, ENGLISH)
    # Month 3 is not counted.
    assert "past" not in reception.enough_words(need(), ENGLISH)


def test_kinds_of_accommodation_are_those_counted_last() -> None:
    kinds = pd.DataFrame({
        "target": ["reception_hotel", "reception_initial", "reception_hotel", "reception"],
        "geo": "GBR", "time_period": ["2024-Q3", "2024-Q3", "2024-Q2", "2024-Q3"],
        "obs_value": [5.0, 9.0, 7.0, 14.0],
    })  # fmt: skip
    found = reception.kinds(kinds, "reception.GBR._T.Q", ENGLISH)
    assert found.columns[1] == "People, July–September 2024"
    assert found.to_numpy().tolist() == [["Initial accommodation", "9"], ["Hotels", "5"], ["Together", "14"]]


def test_gaps_in_line_are_named_with_issues_of_their_year(make_release: MakeRelease) -> None:
    counts = pd.concat([HISTORY.head(1).assign(time_period="2024-08"), HISTORY])
    gap = reception.needs_of((rows(), counts, scores(), past(0.0, 0.0, 0.0)), ITALY, 1.0, None)
    cards = {"ministry": {"known_issues": ["Two reports of 2024 are copies.", "One of 2022 is too."]}}
    found = counts.assign(source_id="ministry", route_id="_Z", target="reception")
    said = reception.gaps_words(gap, make_release(cards=cards).with_frame("observations", found), ENGLISH)
    assert said == "Gap in the line: no sound report for September–October 2024. Two reports of 2024 are copies."
    assert reception.gaps_words(need(), make_release(), ENGLISH) == ""


def test_regions_say_further_places_of_how_many_people() -> None:
    (cells,) = reception.regions_table([need(ahead=2)], ENGLISH).to_numpy().tolist()
    assert cells[1:] == ["1,000", "1,300", "+300 (+30%)", "1 of 1"]


def in_scenario(factor: float, places: float, chance: float) -> pd.DataFrame:
    more = 50.0 * (factor - 1)
    return rows(step=100.0 + more, places=places).assign(factor=factor, chance=[0.0, chance, chance])


@pytest.mark.parametrize(
    ("places", "chance", "said"),
    [
        (1200.0, 0.7, "Italy is likely full at the end of February 2025."),
        (1200.0, 0.3, "Italy is not likely full to the end of March 2025."),
        (np.nan, np.nan, "Italy: 1,500 places through March 2025 are enough in nine of ten cases (+100 "),
    ],
)
def test_scenario_says_when_full_or_how_many_are_enough(places: float, chance: float, said: str) -> None:
    needs = pd.concat([in_scenario(1.0, places, 0.1), in_scenario(2.0, places, chance)])
    (line,) = reception.scenario_lines(reception.reached_by(needs, "CMR"), arrivals(), arrivals(2.0, 2.0, 2.0), ENGLISH)
    assert line.startswith(said)
    assert reception.reached_by(needs, "EMR").empty


def arrivals(*factors: float) -> pd.DataFrame:
    ends = pd.date_range("2025-01-31", periods=4, freq="ME")
    series_id = next(name for name in ARRIVAL_SERIES if ".CMR." in name)
    return pd.DataFrame({
        "series_id": series_id, "target_end_date": ends, "output_type_id": 0,
        "value": 100.0 * np.array([*factors, *[1.0] * (4 - len(factors))]),
    })  # fmt: skip


@pytest.mark.parametrize(
    ("factors", "times", "case", "more"),
    [((1, 2, 2), "1.67", "read between", "2,000"), ((1, 5, 5), "3.67", "the nearest case", "3,000")],
)
def test_scenario_of_some_months_is_held_against_all_months_of_a_stock(
    factors: tuple[float, ...], times: str, case: str, more: str
) -> None:
    needs = pd.concat([rows(step=1000 * one).assign(factor=one) for one in (1.0, 1.5, 2.0)])
    (line,) = reception.scenario_lines(needs, arrivals(), arrivals(*factors, 5.0), ENGLISH)  # April is past the stock
    assert f"are {times} times the forecast in January–March 2025: " in line
    assert case in line and f"(+{more} against" in line


def test_scenario_names_regions_whose_places_are_known() -> None:
    parts = [rows(), rows(LOMBARDY, 200, 60, places=300.0).assign(chance=0.6), rows(SICILY, 500, 10)]
    needs = pd.concat([part.assign(factor=factor) for part in parts for factor in (1.0, 2.0)])
    lines = reception.scenario_lines(needs, arrivals(), arrivals(2.0, 2.0, 2.0), ENGLISH)
    assert [line.split(" is ")[0] for line in lines][1:] == ["Lombardia"]


def test_simpler_forecasts_stand_below_the_one_that_is_shown() -> None:
    peer = scores(0.9).assign(model_id="vigie-arima")
    other = scores(0.8).assign(reference="vigie-arima")
    table = reception.compared(pd.concat([peer, scores(), other]), ITALY, ENGLISH)
    assert table["Forecast"].to_list() == ["This forecast", "ARIMA"]
    assert table["month 3"].to_list() == ["0.70 (0.50–0.90)", "0.90 (0.50–0.90)"]


def test_reasons_name_people_now_and_places_that_are_enough() -> None:
    assert reception.reasons(rows(), ITALY, ENGLISH) == [
        reception.title(need(), ENGLISH),
        "1,400 places should be enough through March 2025 (aim: nine cases in ten)",
        reception.moves_words(need(), ENGLISH),
    ]
