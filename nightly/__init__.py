"""One night, composed of the rooms: what is known, forecasts, alerts, one release."""

from nightly.inputs import ingest_file, ingest_own, load_snapshot
from nightly.live import ingest_live
from nightly.night import run_demonstration, run_night

__all__ = ["ingest_file", "ingest_live", "ingest_own", "load_snapshot", "run_demonstration", "run_night"]
