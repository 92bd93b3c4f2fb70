"""How good is each model against the baseline, and do the models agree?"""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from core.languages import as_expected
from dashboard import _, lang, ngettext
from dashboard.charts import (
    LABEL_PIXELS,
    MARGIN_BOTTOM,
    MARGIN_TOP,
    Annotation,
    Row,
    expected_words,
    finish,
    interval_row,
    interval_rows,
    note,
    require,
    spread,
)
from dashboard.theme import Theme, with_opacity
from forecasting import ENSEMBLE
from forecasting.verification.verdict import BETTER, with_verdicts

COLUMNS = ("model_id", "name", "horizon", "relative_wis")
BOUNDS = ("relative_wis_lo", "relative_wis_hi")
HEIGHT = 340
SPAN = 0.56
HIGHEST_SHOWN = 2.0


def skill_chart(scores: pd.DataFrame, *, theme: Theme) -> go.Figure:
    """Draw the ensemble, its best rival, and all other models in grey; below the line at 1 a model beats the baseline.

    Args:
        scores: Columns ``model_id``, ``name``, ``horizon``, ``relative_wis`` and, where known, ``relative_wis_lo`` and
            ``relative_wis_hi``. The baseline itself may be left out: it is the line.
        theme: Colours.

    Raises:
        SchemaError: A column is missing.
    """
    rows = require(scores, COLUMNS, "skill chart").dropna(subset=["relative_wis"])
    horizons = sorted(int(horizon) for horizon in rows["horizon"].unique())
    models = sorted(rows["model_id"].unique(), key=lambda model_id: (model_id != ENSEMBLE, model_id))
    means = rows[rows["model_id"] != ENSEMBLE].groupby("model_id")["relative_wis"].mean()
    rival = str(means.idxmin()) if len(means) else ""
    low, high = _range(rows)
    figure = go.Figure()
    line = {"color": theme.secondary, "width": 1}
    figure.add_shape(type="line", xref="paper", x0=0, x1=1, y0=1, y1=1, line=line)
    drawn = []
    for rank, model_id in enumerate(models):
        shift = 0.0 if len(models) == 1 else SPAN * (rank / (len(models) - 1) - 0.5)
        leads = model_id in {ENSEMBLE, rival}
        marker = _marker(theme, model_id == ENSEMBLE, leads=leads)
        drawn.append((leads, _dots(rows[rows["model_id"] == model_id], horizons, shift, marker, with_bars=leads)))
    figure.add_traces([trace for _leads, trace in sorted(drawn, key=lambda pair: pair[0])])
    labels = _words(theme) + _key(rows, models, rival, (low, high), theme)
    ticks = _ticks(low, high)
    figure.update_layout(
        margin={"r": 148},
        hovermode="closest",
        xaxis={"range": [-0.55, len(horizons) + 0.15], "tickangle": 0}
        | {"tickvals": list(range(len(horizons))), "ticktext": [f"{horizon}" for horizon in horizons]},
        yaxis={"range": [low, high], "zeroline": False}
        | {"tickvals": ticks, "ticktext": [lang().decimal(tick, 1) for tick in ticks]},
    )
    return finish(figure, theme, height=HEIGHT, annotations=labels)


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


def _key(
    rows: pd.DataFrame, models: list[str], rival: str, span: tuple[float, float], theme: Theme
) -> list[Annotation]:
    """Names at the right end: the ensemble, its best rival, the baseline, and one for all others."""
    named = [model_id for model_id in models if model_id in {ENSEMBLE, rival}]
    ends = [rows[rows["model_id"] == model_id].sort_values("horizon").iloc[-1] for model_id in named]
    per_pixel = (span[1] - span[0]) / (HEIGHT - MARGIN_TOP - MARGIN_BOTTOM)
    texts = [(f"<b>{end['name']}</b>", _colour(theme, end["model_id"] == ENSEMBLE)) for end in ends]
    texts.append((_("baseline = 1"), theme.secondary))
    if len(models) > len(named):
        texts.append((_("grey: other models"), theme.neutral))
    wished = [*(min(float(end["relative_wis"]), span[1]) for end in ends), 1.0, span[1]][: len(texts)]
    places = spread(wished, LABEL_PIXELS * per_pixel)
    return [_name(text, y, ink, theme) for (text, ink), y in zip(texts, places, strict=True)]


def _colour(theme: Theme, is_ensemble: bool) -> str:  # noqa: FBT001  # which of the two that are coloured
    return theme.fan if is_ensemble else theme.earlier


def _marker(theme: Theme, is_ensemble: bool, *, leads: bool) -> dict[str, object]:  # noqa: FBT001  # as above
    colour = _colour(theme, is_ensemble) if leads else with_opacity(theme.neutral, 0.45)
    symbol = "diamond" if leads and not is_ensemble else "circle"
    return {"size": 10 if leads else 6, "color": colour, "symbol": symbol}


def _dots(
    own: pd.DataFrame, horizons: list[int], shift: float, marker: dict[str, object], *, with_bars: bool
) -> go.Scatter:
    ordered = own.sort_values("horizon")
    bars = None
    if with_bars and set(BOUNDS) <= set(own.columns):
        above, below = (abs(ordered[bound] - ordered["relative_wis"]).tolist() for bound in reversed(BOUNDS))
        bars = {"type": "data", "symmetric": False, "array": above, "arrayminus": below, "width": 0}
        bars |= {"thickness": 1.5, "color": with_opacity(str(marker["color"]), 0.55)}
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
    drawn = rows[[column for column in ("relative_wis", *BOUNDS) if column in rows]]
    lowest, highest = float(drawn.min().min()), float(drawn.max().max())
    return max(0.0, min(0.9, lowest) - 0.06), min(HIGHEST_SHOWN, max(1.1, highest)) + 0.06


def _ticks(low: float, high: float) -> list[float]:
    step = next(step for step in (0.1, 0.2, 0.5) if (high - low) / step <= 6)
    return [round(place * step, 1) for place in range(int(high / step) + 1) if place * step >= low]


def _words(theme: Theme) -> list[Annotation]:
    left = {"xref": "paper", "x": 0, "xanchor": "left", "xshift": -6, "yref": "paper"}
    return [
        note(theme, _("Relative WIS, lower is better"), y=1, yanchor="bottom", yshift=4, **left),
        note(theme, _("months ahead"), y=0, yanchor="top", yshift=-22, **left),
    ]


def _name(text: str, y: float, ink: str, theme: Theme) -> Annotation:
    right = {"xref": "paper", "x": 1, "xanchor": "left", "yanchor": "middle", "xshift": 4}
    return note(theme, text, y=y, font={"color": ink}, **right)


MEMBER_COLUMNS = ("model_id", "name", "q10", "q25", "q50", "q75", "q90", "relative_wis")
ROW_PIXELS, FRAME_PIXELS = 36, 74
NAME_PIXELS, SCORE_PIXELS = 150, 74


def members_chart(members: pd.DataFrame, *, unit: str, theme: Theme) -> go.Figure:
    """Draw the 80 % and 50 % interval and the median of each model, in the order given.

    Args:
        members: Columns ``model_id``, ``name``, ``q10``, ``q25``, ``q50``, ``q75``, ``q90`` (persons) and
            ``relative_wis`` (empty where nothing was scored).
        unit: What the numbers are, such as "Arrivals expected, Feb–Apr".
        theme: Colours.

    Raises:
        SchemaError: A column is missing.
    """
    rows = require(members, MEMBER_COLUMNS, "members chart").reset_index(drop=True)
    figure = go.Figure()
    top = {"yref": "paper", "y": 1, "yanchor": "bottom", "yshift": 6, "xref": "paper"}
    labels = [
        note(theme, _("{unit}: 50% and 80%").format(unit=unit), x=0, xanchor="left", xshift=-NAME_PIXELS, **top),
        note(theme, _("relative WIS"), x=1, xanchor="right", xshift=SCORE_PIXELS, **top),
    ]
    for place, row in enumerate(rows.to_dict("records")):
        leads = row["model_id"] == ENSEMBLE
        fill, edge = (theme.fan, theme.median) if leads else (theme.neutral, theme.neutral)
        median = lang().expected(row["q50"])
        said = ngettext("{value} expected", "{value} expected", as_expected(row["q50"]))
        hover = f"<b>{row['name']}</b><br>" + said.format(value=median)
        for trace in interval_row(row, place, fill, edge, theme, hover):
            figure.add_trace(trace.update(name=f"{row['model_id']} {trace.name}"))
        name, score = (f"<b>{text}</b>" if leads else text for text in (row["name"], _score(row)))
        middle, ink = {"y": place, "yanchor": "middle"}, {"size": 13, "color": theme.ink}
        labels += [
            note(theme, str(name), xref="paper", x=0, xanchor="right", xshift=-12, font=ink, **middle),
            note(theme, median, x=row["q90"], xanchor="left", xshift=8, **middle),
            note(theme, score, xref="paper", x=1, xanchor="right", xshift=SCORE_PIXELS, font=ink, **middle),
        ]
    interval_rows(figure, len(rows), float(rows["q90"].max()), 1.16, theme, sides=(NAME_PIXELS, SCORE_PIXELS))
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
        parts.append(expected_words(row["name"], row["q50"], row["q10"], row["q90"]))
    if len(others):
        parts.append(
            ngettext("Median of {n} model: {low}.", "Medians of {n} models from {low} to {high}.", len(others)).format(
                n=len(others), low=lang().expected(others["q50"].min()), high=lang().expected(others["q50"].max())
            )
        )
    return " ".join(parts)
