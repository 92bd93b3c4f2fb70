"""A reader's own forecast on the Route page: three numbers, what they become, and handing them in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from access import HAND_IN
from core import QUANTILE_LEVELS
from core.errors import VigieError
from core.routes import is_own
from dashboard import _, lang, layout, reads, state, visitor
from dashboard.charts import count_axis, finish
from dashboard.layout import error_words
from dashboard.route_view import RouteView
from dashboard.theme import CHART_CONFIG, Theme, current_theme, with_opacity
from decisions.judgements import Judgement, departures, fitted, hand_in, said_by
from reports.numbers import LARGEST
from reports.scenario import percent

LONGEST_PSEUDONYM = 16
LINE_PIXELS, STEPS = 130, 240
"""Height of the line to draw on, and places on it that a drag can meet."""
SHORT = 0.04
"""Share of the line below which a drag means the middle."""
THREE = (0.1, 0.5, 0.9)
"""Levels of the numbers that a person names."""
_SHOWN = {0.025: "95", 0.1: "80", 0.25: "50"}


def show(view: RouteView) -> None:
    """The form, what the numbers become, and how far they lie from the ensemble."""
    if view.quantiles.empty or view.origin:
        st.markdown(
            layout.small(_("A forecast of your own belongs to what is known now, on a route that is forecast."))
        )
        return
    if is_own(view.route_id):
        st.markdown(layout.small(_("A route of your own is in no hub: no forecast can be handed in for it.")))
        return
    st.header(_("What do you expect?"), anchor=False)
    words = _(
        "Name a middle, as likely to be passed as not, and a range that is to hold four outcomes of five. It becomes a "
        "distribution, stands in the hub under a pseudonym of your choice, and is scored like any model."
    )
    st.markdown(layout.small(words))
    ends = list(view.quantiles.index)
    months = [f"{end:%Y-%m}" for end in ends]
    chosen = state.choice("month", months, months[min(2, len(months) - 1)])
    end = ends[months.index(chosen)]
    own = view.quantiles.loc[end]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.selectbox(
            _("Month"), months, width=180, format_func=lambda month: lang().month(pd.Timestamp(month)),
            **state.widget("month", chosen),
        )  # fmt: skip
        keys = [f"judged:{view.key}:{chosen}:{level}" for level in THREE]
        for key, level in zip(keys, THREE, strict=True):
            st.session_state.setdefault(key, round(float(own.loc[level])))
        low, median, high = (
            st.number_input(label, 0, LARGEST, step=50, key=key)
            for label, key in zip((_("Low"), _("Middle"), _("High")), keys, strict=True)
        )
    _show_line([float(own.loc[level]) for level in THREE], [low, median, high], keys)
    try:
        quantiles = pd.Series(fitted(low, median, high), index=list(QUANTILE_LEVELS))
    except VigieError as error:
        st.warning(layout.plain(error_words(error)))
        return
    st.markdown(_said(quantiles, float(own.loc[0.5])))
    if visitor.allows(HAND_IN):
        _own_record(view)
        _form(view, Judgement(view.series_id, _origin(view), _horizon(view, end), low, median, high))


def _show_line(ensemble: list[float], said: list[float], keys: list[str]) -> None:
    """The same three numbers drawn: a long drag is the range, a short one the middle; keyboards have the fields."""
    times = st.session_state.setdefault(f"drawn:{keys[0]}", 0)
    name = f"line:{keys[0]}:{times}"

    def take() -> None:
        drawn = st.session_state[name].selection
        st.session_state[f"drawn:{keys[0]}"] = times + 1  # a fresh chart: a range that stays would take the next click
        if not drawn.box:
            return
        first, last = (max(round(end), 0) for end in sorted(drawn.box[0]["x"]))
        low, middle, high = (int(st.session_state[key]) for key in keys)
        if last - first < SHORT * scale(ensemble, said):
            middle = (first + last) // 2
            low, high = min(low, middle), max(high, middle)
        else:
            low, middle, high = first, min(max(middle, first), last), last
        st.session_state.update(zip(keys, (low, middle, high), strict=True))

    figure = line_to_draw_on(ensemble, said, current_theme())
    alt = _("The ensemble’s range above, yours below; the fields say the same")
    st.plotly_chart(figure, theme=None, config=CHART_CONFIG, alt=alt, key=name, on_select=take, selection_mode="box")
    st.markdown(layout.small(_("Or draw: drag across the line for the range; a short drag sets the middle.")))


def _said(quantiles: pd.Series, ensemble: float) -> str:
    """What three numbers become, and how far the middle lies from the ensemble's."""
    parts = [
        _("{coverage}%: {interval}").format(
            coverage=name, interval=lang().interval_words(quantiles.loc[level], quantiles.loc[round(1 - level, 3)])
        )
        for level, name in _SHOWN.items()
    ]
    middle = _("Middle {median}.").format(median=lang().expected(quantiles.loc[0.5]))
    departs = quantiles.loc[0.5] / ensemble - 1 if round(ensemble) else 0.0
    share = percent(abs(departs), lang())
    if round(ensemble) == 0 < round(quantiles.loc[0.5]):
        beside = _("The ensemble expects nobody.")
    elif round(abs(departs), 2) == 0:
        beside = _("As the ensemble.")
    elif departs > 0:
        beside = _("{share} above the ensemble.").format(share=share)
    else:
        beside = _("{share} below the ensemble.").format(share=share)
    return f"{middle} {lang().listed(parts)}. {beside}"


def _own_record(view: RouteView) -> None:
    """Whether an author's departures from the ensemble have helped so far: for the author alone."""
    if not (author := visitor.reader().name):
        return
    said = said_by(reads.journal().entries(action=HAND_IN), author)
    found = departures(view.night.frame("hub_forecasts"), view.night.frame("replays"), said)
    for row in found.to_dict("records"):
        text = _(
            "Your forecasts so far, seen by you alone: {helped} of {n} nearer to what was counted than the ensemble’s; "
            "score beside the ensemble’s {ratio}, below 1 is better."
        )
        ratio = lang().decimal(row["relative_wis"])
        st.markdown(layout.small(text.format(helped=row["helped"], n=row["n"], ratio=ratio)))


def _form(view: RouteView, judgement: Judgement) -> None:
    with st.form("judgement"):
        pseudonym = st.text_input(_("Pseudonym in the hub"), max_chars=LONGEST_PSEUDONYM)
        panel = st.text_input(_("Panel, if you speak as a member of one"), max_chars=LONGEST_PSEUDONYM)
        who = visitor.ask_name()
        if not st.form_submit_button(_("Hand in")):
            return
    if not pseudonym.strip() or not who.strip():
        st.warning(_("A forecast is handed in with a pseudonym and your name; the hub shows the pseudonym alone."))
        return
    try:
        person, run_id = visitor.actor(who), view.night.run_id
        kept = hand_in(reads.workflow(), person, pseudonym.strip(), judgement, run_id, panel.strip())
    except VigieError as error:
        st.error(layout.plain(error_words(error)))
        return
    text = _("Kept as it is. The next night scores it with the others.")
    late = _("The round had closed: it is marked late.") if kept.late else ""
    st.success(f"{text} {late}".strip())


def _origin(view: RouteView) -> pd.Timestamp:
    return pd.Timestamp(view.history["end_date"].max())


def _horizon(view: RouteView, end: pd.Timestamp) -> int:
    return (pd.Timestamp(end).to_period("M") - _origin(view).to_period("M")).n


def scale(ensemble: Sequence[float], said: Sequence[float]) -> float:
    """The largest number on the line."""
    return 1.6 * max(*ensemble, *said, 50.0)


def line_to_draw_on(ensemble: Sequence[float], said: Sequence[float], theme: Theme) -> go.Figure:
    """The ensemble's range and middle above, the reader's below, and places to drag across."""
    largest = scale(ensemble, said)
    figure = go.Figure()
    for row, (low, middle, high), colour in ((1, ensemble, theme.fan), (0, said, theme.median)):
        line = {"color": with_opacity(colour, 0.5), "width": 12}
        figure.add_trace(go.Scatter(x=[low, high], y=[row, row], mode="lines", line=line, hoverinfo="skip"))
        mark = {"color": theme.median, "size": 11, "symbol": "line-ns-open", "line": {"width": 3}}
        figure.add_trace(go.Scatter(x=[middle], y=[row], mode="markers", marker=mark, hoverinfo="skip"))
    steps = np.linspace(0, largest, STEPS).round()
    unseen = {"color": with_opacity(theme.median, 0.0), "size": 16}  # a drag must meet points to be noticed
    hover = [lang().counted(step) for step in steps]
    figure.add_trace(
        go.Scatter(x=steps, y=np.full(STEPS, 0.5), mode="markers", marker=unseen, text=hover,
                   hovertemplate="%{text}<extra></extra>")
    )  # fmt: skip
    figure.update_layout(
        showlegend=False, dragmode="select", selectdirection="h", hovermode="closest",
        margin={"l": 12, "r": 12, "t": 6, "b": 28}, xaxis=count_axis(largest, 0.0),
        yaxis={"range": [-0.7, 1.7], "visible": False},
    )  # fmt: skip
    return finish(figure, theme, height=LINE_PIXELS, annotations=[])
