"""Where the forecast is worth more than the baseline, by route and month ahead, for everybody; and by situation."""

from __future__ import annotations

import html

import pandas as pd
import streamlit as st

from core.languages import NOTHING
from core.schema import ALL
from dashboard import _, downloads, lang, layout, ngettext
from dashboard.layout import plain, small
from dashboard.reads import Night
from forecasting.verification.situations import ALONE, BEGUN, CALM, HIGH, MONTH, PATH, SIZE, SURGE, TOGETHER
from forecasting.verification.verdict import BETTER, WORSE
from reports import record

AHEAD = (1, 3, 6, 12)
"""Months ahead of the table by situation."""
MARKS = {BETTER: "+", WORSE: "−"}
CLASSES = {BETTER: "better", WORSE: "worse"}


def show(night: Night) -> None:
    """Sentences and map."""
    grid = record.verdicts(night.frame("scores"))
    if grid.empty:
        return
    said, drawn = st.columns([1, 1.3], gap="medium")
    with said:
        st.markdown("\n".join(f"- {plain(text)}" for text in record.sentences(night, grid, lang())))
        text = _(
            "+ better than the baseline; · no evidence; − worse. Relative errors at all past origins, corrected for "
            "many tests."
        )
        st.markdown(small(plain(text)))
    with drawn:
        st.html(as_html(grid))


def as_html(grid: pd.DataFrame) -> str:
    """The map as a table: a sign, a colour and a hidden word in every cell."""
    words = {BETTER: _("better"), WORSE: _("worse")}
    corner, none = _("Months ahead"), _("no evidence")
    heads = "".join(f'<th scope="col">{step}</th>' for step in grid.columns)
    lines = []
    for route_id, row in grid.iterrows():
        name = _("All routes") if route_id == ALL else layout.route_name(str(route_id))
        cells = "".join(
            f'<td class="vigie-{CLASSES.get(verdict, "none")}">{MARKS.get(verdict, "·")}'
            f'<span class="vigie-hidden">{html.escape(words.get(verdict, none))}</span></td>'
            if isinstance(verdict, str)
            else "<td></td>"
            for verdict in row
        )
        lines.append(f'<tr><th scope="row">{html.escape(name)}</th>{cells}</tr>')
    return (
        f'<table class="vigie-map"><thead><tr><th scope="col">{html.escape(corner)}</th>{heads}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table>"
    )


def show_situations(night: Night, scale: str) -> None:
    """One row per situation, and what each means."""
    st.header(_("How good is it where it matters?"), anchor=False)
    rows = night.frame("situation_scores")
    if rows.empty:
        st.markdown(small(_("No scores by situation in this release.")))
        return
    title = _("Scores by situation, over the baseline’s")
    st.table(situation_table(rows[rows["scale"] == scale]), border="horizontal", hide_index=True, alt=title)
    st.markdown("\n".join(f"- {text}" for text in situation_meanings()))
    downloads.buttons(downloads.export_of(night, "situation-scores", title, rows))


def situation_meanings() -> list[str]:
    """How to read each kind of row, in one sentence."""
    return [
        _("Size: how good the forecast is for routes with few and with many people a month in the year before."),
        _(
            "Surge: months with at least 1.5 times the mean of the year before. Who always warns does well here, so "
            "read the next row too."
        ),
        _("High figures: only errors above the level that nine in ten earlier months stayed under, in any month."),
        _(
            "Whole paths: whether twelve months in a row, as totals and scenarios use them, come nearer to what "
            "happened than the baseline’s."
        ),
    ]


def situation_names() -> dict[tuple[str, str], str]:
    """Names of kinds and groups, in their order."""
    return {
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


def situation_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Ratios to the baseline by months ahead, with their intervals and cases; rows of one scale are given."""
    by_place = {(str(row["kind"]), str(row["group"]), int(row["horizon"])): row for row in rows.to_dict("records")}
    present = {(kind, group) for kind, group, _horizon in by_place}
    named = situation_names() | {
        place: _("Forecasts made in {year}").format(year=place[1]) for place in sorted(present) if place[0] == BEGUN
    }
    lines = []
    for (kind, group), name in named.items():
        if (kind, group) not in present:
            continue
        line = {_("Situation"): name}
        for step in AHEAD:
            row = by_place.get((kind, group, step))
            words = NOTHING
            if row is not None:
                value, low, high = (row[f"relative_score{end}"] for end in ("", "_lo", "_hi"))
                count = int(row["n"])
                words = ngettext("{ratio}, {n} case", "{ratio}, {n} cases", count)
                words = words.format(ratio=record.ratio_words(value, low, high, lang()), n=count)
            line[ngettext("{n} month", "{n} months", step).format(n=step)] = words
        lines.append(line)
    return pd.DataFrame(lines)
