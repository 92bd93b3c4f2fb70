"""Where a model is better than the baseline, worse, or where nobody can tell: one word for screens and alerts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.languages import marked as _
from forecasting.model import ENSEMBLE

BETTER, NO_EVIDENCE, WORSE = _("better than the baseline"), _("no evidence"), _("worse than the baseline")


def skill(scores: pd.DataFrame, *, model_id: str = ENSEMBLE, scale: str = "log") -> pd.DataFrame:
    """Judge a model per series and horizon by the bootstrap interval of its relative WIS.

    Args:
        scores: From :func:`forecasting.scores.summarise`.
        model_id: The model judged.
        scale: ``log`` or ``natural``.

    Returns:
        ``series_id, horizon, relative_wis, relative_wis_lo, relative_wis_hi, n, verdict``; the verdict is better where
        the whole interval lies below 1, worse where it lies above, else no evidence (also where there is no interval).
    """
    chosen = scores[(scores["model_id"] == model_id) & (scores["scale"] == scale)]
    columns = ["series_id", "horizon", "relative_wis", "relative_wis_lo", "relative_wis_hi", "n"]
    verdict = np.select(
        [chosen["relative_wis_hi"] < 1, chosen["relative_wis_lo"] > 1], [BETTER, WORSE], default=NO_EVIDENCE
    )
    return chosen[columns].assign(verdict=verdict).sort_values(["series_id", "horizon"], ignore_index=True)


def better_horizons(scores: pd.DataFrame, series_id: str, *, model_id: str = ENSEMBLE) -> list[int]:
    """Horizons at which a model is better than the baseline for one series, on log scale, ascending."""
    judged = skill(scores, model_id=model_id)
    found = judged[(judged["series_id"] == series_id) & (judged["verdict"] == BETTER)]
    return [int(horizon) for horizon in found["horizon"]]
