"""The state of a page lives in its address: a colleague who opens the link sees the same thing.

Streamlit's own ``bind="query-params"`` writes an option's *label* into the address, which changes with the language,
and drops a bad value silently. Here the address holds codes, and a bad value falls back with a note.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from dashboard import _, language

LATEST = "latest"
CARRIED = ("release", "route", "origin", "reveal", "factor", "lang")
"""Choices that hold on every page of a visit."""

_CARRY = "carried:"


def parse_choice(text: str | None, options: Sequence[str], default: str) -> tuple[str, bool]:
    """Read one choice from the address.

    Returns:
        The option, and whether the text was usable (a missing one is).
    """
    if text is None or text == LATEST:
        return default, True
    return (text, True) if text in options else (default, False)


def parse_number(text: str | None, low: float, high: float) -> tuple[float | None, bool]:
    """Read one number from the address: empty if missing, refused if not a number between ``low`` and ``high``."""
    if text is None or text == "":
        return None, True
    try:
        number = float(text)
    except ValueError:
        return None, False
    return (number, True) if low <= number <= high else (None, False)


def choice(name: str, options: Sequence[str], default: str, *, always: bool = False) -> str:
    """The current value of a choice: from the address, else carried from another page, else ``default``.

    A value that is not among the options is replaced by ``default``, with a note on the page.

    Args:
        name: Name in the address.
        options: Values allowed.
        default: Value where the address names none.
        always: Write the value into the address even if it is the default, so that a link keeps it for ever.
    """
    text = st.query_params.get(name)
    if text is None and name in CARRIED:
        text = st.session_state.get(_CARRY + name)
        text = text if text in options else None
    value, usable = parse_choice(text, options, default)
    if not usable:
        note_bad_value(name, str(text))
    _keep(name, value, None if always else default)
    return value


def many(name: str, options: Sequence[str]) -> list[str]:
    """The current values of a choice of several (comma-separated in the address); all of them by default."""
    text = st.query_params.get(name)
    if text is None:
        return list(options)
    chosen = [part for part in text.split(",") if part]
    if unknown := [part for part in chosen if part not in options]:
        note_bad_value(name, ", ".join(unknown))
    return [option for option in options if option in chosen]


def number(name: str, low: float, high: float) -> float | None:
    """The current value of a number in the address; a bad one is dropped with a note."""
    text = st.query_params.get(name)
    value, usable = parse_number(text, low, high)
    if not usable:
        note_bad_value(name, str(text))
        write(name, None)
    return value


def switch(name: str) -> bool:
    """The current value of a switch, off unless the address says 1."""
    return choice(name, ("0", "1"), "0") == "1"


def widget(
    name: str, value: object, encode: Callable[[Any], str | None] = lambda v: None if v is None else str(v)
) -> dict[str, Any]:
    """Arguments that tie a widget to one name in the address.

    Args:
        name: Name in the address.
        value: What the widget shows now (already read from the address).
        encode: Turns the widget's value into the address's text; None removes it.

    Returns:
        ``key``, ``on_change`` and ``args`` for the widget, whose session state is set to ``value``.
    """
    key = f"address:{name}"
    # Set anew at every run, even to what it was: Streamlit throws away what a run that was broken off had not sent yet,
    # and a browser that never heard of a value sends back its own first option at the next click.
    st.session_state[key] = value
    return {"key": key, "on_change": _follow, "args": (name, key, encode)}


def toggle(name: str) -> dict[str, Any]:
    """The same for a switch, whose value is read from the address here."""
    return widget(name, switch(name), lambda on: "1" if on else "0")


def take_over_route() -> None:
    """Read ``route`` in the address, as another page's links and people write it, where this page's ``on`` is not."""
    if (text := st.query_params.get("route")) is None:
        return
    write("route", None)
    if "on" not in st.query_params:
        write("on", text)


def link(page: str, **values: str) -> str:
    """Relative address of a page that shows the same release in the same language."""
    return f"{page}?{urlencode({**kept(), **values})}"


def kept() -> dict[str, str]:
    """What links carry to every page: the language of this one, and the release where the address names it."""
    release = {"release": st.query_params["release"]} if "release" in st.query_params else {}
    return {**release, "lang": language()}


def forget(name: str) -> None:
    """Go back to the default of a choice, on this page and the others."""
    st.session_state.pop(_CARRY + name, None)
    write(name, None)
    if name == "release":
        forget("origin")


def note_bad_value(name: str, text: str) -> None:
    """Say on the page that a value in its address was not usable."""
    shown = text if len(text) <= 40 else text[:39] + "…"
    message = _("The address asks for {name} “{value}”, which is not available here; the usual view is shown.")
    st.warning(message.format(name=name, value="".join(c for c in shown if c.isalnum() or c in " .,-_")))


def _follow(name: str, key: str, encode: Callable[[Any], str | None]) -> None:
    text = encode(st.session_state[key])
    write(name, text)
    if name == "release":
        forget("origin")  # past origins belong to the release shown before
    if name in CARRIED:
        st.session_state[_CARRY + name] = text


def _keep(name: str, value: str, default: str | None) -> None:
    """Show the value in the address unless it is the default, and carry it to the other pages."""
    kept = None if value == default else value
    write(name, kept)
    if name in CARRIED:
        st.session_state[_CARRY + name] = kept


def write(name: str, text: str | None) -> None:
    """Write one value into the address; None removes it."""
    if text is None:
        if name in st.query_params:
            del st.query_params[name]
    elif st.query_params.get(name) != text:
        st.query_params[name] = text
