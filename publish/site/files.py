"""Files beside the site's charts: figures and what must be known about them, pictures, and lists of all of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
from lxml import etree

from core.languages import DEFAULT_LANGUAGE, Language
from core.languages import marked as _
from core.release import INTENDED_USE
from core.table_files import csv_bytes
from publish.site.layout import DATA, Chart, folder_of
from reports import LoadedRelease
from reports.charts import WIDE
from reports.citations import caveats, prohibited_uses
from reports.drawing import framed, png_file, style_sheet, svg_file
from reports.files import COLUMNS

PICTURE_PIXELS = 1200
"""Width that services expect of a picture for sharing."""
_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_TYPES = {"i": "integer", "f": "number", "b": "boolean"}
"""Types of Frictionless Table Schema by kind of dtype; any other is a string."""


def style() -> bytes:
    """The style sheet: colours of both sides, roles of shapes, and the page's layout."""
    layout = (Path(__file__).parent / "templates" / "site.css").read_text(encoding="utf-8")
    return f"{style_sheet()}\n{layout}".encode()


def pictures(chart: Chart, notes: Sequence[str], folder: Path) -> dict[str, bytes]:
    """The chart with its title and notes as SVG and PNG, by file name.

    Args:
        chart: A chart that is drawn.
        notes: What stands beneath it.
        folder: Where the former ones are: the PNG beside an equal SVG holds the same shapes and is not painted again.
    """
    if chart.draw is None:
        return {}
    drawing = framed(chart.draw(WIDE), chart.title, notes)
    svg, png = f"{chart.name}.svg", f"{chart.name}.png"
    content = svg_file(drawing, chart.title)
    if (folder / png).is_file() and (folder / svg).is_file() and (folder / svg).read_bytes() == content:
        return {svg: content, png: (folder / png).read_bytes()}
    return {svg: content, png: png_file(drawing, chart.title, PICTURE_PIXELS)}


def cite_as(chart: Chart, release: LoadedRelease, language: Language) -> str:
    """How to cite the chart."""
    text, day = _("Vigie, {title}. As known on {day}, release {run_id}."), language.day(release.as_of)
    return language.text(text, title=chart.title, day=day, run_id=release.run_id)


def notes(chart: Chart, release: LoadedRelease, language: Language) -> list[str]:
    """What stands beneath the chart where it stands alone: unit, day, release; sources with their licences."""
    day = language.text(_("As known on {day}"), day=language.day(release.as_of))
    return [f"{chart.unit} · {day} · Vigie {release.run_id}", " ".join(chart.citations)]


def data_files(found: Mapping[str, Mapping[str, Chart]], release: LoadedRelease) -> dict[str, bytes]:
    """Each chart's CSV and metadata, and the descriptor of them all.

    Args:
        found: Charts by language and name.
        release: The release shown.
    """
    made: dict[str, bytes] = {}
    resources = []
    for name, chart in found[DEFAULT_LANGUAGE].items():
        made[f"{DATA}/{name}.csv"] = csv_bytes(chart.frame)
        titles = {code: charts[name].title for code, charts in found.items()}
        about = metadata(chart, titles, release)
        made[f"{DATA}/{name}.metadata.json"] = _json(about)
        resources.append(
            {
                "name": name, "path": f"{DATA}/{name}.csv", "title": chart.title, "profile": "tabular-data-resource",
                "format": "csv", "mediatype": "text/csv", "encoding": "utf-8",
                "bytes": len(made[f"{DATA}/{name}.csv"]), "schema": {"fields": about["columns"]},
                "sources": [{"title": text} for text in chart.citations],
            }
        )  # fmt: skip
    package = {
        "profile": "data-package", "name": "vigie-site", "version": release.as_of.isoformat(),
        "title": f"Vigie: forecasts of migration flows as known on {release.as_of}", "resources": resources,
    }  # fmt: skip
    return made | {"datapackage.json": _json(package)}


def metadata(chart: Chart, titles: Mapping[str, str], release: LoadedRelease) -> dict[str, Any]:
    """What must be known about a chart's figures, in English, with its title in every language."""
    words = Language(DEFAULT_LANGUAGE)
    pictures = {
        code: {kind: f"{folder_of(code)}{DATA}/{chart.name}.{kind}" for kind in ("svg", "png")} for code in titles
    }
    return {
        "title": chart.title,
        "titles": dict(titles),
        "unit": chart.unit,
        "source": list(chart.citations),
        "licence": list(chart.licences),
        "release": {
            "run_id": release.run_id,
            "as_of": release.as_of.isoformat(),
            "created_at": release.created_at.isoformat(timespec="seconds"),
            "replay": release.replay,
            "manifest_sha256": release.manifest_hash,
        },
        "how_to_cite": cite_as(chart, release, words),
        "intended_use": words.text(INTENDED_USE),
        "not_to_be_used_for": prohibited_uses(words),
        "caveats": caveats(words),
        "page": chart.page,
        "csv": f"{DATA}/{chart.name}.csv",
        **({"pictures": pictures} if chart.draw else {}),
        "columns": [_field(str(name), chart.frame[name]) for name in chart.frame.columns],
    }


def _field(name: str, values: pd.Series) -> dict[str, str]:
    known = COLUMNS.get(name)
    said = {"description": known.means, "unit": known.unit} if known else {}
    field = {"name": name, "type": _TYPES.get(values.dtype.kind, "string"), **said}
    return {key: text for key, text in field.items() if text}


def sitemap(paths: Sequence[str], base: str) -> bytes:
    """Addresses of all pages; those that stand in other sites are left out."""
    root = etree.Element(f"{{{_SITEMAP}}}urlset", nsmap={None: _SITEMAP})
    for path in sorted(path for path in paths if "embed/" not in path):
        place = etree.SubElement(etree.SubElement(root, f"{{{_SITEMAP}}}url"), f"{{{_SITEMAP}}}loc")
        place.text = base + quote(path)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()
