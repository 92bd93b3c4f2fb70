"""Contingency tables of alerts and events, and the measures that follow from them, with intervals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import betaincinv, gammaincinv, ndtri

from alerts.verification.hindcast import HORIZONS, WINDOW, Arrays, BoolArray, Judged, Pairs
from core import FloatArray
from core.calendar import PLANNING_MONTHS
from core.release import ALERT_RELIABILITY
from forecasting.verification.verdict import COVERAGE

MONTHS_PER_YEAR = 12
QUARTILES = {"q25": 0.25, "median": 0.50, "q75": 0.75}
EDGES: FloatArray = np.array([0.0, 0.1, 0.25, 0.45, 0.65, 1.0])
"""Bins of the probability, narrow where most of them lie."""
_BOUNDS = ((1 - COVERAGE) / 2, (1 + COVERAGE) / 2)


@dataclass(frozen=True)
class ContingencyTable(Arrays):
    """Alerts of one rule at one level, entered at the origin they were first raised. Shapes ``(origins, series)``.

    One alert answers for one onset: the first whose window held it. So precision and recall count the same pairs.

    Attributes:
        hits: Alerts that were the first to foretell an onset.
        repeats: Further alerts about an onset that one had foretold.
        no_onsets: Alerts that were followed by the event, but by no onset of it: it had hardly been away.
        false_alarms: Alerts that were not followed by their event.
        events: Onsets that an alert could have preceded.
        lead: Months between the first alert and the event; 0 where no alert preceded it.
        judged: Months in which the rule could be judged.
    """

    hits: BoolArray
    repeats: BoolArray
    no_onsets: BoolArray
    false_alarms: BoolArray
    events: BoolArray
    lead: FloatArray
    judged: BoolArray


def contingency_table(judged: Judged, ahead: int, cutoff: float) -> ContingencyTable:
    """Alerts and events of one month ahead, or of the planning window (:data:`WINDOW`), as alerts are issued."""
    return _of_window(judged, cutoff) if ahead == WINDOW else _of_month(judged, ahead, cutoff)


def _of_month(judged: Judged, ahead: int, cutoff: float) -> ContingencyTable:
    """Alerts about the one month ``ahead`` months after the origin.

    Each month has one alert at most. It is a hit where the event set in in that month, so that a long event does not
    count as many successes.
    """
    layer = ahead - 1
    cutoffs = np.stack([judged.cutoff(month, cutoff) for month in range(1, HORIZONS + 1)], axis=2)
    alert = judged.calm & (judged.probability >= cutoffs)
    detected = alert[:, :, layer] & judged.onset[:, :, layer]
    lead = np.where(detected, float(ahead), 0.0)
    for further in range(1, alert.shape[2] - layer):
        earlier = np.zeros_like(detected)
        earlier[further:] = alert[:-further, :, layer + further]
        lead = np.where(detected & earlier, float(ahead + further), lead)
    here, event, onset = alert[:, :, layer], judged.event[:, :, layer], judged.onset[:, :, layer]
    return ContingencyTable(
        here & onset, np.zeros_like(here), here & event & ~onset, here & ~event, onset, lead, judged.known[:, :, layer]
    )


def _of_window(judged: Judged, cutoff: float) -> ContingencyTable:
    """Alerts as they are issued: about any month of the planning window, open from night to night.

    Consecutive alerts are one alert, entered where it was raised. An alert that is open longer than its window counts
    anew: crying all the time is not one alert. An onset is detected where an alert that answers for no other was open
    and its window held the month; its lead is counted from the release, not from the newest count: 1 is the first month
    of the window.
    """
    alert = judged.window.calm & (judged.window.probability >= judged.cutoff(WINDOW, cutoff))
    raised, fulfilled = entries(alert, judged.window.occurred, PLANNING_MONTHS)
    events = judged.onset[:, :, 0]
    entered = np.maximum.accumulate(np.where(raised, np.arange(len(alert))[:, None], -1), axis=0)
    hits, counted = np.zeros_like(alert), np.zeros_like(alert)
    lead = np.zeros(events.shape)
    for row, column in np.argwhere(events):
        # The onset lies one month after its row's origin; an alert's window began `start` months after its own.
        near = row + 1 - int(judged.starts[column]) - np.arange(PLANNING_MONTHS)
        open_then = [
            (month + 1.0, origin) for month, origin in enumerate(near) if origin >= 0 and alert[origin, column]
        ]
        about = sorted({int(entered[origin, column]) for _, origin in open_then})
        counted[about, column] = True
        if free := [origin for origin in about if not hits[origin, column]]:
            hits[free[0], column] = True
            lead[row, column] = max(months for months, origin in open_then if entered[origin, column] == free[0])
    rest = raised & fulfilled & ~hits
    return ContingencyTable(
        hits, rest & counted, rest & ~counted, raised & ~fulfilled & ~hits, events, lead, judged.window_known
    )


def entries(alert: BoolArray, occurred: BoolArray, months: int) -> tuple[BoolArray, BoolArray]:
    """Where open alerts are entered, and which of them were followed by their event.

    Args:
        alert: Months in which an alert is open, shape ``(origins, series)``.
        occurred: Whether its event occurred within the window of that month.
        months: Length of the window, after which an open alert counts anew.

    Returns:
        ``raised`` at the first month of each entry, and ``fulfilled``, which is true there.
    """
    age = np.zeros(alert.shape, dtype=int)
    for origin in range(len(alert)):
        before = age[origin - 1] if origin else 0
        age[origin] = np.where(alert[origin], before % months + 1, 0)
    fulfilled = alert & occurred
    for origin in range(len(alert) - 2, -1, -1):
        fulfilled[origin] |= fulfilled[origin + 1] & (age[origin + 1] > 1)
    return age == 1, fulfilled


def measures(table: ContingencyTable, weights: FloatArray) -> dict[str, float]:
    """Precision, recall, false alarms per route-year and quartiles of lead, with intervals.

    Intervals come from the block bootstrap, and are no narrower than those of a plain share or rate of as many cases.

    Args:
        table: Alerts of one series or several, which are pooled.
        weights: How often each origin is drawn (:func:`forecasting.verification.verdict.draw_weights`).
    """
    hits, repeats, no_onsets, false_alarms, events, detected, judged = (
        weights @ counted.sum(axis=1).astype(float)
        for counted in (
            table.hits, table.repeats, table.no_onsets, table.false_alarms, table.events, table.lead > 0, table.judged,
        )
    )  # fmt: skip
    # Repeats and alerts about no onset came true, and foretold nothing new: they count neither for nor against.
    scored = hits + false_alarms
    alerts = scored + repeats + no_onsets
    found = {
        "precision": widened(with_interval(ratio(hits, scored)), share_interval(hits[0], scored[0])),
        "recall": widened(with_interval(ratio(detected, events)), share_interval(detected[0], events[0])),
        "false_alarms_per_route_year": widened(
            with_interval(ratio(false_alarms * MONTHS_PER_YEAR, judged)),
            rate_interval(false_alarms[0], judged[0] / MONTHS_PER_YEAR),
        ),
        **{
            f"lead_months_{name}": with_interval(_weighted_quantile(table.lead, weights, quantile))
            for name, quantile in QUARTILES.items()
        },
    }
    counts = {"n_alerts": alerts, "n_repeats": repeats, "n_no_onset": no_onsets}
    return _with_bounds(found) | {name: float(number[0]) for name, number in counts.items()}


def ranking(pairs: Pairs, weights: FloatArray, *, is_probability: bool = True) -> dict[str, float]:
    """How well probabilities separate events from other months, over calm origins, with intervals.

    ``auc`` is the area under the ROC curve in the Mann–Whitney form: share of pairs (event, no event) in which the
    event had the higher probability, ties half. ``brier_skill`` is one less the Brier score over that of the share of
    months with an event (Murphy 1973, J. Applied Meteorology 12), which is ``base_rate``.

    Args:
        pairs: Probabilities and outcomes.
        weights: How often each origin is drawn.
        is_probability: False for scores that are no probabilities: they have no Brier score.
    """
    origin = np.nonzero(pairs.calm)[0]
    probability, occurred = pairs.probability[pairs.calm], pairs.occurred[pairs.calm]
    of_event, of_none = probability[occurred][:, None], probability[~occurred][None]
    higher = (of_event > of_none) + 0.5 * (of_event == of_none)
    events, others = weights[:, origin[occurred]], weights[:, origin[~occurred]]
    number = events.sum(axis=1) * others.sum(axis=1)
    auc = with_interval(ratio(((events @ higher) * others).sum(axis=1), number))
    found = {"auc": widened(auc, area_interval(auc[0], int(occurred.sum()), int((~occurred).sum())))}
    cases = weights[:, origin]
    rate = ratio(cases @ occurred.astype(float), cases.sum(axis=1))
    error = (
        ratio(cases @ np.square(probability - occurred), cases.sum(axis=1))
        if is_probability
        else np.full(len(weights), np.nan)
    )
    reference = rate * (1 - rate)
    skill = np.where(reference > 0, 1 - ratio(error, reference), np.nan)
    return _with_bounds(found | {"brier_skill": with_interval(skill)}) | {"base_rate": float(rate[0])}


def reliability(judged: Judged, rule: str, weights: FloatArray) -> pd.DataFrame:
    """Probabilities against how often the event occurred, over all routes and calm origins.

    Returns:
        ``core.release.ALERT_RELIABILITY``: ``horizon`` 0 is any month of the window, ``chance`` the mean probability,
        ``came`` the share of events with its interval ``came_lo, came_hi``, and ``n`` the months; one row per bin that
        holds a month.
    """
    rows: list[dict[str, object]] = []
    for horizon in range(WINDOW, HORIZONS + 1):
        rows += [{"rule": rule, "horizon": horizon, **found} for found in _bins(judged.month(horizon), weights)]
    return pd.DataFrame(rows, columns=list(ALERT_RELIABILITY.columns))


def _bins(pairs: Pairs, weights: FloatArray) -> Iterator[dict[str, object]]:
    origin = np.nonzero(pairs.calm)[0]
    probability, occurred = pairs.probability[pairs.calm], pairs.occurred[pairs.calm].astype(float)
    bins = np.clip(np.searchsorted(EDGES, probability, side="right") - 1, 0, len(EDGES) - 2)
    for number in np.unique(bins):
        inside = bins == number
        drawn = weights[:, origin[inside]]
        share = with_interval(ratio(drawn @ occurred[inside], drawn.sum(axis=1)))
        value, low, high = widened(share, share_interval(float(occurred[inside].sum()), float(inside.sum())))
        edges: dict[str, object] = {"bin_low": float(EDGES[number]), "bin_high": float(EDGES[number + 1])}
        mean = float(probability[inside].mean())
        yield edges | {"chance": mean, "came": value, "came_lo": low, "came_hi": high, "n": int(inside.sum())}


def _weighted_quantile(lead: FloatArray, weights: FloatArray, quantile: float) -> FloatArray:
    """A quantile of the leads above 0 in each resample, linear between neighbours as numpy's is."""
    longest = max(1, int(lead.max(initial=0)))
    counts = np.stack([weights @ (lead == months).sum(axis=1) for months in range(1, longest + 1)])
    upto, total = np.cumsum(counts, axis=0), counts.sum(axis=0)
    place = np.maximum(total - 1, 0) * quantile
    lower = (upto <= np.floor(place)).sum(axis=0) + 1.0
    upper = (upto <= np.ceil(place)).sum(axis=0) + 1.0
    return np.where(total > 0, lower + (place - np.floor(place)) * (upper - lower), np.nan)


def _with_bounds(found: dict[str, tuple[float, float, float]]) -> dict[str, float]:
    ends = ("", "_lo", "_hi")
    return {name + end: value for name, values in found.items() for end, value in zip(ends, values, strict=True)}


def with_interval(values: FloatArray) -> tuple[float, float, float]:
    """A measure and its 90 % interval from its values in the sample and in the resamples.

    Args:
        values: Shape ``(1 + draws,)``, the sample's first; NaN where the measure is not defined.

    Returns:
        Measure, lower and upper bound; bounds are NaN where fewer than half of the resamples define the measure.
    """
    measure, resampled = float(values[0]), values[1:]
    defined = resampled[np.isfinite(resampled)]
    if not np.isfinite(measure) or len(resampled) == 0 or len(defined) * 2 < len(resampled):
        return measure, float("nan"), float("nan")
    low, high = np.quantile(defined, _BOUNDS)
    return measure, float(low), float(high)


def share_interval(part: float, whole: float) -> tuple[float, float]:
    """Interval of a share by Jeffreys' prior: never of zero width, however few cases (Brown, Cai & DasGupta 2001)."""
    if whole <= 0:
        return float("nan"), float("nan")
    low, high = (float(betaincinv(part + 0.5, whole - part + 0.5, level)) for level in _BOUNDS)
    return (0.0 if part == 0 else low), (1.0 if part == whole else high)


def rate_interval(count: float, exposure: float) -> tuple[float, float]:
    """Interval of a rate of rare events by Jeffreys' prior for a Poisson count."""
    if exposure <= 0:
        return float("nan"), float("nan")
    low, high = (float(gammaincinv(count + 0.5, level)) / exposure for level in _BOUNDS)
    return (0.0 if count == 0 else low), high


def area_interval(area: float, events: int, others: int) -> tuple[float, float]:
    """Interval of an area under the ROC curve from its standard error (Hanley & McNeil 1982, Radiology 143).

    The error is taken at an area reduced by half a pair, so that a perfect order of few cases is not certain.
    """
    pairs = events * others
    if pairs == 0:
        return float("nan"), float("nan")
    inside = (area * pairs + 0.5) / (pairs + 1)
    twice, both = inside / (2 - inside), 2 * inside**2 / (1 + inside)
    variance = (inside * (1 - inside) + (events - 1) * (twice - inside**2) + (others - 1) * (both - inside**2)) / pairs
    reach = float(ndtri((1 + COVERAGE) / 2) * np.sqrt(max(variance, 0.0)))
    return max(0.0, inside - reach), min(1.0, max(area, inside + reach))


def widened(found: tuple[float, float, float], least: tuple[float, float]) -> tuple[float, float, float]:
    """Widen a bootstrap interval to at least one that accounts for the number of cases.

    Where every case went the same way, every resample does too: the bootstrap alone would claim certainty.
    """
    value, low, high = found
    if not np.isfinite(low) or not np.isfinite(least[0]):
        return found
    return value, min(low, least[0]), max(high, least[1])


def ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    """Element-wise quotient; NaN where the denominator is zero."""
    return np.asarray(np.divide(above, below, out=np.full(np.shape(above), np.nan), where=below > 0))
