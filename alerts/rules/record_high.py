"""Record: a month above the highest of the last 12, or of the last 36."""

from __future__ import annotations

import pandas as pd

from alerts import COMMON, RARE, ExceedanceRule, LevelCosts, smallest
from core.languages import marked as _
from core.settings import AlertSettings


def _rule(months: int, title: str, costs: LevelCosts, sentence: str) -> ExceedanceRule:
    def threshold(counts: pd.DataFrame, settings: AlertSettings) -> pd.DataFrame:
        highest = counts.rolling(months).max()
        return highest.where(highest >= smallest(settings))

    return ExceedanceRule(
        rule=f"record_{months}",
        title=title,
        compares=">",
        threshold=threshold,
        costs=costs,
        sentences={f"record_{months}": sentence},
    )


OF_A_YEAR = _rule(
    12, _("Highest in 12 months"), COMMON, _("{word} ({chance}) to pass {threshold}, the highest of 12 months, {when}.")
)
OF_THREE_YEARS = _rule(
    36, _("Highest in 36 months"), RARE, _("{word} ({chance}) to pass {threshold}, the highest of 36 months, {when}.")
)
