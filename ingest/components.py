"""Which published series add up to each route, and what an absent month means in each of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Candidate:
    """Where a component's figures may come from.

    Attributes:
        source_id: Who published.
        geos: Places added up; a month needs all of them.
        freq: ``M``, or ``D`` for days added up where a month has all of its days.
    """

    source_id: str
    geos: tuple[str, ...]
    freq: str = "M"


@dataclass(frozen=True)
class Component:
    """One part of a route.

    Attributes:
        candidates: Sources in order of preference.
        major: Without it the route has no figure.
        zeros_until: Absent months inside the range count as zero up to here; ``""`` for none.
    """

    candidates: tuple[Candidate, ...]
    major: bool = False
    zeros_until: str = ""


ALWAYS = "9999-12"
"""For a component that never lists a zero."""
COMPONENTS: dict[str, tuple[Component, ...]] = {
    "CMR": (
        Component(
            (
                Candidate("iom_dtm", ("ITA",)),
                Candidate("italy_interior", ("ITA",), "D"),
                Candidate("unhcr_odp", ("ITA",)),
            ),
            major=True,
        ),
        Component((Candidate("iom_dtm", ("MLT",)), Candidate("unhcr_odp", ("MLT",))), zeros_until=ALWAYS),
    ),
    "EMR": (
        # UNHCR counts Greece's sea and land; its year 2015 is 0.1 % below IOM's
        Component((Candidate("iom_dtm", ("GRC",)), Candidate("unhcr_odp", ("GRC",))), major=True),
        # until 2016 IOM lists Cyprus only in months with a boat; UNHCR counts the sea alone and is no substitute
        Component((Candidate("iom_dtm", ("CYP",)),), zeros_until="2016-12"),
        Component((Candidate("iom_dtm", ("BGR",)),)),
    ),
    "WMR": (Component((Candidate("iom_dtm", ("ESP",)), Candidate("unhcr_odp", ("ESP_SEA", "ESP_LAND"))), major=True),),
    "WAR": (
        Component((Candidate("iom_dtm", ("ESP",)), Candidate("unhcr_odp", ("ESP",))), major=True, zeros_until=ALWAYS),
    ),
    "CHA": (Component((Candidate("uk_home_office", ("GBR",), "D"),), major=True),),
}
"""Parts of each route, as ``core.routes`` defines its countries. Italy's days run 1 to 4 % below IOM's months, so they
stand in only until IOM's month is known, and stay provisional."""
LISTS_NO_ZEROS = "MLT"
"""Country whose months without arrivals are absent by citizenship too."""
CITIZEN_ROUTES: dict[str, tuple[str, tuple[str, ...]]] = {"CMR": ("ITA", ("MLT",)), "EMR": ("GRC", ("CYP", "BGR"))}
"""Routes by citizenship: major country and minor ones, all from IOM. Spain's are Frontex's and may not be passed on."""
