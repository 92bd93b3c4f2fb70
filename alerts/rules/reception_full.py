"""Places exceeded: a month at whose end more people are in reception than there are places."""

from __future__ import annotations

import pandas as pd

from alerts import RARE, ExceedanceRule, place_of, places_series
from core.languages import marked as _
from core.settings import AlertSettings


def threshold(counts: pd.DataFrame, _settings: AlertSettings) -> pd.DataFrame:
    """The places of each stock, as given last; stocks without places are left out."""
    places = {name: places_series(str(name)) for name in counts.columns if place_of(str(name)) is not None}
    return pd.DataFrame({name: counts[own] for name, own in places.items() if own in counts}, counts.index).ffill()


RULE = ExceedanceRule(
    rule="reception_full",
    title=_("Places in reception exceeded"),
    compares=">",
    threshold=threshold,
    costs=RARE,
    subject=place_of,
    sentences={"reception_full": _("{word} ({chance}) to need more places than there are ({threshold}), {when}.")},
)
