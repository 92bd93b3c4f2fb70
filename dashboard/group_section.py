"""Errors by group: is the forecast as good for every route and every group of nationalities?"""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from core.countries import display_name
from core.errors import InputError
from core.schema import ALL
from dashboard import downloads, layout, memory, numbers, state
from dashboard.i18n import _, labelled, language, ngettext
from dashboard.layout import small
from dashboard.names import region_name
from dashboard.reads import Night
from forecasting.verification.groups import FEW, NARROW
from forecasting.verification.verdict import WORSE

Row = dict[Hashable, Any]
KINDS = ("region", "citizen", "route")
MATRIX = "evaluation_matrix.md"


def show(night: Night) -> None:
    """Errors of one kind of group at one distance, the worst marked; and the evaluation matrix as a file."""
    rows = night.frame("group_errors")
    st.header(_("Is it as good for everybody?"), anchor=False)
    if rows.empty:
        st.markdown(small(_("This release holds no errors by group yet.")))
        return
    words = {"region": _("Region of origin"), "citizen": _("Nationality"), "route": _("Route")}
    kind = state.choice("group", KINDS, "region")
    steps = [str(step) for step in sorted(rows["horizon"].astype(int).unique()) if step in {1, 3, 6, 12}]
    ahead = state.choice("group_ahead", steps, "3" if "3" in steps else steps[0])
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.segmented_control(
            _("Groups by"), KINDS, format_func=words.__getitem__, required=True, **state.widget("group", kind)
        )
        st.selectbox(
            _("Months ahead"),
            steps,
            width=160,
            format_func=lambda step: ngettext("{n} month", "{n} months", int(step)).format(n=step),
            **state.widget("group_ahead", ahead),
        )
    chosen = rows[(rows["kind"] == kind) & (rows["horizon"].astype(int) == int(ahead))]
    memory.drawn(night, partial(draw, chosen), "groups", kind, ahead)
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="small"):
        downloads.document_button(night, MATRIX, _("Evaluation matrix"))
        downloads.buttons(downloads.export_of(night, "errors-by-group", _("Errors of the forecast by group"), rows))


def draw(chosen: pd.DataFrame) -> None:
    """The finding, the table, and how to read it."""
    st.markdown(finding(chosen))
    st.table(table(chosen), border="horizontal", hide_index=True, alt=_("Errors of the forecast by group"))
    text = _(
        "Relative WIS below 1: better than the baseline. Bias from −1 to 1: positive where forecasts were too high. By "
        "nationality the baseline, Theta and the seasonal walk together forecast the largest groups at past dates, "
        "from final figures cut at each date; releases themselves forecast routes only."
    )
    st.markdown(small(text))


def finding(rows: pd.DataFrame) -> str:
    """How many groups are served worse, in one sentence."""
    bad = rows[rows["mark"].isin([WORSE, NARROW])]
    judged = int((rows["mark"] != FEW).sum())
    if bad.empty:
        return _("No group of {n} is worse than the baseline or has intervals that are too narrow.").format(n=judged)
    names = ", ".join(_place(row) for row in bad.to_dict("records"))
    text = ngettext(
        "{bad} of {n} groups is served worse: {names}.", "{bad} of {n} groups are served worse: {names}.", len(bad)
    )
    return text.format(bad=len(bad), n=judged, names=layout.plain(names))


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows in words, the worst first."""
    marks = {WORSE: _("worse than the baseline"), NARROW: _("intervals too narrow"), FEW: _("too few forecasts")}
    ordered = rows.sort_values("relative_wis", ascending=False).to_dict("records")
    return pd.DataFrame(
        {
            _("Group"): [_place(row) for row in ordered],
            _("Relative WIS"): [_ratio(row) for row in ordered],
            _("Bias"): [numbers.decimal(row["bias"]) for row in ordered],
            _("80% interval held"): [numbers.decimal(row["coverage_80"]) for row in ordered],
            _("Forecasts"): [int(row["n"]) for row in ordered],
            _("Note"): [marks.get(str(row["mark"]), "") for row in ordered],
        }
    )


def _ratio(row: Row) -> str:
    value, low, high = (float(str(row[name])) for name in ("relative_wis", "relative_wis_lo", "relative_wis_hi"))
    return f"{numbers.decimal(value)} ({numbers.decimal(low)}–{numbers.decimal(high)})"


def _place(row: Row) -> str:
    """Route and group; a place in brackets where it is not the whole route."""
    route = layout.route_name(str(row["route_id"]))
    if row["geo"] != ALL:
        route = f"{route} ({_country(str(row['geo']))})"
    if row["kind"] == "route":
        return route
    group = str(row["group"])
    return labelled(route, region_name(group) if row["kind"] == "region" else _country(group))


def _country(code: str) -> str:
    try:
        return display_name(code, language())
    except InputError:
        return code
