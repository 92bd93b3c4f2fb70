"""Track record, part Hub: everybody's forecasts scored on the same rows, one round as a chart, how to take part."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from access import HAND_IN
from core.calendar import Frequency
from core.languages import NOTHING, is_known
from core.schema import ALL, NOT_APPLICABLE
from dashboard import _, downloads, lang, layout, named, ngettext, reads, state
from dashboard.charts.teams import round_period, teams_alt, teams_chart, teams_key
from dashboard.evaluation_view import verdict_words
from dashboard.layout import country, plain, small
from dashboard.reads import Night
from dashboard.tables import localised
from dashboard.theme import current_theme
from decisions.judgements import departures, said_by_panels
from forecasting import BASELINE, ENSEMBLE
from forecasting.verification.verdict import BETTER, FEWEST_ORIGINS, with_verdicts
from hub import outputs
from hub.score import SPANS
from hub.targets import RHYTHMS, open_round
from reports import numbers, skill
from reports.asylum import KINDS, kind_name
from reports.names import MODELS, route_name

EVERYTHING, IN_TIME = "all", "in time"
ROUTES_BY_MONTH = "arrivals.M"


def model_names(models: pd.DataFrame) -> dict[str, str]:
    """Every model's name: a team's as the team writes it, Vigie's own in the reader's language."""
    teams = {row["model_id"]: f"{row['model_name']} ({row['team_name']})" for row in models.to_dict("records")}
    own = {model_id: named(MODELS, model_id) for model_id in MODELS}
    return (
        teams | own | {"hub-median": _("Hub: median of the models"), "hub-weighted": _("Hub: weighted by past scores")}
    )


def unit_names(scores: pd.DataFrame) -> dict[str, str]:
    """What the hub has scored together, in the reader's language, by target and frequency; arrivals by month first."""
    names = {ROUTES_BY_MONTH: _("Arrivals, monthly"), "arrivals.W": _("Arrivals, weekly")}
    names |= {kind: kind_name(kind, lang()) for kind in KINDS}
    found = set(scores["unit"])
    return {unit: names.get(unit, unit) for unit in [*names, *sorted(found - set(names))] if unit in found}


def scores_of(night: Night) -> pd.DataFrame:
    """Return ``hub_scores`` with ``unit``; tables of routes by month alone lack it."""
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


def finding(rows: pd.DataFrame) -> str:
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


def record_table(rows: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """The same as texts in the reader's language.

    Args:
        rows: Result of :func:`record`.
        scores: The release's scores of Vigie's own models. Its ensemble has one verdict on a series, from these: they
            rest on more past origins than the rounds of the hub.
    """
    table = rows.to_dict("records")
    ratios = _ratios(table)
    evidence = [
        skill.span_words(skill.skill_span(scores, row["group"]), lang())
        if row["kind"] == "series" and row["model_id"] == ENSEMBLE
        else said
        for row, said in zip(table, ratios[_("Evidence")], strict=True)
    ]
    return pd.DataFrame(
        {
            _("Where"): [_place(row["kind"], row["group"], row["unit"]) for row in table],
            **ratios,
            _("Evidence"): evidence,
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
        rows = outputs.dated(pd.concat([own, outputs.weekly(days)]) if series_id.endswith(".W") else own)
        rows = rows.rename(columns={"target_end_date": "time_period_end"})
    inside = (rows["time_period_end"] > start) & (rows["time_period_end"] <= end)
    return rows.loc[inside, ["time_period_end", "value"]].reset_index(drop=True)


def next_deadline(day: dt.date, freq: Frequency = "M") -> tuple[dt.date, dt.date] | None:
    """The round that is open on a day, and its last day; None where none is."""
    origin = open_round(freq, day)
    return None if origin is None else (origin.date(), origin.date() + dt.timedelta(days=RHYTHMS[freq].due[1]))


def show(night: Night) -> None:
    """The part."""
    scores = scores_of(night)
    if scores.empty:
        st.header(finding(scores), anchor=False)
        show_how(night)
        return
    names = model_names(night.frame("hub_models"))
    units = unit_names(scores)
    unit = state.choice("what", list(units), next(iter(units)))
    scores = scores[scores["unit"] == unit]
    spans = SPANS.get(unit[-1], SPANS["M"])
    timings = [name for name in (EVERYTHING, IN_TIME) if name in set(scores["timing"])]
    timing = state.choice("timing", timings, timings[0])
    span = state.choice("ahead", spans, spans[0])
    key = (unit, timing, span)
    rows = reads.once(night, partial(league, scores, timing, "span", span, names), "league", *key)
    st.header(finding(rows), anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        words = {EVERYTHING: _("All, replays among them"), IN_TIME: _("Submitted in time")}
        st.selectbox(_("What"), list(units), width=260, format_func=units.__getitem__, **state.widget("what", unit))
        st.selectbox(
            _("Forecasts"), timings, width=240, format_func=words.__getitem__, **state.widget("timing", timing)
        )
        st.selectbox(
            _("Horizon"), spans, width=200, format_func=lambda one: span_words(one, unit),
            **state.widget("ahead", span),
        )  # fmt: skip
    reads.drawn_once(night, partial(draw_league, rows, timing), "league's table", *key)
    title = _("League table of the forecast hub")
    downloads.buttons(
        downloads.export_of(
            night, f"hub-league-{unit}-{span}", title, rows.drop(columns=["name", "unit"]), list(night.sources())
        )
    )
    show_round(night, scores, unit, timing, names)
    show_panels(night)
    show_how(night)


def draw_league(rows: pd.DataFrame, timing: str) -> None:
    """The table with what must be known about it."""
    with st.container(key="league"):
        alt = _("Scores of every model on the same rows, the best first")
        st.table(league_table(rows), border="horizontal", hide_index=True, alt=alt)
    text = _(
        "Weighted interval score on log scale. Pairwise: against every other model on the months that both forecast, "
        "the baseline being 1. Relative: against the baseline alone, with its 90% interval over rounds. Below 1 is "
        "better; where the interval includes 1, or a ratio does not stand after Holm’s correction for all models, "
        "there is no evidence."
    )
    st.markdown(small(" ".join(part for part in (text, interval_words(rows)) if part)))
    if timing == EVERYTHING:
        replays = _(
            "Replays were computed afterwards, on what was known when the round closed. They show how a method would "
            "have done; only forecasts submitted in time are proof."
        )
        st.markdown(small(replays))


def show_round(night: Night, scores: pd.DataFrame, unit: str, timing: str, names: dict[str, str]) -> None:
    """One round's forecasts over what was counted, and the record of the model that is looked at."""
    freq, of_routes = unit[-1], unit.startswith("arrivals")
    scored = sorted(scores.loc[scores["kind"] == "series", "group"].unique())
    series = {place_of(one): one for one in scored}
    in_address = "route" if of_routes else "country"
    place = state.choice(in_address, list(series), next(iter(series)))
    series_id = series[place]
    own = night.frame("hub_forecasts")
    found = own.loc[own["series_id"] == series_id, "origin_date"]
    origins = [f"{day:%Y-%m-%d}" for day in sorted(found.unique(), reverse=True)]
    origin = state.choice("round", origins, origins[min(12, len(origins) - 1)])
    rows = reads.once(night, partial(round_rows, night, series_id, origin, names), "round", series_id, origin)
    models = list(rows["model_id"].unique())
    model_id = state.choice("model", models, ENSEMBLE if ENSEMBLE in models else models[0])
    st.header(_("What each expected, and what was counted"), anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.selectbox(
            _("Route") if of_routes else _("Country of destination"), list(series), width=240,
            format_func=lambda one: series_words(series[one]), **state.widget(in_address, place),
        )  # fmt: skip
        st.selectbox(
            _("Round"), origins, width=180, format_func=lambda day: round_period(pd.Timestamp(day), freq),
            **state.widget("round", origin),
        )  # fmt: skip
        st.selectbox(
            _("Model"),
            models,
            width=360,
            format_func=lambda one: names.get(one, one),
            **state.widget("model", model_id),
        )
    seen = reads.once(night, partial(counted, night, series_id, origin), "counted", series_id, origin)
    reads.drawn_once(
        night, partial(draw_round, seen, rows, model_id, unit), "round's chart", series_id, origin, model_id
    )
    title = _("Forecasts of the round {round}").format(round=origin)
    export = downloads.export_of(
        night, f"hub-{series_id}-{origin}", title, rows.drop(columns="name"), list(night.sources())
    )
    downloads.figures(export, title)
    reads.drawn_once(
        night, partial(draw_model, night, scores, timing, model_id, names), "model", unit, timing, model_id
    )


def draw_round(seen: pd.DataFrame, rows: pd.DataFrame, model_id: str, unit: str) -> None:
    """The chart alone."""
    units = {
        "arrivals.M": _("Arrivals per month"), "arrivals.W": _("Arrivals per week"), "M": _("Applicants per month"),
        "Q": _("Applicants per quarter"),
    }  # fmt: skip
    axis = units.get(unit) or units.get(unit[-1], "")
    st.html(teams_key(seen, rows, highlight=model_id, theme=current_theme()))
    figure = teams_chart(seen, rows, highlight=model_id, unit=axis, freq=unit[-1], theme=current_theme())
    layout.chart(figure, teams_alt(seen, rows, highlight=model_id, freq=unit[-1]), "teams")


def draw_model(night: Night, scores: pd.DataFrame, timing: str, model_id: str, names: dict[str, str]) -> None:
    """One model: what its team says of it, and its record by months ahead, route and season."""
    st.header(layout.plain(names.get(model_id, model_id)), anchor=False)
    about = night.frame("hub_models")
    about = about[about["model_id"] == model_id]
    if len(about):
        row = about.iloc[0]
        licence = _("Licence: {licence}").format(licence=row["licence"])
        st.markdown(small(layout.plain(f"{lang().text(row['methods'])} {licence}.")))
    found = record(scores, timing, model_id)
    if found.empty:
        st.markdown(small(_("Nothing of this model has been scored here yet.")))
        return
    alt = _("Scores of one model by months ahead, route and season")
    with st.container(key="league-record"):
        own = pd.concat([night.frame("scores"), night.frame("asylum_scores")], ignore_index=True)
        st.table(record_table(found, own), border="horizontal", hide_index=True, alt=alt)
    if said := interval_words(found):
        st.markdown(small(said))


def show_panels(night: Night) -> None:
    """Whether departures from the ensemble helped, of panels large enough to keep members anonymous."""
    said = said_by_panels(reads.journal().entries(action=HAND_IN))
    rows = departures(night.frame("hub_forecasts"), night.frame("replays"), said)
    if rows.empty:
        return
    st.header(_("Panels beside the ensemble"), anchor=False)
    columns = {
        "panel": _("Panel"), "n": _("Cases"), "helped": _("Nearer than the ensemble"),
        "relative_wis": _("Score beside the ensemble’s"),
    }  # fmt: skip
    shown = rows.assign(relative_wis=rows["relative_wis"].round(3)).rename(columns=columns)
    st.dataframe(
        localised(shown),
        hide_index=True,
        placeholder=NOTHING,
        alt=_("Whether panels’ departures from the ensemble helped"),
    )
    words = _("Panels of five or more people; what they handed in in time, on months counted since. Below 1 is better.")
    st.markdown(small(words))


def show_how(night: Night) -> None:
    """Deadlines and how to take part."""
    st.header(_("Take part"), anchor=False)
    today = dt.datetime.now(dt.UTC).date()
    rounds: tuple[tuple[Frequency, str], ...] = (
        ("M", _("The monthly round of {round} is open until {day}.")),
        ("W", _("The weekly round of {round} is open until {day}.")),
    )  # fmt: skip
    said = [
        words.format(round=round_period(pd.Timestamp(found[0]), freq), day=lang().day(found[1]))
        for freq, words in rounds
        if (found := next_deadline(today, freq))
    ]
    text = _(
        "A ministry, a research team or a student may hand in forecasts of any of these series: one file with the 23 "
        "quantiles, in hubverse’s format. Every file is checked, kept as it came and scored on the same rows as all "
        "others; a late one is marked."
    )
    guide = _("The guide “The forecast hub” in Vigie’s documentation goes through it step by step.")
    st.markdown(" ".join([*said, text, guide]))
    received = night.frame("hub_editions")
    if len(received):
        st.subheader(_("Received"), anchor=False)
        shown = received.sort_values("received", ascending=False)[
            ["model_id", "round_id", "received", "late", "sha256"]
        ]
        columns = {
            "model_id": _("Model"), "round_id": _("Round"), "received": _("Received"), "late": _("Late"),
            "sha256": _("Hash of the file"),
        }  # fmt: skip
        late = shown["late"].map({True: _("late"), False: _("in time")})
        st.dataframe(
            localised(shown.assign(late=late).rename(columns=columns)), hide_index=True, alt=_("Files received")
        )
        title = _("Submissions received by the hub")
        downloads.buttons(downloads.export_of(night, "hub-editions", title, received, []))
