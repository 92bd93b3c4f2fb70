"""The prospective score: forecasts as releases issued them, scored when their outcomes come.

A backtest may have been tuned on the outcomes that it is scored on; what a release said before anybody knew cannot have
been. Releases are chained by their hashes, so no one can have changed it since.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from core.release import ISSUED_SCORES
from core.schema import ALL
from forecasting.model import ENSEMBLE
from forecasting.quantiles import to_matrix
from forecasting.verification.scores import score_rows
from nightly.real_time import RealTimeData
from store.releases import Release, readable

_PLACE = ["series_id", "origin_date", "horizon"]


def issued_scores(releases: Sequence[Release], former: Release | None, data: RealTimeData) -> pd.DataFrame:
    """Score what was issued and has its outcome by now.

    A forecast from one origin that several nights issued counts once, as the first of them gave it. It counts only
    where its outcome became known after the release was made; replays never do.

    Args:
        releases: The home's releases, oldest first.
        former: The release before this one: what it scored is taken over, also from releases that are gone.
        data: What is known tonight.

    Returns:
        A frame that keeps ``core.release.ISSUED_SCORES``.
    """
    kept = former.read(ISSUED_SCORES.name) if former is not None else ISSUED_SCORES.empty()
    first_known = _first_known(data)
    found = [kept]
    scored = set(kept[_PLACE].itertuples(index=False, name=None))
    for release in releases:
        if release.manifest.get("replay") or readable(release)[0] is None:
            continue
        forecasts = release.read("forecasts")
        forecasts = forecasts[forecasts["model_id"] == ENSEMBLE]
        place = pd.MultiIndex.from_frame(forecasts[["series_id", "target_end_date"]])
        known = first_known.reindex(place).to_numpy()
        made = pd.Timestamp(release.manifest["created_at"]).tz_localize(None).to_datetime64()
        news = np.asarray(
            [key not in scored for key in forecasts[_PLACE].itertuples(index=False, name=None)], dtype=bool
        )
        chosen = forecasts[news & (known > made)]
        if chosen.empty:
            continue
        rows = score_rows(to_matrix(chosen), data.panel).assign(run_id=release.run_id)
        scored |= set(rows[_PLACE].itertuples(index=False, name=None))
        found.append(rows[list(ISSUED_SCORES.columns)])
    return pd.concat([one for one in found if len(one)] or [kept], ignore_index=True)


def _first_known(data: RealTimeData) -> pd.Series:
    """The day on which each month of a route was known as it is now, by series and month's end."""
    totals = data.routes[data.routes["citizen"] == ALL]
    ends = pd.PeriodIndex(totals["time_period"].astype(str), freq="M").end_time.normalize()
    place = pd.MultiIndex.from_arrays([totals["series_id"], ends])
    days = pd.Series(totals["as_of"].to_numpy(), index=place)
    # What was estimated to have been known by then proves nothing.
    return days[~totals["as_of_estimated"].to_numpy(dtype=bool)]
