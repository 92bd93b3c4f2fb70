"""The table of rules says what the rules do; known events are looked up with what was known then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from alerts import Cutoffs
from alerts.rules import CATALOGUE_COLUMNS, EXCEEDANCE_RULES, RULES, TEMPLATES, catalogue
from alerts.rules.base import counts_by_series
from alerts.verification.hindcast import past_forecasts, retrospective_alerts
from core import QUANTILE_LEVELS, probability_above
from core.settings import AlertSettings

Build = Callable[..., pd.DataFrame]


def test_every_rule_has_one_row_and_every_cell_that_it_needs() -> None:
    table = catalogue(AlertSettings())
    assert list(table.columns) == CATALOGUE_COLUMNS
    assert table["rule"].is_unique
    assert {rule.rule for rule in EXCEEDANCE_RULES} < set(table["rule"])
    assert len(table) == len(EXCEEDANCE_RULES) + 6
    assert (table[["watches", "event", "watch"]].map(len) > 5).to_numpy().all()


def test_the_table_follows_the_readers_numbers_and_the_frozen_cut_offs() -> None:
    settings = AlertSettings(surge_factor=2.0, cost_loss_ratio=1.0)
    table = catalogue(settings).set_index("rule")
    assert "2 times" in str(table.loc["surge", "event"])
    assert table.loc["surge", "watch"] == "probability from 50%"
    frozen = pd.DataFrame(
        [{"rule": "surge", "level": level, "horizon": 0, "cutoff": cutoff}
         for level, cutoff in (("watch", 0.31), ("warning", 0.5), ("severe", 0.7))]
    )  # fmt: skip
    assert catalogue(settings, frozen).set_index("rule").loc["surge", "watch"] == "probability from 31%"


def test_what_would_have_been_said_is_the_chance_issued_then(panel: Build, issued: Build) -> None:
    values = [200.0] * 40 + [900.0] + [200.0] * 7
    months = pd.period_range(end="2024-12", periods=48, freq="M")
    spread = [100 + 500 * level for level in QUANTILE_LEVELS]
    counts = counts_by_series(panel(values))
    forecasts = issued({str(month): [spread] * 6 for month in months[30:46]})
    made = past_forecasts(forecasts, "vigie-ensemble", counts, dt.date(2024, 12, 31))
    event = {"rise-2024": ("CMR", str(months[40]))}
    other = {"rise-2020": ("EMR", "2020-01")}
    cutoffs = dict.fromkeys(range(7), Cutoffs(0.3, 0.5, 0.9))
    said = retrospective_alerts(event | other, made, counts, cutoffs, 0, AlertSettings(), basis="arrivals")
    early = retrospective_alerts(event, made, counts, cutoffs, len(made.origins), AlertSettings(), basis="arrivals")
    assert set(early["cutoff"]) == {0.25}
    assert set(said["cutoff"]) == {0.3}
    assert said["horizon"].to_list() == [6, 5, 4, 3, 2, 1]
    assert said["origin"].to_list() == [str(months[40] - ahead) for ahead in (6, 5, 4, 3, 2, 1)]
    expected = probability_above(300.0, np.array(spread))
    assert said["chance"].to_list() == pytest.approx([expected] * 6)
    assert set(said["level"]) == {"warning"}
    assert (said["came"] == 1).all()


def test_the_page_about_alerts_shows_the_table_of_rules() -> None:
    table = catalogue(AlertSettings()).astype(str)
    lines = [
        "| " + " | ".join(row) + " |" for row in [list(table.columns), ["---"] * len(table.columns), *table.to_numpy()]
    ]
    page = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")
    missing = [line for line in lines if line not in page]
    assert not missing, "\n".join(["put the table into docs/alerts.md:", *lines])


def test_no_two_rules_have_one_name_or_one_sentence() -> None:
    assert len({rule.rule for rule in RULES}) == len(RULES)
    assert len(TEMPLATES) == sum(len(rule.sentences) for rule in RULES)
