"""What is ready before the first reader comes, and how Streamlit's own files are handed out: from memory, packed."""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
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
    _moved,
    application,
    journal,
    options,
)
from dashboard.streamlit_private import STATIC_ADDRESS as ADDRESS
from dashboard.streamlit_private import STATIC_FOLDER as FOLDER
from dashboard.streamlit_private import frame
from publish import api
from store.releases import Problem, Release, ReleaseStore

SCRIPT = next(path for path in sorted((FOLDER / "js").glob("*.js")) if path.stat().st_size > 5000)


@pytest.mark.slow
def test_page_modules_are_preloaded() -> None:
    program = "import gc, sys; from dashboard.server import load; load(); print(gc.get_freeze_count(), *sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True)
    frozen, *modules = done.stdout.split()
    pages = {path.stem for path in (PROJECT / "dashboard" / "pages").glob("[a-z]*.py")}
    parts = {path.stem for path in (PROJECT / "dashboard").glob("[a-z]*.py")}
    assert int(frozen) > len(gc.get_objects()) / 10
    assert {f"dashboard.{name}" for name in parts} <= set(modules)
    assert not {"matplotlib", *(f"dashboard.pages.{name}" for name in pages)} & set(modules)


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
def test_host_and_origin_are_held_without_login_too(
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
def test_hubs_files_are_served_and_nothing_beside_them(
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


def test_hub_files_are_refused_beside_altered_release(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGIE_HOME", str(home))
    monkeypatch.setattr(server, "alteration", lambda *_given, **_more: Problem("run", "manifest.json", "was altered"))
    monkeypatch.setattr(ReleaseStore, "current", lambda _store: Release(home))
    (home / "published" / "hub" / "model-output").mkdir(parents=True)
    for name in ("hub_scores.csv", "model-output/x.csv"):
        (home / "published" / "hub" / name).write_text("a")
    routes = [Route("/hub/model-output/{name:path}", _hub_folder), Route(f"{HUB_FILES}/{{name}}", _hub_file)]
    for path in ("/hub/model-output/x.csv", f"{HUB_FILES}/hub_scores.csv"):
        assert ask(home, path, Starlette(routes=routes)).status_code == 503


def test_health_waits_for_no_look(monkeypatch: pytest.MonkeyPatch) -> None:
    looks, hung = server.Looks(), threading.Event()
    found = iter([(200, "text/plain", "first")])
    monkeypatch.setattr(server, "answer", lambda *_given: next(found, None) or hung.wait())
    monkeypatch.setattr(server, "_LOOK_AFTER", 0.0)

    async def statuses() -> list[int]:
        await looks.look()
        looking = asyncio.create_task(looks.look_on())
        seen = []
        for later in (0.0, 59.0, 61.0):
            await asyncio.sleep(0.01)
            monkeypatch.setattr(server, "time", SimpleNamespace(monotonic=lambda at=later: looks._at + at))
            seen.append((await looks.respond(cast(Request, None))).status_code)
        hung.set()
        looking.cancel()
        return seen

    assert asyncio.run(statuses()) == [200, 200, 503]


def test_interface_stands_behind_login_and_meter() -> None:
    assert api.PATH in application().closed
    assert api.PATH in application().metered


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
def test_script_arrives_whole_and_may_be_kept_for_ever(encoding: str) -> None:
    answer = ask_file(f"{ADDRESS}js/{SCRIPT.name}", encoding=encoding)
    assert answer.content == SCRIPT.read_bytes()
    assert answer.headers.get("content-encoding", "identity") == encoding
    assert answer.headers["content-type"].startswith(("text/javascript", "application/javascript"))
    assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize("address", ["/", "/route"])
def test_frame_names_server_and_is_not_cached(address: str) -> None:
    answer = ask_file(address)
    assert answer.text.replace(f"<style>\n{STYLE}</style>", "") == frame()
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.text.index("BACKEND_BASE_URL") < answer.text.index('<script type="module"')


def stand_in_guard(*, login: bool) -> Guard:
    return cast(Guard, SimpleNamespace(access=SimpleNamespace(is_on=login), hosts=frozenset({"b", "a"})))


@pytest.mark.parametrize("login", [False, True])
def test_streamlit_settings_are_fixed(*, login: bool) -> None:
    found = options("127.0.0.1", 8501, stand_in_guard(login=login))
    place = (found["server.address"], found["server.port"], found["server.allowedHosts"])
    assert place == ("127.0.0.1", 8501, ["a", "b"])
    assert json.loads(found["server.trustedUserHeaders"]) == ({LOGIN_HEADER: "login"} if login else {})
    on = ("server.headless", "server.enableXsrfProtection", "server.enableCORS")
    off = ("server.enableAgentApi", "runner.postScriptGC")
    assert [found[name] for name in (*on, *off)] == [True, True, True, False, False]
    assert (found["server.fileWatcherType"], found["client.showErrorDetails"]) == ("none", "none")
    assert found["theme.light.primaryColor"] == "#0F5C6E", "the file of settings travels with the package"


@pytest.mark.parametrize(
    ("former", "place"),
    [
        ("/year_ahead", "/route?view=year"),
        ("/hub?route=CMR&lang=fr", "/evaluation?part=hub&route=CMR&lang=fr"),
        ("/about?lang=es", "/data?part=method&lang=es"),
        ("/method?model=vigie-baseline", "/data?part=method&model=vigie-baseline"),
    ],
)
def test_former_address_leads_to_page_with_its_query(home: Path, former: str, place: str) -> None:
    found = ask(home, former, Starlette(routes=[Route(former.partition("?")[0], _moved)]))
    assert (found.status_code, found.headers["location"]) == (301, place)
