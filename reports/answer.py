"""How one alert answers itself: its chance month by month, what would end it, until when a decision is of use."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from alerts.lifecycle import DISMISSED, ENDED, PROPOSED, SIGN_OFFS_NEEDED, State, fold
from alerts.rules import EXCEEDANCE_RULES, OBSERVED_RULES, SUBJECT
from alerts.rules.origin_context import NAME as ORIGIN_CONTEXT
from alerts.rules.outside_interval import COVERAGE as OUTSIDE_COVERAGE
from alerts.rules.outside_interval import NAME as OUTSIDE
from core.calendar import end_dates, is_month, planning_window
from core.languages import Language, capital, is_known
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from core.schema import Entry
from core.settings import FEED
from forecasting import ENSEMBLE
from reports import ReadableRelease, Row, numbers
from reports.alert import alert_report, event_of, informs, limit_of
from reports.changes import event_words
from reports.citations import CONTEXT, some
from reports.files import flag_words
from reports.names import in_unit, level_label, level_name, subject_name
from reports.route import so_far_words

_FORECAST = {rule.rule: rule for rule in EXCEEDANCE_RULES}
_OBSERVED = frozenset(rule.rule for rule in OBSERVED_RULES if not rule.informs)
_MOST_NAMED = 2


def months_of(alert: Row, release: ReadableRelease, language: Language) -> list[tuple[str, str]]:
    """Month and chance of each month of an alert's window, as they are written; empty without a forecast."""
    return [(capital(language.month(end)), language.percent(share)) for end, share in month_chances(alert, release)]


def month_chances(alert: Row, release: ReadableRelease) -> list[tuple[pd.Timestamp, float]]:
    """Chance of the event in each month of an alert's window, on the paths from which its own chance was counted.

    Of people in reception it stands in ``reception_needs``.

    Returns:
        Last day of each month and its chance; empty where the rule forecasts nothing or a month has no path.
    """
    if not _is_ahead(alert):
        return []
    window = _ends_of(alert)
    needs, trajectories = release.frame("reception_needs"), release.frame("trajectories")
    stock = needs[(needs["series_id"] == alert["series_id"]) & needs["factor"].eq(1.0)]
    if len(stock):
        chances = stock.set_index(end_dates(stock["time_period"], "M"))["chance"].reindex(window)
        return list(zip(window, map(float, chances), strict=True))
    happened = _on_paths(alert, trajectories, window)
    if len(happened.columns) < len(window):
        return []
    return list(zip(pd.DatetimeIndex(happened.columns), map(float, happened.mean()), strict=True))


def _on_paths(alert: Row, trajectories: pd.DataFrame, ends: pd.DatetimeIndex) -> pd.DataFrame:
    """Whether the event of an alert happens: one row per path, one column per month that has paths."""
    rows = trajectories[
        (trajectories["series_id"] == alert["series_id"])
        & (trajectories["model_id"] == ENSEMBLE)
        & trajectories["target_end_date"].isin(ends)
    ]
    paths = rows.pivot_table(index="output_type_id", columns="target_end_date", values="value")
    limits = np.array([alert["threshold"]], dtype=np.float64)
    happened = _FORECAST[str(alert["rule"])].happened(paths.to_numpy(dtype=float), limits)
    return pd.DataFrame(happened, paths.index, paths.columns)


def came_true(alert: Row, counts: pd.DataFrame) -> bool | None:
    """Whether the event of an alert happened in a month of its window; None where it forecast none or is not over.

    Args:
        alert: A row of ``alerts``.
        counts: Monthly counts of its series: ``end_date, obs_value``.
    """
    if not _is_ahead(alert):
        return None
    months = pd.period_range(str(alert["first_period"]), str(alert["last_period"]), freq="M")
    counted = counts.loc[counts["end_date"].dt.to_period("M").isin(months), "obs_value"].dropna().to_numpy(dtype=float)
    rule = _FORECAST[str(alert["rule"])]
    happened = bool(rule.happened(counted[None, :], np.array([alert["threshold"]], dtype=float)).any())
    return True if happened else (False if len(counted) == len(months) else None)


def outcome(alert: Row, release: ReadableRelease, entries: Sequence[Entry], language: Language) -> list[str]:
    """How an alert ended, a sentence each: why, what is known of its months, who had decided.

    Nothing of what merely informed.

    Args:
        alert: A row of ``ended_alerts``.
        release: The release that no longer finds it; only what it knows is said.
        entries: The journal's rows on the alert.
        language: The reader's.
    """
    if informs(alert):
        return []
    counts = numbers.series_of(release.frame("observations"), str(alert["series_id"]))
    said = ending(alert, release, language)
    if _is_ahead(alert) and came_true(alert, counts) is None:
        ends, judged = _ends_of(alert), judged_now(alert, release.frame("alert_chances"))
        if judged is not None and judged["threshold"] != alert["threshold"]:
            text = _("The threshold follows the counts: {origin}")
            if origin := origin_of_threshold(judged, counts, language):
                said.append(language.text(text, origin=origin))
        said.append(language.text(_("Outcome known once {month} is counted."), month=language.month(ends[-1])))
        running = numbers.running_month(release.frame("nowcasts"), str(alert["series_id"]))
        if running["target_end_date"].isin(ends).any():
            said.append(f"{so_far_words(running.iloc[0], language)}.")
    before = fold([one for one in entries if one.action != ENDED], str(alert["alert_level"]))
    texts = {PROPOSED: _("Nobody decided on it."), DISMISSED: _("People dismissed it.")}
    signed = _("Signed off by {names}.")
    return [*said, language.text(texts.get(before.status, signed), names=", ".join(before.sign_offs))]


def ending(alert: Row, release: ReadableRelease, language: Language) -> list[str]:
    """Why an alert ended, a sentence each: its event happened or not, or what took its chance below the cut-off.

    That is new figures, else the months and the threshold that are judged now: then its own chance leads.

    Args:
        alert: A row of ``ended_alerts`` that does not merely inform.
        release: The release that no longer finds it.
        language: The reader's.
    """
    counts = numbers.series_of(release.frame("observations"), str(alert["series_id"]))
    if (came := came_true(alert, counts)) is not None:
        return [language.text(_("It happened.") if came else _("It did not happen."))]
    if _is_ahead(alert):
        return _why_below(alert, release, language)
    if counts.empty:
        return []
    inside = _inside_words(alert, counts, release.frame("backtest"), language)
    return [inside or newest_count(counts, str(alert["route_id"]), language)]


def _why_below(alert: Row, release: ReadableRelease, language: Language) -> list[str]:
    judged, (own, begun, cutoff) = judged_now(alert, release.frame("alert_chances")), _chances_left(alert, release)
    if judged is None:
        text, ahead = _("No such alert on the months judged now, {months}."), planning_window(release.as_of)
        return [language.text(text, months=language.months(ahead[0], ahead[-1]))]
    anew = alert_report(judged, None, language)
    texts = [_("Each release judges the months then ahead: now {chance} for {event}; {limit}.")]
    if own < cutoff:
        text = _("Ended: new figures lowered the chance in those months from {before} to {now}; cut-off {cutoff}.")
        texts = [text, *texts]
    elif begun >= cutoff:
        text = _(
            "{begun} chance that {month}, not counted yet, {past}. The months ahead need no alert: {chance} for "
            "{event}; {limit}."
        )
        texts = [text]
    shares = {"now": own, "begun": begun, "before": float(alert["probability"]), "cutoff": cutoff}
    words = {name: language.percent(share) for name, share in (shares | {"chance": judged["probability"]}).items()}
    words |= {"month": _last_begun(alert, release, language), "event": event_words(judged, language)}
    words |= {"past": event_of(alert, language, past=True)}
    return [capital(language.text(text, limit=anew.usual[-1], **words)) for text in texts]


def _last_begun(alert: Row, release: ReadableRelease, language: Language) -> str:
    """The last of an alert's months before those that a release judges."""
    first, last = planning_window(release.as_of)[0] - 1, pd.Period(str(alert["last_period"]), "M")
    return language.month(min(first, last))


def _chances_left(alert: Row, release: ReadableRelease) -> tuple[float, float, float]:
    """The chance of an ended alert's event in its months without a count and in those of them begun, and its cut-off.

    All are NaN where that is not known.
    """
    counts = numbers.series_of(release.frame("observations"), str(alert["series_id"]))
    if not _is_ahead(alert) or came_true(alert, counts) is not None:
        return np.nan, np.nan, np.nan
    ends, judged = _ends_of(alert), judged_now(alert, release.frame("alert_chances"))
    paths = _on_paths(alert, release.frame("trajectories"), ends[ends > counts["end_date"].max()])
    begun = paths.loc[:, pd.DatetimeIndex(paths.columns) < planning_window(release.as_of)[0].start_time]
    own, over = (float(of.any(axis=1).mean()) if len(paths) else np.nan for of in (paths, begun))
    return own, over, float(alert["cutoff"] if judged is None or is_known(alert["cutoff"]) else judged["cutoff"])


def awaits_count(alert: Row, release: ReadableRelease) -> bool:
    """Whether a month without a count may have brought the event of an ended alert."""
    _own, begun, cutoff = _chances_left(alert, release)
    return begun >= cutoff


def not_counted(release: ReadableRelease, language: Language) -> dict[str, str]:
    """Name each route with an ended alert whose event a month without a count may have brought, and that chance."""
    text, found = _("{route} ({chance} chance that {month}, not counted yet, {event})"), {}
    chances = ((*_chances_left(row, release)[1:], row) for row in release.frame("ended_alerts").to_dict("records"))
    for begun, cutoff, row in sorted(chances, key=lambda one: one[0]):
        if begun >= cutoff:
            found[str(row["route_id"])] = language.text(
                text, route=subject_name(row, release.sources(), language), chance=language.percent(begun),
                event=event_of(row, language, past=True), month=_last_begun(row, release, language),
            )  # fmt: skip
    return found


def _is_ahead(alert: Row) -> bool:
    """Whether an alert is about the chance of passing a number in months ahead."""
    return str(alert["rule"]) in _FORECAST and is_known(alert["threshold"])


def _ends_of(alert: Row) -> pd.DatetimeIndex:
    """Last days of an alert's months."""
    return pd.period_range(str(alert["first_period"]), str(alert["last_period"]), freq="M").end_time.normalize()


def _inside_words(alert: Row, counts: pd.DataFrame, backtest: pd.DataFrame, language: Language) -> str:
    """That the newest count lies inside the interval by which a count is judged; empty of any other rule."""
    last = counts.iloc[-1]
    expected = numbers.expected_before(backtest, str(alert["series_id"]), last["end_date"], OUTSIDE_COVERAGE)
    if alert["rule"] != OUTSIDE or expected is None or not expected.low <= last["obs_value"] <= expected.high:
        return ""
    text = _("{month} counted {value}, within the {interval} expected before.")
    return capital(language.text(
        text, month=language.month(last["end_date"]), value=language.counted(last["obs_value"]),
        interval=language.interval_words(expected.low, expected.high),
    ))  # fmt: skip


def judged_now(alert: Row, chances: pd.DataFrame) -> Row | None:
    """An alert of a former release as a release judges its event anew; None where it does not.

    Args:
        alert: A row of ``ended_alerts``.
        chances: ``alert_chances`` of the release.
    """
    same = chances[(chances["rule"] == alert["rule"]) & (chances["route_id"] == alert["route_id"])]
    return None if same.empty else {**alert, **same.to_dict("records")[0]}


def origin_of_threshold(row: Row, history: pd.DataFrame, language: Language) -> str:
    """Where an alert's number comes from; empty where a reader has set it."""
    key, limit, last = str(row["reason_key"]), float(row["threshold"]), history["end_date"].iloc[-1]
    recent = history.tail(36)
    same = recent[recent["obs_value"] == limit]
    threshold, until = language.counted(limit_of(row)), language.month(last)
    if key == "capacity_default":
        text = _("{threshold} a month was exceeded in {n} of the {all} months to {until}.")
        count = int((recent["obs_value"] > limit).sum())
        return language.text(text, threshold=threshold, n=count, all=len(recent), until=until)
    if len(same):
        text = _("{threshold} is the count of {month}.")
        return language.text(text, threshold=threshold, month=language.month(same["end_date"].iloc[-1]))
    if row["rule"] in {"surge", "fall"}:
        mean = float(history["obs_value"].tail(12).mean())
        text = _("{threshold} is {factor} times {mean}, the mean of the twelve months to {until}.")
        factor, mean_words = language.significant(limit / mean), language.expected(mean)
        return language.text(text, threshold=threshold, factor=factor, mean=mean_words, until=until)
    return ""


def newest_count(history: pd.DataFrame, route_id: str, language: Language) -> str:
    """The newest count of a route beside the mean of twelve months: ``December 2024: 3,163 arrivals counted; …``."""
    last, mean = history.iloc[-1], float(history["obs_value"].tail(12).mean())
    text = language.text(_("{month}: {value} {unit} counted; the past twelve months averaged {mean}."))
    said = in_unit(
        text, route_id, language,
        month=month_flagged(last, language), value=language.counted(last["obs_value"]), mean=language.expected(mean),
    )  # fmt: skip
    return capital(said)


def month_flagged(last: Row | pd.Series, language: Language) -> str:
    """A count's month, and whether it is provisional or estimated: ``November 2024 (estimated)``."""
    month, flags = language.month(last["end_date"]), flag_words(last["obs_flag"], language)
    return f"{month} ({flags})" if flags else month


def night_steps(
    nights: Iterable[tuple[dt.datetime, dt.date, pd.DataFrame, pd.DataFrame]], alert: Row, language: Language
) -> list[tuple[dt.datetime, dt.date, str]]:
    """What nights found of one rule on one route, each time that level, number or months changed.

    Args:
        nights: When each release was made, its day, its ``alerts`` and ``alert_chances``, oldest first.
        alert: The alert.
        language: The reader's.

    Returns:
        When and of which day, with the step in words: the level, and what differs from the alert of its number, months
        and chance beside what is usual.
    """
    found, former, level = [], "", ""

    def about(one: Row) -> tuple[str, str]:
        return event_words(one, language), alert_report(one, None, language).chance_beside

    for made_at, day, alerts, chances in nights:
        same = alerts[(alerts[list(SUBJECT)] == [alert[name] for name in SUBJECT]).all(axis=1)]
        row = None if same.empty else same.to_dict("records")[0]
        now = "" if row is None else str(row["alert_level"])
        said = "" if row is None else " · ".join(filter(None, [level_label(now, language), event_words(row, language)]))
        if said == former:
            continue
        judged = judged_now(alert, chances) if row is None else row
        gone = _("Ended, was {level}")
        text = level_label(now, language) if now else language.text(gone, level=level_name(level, language))
        if judged is not None:
            text = " · ".join([text, *(part for part in about(judged) if part and part not in about(alert))])
        found.append((made_at, day, text))
        former, level = said, now
    return found


def needed_by(alert: Row, as_of: dt.date, language: Language) -> str:
    """Until when a decision is of use: before the first month likely to bring the event; empty where it has begun.

    An alert about what is counted has no such month.
    """
    first = str(alert.get("likely_period") or alert.get("first_period") or "")
    if not is_month(first):
        return ""
    day = (pd.Period(first, "M").start_time - pd.Timedelta(days=1)).date()
    if day < as_of:
        return language.text(_("no deadline: its month is counted already")) if str(alert["rule"]) in _OBSERVED else ""
    text = _("decision needed by {day}") if day > as_of else _("decision needed at once")
    text = language.text(text, day=language.day(day))
    return language.text(_("{text}: {month} is the first month at stake"), text=text, month=language.month(first))


def begins_words(alert: Row, as_of: dt.date, language: Language) -> str:
    """In how many days the months of a forecast alert begin: ``begins in 31 days``; empty where they have begun."""
    first = str(alert.get("first_period") or "")
    days = (pd.Period(first, "M").start_time.date() - as_of).days if is_month(first) else 0
    if days == 1:
        return language.text(_("begins tomorrow"))
    return language.plural(ngettext("begins in {n} day", "begins in {n} days"), days) if days > 1 else ""


def sign_off_words(state: State, language: Language) -> str:
    """Who has signed an alert off and how many are missing, in one line."""
    if state.status != PROPOSED:
        return ""
    needed = SIGN_OFFS_NEEDED.get(state.level, 1)
    if state.sign_offs:
        names = ", ".join(state.sign_offs)
        text = _("signed by {names}; {n} of {needed} sign-offs")
        return language.text(text, names=names, n=len(state.sign_offs), needed=needed)
    texts = ngettext("nobody has signed yet; {n} person must", "nobody has signed yet; {n} people must")
    return language.plural(texts, needed)


_CHANNELS = {"email": _("e-mail"), "webhook": _("web service"), "chat": _("chat")}


def recipients_words(
    readers: Sequence[tuple[str, str, str, str]], kinds: Mapping[str, str], language: Language
) -> list[str]:
    """Who would receive a message, one line per subscription: ``Situation desk: e-mail, 3 recipients, in French``.

    Args:
        readers: Subscription, channel, address and language of each.
        kinds: Kind of each channel by its name.
        language: The reader's.
    """
    counts = Counter((name, channel, code) for name, channel, _address, code in readers)
    is_read = any(channel != FEED for _name, channel, _address, _code in readers)
    lines = [] if is_read else [language.text(_("No person is set up to receive it."))]
    for (name, channel, code), count in counts.items():
        if channel == FEED:
            lines.append(language.text(_("Machines: CAP message and Atom feed, in every language")))
            continue
        texts = ngettext("{channel}, {n} recipient, in {language}", "{channel}, {n} recipients, in {language}")
        way = language.text(_CHANNELS[kinds[channel]])
        words = language.plural(texts, count, channel=way, language=language.language_name(code))
        lines.append(language.labelled(name, words))
    return lines


def consequences(quiet: str, held_until: dt.datetime | None, language: Language) -> list[str]:
    """What follows a sign-off and an acknowledgement, a sentence each.

    Args:
        quiet: Why nothing is sent; empty where it is.
        held_until: End of the cooldown by which messages are held back, if any.
        language: The reader's.
    """
    if quiet:
        sent = language.text(_("Exercise: nothing leaves Vigie. Live, the message goes at once to all recipients."))
    elif held_until is not None:
        text = _("After the last signature the message waits until {day}: its recipients were told recently.")
        sent = language.text(text, day=language.day(held_until.date()))
    else:
        sent = language.text(_("With the last signature the message is sent at once to all recipients."))
    return [
        sent,
        language.text(_("Recipients plan places, health care and protection with it, and are told of its end.")),
        language.text(_("Acknowledge then says that a responder is assigned; nothing more is sent.")),
    ]


def decisions_title(waiting: Collection[tuple[str, str]], count: int, language: Language, *, mine: bool) -> str:
    """What waits to be decided, in one sentence.

    Args:
        waiting: Subject and level, in words, of the gravest alert of each route that waits, in the order to name.
        count: How many alerts wait.
        language: The reader's.
        mine: Whether the reader may decide.
    """
    if not waiting:
        return language.text(_("Nothing waits for a decision"))
    shown = some([f"{subject} ({level})" for subject, level in waiting], language, _MOST_NAMED)
    own = ngettext("{n} alert needs your sign-off", "{n} alerts need your sign-off")
    others = ngettext("{n} alert waits for sign-off", "{n} alerts wait for sign-off")
    return language.labelled(language.plural(own if mine else others, count), shown)


def end_words(alert: Row, language: Language) -> str:
    """What would end an alert."""
    rule = str(alert["rule"])
    if rule in _OBSERVED:
        return language.text(_("It ends with the first new count that is no longer unusual."))
    if rule not in _FORECAST:
        gone = _("It ends when a new release no longer finds it.")
        return language.text(CONTEXT if rule == ORIGIN_CONTEXT else gone)
    text = _(
        "Each release judges the months then ahead: the alert ends once their chance is below the cut-off, even if a "
        "month that has begun may still bring the event."
    )
    return language.text(text)
