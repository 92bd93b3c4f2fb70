"""The next weeks of a route that is counted by day, in one reader's language."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.calendar import pandas_frequency
from core.countries import display_name
from core.languages import Language, as_expected
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from core.schema import ALL
from forecasting.verification.verdict import BETTER, with_verdicts
from reports import numbers

PAST_WEEKS = 12
_LEVELS = {0.1: "q10", 0.25: "q25", 0.5: "q50", 0.75: "q75", 0.9: "q90"}


@dataclass(frozen=True)
class WeekView:
    """A route's weeks.

    Attributes:
        series_id: The weekly series.
        counted: Newest weeks that are counted whole: ``target_end_date``, ``value``.
        ahead: Weeks to come: ``target_end_date``, ``last_day``, ``so_far``, ``q10`` to ``q90``.
        scores: The series' rows of ``week_scores``, log scale, each with its ``verdict``.
        partial: Whether the route's months held other people than these days did.
    """

    series_id: str
    counted: pd.DataFrame
    ahead: pd.DataFrame
    scores: pd.DataFrame
    partial: bool

    @property
    def days(self) -> str:
        """The daily series."""
        return self.series_id.removesuffix(".W") + ".D"


def week_view(weeks: pd.DataFrame, scores: pd.DataFrame, observations: pd.DataFrame, route_id: str) -> WeekView | None:
    """A route's weeks from a release's tables; None where it is not counted by day."""
    rows = weeks[weeks["route_id"] == route_id]
    if rows.empty:
        return None
    series_id = str(rows["series_id"].iloc[0])
    level = rows["output_type_id"].round(6)
    place = ["target_end_date", "last_day", "so_far"]
    wide = rows[level.isin(_LEVELS)].assign(level=level.map(_LEVELS)).pivot_table("value", place, "level")
    days = numbers.series_of(observations, series_id.removesuffix(".W") + ".D", "D")
    ends = pd.PeriodIndex(days["end_date"], freq=pandas_frequency("W")).end_time.normalize()
    sums = days.groupby(ends)["obs_value"].agg(["sum", "size"])
    whole = sums.loc[sums["size"] == 7, "sum"].tail(PAST_WEEKS)
    # Holm's correction runs over the whole table.
    judged = with_verdicts(scores[scores["scale"] == "log"])
    return WeekView(
        series_id,
        whole.rename_axis("target_end_date").rename("value").reset_index(),
        wide.reset_index().sort_values("target_end_date", ignore_index=True),
        judged[judged["series_id"] == series_id].reset_index(drop=True),
        _differs(days, numbers.series_of(observations, f"arrivals.{route_id}._T._T.M")),
    )


def _differs(days: pd.DataFrame, months: pd.DataFrame) -> bool:
    """Whether a year's months differ from the sums of their days, where all days are counted."""
    sums = days.groupby(days["end_date"].dt.to_period("M"))["obs_value"].agg(["sum", "size"])
    counted = sums.loc[sums["size"] == sums.index.to_series().dt.days_in_month, "sum"]
    both = pd.concat([counted, months.set_index(months["end_date"].dt.to_period("M"))["obs_value"]], axis=1).dropna()
    return bool((both["sum"] != both["obs_value"]).tail(12).any())


def week_title(view: WeekView, language: Language) -> str:
    """What the first week that has not begun is expected to bring."""
    later = view.ahead[view.ahead["target_end_date"] - pd.Timedelta(days=7) >= view.ahead["last_day"]]
    row = later.iloc[0]
    return language.plural(
        ngettext(
            "The week to {day}: {expected} arrival expected, most likely {interval}",
            "The week to {day}: {expected} arrivals expected, most likely {interval}",
        ),
        as_expected(row["q50"]),
        day=language.day_short(row["target_end_date"]),
        expected=language.expected(row["q50"]),
        interval=language.interval_words(row["q10"], row["q90"]),
    )


def week_record(view: WeekView, language: Language) -> str:
    """How such forecasts did at past Sundays, against the last week and the same week of the year before."""
    scores = view.scores
    if scores.empty:
        return language.text(_("No record yet: these days have not been counted for long enough."))
    better = scores.assign(better=scores["verdict"] == BETTER).groupby("horizon")["better"].all()
    reach = int(np.argmin([*better, False]))
    if not reach:
        return language.text(
            _("No evidence that this is better than the last week again, or the same week of last year again.")
        )
    texts = ngettext(
        "Better than “the last week again” and “the same week of last year again” {n} week ahead.",
        "Better than “the last week again” and “the same week of last year again” up to {n} weeks ahead.",
    )
    near = scores[scores["horizon"] <= reach]
    held = _("Its error was {ratio} of theirs; its 80% interval held {share} of {count} past weeks.")
    words = language.text(
        held,
        ratio=language.decimal(float(near["relative_wis"].mean())),
        share=language.share(float(near["coverage_80"].mean())),
        count=language.counted(int(near["n"].min())),
    )
    beyond = [] if reach == len(better) else [language.text(_("No evidence beyond."))]
    return " ".join([language.plural(texts, reach), *beyond, words])


def week_basis(view: WeekView, language: Language) -> str:
    """What is counted by day and up to when."""
    geo = view.series_id.split(".")[2]
    row = view.ahead.iloc[0]
    text = _("Counted by day up to {day}, from Monday to Sunday.")
    if view.partial and geo != ALL:
        text = _("Counted by day in {country} up to {day}, from Monday to Sunday; the route’s months may hold more.")
    return language.text(
        text, country="" if geo == ALL else display_name(geo, language.code), day=language.day(row["last_day"])
    )
