"""A release as the briefing reads it: its frames and what traces it. Nothing here reads a file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import pandas as pd

from core.languages import Language, told_in

FRAMES = ("routes", "observations", "forecasts", "trajectories", "alerts", "track_record", "freshness")
"""What the briefing reads of a release."""
CHANGE_FRAMES = ("routes", "observations", "forecasts", "alerts")
"""What it reads of the release before it."""


class Reading(Protocol):
    """Whatever hands out a release's frames and its catalogue of sources."""

    def frame(self, name: str) -> pd.DataFrame:
        """One of the release's frames."""
        ...

    def sources(self) -> Mapping[str, Mapping[str, Any]]:
        """The catalogue's cards, source_id -> fields."""
        ...


@dataclass(frozen=True)
class Edition:
    """One release.

    Attributes:
        run_id: Its identity.
        manifest_hash: SHA-256 of its manifest, by which a reader can check it.
        as_of: The day whose knowledge it rests on.
        created_at: When it was made, UTC.
        replay: True where a past night was replayed.
        degraded: Sources and routes that it had to do without, each with the reason.
        frames: Those of :data:`FRAMES`; of a former release those of :data:`CHANGE_FRAMES`.
        cards: The catalogue of sources, source_id -> fields.
    """

    run_id: str
    manifest_hash: str
    as_of: dt.date
    created_at: dt.datetime
    replay: bool
    degraded: tuple[Mapping[str, str], ...]
    frames: Mapping[str, pd.DataFrame]
    cards: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def frame(self, name: str) -> pd.DataFrame:
        """One of its frames.

        Raises:
            KeyError: It was made without this frame.
        """
        return self.frames[name]

    def sources(self) -> Mapping[str, Mapping[str, Any]]:
        """The catalogue's cards."""
        return self.cards

    def sources_in(self, language: Language) -> Mapping[str, Mapping[str, Any]]:
        """The same with their texts in the reader's language."""
        return {source_id: told_in(card, language.code) for source_id, card in self.cards.items()}

    def with_frame(self, name: str, frame: pd.DataFrame) -> Edition:
        """The same release with one frame in place of another."""
        return replace(self, frames={**self.frames, name: frame})
