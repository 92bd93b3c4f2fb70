"""Which names and origins a dashboard answers to, whose session a request names, and how many connections one has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import cast

import pytest

from access import Actor, Person
from access.guard import LONGEST_DEBT, LOOPBACK_HOSTS, SESSION_COOKIE, Bucket, Guard, guard_of, host_name, own_names
from core.errors import InputError, StoreError
from core.settings import PROJECT, SHORTEST_COOKIE_SECRET, load_settings
from store.journal import Journal


def guard(home: Path, origin: str = "https://vigie.example.org", address: str = "127.0.0.1") -> Guard:
    """The guard of a dashboard without a journal."""

    def no_journal() -> Journal:
        raise StoreError("journal: disk is full")

    return Guard(home, load_settings(home).access, origin, own_names(address), "", no_journal)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("vigie.example.org", "vigie.example.org"), ("VIGIE.example.org:8501", "vigie.example.org"),
        ("vigie.example.org.", "vigie.example.org"), ("[::1]:8501", "::1"), ("127.0.0.1:8501", "127.0.0.1"),
        ("", ""), ("a@vigie.example.org", ""), ("vigie.example.org/x", ""), ("vigie.example.org:0", ""),
        ("vigie.example.org:x", ""), ("[::1", ""),
    ],
)  # fmt: skip
def test_host_name_drops_port_and_dot(host: str, name: str) -> None:
    assert host_name(host) == name


@pytest.mark.parametrize(
    ("address", "others"),
    [
        ("127.0.0.1", set()), ("localhost", set()), ("::1", set()), ("0.0.0.0", set()), ("::", set()), ("[::]", set()),  # noqa: S104  # nothing is bound
        ("", set()), ("10.0.0.7", {"10.0.0.7"}), ("[FD00::7]", {"fd00::7"}),
    ],
)  # fmt: skip
def test_server_has_name_of_its_one_address(address: str, others: set[str]) -> None:
    assert own_names(address) == LOOPBACK_HOSTS | others


@pytest.mark.parametrize(
    ("origin", "host", "trusted"),
    [
        ("https://vigie.example.org", "vigie.example.org", True), ("https://vigie.example.org", "127.0.0.1:8501", True),
        ("http://127.0.0.1:8501", "127.0.0.1:8501", True), ("http://127.0.0.1:8502", "127.0.0.1:8501", False),
        ("https://127.0.0.1:8501", "127.0.0.1:8501", False), ("http://vigie.example.org", "vigie.example.org", False),
        ("http://evil.example.org", "evil.example.org", False), ("", "", False),
    ],
)  # fmt: skip
def test_page_is_trusted_by_scheme_name_and_port(tmp_path: Path, origin: str, host: str, *, trusted: bool) -> None:
    assert guard(tmp_path).trusts(origin, host) is trusted


def test_https_cookie_name_rejects_neighbours(tmp_path: Path) -> None:
    assert guard(tmp_path).own_cookie(SESSION_COOKIE) == f"__Host-{SESSION_COOKIE}"
    assert guard(tmp_path, "http://127.0.0.1:8501").own_cookie(SESSION_COOKIE) == SESSION_COOKIE


def test_unreadable_journal_admits_nobody(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text(
        'dashboard_url = "http://127.0.0.1"\n[access]\nprovider = "http://127.0.0.1/none"\nclient_id = "vigie"\n'
    )
    closed = guard(tmp_path)
    session = "a" * 64
    assert closed.login("") is None
    assert closed.login(session) is None
    closed.end(session)
    closed.refused(Actor("ada"), "request", "/x")
    with pytest.raises(StoreError):
        closed.begin(Person("ada", "issuer|ada", ()))


def test_place_is_given_back_however_connection_ends(tmp_path: Path) -> None:
    one = guard(tmp_path)
    with pytest.raises(KeyboardInterrupt), one.place("ada", 1) as first:
        assert first
        with one.place("ada", 1) as second:
            assert not second
        with one.place("ada", 2) as third:
            assert third, "one that was refused gives no place back"
        raise KeyboardInterrupt
    with one.place("ada", 1) as is_free:
        assert is_free
    assert one._open == {}


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Vigie.example.org:443/", "https://vigie.example.org"),
        ("https://vigie.example.org:8443", "https://vigie.example.org:8443"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("https://vigie.example.org:80", "https://vigie.example.org:80"),
    ],
)
def test_origin_is_as_browser_writes_it(tmp_path: Path, url: str, origin: str) -> None:
    (tmp_path / "settings.toml").write_text(f'dashboard_url = "{url}"\n')
    found = guard_of(tmp_path, "127.0.0.1", 8501, lambda: cast(Journal, None))
    assert found.origin == origin
    assert found.cookie_secret == "", "without a login there is nothing to keep secret"


def test_with_login_secret_of_some_length_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "settings.toml").write_text(
        'dashboard_url = "http://127.0.0.1"\n[access]\nprovider = "http://127.0.0.1/none"\nclient_id = "vigie"\n'
    )
    variable = load_settings(tmp_path).access.cookie_secret_env
    monkeypatch.setenv(variable, "x" * SHORTEST_COOKIE_SECRET)
    assert (
        guard_of(tmp_path, "127.0.0.1", 8501, lambda: cast(Journal, None)).cookie_secret == "x" * SHORTEST_COOKIE_SECRET
    )
    monkeypatch.setenv(variable, "x" * (SHORTEST_COOKIE_SECRET - 1))
    with pytest.raises(InputError, match=variable):
        guard_of(tmp_path, "127.0.0.1", 8501, lambda: cast(Journal, None))


def test_each_test_that_page_on_threats_names_is_there() -> None:
    lines = (PROJECT / "docs" / "threats.md").read_text(encoding="utf-8").splitlines()
    named = re.findall(r"`(tests/[\w/]*test_\w+\.py)`", "\n".join(lines))
    assert len(lines) <= 70
    assert [name for name in named if not (PROJECT / name).is_file()] == []
    table = [line for line in lines if line.startswith("| ") and "what stops it" not in line and line.count("|") == 4]
    assert [line for line in table if "test_" not in line] == []


def test_bucket_gives_burst_and_then_rate() -> None:
    bucket = Bucket(2, 3, 3, 0.0)
    assert [bucket.take(0.0) for _message in range(5)] == [0, 0, 0, 0.5, 1.0]
    assert bucket.take(10.0) == 0
    assert bucket.tokens == 2, "no more than the burst was saved up"


def test_bucket_debt_is_bounded() -> None:
    bucket = Bucket(2, 3, 3, 0.0)
    assert max(bucket.take(0.0) for _message in range(1000)) == LONGEST_DEBT
    assert bucket.take(LONGEST_DEBT + 1) == 0


def test_buckets_are_per_reader_and_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("access.guard._MOST_BUCKETS", 2)
    one = guard(tmp_path)
    ada = one.bucket_of("ada")
    one.bucket_of("ben")
    assert one.bucket_of("ada") is ada
    one.bucket_of("eve")
    assert list(one._buckets) == ["ada", "eve"]
