"""Vigie's ensemble against what others would take off the shelf, on the same rows: ``python -m benchmarks.peers``.

Seven dense Frontex routes (from the workbook under VIGIE_RAW_DATA), 87 monthly origins. A peer is given matrices that
end at the origin, counts as they are or log1p counts, and answers with the 23 quantiles on that scale. With ``--cache``
peers' forecasts and the ensemble's fits are kept, so that a run goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.routes import HORIZONS, ORIGINS, dense_parts, dense_routes, fingerprint, hindcasts, skill_table
from benchmarks.shared import PAGE, Options, Section, engine, interval, page_command, published_files, table, timed
from core import QUANTILE_LEVELS, FloatArray
from core.calendar import pandas_frequency
from core.progress import ProgressReport, progress_bar
from forecasting import BASELINE, ENSEMBLE
from forecasting.ensemble import combine
from forecasting.hindcast import present_work, run_work
from forecasting.members import models_to_run
from forecasting.panel import SEASON_LENGTH, Panel
from forecasting.quantiles import KEYS, QuantileTable, stack, to_matrix, to_rows
from forecasting.verification import score_rows, summarise
from forecasting.verification.verdict import BETTER, WORSE, compare, same_rows
from store import parquet_bytes, write_bytes
from store.releases.caches import FitStore

Peer = Callable[[pd.DataFrame, pd.DataFrame, int], FloatArray]
"""From totals and their parts (months × series, up to the origin) and the longest horizon H to the totals' quantiles,
shape ``(totals, H, 23)``."""

COVERAGES = [round(100 * (1 - 2 * level)) for level in QUANTILE_LEVELS if level < 0.5]
"""Central intervals whose ends, with the point forecast in the middle, are the 23 levels."""
CONFORMAL_WINDOWS = 6
"""Windows of a year that conformal errors are taken from: six leave three years to learn from at the first origin."""
SEASONS = {pandas_frequency(freq): length for freq, length in SEASON_LENGTH.items()}


def long_form(matrix: pd.DataFrame) -> pd.DataFrame:
    """A matrix as Nixtla's rows ``unique_id, ds, y``, first days of periods as ``ds``."""
    dated = matrix.set_axis(pd.PeriodIndex(matrix.index).to_timestamp(), axis=0).rename_axis(index="ds")
    rows = dated.reset_index().melt("ds", var_name="unique_id", value_name="y")
    return rows.dropna()[["unique_id", "ds", "y"]].sort_values(["unique_id", "ds"], ignore_index=True)


def from_intervals(answer: pd.DataFrame, name: str, series: list[str]) -> FloatArray:
    """Quantiles from Nixtla's columns ``name``, ``name-lo-80``, ``name-hi-80``; shape ``(series, H, 23)``."""
    lower = [answer[f"{name}-lo-{coverage}"] for coverage in COVERAGES]
    upper = [answer[f"{name}-hi-{coverage}"] for coverage in reversed(COVERAGES)]
    values = np.sort(np.stack([*lower, answer[name], *upper], axis=1).astype(float), axis=1)
    rows = answer.reset_index(drop=True).groupby("unique_id").indices
    return np.stack([values[rows[name]] for name in series])


def statsforecast_peer(name: str) -> Peer:
    """A model of statsforecast by its class name, the season of the totals' periods, its own intervals."""

    def forecast(totals: pd.DataFrame, _parts: pd.DataFrame, horizon: int) -> FloatArray:
        import statsforecast  # noqa: PLC0415  # takes seconds to load; the other peers do not need it
        from statsforecast import models  # noqa: PLC0415  # as above

        periods = pd.PeriodIndex(totals.index)
        model = getattr(models, name)(season_length=SEASONS[periods.freqstr])
        first_days = periods.to_timestamp()
        engine = statsforecast.StatsForecast([model], freq=str(pd.infer_freq(first_days)), n_jobs=1)
        answer = engine.forecast(df=long_form(totals), h=horizon, level=sorted(COVERAGES))
        return from_intervals(answer, name, list(totals.columns))

    return forecast


def prophet(totals: pd.DataFrame, _parts: pd.DataFrame, horizon: int) -> FloatArray:
    """Prophet as it comes, one series after another; quantiles of its 1,000 predictive draws."""
    from prophet import Prophet  # noqa: PLC0415  # takes seconds to load; the other peers do not need it

    for logger in ("cmdstanpy", "prophet"):
        logging.getLogger(logger).disabled = True
    ahead = pd.period_range(pd.PeriodIndex(totals.index)[-1] + 1, periods=horizon, freq="M").to_timestamp()
    rows, found = long_form(totals).set_index("unique_id"), []
    for name in totals.columns:
        fitted = Prophet().fit(rows.loc[[name]], seed=1)
        np.random.seed(1)
        draws = np.asarray(fitted.predictive_samples(pd.DataFrame({"ds": ahead}))["yhat"])
        found.append(np.quantile(draws, QUANTILE_LEVELS, axis=1).T)
    return np.stack(found)


def lightgbm(totals: pd.DataFrame, parts: pd.DataFrame, horizon: int) -> FloatArray:
    """Mlforecast's LightGBM, one model for totals and parts, on monthly differences; conformal intervals.

    Lags 1 to 3, 6, 12 and 24, means of 3, 6 and 12 months, the month of the year; LightGBM's default parameters.
    """
    import lightgbm as trees  # noqa: PLC0415  # takes seconds to load; the other peers do not need it
    from mlforecast import MLForecast  # noqa: PLC0415  # as above
    from mlforecast.lag_transforms import RollingMean  # noqa: PLC0415  # as above
    from mlforecast.target_transforms import Differences  # noqa: PLC0415  # as above
    from mlforecast.utils import PredictionIntervals  # noqa: PLC0415  # as above

    engine = MLForecast(
        models={"LightGBM": trees.LGBMRegressor(verbosity=-1, n_jobs=1, random_state=1)},
        freq="MS",
        lags=[1, 2, 3, 6, 12, 24],
        lag_transforms={1: [RollingMean(window_size=length) for length in (3, 6, 12)]},
        date_features=["month"],
        target_transforms=[Differences([1])],
        num_threads=1,
    )
    rows = long_form(pd.concat([totals, parts], axis=1))
    intervals = PredictionIntervals(n_windows=CONFORMAL_WINDOWS, h=horizon)
    engine.fit(rows, static_features=[], prediction_intervals=intervals)
    answer = engine.predict(horizon, level=sorted(COVERAGES), ids=list(totals.columns))
    return from_intervals(answer, "LightGBM", list(totals.columns))


def on_scale(peer: Peer, scale: str, totals: pd.DataFrame, parts: pd.DataFrame, horizon: int) -> FloatArray:
    """A peer's quantiles in counts, none below zero, when it works on ``counts`` or on ``log1p`` of them."""
    if scale == "counts":
        return np.maximum(peer(totals, parts, horizon), 0.0)
    found = peer(totals.transform(np.log1p), parts.transform(np.log1p), horizon)
    return np.maximum(np.expm1(found), 0.0)


PEERS: Mapping[str, Peer] = {
    "statsforecast AutoTheta": statsforecast_peer("AutoTheta"),
    "statsforecast AutoETS": statsforecast_peer("AutoETS"),
    "mlforecast LightGBM": lightgbm,
    "Prophet": prophet,
    "statsforecast AutoARIMA": statsforecast_peer("AutoARIMA"),
}
"""By the name shown, the quickest first."""

OWN = (ENSEMBLE, BASELINE, "vigie-snaive")
SCALES = ("log1p", "counts")
TIMED_ORIGINS = 6
TIMED_PEERS = ("statsforecast AutoETS", "statsforecast AutoTheta", "Prophet")
WORDS = {BETTER: "ensemble ahead", WORSE: "peer ahead"}


def peer_table(
    name: str, scale: str, parts: Panel, *, origins: int, cache: Path, report: ProgressReport
) -> QuantileTable:
    """One peer's forecasts of the totals at the last origins, none below zero; those in the cache are kept."""
    totals = dense_routes(parts)
    folder = cache / f"{name}-{scale}-{fingerprint(parts)}".replace(" ", "-")
    tables = []
    for done, place in enumerate(range(len(totals.periods) - 1 - origins, len(totals.periods) - 1)):
        report(f"{name}, {scale}", done, origins)
        path = folder / f"{totals.periods[place]}.parquet"
        if not path.exists():
            write_bytes(path, parquet_bytes(to_rows(_at_origin(name, scale, totals, parts, place))))
        tables.append(to_matrix(pd.read_parquet(path)))
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


def own_table(parts: Panel, cache: Path) -> QuantileTable:
    """The ensemble, the baseline and the seasonal naive on the totals, as ``vigie backtest --totals`` makes them."""
    made = hindcasts(parts, origins=ORIGINS, horizons=HORIZONS, models=OWN, fits=FitStore(cache))
    shown = made.where(made.keys["series_id"].isin(dense_routes(parts).series_ids))
    return QuantileTable(shown.keys[KEYS], shown.quantiles)


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
    """Vigie's own forecasts and those of the peers: skill against the baseline, ratios, and speed."""
    parts, cache = dense_parts(published_files()), options.cache
    totals = dense_routes(parts)
    with progress_bar() as progress:
        made = [
            peer_table(name, scale, parts, origins=ORIGINS, cache=cache, report=progress)
            for name, scale in chosen_peers(options.without)
        ]
    forecasts = stack([own_table(parts, cache), *made])
    models = list(dict.fromkeys(forecasts.keys["model_id"]))
    rows = same_rows(score_rows(forecasts, totals), models)
    origins = rows["origin_date"]
    span = f"{origins.nunique()} monthly origins ({origins.min():%Y-%m} to {origins.max():%Y-%m})"
    lines = [engine(), f"Measured: {len(totals.series_ids)} dense routes, {span}."]
    lines += ["", *skill_lines(forecasts, rows, totals)]
    lines += ["", *ratio_lines(compare(rows, ENSEMBLE, [name for name in models if name != ENSEMBLE]))]
    return [*lines, "", *speed_lines(totals)], True


if __name__ == "__main__":
    further: Options = {
        "--cache": {"type": Path, "required": True, "help": "folder in which forecasts are kept between runs"},
        "--without": {"action": "append", "default": [], "metavar": "PEER", "help": "such as 'Prophet, counts'"},
    }
    sys.exit(page_command(PAGE, "Peers on the same rows", section, options=further))
