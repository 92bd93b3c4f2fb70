"""What an address may say."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import choose_language
from dashboard.state import parse_choice, parse_number


def test_option_in_address_is_taken() -> None:
    assert parse_choice("EMR", ["CMR", "EMR"], "CMR") == ("EMR", True)


@pytest.mark.parametrize("text", ["XXX", "", "emr", "../../etc"])
def test_anything_else_falls_back_and_is_reported(text: str) -> None:
    assert parse_choice(text, ["CMR", "EMR"], "CMR") == ("CMR", False)


@pytest.mark.parametrize(("text", "number"), [("6000", 6000.0), ("0", 0.0), ("1000000", 1e6), ("", None), (None, None)])
def test_number_within_bounds_is_taken_and_none_is_none(text: str | None, number: float | None) -> None:
    assert parse_number(text, 0, 1e6) == (number, True)


@pytest.mark.parametrize("text", ["many", "-1", "-0.001", "1000000.5", "1e9", "nan", "inf"])
def test_number_that_is_none_or_out_of_bounds_is_refused(text: str) -> None:
    assert parse_number(text, 0, 1e6) == (None, False)


@pytest.mark.parametrize(
    ("asked", "browser", "shown"),
    [("en", "de-DE", "en"), (None, "en-GB", "en"), (None, None, "en"), ("xx", None, "en"), ("../x", "zz", "en")],
)
def test_language_without_catalogue_is_english(asked: str | None, browser: str | None, shown: str) -> None:
    assert choose_language(asked, browser) == shown


def test_every_run_sends_widget_state() -> None:
    def page() -> None:
        import streamlit as st  # noqa: PLC0415  # AppTest runs the function's text by itself

        from dashboard import state  # noqa: PLC0415  # as above

        options = ("CMR", "EMR")
        st.radio("Route", options, **state.widget("on", state.choice("on", options, "CMR")))

    app = AppTest.from_function(page)
    app.query_params["on"] = "EMR"
    for _ in range(2):
        app.run()
        assert app.radio[0].proto.set_value
        assert app.radio[0].value == "EMR"
    app.radio[0].set_value("CMR").run()
    assert app.radio[0].value == "CMR"
    assert "on" not in app.query_params


def test_links_are_equal_whether_address_or_browser_names_language() -> None:
    def page() -> None:
        import streamlit as st  # noqa: PLC0415  # AppTest runs the function's text by itself

        from dashboard import state  # noqa: PLC0415  # as above

        st.text(state.link("route", route="CMR"))

    by_browser, by_address = AppTest.from_function(page), AppTest.from_function(page)
    by_address.query_params["lang"] = "en"
    assert [app.run().text[0].value for app in (by_browser, by_address)] == ["route?lang=en&route=CMR"] * 2
