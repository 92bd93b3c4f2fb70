"""Charts as lists of shapes and words, written as SVG for pages and for print, and as PNG for pictures.

Plotly's figures, which the dashboard shows, become a picture only in a browser. Matplotlib's SVG holds neither a dark
side nor words that a reader can select, and is five times as large. So a chart is drawn once, as shapes in pixels that
each have a role. The page's style sheet gives roles their colours, light and dark; typst sets the same shapes on paper.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from html import escape
from importlib.metadata import distribution
from itertools import groupby
from pathlib import Path
from typing import Literal

import typst
from PIL import Image, ImageFont
from PIL.PngImagePlugin import PngInfo

from reports import colours

FONTS = Path(__file__).with_name("fonts")
FURTHER = Path(str(distribution("matplotlib").locate_file("matplotlib/mpl-data/fonts/ttf")))
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
    from matplotlib.font_manager import get_font  # noqa: PLC0415  # takes half a second, and most pages draw no file

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


Point = tuple[float, float]
WIDER = 1.25
"""Width of a reader's own font, at most, over that of the fonts that are measured here."""
COLOURS = 128
"""Of a picture."""
INCH = 96
"""Pixels of SVG."""
Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True)
class Look:
    """How shapes of one role are painted: names of colours in the palette, width of the line in pixels."""

    fill: str = ""
    stroke: str = ""
    width: float = 1.0
    dash: tuple[float, ...] = ()
    opacity: float = 1.0


_BANDS = dict(zip(("95", "80", "50"), colours.FAN_OPACITY, strict=True))
LOOKS: dict[str, Look] = {
    **{f"band{share}": Look("fan", opacity=opacity) for share, opacity in _BANDS.items()},
    "median": Look(stroke="median", width=2.2),
    "scenario80": Look("replay", opacity=0.3),
    "scenario": Look(stroke="mark", width=2.4, dash=(5, 3)),
    "earlier80": Look("replay", opacity=0.14),
    "earlier": Look(stroke="replay", width=1.4, dash=(1.5, 3)),
    "observed": Look(stroke="observed", width=1.8),
    "provisional": Look(stroke="observed", width=1.8, dash=(1.5, 3)),
    "open": Look("ground", "observed", 1.8),
    "dot": Look("median"),
    "ground": Look("ground"),
    "past": Look("observed", opacity=0.45),
    "places": Look(stroke="fan", width=2.2),
    "half": Look(stroke="median", width=1.8, dash=(2, 3)),
    "point": Look("ink", opacity=0),
    "bar": Look("fan", opacity=0.45),
    "whisker": Look(stroke="median", width=1.6),
    "limit": Look(stroke="ink", width=1.2, dash=(6, 4)),
    "now": Look(stroke="secondary", width=1.0),
    "grid": Look(stroke="grid"),
    "axis": Look(stroke="hairline"),
    "sea": Look("sea"),
    "land": Look("land", "border", 0.6),
    "receiving": Look("receiving", "border", 0.6),
    "veil": Look("ground", opacity=0.55),
    "window": Look(fill="neutral", opacity=0.14),
    "proven": Look(stroke="fan", width=3),
    "likely": Look(stroke="fan", width=3, dash=(3, 3)),
    "unproven": Look(stroke="neutral", width=3),
    "worse": Look(stroke="warning", width=3),
    "event": Look("ground", "ink", 1.2),
    "hollow": Look(stroke="neutral", width=1.2),
    **{f"arrow-{name}": Look(name) for name in ("neutral", "watch", "warning", "severe")},
    **{f"pale-{name}": Look(name, opacity=0.22) for name in ("neutral", "watch", "warning", "severe")},
}
WORDS: dict[str, tuple[str, Style]] = {
    "tick": ("secondary", Style("sans", 12)),
    "word": ("ink", Style("sans", 12)),
    "strong": ("ink", Style("bold", 13)),
    "value": ("median", Style("bold", 12)),
    "title": ("ink", Style("serif", 20, 25)),
    "mark": ("mark", Style("bold", 12, 18)),
    "print": ("secondary", Style("sans", 11, 15)),
}
"""Colour and type of words by role."""


def _side(palette: Mapping[str, str], levels: Mapping[str, colours.Hue], replay: colours.Hue) -> dict[str, str]:
    exercise = {"replay": replay.fill, "mark": replay.text, "mark-ground": replay.ground}
    return {**palette, **{name: hue.fill for name, hue in levels.items()}, **exercise}


LIGHT = _side(colours.LIGHT, colours.LEVELS, colours.REPLAY)
DARK = _side(colours.DARK, colours.DARK_LEVELS, colours.DARK_REPLAY)
_SCREEN = {"sans": '"Source Sans 3","Source Sans Pro",system-ui,sans-serif', "serif": "Georgia,serif"}
_PRINT = LIGHT | {"ground": colours.PAPER, "sans": "Source Sans Pro", "serif": "Source Serif Pro"}
_PICTURE = (
    b"#set page(width: auto, height: auto, margin: 0pt, fill: rgb(sys.inputs.ground))\n"
    b'#image(bytes(sys.inputs.svg), format: "svg")'
)


@dataclass(frozen=True)
class Shape:
    """One line or filled shape: one or more rings of points in pixels; ``says`` appears when it is pointed at."""

    rings: Sequence[Sequence[Point]]
    role: str
    says: str = ""

    @property
    def is_filled(self) -> bool:
        """Whether its rings are closed."""
        return bool(LOOKS[self.role].fill)


@dataclass(frozen=True)
class Mark:
    """One circle; ``says`` appears when it is pointed at."""

    x: float
    y: float
    radius: float
    role: str
    says: str = ""


@dataclass(frozen=True)
class Word:
    """One line of text on its baseline; ``halo`` keeps it readable over shapes."""

    x: float
    y: float
    text: str
    role: str = "tick"
    anchor: Anchor = "start"
    halo: bool = False


@dataclass(frozen=True)
class Drawing:
    """One chart: its size in pixels, what is drawn from the back to the front, and the same in words."""

    width: float
    height: float
    items: Sequence[Shape | Mark | Word]
    alt: str


def width_of(text: str, role: str = "tick") -> float:
    """Room that a line of text needs in pixels, on a machine that has no other font than a wide one too."""
    return WIDER * text_width(usable(text, WORDS[role][1]), WORDS[role][1])


def framed(drawing: Drawing, title: str, notes: Sequence[str], *, mark: str = "", subtitle: str = "") -> Drawing:
    """The chart as it stands by itself: mark, title and subtitle above; sources and release below."""
    margin = 24.0

    def block(texts: Sequence[str], role: str, top: float) -> tuple[list[Word], float]:
        style = WORDS[role][1]
        lines = [line for text in texts if text for line in wrap(text, style, drawing.width / WIDER)]
        words = [Word(margin, top + (place + 0.8) * style.leading, line, role) for place, line in enumerate(lines)]
        return words, top + len(lines) * style.leading

    words, height = [], margin
    for text, role in ((mark, "mark"), (title, "title"), (subtitle, "print")):
        more, height = block([text], role, height)
        words += more
    items = [*_moved(drawing.items, margin, height + 8), *words]
    more, height = block(notes, "print", height + 18 + drawing.height)
    return Drawing(drawing.width + 2 * margin, height + margin / 2, [*items, *more], drawing.alt)


def tiled(drawings: Sequence[Drawing], each: int) -> Drawing:
    """Several charts of one width in one drawing, ``each`` of them beside each other."""
    width, height = drawings[0].width, max(one.height for one in drawings)
    items: list[Shape | Mark | Word] = []
    for place, one in enumerate(drawings):
        items += _moved(one.items, place % each * width, place // each * height)
    return Drawing(each * width, -(-len(drawings) // each) * height, items, " ".join(one.alt for one in drawings))


def _moved(items: Sequence[Shape | Mark | Word], dx: float, dy: float) -> list[Shape | Mark | Word]:
    return [
        replace(item, rings=[[(x + dx, y + dy) for x, y in ring] for ring in item.rings])
        if isinstance(item, Shape)
        else replace(item, x=item.x + dx, y=item.y + dy)
        for item in items
    ]


def inline_svg(drawing: Drawing) -> str:
    """The chart as an element of a page, whose style sheet colours it."""
    size = f'viewBox="0 0 {drawing.width:g} {drawing.height:g}"'
    return f'<svg {size} role="img" aria-label="{escape(drawing.alt)}">{"".join(map(_element, drawing.items))}</svg>'


def svg_file(drawing: Drawing, title: str) -> bytes:
    """The chart as a file of its own, light or dark as the reader's screen is.

    Colours stand in the rules themselves: programs for texts and drawings read no variables.
    """
    size = f'width="{drawing.width:g}" height="{drawing.height:g}" viewBox="0 0 {drawing.width:g} {drawing.height:g}"'
    rules = f"{_painted(LIGHT | _SCREEN)}@media screen and (prefers-color-scheme:dark){{{_painted(DARK | _SCREEN)}}}"
    words = f"<title>{escape(title)}</title><desc>{escape(drawing.alt)}</desc><style>{rules}</style>"
    ground = '<rect width="100%" height="100%" class="ground"/>'
    items = "".join(map(_element, drawing.items))
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">{words}{ground}{items}</svg>\n'.encode()


def style_sheet() -> str:
    """Colours of both sides, and what the roles do with them."""
    light, dark = (
        f":root{{{';'.join(f'--{name}:{value}' for name, value in (side | _SCREEN).items())}}}"
        for side in (LIGHT, DARK)
    )
    return "".join([light, f"@media screen and (prefers-color-scheme:dark){{{dark}}}", *_roles()])


def _roles() -> list[str]:
    rules = []
    for name, look in LOOKS.items():
        fill = f"fill:var(--{look.fill})" if look.fill else "fill:none"
        stroke = f";stroke:var(--{look.stroke});stroke-width:{look.width:g}" if look.stroke else ""
        dash = f";stroke-dasharray:{' '.join(f'{part:g}' for part in look.dash)}" if look.dash else ""
        faint = f";fill-opacity:{look.opacity:g}" if look.opacity < 1 else ""
        rules.append(f".{name}{{{fill}{stroke}{dash}{faint}}}")
    for name, (colour, style) in WORDS.items():
        weight = ";font-weight:600" if style.font != "sans" else ""
        family = "var(--serif)" if style.font == "serif" else "var(--sans)"
        rules.append(f"text.{name}{{fill:var(--{colour});font-family:{family};font-size:{style.size:g}px{weight}}}")
    rules.append("text.halo{paint-order:stroke;stroke:var(--land);stroke-width:3px;stroke-linejoin:round}")
    return rules


def _painted(palette: Mapping[str, str]) -> str:
    """The rules of all roles in the colours and fonts of a palette."""
    return re.sub(r"var\(--(\w+)\)", lambda name: palette[name[1]], "".join(_roles()))


def _element(item: Shape | Mark | Word) -> str:
    if isinstance(item, Word):
        halo, anchor = " halo" if item.halo else "", f' text-anchor="{item.anchor}"' if item.anchor != "start" else ""
        return f'<text class="{item.role}{halo}" x="{item.x:.1f}" y="{item.y:.1f}"{anchor}>{escape(item.text)}</text>'
    says = f"<title>{escape(item.says)}</title>" if item.says else ""
    if isinstance(item, Mark):
        return f'<circle class="{item.role}" cx="{item.x:.1f}" cy="{item.y:.1f}" r="{item.radius:g}">{says}</circle>'
    end = "Z" if item.is_filled else ""
    path = "".join("M" + " ".join(f"{x:.1f},{y:.1f}" for x, y in ring) + end for ring in item.rings)
    return f'<path class="{item.role}" d="{path}">{says}</path>' if says else f'<path class="{item.role}" d="{path}"/>'


def print_svg(drawing: Drawing) -> str:
    """The chart for typst: light colours, fonts by their names, nothing that is there to be pointed at."""
    size = f'width="{drawing.width:g}" height="{drawing.height:g}" viewBox="0 0 {drawing.width:g} {drawing.height:g}"'
    items = "".join(_print_words(item) if isinstance(item, Word) else _element(replace(item, says=""))
                    for item in drawing.items if item.role != "point")  # fmt: skip
    root = f'<svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" {size}>'
    return f"{root}<style>{_painted(_PRINT)}</style>{items}</svg>"


def _print_words(word: Word) -> str:
    """The words in pieces, each in a font with all its letters: typst takes one font for the whole of a text."""
    style = WORDS[word.role][1]
    text = usable(word.text, style)
    x = word.x - {"start": 0.0, "middle": 0.5, "end": 1.0}[word.anchor] * text_width(text, style)
    made = []
    for font, letters in pieces(text, style):
        element = _element(replace(word, x=x, text=letters, anchor="start"))
        made.append(element.replace("<text", f'<text style="font-family:{font}"') if font == STANDS_IN else element)
        x += text_width(letters, style)
    return "".join(made)


def png_file(drawing: Drawing, title: str, width: int) -> bytes:
    """Return the chart as a PNG picture of a width in pixels, on the light ground."""
    page = typst.compile(
        _PICTURE, format="png", ppi=INCH * width / drawing.width, font_paths=typst_fonts(), ignore_system_fonts=True,
        sys_inputs={"svg": print_svg(drawing), "ground": colours.SCREEN},
    )  # fmt: skip
    about, target = PngInfo(), io.BytesIO()
    for name, words in {"Title": title, "Description": drawing.alt, "Software": "Vigie"}.items():
        about.add_itxt(name, words)
    # A palette makes the file a third as large, and no eye sees it in flat colours.
    painted = Image.open(io.BytesIO(page)).convert("RGB")
    flat = painted.quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    flat.save(target, "png", pnginfo=about)
    return target.getvalue()
