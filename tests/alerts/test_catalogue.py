"""The table of rules says what the rules do; known events are looked up with what was known then."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from alerts.rules import CATALOGUE_COLUMNS, EXCEEDANCE_RULES, catalogue
from core.settings import AlertSettings


def test_every_rule_has_one_row_and_every_cell_that_it_needs() -> None:
    table = catalogue(AlertSettings())
    assert list(table.columns) == CATALOGUE_COLUMNS
    assert table["rule"].is_unique
    assert {rule.rule for rule in EXCEEDANCE_RULES} < set(table["rule"])
    assert len(table) == len(EXCEEDANCE_RULES) + 6
    assert (table[["watches", "event", "watch"]].map(len) > 5).to_numpy().all()


def test_table_follows_readers_numbers_and_frozen_cut_offs() -> None:
    settings = AlertSettings(surge_factor=2.0, cost_loss_ratio=1.0)
    table = catalogue(settings).set_index("rule")
    assert "2 times" in str(table.loc["surge", "event"])
    assert table.loc["surge", "watch"] == "probability from 50%"
    frozen = pd.DataFrame(
        [{"rule": "surge", "level": level, "horizon": 0, "cutoff": cutoff}
         for level, cutoff in (("watch", 0.31), ("warning", 0.5), ("severe", 0.7))]
    )  # fmt: skip
    assert catalogue(settings, frozen).set_index("rule").loc["surge", "watch"] == "probability from 31%"


def test_page_about_alerts_shows_table_of_rules() -> None:
    table = catalogue(AlertSettings()).astype(str)
    lines = [
        "| " + " | ".join(row) + " |" for row in [list(table.columns), ["---"] * len(table.columns), *table.to_numpy()]
    ]
    page = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")
    missing = [line for line in lines if line not in page]
    assert not missing, "\n".join(["put the table into docs/alerts.md:", *lines])
