"""What a night writes, over and over, without the forecasting in between: for killing it at the moments that matter."""

from __future__ import annotations

import datetime as dt
import os
from multiprocessing.connection import Connection
from pathlib import Path

import pandas as pd

from store.figures.vintages import VintageStore
from store.journal import Entry, Journal, journal_url
from store.lock import night_lock
from store.releases import About, ReleaseStore, prune
from store.releases.caches import BacktestStore
from store.status import WITNESS

KEEP = 3
"""Newest releases kept: every round removes one too."""


def write_on(home: Path, begun: Connection) -> None:
    """Take the lock, add figures and past forecasts, publish, record, remove: again and again until killed.

    Args:
        home: A home folder with a release whose frames are published again.
        begun: Told once the first round begins, and of every round's end.
    """
    store, vintages, cache = ReleaseStore(home), VintageStore(home), BacktestStore(home)
    current = store.current()
    if current is None:
        raise SystemExit("there is no release to publish again")
    frames = {name: current.read(name) for name in current.names}
    cards = {"sources.json": current.document("sources.json")}
    figures, past = vintages.history(), pd.DataFrame()
    figures = figures[figures["obs_value"].notna()].tail(200)
    stored = sorted((home / "backtests").glob("*.parquet"))
    if stored:
        past = pd.read_parquet(stored[0]).head(276)
    begun.send(True)
    number = 0
    while True:
        number += 1
        with night_lock(home):
            as_of = current.as_of + dt.timedelta(days=number + os.getpid() % 1000)
            news = figures.assign(obs_value=figures["obs_value"] + number + os.getpid(), as_of=pd.Timestamp(as_of))
            vintages.append(news.drop(columns=["stored_at", "cell"]).drop_duplicates(["series_id", "time_period"]))
            if len(past):
                cache.append(past.assign(history_hash=f"{os.getpid()}-{number}"))
            about = About(as_of, "0.1.0", {}, {})
            release = store.publish({**frames, "forecasts": _as_known_on(frames["forecasts"], as_of)}, cards, about)
            journal = Journal(journal_url("", home))
            payload = {WITNESS: store.head()}
            journal.record(Entry("nightly", "published", release.run_id, release.run_id, payload=payload))
            journal.close()
            prune(home, KEEP)
        begun.send(number)


def _as_known_on(forecasts: pd.DataFrame, date: dt.date) -> pd.DataFrame:
    """So that a reader can tell the frames of one release from those of another."""
    return forecasts.assign(as_of=pd.Timestamp(date))
