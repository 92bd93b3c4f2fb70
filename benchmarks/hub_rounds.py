"""Past rounds of the hub by peers, ``data/hub_rounds.parquet``: ``python -m benchmarks.hub_rounds``.

Each peer's script reads a hub's target data, bundled figures as they were known when a round closed, and nothing else.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from core.calendar import Frequency, last_complete_period
from core.settings import DEMONSTRATION_DATE, PROJECT, SNAPSHOT
from forecasting import LEVELS
from forecasting.quantiles import KEYS, to_matrix
from hub.files import hub_of, metadata_of
from hub.night import ROUNDS, ROUNDS_ABOUT, target_values
from hub.own import config_files, target_data, weekly_name
from nightly import OK, RealTimeData
from nightly.asylum import DATASETS, destination_states
from nightly.inputs import load_snapshot
from store import sha256_of_file
from store.figures import VintageStore
from store.hub import HubFiles
from store.journal import opened_journal

MONTHS = 36
OTHER_ROUNDS: dict[Frequency, int] = {"Q": 24, "W": 52}


def main() -> None:
    """Make a hub of the routes, one of weeks and of asylum by quarter; run the peers in both, keep what they said."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        home.mkdir()
        with opened_journal("", home) as journal:
            load_snapshot(VintageStore(home), journal)
        data = RealTimeData(VintageStore(home).history(), DEMONSTRATION_DATE, 6, 60)
        months = [*data.past_panels, data.panel.end_dates[-1]][-MONTHS:]
        others = [weekly_name(one) for one in data.known["series_id"].unique() if one.endswith("._T.D")]
        later = [
            one.end_time.normalize()
            for freq, number in OTHER_ROUNDS.items()
            for one in pd.period_range(end=last_complete_period(DEMONSTRATION_DATE, freq), periods=number)
        ]
        routes, about = rounds_of(Path(folder) / "months", data, data.forecastable, months)
        rest, _same = rounds_of(Path(folder) / "others", data, [*others, *fine_destinations(data)], later)
        write_rounds(pd.concat([routes, rest], ignore_index=True), about)
    sys.stderr.write(f"{ROUNDS} and {ROUNDS_ABOUT} written: {len(months)} months, {len(later)} weeks and quarters\n")


def fine_destinations(data: RealTimeData) -> list[str]:
    """Series of the countries of destination whose quarterly asylum applications can be forecast."""
    quarterly = next(one for one in DATASETS if one.freq == "Q")
    states = destination_states(quarterly.rows(data.known), quarterly, data.date)
    return list(states.loc[states["state"] == OK, "series_id"])


def rounds_of(
    place: Path, data: RealTimeData, series: list[str], rounds: list[pd.Timestamp]
) -> tuple[pd.DataFrame, dict[str, dict[str, object]]]:
    """What the peers say of some rounds of some series, and of themselves."""
    place.mkdir()
    files, values = HubFiles(str(place)), target_values(data, series)
    files.write(config_files(series, DEMONSTRATION_DATE, "Rounds of the past") | target_data(values))
    for script in sorted((PROJECT / "benchmarks" / "peers").glob("*.py")):
        if script.stem != "common":
            command = [sys.executable, str(script), str(place), *(f"{one:%Y-%m-%d}" for one in rounds)]
            begun = time.monotonic()
            subprocess.run(command, check=True)  # noqa: S603  # our own scripts
            sys.stderr.write(f"{script.stem}: {time.monotonic() - begun:.0f} s\n")
    about, faults = metadata_of(files, hub_of(files))
    if faults:
        raise SystemExit(str(faults[0]))
    said = sorted((place / "model-output").rglob("*.parquet"))
    tables = [pd.read_parquet(path).assign(model_id=path.parent.name) for path in said]
    return pd.concat(tables, ignore_index=True), about


def write_rounds(rows: pd.DataFrame, about: Mapping[str, object]) -> None:
    """Keep quantile rows of submissions beside the snapshot, one row per forecast, whole persons; and metadata."""
    days = {name: pd.to_datetime(rows[name]) for name in ("origin_date", "target_end_date")}
    table = to_matrix(rows.assign(**days))
    values = {f"{level:g}": table.quantiles[:, place].round().astype("int32") for place, level in enumerate(LEVELS)}
    wide = table.keys[KEYS].assign(**values).sort_values(KEYS, ignore_index=True)
    wide.to_parquet(SNAPSHOT / ROUNDS, index=False, compression="zstd", compression_level=19)
    facts = {
        "command": "python -m benchmarks.hub_rounds", "sha256": sha256_of_file(SNAPSHOT / ROUNDS), "models": about,
    }  # fmt: skip
    (SNAPSHOT / ROUNDS_ABOUT).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
