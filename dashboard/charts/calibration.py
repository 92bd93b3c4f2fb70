"""Do the intervals keep their promise? Coverage against the nominal level, and the PIT histogram.

Gneiting, Balabdaoui and Raftery (2007), Probabilistic forecasts, calibration and sharpness, JRSS B 69.
"""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from dashboard import _, labelled, lang, listed
from dashboard.charts import dashed, finish, level_line, note, require, share_axes
from dashboard.theme import Theme, with_opacity
from reports import record

HEIGHT = 300


def coverage_chart(coverage: pd.DataFrame, *, theme: Theme) -> go.Figure:
    """Draw how often the outcome lay inside each interval; on the diagonal the promise is kept exactly.

    Args:
        coverage: Columns ``nominal`` and ``observed`` (shares between 0 and 1) and, where known, ``lower`` and
            ``upper``.
        theme: Colours.

    Raises:
        SchemaError: A column is missing.
    """
    rows = require(coverage, ("nominal", "observed"), "coverage chart").sort_values("nominal")
    hover = [
        labelled(lang().percent(nominal), _("outcome inside in {share}").format(share=lang().share(actual)))
        for nominal, actual in zip(rows["nominal"], rows["observed"], strict=True)
    ]
    words = (_("Outcomes inside the interval"), _("interval promised"), _("too wide"), _("too narrow"))
    places = ((0.28, 0.62), (0.66, 0.28))
    names = ("nominal", "observed", "lower", "upper")
    return _on_the_diagonal(rows, names, hover, 10, words, places, theme, name="coverage")


def _on_the_diagonal(  # noqa: PLR0913  # what differs between the two charts that are held against a diagonal
    rows: pd.DataFrame, columns: tuple[str, str, str, str], hover: list[str], size: float | list[float],
    words: tuple[str, str, str, str], places: tuple[tuple[float, float], tuple[float, float]], theme: Theme, *,
    name: str,
) -> go.Figure:  # fmt: skip
    """Shares that were promised (x) against those that came (y), with intervals where the frame has them.

    ``columns`` are promised, came, and its bounds; ``words`` stand over the y axis, at the x axis, above and below the
    diagonal, the last two at ``places``.
    """
    promised, came, lower, upper = columns
    bars = None
    if {lower, upper} <= set(rows.columns):
        bars = {"type": "data", "symmetric": False, "thickness": 1.6, "width": 0, "color": with_opacity(theme.fan, 0.7)}
        bars |= {"array": (rows[upper] - rows[came]).tolist(), "arrayminus": (rows[came] - rows[lower]).tolist()}
    points = go.Scatter(x=rows[promised], y=rows[came], mode="lines+markers", line={"color": theme.fan, "width": 1.4})
    points.update(marker={"size": size, "color": theme.fan}, error_y=bars, name=name)
    figure = go.Figure(points.update(text=hover, hovertemplate="%{text}<extra></extra>"))
    figure.add_shape(type="line", x0=0, y0=0, x1=1, y1=1, line=dashed(theme), layer="below")
    share_axes(figure)
    corner = {"xanchor": "left", "yanchor": "bottom", "xref": "x", "yref": "y"}
    inside = {"xref": "x", "yref": "y", "xanchor": "center", "yanchor": "middle"}
    labels = [
        note(theme, words[0], x=0, y=1.04, xshift=-6, yshift=4, **corner),
        note(theme, words[1], x=1, y=0, yshift=4, **corner | {"xanchor": "right"}),
        *(note(theme, word, x=x, y=y, **inside) for word, (x, y) in zip(words[2:], places, strict=True)),
    ]
    return finish(figure, theme, height=HEIGHT, annotations=labels)


def coverage_alt(coverage: pd.DataFrame) -> str:
    """Coverage in words, one clause per interval."""
    return record.coverage_alt(require(coverage, ("nominal", "observed"), "coverage chart"), lang())


def pit_histogram(pit: pd.DataFrame, *, theme: Theme) -> go.Figure:
    """Draw where outcomes fell within their forecasts; flat is calibrated.

    Args:
        pit: Columns ``bin_low`` (lower end of equal bins over 0 to 1) and ``share`` (of all outcomes; sums to 1).
        theme: Colours.

    Raises:
        SchemaError: A column is missing.
    """
    rows = require(pit, ("bin_low", "share"), "PIT histogram").sort_values("bin_low")
    width = 1 / max(1, len(rows))
    hover = [
        f"{lang().share(start)}–{lang().share(min(1.0, start + width))}<br>"
        + _("<b>{share}</b> of outcomes").format(share=lang().share(share))
        for start, share in zip(rows["bin_low"], rows["share"], strict=True)
    ]
    figure = go.Figure(
        go.Bar(
            x=rows["bin_low"] + width / 2,
            y=rows["share"],
            width=width * 0.92,
            marker={"color": with_opacity(theme.fan, 0.6)},
            text=hover,
            textposition="none",
            hovertemplate="%{text}<extra></extra>",
            name="PIT",
        )
    )
    level_line(figure, width, theme)
    largest = max(float(rows["share"].max()) if len(rows) else 0.0, width)
    shares = [tick for tick in (0, 0.05, 0.1, 0.2, 0.3, 0.5, 1) if tick <= largest * 1.1]
    places = [0, 0.25, 0.5, 0.75, 1]
    figure.update_layout(
        margin={"l": 50, "r": 74},
        hovermode="closest",
        xaxis={"range": [0, 1], "tickvals": places, "ticktext": [lang().share(p) for p in places]},
        yaxis={"range": [0, largest * 1.18], "tickvals": shares, "ticktext": [lang().share(s) for s in shares]},
    )
    corner = {"xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom", "xshift": -6, "yshift": 4}
    labels = [
        note(theme, _("Share of outcomes, by place within the forecast"), x=0, y=1, **corner),
        note(theme, _("calibrated"), x=1, xref="paper", y=width, xanchor="left", yanchor="middle", xshift=6),
    ]
    return finish(figure, theme, height=HEIGHT, annotations=labels)


def pit_alt(pit: pd.DataFrame) -> str:
    """The histogram in words: how many outcomes fell in the lowest and the highest tenth of their forecasts."""
    return record.pit_alt(require(pit, ("bin_low", "share"), "PIT histogram"), lang())


RELIABILITY_COLUMNS = ("chance", "came", "came_lo", "came_hi", "n")


def reliability_chart(bins: pd.DataFrame, *, theme: Theme) -> go.Figure:
    """Draw one point per bin of the chance, larger where it holds more months.

    Args:
        bins: Columns ``chance``, ``came``, ``came_lo``, ``came_hi`` (shares between 0 and 1) and ``n``.
        theme: Colours.

    Raises:
        SchemaError: A column is missing.
    """
    rows = require(bins, RELIABILITY_COLUMNS, "reliability chart").sort_values("chance")
    sizes = 8 + 10 * (rows["n"] / max(float(rows["n"].max()), 1.0)) ** 0.5
    hover = [record.reliability_words(row, lang()) for row in rows.to_dict("records")]
    words = (_("Observed frequency"), _("chance said"), _("said too low"), _("said too high"))
    places, names = ((0.24, 0.7), (0.74, 0.24)), RELIABILITY_COLUMNS[:4]
    return _on_the_diagonal(rows, names, hover, sizes.tolist(), words, places, theme, name="reliability")


def reliability_alt(bins: pd.DataFrame) -> str:
    """The same in words, one clause per bin."""
    rows = require(bins, RELIABILITY_COLUMNS, "reliability chart").sort_values("chance")
    return listed(record.reliability_words(row, lang()) for row in rows.to_dict("records")) + "."
