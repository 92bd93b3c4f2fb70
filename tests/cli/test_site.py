"""``vigie site build`` says which release it shows, which it passes over, and why it refuses."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from core.errors import InputError
from publish.site import Built
from tests.publish.site.conftest import ALERT, make_release

from .command_line import vigie


def test_site_build_names_the_release_and_what_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("publish.site.languages", lambda: ["en"])
    older, newer = make_release(tmp_path / "home"), make_release(tmp_path / "home", (ALERT,))
    said = vigie(tmp_path / "home", "site", "build", str(tmp_path / "site")).stdout
    assert f"{newer.run_id} is not shown" in said
    assert f"release {older.run_id}, as known on 2025-01-31" in said and "No --url" in said


@pytest.mark.parametrize("url", ["https://example.org/x", "https://example.org/x/"])
def test_site_build_takes_address_with_or_without_slash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    given = list[object]()

    def build(*options: object) -> Built:
        given.append(options[-1])
        return Built("run", dt.date(2025, 1, 31), (), 1, 0, 0)

    monkeypatch.setattr("publish.site.build_site", build)
    vigie(tmp_path, "site", "build", str(tmp_path / "site"), "--url", url)
    assert given == ["https://example.org/x/"]


@pytest.mark.parametrize("url", ["example.org", "ftp://example.org/", "https://example.org/?a=b"])
def test_site_build_refuses_what_is_no_web_address(tmp_path: Path, url: str) -> None:
    make_release(tmp_path)
    with pytest.raises(InputError, match="--url"):
        vigie(tmp_path, "site", "build", str(tmp_path / "site"), "--url", url)
