"""Forecast and score panels of counts, and open releases, from Python: frames in, frames out.

A panel is a frame with ``unique_id, ds, y`` or ``series_id, time_period, value``, and any grouping columns. The numbers
are those of the commands ``vigie forecast``, ``vigie backtest`` and ``vigie score``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from cli import current_release, whole_release
from cli.panels import running
from core.calendar import Frequency
from core.errors import InputError
from core.settings import home_folder
from forecasting import runs
from forecasting.panel import read_panel
from forecasting.quantiles import to_rows
from store.releases import MANIFEST, Release, ReleaseStore

__all__ = ["backtest", "forecast", "open_release", "score"]


def forecast(
    df: pd.DataFrame,
    horizon: int = 12,
    freq: Frequency | None = None,
    totals: str | None = None,
    *,
    models: str | Sequence[str] = runs.DEFAULT_MODELS,
    home: Path | None = None,
) -> pd.DataFrame:
    """Forecast a panel from its last period.

    Args:
        df: The panel; see :func:`forecasting.panel.read_panel`.
        horizon: Periods ahead.
        freq: Frequency of a panel whose periods are dates: D, W, M, Q or A; inferred by default.
        totals: Grouping column whose sums are forecast too, coherent with their parts.
        models: Names, as a list or text with commas.
        home: Folder that keeps fits; by default VIGIE_HOME, else ./var.

    Returns:
        Quantile rows with hubverse columns, in the unit of ``df``. ``attrs["about"]`` is a list of sentences on how the
        panel was read and which forecasts are fallbacks.

    Raises:
        InputError: The panel or an option is not usable.
    """
    with running("local", home) as means:
        return _rows(runs.forecast_file(df, horizon=horizon, freq=freq, totals=totals, models=models, **means))


def backtest(  # noqa: PLR0913  # one parameter per option of the command
    df: pd.DataFrame,
    origins: int = 60,
    step: int = 1,
    horizons: Sequence[int] = (1, 3, 6, 12),
    freq: Frequency | None = None,
    totals: str | None = None,
    *,
    models: str | Sequence[str] = runs.DEFAULT_MODELS,
    home: Path | None = None,
) -> pd.DataFrame:
    """Forecast a panel from past origins, with only the data up to each origin.

    Args:
        df: The panel.
        origins: Number of past origins.
        step: Periods between origins.
        horizons: Periods ahead.
        freq: See :func:`forecast`.
        totals: See :func:`forecast`.
        models: See :func:`forecast`.
        home: See :func:`forecast`.

    Returns:
        Rows of :func:`forecast` with ``observation``, the value of the target period; NaN if it is unknown.

    Raises:
        InputError: The panel or an option is not usable, or no series has a value at any origin.
    """
    with running("local", home) as means:
        made = runs.backtest_file(
            df, origins=origins, step=step, horizons=horizons, freq=freq, totals=totals, models=models, **means
        )
    return _rows(made)


def score(
    forecasts: pd.DataFrame, observed: pd.DataFrame, freq: Frequency | None = None, totals: str | None = None
) -> pd.DataFrame:
    """Score past forecasts of a panel.

    Args:
        forecasts: Rows of :func:`backtest`, or of another team with the same columns.
        observed: The panel with its outcomes.
        freq: See :func:`forecast`.
        totals: Grouping column whose sums are scored too.

    Returns:
        ``model_id, series_id, horizon, scale, wis, relative_wis`` with its 90 % interval, coverage and ``n``; the
        series ``_T`` is the mean of all. The baseline of relative WIS is a random walk with its own past errors.

    Raises:
        InputError: A column is missing, or no forecast has both an outcome and twelve past changes.
    """
    return runs.score(forecasts, read_panel(observed, freq), totals)


def open_release(path_or_home: Path | str) -> Release:
    """Open a release by its folder, or the newest one of a home folder.

    Returns:
        The release: ``read("forecasts")`` gives a table, ``names`` lists them.

    Raises:
        InputError: The folder holds no release.
        StoreError: The release is not as it was published, by the journal of its home if it lies in one.
    """
    folder = home_folder(Path(path_or_home)).resolve()
    if (folder / MANIFEST).is_file():
        return whole_release(folder.parent.parent, Release(folder))
    if ReleaseStore(folder).current() is None:
        raise InputError(f"{folder}: neither a release nor a home folder with one")
    return current_release(folder)


def _rows(made: runs.Made) -> pd.DataFrame:
    rows = to_rows(made.table)
    rows.attrs["about"] = [*made.lines(), *made.account]
    return rows
