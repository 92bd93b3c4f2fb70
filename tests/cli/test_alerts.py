"""The inbox at the command line: the same steps, the same checks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alerts.lifecycle import fold
from cli.alerts import _stands
from core.errors import InputError
from store import night_lock
from tests.cli.command_line import vigie
from tests.delivery import publish

ALERT = "surge.CMR.0001"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    publish(tmp_path, [ALERT, "surge.EMR.0001"])
    return tmp_path


def step(home: Path, name: str, *more: str, who: str = "Ada") -> str:
    return vigie(home, "alerts", name, ALERT, "--as", who, "--reason", "beds are ready", *more).stdout


def test_list_gives_level_state_and_id_that_other_commands_take(home: Path) -> None:
    lines = vigie(home, "alerts").stdout.splitlines()
    assert " ".join(lines[0].split()) == "warning proposed, 1 to sign CMR Central Mediterranean Likely to pass 5,000."
    assert lines[1].strip() == ALERT


def test_informing_alert_needs_no_signature() -> None:
    stands = {level: _stands({"alert_level": level}, fold([], "warning")) for level in ("warning", "information")}
    assert stands == {"warning": "proposed, 1 to sign", "information": "for information"}


def test_alerts_are_filtered_by_route_name(home: Path) -> None:
    assert ALERT not in vigie(home, "alerts", "--route", "Méditerranée orientale").stdout
    assert ALERT in vigie(home, "alerts", "--route", "central med").stdout
    assert "No alert of Manche in release" in vigie(home, "alerts", "--route", "Manche").stdout
    listed = vigie(home, "export", "forecasts", "--format", "json", "--route", "Central Mediterranean").stdout
    assert {row["series_id"].split(".")[1] for row in json.loads(listed)} <= {"CMR"}
    for wrong in ("alerts --route Atlantis", "export model_cards --route CMR"):
        with pytest.raises(InputError, match=r"EMR|not by route|no table"):
            vigie(home, *wrong.split())


def test_alert_goes_through_its_life_at_command_line(home: Path) -> None:
    with night_lock(home):  # people act while a night runs
        assert "the alert is signed off\nmessages: 1 sent" in step(home, "sign-off")
    assert "the alert is acknowledged" in step(home, "acknowledge", who="Ben")
    assert "the alert is dismissed\nmessages: 1 sent" in step(home, "dismiss", who="Ben")
    history = vigie(home, "alerts", "history", ALERT).stdout
    actions = [line[24:].split("  ")[0] for line in history.splitlines()]
    assert [word for word in ("signed off", "announced raised", "sent raised", "acknowledged", "dismissed",
                              "announced withdrawn", "sent withdrawn") if word in history] == [
        "signed off", "announced raised", "sent raised", "acknowledged", "dismissed", "announced withdrawn",
        "sent withdrawn",
    ]  # fmt: skip
    assert len(actions) == 9
    assert history.splitlines()[-1] == "now: dismissed"
    rows = json.loads(vigie(home, "alerts", "history", ALERT, "--json").stdout)
    assert [row["actor"] for row in rows if row["actor"] in {"Ada", "Ben"}] == ["Ada", "Ben", "Ben"]


def test_dissent_is_listed_until_it_is_answered(home: Path) -> None:
    assert "1 open objection" in step(home, "dissent", who="Cleo")
    with pytest.raises(InputError, match="capacity: the journal holds nothing of it"):
        vigie(home, "alerts", "history", "capacity", "--json")
    number = vigie(home, "alerts", "history", ALERT).stdout.splitlines()[1].split()[0]
    answer = vigie(home, "alerts", "answer", ALERT, "--number", number, "--as", "Ada", "--reason", "counted since")
    assert "objections" not in answer.stdout


def test_step_that_is_not_allowed_is_refused_in_words(home: Path) -> None:
    with pytest.raises(InputError, match="only a signed-off alert can be acknowledged"):
        step(home, "acknowledge")
    with pytest.raises(InputError, match="program’s own name"):
        step(home, "sign-off", who="nightly")


def test_channel_that_fails_ends_deliver_with_3(home: Path) -> None:
    (home / "settings.toml").write_text(
        '[delivery.channels.hook]\nkind = "webhook"\nurl_env = "VIGIE_NO_SUCH"\n'
        '[[delivery.subscriptions]]\nname = "system"\nchannel = "hook"\n',
        encoding="utf-8",
    )
    step(home, "sign-off")
    result = vigie(home, "outbox", "deliver", "--now")
    assert result.exit_code == 3
    assert "not sent: system: environment variable VIGIE_NO_SUCH is not set" in result.stderr
