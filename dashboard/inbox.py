"""Where alerts stand for the inbox, and what the reader does to them. Every step is checked again when it is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

import streamlit as st

from alerts.lifecycle import (
    ACKNOWLEDGED,
    ANSWERED,
    COMMENTED,
    CORRECTION,
    DISMISSED,
    DISSENTED,
    PROPOSED,
    SIGNED_OFF,
    State,
    fold,
)
from core.errors import VigieError
from core.schema import Entry
from dashboard import _, labelled, lang, ngettext, reads, visitor
from dashboard.layout import error_words, plain, small
from dashboard.reads import Night
from decisions.actions import Outcome, Preview, Step, act, preview
from decisions.sending import start_sending
from reports import Row, entries_until
from reports.answer import consequences, recipients_words
from reports.messages import mail_text
from store.releases import ReleaseStore

LONGEST_REASON = 1000
ACTING_AS = "acting_as"
"""The reader's name, asked once in a visit."""
_DOING = "doing"
_SAID = "said"


@dataclass(frozen=True)
class AlertStatus:
    """One alert's rows and the state they fold to."""

    rows: list[Entry]
    state: State


def statuses(alerts: Mapping[str, str], run_id: str) -> dict[str, AlertStatus]:
    """Where alerts stood while a release was the newest; where the journal cannot be opened, as it proposes them.

    Args:
        alerts: Level of each alert by alert_id; empty where it has ended.
        run_id: The release: what was decided after it is not shown with it.
    """
    try:
        about = reads.journal().about(list(alerts))
        rows = {alert_id: entries_until(entries, run_id) for alert_id, entries in about.items()}
    except VigieError:
        rows = {alert_id: [] for alert_id in alerts}
    return {alert_id: AlertStatus(rows[alert_id], fold(rows[alert_id], level)) for alert_id, level in alerts.items()}


def show_toast() -> None:
    """Say what the last step did."""
    if said := st.session_state.pop(_SAID, ""):
        st.toast(said)


def show_decision(night: Night, row: Row, status: AlertStatus) -> None:
    """The decision on an alert: the message, its recipients, who has signed and who must, what follows, the steps."""
    st.markdown("### " + _("Decide"), anchors=False)
    state = status.state
    if state.status == PROPOSED:
        find = partial(_preview, night, str(row["alert_id"]))
        found = reads.once(night, find, "alert's message", row["alert_id"], state.version)
        with st.expander(_("The message, as it would be sent: {title}").format(title=plain(found.message.title))):
            st.code(mail_text(found.message), language=None, wrap_lines=True)
        kinds = {name: channel.kind for name, channel in reads.workflow().settings.delivery.channels.items()}
        facts = {
            _("Recipients"): recipients_words(found.readers, kinds, lang()),
            _("Signatures"): [_who_may_sign()],
            _("What follows"): consequences(found.quiet, found.held_until, lang()),
        }
        st.markdown("\n".join(f"- **{labelled(label, '')}** {plain(' '.join(said))}" for label, said in facts.items()))
    show_actions(night, row, state)


def _preview(night: Night, alert_id: str) -> Preview:
    workflow = reads.workflow()
    return preview(workflow, ReleaseStore(workflow.home).get(night.run_id), alert_id, lang().code)


def _who_may_sign() -> str:
    if visitor.settings().is_on:
        return _("Signatures are made with a login whose role may sign.")
    return _("Without a login, anybody who gives a name may sign.")


def is_practice(night: Night) -> bool:
    """Whether a sign-off sends nothing, because the release replays a past night."""
    return night.replay and not reads.workflow().settings.delivery.replays


def show_actions(night: Night, row: Row, state: State) -> None:
    """Buttons of the steps that the alert's state allows; a click asks for the reason."""
    words = _action_words(practice=is_practice(night))
    allowed = [action for action in (DISMISSED, ACKNOWLEDGED, SIGNED_OFF) if _is_allowed(state, action)]
    with st.container(horizontal=True, gap="small"):
        for action in allowed[::-1]:
            kind: Literal["primary", "secondary", "tertiary"] = "primary" if action == allowed[-1] else "secondary"
            st.button(
                words[action],
                key=f"step:{action}:{row['alert_id']}:{state.version}",
                type="tertiary" if action == DISMISSED else kind,
                on_click=partial(_begin, str(row["alert_id"]), action, state.version),
            )


def show_form(night: Night, row: Row, *, is_newest: bool) -> None:
    """The form of the step that was begun, if one was: name, reason, and what will happen."""
    doing = st.session_state.get(_DOING)
    if not is_newest or doing is None or doing[0] != row["alert_id"]:
        return
    _alert, action, seen = doing
    with st.form(f"form:{action}", border=True):
        st.markdown(f"**{_action_words(practice=is_practice(night))[action]}** · {small(_consequence(action))}")
        name = _ask_name(action)
        reason = st.text_area(_("Reason"), max_chars=LONGEST_REASON, height=80, key=f"reason:{action}")
        with st.container(horizontal=True, horizontal_alignment="right"):
            cancelled = st.form_submit_button(_("Cancel"), type="tertiary")
            confirmed = st.form_submit_button(_("Confirm"), type="primary")
    st.markdown(small(_("Name, time and reason are kept for good in the journal.")))
    if cancelled:
        st.session_state.pop(_DOING, None)
        st.rerun()
    if confirmed:
        _take(night, row, Step(visitor.actor(name), action, reason, seen))


def show_objections(night: Night, row: Row, state: State, *, is_newest: bool) -> None:
    """Show dissent and corrections without an answer, beside the alert."""
    titles = {DISSENTED: _("Dissent"), CORRECTION: _("Correction")}
    for entry in state.objections:
        head = _("{what} by {who}, {day}").format(
            what=titles[entry.action], who=plain(entry.actor), day=lang().day(entry.at.date())
        )
        st.warning(labelled(f"**{head}**", plain(entry.reason)), icon=":material/forum:")
        may_answer = is_newest and visitor.allows(ANSWERED)
        if may_answer and st.toggle(_("Answer this note ({n})").format(n=entry.id), key=f"answer:{entry.id}"):
            with st.form(f"answering:{entry.id}", border=False, clear_on_submit=True):
                name = _ask_name(f"answer {entry.id}")
                reason = st.text_area(_("Answer"), max_chars=LONGEST_REASON, height=80)
                answered = st.form_submit_button(_("File the answer"))
            if answered:
                _take(night, row, Step(visitor.actor(name), ANSWERED, reason, payload={"answers": entry.id}))


def show_notes(night: Night, row: Row, *, is_newest: bool) -> None:
    """Comment, dissent or a correction, by any reader, at any time while the alert is in the newest release."""
    if not is_newest:
        st.markdown(small(_("Steps and notes are taken on the newest release.")))
        return
    kinds = {COMMENTED: _("Comment"), DISSENTED: _("Dissent"), CORRECTION: _("Correction")}
    with st.expander(_("Comment, disagree or correct")):
        with st.form("note", border=False, clear_on_submit=True):
            kind = st.segmented_control(
                _("Kind of note"), list(kinds), format_func=kinds.__getitem__, default=COMMENTED, required=True,
                label_visibility="collapsed",
            )  # fmt: skip
            name = _ask_name("note")
            reason = st.text_area(_("Comment"), max_chars=LONGEST_REASON, height=80)
            filed = st.form_submit_button(_("Save"))
        st.markdown(small(_("Dissent and corrections stay beside the alert until they are answered.")))
    if filed:
        _take(night, row, Step(visitor.actor(name), str(kind), reason))


def _ask_name(form: str) -> str:
    """The reader's name: given by the login, else asked once in a visit, then shown."""
    if signed_in := visitor.reader().name:
        st.markdown(small(_("Acting as {name}, as you signed in.").format(name=plain(signed_in))))
        return signed_in
    known = str(st.session_state.get(ACTING_AS, ""))
    if not known:
        return st.text_input(_("Your name"), max_chars=visitor.LONGEST_NAME, autocomplete="name", key=f"name:{form}")
    st.markdown(small(_("Acting as {name}. Reload the page to act as somebody else.").format(name=plain(known))))
    return known


def _begin(alert_id: str, action: str, version: int) -> None:
    st.session_state[_DOING] = (alert_id, action, version)


def _take(night: Night, row: Row, step: Step) -> None:
    """Do a step, say what came of it, and show the page anew."""
    if not step.actor.name.strip() or not step.reason.strip():
        st.error(_("Give your name and a reason: both are kept with the decision."))
        return
    try:
        outcome = _act(night, str(row["alert_id"]), step)
    except VigieError as error:
        st.error(plain(_("Not recorded: {error}").format(error=error_words(error))))
        return
    st.session_state[ACTING_AS] = step.actor.name.strip()
    st.session_state.pop(_DOING, None)
    st.session_state[_SAID] = _outcome_words(step, outcome)
    st.rerun()


def _act(night: Night, alert_id: str, step: Step) -> Outcome:
    workflow = reads.workflow()
    outcome = act(workflow, ReleaseStore(workflow.home).get(night.run_id), alert_id, step)
    if outcome.announced:
        start_sending(workflow.home, workflow.settings)
    return outcome


def _outcome_words(step: Step, outcome: Outcome) -> str:
    said = _("Recorded in the journal.")
    missing = outcome.state.sign_offs_missing
    if step.action == SIGNED_OFF and missing:
        text = ngettext("{n} more person must sign it off.", "{n} more people must sign it off.", missing)
        return f"{said} {text.format(n=missing)}"
    if outcome.why_not:
        return f"{said} " + _("Nothing is sent: this release replays a past night.")
    if outcome.held_until is not None:
        text = _("Notifications are held until {day}: recipients were recently told about this.")
        return f"{said} {text.format(day=lang().day(outcome.held_until.date()))}"
    return f"{said} " + _("Notifications are being sent.") if outcome.announced else said


def _is_allowed(state: State, action: str) -> bool:
    """What the state allows to anybody and the reader's role to them; both are asked again when it is done."""
    steps = {PROPOSED: {SIGNED_OFF, DISMISSED}, SIGNED_OFF: {ACKNOWLEDGED, DISMISSED}, ACKNOWLEDGED: {DISMISSED}}
    return action in steps.get(state.status, set()) and visitor.allows(action)


def _action_words(*, practice: bool) -> dict[str, str]:
    sign = _("Practise the sign-off (nothing is sent)") if practice else _("Sign off and send")
    return {DISMISSED: _("Dismiss"), ACKNOWLEDGED: _("Acknowledge"), SIGNED_OFF: sign}


def _consequence(action: str) -> str:
    return {
        DISMISSED: _("The alert is dismissed; recipients are told it has been withdrawn."),
        ACKNOWLEDGED: _("Acknowledged: a responder is assigned."),
        SIGNED_OFF: _("Sent only after sign-off: one person, or two for a severe alert."),
    }[action]
