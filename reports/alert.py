"""What a release says about one alert, in one reader's language."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from alerts.reasons import sentence
from alerts.rules import TEMPLATES
from core.languages import Language

Row = Mapping[Any, Any]


def alert_sentence(alert: Row, language: Language) -> str:
    """The alert's one sentence; the release's own where it names no template that this version knows."""
    key = str(alert.get("reason_key", ""))
    if key not in TEMPLATES:
        return str(alert.get("reason", ""))
    return sentence(key, json.loads(alert["reason_params"]), language)
