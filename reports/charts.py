"""Charts of site, briefing and mails: frames in, one drawing out, as wide as the screen or column it is for.

Wide screens, phones and columns on paper get drawings of their own: one scaled down is not legible.
"""

from __future__ import annotations

import datetime as dt
import math
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from core import INTERVALS, interval_levels
from core.calendar import to_period
from core.languages import Language, is_known
from core.languages import marked as _
from core.routes import DEFAULT_REGION, region_of
from core.settings import SNAPSHOT
from forecasting.verification.verdict import BETTER, LIKELY, WORSE
from geo import (
    MAPS,
    NARROWEST_KM,
    FloatArray,
    arrow_of,
    arrow_width,
    centre_line,
    coarse_rings,
    curve,
    is_placed,
    km_per_person,
    label_place,
    tapered_arrow,
)
from reports import Row
from reports.alert import limit_of
from reports.drawing import WIDER, WORDS, Anchor, Drawing, Mark, Point, Shape, Word, png_file, text_width, width_of
from reports.names import LEVEL_MARKS, in_unit, level_label, route_name
from reports.skill import MARKS, Verdicts, may_beat, median_shown, median_words, verdict_at

WIDE, NARROW = 720.0, 340.0
"""Widths of drawings in pixels: for the page's column, and for a phone of 390 pixels."""
_SHARES = ("95", "80", "50")
"""Of outcomes in a band, as its role names it, from the widest."""
FARTHEST_BAND = 1.4
"""How far above the rest the 95 % band may lie and still set the axis."""
LINE = 18.0
NAME_LETTERS = 18
"""Letters in a line of a route's name on a phone's map."""
PICTURE_PIXELS, MONTHS_AHEAD = 1168, 6
"""Width of a picture in a message, and months ahead that are drawn on it and in the briefing."""
DETAIL_KM = 9.0
LABEL_LINE, EDGE = 15.0, 3.0
"""Height of a line of a label on the map, and room that a label leaves at the map's edge, in pixels."""
MOST_WITH_WORDS = 6
"""Routes on a map above which labels leave out the word of their level."""
_STRIP = {BETTER: "proven", LIKELY: "likely", WORSE: "worse"}
"""Role of the strip's part by verdict; any other is not proven."""
Items = list[Shape | Mark | Word]
_Place = Callable[[pd.Timestamp, float], Point]
_Rings = Callable[[FloatArray], list[Point]]


@dataclass(frozen=True)
class Fan:
    """What a fan chart shows.

    Attributes:
        history: Counted periods: ``end_date``, ``obs_value``, ``obs_flag``.
        quantiles: One row per period ahead (its last day), one column per level.
        now: The day on which it was known.
        unit: What is counted.
        what: What the chart shows, for those who do not see it.
        months_each: Months of a period.
        back: Counted periods to show.
        limit: A number to hold it against, and what it is; None for none.
        earlier: Forecasts made before: ``origin_date``, ``target_end_date``, ``q10``, ``q50``, ``q90``; None for none.
        scenario: Quantiles under an assumption, of the months that it changes and those beside them; None for none.
        verdicts: The forecast's verdict by period, see :mod:`reports.skill`; None leaves the strip out.
        events: Documented events by ``month``, each with its number from 1; None for none.
        window: Last days of months that are marked, and what is expected of them; None for none.
    """

    history: pd.DataFrame
    quantiles: pd.DataFrame
    now: dt.date
    unit: str
    what: str
    months_each: int = 1
    back: int = 24
    limit: tuple[float, str] | None = None
    earlier: pd.DataFrame | None = None
    scenario: pd.DataFrame | None = None
    verdicts: Verdicts = None
    events: pd.DataFrame | None = None
    window: tuple[Sequence[pd.Timestamp], str] | None = None

    @property
    def counts(self) -> pd.DataFrame:
        """The counted periods shown."""
        return self.history.tail(self.back).reset_index(drop=True)


def fan(shown: Fan, width: float, language: Language) -> Drawing:
    """Draw counts, the bands of 95, 80 and 50 % and the median; the widest band is open where it leaves the axis."""
    ends = [ahead[0.9].max() for ahead in (shown.quantiles, shown.scenario) if ahead is not None and len(ahead)]
    if shown.earlier is not None and shown.quantiles.empty:
        ends.append(shown.earlier["q90"].max())
    highest = max([1.0, *shown.counts["obs_value"], *ends, *([shown.limit[0]] if shown.limit else [])])
    widest = float(shown.quantiles[interval_levels(0.95)[1]].max()) if len(shown.quantiles) else 0.0
    if widest <= FARTHEST_BAND * highest:
        highest, widest = max(highest, widest), 0.0
    items, top = legend(_fan_entries(shown, widest, language), width)
    frame = _Frame.of(width, top + LINE, 300.0 if width > NARROW else 270.0, 1.04 * highest, language, shown.unit)
    items += _fan_in(frame, shown, language) + _end(shown, frame, language)
    return Drawing(width, frame.bottom + 26, items, fan_alt(shown, language))


def small_fan(shown: Fan, width: float, height: float, language: Language) -> Drawing:
    """Draw the same without legend, unit and values at its end, for a row of charts that share these."""
    widest = interval_levels(0.95)[1]
    highest = max([1.0, *shown.counts["obs_value"], *shown.quantiles[widest]])
    frame = _Frame.small(width, height, 1.04 * highest, language, top=LINE)
    return Drawing(width, height, _fan_in(frame, shown, language), fan_alt(shown, language))


def _fan_in(frame: _Frame, shown: Fan, language: Language) -> Items:
    half = pd.Timedelta(days=15 * shown.months_each)
    ends = [*shown.counts["end_date"], *shown.quantiles.index, pd.Timestamp(shown.now) + half]
    first, last = min(ends) - half, max(ends) - half

    def at(day: pd.Timestamp, value: float) -> Point:
        share = (day - half - first) / (last - first)
        return frame.left + float(share) * (frame.right - frame.left), frame.y(value)

    items = frame.items + _periods(frame, (first, last), language, shown.months_each)
    if shown.window:
        left, right = (at(end, 0)[0] for end in (shown.window[0][0] - half, shown.window[0][-1] + half))
        items.append(Shape(_box(left, right, frame.top, frame.bottom), "window"))
    items += _earlier(shown, at) + _bands(shown, at) + _counts(shown, at, language)
    now = at(pd.Timestamp(shown.now) + half, 0)[0]
    for end in shown.quantiles.index if shown.verdicts is not None else ():
        left, right = max(now, at(end - half, 0)[0]), min(frame.right, at(end + half, 0)[0])
        if left < right:
            items.append(Shape([[(left, frame.top), (right, frame.top)]], _strip_role(shown.verdicts, end)))
    for number, month in enumerate(shown.events["month"] if shown.events is not None else (), start=1):
        x = at(pd.Period(month, "M").end_time.normalize(), 0)[0]
        items += [Mark(x, frame.top + 12, 8, "event"), Word(x, frame.top + 16, str(number), anchor="middle")]
    items.append(Shape([[(now, frame.top), (now, frame.bottom)]], "now"))
    day = language.day_short(shown.now)
    items.append(frame.word_at(now, frame.top - 5, day))
    if shown.limit:
        height = frame.y(shown.limit[0])
        items.append(Shape([[(frame.left, height), (frame.right, height)]], "limit", shown.limit[1]))
    return items


def _box(left: float, right: float, top: float, foot: float) -> list[list[Point]]:
    return [[(left, top), (right, top), (right, foot), (left, foot)]]


def _strip_role(verdicts: Verdicts, end: pd.Timestamp) -> str:
    return _STRIP.get(verdict_at(verdicts, end), "unproven")


def fan_alt(shown: Fan, language: Language) -> str:
    """The chart in words: the last count, the median and 80 % interval of the next and of the last period."""
    parts = [shown.what]
    if len(shown.counts):
        last = shown.counts.iloc[-1]
        period = language.period(last["end_date"], shown.months_each)
        text = _("Last count {value} in {month}.")
        parts.append(language.text(text, value=language.counted(last["obs_value"]), month=period))
    for end in dict.fromkeys([*shown.quantiles.index[:1], *shown.quantiles.index[-1:]]):
        parts.append(_expected(shown, shown.quantiles, end, language))
    if shown.scenario is not None and len(shown.scenario):
        ends = dict.fromkeys([*shown.scenario.index[:1], *shown.scenario.index[-1:]])
        said = [_expected(shown, shown.scenario, end, language) for end in ends]
        parts.append(language.labelled(language.text(_("Under the assumption")), " ".join(said)))
    return " ".join(parts)


def _expected(shown: Fan, quantiles: pd.DataFrame, end: pd.Timestamp, language: Language) -> str:
    low, median, high = (float(quantiles[level].loc[end]) for level in (0.1, 0.5, 0.9))
    name, is_known = language.period(end, shown.months_each), may_beat(shown.verdicts, end)
    return forecast_words(name, median, low, high, language, with_median=is_known)


def forecast_words(
    name: str | float, median: float, low: float, high: float, language: Language, *, with_median: bool = True
) -> str:
    """A median and its 80 % interval in words, of a model, a month or a year."""
    text = _("{name}: {median} expected, 80% interval {interval}.")
    text = text if with_median else _("{name}: 80% interval {interval}.")
    interval = language.interval_words(low, high)
    return language.text(text, name=name, median=language.expected(median), interval=interval)


@dataclass(frozen=True)
class _Frame:
    """The rectangle in which values are drawn on a chart of a width, in pixels, and its axis of values."""

    width: float
    left: float
    right: float
    top: float
    bottom: float
    highest: float
    items: Items

    @classmethod
    def of(cls, width: float, top: float, height: float, highest: float, language: Language, unit: str) -> _Frame:
        """A frame with an axis from zero to ``highest`` in whole numbers."""
        left, ticks = _ticks(highest, 5, language)
        frame = cls(width, left, width - 62, top + LINE + 4, top + LINE + height, highest, [Word(0, top + 4, unit)])
        frame._draw_axis(ticks)
        return frame

    @classmethod
    def small(cls, width: float, height: float, highest: float, language: Language, top: float = LINE / 3) -> _Frame:
        """The same for a small chart as high as ``height``: fewer numbers, no unit, no room at the right."""
        left, ticks = _ticks(highest, 3, language)
        frame = cls(width, left, width - 4, top, height - LINE - 4, highest, [])
        frame._draw_axis(ticks)
        return frame

    def _draw_axis(self, ticks: Mapping[float, str]) -> None:
        for tick, word in ticks.items():
            line = [(self.left, self.y(tick)), (self.right, self.y(tick))]
            self.items.append(Shape([line], "grid" if tick else "axis"))
            self.items.append(Word(self.left - 8, self.y(tick) + 4, word, anchor="end"))

    def word_at(self, x: float, y: float, text: str) -> Word:
        """A word in the middle of a place, or as near as the chart's right edge allows."""
        return Word(min(x, self.width - width_of(text) / 2), y, text, anchor="middle")

    def y(self, value: float) -> float:
        """Height of a value; what is above the axis stands at its upper end."""
        return self.bottom - min(1.0, value / self.highest) * (self.bottom - self.top)


def _ticks(highest: float, count: int, language: Language) -> tuple[float, dict[float, str]]:
    """Room that the numbers at an axis need, and the numbers by their value."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415  # see drawing: most pages draw no file

    values = MaxNLocator(count, integer=True).tick_values(0, highest)
    words = {float(one): language.counted(one) for one in values if 0 <= one <= highest}
    return 10 + max(map(width_of, words.values())), words


def _fan_entries(shown: Fan, beyond: float, language: Language) -> list[tuple[str, str]]:
    """Marks by their role with what they mean; ``beyond`` is what the 95 % band reaches above the axis, else 0."""
    words = {0.5: _("1 in 2"), 0.8: _("4 in 5"), 0.95: _("19 in 20, up to {value}") if beyond else _("19 in 20")}
    entries = [("observed", language.text(_("counted")))]
    if shown.counts["obs_flag"].str.contains("[pe]").any():
        entries.append(("open", language.text(_("provisional or estimated"))))
    if shown.earlier is not None and len(shown.earlier):
        entries.append(("earlier", language.text(_("earlier forecasts, 80%"))))
    if len(shown.quantiles):
        median = median_words(shown.verdicts, shown.quantiles.index)
        entries += [("median", language.text(median))] if median else []
        for coverage, share in zip(sorted(INTERVALS), reversed(_SHARES), strict=True):
            said = language.text(words[coverage], value=language.expected(beyond))
            entries.append(("band" + share, language.labelled(language.percent(coverage), said)))
    if shown.scenario is not None and len(shown.scenario):
        entries.append(("scenario", language.text(_("{name}: median, 80%"), name=language.text(_("scenario")))))
    if shown.limit:
        entries.append(("limit", shown.limit[1]))
    if shown.window:
        entries.append(("window", shown.window[1]))
    found = {verdict_at(shown.verdicts, end) for end in shown.quantiles.index}
    parts = [one for one in MARKS if one in found and shown.verdicts is not None]
    return entries + [(_STRIP.get(one, "unproven"), language.text(one)) for one in parts]


def legend(entries: Sequence[tuple[str, str]], width: float, wider: float = WIDER) -> tuple[Items, float]:
    """Return marks by their role with what they mean, in as many rows as they need, and where these end."""
    items: Items = []
    x, y = 0.0, 14.0
    for role, text in entries:
        need = (22 if role else 0) + wider * text_width(text, WORDS["tick"][1]) + 14
        if x and x + need > width:
            x, y = 0.0, y + LINE
        if role[-2:] in _SHARES:
            for share in _SHARES[: 1 + _SHARES.index(role[-2:])]:
                items.append(Shape(_box(x, x + 16, y - 10, y), role[:-2] + share))
        elif role == "window":
            items.append(Shape(_box(x, x + 16, y - 10, y), role))
        elif role == "open":
            items.append(Mark(x + 8, y - 4, 3.5, role))
        elif role:
            items.append(Shape([[(x, y - 4), (x + 16, y - 4)]], role))
        items.append(Word(x + (22 if role else 0), y, text))
        x += need
    return items, y + 10


def _periods(frame: _Frame, span: tuple[pd.Timestamp, pd.Timestamp], language: Language, each: int) -> Items:
    """Dates under the middles of some of the periods of ``each`` months, at even distances, a first one among them."""
    first, last = span
    months = pd.period_range(first, last, freq="M")
    room = int((frame.right - frame.left) // 64)
    step = next(step for step in (1, 2, 3, 6, 12, 24, 60, 120) if len(months) <= room * step and step >= each)
    items: Items = []
    for month in months:
        if (month.year * 12 + month.month - 1 - each // 2) % step == 0:
            share = (month.start_time + pd.Timedelta(days=14) - first) / (last - first)
            x = frame.left + float(share) * (frame.right - frame.left)
            if frame.left <= x <= frame.right:
                items.append(Shape([[(x, frame.bottom), (x, frame.bottom + 4)]], "axis"))
                dated = step >= 3 or month.month == 1
                text = language.period_short(month, each) if dated else language.month_short(month)
                items.append(frame.word_at(x, frame.bottom + 18, text))
    return items


def _bands(shown: Fan, at: _Place) -> Items:
    """From the last count on: bands and the median, and over them what a scenario changes."""
    if shown.quantiles.empty:
        return []
    last = shown.counts.tail(1)
    start = [at(last["end_date"].iloc[0], float(last["obs_value"].iloc[0]))] if len(last) else []
    lines = {
        level: [*start, *(at(end, float(shown.quantiles[level].loc[end])) for end in shown.quantiles.index)]
        for coverage in INTERVALS
        for level in interval_levels(coverage)
    }
    items: Items = []
    for coverage, share in zip(sorted(INTERVALS, reverse=True), _SHARES, strict=True):
        low, high = interval_levels(coverage)
        items.append(Shape([[*lines[low], *lines[high][::-1]]], "band" + share))
    line = pd.concat([last.set_index("end_date")["obs_value"], shown.quantiles[0.5]])
    items += [*_veil(shown, at), *_median(shown, line, shown.quantiles.index, at, "median")]
    return items + _scenario(shown, start, at)


def _scenario(shown: Fan, start: list[Point], at: _Place) -> Items:
    """Median and 80 % interval under the assumption, from the last count on where the first month changes."""
    if shown.scenario is None or shown.scenario.empty:
        return []
    start = start if shown.scenario.index[0] == shown.quantiles.index[0] else []
    low, high = ([*start, *map(at, shown.scenario.index, shown.scenario[level])] for level in interval_levels(0.8))
    median = _median(shown, shown.scenario[0.5], shown.scenario.index, at, "scenario")
    return [Shape([[*low, *high[::-1]]], "scenario80"), *median]


def _median(shown: Fan, line: pd.Series, ends: pd.Index, at: _Place, role: str) -> Items:
    """A line of medians where these may beat the baseline."""
    drawn = median_shown(line, shown.verdicts, list(ends))
    parts = drawn.dropna().groupby(drawn.isna().cumsum())
    return [Shape([list(map(at, part.index, part))], role) for _number, part in parts]


def _veil(shown: Fan, at: _Place) -> Items:
    """What pales the periods in which nothing shows that the forecast beats the baseline."""
    if shown.verdicts is None:
        return []
    half, start = pd.Timedelta(days=15 * shown.months_each), list(shown.counts["end_date"].tail(1))
    ends, points = pd.DatetimeIndex(shown.quantiles.index), []
    edges = [*start, *(ends[len(start) :] - half), ends[-1] + half]
    for place, end in enumerate(ends):
        height = 0.0 if may_beat(shown.verdicts, end) else math.inf
        points += [at(edges[place], height), at(edges[place + 1], height)]
    return [Shape([[at(edges[0], 0), *points, at(edges[-1], 0)]], "veil")]


def _earlier(shown: Fan, at: _Place) -> Items:
    """Medians and 80 % intervals of forecasts made before, over the counted periods shown."""
    if shown.earlier is None or shown.counts.empty:
        return []
    items: Items = []
    recent = shown.earlier[shown.earlier["target_end_date"] >= shown.counts["end_date"].min()]
    for _origin, rows in recent.groupby("origin_date"):
        low, middle, high = (list(map(at, rows["target_end_date"], rows[name])) for name in ("q10", "q50", "q90"))
        items += [Shape([[*low, *high[::-1]]], "earlier80"), Shape([middle], "earlier")]
    return items


def _counts(shown: Fan, at: _Place, language: Language) -> Items:
    """The counted line, broken where a period is missing; marks on what may still change, and what each period says."""
    ends, values, flags = (list(shown.counts[name]) for name in ("end_date", "obs_value", "obs_flag"))
    places = [at(end, float(value)) for end, value in zip(ends, values, strict=True)]
    is_open = [any(letter in flag for letter in "pe") for flag in flags]
    lines: list[tuple[str, list[Point]]] = []
    for place in range(1, len(ends)):
        if (ends[place] - ends[place - 1]).days < 32 * shown.months_each:
            role = "provisional" if is_open[place] or is_open[place - 1] else "observed"
            if lines and lines[-1][0] == role and lines[-1][1][-1] == places[place - 1]:
                lines[-1][1].append(places[place])
            else:
                lines.append((role, [places[place - 1], places[place]]))
    items: Items = [Shape([line], role) for role, line in lines]
    for end, value, point, open_ in zip(ends, values, places, is_open, strict=True):
        says = language.labelled(language.period(end, shown.months_each), language.counted(value))
        items.append(Mark(*point, 3.5 if open_ else 7, "open" if open_ else "point", says))
    medians = zip(shown.quantiles.index, shown.quantiles[0.5], strict=True)
    return items + [
        Mark(*at(end, float(value)), 7, "point", _expected(shown, shown.quantiles, end, language))
        for end, value in medians
    ]


def _end(shown: Fan, frame: _Frame, language: Language) -> Items:
    """The last period and its median, or else its interval, at the right edge."""
    if shown.quantiles.empty:
        return []
    end = shown.quantiles.index[-1]
    low, value, high = (float(shown.quantiles[level].iloc[-1]) for level in (0.1, 0.5, 0.9))
    period = language.period_short(end, shown.months_each)
    lines = [(language.expected(value), "value"), (period, "tick")]
    if not may_beat(shown.verdicts, end):
        share, value = (f"({language.percent(0.8)})", "tick"), (low + high) / 2
        lines = [(f"{language.expected(low)}–", "value"), (language.expected(high), "value"), share, lines[1]]
    return [Word(frame.right + 6, frame.y(value) - 3 + 14 * place, *line) for place, line in enumerate(lines)]


def year_bars(past: pd.Series, row: Row, year: str, width: float, height: float, language: Language) -> Drawing:
    """Draw past years as bars and the year ahead as its 80 and 50 % interval with the median.

    Args:
        past: Counted totals by year.
        row: ``lo_80``, ``lo_50``, ``median``, ``hi_50`` and ``hi_80`` of the year ahead.
        year: The year ahead.
        width: In pixels.
        height: In pixels.
        language: The reader's.
    """
    frame = _Frame.small(width, height, 1.04 * max([*past, float(row["hi_80"]), 1.0]), language)
    items, step = [*frame.items], (frame.right - frame.left) / (len(past) + 1)

    def bar(place: int, low: float, high: float, role: str) -> Shape:
        left, right = (frame.left + (place + share) * step for share in (0.19, 0.81))
        return Shape([[(x, frame.y(y)) for x, y in ((left, low), (left, high), (right, high), (right, low))]], role)

    for place, name in enumerate([*map(str, past.index), year]):
        items.append(Word(frame.left + (place + 0.5) * step, frame.bottom + 16, name, anchor="middle"))
    # The ground beneath each bar keeps the lines of the axis from showing through it.
    items += [bar(place, 0, value, role) for role in ("ground", "past") for place, value in enumerate(past)]
    items.append(bar(len(past), row["lo_80"], row["hi_80"], "ground"))
    for share, role in ((80, "band80"), (50, "band50")):
        items.append(bar(len(past), row[f"lo_{share}"], row[f"hi_{share}"], role))
    items.append(bar(len(past), row["median"], row["median"], "median"))
    counted = [language.labelled(str(name), language.counted(value)) for name, value in past.items()]
    ahead = f"{language.expected(row['median'])} ({language.interval(row['lo_80'], row['hi_80'])})"
    return Drawing(width, height, items, f"{language.listed([*counted, language.labelled(year, ahead)])}.")


def demand(needed: pd.DataFrame, stock: float, alt: str, width: float, height: float, language: Language) -> Drawing:
    """Draw the places needed by month at the chosen confidence, their median, and the line of the places there are.

    Args:
        needed: ``target_end_date``, ``median`` and ``places``.
        stock: Places there are.
        alt: The same in words.
        width: In pixels.
        height: In pixels.
        language: The reader's.
    """
    frame = _Frame.small(width, height, 1.08 * max(1.0, float(needed["places"].max()), stock), language)
    ends = list(needed["target_end_date"])
    items, step = [*frame.items], (frame.right - frame.left - 60) / max(1, len(ends) - 1)
    across = [frame.left + 30 + place * step for place in range(len(ends))]
    most, median = (list(zip(across, map(frame.y, needed[name]), strict=True)) for name in ("places", "median"))
    items += [Shape([[*most, *median[::-1]]], "band80"), Shape([most], "places"), Shape([median], "half")]
    items.append(Shape([[(frame.left, frame.y(stock)), (frame.right, frame.y(stock))]], "limit"))
    for place in range(0, len(ends), max(1, round(70 / step)) if step else 1):
        month = language.month_short(ends[place], year=place == 0)
        items.append(Word(across[place], frame.bottom + 16, month, anchor="middle"))
    return Drawing(width, height, items, alt)


def ranges(rows: pd.DataFrame, unit: str, what: str, width: float, language: Language) -> Drawing:
    """Draw one bar per row to its median, with a line from end to end of its 80 % interval.

    Args:
        rows: ``name``, ``expected``, ``low``, ``high``, in the order in which they are drawn.
        unit: What is counted.
        what: What the chart shows, for those who do not see it.
        width: In pixels.
        language: The reader's.
    """
    left = min(0.4 * width, 10 + max(width_of(name, "word") for name in rows["name"]))
    most = max(1.0, float(rows["high"].max()))
    values = [language.interval(row["low"], row["high"]) for row in rows.to_dict("records")]
    right = width - 12 - max(width_of(value) for value in values)
    items: Items = [Word(left, 14, unit)]
    alt = [what]
    for place, (row, value) in enumerate(zip(rows.to_dict("records"), values, strict=True)):
        y = 36 + 24.0 * place
        ends = {name: left + row[name] / most * (right - left) for name in ("low", "expected", "high")}
        said = f"{language.expected(row['expected'])} ({value})"
        items += [
            Word(left - 8, y + 4, row["name"], "word", "end"),
            Shape([[(left, y - 7), (ends["expected"], y - 7), (ends["expected"], y + 7), (left, y + 7)]], "bar",
                  language.labelled(row["name"], said)),
            Shape([[(ends["low"], y), (ends["high"], y)]], "whisker"),
            Mark(ends["expected"], y, 3.5, "dot"),
            Word(right + 8, y + 4, value),
        ]  # fmt: skip
        alt.append(language.labelled(row["name"], said))
    return Drawing(width, 36 + 24.0 * len(rows), items, f"{alt[0]} {language.listed(alt[1:])}.")


def diagonal(points: pd.DataFrame, words: tuple[str, str], alt: str, width: float, language: Language) -> Drawing:
    """Draw what was promised (across) against what came (up); on the dashed line the promise is kept.

    Args:
        points: ``promised``, ``came`` (shares) and, where known, ``lower`` and ``upper``.
        words: What stands over the axis of what came, and at that of what was promised.
        alt: The same in words.
        width: In pixels; the chart is square, on wide screens too.
        language: The reader's.
    """
    side = min(width, 340.0)
    left, right, top, bottom = 46.0, side - 22, 26.0, side - 30

    def at(across: float, up: float) -> Point:
        return left + across * (right - left), bottom - up * (bottom - top)

    items: Items = [Word(0, 12, words[0]), Word(right, side - 2, words[1], anchor="end")]
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        items.append(Shape([[at(0, share), at(1, share)]], "grid" if share else "axis"))
        items.append(Word(left - 6, at(0, share)[1] + 4, language.share(share), anchor="end"))
        items.append(Word(at(share, 0)[0], bottom + 14, language.share(share), anchor="middle"))
    items.append(Shape([[at(0, 0), at(1, 1)]], "limit"))
    for row in points.to_dict("records"):
        if "lower" in row and is_known(row["lower"]):
            items.append(Shape([[at(row["promised"], row["lower"]), at(row["promised"], row["upper"])]], "whisker"))
        said = f"{language.percent(row['promised'])} → {language.share(row['came'])}"
        items.append(Mark(*at(row["promised"], row["came"]), 5, "dot", said))
    return Drawing(side, side + 4, items, alt)


def histogram(bins: pd.DataFrame, words: tuple[str, str], alt: str, width: float, language: Language) -> Drawing:
    """Draw the share of outcomes in each of equal bins; the dashed line is the share of a calibrated forecast.

    Args:
        bins: ``bin_low`` and ``share``.
        words: What stands over the bars, and what the dashed line is.
        alt: The same in words.
        width: In pixels.
        language: The reader's.
    """
    side = min(width, 340.0)
    left, right, top, bottom = 40.0, side - 12, 44.0, 250.0
    level, most = 1 / len(bins), 1.15 * max(float(bins["share"].max()), 1 / len(bins))
    items: Items = [Word(0, 12, words[0]), Shape([[(0, 26), (16, 26)]], "limit"), Word(22, 30, words[1])]
    step = (right - left) * level
    for place, share in enumerate(bins["share"]):
        x, y = left + place * step, bottom - share / most * (bottom - top)
        says = language.share(share)
        items.append(Shape([[(x + 1, y), (x + step - 1, y), (x + step - 1, bottom), (x + 1, bottom)]], "bar", says))
    height = bottom - level / most * (bottom - top)
    items.append(Shape([[(left, height), (right, height)]], "limit"))
    for share in (0.0, level):
        y = bottom - share / most * (bottom - top)
        items.append(Word(left - 6, y + 4, language.share(share), anchor="end"))
    for across in (0.0, 0.5, 1.0):
        x = left + across * (right - left)
        items.append(Word(x, bottom + 16, language.share(across), anchor="middle" if across < 1 else "end"))
    return Drawing(side, bottom + 22, items, alt)


class Align(NamedTuple):
    """How a label stands to its place: SVG's word for it, and the share of its width that is left of the place."""

    anchor: Anchor
    share: float


ANCHORS = {"left": Align("start", 0.0), "center": Align("middle", 0.5), "right": Align("end", 1.0)}


class Box(NamedTuple):
    """A rectangle by its upper left corner, width and height."""

    x: float
    y: float
    width: float
    height: float

    def covers(self, other: Box) -> bool:
        """Whether the two share any ground."""
        apart_x = self.x >= other.x + other.width or other.x >= self.x + self.width
        return not apart_x and self.y < other.y + other.height and other.y < self.y + self.height


def spread(boxes: Sequence[Box], width: float, height: float) -> list[Box]:
    """Bring labels inside the map; move those that would cover one above them down, or up if there is no room.

    Args:
        boxes: Labels where they would stand by themselves.
        width: Of the map, in the same unit.
        height: Of the map.

    Returns:
        The labels in the same order.
    """
    placed: dict[int, Box] = {}
    for number in sorted(range(len(boxes)), key=lambda one: boxes[one].y):
        box = boxes[number]
        lowest = height - box.height - EDGE
        box = box._replace(x=min(max(box.x, EDGE), width - box.width - EDGE), y=min(max(box.y, EDGE), lowest))
        tried = (box._replace(y=box.y + step) for step in (*range(int(height)), *(-up for up in range(int(height)))))
        free = (one for one in tried if EDGE <= one.y <= lowest and not any(map(one.covers, placed.values())))
        placed[number] = next(free, box)
    return [placed[number] for number in range(len(boxes))]


def flow_map(summary: pd.DataFrame, width: float, language: Language) -> Drawing:
    """Draw an arrow per route, as wide as the arrivals expected, in the colour of its alert.

    Of routes of several regions the first route's are drawn; the table beside the map has all.

    Args:
        summary: Result of :func:`reports.numbers.route_summary`.
        width: In pixels.
        language: The reader's.
    """
    placed = summary[summary["route_id"].map(is_placed).astype(bool)]
    region = next(map(region_of, placed["route_id"]), DEFAULT_REGION)
    placed = placed[placed["route_id"].map(region_of) == region]
    (west, east), (south, north) = MAPS[region].frame
    scale = width / (east - west)

    def at(points: FloatArray) -> list[Point]:
        return [((x - west) * scale, (north - y) * scale) for x, y in points]

    height = (north - south) * scale
    items: Items = [Shape([[(0, 0), (width, 0), (width, height), (0, height)]], "sea")]
    for role, rings in zip(("land", "receiving"), _land(region), strict=True):
        items.append(Shape([at(ring) for ring in rings], role))
    per_person = km_per_person(placed["expected"], placed["high"])
    boxes, labels, alt = [], [], []
    for row in placed.to_dict("records"):
        name = route_name(row["route_id"], language)
        figure = _figure(row, language, short=len(placed) > MOST_WITH_WORDS)
        said = language.labelled(name, _figure(row, language))
        items += _arrow(row, curve(*centre_line(row["route_id"])), per_person, at, said)
        x, y = at(np.array([label_place(row["route_id"])]))[0]
        align = ANCHORS[arrow_of(row["route_id"]).align]
        lines = [*textwrap.wrap(name, NAME_LETTERS if width <= NARROW else len(name)), figure]
        wide, high = max(width_of(line, "strong") for line in lines) / WIDER, LABEL_LINE * len(lines)
        boxes.append(Box(x - align.share * wide, y + LABEL_LINE - high, wide, high))
        labels.append((align, lines))
        alt.append(said)
    for box, (align, lines) in zip(spread(boxes, width, height), labels, strict=True):
        for place, line in enumerate(lines, 1 - len(lines)):
            y, role = box.y + box.height - 4 + LABEL_LINE * place, "strong" if place else "word"
            items.append(Word(box.x + align.share * box.width, y, line, role, align.anchor, halo=True))
    text = language.text(_("Map of routes with arrivals expected. {routes}."), routes=language.listed(alt))
    return Drawing(width, height, items, text)


def _figure(row: Row, language: Language, *, short: bool = False) -> str:
    """Level and figure; on a crowded map the level's mark without its word, which the table beside it has."""
    figure = language.expected(row["expected"]) if is_known(row["expected"]) else language.text(_("no forecast"))
    if not row["level"]:
        return figure
    level = str(row["level"])
    return f"{LEVEL_MARKS[level]} {figure}" if short else f"{level_label(level, language)} · {figure}"


def _arrow(row: Row, path: FloatArray, per_person: float, at: _Rings, says: str) -> Items:
    """The pale arrow of the upper end and that of the median over it; hollow without a forecast."""
    hue = str(row["level"]) or "neutral"
    if not is_known(row["expected"]):
        return [Shape([at(tapered_arrow(path, NARROWEST_KM))], "hollow", says)]
    middle, upper = (arrow_width(float(row[name]), per_person) for name in ("expected", "high"))
    return [
        Shape([at(tapered_arrow(path, max(upper, middle)))], f"pale-{hue}", says),
        Shape([at(tapered_arrow(path, middle))], f"arrow-{hue}", says),
    ]


@lru_cache(maxsize=len(MAPS))
def _land(region: str) -> tuple[list[FloatArray], list[FloatArray]]:
    return coarse_rings(SNAPSHOT, region, margin=0, detail=DETAIL_KM, least_area=4 * DETAIL_KM**2)


def fan_picture(facts: Mapping[str, Any], language: Language) -> bytes | None:
    """Draw the fan chart of a message.

    Args:
        facts: Of the announcement: ``history``, ``fan``, ``as_of`` and what :func:`reports.alert.limit_of` reads.
        language: The reader's.

    Returns:
        A PNG, 1168 pixels wide; None where there is no count or no forecast to draw.
    """
    history, fan_ = facts.get("history") or [], facts.get("fan") or {}
    if not history or not fan_.get("months"):
        return None
    ends = [to_period(month, "M").end_time.normalize() for month in fan_["months"]]
    levels = {float(level): values for level, values in fan_["levels"].items()}
    limit = limit_of(facts)
    unit = in_unit(language.text(_("{unit} per month")), str(facts.get("route_id", "")), language)
    text = _("threshold {value}")
    shown = Fan(
        history=pd.DataFrame(
            [(to_period(month, "M").end_time.normalize(), value, "") for month, value in history],
            columns=["end_date", "obs_value", "obs_flag"],
        ),
        quantiles=pd.DataFrame(levels, index=pd.DatetimeIndex(ends)).head(MONTHS_AHEAD),
        now=dt.date.fromisoformat(facts["as_of"]),
        unit=unit,
        what=unit,
        limit=None if limit is None else (limit, language.text(text, value=language.counted(limit))),
    )
    return png_file(fan(shown, WIDE, language), shown.what, PICTURE_PIXELS)
