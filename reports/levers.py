"""What a scenario assumes, as codes: read from an address or from the journal, written back to either.

The whole assumption stands in the address, defaults included, so that a link means the same on any later day.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from alerts.rules.nationality_shift import UNKNOWN
from core.calendar import planning_window
from core.languages import round_expected
from core.schema import ALL, NOT_APPLICABLE
from forecasting.scenarios import HOWS, STAYS
from forecasting.scenarios.analogues import EPISODES
from reports import ReadableRelease, numbers
from reports.numbers import LARGEST

KINDS = ("if", "shock", "past")
NONE, EVERYBODY = "none", "all"
MONTHS_OF_SHARES, MOST_NATIONALITIES = 12, 12
Values = dict[str, str]
"""Every lever by its name in the address."""


@dataclass(frozen=True)
class Lever:
    """One lever.

    Attributes:
        default: Its usual value.
        options: Values it may take; empty for a number.
        low: Lowest number.
        high: Highest number.
    """

    default: str
    options: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0

    def takes(self, text: str) -> bool:
        """Whether a text is one of its values."""
        if self.options:
            return text in self.options
        try:
            return self.low <= float(text) <= self.high
        except ValueError:
            return False


LEVERS_OF = {
    "if": ("if_route", "if_side", "if_value", "if_how", "if_from", "if_to", "and_route", "and_side", "and_value"),
    "shock": (
        "shock_of",
        "shock_size",
        "shock_from",
        "shock_onset",
        "shock_months",
        "shock_decay",
        "to_route",
        "to_share",
    ),
    "past": ("episode", "past_from", "past_as", "past_strength"),
}
PLACES = ("stock", "stay", "stay_kind", "needs_place", "confidence")


def forecast_routes(release: ReadableRelease) -> list[str]:
    """Routes of a release that are forecast, in the order of the overview."""
    routes = numbers.route_states(release.frame("routes"))
    known = set(release.frame("trajectories")["series_id"])
    return [str(name) for name in routes["route_id"] if numbers.route_series(str(name)) in known]


def months_of(release: ReadableRelease, route_id: str) -> list[str]:
    """Months ahead that a route's sample paths cover, ``YYYY-MM``."""
    rows = release.frame("trajectories")
    ends = rows.loc[rows["series_id"] == numbers.route_series(route_id), "target_end_date"]
    return [str(month) for month in sorted(pd.DatetimeIndex(ends.unique()).to_period("M"))]


def levers(release: ReadableRelease, route_id: str, routes: list[str]) -> dict[str, Lever]:
    """Every lever with its values on a release and route."""
    months = tuple(months_of(release, route_id))
    # The months that every route has, so that a condition on one may speak of another.
    spans = [set(months_of(release, other)) for other in routes]
    shared = tuple(month for month in months if all(month in span for span in spans))
    others = tuple(other for other in routes if other != route_id)
    begins = str(planning_window(release.as_of)[0])
    own_start, start = (begins if begins in found else found[min(1, len(found) - 1)] for found in (months, shared))
    names, sides = tuple(routes), ("above", "below")
    return {
        "kind": Lever("if", KINDS),
        "if_route": Lever(route_id, names),
        "if_side": Lever("above", sides),
        "if_value": Lever(_upper_quartile(release, route_id, start), low=0, high=LARGEST),
        "if_how": Lever("any", HOWS),
        "if_from": Lever(start, shared),
        "if_to": Lever(start, shared),
        "and_route": Lever(NONE, (NONE, *names)),
        "and_side": Lever("above", sides),
        "and_value": Lever("0", low=0, high=LARGEST),
        "stock": Lever("0", low=0, high=LARGEST),
        "shock_of": Lever(EVERYBODY, (EVERYBODY, *shares_of(release, route_id))),
        "shock_size": Lever("50", low=-100, high=500),
        "shock_from": Lever(own_start, months),
        "shock_onset": Lever("1", low=0, high=12),
        "shock_months": Lever("3", low=1, high=12),
        "shock_decay": Lever("2", low=0, high=12),
        "to_route": Lever(NONE, (NONE, *others)),
        "to_share": Lever("0", low=0, high=100),
        "episode": Lever(_own_episode(route_id), tuple(EPISODES)),
        "past_from": Lever(own_start, months),
        "past_as": Lever("usual", ("usual", "ratio", "persons")),
        "past_strength": Lever("100", low=10, high=150),
        "stay": Lever("3", low=0.5, high=24),
        "stay_kind": Lever("open", STAYS),
        "needs_place": Lever("100", low=1, high=100),
        "confidence": Lever("90", ("50", "75", "80", "90", "95", "99")),
    }


def shares_of(release: ReadableRelease, route_id: str) -> dict[str, float]:
    """Share of each large nationality among a route's arrivals in the newest twelve months with a breakdown.

    Returns:
        Citizenship -> share, 0 to 1, the largest first; empty where none is known.
    """
    rows = release.frame("observations")
    own = rows[(rows["route_id"] == route_id) & (rows["target"] == "arrivals") & (rows["freq"] == "M")]
    own = own[~own["citizen"].isin([ALL, NOT_APPLICABLE]) & own["geo"].isin([ALL, NOT_APPLICABLE])]
    recent = own[own["time_period"].isin(sorted(own["time_period"].unique())[-MONTHS_OF_SHARES:])]
    sums = recent.groupby("citizen")["obs_value"].sum()
    known = (sums / sums.sum()).drop(labels=list(UNKNOWN), errors="ignore").nlargest(MOST_NATIONALITIES)
    return {str(citizen): float(share) for citizen, share in known.items() if share > 0}


def parse(given: Mapping[str, str], known: Mapping[str, Lever]) -> tuple[Values, list[str]]:
    """Every lever's value, and the names of those whose text was not usable."""
    values = {name: given.get(name, lever.default) for name, lever in known.items()}
    bad = [name for name, text in values.items() if not known[name].takes(text)]
    return values | {name: known[name].default for name in bad}, bad


def assumption(values: Mapping[str, str], route_id: str) -> Values:
    """What makes a scenario: its route, its kind and the levers of that kind, and nothing of how it is looked at."""
    kept = {name: values[name] for name in LEVERS_OF[values["kind"]]}
    return {"route": route_id, "kind": values["kind"], **kept}


def scenario_id(values: Mapping[str, str], route_id: str) -> str:
    """The same assumption always has the same name."""
    text = json.dumps(assumption(values, route_id), sort_keys=True)
    return f"scenario-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


def month_end(month: str) -> pd.Timestamp:
    """Last day of a month written ``YYYY-MM``."""
    return pd.Period(month, "M").end_time.normalize()


def _upper_quartile(release: ReadableRelease, route_id: str, month: str) -> str:
    """A number to begin with: what the month passes one time in four."""
    rows = release.frame("trajectories")
    series = rows["series_id"] == numbers.route_series(route_id)
    values = rows.loc[series & (rows["target_end_date"] == month_end(month)), "value"]
    return str(int(min(round_expected(float(values.quantile(0.75))), LARGEST)))


def _own_episode(route_id: str) -> str:
    own = [name for name, episode in EPISODES.items() if episode.route_id == route_id]
    return own[-1] if own else next(iter(EPISODES))
