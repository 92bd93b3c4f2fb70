"""The dashboard's own server, for tests and measurements."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

from core.settings import PROJECT

MADE_ONCE = "TESTS_MADE_ONCE"
"""Variable of the environment with a folder of all workers, for what one of them makes and the others copy."""
LONGEST_SECONDS = 600
"""Bound of every wait for another process: only a process that hangs takes longer, on a loaded machine too."""


def free_port() -> int:
    """Return a port of loopback that the system gives to no other program within a minute.

    A connection that the server's side closes first leaves the port in TIME_WAIT: programs that name the port may
    listen on it, and the system assigns it to none that asks for any port.
    """
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        server.accept()[0].close()
        return int(server.getsockname()[1])


def wait_until(is_so: Callable[[], bool], seconds: float = LONGEST_SECONDS) -> None:
    """Return once a condition holds.

    Raises:
        TimeoutError: It did not within the longest wait.
    """
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            raise TimeoutError(f"waited for {seconds} seconds")
        time.sleep(0.05)


class Server:
    """A context in which ``vigie serve dashboard`` serves a home folder on loopback; what it prints goes into ``log``.

    ``port`` is a free one by default; ``environment`` is added to this process's own. It opens no browser unless
    ``headless`` is false.
    """

    def __init__(
        self,
        home: Path,
        log: Path,
        *,
        port: int = 0,
        environment: Mapping[str, str] = MappingProxyType({}),
        headless: bool = True,
    ) -> None:
        port = port or free_port()
        self.address, self.home, self.log, self._environment = f"http://127.0.0.1:{port}", home, log, environment
        options = ["--home", str(home), "--port", str(port), *(["--headless"] if headless else [])]
        self._command = [sys.executable, "-m", "cli", "serve", "dashboard", *options]

    def __enter__(self) -> Server:
        """Start it and wait until it answers.

        Raises:
            RuntimeError: It ended, or did not answer within the longest wait.
        """
        threads = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command, cwd=PROJECT, stdout=log, stderr=subprocess.STDOUT,
                env={**os.environ, **threads, **self._environment},
            )  # fmt: skip
        end = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < end and self._process.poll() is None:
            with suppress(OSError), urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=30):  # noqa: S310  # our own loopback address
                return self
            time.sleep(0.2)
        self.__exit__()
        raise RuntimeError(
            f"the server ended, or did not answer within {LONGEST_SECONDS} s: {self.log.read_text()[-800:]}"
        )

    def __exit__(self, *_error: object) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(timeout=LONGEST_SECONDS)

    def memory(self) -> tuple[float, float]:
        """Resident memory now and at its highest, MiB. The process is the server itself: the command becomes it."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        now, peak = (float(re.findall(rf"{name}:\s+(\d+) kB", status)[0]) for name in ("VmRSS", "VmHWM"))
        return now / 1024, peak / 1024

    def processor_seconds(self) -> float:
        """Seconds of processor time that it has used."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def faults(self) -> list[str]:
        """Lines of its log with an error."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [line for line in lines if re.search(r"Traceback|\bERROR\b|Uncaught|Exception", line)]
