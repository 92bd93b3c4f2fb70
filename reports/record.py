"""What past forecasts and alerts were worth, in one reader's language: verdicts, sentences, and how intervals held."""

from __future__ import annotations

import numpy as np
import pandas as pd

from alerts.verification import precision_cases
from core.languages import Language, as_counted, is_known
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from core.routes import in_order
from core.schema import ALL
from forecasting import ENSEMBLE
from forecasting.verification.verdict import BETTER, with_verdicts
from reports import ReadableRelease, Row, numbers
from reports.names import RULES

NEAR = (1, 2, 3)
"""Months ahead for which people plan."""


def series_of(route_id: str) -> str:
    """A route's series, or all of them together."""
    return ALL if route_id == ALL else numbers.route_series(route_id)


def own_rows(scores: pd.DataFrame, route_id: str) -> pd.DataFrame:
    """The ensemble's scores on one route on log scale, each with its ``verdict``, by ``horizon``."""
    rows = scores[(scores["series_id"] == series_of(route_id)) & (scores["scale"] == "log")]
    judged = with_verdicts(rows)
    return judged[(judged["model_id"] == ENSEMBLE) & judged["relative_wis"].notna()].sort_values("horizon")


def title(rows: pd.DataFrame, language: Language) -> str:
    """The finding in one sentence; ``rows`` are scores of one series and scale with their ``verdict``."""
    own = rows[(rows["model_id"] == ENSEMBLE)].dropna(subset=["relative_wis"]).sort_values("horizon")
    if own.empty:
        return language.text(_("No past forecasts have been scored yet"))
    better = own[own["verdict"] == BETTER]
    if better.empty:
        return language.text(_("No evidence that the forecast is better than the baseline"))
    until = _unbroken(own, better)
    if until == int(own["horizon"].max()):
        return language.text(_("The forecast beats the baseline at every horizon"))
    if until and len(better) == int((own["horizon"] <= until).sum()):
        texts = ngettext(
            "The forecast beats the baseline {n} month ahead; no evidence beyond",
            "The forecast beats the baseline up to {n} months ahead; no evidence beyond",
        )
        return language.plural(texts, until)
    texts = ngettext(
        "The forecast beats the baseline at {n} of {total} horizons",
        "The forecast beats the baseline at {n} of {total} horizons",
    )
    return language.plural(texts, len(better), total=len(own))


def _unbroken(own: pd.DataFrame, better: pd.DataFrame) -> int:
    until = 0
    for horizon in own["horizon"]:
        if horizon not in set(better["horizon"]):
            break
        until = int(horizon)
    return until


def verdicts(scores: pd.DataFrame) -> pd.DataFrame:
    """Verdict on the ensemble: one row per route (all of them first), one column per month ahead."""
    names = [str(name).split(".")[1] for name in scores["series_id"].unique() if "." in str(name)]
    rows = {}
    for route_id in [ALL, *in_order(names)]:
        own = own_rows(scores, route_id)
        if len(own):
            rows[route_id] = own.set_index(own["horizon"].astype(int))["verdict"]
    return pd.DataFrame(rows).T.sort_index(axis=1) if rows else pd.DataFrame()


def sentences(release: ReadableRelease, grid: pd.DataFrame, language: Language) -> list[str]:
    """Is it better, do its intervals hold, did its warnings come true? ``grid`` is the result of :func:`verdicts`."""
    near = grid.drop(index=ALL, errors="ignore").reindex(columns=list(NEAR))
    always, once = (int(found.sum()) for found in ((near == BETTER).all(axis=1), (near == BETTER).any(axis=1)))
    texts = ngettext(
        "One to three months ahead the forecast is better than the baseline in at least one month on {once} of "
        "{n} route, in all three on {always}.",
        "One to three months ahead the forecast is better than the baseline in at least one month on {once} of "
        "{n} routes, in all three on {always}.",
    )
    said = [language.plural(texts, len(near), once=once, always=always)]
    scores = release.frame("scores")
    rows = scores[(scores["series_id"] == ALL) & (scores["model_id"] == ENSEMBLE) & (scores["scale"] == "log")]
    held = rows.loc[rows["horizon"].astype(int).isin(NEAR), "coverage_80"].mean()
    if is_known(held):
        text = _("Its 80% interval held {share} of what was counted one to three months later.")
        said.append(language.text(text, share=language.share(held)))
    record = release.frame("track_record")
    record = record[(record["route_id"] == ALL) & (record["horizon"] == 0) & (record["level"] == "watch")]
    record = record[record["rule"].isin(RULES) & record["precision"].notna()]
    if len(record) and "n_alerts" in record:
        cases = np.array([precision_cases(row) for row in record.to_dict("records")])
        right = float(np.nansum(cases * record["precision"].to_numpy()))
        texts = ngettext(
            "Of {n} warnings at past dates {right} came true, all rules together.",
            "Of {n} warnings at past dates {right} came true, all rules together.",
        )
        n, hits = language.counted(np.nansum(cases)), language.counted(right)
        said.append(language.form(*texts, as_counted(right)).format(n=n, right=hits))
    return said


def coverage_rows(calibration: pd.DataFrame) -> pd.DataFrame:
    """``nominal`` and ``observed`` of one horizon."""
    rows = calibration[calibration["kind"] == "coverage"]
    return pd.DataFrame({"nominal": rows["level"].astype(float), "observed": rows["value"].astype(float)})


def pit_rows(calibration: pd.DataFrame) -> pd.DataFrame:
    """``bin_low`` (its lower edge) and ``share`` of one horizon.

    A release may name a bin by its lower edge or by its middle; the first one shows which.
    """
    rows = calibration[calibration["kind"] == "pit"].sort_values("level")
    if rows.empty:
        return pd.DataFrame({"bin_low": pd.Series(dtype=float), "share": pd.Series(dtype=float)})
    edges = rows["level"].astype(float) - float(rows["level"].iloc[0])
    return pd.DataFrame({"bin_low": edges.round(6), "share": rows["value"].astype(float)})


def coverage_alt(coverage: pd.DataFrame, language: Language) -> str:
    """Coverage in words, one clause per interval."""
    text = _("the {nominal} interval held the outcome in {actual} of cases")
    parts = [
        language.text(text, nominal=language.percent(row["nominal"]), actual=language.share(row["observed"]))
        for row in coverage.sort_values("nominal").to_dict("records")
    ]
    return language.text(_("Coverage: {parts}."), parts=language.listed(parts))


def pit_alt(pit: pd.DataFrame, language: Language) -> str:
    """The histogram in words: how many outcomes fell in the lowest and the highest tenth of their forecasts."""
    low, high = (
        float(pit.loc[mask, "share"].sum()) for mask in (pit["bin_low"] < 0.1 - 1e-9, pit["bin_low"] >= 0.9 - 1e-9)
    )
    text = _(
        "{low} of outcomes fell in the lowest tenth of their forecast and {high} in the highest tenth; "
        "10% each would be calibrated."
    )
    return language.text(text, low=language.share(min(low, 1.0)), high=language.share(min(high, 1.0)))


def reliability_words(row: Row, language: Language) -> str:
    """One bin of a rule's probabilities in words."""
    texts = ngettext(
        "Mean forecast probability {said}; event occurred in {came} of {n} month",
        "Mean forecast probability {said}; event occurred in {came} of {n} months",
    )
    return language.plural(texts, int(row["n"]), said=language.percent(row["chance"]), came=language.share(row["came"]))
