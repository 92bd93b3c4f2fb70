"""What every model expected in one round of the hub, over what was counted since."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from core.calendar import MONTHS_EACH
from dashboard import _, labelled, lang, ngettext
from dashboard.charts import (
    LABEL_PIXELS,
    band,
    count_axis,
    dated,
    expected_words,
    finish,
    mid_month,
    month_ticks,
    monthly_values,
    note,
    require,
    unit_label,
)
from dashboard.charts.fan import key_line, key_mark
from dashboard.theme import Theme, with_opacity

COLUMNS = ("model_id", "name", "target_end_date", "q10", "q50", "q90")
HEIGHT = 380
FURTHEST = 2.0
"""How many times as high as what is usual in a round its axis goes: one model must not flatten all others."""


def round_period(end: pd.Timestamp, freq: str) -> str:
    """A period by its last day; a week by that day."""
    return lang().day(end) if freq == "W" else lang().period(end, MONTHS_EACH.get(freq, 1))


def teams_chart(
    observed: pd.DataFrame, forecasts: pd.DataFrame, *, highlight: str, unit: str, theme: Theme, freq: str = "M"
) -> go.Figure:
    """Draw what was counted, every model's median, and the highlighted model's 80 % interval.

    Args:
        observed: ``time_period_end``, ``value``: before the round and after it.
        forecasts: One round's ``model_id, name, target_end_date, q10, q50, q90``.
        highlight: The model looked at.
        unit: What is counted.
        theme: Colours.
        freq: How often: ``M``, ``Q`` or ``W``. A week stands at its last day, longer periods in their last month.

    Raises:
        SchemaError: A column is missing.
    """
    rows = require(forecasts, COLUMNS, "teams chart").sort_values("target_end_date")
    seen = require(observed, ("time_period_end", "value"), "teams chart, observed")
    by_week = freq == "W"
    months = (
        seen.sort_values("time_period_end").set_index("time_period_end")
        if by_week
        else monthly_values(seen, MONTHS_EACH.get(freq, 1))
    )
    largest, beyond = _scale(seen, rows, highlight)
    axis = count_axis(largest)
    figure = go.Figure()
    for model_id, own in rows.groupby("model_id"):
        if model_id != highlight:
            inside = own.assign(q50=own["q50"].where(own["q50"] <= axis["range"][1]))
            figure.add_trace(_median(inside, {"color": with_opacity(theme.neutral, 0.5), "width": 1.2}, freq))
            if inside["q50"].isna().any():
                figure.add_trace(_above(own[inside["q50"].isna()], axis["range"][1], freq, theme))
    leading = rows[rows["model_id"] == highlight]
    if len(leading):
        x = _on_axis(leading, freq)
        low, high = (pd.Series(leading[name].to_numpy(), index=x) for name in ("q10", "q90"))
        figure.add_trace(band(low, high, with_opacity(theme.fan, 0.25), "80%"))
        figure.add_trace(_median(leading, {"color": theme.median, "width": 2.4}, freq))
    counted = {"color": theme.observed, "width": 2}
    hover = [f"{round_period(end, freq)}: {lang().counted(value)}" for end, value in dated(months["value"])]
    figure.add_trace(
        go.Scatter(x=months.index, y=months["value"], mode="lines+markers", line=counted, marker={"size": 5},
                   text=hover, hovertemplate="%{text}<extra></extra>", name="observed")
    )  # fmt: skip
    dates = pd.DatetimeIndex([*months.index, *pd.to_datetime(rows["target_end_date"])])
    first, last = dates.min(), dates.max()
    figure.update_layout(
        hovermode="closest",
        showlegend=False,
        margin={"r": 12},  # names stand in the key above
        xaxis={"range": [first, last + pd.Timedelta(days=4)], **month_ticks(first, last)},
        yaxis=axis,
    )
    edges = [
        note(theme, _up(row["value"]), x=x, y=1, yref="paper", yanchor="bottom", yshift=2 + LABEL_PIXELS * rank,
             font={"color": theme.median if row["model_id"] == highlight else theme.secondary})
        for rank, (x, row) in enumerate(zip(_on_axis(beyond, freq), beyond.to_dict("records"), strict=True))
    ]  # fmt: skip
    return finish(figure, theme, height=HEIGHT, annotations=[unit_label(theme, unit), *edges])


def _above(rows: pd.DataFrame, top: float, freq: str, theme: Theme) -> go.Scatter:
    """Marks at the upper edge for the periods in which a median lies above the axis."""
    mark = {"symbol": "triangle-up", "size": 8, "color": with_opacity(theme.neutral, 0.7)}
    return go.Scatter(
        x=_on_axis(rows, freq), y=[top] * len(rows), mode="markers", marker=mark, cliponaxis=False, hoverinfo="skip",
        name="above the axis",
    )  # fmt: skip


def _scale(observed: pd.DataFrame, rows: pd.DataFrame, highlight: str) -> tuple[float, pd.DataFrame]:
    """Where the axis ends, and the peaks beyond it: ``model_id, name, target_end_date, value``.

    Usual is the largest of what was counted, the median of the model looked at, and the middle one of all models'
    highest medians.
    """
    own = rows[rows["model_id"] == highlight]
    medians, ends = (
        part.sort_values(name).drop_duplicates("model_id", keep="last").rename(columns={name: "value"})
        for part, name in ((rows, "q50"), (own, "q90"))
    )
    usual = pd.Series([observed["value"].max(), own["q50"].max(), medians["value"].median()]).max()
    ends = ends.assign(name=ends["name"].map(lambda name: labelled(name, lang().percent(0.8))))
    peaks = pd.concat([medians, ends])[["model_id", "name", "target_end_date", "value"]]
    is_beyond = peaks["value"] > FURTHEST * usual
    return float(max(usual, peaks.loc[~is_beyond, "value"].max())), peaks[is_beyond]


def teams_key(observed: pd.DataFrame, forecasts: pd.DataFrame, *, highlight: str, theme: Theme) -> str:
    """What the marks of the chart mean, as a line of HTML above it: names do not fit among the lines."""
    names = dict(zip(forecasts["model_id"], forecasts["name"], strict=True))
    # A dotted line of points, as in the chart: at night a line alone has the hue of the median's.
    points = f"height: 5px; background: radial-gradient(circle, {theme.observed} 2.5px, transparent 3px) 0 / 8px 5px"
    parts = [key_mark(points, _("counted"))]
    if highlight in names:
        parts.append(key_mark(f"border-top: 2px solid {theme.median}", labelled(names[highlight], _("median"))))
        text = labelled(lang().percent(0.8), _("4 in 5"))
        parts.append(key_mark(f"height: 0.7em; background: {with_opacity(theme.fan, 0.25)}", text))
    if set(names) - {highlight}:
        parts.append(key_mark(f"border-top: 1px solid {theme.neutral}", _("medians of the other models")))
    for row in _scale(observed, forecasts, highlight)[1].to_dict("records"):
        colour = theme.median if row["model_id"] == highlight else theme.neutral
        parts.append(key_mark(f"border-top: 1px solid {colour}", labelled(_up(row["value"]), row["name"])))
    return key_line(parts)


def _up(value: float) -> str:
    """A number that stands above the end of the axis."""
    return f"↑ {lang().expected(value)}"


def _on_axis(rows: pd.DataFrame, freq: str) -> pd.DatetimeIndex:
    """Where a model's periods stand on the axis."""
    return pd.DatetimeIndex(rows["target_end_date"] if freq == "W" else mid_month(rows["target_end_date"]))


def _median(rows: pd.DataFrame, line: dict[str, object], freq: str) -> go.Scatter:
    """One model's median as a line."""
    name = rows["name"].iloc[0]
    hover = [
        f"<b>{name}</b><br>{round_period(end, freq)}: {lang().expected(value)}"
        for end, value in zip(rows["target_end_date"], rows["q50"], strict=True)
    ]
    return go.Scatter(
        x=_on_axis(rows, freq), y=rows["q50"], mode="lines", line=line, text=hover,
        hovertemplate="%{text}<extra></extra>", name=str(rows["model_id"].iloc[0]),
    )  # fmt: skip


def teams_alt(observed: pd.DataFrame, forecasts: pd.DataFrame, *, highlight: str, freq: str = "M") -> str:
    """The chart in words: how many models, how far their medians lie apart at the end, and what leaves the scale."""
    last = forecasts[forecasts["target_end_date"] == forecasts["target_end_date"].max()]
    own = last[last["model_id"] == highlight]
    count = last["model_id"].nunique()
    words = ngettext(
        "Median of {n} model for {month}: {low}.", "Medians of {n} models for {month} from {low} to {high}.", count
    ).format(
        n=count,
        month=round_period(last["target_end_date"].iloc[0], freq),
        low=lang().expected(last["q50"].min()),
        high=lang().expected(last["q50"].max()),
    )
    beyond = _scale(observed, forecasts, highlight)[1].to_dict("records")
    words += "".join(f" {labelled(_up(row['value']), row['name'])}." for row in beyond)
    if own.empty:
        return words
    row = own.iloc[0]
    return f"{words} {expected_words(row['name'], row['q50'], row['q10'], row['q90'])}"
