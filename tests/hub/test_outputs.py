"""What a hub receives: models, names and outcomes."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from core.routes import own_route_id
from forecasting.models import CARDS
from hub.own import (
    added_to,
    ensemble_metadata,
    hub_model_id,
    open_series,
    oracle,
    own_metadata,
    own_submissions,
    time_series,
)
from hub.score import unit_name

SERIES = "arrivals.CMR._T._T.M"


def test_only_own_models_are_designated() -> None:
    names = ("vigie-ensemble", "vigie-baseline", "vigie-ets", "vigie-seasonal-walk")
    found = {name: yaml.safe_load(own_metadata(name, CARDS[name], "1")) for name in names}
    assert [found[name]["designated_model"] for name in names] == [True, True, False, False]
    assert [found[name]["ensemble_of_models"] for name in names] == [True, False, False, False]
    assert hub_model_id(names[3]) == "vigie-seasonal_walk"
    assert found[names[3]]["model_abbr"] == "seasonal_walk"
    hub = yaml.safe_load(ensemble_metadata("hub-median"))
    assert (hub["designated_model"], hub["ensemble_of_hub_models"], hub["model_abbr"]) == (False, True, "median")
    assert hub["model_name"] == "Median"


def test_what_was_submitted_stays_and_only_new_tasks_are_added() -> None:
    kept = pd.DataFrame({"series_id": ["a", "a"], "horizon": [1, 2], "value": [1.0, 2.0]})
    new = pd.DataFrame({"series_id": ["a", "b", "a"], "horizon": [1, 1, 3], "value": [9.0, 8.0, 7.0]})
    assert added_to(kept, new)["value"].tolist() == [1.0, 2.0, 8.0, 7.0]
    assert added_to(None, new) is new
    assert added_to(kept, new.iloc[:1]) is kept


def test_oracle_holds_newest_version() -> None:
    rows = pd.DataFrame(
        {
            "target_end_date": ["d1", "d1", "d2", "d2"], "target": "t", "series_id": "a",
            "observation": [1.0, 2.0, 3.0, np.nan], "as_of": ["x", "y", "x", "y"],
        }
    )  # fmt: skip
    assert oracle(rows).to_dict("records") == [
        {"target_end_date": "d1", "target": "t", "series_id": "a", "oracle_value": 2.0}
    ]


@pytest.mark.parametrize(
    ("units", "names"),
    [
        (["series_id", "target"], ["s1", "s2"]),
        (["target", "location"], ["FR · t1", "DE · t2"]),
        (["target"], ["t1", "t2"]),
    ],
)
def test_rows_speak_of_their_series_or_of_all_their_task_ids(units: list[str], names: list[str]) -> None:
    rows = pd.DataFrame({"series_id": ["s1", "s2"], "target": ["t1", "t2"], "location": ["FR", "DE"]})
    assert unit_name(rows, units).tolist() == names


def test_first_hundred_paths_of_ensemble_are_handed_in() -> None:
    task = {"series_id": "arrivals.CMR._T._T.M", "origin_date": pd.Timestamp("2024-11-30"), "horizon": 1,
            "target_end_date": pd.Timestamp("2024-12-31")}  # fmt: skip
    one = pd.DataFrame([{**task, "model_id": "vigie-seasonal-walk", "output_type": "quantile", "output_type_id": 0.5,
                         "value": 1.0, "target": "arrivals"}])  # fmt: skip
    paths = pd.DataFrame([{**task, "model_id": "vigie-ensemble", "output_type": "sample", "output_type_id": number,
                           "value": 1.0} for number in range(120)])  # fmt: skip
    made = own_submissions(one, paths, dt.date(2024, 12, 20))
    assert sorted(made) == [("vigie-ensemble", "2024-11-30"), ("vigie-seasonal_walk", "2024-11-30")]
    assert made["vigie-ensemble", "2024-11-30"]["output_type_id"].tolist() == [float(one) for one in range(100)]
    assert set(made["vigie-ensemble", "2024-11-30"]["target"]) == {"arrivals"}


def test_series_needs_permission_of_all_sources() -> None:
    cards: dict[str, dict[str, Any]] = {
        "open": {"redistribution": True},
        "unsaid": {"redistribution": "to be confirmed"},
        "closed": {"redistribution": False},
        "sum": {"redistribution": True, "derived_from": ["open", "unsaid"]},
        "mixed": {"redistribution": True, "derived_from": ["open", "closed"]},
        "deep": {"redistribution": True, "derived_from": ["mixed"]},
        "lost": {"redistribution": True, "derived_from": ["missing"]},
    }
    sources = {f"arrivals.{name.upper()}._T._T.M": name for name in [*cards, "missing"]}
    own = f"arrivals.{own_route_id('Ceuta by land')}._T._T.M"
    found = open_series([*sources, own, "arrivals.WMR._T._T.M"], {**sources, own: "open"}, cards)
    assert [sources[one] for one in found] == ["open", "unsaid", "sum"]


def test_observations_are_dated_by_last_day() -> None:
    rows = [(SERIES, "2024-02"), ("asylum._Z.DEU._T.Q", "2024-Q1"), ("arrivals.CHA.GBR._T.W", "2024-W01")]
    values = pd.DataFrame(rows, columns=["series_id", "time_period"]).assign(
        obs_value=5.0, as_of=pd.Timestamp("2024-05-01")
    )
    told = time_series(values)
    assert dict(zip(told["series_id"], told["target_end_date"].astype(str), strict=True)) == {
        SERIES: "2024-02-29", "asylum._Z.DEU._T.Q": "2024-03-31", "arrivals.CHA.GBR._T.W": "2024-01-07",
    }  # fmt: skip
    assert dict(zip(told["series_id"], told["target"], strict=True))[SERIES] == "arrivals"
    assert set(told["as_of"]) == {dt.date(2024, 5, 1)}
