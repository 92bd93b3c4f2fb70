"""The fonts of briefing, charts and pictures, and the width of a text set in them, in points or pixels alike."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path

import matplotlib as mpl
import typst
from matplotlib.font_manager import get_font
from PIL import ImageFont

FONTS = Path(__file__).with_name("fonts")
FURTHER = Path(mpl.get_data_path(), "fonts", "ttf")
STANDS_IN = "DejaVu Sans"
"""Has letters and marks that the fonts lack; it comes with matplotlib."""
_FILES = {
    "sans": FONTS / "SourceSansPro-Regular.ttf",
    "bold": FONTS / "SourceSansPro-Semibold.ttf",
    "serif": FONTS / "SourceSerifPro-Semibold.ttf",
    STANDS_IN: FURTHER / "DejaVuSans.ttf",
}
_UNKNOWN = "\u25a1"
_WORD_JOINER, _NARROW_SPACE, _NO_BREAK_SPACE = "\u2060", "\u202f", "\u00a0"
_MEASURED = 200
"""Size at which letters are measured."""


@dataclass(frozen=True)
class Style:
    """How a text is set: font (sans, bold, serif), size and distance of lines."""

    font: str = "sans"
    size: float = 7.6
    leading: float = 9.4


def usable(text: str, style: Style) -> str:
    """The text on one line, with a box for every letter that no font has."""
    plain = text.replace("\n", " ").replace(_WORD_JOINER, "").strip()
    if style.font == "serif":
        # It has no narrow space.
        plain = plain.replace(_NARROW_SPACE, _NO_BREAK_SPACE)
    known = _letters(style.font) | _letters(STANDS_IN)
    return "".join(letter if ord(letter) in known else _UNKNOWN for letter in plain)


def pieces(text: str, style: Style) -> list[tuple[str, str]]:
    """Return a usable text in pieces, each with the font that has its letters: the style's, or the stand-in."""
    own = _letters(style.font)
    parts = groupby(text, lambda letter: style.font if ord(letter) in own else STANDS_IN)
    return [(font, "".join(letters)) for font, letters in parts]


@lru_cache(maxsize=20_000)
def text_width(text: str, style: Style) -> float:
    """Width of a line in the unit of the style's size."""
    width = sum(_measuring(font).getlength(piece) for font, piece in pieces(text, style))
    return width * style.size / _MEASURED


@lru_cache(maxsize=4)
def _letters(font: str) -> frozenset[int]:
    return frozenset(get_font(_FILES[font]).get_charmap())


@lru_cache(maxsize=4)
def _measuring(font: str) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(_FILES[font], _MEASURED)


@lru_cache(maxsize=1)
def typst_fonts() -> typst.Fonts:
    """Return the bundled fonts and the stand-in: typst sets the same bytes on each machine."""
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[FONTS, FURTHER])


def wrap(text: str, style: Style, width: float) -> list[str]:
    """Break a text into lines no wider than ``width``, in the unit of the style's size; no-break spaces hold."""
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
    return lines


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
