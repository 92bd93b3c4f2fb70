"""What the Hub page shows, worked out from a release: the league, one round as a chart, one model's record."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from core.calendar import MONTHS_EACH, Frequency
from core.languages import NOTHING, is_known
from core.schema import ALL, NOT_APPLICABLE
from dashboard import _, labelled, lang, named, ngettext
from dashboard.charts import (
    LABEL_PIXELS,
    band,
    count_axis,
    dated,
    expected_words,
    finish,
    mid_month,
    month_ticks,
    monthly_values,
    note,
    require,
    unit_label,
)
from dashboard.charts.fan import key_line, key_mark
from dashboard.evaluation_view import verdict_words
from dashboard.layout import country, plain
from dashboard.reads import Night
from dashboard.theme import Theme, with_opacity
from forecasting import BASELINE, ENSEMBLE
from forecasting.verification.verdict import BETTER, FEWEST_ORIGINS, with_verdicts
from hub import outputs
from hub.targets import RHYTHMS, open_round
from reports import numbers, skill
from reports.asylum import KINDS, kind_name
from reports.names import MODELS, route_name

EVERYTHING, IN_TIME = "all", "in time"
ROUTES_BY_MONTH = "arrivals.M"
CHART_COLUMNS = ("model_id", "name", "target_end_date", "q10", "q50", "q90")
CHART_HEIGHT = 380
FURTHEST = 2.0
"""How many times as high as what is usual in a round its axis goes: one model must not flatten all others."""


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


def period_words(end: pd.Timestamp, freq: str) -> str:
    """A period by its last day; a week by that day."""
    return lang().day(end) if freq == "W" else lang().period(end, MONTHS_EACH.get(freq, 1))


def teams_chart(
    observed: pd.DataFrame, forecasts: pd.DataFrame, *, highlight: str, unit: str, theme: Theme, freq: str = "M"
) -> go.Figure:
    """Draw what was counted, every model's median, and the highlighted model's 80 % interval.

    Args:
        observed: ``time_period_end``, ``value``: before the round and after it.
        forecasts: One round's ``model_id, name, target_end_date, q10, q50, q90``.
        highlight: The model looked at.
        unit: What is counted.
        theme: Colours.
        freq: How often: ``M``, ``Q`` or ``W``. A week stands at its last day, longer periods in their last month.

    Raises:
        SchemaError: A column is missing.
    """
    rows = require(forecasts, CHART_COLUMNS, "teams chart").sort_values("target_end_date")
    seen = require(observed, ("time_period_end", "value"), "teams chart, observed")
    by_week = freq == "W"
    months = (
        seen.sort_values("time_period_end").set_index("time_period_end")
        if by_week
        else monthly_values(seen, MONTHS_EACH.get(freq, 1))
    )
    figure = go.Figure()
    for model_id, own in rows.groupby("model_id"):
        if model_id != highlight:
            figure.add_trace(_median(own, {"color": theme.neutral, "width": 1.2}, freq))
    leading = rows[rows["model_id"] == highlight]
    if len(leading):
        x = _on_axis(leading, freq)
        low, high = (pd.Series(leading[name].to_numpy(), index=x) for name in ("q10", "q90"))
        figure.add_trace(band(low, high, with_opacity(theme.fan, 0.25), "80%"))
        figure.add_trace(_median(leading, {"color": theme.median, "width": 2.4}, freq))
    counted = {"color": theme.observed, "width": 2}
    hover = [f"{period_words(end, freq)}: {lang().counted(value)}" for end, value in dated(months["value"])]
    figure.add_trace(
        go.Scatter(x=months.index, y=months["value"], mode="lines+markers", line=counted, marker={"size": 5},
                   text=hover, hovertemplate="%{text}<extra></extra>", name="observed")
    )  # fmt: skip
    largest, beyond = _scale(seen, rows, highlight)
    dates = pd.DatetimeIndex([*months.index, *pd.to_datetime(rows["target_end_date"])])
    first, last = dates.min(), dates.max()
    figure.update_layout(
        hovermode="closest",
        showlegend=False,
        margin={"r": 12},  # names stand in the key above
        xaxis={"range": [first, last + pd.Timedelta(days=4)], **month_ticks(first, last)},
        yaxis=count_axis(largest),
    )
    edges = [
        note(theme, _up(row["value"]), x=x, y=1, yref="paper", yanchor="bottom", yshift=2 + LABEL_PIXELS * rank,
             font={"color": theme.median if row["model_id"] == highlight else theme.secondary})
        for rank, (x, row) in enumerate(zip(_on_axis(beyond, freq), beyond.to_dict("records"), strict=True))
    ]  # fmt: skip
    return finish(figure, theme, height=CHART_HEIGHT, annotations=[unit_label(theme, unit), *edges])


def _scale(observed: pd.DataFrame, rows: pd.DataFrame, highlight: str) -> tuple[float, pd.DataFrame]:
    """Where the axis ends, and the peaks beyond it: ``model_id, name, target_end_date, value``.

    Usual is the largest of what was counted, the median of the model looked at, and the middle one of all models'
    highest medians.
    """
    own = rows[rows["model_id"] == highlight]
    medians, ends = (
        part.sort_values(name).drop_duplicates("model_id", keep="last").rename(columns={name: "value"})
        for part, name in ((rows, "q50"), (own, "q90"))
    )
    usual = pd.Series([observed["value"].max(), own["q50"].max(), medians["value"].median()]).max()
    ends = ends.assign(name=ends["name"].map(lambda name: labelled(name, lang().percent(0.8))))
    peaks = pd.concat([medians, ends])[["model_id", "name", "target_end_date", "value"]]
    is_beyond = peaks["value"] > FURTHEST * usual
    return float(max(usual, peaks.loc[~is_beyond, "value"].max())), peaks[is_beyond]


def teams_key(observed: pd.DataFrame, forecasts: pd.DataFrame, *, highlight: str, theme: Theme) -> str:
    """What the marks of the chart mean, as a line of HTML above it: among so many lines a name has no place."""
    names = dict(zip(forecasts["model_id"], forecasts["name"], strict=True))
    # A dotted line of points, as in the chart: at night a line alone has the hue of the median's.
    points = f"height: 5px; background: radial-gradient(circle, {theme.observed} 2.5px, transparent 3px) 0 / 8px 5px"
    parts = [key_mark(points, _("counted"))]
    if highlight in names:
        parts.append(key_mark(f"border-top: 2px solid {theme.median}", labelled(names[highlight], _("median"))))
        text = labelled(lang().percent(0.8), _("4 in 5"))
        parts.append(key_mark(f"height: 0.7em; background: {with_opacity(theme.fan, 0.25)}", text))
    if set(names) - {highlight}:
        parts.append(key_mark(f"border-top: 1px solid {theme.neutral}", _("medians of the other models")))
    for row in _scale(observed, forecasts, highlight)[1].to_dict("records"):
        colour = theme.median if row["model_id"] == highlight else theme.neutral
        parts.append(key_mark(f"border-top: 1px solid {colour}", labelled(_up(row["value"]), row["name"])))
    return key_line(parts)


def _up(value: float) -> str:
    """A number that stands above the end of the axis."""
    return f"↑ {lang().expected(value)}"


def _on_axis(rows: pd.DataFrame, freq: str) -> pd.DatetimeIndex:
    """Where a model's periods stand on the axis."""
    return pd.DatetimeIndex(rows["target_end_date"] if freq == "W" else mid_month(rows["target_end_date"]))


def _median(rows: pd.DataFrame, line: dict[str, object], freq: str) -> go.Scatter:
    """One model's median as a line."""
    name = rows["name"].iloc[0]
    hover = [
        f"<b>{name}</b><br>{period_words(end, freq)}: {lang().expected(value)}"
        for end, value in zip(rows["target_end_date"], rows["q50"], strict=True)
    ]
    return go.Scatter(
        x=_on_axis(rows, freq), y=rows["q50"], mode="lines", line=line, text=hover,
        hovertemplate="%{text}<extra></extra>", name=str(rows["model_id"].iloc[0]),
    )  # fmt: skip


def teams_alt(observed: pd.DataFrame, forecasts: pd.DataFrame, *, highlight: str, freq: str = "M") -> str:
    """The chart in words: how many models, how far their medians lie apart at the end, and what leaves the scale."""
    last = forecasts[forecasts["target_end_date"] == forecasts["target_end_date"].max()]
    own = last[last["model_id"] == highlight]
    count = last["model_id"].nunique()
    words = ngettext(
        "Median of {n} model for {month}: {low}.", "Medians of {n} models for {month} from {low} to {high}.", count
    ).format(
        n=count,
        month=period_words(last["target_end_date"].iloc[0], freq),
        low=lang().expected(last["q50"].min()),
        high=lang().expected(last["q50"].max()),
    )
    beyond = _scale(observed, forecasts, highlight)[1].to_dict("records")
    words += "".join(f" {labelled(_up(row['value']), row['name'])}." for row in beyond)
    if own.empty:
        return words
    row = own.iloc[0]
    return f"{words} {expected_words(row['name'], row['q50'], row['q10'], row['q90'])}"
