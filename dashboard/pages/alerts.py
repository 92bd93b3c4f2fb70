"""Alerts: the list, parted by what it asks of the reader, and one alert in detail."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import pandas as pd
import streamlit as st

from alerts import INFORMATION, LEVELS
from alerts.lifecycle import DISMISSED, ENDED
from alerts.rules import EXCEEDANCE
from core.calendar import planning_window
from core.languages import capital, is_known
from core.routes import in_order, is_route
from core.schema import ALL
from dashboard import _, decisions, downloads, labelled, lang, layout, listed, ngettext, reads, state, tables
from dashboard.charts.seasons import season_bars, season_bars_alt
from dashboard.decisions import AlertStatus
from dashboard.layout import plain, small
from dashboard.reads import Night
from dashboard.theme import current_theme, level_badge, level_label
from reports import Row, alert_list, answer, numbers, rules, whatif
from reports.alert import (
    TERMS,
    UNTESTED_TERM,
    USUAL_TERM,
    AlertReport,
    alert_file,
    alert_report,
    directed,
    direction,
    informs,
    limit_of,
    rule_record,
    status_words,
)
from reports.alert_list import AWAITED, DECIDED, INFORMS, OVER, SHOWN_ONCE, WAITS
from reports.changes import change_since, change_words
from reports.citations import some
from reports.names import in_unit, place_name, rule_name
from reports.reception import reached_by

TITLE, PLACE = _("Alerts"), 4

HEADING_LEVELS = LEVELS[::-1]
MOST_RELEASES = 30
MOST_NAMED = 4


def show(night: Night) -> None:
    """The page."""
    state.take_over_route()
    decisions.show_toast()
    alerts = reads.once(night, partial(alert_list.all_alerts, night), "alerts, ended ones too")
    level_now = alerts["alert_level"].where(~alerts["ended"].astype(bool), "")
    statuses = decisions.statuses(dict(zip(alerts["alert_id"], level_now, strict=True)), night.run_id)
    alerts = alert_list.grouped(alerts, {name: one.state.status for name, one in statuses.items()})
    alerts = alert_list.with_subjects(night, alerts, lang())
    st.title(title(night, alerts), anchor=False)
    if (waits := alerts["group"].eq(WAITS)).any() and reads.is_newest(night):
        st.markdown(small(plain(ask_words(night, alerts[waits]))))
    is_calm = not alerts["group"].isin([WAITS, DECIDED]).any()
    # On a phone the list and the detail are two views: which one, the address says.
    is_chosen = "alert" in st.query_params
    if is_calm and not is_chosen:
        show_calm(night)
    with st.container(key="alerts-chosen" if is_chosen else "alerts-all"):
        if is_chosen:
            back = _("All alerts")
            st.button(f"← {back}", key="all-alerts", type="tertiary", on_click=partial(state.write, "alert", None))
        if is_calm:
            over = alerts["group"].isin([AWAITED, OVER, DISMISSED])
            alerts = pd.concat([alerts[over], alerts[~over]])
        chosen = alerts if is_calm else show_filters(night, alerts)
        if len(alerts) and chosen.empty:
            st.markdown(small(_("No alert matches these filters.")))
        elif is_calm and not is_chosen:
            with st.container(key="alerts-list"):
                show_list(night, chosen, statuses, wide=True)
        elif len(chosen):
            left, detail = st.columns([1, 1.7], gap="medium")
            with left, st.container(key="alerts-list", gap="xsmall"):
                row = show_list(night, chosen, statuses)
            with detail, st.container(border=True, key="alert-detail"):
                show_alert(night, row, statuses[row["alert_id"]])
    if len(alerts):
        rows = alerts.drop(columns=["key", "awaited", "group", "subject"])
        make = partial(alert_file, rows, night.frame("track_record"), lang())
        shown = reads.once(night, make, "alerts' file", *rows["alert_id"], *rows["ended"])
        downloads.buttons(downloads.export_of(night, "alerts", _("Alerts"), shown))
    if is_calm and not is_chosen:
        show_nearest(night)


def show_calm(night: Night) -> None:
    """Whose month is not counted yet, and the way to the alerts of the release before, if any were open."""
    if left := reads.once(night, partial(answer.not_counted, night, lang()), "not counted"):
        head, why = _("Awaiting the count"), _("Nothing to decide: alerts are about the months ahead.")
        st.markdown(plain(f"{labelled(head, listed(left.values()))}. {why}"))
    former = reads.night(night.previous) if night.previous else None
    if former is None or not (count := int(former.frame("alerts")["alert_level"].isin(LEVELS).sum())):
        return
    text = ngettext(
        "For what an alert looks like, see [the one of {day}]({link}).",
        "For what an alert looks like, see [the {n} of {day}]({link}).",
        count,
    )
    link = state.link("alerts", release=former.run_id)
    st.markdown(small(text.format(n=count, day=lang().day(former.as_of), link=link)))


def show_nearest(night: Night) -> None:
    """How far each route is from an alert, and what the words mean; no table of a release that does not hold it."""
    rows = reads.once(night, partial(alert_list.nearest, night, lang()), "nearest to an alert")
    if rows.empty:
        show_terms()
        return
    head = _("Nearest to an alert, {when}").format(when=lang().in_months(*planning_window(night.as_of)[[0, -1]]))
    st.markdown(f"## {head}", anchors=False)
    if unusual := alert_list.unusual_words(rows, lang()):
        st.markdown(plain(unusual))
    reads.drawn_once(night, partial(draw_nearest, rows, head), "nearest to an alert, drawn")
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        show_terms()
        downloads.buttons(downloads.export_of(night, "nearest", head, rows.drop(columns=["name", "event", "untested"])))


def show_terms() -> None:
    """What levels, cut-offs and words of chance mean, where a reader meets them."""
    known = ((_(term), _(meaning)) for term, meaning in TERMS)
    lines = (labelled(f"**{term}**", plain(meaning)) for term, meaning in [*known, lang().chance_scale()])
    with st.popover(_("What the words mean"), type="tertiary"):
        st.markdown("\n".join(f"- {line}." for line in lines))


def draw_nearest(rows: pd.DataFrame, alt: str) -> None:
    """The table, and what the usual chance and its marks are."""
    table = tables.nearest_table(rows, current_theme())
    with st.container(key="numbers-chances"):
        st.table(table, border="horizontal", hide_index=True, alt=alt)
    term, meaning = map(_, UNTESTED_TERM)
    usual = labelled(*map(_, USUAL_TERM))
    said = [_("The nearest rule of each route and direction."), f"{usual}."]
    said += [_("The numbers follow the newest counts, so they change from release to release.")]
    said += [f"{labelled(term, meaning)}."] if rows["untested"].any() else []
    st.markdown(small(plain(" ".join(said))))


def title(night: Night, alerts: pd.DataFrame) -> str:
    """How many alerts wait for a decision, and on which routes a high or a low count is likely.

    Of an older release: how many did when it was the newest.
    """
    waiting, decided = (alerts[alerts["group"] == group] for group in (WAITS, DECIDED))
    rows = waiting if len(waiting) else decided
    if rows.empty:
        awaited = alerts.loc[alerts["group"] == AWAITED, "route_id"].nunique()
        return decisions.calm_words(awaited)
    count = ngettext("{n} open alert, decided on", "{n} open alerts, all decided on", len(rows))
    if len(waiting) and reads.is_newest(night):
        count = ngettext("{n} alert waits for sign-off", "{n} alerts wait for sign-off", len(rows))
    elif len(waiting):
        count = ngettext(
            "{n} alert was still waiting for sign-off", "{n} alerts were still waiting for sign-off", len(rows)
        )
    sources = night.sources()
    found = [(row, report_of(night, row)) for row in rows.to_dict("records")]
    found.sort(key=lambda one: bool(one[1].untested))
    named = [
        " ".join(
            filter(
                None,
                [
                    directed(row, sources, lang()),
                    report.chance if report.lead else "",
                    f"({report.untested})" if report.untested else "",
                ],
            )
        )
        for row, report in found
    ]
    said, routes = some(list(dict.fromkeys(named)), lang(), MOST_NAMED), rows["route_id"].nunique()
    head = count.format(n=len(rows))
    if routes < len(rows) and rows["route_id"].map(is_route).all():
        head = ngettext("{said} on {n} route", "{said} on {n} routes", routes).format(said=head, n=routes)
    return labelled(head, said)


def ask_words(night: Night, waiting: pd.DataFrame) -> str:
    """Until when the first of the alerts that wait needs a decision; empty where none has a day."""
    days = (answer.needed_by(row, night.as_of, lang()) for row in waiting.to_dict("records"))
    return capital(next(filter(None, days), ""))


def show_filters(night: Night, alerts: pd.DataFrame) -> pd.DataFrame:
    """Which groups, of those that are not empty, which levels and route."""
    counts = alerts.drop_duplicates(SHOWN_ONCE)["group"].value_counts()
    heads = {
        "waiting": _("To decide ({n})") if reads.is_newest(night) else _("Undecided ({n})"),
        "open": _("Open ({n})"),
        "context": _("For information ({n})"),
        "ended": _("Ended ({n})"),
    }
    words = {"all": _("All")}
    count_of = {name: int(counts.reindex(alert_list.SHOWN[name]).sum()) for name in heads}
    if count_of["open"] == count_of["waiting"]:
        count_of["open"] = 0  # it would show the same alerts
    for name, head in heads.items():
        if (count := count_of[name]) or st.query_params.get("show") == name:
            words[name] = head.format(n=count)
    show_which = state.choice("show", tuple(words), "all")
    levels = state.many("levels", HEADING_LEVELS)
    routes = [ALL, *in_order(alerts["route_id"])]
    route_id = state.choice("on", routes, ALL)
    with st.container(key="alert-filters", horizontal=True, vertical_alignment="center", gap="small"):
        st.segmented_control(
            _("Which alerts"), list(words), format_func=words.__getitem__, required=True,
            label_visibility="collapsed", wrap=True, **state.widget("show", show_which),
        )  # fmt: skip
        st.pills(
            _("Levels"), HEADING_LEVELS, selection_mode="multi", format_func=level_label, label_visibility="collapsed",
            **state.widget("levels", levels, lambda kept: None if len(kept) == len(HEADING_LEVELS) else ",".join(kept)),
        )  # fmt: skip
        st.selectbox(
            _("Route"), routes, label_visibility="collapsed", width=240,
            format_func=lambda code: _("All routes") if code == ALL else layout.route_name(code),
            **state.widget("on", route_id),
        )  # fmt: skip
        show_terms()
    return alert_list.chosen_alerts(alerts, show_which, levels, route_id)


def show_list(night: Night, chosen: pd.DataFrame, statuses: Mapping[str, AlertStatus], *, wide: bool = False) -> Row:
    """The list of alerts, group by group, wide with groups beside each other; returns the one that is picked."""
    heads = {
        WAITS: _("Waiting for sign-off") if reads.is_newest(night) else capital(_("was waiting for sign-off")),
        DECIDED: _("Open, decided on"),
        AWAITED: _("Awaiting the count"),
        INFORMS: _("For information: nothing to decide"),
        DISMISSED: _("Dismissed"),
        OVER: _("Ended alerts"),
    }
    rows = {row["key"]: row for row in chosen.to_dict("records")}
    key = state.choice("alert", tuple(rows), next(iter(rows), ""), always="alert" in st.query_params)
    is_open = bool(rows) and (rows[key]["group"] in {WAITS, DECIDED} or "alert" in st.query_params)
    group, picked = "", rows.get(key, {})
    groups = st.grid(3 if wide else 1, min_column_width=320, gap="medium" if wide else "xsmall")
    # Alerts of one route stand under its name, each with its own number, months and chance.
    for (of, subject), same in chosen.drop_duplicates(SHOWN_ONCE).groupby(["group", "subject"], sort=False):
        if of != group:
            group = str(of)
            with groups:
                place = st.container(gap="xsmall")
            place.markdown(f"## {heads[group]}", anchors=False)
        is_picked = is_open and (of, subject) == (picked["group"], picked["subject"])
        with place, st.container(border=is_picked, gap=None, key=f"listed-{same['key'].iloc[0]}"):
            st.markdown(f"### {plain(str(subject))}", anchors=False)
            for row in same.to_dict("records"):
                st.button(
                    list_label(row),
                    key=f"open:{row['key']}",
                    type="tertiary",
                    width="stretch",
                    on_click=partial(state.write, "alert", row["key"]),
                )
                st.markdown(list_caption(night, row, statuses[row["alert_id"]]))
    return picked


def list_label(row: Row) -> str:
    """Level, direction and rule of one alert; of one that is over in grey."""
    badge = level_badge(row["alert_level"])
    if row["group"] == DISMISSED:
        badge = ":gray-badge[" + _("Dismissed") + "]"
    elif row["ended"]:
        badge = f":gray-badge[{_('was {level}').format(level=level_label(row['alert_level']))}]"
    return f"{badge} {plain(f'{direction(row)} {rule_name(row, lang())}'.strip())}"


def list_caption(night: Night, row: Row, status: AlertStatus) -> str:
    """Chance and months, state and change of one alert in a few words; of what is over how it ended."""
    report = alert_report(row, rule_record(row, night.frame("track_record")), lang())
    is_open, parts = row["group"] in {WAITS, DECIDED}, [report.sentence.removesuffix(".")]
    if report.window and not row["unjudged_since"] and (is_open or report.finding):
        # What an open alert's chance is of, and what the chance of one that is over was, stand in the detail.
        chance = report.chance if is_open else f"{report.chance} {report.event}"
        parts = [chance if report.lead else "", report.window]
        if row["ended"]:
            parts = [report.window, report.event]
    parts += alert_list.fact_words(night, row, lang())
    if row["ended"] and not informs(row):
        why = reads.once(night, partial(answer.ending, row, night, lang()), "alert's ending", row["key"])
        return f"{small(plain(' · '.join(parts)))}  \n:small[{plain(''.join(why[:1]))}]"
    if is_open:
        former = reads.night(night.previous) if night.previous else None
        before = former.frame("alerts") if former else None
        change = change_since(row, night.frame("alerts"), before, night.frame("track_record"))
        # That it waits is the heading above.
        has_moved = row["group"] == DECIDED or status.state.sign_offs or status.state.reopened
        moved = status_words(status.state, lang()) if has_moved else ""
        parts += [report.untested, moved, change_words(change, lang())]
    if status.state.objections:
        count = len(status.state.objections)
        parts.append(ngettext("{n} open objection", "{n} open objections", count).format(n=count))
    return small(plain(" · ".join(part for part in parts if part)))


def outcome_of(night: Night, row: Row, status: AlertStatus) -> list[str]:
    """How an alert that is over ended."""
    find = partial(answer.outcome, row, night, status.rows, lang())
    return reads.once(night, find, "alert's outcome", row["key"], len(status.rows))


def report_of(night: Night, row: Row) -> AlertReport:
    """What the release says about an alert; ``ended`` where it no longer stands."""
    record = rule_record(row, night.frame("track_record"))
    return alert_report(row, record, lang(), over=ENDED if row["ended"] else "")


def show_alert(night: Night, row: Row, status: AlertStatus) -> None:
    """One alert, top to bottom."""
    is_newest = reads.is_newest(night)
    decides = is_newest and not row["ended"] and not informs(row)
    with st.container(gap="xsmall"):
        show_matter(night, row, status)
    if not is_newest:
        text = _("As known and decided up to {day}. [What became of it, and where to comment]({link}).")
        if row["group"] == WAITS:
            text = _(
                "Not signed off up to {day}: nothing was sent. It stayed open while its rule still held. "
                "[What became of it, and where to comment]({link})."
            )
        st.markdown(text.format(day=lang().day(night.as_of), link=later_link(row)))
    with st.container():
        decisions.show_objections(night, row, status.state, is_newest=is_newest)
    key = (row["key"], row["alert_level"])
    season = reads.once(night, partial(alert_list.season, night, row), "season", row["key"])
    asks, *chart = st.columns([1, 1.25] if season else 1, gap="medium")
    with asks:
        reads.drawn_once(night, partial(show_answer, night, row), "alert's answer", *key)
        if not row["ended"]:
            reads.drawn_once(night, partial(show_reasons, night, row), "alert's reasons", *key)
    if season:
        with chart[0]:
            show_season(night, row, *season)
    # What comes and goes has a place of its own, so that what stands below keeps its.
    with st.container():
        if decides:
            decisions.show_decision(night, row, status)
    show_history(night, row, status)
    if st.toggle(
        _("Track record in detail"),
        **state.toggle("record"),
    ):
        reads.drawn_once(night, partial(show_record, night, row), "alert's record", *key)
    decisions.show_notes(night, row, is_newest=is_newest)


def show_matter(night: Night, row: Row, status: AlertStatus) -> None:
    """What is the matter, how much is expected and the next step; of what is over how it ended."""
    head = f"{row['subject']} {direction(row)}".strip()
    st.header(plain(f"{head} · {rule_name(row, lang())}"), anchor=False)
    report = report_of(night, row)
    colour = "gray" if row["ended"] or row["group"] == DISMISSED else "blue" if informs(row) else ""
    # The chance beside what is usual, but where the sentence says more.
    is_brief = not (row["ended"] or row["unjudged_since"] or informs(row))
    begins = answer.begins_words(row, night.as_of, lang()) if is_brief and reads.is_newest(night) else ""
    said = plain(listed(filter(None, [(report.chance_of if is_brief else "") or report.sentence, begins])))
    own, head = f"{report.dots} {report.record}".strip(), _("This rule")
    record = f"{labelled(head, own)}." if own else ""
    if row["ended"]:
        st.markdown(plain(" ".join([*outcome_of(night, row, status), record])))
    if row["group"] == DISMISSED:
        st.markdown(f":gray-badge[{_('Dismissed')}] :gray[{plain(report.badge)} · {said}]")
    else:
        st.markdown(f":{colour}[{said}]" if colour else f"**{report.badge}** · {said}")
    if not row["ended"]:
        if report.chance_beside and not is_brief:
            st.markdown(small(plain(report.chance_beside)))
        size = plain(alert_list.size_words(night, row, lang()))
        if said := " ".join(filter(None, [size, " · ".join(links_to_prepare(night, row))])):
            st.markdown(said)
        find = partial(alert_list.consequence_words, night, row, lang())
        if total := reads.once(night, find, "alert's consequence", row["key"]):
            head, more = _("If it comes true"), _("in Scenarios")
            link = state.link("scenarios", route=row["route_id"], kind="if", **whatif.condition_of(row))
            st.markdown(f"{labelled(f'**{head}**', plain(total))} · **[{more} →]({link})**")
        if why := f"{alert_list.unlikely_words(row, lang())} {record}".strip():
            st.markdown(plain(why))
        if row["group"] == WAITS and reads.is_newest(night):
            head = _("Next step")
            st.markdown(labelled(f"**{head}**", plain(next_words(night, row))))


def next_words(night: Night, row: Row) -> str:
    """What to decide, until when, who does, and since when it is open, a sentence each."""
    opened = ((one.as_of, one.frame("alerts")) for one in releases_upto(night))
    since = [day for day, of in opened if of["alert_level"].ne(INFORMATION)[of["alert_id"] == row["alert_id"]].any()]
    steps = [
        _("sign it off, which sends its message, or dismiss it"),
        answer.needed_by(row, night.as_of, lang()),
        labelled(_("who decides"), decisions.who_decides()),
        _("open since {day}").format(day=lang().day(since[0])),
    ]
    return " ".join(f"{capital(step)}." for step in steps if step)


def links_to_prepare(night: Night, row: Row) -> list[str]:
    """Where to read more: the forecast by month, places in reception."""
    route_id = str(row["route_id"])
    if not is_route(route_id) or (str(row["rule"]) not in EXCEEDANCE and informs(row)):
        return []
    stocks = reached_by(night.frame("reception_needs"), route_id)["series_id"].str.split(".").str[1]
    places = [code for code in stocks.unique() if "-" not in code]
    head = _("Reception")
    links = [(_("Forecast by month"), state.link("route", route=route_id))]
    links += [(labelled(head, place_name(code, lang())), state.link("reception", place=code)) for code in places]
    return [f"**[{plain(label)}]({address})**" for label, address in links]


def later_link(row: Row) -> str:
    """Address of what the newest release says of an alert of an older one."""
    newest = reads.nights()[0]
    found = alert_list.all_alerts(newest)
    same = found.loc[found["alert_id"] == row["alert_id"], "key"].head(1)
    return state.link("alerts", release=newest.run_id, **({"alert": str(same.iloc[0])} if len(same) else {}))


def show_answer(night: Night, row: Row) -> None:
    """Each month of the window with threshold and chance, any of them, the record and what would end it."""
    months = answer.months_of(row, night, lang())
    if months and not row["ended"]:
        table = pd.DataFrame(months, columns=[_("Month"), _("Chance")])
        with st.container(key="numbers-window"):
            st.table(table, border="horizontal", hide_index=True, alt=_("Chance in each month of the alert’s window"))
    lines = [alert_list.record_of_level(night, row, lang())]
    lines += [] if row["ended"] else [answer.end_words(row, lang())]
    if any(lines):
        st.markdown("\n".join(f"- {plain(line)}" for line in lines if line))


def show_reasons(night: Night, row: Row) -> None:
    """Facts that stand behind the alert."""
    if found := alert_list.reasons(night, row, lang()):
        st.markdown("### " + _("Why"), anchors=False)
        st.markdown("\n".join(f"- {plain(text)}" for text in found))


def show_season(
    night: Night, row: Row, past: pd.DataFrame, quantiles: pd.DataFrame, end: pd.Timestamp, counted: float | None
) -> None:
    """The alert's month in earlier years beside this year's forecast, and its count where that is known."""
    title = in_unit(_("{unit} in {month} of each year"), row["route_id"], lang(), month=lang().month(end, year=False))
    st.markdown(f"### {title}", anchors=False)
    draw = partial(draw_season, past, quantiles, end.year, limit_of(row), counted, row["route_id"])
    reads.drawn_once(night, draw, "season's chart", row["key"])
    downloads.figures(
        downloads.export_of(night, f"season-{row['route_id']}", title, season_table(past, quantiles)), title
    )
    history = numbers.series_of(night.frame("observations"), row["series_id"])
    month = capital(lang().month(end))
    which = "" if row["ended"] else _("{month} is the first month with a substantial chance.").format(month=month)
    if counted is not None:
        which = _("The interval of {year} is the forecast made a full month before.").format(year=end.year)
    st.markdown(small(f"{which} {layout.since_words(history['end_date'])}".rstrip()))


def draw_season(
    past: pd.DataFrame, quantiles: pd.DataFrame, year: int, limit: float | None, counted: float | None, route_id: str
) -> None:
    """The chart alone; a count that is known stands in place of a threshold, an end of the interval."""
    shown = {_("counted {value}"): counted} if limit is None or counted is not None else {_("threshold {value}"): limit}
    lines = {text: value for text, value in shown.items() if value is not None}
    unit = in_unit("{unit}", route_id, lang())
    figure = season_bars(past, quantiles, year=year, lines=lines, unit=unit, theme=current_theme())
    alt = season_bars_alt(past, quantiles, year=year, threshold=next(iter(lines.values()), None))
    layout.chart(figure, alt, "season")


def season_table(past: pd.DataFrame, quantiles: pd.DataFrame) -> pd.DataFrame:
    """The figures behind the bars: counted years, then the quantiles of this year's forecast."""
    expected = quantiles.rename(columns={"output_type_id": "quantile"}).round(4)
    return pd.concat([past, expected], ignore_index=True)


def show_record(night: Night, row: Row) -> None:
    """How this rule did at past origins."""
    rows = rules.record_rows(row, night.frame("track_record"), lang())
    st.markdown("### " + _("Track record of this rule"), anchors=False)
    if rows.empty:
        none = _("This rule reports what is known; it has no track record at this level.")
        st.markdown(small(capital(report_of(night, row).record) if is_known(row["probability"]) else none))
        return
    text = _("Rule: {rule}. Repeats of an alert, and alerts on events already under way, are left out.")
    st.markdown(small(plain(text.format(rule=rule_name(row, lang())))))
    rows.columns = pd.Index([_("Measure"), _("Value"), _("90% interval")])
    st.table(rows, border="horizontal", hide_index=True, alt=_("Track record of this rule with 90% intervals"))


def releases_upto(night: Night) -> list[Night]:
    """The newest releases up to one, the oldest first."""
    return [one for one in reversed(reads.nights()) if one.run_id <= night.run_id][-MOST_RELEASES:]


def show_history(night: Night, row: Row, status: AlertStatus) -> None:
    """What happened to the alert, and what people decided."""
    st.markdown("### " + _("What happened and who decided"), anchors=False)
    upto = releases_upto(night)
    steps = ((one.created_at, one.as_of, one.frame("alerts"), one.frame("alert_chances")) for one in upto)
    events = alert_list.history(steps, row, status.rows, status.state, lang())
    if events.empty:
        st.markdown(small(_("Nothing is recorded about this alert yet.")))
        return
    shown = events.map(plain)
    shown.columns = pd.Index([_("When"), _("What"), _("Who")])
    st.table(
        shown, border="horizontal", width="content", hide_index=True, hide_header=True, alt=_("History of this alert")
    )


show(layout.open_page())
