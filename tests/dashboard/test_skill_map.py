"""Where the forecast is worth more than the baseline: what the map and its sentences say of given verdicts."""

from __future__ import annotations

from typing import cast

import pandas as pd

from core.languages import Language
from core.schema import ALL
from dashboard.reads import Night
from forecasting import ENSEMBLE
from forecasting.verification.verdict import BETTER, WORSE
from reports import record

NOTHING = "no evidence"


class Scored:
    """A release in which the ensemble's 80 % interval held given shares of the figures, by months ahead."""

    def __init__(self, **held: float) -> None:
        rows = [(ALL, ENSEMBLE, "log", int(step[1:]), share) for step, share in held.items()]
        rows += [("arrivals.CMR._T._T.M", ENSEMBLE, "log", 1, 0.1), (ALL, "vigie-ets", "log", 1, 0.1)]
        rows += [(ALL, ENSEMBLE, "natural", 1, 0.1)]
        self.scores = pd.DataFrame(rows, columns=["series_id", "model_id", "scale", "horizon", "coverage_80"])

    def frame(self, name: str) -> pd.DataFrame:
        if name == "scores":
            return self.scores
        return pd.DataFrame(columns=["route_id", "horizon", "level", "rule", "precision"])


def said(grid: pd.DataFrame, **held: float) -> list[str]:
    return record.sentences(cast(Night, Scored(**held)), grid, Language())


def test_better_routes_are_counted_over_three_months() -> None:
    verdicts = {
        ALL: [BETTER, BETTER, BETTER, BETTER],
        "CMR": [BETTER, BETTER, BETTER, WORSE],
        "EMR": [NOTHING, NOTHING, BETTER, BETTER],
        "WMR": [NOTHING, WORSE, NOTHING, BETTER],
    }
    grid = pd.DataFrame(verdicts, index=[1, 2, 3, 4]).T
    assert said(grid) == [
        "One to three months ahead the forecast is better than the baseline in at least one month on 2 of 3 routes, "
        "in all three on 1."
    ]


def test_coverage_is_mean_of_routes_to_three_months() -> None:
    grid = pd.DataFrame({ALL: [BETTER], "CMR": [BETTER]}, index=[1]).T
    shown = said(grid, h1=0.9, h2=0.8, h3=0.7, h4=0.1)
    assert shown[1] == "Its 80% interval held 80% of what was counted one to three months later."
    assert len(said(grid)) == 1
