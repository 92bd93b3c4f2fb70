"""Scenarios: levers as codes, what they do to the release's paths, and the page over the miniature release."""

from __future__ import annotations

import io
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader
from streamlit.testing.v1 import AppTest

from access import DELETE_SCENARIO, SAVE_SCENARIO
from core.errors import InputError
from core.languages import Language
from core.schema import Entry
from core.settings import Settings
from dashboard import downloads, reads, scenario_state, scenario_view
from dashboard.charts.scenario import compare_alt, compare_chart, difference_chart, scenario_alt, scenario_chart
from dashboard.downloads import csv_bytes
from dashboard.reads import Night
from dashboard.scenario_parts import saved_scenarios
from dashboard.scenario_state import KINDS, Lever
from dashboard.theme import DARK, LIGHT
from decisions.briefing import make_briefing
from forecasting.scenarios.shocks import Shock, profile
from reports import scenario
from reports.scenario import demand, reception_of
from store.journal import Journal, journal_url
from store.releases import Release

from .conftest import AS_OF
from .test_pages import visit as visit_page

LEVELS = ("q10", "q25", "q50", "q75", "q90")
ROUTES = ["CMR", "EMR", "WMR", "WAR", "CHA"]


@pytest.fixture
def night(release: Release) -> Night:
    found = reads.night(release.run_id)
    assert found is not None
    return found


def values_of(night: Night, route_id: str = "EMR", **levers: str) -> scenario_state.Values:
    values, bad = scenario_state.parse(levers, scenario_state.levers(night, route_id, ROUTES))
    assert bad == []
    return values


def visit(golden: str = "", **address: str) -> AppTest:
    return visit_page("scenarios", golden, **address)


def press(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception, [error.value for error in app.exception]


def said(app: AppTest) -> str:
    return "\n".join(str(one.value) for kind in (app.title, app.markdown, app.warning) for one in kind)


@given(st.text(max_size=12))
def test_no_text_of_an_address_becomes_a_value_that_a_lever_does_not_take(text: str) -> None:
    known = {"side": Lever("above", ("above", "below")), "number": Lever("3", low=0, high=10)}
    values, bad = scenario_state.parse({"side": text, "number": text}, known)
    assert values["side"] in {"above", "below"}
    assert 0 <= float(values["number"]) <= 10
    assert set(bad) <= {"side", "number"}


def test_every_default_is_a_value_that_its_lever_takes(night: Night) -> None:
    for route_id in ROUTES:
        for name, lever in scenario_state.levers(night, route_id, ROUTES).items():
            assert lever.takes(lever.default), (route_id, name)


@pytest.mark.parametrize(
    ("name", "field"), [("shock_onset", "onset"), ("shock_months", "duration"), ("shock_decay", "half_life")]
)
def test_a_lever_of_a_shock_takes_every_time_that_a_shock_may_last_up_to_the_last_month_ahead(
    night: Night, name: str, field: str
) -> None:
    lever = scenario_state.levers(night, "EMR", ROUTES)[name]
    ends = pd.DatetimeIndex([scenario_state.month_end(month) for month in scenario_state.months_of(night, "EMR")])

    def is_possible(months: int) -> bool:
        try:
            profile(ends, Shock("", ends[0], 0.5, **{field: months}))
        except InputError:
            return False
        return months <= len(ends)

    assert all(lever.takes(str(months)) == is_possible(months) for months in range(-2, len(ends) + 3))


@pytest.mark.usefixtures("release")
@pytest.mark.parametrize(
    "address",
    [
        {"kind": "if", "and_route": "WAR"},
        {"kind": "shock", "part": "places", "stock": "900"},
        {"kind": "past", "part": "routes"},
    ],
)
def test_a_field_lets_through_the_numbers_that_the_address_takes_and_no_others(address: dict[str, str]) -> None:
    app = visit(f"scenarios_{address['kind']}", route="EMR", **address)
    fields = {str(field.key).removeprefix("lever:"): (field.min, field.max) for field in app.number_input}
    (night,) = reads.nights()
    known = scenario_state.levers(night, "EMR", ROUTES)
    assert fields
    assert fields == {name: (known[name].low, known[name].high) for name in fields}


@pytest.mark.usefixtures("release")
def test_the_buttons_of_a_shocks_fields_of_months_go_a_month_at_a_time() -> None:
    fields = [field for field in visit(route="EMR", kind="shock").number_input if field.label.endswith("months")]
    before = [float(field.value or 0) for field in fields]
    assert len(fields) == 3
    assert [field.increment().value for field in fields] == [months + 1 for months in before]


def test_the_same_assumption_has_the_same_name_however_it_is_looked_at(night: Night) -> None:
    one, two = values_of(night, confidence="80"), values_of(night, confidence="95", shock_size="10")
    assert scenario_state.scenario_id(one, "EMR") == scenario_state.scenario_id(two, "EMR")
    assert scenario_state.scenario_id(one, "EMR") != scenario_state.scenario_id(one, "WAR")


@pytest.mark.parametrize("kind", KINDS)
def test_a_scenario_stays_a_distribution_with_ordered_quantiles(night: Night, kind: str) -> None:
    values = values_of(night, "CMR", kind=kind, episode="lampedusa-2023")
    scenario = scenario_view.build(night, values, "CMR")
    assert scenario.trajectories is not None
    wide = scenario_view.wide(scenario_view.quantile_rows(scenario.trajectories, "CMR"))
    assert (np.diff(wide.to_numpy(), axis=1) >= 0).all()
    assert (wide[0.9] > wide[0.1]).all()


def test_a_diversion_without_evidence_is_said_to_be_the_readers_own(night: Night) -> None:
    scenario = scenario_view.build(night, values_of(night, kind="shock", to_route="WAR", to_share="40"), "EMR")
    assert "your own assumption" in scenario.notes[0]


def test_places_grow_with_confidence_and_stay(night: Night) -> None:
    paths = night.frame("trajectories")
    needed = [
        demand(night, reception_of(values_of(night, confidence=level, stay=stay), "EMR"), paths)[1]
        for level, stay in (("80", "3"), ("95", "3"), ("95", "6"))
    ]
    assert needed == sorted(needed)


def test_the_file_of_months_holds_forecast_and_scenario_apart(night: Night) -> None:
    rows = scenario_view.wide(scenario_view.quantile_rows(night.frame("trajectories"), "EMR"))
    frame = scenario_view.months_file(rows, 2 * rows, "EMR").set_index(["month", "kind"])
    median = frame["median"].astype(float)
    assert median["2025-03", "scenario"] == pytest.approx(2 * median["2025-03", "forecast"], abs=0.2)
    assert list(frame.columns) == ["route_id", "q025", "q10", "q25", "median", "q75", "q90", "q975"]


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_the_chart_shows_the_forecast_too_where_it_lies_above(night: Night, theme: object) -> None:
    forecast = scenario_view.quantile_rows(night.frame("trajectories"), "EMR")
    low = forecast.assign(value=forecast["value"] / 10)
    observed = pd.DataFrame(
        {"time_period_end": pd.date_range("2024-01-31", periods=12, freq="ME"), "value": 10.0, "flag": ""}
    )
    figure = scenario_chart(observed, forecast=forecast, scenario=low, now=AS_OF, theme=theme, unit="x")  # type: ignore[arg-type]  # a parameter's type is object
    highest = forecast.loc[np.isclose(forecast["output_type_id"], 0.9), "value"].max()
    assert figure.layout.yaxis.range[1] >= highest
    assert {"forecast", "forecast high", "forecast low"} <= {trace.name for trace in figure.data}
    assert "by the forecast" in scenario_alt(forecast, low, name="EMR")


def test_the_bars_keep_the_forecast_in_its_own_hue() -> None:
    rows = pd.DataFrame(
        [
            {
                "name": name,
                "is_forecast": name == "Forecast",
                "q10": 1.0,
                "q25": 2.0,
                "q50": 3.0,
                "q75": 4.0,
                "q90": 5.0,
            }
            for name in ("Forecast", "Mine")
        ]
    )
    figure = compare_chart(rows, unit="Arrivals", theme=LIGHT)
    medians = [trace.marker.line.color for trace in figure.data if trace.name == "median"]
    assert medians == [LIGHT.median, LIGHT.replay.text]
    assert compare_alt(rows, unit="Arrivals") == "Arrivals: Forecast: 3 (1 to 5); Mine: 3 (1 to 5)."


@pytest.mark.slow
@pytest.mark.usefixtures("release")
@pytest.mark.parametrize(
    ("kind", "part"),
    [*((kind, "months") for kind in KINDS), *((KINDS[0], part) for part in ("routes", "places", "saved"))],
)
def test_each_kind_and_view_is_shown_as_conditional(kind: str, part: str) -> None:
    text = said(visit(route="CMR", kind=kind, part=part, episode="lampedusa-2023"))
    assert "Conditional" in text and "never scored as one" in text
    assert "instead of" in text


@pytest.mark.usefixtures("release")
@pytest.mark.parametrize(("language", "instead"), [("en", "instead of"), ("fr", "au lieu de"), ("es", "en lugar de")])
def test_the_title_is_short_and_the_sentence_below_says_when_and_what_is_assumed(language: str, instead: str) -> None:
    app = visit(route="WAR", lang=language)
    assert len(app.title[0].value) <= 70 and instead in app.title[0].value
    below = [one.value for one in app.markdown if "violet-badge" in one.value]
    assert "2025" in below[-1] and "2025" not in app.title[0].value


@pytest.mark.usefixtures("release")
def test_a_rare_condition_is_refused_with_the_paths_that_are_left() -> None:
    text = said(visit(route="EMR", if_value="999999"))
    assert "it happens on 0 of 400 sample paths, and at least 50 are needed" in text
    # Also right where the condition is “at most”, for which a lower number is rarer still.
    assert "Bring the number nearer to the forecast, or choose other months." in text


@pytest.mark.usefixtures("release")
def test_an_episode_without_figures_is_refused_and_says_why() -> None:
    assert "no source that may be passed on covers it" in said(visit(kind="past", episode="belarus-2021"))


@pytest.mark.usefixtures("release")
def test_a_bad_lever_in_the_address_is_noted_and_the_usual_one_taken() -> None:
    app = visit(route="EMR", if_value="many")
    assert "The address asks for if_value" in said(app)
    assert "if_value" not in app.query_params


@pytest.mark.usefixtures("release")
def test_a_form_writes_every_lever_of_its_kind_into_the_address() -> None:
    app = visit(route="EMR", kind="shock")
    app.number_input(key="lever:shock_size").set_value(-40.0)
    next(button for button in app.button if button.label == "Show the scenario").click().run()
    assert app.query_params["shock_size"] in ("-40", ["-40"])
    assert set(scenario_state.LEVERS_OF["shock"]) <= set(app.query_params)
    assert "fall by 40%" in said(app)


@pytest.mark.slow
def test_places_that_are_kept_are_there_on_the_next_visit_and_on_the_briefing(release: Release, home: Path) -> None:
    app = visit(route="EMR", part="places", stock="100", stay="6", confidence="95")
    assert "February 2025 is the first month short" in said(app)
    app.text_input(key="places:name").set_value("Ada")
    app.button(key="keep-places").click().run()
    again = visit(route="EMR", part="places")
    assert "Kept here by Ada" in said(again) and again.number_input(key="lever:stay").value == 6.0
    reader = PdfReader(io.BytesIO(make_briefing(home, Settings(), release.run_id, "en")))
    page = " ".join(reader.pages[-1].extract_text().split())
    assert "Reception places" in page and "100 places; mean stay, months: 6; need a place: 100%" in page
    away = make_briefing(home, Settings(), release.run_id, "en", signed_only=True)
    assert len(PdfReader(io.BytesIO(away)).pages) == len(reader.pages) - 1


def test_a_scenario_is_saved_with_its_name_and_compared(release: Release, home: Path) -> None:
    app = visit(route="EMR", kind="shock", part="saved")
    app.text_input[0].set_value("Half more")
    app.text_input[1].set_value("Ada")
    press(app, "Save")
    journal = Journal(journal_url("", home))
    entry = journal.entries(action=SAVE_SCENARIO)[0]
    journal.close()
    assert (entry.actor, entry.reason, entry.run_id) == ("Ada", "Half more", release.run_id)
    assert entry.payload["query"]["shock_size"] == "50"
    again = visit(route="EMR", kind="if", part="saved", compare=entry.subject)
    assert again.multiselect[0].value == [entry.subject]


@pytest.mark.usefixtures("release")
def test_a_scenario_saved_again_has_its_new_name(home: Path) -> None:
    with closing(Journal(journal_url("", home))) as journal:
        for name in ("Half more", "Half as many again"):
            journal.record(Entry("Ada", SAVE_SCENARIO, "scenario-1", "run-1", name, {"query": {"route": "EMR"}}))
    assert [entry.reason for entry in saved_scenarios().values()] == ["Half as many again"]


@pytest.mark.usefixtures("release")
def test_a_saved_scenario_is_deleted_by_whoever_ticks_that_it_is_meant_and_is_compared_no_more(home: Path) -> None:
    with closing(Journal(journal_url("", home))) as journal:
        for subject, name in (("scenario-1", "Half more"), ("scenario-2", "A third less")):
            journal.record(Entry("Ada", SAVE_SCENARIO, subject, "run-1", name, {"query": {"route": "EMR"}}))
    app = visit(route="EMR", part="saved", compare="scenario-1,scenario-2")
    next(box for box in app.selectbox if box.label == "Scenario").set_value("scenario-1")
    app.text_input(key="deleted-by").set_value("Ben")
    press(app, "Delete")
    assert list(saved_scenarios()) == ["scenario-2", "scenario-1"]
    next(box for box in app.checkbox if box.label.startswith("Delete it")).check()
    press(app, "Delete")
    assert list(saved_scenarios()) == ["scenario-2"]
    assert app.query_params["compare"] == "scenario-2" and not app.warning
    with closing(Journal(journal_url("", home))) as journal:
        assert [(row.actor, row.action) for row in journal.entries(subject="scenario-1")] == [
            ("Ada", SAVE_SCENARIO), ("Ben", DELETE_SCENARIO),
        ]  # fmt: skip


def test_a_file_of_a_scenario_says_that_it_is_conditional(night: Night) -> None:

    values = values_of(night, kind="shock")
    frame = pd.DataFrame({"month": ["2025-02"], "kind": ["scenario"], "median": [1.0]})
    made = downloads.with_notes(
        downloads.export_of(night, "scenario-EMR", "A scenario", frame),
        [scenario.conditional_note(Language()), scenario.assumption(values, Language())],
    )
    text = io.BytesIO(csv_bytes(made)).read().decode("utf-8-sig")
    assert "# Caveat: What would follow if the assumption came true: not a forecast" in text
    assert "# Caveat: if arrivals there rise by 50% from" in text
    assert "# Caveat: Not to be used for: turning people back" in text


@pytest.mark.parametrize(
    ("strength", "words"), [("50", ", at 50% of its strength"), ("100", ""), ("150", ", at 150% of its strength")]
)
def test_a_past_episode_is_assumed_at_the_strength_asked_for_and_its_own_goes_without_saying(
    strength: str, words: str
) -> None:
    levers = {"kind": "past", "episode": "lampedusa-2023", "past_from": "2025-03", "past_strength": strength}
    said = scenario.assumption(levers, Language("en"))
    assert said == f"if an episode like “Lampedusa 2023” began there in March 2025{words}"


def test_the_axis_of_differences_says_exactly_where_its_lines_are() -> None:
    ends = pd.date_range("2025-01-31", periods=3, freq="ME")
    axis = difference_chart(pd.Series([1_400.0, -1_300.0, 20.0], index=ends), unit="x", theme=LIGHT).layout.yaxis
    written = [float(text.replace("−", "-").replace(",", "")) for text in axis.ticktext]
    assert written == list(axis.tickvals)
    difference = pd.Series([1_300.0, 0.0, 20.0], index=ends)
    assert "+1,250" in difference_chart(difference, unit="x", theme=LIGHT).layout.yaxis.ticktext


@pytest.mark.parametrize("reach", [0.3, 4.0, 12.0, 900.0])
def test_every_line_of_the_axis_of_differences_has_its_sign_and_its_own_number_and_zero_has_no_sign(
    reach: float,
) -> None:
    ends = pd.date_range("2025-01-31", periods=2, freq="ME")
    axis = difference_chart(pd.Series([reach, -reach], index=ends), unit="x", theme=LIGHT).layout.yaxis
    written = dict(zip(axis.tickvals, axis.ticktext, strict=True))
    assert written.pop(0.0) == "0"
    assert all(text[0] == ("+" if tick > 0 else "−") for tick, text in written.items())
    assert [float(text.replace("−", "-")) for text in written.values()] == pytest.approx(list(written))


@pytest.mark.parametrize(
    ("changes", "months"),
    [({}, (2, 4)), ({"if_from": "2025-04", "if_to": "2025-02"}, (2, 4)), ({"if_to": "2025-02"}, (2, 2))],
)
def test_conditions_are_what_the_levers_say_over_their_months_in_time_order(
    changes: dict[str, str], months: tuple[int, int]
) -> None:
    levers = {
        "if_route": "CMR", "if_side": "above", "if_value": "700", "if_how": "every", "if_from": "2025-02",
        "if_to": "2025-04", "and_route": "EMR", "and_side": "below", "and_value": "90",
    } | changes  # fmt: skip
    found = scenario_view.conditions(levers)
    assert [(one.series_id.split(".")[1], one.how, one.above, one.value) for one in found] == [
        ("CMR", "every", True, 700.0), ("EMR", "every", False, 90.0),
    ]  # fmt: skip
    assert {(one.first.month, one.last.month) for one in found} == {months}
    assert len(scenario_view.conditions(levers | {"and_route": scenario_state.NONE})) == 1


def test_every_route_is_compared_over_the_window_with_what_is_forecast(night: Night) -> None:
    trajectories = night.frame("trajectories")
    halved = trajectories.assign(value=trajectories["value"] / 2)
    table = scenario_view.routes_table(night, halved, ROUTES[:2])
    assert table[["route_id", "kind"]].to_numpy().tolist() == [
        ["CMR", "forecast"], ["CMR", "scenario"], ["EMR", "forecast"], ["EMR", "scenario"],
    ]  # fmt: skip
    assert set(table["first_month"]) == {"2025-02"}
    assert set(table["last_month"]) == {"2025-04"}
    forecast, then = (
        table.loc[table["kind"] == kind, list(LEVELS)].to_numpy(dtype=float) for kind in ("forecast", "scenario")
    )
    assert then == pytest.approx(forecast / 2)
    assert (np.diff(forecast, axis=1) > 0).all()
    shown = scenario_view.routes_shown(table)
    assert shown["Route"].is_unique
    assert shown["Difference"].tolist() == ["−50%", "−50%"]
