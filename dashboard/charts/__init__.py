"""Charts as pure functions: frames and a theme in, one plotly figure out, each with a text that states its takeaway.

Here stands what all share: ticks in the reader's language, places of months, labels that do not overlap.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard import labelled, lang
from dashboard.theme import Theme, halo, template, with_opacity

Annotation = dict[str, Any]
"""One plotly annotation."""
Row = dict[Hashable, Any]
"""One row of a frame, as ``to_dict("records")`` gives it."""

MOST_GRID_LINES = 5
LABEL_PIXELS = 16
MARGIN_TOP, MARGIN_BOTTOM = 34, 40
BAR_PIXELS = 8


def mid_month(dates: pd.Series) -> pd.Series:
    """The 15th of each month, where a month's figure is drawn."""
    months = pd.to_datetime(dates).to_numpy().astype("datetime64[M]")
    return pd.Series(months.astype("datetime64[ns]") + np.timedelta64(14, "D"), index=dates.index)


def dated(values: pd.Series) -> list[tuple[pd.Timestamp, float]]:
    """Dates and values of a series indexed by date."""
    return list(zip(pd.DatetimeIndex(values.index), values.astype(float), strict=True))


def quantile(forecast: pd.DataFrame, level: float) -> pd.Series:
    """Values of one quantile level, indexed by target month in order."""
    rows = forecast[(forecast["output_type_id"] - level).abs() < 1e-9].sort_values("target_end_date")
    return pd.Series(rows["value"].to_numpy(), index=pd.DatetimeIndex(mid_month(rows["target_end_date"])))


def monthly_values(observed: pd.DataFrame, months_each: int = 1) -> pd.DataFrame:
    """Observed months in order at mid-month, gaps kept as empty values.

    Args:
        observed: ``time_period_end``, ``value`` and, where known, ``flag``.
        months_each: Months that one figure covers; longer periods stand at their last month.

    Returns:
        Index: dates at mid-month. Columns ``value``, ``flag``.
    """
    if observed.empty:
        return pd.DataFrame({"value": pd.Series(dtype=float), "flag": pd.Series(dtype=str)}, pd.DatetimeIndex([]))
    rows = observed.assign(month=mid_month(observed["time_period_end"])).sort_values("month").set_index("month")
    if "flag" not in rows:
        rows["flag"] = ""
    months = pd.period_range(rows.index[0], rows.index[-1], freq="M")[::months_each].start_time + pd.Timedelta(days=14)
    filled = rows[["value", "flag"]].reindex(months)
    return filled.assign(flag=filled["flag"].fillna(""))


def joined(anchor: pd.Series, line: pd.Series) -> pd.Series:
    """The line with the anchor before it, if there is one."""
    return line if anchor.empty else pd.concat([anchor, line])


def band(lower: pd.Series, upper: pd.Series, fill: str, name: str) -> go.Scatter:
    """One closed band between two lines that share an index of dates."""
    x = [*lower.index, *lower.index[::-1]]
    y = [*upper, *lower.iloc[::-1]]
    return go.Scatter(
        x=x, y=y, mode="lines", fill="toself", fillcolor=fill, line={"width": 0}, hoverinfo="skip", name=name
    )


def nice_ticks(largest: float, *, whole: bool = False) -> list[float]:
    """At most five round grid lines above zero, and zero itself; the last one is not above ``largest``."""
    if not largest > 0:
        return [0.0, 1.0]
    power = 10.0 ** math.floor(math.log10(largest / MOST_GRID_LINES))
    steps = [factor * power for factor in (1, 2, 2.5, 5, 10)]
    steps = [step for step in steps if step.is_integer()] or [1.0] if whole else steps
    counts = [int(largest / step * (1 + 1e-9)) for step in steps]
    step, count = next(pair for pair in zip(steps, counts, strict=True) if pair[1] <= MOST_GRID_LINES)
    return [step * position for position in range(count + 1)]


def count_axis(largest: float, headroom: float = 0.06, foot: float = 0.0) -> dict[str, Any]:
    """A vertical axis of persons, from zero if not from another number, with ticks in the reader's language."""
    ticks = [foot + tick for tick in nice_ticks(largest - foot, whole=True)]
    top = foot + (largest - foot if largest > foot else 1.0) / (1 - headroom)
    return {"range": [foot, top], "tickvals": ticks, "ticktext": [lang().significant(tick) for tick in ticks]}


@dataclass(frozen=True)
class Scale:
    """A vertical axis of persons: where a number stands, in pixels from the foot and as plotly's annotations want it.

    Attributes:
        largest: Largest value drawn.
        headroom: Share of the axis to leave free above it.
        pixels: Height of the plot.
        foot: Where the axis begins; above zero on an axis of ratios.
        is_log: Whether it is an axis of ratios.
    """

    largest: float
    headroom: float
    pixels: float
    foot: float = 0.0
    is_log: bool = False

    @property
    def _top(self) -> float:
        largest = self.largest if self.largest > self.foot else self.foot + 1.0
        if not self.is_log:
            return self.foot + (largest - self.foot) / (1 - self.headroom)
        return float(self.foot * (largest / self.foot) ** (1 / (1 - self.headroom)))

    def pixel(self, value: float) -> float:
        """Pixels above the foot."""
        if not self.is_log:
            return self.pixels * (value - self.foot) / (self._top - self.foot)
        return self.pixels * math.log(max(value, self.foot) / self.foot) / math.log(self._top / self.foot)

    def value(self, pixel: float) -> float:
        """Return the value at a height in pixels above the foot."""
        if not self.is_log:
            return self.foot + pixel / self.pixels * (self._top - self.foot)
        return float(self.foot * (self._top / self.foot) ** (pixel / self.pixels))

    def at(self, value: float) -> float:
        """A place for an annotation, which plotly wants as a logarithm on such an axis."""
        return math.log10(max(value, self.foot)) if self.is_log else value

    def axis(self) -> dict[str, Any]:
        """Range and ticks in the reader's language."""
        if not self.is_log:
            return count_axis(self.largest, self.headroom, self.foot)
        powers = range(math.floor(math.log10(self.foot)), math.ceil(math.log10(self._top)) + 1)
        steps = (1, 2, 5) if self._top < 200 * self.foot else (1,)
        ticks = [step * 10.0**power for power in powers for step in steps]
        ticks = [tick for tick in ticks if self.foot <= tick <= self.largest * 1.001]
        return {
            "type": "log",
            "range": [math.log10(self.foot), math.log10(self._top)],
            "tickvals": ticks,
            "ticktext": [lang().significant(tick) for tick in ticks],
        }


def month_ticks(first: pd.Timestamp, last: pd.Timestamp, months_each: int = 1) -> dict[str, Any]:
    """January and July of each year, each over its year; of quarters the first over its year, and the third.

    Every third month where the span is under two years, January alone where it is over four.
    """
    days = (last - first).days
    step = 6 if months_each > 1 or 550 < days <= 1500 else (12 if days > 550 else 3)
    months = pd.period_range(first, last, freq="M")
    places = [month.start_time + pd.Timedelta(days=14) for month in months if (month.month - months_each) % step == 0]
    words = [lang().period_short(day, months_each).split() for day in places]
    texts = [
        name if months_each > 1 and day.month > months_each else f"{name}<br>{year}"
        for day, (name, year) in zip(places, words, strict=True)
    ]
    return {"tickvals": places, "ticktext": texts, "tickangle": 0}


def spread(places: Sequence[float], gap: float) -> list[float]:
    """Move label places apart until neighbours are ``gap`` apart, keeping their order and their centre of mass.

    Pool-adjacent-violators: neighbours that are too close form a block, and a block stands around its own mean.
    """
    order = sorted(range(len(places)), key=lambda position: places[position])
    blocks: list[tuple[float, int]] = []
    for rank, position in enumerate(order):
        total, count = places[position] - rank * gap, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / count:
            earlier_total, earlier_count = blocks.pop()
            total, count = total + earlier_total, count + earlier_count
        blocks.append((total, count))
    levels = [total / count for total, count in blocks for _one in range(count)]
    moved = [0.0] * len(places)
    for rank, position in enumerate(order):
        moved[position] = levels[rank] + rank * gap
    return moved


def note(theme: Theme, text: str, **place: Any) -> Annotation:  # noqa: ANN401  # plotly's own keywords
    """A label without arrow or box, 12 px, in secondary text, with a halo in the ground's colour."""
    font = {"size": 12, "color": theme.secondary, "shadow": halo(theme.ground)} | place.pop("font", {})
    return {"text": text, "showarrow": False, "align": "left", "font": font, **place}


def unit_label(theme: Theme, unit: str) -> Annotation:
    """The unit at the top left, in place of an axis title."""
    return note(
        theme, unit, xref="paper", yref="paper", x=0, y=1, xanchor="left", yanchor="bottom", xshift=-6, yshift=4
    )


def finish(figure: go.Figure, theme: Theme, *, height: int, annotations: Iterable[Annotation]) -> go.Figure:
    """Set template, height and labels."""
    figure.update_layout(template=template(theme), height=height, annotations=list(annotations))
    return figure


def dashed(theme: Theme) -> dict[str, Any]:
    """The line that something is held against: a promise, an even share."""
    return {"color": theme.secondary, "width": 1, "dash": "6px,4px"}


def level_line(figure: go.Figure, value: float, theme: Theme) -> None:
    """A dashed line across the chart at a number: a threshold, the places there are."""
    line = {"color": theme.ink, "width": 1.2, "dash": "6px,4px"}
    figure.add_shape(type="line", xref="paper", x0=0, x1=1, y0=value, y1=value, line=line)


def named_rows(figure: go.Figure, count: int, largest: float, margin: dict[str, int]) -> None:
    """Axes of a chart with one bar per row, the first on top, names to the left and no scale."""
    figure.update_layout(
        margin=margin,
        hovermode="closest",
        showlegend=False,
        xaxis={"range": [0, largest or 1.0], "visible": False},
        yaxis={"range": [count - 0.4, -0.6], "visible": False, "showgrid": False, "zeroline": False},
    )


def interval_rows(
    figure: go.Figure, count: int, largest: float, reach: float, theme: Theme, *, sides: tuple[int, int]
) -> None:
    """The same with a scale of persons under it."""
    ticks = nice_ticks(largest, whole=True)
    ticks = ticks[:: 1 if len(ticks) < 5 else 2]
    named_rows(figure, count, largest, {"l": sides[0], "r": sides[1], "t": 40, "b": 34})
    scale = {"range": [0, largest * reach], "tickvals": ticks, "ticktext": [lang().counted(tick) for tick in ticks]}
    figure.update_xaxes(scale | {"visible": True, "ticks": "", "showgrid": True, "gridcolor": theme.grid})


def interval_row(row: Row, place: int, fill: str, edge: str, theme: Theme, hover: str) -> list[go.Scatter]:
    """Bars of the 80 and 50 % interval over each other, and a hollow circle at the median.

    Args:
        row: ``q10``, ``q25``, ``q50``, ``q75``, ``q90``.
        place: Which row from the top, from 0.
        fill: Colour of the bars.
        edge: Colour of the circle.
        theme: Colours.
        hover: What is written over the numbers where the mouse is; may be empty.
    """
    interval = labelled(lang().percent(0.8), lang().interval(row["q10"], row["q90"]))
    parts = []
    for low, high, opacity in (("q10", "q90", 0.36), ("q25", "q75", 0.80)):
        line = {"color": with_opacity(fill, opacity), "width": BAR_PIXELS}
        at = {"x": [row[low], row[high]], "y": [place, place]}
        parts.append(go.Scatter(**at, mode="lines", line=line, hoverinfo="skip", name=f"{low}-{high}"))
    circle = {"size": 11, "color": theme.ground, "line": {"color": edge, "width": 2.2}}
    text = f"{hover}<br>{interval}<extra></extra>"
    median = go.Scatter(
        x=[row["q50"]], y=[place], mode="markers", marker=circle, hovertemplate=text, name="median",
        cliponaxis=False,  # else one at zero is half a circle
    )  # fmt: skip
    return [*parts, median]


def share_axes(figure: go.Figure) -> None:
    """Both axes from 0 to 100 %, on one scale: the chart is a square."""
    shares = [0, 0.25, 0.5, 0.75, 1]
    ticks = {"range": [0, 1.04], "tickvals": shares, "ticktext": [lang().share(share) for share in shares]}
    square = {"scaleanchor": "x", "constrain": "domain"}
    figure.update_layout(
        margin={"l": 50, "r": 24}, hovermode="closest", xaxis=ticks | {"constrain": "domain"}, yaxis=ticks | square
    )
