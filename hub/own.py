"""Vigie's own hub: what may be forecast in it, in hubverse's words; its rounds; its models' forecasts and target data.

A round is named by the last period that is over. Some figures come months after it; then the last one known lies before
the round, and horizons are counted from the round all the same, so that all who forecast a series name the same tasks.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray

from core import QUANTILE_LEVELS, FloatArray
from core.calendar import Frequency, end_dates, last_complete_period, pandas_frequency, target_end_date
from core.countries import display_name
from core.languages import marked as _
from core.routes import is_own, route_name
from core.schema import ALL, NOT_APPLICABLE
from forecasting import BASELINE, ENSEMBLE, History, ModelCard
from forecasting.models.baseline import FEWEST_ERRORS, predict
from forecasting.quantiles import QuantileTable, is_among

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
    # The round of months that is open: it opens on the day after its month.
    month = last_complete_period(as_of - dt.timedelta(days=RHYTHMS["M"].due[0]), "M").end_time.date()
    places = {"@NAME@": name, "@SERIES@": listed, "@EXAMPLE@": example, "@ROUND@": str(month)}
    for path in sorted(TEMPLATES.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            text = path.read_text(encoding="utf-8")
            for place, words in places.items():
                escaped = json.dumps(words, ensure_ascii=False)[1:-1]
                text = text.replace(place, escaped if path.suffix == ".json" else words)
            # The folder of pull requests' templates has a dot in a hub, with which it would not be packaged here.
            target = path.relative_to(TEMPLATES).as_posix()
            files[f".{target}" if target.startswith("github/") else target] = text.encode()
    return files


def tasks(series: Sequence[str], as_of: dt.date) -> dict[str, Any]:
    """``tasks.json``: one round per month, with a block of tasks per target and frequency, and one per week."""
    months = [str(day) for day in _ends("M", as_of)]
    rounds = []
    # A round has one name: a Sunday that ends a month is that month's.
    weeks = [str(day) for day in _ends("W", as_of) if str(day) not in months]
    kinds: dict[tuple[str, Frequency], list[str]] = {}
    for name in series:
        kinds.setdefault((name.split(".")[0], frequency(name)), []).append(name)
    for days, is_weekly in ((months, False), (weeks, True)):
        if blocks := [(*kind, kinds[kind]) for kind in sorted(kinds) if (kind[1] == "W") is is_weekly]:
            due = RHYTHMS[blocks[0][1]].due
            rounds.append({
                "round_id_from_variable": True, "round_id": "origin_date",
                "model_tasks": [_task(target, freq, names, days) for target, freq, names in blocks],
                "submissions_due": {"relative_to": "origin_date", "start": due[0], "end": due[1]},
                "derived_task_ids": ["target_end_date"], "additional_metadata": CHECKS_ENDS,
            })  # fmt: skip
    return {"schema_version": TASKS_SCHEMA, "rounds": rounds}


def _task(target: str, freq: Frequency, names: list[str], days: list[str]) -> dict[str, Any]:
    rhythm = RHYTHMS[freq]
    steps = range(1, rhythm.horizons + 1)
    ends = {str(target_end_date(dt.date.fromisoformat(day), step, freq)) for day in days for step in steps}
    optional = {
        "origin_date": days, "target": [target], "series_id": names, "horizon": list(steps),
        "target_end_date": sorted(ends),
    }  # fmt: skip
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
        newest = _known(versions[series_id], origin, origin + pd.Timedelta(days=rhythm.due[1]))
        if len(newest) <= FEWEST_ERRORS:
            continue
        here, last = (pd.Period(day, freq=unit) for day in (origin, newest.index[-1]))
        behind, logs = (here - last).n, np.log1p(newest.to_numpy(dtype=float))
        parts.append(predict(History(logs, logs, 1, last, 0), behind + rhythm.horizons)[behind:])
        ahead = pd.period_range(here + 1, periods=rhythm.horizons).end_time.normalize()
        keys += [(BASELINE, series_id, origin, step, end) for step, end in enumerate(ahead, 1)]
    frame = pd.DataFrame(keys, columns=["model_id", *_OWN, "horizon", "target_end_date"])
    return QuantileTable(frame, np.clip(np.expm1(np.concatenate(parts)), 0, None) if parts else np.empty((0, 23)))


def _known(versions: Sequence[NDArray[Any]], origin: pd.Timestamp, close: pd.Timestamp) -> pd.Series:
    """The newest version of each figure up to a round that was known when the round closed, by its end.

    The versions, one by one, are sorted by end and then by the day on which they became known.
    """
    ends, as_of, values = versions
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


TEAM = "vigie"
COLUMNS = ["origin_date", "target", "series_id", "horizon", "target_end_date", "output_type", "output_type_id", "value"]
TIME_SERIES, ORACLE = "target-data/time-series.csv", "target-data/oracle-output.csv"
"""CSV, which every team's tools read as they come: R without any package."""
TASK = ["series_id", "horizon"]
DESIGNATED = frozenset({BASELINE, ENSEMBLE})
"""A team may put two models into the hub's ensemble; members are in Vigie's own already."""


def hub_model_id(model_id: str) -> str:
    """A model's name in a hub, where a hyphen parts team and model: ``vigie-seasonal_walk``."""
    team, _hyphen, model = model_id.partition("-")
    return f"{team}-{model.replace('-', '_')}"


def own_submissions(forecasts: pd.DataFrame, paths: pd.DataFrame, day: dt.date) -> dict[tuple[str, str], pd.DataFrame]:
    """Forecasts of a release as submissions: one per model and origin.

    Args:
        forecasts: Quantile rows with ``target``.
        paths: Joint sample paths of the ensemble; the first hundred are submitted.
        day: The day on which they are handed in: each goes into the round that is open then.

    Returns:
        Rows of a submission by model's name in the hub and round.
    """
    some = paths[paths["output_type_id"] < FEWEST_SAMPLES]
    target = some["series_id"].str.split(".").str[0]
    rows = handed_in(pd.concat([forecasts, some.assign(target=target)], ignore_index=True), day)
    rows = rows.assign(model=rows["model_id"].map({one: hub_model_id(one) for one in rows["model_id"].unique()}))
    return {
        (str(model), f"{origin:%Y-%m-%d}"): tidy(part)
        for (model, origin), part in rows.groupby(["model", "origin_date"])
    }


def tidy(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows as a file of a hub holds them: days as days, columns in order."""
    days = {name: pd.to_datetime(rows[name]).dt.date for name in ("origin_date", "target_end_date")}
    return rows.assign(output_type_id=rows["output_type_id"].astype(float), **days)[COLUMNS].reset_index(drop=True)


def added_to(kept: pd.DataFrame | None, new: pd.DataFrame) -> pd.DataFrame:
    """A submission with the tasks that it did not hold yet; what was submitted stays as it was."""
    if kept is None:
        return new
    fresh = new[~is_among(new, kept, TASK)]
    return pd.concat([kept, fresh], ignore_index=True) if len(fresh) else kept


def model_metadata(model_id: str, team: str, title: str, methods: str, **others: object) -> bytes:
    """Return a hub's metadata of a model of this house, as YAML; ``others`` are added or replace the usual ones."""
    team_abbr, model_abbr = model_id.split("-", 1)
    about = {
        "team_name": team, "team_abbr": team_abbr, "model_name": title[:100], "model_abbr": model_abbr,
        "model_contributors": [{"name": team, "affiliation": team}], "license": "CC-BY-4.0",
        "designated_model": False, "data_inputs": "The target data of this hub.",
        "methods": methods if len(methods) <= 200 else methods[:199].rsplit(" ", 1)[0] + "…", "methods_long": methods,
        "ensemble_of_models": False, "ensemble_of_hub_models": False,
    }  # fmt: skip
    text: str = yaml.safe_dump(about | others, sort_keys=False, allow_unicode=True, width=100)
    return text.encode()


ENSEMBLES = {
    "hub-median": _("Median, quantile by quantile, of the designated models."),
    "hub-weighted": _("Mean of the designated models on log scale, weighted by their scores over the year before."),
}


def ensemble_metadata(model_id: str) -> bytes:
    """Return the hub's metadata of one of its own ensembles."""
    methods = ENSEMBLES[model_id]
    return model_metadata(
        model_id, "Hub", methods.split(",")[0], methods, data_inputs="The submissions of this hub.",
        ensemble_of_models=True, ensemble_of_hub_models=True,
    )  # fmt: skip


def own_metadata(model_id: str, card: ModelCard, version: str) -> bytes:
    """Return the hub's metadata of one of Vigie's models."""
    return model_metadata(
        hub_model_id(model_id), "Vigie", card.title, card.summary, model_version=version, citation=card.source,
        designated_model=model_id in DESIGNATED, ensemble_of_models=model_id == ENSEMBLE,
    )  # fmt: skip


def open_series(series: Iterable[str], sources: Mapping[str, str], cards: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Series whose every source lets its figures be passed on; never an analyst's own route."""

    def is_open(source_id: str) -> bool:
        card = cards.get(source_id)
        parts = card.get("derived_from", []) if card else []
        return card is not None and card["redistribution"] is not False and all(is_open(part) for part in parts)

    # An own route is harmonised like any other, and its harmonised series names no analyst's source.
    return [one for one in series if one in sources and is_open(sources[one]) and not is_own(one.split(".")[1])]


def weekly(daily: pd.DataFrame) -> pd.DataFrame:
    """Sums of whole weeks of series that are counted by day, each named by its days' series.

    Args:
        daily: ``series_id, time_period, obs_value, as_of`` with days; of each day every version, without a value where
            it was withdrawn.

    Returns:
        The same columns with ISO weeks that have all seven days: a row for every day on which a week's sum was new.
    """
    day = pd.to_datetime(daily["time_period"])
    rows = daily.assign(
        time_period=day.dt.strftime("%G-W%V"), day=day.dt.weekday,
        obs_value=daily["obs_value"].astype(float).fillna(np.inf),  # withdrawn
    )  # fmt: skip
    key = ["series_id", "time_period", "as_of"]
    wide = rows.pivot_table("obs_value", key, "day", aggfunc="last").reindex(columns=range(7)).sort_index()
    sums = wide.groupby(level=[0, 1]).ffill().sum(axis=1, skipna=False).dropna()
    sums = sums[sums != sums.groupby(level=[0, 1]).shift()].replace(np.inf, np.nan)
    weeks = sums.rename("obs_value").reset_index()
    weeks = weeks.assign(series_id=weeks["series_id"].map(weekly_name))
    return weeks[["series_id", "time_period", "obs_value", "as_of"]]


def every_version(published: pd.DataFrame, series: Collection[str]) -> pd.DataFrame:
    """Select every version of series that are counted as such, or by day where a week's sum is asked for.

    Args:
        published: Every edition of every value (``core.release.OBSERVATIONS``).
        series: Names; those by week end in ``.W``.

    Returns:
        ``series_id, time_period, obs_value, as_of``; without a value where it was withdrawn.
    """
    daily = [f"{one.removesuffix('.W')}.D" for one in series if one.endswith(".W")]
    columns = ["series_id", "time_period", "obs_value", "as_of"]
    rows = published.loc[published["series_id"].isin([*series, *daily]), columns]
    rows = rows.astype({"series_id": str, "time_period": str})
    days = rows["series_id"].str.endswith(".D")
    return pd.concat([rows[~days], weekly(rows[days])], ignore_index=True)


def weekly_name(series_id: str) -> str:
    """The weekly series of a daily one."""
    return series_id.removesuffix(".D") + ".W"


def dated(values: pd.DataFrame) -> pd.DataFrame:
    """Observations by the last day of their period.

    Args:
        values: ``series_id, time_period, obs_value, as_of``, of any frequencies.

    Returns:
        ``series_id, target_end_date, value, as_of`` in this order of rows.
    """
    parts = [
        rows.assign(target_end_date=end_dates(rows["time_period"], freq))
        for freq, rows in values.groupby(values["series_id"].map(frequency))
    ]
    columns = ["series_id", "target_end_date", "as_of"]
    frame = pd.concat(parts) if parts else pd.DataFrame(columns=[*columns, "obs_value"])
    # Days stay days where there is no row: a column of no type would be passed over when frames are put together.
    kinds = {"obs_value": "float64", "target_end_date": "datetime64[ns]", "as_of": "datetime64[ns]"}
    named = frame.astype(kinds).rename(columns={"obs_value": "value"})
    return named.sort_values(columns, ignore_index=True)[["series_id", "target_end_date", "value", "as_of"]]


def time_series(values: pd.DataFrame) -> pd.DataFrame:
    """Observations as ``target-data/time-series`` holds them.

    Args:
        values: ``series_id, time_period, obs_value, as_of``: of every version of a value those that differ from the
            one before.
    """
    frame = dated(values).rename(columns={"value": "observation"})
    days = {name: frame[name].dt.date for name in ("target_end_date", "as_of")}
    named = frame.assign(target=frame["series_id"].str.split(".").str[0], **days)
    return named[["target_end_date", "target", "series_id", "observation", "as_of"]]


def target_data(series: pd.DataFrame) -> dict[str, bytes]:
    """Both files of target data, from :func:`time_series`."""
    return {path: rows.to_csv(index=False).encode() for path, rows in ((TIME_SERIES, series), (ORACLE, oracle(series)))}


def provenance_of(cards: Mapping[str, Mapping[str, Any]], sources: Collection[str], as_of: dt.date) -> str:
    """Write the publishers, licences and citations of the target data."""
    names = {part for one in sources for part in (one, *cards[one].get("derived_from", []))}
    lines = ["# Target data", "", f"As known on {as_of}. Cite the publishers; each keeps its licence.", ""]
    named = [cards[name] for name in sorted(names & set(cards))]
    lines += [f"- {card['publisher']}: {card['citation']} Licence: {card['licence']}." for card in named]
    return "\n".join(lines) + "\n"


def oracle(series: pd.DataFrame) -> pd.DataFrame:
    """``target-data/oracle-output``: of each value of :func:`time_series` the newest version."""
    newest = series.drop_duplicates(["series_id", "target_end_date"], keep="last").dropna(subset=["observation"])
    columns = ["target_end_date", "target", "series_id", "observation"]
    return newest[columns].rename(columns={"observation": "oracle_value"}).reset_index(drop=True)


def changed_values(panels: Sequence[tuple[pd.Timestamp, pd.DataFrame]]) -> pd.DataFrame:
    """Of what was known on several days, the values that were new or other than on the day before.

    Args:
        panels: Days, ascending, each with ``series_id, time_period, obs_value``.

    Returns:
        ``series_id, time_period, obs_value, as_of``; a value that was withdrawn is missing from its day on.
    """
    key = ["series_id", "time_period"]
    known = pd.concat({day: values.set_index(key)["obs_value"] for day, values in panels}, axis=1, names=["as_of"])
    rows = known.melt(value_name="obs_value", ignore_index=False).reset_index()
    now, before = rows["obs_value"], rows.groupby(key)["obs_value"].shift()
    return rows[(now != before) & (now.notna() | before.notna())]
