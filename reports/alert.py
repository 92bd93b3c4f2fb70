"""What a release says about one alert, in one reader's language: pages, mails, feeds, PDF and files lay this out."""

from __future__ import annotations

import datetime as dt
import json
import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd

from alerts import INFORMATION
from alerts.lifecycle import ACKNOWLEDGED, DISMISSED, ENDED, PROPOSED, SIGN_OFFS_NEEDED, SIGNED_OFF, WITHDRAWN, State
from alerts.rules import EXCEEDANCE, EXCEEDANCE_RULES, TEMPLATES, cannot_be_judged, sentence, whole_limit
from alerts.rules.reception_full import RULE as RECEPTION_FULL
from alerts.verification import FEWEST_EVENTS, precision_cases, record_of
from core.calendar import is_month
from core.languages import Language, is_known
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from core.schema import ALL
from reports import Row
from reports.names import LEVEL_MARKS, Sources, in_unit, level_label, level_name, rule_name, subject_name
from reports.skill import with_interval

FALLS = frozenset(rule.rule for rule in EXCEEDANCE_RULES if rule.falls)
"""Rules that warn of a low count."""
_REACHES = frozenset(rule.rule for rule in EXCEEDANCE_RULES if rule.compares == ">=")
"""Rules whose event the number itself is; of the other highs it is one more."""
UNTESTED_TERM = (
    _("Untested rule"),
    _("fewer than five of its past alerts can be judged: it is listed last"),
)
USUAL_TERM = (
    _("Usual chance"),
    _(
        "how often the event followed a month without it, on the route and in the season; the Route page counts whole "
        "years instead"
    ),
)
TERMS = (
    (
        _("Levels"),
        _(
            "Watch, Warning and Severe need ever higher chances, because a graver alert commits more means; Severe "
            "needs two signatures"
        ),
    ),
    UNTESTED_TERM,
    USUAL_TERM,
    (
        _("Alert from"),
        _(
            "each rule’s cut-off is where false alarms and missed events together would have cost least at past "
            "dates; common events need a higher chance, and none lies below 1.1 times the usual chance"
        ),
    ),
)
"""What a level means and why cut-offs differ, for :data:`alerts.LIFT`."""
UNTESTED = _("untested rule")
MEASURES = ("precision", "recall", "false_alarms_per_route_year", "lead_months_median")
_MOST_DOTS = 10


@dataclass(frozen=True)
class AlertReport:
    """One alert as every output says it.

    Attributes:
        level: Level in the release; ``ended`` where it is over.
        untested: ``untested rule`` where too few of its past alerts can be judged; else empty.
        badge: Mark and word of the level, and whether its rule is untested.
        sentence: What is the matter.
        chance: Its probability in whole per cent; an en dash where nothing is forecast.
        lead: By how much it exceeds the usual chance, else the word of chance; empty where nothing is forecast.
        usual: How often the event comes at this time of year, and from which chance on there is an alert:
            ``("usually 39%", "alert from 45%")``; empty where nothing is forecast.
        event: What the chance is of: ``to pass 10,000 a month``; empty where there is no threshold.
        window: The months it speaks of: ``February–April 2025``; empty where it names no month.
        finding: The chance as a sentence: ``82% chance that {unit} pass 10,000 in any month of May–July 2025``.
        chance_of: The same beside what is usual: ``…; usually 40%, alert from 45%``; empty where the finding is.
        dots: A dot for each past case, full where the alert came true; empty with few cases or many.
        record: How many such alerts came true, or why that is not known; empty where an alert merely informs.
    """

    level: str
    untested: str
    badge: str
    sentence: str
    chance: str
    lead: str
    usual: tuple[str, ...]
    event: str
    window: str
    finding: str
    chance_of: str
    dots: str
    record: str

    @property
    def chance_beside(self) -> str:
        """The chance beside what is usual: ``30% · usually 39% · alert from 45%``; empty without a chance."""
        return " · ".join(text for text in (self.chance, *self.usual) if text) if self.lead else ""


def limit_of(alert: Row) -> float | None:
    """An alert's number as words name it, see :func:`alerts.rules.whole_limit`; None where it has none."""
    limit = alert.get("threshold")
    return whole_limit(str(alert.get("rule")), float(limit)) if is_known(limit) else None


def direction(alert: Row) -> str:
    """``↑`` or ``↓`` where an alert is about a high or a low count; empty for any other."""
    rule, key = str(alert.get("rule")), str(alert.get("reason_key"))
    if rule in EXCEEDANCE:
        return "↓" if rule in FALLS else "↑"
    return {"outside_95_above": "↑", "outside_95_below": "↓"}.get(key, "")


def directed(alert: Row, sources: Sources, language: Language) -> str:
    """What an alert is about, with its direction: ``Malta ↓``."""
    return f"{subject_name(alert, sources, language)} {direction(alert)}".strip()


def _event_texts(rule: str) -> tuple[str, str, str]:
    """What a rule's number does: as the rest of ``the chance …``, as a sentence, and as the rest of ``May 2024 …``."""
    if rule == RECEPTION_FULL.rule:
        needed = _("{chance} chance that more places than {threshold} are needed in any month of {months}")
        return _("to need more places than {threshold}"), needed, _("needed more places than {threshold}")
    if rule in _REACHES:
        reached = _("{chance} chance that {unit} reach {threshold} in any month of {months}")
        return _("to reach {threshold} a month"), reached, _("reached {threshold}")
    if rule in FALLS:
        fallen = _("{chance} chance that {unit} fall to {threshold} or fewer in any month of {months}")
        return _("to fall to {threshold} or fewer a month"), fallen, _("fell to {threshold} or fewer")
    passed = _("{chance} chance that {unit} pass {threshold} in any month of {months}")
    return _("to pass {threshold} a month"), passed, _("passed {threshold}")


def event_of(alert: Row, language: Language, *, past: bool = False) -> str:
    """What a chance of an alert is of: ``to pass 10,000 a month``, ``passed 10,000``; empty where it has no number."""
    limit = limit_of(alert)
    text = _event_texts(str(alert.get("rule")))[2 if past else 0]
    return "" if limit is None else language.text(text, threshold=language.counted(limit))


def _finding(alert: Row, language: Language) -> str:
    """The chance, its event and its months as one sentence without a full stop; empty where one of them is missing."""
    limit, chance = limit_of(alert), _number(alert.get("probability"))
    first, last = str(alert.get("first_period") or ""), str(alert.get("last_period") or "")
    if limit is None or not is_known(chance) or not (is_month(first) and is_month(last)):
        return ""
    text = _event_texts(str(alert.get("rule")))[1]
    return in_unit(
        language.text(text), str(alert.get("route_id")), language,
        chance=language.percent(chance), threshold=language.counted(limit), months=language.months(first, last),
    )  # fmt: skip


def alert_report(alert: Row, record: Row | None, language: Language, *, over: str = "") -> AlertReport:
    """Write one alert.

    Args:
        alert: A row of ``alerts`` or the facts of an announcement.
        record: Result of :func:`rule_record`.
        language: The reader's.
        over: ``ended`` or ``withdrawn`` where the alert no longer stands.
    """
    chance, level = _number(alert.get("probability")), str(alert["alert_level"])
    dots, in_words = _record_words(alert, record, language)
    usual, finding = _usual(alert, language), _finding(alert, language)
    badge = f"{LEVEL_MARKS[level]} {marked_level(alert, record, language)}"
    if over:
        was = _("{ended}, was {level}")
        badge = language.text(was, ended=level_label("ended", language), level=level_name(level, language))
    return AlertReport(
        level="ended" if over else level,
        untested=language.text(UNTESTED) if is_untested(alert, record) else "",
        badge=badge,
        sentence=_sentence(alert, language, over),
        chance=language.percent(chance),
        lead=_lead(alert, language),
        usual=usual,
        event=event_of(alert, language),
        window=_window(alert, language),
        finding=finding,
        chance_of=language.listed(filter(None, [finding, ", ".join(usual)])) if finding else "",
        dots=dots,
        record=in_words,
    )


def rule_record(alert: Row, track_record: pd.DataFrame) -> dict[str, Any] | None:
    """How often the alert's rule was right at past dates, as plain JSON: it is kept with an announcement.

    Returns:
        ``n_events, n_cases`` (alerts of which the precision is the share), ``all_routes`` and the measures with ``_lo``
        and ``_hi``; None where the rule has no record of the alert's level.
    """
    found = record_of(alert, track_record)
    if found is None:
        return None
    values = {name + suffix: _number(found.get(name + suffix)) for name in MEASURES for suffix in ("", "_lo", "_hi")}
    measures = {name: value if math.isfinite(value) else None for name, value in values.items()}
    cases = precision_cases(found)
    about = {"n_events": int(found["n_events"]), "n_cases": round(cases) if math.isfinite(cases) else None}
    return {**about, "all_routes": str(found["route_id"]) == ALL, **measures}


def is_untested(alert: Row, record: Row | None) -> bool:
    """Whether too few past alerts of its rule can be judged; False of a rule that reports what is known."""
    is_claim = is_known(_number(alert.get("probability"))) or record is not None
    return is_claim and not informs(alert) and not (record and is_judged(record))


def marked_level(alert: Row, record: Row | None, language: Language) -> str:
    """The word of an alert's level, and whether its rule is untested: ``Watch, untested rule``."""
    name = level_name(str(alert["alert_level"]), language)
    return f"{name}, {language.text(UNTESTED)}" if is_untested(alert, record) else name


def informs(alert: Row) -> bool:
    """Whether an alert has no level and needs no decision."""
    return str(alert["alert_level"]) == INFORMATION


def is_trigger(alert: Row) -> bool:
    """Whether the ratio of costs asks for preparation although the event is no likelier than usual."""
    return informs(alert) and is_known(_number(alert.get("prepare_from")))


def alert_file(alerts: pd.DataFrame, track_record: pd.DataFrame, language: Language) -> pd.DataFrame:
    """Alerts as a table for people: the release's columns, and beside them the words in the reader's language.

    Args:
        alerts: Rows of ``alerts``, with ``ended`` true where they no longer stand.
        track_record: The release's.
        language: The reader's.
    """
    rows = alerts.to_dict("records")
    reports = [
        alert_report(row, rule_record(row, track_record), language, over=ENDED if row["ended"] else "") for row in rows
    ]
    return alerts.assign(
        reason=[report.sentence for report in reports],
        alert_state=[ENDED if row["ended"] else row["alert_level"] for row in rows],
        rule_name=[rule_name(row, language) for row in rows],
        window=[report.window for report in reports],
        chance=[report.chance_beside or report.chance for report in reports],
        record=[report.record for report in reports],
    )


def events_words(record: Row, language: Language) -> str:
    """On how many past events a record rests: ``27 past events, all routes``."""
    events = language.plural(ngettext("{n} past event", "{n} past events"), int(record["n_events"]))
    return language.text(_("{events}, all routes"), events=events) if record["all_routes"] else events


def measures_words(record: Row, language: Language) -> list[str]:
    """Each measure with its 90 % interval: ``right in 50% (40%–60%) of its warnings``."""
    texts = (
        ("precision", _("right in {share} of its warnings"), True),
        ("recall", _("warned of {share} of the events"), True),
        ("false_alarms_per_route_year", _("{share} false alarms per route per year"), False),
        ("lead_months_median", _("{share} months of lead time, median"), False),
    )
    out = []
    for name, text, is_share in texts:
        write = language.share if is_share else partial(language.decimal, digits=1)
        places = [_number(record.get(name + part)) for part in ("", "_lo", "_hi")]
        if is_known(places[0]):
            out.append(language.text(text, share=with_interval(write, *places)))
    return out


def status_words(state: State, language: Language) -> str:
    """Where an alert stands, in a few words: ``1 of 2 sign-offs``, ``signed off``."""
    if state.status == PROPOSED:
        needed = SIGN_OFFS_NEEDED.get(state.level, 1)
        if state.sign_offs:
            return language.text(_("{n} of {needed} sign-offs"), n=len(state.sign_offs), needed=needed)
        return language.text(_("re-opened, waits for sign-off") if state.reopened else _("waits for sign-off"))
    known = (SIGNED_OFF, ACKNOWLEDGED, DISMISSED)
    return language.text(state.status if state.status in known else ENDED)


def _sentence(alert: Row, language: Language, over: str) -> str:
    key = str(alert.get("reason_key", ""))
    if key in TEMPLATES:
        said = sentence(key, json.loads(alert["reason_params"]), language)
    else:
        # A rule that this version does not know keeps the sentence of its release.
        said = str(alert.get("reason", ""))
    since = str(alert.get("unjudged_since") or "")
    if since and not over and key in TEMPLATES:
        return cannot_be_judged(said, dt.date.fromisoformat(since), language)
    if is_trigger(alert) and not over:
        text = _("Preparedness trigger, not likelier than usual: {reason}")
        return language.text(text, reason=said)
    if over == ENDED:
        return language.text(_("The alert no longer stands. It said: {reason}"), reason=said)
    if over == WITHDRAWN:
        return language.text(_("The alert was dismissed after it had been sent. It said: {reason}"), reason=said)
    return said


def _window(alert: Row, language: Language) -> str:
    first, last = str(alert.get("first_period") or ""), str(alert.get("last_period") or "")
    return language.months(first, last) if is_month(first) and is_month(last) else ""


def _usual(alert: Row, language: Language) -> tuple[str, ...]:
    """How often the event comes at this time of year, and the chance from which there is an alert."""
    base_rate, cutoff, prepare = (_number(alert.get(name)) for name in ("base_rate", "cutoff", "prepare_from"))
    said = [language.text(_("usually {share}"), share=language.share(base_rate))] if is_known(base_rate) else []
    if is_known(cutoff):
        said.append(language.text(_("alert from {chance}"), chance=language.percent(cutoff)))
    if is_trigger(alert):
        said.append(language.text(_("worth preparing for from {chance}"), chance=language.percent(prepare)))
    return tuple(said)


def times_usual(alert: Row, language: Language) -> str:
    """How many times the usual chance an alert's is, as a number; empty unless it is larger."""
    chance, usual = _number(alert.get("probability")), _number(alert.get("base_rate"))
    return language.decimal(chance / usual, digits=int(chance < 3 * usual)) if 0 < usual < chance else ""


def _lead(alert: Row, language: Language) -> str:
    if times := times_usual(alert, language):
        return language.text(_("{times} times the usual chance"), times=times)
    chance = _number(alert.get("probability"))
    return language.chance_word(chance) if is_known(chance) else ""


def is_judged(record: Row) -> bool:
    """Whether a record rests on enough alerts to say how many came true."""
    return int(record.get("n_cases") or 0) >= FEWEST_EVENTS


def _record_words(alert: Row, record: Row | None, language: Language) -> tuple[str, str]:
    if informs(alert):
        return "", ""
    if not is_known(_number(alert.get("probability"))) and record is None:
        return "", language.text(_("reports what is known: no track record"))
    count = 0 if record is None else int(record.get("n_cases") or 0)
    if record is None or not count:
        return "", language.text(_("no record yet"))
    hits = round(_number(record["precision"]) * count)
    texts = ngettext("{hits} of {n} such alert came true", "{hits} of {n} such alerts came true")
    if not is_known(_number(alert.get("probability"))):
        texts = ngettext(
            "{hits} of {n} such alert was confirmed by later counts",
            "{hits} of {n} such alerts were confirmed by later counts",
        )
    said = language.plural(texts, count, hits=language.counted(hits))
    dots = "●" * hits + "○" * (count - hits) if is_judged(record) and count <= _MOST_DOTS else ""
    said = language.text(_("{text}, all routes"), text=said) if record["all_routes"] else said
    return dots, said if is_judged(record) else language.text(_("{text}, too few to say"), text=said)


def _number(value: Any) -> float:  # noqa: ANN401  # a frame's cell, a JSON number or nothing
    return math.nan if value is None else float(value)
