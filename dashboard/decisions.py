"""What waits to be decided on the Overview: a card for each route, and what merely informs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

import pandas as pd
import streamlit as st

from alerts import INFORMATION
from alerts.lifecycle import DISMISSED, ENDED, PROPOSED, SIGNED_OFF, same_person
from core.languages import capital
from dashboard import _, inbox, labelled, lang, layout, listed, ngettext, reads, state, visitor
from dashboard.inbox import AlertStatus
from dashboard.pages import FOLDER
from dashboard.reads import Night
from dashboard.theme import level_badge
from reports import Row
from reports.alert import alert_report, status_words
from reports.answer import decisions_title, needed_by, sign_off_words
from reports.names import subject_name
from reports.overview import Card, cards, overview_title, together

MOST_CARDS, MOST_CONTEXT = 3, 3


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
    return inbox.statuses(dict(zip(alerts["alert_id"], alerts["alert_level"], strict=True)), night.run_id)


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
    """A card for each route, those that wait to be decided first, then by level, then quiet ones.

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
    waiting = [one for one in found if one.waits]
    if inbox.is_practice(night):
        return reads.once(night, lambda: together(night, summary, lang()).title, "title of an exercise", gone)
    if waiting and reads.is_newest(night):
        named = [(one.card.title, one.card.level) for one in waiting]
        count = sum(one.waiting for one in waiting)
        return decisions_title(named, count, lang(), mine=visitor.allows(SIGNED_OFF))
    before = former.frame("alerts") if former else None
    ended = night.frame("ended_alerts")
    # Where one was dismissed, not all that are closed have ended.
    make = partial(
        overview_title, not_dismissed(night, gone), before, ended.iloc[:0] if gone else ended, summary, lang()
    )
    return reads.once(night, make, "title", former.run_id if former else None, gone)


def calm_words(found: list[Found]) -> str:
    """That no alert is open, and on which routes one has ended or was dismissed since the release before."""
    said = [f"**{_('No alert is open')}.**"]
    words = {ENDED: _("Ended alerts"), DISMISSED: _("Dismissed")}
    for level, word in words.items():
        if names := [one.card.title for one in found if one.card.level == level]:
            said.append(layout.plain(f"{labelled(word, listed(names))}."))
    return " ".join([*said, f"[{_('All alerts')} →]({state.link('alerts')})"])


def show_cards(night: Night, found: list[Found]) -> None:
    """Up to three cards."""
    with st.grid(MOST_CARDS, min_column_width=170):
        for one in found[:MOST_CARDS]:
            # A card with nothing to decide ends with its words: beside a button its lower half would be empty.
            height: Literal["stretch", "content"] = "stretch" if one.waits else "content"
            with st.container(border=True, height=height, gap="xsmall", key=f"card-{one.card.route_id}"):
                show_card(night, one)
    left = [one for one in found[MOST_CARDS:] if one.alert is not None]
    if left:
        text = ngettext("{n} more open alert →", "{n} more open alerts →", len(left)).format(n=len(left))
        st.markdown(f":small[[{text}]({state.link('alerts')})]")


def show_card(night: Night, one: Found) -> None:
    """One card, top to bottom: level and change, route, sentence, chance, record, who signed, the way to decide."""
    card = one.card
    calm = _("Dismissed") if card.level == DISMISSED else _("No alert")
    badge = f":gray-badge[{calm}]" if card.level in {"", DISMISSED} else level_badge(card.level)
    st.markdown(f"{badge} {layout.small(layout.plain(card.change))}")
    page = {"alert": card.alert_id} if card.alert_id else {"route": card.route_id}
    link = state.link("alerts" if card.alert_id else "route", **page)
    st.markdown(f"## [{layout.plain(card.title)}]({link})", anchors=False)
    if card.figure:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.metric(card.title, card.figure, label_visibility="collapsed", width="content")
            with st.container(gap=None, width="stretch"):
                st.markdown(f":small[**{layout.plain(card.figure_means)}**]  \n{layout.small(card.when)}")
    if not card.figure:
        st.markdown(layout.plain(card.sentence))
    elif not card.alert_id:
        st.markdown(layout.small(layout.plain(card.sentence)))
    if card.record:
        st.markdown(layout.small(card.record))
    if one.status is not None and one.alert is not None:
        show_state(night, one, one.alert, one.status)


def show_state(night: Night, one: Found, alert: Row, status: AlertStatus) -> None:
    """Who has signed, until when it is needed, further alerts of the route, and the button."""
    if not (one.waits and reads.is_newest(night)):
        said = [status_words(status.state, lang())]
    else:
        said = [sign_off_words(status.state, lang()), needed_by(alert, night.as_of, lang())]
    if one.more:
        said.append(
            ngettext("{n} more alert on this route", "{n} more alerts on this route", one.more).format(n=one.more)
        )
    st.markdown(layout.small(layout.plain(capital(" · ".join(text for text in said if text)))))
    if one.waits and reads.is_newest(night) and visitor.allows(SIGNED_OFF) and not signed_by_reader(status):
        key = f"decide:{one.card.alert_id}"
        label = _("Read and practise") if inbox.is_practice(night) else _("Read and decide")
        if st.button(label, key=key, type="primary", width="stretch"):
            st.switch_page(f"{FOLDER}/alerts.py", query_params={**state.kept(), "alert": one.card.alert_id})


def signed_by_reader(status: AlertStatus) -> bool:
    """Whether the reader has signed an alert off already."""
    name = visitor.reader().name
    return bool(name) and any(same_person(name, other) for other in status.state.sign_offs)


def show_context(night: Night) -> None:
    """What merely informs, apart from what is to be decided; nothing where there is nothing."""
    alerts = night.frame("alerts")
    rows = alerts[alerts["alert_level"] == INFORMATION].to_dict("records")
    if not rows:
        return
    sources = night.sources()
    said = [
        labelled(subject_name(row, sources, lang()), alert_report(row, None, lang()).sentence)
        for row in rows[:MOST_CONTEXT]
    ]
    if len(rows) > MOST_CONTEXT:
        rest = len(rows) - MOST_CONTEXT
        said.append(ngettext("and {n} more", "and {n} more", rest).format(n=rest))
    head = _("For information, nothing to decide")
    with st.container(key="context"):
        st.markdown(layout.small(labelled(f"**{head}**", layout.plain(" · ".join(said)))))
