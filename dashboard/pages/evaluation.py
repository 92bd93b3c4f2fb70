"""Track record: is the forecast better than the baseline, do intervals hold, were alerts right; other teams."""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Mapping
from functools import partial

import pandas as pd
import streamlit as st

from core.calendar import PLANNING_MONTHS
from core.languages import NOTHING
from core.schema import ALL
from dashboard import _, downloads, evaluation_alerts, evaluation_teams, labelled, lang, layout, reads, state
from dashboard.charts.models import (
    coverage_alt,
    coverage_chart,
    pit_alt,
    pit_histogram,
    skill_alt,
    skill_chart,
    skill_key,
)
from dashboard.charts.past import past_chart, past_key
from dashboard.layout import plain, small
from dashboard.reads import Night
from dashboard.tables import localised
from dashboard.theme import current_theme
from forecasting import BASELINE, ENSEMBLE
from forecasting.verification.verdict import BETTER, LIKELY, WORSE
from reports import charts, record, skill
from reports.asylum import AsylumForecast
from reports.names import in_unit
from reports.record import PART_SERIES
from store.status import issued_skill

TITLE, PLACE = _("Track record"), 7

SCALES = ("log", "natural")
HUB = "hub"
GROUPS = ("region", "citizen", "route")
MATRIX = "evaluation_matrix.md"
CLASSES = {BETTER: "better", LIKELY: "likely", WORSE: "worse"}
PARTS = ("skill", "intervals", "groups", "situations", "alerts", "drivers", HUB)
DETAIL = "detail"
"""Anchor of the parts below the charts."""


def show(night: Night) -> None:
    """The page."""
    part = state.choice("part", PARTS, PARTS[0])
    if part != HUB:  # whose route is another choice
        state.take_over_route()
    scores = night.frame("scores")
    routes = [ALL, *record.routes_of(scores)]
    route_id = state.choice("on", routes, ALL)
    scale = state.choice("scale", SCALES, "log")
    find = partial(record.skill_rows, scores, record.series_of(route_id), scale, lang())
    rows = reads.once(night, find, "skill", route_id, scale)
    title = reads.once(night, partial(record.error_title, night, route_id, lang()), "record's error", route_id)
    st.title(title, anchor=False)
    issued = night.frame("issued_scores")
    text = _("Live: issued before the month, judged once it is counted; replayed nights do not count.")
    st.markdown(f"**{plain(record.live_title(issued, lang()))}.** :gray[{plain(f'{text} {_(record.FLATTER)}')}]")
    if part != HUB:
        name = partial(record.scored_name, language=lang())
        st.selectbox(_("Route"), routes, width=240, format_func=name, **state.widget("on", route_id))
    reads.drawn_once(night, partial(show_map, night, route_id), "skill map", route_id)
    show_past(night, route_id)
    show_issued(issued)
    st.header(_("In detail"), anchor=DETAIL)
    parts = {
        "skill": (_("Skill"), partial(show_skill, night, rows, route_id, scale)),
        "intervals": (_("Intervals"), partial(show_calibration, night, route_id)),
        "groups": (_("Groups"), partial(show_groups, night)),
        "situations": (_("Situations"), partial(show_situations, night, scale)),
        "alerts": (_("Alerts"), partial(evaluation_alerts.show, night, route_id)),
        "drivers": (_("Drivers"), partial(show_driver_tests, night)),
        HUB: (_("Other teams"), partial(evaluation_teams.show, night)),
    }
    st.segmented_control(
        _("Which scores"), PARTS, format_func=lambda one: parts[one][0], required=True,
        label_visibility="collapsed", wrap=True, **state.widget("part", part),
    )  # fmt: skip
    if part in {"skill", "situations"}:
        words = {"log": _("Logarithmic: relative errors"), "natural": _("Natural: errors in persons")}
        st.selectbox(_("Scale"), SCALES, width=240, format_func=words.__getitem__, **state.widget("scale", scale))
    parts[part][1]()


def show_past(night: Night, route_id: str) -> None:
    """Counts over what was forecast of them before, on one route or on each."""
    rows = reads.once(night, partial(record.said_and_counted, night, route_id), "said and counted", route_id)
    if rows.empty:
        return
    title = record.said_title(rows, route_id, lang())
    draw = partial(draw_past, rows, night.frame("total_scores"), route_id)
    reads.drawn_once(night, draw, "past forecasts", route_id)
    export = downloads.export_of(night, f"past-forecasts-{route_id.strip('_')}", title, rows.drop(columns="inside"))
    fans = [past_fan(own, str(one), night.as_of) for one, own in rows.groupby("route_id", sort=False)]
    downloads.figures(export, title, picture=partial(downloads.drawn, export, fans))


def past_fan(rows: pd.DataFrame, route_id: str, known_on: dt.date) -> charts.Fan:
    """The same chart for a file."""
    history = rows.rename(columns={"target_end_date": "end_date"}).assign(obs_flag="")
    what = layout.route_name(route_id)
    unit, none = in_unit(_("{unit} per month"), route_id, lang()), pd.DataFrame(columns=[0.5])
    earlier = rows.assign(origin_date=pd.Timestamp(known_on))  # one line
    return charts.Fan(history, none, known_on, unit, what, back=len(rows), earlier=earlier)


def draw_past(rows: pd.DataFrame, totals: pd.DataFrame, route_id: str) -> None:
    """The chart of each route; beside the last one how often intervals held, for months and for totals."""
    st.header(_("What was forecast 3 months before each count"), anchor=False)
    st.html(past_key(current_theme()))
    if route_id == ALL:
        st.markdown(small(_("Each route has its own scale: compare shapes, not heights.")))
    groups = list(rows.groupby("route_id", sort=False))
    each = downloads.BESIDE if route_id == ALL else 1
    places = [one for _row in groups[::each] for one in st.columns(each, gap="medium")]
    for place in places[len(groups) :][:1]:  # beside the last chart
        with place:
            st.markdown(f"**{plain(record.said_title(rows, route_id, lang()))}**")
            st.markdown("\n".join(f"- {plain(text)}" for text in record.said_by_route(rows, totals, lang())))
    for (one, own), place in zip(groups, places, strict=False):
        unit, alt = in_unit(_("{unit} per month"), str(one), lang()), record.said_title(own, str(one), lang())
        with place:
            if route_id == ALL:
                held = _("{share} inside").format(share=lang().share(own["inside"].mean()))
                st.markdown(f"### {plain(labelled(layout.route_name(str(one)), held))}", anchors=False)
            figure = past_chart(own, is_small=route_id == ALL, unit=unit, theme=current_theme())
            layout.chart(figure, alt, f"past-{one}")


def show_map(night: Night, route_id: str) -> None:
    """The map; beside it what forecasts and what alerts were worth."""
    grid = record.verdicts(night)
    if grid.empty:
        return
    drawn, said = st.columns([1.3, 1], gap="medium")
    with said:
        st.markdown("## " + _("Forecasts"), anchors=False)
        better = f"{record.title(night, route_id, lang())}."
        st.markdown("\n".join(f"- {plain(text)}" for text in [better, *record.sentences(night, route_id, lang())]))
        st.markdown("## " + _("Alerts"), anchors=False)
        alerts = record.watch_words(night.frame("track_record"), route_id, lang()) or _("Not judged yet.")
        address = f"{state.link('evaluation', on=route_id, part='alerts')}#{DETAIL}"
        more = _("**[Each rule’s record →]({link})**").format(link=address)
        st.markdown(f"- {plain(alerts)}\n- {more}")
    with drawn:
        name = partial(record.judged_name, language=lang())
        links = {name(one): state.link("route", route=one) for one in grid.index if one != ALL}
        others = record.beside(night, lang())
        for label, one in record.other_figures(night, lang()).items():
            if isinstance(one, AsylumForecast):
                links[label] = state.link("asylum", kind=one.kind, country=one.geo)
            else:
                links[label] = state.link("reception", place=one.series_id.split(".")[1])
        whole = pd.concat([grid.join(record.totals(night, grid.index, lang())).rename(index=name), others])
        st.html(as_html(whole, name(route_id), links))
        more = _("Other countries’ applications: **[Asylum]({link})**.").format(link=state.link("asylum"))
        totals = _(
            "3-month total: in the first row of all routes together. Held: the share that 80% intervals held of these "
            "totals, of asylum and reception over all months ahead."
        )
        note = plain(f"{_(skill.MARKS_WORDS)} {totals} {record.first_month_words(night, route_id, lang())}")
        st.markdown(small(f"{note} {more}"))


def as_html(grid: pd.DataFrame, chosen: str, links: Mapping[str, str]) -> str:
    """The map as a table: a sign, a colour and a hidden word in every cell; the route chosen has a mark."""
    corner, heads = _("Months ahead"), "".join(f'<th scope="col">{step}</th>' for step in grid.columns)
    lines = []
    for named, row in grid.iterrows():
        cells = "".join(
            f'<td class="vigie-{CLASSES.get(verdict, "none")}">{skill.MARKS[verdict]}'
            f'<span class="vigie-hidden">{html.escape(_(verdict))}</span></td>'
            if verdict in skill.MARKS
            else f"<td>{html.escape(verdict) if isinstance(verdict, str) else ''}</td>"
            for verdict in row
        )
        name = f"<strong>{'▸ ' if named == chosen else ''}{html.escape(str(named))}</strong>"
        if named in links:
            name = f'<a href="{html.escape(links[str(named)])}" target="_self">{name}</a>'
        lines.append(f'<tr><th scope="row">{name}</th>{cells}</tr>')
    return (
        f'<table class="vigie-map"><thead><tr><th scope="col">{html.escape(corner)}</th>{heads}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table>"
    )


def show_situations(night: Night, scale: str) -> None:
    """One row per situation, and what each means."""
    st.header(_("How good is it where it matters?"), anchor=False)
    rows = night.frame("situation_scores")
    if rows.empty:
        st.markdown(small(_("No scores by situation in this release.")))
        return
    title = _("Scores by situation, over the baseline’s")
    text = _("Error over the baseline’s: below 1 is better. Brackets: 90% interval; none with too few dates.")
    st.markdown(small(text))
    table = record.situation_table(rows[rows["scale"] == scale], lang())
    st.table(table, border="horizontal", hide_index=True, alt=title)
    st.markdown("\n".join(f"- {text}" for text in situation_meanings()))
    downloads.buttons(downloads.export_of(night, "situation-scores", title, rows))


def situation_meanings() -> list[str]:
    """How to read each kind of row, in one sentence."""
    return [
        _("Size: how good the forecast is for routes with few and with many people a month in the year before."),
        _(
            "Surge: months with at least 1.5 times the mean of the year before. Who always warns does well here, so "
            "read the next row too."
        ),
        _("High figures: only errors above the level that nine in ten earlier months stayed under, in any month."),
        _(
            "Whole paths: whether twelve months in a row, as totals and scenarios use them, come nearer to what "
            "happened than the baseline’s."
        ),
    ]


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
    """The chart."""
    st.header(_("Skill against the baseline, by months ahead"), anchor=False)
    drawn = rows[rows["model_id"] != BASELINE]
    with st.container(key="skill-chart"):
        st.html(skill_key(drawn, theme=current_theme()))
        layout.chart(skill_chart(drawn, theme=current_theme()), skill_alt(drawn), "skill")


def show_table(rows: pd.DataFrame) -> None:
    """The same as a sortable table."""
    text = _(
        "Error: the weighted interval score (WIS), which counts misses and wide ranges, divided by the baseline’s on "
        "the same months. Below 1 is better than the baseline: the last count repeated, with its own past errors. "
        "Bars: 90% intervals. Proven: by a test that allows for the number of routes and months (Holm’s)."
    )
    st.markdown(small(text))
    table = record.skill_table(rows, lang())
    with st.container(key="skill-screen"), st.expander(_("Every model and month in figures")):
        alt, pixels = _("Scores of every model at every horizon; click a column to sort"), 458  # the ensemble's rows
        st.dataframe(localised(table), hide_index=True, height=pixels, placeholder=NOTHING, alt=alt)
        if note := record.baseline_note(rows, lang()):
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
    usual = str(PLANNING_MONTHS)
    horizon = state.choice("horizon", horizons, usual if usual in horizons else horizons[0])
    st.selectbox(_("Horizon"), horizons, width=160, format_func=layout.month_count, **state.widget("horizon", horizon))
    at = rows[rows["horizon"].astype(int) == int(horizon)]
    reads.drawn_once(night, partial(draw_calibration, at), "calibration", route_id, horizon)
    export = downloads.export_of(night, f"calibration-{horizon}", _("Calibration at past origins"), at)
    downloads.figures(export, _("Coverage and PIT at the chosen horizon"))


def draw_calibration(at: pd.DataFrame) -> None:
    """Coverage and PIT side by side."""
    coverage, pit = record.coverage_rows(at), record.pit_rows(at)
    st.markdown(" ".join(plain(text) for text in (coverage_alt(coverage), "" if pit.empty else pit_alt(pit))))
    left, right = st.columns(2, gap="medium")
    with left:
        layout.chart(coverage_chart(coverage, theme=current_theme()), coverage_alt(coverage), "coverage")
    with right:
        if not pit.empty:
            layout.chart(pit_histogram(pit, theme=current_theme()), pit_alt(pit), "pit")


def show_issued(issued: pd.DataFrame) -> None:
    """Forecasts scored as they were issued: the one score that no choice of a recipe can have touched."""
    found = issued_skill(issued)
    if len(found):
        st.dataframe(
            localised(record.issued_table(found, lang())),
            hide_index=True,
            placeholder=NOTHING,
            alt=_("Scores of forecasts as they were issued"),
        )


def show_groups(night: Night) -> None:
    """Errors of one kind of group at one distance, the worst marked; and the evaluation matrix as a file."""
    rows = night.frame("group_errors")
    st.header(_("Is it as good for everybody?"), anchor=False)
    if rows.empty:
        st.markdown(small(_("No errors by group in this release.")))
        return
    words = {"region": _("Region of origin"), "citizen": _("Nationality"), "route": _("Route")}
    kind = state.choice("group", GROUPS, "region")
    steps = [str(step) for step in sorted(rows["horizon"].astype(int).unique()) if step in {1, 3, 6, 12}]
    ahead = state.choice("group_ahead", steps, "3" if "3" in steps else steps[0])
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.segmented_control(
            _("Groups by"), GROUPS, format_func=words.__getitem__, required=True, **state.widget("group", kind)
        )
        st.selectbox(
            _("Months ahead"), steps, width=160, format_func=layout.month_count, **state.widget("group_ahead", ahead)
        )
    chosen = rows[(rows["kind"] == kind) & (rows["horizon"].astype(int) == int(ahead))]
    reads.drawn_once(night, partial(draw_groups, chosen), "groups", kind, ahead)
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="small"):
        downloads.document_button(night, MATRIX, _("Evaluation matrix"))
        downloads.buttons(downloads.export_of(night, "errors-by-group", _("Errors of the forecast by group"), rows))


def draw_groups(chosen: pd.DataFrame) -> None:
    """The groups_finding, the groups_table, and how to read it."""
    st.markdown(plain(record.groups_finding(chosen, lang())))
    table, alt = record.groups_table(chosen, lang()), _("Errors of the forecast by group")
    st.table(table, border="horizontal", hide_index=True, alt=alt)
    text = _(
        "Relative WIS below 1: better than the baseline. Bias from −1 to 1: positive where forecasts were too high. By "
        "nationality the ensemble forecasts each route’s ten largest groups at past dates, from final figures cut at "
        "each date; releases themselves forecast routes only."
    )
    st.markdown(small(text))


def show_driver_tests(night: Night) -> None:
    """The finding, the drivers_table, where it comes from, and the files."""
    tests = night.frame("driver_tests")
    tests = tests[tests["scale"] == "log"]
    st.header(record.drivers_title(tests[tests["series_id"] == ALL], lang()), anchor=False)
    if tests.empty:
        st.markdown(layout.small(_("No test of drivers in this release.")))
        return
    text = _(
        "Each driver is added to the pooled model and judged on the same past months as the model without it. A gain "
        "counts only if the 90% interval of the ratio lies below 1 against three rivals: no driver; the same driver "
        "late by two and a half years, in the wrong months; a constant that tells only where figures exist. And it "
        "must stand after Holm’s correction for the number of tests. “Makes it worse” rests on the interval alone, "
        "not on p."
    )
    st.markdown(text)
    places = [ALL, PART_SERIES, *sorted(set(tests["series_id"]) - {ALL, PART_SERIES})]
    place = state.choice("driver_rows", places, ALL)
    name = partial(record.scored_name, language=lang())
    st.selectbox(_("Series"), places, width=320, format_func=name, **state.widget("driver_rows", place))
    shown = tests[tests["series_id"] == place]
    alt = _("Ratios of scores with and without each driver, by months ahead")
    st.dataframe(record.drivers_table(shown, lang()), hide_index=True, alt=alt)
    st.markdown(layout.small(record.origin_words(shown, lang())))
    downloads.buttons(downloads.export_of(night, "driver-tests", _("Tests of drivers"), tests, []))


show(layout.open_page())
