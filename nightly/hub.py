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
from forecasting.quantiles import QuantileTable, to_rows
from hub import CONFIG
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
from hub.outputs import (
    added_to,
    changed_values,
    dated,
    ensemble_metadata,
    every_version,
    hub_model_id,
    open_series,
    own_metadata,
    own_submissions,
    provenance,
    target_data,
    tidy,
    time_series,
    weekly_name,
)
from hub.score import as_quantiles, combine, quantile_rows
from hub.submission import place_of, read_metadata, read_submission
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
            own = QuantileTable(part.reset_index(drop=True), made.quantiles[part.index])
            named = to_rows(own).assign(target=lambda frame: frame["series_id"].str.split(".").str[0])
            out[path] = parquet_bytes(tidy(named))
            out[f"{METADATA}/{model_id}.yml"] = ensemble_metadata(str(model_id))
    for path, content in out.items():
        if path.startswith(hub.output_folder) and (faults := read_submission(hub, path, content)[1]):
            raise InputError(f"not written: {faults[0]}")
    return out
