"""Small fan charts: counts so far, then what is expected, one panel per route."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import date2num
from matplotlib.ticker import MaxNLocator

from core.languages import Language
from core.languages import marked as _
from core.quantiles import INTERVALS, FloatArray, interval_levels
from reports.briefing import colours
from reports.briefing.canvas import Style, font_of
from reports.briefing.content import RouteLine

HALF_MONTH = pd.Timedelta(days=15)
SMALL = Style("sans", 5.8)
HEADROOM = 1.14
"""Height of the axis over the highest value: room for the word on the line."""


def draw_fan(axes: Axes, route: RouteLine, as_of: dt.date, words: Language) -> None:
    """Draw one route: two years of counts, a line at the day of knowledge, bands of 95, 80 and 50 % and the median."""
    counted = pd.DatetimeIndex(route.history["end_date"]) - HALF_MONTH
    ahead = pd.DatetimeIndex(route.quantiles.index) - HALF_MONTH
    counts = route.history["obs_value"].to_numpy(dtype=float)
    axes.set_facecolor("none")
    axes.plot(days(counted), counts, color=colours.OBSERVED, linewidth=0.9)
    if len(ahead) and len(counts):
        _bands(axes, days(counted[-1:].append(ahead)), float(counts[-1]), route.quantiles)
    axes.axvline(days(as_of), color=colours.SECONDARY, linewidth=0.6, linestyle=(0, (2, 1.5)))
    highest = [*counts, *(route.quantiles[interval_levels(max(INTERVALS))[1]] if len(ahead) else [])]
    axes.set_ylim(0, HEADROOM * max([value for value in highest if value > 0], default=1.0))
    _dress(axes, pd.DatetimeIndex(counted.append(ahead)), days(as_of), words)


def days(dates: Any) -> Any:  # noqa: ANN401  # matplotlib takes and gives one date or many
    """Dates as matplotlib counts them."""
    return date2num(dates)  # type: ignore[no-untyped-call]  # matplotlib publishes no type for it


def _bands(axes: Axes, places: FloatArray, last: float, quantiles: pd.DataFrame) -> None:
    """The bands open from the last count."""

    def line(level: float) -> list[float]:
        return [last, *quantiles[level].tolist()]

    for coverage, opacity in zip(sorted(INTERVALS, reverse=True), colours.FAN_OPACITY, strict=True):
        low, high = interval_levels(coverage)
        axes.fill_between(places, line(low), line(high), color=colours.FAN, alpha=opacity, linewidth=0)
    axes.plot(places, line(0.5), color=colours.MEDIAN, linewidth=1.1)


def _dress(axes: Axes, months: pd.DatetimeIndex, now: float, words: Language) -> None:
    """Axis from zero with few hairlines, Januaries in the reader's language, the word ``now`` on its line."""
    if len(months):
        axes.set_xlim(days(months[0]) - 15, max(days(months[-1]), now) + 15)
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    axes.grid(axis="y", color=colours.GRID, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set(color=colours.HAIRLINE, linewidth=0.6)
    ticks = months[months.month == 1]
    axes.set_xticks(days(ticks), [words.month_short(month, year=True) for month in ticks])
    axes.tick_params(colors=colours.SECONDARY, length=0, pad=1.5)
    axes.yaxis.set_major_formatter(lambda value, _place: words.counted(value))
    for label in [*axes.get_xticklabels(), *axes.get_yticklabels()]:
        label.set(fontproperties=font_of(SMALL), parse_math=False)
    axes.annotate(
        words.text(NOW), (now, 1), (-1.5, -1), xycoords=("data", "axes fraction"), textcoords="offset points",
        fontproperties=font_of(SMALL), color=colours.SECONDARY, ha="right", va="top", parse_math=False,
    )  # fmt: skip


NOW = _("now")
