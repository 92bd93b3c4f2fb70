"""Editions on the Data page: what was taken in, what waits for a person, and the decision about it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from access.roles import DECIDE_EDITION
from core.errors import VigieError
from core.settings import home_folder
from dashboard import downloads, layout, reads, visitor
from dashboard.failures import error_words
from dashboard.i18n import _, lang, named, ngettext
from dashboard.layout import plain, small
from dashboard.reads import Night
from dashboard.tables import no_break
from reports.names import EDITION_STATES, EDITION_STEPS, message_in
from store.editions import HELD, STEPS, Action, Edition, EditionStore
from workflow.decisions import decide_edition

MARKS = {"held": "◐", "known": "●", "withdrawn": "↩", "rejected": "✕"}
COLOURS = {"held": "orange", "known": "blue", "withdrawn": "gray", "rejected": "gray"}
NEWEST = 30


def show(night: Night) -> None:
    """Editions as they are now, the newest first: a decision counts at once, for the next release."""
    try:
        found = EditionStore(home_folder(), reads.journal()).all()
    except VigieError as error:
        st.warning(plain(error_words(error)))
        return
    st.header(_("Editions"), anchor=False)
    if not found:
        st.markdown(small(_("No file or answer was taken in: all figures are those that come with Vigie.")))
        return
    held = [one for one in found if one.state == HELD]
    if held:
        text = ngettext(
            "{n} edition waits for a person: its figures are not known yet.",
            "{n} editions wait for a person: their figures are not known yet.",
            len(held),
        )
        st.warning(text.format(n=len(held)))
    newest = [*reversed(held), *[one for one in reversed(found) if one.state != HELD]][:NEWEST]
    table = {
        _("Edition"): [f"`{one.edition_id}`" for one in newest],
        _("Source"): [plain(layout.source_name(night, one.source_id)) for one in newest],
        _("State"): [
            f":{COLOURS[one.state]}-badge[{MARKS[one.state]} {named(EDITION_STATES, one.state)}]" for one in newest
        ],
        _("Received"): [no_break(lang().day_short(one.received.date())) for one in newest],
        _("Given by"): [plain(one.given_by) for one in newest],
        _("What it changed"): [_changes(one) for one in newest],
        _("Why"): [_why(one) for one in newest],
    }
    st.table(pd.DataFrame(table), border="horizontal", hide_index=True, alt=_("Editions taken in, the newest first"))
    as_records = pd.DataFrame([one.record() for one in found])
    downloads.buttons(downloads.export_of(night, "editions", _("Editions"), as_records, list(night.sources())))
    open_ones = [one for one in newest if one.state in STEPS]
    if open_ones and visitor.allows(DECIDE_EDITION):
        with st.expander(_("Decide about an edition"), expanded=bool(held)):
            _show_form(open_ones)


def _changes(one: Edition) -> str:
    parts = {
        "new": ngettext("{n} new", "{n} new", one.new),
        "changed": ngettext("{n} changed", "{n} changed", one.changed),
        "gone": ngettext("{n} taken away", "{n} taken away", one.gone),
    }
    counts = {name: text.format(n=lang().counted(getattr(one, name))) for name, text in parts.items()}
    return _("{new}, {changed}, {gone}, of {rows}").format(**counts, rows=lang().counted(one.rows))


def _why(one: Edition) -> str:
    said = [*one.why_held, *one.told]
    texts = [plain(message_in(message, lang())) for message in said]
    if one.decided is not None:
        decided = _("{state} by {who} on {day}: {reason}")
        day = lang().day(one.decided.date())
        texts.append(
            plain(
                decided.format(state=named(EDITION_STATES, one.state), who=one.decided_by, day=day, reason=one.reason)
            )
        )
    return "  \n".join(texts)


def _show_form(editions: list[Edition]) -> None:
    by_id = {one.edition_id: one for one in editions}
    chosen = st.selectbox(_("Edition"), list(by_id), format_func=lambda name: f"{name} · {by_id[name].file}")
    if why := _why(by_id[chosen]):  # on a phone the table's last column lies beyond the edge
        st.markdown(why)
    with st.form("decide-edition", clear_on_submit=True):
        steps = STEPS[by_id[chosen].state]
        step: Action = st.radio(
            _("Decision"), steps, format_func=lambda name: named(EDITION_STEPS, name), horizontal=True
        )
        reason = st.text_input(_("Why"), max_chars=500)
        who = visitor.ask_name()
        if not st.form_submit_button(_("Decide")):
            return
    try:
        decide_edition(reads.workflow(), visitor.actor(who), step, chosen, reason)
    except VigieError as error:
        st.error(plain(error_words(error)))
        return
    st.rerun()
