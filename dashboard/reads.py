"""Everything the pages read: frames and texts of a release, and the journal. Nothing here computes a forecast.

A release never changes, so what is read from one is kept in memory under its run_id. What pages make of one is kept
too, so that the next reader, or the next click, does not wait for it again: under everything that it may depend on,
which is the release shown, the newest one (with later outcomes), the language, the theme, and what links carry
along. Two releases therefore never meet on one screen, and a new one shows as soon as it is there. Whatever differs
between readers - widgets, the journal, roles - must not be kept here.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import pandas as pd
import streamlit as st

from core.errors import StoreError
from core.languages import Language
from core.languages import marked as _
from core.settings import home_folder, load_settings
from dashboard import language, state
from dashboard.theme import current_theme
from decisions import Workflow, workflow_on
from store import running_night, status
from store.journal import Journal, journal_url
from store.releases import Release, ReleaseStore, release_folders

Made = TypeVar("Made")
_MOST_KEPT = 512


@dataclass(frozen=True)
class Night:
    """One release as pages use it.

    Attributes:
        home: The home folder, as text.
        run_id: The release.
        as_of: The day whose knowledge it rests on.
        created_at: When it was made, UTC.
        replay: True where a past night was replayed.
        degraded: Sources that could not be used, each with the reason.
        code_version: Version of the program that made it.
        previous: run_id of the release before it, or an empty text.
    """

    home: str
    run_id: str
    as_of: dt.date
    created_at: dt.datetime
    replay: bool
    degraded: tuple[Mapping[str, str], ...]
    code_version: str
    previous: str

    def frame(self, name: str) -> pd.DataFrame:
        """One of the release's frames; an empty one where the release may lack it."""
        return _frame(self.home, self.run_id, name).copy(deep=False)

    def sources(self) -> dict[str, dict[str, Any]]:
        """The catalogue's cards in the reader's language, source_id -> fields."""
        cards, words = _sources(self.home, self.run_id), Language(language())
        return {source_id: words.record(card) for source_id, card in cards.items()}

    def document(self, name: str) -> str:
        """One of the release's texts, such as ``known_issues.md``, in the reader's language, else in English.

        An empty text where the release lacks it.
        """
        translated = _document(self.home, self.run_id, f"{language()}/{name}")
        return translated or _document(self.home, self.run_id, name)

    def model_cards(self) -> dict[str, str]:
        """Text of each model card in the reader's language, model_id -> markdown."""
        return {model_id: self.document(f"model_cards/{model_id}.md") for model_id in _models(self.home, self.run_id)}


def nights() -> list[Night]:
    """Every release of the home folder, the newest first."""
    store = ReleaseStore(home_folder())
    return [_night(release) for release in reversed(store.all())]


def refuse_altered(night: Night) -> None:
    """Refuse a release that is not as it was published.

    Raises:
        StoreError: Naming what was altered.
    """
    _check(night.home, night.run_id)


def forecast_coverage(night: Night) -> list[dict[str, Any]]:
    """Which routes of a release have a forecast, else where the newest one stands (:func:`store.status`)."""
    try:
        store = ReleaseStore(Path(night.home))
        return status.forecast_coverage(store, store.get(night.run_id))
    except StoreError:
        return []


def is_drill() -> bool:
    """Whether the home folder was restored and is not in service."""
    return load_settings(home_folder()).drill


def newest_run_id() -> str:
    """The newest release's run_id; an empty text where there is none."""
    folders = release_folders(ReleaseStore(home_folder()).folder)
    return folders[-1].name if folders else ""


def night_at_work() -> dict[str, Any] | None:
    """How far the running night is, as of :func:`store.running_night`; None while no night runs."""
    return running_night(home_folder())


def is_newest(night: Night) -> bool:
    """Whether a release is the newest: the one on which people decide."""
    return night.run_id == newest_run_id()


def night(run_id: str) -> Night | None:
    """One release by its run_id, or None where it is not there (any more)."""
    try:
        return _night(ReleaseStore(home_folder()).get(run_id))
    except StoreError:
        return None


def store_silence() -> status.Contact | None:
    """The last look at the shared store, where it failed; None where there was news or nothing is shared."""
    home = home_folder()
    contact = status.read_contact(home)
    return contact if contact is not None and contact.reason and load_settings(home).store.url else None


def journal() -> Journal:
    """The journal of the home folder.

    Raises:
        StoreError: The database cannot be opened.
        InputError: The settings are not usable.
    """
    home = home_folder()
    return _journal(journal_url(load_settings(home).journal_url, home))


def workflow() -> Workflow:
    """The workflow of the home folder, on that journal; raises as :func:`journal` does."""
    home = home_folder()
    return workflow_on(home, load_settings(home), journal())


def once(night: Night, make: Callable[[], Made], *what: object) -> Made:
    """The result of a function of a release, worked out once; every caller gets a copy of its own.

    Args:
        night: The release.
        make: Works it out.
        what: Name of the result and all else that it depends on, as texts, numbers or None.
    """
    return cast(Made, _made(_key(night, what), make))


def drawn_once(night: Night, draw: Callable[[], None], *what: object) -> None:
    """Run a function that draws, or draw what it drew before: texts, tables and charts, no widgets.

    Args:
        night: The release.
        draw: Draws on the page.
        what: Name of the part and all else that it depends on, as texts, numbers or None.
    """
    _drawn(_key(night, what), draw)


@lru_cache(maxsize=2048)
def _night(release: Release) -> Night:
    """What the manifest says; kept under the release's folder, for it never changes."""
    manifest = release.manifest
    return Night(
        home=str(release.path.parent.parent),
        run_id=release.run_id,
        as_of=release.as_of,
        created_at=dt.datetime.fromisoformat(manifest["created_at"]),
        replay=bool(manifest["replay"]),
        degraded=tuple(manifest["degraded"]),
        code_version=str(manifest["code_version"]),
        previous=(manifest["previous"] or {}).get("run_id", ""),
    )


def _check(home: str, run_id: str) -> None:
    problem = status.alteration(Path(home), ReleaseStore(Path(home)).get(run_id), load_settings(home_folder()))
    if problem is not None:
        raise StoreError(_("The release {run_id} is not as it was published: {file}"), **vars(problem))


_checked = st.cache_resource(ttl=1.0, max_entries=64, show_spinner=False)(_check)
"""The same, at most once a second: the first view of a page reads a dozen tables."""


def _release(home: str, run_id: str) -> Release:
    """A release of which something is to be read from the disk."""
    _checked(home, run_id)
    return ReleaseStore(Path(home)).get(run_id)


_TEXT = pd.StringDtype("pyarrow", na_value=np.nan)


# One copy of each frame serves all readers: each gets a view that pandas copies as soon as it is written to.
@st.cache_resource(max_entries=64, show_spinner=False)
def _frame(home: str, run_id: str, name: str) -> pd.DataFrame:
    frame = _release(home, run_id).read(name)
    # Pages pick one series out of 100,000 rows many times: 14 times faster than on Python's own texts.
    return frame.astype(dict.fromkeys(frame.select_dtypes(object), _TEXT))


@st.cache_data(max_entries=8, show_spinner=False)
def _sources(home: str, run_id: str) -> dict[str, dict[str, Any]]:
    try:
        cards: dict[str, dict[str, Any]] = json.loads(_release(home, run_id).document("sources.json"))
    except StoreError:
        return {}
    return cards


@st.cache_data(max_entries=64, show_spinner=False)
def _document(home: str, run_id: str, name: str) -> str:
    try:
        return _release(home, run_id).document(name)
    except StoreError:
        return ""


@st.cache_data(max_entries=8, show_spinner=False)
def _models(home: str, run_id: str) -> list[str]:
    """Models that have a card."""
    files = _release(home, run_id).manifest["files"]
    return sorted(Path(name).stem for name in files if name.startswith("model_cards/"))


@st.cache_resource(max_entries=2, show_spinner=False)
def _journal(url: str) -> Journal:
    return Journal(url)


def _key(night: Night, what: tuple[object, ...]) -> str:
    return repr((night.home, night.run_id, newest_run_id(), state.kept(), current_theme().name, what))


@st.cache_data(max_entries=_MOST_KEPT, show_spinner=False)
def _made(key: str, _make: Callable[[], Any]) -> Any:  # noqa: ANN401, ARG001  # any result; Streamlit keeps it under the key
    return _make()


@st.cache_data(max_entries=_MOST_KEPT, show_spinner=False)
def _drawn(key: str, _draw: Callable[[], None]) -> None:  # noqa: ARG001  # Streamlit keeps what is drawn under the key
    _draw()
