"""What may be forecast in Vigie's own hub: series, horizons, deadlines, in hubverse's words; and its rounds.

A round is named by the last period that is over. Some figures come months after it; then the last one known lies before
the round, and horizons are counted from the round all the same, so that all who forecast a series name the same tasks.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core import QUANTILE_LEVELS, FloatArray
from core.calendar import Frequency, last_complete_period, pandas_frequency
from core.countries import display_name
from core.routes import route_name
from core.schema import ALL, NOT_APPLICABLE
from forecasting import BASELINE, History
from forecasting.models.baseline import FEWEST_ERRORS, predict
from forecasting.quantiles import QuantileTable

TASKS_SCHEMA = "https://raw.githubusercontent.com/hubverse-org/schemas/main/v6.0.0/tasks-schema.json"
TEMPLATES = Path(__file__).parent / "templates"
MONTHS_BACK, MONTHS_AHEAD = 36, 24
"""Return the hub's rounds around the month in which it is made."""
CHECKS_ENDS = {"target_end_date": "origin_date plus horizon"}
FEWEST_SAMPLES, MOST_SAMPLES = 100, 1000
_OWN = ["series_id", "origin_date"]


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
    files = {"hub-config/tasks.json": (json.dumps(tasks(series, as_of), indent=2) + "\n").encode()}
    listed = "\n".join(f"| `{one}` | {series_name(one)} |" for one in series)
    example = next((one for one in series if frequency(one) == "M"), series[0])
    places = {"@NAME@": name, "@SERIES@": listed, "@EXAMPLE@": example, "@ROUND@": str(_open_month(as_of))}
    for path in sorted(TEMPLATES.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            text = path.read_text(encoding="utf-8")
            for place, words in places.items():
                escaped = json.dumps(words, ensure_ascii=False)[1:-1]
                text = text.replace(place, escaped if path.suffix == ".json" else words)
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
    return {"schema_version": TASKS_SCHEMA, "rounds": rounds}


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
            "quantile": {"output_type_id": {"required": list(QUANTILE_LEVELS)}, "is_required": True, "value": value},
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


def open_round(freq: Frequency, day: dt.date) -> pd.Timestamp | None:
    """The newest round that takes submissions on a day, or None; a Sunday that ends a month is that month's alone."""
    first, last = RHYTHMS[freq].due
    end = last_complete_period(day - dt.timedelta(days=first), freq).end_time.normalize()
    is_over = (pd.Timestamp(day) - end).days > last
    return None if is_over or (freq == "W" and end.is_month_end) else end


def handed_in(rows: pd.DataFrame, day: dt.date) -> pd.DataFrame:
    """Forecasts under the round in which they are in time on a day; where none is open, under their own origin.

    Args:
        rows: ``series_id, origin_date, horizon`` and whatever else.
        day: The day on which they are handed in.
    """

    def round_of(series_id: str, origin: pd.Timestamp) -> pd.Timestamp:
        freq = frequency(series_id)
        is_open = (pd.Timestamp(day) - origin).days <= RHYTHMS[freq].due[1]
        return origin if is_open else max(origin, open_round(freq, day) or origin)

    return _under_rounds(rows, round_of)


def replayed(rows: pd.DataFrame, counts: pd.DataFrame) -> pd.DataFrame:
    """Assign hindcasts to the first round at whose closing their origin's figure was published.

    Args:
        rows: ``series_id, origin_date, horizon`` and whatever else; origins without a figure are left out.
        counts: ``series_id, target_end_date, as_of`` of every version of a figure.
    """
    known = counts.groupby(["series_id", "target_end_date"])["as_of"].min()

    def round_of(series_id: str, origin: pd.Timestamp) -> pd.Timestamp:
        freq = frequency(series_id)
        day = max(origin, known[series_id, origin] - pd.Timedelta(days=RHYTHMS[freq].due[1]))
        return pd.Period(day, freq=pandas_frequency(freq)).end_time.normalize()

    return _under_rounds(rows[pd.MultiIndex.from_frame(rows[_OWN]).isin(known.index)], round_of)


def baseline(counts: pd.DataFrame, rounds: pd.DataFrame) -> QuantileTable:
    """Return the hubs' baseline of past rounds, from the figures published when each closed.

    Args:
        counts: ``series_id, target_end_date, value, as_of`` of every version of a figure; without a value it was
            withdrawn.
        rounds: ``series_id, origin_date`` wanted.

    Returns:
        Forecasts of ``vigie-baseline``; none of series that had fewer than a dozen changes to learn from.
    """
    in_order = counts.sort_values(["target_end_date", "as_of"], kind="stable")
    versions = {
        str(name): [rows[column].to_numpy() for column in ("target_end_date", "as_of", "value")]
        for name, rows in in_order.groupby("series_id")
    }
    keys: list[tuple[object, ...]] = []
    parts: list[FloatArray] = []
    for series_id, origin in rounds[rounds["series_id"].isin(versions)].drop_duplicates().itertuples(index=False):
        rhythm, unit = RHYTHMS[frequency(series_id)], pandas_frequency(frequency(series_id))
        ends, as_of, values = versions[series_id]
        newest = _known(ends, as_of, values, origin, origin + pd.Timedelta(days=rhythm.due[1]))
        if len(newest) <= FEWEST_ERRORS:
            continue
        here, last = (pd.Period(day, freq=unit) for day in (origin, newest.index[-1]))
        behind, logs = (here - last).n, np.log1p(newest.to_numpy(dtype=float))
        parts.append(predict(History(logs, logs, 1, last, 0), behind + rhythm.horizons)[behind:])
        ahead = pd.period_range(here + 1, periods=rhythm.horizons).end_time.normalize()
        keys += [(BASELINE, series_id, origin, step, end) for step, end in enumerate(ahead, 1)]
    frame = pd.DataFrame(keys, columns=["model_id", *_OWN, "horizon", "target_end_date"])
    return QuantileTable(frame, np.clip(np.expm1(np.concatenate(parts)), 0, None) if parts else np.empty((0, 23)))


def _known(
    ends: NDArray[np.datetime64],
    as_of: NDArray[np.datetime64],
    values: FloatArray,
    origin: pd.Timestamp,
    close: pd.Timestamp,
) -> pd.Series:
    """The newest version of each figure up to a round that was known when the round closed, by its end.

    The versions, one by one, are sorted by end and then by the day on which they became known.
    """
    seen = (as_of <= close.to_datetime64()) & (ends <= origin.to_datetime64())
    dated = ends[seen]
    newest = np.ones(len(dated), dtype=bool)
    newest[:-1] = dated[1:] != dated[:-1]
    return pd.Series(values[seen][newest], index=dated[newest]).dropna()


def _under_rounds(rows: pd.DataFrame, round_of: Callable[[str, pd.Timestamp], pd.Timestamp]) -> pd.DataFrame:
    pairs = rows[_OWN].drop_duplicates().sort_values(_OWN)
    pairs = pairs.assign(round=[round_of(*pair) for pair in pairs.itertuples(index=False)])
    pairs = pairs.drop_duplicates(["series_id", "round"], keep="last")  # a round starts from its newest figure
    units = pairs["series_id"].map(lambda one: pandas_frequency(frequency(one)))
    behind = [
        (pd.Period(end, freq=unit) - pd.Period(origin, freq=unit)).n
        for end, origin, unit in zip(pairs["round"], pairs["origin_date"], units, strict=True)
    ]
    moved = rows.merge(pairs.assign(behind=behind), on=_OWN)
    moved = moved.assign(origin_date=moved["round"], horizon=moved["horizon"] - moved["behind"])
    return moved.loc[moved["horizon"] >= 1, list(rows.columns)].reset_index(drop=True)
