"""The forecast hub: everybody's forecasts scored on the same rows, as tables in one reader's language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable
from typing import Any

import pandas as pd

from core.calendar import Frequency
from core.languages import NOTHING, Language, is_known
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from core.schema import ALL, NOT_APPLICABLE
from forecasting import BASELINE, ENSEMBLE
from forecasting.verification.verdict import BETTER, FEWEST_ORIGINS, with_verdicts
from hub import own as own_hub
from hub.own import RHYTHMS, open_round
from reports import ReadableRelease, numbers, skill
from reports.asylum import KINDS, kind_name
from reports.names import MODELS, series_place
from reports.names import name as named
from reports.record import row_verdict

ROUTES_BY_MONTH = "arrivals.M"


def model_names(models: pd.DataFrame, language: Language) -> dict[str, str]:
    """Every model's name: a team's as the team writes it, Vigie's and the hub's own in the reader's language."""
    teams = {row["model_id"]: f"{row['model_name']} ({row['team_name']})" for row in models.to_dict("records")}
    return teams | {model_id: named(MODELS, model_id, language) for model_id in MODELS}


def unit_names(scores: pd.DataFrame, language: Language) -> dict[str, str]:
    """What the hub has scored together, in the reader's language, by target and frequency; arrivals by month first."""
    names = {ROUTES_BY_MONTH: language.text(_("Arrivals, monthly")), "arrivals.W": language.text(_("Arrivals, weekly"))}
    names |= {kind: kind_name(kind, language) for kind in KINDS}
    found = set(scores["unit"])
    return {unit: names.get(unit, unit) for unit in [*names, *sorted(found - set(names))] if unit in found}


def scores_of(release: ReadableRelease) -> pd.DataFrame:
    """Return ``hub_scores`` with ``unit``; tables of routes by month alone lack it."""
    scores = release.frame("hub_scores")
    unit = scores["target"] + "." + scores["freq"]
    return scores.assign(unit=unit.where(unit.str.len() > 1, ROUTES_BY_MONTH))


def league(scores: pd.DataFrame, timing: str, kind: str, group: str, names: dict[str, str]) -> pd.DataFrame:
    """One league table, the best first: the columns of ``hub_scores`` with ``name`` and ``verdict``."""
    rows = scores[(scores["timing"] == timing) & (scores["kind"] == kind) & (scores["group"] == group)]
    judged = with_verdicts(rows)
    return judged.assign(name=judged["model_id"].map(lambda one: names.get(one, one))).sort_values(
        "pairwise_wis", ignore_index=True
    )


def finding(rows: pd.DataFrame, language: Language) -> str:
    """The finding in one sentence."""
    if rows.empty:
        return language.text(_("No forecasts of other teams have been scored yet"))
    others = rows[rows["model_id"] != BASELINE]
    texts = ngettext(
        "{better} of {n} model is better than the baseline", "{better} of {n} models are better than the baseline"
    )
    return language.plural(texts, len(others), better=int((others["verdict"] == BETTER).sum()))


def league_table(rows: pd.DataFrame, language: Language) -> pd.DataFrame:
    """The league as texts in the reader's language; what a phone has room for comes first."""
    table = rows.to_dict("records")
    return pd.DataFrame(
        {
            language.text(_("Model")): [row["name"] for row in table],
            **_ratios(table, language),
            language.text(_("Pairwise relative WIS")): [language.decimal(row["pairwise_wis"]) for row in table],
            language.text(_("Inside 50 / 80 / 95%")): [
                " / ".join(language.share(row[f"coverage_{level}"]) for level in (50, 80, 95)) for row in table
            ],
            language.text(_("Cases")): [language.counted(row["n"]) for row in table],
            language.text(_("Missing")): [language.counted(row["missing"]) for row in table],
            language.text(_("Rounds")): [language.counted(row["rounds"]) for row in table],
        }
    )


def _ratios(table: list[dict[Hashable, Any]], language: Language) -> dict[str, list[str]]:
    """Columns that say how far each line is from the baseline."""
    known = [is_known(row["relative_wis_lo"]) for row in table]
    ends = [(language.decimal(row["relative_wis_lo"]), language.decimal(row["relative_wis_hi"])) for row in table]
    return {
        language.text(_("Relative WIS")): [language.decimal(row["relative_wis"]) for row in table],
        language.text(_("90% interval")): [
            "–".join(both) if there else NOTHING for there, both in zip(known, ends, strict=True)
        ],
        language.text(_("Verdict")): [row_verdict(row, language) for row in table],
    }


def interval_words(rows: pd.DataFrame, language: Language) -> str:
    """Why a score has no interval; empty where each has one."""
    if not (rows["relative_wis"].notna() & rows["relative_wis_lo"].isna()).any():
        return ""
    text = _(
        "{mark}: too few rounds for an interval. It takes four times as many as the periods that are looked ahead, and "
        "at least {fewest}; without one nothing is shown."
    )
    return language.text(text, mark=NOTHING, fewest=FEWEST_ORIGINS)


def record(scores: pd.DataFrame, timing: str, model_id: str) -> pd.DataFrame:
    """One model by span of months, route and season: rows of ``hub_scores`` with ``verdict``."""
    rows = scores[(scores["timing"] == timing) & (scores["model_id"] == model_id)]
    return with_verdicts(rows[rows["kind"].isin(["span", "series", "season"])])


def record_table(rows: pd.DataFrame, scores: pd.DataFrame, language: Language) -> pd.DataFrame:
    """The same as texts in the reader's language.

    Args:
        rows: Result of :func:`record`.
        scores: The release's scores of Vigie's own models. Its ensemble has one verdict on a series, from these: they
            rest on more past origins than the rounds of the hub.
        language: The reader's.
    """
    table = rows.to_dict("records")
    ratios = _ratios(table, language)
    verdicts = [
        skill.ahead_words(skill.verdict_steps(scores, row["group"]), language, row["unit"])
        if row["kind"] == "series" and row["model_id"] == ENSEMBLE
        else said
        for row, said in zip(table, ratios[language.text(_("Verdict"))], strict=True)
    ]
    return pd.DataFrame(
        {
            language.text(_("Where")): [_place(row["kind"], row["group"], row["unit"], language) for row in table],
            **ratios,
            language.text(_("Verdict")): verdicts,
            language.text(_("80% interval coverage")): [language.share(row["coverage_80"]) for row in table],
            language.text(_("Cases")): [language.counted(row["n"]) for row in table],
            language.text(_("Missing")): [language.counted(row["missing"]) for row in table],
        }
    )


def place_of(series_id: str) -> str:
    """Return a series' place as it stands in an address: a route, a country, or a country and citizens."""
    _target, route_id, geo, citizen, _freq = series_id.split(".")
    place = route_id if route_id != NOT_APPLICABLE else geo
    return place if citizen == ALL else f"{place}-{citizen}"


def _place(kind: str, group: str, unit: str, language: Language) -> str:
    if kind == "span":
        return skill.span_words(group, unit, language)
    if kind == "series":
        return series_place(group, language)
    return {
        "winter": language.text(_("Winter")),
        "spring": language.text(_("Spring")),
        "summer": language.text(_("Summer")),
        "autumn": language.text(_("Autumn")),
    }[group]


def round_rows(release: ReadableRelease, series_id: str, origin: str, names: dict[str, str]) -> pd.DataFrame:
    """What every model said in one round: other teams', the hub's ensembles, Vigie's ensemble and baseline."""
    others = release.frame("hub_forecasts")
    own = release.frame("replays")
    own = own[own["model_id"].isin([ENSEMBLE, BASELINE])]
    both = pd.concat([others, own.assign(timing="replay")], ignore_index=True)
    rows = both[(both["series_id"] == series_id) & (both["origin_date"] == pd.Timestamp(origin))]
    rows = rows.drop_duplicates(["model_id", "horizon"])
    return rows.assign(name=rows["model_id"].map(lambda one: names.get(one, one))).reset_index(drop=True)


def counted(release: ReadableRelease, series_id: str, origin: str) -> pd.DataFrame:
    """What was counted about a round, two years before it to a year after; of weeks half a year and a quarter.

    Returns:
        ``time_period_end, value``.
    """
    before, after = (6, 3) if series_id.endswith(".W") else (24, 13)
    start, end = pd.Timestamp(origin) - pd.DateOffset(months=before), pd.Timestamp(origin) + pd.DateOffset(months=after)
    seen = release.frame("observations")
    if series_id.endswith(".M"):
        rows = numbers.observed_after(seen, release.frame("outcomes"), series_id, start.date())
        rows = rows.rename(columns={"end_date": "time_period_end", "obs_value": "value"})
    else:
        by_day = f"{series_id.removesuffix('.W')}.D"
        days, own = (seen[seen["series_id"] == name] for name in (by_day, series_id))
        rows = own_hub.dated(pd.concat([own, own_hub.weekly(days)]) if series_id.endswith(".W") else own)
        rows = rows.rename(columns={"target_end_date": "time_period_end"})
    inside = (rows["time_period_end"] > start) & (rows["time_period_end"] <= end)
    return rows.loc[inside, ["time_period_end", "value"]].reset_index(drop=True)


def next_deadline(day: dt.date, freq: Frequency = "M") -> tuple[dt.date, dt.date] | None:
    """The round that is open on a day, and its last day; None where none is."""
    origin = open_round(freq, day)
    return None if origin is None else (origin.date(), origin.date() + dt.timedelta(days=RHYTHMS[freq].due[1]))
