"""Compare what the briefing and messages say with golden files, line by line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from difflib import ndiff
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from alerts.lifecycle import RAISED, State
from core.errors import Message
from core.languages import WORD_JOINER, Language
from core.routes import ROUTES
from forecasting.scenarios import Needs
from reports import Decisions, LoadedRelease, Reception
from reports.briefing import briefing_data
from reports.messages import atom_feed, cap_message, chat_text, compose, machine_payload, mail, mail_html, mail_text
from reports.messages.announcement import FRESHNESS, KINDS, Announcement
from tests.golden import check_golden

from .conftest import Announce, MakeRelease, year_row

GOLDEN = Path(__file__).with_name("golden")
STATES = {"rule_0.CMR": State("proposed", "severe"), "rule_1.EMR": State("signed off")}
LATE = (Message("no answer").record("a_bureau"),)
CHANGES = (("fresh", "overdue"), ("overdue", "fresh"), ("", "fresh"))
PUBLISHER, DASHBOARD = "vigie.example.org", "https://vigie.example.org/"


def with_years(release: LoadedRelease, routes: int, countries: int) -> LoadedRelease:
    running = [year_row("_T", 15_000.0)]
    running += [
        year_row(f"arrivals.{code}._T._T.M", 4000.0 + 900 * place) for place, code in enumerate([*ROUTES][:routes])
    ]
    later = [
        one | {"kind": "July to June", "ahead": 1, "first_period": "2025-07", "last_period": "2026-06"}
        for one in running
    ]
    codes = (
        "DEU", "FRA", "ITA", "ESP", "BEL", "NLD", "AUT", "SWE", "POL", "IRL", "GRC", "CYP", "BGR", "NOR", "DNK", "FIN",
    )  # fmt: skip
    asylum = [year_row(f"asylum_applications_first._Z.{code}._T.Q", 70_000.0) for code in codes[:countries]]
    return release.with_frame("year_ahead", pd.DataFrame([*running, *later, *asylum]))


@pytest.mark.parametrize(
    ("name", "language", "routes", "alerts", "other"),
    [("usual", "en", 5, 3, {"degraded": LATE, "without": ["WAR"]}), ("exercise", "fr", 9, 12, {"replay": True})],
)
def test_briefing_is_golden_one(
    make_release: MakeRelease, name: str, language: str, routes: int, alerts: int, other: dict[str, Any]
) -> None:
    kept = (Reception("EMR", 1000.0, Needs(4.0, "open", 0.8), 0.9, "Planner 1"),)
    former = make_release(routes, 2) if alerts < 12 else None
    release = with_years(make_release(routes, alerts, **other), routes, 16)
    data = briefing_data(release, former, Language(language), Decisions(STATES, reception=kept))
    check_golden(GOLDEN / f"briefing_{name}.txt", _words(data))


def _words(data: Any, name: str = "") -> Iterator[str]:  # noqa: ANN401  # whatever JSON holds
    """Each text with its name; of charts their words."""
    if isinstance(data, str | int | float):
        if name not in {"svg", "width"}:
            yield f"{name}: {data}".replace(WORD_JOINER, "")
        return
    for key, part in data.items() if isinstance(data, dict) else ((name, part) for part in data or ()):
        if key not in {"colours", "tall", "middle"}:
            yield from _words(part, key)


@pytest.mark.parametrize("kind", KINDS)
def test_every_form_of_each_kind_of_message_is_golden(announce: Announce, kind: str) -> None:
    announcement = announce(kind, earlier=(announce(),), why="counted twice", last_known="4,321 in December 2024")
    if kind == FRESHNESS:
        sources = [
            {"source_id": "a_bureau", "name": "A bureau", "before": before, "after": after} for before, after in CHANGES
        ]
        lost = announcement.facts | {"unjudged_since": "2024-12-05"}
        facts = {"as_of": "2025-01-31", "changes": sources, "alerts": [lost, announcement.facts]}
        announcement = replace(announcement, facts=facts, earlier=())
    lines = forms_of(announcement)
    if kind == RAISED:
        lines += ["== HTML", mail_html(compose(announcement, "en", DASHBOARD), "fan")]
    elif kind != FRESHNESS:  # only what differs from the message of a new alert
        lines = [one for one in ndiff(forms_of(announce()), lines) if one.startswith(("-", "+"))]
    check_golden(GOLDEN / f"message_{kind.replace(' ', '_')}.txt", lines)


def forms_of(announcement: Announcement) -> list[str]:
    return [line for form in _forms(announcement) for line in form.split("\n")]


def _forms(announcement: Announcement) -> Iterator[str]:
    message = compose(announcement, "en", DASHBOARD)
    yield from ("== text", mail_text(message), "== chat", chat_text(message))
    payload = machine_payload(message, announcement, "1")
    yield from (
        "== webhook",
        json.dumps({name: payload[name] for name in payload if name not in {"facts", "text"}}, indent=1),
    )
    if announcement.kind != FRESHNESS:  # which is no alert
        yield from ("== CAP", cap_message(announcement, PUBLISHER, DASHBOARD).decode())
    yield from ("== Atom", atom_feed([announcement], "en", PUBLISHER, DASHBOARD).decode())
    out = mail(
        message,
        announcement,
        b"png",
        message_id="m",
        sender="Vigie <vigie@example.org>",
        recipient="a@example.org",
        answers=("l",),
    )
    yield from ("== headers", *(f"{name}: {value}" for name, value in out.items() if name != "Content-Type"))
