"""Scenarios: levers as codes, what they do to the release's paths, and the page over the miniature release."""

from __future__ import annotations

import io
import re
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
from core.languages import Language, round_expected
from core.schema import Entry
from core.settings import Settings
from dashboard import reads
from dashboard.reads import Night
from dashboard.scenario_parts import saved_scenarios
from decisions.announcements import make_briefing
from forecasting.scenarios.shocks import Shock, profile
from reports import numbers, whatif
from reports.names import route_name
from reports.scenario import demand, reception_of
from reports.whatif import KINDS, Lever
from store.journal import Journal, journal_url
from store.releases import Release

from .test_pages import visit as visit_page

LEVELS = ("q10", "q25", "q50", "q75", "q90")
ROUTES = ["CMR", "EMR", "WMR", "WAR", "CHA"]


@pytest.fixture
def night(read_release: Release) -> Night:
    found = reads.night(read_release.run_id)
    assert found is not None
    return found


def values_of(night: Night, route_id: str = "EMR", **chosen: str) -> whatif.Values:
    values, bad = whatif.parse(chosen, whatif.levers(night, route_id, ROUTES))
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
def test_lever_never_takes_foreign_text(text: str) -> None:
    known = {"side": Lever("above", ("above", "below")), "number": Lever("3", low=0, high=10)}
    values, bad = whatif.parse({"side": text, "number": text}, known)
    assert values["side"] in {"above", "below"}
    assert 0 <= float(values["number"]) <= 10
    assert set(bad) <= {"side", "number"}


@pytest.mark.parametrize(
    ("name", "field"), [("shock_onset", "onset"), ("shock_months", "duration"), ("shock_decay", "half_life")]
)
def test_shock_lever_takes_times_up_to_last_month(night: Night, name: str, field: str) -> None:
    lever = whatif.levers(night, "EMR", ROUTES)[name]
    ends = pd.DatetimeIndex([whatif.month_end(month) for month in whatif.months_of(night, "EMR")])

    def is_possible(months: int) -> bool:
        try:
            profile(ends, Shock("", ends[0], 0.5, **{field: months}))
        except InputError:
            return False
        return months <= len(ends)

    assert all(lever.takes(str(months)) == is_possible(months) for months in range(-2, len(ends) + 3))


@pytest.mark.usefixtures("read_release")
@pytest.mark.parametrize(
    "address",
    [
        {"kind": "if", "and_route": "WAR"},
        {"kind": "shock", "shock_of": "SYR", "part": "places", "stock": "900"},
        {"kind": "past", "part": "routes"},
    ],
)
def test_field_takes_same_numbers_as_address(address: dict[str, str]) -> None:
    app = visit(f"scenarios_{address['kind']}", route="EMR", **address)
    fields = {str(field.key).removeprefix("lever:"): (field.min, field.max) for field in app.number_input}
    (night,) = reads.nights()
    known = whatif.levers(night, "EMR", ROUTES)
    assert fields
    assert fields == {name: (known[name].low, known[name].high) for name in fields}


def test_same_assumption_has_same_name_however_it_is_looked_at(night: Night) -> None:
    one, two = values_of(night, confidence="80"), values_of(night, confidence="95", if_value="10")
    assert whatif.scenario_id(one, "EMR") == whatif.scenario_id(two, "EMR")
    assert whatif.scenario_id(one, "EMR") != whatif.scenario_id(one, "WAR")


def test_a_nationality_that_doubles_adds_its_share_of_the_route(night: Night) -> None:
    values = values_of(
        night, "CMR", kind="shock", shock_of="SYR", shock_size="100", shock_onset="0", shock_from="2025-03"
    )
    scenario = whatif.build(night, values, "CMR", Language())
    assert scenario.trajectories is not None
    march = pd.Timestamp("2025-03-31")
    before, after = (
        numbers.route_paths(paths, "CMR")[march].median()
        for paths in (night.frame("trajectories"), scenario.trajectories)
    )
    share = whatif.shares_of(night, "CMR")["SYR"]
    assert share == pytest.approx(0.5, abs=0.01)
    assert after / before == pytest.approx(1 + share, abs=0.01)
    changed = whatif.changed(*whatif.by_level(night, scenario.trajectories, "CMR"))
    assert [f"{end:%Y-%m}" for end in changed.index[changed]] == ["2025-03", "2025-04", "2025-05"]
    assert "Syria: 50% of the route" in scenario.notes[0]
    assert "The change ends in May 2025" in scenario.notes[1]


@pytest.mark.parametrize("kind", KINDS)
def test_scenario_stays_distribution_with_ordered_quantiles(night: Night, kind: str) -> None:
    values = values_of(night, "CMR", kind=kind, episode="lampedusa-2023")
    scenario = whatif.build(night, values, "CMR", Language())
    assert scenario.trajectories is not None
    _forecast, wide = whatif.by_level(night, scenario.trajectories, "CMR")
    assert (np.diff(wide.to_numpy(), axis=1) >= 0).all()
    assert (wide[0.9] > wide[0.1]).all()
    falls = scenario.course is not None and scenario.course.table["multiple"].lt(1).any()
    assert ("fewer came" in "".join(scenario.notes)) == falls


def test_places_grow_with_confidence_and_stay(night: Night) -> None:
    paths = night.frame("trajectories")
    needed = [
        demand(night, reception_of(values_of(night, confidence=level, stay=stay), "EMR"), paths)[1]
        for level, stay in (("80", "3"), ("95", "3"), ("95", "6"))
    ]
    assert needed == sorted(needed)


def test_unchanged_scenario_is_the_served_forecast(night: Night) -> None:
    rows, unmoved = whatif.by_level(night, night.frame("trajectories"), "EMR")
    pd.testing.assert_frame_equal(unmoved, rows)
    served = numbers.quantiles_of(night.frame("forecasts"), numbers.route_series("EMR"))
    assert (rows == served[list(rows.columns)]).all(axis=None)
    frame = whatif.months_file(rows, 2 * rows, "EMR").set_index(["month", "kind"])
    median = frame["median"].astype(float)
    assert median["2025-03", "scenario"] == pytest.approx(2 * median["2025-03", "forecast"], abs=0.2)
    assert list(frame.columns) == ["route_id", "q025", "q10", "q25", "median", "q75", "q90", "q975"]


@pytest.mark.parametrize("query", [{}, {"kind": "if"}, {"kind": "shock"}, {"kind": "if", "if_route": "EMR"}])
@pytest.mark.parametrize(("code", "condition"), [("en", "if"), ("fr", "si"), ("es", "si")])
def test_title_holds_condition_route_and_both_numbers(
    night: Night, code: str, condition: str, query: dict[str, str]
) -> None:
    values, language = values_of(night, "WAR", **query), Language(code)
    title = whatif.title(night, whatif.build(night, values, "WAR", language), values, language)
    named = "EMR" if "if_route" in query else "WAR"
    assert re.search(rf"\b{condition}\b", title.lower()) and route_name(named, language) in title
    assert route_name("WAR", language) in title and "2025" in title


@pytest.mark.parametrize(
    ("kind", "chance"), [("if", "(22% chance): "), ("shock", "The chance of the condition is not estimated.")]
)
def test_answer_states_both_intervals_difference_and_chance(night: Night, kind: str, chance: str) -> None:
    values = values_of(night, kind=kind)
    scenario = whatif.build(night, values, "EMR", Language())
    said = whatif.answer(night, scenario, values, Language())
    assert scenario.trajectories is not None
    then, plain = whatif.both_totals(night, scenario.trajectories, "EMR")
    for part in (then["q10"], then["q90"], plain["q10"], plain["q90"]):
        assert Language().expected(part) in said
    title = whatif.title(night, scenario, values, Language())
    assert chance in f"{title} {said}" and ("chance" in said) == (kind == "shock")
    assert all(Language().expected(sums["q50"]) in title for sums in (then, plain))
    shown, usual = (round_expected(sums["q50"]) for sums in (then, plain))
    assert f"Difference: +{Language().counted(shown - usual)} (" in said


@pytest.mark.usefixtures("read_release")
def test_form_writes_every_lever_of_its_kind_into_address() -> None:
    app = visit(route="EMR", kind="shock")
    app.number_input(key="lever:shock_size").set_value(-40.0)
    next(button for button in app.button if button.label == "Show the scenario").click().run()
    assert app.query_params["shock_size"] in ("-40", ["-40"])
    assert set(whatif.LEVERS_OF["shock"]) <= set(app.query_params)
    assert "fall by 40%" in said(app)
    app = visit(route="EMR", kind="if", if_from="2025-02", if_to="2025-02")
    app.selectbox(key="lever:if_from").set_value("2025-03")
    next(button for button in app.button if button.label == "Show the scenario").click().run()
    assert "in March 2025" in said(app)


@pytest.mark.slow
def test_kept_places_reach_next_visit_and_briefing(release: Release, home: Path) -> None:
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


def test_scenario_is_saved_with_its_name_and_compared(release: Release, home: Path) -> None:
    app = visit(route="EMR", kind="shock", part="saved")
    app.text_input[0].set_value("Half more")
    app.text_input[1].set_value("Ada")
    press(app, "Save")
    journal = Journal(journal_url("", home))
    entry = journal.entries(action=SAVE_SCENARIO)[0]
    journal.close()
    assert (entry.actor, entry.reason, entry.run_id) == ("Ada", "Half more", release.run_id)
    assert entry.payload["query"]["shock_size"] == "100"
    again = visit(route="EMR", kind="if", part="saved", compare=entry.subject)
    assert again.multiselect[0].value == [entry.subject]


@pytest.mark.usefixtures("release")
def test_saved_scenario_is_deleted_after_confirmation(home: Path) -> None:
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


def test_routes_are_compared_with_their_forecast(night: Night) -> None:
    trajectories = night.frame("trajectories")
    halved = trajectories.assign(value=trajectories["value"] / 2)
    table = whatif.routes_table(night, halved, ROUTES[:2])
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
    shown = whatif.routes_shown(table, Language())
    assert shown["Route"].is_unique
    assert shown["Difference"].tolist() == ["−3,600 (−50%)", "−2,100 (−50%)"]


@pytest.mark.usefixtures("read_release")
def test_people_in_reception_follow_scenario_or_factor() -> None:
    tripled = {"route": "CMR", "kind": "shock", "part": "places", "shock_size": "200", "shock_months": "6"}
    for page, address in (("scenarios", tripled), ("reception", {"factor": "2.0"})):
        app = visit_page(page, "", **address)
        assert "Italy is likely full" in said(app)
