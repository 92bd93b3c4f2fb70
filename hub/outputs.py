"""Vigie's own part in a hub: its models' forecasts, what it says of them, and target data from open figures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import yaml

from core.calendar import end_dates
from core.languages import marked as _
from core.routes import is_own
from forecasting import BASELINE, ENSEMBLE, ModelCard
from hub.targets import FEWEST_SAMPLES, frequency, handed_in

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
    known = pd.MultiIndex.from_frame(kept[TASK].drop_duplicates())
    fresh = new[~pd.MultiIndex.from_frame(new[TASK]).isin(known)]
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
    frame = dated(values)
    return pd.DataFrame(
        {
            "target_end_date": frame["target_end_date"].dt.date,
            "target": frame["series_id"].str.split(".").str[0],
            "series_id": frame["series_id"],
            "observation": frame["value"],
            "as_of": pd.to_datetime(frame["as_of"]).dt.date,
        }
    )


def target_data(series: pd.DataFrame) -> dict[str, bytes]:
    """Both files of target data, from :func:`time_series`."""
    return {path: rows.to_csv(index=False).encode() for path, rows in ((TIME_SERIES, series), (ORACLE, oracle(series)))}


def provenance(cards: Mapping[str, Mapping[str, Any]], sources: Collection[str], as_of: dt.date) -> str:
    """Write the publishers, licences and citations of the target data."""
    names = {part for one in sources for part in (one, *cards[one].get("derived_from", []))}
    lines = ["# Target data", "", f"As known on {as_of}. Cite the publishers; each keeps its licence.", ""]
    for name in sorted(names & set(cards)):
        card = cards[name]
        lines.append(f"- {card['publisher']}: {card['citation']} Licence: {card['licence']}.")
    return "\n".join(lines) + "\n"


def oracle(series: pd.DataFrame) -> pd.DataFrame:
    """``target-data/oracle-output``: of each value of :func:`time_series` the newest version."""
    newest = series.drop_duplicates(["series_id", "target_end_date"], keep="last").dropna(subset=["observation"])
    columns = ["target_end_date", "target", "series_id", "observation"]
    out: pd.DataFrame = newest[columns].rename(columns={"observation": "oracle_value"}).reset_index(drop=True)
    return out


def changed_values(panels: Sequence[tuple[pd.Timestamp, pd.DataFrame]]) -> pd.DataFrame:
    """Of what was known on several days, the values that were new or other than on the day before.

    Args:
        panels: Days, ascending, each with ``series_id, time_period, obs_value``.

    Returns:
        ``series_id, time_period, obs_value, as_of``; a value that was withdrawn is missing from its day on.
    """
    key = ["series_id", "time_period"]
    known = pd.Series(dtype=float)
    parts = []
    for day, values in panels:
        now = values.set_index(key)["obs_value"]
        before = known.reindex(now.index)
        new = now[~(now == before)]
        gone = known[~known.index.isin(now.index) & known.notna()] * float("nan")
        both = pd.concat([one for one in (new, gone) if len(one)]) if len(new) or len(gone) else new
        parts.append(both.rename("obs_value").rename_axis(key).reset_index().assign(as_of=day))
        known = pd.concat([now, gone[~gone.index.isin(now.index)]]) if len(gone) else now
    changed: pd.DataFrame = pd.concat(parts, ignore_index=True)
    return changed
