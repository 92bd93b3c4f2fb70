"""Vigie's ensemble against what others would take off the shelf, on the same rows: ``python -m benchmarks.peers``.

Seven dense Frontex routes (from the workbook under VIGIE_RAW_DATA), 87 monthly origins, every forecast made from
figures up to its origin. Each peer works on counts as they are and on log1p counts, and both are shown. With
``--cache`` peers' forecasts are kept origin by origin, so that a run goes on where it was stopped and a new ensemble is
compared in minutes; of the ensemble itself the fits are kept there.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.peer_models import PEERS, on_scale
from benchmarks.routes import HORIZONS, ORIGINS, dense_parts, dense_routes, fingerprint, hindcasts, skill_table
from benchmarks.shared import PAGE, Options, Section, engine, interval, page_command, published_files, table, timed
from core.progress import ProgressReport, progress_bar
from forecasting.ensemble import combine
from forecasting.hindcast import present_work, run_work
from forecasting.members import models_to_run
from forecasting.model import BASELINE, ENSEMBLE
from forecasting.panel import Panel
from forecasting.quantiles import KEYS, QuantileTable, stack, to_matrix, to_rows
from forecasting.verification.scores import score_rows, summarise
from forecasting.verification.verdict import BETTER, WORSE, compare, same_rows
from store.caches import FitStore

OWN = (ENSEMBLE, BASELINE, "vigie-snaive")
SCALES = ("log1p", "counts")
"""What a peer works on."""
TIMED_ORIGINS = 6
TIMED_PEERS = ("statsforecast AutoETS", "statsforecast AutoTheta", "Prophet")
WORDS = {BETTER: "ensemble ahead", WORSE: "peer ahead"}


def peer_table(
    name: str, scale: str, parts: Panel, *, origins: int, cache: Path | None, report: ProgressReport
) -> QuantileTable:
    """One peer's forecasts of the totals at the last origins; none below zero."""
    totals = dense_routes(parts)
    folder = cache / f"{name}-{scale}-{fingerprint(parts)}".replace(" ", "-") if cache else None
    tables = []
    for done, place in enumerate(range(len(totals.periods) - 1 - origins, len(totals.periods) - 1)):
        report(f"{name}, {scale}", done, origins)
        tables.append(kept(folder, str(totals.periods[place]), partial(_at_origin, name, scale, totals, parts, place)))
    report(f"{name}, {scale}", origins, origins)
    return stack(tables)


def _at_origin(name: str, scale: str, totals: Panel, parts: Panel, place: int) -> QuantileTable:
    history, pieces = (panel.matrix.iloc[: place + 1] for panel in (totals, parts))
    found = on_scale(PEERS[name], scale, history, pieces, max(HORIZONS))[:, np.asarray(HORIZONS) - 1]
    index = pd.MultiIndex.from_product([totals.series_ids, HORIZONS], names=["series_id", "horizon"])
    ends = [(totals.periods[place] + step).end_time.normalize() for step in HORIZONS] * len(totals.series_ids)
    keys = index.to_frame(index=False).assign(
        model_id=f"{name}, {scale}", origin_date=totals.end_dates[place], target_end_date=ends
    )
    return QuantileTable(keys[KEYS], found.reshape(len(keys), -1))


def own_table(parts: Panel, cache: Path | None) -> QuantileTable:
    """The ensemble, the baseline and the seasonal naive on the totals, as ``vigie backtest --totals`` makes them."""
    fits = FitStore(cache) if cache else None
    made = hindcasts(parts, origins=ORIGINS, horizons=HORIZONS, models=OWN, fits=fits)
    shown = made.where(made.keys["series_id"].isin(dense_routes(parts).series_ids))
    return QuantileTable(shown.keys[KEYS], shown.quantiles)


def kept(cache: Path | None, name: str, make: Callable[[], QuantileTable]) -> QuantileTable:
    """A table from the cache's folder, made and put there if it is not in it yet."""
    if cache is None:
        return make()
    path = cache / f"{name}.parquet"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        to_rows(make()).to_parquet(unfinished)
        unfinished.rename(path)
    return to_matrix(pd.read_parquet(path))


def chosen_peers(left_out: Sequence[str]) -> list[tuple[str, str]]:
    """Every peer on both scales but those left out, written ``Prophet`` or ``Prophet, counts``."""
    known = [(name, scale) for scale in SCALES for name in PEERS]
    return [(name, scale) for name, scale in known if not {name, f"{name}, {scale}"} & set(left_out)]


def skill_lines(forecasts: QuantileTable, rows: pd.DataFrame, totals: Panel) -> list[str]:
    """Relative WIS and coverage of every model on the rows that all have."""
    places = ["model_id", "series_id", "origin_date", "horizon"]
    common = pd.MultiIndex.from_frame(rows[places])
    scores = summarise(forecasts.where(pd.MultiIndex.from_frame(forecasts.keys[places]).isin(common)), totals)
    models = pd.Categorical(scores["model_id"], forecasts.keys["model_id"].unique())
    return skill_table(scores.assign(model_id=models), natural_interval=True)


def ratio_lines(compared: pd.DataFrame) -> list[str]:
    """The ensemble's score over each other model's, on both scales."""
    lines = []
    for (other, horizon), rows in compared.groupby(["other", "horizon"], sort=False):
        log, natural = (rows[rows["scale"] == scale].iloc[0] for scale in ("log", "natural"))
        cells = [cell for row in (log, natural) for cell in (interval(row, "ratio"), f"{row['p_holm']:.3f}")]
        lines.append((other, horizon, *cells, WORDS.get(log["verdict"], log["verdict"])))
    return table("against | h | ratio log [90 %] | p | ratio natural [90 %] | p | on log1p scale", lines)


def speed_lines(totals: Panel) -> list[str]:
    """Seconds of one core for the same forecasts of the last origins, one after another in this run."""
    places = range(len(totals.periods) - 1 - TIMED_ORIGINS, len(totals.periods) - 1)
    histories = [totals.matrix.iloc[: place + 1] for place in places]

    def vigie(history: pd.DataFrame) -> object:
        panel = Panel(totals.freq, history, totals.groups)
        work = present_work(panel, models=models_to_run([ENSEMBLE, BASELINE]))
        return combine(run_work(work, horizons=range(1, 13), workers=1), panel)

    def seconds(make: Callable[[pd.DataFrame], object]) -> float:
        make(histories[0])  # loading and compiling is not what is compared
        return timed(lambda: [make(history) for history in histories])[1].processor

    own, rows = seconds(vigie), []
    for name in TIMED_PEERS:
        took = seconds(partial(on_scale, PEERS[name], "log1p", parts=totals.matrix, horizon=12))
        rows.append((name, f"{took:.1f}", f"{own / took:.2f}"))
    return table("| seconds | Vigie's over its own", [("Vigie", f"{own:.1f}", 1), *rows])


def section(options: argparse.Namespace) -> Section:
    """Vigie's own forecasts, then those of the peers, compared."""
    parts, cache = dense_parts(published_files()), options.cache
    with progress_bar() as progress:
        made = [
            peer_table(name, scale, parts, origins=ORIGINS, cache=cache, report=progress)
            for name, scale in chosen_peers(options.without)
        ]
    return lines_of(stack([own_table(parts, cache), *made]), dense_routes(parts)), True


def lines_of(forecasts: QuantileTable, totals: Panel) -> list[str]:
    """What was measured, skill against the baseline, the ensemble's over each peer's, and speed."""
    models = list(dict.fromkeys(forecasts.keys["model_id"]))
    rows = same_rows(score_rows(forecasts, totals), models)
    origins = rows["origin_date"]
    span = f"{origins.nunique()} monthly origins ({origins.min():%Y-%m} to {origins.max():%Y-%m})"
    return [
        engine(),
        f"Measured: {len(totals.series_ids)} dense routes, {span}.",
        "",
        *skill_lines(forecasts, rows, totals),
        "",
        *ratio_lines(compare(rows, ENSEMBLE, [name for name in models if name != ENSEMBLE])),
        "",
        *speed_lines(totals),
    ]


if __name__ == "__main__":
    left_out = "a peer left out, such as 'Prophet, counts'"
    further: Options = {
        "--cache": {"type": Path, "help": "folder in which forecasts are kept between runs"},
        "--without": {"action": "append", "default": [], "metavar": "PEER", "help": left_out},
    }
    sys.exit(page_command(PAGE, "Peers on the same rows", section, options=further))
