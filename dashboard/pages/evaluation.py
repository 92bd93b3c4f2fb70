"""Track record: is the forecast better than the baseline, do intervals hold, were alerts right; other teams."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from core.languages import NOTHING
from core.routes import in_order
from core.schema import ALL
from dashboard import (
    _,
    downloads,
    evaluation_view,
    hub_view,
    lang,
    layout,
    ngettext,
    reads,
    record_view,
    skill_map,
    state,
)
from dashboard.charts.calibration import coverage_alt, coverage_chart, pit_alt, pit_histogram
from dashboard.charts.models import skill_alt, skill_chart
from dashboard.evaluation_view import show_driver_tests
from dashboard.layout import small
from dashboard.reads import Night
from dashboard.tables import localised
from dashboard.theme import current_theme
from forecasting import BASELINE, ENSEMBLE
from reports import record

TITLE, PLACE = _("Track record"), 7

SCALES = ("log", "natural")
HUB = "hub"
PARTS = ("skill", "issued", "intervals", "groups", "situations", "alerts", "drivers", HUB)


def show(night: Night) -> None:
    """The page."""
    part = state.choice("part", PARTS, PARTS[0])
    if part != HUB:  # whose route is another choice
        state.take_over_route()
    scores = night.frame("scores")
    routes = [ALL, *in_order(str(name).split(".")[1] for name in scores["series_id"].unique() if "." in str(name))]
    route_id = state.choice("on", routes, ALL)
    scale = state.choice("scale", SCALES, "log")
    find = partial(evaluation_view.skill_rows, scores, record.series_of(route_id), scale)
    rows = reads.once(night, find, "skill", route_id, scale)
    st.title(record.title(rows, lang()), anchor=False)
    reads.drawn_once(night, partial(skill_map.show, night), "skill map")
    st.header(_("For statisticians"), anchor=False)
    parts = {
        "skill": (_("Skill"), partial(show_skill, night, rows, route_id, scale)),
        "issued": (_("As issued"), partial(evaluation_view.show_issued, night)),
        "intervals": (_("Intervals"), partial(show_calibration, night, route_id)),
        "groups": (_("Groups"), partial(evaluation_view.show_groups, night)),
        "situations": (_("Situations"), partial(skill_map.show_situations, night, scale)),
        "alerts": (_("Alerts"), partial(record_view.show, night, route_id)),
        "drivers": (_("Drivers"), partial(show_driver_tests, night)),
        HUB: (_("Other teams"), partial(hub_view.show, night)),
    }
    st.segmented_control(
        _("Which scores"), PARTS, format_func=lambda one: parts[one][0], required=True,
        label_visibility="collapsed", wrap=True, **state.widget("part", part),
    )  # fmt: skip
    if part != HUB:
        show_controls(routes, route_id, scale)
    parts[part][1]()


def show_controls(routes: list[str], route_id: str, scale: str) -> None:
    """Route and scale."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.selectbox(
            _("Route"), routes, width=240,
            format_func=lambda code: _("All routes") if code == ALL else layout.route_name(code),
            **state.widget("on", route_id),
        )  # fmt: skip
        words = {"log": _("Logarithmic: relative errors"), "natural": _("Natural: errors in persons")}
        st.selectbox(_("Scale"), SCALES, width=240, format_func=words.__getitem__, **state.widget("scale", scale))


def show_skill(night: Night, rows: pd.DataFrame, route_id: str, scale: str) -> None:
    """Relative WIS by horizon and model: the chart, the table and its files."""
    if rows.empty:
        st.markdown(small(_("No scores here in this release.")))
        return
    reads.drawn_once(night, partial(draw_skill, rows), "skill's chart", route_id, scale)
    layout.let_draw()
    reads.drawn_once(night, partial(show_table, rows), "skill's table", route_id, scale)
    title = _("Scores at past origins")
    downloads.buttons(downloads.export_of(night, f"scores-{route_id.strip('_')}", title, rows.drop(columns="name")))


def draw_skill(rows: pd.DataFrame) -> None:
    """The chart alone."""
    st.header(_("Skill against the baseline, by months ahead"), anchor=False)
    drawn = rows[rows["model_id"] != BASELINE]
    with st.container(key="skill-chart"):
        layout.chart(skill_chart(drawn, theme=current_theme()), skill_alt(drawn), "skill")


def show_table(rows: pd.DataFrame) -> None:
    """The same as a sortable table."""
    text = _(
        "Relative WIS: the weighted interval score divided by the baseline’s on the same months. Below 1 is better "
        "than the baseline, whose forecast is the last value with its own past errors. Where the 90% interval includes "
        "1, or a ratio does not stand after Holm’s correction for all routes and months, there is no evidence."
    )
    st.markdown(small(text))
    table = evaluation_view.skill_table(rows)
    with st.container(key="skill-screen"):
        st.dataframe(
            localised(table),
            hide_index=True,
            height=420,
            placeholder=NOTHING,
            alt=_("Scores of every model at every horizon; click a column to sort"),
        )
    if note := evaluation_view.baseline_note(rows):
        st.markdown(small(note))
    # Paper shows of a table that scrolls only what happens to stand on the screen.
    own = localised(table[(rows["model_id"] == ENSEMBLE).to_numpy()].drop(columns=_("Model")))
    with st.container(key="skill-paper"):
        st.table(own, border="horizontal", hide_index=True, alt=_("Scores of the ensemble at every horizon"))
        st.markdown(small(_("The ensemble’s rows; those of every model are in the file.")))


def show_calibration(night: Night, route_id: str) -> None:
    """Coverage and PIT of the ensemble at one horizon."""
    rows = night.frame("calibration")
    rows = rows[(rows["series_id"] == record.series_of(route_id)) & (rows["model_id"] == ENSEMBLE)]
    st.header(_("Are the intervals well calibrated?"), anchor=False)
    if rows.empty:
        st.markdown(small(_("No calibration here in this release.")))
        return
    horizons = [str(step) for step in sorted(rows["horizon"].astype(int).unique())]
    horizon = state.choice("horizon", horizons, horizons[0])
    st.selectbox(
        _("Horizon"),
        horizons,
        width=160,
        format_func=lambda step: ngettext("{n} month", "{n} months", int(step)).format(n=step),
        **state.widget("horizon", horizon),
    )
    at = rows[rows["horizon"].astype(int) == int(horizon)]
    reads.drawn_once(night, partial(draw_calibration, at), "calibration", route_id, horizon)
    export = downloads.export_of(night, f"calibration-{horizon}", _("Calibration at past origins"), at)
    downloads.figures(export, _("Coverage and PIT at the chosen horizon"))


def draw_calibration(at: pd.DataFrame) -> None:
    """Coverage and PIT side by side."""
    coverage, pit = record.coverage_rows(at), record.pit_rows(at)
    left, right = st.columns(2, gap="medium")
    with left:
        layout.chart(coverage_chart(coverage, theme=current_theme()), coverage_alt(coverage), "coverage")
    with right:
        if not pit.empty:
            layout.chart(pit_histogram(pit, theme=current_theme()), pit_alt(pit), "pit")


show(layout.open_page())
