"""A line of 150 × 36 pixels for a table cell: two years of counts, then the forecast with its 80 % band."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pandas as pd

from core.quantiles import interval_levels
from dashboard.charts.axes import require
from dashboard.theme import Theme

WIDTH, HEIGHT, PADDING = 150, 36, 3
PERIODS_AHEAD = 6
Point = tuple[float, float]


def sparkline(
    history: pd.DataFrame,
    quantiles: pd.DataFrame,
    *,
    theme: Theme,
    months_back: int = 24,
    months_each: int = 1,
    top: float | None = None,
) -> str:
    """Draw one series as an SVG data address, for a markdown image.

    Args:
        history: Columns ``end_date``, ``obs_value``; months that are missing leave a gap.
        quantiles: Index ``target_end_date``, one column per quantile level (at least .1, .5 and .9); may be empty.
        theme: Colours.
        months_back: Observed months to show.
        months_each: Months that one figure covers; between them the line is straight.
        top: Upper end of the scale, where several pictures share one.

    Returns:
        ``data:image/svg+xml;base64,…``; an empty picture where nothing is known.
    """
    counts = _monthly(require(history, ("end_date", "obs_value"), "sparkline"))
    counts = (counts.interpolate() if months_each > 1 else counts).tail(months_back)
    ahead = quantiles.sort_index().head(PERIODS_AHEAD)
    first = min([*counts.index[:1], *_months(ahead.index)[:1]], default=pd.Period("2000-01", "M"))
    last = max([*counts.index[-1:], *_months(ahead.index)[-1:]], default=first)
    low, high = interval_levels(0.8)
    bands = [ahead[level].max() for level in (low, 0.5, high)] if len(ahead) else []
    highest = float(pd.Series([counts.max(), *bands], dtype=float).max()) if top is None else top
    at = _placer(first, max(1, (last - first).n), highest if highest > 0 else 1.0)

    anchor = [at(*point) for point in _pairs(counts.dropna().tail(1))]
    lines = {level: anchor + [at(*point) for point in _points(ahead, level)] for level in (low, 0.5, high)}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">'
    ]
    if len(ahead):
        outline = _path(lines[high] + lines[low][::-1])
        parts.append(f'<path d="{outline}Z" fill="{theme.fan}" fill-opacity="0.34"/>')
        parts.append(_stroke(lines[0.5], theme.fan, 1.6))
    parts += [_stroke(run, theme.observed, 1.4) for run in _runs(counts, at)]
    parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.2" fill="{theme.observed}"/>' for x, y in anchor]
    svg = "".join([*parts, "</svg>"])
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode("ascii")


def _months(dates: pd.Index) -> pd.PeriodIndex:
    return pd.DatetimeIndex(dates).to_period("M")


def _monthly(history: pd.DataFrame) -> pd.Series:
    """Counts by month without holes in the index."""
    months = _months(pd.DatetimeIndex(history["end_date"]))
    counts = pd.Series(history["obs_value"].to_numpy(dtype=float), index=months).sort_index()
    return counts if counts.empty else counts.reindex(pd.period_range(counts.index[0], counts.index[-1], freq="M"))


def _placer(first: pd.Period, span: int, top: float) -> Callable[[pd.Period, float], Point]:
    def at(month: pd.Period, value: float) -> Point:
        across = (WIDTH - 2 * PADDING) * (month - first).n / span
        return PADDING + across, HEIGHT - PADDING - (HEIGHT - 2 * PADDING) * value / top

    return at


def _points(ahead: pd.DataFrame, level: float) -> list[tuple[pd.Period, float]]:
    return list(zip(_months(ahead.index), ahead[level].astype(float), strict=True)) if len(ahead) else []


def _runs(counts: pd.Series, at: Callable[[pd.Period, float], Point]) -> list[list[Point]]:
    """Unbroken stretches of the history."""
    stretch = counts.isna().cumsum()[counts.notna()]
    known = counts.dropna()
    runs = [known[stretch == number] for number in stretch.unique()]
    return [[at(*point) for point in _pairs(run)] for run in runs if len(run) > 1]


def _pairs(counts: pd.Series) -> list[tuple[pd.Period, float]]:
    return list(zip(pd.PeriodIndex(counts.index), counts.astype(float), strict=True))


def _path(points: list[Point]) -> str:
    return "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _stroke(points: list[Point], colour: str, width: float) -> str:
    return (
        f'<path d="{_path(points)}" fill="none" stroke="{colour}" stroke-width="{width}" '
        'stroke-linejoin="round" stroke-linecap="round"/>'
    )
