"""Scores, calibration and track record in the shape in which the evaluation page shows them."""

from __future__ import annotations

import pandas as pd

from core.schema import ALL
from dashboard import summaries
from dashboard.i18n import _, ngettext
from dashboard.names import model_name
from dashboard.summaries import known
from forecasting.verification.verdict import BETTER, WORSE, with_verdicts


def series_of(route_id: str) -> str:
    """A route's series, or all of them together."""
    return ALL if route_id == ALL else summaries.route_series(route_id)


def skill_rows(scores: pd.DataFrame, series_id: str, scale: str) -> pd.DataFrame:
    """Scores of one series and scale, the ensemble first and the baseline second.

    Returns:
        The columns of ``SCORES`` plus ``name``, ``lower`` and ``upper`` (empty where no interval is known), and
        ``verdict``.
    """
    rows = with_verdicts(scores[(scores["series_id"] == series_id) & (scores["scale"] == scale)])
    rows["name"] = rows["model_id"].map(model_name)
    rows = rows.assign(lower=rows["relative_wis_lo"], upper=rows["relative_wis_hi"])
    order = rows["model_id"].map({summaries.ENSEMBLE: 0, summaries.BASELINE: 1}).fillna(2)
    return rows.assign(_order=order).sort_values(["_order", "name", "horizon"]).drop(columns="_order")


def verdict_words(model_id: str, relative_wis: float, verdict: str) -> str:
    """What a ratio to the baseline is evidence of."""
    if model_id == summaries.BASELINE:
        return _("the baseline")
    if not known(relative_wis):
        return _("not scored")
    return {BETTER: _("better"), WORSE: _("worse")}.get(verdict, _("no evidence"))


def title(rows: pd.DataFrame) -> str:
    """The finding in one sentence."""
    own = rows[(rows["model_id"] == summaries.ENSEMBLE)].dropna(subset=["relative_wis"]).sort_values("horizon")
    if own.empty:
        return _("No past forecasts have been scored yet")
    better = own[own["verdict"] == BETTER]
    if better.empty:
        return _("No evidence that the forecast is better than the baseline")
    until = _unbroken(own, better)
    if until == int(own["horizon"].max()):
        return _("The forecast beats the baseline at every horizon")
    if until and len(better) == int((own["horizon"] <= until).sum()):
        text = ngettext(
            "The forecast beats the baseline {n} month ahead; no evidence beyond",
            "The forecast beats the baseline up to {n} months ahead; no evidence beyond",
            until,
        )
        return text.format(n=until)
    return _("The forecast beats the baseline at {n} of {total} horizons").format(n=len(better), total=len(own))


def _unbroken(own: pd.DataFrame, better: pd.DataFrame) -> int:
    until = 0
    for horizon in own["horizon"]:
        if horizon not in set(better["horizon"]):
            break
        until = int(horizon)
    return until


def skill_table(rows: pd.DataFrame) -> pd.DataFrame:
    """The sortable table: numbers stay numbers."""
    verdicts = [verdict_words(row["model_id"], row["relative_wis"], row["verdict"]) for row in rows.to_dict("records")]
    return pd.DataFrame(
        {
            _("Model"): rows["name"].to_numpy(),
            _("Months ahead"): rows["horizon"].to_numpy(),
            _("Relative WIS"): rows["relative_wis"].round(3).to_numpy(),
            _("from"): rows["lower"].round(3).to_numpy(),
            _("to"): rows["upper"].round(3).to_numpy(),
            _("Evidence"): verdicts,
            _("50% held"): rows["coverage_50"].round(3).to_numpy(),
            _("80% held"): rows["coverage_80"].round(3).to_numpy(),
            _("95% held"): rows["coverage_95"].round(3).to_numpy(),
            _("Cases"): rows["n"].to_numpy(),
        }
    )


def coverage_rows(calibration: pd.DataFrame) -> pd.DataFrame:
    """``nominal`` and ``observed`` of one horizon."""
    rows = calibration[calibration["kind"] == "coverage"]
    return pd.DataFrame({"nominal": rows["level"].astype(float), "observed": rows["value"].astype(float)})


def pit_rows(calibration: pd.DataFrame) -> pd.DataFrame:
    """``bin_low`` (its lower edge) and ``share`` of one horizon.

    A release may name a bin by its lower edge or by its middle; both are told apart by the first one.
    """
    rows = calibration[calibration["kind"] == "pit"].sort_values("level")
    if rows.empty:
        return pd.DataFrame({"bin_low": pd.Series(dtype=float), "share": pd.Series(dtype=float)})
    edges = rows["level"].astype(float) - float(rows["level"].iloc[0])
    return pd.DataFrame({"bin_low": edges.round(6), "share": rows["value"].astype(float)})
