"""Scores and ensembles of any hub, Vigie's or another's, from its own files alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from core import FloatArray
from core.errors import InputError
from core.log import get_logger
from forecasting.quantiles import QuantileTable, to_rows
from hub import Hub
from hub.outputs import ensemble_metadata, tidy
from hub.score import as_quantiles, combine, grid, league, oracle_values, outcomes_at, quantile_rows
from hub.submission import read_submission
from nightly.hub import METADATA, hub_of, metadata_of, submission_paths
from store import parquet_bytes
from store.hub import HubFiles


def score_hub(place: str, baseline: str) -> pd.DataFrame:
    """The league table of a hub (:func:`hub.score.league`).

    Files that break a rule are left out and named in the log.

    Raises:
        InputError: There is no readable hub, no oracle output, or nothing to score.
        StoreError: A file cannot be read.
    """
    files = HubFiles(place)
    hub = hub_of(files)
    rows = [part for part in _rows(files, hub) if len(part)]
    if not rows:
        raise InputError(f"{place}: no submission with quantiles keeps the hub's rules")
    table, levels = as_quantiles(pd.concat(rows, ignore_index=True))
    if np.isnan(table.quantiles).any():
        raise InputError(f"{place}: submissions have different quantile levels: they cannot be compared")
    if baseline not in set(table.keys["model_id"]):
        names = ", ".join(sorted(set(table.keys["model_id"]))[:10])
        raise InputError(f"--baseline {baseline}: no such model; there are {names}")
    scored = league(grid(table, _outcomes(files, hub, table.keys), levels), baseline)
    if scored.empty:
        raise InputError(f"{place}: no outcome of a forecast is known yet")
    return scored


def _rows(files: HubFiles, hub: Hub) -> Iterator[pd.DataFrame]:
    for path in submission_paths(files, hub):
        submission, faults = read_submission(hub, path, files.read(path))
        if submission is None:
            get_logger().warning("submission left out", file=path, reason=str(faults[0]))
        else:
            yield quantile_rows(submission, hub)


def _outcomes(files: HubFiles, hub: Hub, keys: pd.DataFrame) -> FloatArray:
    """The oracle's value of each forecast, NaN where it has none."""
    names = [
        name for name in files.names("target-data") if "oracle-output" in name and name.endswith((".csv", ".parquet"))
    ]
    if not names:
        raise InputError(f"{files.place}: target-data holds no oracle-output")
    return outcomes_at(keys, oracle_values({name: files.read(name) for name in names}, hub.rounds[0].columns))


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
    rows = [part for part in _rows(files, hub) if len(part)]
    members = [name for name, words in metadata_of(files, hub)[0].items() if words.get("designated_model")]
    if not rows:
        return {}
    table = as_quantiles(pd.concat(rows, ignore_index=True))[0]
    made = combine(table, _outcomes(files, hub, table.keys), members)
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
