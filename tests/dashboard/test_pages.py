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
from core.settings import PROJECT
from dashboard import reads
from dashboard.route_view import first_route
from store import night_lock
from tests.golden import check_golden
from tests.reports.conftest import record_of_rules

from .conftest import make_alerts, publish
from .hub_frames import TEAM
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


@pytest.mark.parametrize("page", ["overview", "data"])
def test_pages_without_release_say_how_to_make_one(home: Path, page: str) -> None:
    said = words(visit(page))
    assert "No release yet" in said
    assert "Your first hour" in said
    assert str(home) not in said


def test_running_night_is_shown_until_it_publishes(home: Path) -> None:
    night = {"stage": "forecasting", "stages_done": 1, "stages": 6, "step": "Fitting the pooled model", "total": 48}
    with night_lock(home) as note:
        note(night | {"done": 0, "seconds_left": None})
        app = visit("overview")
        note(night | {"done": 12, "seconds_left": 61})
        bars = [element.proto for element in app.run().get("progress")]
        assert app.title[0].value == "The first night is running"
        assert [(bar.value, bar.text) for bar in bars] == [
            (16, "Stage 2 of 6: forecasting"),
            (25, "Fitting the pooled model · 12 of 48 · about 2 min left"),
        ]
        publish(home)
        assert "Exercise: replay of" in words(app.run())


VIEWS: dict[str, tuple[str, dict[str, str]]] = {
    **{page: (page, {}) for page in PAGES},
    "overview_afterwards": ("overview", {"reveal": "1"}),
    "asylum_afterwards": ("asylum", {"reveal": "1"}),
    "reception_afterwards": ("reception", {"reveal": "1"}),
    **{
        f"route_{view}": ("route", {"route": "CMR", "view": view})
        for view in ("models", "nationalities", "drivers", "table")
    },
    "route_number": ("route", {"route": "CMR", "horizon": "6", "number": "9000", "view": "table"}),
    "route_yours": ("route", {"route": "CMR", "view": "yours", "month": "2025-04"}),
    "route_past": ("route", {"route": "CMR", "origin": "2024-06-30"}),
    "route_afterwards": ("route", {"route": "CMR", "reveal": "1"}),
    "alerts_ended": ("alerts", {"show": "ended"}),
    "alerts_informs": ("alerts", {"alert": "stale_source-_Z-2025-02"}),
    **{f"evaluation_{part}": ("evaluation", {"part": part}) for part in ("alerts", "drivers")},
    "evaluation_situations": ("evaluation", {"part": "situations"}),
    "hub_team": ("evaluation", {"part": "hub", "model": TEAM}),
    "hub_round": ("evaluation", {"part": "hub", "route": "CMR", "round": "2024-06-30", "model": TEAM}),
    "route_year": ("route", {"route": "EMR", "view": "year"}),
    "data_source": ("data", {"source": "iom_dtm", "as_of": "1999-12-31"}),
    "figures_route": ("route", {"route": "CMR", "figures-models-CMR": "1", "figures-seasons-CMR": "1"}),
    "figures_route_nationalities": (
        "route",
        {"route": "CMR", "view": "nationalities", "figures-nationalities-CMR": "1"},
    ),
    "figures_route_drivers": ("route", {"route": "CMR", "view": "drivers", "figures-context-CMR": "1"}),
    "figures_evaluation_intervals": ("evaluation", {"part": "intervals", "figures-calibration-3": "1"}),
}
"""Golden files, each with the page and the address that it is of."""


@pytest.mark.parametrize("golden", VIEWS)
@pytest.mark.usefixtures("read_release")
def test_page_over_release_is_golden_one(golden: str) -> None:
    page, address = VIEWS[golden]
    app = visit(page, golden, **address)
    assert len(app.title) == 1
    assert [chart.proto.alt for chart in app.get("plotly_chart") if len(chart.proto.alt) <= 30] == []


def test_pages_without_alerts_name_sources_left_out(home: Path) -> None:
    left_out = [Message("the file is empty").record("iom_dtm")]
    publish(home, degraded=left_out, alerts=make_alerts().iloc[:0])
    for page in ("overview", "route", "alerts", "scenarios", "evaluation"):
        app = visit(page)
        assert len(app.title) == 1, page
        assert any("the file is empty" in warning.value for warning in app.warning), page


def test_overview_lists_waiting_alerts_gravest_first(home: Path) -> None:
    publish(home, replay=False)
    app = visit("overview")
    gravest = "Eastern Mediterranean ↑ (Severe), Western African / Atlantic ↑ (Warning) and 1 more"
    assert app.title[0].value == f"3 alerts need your sign-off: {gravest}"
    headings = [text.value for text in app.markdown if text.value.startswith("## [")]
    assert headings[0].startswith("## [Eastern Mediterranean ↑](alerts?")
    assert [button.label for button in app.button].count("Read and decide") == 3
    assert "eeded by 28 February 2025" in words(app)
    assert str(app.table[-1].value.iloc[0, -1]).endswith("forecast, provisional]]")


@pytest.mark.usefixtures("read_release")
def test_button_of_card_leads_to_its_alert_in_same_visit() -> None:
    app = visit("overview")
    next(button for button in app.button if button.label == "Read and practise").click().run()
    assert "surge-EMR-2025-02" in app.query_params["alert"]
    assert app.header[0].value == "Eastern Mediterranean ↑ · Far above the past year"


def test_overview_says_what_changed_since_release_before(home: Path) -> None:
    publish(home, as_of=dt.date(2025, 1, 30), alerts=make_alerts().iloc[1:])
    publish(home)
    visit("overview", "overview_changes")


@pytest.mark.slow
def test_outdated_route_has_no_forecast(home: Path) -> None:
    publish(home, too_old="WMR")
    expected = "latest data November 2023, too old for a current forecast"
    assert expected in words(visit("overview"))
    route = visit("route", route="WMR")
    assert expected in route.title[0].value
    assert not route.get("plotly_chart")


@pytest.mark.usefixtures("read_release")
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


@pytest.mark.usefixtures("read_release")
def test_changing_widget_changes_address() -> None:
    app = visit("route", route="CMR")
    app.number_input[0].set_value(7000).run()
    assert app.query_params["number"] == "7000"
    next(box for box in app.selectbox if box.label == "Route").select("EMR").run()
    assert app.query_params["route"] == "EMR"


@pytest.mark.parametrize("page", ["evaluation", "alerts"])
@pytest.mark.usefixtures("read_release")
def test_route_link_works_on_other_pages(page: str) -> None:
    app = visit(page, route="WAR")
    assert next(box for box in app.selectbox if box.label == "Route").value == "WAR"
    assert "is not available here" not in words(app)
    assert "route" not in app.query_params
    assert "WAR" in app.query_params["on"]


@dataclasses.dataclass
class FewFrames:
    """A release of two frames, and no record of its rules."""

    routes: pd.DataFrame
    alerts: pd.DataFrame

    def frame(self, name: str) -> pd.DataFrame:
        return {"routes": self.routes, "alerts": self.alerts}.get(name, record_of_rules(0))


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
