"""People in reception in one reader's language: how many places are enough until when, and what that is worth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from alerts.rules import period_words
from core.calendar import MONTHS_EACH, Frequency, end_dates
from core.languages import Language, as_expected, is_known, round_expected
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from core.routes import ROUTES, routes_to
from core.schema import RECEPTION
from forecasting import BASELINE
from forecasting.reception import MODEL_ID
from forecasting.verification import TOO_NARROW
from forecasting.verification.verdict import TOO_FEW, with_verdicts
from reports import ReadableRelease, cards_in, citations, numbers, skill
from reports.names import ACCOMMODATION, MODELS, place_name, route_name
from reports.names import name as name_of
from reports.route import KeyNumber, interval_words
from reports.skill import Verdicts, held_words, may_beat, stretches, taken_up, with_interval
from reports.year_ahead import LEVELS

MONTHS_BACK = 24
"""Months of counts in charts."""
MOVES = _("Entries"), _("Exits")
UNLIKELY, LIKELY = 0.2, 0.5
"""Probabilities of too few places whose first period is named."""
TABLE_NOTE = _(
    "Enough in 9 of 10: in nine of ten cases these places are enough at every count through that month; the "
    "upper end of the interval is about that month alone. Entries are estimated from arrivals and follow their season; "
    "exits: people before, plus entries, less people after. Both are means without an interval, so they do not "
    "add up to medians."
)
BY_REGION = _("Regions by reserve above the last count")
REGIONS_NOTE = _(
    "Reserve: places that are enough for six months in nine of ten cases, less the people counted. Existing capacity "
    "is not included. Was enough: at least so many past forecasts. Too few: chance does not explain it, so the aim "
    "holds the margin (such as +6%) that nine in ten of them lacked. "
    "Reserves do not add up to the country’s: regions are seldom all full at once."
)
FRAMES = ("reception_needs", "observations", "reception_scores", "reception_backtest")
"""Tables of a release from which a stock is gathered."""


@dataclass(frozen=True)
class Need:
    """What one country or region needs in the periods ahead, in one scenario of arrivals.

    Attributes:
        series_id: The stock, such as ``reception.ITA._T.M``.
        rows: Its rows of ``reception_needs`` at one factor, in time order.
        history: Counted periods: ``time_period, obs_value, obs_flag, end_date``.
        scores: Its rows of ``reception_scores`` on log1p scale against persistence.
        places: Places known, or the reader's number; NaN for none.
        past: Past 80% intervals beside their counts, ``origin_date, horizon, lower, upper, obs_value``.
    """

    series_id: str
    rows: pd.DataFrame
    history: pd.DataFrame
    scores: pd.DataFrame
    places: float
    past: pd.DataFrame

    @property
    def freq(self) -> Frequency:
        """How often people are counted: M or Q."""
        return "Q" if self.series_id.endswith("Q") else "M"

    @property
    def months_each(self) -> int:
        """Months of a period."""
        return MONTHS_EACH[self.freq]

    @property
    def ends(self) -> pd.Series:
        """Last day of each period ahead."""
        return end_dates(self.rows["time_period"], self.freq)

    @property
    def counted_on(self) -> pd.Timestamp:
        """Last day of the last period counted."""
        return pd.Timestamp(end_dates(self.rows["last_period"].head(1), self.freq).iloc[0])

    @property
    def quantiles(self) -> pd.DataFrame:
        """One row per period ahead (its last day), one column per level."""
        table = self.rows[list(LEVELS.values())].set_axis(list(LEVELS), axis=1)
        return table.set_axis(pd.DatetimeIndex(self.ends, name="target_end_date"), axis=0)

    @property
    def chances(self) -> pd.Series:
        """Probability of more people than places at the end of each period ahead, by its last day; NaN without places.

        A number of places that the release does not hold is read between its quantiles.
        """
        if self.rows["places"].eq(self.places).all():
            return self.rows["chance"].set_axis(self.quantiles.index)
        if not is_known(self.places):
            return pd.Series(np.nan, self.quantiles.index)
        levels = np.asarray(list(LEVELS))
        below = [np.interp(self.places, row, levels, left=0.0, right=1.0) for row in self.quantiles.to_numpy()]
        return pd.Series(1 - np.asarray(below), self.quantiles.index)

    @property
    def verdicts(self) -> Verdicts:
        """The verdict on each period ahead, by its last day; None without scores."""
        if self.scores.empty:
            return None
        judged = with_verdicts(self.scores).set_index("horizon")["verdict"].reindex(self.rows["horizon"])
        return dict(zip(self.ends, judged.fillna(TOO_FEW), strict=True))

    @property
    def has_median(self) -> bool:
        """Whether the median of the last period ahead may be better than the last count repeated."""
        return may_beat(self.verdicts, self.ends.iloc[-1])

    @property
    def above_now(self) -> float:
        """Places to aim at, as shown, less the people counted last."""
        return round_expected(self.aim) - float(self.rows["last_value"].iloc[-1])

    @property
    def aim(self) -> float:
        """Places that are enough through the last period ahead, with their margin."""
        return skill.with_margin(float(self.rows["enough"].iloc[-1]), self.record[2])

    def aim_words(self, language: Language) -> str:
        """The same as shown."""
        return skill.aim_words(float(self.rows["enough"].iloc[-1]), self.record[2], language)

    @property
    def taken_up(self) -> pd.Series[float]:
        """Share that people took up of places past forecasts said to be enough, at most, by origin.

        The places of then are not less than the highest of the upper ends up to a period: these are compared.
        """
        return taken_up(self.past, len(self.rows))

    @property
    def record(self) -> tuple[int, int, float]:
        """How many of how many past forecasts named enough places, at least, and the margin missing, at most."""
        return *skill.times_enough(self.taken_up), skill.margin(self.taken_up)

    @property
    def inside(self) -> pd.Series[bool]:
        """Whether each past 80% interval held its count."""
        return self.past["obs_value"].between(self.past["lower"], self.past["upper"])

    @property
    def is_narrow(self) -> bool:
        """Whether past intervals held far too few counts."""
        return bool(self.inside.mean() < TOO_NARROW)


def needs_of(frames: Sequence[pd.DataFrame], series_id: str, factor: float, places: float | None) -> Need:
    """Gather one stock from a release's tables; a scenario has no past forecasts.

    Args:
        frames: Those of :data:`FRAMES`.
        series_id: The stock.
        factor: Scenario: by what arrivals ahead are multiplied.
        places: The reader's number; None for the release's own.
    """
    needs, observations, scores, backtest = frames
    rows = needs[(needs["series_id"] == series_id) & (needs["factor"] == factor)].sort_values("horizon")
    own = scores[scores["series_id"].eq(series_id) & scores["scale"].eq("log") & scores["reference"].eq(BASELINE)]
    history = numbers.series_of(observations, series_id, "Q" if series_id.endswith("Q") else "M")
    return Need(
        series_id, rows.reset_index(drop=True), history, own[own["model_id"] == MODEL_ID].sort_values("horizon"),
        float(rows["places"].iloc[0]) if places is None else places,
        _past(backtest if factor == 1 else backtest.iloc[:0], series_id, history),
    )  # fmt: skip


def _past(backtest: pd.DataFrame, series_id: str, history: pd.DataFrame) -> pd.DataFrame:
    rows, keys = backtest[backtest["series_id"] == series_id], ["origin_date", "horizon", "target_end_date"]
    levels = rows["output_type_id"].round(3)
    ends = {name: rows[levels == level].set_index(keys)["value"] for name, level in (("lower", 0.1), ("upper", 0.9))}
    return pd.DataFrame(ends).reset_index().merge(history, left_on="target_end_date", right_on="end_date")


def stocks(needs: pd.DataFrame) -> list[str]:
    """Series of countries in a release, most people first, each followed by its regions by :attr:`Need.above_now`."""
    last = needs[needs["factor"].eq(1.0)].sort_values("horizon").groupby("series_id").tail(1).set_index("series_id")
    last = last[last.index.str.startswith(f"{RECEPTION}.")]
    more = (last["enough"].map(round_expected) - last["last_value"]).sort_values(ascending=False)
    countries = last["last_value"][~last.index.str.contains("-")].sort_values(ascending=False).index
    return [
        str(name)
        for country in countries
        for name in [country, *(one for one in more.index if one.startswith(f"{country.removesuffix('._T.M')}-"))]
    ]


def title(need: Need, language: Language) -> str:
    """How many people are expected, with the 80 % interval, and how many are there now.

    The interval alone where no median is shown.
    """
    first, last = need.rows.iloc[0], need.rows.iloc[-1]
    text = _(
        "{place}: {interval} people in reception at the end of {end} (80% interval); {people} counted at the end of "
        "{month}"
    )
    if need.has_median:
        text = _(
            "{place}: {expected} expected in reception at the end of {end}, 80% interval {interval}; {people} "
            "counted at the end of {month}"
        )
    return language.text(
        text,
        place=place_name(need.series_id.split(".")[1], language), month=language.month(need.counted_on),
        people=language.counted(float(first["last_value"])), expected=language.expected(float(last["median"])),
        end=language.month(need.ends.iloc[-1]), interval=language.interval_words(last["lo_80"], last["hi_80"]),
    )  # fmt: skip


def enough_words(need: Need, language: Language) -> str:
    """How many places are enough until when, how often they should be, how often such places were, and a caveat."""
    said = [language.text(_("nine cases in ten"))]
    if len(need.taken_up):
        times = skill.hits_words(*need.record[:2], language)
        said.append(language.text(_("past forecasts: at least {times}"), times=times))
    if need.is_narrow:
        said.append(language.text(_("intervals too narrow")))
    return language.plural(
        ngettext(
            "{places} place should be enough through {period} (aim: {aim})",
            "{places} places should be enough through {period} (aim: {aim})",
        ),
        as_expected(need.aim), places=need.aim_words(language), period=language.month(need.ends.iloc[-1]),
        aim=language.listed(said),
    )  # fmt: skip


def entries_words(need: Need, trajectories: pd.DataFrame, language: Language) -> str:
    """Which share of the arrivals expected enters reception; empty where no route leads there by itself."""
    series = routes_to(need.series_id.split(".")[1])
    ends = [pd.Timestamp(end) for end in need.ends]
    arrivals = numbers.expected_total(trajectories, series, ends) if need.months_each == 1 else None
    if arrivals is None or not arrivals.median:
        return ""
    text = _("Entries are {share} of the arrivals expected in {months}: not everyone who arrives enters reception.")
    share = language.share(float(need.rows["entries"].sum()) / arrivals.median)
    return language.text(text, share=share, months=language.months(ends[0], ends[-1]))


def key_numbers(need: Need, language: Language) -> list[KeyNumber]:
    """People now and people expected, or their interval alone."""
    last, now = need.rows.iloc[-1], language.counted(float(need.rows["last_value"].iloc[0]))
    end = language.month(need.ends.iloc[-1])
    people = language.text(_("People, end of {month}"), month=language.month(need.counted_on))
    expected = language.text(_("Expected, end of {month}"), month=end)
    interval = interval_words(last["lo_80"], last["hi_80"], language)
    if not need.has_median:
        ahead = language.text(_("80% interval, end of {month}"), month=end)
        return [(people, now, ""), (ahead, language.interval(last["lo_80"], last["hi_80"]), "")]
    return [(people, now, ""), (expected, language.expected(float(last["median"])), interval)]


def moves_words(need: Need, language: Language) -> str:
    """Mean entries and exits of the months ahead, which have no interval."""
    months = len(need.rows) * need.months_each
    first = need.ends.iloc[0] - pd.DateOffset(months=need.months_each - 1)
    moves = {name: language.expected(float(need.rows[name].sum()) / months) for name in ("entries", "exits")}
    text = _("A month, {months}: on average {entries} entries and {exits} exits, without an interval.")
    return language.text(text, months=language.months(first, need.ends.iloc[-1]), **moves)


def reasons(needs: pd.DataFrame, series_id: str, language: Language) -> list[str]:
    """Facts behind an alert about one stock, from a release's ``reception_needs``: a sentence each."""
    need = _alone(needs, series_id, 1.0)
    return [title(need, language), enough_words(need, language), moves_words(need, language)]


def places_words(need: Need, language: Language) -> str:
    """When the places known are likely not to suffice, in a sentence; how to give them where none are known."""
    if not is_known(need.places):
        most = need.history.sort_values("obs_value").iloc[-1]
        return language.text(
            _("Most people counted so far: {most} ({month}). No number of places is published: enter yours."),
            most=language.counted(most["obs_value"]), month=language.month(most["end_date"]),
        )  # fmt: skip
    given = language.counted(need.places)
    last = need.chances.iloc[-1]
    words = language.text(
        _("{places} places: the probability that more people need one is {chance} at the end of {month}."),
        places=given, chance=language.percent(last), month=language.month(need.ends.iloc[-1]),
    )  # fmt: skip
    for level in (UNLIKELY, LIKELY):
        above = need.chances[need.chances > level]
        if len(above):
            first = _("It first exceeds {level} in {month}.")
            words += " " + language.text(first, level=language.percent(level), month=language.month(above.index[0]))
    if not (need.chances > UNLIKELY).any():
        words += " " + language.text(_("It stays below {level}."), level=language.percent(UNLIKELY))
    return words


def scenario_words(need: Need, usual: Need, language: Language) -> str:
    """When places are full, or how many more are enough, if arrivals are other than forecast.

    Args:
        need: The stock in the scenario.
        usual: The same as forecast.
        language: The reader's.
    """
    code, factor = need.series_id.split(".")[1], float(need.rows["factor"].iloc[0])
    routes = language.listed([route_name(name.split(".")[1], language) for name in routes_to(code[:3])])
    text = _("If arrivals on {routes} are {factor} times the forecast in every month")
    head = language.text(text, routes=routes, factor=language.significant(factor))
    return language.labelled(head, _then_words(need, usual, language))


def _then_words(need: Need, usual: Need, language: Language) -> str:
    """The same without the condition."""
    place, month = place_name(need.series_id.split(".")[1], language), language.month(need.ends.iloc[-1])
    full = need.chances[need.chances > LIKELY]
    if len(full):
        text = _("{place} is likely full at the end of {month}.")
        return language.text(text, place=place, month=language.month(full.index[0]))
    if is_known(need.places):
        return language.text(_("{place} is not likely full to the end of {month}."), place=place, month=month)
    enough, before = (round_expected(one.rows["enough"].iloc[-1]) for one in (need, usual))
    texts = ngettext(
        "{place}: {places} place through {month} is enough in nine of ten cases ({more} against the forecast).",
        "{place}: {places} places through {month} are enough in nine of ten cases ({more} against the forecast).",
    )
    figures = {"places": language.expected(enough), "more": language.signed_count(enough - before)}
    return language.plural(texts, as_expected(enough), place=place, month=month, **figures)


def reached_by(needs: pd.DataFrame, route_id: str) -> pd.DataFrame:
    """Rows of ``reception_needs`` of countries to which a route leads, and of their regions, with scenarios."""
    countries = ROUTES[route_id].countries if route_id in ROUTES else ()
    return needs[needs["series_id"].str.split(".").str[1].str[:3].isin(countries)]


def scenario_lines(
    needs: pd.DataFrame, forecast: pd.DataFrame, scenario: pd.DataFrame, language: Language
) -> list[str]:  # fmt: skip
    """On each country, and on each region whose places are known, how many a scenario of arrivals means.

    Args:
        needs: Rows of ``reception_needs``: stocks are worked out for few factors, in every month.
        forecast: Paths of arrivals (``core.release.TRAJECTORIES``).
        scenario: The same under an assumption.
        language: The reader's.
    """
    lines = []
    for name in stocks(needs):
        usual = _alone(needs, name, 1.0)
        if "-" in name and not is_known(usual.places):
            continue
        country, last = name.split(".")[1][:3], usual.ends.iloc[-1]
        then, plain = (_mean_arrivals(paths, country, last) for paths in (scenario, forecast))
        times = then.sum() / plain.sum() if plain.sum() else 1.0
        near = _between(needs, name, times)
        text = _("Arrivals on routes there are {times} times the forecast in {months}: read between cases worked out.")
        if near.rows["factor"].iloc[0] != times:
            text = _(
                "Arrivals on routes there are {times} times the forecast in {months}: this is the nearest case worked "
                "out, {factor} times."
            )
        said = language.text(
            text, months=language.months(plain.index.min(), last), times=language.significant(times),
            factor=language.significant(float(near.rows["factor"].iloc[0])),
        )  # fmt: skip
        is_usual = math.isclose(times, 1.0, abs_tol=0.005)
        lines.append(f"{title(usual, language)}." if is_usual else f"{_then_words(near, usual, language)} {said}")
    return lines


def _mean_arrivals(paths: pd.DataFrame, country: str, last: pd.Timestamp) -> pd.Series:
    """Mean arrivals by month, to the last one, on the routes that lead to a country."""
    rows = paths[paths["series_id"].isin(routes_to(country)) & (paths["target_end_date"] <= last)]
    return rows.groupby(["series_id", "target_end_date"])["value"].mean().groupby("target_end_date").sum()


def _between(needs: pd.DataFrame, series_id: str, factor: float) -> Need:
    """A stock at a factor, read between the two cases around it; beyond all cases, the nearest one."""
    cases = needs.loc[needs["series_id"] == series_id, "factor"]
    factor = min(max(factor, cases.min()), cases.max())
    low, high = (
        _alone(needs, series_id, float(one)) for one in (cases[cases <= factor].max(), cases[cases >= factor].min())
    )
    start, stop = low.rows["factor"].iloc[0], high.rows["factor"].iloc[0]
    share, rows = (factor - start) / (stop - start) if stop > start else 0.0, low.rows.copy()
    for name in rows.select_dtypes(float).columns:
        rows[name] = (1 - share) * low.rows[name] + share * high.rows[name]
    return replace(low, rows=rows.assign(factor=factor, places=low.places))


def _alone(needs: pd.DataFrame, series_id: str, factor: float) -> Need:
    """A stock without its history and record."""
    rows = needs[(needs["series_id"] == series_id) & (needs["factor"] == factor)].sort_values("horizon")
    nothing = pd.DataFrame(columns=["origin_date", "horizon", "lower", "upper", "obs_value"], dtype=float)
    return Need(series_id, rows.reset_index(drop=True), nothing, nothing, float(rows["places"].iloc[0]), nothing)


def countries(release: ReadableRelease) -> list[Need]:
    """The countries as forecast."""
    frames = [*map(release.frame, FRAMES)]
    return [needs_of(frames, name, 1.0, None) for name in stocks(frames[0]) if "-" not in name]


def lines(release: ReadableRelease, language: Language) -> dict[str, str]:
    """By country: its places where they are known, else places that are enough with their record, and its people."""
    return {need.series_id.split(".")[1]: line(need, language) for need in countries(release)}


def line(need: Need, language: Language) -> str:
    """A stock's name, then its places where they are known, else places that are enough, and its people."""
    words = places_words(need, language) if is_known(need.places) else _people_words(need, language)
    return language.labelled(place_name(need.series_id.split(".")[1], language), words)


def _people_words(need: Need, language: Language) -> str:
    """Places that are enough, people expected by then and people counted."""
    (_label, counted, _none), (_end, expected, _interval) = key_numbers(need, language)
    text = _("80% interval {expected}; {people} counted at the end of {month}")
    if need.has_median:
        text = _("{expected} people expected, {people} counted at the end of {month}")
    people = language.text(text, expected=expected, people=counted, month=language.month(need.counted_on))
    return language.listed([enough_words(need, language), people])


def record_words(need: Need, language: Language) -> list[str]:
    """What past forecasts of this stock were worth, and where the evidence is weak: a fact each."""
    if need.scores.empty:
        return [language.text(_("No past forecasts of this stock can be scored yet."))]
    row = with_verdicts(need.scores[need.scores["horizon"] == 3 // need.months_each]).iloc[0]
    change, low, high = (language.change(float(row[f"relative_wis{end}"]), 1.0) for end in ("", "_lo", "_hi"))
    text = _(
        "Three months ahead: {verdict}. Errors {change} against repeating the last count (90% interval {low} to "
        "{high})."
    )
    said = language.text(text, verdict=language.text(row["verdict"]), change=change, low=low, high=high)
    cases = need.past.assign(inside=need.inside).groupby("horizon", as_index=False)
    held = cases.agg(coverage_80=("inside", "mean"), n=("inside", "size"))
    words = [said, _too_few_words(need, language), held_words(held, language, need.freq) if len(held) else ""]
    return list(filter(None, words))


def _too_few_words(need: Need, language: Language) -> str:
    """How often past forecasts named too few places, by how much, and when they were made; empty if never."""
    short = need.taken_up[need.taken_up > 1]
    if short.empty:
        return ""
    texts = ngettext(
        "Past forecasts named too few places at most {n} time, by up to {share}: that of {months}.",
        "Past forecasts named too few places at most {n} times, by up to {share}: those of {months}.",
    )
    months = language.months(short.index.min(), short.index.max())
    return language.plural(texts, len(short), share=language.share(short.max() - 1), months=months)


def gaps_words(need: Need, release: ReadableRelease, language: Language) -> str:
    """Which of the months shown have no figures, and what the sources' cards say of these years; empty without gaps."""
    known = pd.PeriodIndex(need.history["time_period"], freq=need.freq)
    span = pd.period_range(max(known.min(), known.max() - MONTHS_BACK // need.months_each), known.max())
    missing = span.difference(known)
    if missing.empty:
        return ""
    ends = missing.to_timestamp(how="end").normalize()
    text = _("Gap in the line: no sound report for {months}.")
    said = language.text(text, months=stretches(ends, language.months, need.months_each))
    cards = cards_in(release, language)
    for name in citations.sources_of(release, [need.series_id]):
        issues = cards.get(name, {}).get("known_issues", [])
        said = " ".join([said, *(issue for issue in issues if any(str(year) in issue for year in ends.year))])
    return said


def expected_cells(need: Need, language: Language) -> list[str]:
    """The median of each period ahead; the last count where none is shown."""
    last = language.labelled(language.text(_("last count")), language.counted(float(need.rows["last_value"].iloc[0])))
    medians = zip(need.ends, need.rows["median"], strict=True)
    return [language.expected(value) if may_beat(need.verdicts, end) else last for end, value in medians]


def regions_table(needs: Sequence[Need], language: Language) -> pd.DataFrame:
    """A row per stock as given: people there now, places that are enough, the reserve, and its record."""
    now = [float(need.rows["last_value"].iloc[0]) for need in needs]
    counted = period_words(needs[0].rows["last_period"].iloc[0], language)
    cells = {
        _("Country or region"): [_whole_name(need, language) for need in needs],
        language.text(_("People, {period}"), period=counted): [language.counted(value) for value in now],
        _("Aim: enough in 9 of 10"): [need.aim_words(language) for need in needs],
        _("Reserve above the last count"): [
            f"{language.signed(need.above_now)} ({language.change(value + need.above_now, value)})"
            for need, value in zip(needs, now, strict=True)
        ],
        _("Was enough"): [skill.enough_words(need.record, language) for need in needs],
    }
    return pd.DataFrame({language.text(name): column for name, column in cells.items()})


def _whole_name(need: Need, language: Language) -> str:
    """A region's name; a country's as that of a total."""
    name = place_name(need.series_id.split(".")[1], language)
    return name if "-" in need.series_id else language.text(_("{country}, all regions"), country=name)


def countries_table(needs: Sequence[Need], language: Language) -> pd.DataFrame:
    """What to plan with by country; below a figure stand its period, interval or what it adds to the last count."""
    names = (_("Country"), _("Last count"), _("Plan with, 80% interval"), _("Aim: enough in 9 of 10"), _("When"),
             _("Was enough"))  # fmt: skip
    rows = []
    for need in needs:
        first, last = need.rows.iloc[0], need.rows.iloc[-1]
        plan = language.expected(last["median"]) if need.has_median else skill.last_count(first["last_value"], language)
        rows.append([
            place_name(need.series_id.split(".")[1], language),
            f"{language.counted(first['last_value'])}\n{language.month(need.counted_on)}",
            f"{plan}\n{language.interval(last['lo_80'], last['hi_80'])}",
            f"{need.aim_words(language)}\n{language.signed(need.above_now)}",
            language.text(_("through {month}"), month=language.month(need.ends.iloc[-1])),
            skill.enough_words(need.record, language),
        ])  # fmt: skip
    return pd.DataFrame(rows, columns=list(map(language.text, names)))


def compared(scores: pd.DataFrame, series_id: str, language: Language) -> pd.DataFrame:
    """Error of each model of a stock relative to “the last count stays”, by months ahead, in words."""
    own = scores[scores["series_id"].eq(series_id) & scores["scale"].eq("log") & scores["reference"].eq(BASELINE)]
    months = MONTHS_EACH["Q" if series_id.endswith("Q") else "M"]
    own = own[(own["horizon"] * months).isin([1, 3, 6])]
    rows = []
    for model_id in sorted(own["model_id"].unique(), key=lambda name: (name != MODEL_ID, name)):
        own_name = language.text(_("This forecast"))
        name = own_name if model_id == MODEL_ID else name_of(MODELS, model_id, language)
        cells = {language.text(_("Forecast")): name}
        for row in own[own["model_id"] == model_id].sort_values("horizon").to_dict("records"):
            ahead = language.text(_("month {n}"), n=int(row["horizon"]) * months)
            ends = (row[f"relative_wis{end}"] for end in ("", "_lo", "_hi"))
            cells[ahead] = with_interval(language.decimal, *ends)
        rows.append(cells)
    return pd.DataFrame(rows)


def table(need: Need, language: Language) -> pd.DataFrame:
    """People, entries, exits and places by period ahead, in words."""
    rows = need.rows
    words = {
        _("End of"): [language.month(end) for end in need.ends],
        _("Expected"): expected_cells(need, language),
        _("80% interval"): list(map(language.interval, rows["lo_80"], rows["hi_80"])),
        _("Aim: enough in 9 of 10"): [*map(language.expected, rows["enough"].iloc[:-1]), need.aim_words(language)],
    }
    if is_known(need.places):
        words[_("Too few places")] = [language.percent(chance, brief=True) for chance in need.chances]
    entries, exits = (_("Entries in the quarter"), _("Exits in the quarter")) if need.freq == "Q" else MOVES
    words |= {name: list(map(language.expected, rows[one])) for name, one in ((entries, "entries"), (exits, "exits"))}
    return pd.DataFrame({language.text(name): values for name, values in words.items()})


def kinds(observations: pd.DataFrame, series_id: str, language: Language) -> pd.DataFrame:
    """People by kind of accommodation in the newest period that has them, in words, most first, and their sum."""
    parts = series_id.split(".")
    rows = observations[observations["target"].str.startswith(f"{RECEPTION}_") & (observations["geo"] == parts[1])]
    newest = rows[rows["time_period"] == rows["time_period"].max()].sort_values("obs_value", ascending=False)
    codes = newest["target"].str.removeprefix(f"{RECEPTION}_")
    names = [name_of(ACCOMMODATION, code, language) for code in codes]
    if not names:
        return pd.DataFrame()
    values = [*newest["obs_value"], newest["obs_value"].sum()]
    people = language.text(_("People, {period}"), period=period_words(newest["time_period"].iloc[0], language))
    words = [*names, language.text(_("Together"))]
    return pd.DataFrame({language.text(_("Kind")): words, people: [language.counted(value) for value in values]})
