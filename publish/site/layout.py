"""Pages as lists of blocks, and how they become HTML: one template lays all of them out, with nothing to run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from core.languages import DEFAULT_LANGUAGE, Language, capital
from core.languages import marked as _
from reports.charts import NARROW, WIDE
from reports.drawing import Drawing, inline_svg

DATA, EMBED = "data", "embed"
"""Folders of charts' files and of pages that stand in another site."""


WORDS = {
    "signed": _("Alerts that were signed off"),
    "skip": _("Skip to the content"),
    "pages": _("Pages"),
    "language": _("Language"),
    "package": _("All data files"),
    "metadata": _("Metadata"),
    "figures": _("Show the figures"),
    "cite": _("Cite or embed this chart"),
    "embed": _("This line puts the chart into another page:"),
}
"""Words of the templates, by the name that these have for them."""


@dataclass(frozen=True)
class Chart:
    """One chart of a page, and what stands beside it as files.

    Attributes:
        name: Stable beginning of its files' names.
        title: The finding.
        unit: What is counted.
        page: The page it stands on.
        draw: Draws it at a width in pixels; None for a file alone.
        frame: The figures as the release holds them, under the release's names.
        table: The same in the reader's words, as a person reads it; None where the page shows them anyway.
        citations: How to cite its sources, each with its licence.
        licences: Licences of its sources.
    """

    name: str
    title: str
    unit: str
    page: str
    draw: Callable[[float], Drawing] | None
    frame: pd.DataFrame
    table: pd.DataFrame | None = None
    citations: Sequence[str] = ()
    licences: Sequence[str] = ()


@dataclass(frozen=True)
class Block:
    """One part of a page: ``kind`` names the template's macro, ``of`` is what it lays out."""

    kind: str
    of: Any
    more: Mapping[str, Any] = field(default_factory=dict)


def heading(text: str) -> Block:
    """A heading of the second level."""
    return Block("heading", text)


def text(*lines: str, kind: str = "text") -> Block:
    """Paragraphs (``text`` or small ``note``), or the points of a ``list``. Empty lines are left out."""
    return Block(kind, [line for line in lines if line])


def table(frame: pd.DataFrame, caption: str, links: Sequence[str] = (), *, words: bool = False) -> Block:
    """A table; the first column names the rows and leads to ``links`` where there are any.

    Cells stand at the right, as numbers do; those of ``words`` at the left.
    """
    return Block("table", frame, {"caption": caption, "links": list(links), "words": words})


def folded(source: str, summary: str) -> Block:
    """One of the release's texts, unfolded on a click; markup inside it is shown, not run."""
    lines = [f"##{line}" if line.startswith("#") else line for line in source.replace("<br>", "; ").splitlines()]
    written = Markup(_markdown().render("\n".join(lines)))  # noqa: S704  # its HTML is escaped
    return Block("folded", written, {"summary": summary})


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")


@dataclass(frozen=True)
class Page:
    """One page in one language.

    Attributes:
        path: Its address below the language's folder, such as ``route/cmr.html``.
        section: The page of the menu that it belongs to.
        name: Short name, for the browser's tab.
        title: The finding.
        blocks: What stands on it.
        picture: The chart that stands for it where it is shared, or empty.
    """

    path: str
    section: str
    name: str
    title: str
    blocks: Sequence[Block]
    picture: str = ""

    def charts(self) -> list[Chart]:
        """The charts on it, those that are files only among them."""
        return [block.of for block in self.blocks if isinstance(block.of, Chart)]


@dataclass(frozen=True)
class Frame:
    """What stands around every page of one language.

    Attributes:
        language: The reader's.
        codes: All languages.
        menu: Path and name of the pages that the menu holds.
        known: As known on which day, and how far figures go.
        exercise: Warning that a past night is replayed, or empty.
        foot: Uses, limits and the release, a line each.
        feeds: Whether there are feeds of alerts.
        base: Address at which the site will stand, ending with a slash; empty where it is not known.
    """

    language: Language
    codes: Sequence[str]
    menu: Sequence[tuple[str, str]]
    known: str
    exercise: str
    foot: Sequence[str]
    feeds: bool
    base: str


def folder_of(code: str) -> str:
    """Folder of a language: English stands at the top."""
    return "" if code == DEFAULT_LANGUAGE else f"{code}/"


def render(page: Page, frame: Frame) -> bytes:
    """One page as HTML."""
    return _rendered("page.html.j2", page.path, frame, page=page)


def render_embed(chart: Chart, frame: Frame, note: str) -> bytes:
    """A chart as a page that another site shows in a frame."""
    return _rendered("embed.html.j2", f"{EMBED}/{chart.name}.html", frame, chart=chart, note=note)


def snippet(chart: Chart, code: str, base: str) -> str:
    """The line that puts the chart into another site."""
    address = f"{base}{folder_of(code)}{EMBED}/{chart.name}.html"
    frame = Markup('<iframe src="{}" title="{}" width="100%" height="480" loading="lazy" style="border:0"></iframe>')
    return str(frame.format(address, chart.title))


def _rendered(template: str, path: str, frame: Frame, **more: object) -> bytes:
    code = frame.language.code
    full = folder_of(code) + path
    top = "../" * full.count("/")
    said = _environment().get_template(template).render(
        f=frame, path=path, full=full, top=top, own=top + folder_of(code), folder_of=folder_of, svg=_svg,
        w={name: frame.language.text(word) for name, word in WORDS.items()}, snippet=snippet, name_of=name_of, **more,
    )  # fmt: skip
    return said.encode()


def name_of(code: str) -> str:
    """A language by its own name."""
    return capital(Language(code).language_name(code))


def _svg(chart: Chart, *, wide: bool) -> Markup:
    drawn = chart.draw(WIDE if wide else NARROW) if chart.draw else None
    return Markup(inline_svg(drawn) if drawn else "")  # noqa: S704  # words in it are escaped


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("publish.site"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
