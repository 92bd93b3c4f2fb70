"""Each page over the miniature release, run without a browser."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import cast

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.errors import Message
from core.languages import Language
from core.settings import PROJECT
from dashboard import reads
from dashboard.route_view import first_route
from store.lock import night_lock
from tests.golden import check_golden

from .conftest import make_alerts, publish, usual_frames
from .shown import shown

GOLDEN = Path(__file__).with_name("golden")
"""What pages show as a whole: what no test has a sentence for stays as it is; see ``tests/golden.py``."""
PAGES = ("overview", "route", "asylum", "reception", "alerts", "scenarios", "evaluation", "data")


def visit(page: str, golden: str = "", **address: str) -> AppTest:
    """Run one page with an address; fails on any exception, and where it shows anything but its golden file."""
    app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=600)
    for name, value in address.items():
        app.query_params[name] = value
    if page != "overview":
        # Pages given as files are known only after a first run; the first run's own page keeps the address.
        app.switch_page(f"dashboard/pages/{page}.py")
    app.run()
    assert not app.exception, [error.value for error in app.exception]
    if golden:
        check_golden(GOLDEN / f"{golden}.txt", shown(app))
    return app


def words(app: AppTest) -> str:
    """Everything that the page says in text elements."""
    kinds = (app.title, app.header, app.markdown, app.warning, app.info, app.error, app.caption, app.code)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def listed(app: AppTest) -> list[str]:
    """Labels of the alerts in the list."""
    return [button.label for button in app.button if str(button.key).startswith("open:")]


@pytest.mark.parametrize("page", PAGES)
def test_pages_without_release_say_how_to_make_one(home: Path, page: str) -> None:
    said = words(visit(page))
    assert "No release yet" in said
    assert "Your first hour" in said
    assert str(home) not in said


@pytest.mark.parametrize("lang", ["en", "fr", "es"])
def test_running_night_is_shown_until_it_publishes(home: Path, lang: str) -> None:
    night = {"stage": "forecasting", "stages_done": 1, "stages": 6, "step": "Fitting the pooled model", "total": 48}
    with night_lock(home) as note:
        note(night | {"done": 0, "seconds_left": None})
        app = visit("overview", lang=lang)
        note(night | {"done": 12, "seconds_left": 61})
        bars = [element.proto for element in app.run().get("progress")]
        assert not app.exception
        assert [bar.value for bar in bars] == [16, 25]
        if lang == "en":
            assert app.title[0].value == "The first night is running"
            assert [bar.text for bar in bars] == [
                "Stage 2 of 6: forecasting", "Fitting the pooled model · 12 of 48 · about 2 min left"
            ]  # fmt: skip
        publish(home)
        assert "Exercise: replay of" in words(app.run()) if lang == "en" else app.run().get("plotly_chart")


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.usefixtures("release")
def test_page_shows_replay_finding_and_takeaways(page: str) -> None:
    app = visit(page, golden=page)
    assert "Exercise: replay of 31 January 2025" in words(app)
    assert "figures to December 2024, English Channel to January 2025" in words(app)
    assert len(app.title) == 1
    assert [chart.proto.alt for chart in app.get("plotly_chart") if len(chart.proto.alt) <= 30] == []


@pytest.mark.parametrize("page", ["overview", "route", "alerts", "scenarios", "evaluation"])
def test_page_without_alerts_names_sources_left_out(home: Path, page: str) -> None:
    left_out = [Message("the file is empty").record("iom_dtm")]
    publish(home, degraded=left_out, alerts=make_alerts().iloc[:0])
    app = visit(page)
    assert len(app.title) == 1
    assert any("the file is empty" in warning.value for warning in app.warning)


@pytest.mark.usefixtures("release")
def test_exercise_states_forecast_first_and_offers_practice() -> None:
    app = visit("overview")
    assert app.title[0].value.endswith("arrivals expected in February–April 2025")
    assert [button.label for button in app.button].count("Read and practise") == 3
    assert visit("alerts").title[0].value.startswith("Eastern Mediterranean: 82% to reach 5,000 a month")


def test_overview_lists_waiting_alerts_gravest_first(home: Path) -> None:
    publish(home, replay=False)
    app = visit("overview")
    title = (
        "3 alerts need your sign-off: Eastern Mediterranean (Severe), Western African / Atlantic (Warning) and 1 more"
    )
    assert app.title[0].value == title
    headings = [text.value for text in app.markdown if text.value.startswith("## [")]
    assert headings[0].startswith("## [Eastern Mediterranean](alerts?")
    assert [button.label for button in app.button].count("Read and decide") == 3
    assert "eeded by 28 February 2025" in words(app)
    assert "The newest month is provisional or estimated for\\: " in words(app)


@pytest.mark.usefixtures("release")
def test_past_overview_reveals_counts_on_demand() -> None:
    app = visit("overview", "overview_afterwards", reveal="1")
    assert "What happened next, February–April 2025" in [one.value for one in app.header]
    table = app.table[-1].value.set_index("Route")
    counted = usual_frames(None)["outcomes"].query(
        "route_id == 'CMR' and time_period in ['2025-02', '2025-03', '2025-04']"
    )
    assert table.loc["Central Mediterranean", "Counted"] == Language().counted(counted["obs_value"].sum())


@pytest.mark.usefixtures("release")
def test_button_of_card_leads_to_its_alert_in_same_visit() -> None:
    app = visit("overview")
    next(button for button in app.button if button.label == "Read and practise").click().run()
    assert "surge-EMR-2025-02" in app.query_params["alert"]
    assert app.title[0].value.startswith("Eastern Mediterranean: 82%")


def test_overview_says_what_changed_since_release_before(home: Path) -> None:
    publish(home, as_of=dt.date(2025, 1, 30), alerts=make_alerts().iloc[1:])
    publish(home)
    said = words(visit("overview", "overview_changes"))
    assert "Since the last release, 30 January 2025" in said
    assert "Eastern Mediterranean\\: new alert, Severe" in said


@pytest.mark.slow
def test_outdated_route_has_no_forecast(home: Path) -> None:
    publish(home, too_old="WMR")
    expected = "latest data November 2023, too old for a current forecast"
    assert expected in words(visit("overview"))
    route = visit("route", route="WMR")
    assert expected in route.title[0].value
    assert not route.get("plotly_chart")


@pytest.mark.usefixtures("release")
def test_route_page_takes_its_state_from_address() -> None:
    app = visit("route", "route_number", route="CMR", horizon="6", number="9000", view="table")
    assert app.title[0].value.startswith("Central Mediterranean: ")
    assert app.number_input[0].value == 9000
    assert "Chance of exceeding 9,000 a month" in words(app)
    assert len(app.dataframe) == 1


@pytest.mark.parametrize("view", ["models", "nationalities", "drivers", "table"])
@pytest.mark.usefixtures("release")
def test_every_view_of_route_has_chart_or_table_of_its_own(view: str) -> None:
    app = visit("route", f"route_{view}", route="CMR", view=view)
    own = len(app.get("plotly_chart")) - 1 + len(app.dataframe)
    assert own >= 1


@pytest.mark.usefixtures("release")
def test_own_forecast_begins_at_ensemble() -> None:
    fields = {
        field.label: field
        for field in visit("route", "route_yours", route="CMR", view="yours", month="2025-04").number_input
    }
    ahead = usual_frames(None)["forecasts"].query(
        "model_id == 'vigie-ensemble' and series_id == 'arrivals.CMR._T._T.M' and target_end_date == '2025-04-30'"
    )
    by_level = ahead.set_index("output_type_id")["value"]
    begun = [fields[name].value for name in ("Low", "Middle", "High")]
    assert begun == [round(by_level[level]) for level in (0.1, 0.5, 0.9)]


@pytest.mark.usefixtures("release")
def test_bad_values_in_address_fall_back_with_note() -> None:
    address = {"route": "XXX", "horizon": "7", "number": "many", "view": "<b>"}
    app = visit("route", **address)
    said = " ".join(warning.value for warning in app.warning)
    assert [name for name in address if f"asks for {name}" not in said] == []
    assert app.title[0].value.startswith("Eastern Mediterranean: ")


@pytest.mark.slow
def test_older_release_in_address_is_shown_with_way_to_latest(home: Path) -> None:
    older = publish(home, as_of=dt.date(2025, 1, 30))
    publish(home)
    app = visit("overview", release=older.run_id)
    assert "Exercise: replay of 30 January 2025" in words(app)
    next(button for button in app.button if button.label == "Latest release").click().run()
    assert "Exercise: replay of 31 January 2025" in words(app)


@pytest.mark.usefixtures("release")
def test_changing_widget_changes_address() -> None:
    app = visit("route", route="CMR")
    app.number_input[0].set_value(7000).run()
    assert app.query_params["number"] == "7000"
    next(box for box in app.selectbox if box.label == "Route").select("EMR").run()
    assert app.query_params["route"] == "EMR"


@pytest.mark.usefixtures("release")
def test_past_origin_shows_forecast_made_then() -> None:
    app = visit("route", "route_past", route="CMR", origin="2024-06-30")
    assert app.title[0].value.startswith("Central Mediterranean: on 30 June 2024, ")
    assert "Made later by the same code with what was known then" in words(app)


@pytest.mark.usefixtures("release")
def test_what_happened_next_is_shown_only_on_demand() -> None:
    assert "What happened next" not in words(visit("route", route="CMR"))
    assert "of 6 months fell inside the 80% interval" in words(
        visit("route", "route_afterwards", route="CMR", reveal="1")
    )


@pytest.mark.usefixtures("release")
def test_ended_alerts_stay_listed() -> None:
    (label,) = listed(visit("alerts", "alerts_ended", show="ended"))
    assert "○ Ended" in label


@pytest.mark.usefixtures("release")
def test_what_only_informs_stands_apart_and_asks_for_nothing() -> None:
    (label,) = listed(visit("alerts", show="context"))
    assert "Information" in label
    app = visit("alerts", "alerts_informs", alert="stale_source-_Z-2025-02")
    assert not {"Practise the sign-off (nothing is sent)", "Dismiss"} & {button.label for button in app.button}


@pytest.mark.usefixtures("release")
def test_evaluation_page_says_where_there_is_no_evidence() -> None:
    app = visit("evaluation")
    assert app.title[0].value == "The forecast beats the baseline up to 6 months ahead; no evidence beyond"
    table = app.dataframe[0].value
    beyond = table[(table["Model"] == "Ensemble") & (table["Months ahead"] > 6)]
    assert set(beyond["Evidence"]) == {"no evidence"}
    assert "Baseline" in set(table["Model"])


@pytest.mark.parametrize("part", ["alerts", "issued"])
@pytest.mark.usefixtures("release")
def test_evaluation_page_shows_record_of_alerts(
    part: str,
) -> None:
    app = visit("evaluation", f"evaluation_{part}", part=part)
    assert bool(app.dataframe) == (part == "alerts")


@pytest.mark.usefixtures("release")
def test_data_page_shows_licence_and_issues() -> None:
    app = visit("data", "data_source", source="iom_dtm")
    assert any("ask each publisher once" in one.value for one in app.markdown)
    said = words(app)
    assert "International Organization for Migration, monthly arrivals, read in 2025" in said
    assert "Months without arrivals are often absent" in said
    assert app.table[0].value["Rejected rows"].tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("page", "address"),
    [
        ("route", {"route": "CMR", "figures-models-CMR": "1", "figures-seasons-CMR": "1"}),
        ("route", {"route": "CMR", "view": "nationalities", "figures-nationalities-CMR": "1"}),
        ("route", {"route": "CMR", "view": "drivers", "figures-context-CMR": "1"}),
        ("evaluation", {"part": "intervals", "figures-calibration-1": "1"}),
    ],
)
@pytest.mark.usefixtures("release")
def test_figures_behind_every_chart_are_shown_on_demand(page: str, address: dict[str, str]) -> None:
    wanted = sum(name.startswith("figures-") for name in address)
    name = "_".join(["figures", *(one for one in (page, address.get("view"), address.get("part")) if one)])
    with_figures = len(visit(page, name, **address).dataframe)
    assert with_figures >= wanted
    hidden = {name: value for name, value in address.items() if not name.startswith("figures-")}
    assert len(visit(page, **hidden).dataframe) < with_figures


@pytest.mark.parametrize("page", ["evaluation", "alerts"])
@pytest.mark.usefixtures("release")
def test_route_link_works_on_other_pages(page: str) -> None:
    app = visit(page, route="WAR")
    assert next(box for box in app.selectbox if box.label == "Route").value == "WAR"
    assert "is not available here" not in words(app)
    assert "route" not in app.query_params
    assert "WAR" in app.query_params["on"]


@dataclasses.dataclass
class FewFrames:
    """A release of two frames."""

    routes: pd.DataFrame
    alerts: pd.DataFrame

    def frame(self, name: str) -> pd.DataFrame:
        return self.routes if name == "routes" else self.alerts


@pytest.mark.parametrize(
    ("states", "flagged", "opened"),
    [
        ({"CMR": "too_old", "EMR": "ok", "WAR": "ok"}, [], "EMR"),
        ({"CMR": "ok", "EMR": "ok", "WAR": "ok"}, ["WAR"], "WAR"),
        ({"CMR": "too_old", "EMR": "too_old"}, [], "CMR"),
        ({"CMR": "ok", "EMR": "ok"}, ["_Z"], "CMR"),
    ],
    ids=[
        "the first with a forecast",
        "the one with an alert",
        "any, where none has a forecast",
        "an alert of no route",
    ],
)
def test_route_page_opens_where_there_is_most_to_see(states: dict[str, str], flagged: list[str], opened: str) -> None:
    alerts = pd.DataFrame({"route_id": flagged, "alert_level": "watch", "rule": "surge", "probability": 0.3})
    routes = pd.DataFrame({"route_id": list(states), "state": list(states.values())})
    assert first_route(cast("reads.Night", FewFrames(routes, alerts)), list(states)) == opened
