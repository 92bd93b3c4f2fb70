"""A release is compared with the one before it once, by route."""

from __future__ import annotations

import pandas as pd
import pytest

from alerts.lifecycle import State
from core.languages import Language
from reports import Decisions
from reports.changes import change_since, change_words, changes
from reports.overview import cards, overview_title

from .conftest import MakeRelease, alert_row

ENGLISH = Language("en")


def frame(*rows: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(alert_row(0, ["CMR"])))


WATCH, SEVERE, WARNING = alert_row(2, ["CMR"]), alert_row(0, ["CMR"]), alert_row(1, ["CMR"])


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (frame(SEVERE), "down from Severe"),
        (frame(SEVERE, WATCH), "down from Severe"),
        (frame(WATCH), "unchanged"),
        (frame(), "new"),
        (frame(alert_row(0, ["EMR"])), "new"),
        (None, "new"),
    ],
)
def test_gravest_alert_of_route_is_compared_with_gravest_before(before: pd.DataFrame | None, words: str) -> None:
    assert change_words(change_since(WATCH, frame(WATCH), before), ENGLISH) == words


def test_without_release_before_alert_says_itself_how_it_moved() -> None:
    assert change_words(change_since({**WATCH, "change": "up"}, frame(WATCH), None), ENGLISH) == "moved up"


@pytest.mark.parametrize(
    ("status", "signed_only", "announced", "is_compared"),
    [
        ("", False, False, True),
        ("signed off", False, False, True),
        ("dismissed", False, True, False),  # it stands, and is not shown
        ("signed off", True, False, True),
        ("acknowledged", True, False, True),
        ("", True, True, False),
        ("ended", False, False, True),  # it stands no more
        ("ended", True, True, True),
        ("ended", True, False, False),  # never announced outside
    ],
)
def test_alerts_are_compared_with_those_before(
    status: str,
    signed_only: bool,  # noqa: FBT001  # a case
    announced: bool,  # noqa: FBT001  # as above
    is_compared: bool,  # noqa: FBT001  # as above
) -> None:
    name = str(WATCH["alert_id"])
    states = {} if status in {"", "ended"} else {name: State(status)}
    decisions = Decisions(states, frozenset([name] if announced else []), signed_only=signed_only)
    before, now = frame(WATCH, alert_row(5, ["EMR"])), frame(*([] if status == "ended" else [WATCH]))
    kept = decisions.shown_before(before.set_index(pd.Index([7, 8])), now)
    assert (name in set(kept["alert_id"])) == is_compared


def test_title_card_and_list_report_same_change(make_release: MakeRelease) -> None:
    now = make_release(1, 0).with_frame("alerts", frame(WATCH)).with_frame("ended_alerts", frame(SEVERE))
    former = make_release(1, 0).with_frame("alerts", frame(SEVERE))
    summary = pd.DataFrame({"route_id": ["CMR"], "level": ["watch"], "state": ["ok"]})
    title = overview_title(now.frame("alerts"), former.frame("alerts"), frame(), summary, ENGLISH)
    assert title == "Central Mediterranean moves down to Watch"
    assert [card.change for card in cards(now, former, summary, ENGLISH)] == ["down from Severe"]
    assert changes(now, former, ENGLISH) == ["Central Mediterranean: from Severe to Watch"]


def test_month_that_closed_stands_beside_what_was_expected(make_release: MakeRelease) -> None:
    now, former = make_release(1, 0), make_release(1, 0)
    rows = former.frame("observations")
    added = rows.tail(1).assign(time_period="2025-01", obs_value=1234.0)
    grown = now.with_frame("observations", pd.concat([rows, added], ignore_index=True))
    said = "Counted in January 2025: Central Mediterranean 1,234 (2,000 expected)"
    assert changes(grown, former, ENGLISH) == [said]
