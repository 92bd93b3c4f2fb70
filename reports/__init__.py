"""One presenter: a release goes in; numbers, sentences, windows and citations come out, in a reader's language.

Here stand the release as reports read it, and what people have decided about its alerts. Nothing here reads a file.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import pandas as pd

from alerts.lifecycle import ACKNOWLEDGED, DISMISSED, SIGNED_OFF, State, fold
from core.languages import Language
from core.schema import Entry
from forecasting.scenarios import Needs

Row = Mapping[Any, Any]
"""One row of a release's table, by column."""
BRIEFING_FRAMES = (
    "routes", "observations", "forecasts", "trajectories", "alerts", "track_record", "freshness", "year_ahead",
    "reception_needs", "reception_backtest", "reception_scores", "attribution", "backtest", "nowcasts", "scores",
    "total_scores",
)  # fmt: skip
"""What the briefing reads of a release."""
CHANGE_FRAMES = ("routes", "observations", "forecasts", "nowcasts", "trajectories", "alerts")
"""What is read of the release before it."""


class ReadableRelease(Protocol):
    """Whatever hands out a release's frames and its catalogue of sources."""

    @property
    def as_of(self) -> dt.date:
        """The day whose knowledge it rests on."""

    @property
    def created_at(self) -> dt.datetime:
        """When it was made, UTC."""

    @property
    def replay(self) -> bool:
        """True where a past night was replayed."""

    @property
    def degraded(self) -> tuple[Mapping[str, str], ...]:
        """Sources and routes that it had to do without, each with the reason."""

    def frame(self, name: str) -> pd.DataFrame:
        """One of the release's frames."""

    def sources(self) -> Mapping[str, Mapping[str, Any]]:
        """The catalogue's cards, source_id -> fields."""


@dataclass(frozen=True)
class LoadedRelease:
    """One release whose frames are in memory.

    Attributes:
        run_id: Its identity.
        manifest_hash: SHA-256 of its manifest, by which a reader can check it.
        as_of: The day whose knowledge it rests on.
        created_at: When it was made, UTC.
        replay: True where a past night was replayed.
        drill: True where it is read from a restored home that is not in service.
        degraded: Sources and routes that it had to do without, each with the reason.
        frames: Those of :data:`BRIEFING_FRAMES`; of a former release those of :data:`CHANGE_FRAMES`.
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
    drill: bool = False

    def frame(self, name: str) -> pd.DataFrame:
        """One of its frames.

        Raises:
            KeyError: It was made without this frame.
        """
        return self.frames[name]

    def sources(self) -> Mapping[str, Mapping[str, Any]]:
        """The catalogue's cards."""
        return self.cards

    def with_frame(self, name: str, frame: pd.DataFrame) -> LoadedRelease:
        """The same release with one frame in place of another."""
        return replace(self, frames={**self.frames, name: frame})


def cards_in(release: ReadableRelease, language: Language) -> dict[str, dict[str, Any]]:
    """The catalogue's cards in a reader's language, source_id -> fields."""
    return {source_id: language.record(card) for source_id, card in release.sources().items()}


def entries_until(entries: Iterable[Entry], run_id: str) -> list[Entry]:
    """Journal rows written while a release was the newest, or before: what was decided then, not later."""
    return [entry for entry in entries if entry.run_id <= run_id]


@dataclass(frozen=True)
class Reception:
    """What reception on one route is planned with.

    Attributes:
        route_id: The route.
        stock: Places there are.
        needs: Length of stay, how it ends, and the part of those who arrive that needs a place.
        confidence: 0 to 1: how sure one wants to be that the places suffice.
        who: Who keeps it.
    """

    route_id: str
    stock: float
    needs: Needs
    confidence: float
    who: str = ""


@dataclass(frozen=True)
class Decisions:
    """What people have decided about a release's alerts.

    Attributes:
        states: State by alert_id; an alert that is not there was proposed by its rule, no more.
        announced: Alerts that were announced before.
        signed_only: Keep to alerts that people have signed off: what a briefing that is mailed shows.
        reception: Places that are kept for routes.
    """

    states: Mapping[str, State] = field(default_factory=dict)
    announced: frozenset[str] = frozenset()
    signed_only: bool = False
    reception: tuple[Reception, ...] = ()

    def state(self, alert: Mapping[Any, Any]) -> State:
        """The state of one of the release's alerts."""
        return self.states.get(str(alert["alert_id"])) or fold([], str(alert["alert_level"]))

    def shown(self, alerts: pd.DataFrame) -> pd.DataFrame:
        """The alerts to show: none that was dismissed, and where asked only those that are signed off."""
        status = [getattr(self.states.get(str(name)), "status", "") for name in alerts["alert_id"]]
        kept = pd.Series(status, index=alerts.index, dtype=object)
        return alerts[kept.isin({SIGNED_OFF, ACKNOWLEDGED}) if self.signed_only else kept != DISMISSED]

    def shown_before(self, former: pd.DataFrame, alerts: pd.DataFrame) -> pd.DataFrame:
        """The former release's alerts that the shown ones may be compared with.

        Left out is what still stands without being shown, which would read as ended, and, where only what was signed
        off is shown, what was not announced.
        """
        key = ["route_id", "source_id", "rule"]
        still, shown = (set(frame[key].itertuples(index=False, name=None)) for frame in (alerts, self.shown(alerts)))
        kept = [
            name in shown or (name not in still and (not self.signed_only or alert_id in self.announced))
            for name, alert_id in zip(former[key].itertuples(index=False, name=None), former["alert_id"], strict=True)
        ]
        return former[pd.Series(kept, index=former.index, dtype=bool)]
