"""The fan chart as a PNG file, with its source and caveats in the picture and in the file's text fields.

Drawn with matplotlib: plotly's own export needs a browser.
"""

from __future__ import annotations

import io
import textwrap

import pandas as pd
from matplotlib.figure import Figure

from core.quantiles import INTERVALS, interval_levels
from dashboard import numbers
from dashboard.downloads import Export
from dashboard.i18n import _
from dashboard.theme import LIGHT

WIDTH_INCHES, HEIGHT_INCHES, DOTS_PER_INCH = 10.0, 6.2, 150
MONTHS_BACK = 24


def fan_png(history: pd.DataFrame, quantiles: pd.DataFrame, export: Export, threshold: float | None) -> bytes:
    """Draw history, fan and threshold.

    Args:
        history: ``end_date`` and ``obs_value``, in time order.
        quantiles: Result of ``summaries.quantiles_of``; may be empty.
        export: Title, citations and caveats that stand under the picture.
        threshold: The reader's number, or None.

    Returns:
        A PNG on a light ground, 1500 × 930 pixels.
    """
    figure = Figure(figsize=(WIDTH_INCHES, HEIGHT_INCHES), dpi=DOTS_PER_INCH, facecolor=LIGHT.ground)
    axes = figure.add_axes((0.07, 0.27, 0.83, 0.58), facecolor=LIGHT.ground)
    recent = history.tail(MONTHS_BACK)
    axes.plot(recent["end_date"], recent["obs_value"], color=LIGHT.observed, linewidth=1.6)
    if not quantiles.empty:
        for coverage, opacity in zip(sorted(INTERVALS, reverse=True), LIGHT.fan_opacity, strict=True):
            low, high = interval_levels(coverage)
            axes.fill_between(quantiles.index, quantiles[low], quantiles[high], color=LIGHT.fan, alpha=opacity, lw=0)
            text = f"{coverage:.0%}"
            axes.annotate(text, (quantiles.index[-1], quantiles[high].iloc[-1]), (6, 0), textcoords="offset points",
                          color=LIGHT.secondary, fontsize=8, va="center")  # fmt: skip
        axes.plot(quantiles.index, quantiles[0.5], color=LIGHT.median, linewidth=1.8)
    if threshold is not None:
        axes.axhline(threshold, color=LIGHT.ink, linewidth=1, linestyle="--")
        label = _("your number: {value}").format(value=numbers.observed(threshold))
        axes.annotate(label, (0.01, threshold), (0, 3), xycoords=("axes fraction", "data"), textcoords="offset points",
                      fontsize=8, color=LIGHT.ink)  # fmt: skip
    axes.set_ylim(bottom=0)
    axes.grid(axis="y", color=LIGHT.grid)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(LIGHT.hairline)
    axes.tick_params(colors=LIGHT.secondary, labelsize=8, length=0)
    axes.yaxis.set_major_formatter(lambda value, _place: numbers.observed(value))
    figure.text(0.07, 0.93, export.title, fontsize=13, color=LIGHT.ink, family="serif", weight="bold", wrap=True)
    figure.text(0.07, 0.88, _("Arrivals per month"), fontsize=8.5, color=LIGHT.secondary)
    figure.text(0.07, 0.19, _small_print(export), fontsize=6.5, color=LIGHT.secondary, va="top", linespacing=1.5)
    target = io.BytesIO()
    about = "\n".join(f"{label}: {text}" for label, text in export.about())
    figure.savefig(target, format="png", metadata={"Title": export.title, "Description": about, "Software": "Vigie"})
    return target.getvalue()


def _small_print(export: Export) -> str:
    lines = [f"{label}: {text}" for label, text in export.about()[1:]]
    wrapped = [part for line in lines for part in textwrap.wrap(line, 165, subsequent_indent="   ")]
    return "\n".join(wrapped[:14])
