"""Vigie's ensemble against what others would take off the shelf, on the same rows: ``python -m benchmarks.peers``.

Seven dense Frontex routes (from the workbook under VIGIE_RAW_DATA), 87 monthly origins, every forecast made from
figures up to its origin. Each peer works on counts as they are and on log1p counts, and both are shown. With
``--cache`` peers' forecasts are kept origin by origin, so that a run goes on where it was stopped and a new ensemble is
compared in minutes; the ensemble's own are kept by the code that made them.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.peer_models import PEERS, Peer
from benchmarks.peer_tables import TITLE, section
from benchmarks.shared import TOTALS, dense_parts, dense_routes, fingerprint, publish, published_files
from core.progress import ProgressReport, progress_bar
from core.quantiles import FloatArray
from core.settings import PROJECT
from forecasting.members import Request
from forecasting.model import BASELINE, ENSEMBLE
from forecasting.models import resolve
from forecasting.panel import Panel
from forecasting.quantiles import KEYS, QuantileTable, stack, to_matrix, to_rows
from forecasting.runs import backtest

HORIZONS = (1, 3, 6, 12)
ORIGINS = 87
SEASONAL_NAIVE = "vigie-snaive"
OWN = (ENSEMBLE, BASELINE, SEASONAL_NAIVE)
SCALES = ("log1p", "counts")
"""What a peer works on."""


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
    return QuantileTable(_keys(f"{name}, {scale}", totals, place), _forecast(PEERS[name], scale, history, pieces))


def _forecast(peer: Peer, scale: str, totals: pd.DataFrame, parts: pd.DataFrame) -> FloatArray:
    """Quantiles in counts, one row per total and horizon."""
    logarithm = scale == "log1p"
    history, pieces = (one.transform(np.log1p) if logarithm else one for one in (totals, parts))
    found = peer(history, pieces, max(HORIZONS))[:, np.asarray(HORIZONS) - 1]
    flat = found.reshape(-1, found.shape[2])
    return np.maximum(np.expm1(flat) if logarithm else flat, 0.0)


def _keys(model_id: str, totals: Panel, place: int) -> pd.DataFrame:
    index = pd.MultiIndex.from_product([totals.series_ids, HORIZONS], names=["series_id", "horizon"])
    ends = [(totals.periods[place] + step).end_time.normalize() for step in HORIZONS]
    keys = index.to_frame(index=False).assign(model_id=model_id, origin_date=totals.end_dates[place])
    return keys.assign(target_end_date=ends * len(totals.series_ids))[KEYS]


def own_table(parts: Panel) -> QuantileTable:
    """The ensemble, the baseline and the seasonal naive on the totals, as ``vigie backtest --totals`` makes them."""
    request = Request.of(parts, TOTALS, resolve(OWN), HORIZONS)
    made = backtest(request, origins=ORIGINS, step=1).table
    shown = made.where(made.keys["series_id"].isin(request.levels[1].series_ids))
    return QuantileTable(shown.keys[KEYS], shown.quantiles)


def code_hash() -> str:
    """Short hash of the engine's code: forecasts of the ensemble are those of this code."""
    files = sorted((PROJECT / "forecasting").rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]


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


def all_forecasts(
    parts: Panel, peers: Sequence[tuple[str, str]], cache: Path | None, report: ProgressReport
) -> QuantileTable:
    """Vigie's own, then those of peers, each a name and a scale."""
    own = kept(cache, f"ensemble-{code_hash()}-{fingerprint(parts)}", partial(own_table, parts))
    made = [peer_table(name, scale, parts, origins=ORIGINS, cache=cache, report=report) for name, scale in peers]
    return stack([own, *made])


def chosen_peers(left_out: Sequence[str]) -> list[tuple[str, str]]:
    """Every peer on both scales but those left out, written ``Prophet`` or ``Prophet, counts``."""
    known = [(name, scale) for scale in SCALES for name in PEERS]
    return [(name, scale) for name, scale in known if not {name, f"{name}, {scale}"} & set(left_out)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cache", type=Path, help="folder in which forecasts are kept between runs")
    parser.add_argument(
        "--without", action="append", default=[], metavar="PEER", help="a peer left out, such as 'Prophet, counts'"
    )
    parser.add_argument("--write", action="store_true", help="put the section into docs/benchmarks.md")
    options = parser.parse_args(arguments)
    raw_data = published_files()
    parts = dense_parts(raw_data)
    begun = time.monotonic()
    with progress_bar() as report:
        forecasts = all_forecasts(parts, chosen_peers(options.without), options.cache, report)
    lines = section(forecasts, dense_routes(parts))
    sys.stderr.write(f"{time.monotonic() - begun:.0f} s\n")
    publish(TITLE, lines, write=options.write)
    return 0


if __name__ == "__main__":
    sys.exit(main())
