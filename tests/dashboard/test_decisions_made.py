"""The inbox: people decide, the journal keeps it, and what is not allowed is refused on the server."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from alerts.lifecycle import ACKNOWLEDGED, ANNOUNCED, DISSENTED, ENDED, PROPOSED, SIGNED_OFF
from core.schema import Entry
from core.settings import PROJECT
from store.journal import Journal, journal_url
from store.releases import Release

from .conftest import publish

SEVERE, WARNING = "surge-EMR-2025-02", "surge-WAR-2025-02"


pytestmark = [pytest.mark.usefixtures("sending_at_once"), pytest.mark.slow]


@pytest.fixture
def released(home: Path) -> Release:
    return publish(home, replay=False)


def visit(alert: str = WARNING, release: str = "latest", **state: object) -> AppTest:
    app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=600)
    app.query_params["alert"], app.query_params["release"] = alert, release
    for name, value in state.items():
        app.session_state[name] = value
    app.switch_page("dashboard/pages/alerts.py")
    app.run()
    assert not app.exception, [error.value for error in app.exception]
    return app


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception, [error.value for error in app.exception]
    return app


def take(app: AppTest, label: str, name: str, reason: str) -> AppTest:
    """Begin a step, fill in its form, confirm."""
    press(app, label)
    if name:
        next(field for field in app.text_input if field.label == "Your name").set_value(name)
    next(field for field in app.text_area if field.label == "Reason").set_value(reason)
    return press(app, "Confirm")


def file(app: AppTest, kind: str, name: str, text: str) -> AppTest:
    app.segmented_control[-1].set_value(kind)
    app.text_input[-1].set_value(name)
    app.text_area[-1].set_value(text)
    return press(app, "Save")


def rows(home: Path, action: str) -> list[Entry]:
    journal = Journal(journal_url("", home))
    found = journal.entries(action=action)
    journal.close()
    return found


def labels(app: AppTest) -> set[str]:
    return {button.label for button in app.button}


def shown(app: AppTest) -> str:
    return "\n".join(text.value for text in app.markdown)


def history(app: AppTest) -> str:
    return "\n".join(" | ".join(row) for row in app.table[-1].value.to_numpy())


def test_signing_off_keeps_who_when_and_why_and_lets_alert_leave(home: Path, released: Release) -> None:
    app = take(visit(), "Sign off and send", "Ada", "Beds are prepared")
    (signed,) = rows(home, SIGNED_OFF)
    assert (signed.actor, signed.reason, signed.run_id, signed.subject) == (
        "Ada", "Beds are prepared", released.run_id, WARNING,
    )  # fmt: skip
    assert [row.payload["kind"] for row in rows(home, ANNOUNCED)] == ["raised"]
    assert "2 alerts wait for sign-off" in app.title[0].value
    assert "Sent to machines\\: new alert | delivery" in history(app)
    assert len(list((home / "published" / "cap").glob("*.xml"))) == 1


@pytest.mark.usefixtures("released")
def test_decision_on_what_has_changed_meanwhile_is_refused(home: Path) -> None:
    app = visit()
    press(app, "Sign off and send")
    journal = Journal(journal_url("", home))
    journal.record(Entry("nightly", PROPOSED, WARNING, payload={"level": "warning"}))
    journal.close()
    next(field for field in app.text_input if field.label == "Your name").set_value("Ada")
    next(field for field in app.text_area if field.label == "Reason").set_value("too late")
    press(app, "Confirm")
    assert "it has changed since you opened it" in app.error[0].value
    assert rows(home, SIGNED_OFF) == []


@pytest.mark.usefixtures("released")
def test_dissent_stays_beside_alert_until_it_is_answered(home: Path) -> None:
    app = file(visit(), DISSENTED, "Cleo", "The ferry strike is over")
    assert any("Dissent by Cleo" in warning.value for warning in app.warning)
    (filed,) = rows(home, DISSENTED)
    app.toggle(key=f"answer:{filed.id}").set_value(True).run()
    next(field for field in app.text_area if field.label == "Answer").set_value("Counted from Monday on")
    press(app, "File the answer")
    assert not any("Dissent by Cleo" in warning.value for warning in app.warning)
    assert "Dissent" in history(app)
    assert "Counted from Monday on" in history(app)


def test_older_releases_are_read_only(home: Path, released: Release) -> None:
    publish(home, replay=False)
    app = visit(release=released.run_id)
    assert not labels(app) & {"Sign off and send", "Dismiss", "Acknowledge", "Save"}
    assert any("[What became of it, and where to comment]" in text.value for text in app.markdown)


@pytest.mark.usefixtures("release")
def test_replayed_night_is_signed_off_but_sends_nothing(home: Path) -> None:
    app = visit()
    assert "nothing leaves Vigie. Live, the message goes at once" in shown(app)
    app = take(app, "Practise the sign-off (nothing is sent)", "Ada", "exercise")
    assert "this release replays a past night" in app.toast[0].value
    assert len(rows(home, SIGNED_OFF)) == 1
    assert rows(home, ANNOUNCED) == []


@pytest.mark.usefixtures("released")
def test_allowed_steps_are_offered_and_name_is_asked_once(home: Path) -> None:
    app = visit()
    assert labels(app) >= {"Sign off and send", "Dismiss"}
    assert "Acknowledge" not in labels(app)
    app = take(app, "Sign off and send", "Ada", "yes")
    assert labels(app) >= {"Acknowledge", "Dismiss"}
    assert "Sign off and send" not in labels(app)
    press(app, "Acknowledge")
    assert "Your name" not in {field.label for field in app.text_input}
    assert any("Acting as Ada" in text.value for text in app.markdown)
    next(field for field in app.text_area if field.label == "Reason").set_value("We open the second hall")
    press(app, "Confirm")
    assert [row.actor for row in rows(home, ACKNOWLEDGED)] == ["Ada"]
    assert "Acknowledged" in history(app)
    app.query_params["show"] = "waiting"
    app.run()
    assert len([button for button in app.button if str(button.key).startswith("open:")]) == 2


@pytest.mark.usefixtures("home", "released")
def test_open_route_shows_later_dismissal() -> None:
    def route() -> str:
        app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=600)
        app.query_params["route"] = "WAR"
        app.switch_page("dashboard/pages/route.py")
        return shown(app.run())

    assert "Warning" in route()
    take(visit(), "Dismiss", "Ada", "Beds are there")
    assert ":gray-badge[Dismissed] :small[:gray[was Warning]]" in route()


def test_past_release_shows_what_was_decided_while_it_was_newest(home: Path) -> None:
    first = publish(home, replay=False)
    app = take(visit(), "Dismiss", "Ada", "Beds are there")
    assert any(str(one.value).startswith(":gray-badge[Dismissed] :gray[▲ Warning") for one in app.markdown)
    second = publish(home, as_of=dt.date(2025, 2, 28), replay=False)
    journal = Journal(journal_url("", home))
    journal.record(Entry("night", ENDED, WARNING, second.run_id))
    journal.close()

    def label(app: AppTest) -> str:
        return next(button.label for button in app.button if button.key == f"open:{WARNING}")

    def overview(run_id: str) -> str:
        app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=600)
        app.query_params["release"] = run_id
        return " ".join(one.value for one in [*app.run().title, *app.markdown])

    then = overview(first.run_id)
    assert "Dismissed\\: Western African / Atlantic" in then
    assert "▲ Warning" not in then
    assert "Western African / Atlantic" not in then.split("arrivals expected")[0]  # the title
    assert "▲ Warning" in overview("latest")
    past = visit(release=first.run_id)
    assert "Dismissed" in label(past)
    assert past.title[0].value.startswith("2 alerts were still waiting for sign-off")
    assert "Dismissed" not in label(visit())
