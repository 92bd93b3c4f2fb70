"""How good is each model against the baseline, do the models agree, and do the intervals keep their promise?

Gneiting, Balabdaoui and Raftery (2007), Probabilistic forecasts, calibration and sharpness, JRSS B 69.
"""

from __future__ import annotations

import html

import pandas as pd
import plotly.graph_objects as go

from core.languages import as_expected
from dashboard import _, labelled, lang, listed, ngettext
from dashboard.charts import (
    Annotation,
    Row,
    dashed,
    finish,
    interval_row,
    interval_rows,
    level_line,
    note,
    share_axes,
)
from dashboard.charts.fan import key_line, key_mark
from dashboard.theme import Theme, with_opacity
from forecasting import ENSEMBLE
from forecasting.verification.verdict import BETTER, with_verdicts
from reports import record
from reports.charts import forecast_words

BOUNDS = ("relative_wis_lo", "relative_wis_hi")
HEIGHT = 340
RIVAL_SHIFT = 0.22
HIGHEST_SHOWN = 2.0
NAMED_HORIZONS = (1, 3, 6, 9, 12)
"""Months ahead that have room for their number on a phone."""
ROW_PIXELS, FRAME_PIXELS = 36, 74
NAME_PIXELS, SCORE_PIXELS = 168, 74
CALIBRATION_HEIGHT = 300


def skill_chart(scores: pd.DataFrame, *, theme: Theme) -> go.Figure:
    """Draw the ensemble and its best rival; below the line at 1 a model beats the baseline; filled where proven.

    Args:
        scores: Columns ``model_id``, ``name``, ``horizon``, ``relative_wis``, ``relative_wis_lo``, ``relative_wis_hi``
            and ``p_holm``. The baseline itself may be left out: it is the line.
        theme: Colours.
    """
    rows = with_verdicts(scores.dropna(subset=["relative_wis"]))
    horizons = sorted(int(horizon) for horizon in rows["horizon"].unique())
    rows = rows[rows["model_id"].isin([ENSEMBLE, _rival(rows)])]
    low, high = _range(rows)
    figure = go.Figure()
    line = {"color": theme.secondary, "width": 1}
    figure.add_shape(type="line", xref="paper", x0=0, x1=1, y0=1, y1=1, line=line)
    for model_id in sorted(rows["model_id"].unique(), key=lambda model_id: model_id == ENSEMBLE):
        shift = 0.0 if model_id == ENSEMBLE else -RIVAL_SHIFT  # the ensemble over its tick
        figure.add_trace(_dots(rows[rows["model_id"] == model_id], horizons, shift, theme))
    ticks, named = _ticks(low, high), [one for one in horizons if one in NAMED_HORIZONS] or horizons
    figure.update_layout(
        margin={"r": 12},
        hovermode="closest",
        xaxis={"range": [-0.55, len(horizons) + 0.15], "tickangle": 0}
        | {"tickvals": [horizons.index(one) for one in named], "ticktext": [f"{one}" for one in named]},
        yaxis={"range": [low, high], "zeroline": False}
        | {"tickvals": ticks, "ticktext": [lang().decimal(tick, 1) for tick in ticks]},
    )
    return finish(figure, theme, height=HEIGHT, annotations=_words(theme))


def skill_alt(scores: pd.DataFrame) -> str:
    """The chart in words: relative WIS of the ensemble at the first and last horizon, and where it helps."""
    own = with_verdicts(scores[scores["model_id"] == ENSEMBLE].dropna(subset=["relative_wis"]).sort_values("horizon"))
    if own.empty:
        return _("No scores yet.")
    first, last = own.iloc[0], own.iloc[-1]
    better = int((own["verdict"] == BETTER).sum())
    return ngettext(
        "{name}: better than the baseline at {n} of {count} horizons. "
        "Relative WIS {first}, {first_ahead}, and {last}, {last_ahead}.",
        "{name}: better than the baseline at {n} of {count} horizons. "
        "Relative WIS {first}, {first_ahead}, and {last}, {last_ahead}.",
        better,
    ).format(
        name=first["name"],
        n=better,
        count=len(own),
        first=lang().decimal(first["relative_wis"]),
        first_ahead=_months_ahead(first["horizon"]),
        last=lang().decimal(last["relative_wis"]),
        last_ahead=_months_ahead(last["horizon"]),
    )


def skill_key(scores: pd.DataFrame, *, theme: Theme) -> str:
    """What the marks of the chart mean, as a line of HTML above it: names do not fit at its right end."""
    names = dict(zip(scores["model_id"], scores["name"], strict=True))
    signs = {ENSEMBLE: (True, "●"), _rival(scores): (False, "◆")}
    parts = [
        f'<span><b style="color: {_colour(theme, own)}">{sign}</b> {html.escape(str(names[model_id]))}</span>'
        for model_id, (own, sign) in signs.items()
        if model_id in names
    ]
    proof = (_("filled: proven better"), _("hollow: not proven, even below 1; with many tests some gains are luck"))
    parts += [key_mark(f"border-top: 1px solid {theme.secondary}", _("baseline = 1"))]
    return key_line([*parts, *(f"<span>{html.escape(text)}</span>" for text in proof)])


def _rival(rows: pd.DataFrame) -> str:
    """The model that is best on average beside the ensemble; empty without one."""
    means = rows[rows["model_id"] != ENSEMBLE].groupby("model_id")["relative_wis"].mean().dropna()
    return str(means.idxmin()) if len(means) else ""


def _colour(theme: Theme, is_ensemble: bool) -> str:  # noqa: FBT001  # which of the two that are coloured
    return theme.fan if is_ensemble else theme.earlier


def _dots(own: pd.DataFrame, horizons: list[int], shift: float, theme: Theme) -> go.Scatter:
    ordered, is_ensemble = own.sort_values("horizon"), own["model_id"].iloc[0] == ENSEMBLE
    colour = _colour(theme, is_ensemble)
    above, below = (abs(ordered[bound] - ordered["relative_wis"]).tolist() for bound in reversed(BOUNDS))
    bars = {"type": "data", "symmetric": False, "array": above, "arrayminus": below, "width": 0}
    bars |= {"thickness": 1.5, "color": with_opacity(colour, 0.55)}
    marker = {
        "size": 9, "opacity": 1, "symbol": "circle" if is_ensemble else "diamond",
        "color": [colour if verdict == BETTER else theme.ground for verdict in ordered["verdict"]],
        "line": {"color": colour, "width": 2},
    }  # fmt: skip
    return go.Scatter(
        x=[horizons.index(int(horizon)) + shift for horizon in ordered["horizon"]],
        y=ordered["relative_wis"],
        mode="markers",
        marker=marker,
        error_y=bars,
        text=[_hover(row) for row in ordered.to_dict("records")],
        hovertemplate="%{text}<extra></extra>",
        name=str(ordered["model_id"].iloc[0]),
    )


def _hover(row: Row) -> str:
    low, high = (row.get(bound, float("nan")) for bound in BOUNDS)
    bounds = "" if pd.isna(low) or pd.isna(high) else f" ({lang().decimal(low)}–{lang().decimal(high)})"
    score = _("relative WIS") + f" <b>{lang().decimal(row['relative_wis'])}</b>{bounds}"
    return f"{row['name']}<br>{_months_ahead(row['horizon'])}<br>{score}"


def _months_ahead(horizon: float) -> str:
    return ngettext("{n} month ahead", "{n} months ahead", int(horizon)).format(n=int(horizon))


def _range(rows: pd.DataFrame) -> tuple[float, float]:
    """Every dot and whisker with 1 always inside; above 2 the frame ends."""
    drawn = rows[["relative_wis", *BOUNDS]]
    lowest, highest = float(drawn.min().min()), float(drawn.max().max())
    return max(0.0, min(0.9, lowest) - 0.06), min(HIGHEST_SHOWN, max(1.1, highest)) + 0.06


def _ticks(low: float, high: float) -> list[float]:
    step = next(step for step in (0.1, 0.2, 0.5) if (high - low) / step <= 6)
    return [round(place * step, 1) for place in range(int(high / step) + 1) if place * step >= low]


def _words(theme: Theme) -> list[Annotation]:
    left = {"xref": "paper", "x": 0, "xanchor": "left", "xshift": -6, "yref": "paper"}
    return [
        note(theme, _("Error over the baseline’s, lower is better"), y=1, yanchor="bottom", yshift=4, **left),
        note(theme, _("months ahead"), y=0, yanchor="top", yshift=-22, **left),
    ]


def members_chart(members: pd.DataFrame, *, unit: str, theme: Theme) -> go.Figure:
    """Draw the 80 % and 50 % interval and the median of each model, in the order given; what the ensemble uses is blue.

    Args:
        members: Columns ``model_id``, ``name``, ``q10``, ``q25``, ``q50``, ``q75``, ``q90`` (persons), ``member``
            (whether the ensemble uses it) and ``relative_wis`` (empty where nothing was scored).
        unit: What the numbers are, such as "Arrivals expected, Feb–Apr".
        theme: Colours.
    """
    rows = members.reset_index(drop=True)
    figure = go.Figure()
    top = {"yref": "paper", "y": 1, "yanchor": "bottom", "yshift": 6, "xref": "paper"}
    labels = [
        note(theme, _("{unit}: 50% and 80%").format(unit=unit), x=0, xanchor="left", xshift=-NAME_PIXELS, **top),
        note(theme, _("error (baseline 1)"), x=1, xanchor="right", xshift=SCORE_PIXELS, **top),
    ]
    for place, row in enumerate(rows.to_dict("records")):
        leads = row["model_id"] == ENSEMBLE
        fill = theme.fan if leads or row["member"] else theme.neutral
        edge = theme.median if leads else fill
        median = lang().expected(row["q50"])
        said = ngettext("{value} expected", "{value} expected", as_expected(row["q50"]))
        hover = f"<b>{row['name']}</b><br>" + said.format(value=median)
        for trace in interval_row(row, place, fill, edge, theme, hover):
            figure.add_trace(trace.update(name=f"{row['model_id']} {trace.name}"))
        name = f"• {row['name']}" if row["member"] else row["name"]
        name, score = (f"<b>{text}</b>" if leads else text for text in (name, _score(row)))
        middle, ink = {"y": place, "yanchor": "middle"}, {"size": 13, "color": theme.ink}
        labels += [
            note(theme, str(name), xref="paper", x=0, xanchor="right", xshift=-12, font=ink, **middle),
            note(theme, median, x=row["q50"], xanchor="center", y=place, yanchor="bottom", yshift=6),
            note(theme, score, xref="paper", x=1, xanchor="right", xshift=SCORE_PIXELS, font=ink, **middle),
        ]
    interval_rows(figure, len(rows), float(rows["q90"].max()), 1.04, theme, sides=(NAME_PIXELS, SCORE_PIXELS))
    return finish(figure, theme, height=ROW_PIXELS * len(rows) + FRAME_PIXELS, annotations=labels)


def _score(row: Row) -> str:
    return lang().decimal(row["relative_wis"])


def members_alt(members: pd.DataFrame) -> str:
    """The chart in words: the combined median, and the lowest and highest of the models."""
    lead = members[members["model_id"] == ENSEMBLE]
    others = members[members["model_id"] != ENSEMBLE]
    parts = []
    if len(lead):
        row = lead.iloc[0]
        parts.append(forecast_words(row["name"], row["q50"], row["q10"], row["q90"], lang()))
    if len(others):
        parts.append(
            ngettext("Median of {n} model: {low}.", "Medians of {n} models from {low} to {high}.", len(others)).format(
                n=len(others), low=lang().expected(others["q50"].min()), high=lang().expected(others["q50"].max())
            )
        )
    return " ".join(parts)


def coverage_chart(coverage: pd.DataFrame, *, theme: Theme) -> go.Figure:
    """Draw how often the outcome lay inside each interval; on the diagonal the promise is kept exactly.

    Args:
        coverage: Columns ``nominal`` and ``observed`` (shares between 0 and 1) and, where known, ``lower`` and
            ``upper``.
        theme: Colours.
    """
    rows = coverage.sort_values("nominal")
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
    return finish(figure, theme, height=CALIBRATION_HEIGHT, annotations=labels)


def coverage_alt(coverage: pd.DataFrame) -> str:
    """Coverage in words, one clause per interval."""
    return record.coverage_alt(coverage, lang())


def pit_histogram(pit: pd.DataFrame, *, theme: Theme) -> go.Figure:
    """Draw where outcomes fell within their forecasts; flat is calibrated.

    Args:
        pit: Columns ``bin_low`` (lower end of equal bins over 0 to 1) and ``share`` (of all outcomes; sums to 1).
        theme: Colours.
    """
    rows = pit.sort_values("bin_low")
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
    return finish(figure, theme, height=CALIBRATION_HEIGHT, annotations=labels)


def pit_alt(pit: pd.DataFrame) -> str:
    """The histogram in words: how many outcomes fell in the lowest and the highest tenth of their forecasts."""
    return record.pit_alt(pit, lang())


def reliability_chart(bins: pd.DataFrame, *, theme: Theme) -> go.Figure:
    """Draw one point per bin of the chance, larger where it holds more months.

    Args:
        bins: Columns ``chance``, ``came``, ``came_lo``, ``came_hi`` (shares between 0 and 1) and ``n``.
        theme: Colours.
    """
    rows = bins.sort_values("chance")
    sizes = 8 + 10 * (rows["n"] / max(float(rows["n"].max()), 1.0)) ** 0.5
    hover = [record.reliability_words(row, lang()) for row in rows.to_dict("records")]
    words = (_("Observed frequency"), _("chance said"), _("said too low"), _("said too high"))
    places, names = ((0.24, 0.7), (0.74, 0.24)), ("chance", "came", "came_lo", "came_hi")
    return _on_the_diagonal(rows, names, hover, sizes.tolist(), words, places, theme, name="reliability")


def reliability_alt(bins: pd.DataFrame) -> str:
    """The same in words, one clause per bin."""
    rows = bins.sort_values("chance")
    return listed(record.reliability_words(row, lang()) for row in rows.to_dict("records")) + "."
