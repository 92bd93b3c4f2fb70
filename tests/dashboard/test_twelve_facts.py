"""Facts of a release are equal wherever they are read: on pages, in the briefing, a mail, feeds, files and the site."""

from __future__ import annotations

import datetime as dt
import html
import io
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from pypdf import PdfReader

from alerts.lifecycle import PROPOSED, SIGNED_OFF
from core.languages import Language
from core.schema import Entry
from core.settings import load_settings
from dashboard import reads, route_view
from dashboard.downloads import csv_bytes, export_of
from decisions.announcements import facts_of, make_briefing
from publish.site import build_site
from reports import numbers, reception
from reports.alert import alert_file, alert_report, limit_of, rule_record
from reports.messages import atom_feed, cap_message, compose, mail_text
from reports.messages.announcement import Announcement
from reports.names import level_name
from reports.record import held_words
from reports.route import expected_words, known_to
from reports.skill import record_mark, total_record, verdict_ends, verdict_words
from store.journal import opened_journal
from store.releases import Release, ReleaseStore
from store.status import read_status

from .conftest import publish
from .test_pages import visit

ROUTE, ALERT = "EMR", "surge-EMR-2025-02"
AT = dt.datetime(2025, 1, 31, 12, tzinfo=dt.UTC)
ENGLISH = Language("en")


def plain(text: str) -> str:
    """On one line, without markup, joiners and marks of thousands."""
    text = html.unescape(re.sub(r"<[^>]+>", " ", text)).replace("\u2060", "").replace("\\", "").replace('"', "")
    return " ".join(re.sub(r"(?<=\d),(?=\d)", "", text).split())


def page(name: str, **address: str) -> str:
    app = visit(name, **address)
    kinds = (app.title, app.header, app.markdown, app.info, app.warning)
    said = [str(one.value) for kind in kinds for one in kind]
    said += [f"{one.label} {one.value} {one.delta}" for one in app.metric]
    for table in (one.value for one in app.table):
        shown = {"Expected": ENGLISH.expected, "Last month": ENGLISH.counted}
        written = {name: table[name].map(write) for name, write in shown.items() if name in table.select_dtypes(float)}
        said.append(table.assign(**written).to_csv(index=False))
    return " ".join(said)


def outputs(home: Path, release: Release) -> dict[str, str]:
    """Everything that can be read of the release about one route and its alert, as text."""
    (night,) = reads.nights()
    ends = numbers.window_ends(night.as_of)
    alerts = night.frame("alerts")
    row = alerts[alerts["alert_id"] == ALERT].to_dict("records")[0]
    facts = {**facts_of(release, row), "signed_by": ["Ada", "Ben"]}
    announcement = Announcement("5a0c6c1e-7f62-5c38-a4b0-2f6c5c1f8f10", "raised", ALERT, night.run_id, AT, facts)
    briefing = PdfReader(io.BytesIO(make_briefing(home, load_settings(home), night.run_id, "en")))
    summary = numbers.route_summary(night.frame, alerts, ends, ROUTE)
    build_site(home, load_settings(home), home / "site")
    site = [path.read_text(encoding="utf-8") for path in (home / "site").rglob("*.html")]
    table = alert_file(alerts.assign(ended=False), night.frame("track_record"), ENGLISH)
    files = [
        export_of(night, "routes", "Routes", summary), export_of(night, "alerts", "Alerts", table),
        route_view.export(route_view.build(night, ROUTE, "", 12)),
    ]  # fmt: skip
    address = "https://vigie.example.org"
    found = {
        "Overview": page("overview"), "Route": page("route", route=ROUTE), "Alerts": page("alerts", alert=ALERT),
        "Asylum": page("asylum"), "Reception": page("reception"), "Scenarios": page("scenarios", route=ROUTE),
        "Track record": page("evaluation", on=ROUTE), "About": page("data"), "site": " ".join(site),
        "briefing": briefing.pages[0].extract_text(), "mail": mail_text(compose(announcement, "en", address)),
        "Atom": atom_feed([announcement], "en", "vigie.example.org", address).decode(),
        "CAP": cap_message(announcement, "vigie.example.org", address).decode(),
        "routes.csv": csv_bytes(files[0]).decode("utf-8-sig"), "alerts.csv": csv_bytes(files[1]).decode("utf-8-sig"),
        "route.csv": csv_bytes(files[2]).decode("utf-8-sig"),
    }  # fmt: skip
    return {name: plain(text) for name, text in found.items()}


def expected_facts() -> Mapping[str, tuple[str, tuple[str, ...]]]:
    """Each fact as it is written, and the outputs that state it; worked out from the release's tables alone."""
    (night,) = reads.nights()
    ends, series_id = numbers.window_ends(night.as_of), numbers.route_series(ROUTE)
    alerts = night.frame("alerts")
    row = alerts[alerts["alert_id"] == ALERT].to_dict("records")[0]
    report = alert_report(row, rule_record(row, night.frame("track_record")), ENGLISH)
    sums = numbers.expected_total(night.frame("trajectories"), [series_id], ends)
    counts = numbers.series_of(night.frame("observations"), series_id).iloc[-1]
    before = numbers.expected_before(night.frame("backtest"), series_id, counts["end_date"])
    verdicts = verdict_ends(night.frame("scores"), night.frame("forecasts"), series_id)
    assert sums is not None and before is not None
    alert = ("Alerts", "mail", "Atom", "CAP", "alerts.csv", "site")
    route = ("Overview", "Route", "Scenarios", "briefing", "routes.csv", "site")
    pages = ("Overview", "Route", "Alerts", "Asylum", "Reception", "Scenarios", "Track record", "About")
    place = reception.lines(night, ENGLISH)["ITA"]
    words = verdict_words(verdicts, ends, ENGLISH)
    return {
        "figures to": (known_to(night, ENGLISH), pages),
        "expected": (ENGLISH.expected(sums.median), route),
        "interval from": (ENGLISH.expected(sums.low), route),
        "interval to": (ENGLISH.expected(sums.high), route),
        "interval's record": (held_words(night, ROUTE, ENGLISH), ("Route", "Track record")),
        "reception": (place.partition(": ")[2], ("Overview", "Reception")),
        "newest count": (
            ENGLISH.counted(counts["obs_value"]),
            ("Overview", "Route", "briefing", "mail", "Atom", "routes.csv", "route.csv", "site"),
        ),
        "expected of it": (
            expected_words(before.median, counts["end_date"], ENGLISH),
            ("Route", "mail", "Atom", "CAP"),
        ),
        "skill": (words[0].upper() + words[1:], ("Route",)),
        "skill in brief": (record_mark(total_record(night.frame("total_scores"), series_id), ENGLISH), ("Overview",)),
        "level": (level_name("severe", ENGLISH), ("Overview", "briefing", *alert)),
        "chance": (report.chance, ("Overview", "briefing", *alert)),
        "usually": (report.usual[0], ("Overview", "briefing", *alert)),
        "cut-off": (report.usual[1], ("Overview", "briefing", *alert)),
        "threshold": (ENGLISH.counted(limit_of(row)), ("Overview", "briefing", *alert)),
        "months": (report.window, ("Overview", *alert)),
        "record": (report.record, ("Overview", "briefing", *alert)),
    }


@pytest.mark.slow
def test_facts_are_equal_wherever_they_are_read(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("publish.site.languages", lambda: ["en"])  # no other is read here, and no picture
    monkeypatch.setattr("publish.site.png_file", lambda *_: b"")
    release = publish(home, replay=False)
    with opened_journal(load_settings(home).journal_url, home) as journal:
        for alert in reads.nights()[0].frame("alerts").to_dict("records"):
            subject = (str(alert["alert_id"]), release.run_id)
            journal.record(Entry("nightly", PROPOSED, *subject, payload={"level": alert["alert_level"]}))
            for person in ("Ada", "Ben"):
                journal.record(Entry(person, SIGNED_OFF, *subject, "Seen."))
    said = outputs(home, ReleaseStore(home).get(release.run_id))
    missing = [
        (name, fact, where)
        for name, (fact, places) in expected_facts().items()
        for where in places
        if plain(fact) not in said[where]
    ]
    assert not missing, missing
    assert read_status(home)["alerts"] == dict.fromkeys(("severe", "warning", "watch", "information"), 1)
