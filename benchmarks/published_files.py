"""Where the real published files lie that measurements rest on: they are no part of the project."""

from __future__ import annotations

import os
import sys
from pathlib import Path

VARIABLE = "VIGIE_RAW_DATA"


def published_files() -> Path:
    """The folder that ``VIGIE_RAW_DATA`` names; without it the command ends with status 1 and says what is missing."""
    named = os.environ.get(VARIABLE)
    if not named:
        sys.exit(f"{VARIABLE} is not set: it names the folder of published files, which are no part of the project")
    return Path(named)
