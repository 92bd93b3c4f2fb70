"""Year ahead: this year and the next by route and country, against the last five, with what such totals are worth."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from core.languages import capital
from dashboard import _, downloads, lang, layout, reads, state
from dashboard.charts.seasons import season_bars, season_bars_alt
from dashboard.layout import plain, small
from dashboard.reads import Night
from dashboard.theme import current_theme
from reports import year_ahead
from reports.year_ahead import YearLine

TITLE, PLACE = _("Year ahead"), 3

MOST_CHARTS = 6


def show(night: Night) -> None:
    """The page."""
    table = night.frame("year_ahead")
    kinds = [kind for kind in year_ahead.KINDS if kind in set(table["kind"])]
    if not kinds:
        layout.stop_with(_("This release tells nothing of the year ahead."))
    kind = state.choice("kind", kinds, kinds[0])
    make = partial(year_ahead.year_lines, table, night.frame("observations"), kind, lang())
    lines: list[YearLine] = reads.once(night, make, "year's lines", kind)
    st.title(year_ahead.year_title(lines, lang()), anchor=False)
    show_kinds(kinds, kind)
    windows = list(dict.fromkeys(line.window for line in lines))
    for place, window in enumerate(windows):
        own = [line for line in lines if line.window == window]
        reads.drawn_once(night, partial(show_window, own), "year's window", kind, window)
        if place == 0:
            layout.let_draw()
            reads.drawn_once(night, partial(show_charts, own), "year's charts", kind, window)
    make = partial(year_ahead.year_lines, table, night.frame("observations"), kind, lang(), asylum=True)
    if countries := reads.once(night, make, "year's countries", kind):
        st.header(_("First asylum applications by country of destination"), anchor=False)
        for place, window in enumerate(reversed(dict.fromkeys(line.window for line in countries))):
            own = [line for line in countries if line.window == window]
            with st.expander(plain(window), expanded=place == 0):
                reads.drawn_once(night, partial(show_table, own), "year's countries", kind, window)
    made = downloads.export_of(
        night, "year-ahead", _("The year ahead"), table[table["kind"] == kind], list(night.sources())
    )
    downloads.buttons(made)
    text = _(
        "A total is what is counted so far plus the sum of the months to come, path by path. All routes together are "
        "added on each path, so the routes’ medians do not add up to it. A change of policy is not foreseen."
    )
    st.markdown(small(text))
    text = _(
        "Chances: of more than the newest complete total. Record: the error at past dates over the baseline’s; below "
        "1 is better, and ✓ marks what is better than the baseline after correction for all rows. 80% held: the share "
        "of past totals inside their 80% interval."
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
    st.markdown(small(plain(capital(" · ".join(year_ahead.window_words(lines, lang()))))))


def show_table(lines: list[YearLine]) -> None:
    """One window's table."""
    first = lines[0]
    title = _("Totals of twelve months: the last five years, and {window}").format(window=first.window)
    with st.container(key=f"year-table-{first.is_asylum}-{first.row['first_period']}"):
        st.table(year_ahead.year_table(lines, lang()).map(plain), border="horizontal", hide_index=True, alt=title)


def show_charts(lines: list[YearLine]) -> None:
    """Bars of one window against the last five years."""
    drawn = [line for line in lines if len(line.past)]
    with st.grid(3, min_column_width=280):
        for line in drawn[:MOST_CHARTS]:
            with st.container(gap=None):
                draw_bars(line)


def draw_bars(line: YearLine) -> None:
    """One route: the last five years as bars, the year ahead as an interval."""
    st.markdown(f"### {plain(line.name)}", anchors=False)
    past = pd.DataFrame({"year": line.past.index, "value": line.past.to_numpy()})
    year = int(str(line.row["first_period"])[:4])
    figure = season_bars(
        past, line.quantiles, year=year, threshold=None, unit=_("Arrivals in twelve months"), theme=current_theme(),
    )  # fmt: skip
    alt = season_bars_alt(past, line.quantiles, year=year)
    layout.chart(figure, f"{line.name}: {alt}", f"year-{line.row['series_id']}-{line.window}")


show(layout.open_page())
