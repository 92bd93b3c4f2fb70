"""The fan chart of one route: what was counted, what is expected, and how sure that is."""

from __future__ import annotations

import datetime as dt
import html
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TypeGuard

import pandas as pd
import plotly.graph_objects as go

from core import INTERVALS, interval_levels
from core.languages import as_expected
from dashboard import _, labelled, lang, ngettext
from dashboard.charts import (
    MARGIN_BOTTOM,
    MARGIN_TOP,
    Scale,
    band,
    dated,
    fan_labels,
    finish,
    joined,
    mid_month,
    month_ticks,
    monthly_values,
    note,
    quantile,
)
from dashboard.theme import Theme, with_opacity
from reports.charts import FARTHEST_BAND, forecast_words
from reports.numbers import Expected
from reports.skill import BRIEF, Verdicts, may_beat, median_shown, median_words, verdict_at

HEIGHT = 530
STRIP_PIXELS = 34
TOP_PIXELS = 16
WINDOW_ROOM = 72
"""Above all figures, for the bracket of the marked months and its words."""
EVENT_PIXELS, EVENT_STEP = 12, 20
"""How far below the top the marks of events stand, and how far below it one that would touch its neighbour."""
FARTHEST_THRESHOLD = 1.6
"""How far above the rest a threshold may lie and still set the axis."""
WIDEST_BAND, VEIL = "band 95%", "veil"
EARLIER_OPACITY = 0.16


@dataclass(frozen=True)
class Beside:
    """Another route that is compared, or a scenario.

    Attributes:
        name: Its name on screen.
        observed: As in :class:`Fan`; of a scenario at most the count from which it opens.
        forecast: As in :class:`Fan`; a level may lack months.
        is_scenario: Whether it is one.
    """

    name: str
    observed: pd.DataFrame
    forecast: pd.DataFrame
    is_scenario: bool = False

    def hue(self, theme: Theme) -> str:
        """Its colour."""
        return theme.replay.fill if self.is_scenario else theme.warning.fill


@dataclass(frozen=True)
class Window:
    """Months whose sum is expected.

    Attributes:
        ends: Their last days.
        expected: The sum with its 80 % interval.
    """

    ends: Sequence[pd.Timestamp]
    expected: Expected


@dataclass(frozen=True)
class Fan:
    """What one fan chart shows; everything with a default is a layer that may be left out.

    Attributes:
        observed: Columns ``time_period_end``, ``value`` and, where known, ``flag`` ('p' provisional, 'e' estimated).
        forecast: Columns ``target_end_date``, ``output_type_id``, ``value`` at the hub's quantile levels.
        now: The date on which all of it was known.
        unit: What is counted, such as "Arrivals per month".
        earlier: Forecasts made before: ``origin_date``, ``target_end_date``, ``q10``, ``q50``, ``q90``.
        outcomes: What happened next, for a past date: ``time_period_end``, ``value``.
        running: The month that is counted by day: ``target_end_date``, ``so_far``, ``q10``, ``q50``, ``q90``.
        threshold: A number of persons that may be passed.
        limit: What it is, such as ``aim: {value}``; empty for a threshold.
        chances: ``target_end_date``, ``probability`` of an event in that month.
        event: What the chances are of: ``to pass 10,000 a month``.
        verdicts: The forecast's verdict by period, see :mod:`reports.skill`; None leaves the strip out.
        months_back: Observed figures to show.
        months_each: Months that one figure covers: 3 for quarters.
        is_log: Whether the axis is one of ratios.
        is_stock: Whether the axis begins below the least number shown instead of at zero, and says so.
        beside: Another route, or a scenario, on the same axis.
        reach: A number that the axis holds at least.
        events: Documented events, ``month`` (such as ``2023-09``) and ``title``: each gets its number, from 1.
        window: Months ahead that are marked with their sum.
        goes_by_last: Whether no forecast beats the last count: that is carried forward, and the median recedes.
        is_last: Whether the forecast is the last count repeated, with the range of its past errors.
    """

    observed: pd.DataFrame
    forecast: pd.DataFrame
    now: dt.date
    unit: str
    earlier: pd.DataFrame | None = None
    outcomes: pd.DataFrame | None = None
    running: pd.DataFrame | None = None
    threshold: float | None = None
    limit: str = ""
    chances: pd.DataFrame | None = None
    event: str = ""
    verdicts: Verdicts = None
    months_back: int = 24
    months_each: int = 1
    is_log: bool = False
    is_stock: bool = False
    beside: Beside | None = None
    reach: float = 0.0
    events: pd.DataFrame | None = None
    window: Window | None = None
    goes_by_last: bool = False
    is_last: bool = False

    @property
    def coverages(self) -> list[float]:
        """Coverage of each band that is drawn, the widest first: beside a scenario the 80 % band alone."""
        return [0.8] if self.beside and self.beside.is_scenario else sorted(INTERVALS, reverse=True)

    @property
    def ends(self) -> list[pd.Timestamp]:
        """Last days of the periods ahead."""
        return sorted(self.forecast["target_end_date"].unique())


def fan_chart(fan: Fan, theme: Theme, *, height: int = HEIGHT) -> go.Figure:
    """Draw the history, the forecast as bands that darken inwards, and what helps to judge it."""
    months = monthly_values(fan.observed, fan.months_each).tail(fan.months_back)
    anchor = months["value"].dropna().tail(1)
    before = _since_first_month(fan.earlier, months)
    figure = go.Figure(_earlier_traces(before, theme))
    carried = anchor if fan.goes_by_last else anchor.iloc[:0]
    figure.add_traces(_fan_traces(fan, anchor, carried, theme))
    figure.add_traces(_observed_traces(months, theme, fan.months_each))
    if fan.beside is not None:
        figure.add_traces(_beside_traces(fan.beside, months.index, theme))
    if _has_rows(fan.outcomes):
        figure.add_trace(_outcome_trace(fan.outcomes, anchor, theme, fan.months_each))
    if _has_rows(fan.running):
        figure.add_traces(_running_traces(fan.running, theme))

    plot_height = height - MARGIN_TOP - MARGIN_BOTTOM
    largest = max(_largest(figure, fan.threshold), fan.reach)
    median = quantile(fan.forecast, 0.5)
    targets = pd.DatetimeIndex(median.index)
    first = months.index[0] if len(months) else targets[0]
    last, pad = max(targets[-1], first), pd.Timedelta(days=4)
    rows = _event_rows(fan.events, first - pad, last + pad)
    above = EVENT_STEP * max(rows, default=0)
    above += STRIP_PIXELS if fan.verdicts is not None else TOP_PIXELS
    headroom = max(above, WINDOW_ROOM if fan.window else 0) / plot_height
    scale = Scale(largest, headroom, plot_height, _foot(fan, months), fan.is_log)
    for trace in figure.data if fan.is_log else ():
        trace.y = [None if pd.isna(value) else max(float(value), scale.foot) for value in trace.y]
    figure.add_traces(_below_traces(fan, months, theme))
    figure.add_traces(_open_end(fan, scale, theme))
    figure.add_traces(_event_marks(fan.events, rows, scale, theme))
    room = fan_labels.Room(scale, first - pad, last + pad)
    unit = fan.unit
    if fan.is_stock and scale.foot:
        unit = _("{unit}, from {foot}").format(unit=unit, foot=lang().counted(scale.foot))
    labels = fan_labels.fixed_labels(figure, unit, fan.now, room, theme)
    is_known = may_beat(fan.verdicts, fan.ends[-1])
    labels.append(fan_labels.end_label(fan.forecast, carried, theme, fan.months_each, with_median=is_known))
    if fan.verdicts is not None:
        said = [verdict_at(fan.verdicts, end) for end in fan.ends]
        fan_labels.skill_strip(figure, targets, fan.now, said, scale, theme)
        place = {"yref": "paper", "y": 0.99, "yanchor": "middle", "xanchor": "right", "xshift": -6}
        labels.append(note(theme, _("against the baseline:"), x=fan.now, **place))
    fan_labels.threshold_line(figure, fan.threshold, fan.limit, months["value"], scale, theme)
    if fan.window:
        labels += fan_labels.window_mark(figure, fan.window.ends, fan.window.expected, room, theme)
    for label in labels:
        if label.get("yref") != "paper":
            label["y"] = scale.at(label["y"])
    figure.update_layout(
        hovermode="x",
        hoverdistance=40,
        barmode="overlay",
        margin={"r": fan_labels.MARGIN_RIGHT},
        xaxis={"range": [first - pad, last + pad], "hoverformat": "%m/%Y", **month_ticks(first, last, fan.months_each)},
        yaxis=scale.axis(),
    )
    return finish(figure, theme, height=height, annotations=labels)


def fan_key(fan: Fan, theme: Theme, more: Iterable[str] = ()) -> str:
    """What the marks of the chart mean, as a line of HTML that wraps: on a phone such labels have no place in it.

    Args:
        fan: What the chart shows.
        theme: Colours.
        more: Marks that the fan lacks, from :func:`key_mark`.
    """
    months = monthly_values(fan.observed, fan.months_each).tail(fan.months_back)
    dots = f"height: 5px; background: radial-gradient(circle, {theme.observed} 2.5px, transparent 3px) 0 / 8px 5px"
    parts = [key_mark(dots, _("counted"))]
    for flag, text in (("p", _("provisional")), ("e", _("estimated"))):
        if months["flag"].str.contains(flag).any():
            sign = "○" if flag == "p" else "◇"
            parts.append(f"<span>{sign} {html.escape(text)}</span>")
    if len(_below(fan, months)):
        text = _("counted, below the axis")
        parts.append(f"<span>▼ {html.escape(text)}</span>")
    parts += _median_keys(fan, theme)
    whose = _("its range:") if fan.is_last else _("models’ range:") if fan.goes_by_last else ""
    parts.append(_group(whose, _band_keys(fan, theme)))
    if fan.threshold is not None:
        text = fan_labels.threshold_words(fan.threshold, fan.limit)
        parts.append(key_mark(f"border-top: 2px dashed {theme.ink}", text))
    if fan.beside is not None:
        text = _("{name}: median, 80%") if fan.beside.is_scenario else _("{name}: counted, median, 80%")
        hue = fan.beside.hue(theme)
        style = f"height: 9px; background: {with_opacity(hue, 0.3)}; border-top: 3px dashed {hue}"
        parts.append(key_mark(style, text.format(name=fan.beside.name)))
    if _has_rows(fan.earlier):
        parts.append(key_mark(f"border-top: 2px dotted {theme.earlier}", _("earlier forecasts, 80%")))
    if fan.verdicts is not None:
        said = {verdict_at(fan.verdicts, end) for end in fan.forecast["target_end_date"]}
        marks = [key_mark(_strip_border(one, theme), _(word)) for one, word in BRIEF.items() if one in said]
        parts.append(_group(_("against the baseline:"), marks))
    if _has_rows(fan.outcomes):
        parts.append(key_mark(f"border-top: 3px double {theme.observed}", _("what happened next")))
    return key_line([*parts, *more])


def band_words(coverage: float) -> str:
    """What a band holds: ``80%: 4 in 5``."""
    words = {0.5: _("1 in 2"), 0.8: _("4 in 5"), 0.95: _("19 in 20")}
    return labelled(lang().percent(coverage), words[coverage])


def _strip_border(verdict: str, theme: Theme) -> str:
    colour, dash = fan_labels.strip_style(verdict, theme)
    return f"border-top: 3px {'dotted' if dash == 'dot' else dash} {colour}"


def _group(text: str, marks: Iterable[str]) -> str:
    """Marks of one kind, which stand together."""
    return f"<span>{html.escape(text)} {'&ensp;'.join(marks)}</span>"


def key_mark(style: str, text: str) -> str:
    """A mark in a style, and what it means, for the line above a chart."""
    return f'<span><i style="{style}"></i> {html.escape(text)}</span>'


def key_line(parts: Iterable[str]) -> str:
    """Return the key of the chart's marks, as a line of HTML that wraps above it."""
    return f'<div class="vigie-key">{"".join(parts)}</div>'


def fan_alt(fan: Fan, *, name: str, what: str | None = None) -> str:
    """The fan chart in words: the last count, the median and 80 % interval at the next and the last month, the chance.

    Args:
        fan: What is shown.
        name: Name of the route on screen.
        what: First sentence where the chart shows something else than arrivals.
    """
    counted = monthly_values(fan.observed, fan.months_each)["value"].dropna()
    median, (low, high) = quantile(fan.forecast, 0.5), (quantile(fan.forecast, level) for level in interval_levels(0.8))
    parts = [what or _("{name}: observed arrivals and forecast.").format(name=name)]
    if len(counted):
        month, value = dated(counted)[-1]
        text = _("Last count {value} in {month}.")
        parts.append(text.format(value=lang().counted(value), month=lang().period(month, fan.months_each)))
    for place in sorted({0, len(median) - 1}):
        month, value = dated(median)[place]
        name, is_known = lang().period(month, fan.months_each), may_beat(fan.verdicts, fan.ends[place])
        parts.append(forecast_words(name, value, low.loc[month], high.loc[month], lang(), with_median=is_known))
    if _has_rows(fan.chances):
        chances = fan.chances.set_index("target_end_date")["probability"]
        month, chance = max(dated(chances), key=lambda point: point[1])
        parts.append(
            _("Highest chance {event}: {chance} ({word}) in {month}.").format(
                event=fan.event,
                chance=lang().percent(chance),
                word=lang().chance_word(chance),
                month=lang().month(month),
            )
        )
    return " ".join(parts)


def _has_rows(frame: pd.DataFrame | None) -> TypeGuard[pd.DataFrame]:
    return frame is not None and not frame.empty


def _since_first_month(earlier: pd.DataFrame | None, months: pd.DataFrame) -> pd.DataFrame:
    """Earlier forecasts whose targets lie in the months shown."""
    columns = ("origin_date", "target_end_date", "q10", "q50", "q90")
    if not _has_rows(earlier):
        return pd.DataFrame(columns=list(columns))
    if months.empty:
        return earlier.iloc[:0]
    shown: pd.DataFrame = earlier[pd.to_datetime(earlier["target_end_date"]) >= months.index[0]]
    return shown


def _largest(figure: go.Figure, threshold: float | None) -> float:
    """Top of the chart: counts, forecasts and the 80 % band; the 95 % band where it would not flatten these.

    What the 95 % band reaches beyond has an open end. A threshold counts unless it would flatten the rest too.
    """
    tops = {trace.name: float(pd.Series(trace.y, dtype=float).max()) for trace in figure.data}
    tops.pop(VEIL, None)
    widest, drawn = tops.pop(WIDEST_BAND, 0.0), max(tops.values())
    if widest <= FARTHEST_BAND * drawn:
        drawn = max(drawn, widest)
    if threshold is not None and drawn < threshold <= FARTHEST_THRESHOLD * drawn:
        return threshold
    return drawn


def _foot(fan: Fan, months: pd.DataFrame) -> float:
    """Where the axis begins: zero; of ratios and of a stock under the smallest count and the 80 % band."""
    if not (fan.is_log or fan.is_stock):
        return 0.0
    values = [*months["value"].dropna(), *quantile(fan.forecast, interval_levels(0.8)[0])]
    least = min((value for value in values if value > 0), default=1.0)
    if fan.is_log:
        return max(1.0, 0.8 * least)
    step = 10.0 ** math.floor(math.log10(least)) / 2
    return step * math.floor(0.95 * least / step)


def _below(fan: Fan, months: pd.DataFrame) -> pd.Series:
    """Counts, those that came later among them, that lie below the foot of the axis, by month."""
    later = monthly_values(fan.outcomes)["value"] if _has_rows(fan.outcomes) else months["value"].iloc[:0]
    counted = pd.concat([months["value"], later])
    below: pd.Series = counted[counted < _foot(fan, months)]
    return below


def _below_traces(fan: Fan, months: pd.DataFrame, theme: Theme) -> list[go.Scatter]:
    """A mark at the foot of the chart for every count that lies below it, as zero does on every axis of ratios."""
    below = _below(fan, months)
    if below.empty:
        return []
    mark = {"symbol": "triangle-down", "size": 9, "color": theme.observed}
    foot = [_foot(fan, months)] * len(below)
    marks = go.Scatter(
        x=below.index, y=foot, mode="markers", marker=mark, hoverinfo="skip", name="below the axis",
        cliponaxis=False,  # else the half of each that stands on the foot is all that shows, a dash
    )  # fmt: skip
    return [marks]


def _open_end(fan: Fan, scale: Scale, theme: Theme) -> list[go.Scatter]:
    """A torn edge where the 95 % band leaves the chart at the top: the band goes on, the chart does not."""
    highest = quantile(fan.forecast, interval_levels(fan.coverages[0])[1])
    beyond = pd.DatetimeIndex(highest.index[highest > scale.largest])
    if beyond.empty:
        return []
    step, aside = pd.Timedelta(days=4), pd.Timedelta(days=32 * fan.months_each)
    days = pd.date_range(beyond[0] - aside, beyond[-1] + aside, freq=step)
    foot = scale.pixel(scale.largest)
    teeth = [scale.value(foot + fan_labels.TOOTH_PIXELS * (place % 2)) for place in range(len(days))]
    top = scale.value(scale.pixels + fan_labels.TOOTH_PIXELS)
    edge = go.Scatter(
        x=[days[0], *days, days[-1]], y=[top, *teeth, top], mode="lines", fill="toself", fillcolor=theme.ground,
        line={"color": theme.ground, "width": 1}, hoverinfo="skip", name="open end",
    )  # fmt: skip
    return [edge]


def _event_rows(events: pd.DataFrame | None, first: pd.Timestamp, last: pd.Timestamp) -> list[int]:
    """The row of each event's mark, from the top: the first in which it touches no other on the narrowest screen."""
    taken: dict[int, float] = {}
    rows = []
    for when in _event_days(events) if _has_rows(events) else ():
        x = (when - first) / (last - first) * fan_labels.PHONE_PIXELS
        row = next(row for row in count() if x - taken.get(row, -math.inf) >= EVENT_STEP)
        taken[row] = x
        rows.append(row)
    return rows


def _event_days(events: pd.DataFrame) -> pd.DatetimeIndex:
    return pd.PeriodIndex(events["month"], freq="M").start_time + pd.Timedelta(days=14)


def _event_marks(events: pd.DataFrame | None, rows: list[int], scale: Scale, theme: Theme) -> list[go.Scatter]:
    """A numbered mark over the month of each event, in its row; its title shows where the mouse is."""
    if not _has_rows(events):
        return []
    marks = go.Scatter(
        x=_event_days(events),
        y=[scale.value(scale.pixels - EVENT_PIXELS - EVENT_STEP * row) for row in rows],
        mode="markers+text",
        marker={"size": 17, "color": theme.ground, "line": {"color": theme.ink, "width": 1.2}},
        text=[str(place) for place in range(1, len(events) + 1)],
        textfont={"size": 11, "color": theme.ink},
        customdata=[[lang().text(title)] for title in events["title"]],
        hovertemplate="%{customdata[0]}<extra></extra>",
        name="events",
    )
    return [marks]


def _median_keys(fan: Fan, theme: Theme) -> list[str]:
    """The mark of the median, after that of the last count where this is carried forward."""
    if not fan.goes_by_last:
        if not (median := median_words(fan.verdicts, fan.ends)):
            return []
        return [key_mark(f"border-top: 3px solid {theme.median}", _(median))]
    last = key_mark(f"border-top: 2px dashed {theme.observed}", _("last count, repeated"))
    return [last] if fan.is_last else [last, key_mark(f"border-top: 2px dotted {theme.median}", _("models’ median"))]


def _band_keys(fan: Fan, theme: Theme) -> list[str]:
    """The marks of the bands; of the widest also how far it reaches, which may be beyond the chart."""
    bands = []
    opacities = dict(zip(sorted(INTERVALS), (0.75, 0.45, theme.fan_opacity[0] + 0.06), strict=True))
    for coverage in reversed(fan.coverages):
        opacity = opacities[coverage]
        style = f"height: 0.7em; background: {with_opacity(_hue(fan, theme), opacity)}"
        words = lang().percent(coverage)
        if coverage == max(INTERVALS):
            reach = lang().expected(quantile(fan.forecast, interval_levels(coverage)[1]).max())
            words = _("{share}, up to {value}").format(share=words, value=reach)
        bands.append(key_mark(style, words))
    return bands


def _hue(fan: Fan, theme: Theme) -> str:
    """The colour of the bands: that of counts where they are the last count's own."""
    return theme.observed if fan.is_last else theme.fan


def _fan_traces(fan: Fan, anchor: pd.Series, carried: pd.Series, theme: Theme) -> list[go.Scatter]:
    """Bands of 95, 80 and 50 % drawn over each other, then the median, and the last count carried forward.

    Args:
        fan: What the chart shows.
        anchor: The newest observed value, from which the fan opens; one value at its date, or empty.
        carried: The same where the last count is carried forward and the median recedes beside it, else empty.
        theme: Colours.
    """
    traces, forecast = [], fan.forecast
    opacities = dict(zip(sorted(INTERVALS, reverse=True), theme.fan_opacity, strict=True))
    for coverage in fan.coverages:
        opacity = opacities[coverage]
        low, high = (joined(anchor, quantile(forecast, level)) for level in interval_levels(coverage))
        traces.append(band(low, high, with_opacity(_hue(fan, theme), opacity), f"band {coverage:.0%}"))
    median = quantile(forecast, 0.5)
    if fan.verdicts is not None:
        traces.append(_veil(fan, anchor, pd.DatetimeIndex(median.index), theme))
    low, high = (quantile(forecast, level) for level in interval_levels(0.8))
    line, recedes, hover = joined(anchor, median), len(carried) > 0, [""] * len(anchor)
    for (date, value), end in zip(dated(median), fan.ends, strict=True):
        said = ngettext("{value} expected", "{value} expected", as_expected(value))
        said = f"{said.format(value=f'<b>{lang().expected(value)}</b>')}<br>"
        interval = labelled(lang().percent(0.8), lang().interval(low.loc[date], high.loc[date]))
        is_known = recedes or may_beat(fan.verdicts, end)
        hover.append(f"{lang().period(date, fan.months_each)}<br>{said if is_known else ''}{interval}")
    drawn = line if recedes else median_shown(line, fan.verdicts, fan.ends)
    casing, style = {"color": theme.ground, "width": 6}, {"color": theme.median, "width": 3}
    if recedes:
        casing, style = casing | {"width": 0}, style | {"width": 0 if fan.is_last else 1.5, "dash": "dot"}
    for look, name in ((casing, "median's edge"), (style, "median")):
        traces.append(go.Scatter(x=drawn.index, y=drawn, mode="lines", line=look, hoverinfo="skip", name=name))
    points = go.Scatter(x=line.index, y=line, mode="markers", marker={"opacity": 0}, text=hover, name="hover")
    traces.append(points.update(hovertemplate="%{text}<extra></extra>"))
    if recedes:
        ends, values = [carried.index[0], median.index[-1]], [carried.iloc[0]] * 2
        dashes = {"color": theme.observed, "width": 2, "dash": "dash"}
        name = "last count, repeated"
        traces.append(go.Scatter(x=ends, y=values, mode="lines", line=dashes, hoverinfo="skip", name=name))
    return traces


def _veil(fan: Fan, anchor: pd.Series, days: pd.DatetimeIndex, theme: Theme) -> go.Scatter:
    """What pales the periods in which nothing shows that the forecast beats the baseline."""
    half, top = pd.Timedelta(days=15 * fan.months_each), quantile(fan.forecast, interval_levels(0.95)[1]).max()
    heights = [0 if may_beat(fan.verdicts, end) else top for end in fan.ends]
    return go.Scatter(
        x=[*anchor.index, *(days[len(anchor) :] - half), days[-1] + half], y=[*heights, 0], line={"width": 0},
        line_shape="hv", mode="lines", fill="tozeroy", fillcolor=with_opacity(theme.ground, 0.4), hoverinfo="skip",
        name=VEIL,
    )  # fmt: skip


def _observed_traces(months: pd.DataFrame, theme: Theme, months_each: int = 1) -> list[go.Scatter]:
    """The observed line: solid, dotted into months that may change, which also take an open mark."""
    provisional = months["flag"].str.contains("[ep]")
    words = {"p": _("provisional"), "e": _("estimated")}
    hover = [
        f"{lang().period(date, months_each)}<br><b>{lang().counted(value)}</b> {noted}".rstrip()
        for date, value, noted in zip(
            pd.DatetimeIndex(months.index),
            months["value"],
            [", ".join(words[letter] for letter in flag if letter in words) for flag in months["flag"]],
            strict=True,
        )
    ]
    line, marker = {"color": theme.observed, "width": 1.6}, {"color": theme.observed, "size": 5}
    solid = go.Scatter(x=months.index, y=months["value"].mask(provisional), mode="lines+markers", line=line)
    into = months["value"].where(provisional | provisional.shift(-1, fill_value=False))
    dotted = go.Scatter(x=months.index, y=into, mode="lines", line=line | {"width": 2, "dash": "dot"})
    solid.update(marker=marker, hoverinfo="skip", name="observed")
    dotted.update(hoverinfo="skip", name="into provisional")
    symbols = ["diamond" if "e" in flag else "circle" for flag in months["flag"]]
    circle = {"size": 9, "symbol": symbols, "color": theme.ground, "line": {"color": theme.observed, "width": 2}}
    points = go.Scatter(
        x=months.index,
        y=months["value"],
        mode="markers",
        marker=circle | {"opacity": provisional.astype(float).tolist()},
        text=hover,
        hovertemplate="%{text}<extra></extra>",
        name="months",
    )
    return [solid, dotted, points]


def _earlier_traces(earlier: pd.DataFrame, theme: Theme) -> list[go.Scatter]:
    """Forecasts made at earlier origins: an 80 % band and a dotted median for each."""
    traces = []
    for _origin, rows in earlier.groupby("origin_date"):
        ordered = rows.sort_values("target_end_date")
        lines = ordered.set_index(pd.DatetimeIndex(mid_month(ordered["target_end_date"])))
        fill = with_opacity(theme.earlier, EARLIER_OPACITY)
        traces.append(band(lines["q10"], lines["q90"], fill, "earlier 80%"))
        dots = go.Scatter(x=lines.index, y=lines["q50"], mode="lines", hoverinfo="skip", name="earlier median")
        traces.append(dots.update(line={"color": theme.earlier, "width": 1.6, "dash": "dot"}))
    return traces


def _beside_traces(beside: Beside, months: pd.Index, theme: Theme) -> list[go.Scatter]:
    """Counts, median and 80 % band of another route or a scenario in a colour of their own."""
    counts = monthly_values(beside.observed)["value"]
    counts = counts[counts.index >= months[0]] if len(months) else counts
    colour, anchor = beside.hue(theme), counts.dropna().tail(1)
    low, high = (joined(anchor, quantile(beside.forecast, level)) for level in interval_levels(0.8))
    median = joined(anchor, quantile(beside.forecast, 0.5))
    hover = [f"{beside.name}: {lang().expected(value)}" for value in median]
    line = {"color": colour, "width": 1.8}
    return [
        band(low, high, with_opacity(colour, 0.3 if beside.is_scenario else 0.18), "beside 80%"),
        go.Scatter(x=counts.index, y=counts, mode="lines", line=line, hoverinfo="skip", name="beside counted"),
        go.Scatter(x=median.index, y=median, mode="lines", line=line | {"dash": "dash", "width": 2.4}, text=hover,
                   hovertemplate="%{text}<extra></extra>", name="beside median"),
    ]  # fmt: skip


def _outcome_trace(outcomes: pd.DataFrame, anchor: pd.Series, theme: Theme, months_each: int) -> go.Scatter:
    """What was observed after the date on which the forecast was made."""
    months = monthly_values(outcomes, months_each)
    line = joined(anchor, months["value"])
    hover = [""] * len(anchor) + [
        lang().period(date, months_each)
        + "<br>"
        + _("{value} observed later").format(value=f"<b>{lang().counted(value)}</b>")
        for date, value in dated(months["value"])
    ]
    return go.Scatter(
        x=line.index,
        y=line,
        mode="lines+markers",
        line={"color": theme.observed, "width": 1.6},
        marker={"size": 6, "color": theme.observed, "opacity": [0.0] * len(anchor) + [1.0] * len(months)},
        text=hover,
        hovertemplate="%{text}<extra></extra>",
        name="what happened next",
    )


def _running_traces(running: pd.DataFrame, theme: Theme) -> list[go.Scatter]:
    """The running month: a hollow circle at its nowcast with its 80 % interval, a dash at what is counted."""
    row = running.iloc[0]
    at = [mid_month(pd.Series([row["target_end_date"]])).iloc[0]]
    lines = [
        lang().month(row["target_end_date"]),
        labelled(_("nowcast"), f"<b>{lang().expected(row['q50'])}</b>"),
        labelled(lang().percent(0.8), lang().interval(row["q10"], row["q90"])),
        labelled(_("counted so far"), lang().counted(row["so_far"])),
    ]
    hover = "<br>".join(lines)
    nowcast = go.Scatter(
        x=at,
        y=[row["q50"]],
        mode="markers",
        marker={"size": 10, "color": theme.ground, "line": {"color": theme.median, "width": 2}},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [row["q90"] - row["q50"]],
            "arrayminus": [row["q50"] - row["q10"]],
            "color": theme.median,
            "thickness": 1.4,
            "width": 4,
        },
        text=[hover],
        hovertemplate="%{text}<extra></extra>",
        name="nowcast",
    )
    so_far = go.Scatter(
        x=at,
        y=[row["so_far"]],
        mode="markers",
        marker={"symbol": "line-ew", "size": 14, "line": {"color": theme.observed, "width": 2.4}},
        hoverinfo="skip",
        name="counted so far",
    )
    return [nowcast, so_far]
