"""The hub's tables of a release: who takes part, what was received, the forecasts over outcomes, the league table.

Rounds of the past by peers and Vigie's own hindcasts are replays, made afterwards on what was known at the time: they
are marked so, and never counted as submitted in time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pandas as pd

from core.release import HUB_EDITIONS, HUB_FORECASTS, HUB_MODELS, HUB_SCORES
from core.schema import typed
from forecasting import BASELINE
from forecasting.quantiles import QuantileTable, stack, to_matrix
from forecasting.verification import with_bounds
from hub.outputs import DESIGNATED, ENSEMBLES, TEAM
from hub.score import by_unit, combine, grid, league, outcomes_at, unit_of
from hub.targets import RHYTHMS, baseline, frequency

IN_TIME, LATE, REPLAY, EVERYTHING = "in time", "late", "replay", "all"
ROUTES = ("arrivals", "M")
TABLES = (HUB_MODELS, HUB_EDITIONS, HUB_FORECASTS, HUB_SCORES)
ROUND_KEYS = ["model_id", "series_id", "origin_date", "horizon", "target_end_date"]


def release_tables(
    replayed: QuantileTable | None,
    received: QuantileTable | None,
    editions: pd.DataFrame,
    about: Mapping[str, Mapping[str, Any]],
    hindcasts: pd.DataFrame,
    counts: pd.DataFrame,
    date: dt.date,
) -> dict[str, pd.DataFrame]:
    """Make the tables of a release about the hub.

    Args:
        replayed: Peers' forecasts of past rounds.
        received: Of each model and round the submission that counts, with its ``timing``.
        editions: Every submission (``HUB_EDITIONS``).
        about: What models say of themselves.
        hindcasts: Quantile rows of Vigie's models, under the names of past rounds.
        counts: ``series_id, target_end_date, value, as_of`` of every version of what was counted. Where hindcasts lack
            the baseline it is made of them; without ``as_of`` it is not.
        date: The night's day: rounds that close later are not in its release.

    Returns:
        ``hub_models``, ``hub_editions``, ``hub_forecasts`` and ``hub_scores``.
    """
    others = [] if replayed is None else [_timed(_bare(_closed(replayed, date)), REPLAY)]
    others += [] if received is None else [_timed(_bare(received), received.keys["timing"])]
    if not any(len(one.keys) for one in others):
        return empty_tables()
    everything = with_own(stack(others), hindcasts, counts)
    newest = counts.drop_duplicates(["series_id", "target_end_date"], keep="last").dropna(subset=["value"])
    outcomes = newest.set_index(["series_id", "target_end_date"])["value"]
    members = designated(about)
    scores = []
    for name in (IN_TIME, EVERYTHING):
        chosen = everything if name == EVERYTHING else everything.where(everything.keys["timing"] == IN_TIME)
        made = _not_in(chosen, combine(chosen, outcomes_at(chosen.keys, outcomes), members))
        whole = stack([chosen, _timed(made, REPLAY if name == EVERYTHING else IN_TIME)])
        for (target, freq), part, (observed,) in by_unit(whole, outcomes_at(whole.keys, outcomes)):
            if BASELINE in set(part.keys["model_id"]):
                lines = league(grid(part, observed), BASELINE, freq or "M")
                scores.append(lines.assign(timing=name, target=target, freq=freq))
    return {
        "hub_models": _models(about),
        "hub_editions": editions,
        "hub_forecasts": _shown(whole, outcomes),
        "hub_scores": typed(pd.concat(scores, ignore_index=True) if scores else HUB_SCORES.empty(), HUB_SCORES),
    }


def empty_tables() -> dict[str, pd.DataFrame]:
    """The same tables without a row."""
    return {table.name: table.empty() for table in TABLES}


def with_own(submitted: QuantileTable, own: pd.DataFrame, counts: pd.DataFrame) -> QuantileTable:
    """What was submitted, and replays of Vigie's own for the same series and rounds.

    A model of Vigie's that was submitted counts as it was. Where there is no baseline, it is made of what was counted.
    """
    key = ["series_id", "origin_date"]
    rounds = submitted.keys[key].drop_duplicates()
    parts = [submitted]
    if len(own):  # a night in which no route can be forecast has none
        mine = _bare(to_matrix(own))
        taken = pd.MultiIndex.from_frame(submitted.keys[["model_id", *key]].drop_duplicates())
        is_new = ~pd.MultiIndex.from_frame(mine.keys[["model_id", *key]]).isin(taken)
        is_asked = pd.MultiIndex.from_frame(mine.keys[key]).isin(pd.MultiIndex.from_frame(rounds))
        parts.append(_timed(mine.where(is_new & is_asked), REPLAY))
    measured = pd.concat([part.keys.loc[part.keys["model_id"] == BASELINE, key] for part in parts])
    lacking = rounds[~pd.MultiIndex.from_frame(rounds).isin(pd.MultiIndex.from_frame(measured))]
    known = counts.dropna(subset=["as_of"])
    made = baseline(known, lacking[lacking["series_id"].isin(known["series_id"].unique())])
    return stack([*parts, _timed(made, REPLAY)])


def _not_in(submitted: QuantileTable, made: QuantileTable) -> QuantileTable:
    """What was not submitted: the hub's ensembles are themselves handed in, and what they said then stands."""
    taken = pd.MultiIndex.from_frame(submitted.keys[ROUND_KEYS])
    return made.where(~pd.MultiIndex.from_frame(made.keys[ROUND_KEYS]).isin(taken))


def designated(about: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Models that teams put into the hub's ensembles, Vigie's own two among them."""
    return {name for name, words in about.items() if words.get("designated_model")} | DESIGNATED


def _bare(table: QuantileTable) -> QuantileTable:
    # Vigie's own names hold more than one hyphen; in a hub's files an underscore stands there.
    keys = table.keys[ROUND_KEYS].assign(model_id=table.keys["model_id"].map(_own_name))
    return QuantileTable(keys, table.quantiles)


def _own_name(model_id: str) -> str:
    return model_id.replace("_", "-") if model_id.startswith("vigie-") else model_id


def _timed(table: QuantileTable, timing: str | pd.Series) -> QuantileTable:
    words = timing if isinstance(timing, str) else timing.to_numpy()
    return QuantileTable(
        table.keys.assign(timing=pd.Series(words, index=table.keys.index, dtype=object)), table.quantiles
    )


def _closed(table: QuantileTable, date: dt.date) -> QuantileTable:
    """Rounds that were closed on a day: a replay may know what was known until then."""
    days = table.keys["series_id"].map(
        {one: RHYTHMS[frequency(one)].due[1] for one in table.keys["series_id"].unique()}
    )
    return table.where(table.keys["origin_date"] + pd.to_timedelta(days, "D") <= pd.Timestamp(date))


def _models(about: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    rows = [
        {
            "model_id": model_id,
            "team_name": str(words.get("team_name", "")),
            "model_name": str(words.get("model_name", model_id)),
            "methods": str(words.get("methods", "")),
            "licence": str(words.get("license", "")),
            "designated": bool(words.get("designated_model")),
        }
        for model_id, words in about.items()
        if model_id not in ENSEMBLES
    ]
    rows += [
        {"model_id": model_id, "team_name": "Hub", "model_name": model_id, "methods": methods, "licence": "CC-BY-4.0",
         "designated": False}
        for model_id, methods in ENSEMBLES.items()
    ]  # fmt: skip
    return typed(pd.DataFrame(rows), HUB_MODELS)


def _shown(table: QuantileTable, outcomes: pd.Series) -> pd.DataFrame:
    """Forecasts as pages show them; Vigie's hindcasts of the routes stand in the release's own table of them."""
    of_routes = table.keys["series_id"].map({one: unit_of(one) == ROUTES for one in table.keys["series_id"].unique()})
    own = table.keys["model_id"].str.startswith(f"{TEAM}-") & (table.keys["timing"] == REPLAY)
    table = table.where(~(own & of_routes))
    return typed(with_bounds(table, outcomes_at(table.keys, outcomes)), HUB_FORECASTS)
