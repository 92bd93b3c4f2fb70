"""The pages by which a reader judges the others: track record, sources and method, past releases."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd

from alerts.rules import period_words
from core.languages import Language
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from core.release import INTENDED_USE
from core.schema import ALL
from forecasting import ENSEMBLE
from publish.site.layout import Block, Chart, Page, View, folded, heading, table, text
from reports import LoadedRelease, names, numbers, record, skill
from reports.alert import alert_report, events_words, measures_words, rule_record
from reports.answer import came_true
from reports.charts import diagonal, histogram
from reports.citations import prohibited_uses
from reports.drawing import Drawing
from reports.names import level_label, name, route_name
from reports.route import window_words

TRACK_RECORD, SOURCES, ARCHIVE = "track-record.html", "sources.html", "archive.html"
AHEAD = 3
"""Months ahead of the charts of calibration: the middle of the planning window."""
INSIDE = {None: _("not counted yet"), True: _("yes"), False: _("no")}


def track_record(view: View) -> Page:
    """Is the forecast better than the baseline, do its intervals hold, were the alerts right?"""
    language, grid = view.language, record.verdicts(view.release)
    blocks = []
    if len(grid):
        shown = [record.judged_name(str(one), language) for one in grid.index]
        cells = {str(step): [skill.MARKS.get(one, "") for one in grid[step]] for step in grid.columns}
        caption = view.text(_("Skill against the baseline, by months ahead"))
        blocks = [
            text(
                record.error_title(view.release, ALL, language) + ".",
                *record.sentences(view.release, ALL, language),
                record.watch_words(view.release.frame("track_record"), ALL, language),
                record.live_title(view.release.frame("issued_scores"), language),
                kind="list",
            ),
            table(pd.DataFrame({view.text(_("Route")): shown} | cells), caption),
            text(view.text(skill.MARKS_WORDS), kind="note"),
        ]
    blocks += [*_calibration(view), *_rules(view)]
    title = record.title(view.release, ALL, language)
    return Page(TRACK_RECORD, TRACK_RECORD, view.text(_("Track record")), title, blocks, "coverage")


def _calibration(view: View) -> Iterator[Block]:
    """Coverage and the PIT histogram of all routes together."""
    rows, language = view.release.frame("calibration"), view.language
    rows = rows[(rows["series_id"] == ALL) & (rows["model_id"] == ENSEMBLE) & (rows["horizon"].astype(int) == AHEAD)]
    coverage, pit = record.coverage_rows(rows), record.pit_rows(rows)
    ahead = language.plural(ngettext("{n} month ahead", "{n} months ahead"), AHEAD)
    yield heading(view.text(_("Are the intervals well calibrated?")))
    if len(coverage):
        alt, unit = record.coverage_alt(coverage, language), view.text(_("Outcomes inside the interval"))
        points = coverage.rename(columns={"nominal": "promised", "observed": "came"})
        words = (unit, view.text(_("interval promised")))
        yield _shares(view, "coverage", f"{unit}, {ahead}", rows[rows["kind"] == "coverage"],
                      lambda width: diagonal(points, words, alt, width, language))  # fmt: skip
        yield text(alt, kind="note")
    if len(pit):
        said, unit = record.pit_alt(pit, language), view.text(_("Share of outcomes, by place within the forecast"))
        legend = (unit, view.text(_("calibrated")))
        yield _shares(view, "pit", f"{unit}, {ahead}", rows[rows["kind"] == "pit"],
                      lambda width: histogram(pit, legend, said, width, language))  # fmt: skip
        yield text(said, kind="note")


def _shares(view: View, name: str, title: str, rows: pd.DataFrame, draw: Callable[[float], Drawing]) -> Block:
    """A chart of shares, over all routes."""
    chart = Chart(name, title, view.text(_("share")), TRACK_RECORD, draw, rows)
    return Block("chart", view.chart(chart, list(view.release.frame("routes")["series_id"])))


def _rules(view: View) -> Iterator[Block]:
    """Each rule's record at past dates, and whether its chances came true as often as they said."""
    language, known = view.language, view.release.frame("track_record")
    known = known[(known["route_id"] == ALL) & (known["horizon"] == 0) & known["level"].isin(list(names.LEVELS))]
    yield heading(view.text(_("Were the alerts right?")))
    lines = []
    for row in known.to_dict("records"):
        if (found := rule_record(row | {"alert_level": row["level"]}, known)) is not None:
            cells = (name(names.RULES, str(row["rule"]), language), level_label(str(row["level"]), language),
                     language.listed(measures_words(found, language)), events_words(found, language))  # fmt: skip
            lines.append(cells)
    heads = [view.text(head) for head in (_("Rule"), _("Alert level"), _("Record"), _("Events"))]
    caption = view.text(_("Alerts at past dates, with 90% intervals"))
    yield table(pd.DataFrame(lines, columns=heads), caption, words=True)
    bins = view.release.frame("alert_reliability")
    for rule, rows in bins[bins["horizon"] == 0].groupby("rule", sort=True):
        yield _reliability(view, str(rule), rows.sort_values("chance"))


def _reliability(view: View, rule: str, rows: pd.DataFrame) -> Block:
    language = view.language
    points = rows.rename(columns={"chance": "promised", "came_lo": "lower", "came_hi": "upper"})
    alt = language.listed(record.reliability_words(row, language) for row in rows.to_dict("records")) + "."
    words = (view.text(_("Observed frequency")), view.text(_("forecast probability")))
    said = view.text(_("how often it happened, by forecast probability"))
    title = language.labelled(name(names.RULES, rule, language), said)
    return _shares(view, f"reliability-{rule.replace('_', '-')}", title, rows,
                   lambda width: diagonal(points, words, alt, width, language))  # fmt: skip


def sources(view: View) -> Page:
    """Every source with its licence and freshness; what the figures are for; cards of models and sources."""
    language, fresh = view.language, view.release.frame("freshness")
    rows = [row for row in fresh.to_dict("records") if row["source_id"] in view.cards]
    cards = [view.cards[row["source_id"]] for row in rows]
    cells = {
        _("Source"): [names.source_name(row["source_id"], view.cards, language) for row in rows],
        _("What"): [str(card.get("dataset", "")) for card in cards],
        _("Figures to"): [period_words(str(row["last_period"]), language) for row in rows],
        _("State"): [name(names.FRESHNESS, str(row["state"]), language) for row in rows],
        _("Licence"): [str(card.get("licence", "")) for card in cards],
        _("Cite as"): [str(card.get("citation", "")) for card in cards],
    }
    closed = _("Sources whose licence forbids it, and own figures, are used and shown by no figure here.")
    documents = [readable(source, language) for source in view.documents]
    blocks = [
        table(view.headed(cells), view.text(_("Freshness of each source")), words=True),
        text(view.text(closed), kind="note"),
        heading(view.text(_("What it is for"))),
        text(view.text(INTENDED_USE)),
        heading(view.text(_("What it must not be used for"))),
        text(*prohibited_uses(language), kind="list"),
        heading(view.text(_("Models, evaluation and known issues"))),
        *(folded(source, source.partition("\n")[0].lstrip("# ")) for source in documents),
    ]
    return Page(SOURCES, SOURCES, view.text(_("Sources")), view.text(_("Sources and method")), blocks)


def readable(source: str, language: Language) -> str:
    """One of the release's texts with names in place of the codes of series and models."""

    def named(found: re.Match[str]) -> str:
        code = found["code"]
        known = names.MODELS
        return name(known, code, language) if code in known else names.series_words(code, language) or found[0]

    plain_heads = re.sub(r"^(#.*?) \(`[^`]+`\)$", r"\1", source, flags=re.MULTILINE)
    return re.sub(r"`?(?P<code>vigie-[a-z-]+|[a-z_]+(\.\w+){4})`?", named, plain_heads)


OUTCOMES = (
    "run_id", "as_of", "route_id", "first_month", "last_month", "expected", "low", "high", "counted", "inside",
)  # fmt: skip
PAST_FRAMES = ("routes", "observations", "trajectories", "alerts", "track_record")
"""What the archive reads of a release."""


def outcomes_of(past: LoadedRelease, knowing: LoadedRelease) -> pd.DataFrame:
    """What a release expected on each route in its planning window, and what was counted, from another one.

    Returns:
        ``run_id, as_of, route_id, first_month, last_month, expected, low, high, counted`` (empty until all months are),
        ``inside`` (whether the count lies in the 80 % interval; empty until then).
    """
    ends = numbers.window_ends(past.as_of)
    found = []
    for row in numbers.route_states(past.frame("routes")).to_dict("records"):
        series_id = numbers.route_series(str(row["route_id"]))
        total = numbers.expected_total(past.frame("trajectories"), [series_id], ends) if row["state"] == "ok" else None
        if total is None:
            continue
        before = ends[0].to_period("M").start_time.date()
        later = numbers.observed_after(knowing.frame("observations"), knowing.frame("outcomes"), series_id, before)
        values = later.loc[later["end_date"].isin(ends), "obs_value"].dropna()
        counted = float(values.sum()) if len(values) == len(ends) else np.nan
        found.append({
            "run_id": past.run_id, "as_of": past.as_of.isoformat(), "route_id": row["route_id"],
            "first_month": str(ends[0].to_period("M")), "last_month": str(ends[-1].to_period("M")),
            "expected": total.median, "low": total.low, "high": total.high, "counted": counted,
            "inside": None if np.isnan(counted) else total.low <= counted <= total.high,
        })  # fmt: skip
    return pd.DataFrame(found, columns=list(OUTCOMES))


def archive(view: View, past: Sequence[LoadedRelease]) -> Page:
    """Past releases, the newest first: what each expected, what was counted, which alerts were signed off."""
    language = view.language
    frames = [outcomes_of(one, view.release) for one in past]
    every = pd.concat(frames, ignore_index=True)
    counted = every[every["counted"].notna()]
    held = int(counted["inside"].astype(bool).sum())
    text_of = ngettext(
        "{held} of {n} forecast of three months held the count in its 80% interval",
        "{held} of {n} forecasts of three months held the count in their 80% interval",
    )
    title = view.text(_("Past releases and what came true"))
    if len(counted):
        title = language.plural(text_of, len(counted), held=language.counted(held))
    blocks = [text(view.text(_(
        "One release a month, the last of it. A count appears once all three months are known; it is as the release "
        "shown here knows it."
    )), kind="note"), Block("files", _archive_files(view, every))]  # fmt: skip
    for one, frame in zip(past, frames, strict=True):
        blocks += _past(view, one, frame)
    return Page(ARCHIVE, ARCHIVE, view.text(_("Archive")), title, blocks)


def _archive_files(view: View, every: pd.DataFrame) -> Chart:
    title = view.text(_("Past forecasts of three months and what was counted"))
    unit = view.text(_("Total of three months"))
    series = [numbers.route_series(route_id) for route_id in every["route_id"].unique()]
    return view.chart(Chart("archive", title, unit, ARCHIVE, None, every), series)


def _past(view: View, release: LoadedRelease, frame: pd.DataFrame) -> Iterator[Block]:
    language = view.language
    day = view.text(_("As known on {day}"), day=language.day(release.as_of))
    yield heading(f"{day} ({view.text(_('Replay'))})" if release.replay else day)
    rows = frame.to_dict("records")
    cells = {
        _("Route"): [route_name(row["route_id"], language) for row in rows],
        _("Expected"): [language.expected(row["expected"]) for row in rows],
        _("80% interval"): [language.interval(row["low"], row["high"]) for row in rows],
        _("Counted"): [language.counted(row["counted"]) for row in rows],
        _("Inside the 80% interval"): [view.text(INSIDE[row["inside"]]) for row in rows],
    }
    caption = names.expected_title(frame["route_id"], language).format(months=window_words(release.as_of, language))
    yield table(view.headed(cells), caption)
    yield text(*_past_alerts(view, release), kind="list")
    yield text(view.text(_("Release {run_id}, SHA-256 {hash}"), run_id=release.run_id, hash=release.manifest_hash),
               kind="note")  # fmt: skip


def _past_alerts(view: View, release: LoadedRelease) -> Iterator[str]:
    """Each alert that was signed off, and whether its event happened."""
    language = view.language
    for row in release.frame("alerts").to_dict("records"):
        report = alert_report(row, rule_record(row, release.frame("track_record")), language)
        said = f"{report.badge}, {route_name(str(row['route_id']), language)}: {report.sentence}"
        frames = view.release.frame("observations"), view.release.frame("outcomes")
        came = came_true(row, numbers.observed_after(*frames, str(row["series_id"]), release.as_of))
        if came is not None:
            said += " " + view.text(_("It happened.") if came else _("It did not happen."))
        yield said
