"""The yearly test of drivers, kept beside the snapshot and published with every release, with where it comes from."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

import pandas as pd

from core.errors import InputError
from core.release import DRIVER_TESTS, RELEASE
from core.schema import check

TABLE, ABOUT = "driver_tests.csv", "driver_tests.toml"
PROVENANCE = ("command", "made_on", "panel", "first_origin", "last_origin", "panel_hash", "snapshot", "model")
"""What every row tells of the run that made it."""


def driver_tests(data_folder: Path) -> pd.DataFrame:
    """Read the last test of drivers.

    Args:
        data_folder: Folder of the bundled figures.

    Returns:
        A frame that keeps ``DRIVER_TESTS``, plus ``PROVENANCE`` in every row; empty where no test was run yet.

    Raises:
        InputError: The table is not the one that its provenance tells of.
        SchemaError: The table breaks its contract.
    """
    table, about = data_folder / TABLE, data_folder / ABOUT
    if not table.exists():
        return RELEASE["driver_tests"].empty()
    content = table.read_bytes()
    told = tomllib.loads(about.read_text(encoding="utf-8")) if about.exists() else {}
    if told.get("sha256") != hashlib.sha256(content).hexdigest():
        raise InputError(f"{TABLE}: not the table that {ABOUT} tells of; run `python -m benchmarks.drivers` again")
    rows = check(pd.read_csv(table, keep_default_na=False, na_values=[""]), DRIVER_TESTS)
    return rows.assign(**{name: str(told.get(name, "")) for name in PROVENANCE})


def write(table: pd.DataFrame, about: dict[str, object], data_folder: Path) -> None:
    """Keep a test beside the snapshot, figures to four decimals.

    Args:
        table: A frame that keeps ``DRIVER_TESTS``.
        about: Where it comes from (``PROVENANCE``, and what else there is to tell).
        data_folder: Folder of the bundled figures.
    """
    content = check(table, DRIVER_TESTS).to_csv(index=False, float_format="%.4f", lineterminator="\n").encode()
    (data_folder / TABLE).write_bytes(content)
    told = {**about, "sha256": hashlib.sha256(content).hexdigest()}
    lines = [f'{name} = "{value}"' for name, value in told.items()]
    (data_folder / ABOUT).write_text("\n".join(lines) + "\n", encoding="utf-8")
