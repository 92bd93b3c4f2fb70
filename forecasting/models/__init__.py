"""The models, one module each: found by walking this folder, so that a new module is a new model.

Modelling libraries are imported in these modules and nowhere else.
"""

from __future__ import annotations

import importlib
import pkgutil
import tomllib
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from core import QUANTILE_LEVELS, FloatArray
from core.errors import InputError
from core.settings import SNAPSHOT
from forecasting import BASELINE, ENSEMBLE, LEVELS, BoolArray, FitError, History, Model, ModelCard, PooledModel

_MODULES = [importlib.import_module(f"{__name__}.{item.name}") for item in pkgutil.iter_modules(__path__)]


_BY_ID = {module.MODEL.model_id: module.MODEL for module in _MODULES if hasattr(module, "MODEL")}
MODELS: dict[str, Model] = {BASELINE: _BY_ID.pop(BASELINE), **dict(sorted(_BY_ID.items()))}
"""Models of single series by ``model_id``, the baseline first. The ensemble is not among them: it is made of them."""

POOLED_MODELS: dict[str, PooledModel] = {
    module.POOLED_MODEL.model_id: module.POOLED_MODEL for module in _MODULES if hasattr(module, "POOLED_MODEL")
}
"""Models that learn from all series of a panel at once, by ``model_id``."""

CARDS: dict[str, ModelCard] = {
    path.stem: ModelCard(**tomllib.loads(path.read_text("utf-8")))
    for path in sorted((SNAPSHOT / "models").glob("*.toml"))
}
"""Cards by ``model_id``, also of models that are made of others."""


def resolve(names: str | Iterable[str]) -> list[str]:
    """Turn short or full names (``ensemble,baseline`` or ``vigie-ets``) into model ids, in the order given.

    Raises:
        InputError: A name is unknown, or none is given; the text lists the known ones.
    """
    wanted = [name.strip() for name in (names.split(",") if isinstance(names, str) else names) if name.strip()]
    known = [*MODELS, *POOLED_MODELS, ENSEMBLE]
    ids = [name if name.startswith("vigie-") else f"vigie-{name}" for name in wanted]
    unknown = [name for name, model_id in zip(wanted, ids, strict=True) if model_id not in known]
    if unknown or not ids:
        what = f"unknown model {unknown}" if unknown else "no model named"
        raise InputError(f"{what}; known: {', '.join(model_id.removeprefix('vigie-') for model_id in known)}")
    return list(dict.fromkeys(ids))


FEWEST_EARLIER_VALUES = 6
"""With fewer the baseline stands in. Of 4, 6, 8, 12 and 24 on panels of 18 to 30 months of detections, asylum, conflict
and displacement: the fewer the better the score, and with 4 the middle half of forecasts held too little."""
SMALLEST_CAP, LARGEST_CAP = 10.0, 1000.0
"""No quantile may exceed the series' record times its largest factor of change over the same number of periods,
taken as at least 10 and at most 1,000. The baseline is made of such changes, but of values plus one:
up to that 1,000 it goes beyond by fewer persons than the factor, and only at a record after the largest change."""
SHORT_PERIODS = ("D", "W")
"""By day and week calm seas and storms follow each other: what is steady then is the spread of square roots of counts,
as of Poisson counts (Anscombe 1948, Biometrika 35), not that of their logarithms. Of the logarithm and the powers ¼, ⅓
and ½, on arrivals by week in seven years, the square root was best."""
WAVES, FEWEST_SEASONS = 2, 1.5
"""The usual year of weeks is two waves, from this number of years on. Of one to three waves, at half, three
quarters and their whole height, on arrivals by week to August and to February of seven years."""
_MEDIAN = QUANTILE_LEVELS.index(0.5)


@dataclass(frozen=True)
class SafeForecast:
    """One model's forecast of one series at one origin.

    Attributes:
        quantiles: Quantiles in counts, shape ``(H, 23)``, ascending along the levels.
        capped: Where the cap was applied, per horizon, shape ``(H,)``.
        reason: Why the baseline stands in for the model; empty where it does not.
    """

    quantiles: FloatArray
    capped: BoolArray
    reason: str


def safe_forecast(model: Model, history: History, horizon: int) -> SafeForecast:
    """Run a model on a history and guard its answer; the baseline stands in where it fails, with the reason.

    Args:
        model: Entry of the registry.
        history: What is known of the series at the origin; at least one value.
        horizon: Longest horizon H.
    """
    ceiling = log_cap(history, horizon)
    try:
        quantiles, reason = _stable(_attempt(model, history, horizon), ceiling), ""
    except FitError as error:
        quantiles, reason = MODELS[BASELINE].predict(history, horizon), " ".join(str(error).split())[:200]
    return _within_bounds(quantiles, ceiling, reason)


def fallback_forecast(history: History, horizon: int, reason: str) -> SafeForecast:
    """The baseline in place of a model that has no answer, with the reason."""
    return _within_bounds(MODELS[BASELINE].predict(history, horizon), log_cap(history, horizon), reason)


def _within_bounds(quantiles: FloatArray, ceiling: FloatArray, reason: str) -> SafeForecast:
    values = np.maximum(np.expm1(np.clip(np.sort(quantiles, axis=1), 0.0, ceiling[:, None])), 0.0)
    capped = np.asarray(quantiles > ceiling[:, None] + 1e-9).any(axis=1)
    return SafeForecast(values, np.atleast_1d(capped), reason)


def log_cap(history: History, horizon: int) -> FloatArray:
    """The highest log1p quantile allowed at horizons 1..H, shape ``(H,)``."""
    values = history.scaled
    changes = [np.abs(values[step:] - values[:-step]).max(initial=0.0) for step in range(1, horizon + 1)]
    return log_caps(values.max(), np.maximum.accumulate(changes))


def log_caps(records: FloatArray, changes: FloatArray) -> FloatArray:
    """The highest log1p quantile allowed by the highest value and the largest absolute change, both on log1p scale."""
    factors = np.clip(np.exp(np.clip(changes, 0.0, 50.0)), SMALLEST_CAP, LARGEST_CAP)
    return np.asarray(np.log1p(factors * np.maximum(np.expm1(records), 1.0)))


def _attempt(model: Model, history: History, horizon: int) -> FloatArray:
    if model.model_id != BASELINE and len(history.observed) - 1 < FEWEST_EARLIER_VALUES:
        raise FitError(f"fewer than {FEWEST_EARLIER_VALUES} earlier values")
    with warnings.catch_warnings():
        # Optimisers warn of slow convergence; what they found is judged here by its numbers instead.
        warnings.simplefilter("ignore")
        if model.on_roots and history.last_period.freqstr[0] in SHORT_PERIODS:
            return _on_roots(model, history, horizon)
        return _beside_waves(model, history, horizon)


def _on_roots(model: Model, history: History, horizon: int) -> FloatArray:
    """The model's log1p quantiles where it is given square roots of counts."""
    scaled, observed = (np.sqrt(np.expm1(logs)) for logs in (history.scaled, history.observed))
    roots = _beside_waves(model, replace(history, scaled=scaled, observed=observed), horizon)
    return np.asarray(np.log1p(np.square(np.maximum(roots, 0.0))))


def _beside_waves(model: Model, history: History, horizon: int) -> FloatArray:
    """The model's quantiles, on its scale; a season that is too long for it is taken out before and put back after.

    The season is harmonic regression (Young, Pedregal and Tych 1999, Journal of Forecasting 18) beside a straight line.
    """
    season, known = history.season_length, len(history.scaled)
    if season <= model.longest_season:
        return model.predict(history, horizon)
    if known < FEWEST_SEASONS * season:
        return model.predict(replace(history, season_length=1), horizon)
    time = np.arange(known + horizon)
    angles = 2 * np.pi * np.outer(time / season, np.arange(1, WAVES + 1))
    waves = np.hstack([np.sin(angles), np.cos(angles)])
    line = np.column_stack([np.ones(known), time[:known] / season])
    found, *_ = np.linalg.lstsq(np.hstack([line, waves[:known]]), history.scaled, rcond=None)
    usual = waves @ found[line.shape[1] :]
    rest = replace(history, scaled=history.scaled - usual[:known], season_length=1)
    return np.asarray(model.predict(rest, horizon) + usual[known:, None])


def _stable(quantiles: FloatArray, ceiling: FloatArray) -> FloatArray:
    if quantiles.shape != (len(ceiling), len(LEVELS)) or not np.isfinite(quantiles).all():
        raise FitError("the fit is not finite")
    if (quantiles[:, _MEDIAN] > ceiling).any():
        raise FitError("unstable fit: its median lies above the series' cap")
    return quantiles
