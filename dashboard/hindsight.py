"""On the Overview of a past release: what was expected on each route, beside what was counted since."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from core.languages import is_known
from dashboard import downloads, layout, tables, time_travel
from dashboard.i18n import _, lang, ngettext
from dashboard.reads import Night
from reports import numbers


def show_outcomes(night: Night, rows: pd.DataFrame, knowing: Night, ends: Sequence[pd.Timestamp]) -> None:
    """One line per route.

    Args:
        night: The release.
        rows: Result of :func:`counted_since`.
        knowing: The release that knows the outcomes.
        ends: Last days of the months that were looked ahead to.
    """
    title = _("What happened next, {months}").format(months=lang().months(ends[0], ends[-1]))
    st.header(title, anchor=False)
    with st.container(key="numbers-outcomes"):
        st.table(outcomes_in_words(rows, len(ends)), border="horizontal", hide_index=True, alt=title)
    if knowing.run_id != night.run_id:
        text = _("Outcomes as known in the release of {day}.")
        st.markdown(layout.small(text.format(day=lang().day(knowing.as_of))))
    downloads.buttons(downloads.export_of(night, "next", title, rows))


def counted_since(night: Night, route_ids: Sequence[str], ends: Sequence[pd.Timestamp]) -> tuple[pd.DataFrame, Night]:
    """What was expected on each route over some months, and what was counted.

    Returns:
        ``route_id, months`` (counted so far), ``expected, low, high, counted`` (empty until all months are),
        ``inside``; and the release that knows the outcomes.
    """
    rows: list[dict[str, object]] = []
    knowing = night
    for route_id in route_ids:
        series_id = numbers.route_series(route_id)
        later, source = time_travel.came_later(night, series_id, ends[0] - pd.offsets.MonthEnd(1))
        counted = later[later["end_date"].isin(ends)]["obs_value"]
        if len(counted):
            knowing = source
        expected = time_travel.sum_quantiles(night.frame("trajectories"), series_id, ends)
        whole = len(counted) == len(ends) and len(expected) > 0
        rows.append(
            {
                "route_id": route_id,
                "months": len(counted),
                "expected": expected.get(0.5, np.nan),
                "low": expected.get(0.1, np.nan),
                "high": expected.get(0.9, np.nan),
                "counted": float(counted.sum()) if whole else np.nan,
                "inside": time_travel.narrowest(expected, float(counted.sum())) if whole else np.nan,
            }
        )
    columns = ["route_id", "months", "expected", "low", "high", "counted", "inside"]
    return pd.DataFrame(rows, columns=columns), knowing


def outcomes_in_words(rows: pd.DataFrame, months: int) -> pd.DataFrame:
    """The table on screen.

    Args:
        rows: Result of :func:`counted_since`.
        months: Months in the sum.
    """
    return pd.DataFrame(
        {
            _("Route"): [layout.route_name(route_id) for route_id in rows["route_id"]],
            _("Expected"): [lang().expected(value) for value in rows["expected"]],
            tables.no_break(_("80% interval")): [
                lang().interval(low, high) for low, high in zip(rows["low"], rows["high"], strict=True)
            ],
            _("Counted"): [lang().counted(value) for value in rows["counted"]],
            _("Position in interval"): [
                time_travel.held_words(row["inside"])
                if is_known(row["inside"])
                else ngettext("{n} of {months} months counted", "{n} of {months} months counted", row["months"]).format(
                    n=row["months"], months=months
                )
                for row in rows.to_dict("records")
            ],
        }
    )
