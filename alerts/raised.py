"""One alert before it is compared with the night before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

INTENDED_USE = "Planning of reception, health care and protection capacity"


@dataclass(frozen=True)
class Raised:
    """What a rule says on one night about one route or source.

    Attributes:
        rule: The rule.
        level: Level reached.
        reason_key: Key of its sentence in :data:`alerts.reasons.TEMPLATES`.
        reason_params: Figures of its sentence.
        route_id: Route concerned; ``_Z`` where a source is concerned.
        series_id: Series concerned; empty where a source is concerned.
        source_id: Source concerned; empty where a route is concerned.
        probability: Chance of the event; NaN where nothing is forecast.
        threshold: Number to be passed, or that was passed; NaN where there is none.
        first_period: First month concerned.
        last_period: Last month concerned: ``probability`` is that of the event in any month from the first to it.
        likely_period: First month concerned that carries at least half of the likeliest month's probability; empty
            where nothing is forecast.
        horizon: Months from the last counted month to the first month concerned; 0 where the matter lies in the past.
    """

    rule: str
    level: str
    reason_key: str
    reason_params: Mapping[str, str | float]
    route_id: str
    series_id: str = ""
    source_id: str = ""
    probability: float = float("nan")
    threshold: float = float("nan")
    first_period: str = ""
    last_period: str = ""
    likely_period: str = ""
    horizon: int = 0

    def saying(self, reason_key: str, **params: str | float) -> Raised:
        """The same with another sentence, or with more figures in it."""
        return replace(self, reason_key=reason_key, reason_params={**self.reason_params, **params})
