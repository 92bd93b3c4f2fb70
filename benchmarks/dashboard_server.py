"""The dashboard's server as ``vigie dashboard`` starts it, for a measurement: waited for, weighed, ended."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import TracebackType

from core.settings import PROJECT

_START_SECONDS = 120
_MIB_PER_KIB = 1 / 1024


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
        command = [str(Path(sys.executable).parent / "vigie"), "dashboard", "--home", str(self._home)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603  # our own command
                [*command, "--port", str(self.port), "--headless"], cwd=PROJECT, stdout=log, stderr=subprocess.STDOUT,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            )  # fmt: skip
        self._wait()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(timeout=30)

    def memory(self) -> tuple[float, float]:
        """Resident memory now and at its highest, MiB. The process is the server itself: the command becomes it."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        now, peak = (float(re.findall(rf"{name}:\s+(\d+) kB", status)[0]) for name in ("VmRSS", "VmHWM"))
        return now * _MIB_PER_KIB, peak * _MIB_PER_KIB

    def faults(self) -> list[str]:
        """Lines of its log that tell of an error."""
        lines = self._log.read_text(errors="replace").splitlines()
        return [line for line in lines if re.search(r"Traceback|\bERROR\b|Uncaught|Exception", line)]

    def _wait(self) -> None:
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise RuntimeError(f"the server ended: {self._log.read_text()[-800:]}")
            try:
                with urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=2):  # noqa: S310  # our own loopback address
                    return
            except OSError:
                time.sleep(0.2)
        raise RuntimeError(f"the server did not answer within {_START_SECONDS} s")
