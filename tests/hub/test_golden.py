"""The files of a new hub are the golden text. Where a difference is meant, ``make golden`` writes it anew."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

from hub.targets import config_files
from tests.golden import check_golden, check_of

GOLDEN = Path(__file__).with_name("golden")
SERIES = [
    "arrivals.CMR._T._T.M", "arrivals.CHA._T._T.W", "asylum_applications_first._Z.DEU._T.Q",
    "asylum_applications_first._Z.FRA._T.M",
]  # fmt: skip


def told(files: dict[str, bytes]) -> Iterator[str]:
    """Files by name: JSON as it is, a list of days by its ends; of others a number that changes with every letter."""
    for name, content in sorted(files.items()):
        text = content.decode()
        if not name.endswith(".json"):
            yield f"{name}: {check_of(text.splitlines())}"
            continue
        yield f"{name}:"
        lines = [line.strip() for line in text.splitlines()]
        days = [line.strip('",') for line in lines if line.startswith('"20')]
        yield from (line for line in lines if not line.startswith('"20'))
        yield f"{len(days)} days: {check_of(days)}"


def test_a_new_hub_is_configured_as_the_golden_text() -> None:
    check_golden(GOLDEN / "config.txt", told(config_files(SERIES, dt.date(2025, 1, 31), "A hub")))
