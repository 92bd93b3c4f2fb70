"""What a release says otherwise than the one before it, in the language of the page."""

from __future__ import annotations

from dashboard.i18n import words
from dashboard.reads import Night
from reports.briefing import changes as reported


def changes(night: Night, former: Night) -> list[str]:
    """One sentence for each thing that the release before this one said otherwise."""
    return reported.changes(night, former, words())
