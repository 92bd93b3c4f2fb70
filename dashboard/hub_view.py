"""What the Hub page shows, worked out from a release: the league table, one round's forecasts, one model's record."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from dashboard.evaluation_view import verdict_words
from dashboard.i18n import _, lang, named, ngettext
from dashboard.reads import Night
from forecasting.model import BASELINE, ENSEMBLE
from forecasting.verification.verdict import BETTER, with_verdicts
from reports import numbers
from reports.names import MODELS, ROUTES

EVERYTHING, IN_TIME = "all", "in time"
SPANS = ("1-3", "4-6", "7-12")
OPEN_DAYS = 31
"""A round of months closes so many days after its origin."""


def model_names(models: pd.DataFrame) -> dict[str, str]:
    """Every model's name: a team's as the team writes it, Vigie's own in the reader's language."""
    told = {row["model_id"]: f"{row['model_name']} ({row['team_name']})" for row in models.to_dict("records")}
    own = {model_id: named(MODELS, model_id) for model_id in MODELS}
    return (
        told | own | {"hub-median": _("Hub: median of the models"), "hub-weighted": _("Hub: weighted by past scores")}
    )


def league(scores: pd.DataFrame, timing: str, kind: str, group: str, names: dict[str, str]) -> pd.DataFrame:
    """One league table, the best first: the columns of ``hub_scores`` with ``name`` and ``verdict``."""
    rows = scores[(scores["timing"] == timing) & (scores["kind"] == kind) & (scores["group"] == group)]
    judged = with_verdicts(rows)
    return judged.assign(name=judged["model_id"].map(lambda one: names.get(one, one))).sort_values(
        "pairwise_wis", ignore_index=True
    )


def title(rows: pd.DataFrame) -> str:
    """The finding in one sentence."""
    if rows.empty:
        return _("No forecasts of other teams have been scored yet")
    others = rows[rows["model_id"] != BASELINE]
    better = int((others["verdict"] == BETTER).sum())
    text = ngettext(
        "{better} of {n} model is better than the baseline", "{better} of {n} models are better than the baseline",
        len(others),
    )  # fmt: skip
    return text.format(better=better, n=len(others))


def league_table(rows: pd.DataFrame) -> pd.DataFrame:
    """The league under names in the reader's language; numbers stay numbers."""
    verdicts = [verdict_words(row["model_id"], row["relative_wis"], row["verdict"]) for row in rows.to_dict("records")]
    return pd.DataFrame(
        {
            _("Model"): rows["name"].to_numpy(),
            _("Pairwise relative WIS"): rows["pairwise_wis"].round(3).to_numpy(),
            _("Relative WIS"): rows["relative_wis"].round(3).to_numpy(),
            _("from"): rows["relative_wis_lo"].round(3).to_numpy(),
            _("to"): rows["relative_wis_hi"].round(3).to_numpy(),
            _("Evidence"): verdicts,
            _("50% interval coverage"): rows["coverage_50"].round(3).to_numpy(),
            _("80% interval coverage"): rows["coverage_80"].round(3).to_numpy(),
            _("95% interval coverage"): rows["coverage_95"].round(3).to_numpy(),
            _("Cases"): rows["n"].to_numpy(),
            _("Missing"): rows["missing"].to_numpy(),
            _("Rounds"): rows["rounds"].to_numpy(),
        }
    )


def record(scores: pd.DataFrame, timing: str, model_id: str) -> pd.DataFrame:
    """One model by span of months, route and season."""
    rows = with_verdicts(scores[(scores["timing"] == timing) & (scores["model_id"] == model_id)])
    rows = rows[rows["kind"].isin(["span", "series", "season"])]
    return pd.DataFrame(
        {
            _("Where"): [_place(row["kind"], row["group"]) for row in rows.to_dict("records")],
            _("Relative WIS"): rows["relative_wis"].round(3).to_numpy(),
            _("from"): rows["relative_wis_lo"].round(3).to_numpy(),
            _("to"): rows["relative_wis_hi"].round(3).to_numpy(),
            _("Evidence"): [
                verdict_words(model_id, row["relative_wis"], row["verdict"]) for row in rows.to_dict("records")
            ],
            _("80% interval coverage"): rows["coverage_80"].round(3).to_numpy(),
            _("Cases"): rows["n"].to_numpy(),
            _("Missing"): rows["missing"].to_numpy(),
        }
    )


def span_words(span: str) -> str:
    """A span of horizons in words."""
    return _("{span} months ahead").format(span=span.replace("-", "–"))


def _place(kind: str, group: str) -> str:
    if kind == "span":
        return span_words(group)
    if kind == "series":
        return lang().text(_route(group))
    return {"winter": _("Winter"), "spring": _("Spring"), "summer": _("Summer"), "autumn": _("Autumn")}[group]


def _route(series_id: str) -> str:

    return ROUTES.get(series_id.split(".")[1], series_id)


def round_rows(night: Night, series_id: str, origin: str, names: dict[str, str]) -> pd.DataFrame:
    """What every model said in one round: other teams', the hub's ensembles, Vigie's ensemble and baseline."""
    others = night.frame("hub_forecasts")
    own = night.frame("replays")
    own = own[own["model_id"].isin([ENSEMBLE, BASELINE])]
    both = pd.concat([others, own.assign(timing="replay")], ignore_index=True)
    rows = both[(both["series_id"] == series_id) & (both["origin_date"] == pd.Timestamp(origin))]
    rows = rows.drop_duplicates(["model_id", "horizon"])
    return rows.assign(name=rows["model_id"].map(lambda one: names.get(one, one))).reset_index(drop=True)


def counted(night: Night, series_id: str, origin: str) -> pd.DataFrame:
    """Months counted from two years before a round to a year after it: ``time_period_end, value``."""
    start = pd.Timestamp(origin) - pd.DateOffset(months=24)
    rows = numbers.observed_after(night.frame("observations"), night.frame("outcomes"), series_id, start.date())
    rows = rows[rows["end_date"] <= pd.Timestamp(origin) + pd.DateOffset(months=13)]
    return rows.rename(columns={"end_date": "time_period_end", "obs_value": "value"})[["time_period_end", "value"]]


def series_of(scores: pd.DataFrame) -> list[str]:
    """Series that were scored."""
    return sorted(scores.loc[scores["kind"] == "series", "group"].unique())


def next_deadline(day: dt.date) -> tuple[dt.date, dt.date]:
    """The round that is open on a day, and its last day."""
    origin: dt.date = (pd.Timestamp(day).to_period("M") - 1).end_time.date()
    return origin, origin + dt.timedelta(days=OPEN_DAYS)
