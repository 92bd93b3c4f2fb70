"""Tabulate publishers' files into the bundled snapshot: ``python benchmarks/build_snapshot.py RAW_FOLDER [--out DIR]``.

The same files give the same bytes. It is for Vigie's maintainers.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from core.errors import VigieError
from core.log import progress_bar
from core.settings import SNAPSHOT
from ingest.snapshot import build


def main() -> None:
    """Read the command line, build the snapshot and print a summary."""
    parser = argparse.ArgumentParser(description="Tabulate publishers' files into the bundled snapshot.")
    parser.add_argument("raw", metavar="RAW_FOLDER", type=Path, help="folder of the publishers' files")
    parser.add_argument("--out", type=Path, default=SNAPSHOT, help="folder to write (default: data)")
    given = parser.parse_args()
    try:
        with progress_bar() as progress:
            report = build(given.raw, given.out, progress=progress)
    except VigieError as error:
        sys.exit(f"error: {error}")
    sys.stdout.write(f"{report.summary()}\n")


if __name__ == "__main__":
    main()
