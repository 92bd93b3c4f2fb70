"""Find a route, a country of destination or a nationality by its name, on every page."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from core.schema import ALL, NOT_APPLICABLE
from dashboard import _, labelled, lang, reads, state
from dashboard.pages import FOLDER
from dashboard.reads import Night
from reports.names import country_name, route_name
from reports.numbers import route_states

KEY = "search"
Place = tuple[str, dict[str, str]]
"""A page and its query."""


def show(night: Night) -> None:
    """A field that leads to what is chosen in it."""
    found = reads.once(night, partial(places, night), "search")
    with st.container(key="find", width="content"):
        chosen = st.selectbox(
            _("Search"), list(found), index=None, placeholder=_("Find a route, country or nationality"), width=290,
            label_visibility="collapsed", key=KEY,
        )  # fmt: skip
    if chosen in found:
        page, query = found[chosen]
        del st.session_state[KEY]
        st.switch_page(f"{FOLDER}/{page}.py", query_params=state.kept() | query)


def places(night: Night) -> dict[str, Place]:
    """Every route, every country of destination with asylum applications, every nationality counted on a route."""
    routes = [str(name) for name in route_states(night.frame("routes"))["route_id"]]
    found: dict[str, Place] = {route_name(one, lang()): ("route", {"route": one}) for one in routes}
    series = night.frame("asylum_series")
    countries = {
        labelled(country_name(geo, lang()), _("asylum applications")): ("asylum", {"country": geo})
        for geo in sorted(series["geo"].unique())
    }
    rows = night.frame("observations")
    rows = rows[rows["target"].eq("arrivals") & rows["geo"].isin([ALL, NOT_APPLICABLE]) & rows["route_id"].isin(routes)]
    rows = rows[~rows["citizen"].isin([ALL, NOT_APPLICABLE])]
    return found | dict(sorted(countries.items())) | dict(sorted(_nationalities(rows).items()))


def _nationalities(rows: pd.DataFrame) -> dict[str, Place]:
    """Each nationality leads to the route on which most of its people were counted."""
    sums = rows.groupby(["citizen", "route_id"])["obs_value"].sum()
    most = sums[sums > 0].groupby("citizen").idxmax()
    return {
        labelled(country_name(str(citizen), lang()), _("nationality")): (
            "route", {"route": str(route_id), "view": "nationalities"}
        )
        for citizen, route_id in most
    }  # fmt: skip
