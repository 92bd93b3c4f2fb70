"""Frames as the tables people read: words, dates and numbers in the reader's format, and sparklines."""

from __future__ import annotations

import base64
import datetime as dt
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from babel.numbers import format_decimal

from core import interval_levels
from core.calendar import PLANNING_MONTHS
from core.languages import NOTHING, capital, is_known, round_expected, typeset
from core.routes import is_route
from dashboard import _, lang, language, named, state
from dashboard.layout import plain, route_name, source_name
from dashboard.pages import page_titles
from dashboard.reads import Night
from dashboard.theme import BADGE_COLOURS, Theme, level_label
from reports import Row
from reports.changes import Move
from reports.files import flag_words
from reports.names import MODELS, routes_together
from reports.numbers import Expected, years_with
from reports.overview import Together
from reports.skill import hits_words, record_mark

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

# Where matplotlib is found, pandas loads it with its Styler: half a second and 30 MB for pictures that no page shows.
_NOT_FOUND: Any = None
if sys.modules.setdefault("matplotlib", _NOT_FOUND) is None:
    import_module("pandas.io.formats.style")
    del sys.modules["matplotlib"]

NO_BREAK = "\u00a0"
LINE_WIDTH, LINE_HEIGHT, PADDING = 150, 36, 3
PERIODS_AHEAD = 6
Point = tuple[float, float]


def no_break(text: str) -> str:
    """A text that stays on one line."""
    return text.replace(" ", NO_BREAK)


def route_table(
    summary: pd.DataFrame,
    before: Sequence[float | None],
    trends: dict[str, str],
    links: dict[str, str],
    total: Together,
    moved: Mapping[str, Move],
) -> Styler:
    """The overview's table of routes; the last row has those together that count persons once.

    Args:
        summary: Result of ``numbers.route_summary``, and ``filled_in``: which share of the last count is estimated.
        before: What was counted in the same months a year earlier, route by route; None where a month is missing.
        trends: route_id -> sparkline as an image address.
        links: route_id -> address of the route's page.
        total: Several routes together; of one or none it has no row.
        moved: How the forecast moved since the release before, by route_id; of several together under an empty text.

    Returns:
        Columns route, expected with its interval, its change since the release before and on the year before, record,
        trend, last month.
    """
    growths = [_share(*pair) for pair in zip(summary["expected"], before, strict=True)]
    since = [_("change since {day}").format(day=lang().day_short(move.then)) for move in moved.values()][:1]
    trend = _("Two years of arrivals and six months of forecast, {route}")
    columns = {
        _("Route"): [_route_cell(row, links[row["route_id"]]) for row in summary.to_dict("records")],
        _("Expected, 80% interval"): [_expected_cell(row) for row in summary.to_dict("records")],
        **{title: [_since_cell(moved.get(route_id)) for route_id in summary["route_id"]] for title in since},
        _("vs a year earlier"): growths,
        _("Track record"): [no_break(record_mark(one, lang())) for one in summary["record"]],
        _("Two years, then six months ahead"): [
            f"![{no_break(trend.format(route=route_name(one)))}]({trends[one]})" if one in trends else ""
            for one in summary["route_id"].astype(str)
        ],
        _last_title(summary): [_last_cell(row) for row in summary.to_dict("records")],
    }
    frame = pd.DataFrame(columns)
    if total.number > 1:
        name, expected = f"**{routes_together(total.number, lang())}**", lang().expected(total.median)
        growth, changes = _share(total.median, total.year_before), [_since_cell(moved.get("")) for _title in since]
        expected = _over(expected, lang().interval(total.low, total.high))
        cells = [name, expected, *changes, growth, no_break(record_mark(total.record, lang())), "", ""]
        frame = pd.concat([frame, pd.DataFrame([cells], columns=frame.columns)], ignore_index=True)
    return frame.style.format({_("vs a year earlier"): _growth})


def _share(median: float, year: float | None) -> float:
    """By which share a median is above the count of the year before; NaN without one."""
    return median / year - 1 if year else math.nan


def _growth(share: Any) -> str:  # noqa: ANN401  # the Styler hands over whatever a cell holds
    return lang().change(1 + share, 1.0) if is_known(share) else NOTHING


def _route_cell(row: Row, link: str) -> str:
    cell = f"[{route_name(str(row['route_id']))}]({link})"
    if level := str(row["level"]):
        return f"{cell}  \n:{BADGE_COLOURS[level]}[{level_label(level)} {row['direction']}]"
    return cell


def _since_cell(move: Move | None) -> str:
    """By how much a median moved; below it whether the new one lies outside the former 80 % interval."""
    if move is None:
        return NOTHING
    side = {1: _("above the former 80%"), -1: _("below the former 80%")}.get(move.before.side(move.now.median), "")
    return _over(lang().signed(move.written), no_break(side))


def _last_title(summary: pd.DataFrame) -> str:
    """The month of the newest counts, and the day on which they were forecast; without both where months differ."""
    newest = summary["last_period"].unique()
    if len(newest) != 1 or not newest[0]:
        return _("Last month (expected a month before)")
    day = lang().day_short((pd.Period(newest[0], "M") - 1).end_time)
    return _("{month} (expected on {day})").format(month=capital(lang().month(newest[0])), day=day)


def _last_cell(row: Row) -> str:
    """The newest count and what was expected of it; below them whether that is far off, and whether it may change."""
    expected = f" ({lang().expected(row['expected_before'])})" if is_known(row["expected_before"]) else ""
    before = Expected(row["expected_before"], row["before_low"], row["before_high"])
    side = {1: _("above forecast"), -1: _("below forecast")}.get(before.side(row["last_value"]), "")
    said = [no_break(side), flag_words(row["last_flag"], lang())]
    if row["filled_in"]:
        said[1] = plain(_("{share} of it estimated").format(share=lang().percent(row["filled_in"], brief=True)))
    return _over(f"{lang().counted(row['last_value'])}{expected}", ", ".join(filter(None, said)))


def lines(cell: str, link: str = "") -> str:
    """A plain cell of one line or two: the first one may lead somewhere, the second one is small."""
    first, _end, second = map(plain, cell.partition("\n"))
    return _over(f"[{first}]({link})" if link else first, second)


def _over(cell: str, small: str) -> str:
    return f"{cell}  \n:small[:gray[{small}]]" if small else cell


def _expected_cell(row: Row) -> str:
    if row["state"] != "ok":
        return ":gray[" + no_break(_("no forecast")) + "]"
    return _over(lang().expected(row["expected"]), lang().interval(row["low"], row["high"]))


def chance_table(
    chances: pd.DataFrame,
    history: pd.DataFrame,
    threshold: float,
    rule: str,
    together: tuple[Sequence[pd.Timestamp], float] | None,
) -> pd.DataFrame:
    """Months, chances, words, and in how many past years it came, of an event on one route.

    Args:
        chances: Result of ``numbers.chances``; a month after those planned for is the highest of the later ones.
        history: Counted months: ``end_date``, ``obs_value``.
        threshold: Persons a month.
        rule: See ``numbers.chances``.
        together: Last days of several months, and the chance of the event in at least one of them.
    """
    rows = [([row["target_end_date"]], row["probability"]) for row in chances.to_dict("records")]
    lines = []
    later = [ends for ends, _chance in rows[PLANNING_MONTHS:]]
    for ends, chance in [*([together] if together else []), *rows]:
        name = no_break(lang().month(ends[0]))
        name = _("{month}, highest later").format(month=name) if ends in later else name
        if together and ends is together[0]:
            name = _("Any of {months}").format(months=no_break(lang().months_short(ends[0], ends[-1])))
        past = hits_words(*years_with(history, ends, threshold, rule), lang())
        lines.append((name, plain(lang().percent(chance, brief=True)), capital(lang().chance_word(chance)), past))
    return pd.DataFrame(lines, columns=[_("Month"), _("Chance"), _("In words"), _("In past years")])


def forecast_table(
    history: pd.DataFrame, quantiles: pd.DataFrame, chances: pd.DataFrame | None, known_on: dt.date
) -> pd.DataFrame:
    """The figures behind the fan chart: counted months, then expected ones with their intervals.

    Args:
        history: ``end_date``, ``obs_value``, ``obs_flag`` and, of a route, ``estimated_share``.
        quantiles: Result of ``numbers.quantiles_of``.
        chances: Result of ``numbers.chances`` for the reader's number, for the last column; None leaves it out.
        known_on: The date of knowledge: months up to its own that are not counted yet are nowcasts.

    Returns:
        One row per month, machine-readable: ``month, kind, observed, flag[, estimated_share], median, q025 …
        q975[, event_chance]``; ``kind`` is observed, nowcast or forecast.
    """
    flags = {"p": "provisional", "e": "estimated", "b": "break in series"}
    counted = pd.DataFrame(
        {
            "month": history["end_date"].dt.strftime("%Y-%m"),
            "kind": "observed",
            "observed": history["obs_value"],
            "flag": [", ".join(flags[letter] for letter in code) for code in history["obs_flag"]],
        }
    )
    if "estimated_share" in history and history["estimated_share"].notna().any():
        counted["estimated_share"] = history["estimated_share"].to_numpy()
    levels = {0.5: "median", 0.025: "q025", 0.1: "q10", 0.25: "q25", 0.75: "q75", 0.9: "q90", 0.975: "q975"}
    kept = [level for level in levels if level in quantiles.columns]
    expected = quantiles[kept].rename(columns=levels)
    expected.insert(0, "month", pd.DatetimeIndex(quantiles.index).strftime("%Y-%m"))
    present = pd.Timestamp(known_on).to_period("M").end_time
    expected.insert(1, "kind", np.where(pd.DatetimeIndex(quantiles.index) <= present, "nowcast", "forecast"))
    if chances is not None:
        expected["event_chance"] = chances["probability"].to_numpy()
    return pd.concat([counted, expected.reset_index(drop=True)], ignore_index=True)


def with_words(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns of :func:`forecast_table` under names in the reader's language, whole persons."""
    names = {
        "month": _("Month"),
        "kind": _("Kind"),
        "observed": _("Counted"),
        "flag": _("Note"),
        "estimated_share": _("Share estimated"),
        "median": _("Expected"),
        "q025": _("95% from"),
        "q10": _("80% from"),
        "q25": _("50% from"),
        "q75": _("50% to"),
        "q90": _("80% to"),
        "q975": _("95% to"),
        "event_chance": _("Chance of the event"),
    }
    words = {
        "observed": _("counted"),
        "nowcast": _("nowcast"),
        "forecast": _("expected"),
        "provisional": _("provisional"),
        "estimated": _("estimated"),
        "break in series": _("break in series"),
    }
    shown = frame.copy()
    for column in ("kind", "flag"):
        shown[column] = [
            ", ".join(words.get(word, "") for word in text.split(", ")) for text in shown[column].fillna("")
        ]
    for column in [name for name in shown.columns if name == "median" or name.startswith("q")]:
        shown[column] = shown[column].map(round_expected, na_action="ignore")
    for column in {"event_chance", "estimated_share"} & {*shown.columns}:
        shown[column] = [lang().percent(value) if is_known(value) else "" for value in shown[column]]
    return shown.rename(columns=names)


SMALL = 10.0
"""Below it a column of fractions is one of shares or scores."""
PLAIN = frozenset({"year"})
"""Columns whose numbers are names: 2024 is no count."""


def localised(frame: pd.DataFrame) -> Styler:
    """The frame with every number and date in the reader's format.

    Args:
        frame: Any table; its texts are shown as they are, and a missing value as an empty cell.
    """
    writers = {name: partial(_cell, pattern=_pattern(column)) for name, column in frame.items() if name not in PLAIN}
    return frame.reset_index(drop=True).style.format(
        {**dict.fromkeys(PLAIN & {*frame.columns}, str), **writers}, na_rep=""
    )


def _pattern(column: pd.Series) -> str:
    """Shares and scores with as many decimals in every row; larger numbers with one at most."""
    small = pd.api.types.is_float_dtype(column) and column.abs().max() < SMALL and (column.dropna() % 1 != 0).any()
    return "0.000" if small else "#,##0.#"


def _cell(value: Any, pattern: str) -> str:  # noqa: ANN401  # the Styler hands over whatever a cell holds
    if isinstance(value, dt.date):
        return lang().day_short(value)
    if isinstance(value, bool | str) or not isinstance(value, Real) or math.isinf(value):
        return str(value)
    return typeset(format_decimal(float(value), format=pattern, locale=language()))


def nearest_table(rows: pd.DataFrame, theme: Theme) -> pd.DataFrame:
    """Events nearest to an alert: chance now, usual chance and cut-off, and chance and cut-off on one scale.

    A line in bold stands before those of untested rules.

    Args:
        rows: Result of ``alert_list.nearest``.
        theme: Colours.
    """
    lines, head = [], _("Untested rules")
    top = math.ceil(10 * min(1.0, 1.1 * float(rows[["probability", "base_rate", "cutoff"]].max().max()))) / 10
    for place, row in enumerate(rows.to_dict("records")):
        if place == rows["untested"].searchsorted(value=True):
            lines.append((f"**{head}**", "", "", "", ""))
        chance, cutoff = lang().percent(row["probability"], brief=True), lang().percent(row["cutoff"])
        bar = f"![{no_break(chance)}]({_chance_bar(row, top, theme)})"
        route = f"[{plain(row['name'])}]({state.link('route', route=row['route_id'])})"
        name = f"**{route}** :small[:gray[{plain(row['event'])}]]"
        lines.append((name, f"**{plain(chance)}**", lang().share(row["base_rate"]), cutoff, bar))
    text = _("Bar, 0 to {top}: chance now; thin line: usual; thick line: alert")
    scale = text.format(top=lang().percent(top))
    return pd.DataFrame(
        lines,
        columns=[
            _("Event, the nearest to its alert first"),
            _("Chance now"),
            _("Usual chance"),
            _("Alert from"),
            scale,
        ],
    )


def _chance_bar(row: Row, top: float, theme: Theme) -> str:
    """A chance as a bar on a scale to ``top``, a tick at what is usual and a line at the cut-off: an image address."""
    width, height = 2 * LINE_WIDTH, LINE_HEIGHT // 2
    chance, usual, cutoff = (width * float(row[name]) / top for name in ("probability", "base_rate", "cutoff"))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">',
        f'<rect width="{width}" height="10" y="4" fill="{theme.grid}"/>',
        f'<rect width="{chance:.0f}" height="10" y="4" fill="{theme.fan}"/>',
        f'<rect width="1" height="10" y="4" x="{usual:.0f}" fill="{theme.ink}"/>' if is_known(usual) else "",
        f'<rect width="3" height="{height}" x="{cutoff - 1:.0f}" fill="{theme.ink}"/></svg>',
    ]
    return _svg_address(parts)


def _svg_address(parts: list[str]) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode("".join(parts).encode()).decode("ascii")


def in_names(register: str, night: Night) -> str:
    """The register's table without the column of ids, with names of what is affected in place of codes."""
    pages = page_titles()

    def name(code: str) -> str:
        if code in pages:
            return _(pages[code])
        if is_route(code):
            return route_name(code)
        return named(MODELS, code) if code in MODELS else source_name(night, code)

    lines = [line.strip("|").split("|")[1:] for line in register.splitlines() if line.startswith("|")]
    for cells in lines[2:]:
        cells[1] = f" {', '.join(plain(name(code.strip())) for code in cells[1].split(','))} "
    return "\n".join(f"|{'|'.join(cells)}|" for cells in lines)


def sparkline(
    history: pd.DataFrame,
    quantiles: pd.DataFrame,
    *,
    theme: Theme,
    months_back: int = 24,
    months_each: int = 1,
    top: float | None = None,
    is_last: bool = False,
) -> str:
    """Draw counts, then the forecast with its 80 % band, as an SVG data address for a markdown image in a cell.

    Args:
        history: Columns ``end_date``, ``obs_value``; months that are missing leave a gap.
        quantiles: Index ``target_end_date``, one column per quantile level (at least .1, .5 and .9); may be empty.
        theme: Colours.
        months_back: Observed months to show.
        months_each: Months that one figure covers; between them the line is straight.
        top: Upper end of the scale, where several pictures share one.
        is_last: Whether the forecast is the last count repeated.

    Returns:
        ``data:image/svg+xml;base64,…``; an empty picture where nothing is known.
    """
    counts = _monthly(history)
    counts = (counts.interpolate() if months_each > 1 else counts).tail(months_back)
    ahead = quantiles.sort_index().head(PERIODS_AHEAD)
    first = min([*counts.index[:1], *_months(ahead.index)[:1]], default=pd.Period("2000-01", "M"))
    last = max([*counts.index[-1:], *_months(ahead.index)[-1:]], default=first)
    low, high = interval_levels(0.8)
    bands = [ahead[level].max() for level in (low, 0.5, high)] if len(ahead) else []
    highest = float(pd.Series([counts.max(), *bands], dtype=float).max()) if top is None else top
    at = _placer(first, max(1, (last - first).n), highest if highest > 0 else 1.0)

    anchor = [at(*point) for point in _pairs(counts.dropna().tail(1))]
    months, known = _months(ahead.index), (low, 0.5, high) if len(ahead) else ()
    lines = {level: anchor + [at(*point) for point in zip(months, ahead[level], strict=True)] for level in known}
    size = f'width="{LINE_WIDTH}" height="{LINE_HEIGHT}" viewBox="0 0 {LINE_WIDTH} {LINE_HEIGHT}"'
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" {size}>']
    if len(ahead):
        outline, hue = _svg_path(lines[high] + lines[low][::-1]), theme.observed if is_last else theme.fan
        parts.append(f'<path d="{outline}Z" fill="{hue}" fill-opacity="0.34"/>')
        parts.append(_svg_line(lines[0.5], hue, 1.6))
    parts += [_svg_line(run, theme.observed, 1.4) for run in _unbroken(counts, at)]
    parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.2" fill="{theme.observed}"/>' for x, y in anchor]
    return _svg_address([*parts, "</svg>"])


def _months(dates: pd.Index) -> pd.PeriodIndex:
    return pd.DatetimeIndex(dates).to_period("M")


def _monthly(history: pd.DataFrame) -> pd.Series:
    """Counts by month without holes in the index."""
    months = _months(pd.DatetimeIndex(history["end_date"]))
    counts = pd.Series(history["obs_value"].to_numpy(dtype=float), index=months).sort_index()
    return counts if counts.empty else counts.reindex(pd.period_range(counts.index[0], counts.index[-1], freq="M"))


def _placer(first: pd.Period, span: int, top: float) -> Callable[[pd.Period, float], Point]:
    def at(month: pd.Period, value: float) -> Point:
        across = (LINE_WIDTH - 2 * PADDING) * (month - first).n / span
        return PADDING + across, LINE_HEIGHT - PADDING - (LINE_HEIGHT - 2 * PADDING) * value / top

    return at


def _unbroken(counts: pd.Series, at: Callable[[pd.Period, float], Point]) -> list[list[Point]]:
    """Unbroken stretches of the history."""
    stretch = counts.isna().cumsum()[counts.notna()]
    known = counts.dropna()
    runs = [known[stretch == number] for number in stretch.unique()]
    return [[at(*point) for point in _pairs(run)] for run in runs if len(run) > 1]


def _pairs(counts: pd.Series) -> list[tuple[pd.Period, float]]:
    return list(zip(pd.PeriodIndex(counts.index), counts.astype(float), strict=True))


def _svg_path(points: list[Point]) -> str:
    return "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _svg_line(points: list[Point], colour: str, width: float) -> str:
    return (
        f'<path d="{_svg_path(points)}" fill="none" stroke="{colour}" stroke-width="{width}" '
        'stroke-linejoin="round" stroke-linecap="round"/>'
    )
