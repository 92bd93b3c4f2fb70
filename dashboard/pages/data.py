"""About: how releases are made; every source with its freshness, licence, known issues, revisions and rejected rows."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Hashable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
import streamlit as st

from access import DECIDE_EDITION
from core.calendar import MONTHS_EACH, frequency_of, to_period
from core.errors import VigieError
from core.release import INTENDED_USE
from core.schema import ALL
from core.settings import home_folder, is_loopback, load_settings
from dashboard import _, downloads, labelled, lang, layout, listed, named, ngettext, reads, state, tables, visitor
from dashboard.layout import error_words, fault, plain, small
from dashboard.reads import Night
from dashboard.tables import localised, no_break
from decisions.actions import decide_edition
from forecasting import ENSEMBLE
from reports import record, whatif
from reports.alert import TERMS
from reports.citations import CONTEXT, RHYTHMS, prohibited_uses, stopped, stopped_words
from reports.names import EDITION_STATES, EDITION_STEPS, FRESHNESS, INDICATORS, MODELS, message_in, series_place
from reports.route import steps_of
from store.figures.editions import HELD, STEPS, Action, Edition, EditionStore

TITLE, PLACE = _("About Vigie"), 8

NEWEST_PERIODS = 3
NEWEST_EDITIONS = 30
REGISTER = "known_issues.md"
BADGES = {
    "fresh": "blue-badge[●", "due": "gray-badge[○", "overdue": "orange-badge[▲", "delinquent": "red-badge[◆",
    "held": "orange-badge[◐", "known": "blue-badge[●", "withdrawn": "gray-badge[↩", "rejected": "gray-badge[✕",
}  # fmt: skip
"""Colour and mark of a source's or an edition's state."""


def show(night: Night) -> None:
    """The page."""
    parts = {"method": _("Purpose and method"), "sources": _("Sources")}
    part = state.choice("part", tuple(parts), "sources" if "source" in st.query_params else "method")
    st.segmented_control(
        _("About Vigie"), list(parts), format_func=parts.__getitem__, required=True, label_visibility="collapsed",
        **state.widget("part", part),
    )  # fmt: skip
    {"sources": show_sources, "method": show_method}[part](night)


def show_sources(night: Night) -> None:
    """Every source, and what was done to its figures."""
    fresh, cards = night.frame("freshness"), night.sources()
    st.title(listed(filter(None, [title(fresh), stopped_words(night, lang())])), anchor=False)
    text = _(
        "A release holds what was published by its day. Most sources keep no past figures, so figures that were "
        "corrected since stand in it as corrected. Stopped: nothing new for a year; nothing is forecast from it."
    )
    st.markdown(small(text))
    show_freshness(night, fresh, cards)
    show_card(night, fresh, cards)
    show_reporting(night)
    show_register(night)
    show_editions(night)
    show_revisions(night)
    show_left_out(night)
    show_rejected(night)


def title(fresh: pd.DataFrame) -> str:
    """How many sources are late."""
    late = int(fresh["state"].isin(["overdue", "delinquent"]).sum())
    if late == 0:
        return _("No source is later than usual")
    text = ngettext("{late} of {n} sources is later than usual", "{late} of {n} sources are later than usual", late)
    return text.format(late=late, n=len(fresh))


def show_freshness(night: Night, fresh: pd.DataFrame, cards: dict[str, dict[str, Any]]) -> None:
    """One row per source."""
    rows = fresh.to_dict("records")
    ended = stopped(night)
    table = {
        # A link makes the scrolling table reachable by keyboard on a phone.
        _("Source"): [source_link(night, row["source_id"]) for row in rows],
        _("What"): [plain(str(cards.get(row["source_id"], {}).get("dataset", ""))) for row in rows],
        _("State"): [state_badges(row, ended[ended["source_id"] == row["source_id"]]) for row in rows],
        _("Figures to"): [period_words(row["last_period"]) for row in rows],
        _("Known since"): [no_break(lang().day_short(row["last_as_of"])) for row in rows],
        _("Age in days (usual limit)"): [f"{row['age_days']} ({row['expected_days']})" for row in rows],
        _("Next expected"): [next_expected(row) for row in rows],
        _("Licence"): [plain(str(cards.get(row["source_id"], {}).get("licence", ""))) for row in rows],
    }
    with st.container(key="freshness"):
        show_table(night, "freshness", _("Freshness of each source"), table, fresh)


def show_table(night: Night, name: str, title: str, table: dict[str, list[Any]], rows: pd.DataFrame) -> None:
    """A table in the reader's words, and its rows as files."""
    st.table(pd.DataFrame(table), border="horizontal", hide_index=True, alt=title)
    downloads.buttons(downloads.export_of(night, name, title, rows, list(night.sources())))


def next_expected(row: dict[Hashable, Any]) -> str:
    """Day by which the next period is usually known, marked where it was learned from past publications."""
    day, count = row["next_expected"], int(row["learned_from"])
    if pd.isna(day):
        return ""
    text = ngettext("learned from {n} period", "learned from {n} periods", count)
    learned = text.format(n=count) if count else ""
    return no_break(lang().day_short(day)) + (f" {small(learned)}" if learned else "")


def show_reporting(night: Night) -> None:
    """How many countries have reported the newest periods of sources that count by country, and their sum."""
    rows = night.frame("reporting")
    if rows.empty:
        return
    newest = rows.groupby(["source_id", "target", "freq"]).tail(NEWEST_PERIODS)
    newest = newest.sort_values(["source_id", "target", "time_period"], ascending=[True, True, False])
    table = {
        _("Source"): [source_link(night, name) for name in newest["source_id"]],
        _("What"): [plain(named(INDICATORS, target)) for target in newest["target"]],
        _("Period"): [period_words(period) for period in newest["time_period"]],
        _("Countries that have reported"): [
            _("{n} of {total}").format(n=row["reported"], total=row["expected"]) for row in newest.to_dict("records")
        ],
        _("Sum so far"): [
            " ".join([lang().counted(row["total"]), *([_("provisional")] if row["provisional"] else [])])
            for row in newest.to_dict("records")
        ],
    }
    with st.expander(_("Who has reported")):
        text = _("A sum over countries is provisional while some have not reported, or may still correct.")
        st.markdown(small(text))
        show_table(night, "reporting", _("Countries that have reported"), table, rows)


def source_link(night: Night, source_id: str) -> str:
    """A source's publisher, linked to what the catalogue says about it."""
    return f"[{plain(layout.source_name(night, source_id))}]({state.link('data', source=source_id)})"


def state_badges(row: dict[Hashable, Any], ended: pd.DataFrame) -> str:
    """How fresh a source is, what of it is no longer continued, and since when."""
    badges = [f":{BADGES[row['state']]} {named(FRESHNESS, row['state'])}]"]
    for target, freq, period in ended[["target", "freq", "last_period"]].itertuples(index=False):
        said = {"what": named(INDICATORS, target), "rhythm": named(RHYTHMS, freq), "period": period_words(str(period))}
        text = _("Stopped: {what}, {rhythm}, {period}").format(**said)
        badges.append(f":orange-badge[■ {plain(text)}]")
    return "  \n".join(badges)


def show_card(night: Night, fresh: pd.DataFrame, cards: dict[str, dict[str, Any]]) -> None:
    """Everything the catalogue says about one source."""
    if not cards:
        st.markdown(small(_("No catalogue of sources in this release.")))
        return
    names = [name for name in dict.fromkeys([*fresh["source_id"], *cards]) if name in cards]
    chosen = state.choice("source", names, names[0])
    st.header(_("About one source"), anchor=False)
    st.selectbox(
        _("Source"), names, width=520, label_visibility="collapsed",
        format_func=lambda name: labelled(layout.source_name(night, name), str(cards[name].get("dataset", ""))),
        **state.widget("source", chosen),
    )  # fmt: skip
    card = cards[chosen]
    may = {True: _("allowed"), False: _("not allowed: private use only"), None: ""}
    day, parts = card.get("retrieved"), [layout.source_name(night, name) for name in card.get("derived_from", [])]
    lines = {
        _("Cite as"): card.get("citation"),
        _("Licence"): card.get("licence"),
        _("Redistribution"): may.get(card.get("redistribution"), _("to be confirmed")),
        _("Rhythm"): card.get("rhythm"),
        _("Retrieved"): lang().day(dt.date.fromisoformat(str(day))) if day else "",
        _("Obtained via"): card.get("came_through"),
        _("Computed from"): ", ".join(parts),
    }
    said = [labelled(f"**{label}**", plain(str(text))) for label, text in lines.items() if text]
    if url := str(card.get("url") or ""):
        said.append(_("**Publisher’s page**: {url}").format(url=f"[{plain(url)}]({url})"))
    st.markdown("\n".join(f"- {text}" for text in said))
    st.markdown("### " + _("Known issues"), anchors=False)
    issues = [f"- {plain(str(text))}" for text in card.get("known_issues", [])]
    st.markdown("\n".join(issues) or small(_("None known.")))
    downloads.document_button(night, f"data_cards/{chosen}.md", _("Data card"))


def show_register(night: Night) -> None:
    """What is known to be wrong or limited beyond single sources, and the register as a file."""
    with st.expander(_("Register of known issues")):
        with st.container(key="register"):
            st.markdown(tables.in_names(night.document(REGISTER).partition("\n\n")[2], night))
        downloads.document_button(night, REGISTER, _("Register of known issues"))


def period_words(period: str) -> str:
    """``2024-12`` in words; a day by itself, a quarter by its months."""
    freq = frequency_of(period)
    last = to_period(period, freq).end_time
    return lang().period(last, MONTHS_EACH[freq]) if freq in MONTHS_EACH else no_break(lang().day_short(last))


def show_revisions(night: Night) -> None:
    """Figures that a source changed after it had published them."""
    rows = night.frame("revisions")
    if rows.empty:
        return
    st.header(_("Revisions since the last release"), anchor=False)
    name = _("Figures that a source changed after publication")
    st.dataframe(localised(rows), hide_index=True, placeholder="", alt=name)
    downloads.buttons(downloads.export_of(night, "revisions", _("Revisions"), rows, list(night.sources())))


def show_left_out(night: Night) -> None:
    """What this release was made without, and why; the file has the exact texts, as the journal has them."""
    records = [one for one in night.degraded if "route_id" not in one]
    if not records:
        return
    st.header(_("Left out of this release"), anchor=False)
    table = {
        _("Source"): [plain(layout.source_name(night, one["source_id"])) for one in records],
        _("Why"): [plain(fault(one["message"])) for one in records],
    }
    as_recorded = pd.DataFrame(records, columns=["source_id", "reason"])
    show_table(night, "left-out", _("What was left out of this release"), table, as_recorded)


def show_rejected(night: Night) -> None:
    """How many rows were set aside, and for which rule: the file has it as recorded. Rows stay in the home folder."""
    rows = night.frame("rejected")
    if rows.empty:
        st.markdown(small(_("No row of a source broke a rule.")))
        return
    st.header(_("Rejected rows"), anchor=False)
    kept = rows.drop_duplicates("rule").set_index("rule")["message"]
    counts = rows.groupby(["source_id", "file", "rule"], as_index=False).size()
    counts = counts.rename(columns={"size": "rows"})
    table = {
        _("Source"): [layout.source_name(night, name) for name in counts["source_id"]],
        _("File"): counts["file"],
        _("Rule"): [fault(kept[rule]) for rule in counts["rule"]],
        _("Rows"): counts["rows"],
    }
    name = _("Rejected rows by source and rule")
    st.dataframe(localised(pd.DataFrame(table)), hide_index=True, placeholder="", alt=name)
    downloads.buttons(downloads.export_of(night, "rows-set-aside", name, counts, list(night.sources())))


def show_editions(night: Night) -> None:
    """Editions as they are now, the newest first: a decision counts at once, for the next release."""
    try:
        found = EditionStore(home_folder(), reads.journal()).all()
    except VigieError as error:
        st.warning(plain(error_words(error)))
        return
    if not found:
        st.markdown(small(_("No file or answer was taken in: all figures are those that come with Vigie.")))
        return
    st.header(_("Editions"), anchor=False)
    held = [one for one in found if one.state == HELD]
    if held:
        text = ngettext(
            "{n} edition waits for a person: its figures are not known yet.",
            "{n} editions wait for a person: their figures are not known yet.",
            len(held),
        )
        st.warning(text.format(n=len(held)))
    newest = [*reversed(held), *[one for one in reversed(found) if one.state != HELD]][:NEWEST_EDITIONS]
    table = {
        _("Edition"): [f"`{one.edition_id}`" for one in newest],
        _("Source"): [plain(layout.source_name(night, one.source_id)) for one in newest],
        _("State"): [f":{BADGES[one.state]} {named(EDITION_STATES, one.state)}]" for one in newest],
        _("Received"): [no_break(lang().day_short(one.received.date())) for one in newest],
        _("Given by"): [plain(one.given_by) for one in newest],
        _("What it changed"): [_edition_changes(one) for one in newest],
        _("Why"): [_edition_why(one) for one in newest],
    }
    as_records = pd.DataFrame([one.record() for one in found])
    show_table(night, "editions", _("Editions taken in, the newest first"), table, as_records)
    open_ones = [one for one in newest if one.state in STEPS]
    if open_ones and visitor.allows(DECIDE_EDITION):
        with st.expander(_("Decide about an edition"), expanded=bool(held)):
            _show_edition_form(open_ones)


def _edition_changes(one: Edition) -> str:
    counts = {name: lang().counted(getattr(one, name)) for name in ("rows", "new", "changed", "gone")}
    return _("Figures: {rows}; new: {new}; changed: {changed}; taken away: {gone}").format(**counts)


def _edition_why(one: Edition) -> str:
    texts = [message_in(message, lang()) for message in (*one.why_held, *one.reported)]
    if one.decided is not None:
        decided, day = _("{state} by {who} on {day}: {reason}"), lang().day(one.decided.date())
        state_word = named(EDITION_STATES, one.state)
        texts.append(decided.format(state=state_word, who=one.decided_by, day=day, reason=one.reason))
    return "  \n".join(map(plain, texts))


def _show_edition_form(editions: list[Edition]) -> None:
    by_id = {one.edition_id: one for one in editions}
    chosen = st.selectbox(_("Edition"), list(by_id), format_func=lambda name: f"{name} · {by_id[name].file}")
    if why := _edition_why(by_id[chosen]):  # on a phone the table's last column lies beyond the edge
        st.markdown(why)
    try:
        changes = EditionStore(home_folder(), reads.journal()).changes(by_id[chosen])
    except VigieError as error:
        st.error(plain(error_words(error)))
        return
    _show_edition_changes(changes)
    with st.form("decide-edition", clear_on_submit=True):
        steps = STEPS[by_id[chosen].state]
        step: Action = st.radio(
            _("Decision"), steps, format_func=lambda name: named(EDITION_STEPS, name), horizontal=True
        )
        replace_newer = False
        if by_id[chosen].state == HELD and changes["is_newer"].any():
            replace_newer = st.checkbox(_("Replace newer figures too, if accepted"))
        reason = st.text_input(_("Why"), max_chars=500)
        who = visitor.ask_name()
        if not st.form_submit_button(_("Decide")):
            return
    try:
        decide_edition(reads.workflow(), visitor.actor(who), step, chosen, reason, replace_newer=replace_newer)
    except VigieError as error:
        st.error(plain(error_words(error)))
        return
    st.rerun()


def _show_edition_changes(changes: pd.DataFrame) -> None:
    """What the decision would change, figure by figure."""
    text = ngettext(
        "{n} figure would change if it were accepted, or withdrawn.",
        "{n} figures would change if it were accepted, or withdrawn.",
        len(changes),
    )
    st.markdown(text.format(n=lang().counted(len(changes))))
    if len(changes):
        table = {
            _("Series"): changes["series_id"],
            _("Period"): changes["time_period"],
            _("Known now"): changes["before"],
            _("Then"): changes["after"],
            _("Newer than the edition"): changes["is_newer"],
        }
        st.dataframe(localised(pd.DataFrame(table)), hide_index=True, placeholder="–", alt=_("What would change"))


def limits() -> list[str]:
    """What a reader must know."""
    return [
        _("Figures hold only arrivals that authorities counted and published."),
        _("Detections count some people twice; they are never added to a total of persons."),
        _("A new policy or way of counting looks like a change of arrivals; breaks that publishers mark are marked."),
        _("No forecast foresees a war or an agreement before it shows in arrivals."),
        _("Skill falls with distance."),
        _(CONTEXT),
    ]


def glossary() -> list[tuple[str, str]]:
    """Words on screen and what they mean."""
    return [
        (_("Expected"), _("the median, as likely to be passed as not, where it may beat the last count")),
        (_("80% interval"), _("four outcomes in five are expected inside")),
        (_("Baseline"), _("the last value with its own past errors; a forecast must beat it to be worth anything")),
        (_("Relative WIS"), _("the score of a range divided by the baseline’s; below 1 is better")),
        (_("Nowcast"), _("the forecast of a month that has begun or ended and is not counted yet")),
        (_("Provisional"), _("the newest figure, which its publisher may still change")),
        (_("Share held"), _("the share of past counts that fell inside the interval")),
        (_("Aim: enough in 9 of 10"), _("one case in ten is expected to need more")),
        (_("Margin"), _("what past aims lacked to be enough in nine of ten")),
        (_("Awaiting the count"), _("an alert’s month is over and its count not published yet")),
        *((_(term), _(meaning)) for term, meaning in TERMS),
    ]


def show_method(night: Night) -> None:
    """The part."""
    text = _(
        "Vigie forecasts arrivals, asylum applications and reception, warns early, and tests itself on past months"
    )
    st.title(text, anchor=False)
    if night.replay:
        text = _("A replay of what was known on {day}, computed {made}: nothing here is live.")
        days = {"day": lang().day(night.as_of), "made": lang().day(night.created_at.date())}
        st.markdown(small(plain(text.format(**days))))
    uses, known, who = st.columns(3, gap="large")
    with uses:
        st.header(_("What it is for"), anchor=False)
        st.markdown(_(INTENDED_USE))
        st.markdown(f"**{_('What it must not be used for')}**")
        st.markdown("\n".join(f"- {text}" for text in prohibited_uses(lang())))
        personal = _(
            "**Personal data**: about people on the move, only counts. About readers: the names they sign with; with a "
            "login, what they did and when; and the addresses that messages go to."
        )
        st.markdown(personal)
    with known:
        st.header(_("Limits"), anchor=False)
        st.markdown("\n".join(f"- {text}" for text in limits()))
    with who:
        st.header(_("Whom to ask, how to cite it"), anchor=False)
        st.markdown("\n".join(f"- {text}" for text in imprint(night)))
    st.header(_("How to read the marks"), anchor=False)
    use = [
        (_("✓ better: proven"), _("the median and its range")),
        (_("◐ likely better: not proven, some such gains are luck (Holm’s test)"), _("the median, with caution")),
        (
            _("○ no sign, or ✗ worse"),
            _(
                "the range alone: after the last month that is ✓ or ◐ charts draw no median; for asylum and reception, "
                "the last count and a range"
            ),
        ),
    ]
    names = [_("Record against the last count repeated"), _("What to use")]
    st.table(pd.DataFrame(use, columns=names), border="horizontal", hide_index=True, alt=_("What to use"))
    st.header(_("How good it is"), anchor=False)
    error = reads.once(night, partial(record.error_title, night, ALL, lang()), "record's error", ALL)
    said = reads.once(night, partial(record.title, night, ALL, lang()), "record's title", ALL)
    live = record.live_title(night.frame("issued_scores"), lang())
    facts = [plain(text) for text in (f"{error}.", f"{said}.", _(record.FLATTER), f"{live}.")]
    link = f"**[{_('How we know →')}]({state.link('evaluation')})**"
    st.markdown("\n".join(f"- {text}" for text in [*facts, link]))
    routes = reads.once(night, partial(whatif.forecast_routes, night), "forecast routes")
    if routes:
        show_steps(night, state.choice("route", routes, routes[0]))
    st.header(_("Glossary"), anchor=False)
    lines = ["- " + labelled(f"**{word}**", meaning) for word, meaning in sorted(glossary())]
    left, right = st.columns(2, gap="large")
    left.markdown("\n".join(lines[: len(lines) // 2]))
    right.markdown("\n".join(lines[len(lines) // 2 :]))
    show_cards(night)


def show_steps(night: Night, route_id: str) -> None:
    """How one route's number is made, step by step."""
    st.header(labelled(_("How a number is made"), layout.route_name(route_id)), anchor=False)
    made = reads.once(night, partial(steps_of, night, route_id, lang()), "steps of a number", route_id)
    with st.grid(3, min_column_width=280):
        for place, (name, number, text) in enumerate(made, start=1):
            with st.container(border=True, height="stretch"):
                head = f"{place}. {name}"
                st.markdown("### " + plain(labelled(head, number) if number else head), anchors=False)
                st.markdown(plain(text))


def imprint(night: Night) -> list[str]:
    """Whom to ask, where to report what is wrong, how to cite it and under which licence."""
    settings = load_settings(home_folder())
    ask = _("**Questions and errors**: ask {contact}.")
    cite = _(
        "**Cite as**: The Vigie authors, Vigie {version}, release {run_id}, as known on {known}, computed {day}{url}; "
        "and the publishers."
    )
    is_public = not is_loopback(urlsplit(settings.dashboard_url).hostname or "")
    wrong = _(
        "**An alert is wrong**: “Comment, disagree or correct” under it, on the newest release’s **[Alerts]({link})**."
    )
    sources = state.link("data", part="sources")
    return [
        ask.format(contact=settings.contact or _("those who run this copy; no contact is set")),
        wrong.format(link=f"alerts?lang={lang().code}"),
        _("**A figure is wrong**: ask its publisher, named under **[Sources]({link})**.").format(link=sources),
        _("**A security hole**: report it in private where the program’s code is kept; SECURITY.md there says how."),
        cite.format(
            version=plain(night.code_version.partition("+")[0]), run_id=night.run_id, known=lang().day(night.as_of),
            day=lang().day(night.created_at.date()),
            url=f", **{settings.dashboard_url}/?release={night.run_id}**" if is_public else "",
        ),
        _("Open software, **[MIT licence]({url})**.").format(url="https://opensource.org/license/mit"),
    ]  # fmt: skip


def show_cards(night: Night) -> None:
    """The card of one model."""
    cards = night.model_cards()
    st.header(_("Model cards"), anchor=False)
    if not cards:
        st.markdown(small(_("No model cards in this release.")))
        return
    names = sorted(cards, key=lambda name: (name != ENSEMBLE, name != "vigie-baseline", name))
    chosen = state.choice("model", names, names[0])
    with st.container(horizontal=True, vertical_alignment="center"):
        st.selectbox(
            _("Model"), names, format_func=partial(named, MODELS), width=300, label_visibility="collapsed",
            **state.widget("model", chosen),
        )  # fmt: skip
        downloads.document_button(night, f"model_cards/{chosen}.md", _("Model card"))
    _heading, first, *more = _for_readers(cards[chosen]).split("\n\n", 2)
    if chosen == ENSEMBLE:
        more = ["\n\n".join([first, *more])]
        first = "\n".join(f"- {text}" for text in record.ensemble_words(night, lang()))
    st.markdown(first)
    if more:
        with st.expander(_("More about this model")), st.container(key="model-card"):
            st.markdown(more[0], anchors=False)


def _for_readers(text: str) -> str:
    """A card's own headings below those of the page, and names in place of codes, which its file keeps."""
    rows = re.compile(r"^\| `([^`]+)` ", flags=re.MULTILINE)  # a series by its route or country, a year as it is
    named_rows = rows.sub(lambda row: f"| {plain(series_place(row[1], lang()) if '.' in row[1] else row[1])} ", text)
    plain_heads = re.sub(r"^(#.*?) \(`[^`]+`\)$", r"\1", named_rows, flags=re.MULTILINE)
    return "\n".join(f"##{line}" if line.startswith("#") else line for line in plain_heads.splitlines())


show(layout.open_page())
