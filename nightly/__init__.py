"""One night, composed of the rooms: what is known, forecasts, alerts, one release."""

from nightly.inputs import ingest_file
from nightly.run import run_demonstration, run_night

__all__ = ["ingest_file", "run_demonstration", "run_night"]
