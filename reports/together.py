"""What is expected on all routes together that count persons, beside the year before, in one reader's language."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from core.languages import Language, as_counted, as_expected
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from core.routes import ARRIVAL_ROUTES
from reports import numbers
from reports.release import ReadableRelease
from reports.route import window_words


@dataclass(frozen=True)
class Together:
    """All routes with a forecast whose figures count persons, over the planning window.

    Attributes:
        title: ``49,400 arrivals expected in February–April 2025``; why there is none, where no route has a forecast or
            only such have one as are added to no total.
        figure: The median as it is written; empty without a total.
        routes: ``On 5 routes together``; empty without a total.
        interval: The 80 % interval in words; empty without a forecast.
        year_before: What was counted in the same months a year earlier, as it is written; empty where a month is
            missing.
    """

    title: str
    figure: str = ""
    routes: str = ""
    interval: str = ""
    most: float = 0.0
    year_before: float | None = None

    def sentences(self, language: Language) -> list[str]:
        """The range and the year before, a sentence each; nothing without a total."""
        if not self.figure:
            return []
        texts = ngettext(
            "{routes}: most likely {interval} people, with 8 chances in 10.",
            "{routes}: most likely {interval} people, with 8 chances in 10.",
        )
        out = [language.plural(texts, as_expected(self.most), routes=self.routes, interval=self.interval)]
        if self.year_before is not None:
            texts = ngettext(
                "In the same months a year earlier {value} was counted.",
                "In the same months a year earlier {value} were counted.",
            )
            before = language.counted(self.year_before)
            out.append(language.plural(texts, as_counted(self.year_before), value=before))
        return out


def together(release: ReadableRelease, summary: pd.DataFrame, language: Language) -> Together:
    """Add up the routes, path by path.

    Args:
        release: ``observations`` and ``trajectories`` are read.
        summary: Result of :func:`reports.numbers.route_summary`.
        language: The reader's.
    """
    ends = numbers.window_ends(release.as_of)
    rows = summary[(summary["state"] == "ok") & summary["expected"].notna()]
    routes = [route_id for route_id in rows["route_id"] if route_id in ARRIVAL_ROUTES]
    series = [numbers.route_series(route_id) for route_id in routes]
    total = numbers.expected_total(release.frame("trajectories"), series, ends)
    if total is None and len(rows):
        texts = ngettext(
            "{n} route has a forecast, and is added to no total",
            "{n} routes have a forecast, and are added to no total",
        )
        return Together(language.plural(texts, len(rows)))
    if total is None:
        return Together(language.text(_("No route has figures recent enough for a forecast")))
    before = numbers.counted_a_year_before(release.frame("observations"), series, ends)
    figure = language.expected(total.median)
    texts = ngettext("{expected} arrival expected in {months}", "{expected} arrivals expected in {months}")
    months = window_words(release.as_of, language)
    return Together(
        title=language.plural(texts, as_expected(total.median), expected=figure, months=months),
        figure=figure,
        routes=language.plural(ngettext("On {n} route", "On {n} routes together"), len(routes)),
        interval=language.interval_words(total.low, total.high),
        most=total.high,
        year_before=before,
    )
