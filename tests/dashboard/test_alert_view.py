"""What a page says of one alert."""

from __future__ import annotations

from typing import cast

import numpy as np
import pandas as pd

from core import QUANTILE_LEVELS
from core.schema import make_series_id
from dashboard.alert_view import reasons
from dashboard.reads import Night
from forecasting import BASELINE, ENSEMBLE
from reports import Row

SERIES = make_series_id("arrivals", "CMR", "_T", "_T", "M")


class OneMonthAhead:
    """A release with January 2025, as four models see it."""

    def frame(self, name: str) -> pd.DataFrame:
        if name == "observations":
            rows = [(SERIES, "2023-01", 900.0, ""), (SERIES, "2024-01", 300.0, ""), (SERIES, "2024-12", 500.0, "")]
            return pd.DataFrame(rows, columns=["series_id", "time_period", "obs_value", "obs_flag"])
        middles = {ENSEMBLE: 100.0, "vigie-ets": 460.0, "vigie-theta": 600.0, BASELINE: 5_000.0}
        return pd.concat(
            pd.DataFrame(
                {
                    "model_id": model_id, "series_id": SERIES, "output_type": "quantile", "horizon": 1,
                    "target_end_date": pd.Timestamp("2025-01-31"), "output_type_id": QUANTILE_LEVELS,
                    "value": middle + np.arange(-220.0, 221.0, 20.0),
                }
            )
            for model_id, middle in middles.items()
        )  # fmt: skip


def agreement(rule: str) -> tuple[int, int]:
    """Lowest and highest chance, in per cent, that the members of the ensemble give to what an alert warns of."""
    row = {"series_id": SERIES, "route_id": "CMR", "rule": rule, "threshold": 500.0, "first_period": "2025-01"}
    said = reasons(cast(Night, OneMonthAhead()), cast(Row, row))
    assert "In 1 of 2 earlier years this month was above 500." in said
    (told,) = [sentence for sentence in said if "models give a chance" in sentence]
    assert told.startswith("In January 2025 alone, 2 models give a chance of ")
    low, high = (int(share.strip(" .%")) for share in told.partition("chance of ")[2].split("to"))
    return low, high


def test_how_far_models_agree_is_told_of_the_ensembles_members_and_not_of_itself_or_the_yardstick() -> None:
    low, high = agreement("surge")
    assert 0 < low < 50 < high < 100


def test_of_a_fall_models_give_the_chance_to_fall() -> None:
    low, high = agreement("surge")
    assert agreement("fall") == (100 - high, 100 - low)


def test_earlier_years_are_held_against_the_number_that_is_named() -> None:
    row = {"series_id": SERIES, "route_id": "CMR", "rule": "surge", "threshold": 899.5, "first_period": "2025-01"}
    said = reasons(cast(Night, OneMonthAhead()), cast(Row, row))
    assert "In 0 of 2 earlier years this month was above 900." in said
