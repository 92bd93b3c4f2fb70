"""The dashboard's server: Streamlit behind the gate. Started by ``vigie serve dashboard``.

It loads all that pages need before the first reader comes, and answers ``/healthz`` for load balancers and containers.
Streamlit's own files, nine megabytes for a first visit, are read and packed once and handed out from memory; a browser
preloads the parts that a page requests late, such as the one that draws charts, by far the largest.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import gzip
import importlib
import json
import mimetypes
import os
import pkgutil
import re
import sys
import threading
import time
import tomllib
import webbrowser
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import asynccontextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.starlette import App

import dashboard
from access.gate import MOST_BYTES, Application, Gate
from access.guard import LOGIN_HEADER, Guard, guard_of, login_routes
from core.errors import fault_of
from core.log import configure_logging
from core.settings import FEED, PROJECT, Settings, address_of, home_folder, is_loopback, load_settings
from dashboard import choose_language, speaking, streamlit_private
from dashboard.layout import HINTS_COOKIE, STYLE, page_scripts
from dashboard.pages import FORMER, page_titles
from decisions.health import HEALTH_PATH, answer
from publish import api
from store.journal import Journal
from store.mirror import Commit, RemoteFiles, pull_new_releases
from store.releases import ReleaseStore
from store.status import Contact, alteration, keep_contact

PAGE_SCRIPT = PROJECT / "app.py"
HUB_FILES = "/hub/files"
HUB_FOLDERS = ("hub-config", "model-metadata", "model-output", "target-data", "auxiliary-data")
_TEXT = {".json": "application/json", ".csv": "text/csv", ".parquet": "application/octet-stream"}
_DOOR_STYLE = "main {max-width: 40rem; margin: 15vh auto; padding: 0 1rem; font-family: sans-serif}"
_ALTERED = "The newest release is not as it was published."
_LOOK_AFTER, _OLDEST_LOOK = 5.0, 60.0
"""Seconds between two looks at the home, and age from which the newest one is no answer about health."""
_HUB_NAME = re.compile(r"hub_[a-z]+\.csv(\.about\.txt)?")
_WITHOUT_CHARTS = frozenset({"/data", "/access"})
_USED_LATER = ("plotly.io", "plotly.graph_objs.scatter", "plotly.graph_objs.bar")
"""Modules that libraries load by themselves, at the first chart or table."""
_PAGES = "dashboard.pages"
"""These draw when they are loaded, so they wait for a reader."""
_FOR_EVER = "public, immutable, max-age=31536000"
"""A file's name holds the hash of its content."""
_HINT = b"//# allFunctionsCalledOnLoad\n"
"""What Chromium compiles whole while it fetches it, beside the page's own thread (V8's explicit compile hints). Without
it the page stands still for a fifth of a second when its first chart arrives; to other browsers it is a comment."""
_PACKED_ALREADY = {".woff", ".woff2", ".png", ".jpg", ".gif", ".webp"}


def build(guard: Guard, *, opens: str = "") -> App:
    """The application: pages behind the gate, and the ways in and out where people sign in.

    Args:
        guard: Who may read.
        opens: An address that a browser of this machine is sent to once the server answers.

    Raises:
        InputError: The client secret is missing.
    """
    looks = Looks()
    routes: list[BaseRoute] = [Route(HEALTH_PATH, looks.respond), Route(f"{HUB_FILES}/{{name}}", _hub_file)]
    routes.append(Mount(api.PATH, api.application(guard)))
    routes += [Route(f"/hub/{folder}/{{name:path}}", _hub_folder) for folder in HUB_FOLDERS]
    routes += [Route(f"/{name}", _moved) for name in FORMER]
    routes += login_routes(guard) if guard.access.is_on else []
    layers = [
        Middleware(Gate, guard=guard, application=application()),
        Middleware(StaticFiles, pages=_page_paths()),
    ]

    @asynccontextmanager
    async def ready(_app: App) -> AsyncIterator[None]:
        load()
        await looks.look()
        looking = asyncio.create_task(looks.look_on())
        if opens:
            # The server listens right after this.
            asyncio.get_running_loop().call_later(1.0, webbrowser.open, opens)
        yield
        looking.cancel()

    return App(PAGE_SCRIPT, middleware=layers, routes=routes, lifespan=ready)


def application() -> Application:
    """What the gate must know of Streamlit and of our pages."""
    return Application(
        page=streamlit_private.frame() + page_scripts(),
        is_asked_by_page=streamlit_private.is_asked_by_page,
        begins_run=streamlit_private.begins_run,
        ends_run=streamlit_private.ends_run,
        way_cookie=streamlit_private.WAY_COOKIE,
        cookies=frozenset({streamlit_private.XSRF_COOKIE, HINTS_COOKIE}),
        closed=(*streamlit_private.CLOSED_PATHS, HUB_FILES, *(f"/hub/{one}" for one in HUB_FOLDERS), api.PATH),
        open=streamlit_private.OPEN_PATHS,
        metered=(api.PATH,),
        never=streamlit_private.NEVER_PATHS,
        metrics=streamlit_private.METRICS_PATH,
        immutable=streamlit_private.STATIC_ADDRESS,
        links=lambda path: preload_links(charts=path not in _WITHOUT_CHARTS),
        pages=frozenset(_page_paths()),
        door=door_page,
    )


def _page_paths() -> list[str]:
    return ["/", *(f"/{name}" for name in page_titles())]


@lru_cache(maxsize=64)
def door_page(asked: str, browser: str) -> str:
    """Return the page before a login as HTML; no script of a page runs for it.

    Args:
        asked: Language that the address asks for.
        browser: Languages that the browser asks for (``Accept-Language``), the first one first.
    """
    from dashboard.visitor import door  # noqa: PLC0415  # as above

    with speaking(code := choose_language(asked, browser.split(",", maxsplit=1)[0].split(";", maxsplit=1)[0].strip())):
        return (
            f'<!doctype html><html lang="{code}"><head><meta charset="utf-8"><title>Vigie</title>'
            f'<meta name="viewport" content="width=device-width"><style>{STYLE}{_DOOR_STYLE}</style></head>'
            f"<body><main>{door()}</main></body></html>"
        )


def journal() -> Journal:
    """The journal that pages use too."""
    from dashboard import reads  # noqa: PLC0415  # Streamlit's caches want its runtime, which is not there at the start

    return reads.journal()


def load() -> None:
    """Import every module that pages use, and take what is loaded out of the search for garbage.

    It goes through every function and class of the program and its libraries, which takes longer than most pages do.
    """
    names = [found.name for found in pkgutil.walk_packages(dashboard.__path__, "dashboard.") if found.name != _PAGES]
    for name in (*_USED_LATER, *(name for name in names if not name.startswith(f"{_PAGES}."))):
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


def _hub_file(request: Request) -> Response:
    """One of the hub's tables, or what must be known about it, as the newest night published it."""
    if _is_altered():
        return Response(_ALTERED, 503, media_type="text/plain")
    path = home_folder() / FEED / "hub" / request.path_params["name"]
    if not _HUB_NAME.fullmatch(path.name) or not path.is_file():
        return Response("There is no such file.", 404, media_type="text/plain")
    kind = _TEXT.get(path.suffix, "text/plain")
    return FileResponse(path, media_type=kind, headers={"Cache-Control": "no-store"})


def _hub_folder(request: Request) -> Response:
    """One file of the hub itself, as the newest night published it: never anything outside its folders."""
    if _is_altered():
        return Response(_ALTERED, 503, media_type="text/plain")
    root = (home_folder() / FEED / "hub" / request.scope["path"].split("/")[2]).resolve()
    path = (root / request.path_params["name"]).resolve()
    hidden = any(part.startswith(".") for part in request.path_params["name"].split("/"))
    if hidden or not path.is_relative_to(root) or not path.is_file():
        return Response("There is no such file.", 404, media_type="text/plain")
    kind = _TEXT.get(path.suffix, "text/plain")
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return FileResponse(path, media_type=kind, filename=path.name, headers=headers)


def _is_altered() -> bool:
    """Whether the newest release is not as it was published: then no file of the hub is handed out either."""
    home = home_folder()
    release = ReleaseStore(home).current()
    return release is not None and alteration(home, release, load_settings(home)) is not None


def _moved(request: Request) -> Response:
    """Send a former address to the page that took it in, with its query string."""
    query = f"&{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"/{FORMER[request.url.path.strip('/')]}{query}", 301)


class Looks:
    """Looks at the home every few seconds, and answers ``/healthz`` with the newest look.

    A look reads some hundred files and rows. Each time the thread waits for those of the pages, which add up to seconds
    while many people read, so an answer waits for none.
    """

    async def look(self) -> None:
        """Look at the home."""
        self._newest = await asyncio.to_thread(answer, home_folder(), HEALTH_PATH)
        self._at = time.monotonic()

    async def look_on(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_AFTER)
            await self.look()

    async def respond(self, _request: Request) -> Response:
        """Answer with the newest look; 503 where none ended within the last minute."""
        code, kind, body = self._newest
        is_old = time.monotonic() - self._at > _OLDEST_LOOK
        return Response(body, 503 if is_old else code, {"Cache-Control": "no-store"}, kind)


class Follower(threading.Thread):
    """Polls the store that a home's settings name, for a dashboard; it ends with the process."""

    def __init__(self, home: Path, settings: Settings) -> None:
        super().__init__(name="follower", daemon=True)
        self._home, self._settings = home, settings.store
        self._known: Commit | None = None
        self._over = threading.Event()

    def run(self) -> None:
        """Look, and wait, until the end."""
        self.look()
        while not self._over.wait(self._settings.poll_seconds):
            self.look()

    def stop(self) -> None:
        """End; a look that is under way is waited for."""
        self._over.set()
        self.join()

    def look(self) -> Contact:
        """Look once: take over what is new, and keep how it went for pages and monitoring."""
        try:
            self._known = pull_new_releases(self._home, RemoteFiles(self._settings.url), self._known)
        except Exception as error:  # an unexpected answer must not end the thread
            return keep_contact(self._home, str(fault_of(error)))
        return keep_contact(self._home, "")


def options(address: str, port: int, guard: Guard) -> dict[str, Any]:
    """Return all of Streamlit's settings: those of the file, and over them those of this server.

    Streamlit reads ``.streamlit/config.toml`` itself in a checkout only: a wheel holds it as ``streamlit.toml``.
    """
    of_file = tomllib.loads(Path(__file__).with_name("streamlit.toml").read_text(encoding="utf-8"))
    return dict(_dotted(of_file)) | {
        "server.address": address,
        "server.port": port,
        # Else Streamlit offers a browser of this machine to install things for programmers' assistants.
        "server.headless": True,
        "server.baseUrlPath": "",
        "server.enableXsrfProtection": True,
        "server.enableCORS": True,
        "server.enableAgentApi": False,
        "server.trustedUserHeaders": json.dumps({LOGIN_HEADER: "login"} if guard.access.is_on else {}),
        "server.fileWatcherType": "none",
        "server.allowedHosts": sorted(guard.hosts),
        "client.showErrorDetails": "none",
        "client.showErrorLinks": False,
        "logger.hideWelcomeMessage": True,
        # Else Streamlit searches for garbage after each run of a page, through what all readers' sessions hold: with
        # 200 of them that takes longer than the pages. Python searches by itself once enough has gathered.
        "runner.postScriptGC": False,
    }


def _dotted(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _dotted(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(prog="dashboard.server")
    parser.add_argument("--address", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--headless", action="store_true")
    given = parser.parse_args()
    configure_logging()
    guard = guard_of(home_folder(), given.address, given.port, journal)
    if guard.cookie_secret:
        os.environ[streamlit_private.COOKIE_SECRET_VARIABLE] = guard.cookie_secret
    if (settings := load_settings(home_folder())).store.url:
        Follower(home_folder(), settings).start()
    # Streamlit takes its folder of settings, and the first place to import from, from here.
    sys.argv = [str(PAGE_SCRIPT)]
    streamlit_private.limit_messages(MOST_BYTES)
    streamlit_private.send_at_once()
    streamlit_private.end_half_open_requests()
    opens = address_to_open(given.address, given.port, guard, headless=given.headless)
    build(guard, opens=opens).run(config=options(given.address, given.port, guard))


def address_to_open(address: str, port: int, guard: Guard, *, headless: bool) -> str:
    """Return the address to open in a browser, on a machine with a screen and without a login; else empty."""
    alone = headless or guard.access.is_on or not is_loopback(address) or not has_screen()
    return "" if alone else address_of(address, port)


def has_screen() -> bool:
    """Whether a browser can be opened: on Linux without a display, one of text would take the terminal."""
    return sys.platform != "linux" or bool({"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys())


class StaticFiles:
    """ASGI middleware in front of Streamlit: its files and the frame of every page, from memory and packed.

    Args:
        app: Answers what is no such file.
        pages: Where a page stands: all have the same frame.
    """

    def __init__(self, app: ASGIApp, pages: Collection[str] = ()) -> None:
        self._app = app
        self._files = {
            f"{streamlit_private.STATIC_ADDRESS}{path.relative_to(streamlit_private.STATIC_FOLDER).as_posix()}": path
            for path in streamlit_private.STATIC_FOLDER.rglob("*.*")
        } | dict.fromkeys(pages, streamlit_private.FRAME)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from memory where a file of Streamlit's is asked for."""
        path = self._files.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "GET" else None
        if path is None:
            await self._app(scope, receive, send)
            return
        packed = "gzip" in Headers(scope=scope).get("accept-encoding", "")
        body, headers = _answer(path, packed=packed)
        await Response(body, headers=headers)(scope, receive, send)


@lru_cache(maxsize=1024)
def _answer(path: Path, *, packed: bool) -> tuple[bytes, Mapping[str, str]]:
    body = _dressed(streamlit_private.frame()).encode() if path == streamlit_private.FRAME else path.read_bytes()
    if path.name.startswith(streamlit_private.CHART_LIBRARY) and path.suffix == ".js":
        body = _HINT + body
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    headers = {
        "content-type": kind,
        "cache-control": "no-cache" if path == streamlit_private.FRAME else _FOR_EVER,
        "vary": "Accept-Encoding",
    }
    if packed and path.suffix not in _PACKED_ALREADY:
        body = gzip.compress(body, compresslevel=6, mtime=0)
        headers["content-encoding"] = "gzip"
    return body, headers


def _dressed(page: str) -> str:
    """Rules of style reach the browser before what they are for: charts drawn without them would be drawn again.

    They stand below the head, where Streamlit's own are put, since of two equal rules the last one counts.
    """
    return page.replace("</body>", f"<style>\n{STYLE}</style></body>", 1)


@lru_cache(maxsize=2)
def preload_links(*, charts: bool) -> str:
    """The value of a ``Link`` header; empty where Streamlit's files are named otherwise."""
    patterns = (
        (*streamlit_private.TEXT_PARTS, *streamlit_private.CHART_PARTS) if charts else streamlit_private.TEXT_PARTS
    )
    found = [path for pattern in patterns for path in sorted(streamlit_private.STATIC_FOLDER.glob(pattern))]
    return ", ".join(_link(path) for path in found)


def _link(path: Path) -> str:
    address = f"<{streamlit_private.STATIC_ADDRESS}{path.parent.name}/{path.name}>"
    if path.suffix == ".js":
        return f"{address}; rel=modulepreload; crossorigin"
    return f'{address}; rel=preload; as=font; type="font/woff2"; crossorigin'


if __name__ == "__main__":
    main()
