"""The end of a night: its alerts go to the desk, and what was signed off goes out. No failure here spoils the night."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from core.errors import VigieError
from core.log import get_logger
from core.settings import Settings
from desk.night import record_night
from desk.open import desk_on
from desk.sending import send_waiting
from store.journal import Journal
from store.releases import Release


def tell(home: Path, settings: Settings, journal: Journal, release: Release) -> list[str]:
    """Propose, worsen, ease and end alerts as the release says, and send what is due.

    Returns:
        Lines for a person; they name what failed.
    """
    try:
        desk = desk_on(home, settings, journal)
        added = record_night(desk, release)
        counts = Counter(entry.action for entry in added)
        lines = [f"alerts: {', '.join(f'{count} {action}' for action, count in counts.items())}"] if counts else []
        return lines + send_waiting(desk).summary()
    except VigieError as error:
        get_logger().warning("nothing was told", reason=str(error))
        return [f"not told: {error}"]
