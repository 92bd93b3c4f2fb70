"""The fan chart as PNG or SVG in the type of the briefing: date axis, line of today, legend, sources and release.

Drawn with matplotlib: plotly's own export needs a browser. Citations and caveats are in the file's text fields in full.
"""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import dataclass

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from core import INTERVALS, interval_levels
from dashboard import _, labelled, lang
from dashboard.charts.fan_labels import threshold_words
from dashboard.downloads import Export
from dashboard.theme import LIGHT
from reports.typeface import DRAWING, Style, font_of, usable, wrap

WIDTH, HEIGHT = 10.0, 6.4
"""Inches."""
DOTS_PER_INCH = 150
LEFT, RIGHT, TOP, BOTTOM = 0.07, 0.92, 0.76, 0.25
MONTHS_BACK = 24
HALF_MONTH = pd.Timedelta(days=15)
TITLE, BODY, PRINT = Style("serif", 14), Style("sans", 8.5), Style("sans", 7.2)
MOST_TICKS, STEPS = 8, (1, 2, 3, 6, 12, 24, 60)
"""Dates on the axis, and every how many periods they may stand: a year is parted evenly."""


@dataclass(frozen=True)
class Picture:
    """What one picture shows.

    Attributes:
        history: ``end_date`` and ``obs_value``, in time order.
        quantiles: Result of ``numbers.quantiles_of``; may be empty.
        export: Title, citations and caveats.
        threshold: A number that may be passed, or None.
        is_own: Whether the reader has typed it.
        unit: What is counted; arrivals per month by default.
        is_conditional: Whether it shows what would follow from an assumption: another hue, and the word.
        forecast: The forecast's quantiles beside what is conditional; its median and 80 % interval are lines.
        earlier: Forecasts made before: ``origin_date``, ``target_end_date``, ``q10``, ``q50``, ``q90``.
    """

    history: pd.DataFrame
    quantiles: pd.DataFrame
    export: Export
    threshold: float | None = None
    is_own: bool = False
    unit: str = ""
    is_conditional: bool = False
    forecast: pd.DataFrame | None = None
    earlier: pd.DataFrame | None = None


def drawn(picture: Picture, kind: str = "png") -> bytes:
    """Draw history, fan and threshold on a light ground, 1500 by 960 pixels.

    Args:
        picture: What it shows.
        kind: ``png``, or ``svg``, whose words are drawn as shapes: another machine does not have these fonts, and with
            a wider one in its place title and footer would run off the edge. They are in its text fields.
    """
    # With hinting, quotation marks of the titles' font touch the letters beside them.
    settings = {"svg.fonttype": "path", "svg.hashsalt": "vigie", "text.hinting": "no_hinting"}
    with DRAWING, mpl.rc_context(settings):  # type: ignore[arg-type]  # its names are among matplotlib's
        figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DOTS_PER_INCH, facecolor=LIGHT.ground)
        axes = figure.add_axes((LEFT, BOTTOM, RIGHT - LEFT, TOP - BOTTOM), facecolor=LIGHT.ground)
        _draw(axes, picture)
        _words(figure, picture)
        target = io.BytesIO()
        figure.savefig(target, format=kind, metadata=_metadata(picture.export, kind))
    return target.getvalue()


def _metadata(export: Export, kind: str) -> dict[str, str | None]:
    about = "\n".join(labelled(label, text) for label, text in export.about())
    named: dict[str, str | None] = {"Title": export.title, "Description": about}
    return named | ({"Software": "Vigie"} if kind == "png" else {"Creator": "Vigie", "Date": None})


def _draw(axes: Axes, picture: Picture) -> None:
    recent, quantiles = picture.history.tail(MONTHS_BACK), picture.quantiles
    counts = pd.Series(recent["obs_value"].to_numpy(), index=pd.DatetimeIndex(recent["end_date"]) - HALF_MONTH)
    fan, median = (LIGHT.replay.fill, LIGHT.replay.text) if picture.is_conditional else (LIGHT.fan, LIGHT.median)
    marks: list[Patch] = []
    top = float(counts.max()) if len(counts) else 0.0
    if not quantiles.empty:
        months = counts.tail(1).index.append(pd.DatetimeIndex(quantiles.index) - HALF_MONTH)
        line = {level: [*counts.tail(1), *quantiles[level]] for level in (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)}
        for coverage, opacity in zip(sorted(INTERVALS, reverse=True), LIGHT.fan_opacity, strict=True):
            low, high = interval_levels(coverage)
            axes.fill_between(months, line[low], line[high], color=fan, alpha=opacity, linewidth=0)
            marks.append(Patch(facecolor=fan, alpha=min(1.0, 2.2 * opacity), label=lang().percent(coverage)))
        axes.plot(months, line[0.5], color=median, linewidth=1.9, label=_("median"))
        last = lang().expected(line[0.5][-1])
        axes.annotate(
            last, (months[-1], line[0.5][-1]), (6, 0), textcoords="offset points", color=median, va="center",
            fontproperties=font_of(Style("bold", 8.5)), bbox={"facecolor": LIGHT.ground, "edgecolor": "none", "pad": 1},
        )  # fmt: skip
        top = max(top, float(quantiles[0.9].max()))
    _draw_beside(axes, picture, counts.index.min() if len(counts) else None)
    axes.plot(counts.index, counts, color=LIGHT.observed, linewidth=1.6, label=_("counted"))
    if picture.threshold is not None and picture.threshold <= 1.6 * top:
        top = max(top, picture.threshold)
        label = threshold_words(picture.threshold, own=picture.is_own)
        axes.axhline(picture.threshold, color=LIGHT.ink, linewidth=1, linestyle="--", label=label, zorder=1.5)
    now = pd.Timestamp(dt.date.fromisoformat(picture.export.known_on))
    axes.axvline(now, color=LIGHT.secondary, linewidth=0.9)  # type: ignore[arg-type]  # pandas registers a converter of days
    axes.annotate(
        lang().day_short(now), (now, 1), (0, 3), xycoords=("data", "axes fraction"), textcoords="offset points",
        ha="center", color=LIGHT.secondary, fontproperties=font_of(BODY),
    )  # fmt: skip
    axes.set_ylim(0, 1.06 * top or 1.0)
    _dress(axes, pd.DatetimeIndex([*counts.index, *(pd.DatetimeIndex(quantiles.index) - HALF_MONTH)]))
    handles = [*axes.get_legend_handles_labels()[0], *marks[::-1]]
    axes.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0, 1.08), ncols=len(handles), frameon=False,
        prop=font_of(BODY), labelcolor=LIGHT.secondary, borderaxespad=0, handlelength=1.4, columnspacing=1.6,
    )  # fmt: skip


def _draw_beside(axes: Axes, picture: Picture, first: pd.Timestamp | None) -> None:
    """The forecast beside a conditional one as lines, and the earlier forecasts that fall into the months shown."""
    if picture.forecast is not None and len(picture.forecast):
        months = pd.DatetimeIndex(picture.forecast.index) - HALF_MONTH
        axes.plot(months, picture.forecast[0.5], color=LIGHT.fan, linestyle="--", linewidth=1.4, label=_("forecast"))
        for level in interval_levels(0.8):
            axes.plot(months, picture.forecast[level], color=LIGHT.fan, linestyle=":", linewidth=1)
    if picture.earlier is not None and first is not None:
        label = _("earlier forecasts")
        for _origin, rows in picture.earlier[picture.earlier["target_end_date"] > first].groupby("origin_date"):
            months = pd.DatetimeIndex(rows["target_end_date"]) - HALF_MONTH
            axes.fill_between(months, rows["q10"], rows["q90"], color=LIGHT.earlier, alpha=0.14, linewidth=0)
            axes.plot(months, rows["q50"], color=LIGHT.earlier, linestyle=":", linewidth=1.2, label=label)
            label = ""


def _words(figure: Figure, picture: Picture) -> None:
    """Title, unit, and the footer: whose figures they are and how far they may be used."""
    export, points = picture.export, WIDTH * 72 * (RIGHT - LEFT)
    word = _("Conditional")
    marks = [export.exercise, word if picture.is_conditional else ""]
    title = " – ".join([*filter(None, marks), export.title])
    lines = wrap(title, TITLE, points, 2)
    figure.text(LEFT, 0.975, "\n".join(lines), color=LIGHT.ink, va="top", fontproperties=font_of(TITLE))
    unit = picture.unit or _("Arrivals per month")
    known = labelled(_("As known on"), lang().day(dt.date.fromisoformat(export.known_on)))
    subtitle = usable(f"{unit} · {known}", BODY)
    figure.text(LEFT, TOP + 0.012, subtitle, color=LIGHT.secondary, fontproperties=font_of(BODY))
    release = labelled(_("Release"), export.run_id)
    caveat = _("A forecast is a range, not a fact: one outcome in five is expected outside the 80% interval.")
    source = labelled(_("Source"), " ".join(export.citations))
    footer = [*wrap(source, PRINT, points, 5), *wrap(caveat, PRINT, points, 1), f"Vigie · {release}"]
    figure.text(
        LEFT, 0.18, "\n".join(footer), color=LIGHT.secondary, va="top", linespacing=1.5, fontproperties=font_of(PRINT)
    )


def _dress(axes: Axes, months: pd.DatetimeIndex) -> None:
    """Axis from zero, hairlines, dates in the reader's language under some of the periods."""
    axes.grid(axis="y", color=LIGHT.grid)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(LIGHT.hairline)
    ordered = months.unique().sort_values()
    ticks = ordered[:: next((step for step in STEPS if len(ordered) <= step * MOST_TICKS), len(ordered))]
    axes.set_xticks(ticks.to_numpy(), [lang().month_short(month, year=True) for month in ticks])
    axes.tick_params(colors=LIGHT.secondary, length=0)
    axes.yaxis.set_major_formatter(lambda value, _place: lang().counted(value))
    for label in [*axes.get_xticklabels(), *axes.get_yticklabels()]:
        label.set_fontproperties(font_of(BODY))
