"""What is tried before a night, without a night."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from decisions.health import LEAST_FREE_MEGABYTES, check_settings

ENOUGH = LEAST_FREE_MEGABYTES * 1_000_000


@pytest.mark.parametrize(
    ("free", "problem"),
    [(ENOUGH, ""), (ENOUGH - 1, f": {LEAST_FREE_MEGABYTES - 1} MB are free; {LEAST_FREE_MEGABYTES} MB should be")],
)
def test_free_space_limit_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, problem: str) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=free))
    (found,) = (check for check in check_settings(tmp_path) if check.what == "home folder")
    assert found.problem == (problem and f"{tmp_path}{problem}")
    assert bool(found.advice) == bool(problem)


def tried(home: Path, settings: str) -> dict[str, str]:
    """What is wrong with each thing that is tried, by its name, in the order of the trying."""
    (home / "settings.toml").write_text(settings)
    return {check.what: check.problem for check in check_settings(home)}


def test_only_configured_services_are_tried(tmp_path: Path) -> None:
    assert list(tried(tmp_path, "")) == ["settings", "home folder", "journal"]
    broken = tried(tmp_path, "rubbish")
    assert list(broken) == ["settings", "home folder"]
    assert broken["settings"]
    nowhere = [(check.what, bool(check.problem)) for check in check_settings(tmp_path / "nowhere")]
    assert nowhere == [("settings", False), ("home folder", True)], "a journal is not made where there is no home"


@pytest.mark.parametrize(
    ("url", "reached"),
    [
        ("https://vigie.example.org", True), ("https://vigie.example.org:8443/x", True),
        ("http://127.0.0.1:8501", False),
        ("http://localhost", False), ("http://[::1]:8501", False),
    ],
)  # fmt: skip
def test_message_links_must_be_reachable(tmp_path: Path, url: str, *, reached: bool) -> None:
    channel = '[delivery.channels.desk]\nkind = "webhook"\nurl = "http://127.0.0.1:9/x"\n'
    subscription = '[[delivery.subscriptions]]\nname = "desk"\nchannel = "desk"\n'
    found = tried(tmp_path, f'dashboard_url = "{url}"\n{channel}{subscription}')
    assert (found["dashboard_url"] == "") is reached
    assert "dashboard_url" not in tried(tmp_path, f'dashboard_url = "{url}"\n{channel}'), "no message is sent"
