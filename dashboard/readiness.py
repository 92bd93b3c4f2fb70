"""What the server does before the first reader comes: load all that pages need, once and for all."""

from __future__ import annotations

import gc
import importlib
import pkgutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from streamlit.starlette import App

import dashboard

_USED_LATER = ("pandas.io.formats.style", "plotly.io", "plotly.graph_objs.scatter", "plotly.graph_objs.bar")
"""Modules that libraries load by themselves, at the first chart or table."""
_PAGES = "dashboard.app_pages"
"""These draw when they are loaded, so they wait for a reader."""


@asynccontextmanager
async def ready(_app: App) -> AsyncIterator[None]:
    """Load the program while the server starts, so that the first page does not have to."""
    load()
    yield


def load() -> None:
    """Import every module that pages use, and take what is loaded out of the search for garbage.

    Streamlit searches after each run of a page. Without this it goes through every function and class of the program
    and its libraries each time, which takes longer than most pages do.
    """
    names = [found.name for found in pkgutil.walk_packages(dashboard.__path__, "dashboard.") if found.name != _PAGES]
    for name in (*_USED_LATER, *(name for name in names if not name.startswith(f"{_PAGES}."))):
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
