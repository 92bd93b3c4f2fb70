"""The year ahead on Route and Asylum: this year and the next against the last five, with their record."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pandas as pd
import streamlit as st

from core.languages import capital
from core.schema import ALL
from dashboard import _, downloads, lang, reads, state
from dashboard.charts.seasons import season_bars, season_bars_alt
from dashboard.layout import chart, plain, small
from dashboard.reads import Night
from dashboard.theme import current_theme
from reports import year_ahead
from reports.year_ahead import YearLine


def kinds_of(night: Night) -> list[str]:
    """Which twelve months a release speaks of; empty if it has no year ahead."""
    found = set(night.frame("year_ahead")["kind"])
    return [kind for kind in year_ahead.KINDS if kind in found]


def show_routes(night: Night, series_id: str) -> None:
    """All routes together and one route as bars, then every route in a table, for this year and the next."""
    kinds = kinds_of(night)
    if not kinds:
        st.markdown(small(f"{year_ahead.year_title([], lang())}."))
        return
    kind = state.choice("kind", kinds, kinds[0])
    lines = lines_of(night, kind)
    st.header(plain(year_ahead.year_title(lines, lang())), anchor=False)
    show_kinds(kinds, kind)
    show_key()
    for place, window in enumerate(dict.fromkeys(line.window for line in lines)):
        own = [line for line in lines if line.window == window]
        if place == 0:
            chosen = [line for line in own if line.row["series_id"] in {ALL, series_id}]
            reads.drawn_once(night, partial(show_charts, chosen), "year's charts", kind, window, series_id)
        reads.drawn_once(night, partial(show_window, own), "year's window", kind, window)
    together = _("All routes together are added on each path, so the routes’ medians do not add up to it.")
    show_notes(night, kind, together)


def show_countries(night: Night, geo: str) -> None:
    """First asylum applications: one country as bars, then every country in a table for each year."""
    kinds = kinds_of(night)
    lines = lines_of(night, kinds[0], asylum=True) if kinds else []
    if not lines:
        return
    st.header(_("Year ahead: first-time asylum applicants"), anchor=False)
    own = [line for line in lines if line.row["series_id"].split(".")[2] == geo]
    if own and len(own[0].past):
        reads.drawn_once(night, partial(draw_country, own), "year's charts", kinds[0], geo)
    for window in dict.fromkeys(line.window for line in lines):
        name = _("Every country, {window}: past years, what is expected, and the record").format(window=window)
        with st.expander(plain(name)):
            same = [line for line in lines if line.window == window]
            reads.drawn_once(night, partial(show_table, same), "year's countries", kinds[0], window)
            show_key()
    too_wide = _("Too wide: the 80% interval is wider than the span of the five years counted before.")
    show_notes(night, kinds[0], too_wide)


def draw_country(lines: list[YearLine]) -> None:
    """One country: counted years, the year that is partly counted, and the next, with the record of each."""
    draw_bars(lines[-1], before=lines[0] if len(lines) > 1 else None)
    st.markdown("\n".join(f"- {plain(text)}" for text in year_ahead.country_words(lines, lang())))


def lines_of(night: Night, kind: str, *, asylum: bool = False) -> list[YearLine]:
    """The lines of a kind of twelve months, in the reader's language."""
    tables = night.frame("year_ahead"), night.frame("observations")
    make = partial(year_ahead.year_lines, *tables, kind, lang(), asylum=asylum)
    return reads.once(night, make, "year's lines", kind, asylum)


def show_notes(night: Night, kind: str, more: str) -> None:
    """The files, what a total is, and what else must be known."""
    table = night.frame("year_ahead")
    table = table[table["kind"] == kind]
    downloads.buttons(downloads.export_of(night, "year-ahead", _("The year ahead"), table, list(night.sources())))
    total = _("A total is what is counted so far (solid) plus the forecast of the periods to come.")
    st.markdown(small(" ".join([total, more, _("A change of policy is not foreseen.")])))


def show_key() -> None:
    """What the columns of the tables mean."""
    text = _(
        "Chances: of more than the newest complete total. Record: the error at past dates against the baseline’s; "
        "− is better, ✓ proven after correction for all rows, ◐ likely. Totals are judged by "
        "themselves: single months may have another verdict. 80% held: the share of past totals inside their 80% "
        "interval."
    )
    st.markdown(small(text))


def show_kinds(kinds: list[str], kind: str) -> None:
    """Calendar year, or July to June."""
    if len(kinds) < 2:
        return
    st.segmented_control(
        _("Which twelve months"), kinds, format_func=lambda code: _(year_ahead.KINDS[code]), required=True,
        label_visibility="collapsed", **state.widget("kind", kind),
    )  # fmt: skip


def show_window(lines: list[YearLine]) -> None:
    """One window of the routes: its table, what is counted, and the record."""
    st.markdown(f"## {plain(lines[0].window)}", anchors=False)
    show_table(lines)
    st.markdown(small(plain(capital(" · ".join(year_ahead.coverage_words(lines, lang()))))))


def show_table(lines: list[YearLine]) -> None:
    """One window's table."""
    first = lines[0]
    title = _("Totals of twelve months: the last five years, and {window}").format(window=first.window)
    with st.container(key=f"year-table-{first.is_asylum}-{first.row['first_period']}"):
        st.table(year_ahead.year_table(lines, lang()).map(plain), border="horizontal", hide_index=True, alt=title)


def show_charts(lines: list[YearLine]) -> None:
    """Bars of each line with past years against the last five years, side by side."""
    with st.grid(2, min_column_width=280):
        for line in lines:
            if len(line.past):
                with st.container(gap=None):
                    draw_bars(line)


def draw_bars(line: YearLine, before: YearLine | None = None) -> None:
    """One route or country: past years as bars, the year ahead as an interval, beside the one before it if given."""
    windows = line.window if before is None else f"{before.window}–{line.window}"
    st.markdown(f"### {plain(line.name)}, {plain(windows)}", anchors=False)
    unit = _("First-time applicants in twelve months") if line.is_asylum else _("Arrivals in twelve months")
    past = pd.DataFrame({"year": line.past.index, "value": line.past.to_numpy()})
    year = int(str(line.row["first_period"])[:4])
    theme = current_theme()
    if line.goes_by_last or (before and before.goes_by_last):
        theme = replace(theme, fan=theme.observed, median=theme.observed)
    so_far = [(int(str(one.row["first_period"])[:4]), one.row["counted"]) for one in (before, line) if one]
    figure = season_bars(
        pd.concat([past, pd.DataFrame(so_far, columns=past.columns)]), line.quantiles,
        year=year, lines={}, unit=unit, theme=theme,
        before=before.quantiles if before else None,
    )  # fmt: skip
    alt = season_bars_alt(past, line.quantiles, year=year)
    chart(figure, f"{line.name}: {alt}", f"year-{line.row['series_id']}-{line.window}")
