"""The hub in a home: what Vigie hands in, the target data, and what is collected from others."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections import Counter
from collections.abc import Collection
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from core.errors import InputError, SourceError, message
from core.languages import marked as _
from forecasting.quantiles import to_rows
from hub import CONFIG, Hub, config_names, read_config
from hub.outputs import (
    added_to,
    changed_values,
    dated,
    every_version,
    hub_model_id,
    open_series,
    own_metadata,
    own_submissions,
    provenance,
    target_data,
    time_series,
    weekly_name,
)
from hub.score import quantile_rows
from hub.submission import designation_faults, place_of, read_metadata, read_submission
from hub.targets import baseline, config_files, open_round
from nightly import SETTLED_DAYS, RealTimeData
from reports.documents import ALL_MODELS, CATALOGUE
from store import parquet_bytes, sha256_of_bytes
from store.hub import Edition, HubFiles, SubmissionStore
from store.releases import Release
from store.vintages import VintageStore

MONTHS_OF_VINTAGES = 60
"""Month ends before the release whose state of knowledge is written out: what the past rounds of a hub rest on."""
OLDEST_MONTHS = 6
"""Age beyond which a route is not forecast; here only series that a release forecasts are asked for."""
METADATA = "model-metadata"
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
    place.mkdir(parents=True, exist_ok=True)
    files = config_files(published_series(release), release.as_of, name)
    HubFiles(str(place)).write(files)
    return list(files)


def published_series(release: Release) -> list[str]:
    """Series of a release that a hub may hold: those forecast and, by week, those counted by day; of open figures."""
    forecast = pd.concat([release.read(name, ["series_id"]) for name in ("forecasts", "asylum_forecasts")])
    observed = release.read("observations", ["source_id", "series_id"]).drop_duplicates("series_id")
    sources = dict(zip(observed["series_id"], observed["source_id"], strict=True))
    cards = json.loads(release.document(CATALOGUE))
    daily = [one for one in sources if one.startswith("arrivals.") and one.endswith("._T.D")]
    wanted = open_series([*sorted(set(forecast["series_id"])), *sorted(daily)], sources, cards)
    return [weekly_name(one) if one.endswith(".D") else one for one in wanted]


def submit(place: str, release: Release, home: Path) -> list[str]:
    """Write Vigie's forecasts, what it says of its models, and the target data into a hub.

    Returns:
        Lines for a person.

    Raises:
        InputError: There is no readable hub, or Vigie's own files break its rules.
        StoreError: The disk refuses.
    """
    files = HubFiles(place)
    hub = hub_of(files)
    allowed = frozenset().union(
        *(task.allowed.get("series_id", frozenset()) for one in hub.rounds for task in one.tasks)
    )
    open_ones = [one for one in published_series(release) if one in allowed]
    both = pd.concat([release.read("forecasts"), release.read("asylum_forecasts")], ignore_index=True)
    paths = release.read("trajectories")
    weeks = release.read("weeks")
    weeks = weeks[~weeks["origin_date"].dt.is_month_end]  # such a Sunday is the round of its month
    weeks = weeks.assign(target=weeks["series_id"].str.split(".").str[0])
    known = release.read("observations")
    data = RealTimeData(VintageStore(home).history(), release.as_of, OLDEST_MONTHS, MONTHS_OF_VINTAGES)
    both = pd.concat([both, weeks, _weekly_baseline(data, [one for one in open_ones if one.endswith(".W")])])
    both, paths = (rows[rows["series_id"].isin(open_ones)] for rows in (both, paths))
    made = own_submissions(both, paths, release.as_of)
    out: dict[str, bytes] = {}
    for (model_id, round_id), rows in made.items():
        path = f"{hub.output_folder}/{model_id}/{round_id}-{model_id}.parquet"
        kept = files.find(path)
        out[path] = parquet_bytes(added_to(None if kept is None else pd.read_parquet(io.BytesIO(kept)), rows))
        if faults := read_submission(hub, path, out[path])[1]:
            raise InputError(f"not submitted: {faults[0]}")
    for model_id in sorted(both["model_id"].unique()):
        card, version = ALL_MODELS[model_id]
        name = hub_model_id(model_id)
        out[f"{METADATA}/{name}.yml"] = own_metadata(model_id, card.title, card.summary, card.source, version)
    series = target_values(data, open_ones)
    named = known["series_id"].isin(open_ones) | known["series_id"].map(weekly_name).isin(open_ones)
    sources = set(known.loc[named, "source_id"])
    out |= target_data(series)
    out["target-data/README.md"] = provenance(json.loads(release.document(CATALOGUE)), sources, release.as_of).encode()
    files.write(out)
    rounds = sorted({round_id for _model_id, round_id in made})
    return [f"{len(made)} submissions of {len({one for one, _ in made})} models for {', '.join(rounds)}; "
            f"{len(series):,} rows of target data, as known on {release.as_of}"]  # fmt: skip


def _weekly_baseline(data: RealTimeData, series: Collection[str]) -> pd.DataFrame:
    """The baseline of series by week, which a release does not hold, for the round that is open."""
    origin = open_round("W", data.date)
    if origin is None:
        return pd.DataFrame()
    counts = dated(every_version(data.published, series))
    made = to_rows(baseline(counts, pd.DataFrame({"series_id": list(series), "origin_date": origin})))
    return made.assign(target=made["series_id"].str.split(".").str[0])


def target_values(data: RealTimeData, series: Collection[str]) -> pd.DataFrame:
    """``target-data/time-series`` of some series: every version; of the routes each that a month's end knew."""
    routes = [one for one in data.forecastable if one in set(series)]
    today = pd.Timestamp(data.date)
    then = [
        (
            min(origin + pd.Timedelta(days=SETTLED_DAYS), today),
            panel.select([one for one in routes if one in panel.matrix]).long().rename(columns={"value": "obs_value"}),
        )
        for origin, panel in data.past_panels.items()
    ]
    now = data.routes[data.routes["series_id"].isin(routes)][["series_id", "time_period", "obs_value"]]
    others = every_version(data.published, [one for one in series if one not in set(routes)])
    return time_series(pd.concat([changed_values([*then, (today, now)]), others], ignore_index=True))


@dataclass(frozen=True)
class Validation:
    """What became of a hub's files."""

    faults: list[SourceError]
    files: int
    late: int = 0


def validate(place: str, only: Collection[str] | None = None, received: dt.date | None = None) -> Validation:
    """Check a hub: configuration, metadata, submissions.

    Args:
        place: Folder or address.
        only: Paths to look at, each of which must be there; all by default.
        received: Day on which the files come: what comes when its round is not open is a fault then.

    Raises:
        InputError: There is no such folder.
        StoreError: A file cannot be read.
    """
    files = HubFiles(place)
    hub, faults = read_config(_config(files))
    if hub is None:
        return Validation(faults, len(config_names()))
    metadata, metadata_faults = metadata_of(files, hub, only)
    faults += metadata_faults + designation_faults(metadata)
    faults += [SourceError(path, _("is not there, or is a link")) for path in (files.missing(only) if only else ())]
    paths = submission_paths(files, hub, only)
    described = {Path(path).stem for path in _metadata_paths(files)}
    late = 0
    for path in paths:
        _submission, found = read_submission(hub, path, files.read(path))
        faults += found
        where = place_of(hub, path)
        if isinstance(where, SourceError):
            continue
        model_id, round_id = where
        if hub.metadata_schema is not None and model_id not in described:
            faults.append(SourceError(path, message(_("{file} is missing"), file=f"{METADATA}/{model_id}.yml")))
        if received is not None and (window := hub.closed_on(round_id, received)):
            late += 1
            faults.append(
                SourceError(
                    path, message(_("received on {day}: the round is open {window}"), day=str(received), window=window)
                )
            )
    return Validation(faults, len(paths) + len(metadata) + len(metadata_faults), late)


@dataclass
class Collected:
    """What a collection brought."""

    added: list[Edition] = field(default_factory=list)
    refused: dict[str, list[SourceError]] = field(default_factory=dict)

    def degraded(self) -> list[dict[str, str]]:
        """What a night had to do without."""
        faults = [found[0].message for found in self.refused.values()]
        return [one.record(HUB_SOURCE) for one in faults]

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
    editions.put_config(_config(files))
    for path in _metadata_paths(files):
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


def hub_of(files: HubFiles) -> Hub:
    """The configuration of a hub.

    Raises:
        InputError: There is none, or it breaks a rule.
    """
    hub, faults = read_config(_config(files))
    if hub is None:
        raise InputError(f"{files.place}: no readable hub: " + "; ".join(str(one) for one in faults[:3]))
    return hub


def _config(files: HubFiles) -> dict[str, bytes]:
    found = {name: files.find(name) for name in config_names()}
    return {name: content for name, content in found.items() if content is not None}


def _metadata_paths(files: HubFiles) -> list[str]:
    return [path for path in files.names(METADATA) if path.endswith((".yml", ".yaml"))]


def metadata_of(
    files: HubFiles, hub: Hub, only: Collection[str] | None = None
) -> tuple[dict[str, dict[str, object]], list[SourceError]]:
    """What models say of themselves, by model, and what breaks a rule; of all, or of the paths named."""
    found: dict[str, dict[str, object]] = {}
    faults: list[SourceError] = []
    for path in _metadata_paths(files):
        if only is None or path in only:
            about, wrong = read_metadata(hub, path, files.read(path))
            faults += wrong
            if about is not None:
                found[Path(path).stem] = about
    return found, faults


def submission_paths(files: HubFiles, hub: Hub, only: Collection[str] | None = None) -> list[str]:
    """Paths of the submissions of a hub, sorted; all, or those among some."""
    names = [path for path in files.names(hub.output_folder) if not path.rsplit("/", 1)[-1].startswith("README")]
    return [path for path in names if only is None or path in only]
