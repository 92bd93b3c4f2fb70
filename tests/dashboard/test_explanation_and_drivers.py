"""What moved a forecast, and whether drivers help, as the pages say it."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import cast

from core.languages import Language
from dashboard import lang, route_models
from dashboard.charts.bars import STEP, TOTAL
from dashboard.reads import Night
from reports import record
from reports.changes import Move
from reports.numbers import Expected

from .conftest import AS_OF, make_attribution, make_driver_tests

MOVE = Move(
    "CMR", dt.date(2024, 12, 31), Expected(11_000.0, 9000.0, 13_000.0), Expected(12_000.0, 9000.0, 15_000.0),
    {"revisions:iom_dtm": -400.0, "counts:iom_dtm": 1390.0, "refit": 10.0},
)  # fmt: skip
CARDS = {"iom_dtm": {"publisher": "IOM"}}


def test_table_of_steps_holds_every_quantity_in_words() -> None:
    night = cast(Night, SimpleNamespace(as_of=AS_OF, sources=lambda: CARDS))
    rows = make_attribution("CMR")
    rows.loc[rows["value"] == 90.0, "value"] = 2170.4
    table = route_models.step_table(rows, MOVE, night)
    assert list(table["Step"]) == [
        "Revised figures (IOM)", "New figures (IOM)", "Models fitted anew", "Another version of the model",
    ]  # fmt: skip
    assert list(table["February–April 2025"]) == ["0", "+2,170", "+10", "0"]
    assert list(table["Chance of the alert, percentage points"]) == ["0", "+9", "+1", "0"]


def test_steps_drawn_lead_from_former_forecast_to_this_one() -> None:
    drawn = route_models.steps(MOVE, CARDS)
    assert list(drawn["kind"]) == [TOTAL, STEP, STEP, TOTAL]
    assert list(drawn["name"]) == [
        f"31 Dec 2024 ({lang().interval(9000, 13_000)})", "Revised figures (IOM)", "New figures (IOM)",
        f"This release ({lang().interval(9000, 15_000)})",
    ]  # fmt: skip
    assert list(drawn["value"]) == [11_000, 10_600, 12_000, 12_000]


def test_driver_that_helps_is_named_in_title() -> None:
    rows = make_driver_tests().query("series_id == '_T'").copy()
    rows.loc[rows["driver"] == "el_nino", "verdict"] = "evidence"
    assert (
        record.drivers_title(rows, Language())
        == "Do drivers help? Evidence for El Niño index (NOAA); none for the others of 2 tested"
    )
