"""Count right and wrong alerts, and turn the counts into measures with intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alerts.past import BoolArray, Past, any_within
from alerts.resample import ratio, with_interval
from core.quantiles import FloatArray

MONTHS_PER_YEAR = 12


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


def of_month(past: Past, ahead: int) -> Ranked:
    """The one month ``ahead`` months after each origin."""
    return Ranked(past.chance[:, :, ahead - 1], past.event[:, :, ahead - 1], past.calm[:, :, ahead - 1])


def of_window(past: Past, months: int) -> Ranked:
    """Any of the next ``months`` months after each origin."""
    calm = np.asarray(past.calm[:, :, :months].all(axis=2))
    came = np.asarray(past.event[:, :, :months].any(axis=2))
    return Ranked(any_within(past.chance[:, :, :months]), came, calm)


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


def window(past: Past, months: int, cutoff: float) -> Ledger:
    """Alerts as they are issued: about any of the next months, standing from night to night.

    Consecutive alerts are one alert, entered where it was raised; it is right where the event came within the window of
    one of its months. An event is seen where an alert stood in one of the ``months`` origins before it.
    """
    judged = np.asarray(past.judged[:, :, :months].all(axis=2))
    ahead = of_window(past, months)
    alert = ahead.calm & (ahead.chance >= cutoff)
    follows = np.zeros_like(alert)
    follows[1:] = alert[:-1]
    fulfilled = alert & ahead.came
    for origin in range(len(alert) - 2, -1, -1):
        fulfilled[origin] |= alert[origin] & fulfilled[origin + 1]
    raised = alert & ~follows
    event = past.onset[:, :, 0]
    lead = np.zeros(event.shape)
    for back in range(months):
        stood = np.zeros_like(alert)
        stood[back:] = alert[: len(alert) - back]
        lead = np.where(event & stood, back + 1.0, lead)
    return Ledger(raised & fulfilled, raised & ~fulfilled, event, lead > 0, lead, judged)


def measures(ledger: Ledger, weights: FloatArray) -> dict[str, float]:
    """Precision, recall, false alarms per route-year and median lead, with intervals.

    Args:
        ledger: Alerts of one series or several, which are pooled.
        weights: How often each origin is drawn (:func:`alerts.resample.draw_weights`).
    """
    right, wrong, event, seen, judged = (
        weights @ counted.sum(axis=1).astype(float)
        for counted in (ledger.right, ledger.wrong, ledger.event, ledger.seen, ledger.judged)
    )
    found = {
        "precision": ratio(right, right + wrong),
        "recall": ratio(seen, event),
        "false_alarms_per_route_year": ratio(wrong * MONTHS_PER_YEAR, judged),
        "lead_months_median": _weighted_median(ledger.lead, weights),
    }
    return _with_bounds(found)


def ranking(ranked: Ranked, weights: FloatArray) -> dict[str, float]:
    """Area under the ROC curve over calm origins, with its interval: does a higher chance go with an event?

    The Mann–Whitney form: share of pairs (event, no event) in which the event had the higher chance, ties half.
    """
    origin = np.nonzero(ranked.calm)[0]
    chance, came = ranked.chance[ranked.calm], ranked.came[ranked.calm]
    of_event, of_none = chance[came][:, None], chance[~came][None]
    higher = (of_event > of_none) + 0.5 * (of_event == of_none)
    events, others = weights[:, origin[came]], weights[:, origin[~came]]
    pairs = events.sum(axis=1) * others.sum(axis=1)
    return _with_bounds({"auc": ratio(((events @ higher) * others).sum(axis=1), pairs)})


def _weighted_median(lead: FloatArray, weights: FloatArray) -> FloatArray:
    """Median of the leads above 0 in each resample; the mean of the two middle ones where their number is even."""
    longest = max(1, int(lead.max(initial=0)))
    counts = np.stack([weights @ (lead == months).sum(axis=1) for months in range(1, longest + 1)])
    upto, total = np.cumsum(counts, axis=0), counts.sum(axis=0)
    lower = (upto < np.floor((total + 1) / 2)).sum(axis=0) + 1.0
    upper = (upto < np.floor((total + 2) / 2)).sum(axis=0) + 1.0
    return np.where(total > 0, (lower + upper) / 2, np.nan)


def _with_bounds(found: dict[str, FloatArray]) -> dict[str, float]:
    out: dict[str, float] = {}
    for name, values in found.items():
        out[name], out[f"{name}_lo"], out[f"{name}_hi"] = with_interval(values)
    return out
