"""What a night is expected to take, step by step: learned from the home's last nights of the same kind.

Where a home has made none, two recorded nights say it (``recorded_nights.json``: a home's first one, which makes all
the past, and a later one), at the pace of what this home has shown.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from core.settings import Settings
from store.status import night_steps

_WHOLE = ("Figures as known then", "Forecasting the present")
"""The parts that every night makes in full."""
_LEARNING = "Learning from all counts"
"""The part that fits the pooled model: in a home's first night, and in the first one of each later year."""
POOLED = "all counts"
"""In the name of every part of the pooled model: where it is left out so are these."""
_FITS_A_YEAR = 8
"""Fits of the pooled model for one year."""
_ORIGINS = 60
"""Past origins of the recorded nights."""


class Step(NamedTuple):
    """What a step took.

    Attributes:
        seconds: From its beginning to the next step's.
        units: How much it had to do, as it told; 0 where it told nothing.
    """

    seconds: float
    units: int = 0


Plan = Mapping[str, Step]
"""Steps by name, in their order: ``forecasting: Scoring past forecasts``."""


def expected(home: Path, settings: Settings) -> dict[str, Step]:
    """Steps to expect of a home's next night: where what is kept is lost, as after a restore, it makes all anew."""
    nights = night_steps(home, settings.journal_url)
    pooled = settings.pooled_model and any(POOLED in name for night in nights[-1:] for name in night)
    anew = not all(any((home / folder).glob("*")) for folder in ["backtests", *(["fits"] if pooled else [])])
    return plan_of(nights, settings, anew=anew)


def plan_of(
    nights: Sequence[Mapping[str, Sequence[float]]], settings: Settings | None = None, *, anew: bool = False
) -> dict[str, Step]:
    """Steps to expect: those of the newest night of the same kind, each with the median of its seconds and units.

    Nights are brought to the newest one's pace first, so that one made under load counts by its shares alone.

    Args:
        nights: Steps of the last nights as the journal keeps them, the newest last. The oldest may be the home's first,
            which made all the past: it tells a pace, and no more.
        settings: The home's.
        anew: Nothing is kept of the past, so that all of it is made again.
    """
    whole, newest = recorded("first", settings), _steps(nights[-1]) if nights else {}
    if anew or not nights:
        return at_pace(whole, newest, whole if learns(newest) or len(nights) == 1 else recorded("later", settings))
    alike = [_steps(night) for night in nights[1:] if not learns(night)]
    if not alike:
        return at_pace(recorded("later", settings), newest, whole)
    paced = [at_pace(night, alike[-1], night) for night in alike]
    plan = {}
    for name in alike[-1]:
        seconds, units = zip(*(night[name] for night in paced if name in night), strict=True)
        # Of two, the lower: the other one had more to make anew.
        plan[name] = Step(statistics.median_low(seconds), int(statistics.median_low(units)))
    return plan


def _steps(night: Mapping[str, Sequence[float]]) -> dict[str, Step]:
    return {name: Step(seconds, int(units)) for name, (seconds, units) in night.items()}


def learns(night: Mapping[str, object]) -> bool:
    """Whether the pooled model is fitted in a night."""
    return any(_LEARNING in name for name in night)


def at_pace(plan: Plan, night: Plan, like: Plan) -> dict[str, Step]:
    """A plan at the pace that a night had beside another like it; as it is where they share too little."""
    shared = [name for name, step in like.items() if name in night and not waits(name) and not is_kept(name, step)]
    taken, planned = (sum(one[name].seconds for name in shared) for one in (night, like))
    pace = taken / planned if min(taken, planned) > 0 else 1.0
    return {name: step._replace(seconds=step.seconds * pace) for name, step in plan.items()}


def one_year(settings: Settings | None) -> dict[str, Step]:
    """What learning takes where all years but the newest one are kept."""
    fits, after = (f"forecasting: {one}{_LEARNING}" for one in ("", "after "))
    first = recorded("first", settings)
    if fits not in first:
        return {}
    seconds = first[fits].seconds * _FITS_A_YEAR / first[fits].units
    return {fits: Step(seconds, _FITS_A_YEAR), after: Step(first[after].seconds / 2)}


def recorded(night: str, settings: Settings | None) -> dict[str, Step]:
    """Steps of a recorded night, by a home's own origins and with the pooled model or without it."""
    text = Path(__file__).with_name("recorded_nights.json").read_text(encoding="utf-8")
    pooled, origins = (settings.pooled_model, settings.backtest_origins) if settings else (True, _ORIGINS)
    steps = {name: step for name, step in _steps(json.loads(text)[night]).items() if pooled or POOLED not in name}
    share = origins / _ORIGINS if night == "first" else 1.0
    return {
        name: step._replace(seconds=step.seconds * share) if is_kept(name, step) and POOLED not in name else step
        for name, step in steps.items()
    }


def is_kept(name: str, step: Step) -> bool:
    """Whether what a step makes is kept, so that a later night makes less of it."""
    return step.units > 1 and not waits(name) and not name.endswith(_WHOLE)


def waits(name: str) -> bool:
    """Whether a step's time is a network's more than this machine's."""
    return "Asking publishers" in name
