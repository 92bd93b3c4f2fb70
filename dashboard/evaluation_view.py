"""What the evaluation page shows: skill, calibration, errors by group, and whether drivers help."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from core.languages import NOTHING, is_known
from core.schema import ALL
from dashboard import _, downloads, labelled, lang, layout, named, ngettext, reads, state
from dashboard.layout import country, small
from dashboard.reads import Night
from dashboard.tables import localised
from forecasting import BASELINE, ENSEMBLE
from forecasting.verification import FEW, NARROW
from forecasting.verification.verdict import BETTER, WORSE, with_verdicts
from reports.names import MODELS, REGIONS
from store.status import issued_skill


def skill_rows(scores: pd.DataFrame, series_id: str, scale: str) -> pd.DataFrame:
    """Scores of one series and scale, the ensemble first and the baseline second.

    Returns:
        The columns of ``SCORES`` plus ``name``, ``lower`` and ``upper`` (empty where no interval is known), and
        ``verdict``.
    """
    rows = with_verdicts(scores[(scores["series_id"] == series_id) & (scores["scale"] == scale)])
    rows["name"] = rows["model_id"].map(partial(named, MODELS))
    rows = rows.assign(lower=rows["relative_wis_lo"], upper=rows["relative_wis_hi"])
    order = rows["model_id"].map({ENSEMBLE: 0, BASELINE: 1}).fillna(2)
    return rows.assign(_order=order).sort_values(["_order", "name", "horizon"]).drop(columns="_order")


def verdict_words(model_id: str, relative_wis: float, verdict: str) -> str:
    """What a ratio to the baseline is evidence of."""
    if model_id == BASELINE:
        return _("the baseline")
    if not is_known(relative_wis):
        return _("not scored")
    return {BETTER: _("better"), WORSE: _("worse")}.get(verdict, _("no evidence"))


def skill_table(rows: pd.DataFrame) -> pd.DataFrame:
    """The sortable table: numbers stay numbers."""
    verdicts = [verdict_words(row["model_id"], row["relative_wis"], row["verdict"]) for row in rows.to_dict("records")]
    return pd.DataFrame(
        {
            _("Model"): rows["name"].to_numpy(),
            _("Months ahead"): rows["horizon"].to_numpy(),
            _("Relative WIS"): rows["relative_wis"].round(3).to_numpy(),
            _("from"): rows["lower"].round(3).to_numpy(),
            _("to"): rows["upper"].round(3).to_numpy(),
            _("Evidence"): verdicts,
            _("50% interval coverage"): rows["coverage_50"].round(3).to_numpy(),
            _("80% interval coverage"): rows["coverage_80"].round(3).to_numpy(),
            _("95% interval coverage"): rows["coverage_95"].round(3).to_numpy(),
            _("Cases"): rows["n"].to_numpy(),
        }
    )


def baseline_note(rows: pd.DataFrame) -> str:
    """Why the baseline's own ratio is not 1, where it is shown so; empty where it is 1."""
    own = rows.loc[rows["model_id"] == BASELINE, "relative_wis"].dropna()
    if (own.round(3) == 1).all():
        return ""
    return _(
        "The baseline’s own row is below 1 where counts are small: on the logarithmic scale all are measured against "
        "it as it is before its quantiles are cut at zero persons."
    )


def show_issued(night: Night) -> None:
    """Forecasts scored as they were issued: the one score that no choice of a recipe can have touched."""
    st.header(_("How did forecasts fare that were issued beforehand?"), anchor=False)
    found = issued_skill(night.frame("issued_scores"))
    text = ngettext(
        "Scores at past origins may owe something to the choice of the recipe; these cannot: {n} forecast has had its "
        "outcome since a release issued it. Forecasts of replayed nights do not count.",
        "Scores at past origins may owe something to the choice of the recipe; these cannot: {n} forecasts have had "
        "their outcome since a release issued them. Forecasts of replayed nights do not count.",
        int(found["n"].sum()),
    )
    st.markdown(small(text.format(n=lang().counted(float(found["n"].sum())))))
    if len(found):
        st.dataframe(
            localised(issued_table(found)),
            hide_index=True,
            placeholder=NOTHING,
            alt=_("Scores of forecasts as they were issued"),
        )


def issued_table(found: pd.DataFrame) -> pd.DataFrame:
    """The table of :func:`store.status.issued_skill` in a reader's words."""
    names = {
        "horizon": _("Months ahead"),
        "relative_wis_log": _("Relative WIS"),
        "relative_wis_natural": _("Relative WIS, persons"),
        "coverage_50": _("50% interval coverage"),
        "coverage_80": _("80% interval coverage"),
        "coverage_95": _("95% interval coverage"),
        "n": _("Cases"),
    }
    return found[list(names)].round(3).rename(columns=names)


Row = dict[Hashable, Any]
KINDS = ("region", "citizen", "route")
MATRIX = "evaluation_matrix.md"


def show_groups(night: Night) -> None:
    """Errors of one kind of group at one distance, the worst marked; and the evaluation matrix as a file."""
    rows = night.frame("group_errors")
    st.header(_("Is it as good for everybody?"), anchor=False)
    if rows.empty:
        st.markdown(small(_("No errors by group in this release.")))
        return
    words = {"region": _("Region of origin"), "citizen": _("Nationality"), "route": _("Route")}
    kind = state.choice("group", KINDS, "region")
    steps = [str(step) for step in sorted(rows["horizon"].astype(int).unique()) if step in {1, 3, 6, 12}]
    ahead = state.choice("group_ahead", steps, "3" if "3" in steps else steps[0])
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.segmented_control(
            _("Groups by"), KINDS, format_func=words.__getitem__, required=True, **state.widget("group", kind)
        )
        st.selectbox(
            _("Months ahead"),
            steps,
            width=160,
            format_func=lambda step: ngettext("{n} month", "{n} months", int(step)).format(n=step),
            **state.widget("group_ahead", ahead),
        )
    chosen = rows[(rows["kind"] == kind) & (rows["horizon"].astype(int) == int(ahead))]
    reads.drawn_once(night, partial(draw, chosen), "groups", kind, ahead)
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="small"):
        downloads.document_button(night, MATRIX, _("Evaluation matrix"))
        downloads.buttons(downloads.export_of(night, "errors-by-group", _("Errors of the forecast by group"), rows))


def draw(chosen: pd.DataFrame) -> None:
    """The groups_finding, the groups_table, and how to read it."""
    st.markdown(groups_finding(chosen))
    st.table(groups_table(chosen), border="horizontal", hide_index=True, alt=_("Errors of the forecast by group"))
    text = _(
        "Relative WIS below 1: better than the baseline. Bias from −1 to 1: positive where forecasts were too high. By "
        "nationality the ensemble forecasts each route’s ten largest groups at past dates, from final figures cut at "
        "each date; releases themselves forecast routes only."
    )
    st.markdown(small(text))


def groups_finding(rows: pd.DataFrame) -> str:
    """How many groups are served worse, in one sentence."""
    bad = rows[rows["mark"].isin([WORSE, NARROW])]
    judged = int((rows["mark"] != FEW).sum())
    if bad.empty:
        text = ngettext(
            "No group of {n} is worse than the baseline or has intervals that are too narrow.",
            "No group of {n} is worse than the baseline or has intervals that are too narrow.",
            judged,
        )
        return text.format(n=judged)
    names = ", ".join(_place(row) for row in bad.to_dict("records"))
    text = ngettext(
        "Forecasts are less accurate for {bad} of {n} groups: {names}.",
        "Forecasts are less accurate for {bad} of {n} groups: {names}.",
        len(bad),
    )
    return text.format(bad=len(bad), n=judged, names=layout.plain(names))


def groups_table(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows in words, the worst first."""
    marks = {WORSE: _("worse than the baseline"), NARROW: _("intervals too narrow"), FEW: _("too few forecasts")}
    ordered = rows.sort_values("relative_wis", ascending=False).to_dict("records")
    return pd.DataFrame(
        {
            _("Group"): [_place(row) for row in ordered],
            _("Relative WIS"): [_ratio(row) for row in ordered],
            _("Bias"): [lang().decimal(row["bias"]) for row in ordered],
            _("80% interval coverage"): [lang().decimal(row["coverage_80"]) for row in ordered],
            _("Forecasts"): [int(row["n"]) for row in ordered],
            _("Note"): [marks.get(str(row["mark"]), "") for row in ordered],
        }
    )


def _ratio(row: Row) -> str:
    value, low, high = (float(str(row[name])) for name in ("relative_wis", "relative_wis_lo", "relative_wis_hi"))
    return f"{lang().decimal(value)} ({lang().decimal(low)}–{lang().decimal(high)})"


def _place(row: Row) -> str:
    """Route and group; a place in brackets where it is not the whole route."""
    route = layout.route_name(str(row["route_id"]))
    if row["geo"] != ALL:
        route = f"{route} ({country(str(row['geo']))})"
    if row["kind"] == "route":
        return route
    group = str(row["group"])
    return labelled(route, named(REGIONS, group) if row["kind"] == "region" else country(group))


PART_SERIES = "_parts"
EVIDENCE, HARMS = "evidence", "makes it worse"


def show_driver_tests(night: Night) -> None:
    """The finding, the drivers_table, where it comes from, and the files."""
    tests = night.frame("driver_tests")
    tests = tests[tests["scale"] == "log"]
    st.header(drivers_title(tests[tests["series_id"] == ALL]), anchor=False)
    if tests.empty:
        st.markdown(layout.small(_("No test of drivers in this release.")))
        return
    text = _(
        "Each driver is added to the pooled model and judged on the same past months as the model without it. A gain "
        "counts only if the 90% interval of the ratio lies below 1 against three rivals: no driver; the same driver "
        "late by two and a half years, in the wrong months; a constant that tells only where figures exist. And it "
        "must stand after Holm’s correction for the number of tests."
    )
    st.markdown(text)
    places = [ALL, PART_SERIES, *sorted(set(tests["series_id"]) - {ALL, PART_SERIES})]
    place = state.choice("driver_rows", places, ALL)
    st.selectbox(_("Series"), places, width=320, format_func=place_name, **state.widget("driver_rows", place))
    shown = tests[tests["series_id"] == place]
    st.dataframe(
        drivers_table(shown), hide_index=True, alt=_("Ratios of scores with and without each driver, by months ahead")
    )
    st.markdown(layout.small(origin_words(shown)))
    downloads.buttons(downloads.export_of(night, "driver-tests", _("Tests of drivers"), tests, []))


def drivers_title(rows: pd.DataFrame) -> str:
    """The finding in one sentence."""
    if rows.empty:
        return _("Do drivers help?")
    drivers = rows["driver"].nunique()
    helping = rows.loc[rows["verdict"] == EVIDENCE, "driver"].unique()
    if len(helping) == 0:
        text = ngettext(
            "Do drivers help? No evidence for {n} that was tested",
            "Do drivers help? No evidence for any of the {n} tested",
            drivers,
        )
        return text.format(n=drivers)
    text = _("Do drivers help? Evidence for {names}; none for the others of {n} tested")
    return text.format(names=", ".join(driver_name(name) for name in helping), n=drivers)


def drivers_table(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per driver and horizon, the three ratios with their intervals as text."""
    records = rows.to_dict("records")
    ratios = {
        _("Over no driver"): "ratio",
        _("Over the late one"): "shifted",
        _("Over a constant"): "missing",
    }
    return pd.DataFrame(
        {
            _("Driver"): [driver_name(row["driver"]) for row in records],
            _("Months ahead"): [int(row["horizon"]) for row in records],
            **{
                name: [ratio_words(row[key], row[f"{key}_lo"], row[f"{key}_hi"]) for row in records]
                for name, key in ratios.items()
            },
            _("p, corrected"): [lang().decimal(row["p_holm"]) for row in records],
            _("Finding"): [verdict_name(row["verdict"]) for row in records],
            _("Cases"): [int(row["n"]) for row in records],
        }
    )


def ratio_words(value: float, low: float, high: float) -> str:
    """A ratio with its interval: ``1.01 (0.99–1.03)``."""
    if not is_known(value):
        return NOTHING
    written = lang().decimal(value, 3)
    if not is_known(low) or not is_known(high):
        return written
    return f"{written} ({lang().decimal(low, 3)}–{lang().decimal(high, 3)})"


def verdict_name(verdict: str) -> str:
    """A finding in words."""
    names = {EVIDENCE: _("evidence that it helps"), HARMS: _("makes it worse")}
    return names.get(verdict, _("no evidence"))


def place_name(series_id: str) -> str:
    """Which series were scored."""
    if series_id == ALL:
        return _("All routes")
    return _("Nationalities on routes") if series_id == PART_SERIES else layout.route_name(series_id)


def driver_name(driver: str) -> str:
    """A driver's name."""
    names = {
        "conflict_deaths": _("Deaths in armed conflict (UCDP)"),
        "new_displacement": _("New internal displacement (IDMC)"),
        "exchange_rates": _("Exchange rates: lira, dollar (ECB)"),
        "food_prices": _("Food and cereal prices (FAO)"),
        "oil_price": _("Crude oil price (World Bank)"),
        "el_nino": _("El Niño index (NOAA)"),
        "deaths_at_sea": _("Deaths and disappearances on the way (IOM)"),
        "other_routes": _("Level of the other routes"),
    }
    return names.get(driver, driver.replace("_", " "))


def origin_words(rows: pd.DataFrame) -> str:
    """Where the test comes from: panel, span, command, date, hash of its data."""
    test = rows.iloc[0].to_dict()
    if "panel_hash" not in test:
        return ""
    text = _(
        "Tested on {panel}, forecasts made from {first} to {last}; model {model}. Made on {day}; data "
        "{panel_hash}, snapshot {snapshot}. No weather series is bundled, so weather was tested by El Niño alone. "
        "Drivers are shown as context, never as cause."
    )
    return text.format(
        panel=test["panel"],
        first=lang().month(pd.Period(test["first_origin"], "M").to_timestamp()),
        last=lang().month(pd.Period(test["last_origin"], "M").to_timestamp()),
        model=test["model"],
        day=lang().day(dt.date.fromisoformat(test["made_on"])),
        panel_hash=test["panel_hash"],
        snapshot=str(test["snapshot"])[:12],
    )
