"""The fan chart of one route: what was counted, what is expected, and how sure that is."""

from __future__ import annotations

import datetime as dt
from typing import TypeGuard

import pandas as pd
import plotly.graph_objects as go

from core.quantiles import interval_levels
from dashboard import numbers
from dashboard.charts import fan_labels, layers
from dashboard.charts.axes import MARGIN_BOTTOM, MARGIN_TOP, count_axis, dated, finish, month_ticks, quantile, require
from dashboard.i18n import _
from dashboard.theme import Theme

HEIGHT = 440
STRIP_PIXELS = 54
WORDS_BELOW, WORDS_PIXELS = 48, 40
"""Under the strip: pixels from the chart's top to the foot of the words, and their height with the air around them."""
TOP_PIXELS = 16
FARTHEST_THRESHOLD = 1.6
WIDEST_BAND, WIDEST_REACH = "band 95%", 1.4


def fan_chart(  # noqa: PLR0913  # each optional layer of the picture is one argument
    observed: pd.DataFrame,
    forecast: pd.DataFrame,
    *,
    now: dt.date,
    theme: Theme,
    unit: str,
    earlier: pd.DataFrame | None = None,
    outcomes: pd.DataFrame | None = None,
    running: pd.DataFrame | None = None,
    threshold: float | None = None,
    chances: pd.DataFrame | None = None,
    skill_until: int | None = None,
    skill_from: int = 1,
    months_back: int = 24,
    months_each: int = 1,
    height: int = HEIGHT,
) -> go.Figure:
    """Draw the history, the forecast as bands that darken inwards, and what helps to judge it.

    Args:
        observed: Columns ``time_period_end``, ``value`` and, where known, ``flag`` ('p' provisional, 'e' estimated).
        forecast: Columns ``target_end_date``, ``output_type_id``, ``value`` at the hub's quantile levels.
        now: The date on which all of it was known.
        theme: Colours.
        unit: What is counted, such as "Arrivals per month".
        earlier: Forecasts made before: ``origin_date``, ``target_end_date``, ``q10``, ``q50``, ``q90``.
        outcomes: What happened next, for a replay: ``time_period_end``, ``value``.
        running: The month that is counted by day: ``target_end_date``, ``so_far``, ``q10``, ``q50``, ``q90``.
        threshold: The reader's number.
        chances: ``target_end_date``, ``probability`` of passing the threshold in that month.
        skill_until: Months ahead up to which the forecast beats the baseline; None leaves the strip out.
        skill_from: Months ahead from which on it does.
        months_back: Observed figures to show.
        months_each: Months that one figure covers: 3 for quarters.
        height: Pixels.

    Raises:
        SchemaError: A frame lacks a column or a quantile level.
    """
    require(observed, ("time_period_end", "value"), "fan chart, observed")
    require(forecast, ("target_end_date", "output_type_id", "value"), "fan chart, forecast")
    months = layers.monthly_values(observed, months_each).tail(months_back)
    anchor = months["value"].dropna().tail(1)
    before = _since_first_month(earlier, months)
    figure = go.Figure(layers.earlier_traces(before, theme))
    figure.add_traces(layers.fan_traces(forecast, anchor, theme, months_each))
    figure.add_traces(layers.observed_traces(months, theme, months_each))
    if _has_rows(outcomes):
        figure.add_trace(layers.outcome_trace(outcomes, anchor, theme))
    if _has_rows(running):
        figure.add_traces(layers.running_traces(running, theme))

    plot_height = height - MARGIN_TOP - MARGIN_BOTTOM
    largest = _largest(figure, threshold)
    headroom = (STRIP_PIXELS if skill_until is not None else TOP_PIXELS) / plot_height
    per_pixel = largest / (1 - headroom) / plot_height
    targets = pd.DatetimeIndex(quantile(forecast, 0.5).index)
    first = months.index[0] if len(months) else targets[0]
    last = max(targets[-1], first)

    labels = fan_labels.end_labels(forecast, largest, per_pixel, theme) + fan_labels.provisional_label(months, theme)
    labels += fan_labels.unit_and_now(figure, unit, now, theme) + fan_labels.earlier_label(before, theme)
    labels += fan_labels.outcome_label(outcomes, theme) + fan_labels.running_label(running, theme)
    if threshold is not None:
        labels += fan_labels.threshold_line(figure, threshold, first=first, largest=largest, theme=theme)
        if threshold <= largest:
            labels += fan_labels.chance_labels(figure, chances, threshold, per_pixel, theme)
    if skill_until is not None:
        room = (largest + (STRIP_PIXELS - WORDS_BELOW) * per_pixel, WORDS_PIXELS * per_pixel)
        labels += fan_labels.skill_strip(figure, targets, now, (skill_from, skill_until), last - first, room, theme)
    pad = pd.Timedelta(days=4)
    figure.update_layout(
        hovermode="x",
        hoverdistance=40,
        barmode="overlay",
        xaxis={"range": [first - pad, last + pad], **month_ticks(first, last)},
        yaxis=count_axis(largest, headroom),
    )
    return finish(figure, theme, height=height, annotations=labels)


def fan_alt(
    observed: pd.DataFrame, forecast: pd.DataFrame, *, name: str, threshold: float | None = None,
    chances: pd.DataFrame | None = None, months_each: int = 1, what: str | None = None,
) -> str:  # fmt: skip
    """The fan chart in words: the last count, the median and 80 % interval at the next and the last month, the chance.

    Args:
        observed: As for ``fan_chart``.
        forecast: As for ``fan_chart``.
        name: Name of the route on screen.
        threshold: The reader's number.
        chances: ``target_end_date``, ``probability``.
        months_each: Months that one figure covers.
        what: First sentence where the chart shows something else than arrivals.
    """
    counted = layers.monthly_values(observed, months_each)["value"].dropna()
    median, (low, high) = quantile(forecast, 0.5), (quantile(forecast, level) for level in interval_levels(0.8))
    parts = [what or _("{name}: observed arrivals and forecast.").format(name=name)]
    if len(counted):
        month, value = dated(counted)[-1]
        text = _("Last count {value} in {month}.")
        parts.append(text.format(value=numbers.observed(value), month=numbers.period_name(month, months_each)))
    for month, value in dict.fromkeys([dated(median)[0], dated(median)[-1]]):
        parts.append(
            _("{month}: {median} expected, 80% interval {interval}.").format(
                month=numbers.period_name(month, months_each),
                median=numbers.expected(value),
                interval=numbers.interval_words(low.loc[month], high.loc[month]),
            )
        )
    if threshold is not None and _has_rows(chances):
        month, chance = max(dated(chances.set_index("target_end_date")["probability"]), key=lambda point: point[1])
        parts.append(
            _("Highest chance to pass {threshold}: {chance} ({word}) in {month}.").format(
                threshold=numbers.observed(threshold),
                chance=numbers.percent(chance),
                word=numbers.chance_word(chance),
                month=numbers.month_name(month),
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
    require(earlier, columns, "fan chart, earlier forecasts")
    if months.empty:
        return earlier.iloc[:0]
    shown: pd.DataFrame = earlier[pd.to_datetime(earlier["target_end_date"]) >= months.index[0]]
    return shown


def _largest(figure: go.Figure, threshold: float | None) -> float:
    """Top of the chart: everything but the far reach of the 95 % band, which would flatten the rest.

    A threshold counts unless it would flatten the rest too.
    """
    tops = {trace.name: float(pd.Series(trace.y, dtype=float).max()) for trace in figure.data}
    widest = tops.pop(WIDEST_BAND)
    calm = max(tops.values())
    drawn = min(widest, WIDEST_REACH * calm) if widest > calm else calm
    if threshold is not None and drawn < threshold <= FARTHEST_THRESHOLD * drawn:
        return threshold
    return drawn
