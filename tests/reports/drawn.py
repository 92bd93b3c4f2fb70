"""What stands on a drawn sheet, as lines of text: each mark with its place in points, its colour and its words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis
from matplotlib.collections import Collection
from matplotlib.colors import to_hex, to_rgba_array
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

from tests.golden import number, short

POINTS = 72
EPOCH, FIRST_DAY = dt.datetime(1970, 1, 1, tzinfo=dt.UTC), 10_000


def drawn(figure: Figure) -> Iterator[str]:
    """Marks on the sheet itself in their order, then those of each chart."""
    figure.draw_without_rendering()
    for artist in [*figure.artists, *figure.lines, *figure.patches, *figure.texts]:
        yield _mark(figure, artist)
    for axes in figure.axes:
        ends = " ".join(_told(axes.xaxis, place) for place in axes.get_xlim())
        yield f"axes {_box(figure, axes)} x {ends} y {short(axes.get_ylim())}"
        yield from (f"  {line}" for line in _inside(figure, axes))


def _inside(figure: Figure, axes: Axes) -> Iterator[str]:
    for name, axis in (("x", axes.xaxis), ("y", axes.yaxis)):
        ticks = [
            f"{_told(axis, place)} {label.get_text()!r}"
            for place, label in zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True)
        ]
        has_grid = any(one.get_visible() for one in axis.get_gridlines())
        fonts = {f"{one.get_fontname()} {one.get_fontsize():.4g}" for one in axis.get_ticklabels()}
        yield f"{name} axis: {', '.join([*ticks, *sorted(fonts)])}{' with grid' if has_grid else ''}"
    for artist in axes.get_children():
        if isinstance(artist, Line2D):
            places, values = short(artist.get_xdata(orig=False)), short(artist.get_ydata(orig=False))
            yield f"line {places} | {values} {to_hex(artist.get_color())} {artist.get_linestyle()}"
        elif isinstance(artist, Collection):
            edges = np.concatenate([np.asarray(path.vertices).ravel() for path in artist.get_paths()])
            colours = [to_hex(colour, keep_alpha=True) for colour in to_rgba_array(artist.get_facecolor())[:1]]
            yield f"band {short(edges)} {' '.join(colours)}"
        elif artist is axes.patch or isinstance(artist, Patch | Text):
            yield _mark(figure, artist)


def _told(axis: Axis, place: float) -> str:
    """A place on an axis; along it from left to right, large numbers are days since 1970."""
    if isinstance(axis, XAxis) and place > FIRST_DAY:
        return f"{EPOCH + dt.timedelta(days=float(place)):%Y-%m-%dT%H:%M}"
    return f"{place:.6g}"


def _mark(figure: Figure, artist: Artist) -> str:
    kind = type(artist).__name__
    if isinstance(artist, Text):
        if not artist.get_text():
            return "text: none"
        font = f"{artist.get_fontname()} {artist.get_fontsize():.4g} {to_hex(artist.get_color())}"
        return f"text {_box(figure, artist)} {font} {artist.get_text()!r}"
    if isinstance(artist, Line2D):
        return f"line {_box(figure, artist)} {artist.get_linewidth():.4g} {to_hex(artist.get_color())}"
    if isinstance(artist, Patch):
        fill, edge = (to_hex(one, keep_alpha=True) for one in (artist.get_facecolor(), artist.get_edgecolor()))
        return f"{kind} {_box(figure, artist)} {fill} {edge}"
    return kind


def _box(figure: Figure, artist: Artist) -> str:
    """Left, bottom, width and height in points."""
    box = artist.get_window_extent()
    return " ".join(number(side * POINTS / figure.dpi) for side in (box.x0, box.y0, box.width, box.height))
