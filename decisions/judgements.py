"""People's own forecasts: a median and a range become 23 quantiles, kept in the hub and scored like any other model's.

The hub shows their author under a pseudonym of their choice.
"""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri

from access import HAND_IN, Actor
from core import QUANTILE_LEVELS, FloatArray
from core.errors import InputError
from core.languages import marked as _
from core.routes import region_of, route_series, routes_of
from core.schema import Entry
from decisions import Workflow
from decisions.actions import authorize
from forecasting import ENSEMBLE
from hub import config_names, read_config
from hub.own import COLUMNS, config_files, model_metadata
from hub.score import quantile_rows
from hub.submission import read_submission
from reports.numbers import LARGEST
from store import sha256_of_bytes
from store.hub import Edition, SubmissionStore

PLACE = "dashboard"
"""Where such forecasts come from, as the hub records it."""
TEAM = "people"
FEWEST_MEMBERS = 5
"""Authors that a panel must have before its record is shown: of fewer one could guess who said what."""
COVERAGE = 0.8
"""Share of outcomes that the range is meant to hold: four times in five."""
_PSEUDONYM = re.compile(r"[A-Za-z0-9_]{2,16}")


@dataclass(frozen=True)
class Judgement:
    """A person's expectation of one month of one series.

    Attributes:
        series_id: The series.
        origin: Last day of the last month known.
        horizon: Months ahead.
        low: Lower end of the range.
        median: As likely to be passed as not.
        high: Upper end of the range.
    """

    series_id: str
    origin: pd.Timestamp
    horizon: int
    low: float
    median: float
    high: float


def fitted(low: float, median: float, high: float) -> FloatArray:
    """The 23 quantiles of a two-piece normal distribution on log1p scale through three numbers, in persons.

    The numbers are its .10, .50 and .90 quantiles. Wallis 2014, Statistical Science 29(1), on the two-piece normal.

    Raises:
        InputError: The numbers are not in order, negative or too large.
    """
    if not 0 <= low <= median <= high <= LARGEST:
        rule = _("lowest, middle and highest must follow each other, from 0 to {most}")
        raise InputError(rule, most=float(LARGEST))
    scores = ndtri(np.asarray(QUANTILE_LEVELS)) / ndtri((1 + COVERAGE) / 2)
    lower, middle, upper = np.log1p([low, median, high])
    logs = middle + np.where(scores < 0, scores * (middle - lower), scores * (upper - middle))
    return np.asarray(np.clip(np.expm1(logs), 0.0, None))


def people_model(pseudonym: str, panel: str = "") -> str:
    """The model of a person in the hub.

    Raises:
        InputError: The pseudonym or the panel's name cannot stand in a file's name.
    """
    if not _PSEUDONYM.fullmatch(pseudonym) or (panel and not _PSEUDONYM.fullmatch(panel)):
        raise InputError(_("a pseudonym or a panel’s name has 2 to 16 letters without accents, digits or _"))
    return f"{TEAM}-{pseudonym}"


def departures(forecasts: pd.DataFrame, hindcasts: pd.DataFrame, said: pd.DataFrame) -> pd.DataFrame:
    """Whether people's departures from the ensemble helped, of months counted since.

    Args:
        forecasts: ``core.release.HUB_FORECASTS``; only what people submitted in time counts.
        hindcasts: ``core.release.REPLAYS``: what the ensemble would have said, where it was not submitted.
        said: ``model_id, round_id`` of the submissions to look at, and ``panel`` to sum them by.

    Returns:
        By ``panel``: ``n`` forecasts, ``helped`` of them nearer to what was counted than the ensemble's, and
        ``relative_wis``, the ratio of summed scores; below 1 the departures helped.
    """
    both = pd.concat([forecasts, hindcasts], ignore_index=True)
    task = ["series_id", "origin_date", "horizon"]
    beside = both[both["model_id"] == ENSEMBLE].drop_duplicates(task)[[*task, "wis"]]
    own = forecasts[forecasts["timing"] == "in time"]
    own = own.assign(round_id=own["origin_date"].dt.strftime("%Y-%m-%d"))
    rows = own.merge(said, on=["model_id", "round_id"]).merge(beside, on=task, suffixes=("", "_ensemble"))
    rows = rows.dropna(subset=["wis", "wis_ensemble"])
    rows = rows.assign(helped=rows["wis"] < rows["wis_ensemble"])
    sums = rows.groupby("panel", as_index=False).agg(
        n=("wis", "size"), helped=("helped", "sum"), own=("wis", "sum"), ensemble=("wis_ensemble", "sum")
    )
    ratio = sums["own"] / sums["ensemble"].where(sums["ensemble"] > 0)
    return sums.assign(relative_wis=ratio)[["panel", "n", "helped", "relative_wis"]]


def with_judgement(rows: pd.DataFrame | None, judgement: Judgement) -> pd.DataFrame:
    """A person's submission for a round with one more month; it replaces an existing month."""
    end = judgement.origin + pd.offsets.MonthEnd(judgement.horizon)
    values = fitted(judgement.low, judgement.median, judgement.high)
    levels = [f"{level:g}" for level in QUANTILE_LEVELS]
    new = pd.DataFrame({"output_type_id": levels, "value": values.round(3)}).assign(
        origin_date=f"{judgement.origin:%Y-%m-%d}", target=judgement.series_id.split(".")[0],
        series_id=judgement.series_id, horizon=judgement.horizon, target_end_date=f"{end:%Y-%m-%d}",
        output_type="quantile",
    )[COLUMNS]  # fmt: skip
    if rows is None:
        return new
    same = (rows["series_id"] == judgement.series_id) & (rows["horizon"].astype(int) == judgement.horizon)
    return pd.concat([rows[~same], new], ignore_index=True)


def people_metadata(model_id: str) -> bytes:
    """Return the hub's metadata of a person's model: the pseudonym alone."""
    pseudonym = model_id.removeprefix(f"{TEAM}-")
    return model_metadata(
        model_id, "People", pseudonym,
        "Judgement: a median and a range, as a two-piece normal distribution on log scale.",
        model_contributors=[{"name": pseudonym, "affiliation": "Readers of Vigie"}],
        data_inputs="What the dashboard shows, and what the person knows.",
        methods_long="A person names a median and a range that is to hold four outcomes of five.",
    )  # fmt: skip


def hand_in(
    workflow: Workflow, actor: Actor, pseudonym: str, judgement: Judgement, run_id: str, panel: str = ""
) -> Edition:
    """Keep what a person expects of a month, beside what they said before of the same round.

    A pseudonym is theirs from the first time on. ``panel`` is the one as whose member they speak, if any.

    Returns:
        The edition, late where the round had closed.

    Raises:
        NotAllowedError: The person may not hand in forecasts.
        InputError: The numbers or the pseudonym cannot be taken, or the pseudonym is another's.
        StoreError: The disk or the journal refuses.
    """
    model_id = people_model(pseudonym, panel)
    authorize(workflow, actor, HAND_IN, model_id)
    if any(entry.actor != actor.name.strip() for entry in workflow.journal.entries(subject=model_id, action=HAND_IN)):
        raise InputError(_("the pseudonym {name} is somebody else’s: choose another"), name=pseudonym)
    store = SubmissionStore(workflow.home)
    if not store.config(config_names()):
        series = [route_series(code) for code in routes_of([region_of(judgement.series_id.split(".")[1])])]
        files = config_files(series, judgement.origin.date(), "Forecasts of readers")
        store.put_config({name: content for name, content in files.items() if name in config_names()})
    hub, _faults = read_config(store.config(config_names()))
    round_id = f"{judgement.origin:%Y-%m-%d}"
    if hub is None or hub.round_of(round_id) is None:
        raise InputError(_("the hub has no round {round}"), round=round_id)
    before = [one for one in store.all() if (one.model_id, one.round_id) == (model_id, round_id)]
    said = pd.read_csv(io.BytesIO(store.content(before[-1])), dtype={"output_type_id": str}) if before else None
    name = f"{round_id}-{model_id}.csv"
    content = with_judgement(said, judgement).to_csv(index=False).encode()
    submission, faults = read_submission(hub, f"{hub.output_folder}/{model_id}/{name}", content)
    if submission is None:
        raise InputError(faults[0].rule)
    today = dt.datetime.now(dt.UTC).date()
    late = bool(hub.closed_on(round_id, today))
    edition = Edition(model_id, round_id, sha256_of_bytes(content), name, today, late, PLACE)
    store.put_metadata(model_id, people_metadata(model_id))
    if store.add(edition, content):
        store.keep_rows(quantile_rows(submission, hub).assign(sha256=edition.sha256))
    payload = {"round": round_id, "sha256": edition.sha256, "late": edition.late, "panel": panel}
    workflow.journal.record(actor.entry(HAND_IN, model_id, run_id, judgement.series_id, payload))
    return edition


def said_by(entries: Sequence[Entry], author: str) -> pd.DataFrame:
    """What one author has handed in: ``panel`` (the author), ``model_id, round_id``."""
    return _said((author, one.subject, one.payload["round"]) for one in entries if one.actor == author)


def said_by_panels(entries: Sequence[Entry]) -> pd.DataFrame:
    """What panels of five or more authors have handed in: ``panel, model_id, round_id``."""
    authors: dict[str, set[str]] = {}
    of_round = {(one.subject, one.payload["round"]): one for one in entries}  # the last word names the panel
    for one in of_round.values():
        authors.setdefault(one.payload.get("panel", ""), set()).add(one.actor)
    large = {panel for panel, names in authors.items() if panel and len(names) >= FEWEST_MEMBERS}
    said = ((one.payload.get("panel", ""), *key) for key, one in of_round.items())
    return _said(row for row in said if row[0] in large)


def _said(rows: Iterable[tuple[str, str, str]]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["panel", "model_id", "round_id"]).drop_duplicates(ignore_index=True)
