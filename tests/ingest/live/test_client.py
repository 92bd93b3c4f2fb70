"""The client against a publisher that misbehaves in every way that was met or must be feared."""

# ruff: noqa: S105, S106  # names of headers and variables, and a key that opens nothing
from __future__ import annotations

import gzip
import io
import logging
import ssl
import subprocess
import threading
import time
from contextlib import redirect_stderr, redirect_stdout
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import structlog

from core.errors import SourceError
from core.settings import LiveSettings
from ingest import Answer, Request, SourceAccess
from ingest.http import Client
from tests.ingest.live.publisher import Asked, Publisher, Reply

SECRET = "s3cr3t-t0ken-of-none"


def access_to(publisher: Publisher, **changes: object) -> SourceAccess:
    fields = {"source_id": "tested", "addresses": {"page": publisher.address}, "pause_seconds": 0, **changes}
    return SourceAccess.model_validate(fields)


def ask(publisher: Publisher, quick: LiveSettings, *replies: Reply, **changes: object) -> Answer:
    """Put replies at one address and ask it once."""
    return Client(quick).get(Request(publisher.serve("/data/file.csv", *replies)), access_to(publisher, **changes))


def test_good_answer_has_its_body_and_only_headers_that_matter(publisher: Publisher, quick: LiveSettings) -> None:
    answer = ask(publisher, quick, Reply(b"1,2\n", headers={"ETag": '"x"', "Set-Cookie": "id=1"}))
    assert (answer.content, answer.status) == (b"1,2\n", 200)
    assert answer.headers["etag"] == '"x"'
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_busy_publisher_is_asked_again(publisher: Publisher, quick: LiveSettings, status: int) -> None:
    answer = ask(publisher, quick, Reply(b"busy", status), Reply(b"busy", status), Reply(b"here"))
    assert answer.content == b"here"
    assert len(publisher.asked) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 407, 409, 410, 413, 418, 424, 426, 428, 451, 501, 505])
def test_refusal_is_final(publisher: Publisher, quick: LiveSettings, status: int) -> None:
    with pytest.raises(SourceError, match=f"answered {status}"):
        ask(publisher, quick, Reply(b"no", status))
    assert len(publisher.asked) == 1


def test_wait_that_publisher_asks_for_is_kept(publisher: Publisher, quick: LiveSettings) -> None:
    begun = time.monotonic()
    with structlog.testing.capture_logs() as events:
        assert ask(publisher, quick, Reply(b"", 429, {"Retry-After": "1"}), Reply(b"here")).content == b"here"
    assert [event["wait_for"] for event in events] == [1]
    assert time.monotonic() - begun >= 1


@pytest.mark.parametrize("declared", [{}, {"Content-Encoding": "gzip"}])
def test_packed_answer_is_unpacked_whether_or_not_it_says_so(
    publisher: Publisher, quick: LiveSettings, declared: dict[str, str]
) -> None:
    assert ask(publisher, quick, Reply(gzip.compress(b"a\tb\n"), headers=declared)).content == b"a\tb\n"


@pytest.mark.parametrize("cut", [1, 8, 20, 100])
def test_packed_answer_that_was_cut_off_is_refused(publisher: Publisher, quick: LiveSettings, cut: int) -> None:
    packed = gzip.compress(bytes(range(256)) * 4)
    with pytest.raises(SourceError, match="the packed answer was cut off"):
        ask(publisher, quick, Reply(packed[:-cut]))
    assert len(publisher.asked) == 3


def test_answer_shorter_than_announced_is_asked_for_again(publisher: Publisher, quick: LiveSettings) -> None:
    assert ask(publisher, quick, Reply(b"half", announced=9), Reply(b"the whole")).content == b"the whole"
    with pytest.raises(SourceError, match="the answer was cut off"):
        ask(publisher, quick, Reply(b"half", announced=9))


def test_dripping_answer_is_cut_by_clock(publisher: Publisher, quick: LiveSettings) -> None:
    hurried = quick.model_copy(update={"total_seconds": 1.0})
    begun = time.monotonic()
    with pytest.raises(SourceError, match="took longer than 1 seconds"):
        ask(publisher, hurried, Reply(b"x" * 1000, drip=1.0))
    assert time.monotonic() - begun < 500
    assert len(publisher.asked) == 1


@pytest.mark.parametrize("announced", [None, 5_000_000_000])
def test_huge_answer_is_refused_before_it_fills_memory(
    publisher: Publisher, quick: LiveSettings, announced: int | None
) -> None:
    body = b"0" * 2_000_000 if announced is None else b"0"
    with pytest.raises(SourceError, match="larger than 1 MB"):
        ask(publisher, quick, Reply(body, announced=announced))


def test_answer_that_unpacks_to_something_huge_is_refused(publisher: Publisher, quick: LiveSettings) -> None:
    with pytest.raises(SourceError, match="larger than 1 MB"):
        ask(publisher, quick, Reply(gzip.compress(b"0" * 20_000_000)))


def test_redirect_on_same_host_is_followed(publisher: Publisher, quick: LiveSettings) -> None:
    publisher.serve("/new/file.csv", Reply(b"moved"))
    answer = ask(publisher, quick, Reply(b"", 302, {"Location": "/new/file.csv"}))
    assert answer.content == b"moved"
    assert answer.url.endswith("/data/file.csv")


def test_undeclared_redirect_is_refused(publisher: Publisher, quick: LiveSettings) -> None:
    publisher.serve("/new.csv", Reply(b"elsewhere"))
    away = Reply(b"", 301, {"Location": f"{publisher.foreign}/new.csv"})
    with pytest.raises(SourceError, match=r"'localhost', a host that is not declared for tested"):
        ask(publisher, quick, away)
    assert len(publisher.asked) == 1
    assert ask(publisher, quick, away, hosts=["localhost"]).content == b"elsewhere"


def test_maintenance_redirect_means_down(publisher: Publisher, quick: LiveSettings) -> None:
    down = Reply(b"", 302, {"Location": f"{publisher.foreign}/"})
    with pytest.raises(SourceError, match="down for maintenance"):
        ask(publisher, quick, down, maintenance_hosts=["localhost"])
    assert len(publisher.asked) == 1


def test_conditional_request_repeats_validators(publisher: Publisher, quick: LiveSettings) -> None:
    def answer(asked: Asked) -> Reply:
        fresh = asked.headers.get("if-none-match") == '"7"' and "if-modified-since" in asked.headers
        return Reply(b"", 304) if fresh else Reply(b"all")

    request = Request(publisher.serve("/f", answer))
    client = Client(quick)
    assert not client.get(request, access_to(publisher)).unchanged
    known = {"etag": '"7"', "last-modified": "Wed, 21 Oct 2026 07:28:00 GMT"}
    assert client.get(request, access_to(publisher), known).unchanged


@pytest.mark.parametrize(("agent", "word"), [("vigie", "Vigie/"), ("browser", "Mozilla/5.0")])
def test_browsers_name_is_given_only_where_it_is_declared(
    publisher: Publisher, quick: LiveSettings, agent: str, word: str
) -> None:
    ask(publisher, quick, Reply(b"x"), agent=agent)
    assert publisher.asked[0].headers["user-agent"].startswith(word)


def test_host_gets_one_request_at_time_with_pause_after_each(publisher: Publisher, quick: LiveSettings) -> None:
    times: list[float] = []

    def answer(_: Asked) -> Reply:
        times.append(time.monotonic())
        return Reply(b"x")

    client, request = Client(quick), Request(publisher.serve("/f", answer))
    slow = access_to(publisher, pause_seconds=0.15)
    threads = [threading.Thread(target=client.get, args=(request, slow)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(times) == 3
    assert min(times[1] - times[0], times[2] - times[1]) >= 0.15


def test_token_goes_to_publisher_and_nowhere_else(
    publisher: Publisher, quick: LiveSettings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TESTED_KEY", SECRET)
    caplog.set_level(logging.DEBUG)
    written = io.StringIO()
    request = Request(publisher.serve("/f", Reply(b"", 500), Reply(b"x")), token_query="key")
    refused = Request(publisher.serve("/g", Reply(SECRET.encode(), 403)), token_query="key")
    access = access_to(publisher, token="TESTED_KEY")
    with structlog.testing.capture_logs() as events, redirect_stdout(written), redirect_stderr(written):
        answer = Client(quick).get(request, access)
        with pytest.raises(SourceError) as error:
            Client(quick).get(refused, access)
    assert [asked.value("key") for asked in publisher.asked] == [SECRET] * 3
    for text in (str(events), caplog.text, written.getvalue(), str(error.value), repr(answer), repr(access)):
        assert SECRET not in text


def test_key_that_publisher_echoes_is_kept_nowhere(
    publisher: Publisher, quick: LiveSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TESTED_KEY", SECRET)
    echo = Reply(f"for {SECRET}".encode(), headers={"ETag": f'"{SECRET}-1"', "Content-Type": f"text/{SECRET}"})
    request = Request(publisher.serve("/f", echo), token_query="key")
    answer = Client(quick).get(request, access_to(publisher, token="TESTED_KEY"))
    assert SECRET not in repr(answer)
    assert "date" in answer.headers


@pytest.mark.parametrize("token", [None, "", "two words", f"{SECRET}\n", "clé"])
def test_missing_or_impossible_token_is_named_but_not_shown(
    publisher: Publisher, quick: LiveSettings, monkeypatch: pytest.MonkeyPatch, token: str | None
) -> None:
    monkeypatch.delenv("TESTED_KEY", raising=False)
    if token is not None:
        monkeypatch.setenv("TESTED_KEY", token)
    request = Request(publisher.serve("/f", Reply(b"x")), token_query="key")
    with pytest.raises(SourceError, match="TESTED_KEY") as error:
        Client(quick).get(request, access_to(publisher, token="TESTED_KEY"))
    assert not token or token not in str(error.value)
    assert publisher.asked == []


def test_token_does_not_follow_redirect_to_another_host(
    publisher: Publisher, quick: LiveSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TESTED_KEY", SECRET)
    publisher.serve("/new", Reply(b"x"))
    address = publisher.serve("/old", Reply(b"", 302, {"Location": f"{publisher.foreign}/new"}))
    access = access_to(publisher, token="TESTED_KEY", hosts=["localhost"])
    Client(quick).get(Request(address, token_query="key"), access)
    assert [bool(asked.values("key")) for asked in publisher.asked] == [True, False]


def test_proxy_of_environment_is_used(
    publisher: Publisher, quick: LiveSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", publisher.address)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    publisher.serve("/through", Reply(b"by proxy"))
    access = access_to(publisher, addresses={"page": "http://publisher.example"})
    assert Client(quick).get(Request("http://publisher.example/through"), access).content == b"by proxy"
    assert publisher.asked[0].headers["host"] == "publisher.example"


def test_unreachable_publisher_is_named(
    quick: LiveSettings, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, address = Client(quick), publisher.address
    publisher.close()
    for path in ("x", "y"):
        with pytest.raises(SourceError, match=rf"127.0.0.1/{path}: cannot be reached \(ConnectError\) \(3 times\)"):
            client.get(Request(f"{address}/{path}"), access_to(publisher))
        monkeypatch.setattr("ingest.http.anyio.run", lambda *_: pytest.fail("asked again"))


def test_link_to_another_host_is_never_asked(publisher: Publisher, quick: LiveSettings) -> None:
    publisher.serve("/x", Reply(b"x"))
    with pytest.raises(SourceError, match="is not declared"):
        Client(quick).get(Request(f"{publisher.foreign}/x"), access_to(publisher))
    assert publisher.asked == []


def test_certificate_that_nobody_vouches_for_is_refused(quick: LiveSettings, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-days", "2"]
    try:
        subprocess.run([*made, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no openssl here to make a certificate with")
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # the refusal is expected
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    address = f"https://127.0.0.1:{server.server_address[1]}"
    access = SourceAccess(source_id="tested", addresses={"page": address}, pause_seconds=0)
    with pytest.raises(SourceError, match=r"certificate cannot be verified$"):
        Client(quick).get(Request(f"{address}/x"), access)
    server.shutdown()
    server.server_close()
