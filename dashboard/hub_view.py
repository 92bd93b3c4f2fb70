"""What the Hub page shows, worked out from a release: the league table, one round's forecasts, one model's record."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable
from typing import Any

import pandas as pd

from core.calendar import Frequency
from core.languages import NOTHING, is_known
from core.schema import ALL, NOT_APPLICABLE
from dashboard import _, lang, named, ngettext
from dashboard.evaluation_view import verdict_words
from dashboard.layout import country, plain
from dashboard.reads import Night
from forecasting import BASELINE, ENSEMBLE
from forecasting.verification.verdict import BETTER, FEWEST_ORIGINS, with_verdicts
from hub.outputs import dated, weekly
from hub.targets import RHYTHMS, open_round
from reports import numbers
from reports.asylum import KINDS, kind_name
from reports.names import MODELS, route_name

EVERYTHING, IN_TIME = "all", "in time"
ROUTES_BY_MONTH = "arrivals.M"


def model_names(models: pd.DataFrame) -> dict[str, str]:
    """Every model's name: a team's as the team writes it, Vigie's own in the reader's language."""
    told = {row["model_id"]: f"{row['model_name']} ({row['team_name']})" for row in models.to_dict("records")}
    own = {model_id: named(MODELS, model_id) for model_id in MODELS}
    return (
        told | own | {"hub-median": _("Hub: median of the models"), "hub-weighted": _("Hub: weighted by past scores")}
    )


def unit_names(scores: pd.DataFrame) -> dict[str, str]:
    """What the hub has scored together, in the reader's language, by target and frequency; arrivals by month first."""
    names = {ROUTES_BY_MONTH: _("Arrivals, monthly"), "arrivals.W": _("Arrivals, weekly")}
    names |= {kind: kind_name(kind, lang()) for kind in KINDS}
    found = set(scores["unit"])
    return {unit: names.get(unit, unit) for unit in [*names, *sorted(found - set(names))] if unit in found}


def scores_of(night: Night) -> pd.DataFrame:
    """``hub_scores`` with ``unit``; releases that knew routes by month alone did not say so."""
    scores = night.frame("hub_scores")
    unit = scores["target"] + "." + scores["freq"]
    return scores.assign(unit=unit.where(unit.str.len() > 1, ROUTES_BY_MONTH))


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
    """The league as texts in the reader's language; what a phone has room for comes first."""
    table = rows.to_dict("records")
    return pd.DataFrame(
        {
            _("Model"): [plain(row["name"]) for row in table],
            **_ratios(table),
            _("Pairwise relative WIS"): [lang().decimal(row["pairwise_wis"]) for row in table],
            _("Inside 50 / 80 / 95%"): [
                " / ".join(lang().share(row[f"coverage_{level}"]) for level in (50, 80, 95)) for row in table
            ],
            _("Cases"): [lang().counted(row["n"]) for row in table],
            _("Missing"): [lang().counted(row["missing"]) for row in table],
            _("Rounds"): [lang().counted(row["rounds"]) for row in table],
        }
    )


def _ratios(table: list[dict[Hashable, Any]]) -> dict[str, list[str]]:
    """Columns that say how far each line is from the baseline."""
    known = [is_known(row["relative_wis_lo"]) for row in table]
    ends = [(lang().decimal(row["relative_wis_lo"]), lang().decimal(row["relative_wis_hi"])) for row in table]
    return {
        _("Relative WIS"): [lang().decimal(row["relative_wis"]) for row in table],
        _("90% interval"): ["–".join(both) if there else NOTHING for there, both in zip(known, ends, strict=True)],
        _("Evidence"): [verdict_words(str(row["model_id"]), row["relative_wis"], row["verdict"]) for row in table],
    }


def interval_words(rows: pd.DataFrame) -> str:
    """Why a score has no interval; empty where each has one."""
    if not (rows["relative_wis"].notna() & rows["relative_wis_lo"].isna()).any():
        return ""
    text = _(
        "{mark}: too few rounds for an interval. It takes four times as many as the periods that are looked ahead, and "
        "at least {fewest}; without one there is no evidence."
    )
    return text.format(mark=NOTHING, fewest=FEWEST_ORIGINS)


def record(scores: pd.DataFrame, timing: str, model_id: str) -> pd.DataFrame:
    """One model by span of months, route and season: rows of ``hub_scores`` with ``verdict``."""
    rows = scores[(scores["timing"] == timing) & (scores["model_id"] == model_id)]
    return with_verdicts(rows[rows["kind"].isin(["span", "series", "season"])])


def record_table(rows: pd.DataFrame) -> pd.DataFrame:
    """The same as texts in the reader's language."""
    table = rows.to_dict("records")
    return pd.DataFrame(
        {
            _("Where"): [_place(row["kind"], row["group"], row["unit"]) for row in table],
            **_ratios(table),
            _("80% interval coverage"): [lang().share(row["coverage_80"]) for row in table],
            _("Cases"): [lang().counted(row["n"]) for row in table],
            _("Missing"): [lang().counted(row["missing"]) for row in table],
        }
    )


def span_words(span: str, unit: str) -> str:
    """A span of horizons in words."""
    words = {"W": _("{span} weeks ahead"), "Q": _("{span} quarters ahead")}
    return words.get(unit[-1], _("{span} months ahead")).format(span=span.replace("-", "–"))


def series_words(series_id: str) -> str:
    """Route or country of destination, and the citizens where only they are counted."""
    _target, route_id, geo, citizen, _freq = series_id.split(".")
    place = route_name(route_id, lang()) if route_id != NOT_APPLICABLE else country(geo)
    return place if citizen == ALL else f"{place}: {country(citizen)}"


def place_of(series_id: str) -> str:
    """The same as it stands in an address: a route, a country, or a country and citizens."""
    _target, route_id, geo, citizen, _freq = series_id.split(".")
    place = route_id if route_id != NOT_APPLICABLE else geo
    return place if citizen == ALL else f"{place}-{citizen}"


def _place(kind: str, group: str, unit: str) -> str:
    if kind == "span":
        return span_words(group, unit)
    if kind == "series":
        return series_words(group)
    return {"winter": _("Winter"), "spring": _("Spring"), "summer": _("Summer"), "autumn": _("Autumn")}[group]


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
    """What was counted about a round, two years before it to a year after; of weeks half a year and a quarter.

    Returns:
        ``time_period_end, value``.
    """
    before, after = (6, 3) if series_id.endswith(".W") else (24, 13)
    start, end = pd.Timestamp(origin) - pd.DateOffset(months=before), pd.Timestamp(origin) + pd.DateOffset(months=after)
    seen = night.frame("observations")
    if series_id.endswith(".M"):
        rows = numbers.observed_after(seen, night.frame("outcomes"), series_id, start.date())
        rows = rows.rename(columns={"end_date": "time_period_end", "obs_value": "value"})
    else:
        by_day = f"{series_id.removesuffix('.W')}.D"
        days, own = (seen[seen["series_id"] == name] for name in (by_day, series_id))
        rows = dated(pd.concat([own, weekly(days)]) if series_id.endswith(".W") else own)
        rows = rows.rename(columns={"target_end_date": "time_period_end"})
    inside = (rows["time_period_end"] > start) & (rows["time_period_end"] <= end)
    return rows.loc[inside, ["time_period_end", "value"]].reset_index(drop=True)


def series_of(scores: pd.DataFrame) -> list[str]:
    """Series that were scored."""
    return sorted(scores.loc[scores["kind"] == "series", "group"].unique())


def next_deadline(day: dt.date, freq: Frequency = "M") -> tuple[dt.date, dt.date] | None:
    """The round that is open on a day, and its last day; None where none is."""
    origin = open_round(freq, day)
    return None if origin is None else (origin.date(), origin.date() + dt.timedelta(days=RHYTHMS[freq].due[1]))
