"""Count right and wrong alerts, and turn the counts into measures with intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alerts.past import BoolArray, Past
from core.calendar import PLANNING_MONTHS
from core.quantiles import FloatArray
from forecasting.verification.bootstrap import (
    area_interval,
    rate_interval,
    ratio,
    share_interval,
    widened,
    with_interval,
)

MONTHS_PER_YEAR = 12
QUARTILES = {"q25": 0.25, "median": 0.50, "q75": 0.75}


@dataclass(frozen=True)
class Ledger:
    """Alerts of one rule at one level, entered at the origin they were first said. Shapes ``(origins, series)``.

    Attributes:
        right: An alert that was followed by its event.
        wrong: An alert that was not.
        event: An event that could have been foreseen.
        seen: An event that was.
        lead: Months between the first alert and the event; 0 where it was not seen.
        judged: A month in which the rule could be judged.
    """

    right: BoolArray
    wrong: BoolArray
    event: BoolArray
    seen: BoolArray
    lead: FloatArray
    judged: BoolArray

    def of(self, places: list[int]) -> Ledger:
        """The same of some series."""
        return Ledger(**{name: array[:, places] for name, array in vars(self).items()})

    def since(self, first: int) -> Ledger:
        """The same from one origin on."""
        return Ledger(**{name: array[first:] for name, array in vars(self).items()})


@dataclass(frozen=True)
class Ranked:
    """Chances of one rule beside what came. Shapes ``(origins, series)``.

    Attributes:
        chance: Chance of the event.
        came: True where the event came.
        calm: True where the event was not there at the origin and the outcome is known: only these are ranked.
    """

    chance: FloatArray
    came: BoolArray
    calm: BoolArray

    def of(self, places: list[int]) -> Ranked:
        """The same of some series."""
        return Ranked(self.chance[:, places], self.came[:, places], self.calm[:, places])

    def since(self, first: int) -> Ranked:
        """The same from one origin on."""
        return Ranked(self.chance[first:], self.came[first:], self.calm[first:])


def of_month(past: Past, ahead: int) -> Ranked:
    """The one month ``ahead`` months after each origin."""
    return Ranked(past.chance[:, :, ahead - 1], past.event[:, :, ahead - 1], past.calm[:, :, ahead - 1])


def of_window(past: Past) -> Ranked:
    """Any month of the planning window."""
    return Ranked(past.within, past.within_event, past.within_calm)


def single_month(past: Past, ahead: int, cutoff: float) -> Ledger:
    """Alerts about the one month ``ahead`` months after the origin.

    An alert is right where the event was there in that month. Events to be seen are onsets only, each one once, so that
    a long event does not count as many successes.
    """
    layer = ahead - 1
    alert = past.calm & (past.chance >= cutoff)
    seen = alert[:, :, layer] & past.onset[:, :, layer]
    lead = np.where(seen, float(ahead), 0.0)
    for further in range(1, alert.shape[2] - layer):
        earlier = np.zeros_like(seen)
        earlier[further:] = alert[:-further, :, layer + further]
        lead = np.where(seen & earlier, float(ahead + further), lead)
    right, wrong = (alert[:, :, layer] & found for found in (past.event[:, :, layer], ~past.event[:, :, layer]))
    return Ledger(right, wrong, past.onset[:, :, layer], seen, lead, past.judged[:, :, layer])


def window(past: Past, cutoff: float) -> Ledger:
    """Alerts as they are issued: about any month of the planning window, standing from night to night.

    Consecutive alerts are one alert, entered where it was raised; it is right where the event came within the window of
    one of its months. An alert that stands longer than its window counts anew: crying all the time is not one alert.
    An event is seen where an alert stood whose window held its month; its lead is counted from the release, not from
    the newest count: 1 is the first month of the window.
    """
    alert = past.within_calm & (past.within >= cutoff)
    raised, fulfilled = entered(alert, past.within_event, PLANNING_MONTHS)
    event = past.onset[:, :, 0]
    lead = np.zeros(event.shape)
    for column, start in enumerate(past.starts):
        for month in range(PLANNING_MONTHS):
            # Of an event in the month after an origin, the window began `start` months after an earlier one.
            back = start - 1 + month
            stood = np.zeros(len(alert), dtype=bool)
            stood[back:] = alert[: len(alert) - back, column]
            lead[:, column] = np.where(event[:, column] & stood, month + 1.0, lead[:, column])
    return Ledger(raised & fulfilled, raised & ~fulfilled, event, lead > 0, lead, past.within_judged)


def entered(alert: BoolArray, came: BoolArray, months: int) -> tuple[BoolArray, BoolArray]:
    """Where standing alerts are entered, and which of them came true.

    Args:
        alert: Months in which an alert stands, shape ``(origins, series)``.
        came: Whether what it says came within the window of that month.
        months: Length of the window, after which a standing alert counts anew.

    Returns:
        ``raised`` at the first month of each entry, and ``fulfilled``, which is right there.
    """
    age = np.zeros(alert.shape, dtype=int)
    for origin in range(len(alert)):
        before = age[origin - 1] if origin else 0
        age[origin] = np.where(alert[origin], before % months + 1, 0)
    fulfilled = alert & came
    for origin in range(len(alert) - 2, -1, -1):
        fulfilled[origin] |= fulfilled[origin + 1] & (age[origin + 1] > 1)
    return age == 1, fulfilled


def measures(ledger: Ledger, weights: FloatArray) -> dict[str, float]:
    """Precision, recall, false alarms per route-year and quartiles of lead, with intervals.

    Intervals come from the block bootstrap, and are no narrower than those of a plain share or rate of as many cases.

    Args:
        ledger: Alerts of one series or several, which are pooled.
        weights: How often each origin is drawn (:func:`forecasting.verification.bootstrap.draw_weights`).
    """
    right, wrong, event, seen, judged = (
        weights @ counted.sum(axis=1).astype(float)
        for counted in (ledger.right, ledger.wrong, ledger.event, ledger.seen, ledger.judged)
    )
    alerts = right + wrong
    found = {
        "precision": widened(with_interval(ratio(right, alerts)), share_interval(right[0], alerts[0])),
        "recall": widened(with_interval(ratio(seen, event)), share_interval(seen[0], event[0])),
        "false_alarms_per_route_year": widened(
            with_interval(ratio(wrong * MONTHS_PER_YEAR, judged)), rate_interval(wrong[0], judged[0] / MONTHS_PER_YEAR)
        ),
        **{
            f"lead_months_{name}": with_interval(_weighted_quantile(ledger.lead, weights, quantile))
            for name, quantile in QUARTILES.items()
        },
    }
    return _spread(found) | {"n_alerts": float(alerts[0])}


def ranking(ranked: Ranked, weights: FloatArray, *, chance: bool = True) -> dict[str, float]:
    """How well chances tell events from other months, over calm origins, with intervals.

    ``auc`` is the area under the ROC curve in the Mann–Whitney form: share of pairs (event, no event) in which the
    event had the higher chance, ties half. ``brier_skill`` is one less the Brier score over that of the share of months
    with an event (Murphy 1973, J. Applied Meteorology 12), which is ``base_rate``.

    Args:
        ranked: Chances and what came.
        weights: How often each origin is drawn.
        chance: False where the scores are no chances: they have no Brier score.
    """
    origin = np.nonzero(ranked.calm)[0]
    said, came = ranked.chance[ranked.calm], ranked.came[ranked.calm]
    of_event, of_none = said[came][:, None], said[~came][None]
    higher = (of_event > of_none) + 0.5 * (of_event == of_none)
    events, others = weights[:, origin[came]], weights[:, origin[~came]]
    pairs = events.sum(axis=1) * others.sum(axis=1)
    auc = with_interval(ratio(((events @ higher) * others).sum(axis=1), pairs))
    found = {"auc": widened(auc, area_interval(auc[0], int(came.sum()), int((~came).sum())))}
    cases = weights[:, origin]
    rate = ratio(cases @ came.astype(float), cases.sum(axis=1))
    error = ratio(cases @ np.square(said - came), cases.sum(axis=1)) if chance else np.full(len(weights), np.nan)
    usual = rate * (1 - rate)
    skill = np.where(usual > 0, 1 - ratio(error, usual), np.nan)
    return _spread(found | {"brier_skill": with_interval(skill)}) | {"base_rate": float(rate[0])}


def _weighted_quantile(lead: FloatArray, weights: FloatArray, quantile: float) -> FloatArray:
    """A quantile of the leads above 0 in each resample, linear between neighbours as numpy's is."""
    longest = max(1, int(lead.max(initial=0)))
    counts = np.stack([weights @ (lead == months).sum(axis=1) for months in range(1, longest + 1)])
    upto, total = np.cumsum(counts, axis=0), counts.sum(axis=0)
    place = np.maximum(total - 1, 0) * quantile
    lower = (upto <= np.floor(place)).sum(axis=0) + 1.0
    upper = (upto <= np.ceil(place)).sum(axis=0) + 1.0
    return np.where(total > 0, lower + (place - np.floor(place)) * (upper - lower), np.nan)


def _spread(found: dict[str, tuple[float, float, float]]) -> dict[str, float]:
    out: dict[str, float] = {}
    for name, values in found.items():
        out[name], out[f"{name}_lo"], out[f"{name}_hi"] = values
    return out
