"""What people keep on the page Scenarios: scenarios, opened by link and compared, and reception places of a route."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from access import DELETE_SCENARIO, KEEP_PLACES
from core.errors import VigieError
from core.schema import Entry
from dashboard import _, downloads, labelled, lang, layout, reads, state, visitor
from dashboard.charts.scenario import compare_alt, compare_chart, places_chart
from dashboard.layout import error_words, plain, small
from dashboard.reads import Night
from dashboard.tables import no_break
from dashboard.theme import current_theme
from decisions.actions import SCENARIO_STEPS, delete_scenario, keep_places, save_scenario, scenarios_saved
from reports import Reception, citations, entries_until, numbers, reception, whatif
from reports import scenario as wording
from reports.whatif import PLACES, Scenario, Values

MOST_COMPARED = 4
LONGEST_TITLE = 120


def show_saved(
    night: Night, values: Values, scenario: Scenario, trajectories: pd.DataFrame, routes: Sequence[str]
) -> None:
    """Save this one; list those saved; compare."""
    saved = saved_scenarios()
    left, right = st.columns([1, 2.2], gap="medium")
    with left:
        _show_form(night, values, scenario)
    with right:
        _show_list(saved)
        if saved and visitor.allows(DELETE_SCENARIO):
            with st.expander(_("Delete a saved scenario")):
                _show_deletion(night, saved)
    _show_comparison(night, values, scenario, trajectories, routes, saved)


def saved_scenarios() -> dict[str, Entry]:
    """The newest entry of each saved scenario, by its assumption, the newest first: saved again it has its new name."""
    try:
        return scenarios_saved(reads.journal().entries(action=SCENARIO_STEPS))
    except VigieError as error:
        st.warning(plain(error_words(error)))
        return {}


def _show_form(night: Night, values: Values, scenario: Scenario) -> None:
    st.markdown("## " + _("Save this scenario"), anchors=False)
    with st.form("save-scenario", clear_on_submit=True):
        name = st.text_input(_("Name of the scenario"), max_chars=LONGEST_TITLE)
        who = visitor.ask_name()
        if not st.form_submit_button(_("Save")):
            return
    if not name.strip() or not who.strip():
        st.warning(_("A scenario is saved with its name and yours."))
        return
    query = whatif.assumption(values, scenario.route_id)
    subject = whatif.scenario_id(values, scenario.route_id)
    try:
        save_scenario(reads.workflow(), visitor.actor(who), subject, night.run_id, name, query)
    except VigieError as error:
        st.error(plain(error_words(error)))
        return
    st.rerun()


def _show_deletion(night: Night, saved: dict[str, Entry]) -> None:
    with st.form("delete-scenario", border=False):
        subject = st.selectbox(_("Scenario"), list(saved), format_func=lambda one: saved[one].reason)
        who = visitor.ask_name(key="deleted-by")
        sure = st.checkbox(_("Delete it from the list, for everybody here"))
        st.markdown(small(_("Who saved it and who deleted it stays in the journal for good.")))
        if not st.form_submit_button(_("Delete")):
            return
    if not sure or not who.strip():
        st.warning(_("A scenario is deleted with your name, once you have ticked that you mean it."))
        return
    try:
        delete_scenario(reads.workflow(), visitor.actor(who), subject, night.run_id)
    except VigieError as error:
        st.error(plain(error_words(error)))
        return
    _stop_comparing(subject)
    st.rerun()


def _stop_comparing(subject: str) -> None:
    """Remove it from the address, which would be refused as wrong."""
    if compared := st.query_params.get("compare"):
        left = [one for one in compared.split(",") if one != subject]
        state.write("compare", ",".join(left) or None)


def _show_list(saved: dict[str, Entry]) -> None:
    st.markdown("## " + _("Saved scenarios"), anchors=False)
    if not saved:
        st.markdown(small(_("None yet. Whoever has the address of this page sees this scenario without saving it.")))
        return
    entries = list(saved.values())
    table = pd.DataFrame(
        {
            _("Scenario"): [f"[{plain(entry.reason)}]({_link(entry)})" for entry in entries],
            _("Route"): [layout.route_name(str(entry.payload["query"]["route"])) for entry in entries],
            _("Saved by"): [plain(entry.actor) for entry in entries],
            _("Date"): [no_break(lang().day_short(entry.at.date())) for entry in entries],
        }
    )
    st.table(table, border="horizontal", hide_index=True, alt=_("Scenarios that people saved"))


def _link(entry: Entry) -> str:
    return state.link("scenarios", **{**entry.payload["query"], "part": "saved"})


def _show_comparison(
    night: Night, values: Values, scenario: Scenario, trajectories: pd.DataFrame, routes: Sequence[str],
    saved: dict[str, Entry],
) -> None:  # fmt: skip
    """This scenario, those chosen, and the forecast: totals of the route's next months."""
    chosen = state.many("compare", list(saved)) if "compare" in st.query_params else []
    if saved:
        st.multiselect(
            _("Compare with"), list(saved), max_selections=MOST_COMPARED,
            format_func=lambda subject: saved[subject].reason,
            **state.widget("compare", chosen, lambda names: ",".join(names) or None),
        )  # fmt: skip
    ends = whatif.title_months(night, scenario.route_id)
    everything = [
        (_("Forecast"), night.frame("trajectories")),
        (_("This scenario"), trajectories),
        *_others(night, [saved[name] for name in chosen], scenario.route_id, routes),
    ]
    rows = pd.DataFrame(
        [
            {"name": name, "is_forecast": place == 0, **whatif.totals(paths, scenario.route_id, ends)}
            for place, (name, paths) in enumerate(everything)
        ]
    )
    unit = _("{route}, arrivals expected {when}").format(
        route=layout.route_name(scenario.route_id), when=lang().in_months(ends[0], ends[-1])
    )
    layout.chart(compare_chart(rows, unit=unit, theme=current_theme()), compare_alt(rows, unit=unit), "compare")
    frame = rows.drop(columns="is_forecast")
    sources = citations.sources_of(night, [numbers.route_series(scenario.route_id)])
    made = downloads.with_notes(
        downloads.export_of(night, f"scenarios-compared-{scenario.route_id}", unit, frame, sources),
        [wording.conditional_note(lang()), labelled(_("This scenario"), f"{wording.assumption(values, lang())}.")],
    )
    downloads.figures(made, unit)


def _others(
    night: Night, entries: Sequence[Entry], route_id: str, routes: Sequence[str]
) -> list[tuple[str, pd.DataFrame]]:
    """Saved scenarios worked out on this release; those that have no answer here are named."""
    out = []
    for entry in entries:
        query = {str(name): str(text) for name, text in entry.payload["query"].items()}
        own_route = query.pop("route", route_id)
        known = whatif.levers(night, own_route if own_route in routes else route_id, list(routes))
        values, bad = whatif.parse(query, known)
        found = None if bad or own_route not in routes else whatif.build(night, values, own_route, lang())
        if found is None or found.trajectories is None:
            text = _("“{name}” has no answer on this release.")
            st.markdown(small(plain(text.format(name=entry.reason))))
            continue
        out.append((entry.reason, found.trajectories))
    return out


def kept(night: Night, route_id: str) -> Entry | None:
    """The places that were kept for a route while a release was the newest; None where none were."""
    try:
        entries = reads.journal().entries(action=KEEP_PLACES, subject=wording.places_subject(route_id))
    except VigieError:
        return None
    return wording.kept_by_route(entries_until(entries, night.run_id)).get(route_id)


def kept_values(row: Entry | None) -> Values:
    """Levers that are kept, by name; what the address says goes before them."""
    return {name: str(value) for name, value in row.payload["query"].items() if name in PLACES} if row else {}


def show_demand(night: Night, wanted: Reception, trajectories: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Sentences and picture: demand by the forecast and under the assumption against the places there are.

    Returns:
        The rows for the files, and the sentence that is their title.
    """
    then, together = wording.demand(night, wanted, trajectories)
    plainly, usual = wording.demand(night, wanted)
    if wanted.stock:
        for head, needed in ((_("By the forecast"), plainly), (_("Under the assumption"), then)):
            short = wording.first_short(needed, wanted.stock, wanted.confidence, lang())
            st.markdown(labelled(head, plain(short)))
    said = wording.places_enough(then, together, usual, wanted.confidence, lang())
    st.markdown(said)
    unit = _("Places at the end of the month")
    st.markdown(small(_("Solid line: under the assumption. Dashed: by the forecast.")))
    figure = places_chart(plainly, then, wanted.stock, unit=unit, theme=current_theme())
    title = said.replace("**", "")
    layout.chart(figure, title, "places")
    with st.container(key="numbers-places"):
        st.table(places_table(plainly, then), border="horizontal", hide_index=True, alt=title)
    alone = _("Each row is for that month alone: to be sure of all months at once takes more places.")
    st.markdown(small(f"{alone} {_(wording.counted_places())}"))
    return places_file(plainly, then, wanted), title


def show_keeping(night: Night, row: Entry | None, wanted: Reception, values: Mapping[str, str]) -> None:
    """What is kept for the route, and the button that keeps what the reader has entered for everybody here."""
    now = {name: values[name] for name in PLACES}
    same = row is not None and kept_values(row) == now
    if row is not None:
        at = wording.reception_of(row.payload["query"], wanted.route_id)
        text = _("Kept here by {who}, {day}: {assumed}. The briefing shows it; nothing that is mailed does.")
        day = lang().day(row.at.date())
        st.markdown(small(plain(text.format(who=row.actor, day=day, assumed=wording.assumed(at, lang())))))
    if same or not (wanted.stock or row) or not visitor.allows(KEEP_PLACES) or not reads.is_newest(night):
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        typed = visitor.ask_name(key="places:name", width=220)
        label = _("Keep these places for everybody here") if wanted.stock else _("Keep no places any more")
        if not st.button(label, key="keep-places"):
            return
    if not typed.strip():
        st.warning(_("Places are kept with your name."))
        return
    try:
        keep_places(reads.workflow(), visitor.actor(typed), wanted.route_id, night.run_id, now)
    except VigieError as error:
        st.error(plain(error_words(error)))
        return
    for name in PLACES:
        state.write(name, None)
    st.rerun()


def chosen_factor(needs: pd.DataFrame) -> float:
    """By what arrivals ahead are multiplied."""
    return float(state.choice("factor", _factors(needs), "1.0"))


def show_factor(needs: pd.DataFrame, factor: float) -> None:
    """The slider of that choice, where the release has scenarios."""
    factors = _factors(needs)
    if len(factors) > 1:
        st.select_slider(
            _("What if arrivals differ from the forecast?"), factors,
            format_func=lambda text: f"× {lang().significant(float(text))}", width=320,
            **state.widget("factor", str(factor)),
        )  # fmt: skip


def _factors(needs: pd.DataFrame) -> list[str]:
    return [str(factor) for factor in sorted(needs["factor"].unique())]


def show_people(night: Night, route_id: str, trajectories: pd.DataFrame) -> None:
    """What the scenario's arrivals mean for people in reception where they lead."""
    needs = reception.reached_by(night.frame("reception_needs"), route_id)
    if needs.empty:
        return
    lines = reception.scenario_lines(needs, night.frame("trajectories"), trajectories, lang())
    st.markdown("\n".join(f"- {plain(line)}" for line in lines))


def places_file(forecast: pd.DataFrame, then: pd.DataFrame, wanted: Reception) -> pd.DataFrame:
    """``month, kind, median, places, confidence, stay_months, stay_kind, needs_place``."""
    parts = [
        table.assign(kind=kind, month=pd.DatetimeIndex(table["target_end_date"]).strftime("%Y-%m"))
        for kind, table in (("forecast", forecast), ("scenario", then))
    ]
    made = pd.concat(parts, ignore_index=True)[["month", "kind", "median", "places"]]
    return made.assign(
        confidence=wanted.confidence,
        stay_months=wanted.needs.stay_months,
        stay_kind=wanted.needs.stay,
        needs_place=wanted.needs.share,
    )


def places_table(forecast: pd.DataFrame, then: pd.DataFrame) -> pd.DataFrame:
    """Places by month's end, scenario beside forecast."""
    return pd.DataFrame(
        {
            _("End of"): [lang().month(end) for end in then["target_end_date"]],
            _("Places, scenario"): [lang().expected(value) for value in then["places"]],
            _("Median, scenario"): [lang().expected(value) for value in then["median"]],
            _("Places, forecast"): [lang().expected(value) for value in forecast["places"]],
            _("Median, forecast"): [lang().expected(value) for value in forecast["median"]],
        }
    )
