"""One sheet of A4 measured in points from its upper left corner, with text that is wrapped by the width of its letters.

Matplotlib places text and breaks no line; this module measures the width of a line before it is drawn.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, fontManager, get_font
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch, Rectangle
from matplotlib.textpath import TextToPath
from matplotlib.transforms import Affine2D

from core.languages import Language
from reports import colours

WIDTH, HEIGHT = 595.276, 841.89
"""A4, points."""
FONTS = Path(__file__).with_name("fonts")
_FILES = ("SourceSansPro-Regular", "SourceSansPro-Semibold", "SourceSerifPro-Semibold")
_FAMILIES = {"sans": "Source Sans Pro", "bold": "Source Sans Pro Semibold", "serif": "Source Serif Pro Semibold"}
_STANDS_IN = "DejaVu Sans"
"""Has letters and marks that the fonts lack; it comes with matplotlib."""
_UNKNOWN = "\u25a1"
_WORD_JOINER, _NARROW_SPACE, _NO_BREAK_SPACE = "\u2060", "\u202f", "\u00a0"
_ELLIPSIS = "…"
DRAWING = threading.RLock()
"""Matplotlib's settings and fonts are shared by all threads: one draws at a time."""


@dataclass(frozen=True)
class Style:
    """How a text is set: font (sans, bold, serif), size and distance of lines in points, colour."""

    font: str = "sans"
    size: float = 7.6
    leading: float = 9.4
    colour: str = colours.INK


MARGIN, GAP = 34.0, 14.0
ROOM = WIDTH - 2 * MARGIN
MOST_ROUTES = 9
HEADING = Style("serif", 9.6, 12)
BODY, BOLD = Style("sans", 7.6, 9.4), Style("bold", 7.6, 9.4)
GREY, GREY_BOLD = Style("sans", 7.0, 8.7, colours.SECONDARY), Style("bold", 7.0, 8.7, colours.SECONDARY)
PRINT = Style("sans", 5.6, 6.8, colours.SECONDARY)
BRAND, KIND, KNOWN = Style("serif", 12, 14), Style("sans", 8.6, 11, colours.SECONDARY), Style("sans", 8.6, 11)
KNOWN_WIDTH = ROOM - 190
EXERCISE = Style("bold", 7.8, 10, colours.REPLAY.text)


def usable(text: str, style: Style) -> str:
    """The text on one line, with a box for every letter that no font of the page has."""
    plain = text.replace("\n", " ").replace(_WORD_JOINER, "").strip()
    if style.font == "serif":
        # It has no narrow space.
        plain = plain.replace(_NARROW_SPACE, _NO_BREAK_SPACE)
    known = _known_letters()
    return "".join(letter if ord(letter) in known else _UNKNOWN for letter in plain)


@lru_cache(maxsize=20_000)
def text_width(text: str, style: Style) -> float:
    """Width of a line in points."""
    with DRAWING:
        width, _height, _descent = TextToPath().get_text_width_height_descent(text, font_of(style), ismath=False)
    return float(width)


def wrap(text: str, style: Style, width: float, most: int | None = None) -> list[str]:
    """Break a text into lines no wider than ``width``; no-break spaces hold.

    Args:
        text: The text.
        style: How it will be set.
        width: Room in points.
        most: Count of lines allowed; what is over is cut with an ellipsis.
    """
    lines: list[str] = []
    room, space = 0.0, text_width("x x", style) - text_width("xx", style)
    for word in (part for part in usable(text, style).split(" ") if part):
        need = text_width(word, style)
        if lines and space + need <= room:
            lines[-1] += f" {word}"
            room -= space + need
        else:
            lines += _fitting(word, style, width)
            room = width - text_width(lines[-1], style)
    if most is None or len(lines) <= most:
        return lines
    return [*lines[: most - 1], _cut(lines[most - 1], style, width)]


def _fitting(word: str, style: Style, width: float) -> list[str]:
    """A word in pieces that are no wider than the room."""
    if text_width(word, style) <= width:
        return [word]
    pieces = [""]
    for letter in word:
        if pieces[-1] and text_width(pieces[-1] + letter, style) > width:
            pieces.append("")
        pieces[-1] += letter
    return pieces


def _cut(line: str, style: Style, width: float) -> str:
    while line and text_width(line + _ELLIPSIS, style) > width:
        line = line[:-1].rstrip()
    return line + _ELLIPSIS


class Sheet:
    """One sheet of A4."""

    def __init__(self) -> None:
        self.figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72), facecolor=colours.PAPER)

    def line(self, x: float, y: float, text: str, style: Style, align: str = "left") -> None:
        """Write one line as it is; ``y`` is its baseline."""
        self.figure.text(
            x / WIDTH, 1 - y / HEIGHT, text, fontproperties=font_of(style), color=style.colour, ha=align, va="baseline",
            parse_math=False,
        )  # fmt: skip

    def lines(self, x: float, y: float, lines: Sequence[str], style: Style) -> float:
        """Write lines below ``y``; returns where the next block begins."""
        for number, text in enumerate(lines):
            self.line(x, y + number * style.leading + style.size, text, style)
        return y + len(lines) * style.leading

    def rule(self, x: float, y: float, width: float, colour: str = colours.HAIRLINE, weight: float = 0.6) -> None:
        """A hairline from left to right."""
        ends = ([x / WIDTH, (x + width) / WIDTH], [1 - y / HEIGHT] * 2)
        self.figure.add_artist(Line2D(*ends, color=colour, linewidth=weight))

    def box(self, x: float, y: float, width: float, height: float, colour: str, opacity: float = 1.0) -> None:
        """A filled box whose upper left corner is at ``x, y``."""
        corner = (x / WIDTH, 1 - (y + height) / HEIGHT)
        size = (width / WIDTH, height / HEIGHT)
        self.figure.add_artist(Rectangle(corner, *size, facecolor=colour, alpha=opacity, edgecolor="none"))

    def badge(self, x: float, y: float, text: str, style: Style, ground: str) -> float:
        """A word on a tinted ground, ``y`` being its baseline; returns its width."""
        width, pad = text_width(text, style), 3.0
        points = Affine2D().scale(1 / 72) + self.figure.dpi_scale_trans
        patch = FancyBboxPatch(
            (x, HEIGHT - y - style.size * 0.36), width + 2 * pad, style.size * 1.4,
            boxstyle="round,pad=0,rounding_size=2", facecolor=ground, edgecolor="none", transform=points,
        )  # fmt: skip
        self.figure.add_artist(patch)
        self.line(x + pad, y, text, style)
        return width + 2 * pad

    def axes(self, x: float, y: float, width: float, height: float) -> Axes:
        """Axes whose upper left corner is at ``x, y``."""
        return self.figure.add_axes((x / WIDTH, 1 - (y + height) / HEIGHT, width / WIDTH, height / HEIGHT))


def dress_axes(axes: Axes, language: Language, style: Style, pad: float = 1.5) -> None:
    """Hairlines instead of a frame, whole numbers, and the words on both axes in the reader's language and its type."""
    axes.locator_params(axis="y", integer=True)
    axes.grid(axis="y", color=colours.GRID, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set(color=colours.HAIRLINE, linewidth=0.6)
    axes.tick_params(colors=colours.SECONDARY, length=0, pad=pad)
    axes.yaxis.set_major_formatter(lambda value, _place: language.counted(value))
    for label in [*axes.get_xticklabels(), *axes.get_yticklabels()]:
        label.set(fontproperties=font_of(style), parse_math=False)


@lru_cache(maxsize=64)
def font_of(style: Style) -> FontProperties:
    """The font of a style, for text inside axes too."""
    _register_fonts()
    return FontProperties(family=[_FAMILIES[style.font], _STANDS_IN], size=style.size)


@lru_cache(maxsize=1)
def _register_fonts() -> None:
    """Make the bundled fonts known to matplotlib."""
    with DRAWING:
        for file in _FILES:
            fontManager.addfont(FONTS / f"{file}.ttf")


@lru_cache(maxsize=1)
def _known_letters() -> frozenset[int]:
    """Code points that every font of the page has, its stand-in included."""
    stand_in = get_font(fontManager.findfont(_STANDS_IN)).get_charmap()
    own = [get_font(str(FONTS / f"{file}.ttf")).get_charmap() for file in _FILES]
    return frozenset(stand_in) | frozenset.intersection(*(frozenset(letters) for letters in own))


def heading(sheet: Sheet, x: float, y: float, text: str, width: float) -> float:
    """Write the heading of a block on one line; returns where the block begins."""
    return sheet.lines(x, y, wrap(text, HEADING, width, 1), HEADING) + 2


def page_head(sheet: Sheet, name: str, known: str, exercise: str) -> float:
    """What every page begins with: whose it is, what was known, and whether it is an exercise."""
    y = MARGIN + 2
    sheet.line(MARGIN, y, "Vigie", BRAND)
    sheet.line(MARGIN + text_width("Vigie", BRAND) + 8, y, name, KIND)
    sheet.line(WIDTH - MARGIN, y, wrap(known, KNOWN, KNOWN_WIDTH, 1)[0], KNOWN, "right")
    sheet.rule(MARGIN, y + 6, ROOM, colours.ACCENT, 1.2)
    y += 10
    if not exercise:
        return y
    lines = wrap(exercise, EXERCISE, ROOM - 12, 2)
    sheet.box(MARGIN, y, ROOM, len(lines) * EXERCISE.leading + 5, colours.REPLAY.ground)
    return sheet.lines(MARGIN + 6, y + 2, lines, EXERCISE) + 4
