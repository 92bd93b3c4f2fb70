"""The levers of a scenario: a form for each kind, tied to the address."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from dashboard import layout, scenario_words, state
from dashboard.i18n import _
from dashboard.scenario_state import KINDS, LEVERS_OF, NONE, PLACES, Lever, Values
from forecasting.scenarios_analogues import EPISODES

SIDE_AND_NUMBER = (1.25, 1)
"""Shares of the width: the words for more or fewer need more of it than the number."""
_UNSET = object()


def given(known: Mapping[str, Lever]) -> dict[str, str]:
    """What the address says about the levers."""
    return {name: st.query_params[name] for name in known if name in st.query_params}


def show_kind(values: Values, route_id: str, routes: Sequence[str]) -> None:
    """The route looked at, and the kind of scenario."""
    words = scenario_words.kinds()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.selectbox(_("Route"), routes, format_func=layout.route_name, width=240, **state.widget("route", route_id))
        st.segmented_control(
            _("Kind of scenario"),
            KINDS,
            format_func=words.__getitem__,
            required=True,
            wrap=True,
            label_visibility="collapsed",
            **state.widget("kind", values["kind"]),
        )


def show_levers(known: Mapping[str, Lever], values: Values) -> None:
    """The levers of the chosen kind."""
    with st.form("scenario"):
        {"if": _conditions, "shock": _shock, "past": _past}[values["kind"]](known, values)
        names = ("kind", *LEVERS_OF[values["kind"]])
        st.form_submit_button(_("Show the scenario"), type="primary", on_click=_follow, args=(names, dict(values)))


def show_places(values: Values) -> None:
    """How long people stay, how many need a place, how sure one wants to be."""
    with st.form("places"), st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        _number("stay", _("Mean stay, months"), values, step=0.5)
        _choice("stay_kind", _("A stay"), tuple(scenario_words.stays()), scenario_words.stays().__getitem__, values)
        _number("needs_place", _("Need a place, %"), values, step=5.0)
        levels = ("50", "75", "80", "90", "95", "99")
        _choice("confidence", _("Confidence, %"), levels, str, values)
        st.form_submit_button(_("Count the places"), on_click=_follow, args=(PLACES, dict(values)))


def _conditions(known: Mapping[str, Lever], values: Values) -> None:
    _choice("if_route", _("If arrivals on this route"), known["if_route"].options, layout.route_name, values)
    left, right = st.columns(SIDE_AND_NUMBER, gap="small", vertical_alignment="bottom")
    with left:
        _choice("if_side", _("are"), known["if_side"].options, scenario_words.sides().__getitem__, values)
    with right:
        _number("if_value", _("persons"), values, step=100.0)
    left, right = st.columns(2, gap="small", vertical_alignment="bottom")
    with left:
        _choice("if_from", _("from"), known["if_from"].options, scenario_words.month_option, values)
    with right:
        _choice("if_to", _("to"), known["if_to"].options, scenario_words.month_option, values)
    _choice("if_how", _("Several months"), known["if_how"].options, scenario_words.hows().__getitem__, values)
    _choice("and_route", _("and, in the same months, on"), known["and_route"].options, _route_or_none, values)
    left, right = st.columns(SIDE_AND_NUMBER, gap="small", vertical_alignment="bottom")
    with left:
        _choice("and_side", _("are too"), known["and_side"].options, scenario_words.sides().__getitem__, values)
    with right:
        _number("and_value", _("persons there"), values, step=100.0)


def _shock(known: Mapping[str, Lever], values: Values) -> None:
    left, right = st.columns(2, gap="small", vertical_alignment="bottom")
    with left:
        _number("shock_size", _("Size, %"), values, step=10.0, low=-100.0)
        _number("shock_onset", _("Onset, months"), values, step=1.0)
    with right:
        _choice("shock_from", _("Begins in"), known["shock_from"].options, scenario_words.month_option, values)
        _number("shock_months", _("Lasts, months"), values, step=1.0, low=1.0)
    _number("shock_decay", _("Half of it fades in, months"), values, step=1.0)
    _choice("to_route", _("A part moves to"), known["to_route"].options, _route_or_none, values)
    _number("to_share", _("Part that moves, %"), values, step=5.0)


def _past(known: Mapping[str, Lever], values: Values) -> None:
    _choice("episode", _("Episode"), tuple(EPISODES), scenario_words.episode, values)
    _choice("past_from", _("Begins in"), known["past_from"].options, scenario_words.month_option, values)
    scales = scenario_words.scales()
    _choice("past_as", _("Brought to the present as"), known["past_as"].options, scales.__getitem__, values)
    _number("past_strength", _("Strength, %"), values, step=10.0, low=10.0)


def _route_or_none(route_id: str) -> str:
    return _("no other route") if route_id == NONE else layout.route_name(route_id)


def _choice(name: str, label: str, options: Sequence[str], words: Callable[[str], str], values: Values) -> None:
    st.selectbox(label, options, format_func=words, key=_key(name, values[name]))


def _number(name: str, label: str, values: Values, *, step: float, low: float = 0.0) -> None:
    st.number_input(label, min_value=low, step=step, format="%g", key=_key(name, float(values[name])))


def _key(name: str, value: object) -> str:
    """Key of a lever's widget, whose value is what the address says."""
    key = f"lever:{name}"
    if st.session_state.get(key, _UNSET) != value:
        st.session_state[key] = value
    return key


def _follow(names: Sequence[str], values: Values) -> None:
    """Write a whole form into the address: nothing of a shared link rests on a default."""
    for name in names:
        chosen = st.session_state.get(f"lever:{name}", values[name])
        state.write(name, f"{chosen:g}" if isinstance(chosen, float) else str(chosen))
