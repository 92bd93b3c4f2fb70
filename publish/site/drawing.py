"""Charts as lists of shapes and words, written as SVG for pages and as PNG for pictures.

Plotly's figures, which the dashboard shows, become a picture only in a browser. Matplotlib's SVG holds neither a dark
side nor words that a reader can select, and is five times as large. So a chart is drawn once, as shapes in pixels that
each have a role. The page's style sheet gives roles their colours, light and dark; matplotlib paints the same shapes.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle, PathPatch
from matplotlib.path import Path as Outline
from matplotlib.patheffects import Normal, withStroke
from matplotlib.transforms import Affine2D, Transform
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from reports import colours
from reports.briefing.canvas import DRAWING, Style, font_of, text_width, usable, wrap

Point = tuple[float, float]
WIDER = 1.25
"""Width of a reader's own font, at most, over that of the fonts that are measured here."""
COLOURS = 128
"""Of a picture."""
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
    rules = [_palette(root, LIGHT), f"@media screen and (prefers-color-scheme:dark){{{_palette(root, DARK)}}}"]
    for name, look in LOOKS.items():
        fill = f"fill:var(--{look.fill})" if look.fill else "fill:none"
        stroke = f";stroke:var(--{look.stroke});stroke-width:{look.width:g}" if look.stroke else ""
        dash = f";stroke-dasharray:{' '.join(f'{part:g}' for part in look.dash)}" if look.dash else ""
        faint = f";fill-opacity:{look.opacity:g}" if look.opacity < 1 else ""
        rules.append(f".{name}{{{fill}{stroke}{dash}{faint}}}")
    for name, (colour, style) in WORDS.items():
        weight = ";font-weight:600" if style.font == "bold" else ""
        family = "Georgia,serif" if style.font == "serif" else "var(--sans)"
        rules.append(f"text.{name}{{fill:var(--{colour});font:{style.size:g}px {family}{weight}}}")
    rules.append("text.halo{paint-order:stroke;stroke:var(--land);stroke-width:3px;stroke-linejoin:round}")
    return "".join(rules)


def _palette(root: str, palette: dict[str, str]) -> str:
    colours_of = ";".join(f"--{name}:{colour}" for name, colour in palette.items())
    return f'{root}{{{colours_of};--sans:"Source Sans 3","Source Sans Pro",system-ui,sans-serif}}'


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


def png_file(drawing: Drawing, title: str, width: int) -> bytes:
    """Return the chart as a PNG picture of a width in pixels, on the light ground."""
    with DRAWING, mpl.rc_context({"text.hinting": "no_hinting"}):
        figure = Figure(
            figsize=(drawing.width / 72, drawing.height / 72), dpi=72 * width / drawing.width,
            facecolor=colours.SCREEN,
        )  # fmt: skip
        place = Affine2D().scale(1, -1).translate(0, drawing.height).scale(1 / 72) + figure.dpi_scale_trans
        for item in drawing.items:
            _paint(figure, item, place)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()  # type: ignore[no-untyped-call]  # matplotlib publishes no type for it
        pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]  # nor for this
        painted = Image.fromarray(pixels).convert("RGB")
    about, target = PngInfo(), io.BytesIO()
    for name, words in {"Title": title, "Description": drawing.alt, "Software": "Vigie"}.items():
        about.add_itxt(name, words)
    # A palette makes the file a third as large, and no eye sees it in flat colours.
    flat = painted.quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    flat.save(target, "png", pnginfo=about)
    return target.getvalue()


def _paint(figure: Figure, item: Shape | Mark | Word, place: Transform) -> None:
    if isinstance(item, Word):
        colour, style = WORDS[item.role]
        around = [withStroke(linewidth=3, foreground=colours.LAND), Normal()] if item.halo else []
        figure.text(
            item.x, item.y, usable(item.text, style), transform=place, color=LIGHT[colour], parse_math=False,
            fontproperties=font_of(style), ha={"start": "left", "middle": "center", "end": "right"}[item.anchor],
            va="baseline", path_effects=around,
        )  # fmt: skip
        return
    look = LOOKS[item.role]
    paint: dict[str, Any] = {
        "facecolor": (LIGHT[look.fill], look.opacity) if look.fill else "none",
        "edgecolor": LIGHT[look.stroke] if look.stroke else "none",
        "linewidth": look.width if look.stroke else 0,
        "linestyle": (0, tuple(part / look.width for part in look.dash)) if look.dash else "solid",
        "transform": place,
    }
    if isinstance(item, Mark):
        figure.add_artist(Circle((item.x, item.y), item.radius, **paint))
        return
    lines = [Outline(ring, closed=False) for ring in item.rings if len(ring)]
    if item.is_filled:
        lines = [Outline([*ring, ring[0]], closed=True) for ring in item.rings if len(ring)]
    if lines:
        figure.add_artist(PathPatch(Outline.make_compound_path(*lines), **paint))
