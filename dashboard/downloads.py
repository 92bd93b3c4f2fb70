"""What leaves the program: tables as CSV, XLSX and Parquet, pictures, texts and the briefing, and their buttons.

Each file has its citation, licence and caveats inside, and is made on the click, after a check of permission.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pandas as pd
import streamlit as st

from access import DOWNLOAD
from core import table_files
from core.settings import load_settings
from dashboard import _, labelled, lang, language, listed, reads, state, visitor
from dashboard.reads import Night
from dashboard.tables import localised
from decisions.announcements import make_briefing
from reports import charts
from reports import citations as reported
from reports.charts import NARROW, WIDE
from reports.context import event_words, events_note
from reports.drawing import framed, png_file, svg_file, tiled
from reports.files import explanation, for_people

PIXELS, BESIDE = 1536, 3
"""Width of a PNG, and small charts of one kind beside each other."""


@dataclass(frozen=True)
class Export:
    """One table that may leave the program, and what must travel with it.

    Attributes:
        name: Beginning of the file's name, ASCII.
        title: What the table shows, one line.
        frame: The table as it leaves.
        known_on: The date on which the figures were known, ISO.
        run_id: The release that the figures come from.
        citations: How to cite each source, its licence included.
        notes: Further caveats that hold for this table only.
        exercise: The mark of a replayed night; empty on any other.
    """

    name: str
    title: str
    frame: pd.DataFrame
    known_on: str
    run_id: str
    citations: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    exercise: str = ""

    @property
    def day(self) -> str:
        """The date on which the figures were known, in words."""
        return lang().day(dt.date.fromisoformat(self.known_on))

    @property
    def citation(self) -> str:
        """How to cite it."""
        text = _("Vigie, {title}. As known on {day}, release {run_id}.")
        return text.format(title=self.title, day=self.day, run_id=self.run_id)

    def about(self) -> list[tuple[str, str]]:
        """Lines that travel inside the file: a label and a text each."""
        lines = [
            *([(_("Mark"), self.exercise)] if self.exercise else []),
            (_("Title"), self.title),
            (_("As known on"), self.day),
            (_("Release"), self.run_id),
            (_("Cite as"), self.citation),
        ]
        lines += [(_("Source"), citation) for citation in self.citations]
        return lines + [(_("Caveat"), text) for text in [*self.notes, *reported.caveats(lang())]]

    def lines(self) -> list[str]:
        """The same, one text per line."""
        return [labelled(label, text) for label, text in self.about()]

    def file_name(self, ending: str) -> str:
        """Name of the file with that ending."""
        return f"vigie-{self.name}-{self.known_on}.{ending}"


def csv_bytes(export: Export) -> bytes:
    """The table for people as CSV in UTF-8; the lines about it stand first and begin with ``#``."""
    frame, _columns = for_people(export.frame, lang())
    return table_files.csv_bytes(frame, export.lines())


def xlsx_bytes(export: Export) -> bytes:
    """The table for people as a workbook: what must be known about the data, the data, and its columns explained."""
    day = dt.date.fromisoformat(export.known_on)
    frame, columns = for_people(export.frame, lang())
    explained = explanation(columns, lang())
    sheets = (_("data"), _("about"), _("columns"))
    return table_files.xlsx_bytes(frame, export.about(), title=export.title, day=day, columns=explained, sheets=sheets)


def parquet_bytes(export: Export) -> bytes:
    """The table for machines as Parquet: every digit, the release's names.

    The lines about it are in the file's key-value metadata under ``vigie``.
    """
    return table_files.parquet_bytes(export.frame, export.lines())


FORMATS: dict[str, tuple[str, str, Callable[[Export], bytes]]] = {
    "CSV": ("csv", "text/csv", csv_bytes),
    "XLSX": ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", xlsx_bytes),
    "Parquet": ("parquet", "application/vnd.apache.parquet", parquet_bytes),
}
"""Name on the button: file ending, media type, function that makes the file."""


def citations(night: Night, source_ids: list[str] | None = None) -> list[str]:
    """Citation and licence of the sources behind a table, components of derived ones included."""

    def make() -> list[str]:
        nothing = night.frame("alerts").iloc[:0]
        used = reported.sources_behind(night, nothing) if source_ids is None else source_ids
        return reported.citations(night.sources(), used, lang())

    return reads.once(night, make, "citations", source_ids)


def buttons(export: Export, picture: Callable[[str], bytes] | None = None) -> None:
    """Buttons that hand a table over as CSV, XLSX and Parquet, and its picture as PNG and SVG.

    Files are made on the click.
    """
    if not visitor.allows(DOWNLOAD):
        return
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="xsmall"):
        icon: str | None = ":material/download:"
        for name, (ending, media_type, make) in FORMATS.items():
            _button(name, export, ending, media_type, partial(make, export), icon)
            icon = None
        if picture is not None:
            pictures(export, picture)


def pictures(export: Export, picture: Callable[[str], bytes]) -> None:
    """Buttons that hand a chart over as PNG and SVG; none for a reader who may not take files away."""
    if visitor.allows(DOWNLOAD):
        _button("PNG", export, "png", "image/png", partial(picture, "png"), None)
        _button("SVG", export, "svg", "image/svg+xml", partial(picture, "svg"), None)
        with st.popover(_("Cite"), type="tertiary"):
            st.code(export.citation, language=None, wrap_lines=True)


def document_button(night: Night, name: str, label: str) -> None:
    """A button that hands over one of the release's texts as it was published; none where the release lacks it."""
    text = night.document(name)
    if text and visitor.allows(DOWNLOAD):
        file_name = f"vigie-{Path(name).stem}-{night.as_of.isoformat()}{Path(name).suffix}"
        st.download_button(
            label,
            visitor.released(file_name, night.run_id, text.encode),
            file_name,
            "text/markdown",
            key=f"document:{name}",
            on_click="ignore",
            type="tertiary",
            icon=":material/description:",
        )


def figures(
    export: Export, alt: str, *, shown: pd.DataFrame | None = None, picture: Callable[[str], bytes] | None = None
) -> None:
    """What lies behind a chart: its table on demand, and its files.

    Args:
        export: The table and what travels with it.
        alt: What the table holds, for those who do not see it.
        shown: The table as it is shown, if other than in the files.
        picture: Makes the chart's PNG or SVG, where there is one.
    """
    name = f"figures-{export.name}"
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.toggle(_("Show the figures"), **state.toggle(name))
        buttons(export, picture)
    if state.switch(name):
        _table(export, alt, shown)


def folded(export: Export, title: str) -> None:
    """Figures that few ask for, behind their title: the table and its files."""
    with st.expander(title):
        _table(export, title)
        buttons(export)


def _table(export: Export, alt: str, shown: pd.DataFrame | None = None) -> None:
    table = localised(for_people(export.frame, lang())[0] if shown is None else shown)
    st.dataframe(table, hide_index=True, placeholder="", alt=alt)


def _button(
    name: str, export: Export, ending: str, media_type: str, make: Callable[[], bytes], icon: str | None
) -> None:
    file_name = export.file_name(ending)
    st.download_button(
        name,
        visitor.released(file_name, export.run_id, make),
        file_name,
        media_type,
        key=f"file:{file_name}",
        on_click="ignore",
        type="tertiary",
        icon=icon,
        help=_("Download as {format}, with citation, licence and caveats inside").format(format=name),
    )


def export_of(night: Night, name: str, title: str, frame: pd.DataFrame, sources: list[str] | None = None) -> Export:
    """A table of a release, ready to leave the program; its sources are those of the routes' counts by default."""
    mark = reported.exercise_mark(night.as_of, lang()) if night.replay else ""
    known_on, cited = night.as_of.isoformat(), citations(night, sources)
    return Export(name, title, frame, known_on, night.run_id, cited, exercise=mark)


def with_notes(export: Export, notes: list[str]) -> Export:
    """The same export with caveats of its own."""
    return dataclasses.replace(export, notes=notes)


def at_origin(export: Export, origin: str) -> Export:
    """The same export where a past origin is shown: named, cited and dated by that day, with a caveat that says so.

    Args:
        export: The table, which holds what was known and forecast at that origin.
        origin: ISO date of the origin; an empty text where the release itself is shown.
    """
    if not origin:
        return export
    text = _("Replay of {day}: made later by the same code with what was known then.")
    note = text.format(day=lang().day(dt.date.fromisoformat(origin)))
    return dataclasses.replace(export, name=f"{export.name}-replay", known_on=origin, notes=[*export.notes, note])


def cut_at(export: Export, origin: str) -> Export:
    """The same export of the release's own figures up to a past origin: dated by the release, with the cut named.

    Args:
        export: The table, with the release's figures of the time before that origin.
        origin: ISO date of the origin; an empty text where nothing is cut.
    """
    if not origin:
        return export
    return dataclasses.replace(export, name=f"{export.name}-to-{origin}", notes=[*export.notes, cut_words(origin)])


def cut_words(origin: str) -> str:
    """How the release's own figures are cut at a past origin."""
    day = lang().day(dt.date.fromisoformat(origin))
    return _("Figures as this release knows them, up to {day}.").format(day=day)


def briefing_button(night: Night) -> None:
    """The button; none for a reader who may not take files away."""
    if not visitor.allows(DOWNLOAD):
        return
    file_name = f"vigie-{night.as_of.isoformat()}-{language()}.pdf"
    make = partial(_briefing, night.home, night.run_id, language())
    st.download_button(
        _("Briefing (PDF)"),
        visitor.released(file_name, night.run_id, make),
        file_name,
        "application/pdf",
        key="briefing",
        on_click="ignore",
        type="tertiary",
        icon=":material/picture_as_pdf:",
        help=_("To print or hand on: map, alerts, charts, the year ahead, caveats and licences"),
    )


def _briefing(home: str, run_id: str, reader_language: str) -> bytes:
    folder = Path(home)
    return make_briefing(folder, load_settings(folder), run_id, reader_language)


def drawn(export: Export, shown: charts.Fan | Sequence[charts.Fan], kind: str = "png") -> bytes:
    """Draw a fan chart, or several in one picture, that can stand by itself.

    Args:
        export: Its title, mark, sources and caveats.
        shown: What it shows; of several charts, each stands under its ``what``.
        kind: ``png`` or ``svg``.
    """
    fans = [shown] if isinstance(shown, charts.Fan) else shown
    fan = fans[0]
    mark = " · ".join(filter(None, [export.exercise, _("Conditional") if fan.scenario is not None else ""]))
    known = labelled(_("As known on"), export.day)
    caveat = _("A forecast is a range, not a fact: one outcome in five is expected outside the 80% interval.")
    source, release = labelled(_("Source"), " ".join(export.citations)), labelled(_("Release"), export.run_id)
    named = [] if fan.events is None else event_words(fan.events, lang())
    events = [f"{place} {title}" for place, (title, _what, _url) in enumerate(named, start=1)]
    about = f"{listed(events)}. {events_note(lang())}" if events else ""
    notes = [about, *export.notes, source, caveat, f"Vigie · {release}"]
    if len(fans) > 1:
        drawing = tiled([framed(charts.fan(one, NARROW, lang()), "", [], mark=one.what) for one in fans], BESIDE)
    else:
        drawing = charts.fan(fan, WIDE, lang())
    drawing = framed(drawing, export.title, notes, mark=mark, subtitle=known)
    drawing = dataclasses.replace(drawing, alt="\n".join([drawing.alt, *export.lines()]))
    return svg_file(drawing, export.title) if kind == "svg" else png_file(drawing, export.title, PIXELS)
