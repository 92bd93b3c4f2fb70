"""What a release said beforehand is scored once its outcome is known, once, and for good."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.release import RELEASE
from core.schema import ALL, check
from forecasting import ENSEMBLE, LEVELS
from forecasting.quantiles import QuantileTable, to_rows
from nightly import RealTimeData
from nightly.tables import issued_scores
from store.releases import Release
from store.status import issued_skill

SERIES = "arrivals.WMR._T._T.M"
MONTHS = pd.period_range("2018-01", "2024-03", freq="M")
ORIGIN = pd.Timestamp("2024-01-31")


class Issued(Release):
    """A release as it is read, without its files."""

    def __init__(self, name: str, created_at: str, *, replay: bool = False, middle: float = 1_000.0) -> None:
        super().__init__(Path(name))
        self.__dict__["manifest"] = {"created_at": created_at, "replay": replay}
        self.middle = middle

    def read(self, name: str, columns: object = None) -> pd.DataFrame:  # noqa: ARG002  # as a release's own
        if name == "issued_scores":
            return RELEASE["issued_scores"].empty()
        keys = pd.DataFrame({"model_id": ENSEMBLE, "series_id": SERIES, "origin_date": ORIGIN, "horizon": [1, 2, 3]})
        keys["target_end_date"] = [ORIGIN + pd.offsets.MonthEnd(step) for step in (1, 2, 3)]
        return to_rows(QuantileTable(keys, np.tile(self.middle * (0.5 + LEVELS), (3, 1))))


@pytest.fixture
def data() -> RealTimeData:
    """Arrivals of one route to March 2024, each month known ten days after its end."""
    random = np.random.default_rng(3)
    rows = pd.DataFrame(
        {"time_period": MONTHS.astype(str), "as_of": MONTHS.end_time.normalize() + pd.Timedelta(days=10)}
    )
    rows["obs_value"] = np.round(1_000 * np.exp(0.2 * random.normal(size=len(MONTHS))))
    fixed = {"source_id": "vigie-routes", "series_id": SERIES, "target": "arrivals", "route_id": "WMR", "geo": ALL}
    routes = rows.assign(**fixed, citizen=ALL, freq="M", obs_flag="", as_of_estimated=False)
    made = RealTimeData(routes.iloc[:0], dt.date(2024, 4, 15), 6, 24)
    made.__dict__["routes"] = routes
    return made


def test_only_forecasts_before_outcome_are_scored(data: RealTimeData) -> None:
    early = Issued("a", "2024-02-20T04:00:00+00:00")
    found = check(issued_scores([early], None, data), RELEASE["issued_scores"])
    assert found["horizon"].tolist() == [1, 2]
    late = Issued("b", "2024-03-20T04:00:00+00:00")
    assert issued_scores([late], None, data)["horizon"].tolist() == [2]
    assert issued_scores([Issued("c", "2024-02-20T04:00:00+00:00", replay=True)], None, data).empty


def test_repeated_forecast_counts_once(data: RealTimeData) -> None:
    first, second = Issued("a", "2024-02-20T04:00:00+00:00"), Issued("b", "2024-02-21T04:00:00+00:00", middle=9_000.0)
    both = issued_scores([first, second], None, data)
    assert both["run_id"].tolist() == ["a", "a"]


def test_scores_outlive_release_that_issued_them(data: RealTimeData, monkeypatch: pytest.MonkeyPatch) -> None:
    former = Issued("b", "2024-03-20T04:00:00+00:00")
    kept = issued_scores([Issued("a", "2024-02-20T04:00:00+00:00")], None, data)
    monkeypatch.setattr(former, "read", lambda _name: kept, raising=False)
    assert issued_scores([], former, data).equals(kept)


def test_scores_of_two_nights_join(data: RealTimeData, monkeypatch: pytest.MonkeyPatch) -> None:
    issued_then, former = Issued("a", "2024-02-20T04:00:00+00:00"), Issued("b", "2024-03-20T04:00:00+00:00")
    whole = issued_scores([issued_then], None, data)
    monkeypatch.setattr(former, "read", lambda _name: whole.head(1), raising=False)
    pd.testing.assert_frame_equal(issued_scores([issued_then], former, data), whole)


def test_summary_is_ratio_of_sums_by_horizon(data: RealTimeData) -> None:
    rows = issued_scores([Issued("a", "2024-02-20T04:00:00+00:00")], None, data)
    found = issued_skill(rows)
    assert found["n"].tolist() == [1, 1]
    assert np.allclose(found["relative_wis_log"], rows["wis_log"] / rows["reference_log"])
    assert issued_skill(RELEASE["issued_scores"].empty()).empty
