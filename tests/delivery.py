"""A release of alerts alone, and settings that send each to two mail readers and a webhook."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from core.release import RELEASE, REQUIRED
from store.releases import About, ReleaseStore
from tests.receivers import Mailbox, Requests
from tests.release_tables import whole_release

READERS = ("duty@example.org", "night@example.org")


def settings_text(mailbox: Mailbox, requests: Requests) -> str:
    """Settings that send each alert to two mail readers and one webhook."""
    return f"""
[delivery]
briefing = false
first_wait_seconds = 0
longest_seconds = 3600
longest_wait_seconds = 0
silence_days = 0

[delivery.channels.mail]
kind = "email"
host = "127.0.0.1"
port = {mailbox.port}
security = "none"
sender = "Vigie <vigie@example.org>"

[delivery.channels.hook]
kind = "webhook"
url = "{requests.url}"

[[delivery.subscriptions]]
name = "desk"
channel = "mail"
to = ["{READERS[0]}", "{READERS[1]}"]

[[delivery.subscriptions]]
name = "system"
channel = "hook"
"""


def publish(home: Path, alert_ids: Sequence[str]) -> None:
    """A release with these alerts and nothing else."""
    same: dict[str, Any] = {
        "alert_level": "warning", "source_id": "", "reason": "Likely to pass 5,000.", "probability": 0.6,
        "threshold": 5000.0, "first_period": "2025-02", "last_period": "2025-04", "horizon": 1, "change": "new",
        "intended_use": "reception",
    }  # fmt: skip
    alerts = pd.DataFrame({"alert_id": list(alert_ids)}).assign(**same)
    routes = alerts["alert_id"].str.split(".").str[1]
    alerts = alerts.assign(rule=alerts["alert_id"], route_id=routes, series_id="arrivals." + routes + "._T._T.M")
    frames = {name: RELEASE[name].empty() for name in REQUIRED} | {"alerts": alerts}
    about = About(dt.date(2025, 1, 31), "0.1.0", {}, {"snapshot": "0" * 64})
    ReleaseStore(home).publish(whole_release(frames), {"sources.json": "{}"}, about)
