"""The inbox at the command line: the same steps, the same checks."""

from __future__ import annotations

import datetime as dt
import json
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pandas as pd
import pytest

from alerts.lifecycle import State, fold
from cli import of_route
from cli.alerts import _find, _outcome_lines, _stands, _status_words, _why
from core.errors import InputError
from core.schema import Entry
from decisions import Workflow
from decisions.actions import Outcome
from store.journal.outbox import OutboxMessage
from tests.cli.command_line import vigie
from tests.faults.delivery import publish

ALERT = "surge.CMR.0001"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    publish(tmp_path, [ALERT, "surge.EMR.0001"])
    return tmp_path


def step(home: Path, name: str, *more: str, who: str = "Ada") -> str:
    return vigie(home, "alerts", name, ALERT, "--as", who, "--reason", "beds are ready", *more).stdout


def test_the_list_gives_level_state_and_the_id_that_the_other_commands_take(home: Path) -> None:
    lines = vigie(home, "alerts").stdout.splitlines()
    assert " ".join(lines[0].split()) == "warning proposed, 1 to sign CMR Central Mediterranean Likely to pass 5,000."
    assert lines[1].strip() == ALERT


def test_what_merely_informs_waits_for_nobodys_signature_in_the_list() -> None:
    stands = {rule: _stands({"rule": rule}, fold([], "warning")) for rule in ("surge", "stale_source")}
    assert stands == {"surge": "proposed, 1 to sign", "stale_source": "for information"}


def test_the_list_for_machines_says_which_alerts_merely_inform_and_none_of_them_is_signed(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for where in ("reports.alert", "decisions.actions"):
        monkeypatch.setattr(f"{where}.CONTEXT", {ALERT})  # here each alert has a rule of its own, of the same name
    told = json.loads(vigie(home, "alerts", "--json").stdout)
    assert {row["alert_id"]: row["informs"] for row in told} == {ALERT: True, "surge.EMR.0001": False}
    with pytest.raises(InputError, match="merely informs"):
        step(home, "sign-off")


def test_alerts_and_tables_are_of_one_route_that_is_asked_for_by_name(home: Path) -> None:
    assert ALERT not in vigie(home, "alerts", "--route", "Méditerranée orientale").stdout
    assert ALERT in vigie(home, "alerts", "--route", "central med").stdout
    assert "No alert of Manche in release" in vigie(home, "alerts", "--route", "Manche").stdout
    told = vigie(home, "export", "forecasts", "--format", "json", "--route", "Central Mediterranean").stdout
    assert {row["series_id"].split(".")[1] for row in json.loads(told)} <= {"CMR"}
    for wrong in ("alerts --route Atlantis", "export model_cards --route CMR"):
        with pytest.raises(InputError, match=r"EMR|not by route|no table"):
            vigie(home, *wrong.split())


def test_rows_of_all_series_belong_to_no_route() -> None:
    series = pd.Series(["", "arrivals.CMR._T._T.M", "arrivals.EMR._T._T.M"], dtype="str")
    scores = pd.DataFrame({"series_id": series, "wis": [3, 1, 2]})
    assert of_route(scores, "CMR")["wis"].tolist() == [1]


def test_an_alert_goes_through_its_life_at_the_command_line(home: Path) -> None:
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


def test_letters_may_be_left_to_deliver(home: Path) -> None:
    assert "messages" not in step(home, "sign-off", "--no-send")
    assert vigie(home, "outbox", "deliver").stdout.strip() == "messages: 1 sent"
    assert vigie(home, "outbox", "deliver").stdout.strip() == "messages: 0 sent"


def test_dissent_is_listed_until_it_is_answered(home: Path) -> None:
    assert "1 open objection" in step(home, "dissent", who="Cleo")
    with pytest.raises(InputError, match="capacity: the journal holds nothing of it"):
        vigie(home, "alerts", "history", "capacity", "--json")
    number = vigie(home, "alerts", "history", ALERT).stdout.splitlines()[1].split()[0]
    answer = vigie(home, "alerts", "answer", ALERT, "--number", number, "--as", "Ada", "--reason", "counted since")
    assert "objections" not in answer.stdout


def test_a_step_that_is_not_allowed_is_refused_in_words(home: Path) -> None:
    with pytest.raises(InputError, match="only a signed-off alert can be acknowledged"):
        step(home, "acknowledge")
    with pytest.raises(InputError, match="program’s own name"):
        step(home, "sign-off", who="nightly")


def test_a_channel_that_fails_ends_deliver_with_3(home: Path) -> None:
    (home / "settings.toml").write_text(
        '[delivery.channels.hook]\nkind = "webhook"\nurl_env = "VIGIE_NO_SUCH"\n'
        '[[delivery.subscriptions]]\nname = "system"\nchannel = "hook"\n',
        encoding="utf-8",
    )
    step(home, "sign-off", "--no-send")
    result = vigie(home, "outbox", "deliver")
    assert result.exit_code == 3
    assert "not sent: system: environment variable VIGIE_NO_SUCH is not set" in result.stderr


DISSENT = Entry("Cleo", "dissented", ALERT)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (State("proposed", "severe"), "proposed, 2 to sign"),
        (State("proposed", "severe", ("Ada",)), "proposed, 1 to sign"),
        (State("signed off", "severe", ("Ada", "Ben")), "signed off"),
        (State("dismissed", objections=(DISSENT,)), "dismissed, 1 open objection"),
        (State("proposed", "watch", objections=(DISSENT, DISSENT)), "proposed, 1 to sign, 2 open objections"),
        (State(), ""),
    ],
)
def test_where_an_alert_stands_is_told_with_signatures_that_are_missing_and_open_objections(
    state: State, words: str
) -> None:
    assert _status_words(state) == words


def test_what_a_step_came_to_is_told_with_the_end_of_a_silence_and_why_nothing_is_sent() -> None:
    recorded = "dismissed: recorded; the alert is dismissed"
    until = dt.datetime(2025, 1, 31, 6, 5, tzinfo=dt.UTC)
    state = State("dismissed")
    outcomes = (Outcome(state), Outcome(state, held_until=until), Outcome(state, why_not="drill"))
    told = [_outcome_lines("dismissed", outcome) for outcome in outcomes]
    silence = "silence until 2025-01-31 06:05 UTC: its messages wait until then"
    assert told == [[recorded], [recorded, silence], [recorded, "nothing is sent: drill"]]


NOON = dt.datetime(2025, 1, 31, 12, tzinfo=dt.UTC)
LATER = NOON + dt.timedelta(hours=2)
MESSAGE = OutboxMessage("abc1", 1, ALERT, "raised", "mail", "mail", "", "en", NOON, NOON)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, "due"),
        ({"error": "451"}, "due; failed before: 451"),
        ({"not_before": LATER}, "held until 2025-01-31 14:00 UTC: recipients were recently told of the same matter"),
        (
            {"attempts": 1, "error": "451", "next_at": LATER, "attempted_at": NOON},
            "attempt 1 failed: 451; next from 2025-01-31 14:00 UTC",
        ),
    ],
)
def test_why_a_message_waits_is_told(changes: dict[str, object], why: str) -> None:
    assert _why(replace(MESSAGE, **changes), NOON) == why  # type: ignore[arg-type]  # any field of a message


def test_a_message_is_named_by_as_many_letters_as_tell_it_from_others() -> None:
    both = [MESSAGE, replace(MESSAGE, message_id="abd2")]
    workflow = cast("Workflow", SimpleNamespace(outbox=SimpleNamespace(waiting=lambda: both)))
    assert _find(workflow, "abc") == MESSAGE
    for name, count in (("ab", 2), ("b", 0)):
        with pytest.raises(InputError, match=f"{name}: {count} waiting messages begin so"):
            _find(workflow, name)


def test_messages_that_wait_are_listed_by_their_first_eight_letters_with_to_whom_and_how_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def listed(*messages: OutboxMessage) -> list[str]:
        workflow = SimpleNamespace(outbox=SimpleNamespace(waiting=lambda: list(messages)))
        monkeypatch.setattr("cli.alerts.opened_workflow", lambda _home: nullcontext(workflow))
        return vigie(tmp_path, "outbox").stdout.splitlines()

    one = replace(MESSAGE, message_id="abcdefghijkl", recipient="duty@example.org")
    lines = listed(one, replace(one, recipient=""))
    assert lines[0] == f"abcdefgh  {'raised':16} {ALERT:32} to duty@example.org: due"
    assert " to mail: " in lines[1]
    assert lines[2] == "2 waiting: 'vigie outbox deliver --now' tries all of them"
    assert listed() == ["0 waiting"]
