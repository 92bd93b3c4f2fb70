"""What a release says about asylum applications in one country, in one reader's language."""

from __future__ import annotations

from typing import Any, Protocol

import pandas as pd

from core.calendar import MONTHS_EACH, Frequency, to_period
from core.countries import display_name
from core.languages import Language, as_expected, capital, is_known
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from core.schema import ALL
from forecasting.verification.verdict import NO_EVIDENCE
from reports import ReadableRelease, Row, numbers
from reports.route import KeyNumber, interval_words
from reports.skill import verdict_words

OK, SOURCE_ID = "ok", "eurostat"
KINDS = {
    "asylum_applications_first.M": _("First-time applicants, monthly"),
    "asylum_applications.M": _("All applicants, monthly"),
    "asylum_applications_first.Q": _("First-time applicants, quarterly"),
}
"""What is counted and how often, by target and frequency."""


class AsylumForecast(Protocol):
    """Asylum applications in one country as of one release, as the page on asylum gathers them."""

    @property
    def night(self) -> ReadableRelease:
        """The release."""

    @property
    def kind(self) -> str:
        """Target and frequency, such as ``asylum_applications_first.M``."""

    @property
    def geo(self) -> str:
        """Country of destination, ISO 3166 alpha-3."""

    @property
    def freq(self) -> Frequency:
        """How often it is counted: M or Q."""

    @property
    def state(self) -> Row:
        """The series' row of ``asylum_series``."""

    @property
    def history(self) -> pd.DataFrame:
        """Counted periods: ``time_period, obs_value, obs_flag, end_date``."""

    @property
    def quantiles(self) -> pd.DataFrame:
        """One row per period ahead, one column per level."""

    @property
    def skill(self) -> tuple[int, int] | None:
        """Periods ahead from and up to which the forecast beats the baseline; None without scores."""

    @property
    def reported(self) -> Row | None:
        """The newest row of ``reporting`` of this kind."""


def kinds(series: pd.DataFrame) -> list[str]:
    """Kinds with a forecast, ``target.freq``; without any, every kind of the release."""
    named = series.assign(kind=series["target"] + "." + series["freq"], fine=series["state"].eq(OK))
    fine = named.groupby("kind", sort=False)["fine"].any()
    return [str(kind) for kind in (fine.index[fine] if fine.any() else fine.index)]


def of_kind(frame: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Rows of one target and frequency."""
    target, freq = kind.split(".")
    return frame[(frame["target"] == target) & (frame["freq"] == freq)]


def newest_reporting(reporting: pd.DataFrame, kind: str) -> Row | None:
    """How many countries have reported the newest period of a kind: a row of ``reporting``, or None."""
    rows = of_kind(reporting, kind)
    found = rows[rows["source_id"] == SOURCE_ID].sort_values("time_period").to_dict("records")
    return found[-1] if found else None


def destinations(series: pd.DataFrame, observations: pd.DataFrame, kind: str) -> list[str]:
    """Countries of destination, those with most applications in their newest four figures first."""
    own = of_kind(observations, kind)
    own = own[own["citizen"].eq(ALL) & own["series_id"].isin(series["series_id"])].sort_values("time_period")
    recent = own.groupby("geo").tail(4).groupby("geo")["obs_value"].sum()
    fine = of_kind(series, kind).set_index("geo")["state"].eq(OK)
    ranked = pd.DataFrame({"fine": fine, "size": recent.reindex(fine.index).fillna(0.0)})
    return [str(geo) for geo in ranked.sort_values(["fine", "size"], ascending=False).index]


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
    return language.text(_("Applicants per month") if view.freq == "M" else _("Applicants per quarter"))


def period(view: AsylumForecast, last_day: Any, language: Language) -> str:  # noqa: ANN401  # a frame's date
    """A period by its last day."""
    return language.period(pd.Timestamp(last_day), MONTHS_EACH[view.freq])


def title(view: AsylumForecast, language: Language) -> str:
    """The finding in one sentence."""
    country = display_name(view.geo, language.code)
    if view.quantiles.empty:
        return language.text(_("{country}: no forecast of asylum applications"), country=country)
    first = view.quantiles.iloc[0]
    is_over = pd.Timestamp(view.quantiles.index[0]) <= pd.Timestamp(view.night.as_of)
    over = ngettext(
        "{country}: {expected} asylum applicant {when} (ended; figures not yet published), most likely {interval}",
        "{country}: {expected} asylum applicants {when} (ended; figures not yet published), most likely {interval}",
    )
    ahead = ngettext(
        "{country}: {expected} asylum applicant expected {when}, most likely {interval}",
        "{country}: {expected} asylum applicants expected {when}, most likely {interval}",
    )
    return language.plural(
        over if is_over else ahead,
        as_expected(first[0.5]),
        country=country,
        expected=language.expected(first[0.5]),
        when=language.in_period(pd.Timestamp(view.quantiles.index[0]), MONTHS_EACH[view.freq]),
        interval=language.interval_words(first[0.1], first[0.9]),
    )


def key_numbers(view: AsylumForecast, language: Language) -> list[KeyNumber]:
    """The next two periods, and the last one counted."""
    out = []
    for end, row in view.quantiles.head(2).iterrows():
        label = language.text(_("Expected, {window}"), window=period(view, end, language))
        out.append((label, language.expected(row[0.5]), interval_words(row[0.1], row[0.9], language)))
    if len(view.history):
        last = view.history.iloc[-1]
        text = _("Last count ({period}, provisional)") if last["obs_flag"] == "p" else _("Last count ({period})")
        before = numbers.year_earlier(view.history, view.freq)
        earlier = language.text(_("{value} a year earlier"), value=language.counted(before)) if is_known(before) else ""
        label = language.text(text, period=period(view, last["end_date"], language))
        out.append((label, language.counted(last["obs_value"]), earlier))
    return out


def skill_words(view: AsylumForecast, language: Language) -> str:
    """How far ahead the forecast is worth more than the baseline."""
    if view.skill is None or view.quantiles.empty:
        return ""
    first, last = view.skill
    if last == 0:
        return capital(f"{verdict_words(NO_EVIDENCE, language)}.")
    until = period(view, view.quantiles.index[min(last, len(view.quantiles)) - 1], language)
    if first > 1:
        begin = period(view, view.quantiles.index[first - 1], language)
        one = _("Better than the baseline in {first}; not shown elsewhere.")
        text = _("Better than the baseline from {first} to {last}; not shown elsewhere.")
        return language.text(one if begin == until else text, first=begin, last=until)
    return language.text(_("Better than the baseline up to {last}."), last=until)


def reporting_words(view: AsylumForecast, language: Language) -> str:
    """How many countries have reported the newest period."""
    row = view.reported
    if row is None:
        return ""
    texts = ngettext(
        "{n} of the {expected} countries with figures here has reported {period}.",
        "{n} of the {expected} countries with figures here have reported {period}.",
    )
    end = to_period(str(row["time_period"]), view.freq).end_time
    of, when = int(row["expected"]), period(view, end, language)
    said = language.plural(texts, int(row["reported"]), expected=of, period=when)
    return f"{said} {language.text(_('Figures are provisional.'))}" if row["provisional"] else said


def missing_words(view: AsylumForecast, language: Language) -> str:
    """Other kinds of figures in the release that are too old for a forecast."""
    parts = []
    for (target, freq), rows in view.night.frame("asylum_series").groupby(["target", "freq"], sort=False):
        kind = f"{target}.{freq}"
        if kind != view.kind and not rows["state"].eq(OK).any():
            last = to_period(str(rows["last_period"].max()), "Q" if freq == "Q" else "M").end_time
            text = _("{kind}: latest data {period}, too old for a current forecast.")
            ended = language.period(last, MONTHS_EACH[str(freq)])
            parts.append(language.text(text, kind=kind_name(kind, language), period=ended))
    return " ".join(parts)


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
