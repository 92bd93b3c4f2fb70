"""The dashboard as readers meet it: its server as ``vigie dashboard`` starts it, and a real Chromium on its pages."""

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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from benchmarks.shared import Options
from core.settings import PROJECT

HOME: Options = {"--home": {"type": Path, "help": "a copy of this home is served; by default the demonstration's"}}
CHART, TABLE = ".js-plotly-plot .scatterlayer", '[data-testid="stTable"]'
PAGES: Mapping[str, str] = {
    "": CHART, "route": CHART, "asylum": CHART, "year_ahead": TABLE, "alerts": ".st-key-alerts-list button",
    "scenarios": CHART, "evaluation": CHART, "hub": CHART, "data": TABLE,
    "method": '[data-testid="stMarkdownContainer"] ol',
}  # fmt: skip
"""Address of each page and what must be drawn, beside its title, before it means something to a reader."""
DRAWN = """() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
    && !document.querySelector('[data-testid=stStatusWidget], [data-testid=stSkeleton], [data-stale=true]')"""
"""Whether the server has sent a page whole and the browser shows it."""
QUIET = """milliseconds => new Promise(done => {
    let still = setTimeout(done, milliseconds);
    setTimeout(done, 10000);
    new MutationObserver(() => {clearTimeout(still); still = setTimeout(done, milliseconds);})
        .observe(document.body, {subtree: true, childList: true, attributes: true});
})"""
"""Resolved once nothing on the page has changed for so long."""
DESK: ViewportSize = {"width": 1440, "height": 900}
LONGEST_MS = 120_000
_VIGIE = str(Path(sys.executable).parent / "vigie")
_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a graphics card."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=_ARGUMENTS)
        yield browser
        browser.close()


def violations(page: Page) -> list[dict[str, Any]]:
    """What axe finds, rule by rule; what it finds in order takes it most of its time to tell, and is left out."""
    found: list[dict[str, Any]] = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return found


class Server:
    """A context in which ``vigie dashboard`` serves a home folder on loopback; what it prints goes into ``log``."""

    def __init__(self, home: Path, log: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        self.address, self._log = f"http://127.0.0.1:{port}", log
        self._command = [_VIGIE, "dashboard", "--home", str(home), "--port", port, "--headless"]

    def __enter__(self) -> Server:
        """Start it and wait until it answers.

        Raises:
            RuntimeError: It ended, or stayed silent for two minutes.
        """
        threads = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603  # our own command
                self._command, cwd=PROJECT, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, **threads}
            )
        end = time.monotonic() + 120
        while time.monotonic() < end and self._process.poll() is None:
            with suppress(OSError), urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=2):  # noqa: S310  # our own loopback address
                return self
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
def a_home(given: Path | None) -> Iterator[Path]:
    """A copy of the home given, so that nothing is done in its journal; without one the demonstration's."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        if given:
            shutil.copytree(given, home)
        else:
            subprocess.run([_VIGIE, "demonstrate", "--home", str(home)], check=True, stdout=subprocess.DEVNULL)  # noqa: S603  # our own command
        yield home


@contextmanager
def served(given: Path | None) -> Iterator[Server]:
    """A server of :func:`a_home`."""
    with a_home(given) as home, Server(home, home / "server.log") as server:
        yield server
