"""Compare the files of a new hub with a golden file."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from pprint import pformat
from typing import Any

from hub.own import config_files
from tests.golden import check_golden, selected

GOLDEN = Path(__file__).with_name("golden")
SERIES = [
    "arrivals.CMR._T._T.M", "arrivals.CHA._T._T.W", "asylum_applications_first._Z.DEU._T.Q",
    "asylum_applications_first._Z.FRA._T.M",
]  # fmt: skip


def lines_of(files: dict[str, bytes]) -> Iterator[str]:
    """Yield each file: JSON in few lines, of long lists of days and of texts a selection."""
    for name, content in sorted(files.items()):
        if name.endswith(".json"):
            yield from (f"{name}:", pformat(shortened(json.loads(content)), width=110, compact=True))
        else:
            lines = content.decode().splitlines()
            yield from (f"{name}: {len(lines)} lines", *selected(lines))


def shortened(thing: Any) -> Any:  # noqa: ANN401  # JSON of any kind
    if isinstance(thing, dict):
        return {name: shortened(value) for name, value in thing.items()}
    if isinstance(thing, list) and thing and str(thing[0]).startswith("20"):
        return [f"{len(thing)} days", *selected(thing)]
    return [shortened(one) for one in thing] if isinstance(thing, list) else thing


def test_files_of_new_hub_are_golden() -> None:
    check_golden(GOLDEN / "config.txt", lines_of(config_files(SERIES, dt.date(2025, 1, 31), "A hub")))
