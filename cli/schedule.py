"""The schedule of ``vigie serve``: one night a day, messages every five minutes, a backup after each night."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import threading
import time
from pathlib import Path

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from cli import EXIT_DEGRADED, EXIT_NOTHING_PUBLISHED, EXIT_PUBLISHED
from core.errors import InputError
from core.log import get_logger
from core.settings import PROJECT
from decisions.health import read_health

_OUTCOMES = {
    EXIT_PUBLISHED: "published",
    EXIT_DEGRADED: "published degraded",
    EXIT_NOTHING_PUBLISHED: "nothing published",
}
NIGHT, DELIVER, BACKUP = ("nightly",), ("outbox", "deliver"), ("home", "backup", "--to")
"""Commands of ``vigie`` that the schedule runs."""


class Children:
    """Child processes that end when this process ends.

    Args:
        grace_seconds: Time between SIGTERM and SIGKILL.
    """

    def __init__(self, grace_seconds: float = 10.0) -> None:
        self._grace_seconds = grace_seconds
        self._lock = threading.Lock()
        self._running: list[subprocess.Popen[bytes]] = []
        self._is_ended = False

    def start(self, module: str, *words: str) -> subprocess.Popen[bytes]:
        """Start ``python -m MODULE WORDS``.

        Raises:
            RuntimeError: The children were ended.
        """
        with self._lock:
            if self._is_ended:
                raise RuntimeError(f"{module} is not started: this process ends")
            self._running = [one for one in self._running if one.poll() is None]
            child = subprocess.Popen([sys.executable, "-m", module, *words], cwd=PROJECT)  # noqa: S603  # our own modules
            self._running.append(child)
            return child

    def end(self) -> None:
        """Terminate all children, kill those that do not end in time, and refuse new ones."""
        with self._lock:
            self._is_ended = True
            for child in self._running:
                child.terminate()
            last = time.monotonic() + self._grace_seconds
            for child in self._running:
                try:
                    child.wait(max(last - time.monotonic(), 0))
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()


class Jobs:
    """What the schedule runs; each job is a command in a child process.

    So a night takes no memory or CPU from the health server, and its lock, log and exit code are those of
    ``vigie nightly``. The home folder is passed on in ``VIGIE_HOME``.

    Args:
        children: Starts and ends the processes.
        live: Whether a night requests new figures from the publishers.
        backup_to: Folder of the backups; None: no backup.
    """

    def __init__(self, children: Children, *, live: bool = False, backup_to: Path | None = None) -> None:
        self._children, self._live, self._backup_to = children, live, backup_to

    def night(self) -> None:
        """Run a night, log its outcome, and write a backup as the timer in ``deploy/`` does, whatever the outcome."""
        exit_code = self._run(*NIGHT, *(["--live"] if self._live else []))
        get_logger().info("night ended", outcome=_OUTCOMES.get(exit_code, "stopped"), exit=exit_code)
        if self._backup_to is not None and exit_code in _OUTCOMES:
            get_logger().info("backup ended", exit=self._run(*BACKUP, str(self._backup_to)))

    def deliver(self) -> None:
        """Send the messages that are due."""
        self._run(*DELIVER)

    def _run(self, *words: str) -> int:
        return self._children.start("cli", *words).wait()


def night_trigger(at: str) -> CronTrigger:
    """Return the trigger of a time of day, in the time zone of this machine.

    Raises:
        InputError: The text is not a time of day.
    """
    try:
        parsed = time.strptime(at, "%H:%M")
    except ValueError:
        raise InputError(f"--at {at}: not a time of day; write it as 03:30") from None
    return CronTrigger(hour=parsed.tm_hour, minute=parsed.tm_min)


def first_night(home: Path, trigger: CronTrigger, now: dt.datetime) -> dt.datetime:
    """Return when the first night is due: the first scheduled time after the last night that ended.

    It lies in the past if a night was missed while the machine was off, and if there was no night at all.
    """
    last = read_health(home).last_night
    since = dt.datetime.fromisoformat(last["at"]) if last else now - dt.timedelta(days=1)
    due: dt.datetime = trigger.get_next_fire_time(None, since)
    return due


def start_schedule(jobs: Jobs, trigger: CronTrigger, due: dt.datetime) -> BackgroundScheduler:
    """Start the schedule; a job whose time has passed runs at once, and once however often it was missed.

    Two nights never run at a time: this scheduler starts one only, and the night's lock refuses those of others.
    """
    scheduler = BackgroundScheduler(job_defaults={"coalesce": True, "misfire_grace_time": None})
    scheduler.add_job(jobs.night, trigger, next_run_time=due)
    scheduler.add_job(jobs.deliver, "interval", minutes=5)
    scheduler.start()
    return scheduler
