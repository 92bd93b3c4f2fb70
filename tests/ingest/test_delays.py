"""How late figures become known, and how many countries have reported."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from core.release import RELEASE
from core.schema import check
from ingest import SourceCard
from ingest.newest import changes, freshness, reporting
from ingest.rows import observations

CARD = SourceCard(
    source_id="a", publisher="Bureau", dataset="Counts", url="", licence="CC BY 4.0", redistribution=True,
    citation="Bureau, Counts.", rhythm="Monthly.", expected_days=90,
)  # fmt: skip


def published(lags: dict[str, int], *, months: int = 10, estimated: bool = False) -> pd.DataFrame:
    """Monthly counts of some countries, each known some days after the month's end; and the month before all."""
    periods = pd.period_range("2024-01", periods=months, freq="M")
    rows = [
        (geo, str(period), 5.0, period.end_time.normalize() + pd.Timedelta(days=lag))
        for geo, lag in lags.items()
        for period in periods
    ]
    rows += [(geo, "2023-06", 5.0, pd.Timestamp("2024-01-15")) for geo in lags]
    tidy = pd.DataFrame(rows, columns=["geo", "time_period", "obs_value", "as_of"])
    found = observations(tidy, source_id="a", target="arrivals", route_id="CMR", citizen="_T", freq="M")
    return found.assign(as_of_estimated=estimated)


def test_rhythm_is_learned_where_enough_periods_are_on_record() -> None:
    history = published({"ITA": 12})
    as_of = dt.date(2024, 11, 20)
    known = history[history["as_of"] <= pd.Timestamp(as_of)]
    learned = freshness(known, as_of, {"a": CARD}, history).iloc[0]
    assert (learned["expected_days"], learned["learned_from"]) == (31 + 12, 10)
    assert learned["next_expected"] == pd.Timestamp("2024-12-12")
    catalogue = freshness(known, as_of, {"a": CARD}).iloc[0]
    assert (catalogue["expected_days"], catalogue["learned_from"]) == (90, 0)
    assert catalogue["next_expected"] == pd.Timestamp("2024-10-31") + pd.Timedelta(days=90)


def test_missing_countries_are_counted() -> None:
    known = published({"ITA": 10, "GRC": 10, "ESP": 10, "MLT": 10, "CYP": 10, "FRA": 10})
    late = known[~(known["geo"].isin(["CYP", "FRA"]) & (known["time_period"] == "2024-10"))]
    found = check(reporting(late), RELEASE["reporting"]).set_index("time_period")
    assert list(found.loc["2024-10", ["reported", "expected", "total", "provisional"]]) == [4, 6, 20.0, True]
    assert list(found.loc["2024-09", ["reported", "expected", "total", "provisional"]]) == [6, 6, 30.0, False]


def test_single_country_leaves_newest_period() -> None:
    known = published({"ITA": 10, "GRC": 10, "ESP": 10, "MLT": 10, "CYP": 10})
    assert reporting(known)["time_period"].max() == "2024-10"
    alone = [
        known.query("geo == 'ESP' and time_period == '2024-10'").assign(time_period=str(month))
        for month in pd.period_range("2024-11", periods=14, freq="M")
    ]
    assert reporting(pd.concat([known, *alone], ignore_index=True)).empty


def test_only_change_of_state_is_change() -> None:
    known = published({"ITA": 12})
    days = [dt.date(2024, 12, 20), dt.date(2024, 12, 25), dt.date(2025, 4, 1)]
    first, second, third = (freshness(known, day, {"a": CARD}) for day in days)
    assert changes(first, second).empty
    (row,) = check(changes(second, third), RELEASE["freshness_changes"]).to_dict("records")
    assert row == {"source_id": "a", "before": "fresh", "after": "overdue", "last_period": "2024-10"}
    assert changes(first.iloc[:0], third).empty
