"""The open forecast hub: other teams' forecasts in hubverse's format, checked, scored on the same rows and combined.

Here stands a hub's configuration, as hubverse writes it (schemas v4 to v6): what may be forecast, in which form, until
when.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema

from core.errors import SourceError

CONFIG = "hub-config"
FILES: Mapping[str, dict[str, Any]] = json.loads(Path(__file__).with_name("schemas.json").read_text("utf-8"))
"""JSON schema of each file, of what Vigie reads of it, for hubverse's v4 to v6. Written for this hub: hubverse's own
(github.com/hubverse-org/schemas, CC0) say more about what Vigie does not use."""
OPTIONAL_FILES = frozenset({"target-data"})
"""Hubs written for schemas before v5 have no description of their target data."""
METADATA_SCHEMA = f"{CONFIG}/model-metadata-schema.json"
TARGET_END_DATE = "target_end_date"
PROBABILITIES = frozenset({"cdf", "pmf"})
"""Output types whose values are probabilities, from 0 to 1."""
_MOST_NAMED = 5
_LONGEST = 200
"""Characters of a fault; a longer one keeps its two ends."""
_ROUND_ID = re.compile(r"[A-Za-z0-9_-]{1,60}")


@dataclass(frozen=True)
class Output:
    """What one kind of output must look like.

    Attributes:
        kind: ``quantile``, ``median``, ``mean``, ``sample``, …
        ids: Values of ``output_type_id`` that belong to it: numbers for quantiles, texts for categories.
        is_required: Whether every task needs it.
        whole: Whether values are whole numbers.
        least: Smallest value; None where there is none.
        most: Largest value.
        samples: Fewest and most samples per task; None but for ``sample``.
        sample_type: ``integer`` or ``character``.
        together: Task ids that are the same throughout one sample; over the others it is drawn jointly. None where
            every task stands alone.
    """

    kind: str
    ids: tuple[Any, ...]
    is_required: bool
    whole: bool
    least: float | None
    most: float | None
    samples: tuple[int, int] | None = None
    sample_type: str = "integer"
    together: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Task:
    """A block of tasks: every combination of its values may be forecast.

    Attributes:
        allowed: Values by task id, as text.
        required: Those among them that a submission must hold.
        outputs: Kinds of output by name.
        time_unit: ``day``, ``week`` or ``month``: the length of one horizon; empty where it is not said.
    """

    allowed: Mapping[str, frozenset[str]]
    required: Mapping[str, tuple[str, ...]]
    outputs: Mapping[str, Output]
    time_unit: str


@dataclass(frozen=True)
class Round:
    """One or, where the round is named by a task id, many rounds.

    Attributes:
        variable: Task id that names the round; empty where it has a fixed name.
        ids: Names of its rounds.
        tasks: Blocks of tasks.
        due: Days relative to the round's date, or two dates, between which submissions are taken.
        formats: Endings of files.
        checks_ends: Whether ``target_end_date`` must be the origin's plus the horizon.
    """

    variable: str
    ids: frozenset[str]
    tasks: tuple[Task, ...]
    due: tuple[dt.date, dt.date] | tuple[int, int]
    relative_to: str
    formats: tuple[str, ...]
    checks_ends: bool

    @property
    def columns(self) -> tuple[str, ...]:
        """Task ids, in the order of the configuration."""
        return tuple(dict.fromkeys(name for task in self.tasks for name in task.allowed))

    def window(self, round_id: str) -> tuple[dt.date, dt.date]:
        """First and last day on which a submission counts as in time."""
        first, last = self.due
        if isinstance(first, dt.date) and isinstance(last, dt.date):
            return first, last
        origin = dt.date.fromisoformat(round_id)
        return origin + dt.timedelta(days=int(first)), origin + dt.timedelta(days=int(last))  # type: ignore[arg-type]  # days


@dataclass(frozen=True)
class Hub:
    """A hub's configuration."""

    name: str
    formats: tuple[str, ...]
    rounds: tuple[Round, ...]
    metadata_schema: Mapping[str, Any] | None
    output_folder: str

    def round_of(self, round_id: str) -> Round | None:
        """The round of that name."""
        return next((one for one in self.rounds if round_id in one.ids), None)

    def closed_on(self, round_id: str, day: dt.date) -> str:
        """Return when a round is open if a day lies outside that, else an empty text."""
        found = self.round_of(round_id)
        first, last = (day, day) if found is None else found.window(round_id)
        return "" if first <= day <= last else f"from {first} to {last}"


def config_names() -> list[str]:
    """Files of a hub's configuration, by path."""
    return [*(f"{CONFIG}/{name}.json" for name in FILES), METADATA_SCHEMA]


def read_config(files: Mapping[str, bytes]) -> tuple[Hub | None, list[SourceError]]:
    """Read and check a hub's configuration.

    Args:
        files: Content of the files of ``hub-config`` by path in the hub.

    Returns:
        The hub, or None where it cannot be read, and every fault found.
    """
    faults: list[SourceError] = []
    found: dict[str, Any] = {}
    for name, schema in FILES.items():
        path = f"{CONFIG}/{name}.json"
        if path not in files:
            faults += [] if name in OPTIONAL_FILES else [SourceError(path, "is missing")]
            continue
        if (content := _json(path, files[path], faults)) is not None:
            faults += schema_faults(path, content, schema)
            found[name] = content
    metadata = _json(METADATA_SCHEMA, files[METADATA_SCHEMA], faults) if METADATA_SCHEMA in files else None
    if metadata is not None:
        try:
            jsonschema.Draft202012Validator.check_schema(metadata)
        except jsonschema.SchemaError as error:
            faults.append(SourceError(METADATA_SCHEMA, f"is no JSON schema: {_short(error.message)}"))
    if faults or "tasks" not in found:
        return None, faults
    admin, tasks = found["admin"], found["tasks"]
    formats = tuple(admin["file_format"])
    try:
        rounds = tuple(_round(one, formats) for one in tasks["rounds"])
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        return None, [SourceError(f"{CONFIG}/tasks.json", f"cannot be read: {_short(repr(error))}")]
    faults += _round_faults(rounds)
    hub = Hub(admin["name"], formats, rounds, metadata, admin.get("model_output_dir", "model-output"))
    return (None if faults else hub), faults


def schema_faults(path: str, content: object, schema: Mapping[str, Any]) -> list[SourceError]:
    """How a document breaks a JSON schema, at most five faults."""
    errors = sorted(jsonschema.Draft202012Validator(schema).iter_errors(content), key=lambda one: str(one.path))
    return [
        SourceError(path, _short(error.message), column="/".join(str(part) for part in error.path) or None)
        for error in errors[:_MOST_NAMED]
    ]


def _json(path: str, content: bytes, faults: list[SourceError]) -> Any:  # noqa: ANN401  # whatever the file holds
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        faults.append(SourceError(path, f"is not JSON: {_short(str(error))}"))
        return None


def _round(one: Mapping[str, Any], formats: tuple[str, ...]) -> Round:
    tasks = tuple(_task(block) for block in one["model_tasks"])
    variable = one["round_id"] if one["round_id_from_variable"] else ""
    ids = frozenset().union(*(task.allowed[variable] for task in tasks)) if variable else frozenset({one["round_id"]})
    due = one["submissions_due"]
    relative = due.get("relative_to", "")
    start, end = due["start"], due["end"]
    window = (start, end) if relative else (dt.date.fromisoformat(start), dt.date.fromisoformat(end))
    checks = (one.get("additional_metadata") or {}).get("target_end_date") == "origin_date plus horizon"
    return Round(variable, ids, tasks, window, relative, tuple(one.get("file_format", formats)), checks)


def _task(block: Mapping[str, Any]) -> Task:
    required = {
        name: tuple(text_of(value) for value in found["required"] or ()) for name, found in block["task_ids"].items()
    }
    allowed = {
        name: frozenset({*required[name], *(text_of(value) for value in found["optional"] or ())})
        for name, found in block["task_ids"].items()
    }
    about = block["target_metadata"]
    units = {(one.get("additional_metadata") or {}).get("period") or one.get("time_unit", "") for one in about}
    outputs = {kind: _output(kind, found) for kind, found in block["output_type"].items()}
    return Task(allowed, required, outputs, units.pop() if len(units) == 1 else "")


def _output(kind: str, found: Mapping[str, Any]) -> Output:
    value, params = found["value"], found.get("output_type_id_params")
    least, most = (0, 1) if kind in PROBABILITIES else (None, None)
    ids = found.get("output_type_id") or {}
    listed = (*(ids.get("required") or ()), *(ids.get("optional") or ()))
    samples = (params["min_samples_per_task"], params["max_samples_per_task"]) if params else None
    return Output(
        kind,
        tuple(float(level) for level in listed) if kind == "quantile" else tuple(text_of(one) for one in listed),
        bool(found.get("is_required", False)),
        value["type"] == "integer",
        value.get("minimum", least),
        value.get("maximum", most),
        samples,
        params["type"] if params else "",
        tuple(params["compound_taskid_set"]) if params and "compound_taskid_set" in params else None,
    )


def _round_faults(rounds: tuple[Round, ...]) -> Iterator[SourceError]:
    path, seen = f"{CONFIG}/tasks.json", set[str]()
    for place, one in enumerate(rounds):
        where = f"rounds/{place}"
        if twice := seen & one.ids:
            yield SourceError(path, f"round {min(twice)} stands there twice", column=where)
        seen |= one.ids
        if one.relative_to and one.relative_to != one.variable:
            rule = f"the deadline is relative to '{one.relative_to}', which does not name the round"
            yield SourceError(path, rule, column=f"{where}/submissions_due")
        if strange := [name for name in sorted(one.ids) if not _ROUND_ID.fullmatch(name)]:
            yield SourceError(path, f"'{strange[0][:40]}' cannot stand in a file's name", column=where)
        if bad := [name for name in sorted(one.ids) if one.relative_to and not _is_day(name)]:
            yield SourceError(path, f"round '{bad[0]}' is not a date, as its deadline needs", column=where)
        if one.due[0] > one.due[1]:  # type: ignore[operator]  # both are days, or both are dates
            yield SourceError(path, "the deadline's end lies before its start", column=where)


def _is_day(text: str) -> bool:
    try:
        return dt.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def text_of(cell: object) -> str:
    """A value as text: a date as ISO day, a whole number without a point, nothing as an empty text."""
    if isinstance(cell, dt.date):
        return cell.strftime("%Y-%m-%d")
    if isinstance(cell, float):
        return "" if math.isnan(cell) else str(int(cell)) if cell.is_integer() else f"{cell:.12g}"
    return "" if cell is None else str(cell)


def _short(text: str) -> str:
    one = " ".join(text.split())
    return one if len(one) <= _LONGEST else f"{one[:80]} … {one[83 - _LONGEST :]}"
