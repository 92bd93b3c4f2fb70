"""Every alert of a release has the identical sentence, number, window and level wherever it is read."""

from __future__ import annotations

import datetime as dt
import html
import io
import re
from collections.abc import Mapping
from typing import Any

import pandas as pd
import pytest
from lxml import etree
from pypdf import PdfReader

from core import table_files
from core.languages import Language, languages
from reports import LoadedRelease
from reports.alert import AlertReport, alert_file, alert_report, rule_record
from reports.briefing import briefing_pdf
from reports.files import for_people
from reports.messages import atom_feed, cap_message, chat_text, compose, machine_payload, mail_html, mail_text
from reports.messages.announcement import Announcement, alert_facts
from reports.names import level_name
from reports.overview import cards

from .conftest import MakeRelease

DASHBOARD, PUBLISHER = "https://vigie.example.org/", "vigie.example.org"
AT = dt.datetime(2025, 1, 31, 12, tzinfo=dt.UTC)


def plain(text: str) -> str:
    """On one line, whatever spaces and joiners the layout needs."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).replace("\u2060", "").split())


def announced(release: LoadedRelease, row: Mapping[Any, Any]) -> Announcement:
    facts = alert_facts(row, release.frames) | {"as_of": release.as_of.isoformat(), "signed_by": ["Ada", "Ben"]}
    return Announcement("5a0c6c1e-7f62-5c38-a4b0-2f6c5c1f8f10", "raised", str(row["alert_id"]), "run", AT, facts)


def outputs(release: LoadedRelease, row: Mapping[Any, Any], code: str) -> dict[str, str]:
    """What each output says about an alert, as text."""
    announcement, language = announced(release, row), Language(code)
    message = compose(announcement, code, DASHBOARD)
    info = languages().index(code)
    cap = etree.fromstring(cap_message(announcement, PUBLISHER, DASHBOARD))
    said = cap.findall("{urn:oasis:names:tc:emergency:cap:1.2}info")[info]
    summary = pd.DataFrame({"route_id": release.frame("alerts")["route_id"], "state": "ok", "level": "watch"})
    own = release.with_frame("alerts", pd.DataFrame([row])).with_frame("ended_alerts", release.frame("alerts").iloc[:0])
    card = cards(own, None, summary.iloc[:0], language)[0]
    table = alert_file(pd.DataFrame([row]).assign(ended=False), release.frame("track_record"), language)
    file = table_files.csv_bytes(for_people(table, language)[0], ["About"]).decode("utf-8-sig")
    pdf = PdfReader(io.BytesIO(briefing_pdf(own, None, code))).pages[0].extract_text()
    found = {
        "card": " ".join([level_name(card.level, language), card.sentence, card.figure, card.when, card.record]),
        "mail as text": mail_text(message), "mail as HTML": mail_html(message), "chat": chat_text(message),
        "webhook": str(machine_payload(message, announcement, "1")["text"]),
        "CAP": " ".join(str(text) for text in said.itertext()) + level_name(str(row["alert_level"]), language),
        "Atom": atom_feed([announcement], code, PUBLISHER, DASHBOARD).decode(), "PDF": pdf,
        "file": file.replace('"', ""),
    }  # fmt: skip
    return {name: plain(text) for name, text in found.items()}


def report_of(release: LoadedRelease, row: Mapping[Any, Any], code: str) -> AlertReport:
    return alert_report(row, rule_record(row, release.frame("track_record")), Language(code))


@pytest.mark.slow
@pytest.mark.parametrize("code", languages())
def test_every_output_states_same_facts(make_release: MakeRelease, code: str) -> None:
    release = make_release(3, 3)
    for row in release.frame("alerts").to_dict("records")[: None if code == "en" else 1]:
        report = report_of(release, row, code)
        facts = {
            "sentence": report.sentence, "number": report.chance, "window": report.window,
            "level": level_name(report.level, Language(code)), "record": report.record,
            "usually": report.usual[0], "cut-off": report.usual[1],
        }  # fmt: skip
        for output, text in outputs(release, row, code).items():
            missing = [name for name, fact in facts.items() if plain(fact) not in text]
            assert not missing, (output, row["alert_id"], missing, text)


@pytest.mark.parametrize("code", languages())
def test_window_is_that_of_file_and_its_months_are_named_in_full(make_release: MakeRelease, code: str) -> None:
    row = make_release(1, 1).frame("alerts").iloc[0].to_dict()
    report = report_of(make_release(1, 1), row, code)
    assert report.window == Language(code).months(str(row["first_period"]), str(row["last_period"]))
    assert report.window in report.sentence
