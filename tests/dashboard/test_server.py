"""What is ready before the first reader comes, and how Streamlit's own files are handed out: from memory, packed."""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import httpx
import pytest
import streamlit
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from access.gate import Gate
from access.guard import LOGIN_HEADER, Guard, guard_of
from core.settings import PROJECT
from dashboard import server
from dashboard.layout import STYLE
from dashboard.server import (
    HUB_FILES,
    HUB_FOLDERS,
    StaticFiles,
    _hub_file,
    _hub_folder,
    address_to_open,
    application,
    has_screen,
    journal,
    options,
    preload_links,
)
from dashboard.streamlit_private import STATIC_ADDRESS as ADDRESS
from dashboard.streamlit_private import STATIC_FOLDER as FOLDER
from dashboard.streamlit_private import frame
from store.releases import Release, ReleaseStore
from store.releases.chain import Problem
from tests.servers import Server, wait_until

STATIC = Path(streamlit.__file__).parent / "static"
SCRIPT = next(path for path in sorted((FOLDER / "js").glob("*.js")) if path.stat().st_size > 5000)
FONT = next((FOLDER / "media").glob("*.woff2"))


@pytest.mark.slow
def test_browser_is_opened_once_the_server_answers(tmp_path: Path) -> None:
    seen, browser = tmp_path / "seen", tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {seen}.part && mv {seen}.part {seen}\n')
    browser.chmod(0o755)
    environment = {"DISPLAY": ":0", "BROWSER": f"{browser} %s"}
    with Server(tmp_path / "home", tmp_path / "log", environment=environment, headless=False) as server:
        wait_until(seen.exists)
        assert seen.read_text() == server.address


def test_where_there_is_no_screen_none_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert not has_screen()
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert has_screen()
    monkeypatch.delenv("WAYLAND_DISPLAY")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert has_screen()


@pytest.mark.slow
def test_everything_that_pages_need_is_loaded_and_left_out_of_the_search_for_garbage() -> None:
    program = "import gc, sys; from dashboard.server import load; load(); print(gc.get_freeze_count(), *sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True)
    frozen, *modules = done.stdout.split()
    pages = {path.stem for path in (PROJECT / "dashboard" / "pages").glob("[a-z]*.py")}
    parts = {path.stem for path in (PROJECT / "dashboard").glob("[a-z]*.py")}
    assert int(frozen) > len(gc.get_objects()) / 10
    assert {f"dashboard.{name}" for name in parts} <= set(modules)
    assert not {f"dashboard.pages.{name}" for name in pages} & set(modules)


@pytest.mark.parametrize("charts", [True, False], ids=["with charts", "without charts"])
def test_what_is_to_be_fetched_at_once_is_there(charts: bool) -> None:  # noqa: FBT001  # the case's own name
    addresses = [part.split(">")[0].strip(" <") for part in preload_links(charts=charts).split(", ")]
    assert all((STATIC / address.lstrip("/")).is_file() for address in addresses)
    assert any("PlotlyChart" in address for address in addresses) == charts


@pytest.mark.parametrize(("page", "charts"), [("/", True), ("/route", True), ("/data", False)])
def test_a_page_tells_the_browser_what_to_fetch(home: Path, page: str, charts: bool) -> None:  # noqa: FBT001  # as above
    assert ask(home, page, HTMLResponse("<p>page</p>")).headers["link"] == preload_links(charts=charts)


def test_a_file_tells_the_browser_nothing(home: Path) -> None:
    assert "link" not in ask(home, "/media/table.csv", PlainTextResponse("month,value")).headers


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])  # noqa: S104  # nothing is bound
@pytest.mark.parametrize(
    ("host", "origin", "passes"),
    [
        ("127.0.0.1:8501", "http://127.0.0.1:8501", True),
        ("localhost:9000", "http://localhost:9000", True),
        ("[::1]:8501", "http://[::1]:8501", True),
        ("vigie.example.org", "https://vigie.example.org", True),
        ("evil.example.org", "http://evil.example.org", False),
        ("evil.example.org:8501", "http://evil.example.org:8501", False),
        ("localhost:8501", "http://localhost:3000", False),
        ("localhost:8501", "app://localhost", False),
        ("localhost:8501", "https://localhost:8501", False),
        ("localhost:8501", "", False),
        ("", "http://localhost", False),
        ("vigie.example.org", "http://vigie.example.org", False),
        ("vigie.example.org:8501", "http://vigie.example.org:8501", False),
        ("localhost@evil.example.org", "http://localhost@evil.example.org", False),
        ("127.0.0.1.evil.example.org", "", False),
        ("192.168.1.4:8501", "http://192.168.1.4:8501", False),
    ],
)  # fmt: skip  # a case a line
def test_host_and_origin_are_held_without_a_login_too(
    home: Path,
    address: str,
    host: str,
    origin: str,
    passes: bool,  # noqa: FBT001  # a case of a table
) -> None:
    (home / "settings.toml").write_text('dashboard_url = "https://vigie.example.org:443"\n')
    reached: list[str] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        reached.append(scope["path"])

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(_message: Message) -> None:
        pass

    headers = [(b"host", host.encode()), *([(b"origin", origin.encode())] if origin else [])]
    scope = {"type": "websocket", "path": "/_stcore/stream", "headers": headers, "subprotocols": ["streamlit"]}
    asyncio.run(Gate(app, guard_of(home, address, 8501, journal), application())(scope, receive, send))
    assert bool(reached) == passes


@pytest.mark.parametrize("path", ["/", "/_stcore/health", "/healthz", "/media/x", "/static/x"])
def test_another_name_is_not_served_beyond_loopback_either(home: Path, path: str) -> None:
    gate = Gate(PlainTextResponse("figures"), guard_of(home, "0.0.0.0", 8501, journal), application())  # noqa: S104  # as above

    async def get(host: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(gate), base_url="http://127.0.0.1") as client:
            return await client.get(path, headers={"Host": host})

    assert [asyncio.run(get(host)).status_code for host in ("127.0.0.1:8501", "evil.example.org")] == [200, 400]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/hub/model-output/a-b/x.csv", 200),
        ("/hub/hub-config/tasks.json", 200),
        ("/hub/model-output/none.csv", 404),
        ("/hub/model-output/", 404),
        ("/hub/model-output/../../secret.csv", 404),
        ("/hub/model-output/%2e%2e/%2e%2e/secret.csv", 404),
        ("/hub/model-output/a-b/link.csv", 404),
        ("/hub/model-output/.hidden.csv", 404),
        ("/hub/model-output//etc/passwd", 404),
    ],
)
def test_a_hubs_files_are_served_and_nothing_beside_them(
    home: Path, monkeypatch: pytest.MonkeyPatch, path: str, status: int
) -> None:
    monkeypatch.setenv("VIGIE_HOME", str(home))
    folder = home / "published" / "hub"
    for name in (
        "hub/model-output/a-b/x.csv",
        "hub/hub-config/tasks.json",
        "hub/model-output/.hidden.csv",
        "secret.csv",
    ):
        (home / "published" / name).parent.mkdir(parents=True, exist_ok=True)
        (home / "published" / name).write_text("a")
    (folder / "model-output" / "a-b" / "link.csv").unlink(missing_ok=True)
    (folder / "model-output" / "a-b" / "link.csv").symlink_to(home / "published" / "secret.csv")
    routes = [Route(f"/hub/{one}/{{name:path}}", _hub_folder) for one in HUB_FOLDERS]
    answer = ask(home, path, Starlette(routes=routes))
    assert answer.status_code == status
    assert status == 404 or answer.headers["content-disposition"].startswith("attachment")


def test_a_table_of_the_hub_is_served_and_so_is_what_must_be_known_about_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIGIE_HOME", str(home))
    kinds = {}
    for name in ("hub_scores.csv", "hub_scores.csv.about.txt", "hub_scores.txt"):
        (home / "published" / "hub").mkdir(parents=True, exist_ok=True)
        (home / "published" / "hub" / name).write_text("a")
        answer = ask(home, f"{HUB_FILES}/{name}", Starlette(routes=[Route(f"{HUB_FILES}/{{name}}", _hub_file)]))
        kinds[name] = answer.status_code, answer.headers["content-type"].partition(";")[0]
    assert kinds == {
        "hub_scores.csv": (200, "text/csv"), "hub_scores.csv.about.txt": (200, "text/plain"),
        "hub_scores.txt": (404, "text/plain"),
    }  # fmt: skip


def test_hub_files_are_refused_beside_an_altered_release(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGIE_HOME", str(home))
    monkeypatch.setattr(server, "alteration", lambda *_given, **_more: Problem("run", "manifest.json", "was altered"))
    monkeypatch.setattr(ReleaseStore, "current", lambda _store: Release(home))
    (home / "published" / "hub" / "model-output").mkdir(parents=True)
    for name in ("hub_scores.csv", "model-output/x.csv"):
        (home / "published" / "hub" / name).write_text("a")
    routes = [Route("/hub/model-output/{name:path}", _hub_folder), Route(f"{HUB_FILES}/{{name}}", _hub_file)]
    for path in ("/hub/model-output/x.csv", f"{HUB_FILES}/hub_scores.csv"):
        assert ask(home, path, Starlette(routes=routes)).status_code == 503


def test_nobody_reads_a_hubs_files_without_a_login() -> None:
    assert {f"/hub/{one}" for one in HUB_FOLDERS} <= set(application().closed)


def ask(home: Path, path: str, answer: ASGIApp) -> httpx.Response:
    """What the gate makes of an answer."""
    gate = Gate(answer, guard_of(home, "127.0.0.1", 8501, journal), application())

    async def get() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(gate), base_url="http://127.0.0.1") as client:
            return await client.get(path)

    return asyncio.run(get())


def ask_file(address: str, method: str = "GET", encoding: str = "gzip") -> httpx.Response:
    behind = PlainTextResponse("from behind")

    async def get() -> httpx.Response:
        transport = httpx.ASGITransport(StaticFiles(behind, ["/", "/route"]))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.request(method, address, headers={"accept-encoding": encoding})

    return asyncio.run(get())


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_a_script_arrives_whole_and_may_be_kept_for_ever(encoding: str) -> None:
    answer = ask_file(f"{ADDRESS}js/{SCRIPT.name}", encoding=encoding)
    assert answer.content == SCRIPT.read_bytes()
    assert answer.headers.get("content-encoding", "identity") == encoding
    assert answer.headers["content-type"].startswith(("text/javascript", "application/javascript"))
    assert "immutable" in answer.headers["cache-control"]


def test_a_packed_script_is_smaller() -> None:
    size = int(ask_file(f"{ADDRESS}js/{SCRIPT.name}").headers["content-length"])
    assert size == len(gzip.compress(SCRIPT.read_bytes(), 6, mtime=0)) < SCRIPT.stat().st_size


def test_the_part_that_draws_charts_is_compiled_while_it_is_fetched() -> None:
    (charts,) = (FOLDER / "js").glob("PlotlyChart.*.js")
    answer = ask_file(f"{ADDRESS}js/{charts.name}")
    assert answer.content == b"//# allFunctionsCalledOnLoad\n" + charts.read_bytes()
    assert int(answer.headers["content-length"]) < charts.stat().st_size / 2


def test_a_font_is_not_packed_twice() -> None:
    answer = ask_file(f"{ADDRESS}media/{FONT.name}")
    assert "content-encoding" not in answer.headers
    assert answer.content == FONT.read_bytes()


@pytest.mark.parametrize(
    "address",
    [
        "/nowhere",
        "/route/",
        f"{ADDRESS}js/none.js",
        f"{ADDRESS}js/../../index.html",
        f"{ADDRESS}%2e%2e/index.html",
    ],
)
def test_everything_else_is_answered_behind(address: str) -> None:
    assert ask_file(address).text == "from behind"


def test_a_file_is_only_read() -> None:
    assert ask_file(f"{ADDRESS}js/{SCRIPT.name}", method="POST").text == "from behind"


def test_rules_of_style_come_with_the_frame_below_its_head_where_they_outweigh_streamlits_own() -> None:
    text = ask_file("/route").text
    assert text.index("</head>") < text.index(STYLE) < text.index("</body>")


@pytest.mark.parametrize("address", ["/", "/route"])
def test_the_frame_of_a_page_tells_the_browser_where_the_server_is_and_is_asked_for_every_time(address: str) -> None:
    answer = ask_file(address)
    assert answer.text.replace(f"<style>\n{STYLE}</style>", "") == frame()
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.text.index("BACKEND_BASE_URL") < answer.text.index('<script type="module"')


def stand_in_guard(*, login: bool) -> Guard:
    return cast(Guard, SimpleNamespace(access=SimpleNamespace(is_on=login), hosts=frozenset({"b", "a"})))


@pytest.mark.parametrize(
    ("address", "headless", "login", "opened"),
    [("127.0.0.1", False, False, "http://127.0.0.1:8501"), ("::1", False, False, "http://[::1]:8501"),
     ("127.0.0.1", True, False, ""), ("192.168.1.4", False, False, ""), ("127.0.0.1", False, True, "")],
)  # fmt: skip
def test_a_browser_is_opened_only_on_this_machine_where_nobody_signs_in(
    monkeypatch: pytest.MonkeyPatch, address: str, *, headless: bool, login: bool, opened: str
) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    assert address_to_open(address, 8501, stand_in_guard(login=login), headless=headless) == opened


@pytest.mark.parametrize("login", [False, True])
def test_streamlits_settings_are_not_left_to_chance_and_it_offers_nobody_to_install_things(*, login: bool) -> None:
    found = options("127.0.0.1", 8501, stand_in_guard(login=login))
    place = (found["server.address"], found["server.port"], found["server.allowedHosts"])
    assert place == ("127.0.0.1", 8501, ["a", "b"])
    assert json.loads(found["server.trustedUserHeaders"]) == ({LOGIN_HEADER: "login"} if login else {})
    on = ("server.headless", "server.enableXsrfProtection", "server.enableCORS")
    off = ("server.enableAgentApi", "runner.postScriptGC")
    assert [found[name] for name in (*on, *off)] == [True, True, True, False, False]
    assert (found["server.fileWatcherType"], found["client.showErrorDetails"]) == ("none", "none")
    assert found["theme.light.primaryColor"] == "#0F5C6E", "the file of settings travels with the package"
