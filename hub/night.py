"""The hub in a home: what Vigie hands in, what is collected from others, and the hub's part of a night and release.

Beside what teams submitted stand rounds of the past by peers (``data/hub_rounds.parquet``, made by ``python -m
benchmarks.hub_rounds``) and Vigie's own hindcasts.
"""

from __future__ import annotations

import datetime as dt
import io
import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.errors import InputError, SourceError, VigieError, fault_of, message
from core.languages import marked as _
from core.log import get_logger
from core.release import CATALOGUE, HUB_EDITIONS
from core.schema import typed
from core.settings import FEED, SNAPSHOT
from forecasting import ENSEMBLE, ModelCard
from forecasting.quantiles import QuantileTable, to_rows
from hub import CONFIG, Hub, config_names, own, read_config
from hub.files import (
    METADATA,
    config_of,
    hub_of,
    metadata_of,
    metadata_paths,
    outcomes_of,
    quantiles_of,
    submission_paths,
)
from hub.score import IN_TIME, LATE, TABLES, as_quantiles, combine, empty_tables, quantile_rows, release_tables
from hub.submission import place_of, read_metadata, read_submission
from store import make_folder, parquet_bytes, sha256_of_bytes, sha256_of_file, write_bytes
from store.export import ABOUT, PLACED, about_bytes, export_bytes, record_published
from store.hub import LARGEST_FILE, Edition, HubFiles, SubmissionStore, record_receipts
from store.journal import Journal
from store.releases import Release

if TYPE_CHECKING:
    from nightly import RealTimeData

WRITERS = 8
HUB_SOURCE = "vigie-hub"
"""Stands where a degraded source's id stands."""


def init_hub(place: Path, release: Release, name: str) -> list[str]:
    """Write a new hub for what a release forecasts; returns the paths written.

    Raises:
        InputError: The folder holds a hub already.
        StoreError: The disk refuses.
    """
    if (place / CONFIG).exists():
        raise InputError(f"{place}: is a hub already: its configuration is changed by hand, not written anew")
    make_folder(place, private=False)
    files = own.config_files(published_series(release), release.as_of, name)
    HubFiles(str(place)).write(files)
    return list(files)


def published_series(release: Release) -> list[str]:
    """Series of a release that a hub may hold: those forecast and, by week, those counted by day; of open figures."""
    forecast = pd.concat([release.read(name, ["series_id"]) for name in ("forecasts", "asylum_forecasts")])
    observed = release.read("observations", ["source_id", "series_id"]).drop_duplicates("series_id")
    sources = dict(zip(observed["series_id"], observed["source_id"], strict=True))
    cards = json.loads(release.document(CATALOGUE))
    daily = [one for one in sources if one.startswith("arrivals.") and one.endswith("._T.D")]
    wanted = own.open_series([*sorted(set(forecast["series_id"])), *sorted(daily)], sources, cards)
    return [own.weekly_name(one) if one.endswith(".D") else one for one in wanted]


def submit(place: str, release: Release, data: RealTimeData, models: Mapping[str, tuple[ModelCard, str]]) -> list[str]:
    """Write Vigie's forecasts, what it says of its models, and the target data into a hub.

    Args:
        place: The hub's folder or address.
        release: The release whose forecasts are handed in.
        data: What was known on the release's day.
        models: Card and version of every model.

    Returns:
        Lines for a person.

    Raises:
        InputError: There is no readable hub, or Vigie's own files break its rules.
        StoreError: The disk refuses.
    """
    files = HubFiles(place)
    hub = hub_of(files)
    allowed = {name for one in hub.rounds for task in one.tasks for name in task.allowed.get("series_id", ())}
    open_ones = [one for one in published_series(release) if one in allowed]
    both = pd.concat([release.read("forecasts"), release.read("asylum_forecasts")], ignore_index=True)
    paths = release.read("trajectories")
    weeks = release.read("weeks")
    weeks = weeks[~weeks["origin_date"].dt.is_month_end]  # such a Sunday is the round of its month
    weeks = weeks.assign(target=weeks["series_id"].str.split(".").str[0])
    known = release.read("observations")
    both = pd.concat([both, weeks, _weekly_baseline(data, [one for one in open_ones if one.endswith(".W")])])
    both, paths = (rows[rows["series_id"].isin(open_ones)] for rows in (both, paths))
    made = own.own_submissions(both, paths, release.as_of)
    out: dict[str, bytes] = {}
    for (model_id, round_id), rows in made.items():
        path = f"{hub.output_folder}/{model_id}/{round_id}-{model_id}.parquet"
        kept = files.find(path)
        out[path] = parquet_bytes(own.added_to(None if kept is None else pd.read_parquet(io.BytesIO(kept)), rows))
        if faults := read_submission(hub, path, out[path])[1]:
            raise InputError(f"not submitted: {faults[0]}")
    for model_id in sorted(both["model_id"].unique()):
        out[f"{METADATA}/{own.hub_model_id(model_id)}.yml"] = own.own_metadata(model_id, *models[model_id])
    series = target_values(data, open_ones)
    named = known["series_id"].isin(open_ones) | known["series_id"].map(own.weekly_name).isin(open_ones)
    sources = set(known.loc[named, "source_id"])
    out |= own.target_data(series)
    provenance = own.provenance_of(json.loads(release.document(CATALOGUE)), sources, release.as_of)
    out["target-data/README.md"] = provenance.encode()
    files.write(out)
    rounds = sorted({round_id for _model_id, round_id in made})
    return [f"{len(made)} submissions of {len({one for one, _ in made})} models for {', '.join(rounds)}; "
            f"{len(series):,} rows of target data, as known on {release.as_of}"]  # fmt: skip


def _weekly_baseline(data: RealTimeData, series: Collection[str]) -> pd.DataFrame:
    """The baseline of series by week, which a release does not hold, for the round that is open."""
    if (origin := own.open_round("W", data.date)) is None:
        return pd.DataFrame()
    counts = own.dated(own.every_version(data.published, series))
    made = to_rows(own.baseline(counts, pd.DataFrame({"series_id": list(series), "origin_date": origin})))
    return made.assign(target=made["series_id"].str.split(".").str[0])


def target_values(data: RealTimeData, series: Collection[str]) -> pd.DataFrame:
    """``target-data/time-series`` of some series: every version; of routes each version known at a month's end."""
    routes = [one for one in data.forecastable if one in set(series)]
    then = [
        (
            pd.Timestamp(data.settled(origin.date())),
            panel.select([one for one in routes if one in panel.matrix]).long().rename(columns={"value": "obs_value"}),
        )
        for origin, panel in data.past_panels.items()
    ]
    now = data.routes[data.routes["series_id"].isin(routes)][["series_id", "time_period", "obs_value"]]
    others = own.every_version(data.published, [one for one in series if one not in set(routes)])
    changed = own.changed_values([*then, (pd.Timestamp(data.date), now)])
    return own.time_series(pd.concat([changed, others], ignore_index=True))


@dataclass
class Collected:
    """What a collection brought."""

    added: list[Edition] = field(default_factory=list)
    refused: dict[str, list[SourceError]] = field(default_factory=dict)

    def degraded(self) -> list[dict[str, str]]:
        """What a night had to do without."""
        return [found[0].message.record(HUB_SOURCE) for found in self.refused.values()]

    def summary(self) -> list[str]:
        """Lines for a person."""
        counts = Counter("late" if one.late else "in time" for one in self.added)
        lines = [f"hub: {len(self.added)} new submissions" + "".join(f", {n} {word}" for word, n in counts.items())]
        lines += [f"refused: {found[0]}" + (f" (and {len(found) - 1} more)" if len(found) > 1 else "")
                  for found in self.refused.values()]  # fmt: skip
        return lines


def collect(place: str, home: Path, received: dt.date) -> Collected:
    """Take in what is new in a hub: each file checked, kept as it came, marked late where its round had closed.

    A file that breaks a rule is named and left; the others are taken.

    Raises:
        InputError: There is no hub, or its configuration breaks a rule.
        StoreError: The hub cannot be read, or the home not written.
    """
    files, editions, out = HubFiles(place), SubmissionStore(home), Collected()
    hub = hub_of(files)
    editions.put_config(config_of(files))
    for path in metadata_paths(files):
        content = files.read(path)
        if found := read_metadata(hub, path, content)[1]:
            out.refused[path] = found
        else:
            editions.put_metadata(Path(path).stem, content)
    described = {model_id for model_id, _content in editions.metadata()}
    known = {(one.model_id, one.round_id, one.sha256) for one in editions.all()}
    kept: dict[Edition, tuple[Future[bool], pd.DataFrame]] = {}
    with ThreadPoolExecutor(WRITERS) as pool:  # the next file is read while the disk is waited for
        for path in submission_paths(files, hub):
            content = files.read(path)
            sha256, where = sha256_of_bytes(content), place_of(hub, path)
            if not isinstance(where, SourceError) and (*where, sha256) in known:
                continue
            submission, found = read_submission(hub, path, content)
            if submission is not None and submission.model_id not in described and hub.metadata_schema is not None:
                described_in = f"{METADATA}/{submission.model_id}.yml"
                found = [SourceError(path, message(_("{file} is missing, or breaks a rule"), file=described_in))]
            if found or submission is None:
                out.refused[path] = found
                continue
            late = bool(hub.closed_on(submission.round_id, received))
            name = path.rsplit("/", 1)[-1]
            edition = Edition(submission.model_id, submission.round_id, sha256, name, received, late, place)
            rows = quantile_rows(submission, hub).assign(sha256=sha256)
            kept[edition] = pool.submit(editions.add, edition, content), rows
    out.added = [edition for edition, (is_new, _rows) in kept.items() if is_new.result()]
    if out.added:
        editions.keep_rows(pd.concat([kept[edition][1] for edition in out.added], ignore_index=True))
    return out


def combine_hub(place: str) -> dict[str, bytes]:
    """The hub's ensembles as submissions, for every round in which two designated models took part.

    What an ensemble has said of a round stays as it was; it is left out here.

    Returns:
        Files by path, metadata among them.

    Raises:
        InputError: There is no readable hub.
        StoreError: A file cannot be read.
    """
    files = HubFiles(place)
    hub = hub_of(files)
    rows = [part for part in quantiles_of(files, hub) if len(part)]
    members = [name for name, words in metadata_of(files, hub)[0].items() if words.get("designated_model")]
    if not rows:
        return {}
    table = as_quantiles(pd.concat(rows, ignore_index=True))[0]
    made = combine(table, outcomes_of(files, hub, table.keys), members)
    out: dict[str, bytes] = {}
    for (model_id, origin), part in made.keys.groupby(["model_id", "origin_date"]):
        path = f"{hub.output_folder}/{model_id}/{origin:%Y-%m-%d}-{model_id}.parquet"
        if files.find(path) is None:
            forecasts = QuantileTable(part.reset_index(drop=True), made.quantiles[part.index])
            named = to_rows(forecasts).assign(target=lambda frame: frame["series_id"].str.split(".").str[0])
            out[path] = parquet_bytes(own.tidy(named))
            out[f"{METADATA}/{model_id}.yml"] = own.ensemble_metadata(str(model_id))
            if faults := read_submission(hub, path, out[path])[1]:
                raise InputError(f"not written: {faults[0]}")
    return out


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
        raise InputError(f"{ROUNDS}: does not match {ROUNDS_ABOUT}; run `python -m benchmarks.hub_rounds`")
    return as_quantiles(pd.read_parquet(path))[0], facts["models"]


def hub_tables(hindcasts: pd.DataFrame, counts: pd.DataFrame, home: Path, date: dt.date) -> dict[str, pd.DataFrame]:
    """The tables of a release about the hub, as :func:`hub.score.release_tables`.

    Raises:
        StoreError: What was collected cannot be read.
        InputError: The bundled rounds are not what their record describes.
    """
    replayed, about = read_rounds()
    received, editions, own_words = collected(home, date)
    return release_tables(replayed, received, editions, about | own_words, hindcasts, counts, date)


def brought(
    data: RealTimeData, hindcasts: pd.DataFrame, asylum: Mapping[str, pd.DataFrame], past: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What a night brings to the hub: hindcasts under the names of rounds, and every version of what was counted.

    Args:
        data: What was known when.
        hindcasts: Quantile rows of the routes; each origin is a round.
        asylum: Tables ``asylum_series`` and ``asylum_forecasts`` of the release.
        past: Hindcasts of asylum applications, whose figures come later than their rounds.
    """
    routes = own.dated(
        data.outcome_panel.long().rename(columns={"value": "obs_value"}).assign(as_of=np.datetime64("NaT", "ns"))
    )
    daily = data.published.loc[data.published["freq"] == "D", "series_id"].astype(str).unique()
    states = [asylum[name]["series_id"] for name in ("asylum_series", "asylum_forecasts")]
    series = sorted({*pd.concat(states), *map(own.weekly_name, daily)})
    counts = own.dated(own.every_version(data.published, series))
    ensemble = past[past["model_id"] == ENSEMBLE]
    made = [hindcasts, own.replayed(ensemble, counts)] if len(ensemble) else [hindcasts]
    return pd.concat(made, ignore_index=True), pd.concat([routes, counts], ignore_index=True)


def collect_night(place: str, home: Path, journal: Journal, today: dt.date) -> list[dict[str, str]]:
    """Collect what is new. Nothing that is wrong with a hub may hold the night: it is named instead.

    Args:
        place: The hub's folder or address; an empty text for none.
        home: The home folder.
        journal: Where receipts are recorded.
        today: The day on which files are received.

    Returns:
        What the night had to do without.
    """
    try:
        if not place:
            return []
        found = collect(place, home, today)
        record_receipts(journal, found.added)
        return found.degraded()
    except Exception as error:
        return [left_out(error)]


def hub_of_night(
    home: Path, data: RealTimeData, hindcasts: pd.DataFrame, asylum: Mapping[str, pd.DataFrame], past: pd.DataFrame
) -> tuple[dict[str, pd.DataFrame], list[dict[str, str]]]:
    """The tables, as :func:`hub_tables`, and what the night had to do without; empty tables where they fail."""
    try:
        return hub_tables(*brought(data, hindcasts, asylum, past), home, data.date), []
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
    try:
        files: dict[str, Callable[[], bytes]] = {}
        for table in TABLES:
            files[f"{table.name}.csv"] = partial(bytes, export_bytes(release, table.name, "csv"))
            files[f"{table.name}.csv{ABOUT}"] = partial(about_bytes, release, table.name)
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
        is_below = (out / name).resolve().is_relative_to(out.resolve())  # the names are another hub's
        if is_below and len(found := content()) <= LARGEST_FILE:
            hashes[name] = sha256_of_bytes(found)
    written = {f"{PUBLISHED}/{name}": sha256 for name, sha256 in hashes.items()}
    record_published(journal, written)
    for name, sha256 in hashes.items():
        if not ((out / name).is_file() and sha256_of_file(out / name) == sha256):
            write_bytes(out / name, files[name]())
    record_published(journal, written, PLACED)


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
    if (hub := read_config(config)[0]) is None:
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
    if not (editions := [one for one in store.all() if one.received <= date]):
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
