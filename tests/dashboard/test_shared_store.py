"""A page that hears nothing of the shared store keeps the last release, and says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from decisions.health import prometheus, read_health
from store.releases import Release

from .test_pages import visit, words

pytestmark = pytest.mark.slow


def heard(home: Path, since: str, reason: str) -> None:
    (home / "settings.toml").write_text('[store]\nurl = "s3://bucket/vigie"\n')
    (home / ".store").mkdir(exist_ok=True)
    contact = {"at": "2025-02-01T06:00:00+00:00", "since": since, "reason": reason}
    (home / ".store" / "contact.json").write_text(json.dumps(contact))


def test_page_says_since_when_no_news_came(home: Path, release: Release) -> None:
    heard(home, "2025-02-01T04:30:00+00:00", "s3://bucket/vigie/commits: the line was cut")
    said = words(visit("overview"))
    assert "No news from the shared store since 1 February 2025, 04:30 UTC." in said
    assert "the line was cut" not in said
    assert str(release.as_of.year) in said


def test_page_without_release_says_that_store_was_never_reached(home: Path) -> None:
    heard(home, "", "s3://bucket/vigie/commits: the line was cut")
    assert "The shared store has not been reached yet." in words(visit("overview"))


@pytest.mark.usefixtures("release")
def test_page_that_has_news_or_shares_nothing_says_nothing(home: Path) -> None:
    heard(home, "2025-02-01T06:00:00+00:00", "")
    assert "shared store" not in words(visit("overview"))
    heard(home, "", "left from a time when a store was shared")
    (home / "settings.toml").unlink()
    assert "shared store" not in words(visit("overview"))


@pytest.mark.usefixtures("release")
def test_monitoring_is_reported_too_and_not_where_store_is(home: Path) -> None:
    heard(home, "2025-02-01T04:30:00+00:00", "s3://bucket/vigie/commits: the line was cut")
    health = read_health(home)
    assert health.store == "no news since 2025-02-01T04:30:00+00:00"
    metrics = prometheus(health)
    assert "vigie_store_reached 0\n" in metrics
    assert "vigie_store_reached_timestamp_seconds 1738384200\n" in metrics
