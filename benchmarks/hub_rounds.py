"""Past rounds of the hub by peers: makes ``data/hub_rounds.parquet`` from the bundled figures and the peers' scripts.

    python -m benchmarks.hub_rounds [ROUNDS]

Each peer reads a hub's target data as they were known when the round closed, and nothing else. The rounds are replays:
they were computed afterwards, and the league table says so.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from commands.shared import opened_journal
from core.settings import DEMONSTRATION_DATE, PROJECT, SNAPSHOT
from hub.config import read_config
from hub.outputs import ORACLE, TIME_SERIES, oracle
from hub.submission import read_metadata
from hub.targets import config_files
from nightly import load_snapshot
from nightly.hub import target_values
from nightly.hub_tables import ROUNDS, ROUNDS_ABOUT, write_rounds
from nightly.real_time import RealTimeData
from store.files import parquet_bytes
from store.hub import HubFiles
from store.vintages import VintageStore

PEERS = PROJECT / "hub" / "peers"


def main() -> None:
    """Make the hub, run the peers, keep what they said."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 36
    with tempfile.TemporaryDirectory() as folder:
        home, place = Path(folder) / "home", Path(folder) / "hub"
        home.mkdir()
        place.mkdir()
        with opened_journal(home) as journal:
            load_snapshot(VintageStore(home), journal)
        data = RealTimeData(VintageStore(home).history(), DEMONSTRATION_DATE, 6, 60)
        rounds = [f"{origin:%Y-%m-%d}" for origin in [*data.past_panels, data.panel.end_dates[-1]][-count:]]
        files = config_files(data.forecastable, DEMONSTRATION_DATE, "Rounds of the past")
        series = target_values(data, data.observations, data.forecastable)
        HubFiles(str(place)).write(files | {TIME_SERIES: parquet_bytes(series), ORACLE: parquet_bytes(oracle(series))})
        for script in sorted(PEERS.glob("*.py")):
            if script.stem != "common":
                start = time.monotonic()
                subprocess.run([sys.executable, str(script), str(place), *rounds], check=True)  # noqa: S603  # our own
                print(f"{script.stem}: {time.monotonic() - start:.0f} s")  # noqa: T201  # a command that prints
        hub, _faults = read_config(files)
        if hub is None:
            raise SystemExit("the hub's configuration is not readable")
        about = {}
        for path in sorted((place / "model-metadata").glob("*.yml")):
            found, faults = read_metadata(hub, f"model-metadata/{path.name}", path.read_bytes())
            if found is None:
                raise SystemExit(str(faults[0]))
            about[path.stem] = found
        tables = [
            pd.read_parquet(path).assign(model_id=path.parent.name)
            for path in sorted((place / "model-output").rglob("*.parquet"))
        ]
        write_rounds(pd.concat(tables, ignore_index=True), about, SNAPSHOT)
    print(f"{ROUNDS} and {ROUNDS_ABOUT} written: {len(rounds)} rounds, {rounds[0]} to {rounds[-1]}")  # noqa: T201  # as above


if __name__ == "__main__":
    main()
