"""Is this season unusual? Years over each other by month, and earlier years beside this year's interval."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core import INTERVALS, interval_levels
from dashboard import _, labelled, lang
from dashboard.charts import (
    LABEL_PIXELS,
    MARGIN_BOTTOM,
    MARGIN_TOP,
    Annotation,
    band,
    count_axis,
    finish,
    joined,
    level_line,
    monthly_values,
    note,
    quantile,
    spread,
    unit_label,
)
from dashboard.theme import Theme, with_opacity
from reports.charts import forecast_words
from reports.skill import Verdicts, may_beat
from reports.year_ahead import MEDIAN, TOO_WIDE

SEASON_HEIGHT, BARS_HEIGHT = 390, 280
HEADROOM = 0.06
BAR_WIDTH = 0.62
_MARGIN, _PIXELS_PER_SIGN = 118, 5.3
"""Right of the bars, at least; the longest label needs more in some languages."""


def season_chart(
    observed: pd.DataFrame, forecast: pd.DataFrame, *, year: int, unit: str, theme: Theme, verdicts: Verdicts
) -> go.Figure:
    """Lay the years over each other by calendar month; coming months of each year with their 80 % band.

    Named are the coming years, this one, the one before and the one with the highest month.

    Args:
        observed: Columns ``time_period_end``, ``value``.
        forecast: Columns ``target_end_date``, ``output_type_id``, ``value``.
        year: The year that is looked at: the one before it is drawn more strongly than earlier ones.
        unit: What is counted.
        theme: Colours.
        verdicts: The forecast's: no median is drawn where nothing shows that it beats the baseline.
    """
    counted = _by_year(monthly_values(observed)["value"])
    ahead = _ahead(counted, forecast)
    figure = go.Figure([band(low, high, with_opacity(theme.fan, 0.2), "80%") for low, _median, high in ahead.values()])
    for one, values in counted.items():
        if one in ahead or one == year:
            figure.add_trace(_line(values.dropna(), theme.observed, 2.2, f"{one}"))
        else:
            figure.add_trace(_year_line(one, values, theme, newest=one == year - 1))
    ends = []
    for one, (_low, median, _high) in ahead.items():
        days = [pd.Period(year=one, month=month, freq="M").end_time.normalize() for month in median.index]
        kept = [day.month in counted.get(one, ()) or may_beat(verdicts, day) for day in days]
        drawn = median.where(np.array(kept))
        figure.add_trace(_line(drawn, theme.fan, 2.4, f"{one} " + _("expected")))
        ends.append((drawn if any(kept) else median, one, theme.fan))
    highest = max(counted, key=lambda one: counted[one].max())
    ends += [
        (values, one, theme.observed if one in (year, year - 1) else theme.secondary)
        for one, values in counted.items()
        if one not in ahead and (one >= year - 1 or one == highest)
    ]
    largest = max(float(pd.Series(trace.y, dtype=float).max()) for trace in figure.data)
    labels = [unit_label(theme, unit), *_year_labels(ends, largest, theme)]
    months = (1, 4, 7, 10)
    figure.update_layout(
        margin={"r": 52},
        hovermode="closest",
        xaxis={
            "range": [0.9, 12.1],
            "tickvals": months,
            "ticktext": [lang().month_short(dt.date(year, month, 1)) for month in months],
        },
        yaxis=count_axis(largest, HEADROOM),
    )
    return finish(figure, theme, height=SEASON_HEIGHT, annotations=labels)


def _ahead(counted: dict[int, pd.Series], forecast: pd.DataFrame) -> dict[int, tuple[pd.Series, ...]]:
    """Lower end, median and upper end by year, from its last count on; a single month is no line and left out."""
    low, high = interval_levels(0.8)
    edges = [_by_year(quantile(forecast, level)) for level in (low, 0.5, high)]
    found = {}
    for year, median in edges[1].items():
        own = counted.get(year, pd.Series(dtype=float)).dropna()
        anchor = own[own.index < median.index.min()].tail(1)
        found[year] = tuple(joined(anchor, edge[year]) for edge in edges)
    return {year: lines for year, lines in found.items() if len(lines[0]) > 1}


def _by_year(values: pd.Series) -> dict[int, pd.Series]:
    years = pd.DatetimeIndex(values.index).year.unique()
    return {int(year): _of_year(values, int(year)) for year in years}


def _of_year(values: pd.Series, year: int) -> pd.Series:
    """Values of one year by calendar month."""
    dates = pd.DatetimeIndex(values.index)
    return pd.Series(values.to_numpy()[dates.year == year], index=dates.month[dates.year == year])


def _line(values: pd.Series, colour: str, width: float, name: str) -> go.Scatter:
    hover = [f"{name}, {lang().month_short(dt.date(2001, int(month), 1))}" for month in values.index]
    return go.Scatter(
        x=values.index,
        y=values,
        mode="lines",
        line={"color": colour, "width": width},
        text=[f"{text}<br><b>{lang().counted(value)}</b>" for text, value in zip(hover, values, strict=True)],
        hovertemplate="%{text}<extra></extra>",
        name=name,
    )


def _year_line(year: int, values: pd.Series, theme: Theme, *, newest: bool) -> go.Scatter:
    if newest:
        return _line(values, theme.observed, 2.0, f"{year}")
    return _line(values, with_opacity(theme.neutral, 0.45), 1.1, f"{year}")


def _year_labels(ends: list[tuple[pd.Series, int, str]], largest: float, theme: Theme) -> list[Annotation]:
    """The year beside the right end of its line, in the order of the lines and none below the axis."""
    gap = LABEL_PIXELS * largest / (1 - HEADROOM) / (SEASON_HEIGHT - MARGIN_TOP - MARGIN_BOTTOM)
    lines = [(values.dropna(), name, {"color": ink}) for values, name, ink in ends if values.notna().any()]
    labels = []
    # A year that ends before December has its label there, between the others' lines.
    for month in sorted({values.index[-1] for values, _name, _ink in lines}):
        own = [line for line in lines if line[0].index[-1] == month]
        places = spread([float(values.iloc[-1]) for values, _name, _ink in own], gap)
        foot = min(0.0, *places)
        for (_values, name, ink), y in zip(own, places, strict=True):
            place = {"xanchor": "left", "yanchor": "middle", "xshift": 8}
            text = f"{name}" if ink["color"] == theme.secondary else f"<b>{name}</b>"
            labels.append(note(theme, text, x=month, y=y - foot, font=ink, **place))
    return labels


def season_alt(observed: pd.DataFrame, forecast: pd.DataFrame, *, year: int) -> str:
    """The chart in words: where the median of each coming year peaks, beside the highest month of the year before."""
    coming = _by_year(quantile(forecast, 0.5))
    counted = _by_year(monthly_values(observed)["value"].dropna())
    nothing = pd.Series(dtype=float)
    text = _("{year} is expected to peak at {value} in {month}.")
    parts = [text.format(**_peak(counted.get(ahead, nothing), median, ahead)) for ahead, median in coming.items()]
    if year - 1 in counted and year - 1 not in coming:
        before = _peak(counted[year - 1], nothing, year - 1)
        parts.append(_("{year} peaked at {value} in {month}.").format(**before))
    return " ".join([*parts, _("Earlier years are drawn as thin lines.")])


def _peak(counted: pd.Series, expected: pd.Series, year: int) -> dict[str, str]:
    """The highest month of a year, of those that are counted and those to come together."""
    whole = {month: value for part in (expected, counted) for month, value in zip(part.index, part, strict=True)}
    month = max(sorted(whole), key=whole.__getitem__)
    value = lang().counted(whole[month]) if month in counted.index else lang().expected(whole[month])
    return {"year": f"{year}", "value": value, "month": lang().month(dt.date(year, month, 1), year=False)}


def season_bars(
    history: pd.DataFrame,
    forecast: pd.DataFrame,
    *,
    year: int,
    lines: Mapping[str, float],
    unit: str,
    theme: Theme,
    before: pd.DataFrame | None = None,
) -> go.Figure:  # fmt: skip
    """Bars of the same season in earlier years beside this year's forecast as a stacked interval box.

    Args:
        history: Columns ``year``, ``value``: the total of each earlier year, then what forecast totals count already.
        forecast: Columns ``output_type_id``, ``value`` (quantiles of this year's total); no median if it is too wide.
        year: This year.
        lines: Numbers across the bars by their label: ``threshold {value}``.
        unit: What is counted.
        theme: Colours.
        before: Quantiles of the year before, where it is a forecast as well.
    """
    boxes = {year - 1: before, year: forecast} if before is not None else {year: forecast}
    levels = {one: box.set_index(box["output_type_id"].round(4))["value"] for one, box in boxes.items()}
    at = levels[year]
    earlier = [one for one in history["year"].astype(int) if one not in boxes]
    names = [*map(str, earlier), *(f"<b>{one}</b>" for one in boxes)]
    figure = go.Figure(counted_bars(history["value"].tolist(), names, theme, "counted"))
    # The axis holds the 95 % interval, unless that ends at more than twice the end of the 80 % one.
    upper, farthest = (float(at[interval_levels(coverage)[1]]) for coverage in (0.8, 0.95))
    reach = farthest if farthest <= 2 * upper else upper
    largest = max([*history["value"], reach, *lines.values()])
    for place, one in enumerate(levels.values(), start=len(earlier)):
        for coverage, opacity in zip(sorted(INTERVALS, reverse=True), theme.fan_opacity, strict=True):
            low, high = (min(float(one[level]), largest) for level in interval_levels(coverage))
            figure.add_trace(interval_box(place, low, high, coverage, with_opacity(theme.fan, opacity)))
        if MEDIAN in one:
            median_line(figure, place, float(one[MEDIAN]), theme)
    for value in lines.values():
        level_line(figure, value, theme)
    labels = _bars_labels(at, lines, largest, theme)
    longest = max(len(re.sub("<.*?>", "", str(label["text"]))) for label in labels)
    figure.update_layout(
        barmode="overlay",
        margin={"r": max(_MARGIN, round(8 + _PIXELS_PER_SIGN * longest))},
        hovermode="closest",
        xaxis={"range": [-0.6, len(names) - 0.4], "tickvals": list(range(len(names))), "ticktext": names, "ticks": ""},
        yaxis=count_axis(largest, HEADROOM),
    )
    return finish(figure, theme, height=BARS_HEIGHT, annotations=[unit_label(theme, unit), *labels])


def counted_bars(values: Sequence[float], names: Sequence[str], theme: Theme, what: str) -> go.Bar:
    """Counts as bars from the left; ``names`` may go on beyond them."""
    return go.Bar(
        x=list(range(len(values))),
        y=values,
        width=BAR_WIDTH,
        marker={"color": with_opacity(theme.neutral, 0.55)},
        text=[f"{name}<br><b>{lang().counted(v)}</b>" for name, v in zip(names, values, strict=False)],
        textposition="none",
        hovertemplate="%{text}<extra></extra>",
        name=what,
    )


def _bars_labels(at: pd.Series, lines: Mapping[str, float], largest: float, theme: Theme) -> list[Annotation]:
    """Median, ends of the intervals and lines, right of the bars and clear of each other."""
    (low, upper), (lowest, farthest) = (at[list(interval_levels(share))].astype(float) for share in (0.8, 0.95))
    beyond = " ↑" if farthest > largest else ""
    eighty = labelled(lang().percent(0.8), lang().interval(low, upper))
    texts = [(upper, eighty, theme.median)]
    if MEDIAN in at:
        median = _("<b>median {value}</b>").format(value=lang().expected(at[MEDIAN]))
        texts = [(float(at[MEDIAN]), median, theme.median), (upper, eighty, theme.secondary)]
    most = labelled(lang().percent(0.95), lang().interval(lowest, farthest)) + beyond
    texts.append((min(farthest, largest), most, theme.secondary))
    texts += [(value, text.format(value=lang().counted(value)), theme.ink) for text, value in lines.items()]
    gap = LABEL_PIXELS * largest / (1 - HEADROOM) / (BARS_HEIGHT - MARGIN_TOP - MARGIN_BOTTOM)
    right = {"xref": "paper", "x": 1, "xanchor": "left", "yanchor": "middle", "xshift": 6}
    return [
        note(theme, text, y=place, font={"color": ink}, **right)
        for (_place, text, ink), place in zip(texts, spread([text[0] for text in texts], gap), strict=True)
    ]


def season_bars_alt(history: pd.DataFrame, forecast: pd.DataFrame, *, year: int, threshold: float | None = None) -> str:
    """The bars in words: this year's interval, and how many earlier years lay above its median or the threshold."""
    at = forecast.set_index(forecast["output_type_id"].round(4))["value"]
    low, high = (at[level] for level in interval_levels(0.8))
    if MEDIAN not in at:
        return _(TOO_WIDE).format(name=year, interval=lang().interval_words(low, high))
    against = at[0.5] if threshold is None else threshold
    above = int((history["value"] > against).sum())
    years = _("{above} of {count} earlier years lay above {number}.").format(
        above=above,
        count=len(history),
        number=lang().expected(against) if threshold is None else lang().counted(against),
    )
    return f"{forecast_words(year, at[0.5], low, high, lang())} {years}"


def interval_box(place: int, low: float, high: float, coverage: float, fill: str) -> go.Bar:
    """One central interval as a box at a place on the axis."""
    return go.Bar(
        x=[place],
        y=[high - low],
        base=[low],
        width=BAR_WIDTH,
        marker={"color": fill, "line": {"width": 0}},
        hovertemplate=labelled(lang().percent(coverage), lang().interval(low, high)) + "<extra></extra>",
        name=f"box {coverage:.0%}",
    )


def median_line(figure: go.Figure, place: int, median: float, theme: Theme) -> None:
    """Draw the median across the boxes at a place on the axis."""
    line, half = {"color": theme.median, "width": 2.4}, BAR_WIDTH / 2
    figure.add_shape(type="line", x0=place - half, x1=place + half, y0=median, y1=median, line=line)
