"""The year ahead in one reader's language: totals of twelve months by route and country against the last five years."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from core.calendar import MONTHS_EACH
from core.languages import Language, capital, is_known
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from core.routes import ARRIVAL_SERIES
from core.schema import ALL
from forecasting.verification import TOO_NARROW
from forecasting.verification.verdict import BETTER, LIKELY, NO_EVIDENCE, TOO_FEW, verdicts
from reports import Row, numbers
from reports.asylum import RECORD
from reports.names import in_unit, routes_together, series_place
from reports.skill import MARKS

CALENDAR_YEAR = "calendar year"
KINDS = {CALENDAR_YEAR: _("Calendar year"), "July to June": _("July to June")}
"""Which twelve months, by ``kind`` of the release's table."""
PAST_YEARS = 5
_ASYLUM = "asylum_applications"
TOO_WIDE = _("{name}: 80% interval {interval}, too wide to plan by one number.")
MEDIAN = 0.5
LEVELS = {0.025: "lo_95", 0.1: "lo_80", 0.25: "lo_50", MEDIAN: "median", 0.75: "hi_50", 0.9: "hi_80", 0.975: "hi_95"}


@dataclass(frozen=True)
class YearLine:
    """One route or country, or all together, over one window of twelve months.

    Attributes:
        name: As people call it.
        window: ``2025``, or ``July 2025–June 2026``.
        past: Totals of the same months in the five years before, by the year in which they begin; without those of
            which a month is missing. A country's are those before its first window.
        row: The release's row.
        repeated: The total if the last count repeats from the first period that is not counted.
    """

    name: str
    window: str
    past: pd.Series
    row: Row
    repeated: float = math.nan

    @property
    def is_asylum(self) -> bool:
        """Whether it counts asylum applications, not arrivals."""
        return str(self.row["series_id"]).startswith(_ASYLUM)

    @property
    def is_too_wide(self) -> bool:
        """Whether a country's 80 % interval is wider than the span of the past years that stand beside it."""
        is_whole = self.is_asylum and len(self.past) == PAST_YEARS
        return is_whole and self.row["hi_80"] - self.row["lo_80"] > self.past.max() - self.past.min()

    @property
    def goes_by_last(self) -> bool:
        """Whether a country's total is planned with the last count repeated, which no forecast of it beats."""
        return self.is_asylum and verdict_of(self.row) not in {BETTER, LIKELY}

    @property
    def quantiles(self) -> pd.DataFrame:
        """The total's quantiles as the bars take them, ``output_type_id, value``; the median if it is planned with."""
        levels = [level for level in LEVELS if level != MEDIAN or not (self.is_too_wide or self.goes_by_last)]
        return pd.DataFrame({"output_type_id": levels, "value": [float(self.row[LEVELS[one]]) for one in levels]})


def year_lines(
    table: pd.DataFrame, observations: pd.DataFrame, kind: str, language: Language, *, asylum: bool = False
) -> list[YearLine]:
    """One line per series and window of a kind, all together first, then the most expected.

    Args:
        table: The release's ``year_ahead``.
        observations: Its observations.
        kind: One of :data:`KINDS`.
        language: The reader's.
        asylum: Asylum applications by country of destination, which are no part of all routes together, instead of
            arrivals by route.
    """
    rows = table[(table["kind"] == kind) & (table["series_id"].str.startswith(_ASYLUM) == asylum)]
    rows = rows.assign(_all=rows["series_id"].ne(ALL)).sort_values(
        ["ahead", "_all", "median"], ascending=[True, True, False]
    )
    begins = rows.groupby("series_id")["first_period"].transform("min") if asylum else rows["first_period"]
    members = [str(name) for name in rows["series_id"].unique() if name != ALL]
    added = [name for name in members if name in ARRIVAL_SERIES]
    monthly = {name: _counts(observations, name) for name in members}
    names = {name: series_place(name, language) for name in members} | {ALL: together_name(added, members, language)}
    parts = {name: [name] for name in members} | {ALL: added}
    return [
        YearLine(
            names[name], window_name(row, language), past_totals([monthly[one] for one in parts[name]], str(begin)),
            row, _repeated(monthly[name], row) if asylum else math.nan,
        )
        for name, row, begin in zip(rows["series_id"], rows.to_dict("records"), begins, strict=True)
    ]  # fmt: skip


def _repeated(counts: pd.Series, row: Row) -> float:
    """What is counted of a window, and the last count for each period of it that is not."""
    left = (12 - int(row["months_counted"])) // MONTHS_EACH[str(row["series_id"])[-1]]
    return float(row["counted"] + left * counts.iloc[-1]) if len(counts) else math.nan


def together_name(added: Sequence[str], members: Sequence[str], language: Language) -> str:
    """Name the sum: all routes, or how many of them are added up."""
    if set(added) == set(ARRIVAL_SERIES) == set(members):
        return language.text(_("All routes together"))
    return routes_together(len(added), language)


def window_name(row: Row, language: Language) -> str:
    """The twelve months: a year by its number, else from month to month."""
    first, last = str(row["first_period"]), str(row["last_period"])
    return first[:4] if first[5:] == "01" else language.months(first, last)


def _in_window(row: Row, language: Language) -> str:
    first, last = str(row["first_period"]), str(row["last_period"])
    return language.text(_("in {month}"), month=first[:4]) if first[5:] == "01" else language.in_months(first, last)


def short_name(first_period: str, year: int) -> str:
    """The twelve months that begin in a year: ``2025``, or ``2025/26`` where they begin in its middle."""
    return f"{year}" if first_period[5:] == "01" else f"{year}/{(year + 1) % 100:02}"


def past_totals(counts: list[pd.Series], first_period: str) -> pd.Series:
    """Totals over the same twelve months in the five years before; a year of which a part is missing is left out.

    Args:
        counts: By month, or by quarter.
        first_period: The first month of the window.
    """
    first, found = pd.Period(first_period, "M"), {}
    for back in range(PAST_YEARS, 0, -1):
        months = pd.period_range(first - 12 * back, periods=12, freq="M")
        parts = [one.reindex(months.asfreq(one.index.freqstr).unique()) for one in counts]  # type: ignore[attr-defined]  # periods
        if parts and all(part.notna().all() for part in parts):
            found[int(months[0].year)] = float(sum(part.sum() for part in parts))
    return pd.Series(found, dtype=float)


def year_words(table: pd.DataFrame, series_id: str, year: int, language: Language) -> str:
    """One route's calendar year against the newest complete one, from joint paths: months' medians do not add up.

    Args:
        table: The release's ``year_ahead``; without rows at a past origin.
        series_id: The route.
        year: The calendar year.
        language: The reader's.
    """
    rows = table[(table["series_id"] == series_id) & (table["first_period"] == f"{year}-01")]
    rows = rows[(rows["kind"] == CALENDAR_YEAR) & rows["last_total"].notna()]
    if rows.empty:
        return language.text(_("{year} beside earlier years"), year=year)
    (row,) = rows.head(1).to_dict("records")
    # The range leads: of some months no median is planned with.
    text = _("{year}: {interval} {unit} (80% interval); {before} in {past}")
    if _is_narrow(row):
        text = _(
            "{year}: {interval} {unit} (80% interval, too narrow: held {share} of past totals); {before} in {past}"
        )
    return in_unit(
        language.text(text), series_id.split(".")[1], language, year=year, past=last_year(row),
        interval=language.interval_words(row["lo_80"], row["hi_80"]), share=language.share(row["coverage_80"]),
        before=language.counted(row["last_total"]),
    )  # fmt: skip


def last_year(row: Row) -> int:
    """The year in which the newest complete total of the same months begins."""
    first, origin = pd.Period(str(row["first_period"]), "M"), pd.Period(row["origin_date"], "M")
    return int(first.year - 1 - max(0, -((origin.ordinal - first.ordinal + 1) // 12)))


def year_title(lines: list[YearLine], language: Language) -> str:
    """What is expected over the running year on all routes together, in one sentence."""
    if not lines:
        return language.text(_("No year-ahead forecast in this release"))
    line = lines[0]
    said = in_unit(
        language.text(_("{name}: {interval} {unit} {when} (80% interval)")),
        str(line.row["series_id"]).partition(".")[2].partition(".")[0], language, name=line.name,
        when=_in_window(line.row, language), interval=language.interval_words(line.row["lo_80"], line.row["hi_80"]),
    )  # fmt: skip
    # The newest complete total is of the year before last where some route's last month of it is not counted yet.
    before = line.past.get(int(str(line.row["first_period"])[:4]) - 1)
    if before is None:
        return said
    return language.listed([said, language.text(_("the year before {value}"), value=language.counted(before))])


def country_words(lines: list[YearLine], language: Language) -> list[str]:
    """Sentences on each window of one country: total or, where too wide, interval alone; counts so far, record."""
    said = []
    for line in lines:
        counted = [_counted_words(line.row, [], language)] if line.row["months_counted"] else []
        parts = [f"{capital(text)}." for text in (*counted, *_record_parts(line.row, language))]
        said.append(" ".join([_total_words(line, language), *parts]))
    return said


def _total_words(line: YearLine, language: Language) -> str:
    past = line.past
    fields = {"name": line.window, "interval": language.interval_words(line.row["lo_80"], line.row["hi_80"])}
    if line.is_too_wide:
        span = _("{first}–{last} were {least} to {most}.")
        years = {"first": past.index[0], "last": past.index[-1]}
        years |= {"least": language.counted(past.min()), "most": language.counted(past.max())}
        return f"{language.text(TOO_WIDE, **fields)} {language.text(span, **years)}"
    if line.goes_by_last:
        text = _(
            "{name}: plan with {total}, the last count repeated for what is not counted; the models’ 80% interval is "
            "{interval}."
        )
        return language.text(text, total=language.counted(line.repeated), **fields)
    text = _("{name}: 80% interval {interval}, {median} expected.")
    return language.text(text, median=language.expected(line.row["median"]), **fields)


def coverage_words(lines: list[YearLine], language: Language) -> list[str]:
    """What is counted of a window and its record, of all routes together, else the first; too narrow intervals."""
    first, *others = lines
    said = [_counted_words(first.row, [line.row for line in others], language), record_words(first.row, language)]
    if others and first.row["series_id"] != ALL:
        said[0] = language.labelled(first.name, said[0])
    narrow = [f"{line.name} ({language.share(line.row['coverage_80'])})" for line in others if _is_narrow(line.row)]
    if narrow:
        said.append(language.text(_("80% intervals too narrow in past years: {names}"), names=", ".join(narrow)))
    return said


def _counted_words(row: Row, others: list[Row], language: Language) -> str:
    """How much of the window is counted already; of routes added up some may be counted further than others."""
    months, value = int(row["months_counted"]), language.counted(row["counted"])
    further = [one for one in others if one["series_id"] in ARRIVAL_SERIES and int(one["months_counted"]) > months]
    if row["series_id"] == ALL and further:
        if not months:
            return language.text(_("no month is counted on all routes yet; on some: {value}"), value=value)
        texts = ngettext(
            "{n} month counted so far, of some routes more: {value}",
            "{n} months counted so far, of some routes more: {value}",
        )
        return language.plural(texts, months, value=value)
    if not months:
        return language.text(_("no full month of it is counted yet"))
    texts = ngettext("{n} month counted so far: {value}", "{n} months counted so far: {value}")
    return language.plural(texts, months, value=value)


def record_words(row: Row, language: Language) -> str:
    """How such projections did at past dates against the baseline, and how often their 80 % interval held."""
    return language.listed(_record_parts(row, language))


def _record_parts(row: Row, language: Language) -> list[str]:
    if not is_known(row["relative_wis"]) or not int(row["n"]):
        return [language.text(_("no record yet"))]
    years = language.plural(ngettext("{n} year", "{n} years"), int(row["years"]))
    verdict = verdict_of(row)
    text = _("{verdict}: past errors {share} smaller than those of the last count repeated ({years})")
    if verdict == TOO_FEW:
        text = _("{verdict} ({years})")
    elif row["relative_wis"] > 1:
        text = _("{verdict}: past errors {share} larger than those of the last count repeated ({years})")
    share = language.share(abs(row["relative_wis"] - 1))
    said = language.text(text, share=share, years=years, verdict=language.text(RECORD.get(verdict, "")))
    held = language.text(_("80% intervals held {share} of past totals"), share=language.share(row["coverage_80"]))
    return [said, _marked(held, row, language)]


def verdict_of(row: Row) -> str:
    """The verdict on one total, see :func:`forecasting.verification.verdict.verdicts`."""
    return str(verdicts([row["relative_wis_lo"]], [row["relative_wis_hi"]], [row["p_holm"]])[0])


def year_table(lines: list[YearLine], language: Language, *, brief: bool = False) -> pd.DataFrame:
    """One row per line: the name, the past totals, what is expected, chances of more than the last, and the record."""
    years = sorted({year for line in lines for year in line.past.index})[-PAST_YEARS:]
    first = str(lines[0].row["first_period"])
    planned = _("Plan with, {window}") if lines[0].is_asylum else _("Expected, {window}")
    columns: dict[str, list[str]] = {
        language.text(_("Country") if lines[0].is_asylum else _("Route")): [line.name for line in lines],
        **{short_name(first, year): [language.counted(line.past.get(year)) for line in lines] for year in years},
        language.text(planned, window=short_name(first, int(first[:4]))): [_planned(line, language) for line in lines],
        language.text(_("80% interval")): [
            _marked(language.interval(line.row["lo_80"], line.row["hi_80"]), line.row, language) for line in lines
        ],
        _more_than(lines, language): [language.percent(line.row["chance_0"], brief=True) for line in lines],
        f"+{language.share(0.25)}": [language.percent(line.row["chance_25"], brief=True) for line in lines],
    }
    if brief:
        return pd.DataFrame(columns)
    columns |= {
        f"+{language.share(0.5)}": [language.percent(line.row["chance_50"], brief=True) for line in lines],
        f"+{language.share(1)}": [language.percent(line.row["chance_100"], brief=True) for line in lines],
        language.text(_("Record")): [_record(line.row, language) for line in lines],
        language.text(_("80% held")): [language.share(line.row["coverage_80"]) for line in lines],
    }
    return pd.DataFrame(columns)


def _planned(line: YearLine, language: Language) -> str:
    if line.is_too_wide:
        return language.text(_("too wide"))
    return language.counted(line.repeated) if line.goes_by_last else language.expected(line.row["median"])


def _more_than(lines: list[YearLine], language: Language) -> str:
    """Which total the chances are measured against: the newest complete one, if it is of one year for all lines."""
    first = str(lines[0].row["first_period"])
    compared = {last_year(line.row) for line in lines}
    if len(compared) > 1:
        return language.text(_("More than the last total"))
    year = compared.pop()
    text = _("More than {year}") if year == int(first[:4]) - 1 else _("More than {year}, the newest complete total")
    return language.text(text, year=short_name(first, year))


def _record(row: Row, language: Language) -> str:
    """The error against the baseline's, with its verdict's mark where there is evidence."""
    verdict = verdict_of(row)
    return language.change(row["relative_wis"], 1.0) + (
        f" {MARKS[verdict]}" if verdict not in {NO_EVIDENCE, TOO_FEW} else ""
    )


def _marked(text: str, row: Row, language: Language) -> str:
    """What is said of a total's 80% interval, marked where it held too few past totals."""
    return language.text(_("{interval}, too narrow"), interval=text) if _is_narrow(row) else text


def _is_narrow(row: Row) -> bool:
    return is_known(row["coverage_80"]) and float(row["coverage_80"]) < TOO_NARROW


def _counts(observations: pd.DataFrame, series_id: str) -> pd.Series:
    freq = series_id.rsplit(".", 1)[-1]
    rows = numbers.series_of(observations, series_id, "Q" if freq == "Q" else "M")
    return pd.Series(rows["obs_value"].to_numpy(dtype=float), index=pd.PeriodIndex(rows["end_date"], freq=freq))
