"""Reception places that an organisation keeps for a route, and what the forecast says of them.

Places are counted as beds are planned: who arrives stays for a mean time; see ``forecasting.scenarios.paths``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from core.entry import Entry
from core.languages import Language, as_counted
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from forecasting.scenarios.paths import Needs, occupancy, places_needed
from reports import numbers
from reports.release import ReadableRelease, Reception

_SUBJECT = "places:"


def subject(route_id: str) -> str:
    """What a journal row about a route's places is about."""
    return f"{_SUBJECT}{route_id}"


def reception_of(values: Mapping[str, str], route_id: str, who: str = "") -> Reception:
    """Read it from texts as an address or the journal holds them: ``stock, stay, stay_kind, needs_place, confidence``.

    Raises:
        KeyError: One is missing.
        ValueError: One is not a number.
    """
    kind = "fixed" if values["stay_kind"] == "fixed" else "open"
    needs = Needs(float(values["stay"]), "fixed" if kind == "fixed" else "open", float(values["needs_place"]) / 100)
    return Reception(route_id, float(values["stock"]), needs, float(values["confidence"]) / 100, who)


def kept_by_route(entries: Sequence[Entry]) -> dict[str, Entry]:
    """The newest row of each route, by route; a route whose newest row keeps no places is left out.

    Args:
        entries: Rows that keep places, oldest first.
    """
    newest = {entry.subject.removeprefix(_SUBJECT): entry for entry in entries}
    return {route_id: entry for route_id, entry in newest.items() if float(entry.payload["query"]["stock"]) > 0}


def demand(
    release: ReadableRelease, reception: Reception, trajectories: pd.DataFrame | None = None
) -> tuple[pd.DataFrame, float]:
    """Places needed by month, and in all months together, of the months that are still to come.

    Args:
        release: ``observations`` and ``trajectories`` are read.
        reception: What is planned with.
        trajectories: Sample paths in place of the release's own, such as a scenario's.

    Returns:
        ``target_end_date, median, places``, and the places that suffice in every month; see
        ``forecasting.scenarios.paths.places_needed``.
    """
    rows = numbers.series_of(release.frame("observations"), numbers.route_series(reception.route_id))
    history = pd.Series(rows["obs_value"].to_numpy(), pd.DatetimeIndex(rows["end_date"]))
    paths = release.frame("trajectories") if trajectories is None else trajectories
    taken = occupancy(numbers.route_paths(paths, reception.route_id), history, reception.needs)
    ahead = pd.DatetimeIndex(taken.columns) > pd.Timestamp(release.as_of)
    return places_needed(taken.loc[:, ahead], reception.confidence)


def assumed(reception: Reception, language: Language) -> str:
    """What is planned with, in words: ``2,000 places; mean stay, months: 3; need a place: 80%``."""
    stay = language.labelled(language.text(_("mean stay, months")), language.significant(reception.needs.stay_months))
    needs = language.labelled(language.text(_("need a place")), language.share(reception.needs.share))
    texts = ngettext("{stock} place", "{stock} places")
    places = language.plural(texts, as_counted(reception.stock), stock=language.counted(reception.stock))
    return language.listed([places, stay, needs])
