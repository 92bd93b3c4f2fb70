"""The migratory routes that Vigie knows, by Frontex's definitions and the Home Office's for the Channel."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Route:
    """One route.

    Attributes:
        route_id: Short code used in columns, addresses and settings.
        name: English name; translated on screen.
        persons: True where public figures count persons who arrived, so that a total with others means something.
        entry: ISO 3166 alpha-3 codes of the countries where people arrive.
    """

    route_id: str
    name: str
    persons: bool
    entry: tuple[str, ...]


ROUTES: dict[str, Route] = {
    route.route_id: route
    for route in (
        Route("CMR", "Central Mediterranean", True, ("ITA", "MLT")),
        Route("EMR", "Eastern Mediterranean", True, ("GRC", "CYP", "BGR")),
        Route("WMR", "Western Mediterranean", True, ("ESP",)),
        Route("WAR", "Western African / Atlantic", True, ("ESP",)),
        Route("CHA", "English Channel", True, ("GBR",)),
        Route("WBR", "Western Balkan", False, ("HUN", "HRV", "BGR", "ROU")),
        Route("EBR", "Eastern Borders", False, ("POL", "LTU", "LVA", "EST", "FIN", "NOR", "SVK", "HUN", "ROU")),
        Route("ALB", "Albania–Greece (circular)", False, ("GRC",)),
        Route("BSR", "Black Sea", False, ("BGR", "ROU")),
    )
}
ARRIVAL_ROUTES: tuple[str, ...] = tuple(route_id for route_id, route in ROUTES.items() if route.persons)
