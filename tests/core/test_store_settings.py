"""The shared store's address: what is taken, and that no secret stands in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InputError
from core.settings import load_settings


def _with_url(home: Path, url: str) -> str:
    (home / "settings.toml").write_text(f'[store]\nurl = "{url}"\n')
    return load_settings(home).store.url


@pytest.mark.parametrize("url", ["s3://bucket/vigie", "file:///srv/shared", "gs://bucket", ""])
def test_an_address_is_taken_as_it_is(tmp_path: Path, url: str) -> None:
    assert _with_url(tmp_path, url) == url


def test_a_slash_at_the_end_means_nothing(tmp_path: Path) -> None:
    assert _with_url(tmp_path, "s3://bucket/vigie/") == "s3://bucket/vigie"


@pytest.mark.parametrize("url", ["sftp://me:word@host/folder", "s3://bucket/vigie?key=secret"])
def test_credentials_in_an_address_are_refused_and_not_repeated(tmp_path: Path, url: str) -> None:
    with pytest.raises(InputError, match="in the environment") as refused:
        _with_url(tmp_path, url)
    assert "word" not in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_plain_path_is_no_address(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"store\.url.*file:///folder"):
        _with_url(tmp_path, "srv/shared")


def test_the_environment_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGIE_STORE_URL", "s3://other/vigie")
    assert _with_url(tmp_path, "s3://bucket/vigie") == "s3://other/vigie"
