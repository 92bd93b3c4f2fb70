"""What models of single series answered before, kept beside the pooled model's fits: a history is fitted once.

One file per model and set of series. Its name holds the model's version and constants and the versions of the libraries
that fit it; within it an answer stands under its series and the fingerprint of its history.
"""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol

import numpy as np
import pandas as pd

from forecasting import BASELINE, constants_of, postprocess
from forecasting.limits import CUT_OFF
from forecasting.models import MODELS
from forecasting.postprocess import SafeForecast
from forecasting.workers import Fit, Progress, Workers, run_fits

LIBRARIES = ("numpy", "scipy", "statsforecast", "statsmodels", "prophet")
MOST_ANSWERS = 15_000
"""Of one model: a year ahead they take 33 MB. Where there are more, none is kept."""


class Fits(Protocol):
    """Where fits are kept; see :class:`store.caches.FitStore`."""

    def get(self, key: str) -> bytes | None:
        """The fit kept under a key, if there is one."""

    def put(self, key: str, fit: bytes) -> None:
        """Keep a fit."""


def run_kept(
    table: pd.DataFrame,
    work: Sequence[Fit],
    horizon: int,
    *,
    fits: Fits,
    workers: Workers = None,
    progress: Progress | None = None,
) -> list[SafeForecast]:
    """Answers in the order asked, as of :func:`forecasting.workers.run_fits`; only what was not kept is fitted.

    Args:
        table: One row per fit, ``model_id, series_id, history_hash`` among its columns.
        work: The fits.
        horizon: Longest horizon H.
        fits: Where answers are looked up and kept. The baseline's are not: it is made sooner than read.
        workers: See :func:`forecasting.workers.run_fits`.
        progress: Told after every batch.
    """
    marks = (table["series_id"].astype(str) + "|" + table["history_hash"].astype(str)).tolist()
    of_model = {
        str(model_id): rows for model_id, rows in table.groupby("model_id", sort=True).indices.items()
        if model_id != BASELINE
    }  # fmt: skip
    keys = {model_id: _key(model_id, table["series_id"].iloc[rows], horizon) for model_id, rows in of_model.items()}
    shelves = {model_id: _read(fits.get(key)) for model_id, key in keys.items()}
    known = {
        int(row): shelves[model_id][marks[row]]
        for model_id, rows in of_model.items()
        for row in rows
        if marks[row] in shelves[model_id]
    }
    rest = [row for row in range(len(work)) if row not in known]
    made = run_fits([work[row] for row in rest], horizon, workers=workers, progress=progress)
    answers = known | dict(zip(rest, made, strict=True))
    for model_id, rows in of_model.items():
        new = {marks[row]: answers[row] for row in rows if not answers[row].reason.startswith(CUT_OFF)}
        if new.keys() - shelves[model_id].keys() and len(new) <= MOST_ANSWERS:
            fits.put(keys[model_id], _written(new))
    return [answers[row] for row in range(len(work))]


def _key(model_id: str, series: pd.Series, horizon: int) -> str:
    model = MODELS[model_id]
    made_by = [f"{name} {_version(name)}" for name in LIBRARIES] + [
        constants_of(sys.modules[model.predict.__module__], postprocess)
    ]
    content = "\n".join([*made_by, *sorted(series.astype(str).unique())])
    return f"{model_id}-{model.version}-to{horizon}-{hashlib.sha256(content.encode()).hexdigest()[:32]}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


def _written(answers: dict[str, SafeForecast]) -> bytes:
    kept = io.BytesIO()
    np.savez(
        kept,
        allow_pickle=False,
        marks=np.asarray(list(answers)),
        quantiles=np.stack([one.quantiles for one in answers.values()]),
        capped=np.stack([one.capped for one in answers.values()]),
        reasons=np.asarray([one.reason for one in answers.values()]),
    )
    return kept.getvalue()


def _read(kept: bytes | None) -> dict[str, SafeForecast]:
    """Answers by mark; none where nothing was kept, or where it cannot be read."""
    if not kept:
        return {}
    try:
        with np.load(io.BytesIO(kept), allow_pickle=False) as entries:
            columns = [entries[name] for name in ("quantiles", "capped", "reasons")]
            return {
                str(mark): SafeForecast(quantiles, capped, str(reason))
                for mark, quantiles, capped, reason in zip(entries["marks"], *columns, strict=True)
            }
    except (ValueError, OSError, KeyError, zipfile.BadZipFile):
        return {}
