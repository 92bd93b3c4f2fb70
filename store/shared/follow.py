"""A dashboard's eye on the shared store: new releases come down in the background, and silence is told."""

from __future__ import annotations

import datetime as dt
import json
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

from core.errors import StoreError
from core.log import get_logger
from core.settings import Settings
from store.files import write_bytes
from store.shared.files import RemoteFiles
from store.shared.index import Commit
from store.shared.parts import STATE
from store.shared.sync import pull_new_releases

_CONTACT = "contact.json"


@dataclass(frozen=True)
class Contact:
    """How the last look at the shared store went.

    Attributes:
        at: When it was, UTC, in ISO 8601.
        since: When a look last succeeded; empty where none ever did.
        reason: Why this one failed; empty where it succeeded.
    """

    at: str
    since: str
    reason: str = ""


class Follower:
    """Looks for new releases again and again.

    Args:
        home: The home folder.
        settings: Its settings; ``store.url`` is set.
    """

    def __init__(self, home: Path, settings: Settings) -> None:
        self._home, self._settings = home, settings.store
        self._files: RemoteFiles | None = None
        self._known: Commit | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)

    def start(self) -> None:
        """Begin, in a thread that ends with the process."""
        self._thread.start()

    def stop(self) -> None:
        """End; a look that is under way is waited for."""
        self._stop.set()
        self._thread.join()

    def look(self) -> Contact:
        """Look once: take over what is new, and keep how it went for pages and monitoring."""
        reason = ""
        try:
            self._files = self._files or RemoteFiles(self._settings.url)
            self._known = pull_new_releases(self._home, self._files, self._known)
        except StoreError as error:
            reason = str(error)
        except Exception as error:  # an unforeseen answer must not end the looking
            reason = f"a fault in Vigie: {type(error).__name__}: {error}"
        return self._keep(reason)

    def _keep(self, reason: str) -> Contact:
        before = read_contact(self._home)
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        contact = Contact(now, (before.since if before else "") if reason else now, reason)
        if reason and (before is None or before.reason != reason):
            get_logger().warning("no news from the shared store", reason=reason)
        try:
            write_bytes(self._home / STATE / _CONTACT, json.dumps(asdict(contact)).encode())
        except StoreError as error:
            get_logger().warning("contact with the shared store not kept", reason=str(error))
        return contact

    def _run(self) -> None:
        self.look()
        while not self._stop.wait(self._settings.poll_seconds):
            self.look()


def read_contact(home: Path) -> Contact | None:
    """How the last look went; None where nobody has looked."""
    try:
        return Contact(**json.loads((home / STATE / _CONTACT).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
