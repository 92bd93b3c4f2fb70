"""The track record's part on other teams: league table, rounds, one team's record, panels, and how to take part."""

from __future__ import annotations

import datetime as dt
from functools import partial

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from access import HAND_IN
from core.calendar import MONTHS_EACH, Frequency
from core.languages import NOTHING
from dashboard import _, downloads, labelled, lang, layout, ngettext, reads, state
from dashboard.charts import (
    LABEL_PIXELS,
    band,
    count_axis,
    dated,
    finish,
    mid_month,
    month_ticks,
    monthly_values,
    note,
    unit_label,
)
from dashboard.charts.fan import key_line, key_mark
from dashboard.layout import plain, small
from dashboard.reads import Night
from dashboard.tables import localised
from dashboard.theme import Theme, current_theme, with_opacity
from decisions.judgements import departures, said_by_panels
from forecasting import ENSEMBLE
from hub.score import SPANS
from reports import hub, skill
from reports.charts import forecast_words
from reports.names import series_place

EVERYTHING, IN_TIME = "all", "in time"
HEIGHT = 380
FURTHEST = 2.0
"""How many times as high as what is usual in a round its axis goes: one model must not flatten all others."""


def show(night: Night) -> None:
    """League table, one round, the record of one team, panels, and how to take part."""
    scores = hub.scores_of(night)
    if scores.empty:
        st.header(hub.finding(scores, lang()), anchor=False)
        show_how(night)
        return
    names = hub.model_names(night.frame("hub_models"), lang())
    units = hub.unit_names(scores, lang())
    unit = state.choice("what", list(units), next(iter(units)))
    scores = scores[scores["unit"] == unit]
    spans = SPANS.get(unit[-1], SPANS["M"])
    timings = [name for name in (EVERYTHING, IN_TIME) if name in set(scores["timing"])]
    timing = state.choice("timing", timings, timings[0])
    span = state.choice("ahead", spans, spans[0])
    key = (unit, timing, span)
    rows = reads.once(night, partial(hub.league, scores, timing, "span", span, names), "league", *key)
    st.header(hub.finding(rows, lang()), anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        words = {EVERYTHING: _("All, replays among them"), IN_TIME: _("Submitted in time")}
        st.selectbox(_("What"), list(units), width=260, format_func=units.__getitem__, **state.widget("what", unit))
        st.selectbox(
            _("Forecasts"), timings, width=240, format_func=words.__getitem__, **state.widget("timing", timing)
        )
        st.selectbox(
            _("Horizon"), spans, width=200, format_func=lambda one: skill.span_words(one, unit, lang()),
            **state.widget("ahead", span),
        )  # fmt: skip
    reads.drawn_once(night, partial(draw_league, rows, timing), "league's table", *key)
    title = _("League table of the forecast hub")
    bare = rows.drop(columns=["name", "unit"])
    downloads.buttons(downloads.export_of(night, f"hub-league-{unit}-{span}", title, bare, list(night.sources())))
    show_round(night, scores, unit, timing, names)
    show_panels(night)
    show_how(night)


def draw_league(rows: pd.DataFrame, timing: str) -> None:
    """The table with what must be known about it."""
    with st.container(key="league"):
        alt = _("Scores of every model on the same rows, the best first")
        st.table(hub.league_table(rows, lang()).map(plain), border="horizontal", hide_index=True, alt=alt)
    text = _(
        "Weighted interval score on log scale. Pairwise: against every other model on the months that both forecast, "
        "the baseline being 1. Relative: against the baseline alone, with its 90% interval over rounds. Better "
        "and worse are stated where that holds when all models are tested together. Else an interval below 1 is likely "
        "better, and one above 1 is no sign."
    )
    st.markdown(small(" ".join(part for part in (text, hub.interval_words(rows, lang())) if part)))
    if timing == EVERYTHING:
        replays = _(
            "Replays were computed afterwards, on what was known when the round closed. They show how a method would "
            "have done; only forecasts submitted in time are proof."
        )
        st.markdown(small(replays))


def show_round(night: Night, scores: pd.DataFrame, unit: str, timing: str, names: dict[str, str]) -> None:
    """One round's forecasts over what was counted, and the record of the model that is looked at."""
    freq, of_routes = unit[-1], unit.startswith("arrivals")
    scored = sorted(scores.loc[scores["kind"] == "series", "group"].unique())
    series = {hub.place_of(one): one for one in scored}
    in_address = "route" if of_routes else "country"
    place = state.choice(in_address, list(series), next(iter(series)))
    series_id = series[place]
    own = night.frame("hub_forecasts")
    found = own.loc[own["series_id"] == series_id, "origin_date"]
    origins = [f"{day:%Y-%m-%d}" for day in sorted(found.unique(), reverse=True)]
    origin = state.choice("round", origins, origins[min(12, len(origins) - 1)])
    rows = reads.once(night, partial(hub.round_rows, night, series_id, origin, names), "round", series_id, origin)
    models = list(rows["model_id"].unique())
    model_id = state.choice("model", models, ENSEMBLE if ENSEMBLE in models else models[0])
    st.header(_("What each expected, and what was counted"), anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.selectbox(
            _("Route") if of_routes else _("Country of destination"), list(series), width=240,
            format_func=lambda one: series_place(series[one], lang()), **state.widget(in_address, place),
        )  # fmt: skip
        st.selectbox(
            _("Round"), origins, width=180, format_func=lambda day: round_period(pd.Timestamp(day), freq),
            **state.widget("round", origin),
        )  # fmt: skip
        name_of = {one: names.get(one, one) for one in models}.__getitem__
        st.selectbox(_("Model"), models, width=360, format_func=name_of, **state.widget("model", model_id))
    seen = reads.once(night, partial(hub.counted, night, series_id, origin), "counted", series_id, origin)
    draw = partial(draw_round, seen, rows, model_id, unit)
    reads.drawn_once(night, draw, "round's chart", series_id, origin, model_id)
    title = _("Forecasts of the round {round}").format(round=origin)
    bare, name = rows.drop(columns="name"), f"hub-{series_id}-{origin}"
    downloads.figures(downloads.export_of(night, name, title, bare, list(night.sources())), title)
    draw = partial(draw_model, night, scores, timing, model_id, names)
    reads.drawn_once(night, draw, "model", unit, timing, model_id)


def draw_round(seen: pd.DataFrame, rows: pd.DataFrame, model_id: str, unit: str) -> None:
    """The chart alone."""
    units = {
        "arrivals.M": _("Arrivals per month"), "arrivals.W": _("Arrivals per week"), "M": _("Applicants per month"),
        "Q": _("Applicants per quarter"),
    }  # fmt: skip
    axis = units.get(unit) or units.get(unit[-1], "")
    st.html(teams_key(seen, rows, highlight=model_id, theme=current_theme()))
    figure = teams_chart(seen, rows, highlight=model_id, unit=axis, freq=unit[-1], theme=current_theme())
    layout.chart(figure, teams_alt(seen, rows, highlight=model_id, freq=unit[-1]), "teams")


def draw_model(night: Night, scores: pd.DataFrame, timing: str, model_id: str, names: dict[str, str]) -> None:
    """One model: what its team says of it, and its record by months ahead, route and season."""
    st.header(plain(names.get(model_id, model_id)), anchor=False)
    about = night.frame("hub_models")
    about = about[about["model_id"] == model_id]
    if len(about):
        row = about.iloc[0]
        licence = _("Licence: {licence}").format(licence=row["licence"])
        st.markdown(small(plain(f"{lang().text(row['methods'])} {licence}.")))
    found = hub.record(scores, timing, model_id)
    if found.empty:
        st.markdown(small(_("Nothing of this model has been scored here yet.")))
        return
    alt = _("Scores of one model by months ahead, route and season")
    with st.container(key="league-record"):
        own = pd.concat([night.frame("scores"), night.frame("asylum_scores")], ignore_index=True)
        st.table(hub.record_table(found, own, lang()), border="horizontal", hide_index=True, alt=alt)
    if said := hub.interval_words(found, lang()):
        st.markdown(small(said))


def show_panels(night: Night) -> None:
    """Whether departures from the ensemble helped, of panels large enough to keep members anonymous."""
    said = said_by_panels(reads.journal().entries(action=HAND_IN))
    rows = departures(night.frame("hub_forecasts"), night.frame("replays"), said)
    if rows.empty:
        return
    st.header(_("Panels beside the ensemble"), anchor=False)
    columns = {
        "panel": _("Panel"), "n": _("Cases"), "helped": _("Nearer than the ensemble"),
        "relative_wis": _("Score beside the ensemble’s"),
    }  # fmt: skip
    shown = rows.assign(relative_wis=rows["relative_wis"].round(3)).rename(columns=columns)
    alt = _("Whether panels’ departures from the ensemble helped")
    st.dataframe(localised(shown), hide_index=True, placeholder=NOTHING, alt=alt)
    words = _("Panels of five or more people; what they handed in in time, on months counted since. Below 1 is better.")
    st.markdown(small(words))


def show_how(night: Night) -> None:
    """Deadlines and how to take part."""
    st.header(_("Take part"), anchor=False)
    today = dt.datetime.now(dt.UTC).date()
    rounds: tuple[tuple[Frequency, str], ...] = (
        ("M", _("The monthly round of {round} is open until {day}.")),
        ("W", _("The weekly round of {round} is open until {day}.")),
    )  # fmt: skip
    said = [
        words.format(round=round_period(pd.Timestamp(found[0]), freq), day=lang().day(found[1]))
        for freq, words in rounds
        if (found := hub.next_deadline(today, freq))
    ]
    text = _(
        "A ministry, a research team or a student may hand in forecasts of any of these series: one file with the 23 "
        "quantiles, in hubverse’s format. Every file is checked, kept as it came and scored on the same rows as all "
        "others; a late one is marked."
    )
    guide = _("The guide “The forecast hub” in Vigie’s documentation goes through it step by step.")
    st.markdown(" ".join([*said, text, guide]))
    received = night.frame("hub_editions")
    if len(received):
        st.subheader(_("Received"), anchor=False)
        columns = {
            "model_id": _("Model"), "round_id": _("Round"), "received": _("Received"), "late": _("Late"),
            "sha256": _("Hash of the file"),
        }  # fmt: skip
        shown = received.sort_values("received", ascending=False)[list(columns)]
        shown["late"] = shown["late"].map({True: _("late"), False: _("in time")})
        st.dataframe(localised(shown.rename(columns=columns)), hide_index=True, alt=_("Files received"))
        title = _("Submissions received by the hub")
        downloads.buttons(downloads.export_of(night, "hub-editions", title, received, []))


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
    """
    rows = forecasts.sort_values("target_end_date")
    by_week = freq == "W"
    months = (
        observed.sort_values("time_period_end").set_index("time_period_end")
        if by_week
        else monthly_values(observed, MONTHS_EACH.get(freq, 1))
    )
    largest, beyond = _scale(observed, rows, highlight)
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
    return f"{words} {forecast_words(row['name'], row['q50'], row['q10'], row['q90'], lang())}"
