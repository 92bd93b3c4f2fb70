"""The one verdict of skill, and a measure beside its interval: the same words on every page and in every file."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.special import bdtr

from core.languages import NOTHING, Language, capital, is_known
from core.languages import marked as _
from core.schema import ALL
from forecasting import ENSEMBLE
from forecasting.verification import TOO_NARROW
from forecasting.verification.verdict import BETTER, LIKELY, NO_EVIDENCE, TOO_FEW, WORSE, skill, with_verdicts
from reports import ReadableRelease, Row

MARKS = {BETTER: "✓", LIKELY: "◐", NO_EVIDENCE: "○", WORSE: "✗", TOO_FEW: NOTHING}
"""Each verdict where there is room for a sign only."""
BRIEF = {
    BETTER: _("better"), LIKELY: _("likely"), NO_EVIDENCE: _("no sign"), WORSE: _("worse"), TOO_FEW: TOO_FEW
}  # fmt: skip
"""Each verdict in a word or two, beside the name of the baseline."""
MARKS_WORDS = _(
    "✓ proven better than the baseline, the last count repeated; ◐ likely better, not proven: among the many months "
    "tested some gains are luck; ○ no sign of it; ✗ worse; blank: not forecast."
)
Verdicts = Mapping[pd.Timestamp, str] | None
"""The ensemble's verdict by last day of each period of a release; None if the series is not scored."""


def verdict_steps(scores: pd.DataFrame, series_id: str) -> dict[int, str] | None:
    """The ensemble's verdict on a series by period ahead; None without scores of the series."""
    judged = skill(scores[scores["series_id"] == series_id]).dropna(subset="relative_wis")
    return None if judged.empty else dict(zip(judged["horizon"].astype(int), judged["verdict"], strict=True))


def ahead_words(verdicts: Mapping[int, str] | None, language: Language, unit: str = "M") -> str:
    """The best verdict and the periods ahead that it is about: ``better than the baseline 1–5 months ahead``."""
    if verdicts is None:
        return language.text(_("not scored"))
    best = next((one for one in (BETTER, LIKELY) if one in verdicts.values()), NO_EVIDENCE)
    steps = [step for step, verdict in verdicts.items() if verdict == best]
    return language.text(best) if best == NO_EVIDENCE else f"{language.text(best)} {steps_ahead(steps, language, unit)}"


def steps_ahead(steps: list[int], language: Language, unit: str = "M") -> str:
    """Periods ahead in words, those that follow each other as one: ``1–3, 5 months ahead``."""
    parts = pd.Series(steps).groupby(pd.Series(steps).diff().ne(1).cumsum()).agg(["min", "max"])
    spans = ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in parts.to_numpy())
    return span_words(spans, unit, language)


def span_words(span: str, unit: str, language: Language) -> str:
    """A span of horizons in words."""
    words = {"W": language.text(_("{span} weeks ahead")), "Q": language.text(_("{span} quarters ahead"))}
    return words.get(unit[-1], language.text(_("{span} months ahead"))).format(span=span.replace("-", "–"))


def judged_periods(scores: pd.DataFrame, forecasts: pd.DataFrame, series_id: str) -> pd.DataFrame:
    """Return the ensemble's verdicts on a series, each with the period of a release's forecast that it concerns.

    Args:
        scores: From :func:`forecasting.verification.summarise`.
        forecasts: ``model_id, series_id, horizon, target_end_date``.
        series_id: The series; all of them together have the periods of most.

    Returns:
        The columns of :func:`forecasting.verification.verdict.skill` and ``end``, the period's last day.
    """
    judged = skill(scores[scores["series_id"] == series_id]).dropna(subset="relative_wis")
    return judged.assign(end=judged["horizon"].map(period_ends(forecasts, series_id))).dropna(subset="end")


def period_ends(forecasts: pd.DataFrame, series_id: str) -> pd.Series:
    """Last day of each period ahead of a series' forecast, by horizon; of all series together that of most."""
    own = forecasts[forecasts["model_id"] == ENSEMBLE]
    own = own if series_id == ALL else own[own["series_id"] == series_id]
    return own.groupby("horizon")["target_end_date"].agg(lambda days: days.mode().iloc[0])


def verdict_ends(scores: pd.DataFrame, forecasts: pd.DataFrame, series_id: str) -> Verdicts:
    """The ensemble's verdict on each period of a release's forecast."""
    judged = judged_periods(scores, forecasts, series_id)
    return None if judged.empty else dict(zip(pd.DatetimeIndex(judged["end"]), judged["verdict"], strict=True))


def verdict_at(verdicts: Verdicts, end: pd.Timestamp) -> str:
    """The verdict on one period; no evidence where it was not judged."""
    return (verdicts or {}).get(end, NO_EVIDENCE)


def may_beat(verdicts: Verdicts, end: pd.Timestamp) -> bool:
    """Whether the forecast is better or likely better than the baseline, of one period or a later one.

    A period without a sign between two that have one is not left out. True where none is judged.
    """
    return verdicts is None or any(verdict in {BETTER, LIKELY} for day, verdict in verdicts.items() if day >= end)


def median_shown(line: pd.Series, verdicts: Verdicts, ends: Sequence[pd.Timestamp]) -> pd.Series:
    """The parts of a line of medians that may beat the baseline, each up to halfway to the next; NaN between them.

    Args:
        line: By date; a last count may stand before the medians.
        verdicts: See :func:`may_beat`.
        ends: Last day of the period of each median.
    """
    if verdicts is None:
        return line
    dates = pd.DatetimeIndex(line.index)
    kept = np.array([may_beat(verdicts, end) for end in [*ends[:1], *ends][-len(dates) :]])
    borders = (dates[:-1] + (dates[1:] - dates[:-1]) / 2)[kept[1:] != kept[:-1]]
    every = line.reindex(dates.union(borders)).interpolate("time")
    return every.where(~every.index.isin(dates[~kept]))


def median_words(verdicts: Verdicts, ends: Iterable[pd.Timestamp]) -> str:
    """The name of the line of :func:`median_shown` in a chart's key; empty where no part of it is drawn."""
    shown = {may_beat(verdicts, end) for end in ends}
    if True not in shown:
        return ""
    return _("median, where better or likely better") if False in shown else _("median")


def own_rows(scores: pd.DataFrame, series_id: str, model_id: str = ENSEMBLE) -> pd.DataFrame:
    """A model's scores on a series, log scale."""
    return scores[scores["series_id"].eq(series_id) & scores["model_id"].eq(model_id) & scores["scale"].eq("log")]


def total_record(scores: pd.DataFrame, series_id: str) -> Row | None:
    """What past totals of three months were worth, as far ahead as the one that is shown, with their ``verdict``.

    Args:
        scores: The release's ``total_scores``.
        series_id: The series, or all of them together.

    Returns:
        The row; None where no such total could be judged.
    """
    rows = with_verdicts(scores[scores["series_id"].eq(series_id) & scores["n"].gt(0)])
    return rows.to_dict("records")[0] if len(rows) else None


def record_mark(record: Row | None, language: Language) -> str:
    """Which share of past totals the intervals held, and the verdict as a sign: ``held 79% ✓``; empty without one."""
    if record is None:
        return ""
    held = language.text(_("held {share}"), share=language.share(record["coverage_80"]))
    return f"{held} {MARKS[record['verdict']]}"


def error_note(release: ReadableRelease, series_id: str, horizon: int, language: Language) -> str:
    """What a score beside a model is: of which forecasts, how far ahead, on which scale; empty without scores."""
    rows = own_rows(release.frame("scores"), series_id)
    rows = rows[rows["horizon"].astype(int).eq(horizon) & rows["relative_wis"].notna()]
    counts, past = release.frame("observations"), release.frame("backtest")
    months = past.loc[past["series_id"].eq(series_id) & past["horizon"].eq(horizon), "target_end_date"]
    counted = counts.loc[counts["series_id"].eq(series_id), "time_period"]
    months = months[months.dt.strftime("%Y-%m").isin(counted)]
    if rows.empty or months.empty:
        return ""
    text = _(
        "Error: WIS (log scale) against the baseline’s, which is 1; {n} past forecasts {ahead}, {months}. The "
        "ensemble’s 80% intervals held {share}."
    )
    return language.text(
        text, share=language.share(rows["coverage_80"].iloc[0]),
        n=language.counted(rows["n"].iloc[0]), ahead=span_words(str(horizon), "M", language),
        months=language.months(months.min(), months.max()),
    )  # fmt: skip


def with_interval(write: Callable[[float], str], value: float, low: float, high: float) -> str:
    """Return a measure with its interval, ``1.01 (0.99–1.03)``: alone where the interval is not known."""
    if not is_known(value):
        return NOTHING
    return f"{write(value)} ({write(low)}–{write(high)})" if is_known(low) and is_known(high) else write(value)


def held_words(scores: pd.DataFrame, language: Language, unit: str = "M") -> str:
    """How many outcomes the 80 % interval held, over all horizons, and whether that is too few."""
    held = float(np.average(scores["coverage_80"], weights=scores["n"]))
    text = _("{ahead}, the 80% interval held {inside} of {n} outcomes ({share}).")
    said = language.text(
        text, ahead=capital(steps_ahead(sorted(scores["horizon"].astype(int)), language, unit)),
        inside=language.counted(round(held * scores["n"].sum())), n=language.counted(scores["n"].sum()),
        share=language.share(held),
    )  # fmt: skip
    narrow = language.text(_("The intervals were too narrow: expect more counts outside them."))
    return f"{said} {narrow}" if held < TOO_NARROW else said


def hits_words(hits: float, n: float, language: Language) -> str:
    """How often something came among past cases: ``36 of 43``; an en dash without a case."""
    return language.text(_("{hits} of {n}"), hits=language.counted(hits), n=language.counted(n)) if n else NOTHING


def times_enough(taken: pd.Series[float]) -> tuple[int, int]:
    """How many of how many past forecasts named enough: those of which counts took up all or less."""
    return int((taken <= 1).sum()), len(taken)


def margin(taken: pd.Series[float]) -> float:
    """Return the share that was missing for nine in ten past forecasts to be enough, in full percents.

    Args:
        taken: Result of :func:`taken_up`.

    Returns:
        NaN where upper ends were enough as often as they should be, or where chance explains that they were not (5 %).
    """
    enough, n = times_enough(taken)
    if not n or bdtr(enough, n, 0.9) >= 0.05:
        return np.nan
    needed = float(np.quantile(taken, 0.9, method="inverted_cdf"))
    return math.ceil(round(100 * (needed - 1), 6)) / 100


def enough_words(record: tuple[float, float, float], language: Language) -> str:
    """How many of how many upper ends were enough, and whether that is too few: ``31 of 41, too few``."""
    enough, n, missing = record
    text = _("{times}, too few") if is_known(missing) else "{times}"
    return language.text(text, times=hits_words(enough, n, language))


def with_margin(enough: float, missing: float) -> float:
    """What is to be aimed at: an upper end and its :func:`margin`, where there is one."""
    return enough * (1 + missing) if is_known(missing) else enough


def aim_words(enough: float, missing: float, language: Language) -> str:
    """What is to be aimed at, and in brackets upper end and margin: ``47,000 (40,500 plus 16%)``."""
    text = _("{aim} ({enough} plus {share})") if is_known(missing) else "{aim}"
    share = language.change(1 + missing, 1.0).lstrip("+") if is_known(missing) else ""
    aim, plain = language.expected(with_margin(enough, missing)), language.expected(enough)
    return language.text(text, aim=aim, enough=plain, share=share)


def last_count(value: float, language: Language) -> str:
    """The last count as what to plan with: ``57,910, last count``."""
    return f"{language.counted(value)}, {language.text(_('last count'))}"


def taken_up(past: pd.DataFrame, last: int) -> pd.Series[float]:
    """Share of the highest upper end of each past forecast that its highest count took up, by origin; 1 was enough.

    Args:
        past: ``origin_date, horizon, upper, obs_value``, of periods that are counted.
        last: Periods to the last one ahead: an origin after which it is not counted yet is left out.
    """
    cases = past.groupby("origin_date")[["horizon", "upper", "obs_value"]].max()
    cases = cases[cases["horizon"] == last]
    return (cases["obs_value"] / cases["upper"]).fillna(0.0)


def stretches(
    ends: Iterable[pd.Timestamp], write: Callable[[pd.Timestamp, pd.Timestamp], str], months_each: int = 1
) -> str:
    """Periods by their names, those that follow each other as one: ``January 2025, March–April 2025``.

    Args:
        ends: Last days of the periods.
        write: Names a stretch by its first and its last month.
        months_each: Months of a period.
    """
    days = pd.Series(sorted(ends))
    parts = days.groupby((days.dt.year * 12 + days.dt.month).diff().ne(months_each).cumsum())
    begin = pd.DateOffset(months=months_each - 1)
    return ", ".join(write(part.iloc[0] - begin, part.iloc[-1]) for _number, part in parts)


def verdict_words(
    verdicts: Verdicts, shown: Iterable[pd.Timestamp], language: Language, months_each: int = 1,
    words: Mapping[str, str] | None = None,
) -> str:  # fmt: skip
    """The verdicts on the periods that are shown.

    ``better than the baseline in February–March 2025; no sign of beating the baseline in April 2025``.

    Args:
        verdicts: Result of :func:`verdict_ends`.
        shown: Last days of the periods that are shown.
        language: The reader's.
        months_each: Months of a period.
        words: Other words for verdicts.
    """
    if verdicts is None:
        return language.text(_("not scored"))
    return language.listed(
        f"{language.text((words or {}).get(one, one))} {stretches(ends, language.in_months, months_each)}"
        for one, ends in _by_verdict(verdicts, shown)
    )


def _by_verdict(
    verdicts: Mapping[pd.Timestamp, str], shown: Iterable[pd.Timestamp]
) -> Iterator[tuple[str, list[pd.Timestamp]]]:
    periods = list(shown)
    for one in MARKS:
        if ends := [end for end in periods if verdict_at(verdicts, end) == one]:
            yield one, ends
