"""What a source typically revises, and a revision beyond it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from alerts.rules.large_revision import SMALLEST, UNKNOWN, is_large, with_typical_revision
from core.release import REVISIONS
from core.schema import check


def record(*shares: float, source_id: str = "eurostat") -> pd.DataFrame:
    rows = pd.DataFrame({"share": shares, "before": 1000.0})
    rows["time_period"] = [f"2020-{number + 1:02d}" for number in range(len(rows))]
    return rows.assign(
        source_id=source_id, series_id="s", target="arrivals", route_id="CMR", geo="_T", citizen="_T", freq="M",
        as_of=pd.Timestamp("2025-01-01"), kind="changed", after=rows["before"] * (1 + rows["share"]),
        change=rows["before"] * rows["share"],
    )  # fmt: skip


def test_allowance_follows_source_revisions() -> None:
    for share, expected in ((0.10, 0.30), (0.001, SMALLEST)):
        found = record(*[share] * 9)
        assert check(with_typical_revision(found, found), REVISIONS)["usual"].round(6).tolist() == [expected] * 9


def test_figure_is_not_measured_by_its_own_revision() -> None:
    found = with_typical_revision(record(-0.47, *[0.01] * 8), record(-0.47, *[0.01] * 8))
    assert found["usual"].iloc[0] == SMALLEST


def test_source_without_record_is_measured_by_quarter() -> None:
    found = record(0.3)
    assert with_typical_revision(found, record(*[0.1] * 12, source_id="other"))["usual"].tolist() == [UNKNOWN]


@pytest.mark.parametrize(
    ("change", "usual"),
    [
        ({}, 0.6), ({"before": 100.0}, 0.6), ({"before": -100.0}, 0.6), ({"before": 99.9}, UNKNOWN),
        ({"citizen": "_Z"}, 0.6), ({"citizen": "SYR"}, UNKNOWN), ({"kind": "added"}, UNKNOWN),
        ({"share": -0.2}, 0.6),
    ],
)  # fmt: skip
def test_typical_uses_totals_of_100_persons_or_more(change: dict[str, Any], usual: float) -> None:
    found = with_typical_revision(record(0.5), record(*[0.2] * 9).assign(**change))
    assert found["usual"].tolist() == pytest.approx([usual])


@pytest.mark.parametrize(
    ("others", "usual"),
    [([0.2] * 7, UNKNOWN), ([0.2] * 8, 0.6), ([0.04] * 10 + [1.0], 0.12), ([0.04] * 9 + [1.0] * 2, 3.0)],
)
def test_typical_is_three_times_ninth_decile(others: list[float], usual: float) -> None:
    found = with_typical_revision(record(0.5), record(0.5, *others))
    assert found["usual"].tolist() == pytest.approx([usual])


@pytest.mark.parametrize(
    ("share", "persons", "told"), [(0.9, 200, 1), (0.9, 199, 0), (-0.1, -5000, 1), (0.0999, 5000, 0)]
)
def test_revision_is_told_if_large_and_beyond_typical(share: float, persons: float, told: int) -> None:
    assert is_large(share, persons, 0.0999) == told
