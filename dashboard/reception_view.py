"""Reception places on the page Scenarios: the reader's own stock, the first month short, and what the house keeps."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from access.roles import KEEP_PLACES
from core.entry import Entry
from core.errors import VigieError
from dashboard import layout, reads, state, visitor
from dashboard.charts.scenario import places_chart
from dashboard.failures import error_words
from dashboard.i18n import _, labelled, lang
from dashboard.layout import plain, small
from dashboard.reads import Night
from dashboard.scenario_state import PLACES, Values
from dashboard.theme import current_theme
from reports import reception
from reports import scenario as wording
from reports.release import Reception, entries_until
from workflow.decisions import keep_places

LONGEST_NAME = 80
_NAME = "places:name"


def kept(night: Night, route_id: str) -> Entry | None:
    """The places that were kept for a route while a release was the newest; None where none were."""
    try:
        entries = reads.journal().entries(action=KEEP_PLACES, subject=reception.subject(route_id))
    except VigieError:
        return None
    return reception.kept_by_route(entries_until(entries, night.run_id)).get(route_id)


def kept_values(row: Entry | None) -> Values:
    """Levers that are kept, by name; what the address says goes before them."""
    return {name: str(value) for name, value in row.payload["query"].items() if name in PLACES} if row else {}


def show_demand(night: Night, wanted: Reception, trajectories: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Sentences and picture: demand by the forecast and under the assumption against the places there are.

    Returns:
        The rows for the files, and the sentence that is their title.
    """
    then, together = reception.demand(night, wanted, trajectories)
    plainly, usual = reception.demand(night, wanted)
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
        at = reception.reception_of(row.payload["query"], wanted.route_id)
        text = _("Kept here by {who}, {day}: {assumed}. The briefing shows it; nothing that is mailed does.")
        day = lang().day(row.at.date())
        st.markdown(small(plain(text.format(who=row.actor, day=day, assumed=reception.assumed(at, lang())))))
    if same or not (wanted.stock or row) or not visitor.allows(KEEP_PLACES) or night.run_id != reads.newest_run_id():
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        typed = visitor.reader().name or st.text_input(_("Your name"), max_chars=LONGEST_NAME, key=_NAME, width=220)
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
