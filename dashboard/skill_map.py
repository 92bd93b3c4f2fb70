"""Where the forecast is worth more than the baseline, by route and month ahead, for everybody; and by situation."""

from __future__ import annotations

import html

import numpy as np
import pandas as pd
import streamlit as st

from alerts.verification import precision_cases
from core.languages import NOTHING, as_counted, is_known
from core.routes import in_order
from core.schema import ALL
from dashboard import _, downloads, lang, layout, ngettext
from dashboard.evaluation_view import ratio_words, series_of, skill_rows
from dashboard.layout import plain, small
from dashboard.reads import Night
from forecasting import ENSEMBLE
from forecasting.verification.situations import ALONE, BEGUN, CALM, HIGH, MONTH, PATH, SIZE, SURGE, TOGETHER
from forecasting.verification.verdict import BETTER, WORSE
from reports.alert import CONTEXT
from reports.names import RULES

NEAR = (1, 2, 3)
"""Months ahead for which people plan."""
AHEAD = (1, 3, 6, 12)
"""Months ahead of the table by situation."""
MARKS = {BETTER: "+", WORSE: "−"}
CLASSES = {BETTER: "better", WORSE: "worse"}


def show(night: Night) -> None:
    """Sentences and map."""
    grid = verdicts(night.frame("scores"))
    if grid.empty:
        return
    said, drawn = st.columns([1, 1.3], gap="medium")
    with said:
        st.markdown("\n".join(f"- {plain(text)}" for text in sentences(night, grid)))
        text = _(
            "+ better than the baseline; · no evidence; − worse. Relative errors at all past origins, corrected for "
            "many tests."
        )
        st.markdown(small(plain(text)))
    with drawn:
        st.html(as_html(grid))


def verdicts(scores: pd.DataFrame) -> pd.DataFrame:
    """Verdict on the ensemble: one row per route (all of them first), one column per month ahead."""
    names = [str(name).split(".")[1] for name in scores["series_id"].unique() if "." in str(name)]
    rows = {}
    for route_id in [ALL, *in_order(names)]:
        own = skill_rows(scores, series_of(route_id), "log")
        own = own[(own["model_id"] == ENSEMBLE) & own["relative_wis"].notna()]
        if len(own):
            rows[route_id] = own.set_index(own["horizon"].astype(int))["verdict"]
    return pd.DataFrame(rows).T.sort_index(axis=1) if rows else pd.DataFrame()


def sentences(night: Night, grid: pd.DataFrame) -> list[str]:
    """Is it better, do its intervals hold, did its warnings come true?"""
    near = grid.drop(index=ALL, errors="ignore").reindex(columns=list(NEAR))
    always, once = (int(found.sum()) for found in ((near == BETTER).all(axis=1), (near == BETTER).any(axis=1)))
    said = [
        ngettext(
            "One to three months ahead the forecast is better than the baseline in at least one month on {once} of "
            "{n} route, in all three on {always}.",
            "One to three months ahead the forecast is better than the baseline in at least one month on {once} of "
            "{n} routes, in all three on {always}.",
            len(near),
        ).format(once=once, always=always, n=len(near))
    ]
    scores = night.frame("scores")
    rows = scores[(scores["series_id"] == ALL) & (scores["model_id"] == ENSEMBLE) & (scores["scale"] == "log")]
    held = rows.loc[rows["horizon"].astype(int).isin(NEAR), "coverage_80"].mean()
    if is_known(held):
        text = _("Its 80% interval held {share} of what was counted one to three months later.")
        said.append(text.format(share=lang().share(held)))
    record = night.frame("track_record")
    record = record[(record["route_id"] == ALL) & (record["horizon"] == 0) & (record["level"] == "watch")]
    record = record[record["rule"].isin(set(RULES) - CONTEXT) & record["precision"].notna()]
    if len(record) and "n_alerts" in record:
        told = np.array([precision_cases(row) for row in record.to_dict("records")])
        right = float(np.nansum(told * record["precision"].to_numpy()))
        text = ngettext(
            "Of {n} warnings at past dates {right} came true, all rules together.",
            "Of {n} warnings at past dates {right} came true, all rules together.",
            as_counted(right),
        )
        said.append(text.format(n=lang().counted(np.nansum(told)), right=lang().counted(right)))
    return said


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
                ends = (row[f"relative_score{end}"] for end in ("", "_lo", "_hi"))
                count = int(row["n"])
                words = ngettext("{ratio}, {n} case", "{ratio}, {n} cases", count)
                words = words.format(ratio=ratio_words(*ends), n=count)
            line[ngettext("{n} month", "{n} months", step).format(n=step)] = words
        lines.append(line)
    return pd.DataFrame(lines)
