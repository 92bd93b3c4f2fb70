"""What past forecasts and alerts were worth, in one reader's language: verdicts, sentences, and how intervals held."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import partial

import numpy as np
import pandas as pd

from alerts.rules import EXCEEDANCE
from alerts.verification import precision_cases
from core.calendar import PLANNING_MONTHS
from core.languages import NOTHING, Language, capital, is_known, uncapital
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from core.routes import in_order
from core.schema import ALL
from forecasting import BASELINE, ENSEMBLE
from forecasting.reception import MODEL_ID
from forecasting.verification import FEW, NARROW
from forecasting.verification.situations import ALONE, BEGUN, CALM, HIGH, MONTH, PATH, SIZE, SURGE, TOGETHER
from forecasting.verification.verdict import BETTER, WORSE, skill, with_verdicts
from reports import ReadableRelease, Row, asylum, numbers, reception
from reports.asylum import AsylumForecast
from reports.names import DRIVERS, MODELS, REGIONS, country_name, place_name, route_name
from reports.names import name as named
from reports.reception import Need
from reports.skill import (
    BRIEF,
    ahead_words,
    hits_words,
    own_rows,
    period_ends,
    steps_ahead,
    total_record,
    verdict_steps,
    with_interval,
)

PART_SERIES = "_parts"
EVIDENCE, HARMS = "evidence", "makes it worse"
SITUATIONS = {
    (SIZE, "<100"): _("Size: under 100 a month"),
    (SIZE, "100-999"): _("Size: 100 to 999"),
    (SIZE, "1000-9999"): _("Size: 1,000 to 9,999"),
    (SIZE, ">=10000"): _("Size: 10,000 and more"),
    (MONTH, CALM): _("Calm months"),
    (MONTH, SURGE): _("Surge months"),
    (HIGH, "90%"): _("High figures"),
    (PATH, ALONE): _("Whole paths, each route alone"),
    (PATH, TOGETHER): _("Whole paths, all routes together"),
}
"""Names of kinds and groups of situations, in their order."""
FLATTER = _(
    "These scores are probably too good, for two reasons: where first counts were not kept, corrected ones stand; "
    "and the recipe was chosen on these past dates. It is fixed since 2 December 2026."
)
AHEAD = (1, 3, 6, 12)
"""Months ahead of the table by situation."""


def series_of(route_id: str) -> str:
    """A route's series, or all of them together."""
    return ALL if route_id == ALL else numbers.route_series(route_id)


def title(release: ReadableRelease, route_id: str, language: Language) -> str:
    """How far ahead past forecasts beat the baseline and by how much, and where that is not proven."""
    scores = release.frame("scores")
    judged = skill(scores[scores["series_id"] == series_of(route_id)])
    verdicts = verdict_steps(scores, series_of(route_id))
    if verdicts is None:
        return language.text(_("No past forecasts have been scored yet"))
    if steps := [step for step, verdict in verdicts.items() if verdict == BETTER]:
        ratios = judged.loc[judged["horizon"].isin(steps), "relative_wis"]
        least, most = (language.percent(1 - float(ratio)) for ratio in (ratios.max(), ratios.min()))
        text = _("past forecast errors {least} to {most} smaller than by repeating the last count, {ahead}")
        if least == most:
            text = _("past forecast errors {least} smaller than by repeating the last count, {ahead}")
        said = language.text(text, least=least, most=most, ahead=steps_ahead(steps, language))
    else:
        said = ahead_words(verdicts, language)
    if route_id != ALL:
        return language.labelled(judged_name(route_id, language), said)
    without = [
        route_name(one, language)
        for one in routes_of(scores)
        if BETTER not in (verdict_steps(scores, series_of(one)) or {}).values()
    ]
    if without and steps:
        text = _("single months: not proven for {routes}")
        said = language.listed([said, language.text(text, routes=", ".join(without))])
    return language.labelled(judged_name(route_id, language), said)


def ensemble_words(release: ReadableRelease, language: Language) -> list[str]:
    """What the ensemble is good for and where it fails, by the release's scores."""
    scores, routes = release.frame("scores"), []
    for one in routes_of(scores):
        judged = verdict_steps(scores, series_of(one)) or {}
        if steps := [step for step, verdict in judged.items() if verdict == BETTER]:
            routes.append(language.labelled(route_name(one, language), steps_ahead(steps, language)))
    good = _("**Good for** months in which it is proven better than the last count repeated. {routes}.")
    fails = [language.text(_("**Fails** where a war, an agreement or a closure changes a route at once."))]
    held = release.frame("situation_scores").query("scale == 'log' and kind == @MONTH and horizon == @PLANNING_MONTHS")
    if {SURGE, CALM} <= set(held["group"]):
        shares = held.set_index("group")["coverage_80"].map(language.share)
        text = _("{ahead}, its 80% interval held {surge} of counts in surges, {calm} in calm months.")
        ahead = capital(steps_ahead([PLANNING_MONTHS], language))
        fails.append(language.text(text, ahead=ahead, surge=shares[SURGE], calm=shares[CALM]))
    is_good = [language.text(good, routes=language.listed(routes))] if routes else []
    return [*is_good, " ".join(fails)]


def judged_name(route_id: str, language: Language) -> str:
    """A route, or the mean of all: its errors are pooled, its counts not added."""
    return language.text(_("Average over the routes")) if route_id == ALL else route_name(route_id, language)


def routes_of(scores: pd.DataFrame) -> list[str]:
    """The routes that are scored, in the order in which Vigie lists them."""
    return in_order(str(name).split(".")[1] for name in scores["series_id"].unique() if "." in str(name))


def verdicts(release: ReadableRelease) -> pd.DataFrame:
    """The ensemble's verdicts: one row per route (all of them first), one column per month ahead."""
    scores = release.frame("scores")
    judged = skill(scores).dropna(subset="relative_wis")
    found = judged.pivot_table(index="series_id", columns="horizon", values="verdict", aggfunc="first")
    rows = {one: series_of(one) for one in [ALL, *routes_of(scores)]}
    return found.reindex(list(rows.values())).set_axis(list(rows)).dropna(how="all")


def beside(release: ReadableRelease, language: Language) -> pd.DataFrame:
    """Verdicts on what :func:`other_figures` names: a row each by months ahead, and which share intervals held."""
    scores, rows = release.frame("reception_scores"), {}
    for name, one in other_figures(release, language).items():
        if isinstance(one, Need):
            own = scores[scores["series_id"].eq(one.series_id) & scores["reference"].eq(BASELINE)]
            judged, held = skill(own, model_id=MODEL_ID), float(one.inside.mean())
        else:
            own, served = (
                own_rows(release.frame("asylum_scores"), one.series_id, it) for it in (ENSEMBLE, one.model_id)
            )
            judged = skill(own)
            held = float(np.average(served["coverage_80"], weights=served["n"])) if len(served) else np.nan
        rows[name] = dict(zip(one.months_each * judged["horizon"], judged["verdict"], strict=True))
        if is_known(held):
            rows[name][language.text(_("Held"))] = language.share(held)
    return pd.DataFrame(rows).T


def other_figures(release: ReadableRelease, language: Language) -> dict[str, AsylumForecast | Need]:
    """What is published beside routes, by name: asylum applications where most are made, people in reception."""
    found: dict[str, AsylumForecast | Need] = {}
    if (view := asylum.most(release)) is not None:
        kind = uncapital(asylum.kind_name(view.kind, language))
        found[language.labelled(country_name(view.geo, language), kind)] = view.to_plan_with
    people = uncapital(language.text(_("People in reception")))
    for need in reception.countries(release):
        found[language.labelled(place_name(need.series_id.split(".")[1], language), people)] = need
    return found


def sentences(release: ReadableRelease, route_id: str, language: Language) -> list[str]:
    """Whether intervals held at past dates, and what past forecasts rest on.

    Args:
        release: Its scores, past forecasts and counts are read.
        route_id: One route, or all of them.
        language: The reader's.
    """
    said = held_words(release, route_id, language), span_words(release, route_id, language)
    return [text for text in said if text]


def error_title(release: ReadableRelease, route_id: str, language: Language) -> str:
    """How far off forecasts were in persons; the verdict without counts of past forecasts."""
    said = error_words(release.frame("backtest"), release.frame("observations"), route_id, language).removesuffix(".")
    if said and route_id != ALL:
        return language.labelled(judged_name(route_id, language), uncapital(said))
    return said or title(release, route_id, language)


def error_words(backtest: pd.DataFrame, observations: pd.DataFrame, route_id: str, language: Language) -> str:
    """How far past forecasts were from the count, and the last count repeated: medians over the same past dates."""
    rows = backtest[backtest["horizon"].eq(PLANNING_MONTHS) & backtest["output_type_id"].round(6).eq(0.5)]
    rows = rows if route_id == ALL else rows[rows["series_id"] == series_of(route_id)]
    for name, day in (("obs_value", "target_end_date"), ("last_value", "origin_date")):
        counts = observations[["series_id", "time_period", "obs_value"]].rename(columns={"obs_value": name})
        rows = rows.assign(time_period=rows[day].dt.strftime("%Y-%m")).merge(counts, on=["series_id", "time_period"])
    rows = rows.query("obs_value > 0")
    if rows.empty:
        return ""
    errors = rows[["value", "last_value"]].sub(rows["obs_value"], axis=0).abs()
    own, last = errors.div(rows["obs_value"], axis=0).median().map(language.percent)
    text = _(
        "{ahead}, a route’s forecast was typically off by {share} ({error} a month); the last count repeated, by "
        "{last}."
    )
    each = errors["value"].groupby(rows["series_id"]).median()
    if len(each) > 1:
        text = _(
            "{ahead}, a route’s forecast was typically off by {share} ({low} to {high} a month, by route); the last "
            "count repeated, by {last}."
        )
    low, high = map(language.expected, (each.min(), each.max()))
    ahead = capital(steps_ahead([PLANNING_MONTHS], language))
    return language.text(text, ahead=ahead, error=low, low=low, high=high, share=own, last=last)


def said_and_counted(release: ReadableRelease, route_id: str) -> pd.DataFrame:
    """Each month counted beside what was forecast of it as far ahead as the planning window reaches.

    Returns:
        ``route_id, target_end_date, q10, q50, q90, obs_value`` and ``inside`` (the 80 % interval), by route and month.
    """
    past, parts = release.frame("backtest"), []
    past = past[past["horizon"].eq(PLANNING_MONTHS)]
    for one in routes_of(past) if route_id == ALL else [route_id]:
        said = numbers.quantiles_of(past, series_of(one))
        said = said.rename(columns={0.1: "q10", 0.5: "q50", 0.9: "q90"}).reindex(columns=["q10", "q50", "q90"])
        counts = numbers.series_of(release.frame("observations"), series_of(one)).set_index("end_date")["obs_value"]
        both = said.join(counts, how="inner").dropna().rename_axis("target_end_date").reset_index()
        both.insert(0, "route_id", one)
        parts.append(both.assign(inside=both["obs_value"].between(both["q10"], both["q90"])))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def said_title(rows: pd.DataFrame, route_id: str, language: Language) -> str:
    """How many counts fell inside the intervals given before; ``rows`` are of :func:`said_and_counted`."""
    texts = ngettext(
        "{held} of {n} count ({share}) fell inside the 80% interval forecast {ahead}",
        "{held} of {n} counts ({share}) fell inside the 80% interval forecast {ahead}",
    )
    ahead = steps_ahead([PLANNING_MONTHS], language)
    held, share = language.counted(rows["inside"].sum()), language.share(rows["inside"].mean())
    said = language.plural(texts, len(rows), held=held, share=share, ahead=ahead)
    return language.labelled(scored_name(route_id, language), said)


def said_by_route(rows: pd.DataFrame, totals: pd.DataFrame, language: Language) -> list[str]:
    """The share of each route's counts that fell inside, that of its totals, and the median error of its medians.

    Args:
        rows: Result of :func:`said_and_counted`.
        totals: The release's ``total_scores``.
        language: The reader's.
    """
    errors, said = rows.assign(error=(rows["q50"] - rows["obs_value"]).abs()), []
    found = errors.groupby("route_id", sort=False).agg({"inside": "mean", "error": "median"})
    for route_id, inside, error in found.itertuples():
        judged, text = total_record(totals, series_of(route_id)), _("{share} of months; typically off by {error}")
        fields = {"share": language.share(inside), "error": language.expected(error)}
        if judged:
            text = _("{share} of months, {held} of three-month totals; typically off by {error}")
            fields["held"] = language.share(judged["coverage_80"])
        said.append(language.labelled(route_name(route_id, language), language.text(text, **fields)))
    return said


def held_words(release: ReadableRelease, route_id: str, language: Language) -> str:
    """How many past totals of three months the 80 % intervals held, their errors, and how many single months."""
    judged = total_record(release.frame("total_scores"), series_of(route_id))
    if judged is None:
        return ""
    text = _(
        "Past three-month totals: {times} lay in the 80% interval, {share} (target 80%). Errors {change} against the "
        "last count repeated: {verdict}."
    )
    said = language.text(
        text, times=hits_words(judged["n"] * judged["coverage_80"], judged["n"], language),
        share=language.share(judged["coverage_80"]), change=language.change(judged["relative_wis"], 1.0),
        verdict=language.text(BRIEF[judged["verdict"]]),
    )  # fmt: skip
    if len(rows := said_and_counted(release, route_id)):
        text = _("Single months: {share} ({ahead}).")
        ahead = steps_ahead([PLANNING_MONTHS], language)
        said += " " + language.text(text, ahead=ahead, share=language.share(rows["inside"].mean()))
    return said if route_id != ALL else language.labelled(language.text(_("All routes together")), uncapital(said))


def totals(release: ReadableRelease, route_ids: Iterable[str], language: Language) -> pd.DataFrame:
    """Past totals of three months by route, where they can be judged: the verdict, and which share intervals held."""
    found = {one: total_record(release.frame("total_scores"), series_of(one)) for one in route_ids}
    names = language.text(_("3-month total")), language.text(_("Held"))
    cells = {one: (row["verdict"], language.share(row["coverage_80"])) for one, row in found.items() if row}
    return pd.DataFrame.from_dict(cells, orient="index", columns=names)


def first_month_words(release: ReadableRelease, route_id: str, language: Language) -> str:
    """Which month of a release is one month ahead."""
    ends = period_ends(release.frame("forecasts"), series_of(route_id))
    text = _("Month 1 is the month after the newest count: {month} here (the nowcast, where its days are counted).")
    return language.text(text, month=language.month(ends.iloc[0])) if len(ends) else ""


def watch_words(track_record: pd.DataFrame, route_id: str, language: Language) -> str:
    """How many Watch alerts that forecast came true at past dates, of all rules together, and how many events missed.

    By chance is beside it.
    """
    rows = track_record[(track_record["horizon"] == 0) & track_record["level"].eq("watch")]
    rows = rows[rows["rule"].isin(list(EXCEEDANCE)) & rows["route_id"].eq(route_id)]
    events = rows.loc[rows["recall"].notna(), "n_events"].sum()
    missed = events - (rows["n_events"] * rows["recall"]).round().sum()
    rows = rows[rows["precision"].notna()]
    rows = rows[rows["base_rate"].notna()] if "base_rate" in rows else rows.iloc[:0]
    if rows.empty:
        return ""
    cases = rows.apply(precision_cases, axis=1)
    n, right = cases.sum(), (cases * rows["precision"]).round().sum()
    texts = ngettext(
        "All rules together{where}: {right} of {n} Watch alerts on months ahead came true at past dates ({share}; by "
        "chance {base}); {missed} of {events} events were missed. Left out, as repeats or on events already under way: "
        "{others}.",
        "All rules together{where}: {right} of {n} Watch alerts on months ahead came true at past dates ({share}; by "
        "chance {base}); {missed} of {events} events were missed. Left out, as repeats or on events already under way: "
        "{others}.",
    )
    counts = {"right": right, "n": n, "missed": missed, "events": events, "others": rows["n_alerts"].sum() - n}
    return language.form(*texts, int(right)).format(
        where=language.text(_(", on all routes")) if route_id == ALL else "",
        share=language.percent(right / n), base=language.percent((cases * rows["base_rate"]).sum() / n),
        **{name: language.counted(count) for name, count in counts.items()},
    )  # fmt: skip


def span_words(release: ReadableRelease, route_id: str, language: Language) -> str:
    """The month ends from which past forecasts start, and the day on which their outcomes were known."""
    rows = release.frame("backtest")
    origins = (rows if route_id == ALL else rows[rows["series_id"] == series_of(route_id)])["origin_date"]
    if origins.empty:
        return ""
    text = _(
        "Past forecasts start at month ends, {months}. Outcomes are counts as known on {day}, corrections included."
    )
    months = language.months(str(origins.min().to_period("M")), str(origins.max().to_period("M")))
    return language.text(text, months=months, day=language.day(release.as_of))


def live_title(issued: pd.DataFrame, language: Language) -> str:
    """What the forecasts were worth that were issued before their outcomes were known."""
    if issued.empty:
        return language.text(_("No forecast has been judged live yet"))
    texts = ngettext(
        "{n} forecast judged live: {ratio} of the baseline’s error, {share} inside the 80% interval",
        "{n} forecasts judged live: {ratio} of the baseline’s error, {share} inside the 80% interval",
    )
    ratio = language.decimal(float(issued["wis_log"].sum() / issued["reference_log"].sum()))
    return language.plural(texts, len(issued), ratio=ratio, share=language.share(issued["covered_80"].mean()))


def coverage_rows(calibration: pd.DataFrame) -> pd.DataFrame:
    """``nominal``, ``observed`` and ``n`` of one horizon."""
    rows = calibration[calibration["kind"] == "coverage"]
    return pd.DataFrame(
        {"nominal": rows["level"].astype(float), "observed": rows["value"].astype(float), "n": rows["n"]}
    )


def pit_rows(calibration: pd.DataFrame) -> pd.DataFrame:
    """``bin_low`` (its lower edge) and ``share`` of one horizon."""
    rows = calibration[calibration["kind"] == "pit"].sort_values("level")
    return pd.DataFrame({"bin_low": rows["level"].astype(float).round(6), "share": rows["value"].astype(float)})


def coverage_alt(coverage: pd.DataFrame, language: Language) -> str:
    """Coverage in words, one clause per interval."""
    text = _("the {nominal} interval held the outcome in {actual} of cases")
    parts = [
        language.text(text, nominal=language.percent(row["nominal"]), actual=language.share(row["observed"]))
        for row in coverage.sort_values("nominal").to_dict("records")
    ]
    return language.text(
        _("Of {n} past months: {parts}."), n=language.counted(coverage["n"].max()), parts=language.listed(parts)
    )


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


def skill_rows(scores: pd.DataFrame, series_id: str, scale: str, language: Language) -> pd.DataFrame:
    """Scores of one series and scale, the ensemble first and the baseline second.

    Returns:
        The columns of ``SCORES`` plus ``name``, ``lower`` and ``upper`` (empty where no interval is known), and
        ``verdict``.
    """
    rows = with_verdicts(scores[(scores["series_id"] == series_id) & (scores["scale"] == scale)])
    names = rows["model_id"].map(lambda one: named(MODELS, one, language))
    rows = rows.assign(name=names, lower=rows["relative_wis_lo"], upper=rows["relative_wis_hi"])
    order = rows["model_id"].map({ENSEMBLE: 0, BASELINE: 1}).fillna(2)
    return rows.assign(_order=order).sort_values(["_order", "name", "horizon"]).drop(columns="_order")


def row_verdict(row: Row, language: Language) -> str:
    """What a ratio to the baseline shows."""
    if str(row["model_id"]) == BASELINE:
        return language.text(_("the baseline"))
    if not is_known(row["relative_wis"]):
        return language.text(_("not scored"))
    return language.text(str(row["verdict"]))


def skill_table(rows: pd.DataFrame, language: Language) -> pd.DataFrame:
    """The sortable table: numbers stay numbers."""
    verdicts = [row_verdict(row, language) for row in rows.to_dict("records")]
    return pd.DataFrame(
        {
            language.text(_("Model")): rows["name"].to_numpy(),
            language.text(_("Months ahead")): rows["horizon"].to_numpy(),
            language.text(_("Relative WIS")): rows["relative_wis"].round(3).to_numpy(),
            language.text(_("from")): rows["lower"].round(3).to_numpy(),
            language.text(_("to")): rows["upper"].round(3).to_numpy(),
            language.text(_("Verdict")): verdicts,
            language.text(_("50% interval coverage")): rows["coverage_50"].round(3).to_numpy(),
            language.text(_("80% interval coverage")): rows["coverage_80"].round(3).to_numpy(),
            language.text(_("95% interval coverage")): rows["coverage_95"].round(3).to_numpy(),
            language.text(_("Cases")): rows["n"].to_numpy(),
        }
    )


def baseline_note(rows: pd.DataFrame, language: Language) -> str:
    """Why the baseline's own ratio is not 1, where it is shown so; empty where it is 1."""
    own = rows.loc[rows["model_id"] == BASELINE, "relative_wis"].dropna()
    if (own.round(3) == 1).all():
        return ""
    text = _(
        "The baseline’s own row is below 1 where counts are small: on the logarithmic scale all are measured against "
        "it as it is before its quantiles are cut at zero persons."
    )
    return language.text(text)


def issued_table(found: pd.DataFrame, language: Language) -> pd.DataFrame:
    """The table of :func:`store.status.issued_skill` in a reader's words."""
    names = {
        "horizon": language.text(_("Months ahead")),
        "relative_wis_log": language.text(_("Relative WIS")),
        "relative_wis_natural": language.text(_("Relative WIS, persons")),
        "coverage_50": language.text(_("50% interval coverage")),
        "coverage_80": language.text(_("80% interval coverage")),
        "coverage_95": language.text(_("95% interval coverage")),
        "n": language.text(_("Cases")),
    }
    return found[list(names)].round(3).rename(columns=names)


def groups_finding(rows: pd.DataFrame, language: Language) -> str:
    """How many groups are served worse, in one sentence."""
    bad = rows[rows["mark"].isin([WORSE, NARROW])]
    judged = int((rows["mark"] != FEW).sum())
    if bad.empty:
        texts = ngettext(
            "No group of {n} is worse than the baseline or has intervals that are too narrow.",
            "No group of {n} is worse than the baseline or has intervals that are too narrow.",
        )
        return language.plural(texts, judged)
    names = ", ".join(_place(row, language) for row in bad.to_dict("records"))
    texts = ngettext(
        "Forecasts are less accurate for {bad} of {n} groups: {names}.",
        "Forecasts are less accurate for {bad} of {n} groups: {names}.",
    )
    return language.form(*texts, len(bad)).format(bad=len(bad), n=judged, names=names)


def groups_table(rows: pd.DataFrame, language: Language) -> pd.DataFrame:
    """The rows in words, the worst first."""
    marks = {
        WORSE: language.text(_("worse than the baseline")),
        NARROW: language.text(_("intervals too narrow")),
        FEW: language.text(_("too few forecasts")),
    }
    ordered = rows.sort_values("relative_wis", ascending=False).to_dict("records")
    table = pd.DataFrame(
        {
            language.text(_("Group")): [_place(row, language) for row in ordered],
            language.text(_("Relative WIS")): [
                with_interval(language.decimal, *(row[f"relative_wis{end}"] for end in ("", "_lo", "_hi")))
                for row in ordered
            ],
            language.text(_("Bias")): [language.decimal(row["bias"]) for row in ordered],
            language.text(_("80% interval coverage")): [language.share(row["coverage_80"]) for row in ordered],
            language.text(_("Forecasts")): [int(row["n"]) for row in ordered],
            language.text(_("Note")): [marks.get(str(row["mark"]), "") for row in ordered],
        }
    )
    return table if rows["mark"].isin(list(marks)).any() else table.iloc[:, :-1]


def _place(row: Row, language: Language) -> str:
    """Route and group; a place in brackets where it is not the whole route."""
    route = route_name(str(row["route_id"]), language)
    if row["geo"] != ALL:
        route = f"{route} ({country_name(str(row['geo']), language)})"
    if row["kind"] == "route":
        return route
    group = str(row["group"])
    return language.labelled(
        route, named(REGIONS, group, language) if row["kind"] == "region" else country_name(group, language)
    )


def drivers_title(rows: pd.DataFrame, language: Language) -> str:
    """The finding in one sentence."""
    if rows.empty:
        return language.text(_("Do drivers help?"))
    drivers = rows["driver"].nunique()
    helping = rows.loc[rows["verdict"] == EVIDENCE, "driver"].unique()
    if len(helping) == 0:
        texts = ngettext(
            "Do drivers help? No evidence for {n} that was tested",
            "Do drivers help? No evidence for any of the {n} tested",
        )
        return language.plural(texts, drivers)
    text = language.text(_("Do drivers help? Evidence for {names}; none for the others of {n} tested"))
    return text.format(names=", ".join(named(DRIVERS, driver, language) for driver in helping), n=drivers)


def drivers_table(rows: pd.DataFrame, language: Language) -> pd.DataFrame:
    """One row per driver and horizon, the three ratios with their intervals as text."""
    records, write = rows.to_dict("records"), partial(language.decimal, digits=3)
    ratios = {
        language.text(_("Over no driver")): "ratio",
        language.text(_("Over the late one")): "shifted",
        language.text(_("Over a constant")): "missing",
    }
    return pd.DataFrame(
        {
            language.text(_("Driver")): [named(DRIVERS, row["driver"], language) for row in records],
            language.text(_("Months ahead")): [int(row["horizon"]) for row in records],
            **{
                name: [with_interval(write, row[key], row[f"{key}_lo"], row[f"{key}_hi"]) for row in records]
                for name, key in ratios.items()
            },
            language.text(_("p, corrected")): [language.decimal(row["p_holm"]) for row in records],
            language.text(_("Finding")): [verdict_name(row["verdict"], language) for row in records],
            language.text(_("Cases")): [int(row["n"]) for row in records],
        }
    )


def verdict_name(verdict: str, language: Language) -> str:
    """A finding in words."""
    return language.text(
        {EVIDENCE: _("evidence that it helps"), HARMS: _("makes it worse")}.get(verdict, _("no evidence"))
    )


def scored_name(series_id: str, language: Language) -> str:
    """Which series were scored."""
    names = {ALL: _("All routes"), PART_SERIES: _("Nationalities on routes")}
    return language.text(names[series_id]) if series_id in names else route_name(series_id, language)


def origin_words(rows: pd.DataFrame, language: Language) -> str:
    """Where the test comes from: panel, span, command, date, hash of its data."""
    test = rows.iloc[0].to_dict()
    if "panel_hash" not in test:
        return ""
    text = _(
        "Tested on {panel}, forecasts made from {first} to {last}; model {model}. Made on {day}; data "
        "{panel_hash}, snapshot {snapshot}. No weather series is bundled, so weather was tested by El Niño alone. "
        "Drivers are shown as context, never as cause."
    )
    first, last = (language.month(str(test[name])) for name in ("first_origin", "last_origin"))
    day, snapshot = language.day(dt.date.fromisoformat(test["made_on"])), str(test["snapshot"])[:12]
    about = {name: test[name] for name in ("panel", "model", "panel_hash")}
    return language.text(text, first=first, last=last, day=day, snapshot=snapshot, **about)


def situation_table(rows: pd.DataFrame, language: Language) -> pd.DataFrame:
    """Ratios to the baseline by months ahead, with their intervals and cases; rows of one scale are given."""
    by_place = {(str(row["kind"]), str(row["group"]), int(row["horizon"])): row for row in rows.to_dict("records")}
    present = {(kind, group) for kind, group, _horizon in by_place}
    names = {place: language.text(text) for place, text in SITUATIONS.items()}
    for place in sorted(present):
        if place[0] == BEGUN:
            names[place] = language.text(_("Forecasts made in {year}"), year=place[1])
    lines = []
    for (kind, group), name in names.items():
        if (kind, group) not in present:
            continue
        line = {language.text(_("Situation")): name}
        for step in AHEAD:
            row = by_place.get((kind, group, step))
            words = NOTHING
            if row is not None:
                places = (row[f"relative_score{end}"] for end in ("", "_lo", "_hi"))
                ratio = with_interval(language.decimal, *places)
                words = language.plural(ngettext("{ratio}, {n} case", "{ratio}, {n} cases"), int(row["n"]), ratio=ratio)
            line[language.plural(ngettext("{n} month", "{n} months"), step)] = words
        lines.append(line)
    return pd.DataFrame(lines)
