"""Charts as lists of shapes and words, written as SVG for pages and for print, and as PNG for pictures.

Plotly's figures, which the dashboard shows, become a picture only in a browser. Matplotlib's SVG holds neither a dark
side nor words that a reader can select, and is five times as large. So a chart is drawn once, as shapes in pixels that
each have a role. The page's style sheet gives roles their colours, light and dark; typst sets the same shapes on paper.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Literal

import typst
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from reports import colours
from reports.typeface import STANDS_IN, Style, pieces, text_width, typst_fonts, usable, wrap

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


_BANDS = dict(zip(("band95", "band80", "band50"), colours.FAN_OPACITY, strict=True))
LOOKS: dict[str, Look] = {
    **{name: Look("fan", opacity=opacity) for name, opacity in _BANDS.items()},
    "median": Look(stroke="median", width=2.2),
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
    "print": ("secondary", Style("sans", 11, 15)),
}
"""Colour and type of words by role."""
LIGHT = colours.LIGHT | {name: hue.fill for name, hue in colours.LEVELS.items()}
_PRINT = LIGHT | {"ground": colours.PAPER, "sans": "Source Sans Pro", "serif": "Source Serif Pro"}
_PICTURE = (
    b"#set page(width: auto, height: auto, margin: 0pt, fill: rgb(sys.inputs.ground))\n"
    b'#image(bytes(sys.inputs.svg), format: "svg")'
)
DARK = colours.DARK | {name: hue.fill for name, hue in colours.DARK_LEVELS.items()}


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


def framed(drawing: Drawing, title: str, notes: Sequence[str]) -> Drawing:
    """The chart with its title above and its unit, source and release below, as it stands by itself."""
    margin, (_colour, head), (_quiet, small) = 24.0, WORDS["title"], WORDS["print"]
    titles = wrap(title, head, drawing.width / WIDER, 3)
    lines = [line for note in notes for line in wrap(note, small, drawing.width / WIDER, 3)]
    top = margin + len(titles) * head.leading + 6
    foot = top + drawing.height + 10
    height = foot + len(lines) * small.leading + margin / 2
    words = [Word(margin, margin + (place + 0.7) * head.leading, text, "title") for place, text in enumerate(titles)]
    words += [Word(margin, foot + (place + 0.8) * small.leading, text, "print") for place, text in enumerate(lines)]
    return Drawing(drawing.width + 2 * margin, height, [*_moved(drawing.items, margin, top), *words], drawing.alt)


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
    """The chart as a file of its own, light or dark as the reader's screen is."""
    size = f'width="{drawing.width:g}" height="{drawing.height:g}" viewBox="0 0 {drawing.width:g} {drawing.height:g}"'
    words = f"<title>{escape(title)}</title><desc>{escape(drawing.alt)}</desc><style>{style_sheet(':root')}</style>"
    ground = '<rect width="100%" height="100%" style="fill:var(--ground)"/>'
    items = "".join(map(_element, drawing.items))
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">{words}{ground}{items}</svg>\n'.encode()


def style_sheet(root: str) -> str:
    """Colours of both sides, and what the roles do with them."""
    return "".join(
        [_palette(root, LIGHT), f"@media screen and (prefers-color-scheme:dark){{{_palette(root, DARK)}}}", *_roles()]
    )


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


def _palette(root: str, palette: dict[str, str]) -> str:
    colours_of = ";".join(f"--{name}:{colour}" for name, colour in palette.items())
    return f'{root}{{{colours_of};--sans:"Source Sans 3","Source Sans Pro",system-ui,sans-serif;--serif:Georgia,serif}}'


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
    style = re.sub(r"var\(--(\w+)\)", lambda name: _PRINT[name[1]], "".join(_roles()))
    items = "".join(_print_words(item) if isinstance(item, Word) else _element(replace(item, says=""))
                    for item in drawing.items if item.role != "point")  # fmt: skip
    root = f'<svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" {size}>'
    return f"{root}<style>{style}</style>{items}</svg>"


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
