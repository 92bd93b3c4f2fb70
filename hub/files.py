"""A hub's files: checked, read and scored, Vigie's own hub or another's, from its files alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core import FloatArray
from core.errors import InputError, SourceError, message
from core.languages import marked as _
from core.log import get_logger
from hub import Hub, config_names, read_config
from hub.score import as_quantiles, grid, league, oracle_values, outcomes_at, quantile_rows
from hub.submission import designation_faults, place_of, read_metadata, read_submission

if TYPE_CHECKING:
    from store.hub import HubFiles

METADATA = "model-metadata"


def validate(
    files: HubFiles, only: Collection[str] | None = None, received: dt.date | None = None
) -> tuple[list[SourceError], int]:
    """Check a hub: configuration, metadata, submissions.

    Args:
        files: The hub.
        only: Paths to look at, each of which must be there; all by default.
        received: Day on which the files come: what comes when its round is not open is a fault then.

    Returns:
        What breaks a rule, and the number of files looked at.

    Raises:
        InputError: There is no such folder.
        StoreError: A file cannot be read.
    """
    hub, faults = read_config(config_of(files))
    if hub is None:
        return faults, len(config_names())
    metadata, metadata_faults = metadata_of(files, hub, only)
    faults += [*metadata_faults, *designation_faults(metadata)]
    faults += [SourceError(path, _("is not there, or is a link")) for path in (files.missing(only) if only else ())]
    paths = submission_paths(files, hub, only)
    described = {Path(path).stem for path in metadata_paths(files)}
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
            faults.append(
                SourceError(
                    path, message(_("received on {day}: the round is open {window}"), day=str(received), window=window)
                )
            )
    return faults, len(paths) + len(metadata) + len(metadata_faults)


def hub_of(files: HubFiles) -> Hub:
    """The configuration of a hub.

    Raises:
        InputError: There is none, or it breaks a rule.
    """
    hub, faults = read_config(config_of(files))
    if hub is None:
        raise InputError(f"{files.place}: no readable hub: " + "; ".join(str(one) for one in faults[:3]))
    return hub


def config_of(files: HubFiles) -> dict[str, bytes]:
    """Read the configuration's files, by name."""
    found = {name: files.find(name) for name in config_names()}
    return {name: content for name, content in found.items() if content is not None}


def metadata_paths(files: HubFiles) -> list[str]:
    """List the files in which models are described."""
    return [path for path in files.names(METADATA) if path.endswith((".yml", ".yaml"))]


def metadata_of(
    files: HubFiles, hub: Hub, only: Collection[str] | None = None
) -> tuple[dict[str, dict[str, object]], list[SourceError]]:
    """What models say of themselves, by model, and what breaks a rule; of all, or of the paths named."""
    found: dict[str, dict[str, object]] = {}
    faults: list[SourceError] = []
    for path in metadata_paths(files):
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


def score_hub(files: HubFiles, baseline: str) -> pd.DataFrame:
    """The league table of a hub (:func:`hub.score.league`).

    Files that break a rule are left out and named in the log.

    Raises:
        InputError: There is no readable hub, no oracle output, or nothing to score.
        StoreError: A file cannot be read.
    """
    hub = hub_of(files)
    if not (rows := [part for part in quantiles_of(files, hub) if len(part)]):
        raise InputError(f"{files.place}: no submission with quantiles keeps the hub's rules")
    table, levels = as_quantiles(pd.concat(rows, ignore_index=True))
    if np.isnan(table.quantiles).any():
        raise InputError(f"{files.place}: submissions have different quantile levels: they cannot be compared")
    if baseline not in set(table.keys["model_id"]):
        names = ", ".join(sorted(set(table.keys["model_id"]))[:10])
        raise InputError(f"--baseline {baseline}: no such model; there are {names}")
    scored = league(grid(table, outcomes_of(files, hub, table.keys), levels), baseline)
    if scored.empty:
        raise InputError(f"{files.place}: no outcome of a forecast is known yet")
    return scored


def quantiles_of(files: HubFiles, hub: Hub) -> Iterator[pd.DataFrame]:
    """Read each submission's quantiles; one that breaks a rule is named in the log and left out."""
    for path in submission_paths(files, hub):
        submission, faults = read_submission(hub, path, files.read(path))
        if submission is None:
            get_logger().warning("submission left out", file=path, reason=str(faults[0]))
        else:
            yield quantile_rows(submission, hub)


def outcomes_of(files: HubFiles, hub: Hub, keys: pd.DataFrame) -> FloatArray:
    """The oracle's value of each forecast, NaN where it has none."""
    names = [
        name for name in files.names("target-data") if "oracle-output" in name and name.endswith((".csv", ".parquet"))
    ]
    if not names:
        raise InputError(f"{files.place}: target-data holds no oracle-output")
    return outcomes_at(keys, oracle_values({name: files.read(name) for name in names}, hub.rounds[0].columns))
