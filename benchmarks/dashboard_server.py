"""The dashboard's server as ``vigie dashboard`` starts it, for a measurement: waited for, weighed, ended."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.shared import Options
from core.settings import PROJECT

HOME: Options = {
    "--home": {"type": Path, "help": "a home with a release; by default one is made with the demonstration's"}
}
_START_SECONDS = 120
_VIGIE = str(Path(sys.executable).parent / "vigie")


class Server:
    """A context in which ``vigie dashboard`` serves a home folder on a free port of loopback.

    Args:
        home: The home folder, with a release in it.
        log: File for what the server prints.
    """

    def __init__(self, home: Path, log: Path) -> None:
        self._home, self._log = home, log
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.address = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Server:
        """Start it and wait until it answers.

        Raises:
            RuntimeError: It ended, or stayed silent for two minutes.
        """
        command = [_VIGIE, "dashboard", "--home", str(self._home), "--port", str(self.port), "--headless"]
        threads = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603  # our own command
                command, cwd=PROJECT, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, **threads}
            )
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end and self._process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=2):  # noqa: S310  # our own loopback address
                    return self
            except OSError:
                time.sleep(0.2)
        raise RuntimeError(f"the server ended, or did not answer within two minutes: {self._log.read_text()[-800:]}")

    def __exit__(self, *_error: object) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(timeout=30)

    def memory(self) -> tuple[float, float]:
        """Resident memory now and at its highest, MiB. The process is the server itself: the command becomes it."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        now, peak = (float(re.findall(rf"{name}:\s+(\d+) kB", status)[0]) for name in ("VmRSS", "VmHWM"))
        return now / 1024, peak / 1024

    def faults(self) -> list[str]:
        """Lines of its log that tell of an error."""
        lines = self._log.read_text(errors="replace").splitlines()
        return [line for line in lines if re.search(r"Traceback|\bERROR\b|Uncaught|Exception", line)]


@contextmanager
def a_home(home: Path | None, *, copied: bool = False) -> Iterator[Path]:
    """The home given, or one made with the demonstration's releases.

    Args:
        home: The home.
        copied: Whether it is a copy of the one given: what is done there is in no journal but the copy's.
    """
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder) / "home"
        if home is None:
            subprocess.run([_VIGIE, "demonstrate", "--home", str(own)], check=True, stdout=subprocess.DEVNULL)  # noqa: S603  # our own command
        elif copied:
            shutil.copytree(home, own)
        yield home if home and not copied else own


@contextmanager
def served(home: Path | None, *, copied: bool = False) -> Iterator[Server]:
    """A server of :func:`a_home`, with a log that goes with it."""
    with (
        a_home(home, copied=copied) as own,
        tempfile.TemporaryDirectory() as folder,
        Server(own, Path(folder) / "server.log") as server,
    ):
        yield server
