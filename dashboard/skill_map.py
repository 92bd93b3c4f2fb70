"""The top of the evaluation, for everybody: three sentences, and where the forecast is worth more than the baseline."""

from __future__ import annotations

import html

import numpy as np
import pandas as pd
import streamlit as st

from alerts.verification.record import told_alerts
from core.languages import as_counted, is_known
from core.routes import in_order
from core.schema import ALL
from dashboard import layout
from dashboard.evaluation_view import series_of, skill_rows
from dashboard.i18n import _, lang, ngettext
from dashboard.layout import plain, small
from dashboard.reads import Night
from forecasting.model import ENSEMBLE
from forecasting.verification.verdict import BETTER, WORSE
from reports.alert import CONTEXT
from reports.names import RULES

NEAR = (1, 2, 3)
"""Months ahead for which people plan."""
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
        told = np.array([told_alerts(row) for row in record.to_dict("records")])
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
