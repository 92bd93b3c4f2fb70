"""The hub in a release: who takes part, what was received, the forecasts over outcomes, the league table.

Beside what teams submitted stand rounds of the past by peers (``data/hub_rounds.parquet``, made by ``python -m
benchmarks.hub_rounds``) and Vigie's own hindcasts. These are replays, made afterwards on what was known at the time:
they are marked so, and never counted as submitted in time.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.errors import InputError, VigieError, fault_of
from core.log import get_logger
from core.release import HUB_EDITIONS
from core.schema import typed
from core.settings import FEED, SNAPSHOT
from forecasting import ENSEMBLE
from forecasting.quantiles import QuantileTable
from hub import Hub, config_names, read_config
from hub.files import METADATA
from hub.outputs import dated, every_version, weekly_name
from hub.score import as_quantiles, quantile_rows
from hub.submission import read_metadata, read_submission
from hub.tables import IN_TIME, LATE, TABLES, empty_tables, release_tables
from hub.targets import replayed as replayed_rows
from nightly import RealTimeData
from nightly.asylum import Asylum
from nightly.hub import HUB_SOURCE, collect
from store import sha256_of_bytes, sha256_of_file, write_bytes
from store.export import ABOUT, PLACED, about_bytes, export_bytes, tell_published
from store.hub import LARGEST_FILE, Edition, HubFiles, SubmissionStore
from store.journal import Journal
from store.releases import Release

ROUNDS, ROUNDS_ABOUT = "hub_rounds.parquet", "hub_rounds.json"
PUBLISHED = "hub"
"""Folder of the tables for machines."""
DATA_FILES = (".csv", ".parquet", ".json", ".md")


def read_rounds() -> tuple[QuantileTable | None, dict[str, dict[str, Any]]]:
    """Peers' past rounds and what they are; None where there are none.

    Raises:
        InputError: The table is not the one that its record describes.
    """
    path, about = SNAPSHOT / ROUNDS, SNAPSHOT / ROUNDS_ABOUT
    if not path.exists():
        return None, {}
    facts = json.loads(about.read_text(encoding="utf-8")) if about.exists() else {}
    if facts.get("sha256") != sha256_of_file(path):
        raise InputError(f"{ROUNDS}: not the table that {ROUNDS_ABOUT} tells of; run `python -m benchmarks.hub_rounds`")
    return as_quantiles(pd.read_parquet(path))[0], facts["models"]


def hub_tables(hindcasts: pd.DataFrame, counts: pd.DataFrame, home: Path, date: dt.date) -> dict[str, pd.DataFrame]:
    """The tables of a release about the hub, as :func:`hub.tables.release_tables`.

    Raises:
        StoreError: What was collected cannot be read.
        InputError: The bundled rounds are not what their record describes.
    """
    replayed, about = read_rounds()
    received, editions, own_words = collected(home, date)
    return release_tables(replayed, received, editions, about | own_words, hindcasts, counts, date)


def brought(data: RealTimeData, hindcasts: pd.DataFrame, asylum: Asylum) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What a night brings to the hub: hindcasts under the names of rounds, and every version of what was counted.

    Args:
        data: What was known when.
        hindcasts: Quantile rows of the routes; each origin is a round.
        asylum: Forecasts and hindcasts of asylum applications, whose figures come later than their rounds.
    """
    routes = dated(
        data.outcome_panel.long().rename(columns={"value": "obs_value"}).assign(as_of=np.datetime64("NaT", "ns"))
    )
    daily = data.published.loc[data.published["freq"] == "D", "series_id"].astype(str).unique()
    states = [asylum.frames[name]["series_id"] for name in ("asylum_series", "asylum_forecasts")]
    counts = dated(every_version(data.published, sorted({*pd.concat(states), *(weekly_name(one) for one in daily)})))
    own = asylum.hindcasts[asylum.hindcasts["model_id"] == ENSEMBLE]
    made = [hindcasts, replayed_rows(own, counts)] if len(own) else [hindcasts]
    return (
        pd.concat(made, ignore_index=True),
        pd.concat([routes, counts], ignore_index=True),
    )


def collect_night(place: str, home: Path, today: dt.date) -> list[dict[str, str]]:
    """Collect what is new. Nothing that is wrong with a hub may hold the night: it is named instead.

    Args:
        place: The hub's folder or address; an empty text for none.
        home: The home folder.
        today: The day on which files are received.

    Returns:
        What the night had to do without.
    """
    try:
        return collect(place, home, today).degraded() if place else []
    except Exception as error:
        return [left_out(error)]


def hub_of_night(
    home: Path, data: RealTimeData, hindcasts: pd.DataFrame, asylum: Asylum
) -> tuple[dict[str, pd.DataFrame], list[dict[str, str]]]:
    """The tables, as :func:`hub_tables`, and what the night had to do without; empty tables where they fail."""
    try:
        return hub_tables(*brought(data, hindcasts, asylum), home, data.date), []
    except Exception as error:
        return empty_tables(), [left_out(error)]


def left_out(error: Exception) -> dict[str, str]:
    """What a night says of a hub that it had to do without."""
    if not isinstance(error, VigieError):
        get_logger().error("the hub was left out", exc_info=True)
    return fault_of(error).record(HUB_SOURCE)


def publish_tables(home: Path, journal: Journal, release: Release, place: str) -> None:
    """Put the hub and a release's tables about it where machines and others find them, ``published/hub``.

    Every file is recorded in the journal before it is written. A disk that refuses is logged: the release stands, and
    the next night writes them again.

    Args:
        home: The home folder.
        journal: Its journal.
        release: The night's release.
        place: The hub's folder or address, an empty text for none.
    """
    files: dict[str, Callable[[], bytes]] = {}
    for table in TABLES:
        files[f"{table.name}.csv"] = partial(export_bytes, release, table.name, "csv")
        files[f"{table.name}.csv{ABOUT}"] = partial(about_bytes, release, table.name)
    try:
        publish_files(home, journal, files | hub_files(home, place))
    except VigieError as error:
        get_logger().warning("the hub was not published", reason=str(error))


def publish_files(home: Path, journal: Journal, files: Mapping[str, Callable[[], bytes]]) -> None:
    """Write files below ``published/hub`` that are not there as they should be; too large ones are left out.

    Raises:
        VigieError: One cannot be read or written.
    """
    out = home / FEED / PUBLISHED
    hashes: dict[str, str] = {}
    for name, content in files.items():
        if (out / name).resolve().is_relative_to(out.resolve()):  # the names are another hub's
            found = content()
            if len(found) <= LARGEST_FILE:
                hashes[name] = sha256_of_bytes(found)
    told = {f"{PUBLISHED}/{name}": sha256 for name, sha256 in hashes.items()}
    tell_published(journal, told)
    for name, sha256 in hashes.items():
        if not ((out / name).is_file() and sha256_of_file(out / name) == sha256):
            write_bytes(out / name, files[name]())
    tell_published(journal, told, PLACED)


def hub_files(home: Path, place: str) -> dict[str, Callable[[], bytes]]:
    """The hub itself: what was taken in, the configuration, and the target data; a refused submission is not among it.

    Args:
        home: The home folder.
        place: The hub's folder or address, an empty text for none.

    Returns:
        What reads each file, by its path in the hub.
    """
    store = SubmissionStore(home)
    config = store.config(config_names())
    hub = read_config(config)[0]
    if hub is None:
        return {}
    files: dict[str, Callable[[], bytes]] = {name: partial(config.__getitem__, name) for name in config}
    words = dict(store.metadata())
    files |= {f"{METADATA}/{name}.yml": partial(words.__getitem__, name) for name in words}
    for one in _counting(store.all()):
        files[f"{hub.output_folder}/{one.model_id}/{one.file}"] = partial(store.content, one)
    if place:
        there = HubFiles(place)
        names = [name for folder in ("target-data", "auxiliary-data") for name in there.names(folder)]
        files |= {name: partial(there.read, name) for name in names if name.endswith(DATA_FILES)}
    return files


def collected(home: Path, date: dt.date) -> tuple[QuantileTable | None, pd.DataFrame, dict[str, dict[str, Any]]]:
    """Of each model and round the edition that counts, every edition's record, and the models' words."""
    store = SubmissionStore(home)
    editions = [one for one in store.all() if one.received <= date]
    if not editions:
        return None, HUB_EDITIONS.empty(), {}
    records = pd.DataFrame([vars(one) for one in editions]).astype({"received": "datetime64[ns]"})
    hub, faults = read_config(store.config(config_names()))
    if hub is None:
        raise InputError(f"the hub's configuration that was kept is not readable: {faults[0]}")
    table = _rows_of(_counting(editions), store, hub)
    words = {name: read_metadata(hub, f"{METADATA}/{name}.yml", content)[0] or {} for name, content in store.metadata()}
    return table, typed(records, HUB_EDITIONS), words


def _counting(editions: Sequence[Edition]) -> list[Edition]:
    """Of each model and round the edition that counts: the last in time, else the last."""
    counts: dict[tuple[str, str], Edition] = {}
    for one in editions:  # in order of receipt
        before = counts.get((one.model_id, one.round_id))
        if before is None or before.late or not one.late:
            counts[one.model_id, one.round_id] = one
    return list(counts.values())


def _rows_of(editions: Sequence[Edition], store: SubmissionStore, hub: Hub) -> QuantileTable | None:
    """Quantiles of editions: as they were kept when they were collected, else read again."""
    timing = {one.sha256: LATE if one.late else IN_TIME for one in editions}
    kept = store.rows()
    parts = [kept[kept["sha256"].isin(timing)].astype({"sha256": object})] if len(kept) else []
    known = set(parts[0]["sha256"]) if parts else set()
    for one in editions:
        if one.sha256 in known:
            continue
        path = f"{hub.output_folder}/{one.model_id}/{one.file}"
        submission, _faults = read_submission(hub, path, store.content(one))
        if submission is not None and len(rows := quantile_rows(submission, hub)):
            parts.append(rows.assign(sha256=one.sha256))
    if not parts:
        return None
    rows = pd.concat(parts, ignore_index=True).astype({"model_id": object, "series_id": object})
    return as_quantiles(rows.assign(timing=rows["sha256"].map(timing)).drop(columns="sha256"))[0]
