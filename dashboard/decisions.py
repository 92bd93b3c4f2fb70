"""Where alerts stand, what the reader decides of them, and the cards of the Overview.

Every step is checked again when it is done.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

import pandas as pd
import streamlit as st

from access import PERMISSIONS
from alerts import INFORMATION
from alerts.lifecycle import (
    ACKNOWLEDGED,
    ANSWERED,
    COMMENTED,
    CORRECTION,
    DISMISSED,
    DISSENTED,
    ENDED,
    PROPOSED,
    SIGNED_OFF,
    State,
    fold,
    same_person,
)
from core.errors import VigieError
from core.languages import capital
from core.schema import Entry
from dashboard import _, labelled, lang, layout, listed, ngettext, reads, state, visitor
from dashboard.layout import error_words, plain, small
from dashboard.pages import FOLDER
from dashboard.reads import Night
from dashboard.theme import level_badge
from decisions.actions import Outcome, Preview, Step, act, preview
from decisions.sending import start_sending
from reports import Row, entries_until
from reports.alert import UNTESTED, is_untested, marked_level, rule_record, status_words
from reports.alert_list import AWAITED
from reports.answer import consequences, decisions_title, needed_by, recipients_words, sign_off_words
from reports.messages import mail_text
from reports.overview import Card, cards, facts, overview_title, together
from store.releases import ReleaseStore

MOST_CARDS, MOST_CONTEXT = 3, 3
LONGEST_REASON = 1000
ACTING_AS = "acting_as"
"""The reader's name, asked once in a visit."""
_DOING = "doing"
_SAID = "said"


@dataclass(frozen=True)
class Found:
    """A card, and where its alert stands.

    Attributes:
        card: What it says.
        alert: Its row; None where no alert is open.
        status: Where that stands.
        more: Further alerts that are open on the route.
        waiting: Alerts of the route that wait to be signed off, this one included.
    """

    card: Card
    alert: Row | None = None
    status: AlertStatus | None = None
    more: int = 0
    waiting: int = 0

    @property
    def waits(self) -> bool:
        """Whether its alert waits to be signed off."""
        return self.status is not None and self.status.state.status == PROPOSED


def statuses_of(night: Night) -> dict[str, AlertStatus]:
    """Where each of the release's alerts stands, by alert_id."""
    alerts = night.frame("alerts")
    return statuses(dict(zip(alerts["alert_id"], alerts["alert_level"], strict=True)), night.run_id)


def dismissed(statuses: Mapping[str, AlertStatus]) -> tuple[str, ...]:
    """Alerts that people have dismissed: they colour nothing any more."""
    return tuple(sorted(name for name, one in statuses.items() if one.state.status == DISMISSED))


def not_dismissed(night: Night, gone: Collection[str]) -> pd.DataFrame:
    """The release's alerts without those that were dismissed."""
    alerts = night.frame("alerts")
    return alerts[~alerts["alert_id"].isin(list(gone))]


def found_on(
    night: Night, former: Night | None, summary: pd.DataFrame, statuses: Mapping[str, AlertStatus]
) -> list[Found]:
    """A card for each route, those that wait to be decided first, then by level, then those that are over.

    A route's card is on its gravest alert; once people have decided on that, on the gravest that still waits.
    """
    gone = dismissed(statuses)
    alerts = not_dismissed(night, gone)
    alerts = alerts[alerts["alert_level"] != INFORMATION]
    rows = {str(row["alert_id"]): row for row in alerts.to_dict("records")}
    open_on = alerts["route_id"].value_counts()
    waits = alerts["alert_id"].map(lambda name: statuses[str(name)].state.status == PROPOSED).astype(bool)
    waiting = alerts["route_id"][waits].value_counts()
    decided = alerts[~waits & alerts["route_id"].isin(waiting.index)]
    behind = tuple(sorted(decided["alert_id"])) if reads.is_newest(night) else ()
    make = partial(cards, night, former, summary, lang(), gone, behind)
    made: list[Card] = reads.once(night, make, "cards", former.run_id if former else None, gone, behind)
    found = [
        Found(
            card,
            rows[card.alert_id],
            statuses[card.alert_id],
            more=int(open_on[card.route_id]) - 1,
            waiting=int(waiting.get(card.route_id, 0)),
        )
        if card.alert_id
        else Found(card)
        for card in made
    ]
    # Nothing waits to be decided on a release that is not the newest: there the gravest stands first.
    return sorted(found, key=lambda one: not (one.waits and reads.is_newest(night)))


def title(night: Night, former: Night | None, found: list[Found], summary: pd.DataFrame, gone: tuple[str, ...]) -> str:
    """What waits to be decided; of a release that is not the newest, what it found; of an exercise the forecast."""
    waiting, record = [one for one in found if one.waits], night.frame("track_record")
    if is_practice(night):
        return reads.once(night, lambda: together(night, summary, lang()).title, "title of an exercise", gone)
    if waiting and reads.is_newest(night):
        rows = [(one.card.title, one.alert, rule_record(one.alert, record)) for one in waiting if one.alert]
        rows.sort(key=lambda named: is_untested(*named[1:]))
        named = [(subject, marked_level(row, of_rule, lang())) for subject, row, of_rule in rows]
        count = sum(one.waiting for one in waiting)
        return decisions_title(named, count, lang(), mine=visitor.allows(SIGNED_OFF))
    before = former.frame("alerts") if former else None
    ended = night.frame("ended_alerts")
    # Where one was dismissed, not all that are closed have ended.
    make = partial(
        overview_title, not_dismissed(night, gone), before, ended.iloc[:0] if gone else ended, summary, record, lang()
    )
    return reads.once(night, make, "title", former.run_id if former else None, gone)


def alerts_words(night: Night, found: list[Found], count: int) -> str:
    """How many alerts are open, on which routes one has ended since the release before, and what is dismissed."""
    awaited = sum(one.card.level == AWAITED for one in found)
    said = [f"**{open_words(night, count) if count else calm_words(awaited) + '.'}**"]
    waited = sum(one.waiting for one in found)
    if waited and not reads.is_newest(night):
        said.append(ngettext("{n} waited for sign-off.", "{n} waited for sign-off.", waited).format(n=waited))
    heads = {
        AWAITED: _("Awaiting the count"), ENDED: _("Ended since the last release"), DISMISSED: _("Dismissed"),
    }  # fmt: skip
    named = {level: [one.card.title for one in found if one.card.level == level] for level in heads}
    said += [layout.plain(f"{labelled(heads[level], listed(names))}.") for level, names in named.items() if names]
    way = _("Ended alerts") if named[ENDED] and not count else _("All alerts")
    return " ".join([*said, f"**[{way}\u00a0→]({state.link('alerts')})**"])


def open_names(night: Night, found: list[Found]) -> str:
    """Open alerts by route, chance and months, each leading to its own, for a phone: no card stands beside them."""
    said, record = [], night.frame("track_record")
    for card, alert in ((one.card, one.alert) for one in found if one.alert):
        months = lang().months_short(alert["first_period"], alert["last_period"])
        about = card.figure, months, _(UNTESTED) if is_untested(alert, rule_record(alert, record)) else ""
        link = state.link("alerts", alert=card.alert_id)
        said.append(f"[{plain(card.title)}]({link}) ({', '.join(filter(None, about))})")
    return "; ".join(said)


def open_words(night: Night, count: int) -> str:
    """How many alerts are open; of a release that is not the newest, how many were."""
    if reads.is_newest(night):
        return ngettext("{n} alert is open.", "{n} alerts are open.", count).format(n=count)
    return ngettext("{n} alert was open.", "{n} alerts were open.", count).format(n=count)


def calm_words(awaited: int) -> str:
    """That no alert is open, and on how many routes one has ended whose month is not counted yet."""
    text = ngettext(
        "No alert is open; {n} route awaits its count", "No alert is open; {n} routes await their count", awaited
    )
    return text.format(n=awaited) if awaited else _("No alert is open")


def show_cards(night: Night, found: list[Found]) -> None:
    """Up to three cards of open alerts: the table has the other routes."""
    found = [one for one in found if one.alert is not None]
    with st.grid(min(MOST_CARDS, len(found)), min_column_width=170):
        for one in found[:MOST_CARDS]:
            # A card with nothing to decide ends with its words: beside a button its lower half would be empty.
            height: Literal["stretch", "content"] = "stretch" if one.waits else "content"
            with st.container(border=True, height=height, gap="xsmall", key=f"card-{one.card.route_id}"):
                show_card(night, one)
    if left := len(found[MOST_CARDS:]):
        text = ngettext("{n} more open alert →", "{n} more open alerts →", left).format(n=left)
        st.markdown(f":small[[{text}]({state.link('alerts')})]")


def show_card(night: Night, one: Found) -> None:
    """One card, top to bottom: level and change, route, sentence, chance, record, who signed, the way to decide."""
    card = one.card
    st.markdown(f"{level_badge(card.level)} {layout.small(layout.plain(card.change))}")
    link = state.link("alerts", alert=card.alert_id)
    st.markdown(f"## [{layout.plain(card.title)}]({link})", anchors=False)
    if card.figure:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.metric(card.title, card.figure, label_visibility="collapsed", width="content")
            with st.container(gap=None, width="stretch"):
                st.markdown(f":small[**{layout.plain(card.figure_means)}**]  \n{layout.small(card.when)}")
    else:
        st.markdown(layout.plain(card.sentence))
    if card.record:
        st.markdown(layout.small(card.record))
    if one.status is not None and one.alert is not None:
        show_state(night, one, one.alert, one.status)


def show_state(night: Night, one: Found, alert: Row, status: AlertStatus) -> None:
    """Who has signed, until when it is needed, further alerts of the route, and the button."""
    if not one.waits:
        said = [status_words(status.state, lang())]
    elif reads.is_newest(night):
        said = [sign_off_words(status.state, lang()), needed_by(alert, night.as_of, lang())]
    else:
        said = []  # the line over the cards says how many waited
    if one.more:
        said.append(
            ngettext("{n} more alert on this route", "{n} more alerts on this route", one.more).format(n=one.more)
        )
    if text := " · ".join(filter(None, said)):
        st.markdown(layout.small(layout.plain(capital(text))))
    if one.waits and reads.is_newest(night) and visitor.allows(SIGNED_OFF) and not signed_by_reader(status):
        key = f"decide:{one.card.alert_id}"
        label = _("Read and practise") if is_practice(night) else _("Read and decide")
        if st.button(label, key=key, type="primary", width="stretch"):
            st.switch_page(f"{FOLDER}/alerts.py", query_params={**state.kept(), "alert": one.card.alert_id})


def signed_by_reader(status: AlertStatus) -> bool:
    """Whether the reader has signed an alert off already."""
    name = visitor.reader().name
    return bool(name) and any(same_person(name, other) for other in status.state.sign_offs)


def context_items(night: Night) -> list[str]:
    """What merely informs, apart from what is to be decided; nothing where there is nothing."""
    said = facts(night.frame("alerts"), night.sources(), lang())
    if not said:
        return []
    if (rest := len(said) - MOST_CONTEXT) > 0:
        said[MOST_CONTEXT:] = [_("and {n} more").format(n=rest)]
    head = _("For information, nothing to decide")
    return [labelled(f"**{head}**", layout.plain(" · ".join(said)))]


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
        head = _("The message, as it would be sent: {title}").format(title=plain(found.message.title))
        with st.expander(head):
            st.code(mail_text(found.message), language=None, wrap_lines=True)
        kinds = {name: channel.kind for name, channel in reads.workflow().settings.delivery.channels.items()}
        facts = {
            _("Recipients"): recipients_words(found.readers, kinds, lang()),
            _("Signatures"): [f"{capital(sign_off_words(state, lang()))}."],
            _("If it is signed"): consequences(found.quiet, found.held_until, lang()),
            _("Without a signature"): [_("Nothing is sent. The alert stays open until a night no longer finds it.")],
        }
        st.markdown("\n".join(f"- {labelled(f'**{label}**', plain(' '.join(said)))}" for label, said in facts.items()))
    show_actions(night, row, state)
    show_form(night, row)


def _preview(night: Night, alert_id: str) -> Preview:
    workflow = reads.workflow()
    return preview(workflow, ReleaseStore(workflow.home).get(night.run_id), alert_id, lang().code)


def who_decides() -> str:
    """Who may sign an alert off or dismiss it."""
    roles = visitor.role_names(PERMISSIONS[SIGNED_OFF])
    if visitor.settings().is_on:
        return _("whoever signs in as {roles}").format(roles=roles)
    return _("the {roles}; this copy has no login and cannot verify a name, so use it for practice only").format(
        roles=roles
    )


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


def show_form(night: Night, row: Row) -> None:
    """The form of the step that was begun, if one was: name, reason, and what will happen."""
    doing = st.session_state.get(_DOING)
    if doing is None or doing[0] != row["alert_id"]:
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
        done = _act(night, str(row["alert_id"]), step)
    except VigieError as error:
        st.error(plain(_("Not recorded: {error}").format(error=error_words(error))))
        return
    st.session_state[ACTING_AS] = step.actor.name.strip()
    st.session_state.pop(_DOING, None)
    st.session_state[_SAID] = _outcome_words(step, done)
    st.rerun()


def _act(night: Night, alert_id: str, step: Step) -> Outcome:
    workflow = reads.workflow()
    done = act(workflow, ReleaseStore(workflow.home).get(night.run_id), alert_id, step)
    if done.announced:
        start_sending(workflow.home, workflow.settings)
    return done


def _outcome_words(step: Step, done: Outcome) -> str:
    said = _("Recorded in the journal.")
    missing = done.state.sign_offs_missing
    if step.action == SIGNED_OFF and missing:
        text = ngettext("{n} more person must sign it off.", "{n} more people must sign it off.", missing)
        return f"{said} {text.format(n=missing)}"
    if done.why_not:
        return f"{said} " + _("Nothing is sent: this release replays a past night.")
    if done.held_until is not None:
        text = _("Notifications are held until {day}: recipients were recently told about this.")
        return f"{said} {text.format(day=lang().day(done.held_until.date()))}"
    return f"{said} " + _("Notifications are being sent.") if done.announced else said


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
