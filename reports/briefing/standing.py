"""What people have decided about a release's alerts, so that a briefing says it, or keeps to what was signed off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from alerts.lifecycle import ACKNOWLEDGED, DISMISSED, SIGNED_OFF

_KEY = ["route_id", "source_id", "rule"]


@dataclass(frozen=True)
class Standing:
    """Where alerts stand.

    Attributes:
        states: ``alerts.lifecycle`` state by alert_id; an alert that is not there was proposed by its rule, no more.
        told: Alerts that have left the house before.
        signed_only: Keep to alerts that people have signed off: what a briefing that leaves the house shows.
    """

    states: Mapping[str, str] = field(default_factory=dict)
    told: frozenset[str] = frozenset()
    signed_only: bool = False

    def is_signed(self, alert_id: str) -> bool:
        """Whether people stand behind an alert."""
        return self.states.get(alert_id) in {SIGNED_OFF, ACKNOWLEDGED}

    def shown(self, alerts: pd.DataFrame) -> pd.DataFrame:
        """The alerts that the briefing shows: none that was dismissed, and where asked only what was signed off."""
        names = alerts["alert_id"].astype(str)
        if self.signed_only:
            return alerts[names.map(self.is_signed).astype(bool)]
        return alerts[names.map(self.states.get) != DISMISSED]

    def shown_before(self, former: pd.DataFrame, alerts: pd.DataFrame) -> pd.DataFrame:
        """The former release's alerts that the shown ones may be compared with.

        Left out is what still stands without being shown, which would read as ended, and, where only what was signed
        off is shown, what nobody outside was told of.
        """
        still, shown = (_keys(frame) for frame in (alerts, self.shown(alerts)))
        kept = [
            key in shown or (key not in still and (not self.signed_only or alert_id in self.told))
            for key, alert_id in zip(former[_KEY].itertuples(index=False, name=None), former["alert_id"], strict=True)
        ]
        return former[pd.Series(kept, index=former.index, dtype=bool)]


def _keys(alerts: pd.DataFrame) -> set[tuple[str, ...]]:
    return set(alerts[_KEY].itertuples(index=False, name=None))
