"""Do drivers help? The yearly placebo test of the release, as the evaluation page shows it."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import streamlit as st

from core.schema import ALL
from dashboard import downloads, layout, numbers, state
from dashboard.i18n import _, ngettext
from dashboard.reads import Night
from dashboard.summaries import known

PARTS = "_parts"
EVIDENCE, HARMS = "evidence", "makes it worse"


def show_driver_tests(night: Night) -> None:
    """The finding, the table, where it comes from, and the files."""
    tests = night.frame("driver_tests")
    tests = tests[tests["scale"] == "log"]
    st.header(title(tests[tests["series_id"] == ALL]), anchor=False)
    if tests.empty:
        st.markdown(layout.small(_("This release holds no test of drivers yet.")))
        return
    text = _(
        "Each driver is added to the pooled model and judged on the same past months as the model without it. A gain "
        "counts only if the 90% interval of the ratio lies below 1 against three rivals: no driver; the same driver "
        "late by two and a half years, in the wrong months; a constant that tells only where figures exist. And it "
        "must stand after Holm’s correction for the number of tests."
    )
    st.markdown(text)
    places = [ALL, PARTS, *sorted(set(tests["series_id"]) - {ALL, PARTS})]
    place = state.choice("driver_rows", places, ALL)
    st.selectbox(_("Series"), places, width=320, format_func=place_name, **state.widget("driver_rows", place))
    shown = tests[tests["series_id"] == place]
    st.dataframe(table(shown), hide_index=True, alt=_("Ratios of scores with and without each driver, by months ahead"))
    st.markdown(layout.small(origin_words(shown)))
    downloads.buttons(downloads.export_of(night, "driver-tests", _("Tests of drivers"), tests, []))


def title(rows: pd.DataFrame) -> str:
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


def table(rows: pd.DataFrame) -> pd.DataFrame:
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
            _("p, corrected"): [numbers.decimal(row["p_holm"]) for row in records],
            _("Finding"): [verdict_name(row["verdict"]) for row in records],
            _("Cases"): [int(row["n"]) for row in records],
        }
    )


def ratio_words(value: float, low: float, high: float) -> str:
    """A ratio with its interval: ``1.01 (0.99–1.03)``."""
    if not known(value):
        return numbers.NOTHING
    written = numbers.decimal(value, 3)
    if not known(low) or not known(high):
        return written
    return f"{written} ({numbers.decimal(low, 3)}–{numbers.decimal(high, 3)})"


def verdict_name(verdict: str) -> str:
    """A finding in words."""
    names = {EVIDENCE: _("evidence that it helps"), HARMS: _("makes it worse")}
    return names.get(verdict, _("no evidence"))


def place_name(series_id: str) -> str:
    """Which series were scored."""
    if series_id == ALL:
        return _("All routes")
    return _("Nationalities on routes") if series_id == PARTS else layout.route_name(series_id)


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
    told = rows.iloc[0].to_dict()
    if "command" not in told:
        return ""
    text = _(
        "Tested on {panel}, forecasts made from {first} to {last}; model {model}. Made on {day} by `{command}`; data "
        "{panel_hash}, snapshot {snapshot}. No weather series is bundled, so weather was tested by El Niño alone. "
        "Drivers are shown as context, never as cause."
    )
    return text.format(
        panel=told["panel"],
        first=numbers.month_name(pd.Period(told["first_origin"], "M").to_timestamp()),
        last=numbers.month_name(pd.Period(told["last_origin"], "M").to_timestamp()),
        model=told["model"],
        day=numbers.day(dt.date.fromisoformat(told["made_on"])),
        command=told["command"],
        panel_hash=told["panel_hash"],
        snapshot=str(told["snapshot"])[:12],
    )
