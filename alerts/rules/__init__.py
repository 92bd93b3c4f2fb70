"""The alert rules, the sentence of an alert, and the alerts of one night, compared with the night before.

Each module of this package holds a rule: adding one is adding a file.

Each rule brings the templates of its sentences, so that gettext finds them. An alert keeps the template's key with its
figures, so that the same sentence can be written in any reader's language.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import importlib
import json
import pkgutil
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import pandas as pd

import alerts
from alerts import INFORMATION, DataRule, Evidence, ExceedanceRule, ObservedRule, Raised, Signal, rank
from core.calendar import MONTHS_EACH, frequency_of, planning_window, to_period
from core.countries import display_name, known_codes
from core.languages import Language, capital
from core.languages import marked as _
from core.release import ALERTS, RELEASE
from core.schema import check, concat_filled
from core.settings import AlertSettings

_SHARES = frozenset({"chance", "share", "share_before"})
"""Figures of a sentence that are shares."""
Params = Mapping[str, str | float]
INTENDED_USE = "Planning of reception, health care and protection capacity"
SUBJECT = ["rule", "route_id", "source_id"]
"""An alert goes on from night to night while its rule speaks of the same route and source."""
_CHANCES = ("probability", "base_rate", "cutoff", "prepare_from")
COLUMNS = list(RELEASE["alerts"].columns)


_MODULES = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
RULES = tuple(value for module in _MODULES for value in vars(module).values() if isinstance(value, alerts.Rule))
EXCEEDANCE_RULES = tuple(rule for rule in RULES if isinstance(rule, ExceedanceRule))
ROUTE_RULES = tuple(rule for rule in EXCEEDANCE_RULES if rule.subject is alerts.route_of)
OBSERVED_RULES = tuple(rule for rule in RULES if isinstance(rule, ObservedRule))
DATA_RULES = tuple(rule for rule in RULES if isinstance(rule, DataRule))
INFORMING = frozenset(rule.rule for rule in RULES if rule.informs)
"""Rules whose alerts have no level."""
TEMPLATES: Mapping[str, str] = {key: text for rule in RULES for key, text in rule.sentences.items()}
"""Every sentence that an alert may say, by ``reason_key``."""
EXCEEDANCE: Mapping[str, ExceedanceRule] = {rule.rule: rule for rule in EXCEEDANCE_RULES}
_LIMITED: Mapping[str, ExceedanceRule] = {key: rule for rule in EXCEEDANCE_RULES for key in rule.sentences}


def sentence(key: str, params: Params, language: Language | None = None) -> str:
    """Write an alert's sentence.

    Args:
        key: A key of :data:`TEMPLATES`.
        params: Its figures: chances as shares, numbers as numbers, months as ``2025-01``. The window of a forecast is
            ``first`` to ``month``.
        language: The reader's; English by default.
    """
    language = language or Language()
    if key in _LIMITED and "threshold" in params:
        params = {**params, "threshold": _LIMITED[key].whole_limit(float(params["threshold"]))}
    figures = {name: _figure(name, value, language) for name, value in params.items()}
    if "chance" in params:
        figures["word"] = capital(language.chance_word(float(params["chance"])))
        months = language.months(str(params["first"]), str(params["month"]))
        figures["when"] = language.text(_("in any month of {months}"), months=months)
    return capital(language.text(TEMPLATES[key], **figures))


def whole_limit(rule: str, limit: float) -> float:
    """An alert's number as words name it, see :meth:`ExceedanceRule.whole_limit`; as it is where a rule has none."""
    return EXCEEDANCE[rule].whole_limit(limit) if rule in EXCEEDANCE else limit


def cannot_be_judged(reason: str, since: dt.date, language: Language | None = None) -> str:
    """The sentence of an alert that stays because it cannot be judged."""
    language = language or Language()
    text = _("Cannot be judged since {day}: its figures are too old. It said: {reason}")
    return language.text(text, day=language.day(since), reason=reason)


def as_json(params: Params) -> str:
    """The figures of a sentence, for the column ``reason_params``."""
    return json.dumps(dict(params), sort_keys=True)


def period_words(period: str, language: Language) -> str:
    """A period or a day in words.

    Raises:
        InputError: The text is neither.
    """
    freq = frequency_of(period)
    last = to_period(period, freq).end_time
    return language.period(last, MONTHS_EACH[freq]) if freq in MONTHS_EACH else language.day(last)


def _figure(name: str, value: str | float, language: Language) -> str:
    if name in {"month", "period"}:
        return period_words(str(value), language)
    if name == "citizen":
        return display_name(str(value), language.code) if value in known_codes() else str(value)
    if isinstance(value, str):
        return value
    if name in _SHARES:
        return language.percent(value)
    if name == "factor":
        return language.significant(value)
    return language.expected(value) if name in {"lower", "upper"} else language.counted(value)


def evaluate(
    evidence: Evidence,
    settings: AlertSettings,
    previous: pd.DataFrame | None = None,
    observed: Mapping[str, list[Signal]] | None = None,
    ahead: Sequence[Raised] | None = None,
) -> pd.DataFrame:
    """Every alert of one night, at most one per rule and route or source.

    Args:
        evidence: What is known on the night.
        settings: The reader's numbers, and what counts as a surge.
        previous: Alerts of the former release; None on the first night.
        observed: Result of :func:`observed_signals`, where it was worked out before.
        ahead: Result of :func:`judged_ahead`; None judges with the rules' own cut-offs.

    Returns:
        A frame that keeps ``ALERTS``, gravest first, plus ``base_rate``, ``cutoff`` and ``prepare_from`` (see
        :class:`alerts.Raised`), ``likely_period`` (first month of the window that is likely to bring it) and
        ``reason_key`` and ``reason_params`` (JSON), from which a page can write the sentence in another language.
        ``alert_id`` stays the same while an alert goes on. A former alert that no fresh figures judge tonight stays as
        it was, with ``unjudged_since`` and without a probability.

    Raises:
        SchemaError: A frame of the evidence, or ``previous``, breaks its contract.
    """
    evidence.checked()
    observed = observed_signals(evidence, settings) if observed is None else observed
    ahead = judged_ahead(evidence, settings) if ahead is None else ahead
    raised = [one for one in ahead if one.probability >= one.prepare_from]
    raised += [signal for signal in newest_months(observed) if signal.level]
    raised += [alert for rule in DATA_RULES for alert in rule.find(evidence)]
    before = no_alerts() if previous is None else check(previous, ALERTS)
    former = before.astype(dict.fromkeys(SUBJECT, str)).set_index(SUBJECT)[["alert_id", "alert_level"]].to_dict("index")
    found = pd.DataFrame([_row(one, former, evidence.as_of) for one in raised], columns=COLUMNS)
    found = found.drop_duplicates(SUBJECT)
    stay = _unjudged(before[~before["alert_id"].isin(found["alert_id"])], evidence, observed)
    found = concat_filled([found, stay], no_alerts())
    order = found.assign(alert_level=-found["alert_level"].map(rank)).sort_values(["alert_level", *SUBJECT]).index
    return check(found.loc[order].reset_index(drop=True), ALERTS)


def judged_ahead(
    evidence: Evidence, settings: AlertSettings, cutoffs: Mapping[str, alerts.Cutoffs] | None = None
) -> list[Raised]:
    """What each rule about the months ahead finds on each route or place, be it an alert or not.

    Args:
        evidence: What is known on the night.
        settings: The reader's numbers, and what counts as a surge.
        cutoffs: Cut-offs by rule, frozen on a training span (:attr:`alerts.verification.Record.cutoffs`).
    """
    found = cutoffs or {}
    return [one for rule in EXCEEDANCE_RULES for one in rule.judged(evidence, settings, found.get(rule.rule))]


def observed_signals(evidence: Evidence, settings: AlertSettings) -> dict[str, list[Signal]]:
    """Signals of each rule about counts just made, in every month that can be judged."""
    return {rule.rule: rule.signals(evidence, settings) for rule in OBSERVED_RULES}


def newest_months(observed: Mapping[str, list[Signal]]) -> Iterable[Signal]:
    """Each rule's and route's signal of its newest month, whether it says something or not."""
    last: dict[tuple[str, str], Signal] = {}
    for signal in chain.from_iterable(observed.values()):
        key = (signal.rule, signal.route_id)
        if key not in last or signal.month > last[key].month:
            last[key] = signal
    return last.values()


def _unjudged(missing: pd.DataFrame, evidence: Evidence, observed: Mapping[str, list[Signal]]) -> pd.DataFrame:
    """Former alerts that tonight's figures cannot judge: they stay as they were, marked, without a probability."""
    window = [str(month) for month in planning_window(evidence.as_of)]
    months = evidence.trajectories[["series_id", "target_end_date"]].drop_duplicates()
    months = months[months["target_end_date"].dt.strftime("%Y-%m").isin(window)]
    covered = set(
        months["series_id"].value_counts().loc[lambda count: count >= len(window)].index.map(alerts.subject_of)
    )
    newest_month = {(one.rule, one.route_id): str(one.month) for one in newest_months(observed)}

    def is_judged(row: Mapping[Any, Any]) -> bool:
        if row["rule"] in EXCEEDANCE:
            return row["route_id"] in covered
        return row["rule"] not in observed or newest_month.get((row["rule"], row["route_id"]), "") >= row["last_period"]

    unknown: dict[Hashable, object] = dict.fromkeys(_CHANCES, float("nan"))
    rows = []
    for row in missing.to_dict("records"):
        if is_judged(row):
            continue
        since = str(row["unjudged_since"])
        reason = row["reason"] if since else cannot_be_judged(row["reason"], evidence.as_of)
        stays = {**unknown, "unjudged_since": since or str(evidence.as_of), "reason": reason, "change": "unchanged"}
        rows.append({**row, **stays})
    return pd.DataFrame(rows, columns=COLUMNS)


def ended(previous: pd.DataFrame, current: pd.DataFrame) -> pd.DataFrame:
    """Alerts of the former release that no longer stand, as they stood then."""
    return previous[~previous["alert_id"].isin(current["alert_id"])].reset_index(drop=True)


def no_alerts() -> pd.DataFrame:
    """A frame of alerts without rows."""
    return RELEASE["alerts"].empty()


def _row(raised: Raised, former: Mapping[Hashable, Mapping[Hashable, Any]], as_of: dt.date) -> dict[str, object]:
    before = former.get((raised.rule, raised.route_id, raised.source_id))
    names = [raised.rule, *(text for text in (raised.route_id, raised.source_id) if text.strip("_Z")), str(as_of)]
    level = INFORMATION if raised.rule in INFORMING else raised.level
    return dataclasses.asdict(raised) | {
        "alert_level": level,
        "alert_id": ".".join(names) if before is None else before["alert_id"],
        "reason": sentence(raised.reason_key, raised.reason_params),
        "reason_params": as_json(raised.reason_params),
        "change": "new" if before is None else _change(before["alert_level"], level),
        "intended_use": INTENDED_USE,
        "unjudged_since": "",
    }


def _change(before: str, now: str) -> str:
    if before == now:
        return "unchanged"
    return "up" if rank(now) > rank(before) else "down"
