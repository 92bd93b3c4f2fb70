"""Waiting for a server that a test has started."""

from __future__ import annotations

import subprocess
import time
import urllib.request
from pathlib import Path

import pytest


def wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Return when a server on loopback answers; fail with the end of its log where it ended or stays silent."""
    for _attempt in range(480):
        if server.poll() is not None:
            pytest.fail(f"the server ended: {log.read_text()[-800:]}")
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310  # our own loopback address
                return
        except OSError:
            time.sleep(0.25)
    pytest.fail("the server did not answer within two minutes")
