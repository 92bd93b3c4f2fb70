"""What a release says about asylum applications in one country, in one reader's language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from core.calendar import MONTHS_EACH, Frequency, to_period
from core.countries import display_name
from core.languages import Language, as_counted, as_expected, is_known, round_expected
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from core.schema import ALL
from forecasting import BASELINE, ENSEMBLE
from forecasting.verification.verdict import BETTER, LIKELY, NO_EVIDENCE
from reports import ReadableRelease, Row, numbers, skill
from reports.citations import some
from reports.route import KeyNumber, interval_words
from reports.skill import Verdicts, taken_up, verdict_at

OK, SOURCE_ID = "ok", "eurostat"
KINDS = {
    "asylum_applications_first.M": _("First-time applicants, monthly"),
    "asylum_applications.M": _("All applicants, monthly"),
    "asylum_applications_first.Q": _("First-time applicants, quarterly"),
}
"""What is counted and how often, by target and frequency."""
_UNITS = {
    "asylum_applications_first.M": _("First-time applicants per month"),
    "asylum_applications.M": _("Applicants per month"),
    "asylum_applications_first.Q": _("First-time applicants per quarter"),
}


_PEOPLE = {
    "asylum_applications_first": ngettext("first-time asylum applicant", "first-time asylum applicants"),
    "asylum_applications": ngettext("asylum applicant", "asylum applicants"),
}
_EACH = {"M": _("a month"), "Q": _("a quarter")}
RECORD = skill.BRIEF | {LIKELY: _("likely better"), NO_EVIDENCE: _("no sign of a gain")}
"""What the forecast's record is against the last count repeated, in plain words."""
LAST_REPEATED = _("Ranges are those of the last count repeated, from its past errors.")
"""What is said where no forecast beats the last count."""
MOST_CORRIDORS, MOST_ABSENT, FEW = 12, 5, 100
RECEIVING = [
    "AUT", "BEL", "BGR", "CHE", "CYP", "CZE", "DEU", "DNK", "ESP", "EST", "FIN", "FRA", "GRC", "HRV", "HUN", "IRL",
    "ISL", "ITA", "LIE", "LTU", "LUX", "LVA", "MLT", "NLD", "NOR", "POL", "PRT", "ROU", "SVK", "SVN", "SWE",
]  # fmt: skip
"""Countries that report asylum applications to Eurostat."""


@dataclass(frozen=True)
class AsylumForecast:
    """Asylum applications in one country as of one release.

    Attributes:
        night: The release.
        kind: Target and frequency, such as ``asylum_applications_first.M``.
        geo: Country of destination, ISO 3166 alpha-3.
        state: The series' row of ``asylum_series``.
        history: ``time_period, obs_value, obs_flag, end_date``.
        forecast: Quantile rows of the model.
        verdicts: By period ahead, see :mod:`reports.skill`.
        model_id: The ensemble, or the baseline: the last count repeated.
    """

    night: ReadableRelease
    kind: str
    geo: str
    state: Row
    history: pd.DataFrame
    forecast: pd.DataFrame
    verdicts: Verdicts
    model_id: str = ENSEMBLE

    @property
    def key(self) -> tuple[str, str, str]:
        """Return the key of this country's forecast among those of the same release."""
        return self.kind, self.geo, self.model_id

    @property
    def series_id(self) -> str:
        """The series."""
        return str(self.state["series_id"])

    @property
    def freq(self) -> Frequency:
        """How often it is counted: M or Q."""
        return freq_of(self.kind)

    @property
    def months_each(self) -> int:
        """Months that one figure covers."""
        return MONTHS_EACH[self.freq]

    @cached_property
    def quantiles(self) -> pd.DataFrame:
        """One row per period ahead, one column per level."""
        return numbers.quantiles_of(self.forecast, self.series_id, self.model_id)

    @property
    def ahead(self) -> pd.DataFrame:
        """The same of periods that have not ended."""
        return self.quantiles[self.quantiles.index > pd.Timestamp(self.night.as_of)]

    @property
    def beats_baseline(self) -> bool:
        """Whether the forecast of the first period ahead is better, or likely so, than the last count repeated."""
        return any(verdict_at(self.verdicts, end) in {BETTER, LIKELY} for end in self.ahead.index[:1])

    @cached_property
    def to_plan_with(self) -> AsylumForecast:
        """The last count repeated, with the range of its past errors, where no forecast beats it; else the forecast."""
        rows = self.night.frame("asylum_forecasts")
        rows = rows[(rows["series_id"] == self.series_id) & (rows["model_id"] == BASELINE)]
        if self.beats_baseline or self.ahead.empty or rows.empty:
            return self
        return replace(self, forecast=rows.reset_index(drop=True), verdicts=None, model_id=BASELINE)

    @cached_property
    def taken_up(self) -> pd.Series[float]:
        """Share that counts took up of upper ends of past forecasts, as far ahead as the first period, by origin."""
        past, step = self.night.frame("asylum_replays"), len(self.quantiles) - len(self.ahead) + 1
        own = past[past["series_id"].eq(self.series_id) & past["model_id"].eq(self.model_id) & past["horizon"].eq(step)]
        own = own.merge(self.history, left_on="target_end_date", right_on="end_date")
        return taken_up(own.rename(columns={"q90": "upper"}), step)

    @property
    def record(self) -> tuple[int, int, float]:
        """How many of how many upper ends were enough, and the margin that was missing, see :func:`skill.margin`."""
        return *skill.times_enough(self.taken_up), skill.margin(self.taken_up)

    @property
    def aim(self) -> float:
        """The upper end of the first period ahead with its margin."""
        return skill.with_margin(float(self.ahead[0.9].iloc[0]), self.record[2])

    def aim_words(self, language: Language) -> str:
        """The same as shown."""
        return skill.aim_words(float(self.ahead[0.9].iloc[0]), self.record[2], language)


def forecast_of(release: ReadableRelease, kind: str, geo: str) -> AsylumForecast:
    """Gather what a release says of one country of destination."""
    states = of_kind(release.frame("asylum_series"), kind)
    state = states[(states["geo"] == geo) & states["citizen"].eq(ALL)].to_dict("records")[0]
    series_id, rows = str(state["series_id"]), release.frame("asylum_forecasts")
    return AsylumForecast(
        release, kind, geo, state, numbers.series_of(release.frame("observations"), series_id, freq_of(kind)),
        rows[(rows["series_id"] == series_id) & (rows["model_id"] == ENSEMBLE)].reset_index(drop=True),
        skill.verdict_ends(release.frame("asylum_scores"), rows, series_id),
    )  # fmt: skip


def freq_of(kind: str) -> Frequency:
    """How often a kind is counted: M or Q."""
    return "Q" if kind.endswith(".Q") else "M"


def kinds(series: pd.DataFrame) -> list[str]:
    """Kinds with a forecast, ``target.freq``; without any, every kind of the release."""
    named = series.assign(kind=series["target"] + "." + series["freq"], fine=series["state"].eq(OK))
    fine = named.groupby("kind", sort=False)["fine"].any()
    return [str(kind) for kind in (fine.index[fine] if fine.any() else fine.index)]


def of_kind(frame: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Rows of one target and frequency."""
    target, freq = kind.split(".")
    return frame[(frame["target"] == target) & (frame["freq"] == freq)]


def destinations(series: pd.DataFrame, observations: pd.DataFrame, kind: str) -> list[str]:
    """Countries of destination, those with most applications in their newest four figures first.

    Only those with a forecast, where any has one.
    """
    own = of_kind(observations, kind)
    own = own[own["citizen"].eq(ALL) & own["series_id"].isin(series["series_id"])].sort_values("time_period")
    recent = own.groupby("geo").tail(4).groupby("geo")["obs_value"].sum()
    fine = of_kind(series, kind).set_index("geo")["state"].eq(OK)
    offered = fine.index[fine] if fine.any() else fine.index
    return [str(geo) for geo in recent.reindex(offered).fillna(0.0).sort_values(ascending=False, kind="stable").index]


def kind_name(kind: str, language: Language) -> str:
    """What is counted and how often."""
    return language.text(KINDS.get(kind, kind))


def known_to(release: ReadableRelease, language: Language) -> str:
    """How far the figures that are forecast go: ``asylum applications to July–September 2024``; empty without any."""
    series = release.frame("asylum_series")
    series = series[series["state"] == OK]
    if series.empty:
        return ""
    newest = series.iloc[int(series["origin_date"].to_numpy().argmax())]
    period = language.period(newest["origin_date"], MONTHS_EACH[str(newest["freq"])])
    return language.text(_("asylum applications to {period}"), period=period)


def unit(view: AsylumForecast, language: Language) -> str:
    """The unit of the chart."""
    return language.text(_UNITS[view.kind])


def period(view: AsylumForecast, last_day: Any, language: Language) -> str:  # noqa: ANN401  # a frame's date
    """A period by its last day."""
    return language.period(pd.Timestamp(last_day), MONTHS_EACH[view.freq])


def title(view: AsylumForecast, language: Language) -> str:
    """What to plan with in the first period ahead, and the upper end of its range for reserves."""
    country = display_name(view.geo, language.code)
    if view.ahead.empty:
        return language.text(_("{country}: no forecast of asylum applications"), country=country)
    served = view.to_plan_with
    row, end, is_last = served.ahead.iloc[0], pd.Timestamp(served.ahead.index[0]), served.model_id == BASELINE
    value, write = (
        (served.history["obs_value"].iloc[-1], language.counted) if is_last else (row[0.5], language.expected)
    )
    count = (as_counted if is_last else as_expected)(value)
    texts = ngettext(
        "{country}: plan with {figure} {people} {each}, {basis}; hold reserves for up to {enough} {when}",
        "{country}: plan with {figure} {people} {each}, {basis}; hold reserves for up to {enough} {when}",
    )
    return language.plural(
        texts, count, country=country, figure=write(value),
        people=language.plural(_PEOPLE[view.kind.split(".")[0]], count), each=language.text(_EACH[view.freq]),
        basis=language.text(_("the last count") if is_last else _("the forecast")),
        enough=served.aim_words(language), when=language.in_period(end, view.months_each),
    )  # fmt: skip


def plan_cells(view: AsylumForecast, language: Language) -> list[str]:
    """The country's row in :func:`reports.reception.countries_table`; empty without a count or a forecast."""
    if view.ahead.empty or view.history.empty:
        return []
    served, last = view.to_plan_with, view.history.iloc[-1]
    row, end = served.ahead.iloc[0], served.ahead.index[0]
    people = language.plural(_PEOPLE[view.kind.split(".")[0]], as_counted(None))
    expected = f"{language.expected(row[0.5])}\n{language.interval(row[0.1], row[0.9])}"
    if served.model_id == BASELINE:
        expected = f"{skill.last_count(last['obs_value'], language)}\n{language.interval(row[0.1], row[0.9])}"
    return [
        f"{display_name(view.geo, language.code)}\n{people}",
        f"{language.counted(last['obs_value'])}\n{period(view, last['end_date'], language)}",
        expected,
        f"{served.aim_words(language)}\n{language.signed(round_expected(served.aim) - last['obs_value'])}",
        period(view, end, language),
        skill.enough_words(served.record, language),
    ]  # fmt: skip


def who_words(view: AsylumForecast, language: Language) -> str:
    """Whose applications are counted, and, of quarters, until when months and nationalities are known."""
    said = language.text(_("All nationalities together; people under temporary protection are counted apart."))
    months = view.night.frame("asylum_series")
    months = months[months["freq"] == "M"]
    if view.freq == "M" or months.empty or months["state"].eq(OK).any() or not citizenships(view).empty:
        return said
    text = _(
        "Quarters only: the copy of Eurostat’s months and nationalities that this release read ends in {month}. "
        "Newer ones come in when Vigie asks Eurostat directly."
    )
    return (
        f"{language.text(text, month=language.month(to_period(str(months['last_period'].max()), 'M').end_time))} {said}"
    )


def most(release: ReadableRelease) -> AsylumForecast | None:
    """Return the country with most applications in the first kind; None of a release without figures."""
    series = release.frame("asylum_series")
    if not (found := kinds(series)):
        return None
    return forecast_of(release, found[0], destinations(series, release.frame("observations"), found[0])[0])


def key_numbers(view: AsylumForecast, language: Language) -> list[KeyNumber]:
    """The period that has ended, the next one, the last one counted, and all countries together as counted.

    Where no forecast beats the last count repeated, that count and the upper end of its range stand for the country.
    """
    out = []
    if len(view.history):
        last = view.history.iloc[-1]
        text = _("Last count ({period}, provisional)") if last["obs_flag"] == "p" else _("Last count ({period})")
        before = numbers.year_earlier(view.history, view.freq)
        label = language.text(text, period=period(view, last["end_date"], language))
        out = [(label, language.counted(last["obs_value"]), _year_before(view, before, last["end_date"], language))]
    if view.beats_baseline or view.ahead.empty:
        return [*_expected_numbers(view, language), *out, *_together(view, language)]
    end, row = view.ahead.index[0], view.to_plan_with.ahead.iloc[0]
    waits = view.to_plan_with.quantiles.iloc[: len(view.quantiles) - len(view.ahead)]
    for ended, uncounted in waits.iterrows():
        label = language.text(_("Not counted yet, {period}"), period=period(view, ended, language))
        interval = language.text(_("80% interval"))
        out.append((label, language.interval(uncounted[0.1], uncounted[0.9]), interval))
    label = language.text(_("Aim: enough in 9 of 10, {period}"), period=period(view, end, language))
    interval = interval_words(row[0.1], row[0.9], language)
    return [*out, (label, view.to_plan_with.aim_words(language), interval), *_together(view, language)]


def _expected_numbers(view: AsylumForecast, language: Language) -> list[KeyNumber]:
    ended = len(view.quantiles) - len(view.ahead)
    first, out = max(0, ended - 1), []
    for place, (end, row) in enumerate(view.quantiles.iloc[first:].head(2).iterrows(), start=first):
        text = _("Nowcast, {window}") if place < ended else _("Expected, {window}")
        label = language.text(text, window=period(view, end, language))
        out.append((label, language.expected(row[0.5]), interval_words(row[0.1], row[0.9], language)))
    return out


def _year_before(view: AsylumForecast, value: float, end: pd.Timestamp, language: Language) -> str:
    """A count and its period, a year before one that ends on a day: two such stand on the page, of other periods."""
    when = language.in_period(end - pd.DateOffset(years=1), view.months_each)
    return f"{language.counted(value)} {when}" if is_known(value) else ""


def _together(view: AsylumForecast, language: Language) -> list[KeyNumber]:
    """All countries of the newest period as counted; against a year earlier where as many had reported."""
    rows = of_kind(view.night.frame("reporting"), view.kind)
    rows = rows[rows["source_id"] == SOURCE_ID].sort_values("time_period")
    if rows.empty:
        return []
    last, count = rows.iloc[-1], int(rows["reported"].iloc[-1])
    newest = to_period(str(last["time_period"]), view.freq)
    year = rows[
        rows["time_period"].map(lambda text: to_period(str(text), view.freq) == newest - 12 // view.months_each)
    ]
    before = year.loc[year["reported"] == count, "total"]
    texts = ngettext("{n} country together ({period})", "{n} countries together ({period})")
    if last["provisional"]:
        texts = ngettext(
            "{n} country together ({period}, provisional)", "{n} countries together ({period}, provisional)"
        )
    label = language.plural(texts, count, period=period(view, newest.end_time, language))
    earlier = _year_before(view, float(before.iloc[0]), newest.end_time, language) if len(before) else ""
    return [(label, language.counted(last["total"]), earlier)]


def skill_words(view: AsylumForecast, language: Language) -> list[str]:
    """How often reserves were enough and the range held, and the models' verdict."""
    served = view.to_plan_with
    own = skill.own_rows(view.night.frame("asylum_scores"), view.series_id, served.model_id)
    if view.verdicts is None or view.quantiles.empty or own.empty:
        return []
    verdict = skill.verdict_words(view.verdicts, view.quantiles.index, language, view.months_each, RECORD)
    said = language.text(_("Against the last count repeated: {verdict}."), verdict=verdict)
    held = [skill.held_words(own, language, view.freq)]
    if len(served.taken_up):
        text = _("Past forecasts in which the upper end of the 80% interval was enough: {times} (aim: nine in ten).")
        held.insert(0, language.text(text, times=skill.hits_words(*served.record[:2], language)))
    return [*held, said]


def since_words(view: AsylumForecast, former: ReadableRelease | None, language: Language) -> str:
    """What the release before said to plan with, or that nothing has changed; empty if it lacks the country."""
    if former is None or not of_kind(former.frame("asylum_series"), view.kind)["geo"].eq(view.geo).any():
        return ""
    before, day = forecast_of(former, view.kind, view.geo), language.day(former.as_of)
    said = title(before, language)
    if said == title(view, language) and before.history["end_date"].max() == view.history["end_date"].max():
        return language.text(_("Unchanged since {day}: no new count."), day=day)
    return language.text(_("As of {day}, {said}."), day=day, said=said)


def missing_words(view: AsylumForecast, language: Language) -> list[str]:
    """Where figures end and why, and what a reader may look for and does not find: a sentence each."""
    series, parts = view.night.frame("asylum_series"), []
    if len(view.history):
        text = _("{kind}: to {period}, the newest that Eurostat had published by {date}.")
        counted = period(view, view.history["end_date"].max(), language)
        kind, day = kind_name(view.kind, language), language.day(view.night.as_of)
        parts.append(language.text(text, kind=kind, period=counted, date=day))
    own = of_kind(series, view.kind)
    own = own[own["citizen"] == ALL]
    if lacking := [display_name(geo, language.code) for geo in own.loc[own["state"] != OK, "geo"]]:
        parts.append(language.text(_("No forecast, too few or too old figures: {names}."), names=", ".join(lacking)))
    return [*parts, language.text(_("No total is forecast: countries are forecast apart, and medians do not add up."))]


def absent_words(view: AsylumForecast, language: Language) -> str:
    """Countries that report to Eurostat and are not in the release; empty if all are."""
    known = set(of_kind(view.night.frame("asylum_series"), view.kind)["geo"])
    absent = sorted(display_name(geo, language.code) for geo in RECEIVING if geo not in known)
    names = some(absent, language, MOST_ABSENT)
    return language.text(_("Not in these files: {names}."), names=names) if absent else ""


def why_no_forecast(view: AsylumForecast, language: Language) -> str:
    """Why the series shown has no forecast."""
    if not len(view.history):
        return language.text(_("No figures of this country are known."))
    last = period(view, view.history["end_date"].max(), language)
    if view.state["state"] == "too_short":
        return language.text(_("Too few figures for a forecast; they end in {period}."), period=last)
    forecasts = view.night.frame("asylum_forecasts")
    kinds = forecasts["target"] + "." + forecasts["freq"]
    if not kinds.eq(view.kind).any() or view.state["state"] != OK:
        return language.text(_("Latest data: {period}. Too old for a current forecast."), period=last)
    return language.text(_("No forecast of this country in this release."))


def by_destination(release: ReadableRelease, kind: str, order: Sequence[str]) -> pd.DataFrame:
    """What to plan with in the next period: one row per country with a forecast, the highest last count first.

    Returns:
        ``geo, last_period, last_value, year_earlier, on_year, model_id, expected, low, high, were_enough, n, margin``:
        the last count, the one a year before it and the change between them, then the range of the forecast or, where
        no forecast beats it, of the last count repeated, how many upper ends of past ranges were enough, and the margin
        that was missing.
    """
    rows = []
    for view in (forecast_of(release, kind, geo) for geo in order):
        if view.ahead.empty or view.history.empty:
            continue
        last, served = view.history.iloc[-1], view.to_plan_with
        before, row = numbers.year_earlier(view.history, view.freq), served.ahead.iloc[0]
        change = last["obs_value"] / before - 1 if before else np.nan
        known = (view.geo, last["time_period"], last["obs_value"], before, change)
        rows.append((*known, served.model_id, row[0.5], row[0.1], row[0.9], *served.record))
    columns = ["geo", "last_period", "last_value", "year_earlier", "on_year", "model_id", "expected", "low", "high"]
    table = pd.DataFrame(rows, columns=[*columns, "were_enough", "n", "margin"])
    return table.sort_values("last_value", ascending=False, kind="stable", ignore_index=True)


def destinations_table(table: pd.DataFrame, language: Language) -> pd.DataFrame:
    """The result of :func:`by_destination` in words."""
    persons = ngettext("{change} person", "{change} persons")
    changes = [
        language.plural(persons, round(abs(now - before)), change=language.signed(now - before))
        if is_known(before) and min(now, before) < FEW
        else language.change(now, before)
        for now, before in zip(table["last_value"], table["year_earlier"], strict=True)
    ]
    cells = {
        _("Country"): [display_name(geo, language.code) for geo in table["geo"]],
        _("Last count, on a year earlier"): [
            f"{language.counted(last)}\n{change}" for last, change in zip(table["last_value"], changes, strict=True)
        ],
        _("Plan with, 80% interval"): [
            f"{language.text(_('last count')) if one == BASELINE else language.expected(median)}\n"
            f"{language.interval(low, high)}"
            for one, median, low, high in table[["model_id", "expected", "low", "high"]].to_numpy().tolist()
        ],
        _("Aim: enough in 9 of 10, on the last count"): [
            f"{language.expected(skill.with_margin(high, missing))}\n"
            f"{language.change(skill.with_margin(high, missing), last)}{margin_words(missing, language)}"
            for high, missing, last in table[["high", "margin", "last_value"]].to_numpy().tolist()
        ],
        _("Was enough"): [
            skill.enough_words((enough, n, missing), language)
            for enough, n, missing in table[["were_enough", "n", "margin"]].to_numpy().tolist()
        ],
    }  # fmt: skip
    return pd.DataFrame({language.text(name): list(column) for name, column in cells.items()})


def margin_words(missing: float, language: Language) -> str:
    """The margin in an aim, behind it: ``, margin 16%``; empty without one."""
    if not is_known(missing):
        return ""
    return language.text(_(", margin {share}"), share=language.change(1 + missing, 1.0).lstrip("+"))


def record_words(table: pd.DataFrame, language: Language) -> str:
    """How often the upper ends of all rows of :func:`by_destination` were enough."""
    enough, n = table["were_enough"].sum(), table["n"].sum()
    times = skill.hits_words(enough, n, language)
    text = _(
        "All countries together: {times} ({share}). Too few: chance does not explain it, so the aim holds the margin "
        "(such as +16%) that nine in ten upper ends lacked."
    )
    return language.text(text, times=times, share=language.share(enough / n)) if n else ""


def by_corridor(release: ReadableRelease, kind: str) -> pd.DataFrame:
    """The largest corridors with a forecast, most applications expected first; without rows where none is known."""
    rows, names = of_kind(release.frame("asylum_forecasts"), kind), ["geo", "citizen"]
    columns = [*names, "expected", "low", "high", "last_period", "last_value", "year_earlier"]
    ahead = rows[rows["citizen"].ne(ALL) & rows["model_id"].eq(ENSEMBLE)]
    ahead = ahead[ahead["target_end_date"] > pd.Timestamp(release.as_of)]
    first = ahead[ahead["target_end_date"] == ahead.groupby("series_id")["target_end_date"].transform("min")]
    if first.empty:
        return pd.DataFrame(columns=columns)
    wide = first.assign(level=first["output_type_id"].round(6)).pivot_table(
        index=["series_id", *names, "target_end_date"], columns="level", values="value"
    )
    out = wide[[0.5, 0.1, 0.9]].set_axis(["expected", "low", "high"], axis=1).reset_index()
    observations = of_kind(release.frame("observations"), kind)
    by_series = {str(name): part.sort_values("time_period") for name, part in observations.groupby("series_id")}
    ends = zip(out["series_id"], out["target_end_date"], strict=True)
    lines = [_newest(by_series.get(str(name)), end, freq_of(kind)) for name, end in ends]
    table = out.join(pd.DataFrame(lines, columns=["last_period", "last_value", "year_earlier"]))[columns]
    return table.sort_values("expected", ascending=False, ignore_index=True).head(MOST_CORRIDORS)


def _newest(rows: pd.DataFrame | None, end: pd.Timestamp, freq: Frequency) -> tuple[str, float, float]:
    if rows is None or rows.empty:
        return "", float("nan"), float("nan")
    before = numbers.year_earlier(rows, freq, end)
    return str(rows["time_period"].iloc[-1]), float(rows["obs_value"].iloc[-1]), before


def citizenships(view: AsylumForecast) -> pd.DataFrame:
    """Applications by citizenship in the country: ``citizen, time_period, obs_value``."""
    rows = of_kind(view.night.frame("observations"), view.kind)
    own = rows[(rows["geo"] == view.geo) & ~rows["citizen"].isin([ALL, "_Z"])]
    return own[["citizen", "time_period", "obs_value"]].reset_index(drop=True)
