"""What the comparison with golden files accepts, and what it reports."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden import check_golden, differences


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        ("q50 2624.31", "q50 2624.32"),
        ("y: 1e-17", "y: 0"),
        ("-0.5 | 5775", "-0.50001 | 5775.02"),
        ("1,234 expected", "1,235 expected"),
        ("1\u202f234 attendues", "1\u202f235 attendues"),
        ("999 expected", "1,000 expected"),
        ("likely (12%)", "likely (13%)"),
        ("12.5\u00a0%", "12.6\u00a0%"),
    ],
)
def test_number_within_tolerance_agrees(expected: str, found: str) -> None:
    assert list(differences([expected], [found])) == []


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        ("q50 2624.31", "q50 2676.80"),  # 2 %
        ("q50 2624.31", "q50 2625.31"),
        ("0.5", "0.51"),
        ("4,200 expected", "4,300 expected"),
        ("likely (12%)", "likely (14%)"),
        ("horizon 3", "horizon 4"),
        ("105 rows", "106 rows"),
        ("January 2025", "January 2024"),
        ("2025-01-31", "2025-01-30"),
        ("vigie 1.0.0", "vigie 1.0.1"),
        ("#51626B", "#51627B"),
        ("rgba(31,111,139,0.2)", "rgba(31,111,140,0.2)"),
        ("width 2.5px", "width 2.6px"),
        ("-0.5", "0.5"),
        ("known on 31 January", "known at 31 January"),
        ("nan", "0"),
    ],
)
def test_other_text_or_number_differs(expected: str, found: str) -> None:
    assert len(list(differences([expected], [found]))) == 1


def test_changed_file_fails_with_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WRITE_GOLDEN", raising=False)
    file = tmp_path / "page.txt"
    file.write_text("expected 120.5\n", encoding="utf-8")
    check_golden(file, ["expected 120.5"])
    with pytest.raises(
        pytest.fail.Exception, match=r"page\.txt differs in 1 places.*\nline 1: expected 120\.5, found 123"
    ):
        check_golden(file, ["expected 123"])
