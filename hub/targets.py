"""What may be forecast in Vigie's own hub: series, horizons, rounds, deadlines, in hubverse's words."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from core.calendar import Frequency, last_complete_period, pandas_frequency
from core.countries import display_name
from core.routes import route_name
from core.schema import ALL, NOT_APPLICABLE
from hub.schemas import LEVELS, METADATA, SCHEMA_ADDRESS

TEMPLATES = Path(__file__).parent / "templates"
MONTHS_BACK, MONTHS_AHEAD = 36, 24
"""Rounds that the hub knows, about the month in which it is made."""
CHECKS_ENDS = {"target_end_date": "origin_date plus horizon"}
FEWEST_SAMPLES, MOST_SAMPLES = 100, 1000


@dataclass(frozen=True)
class Rhythm:
    """How series of one frequency are forecast.

    Attributes:
        horizons: The farthest period ahead.
        unit: hubverse's word for a period; empty where it has none.
        period: Ours.
        due: Days after the origin's last day in which a submission is in time.
    """

    horizons: int
    unit: str
    period: str
    due: tuple[int, int]


RHYTHMS: Mapping[Frequency, Rhythm] = {
    # By the 31st day after a month's end every route's figure of that month is usually out.
    "M": Rhythm(12, "month", "month", (1, 31)),
    "Q": Rhythm(4, "", "quarter", (1, 31)),
    "W": Rhythm(8, "week", "week", (1, 6)),
}
_WORDS = {"arrivals": "arrivals", "asylum_applications_first": "first-time asylum applications"}


def frequency(series_id: str) -> Frequency:
    """Frequency of a series, the last part of its name."""
    return series_id.rsplit(".", 1)[-1]  # type: ignore[return-value]  # a series is named by core.schema.make_series_id


def series_name(series_id: str) -> str:
    """A series in plain English."""
    target, route_id, geo, _citizen, freq = series_id.split(".")
    place = route_name(route_id) if geo == ALL else display_name(geo)
    if geo != ALL and route_id != NOT_APPLICABLE:
        place = f"{route_name(route_id)}, {place}"
    period = RHYTHMS[freq].period  # type: ignore[index]  # as above
    return f"{_WORDS.get(target, target.replace('_', ' '))} by {period}: {place}"


def config_files(series: Sequence[str], as_of: dt.date, name: str) -> dict[str, bytes]:
    """Every file of a new hub but its data: configuration, licence, guide, templates, the check of pull requests.

    Args:
        series: Names of the series that may be forecast.
        as_of: The day on which the hub is made: rounds lie about it.
        name: The hub's name.

    Returns:
        Content by path.
    """
    admin = {
        "schema_version": SCHEMA_ADDRESS.format(name="admin"),
        "name": name,
        "maintainer": "Vigie",
        "contact": {"name": "The hub's maintainers", "email": "hub@example.org"},
        "repository": {"host": "github", "owner": "owner", "name": "migration-forecast-hub"},
        "file_format": ["csv", "parquet"],
        "timezone": "Europe/Brussels",
    }
    target_data = {
        "schema_version": SCHEMA_ADDRESS.format(name="target-data"),
        "observable_unit": ["target_end_date", "target", "series_id"],
        "date_col": "target_end_date",
        "versioned": False,
        "time-series": {"non_task_id_schema": {"observation": "double"}, "versioned": True},
        "oracle-output": {"has_output_type_ids": False},
    }
    documents = {
        "hub-config/admin.json": admin,
        "hub-config/tasks.json": tasks(series, as_of),
        "hub-config/target-data.json": target_data,
        "hub-config/model-metadata-schema.json": METADATA,
    }
    files = {path: _json(content) for path, content in documents.items()}
    listed = "\n".join(f"| `{one}` | {series_name(one)} |" for one in series)
    example = next((one for one in series if frequency(one) == "M"), series[0])
    places = {"@NAME@": name, "@SERIES@": listed, "@EXAMPLE@": example, "@ROUND@": str(_open_month(as_of))}
    for path in sorted(TEMPLATES.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            text = path.read_text(encoding="utf-8")
            for place, words in places.items():
                text = text.replace(place, words)
            files[_target(path.relative_to(TEMPLATES).as_posix())] = text.encode()
    return files


def tasks(series: Sequence[str], as_of: dt.date) -> dict[str, Any]:
    """``tasks.json``: one round per month, with a block of tasks per target and frequency, and one per week."""
    months = [str(day) for day in _ends("M", as_of)]
    rounds = []
    for names, days in (
        ([one for one in series if frequency(one) != "W"], months),
        # A round has one name: a Sunday that ends a month is that month's.
        (
            [one for one in series if frequency(one) == "W"],
            [str(one) for one in _ends("W", as_of) if str(one) not in months],
        ),
    ):
        kinds = sorted({(one.split(".")[0], frequency(one)) for one in names})
        if not kinds:
            continue
        due = RHYTHMS[kinds[0][1]].due
        rounds.append(
            {
                "round_id_from_variable": True,
                "round_id": "origin_date",
                "model_tasks": [
                    _task(
                        target,
                        freq,
                        [one for one in names if one.startswith(f"{target}.") and frequency(one) == freq],
                        days,
                    )
                    for target, freq in kinds
                ],
                "submissions_due": {"relative_to": "origin_date", "start": due[0], "end": due[1]},
                "derived_task_ids": ["target_end_date"],
                "additional_metadata": CHECKS_ENDS,
            }
        )
    return {"schema_version": SCHEMA_ADDRESS.format(name="tasks"), "rounds": rounds}


def _open_month(as_of: dt.date) -> dt.date:
    """The round of months that is open on a day: it opens on the day after its month."""
    end: dt.date = last_complete_period(as_of - dt.timedelta(days=RHYTHMS["M"].due[0]), "M").end_time.date()
    return end


def _task(target: str, freq: Frequency, names: list[str], days: list[str]) -> dict[str, Any]:
    rhythm = RHYTHMS[freq]
    steps = range(1, rhythm.horizons + 1)
    ends = {
        str(end)
        for day in days
        for end in ((pd.Period(day, freq=pandas_frequency(freq)) + step).end_time.date() for step in steps)
    }
    optional = {
        "origin_date": days,
        "target": [target],
        "series_id": names,
        "horizon": list(steps),
        "target_end_date": sorted(ends),
    }
    value = {"type": "double", "minimum": 0}
    about = {
        "target_id": f"{target} {rhythm.period}"[:30],
        "target_name": f"{_WORDS.get(target, target)} by {rhythm.period}",
        "target_units": "persons",
        "target_keys": {"target": target},
        "target_type": "continuous",
        "is_step_ahead": bool(rhythm.unit),
        **({"time_unit": rhythm.unit} if rhythm.unit else {}),
        "additional_metadata": {"period": rhythm.period},
    }
    samples = {"type": "integer", "min_samples_per_task": FEWEST_SAMPLES, "max_samples_per_task": MOST_SAMPLES}
    return {
        "task_ids": {name: {"required": None, "optional": values} for name, values in optional.items()},
        "output_type": {
            "quantile": {"output_type_id": {"required": LEVELS}, "is_required": True, "value": value},
            "median": {"output_type_id": {"required": None}, "is_required": False, "value": value},
            "sample": {
                "output_type_id_params": samples | {"compound_taskid_set": ["origin_date"]},
                "is_required": False,
                "value": value,
            },
        },
        "target_metadata": [about],
    }


def _ends(freq: Frequency, as_of: dt.date) -> list[dt.date]:
    month = pd.Period(as_of, freq="M")
    first, last = (month - MONTHS_BACK).start_time, (month + MONTHS_AHEAD).end_time
    return [one.end_time.date() for one in pd.period_range(first, last, freq=pandas_frequency(freq))]


def _target(name: str) -> str:
    """Where a template goes: those for pull requests lie in a folder that begins with a dot."""
    return name.replace("github/", ".github/", 1) if name.startswith("github/") else name


def _json(content: object) -> bytes:
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()
