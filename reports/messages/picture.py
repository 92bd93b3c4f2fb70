"""The fan chart of a message, as a small PNG: counts so far, what is expected, and the threshold."""

from __future__ import annotations

import io

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from alerts.rules import whole_limit
from core.calendar import to_period
from core.languages import Language
from core.languages import marked as _
from core.quantiles import INTERVALS, interval_levels
from reports import colours
from reports.messages.announcement import Facts

SIZE, DOTS = (5.84, 2.7), 200
MONTHS_DRAWN = 6
LABEL_ROOM = 0.075
"""Height of a label, as a share of the axis."""
Label = tuple[float, str, str]
"""Value, text, colour."""


def fan_picture(facts: Facts, code: str) -> bytes | None:
    """Draw the fan chart.

    Args:
        facts: See :func:`reports.messages.announcement.alert_facts`.
        code: Language of its labels.

    Returns:
        A PNG, 1168 by 540 pixels; None where there is no count or no forecast to draw.
    """
    history, fan = facts.get("history") or [], facts.get("fan") or {}
    if not history or not fan.get("months"):
        return None
    language = Language(code)
    counts = pd.Series([value for _month, value in history], index=[_middle(month) for month, _value in history])
    figure = Figure(figsize=SIZE, dpi=DOTS, facecolor=colours.SCREEN)
    axes = figure.add_axes((0.085, 0.11, 0.745, 0.75), facecolor=colours.SCREEN)
    labels = _draw_fan(axes, counts, fan, language)
    axes.plot(counts.index, counts, color=colours.OBSERVED, linewidth=1.5)
    if facts.get("threshold") is not None:
        limit = whole_limit(str(facts.get("rule")), float(facts["threshold"]))
        text = language.text(_("threshold {value}"), value=language.counted(limit))
        axes.axhline(limit, color=colours.INK, linewidth=0.9, linestyle="--")
        labels.append((limit, text, colours.INK))
    _dress(axes, language)
    _label(axes, labels)
    figure.text(0.085, 0.93, language.text(_("Arrivals per month")), fontsize=7.5, color=colours.SECONDARY)
    target = io.BytesIO()
    figure.savefig(target, format="png", metadata={"Software": "Vigie"})
    return target.getvalue()


def _draw_fan(axes: Axes, counts: pd.Series, fan: Facts, language: Language) -> list[Label]:
    """Bands of 95, 80 and 50 % and the median; returns the labels of their right ends."""
    months = [counts.index[-1], *(_middle(month) for month in fan["months"][:MONTHS_DRAWN])]

    def line(level: float) -> list[float]:
        return [float(counts.iloc[-1]), *fan["levels"][str(level)][:MONTHS_DRAWN]]

    labels = []
    for coverage, opacity in zip(sorted(INTERVALS, reverse=True), colours.FAN_OPACITY, strict=True):
        low, high = interval_levels(coverage)
        axes.fill_between(months, line(low), line(high), color=colours.FAN, alpha=opacity, linewidth=0)
        if coverage != min(INTERVALS):
            labels.append((line(high)[-1], language.percent(coverage), colours.SECONDARY))
    axes.plot(months, line(0.5), color=colours.MEDIAN, linewidth=1.6)
    text = language.text(_("median {value}"), value=language.expected(line(0.5)[-1]))
    return [*labels, (line(0.5)[-1], text, colours.MEDIAN)]


def _label(axes: Axes, labels: list[Label]) -> None:
    """Write labels at the right edge, each at its value or as near to it as the others leave room."""
    top = axes.get_ylim()[1]
    place = -1.0
    for value, text, colour in sorted(labels):
        place = max(value / top, place + LABEL_ROOM)
        axes.annotate(
            text, (1, place), (4, 0), xycoords="axes fraction", textcoords="offset points", color=colour, fontsize=7,
            va="center",
        )  # fmt: skip


def _dress(axes: Axes, language: Language) -> None:
    axes.set_ylim(bottom=0)
    axes.locator_params(axis="y", integer=True)
    axes.grid(axis="y", color=colours.GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(colours.HAIRLINE)
    first, last = (pd.Timestamp(edge, unit="D") for edge in axes.get_xlim())
    quarters = [month for month in pd.date_range(first, last, freq="MS") if month.month in {1, 7}]
    middles = pd.DatetimeIndex(quarters) + pd.Timedelta(days=14)
    axes.set_xticks(middles.to_numpy(), [language.month_short(month, year=True) for month in quarters])
    axes.tick_params(colors=colours.SECONDARY, labelsize=7, length=0)
    axes.yaxis.set_major_formatter(lambda value, _place: language.counted(value))


def _middle(month: str) -> pd.Timestamp:
    return to_period(month, "M").to_timestamp() + pd.Timedelta(days=14)
