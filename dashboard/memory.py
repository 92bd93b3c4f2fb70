"""What pages make of a release, kept so that the next reader, or the next click, does not wait for it again.

A release never changes, so what is made from one stays true. It is kept under everything that it may depend on: the
release shown, the newest one (which knows what came later), the language, the theme, and what links carry along. Two
releases therefore never meet on one screen, and a new one shows as soon as it is there. Whatever differs between
readers - widgets, the journal, roles - must not be kept here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import streamlit as st

from dashboard import language, reads, state
from dashboard.reads import Night
from dashboard.theme import current_theme

Made = TypeVar("Made")
MOST_KEPT = 512


def made(night: Night, make: Callable[[], Made], *what: object) -> Made:
    """The result of a function of a release, worked out once; every caller gets a copy of its own.

    Args:
        night: The release.
        make: Works it out.
        what: Name of the result and all else that it depends on, as texts, numbers or None.
    """
    return cast(Made, _made(_key(night, what), make))


def drawn(night: Night, draw: Callable[[], None], *what: object) -> None:
    """Run a function that draws, or draw what it drew before: texts, tables and charts, no widgets.

    Args:
        night: The release.
        draw: Draws on the page.
        what: Name of the part and all else that it depends on, as texts, numbers or None.
    """
    _drawn(_key(night, what), draw)


def _key(night: Night, what: tuple[object, ...]) -> str:
    return repr((night.home, night.run_id, reads.newest_run_id(), language(), current_theme().name, state.kept(), what))


@st.cache_data(max_entries=MOST_KEPT, show_spinner=False)
def _made(key: str, _make: Callable[[], Any]) -> Any:  # noqa: ANN401, ARG001  # any result; Streamlit keeps it under the key
    return _make()


@st.cache_data(max_entries=MOST_KEPT, show_spinner=False)
def _drawn(key: str, _draw: Callable[[], None]) -> None:  # noqa: ARG001  # Streamlit keeps what is drawn under the key
    _draw()
