"""Places exceeded: the alert of a stock whose places are known, and its record at past origins."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from alerts import Evidence
from alerts.rules import evaluate, no_alerts
from alerts.rules.reception_full import RULE
from alerts.verification import full_record, record_of
from core import QUANTILE_LEVELS
from core.settings import AlertSettings

Build = Callable[..., pd.DataFrame]
STOCK, PLACES = "reception.DEU._T.M", "places._Z.DEU._T.M"
AS_OF = dt.date(2025, 1, 31)
SETTINGS = AlertSettings()


@pytest.fixture
def night(panel: Build, paths: Build, evidence: Callable[..., Evidence]) -> Callable[..., Evidence]:
    """A night with a stock of 900 people, its places, and ten paths of which some end above the places."""

    def make(above: int, places: Sequence[float] = (1000.0,) * 24, series_id: str = STOCK) -> Evidence:
        rows = pd.concat([panel([900.0] * 24, series_id=series_id), panel(places, series_id=PLACES)])
        futures = [[900.0, 900.0, 900.0, 1001.0 if number < above else 1000.0] for number in range(10)]
        found = evidence(panel=rows, trajectories=paths(futures, series_id=series_id))
        return replace(found, as_of=AS_OF)

    return make


def test_chance_in_any_month_of_the_window_sets_the_level(night: Callable[..., Evidence]) -> None:
    levels = {above: evaluate(night(above), SETTINGS)["alert_level"].to_list() for above in (2, 3, 5, 7)}
    assert levels == {2: [], 3: ["watch"], 5: ["warning"], 7: ["severe"]}


def test_alert_names_places_window_and_place(night: Callable[..., Evidence]) -> None:
    (alert,) = evaluate(night(7), SETTINGS).to_dict("records")
    assert (alert["rule"], alert["route_id"], alert["threshold"]) == ("reception_full", "reception.DEU", 1000)
    assert (alert["first_period"], alert["last_period"], alert["probability"]) == ("2025-02", "2025-04", 0.7)
    assert "more places than there are (1,000)" in alert["reason"]


def test_stock_without_places_raises_no_alert(night: Callable[..., Evidence]) -> None:
    assert evaluate(night(9, series_id="reception.FRA._T.M"), SETTINGS).empty


def test_newest_places_are_the_threshold(night: Callable[..., Evidence]) -> None:
    assert evaluate(night(9, places=(1000.0,) * 23 + (1200.0,)), SETTINGS).empty


def test_alert_stays_unjudged_while_its_stock_has_no_forecast(night: Callable[..., Evidence]) -> None:
    before = evaluate(night(7), SETTINGS)
    silent = replace(night(7), trajectories=night(7).trajectories.iloc[:0])
    assert evaluate(silent, SETTINGS, before)["unjudged_since"].to_list() == [str(AS_OF)]
    assert evaluate(night(0), SETTINGS, before).empty
    assert evaluate(silent, SETTINGS, no_alerts()).empty


def test_record_counts_warnings_before_the_places_were_exceeded(panel: Build, issued: Build) -> None:
    stock = [900.0] * 12 + [1100.0] * 6 + [900.0] * 12
    rows = pd.concat([panel(stock, series_id=STOCK), panel([1000.0] * len(stock), series_id=PLACES)])
    months = pd.period_range(end="2024-12", periods=len(stock), freq="M")
    ahead = {
        str(month): [
            np.asarray(stock)[min(place + step, len(stock) - 1)] + 20 * (np.asarray(QUANTILE_LEVELS) - 0.5)
            for step in range(1, 7)
        ]
        for place, month in enumerate(months[:-1])
    }
    made = full_record(
        issued(ahead, series_id=STOCK, model_id="team"), rows, SETTINGS, as_of=AS_OF, rules=[RULE], model_id="team",
        simple_rules=(),
    )  # fmt: skip
    alert = {"rule": "reception_full", "alert_level": "watch", "route_id": "reception.DEU", "horizon": 2}
    found = record_of(alert, made.rules)
    assert found is not None
    assert (found["precision"], found["recall"], found["n_events"]) == (1.0, 1.0, 1)
