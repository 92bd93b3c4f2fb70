"""The report of a night, kept in its release: what took how long and how much memory, and what was degraded."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.progress import Progress

from core.errors import Message, message
from core.languages import marked as _
from core.log import ESTIMATE_SECONDS, ProgressReport, get_logger, updated
from core.settings import Settings
from forecasting.pool import Pool
from forecasting.workers import MOST_CUT_OFFS
from nightly.forecasts import ForecastSet
from nightly.inputs import LiveReport
from store import Note

RUN_REPORT = "run_report.json"
CUT_OFF_SOURCE = "vigie-engine"
"""Stands where a degraded source's id stands, for members that were left out."""


STAGES = (
    _("reading"), _("forecasting"), _("asylum applications"), _("hub"), _("reception"), _("warning and scoring"),
    _("publishing"),
)  # fmt: skip
"""Of a night, in their order."""
_SECONDS_BETWEEN_NOTES = 1.0


@dataclass
class StageTimer:
    """Seconds by stage, and how far the night is; each stage's end is logged.

    Attributes:
        date: The day whose knowledge the night rests on.
        progress: Reports the stages, and the steps of each.
        note: Takes the same for readers of the home folder: see :func:`store.running_night`.
    """

    date: dt.date
    progress: ProgressReport
    note: Note

    started: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))
    _begun: float = field(default_factory=time.monotonic)
    _stages: dict[str, float] = field(default_factory=dict)
    _stage: str = ""
    _bar: Progress = field(default_factory=lambda: Progress(disable=True, speed_estimate_period=ESTIMATE_SECONDS))
    _noted: tuple[str, float] = ("", 0.0)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what is done within."""
        begun, self._stage = time.monotonic(), name
        self._report_stages()
        self.report("", 0, 1)
        yield
        self._stages[name] = time.monotonic() - begun
        self._report_stages()
        get_logger().info("stage ended", stage=name, seconds=round(self._stages[name], 2))

    def report(self, step: str, done: int, total: int) -> None:
        """Report a step of the running stage; several threads may."""
        with self._lock:
            name = f"{self._stage}: {step}" if step else self._stage
            self.progress(name, done, total)
            task, now = updated(self._bar, name, done, total), time.monotonic()
            if name != self._noted[0] or now - self._noted[1] >= _SECONDS_BETWEEN_NOTES:
                self._noted = name, now
                self.note({
                    "as_of": self.date.isoformat(), "stage": self._stage, "stages_done": STAGES.index(self._stage),
                    "stages": len(STAGES), "step": step, "done": done, "total": total,
                    "seconds_left": task.time_remaining or None,
                })  # fmt: skip

    def _report_stages(self) -> None:
        self.progress(f"Night as known on {self.date}", len(self._stages), len(STAGES))

    def seconds(self) -> dict[str, float]:
        """Seconds of every stage that ended, and in all."""
        stages = {**self._stages, "in all": time.monotonic() - self._begun}
        return {name: round(value, 2) for name, value in stages.items()}


def peak_megabytes(pid: int | None) -> float | None:
    """Most memory that a running process ever held; None where the system does not say (not Linux)."""
    status = Path(f"/proc/{pid}/status")
    try:
        lines = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
    except OSError:
        return None
    return round(int(lines[0].split()[1]) / 1024, 1) if lines else None


def left_out(made: ForecastSet, fit_seconds: float) -> list[dict[str, str]]:
    """Members whose fits were cut off, as records of a degraded night."""
    fault = _("{model_id} is left out for {series_id}: {fault}")
    names = [{name: item[name] for name in ("model_id", "series_id")} for item in made.cut_off]
    return [
        message(fault, **name, fault=_cut_off(item["reason"], fit_seconds)).record(CUT_OFF_SOURCE, **name)
        for name, item in zip(names, made.cut_off, strict=True)
    ]


def _cut_off(reason: str, fit_seconds: float) -> Message:
    """The engine keeps why a fit was cut off as its English text; this is the message of that text."""
    known = (
        message(_("cut off after {n} s"), n=f"{fit_seconds:g}"),
        message(_("cut off: it needs more memory than is allowed")),
        message(_("cut off: its process died, perhaps for want of memory")),
        message(_("cut off untried: {n} earlier fits of this model were cut off"), n=MOST_CUT_OFFS),
    )
    return next((fault for fault in known if str(fault) == reason), Message(reason))


def run_report(
    timer: StageTimer,
    settings: Settings,
    asked: LiveReport,
    made: ForecastSet,
    degraded: Sequence[Mapping[str, Any]],
    pool: Pool,
) -> str:
    """The report as JSON."""
    report = {
        "started_at": timer.started.isoformat(timespec="seconds"),
        "seconds": timer.seconds(),
        "peak_megabytes": {
            "night": peak_megabytes(os.getpid()),
            "processes": [peak_megabytes(pid) for pid in pool.pids],
        },
        "limits": {"seconds": settings.operation.fit_seconds, "megabytes": settings.operation.fit_megabytes},
        "past_forecasts_made": made.computed,
        "fits_cut_off": made.cut_off,
        "stand_ins": made.fallbacks,
        "sources_taken": [item.edition.source_id for item in asked.taken],
        "editions_told": {
            item.edition.edition_id: [str(one) for one in item.edition.reported]
            for item in asked.taken
            if item.edition.reported
        },
        "sources_failed": asked.failed,
        "sources_not_asked": asked.not_asked,
        "degraded": [dict(item) for item in degraded],
        "machine": {"python": platform.python_version(), "system": platform.system(), "cores": os.cpu_count()},
    }
    return json.dumps(report, indent=1, ensure_ascii=False) + "\n"
