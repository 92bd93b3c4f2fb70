"""What came true of past forecasts and alerts."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from core.languages import Language
from publish.site.proof import outcomes_of, readable
from reports import LoadedRelease
from tests.reports.conftest import observations_of, trajectories_of

EMR = "arrivals.EMR._T._T.M"


def released(counts: dict[str, float]) -> LoadedRelease:
    """A release of January 2025 with a forecast of EMR, and what was counted after it."""
    later = (
        observations_of(["EMR"]).iloc[: len(counts)].assign(time_period=list(counts), obs_value=list(counts.values()))
    )
    frames = {
        "routes": pd.DataFrame({"route_id": ["EMR"], "state": ["ok"]}), "observations": observations_of(["EMR"]),
        "trajectories": trajectories_of(["EMR"]), "outcomes": later,
    }  # fmt: skip
    made = dt.datetime(2025, 1, 31, tzinfo=dt.UTC)
    return LoadedRelease("run", "0" * 64, made.date(), made, replay=False, degraded=(), frames=frames)


@pytest.mark.parametrize(("count", "inside"), [(1000.0, True), (2000.0, False)])
def test_count_of_three_months_is_held_against_the_interval(count: float, inside: bool) -> None:  # noqa: FBT001  # a case
    release = released(dict.fromkeys(("2025-02", "2025-03", "2025-04"), count))
    row = outcomes_of(release, release).iloc[0]
    assert (row["counted"], row["inside"]) == (3 * count, inside)
    assert (row["expected"], row["low"], row["high"]) == (3000.0, pytest.approx(2520), pytest.approx(3480))


def test_window_that_is_not_over_has_no_verdict() -> None:
    release = released({"2025-02": 1000.0})
    row = outcomes_of(release, release).iloc[0]
    assert pd.isna(row["counted"]) and row["inside"] is None


def test_texts_name_series_and_models_in_place_of_codes() -> None:
    source = "# Mean (`vigie-ensemble`)\n## arrivals.CMR._T._T.M\n| `vigie-ets` | `arrivals.CMR._T._T.M` | `2024` |"
    named = "Arrivals, Central Mediterranean"
    assert readable(source, Language()) == f"# Mean\n## {named}\n| Exponential smoothing | {named} | `2024` |"
