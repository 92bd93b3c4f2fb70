"""About: how releases are made; every source with its freshness, licence, known issues, revisions and rejected rows."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Hashable
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from access import DECIDE_EDITION
from core.calendar import MONTHS_EACH, frequency_of, to_period
from core.errors import VigieError
from core.release import INTENDED_USE
from core.schema import ALL
from core.settings import home_folder, load_settings
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
EDITION_MARKS = {"held": "◐", "known": "●", "withdrawn": "↩", "rejected": "✕"}
EDITION_COLOURS = {"held": "orange", "known": "blue", "withdrawn": "gray", "rejected": "gray"}
NEWEST_EDITIONS = 30
REGISTER = "known_issues.md"
STATE_COLOURS = {"fresh": "blue", "due": "gray", "overdue": "orange", "delinquent": "red"}
STATE_MARKS = {"fresh": "●", "due": "○", "overdue": "▲", "delinquent": "◆"}


def show(night: Night) -> None:
    """The page."""
    parts = {"method": _("Method"), "sources": _("Sources")}
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
        "“As known on” a day: figures of the periods that were published by then. “Retrieved”: when the file was "
        "fetched. Most sources keep no past figures, so those that were corrected in between stand in it as corrected. "
        "“Stopped”: nothing new for a year; nothing is forecast from it."
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
    rejected = night.frame("rejected")["source_id"].value_counts()
    ended = stopped(night)
    table = {
        # A link makes the scrolling table reachable by keyboard on a phone.
        _("Source"): [source_link(night, row["source_id"]) for row in rows],
        _("What"): [plain(str(cards.get(row["source_id"], {}).get("dataset", ""))) for row in rows],
        _("State"): [
            "  \n".join([state_badge(row["state"]), *stopped_badges(ended[ended["source_id"] == row["source_id"]])])
            for row in rows
        ],
        _("Figures to"): [period_words(row["last_period"]) for row in rows],
        _("Known since"): [no_break(lang().day_short(row["last_as_of"])) for row in rows],
        _("Age, days"): [row["age_days"] for row in rows],
        _("Usually up to, days"): [row["expected_days"] for row in rows],
        _("Next expected"): [next_expected(row) for row in rows],
        _("Licence"): [plain(str(cards.get(row["source_id"], {}).get("licence", ""))) for row in rows],
    }
    if len(rejected):
        table[_("Rejected rows")] = [int(rejected.get(row["source_id"], 0)) for row in rows]
    with st.container(key="freshness"):
        st.table(pd.DataFrame(table), border="horizontal", hide_index=True, alt=_("Freshness of each source"))
    downloads.buttons(
        downloads.export_of(night, "freshness", _("Freshness of each source"), fresh, list(night.sources()))
    )


def next_expected(row: dict[Hashable, Any]) -> str:
    """Day by which the next period is usually known, marked where it was learned from past publications."""
    day, count = row["next_expected"], int(row["learned_from"])
    if pd.isna(day):
        return ""
    text = ngettext("learned from {n} period", "learned from {n} periods", count)
    learned = text.format(n=count) if count else ""
    return no_break(lang().day_short(day)) + (f" {small(learned)}" if learned else "")


def show_reporting(night: Night) -> None:
    """How many countries have reported the newest periods of sources that count by country."""
    rows = night.frame("reporting")
    if rows.empty:
        return
    with st.expander(_("Who has reported")):
        show_reported(night, rows)


def show_reported(night: Night, rows: pd.DataFrame) -> None:
    """The newest periods of each source: how many countries, and their sum."""
    newest = rows.groupby(["source_id", "target", "freq"]).tail(NEWEST_PERIODS)
    newest = newest.sort_values(["source_id", "target", "time_period"], ascending=[True, True, False])
    st.markdown(small(_("A sum over countries is provisional while some have not reported, or may still correct.")))
    table = {
        _("Source"): [source_link(night, name) for name in newest["source_id"]],
        _("What"): [plain(named(INDICATORS, target)) for target in newest["target"]],
        _("Period"): [period_words(period) for period in newest["time_period"]],
        _("Countries"): [
            ngettext(
                "{n} of {all} countries has reported", "{n} of {all} countries have reported", int(row["reported"])
            ).format(n=row["reported"], all=row["expected"])
            for row in newest.to_dict("records")
        ],
        _("Sum so far"): [
            lang().counted(row["total"]) + " " + _("provisional")
            if row["provisional"]
            else lang().counted(row["total"])
            for row in newest.to_dict("records")
        ],
    }
    st.table(pd.DataFrame(table), border="horizontal", hide_index=True, alt=_("Countries that have reported"))
    downloads.buttons(
        downloads.export_of(night, "reporting", _("Countries that have reported"), rows, list(night.sources()))
    )


def source_link(night: Night, source_id: str) -> str:
    """A source's publisher, linked to what the catalogue says about it."""
    return f"[{plain(layout.source_name(night, source_id))}]({state.link('data', source=source_id)})"


def state_badge(state_id: str) -> str:
    """Mark, word and colour of a source's freshness."""
    return f":{STATE_COLOURS[state_id]}-badge[{STATE_MARKS[state_id]} {named(FRESHNESS, state_id)}]"


def stopped_badges(rows: pd.DataFrame) -> list[str]:
    """What of a source is no longer continued, and since when."""
    text = _("Stopped: {what}, {rhythm}, {period}")
    return [
        ":orange-badge[■ "
        + plain(
            text.format(
                what=named(INDICATORS, row["target"]), rhythm=named(RHYTHMS, row["freq"]),
                period=period_words(str(row["last_period"])),
            )
        )
        + "]"
        for row in rows.to_dict("records")
    ]  # fmt: skip


def show_card(night: Night, fresh: pd.DataFrame, cards: dict[str, dict[str, Any]]) -> None:
    """Everything the catalogue says about one source."""
    if not cards:
        st.markdown(small(_("No catalogue of sources in this release.")))
        return
    known = [name for name in fresh["source_id"] if name in cards]
    names = [*known, *[name for name in cards if name not in known]]
    chosen = state.choice("source", names, names[0])
    st.header(_("About one source"), anchor=False)
    st.selectbox(
        _("Source"),
        names,
        format_func=lambda name: labelled(layout.source_name(night, name), str(cards[name].get("dataset", ""))),
        width=520,
        label_visibility="collapsed",
        **state.widget("source", chosen),
    )
    card = cards[chosen]
    lines = {
        _("Cite as"): card.get("citation"),
        _("Licence"): card.get("licence"),
        _("Redistribution"): _redistribution(card.get("redistribution")),
        _("Rhythm"): card.get("rhythm"),
        _("Retrieved"): _day(card.get("retrieved")),
        _("Obtained via"): card.get("came_through"),
        _("Computed from"): ", ".join(layout.source_name(night, name) for name in card.get("derived_from", [])),
    }
    st.markdown("\n".join("- " + labelled(f"**{label}**", plain(str(text))) for label, text in lines.items() if text))
    if url := str(card.get("url") or ""):
        st.markdown(_("Publisher’s page: {url}").format(url=f"[{plain(url)}]({url})"))
    st.markdown("### " + _("Known issues"), anchors=False)
    issues = [plain(str(text)) for text in card.get("known_issues", [])]
    st.markdown("\n".join(f"- {text}" for text in issues) or small(_("None known.")))
    downloads.document_button(night, f"data_cards/{chosen}.md", _("Data card"))


def _day(value: object) -> str:
    return lang().day(dt.date.fromisoformat(str(value))) if value else ""


def _redistribution(value: object) -> str:
    if isinstance(value, bool):
        return _("allowed") if value else _("not allowed: private use only")
    return _("to be confirmed") if value else ""


def show_register(night: Night) -> None:
    """What is known to be wrong or limited beyond single sources, and the register as a file."""
    text = night.document(REGISTER)
    with st.expander(_("Register of known issues")):
        with st.container(key="register"):
            st.markdown(tables.in_names(text.partition("\n\n")[2], night))
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
    st.dataframe(
        localised(rows), hide_index=True, placeholder="", alt=_("Figures that a source changed after publication")
    )
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
    name = _("What was left out of this release")
    st.table(pd.DataFrame(table), border="horizontal", hide_index=True, alt=name)
    as_recorded = pd.DataFrame(records, columns=["source_id", "reason"])
    downloads.buttons(downloads.export_of(night, "left-out", name, as_recorded, list(night.sources())))


def show_rejected(night: Night) -> None:
    """How many rows were set aside, and for which rule: the file has it as recorded. Rows stay in the home folder."""
    rows = night.frame("rejected")
    st.header(_("Rejected rows"), anchor=False)
    if rows.empty:
        st.markdown(small(_("This release reports no row that broke a rule.")))
        return
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
    newest = [*reversed(held), *[one for one in reversed(found) if one.state != HELD]][:NEWEST_EDITIONS]
    table = {
        _("Edition"): [f"`{one.edition_id}`" for one in newest],
        _("Source"): [plain(layout.source_name(night, one.source_id)) for one in newest],
        _("State"): [
            f":{EDITION_COLOURS[one.state]}-badge[{EDITION_MARKS[one.state]} {named(EDITION_STATES, one.state)}]"
            for one in newest
        ],
        _("Received"): [no_break(lang().day_short(one.received.date())) for one in newest],
        _("Given by"): [plain(one.given_by) for one in newest],
        _("What it changed"): [_edition_changes(one) for one in newest],
        _("Why"): [_edition_why(one) for one in newest],
    }
    st.table(pd.DataFrame(table), border="horizontal", hide_index=True, alt=_("Editions taken in, the newest first"))
    as_records = pd.DataFrame([one.record() for one in found])
    downloads.buttons(downloads.export_of(night, "editions", _("Editions"), as_records, list(night.sources())))
    open_ones = [one for one in newest if one.state in STEPS]
    if open_ones and visitor.allows(DECIDE_EDITION):
        with st.expander(_("Decide about an edition"), expanded=bool(held)):
            _show_edition_form(open_ones)


def _edition_changes(one: Edition) -> str:
    parts = {
        "new": ngettext("{n} new", "{n} new", one.new),
        "changed": ngettext("{n} changed", "{n} changed", one.changed),
        "gone": ngettext("{n} taken away", "{n} taken away", one.gone),
    }
    counts = {name: text.format(n=lang().counted(getattr(one, name))) for name, text in parts.items()}
    return _("{new}, {changed}, {gone}, of {rows}").format(**counts, rows=lang().counted(one.rows))


def _edition_why(one: Edition) -> str:
    said = [*one.why_held, *one.reported]
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
        _(
            "Skill falls with distance. Months marked ✓: use the median. ◐: likely better than the last count; use it "
            "with caution. No sign: use only the range; for asylum, plan with the last count, which no forecast beat."
        ),
        _(CONTEXT),
    ]


def glossary() -> list[tuple[str, str]]:
    """Words on screen and what they mean."""
    return [
        (_("Expected"), _("the median: as likely to be passed as not")),
        (_("80% interval"), _("four outcomes in five are expected inside")),
        (_("Baseline"), _("the last value with its own past errors; a forecast must beat it to be worth anything")),
        (_("Relative WIS"), _("the score of a range divided by the baseline’s; below 1 is better")),
        (_("Nowcast"), _("the forecast of a month that has begun or ended and is not counted yet")),
        (_("Provisional"), _("the newest figure, which its publisher may still change")),
        (_("Share held"), _("the share of past counts that fell inside the interval")),
        (
            _("◐ likely better"),
            _("the 90% interval shows a gain, not proven: among the many months tested some are luck (Holm’s test)"),
        ),
        *((_(term), _(meaning)) for term, meaning in TERMS),
    ]


def show_method(night: Night) -> None:
    """The part."""
    st.title(
        _("Vigie forecasts arrivals on migration routes, warns early, and tests itself on past months"),
        anchor=False,
    )
    uses, known, who = st.columns(3, gap="large")
    with uses:
        st.header(_("What it is for"), anchor=False)
        st.markdown(_(INTENDED_USE))
        st.markdown(
            "\n".join(
                [f"**{_('What it must not be used for')}**\n", *(f"- {text}" for text in prohibited_uses(lang()))]
            )
        )
    with known:
        st.header(_("Limits"), anchor=False)
        st.markdown("\n".join(f"- {text}" for text in limits()))
    with who:
        st.header(_("Whom to ask, how to cite it"), anchor=False)
        st.markdown("\n".join(f"- {text}" for text in imprint(night)))
    said = reads.once(night, partial(record.title, night, ALL, lang()), "record's title", ALL)
    live = record.live_title(night.frame("issued_scores"), lang())
    flatter = _(
        "Past dates flatter: corrected counts stand where no first ones were kept, and the recipe was chosen on those "
        "dates; it is fixed since 2 December 2026."
    )
    st.markdown(f"{plain(f'{said}. {flatter} {live}.')} **[{_('How we know →')}]({state.link('evaluation')})**")
    routes = reads.once(night, partial(whatif.forecast_routes, night), "forecast routes")
    if routes:
        show_steps(night, state.choice("route", routes, routes[0]))
    with st.expander(_("Glossary")):
        st.markdown("\n".join("- " + labelled(f"**{word}**", meaning) for word, meaning in glossary()))
    show_cards(night)


def show_steps(night: Night, route_id: str) -> None:
    """How one route's number is made, step by step."""
    st.header(labelled(_("How a number is made"), layout.route_name(route_id)), anchor=False)
    made = reads.once(night, partial(steps_of, night, route_id, lang()), "steps of a number", route_id)
    for first in (0, 3):
        for place, column in enumerate(st.columns(3), start=first):
            name, number, text = made[place]
            with column.container(border=True, height="stretch"):
                head = f"{place + 1}. {name}"
                st.markdown("### " + plain(labelled(head, number) if number else head), anchors=False)
                st.markdown(plain(text))


def imprint(night: Night) -> list[str]:
    """Whom to ask, where to report what is wrong, how to cite it and under which licence."""
    contact = load_settings(home_folder()).contact or _("whoever runs this copy and gave you its address")
    cite = _(
        "**Cite as**: The Vigie authors, Vigie {version}, release {run_id} made on {day}; and the figures’ publishers."
    )
    return [
        _("**Questions and errors**: ask {contact}.").format(contact=contact),
        _(
            "**An alert is wrong**: “Comment, disagree or correct” at its foot, on Alerts. **A figure**: its "
            "publisher, under Sources. **Security**: in private, as SECURITY.md says."
        ),
        cite.format(
            version=plain(night.code_version.partition("+")[0]), run_id=night.run_id,
            day=lang().day(night.created_at.date()),
        ),
        _("Open software, MIT licence."),
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
            _("Model"),
            names,
            format_func=partial(named, MODELS),
            width=300,
            label_visibility="collapsed",
            **state.widget("model", chosen),
        )
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
