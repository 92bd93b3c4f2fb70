"""What a release says otherwise than the one before it, in the language of the page."""

from __future__ import annotations

import briefing.changes
from alerts.messages.words import Words
from dashboard.i18n import language
from dashboard.reads import Night


def changes(night: Night, former: Night) -> list[str]:
    """One sentence for each thing that the release before this one said otherwise."""
    return briefing.changes.changes(night, former, Words(language()))
