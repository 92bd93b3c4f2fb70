"""Documented events beside a forecast: rises of arrivals, agreements and laws, as context and never as cause."""

from __future__ import annotations

import pandas as pd

from core.languages import Language
from core.languages import marked as _


def events_between(events: pd.DataFrame, route_id: str, first: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
    """Return the events of a route, or of ``asylum``, from one month to another, in order of time.

    Args:
        events: The release's ``events``.
        route_id: The route; ``asylum`` for what concerns asylum applications in general.
        first: A day of the first month.
        last: A day of the last month.

    Returns:
        The same columns; without rows where the release has no events.
    """
    if events.empty:
        return events
    is_shown = events["route_id"].eq(route_id) & events["month"].between(f"{first:%Y-%m}", f"{last:%Y-%m}")
    return events[is_shown].sort_values("month", ignore_index=True)


def event_words(events: pd.DataFrame, language: Language) -> list[tuple[str, str, str]]:
    """Return title, fact and source's address of each event in the reader's language, in the order of their marks."""
    return [
        (language.text(row["title"]), language.text(row["what"]), str(row["url"])) for row in events.to_dict("records")
    ]


def events_note(language: Language) -> str:
    """Say that an event is no cause."""
    return language.text(_("Events are context, never a cause; the forecast does not use them."))
