"""The fan chart as a file: title, unit, sources and release on it, citations and caveats in full in its text fields."""

from __future__ import annotations

import dataclasses
import datetime as dt

from dashboard import _, labelled, lang
from dashboard.downloads import Export
from reports import charts
from reports.charts import WIDE
from reports.drawing import framed, png_file, svg_file

PIXELS = 1536
"""Width of a PNG."""


def drawn(export: Export, fan: charts.Fan, kind: str = "png") -> bytes:
    """Draw a fan chart that can stand by itself.

    Args:
        export: Its title, mark, sources and caveats.
        fan: What it shows.
        kind: ``png`` or ``svg``.
    """
    mark = " · ".join(filter(None, [export.exercise, _("Conditional") if fan.forecast is not None else ""]))
    known = labelled(_("As known on"), lang().day(dt.date.fromisoformat(export.known_on)))
    caveat = _("A forecast is a range, not a fact: one outcome in five is expected outside the 80% interval.")
    source, release = labelled(_("Source"), " ".join(export.citations)), labelled(_("Release"), export.run_id)
    notes = [*export.notes, source, caveat, f"Vigie · {release}"]
    drawing = framed(charts.fan(fan, WIDE, lang()), export.title, notes, mark=mark, subtitle=known)
    drawing = dataclasses.replace(drawing, alt="\n".join([drawing.alt, *export.lines()]))
    return svg_file(drawing, export.title) if kind == "svg" else png_file(drawing, export.title, PIXELS)
