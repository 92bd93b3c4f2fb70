"""The browser's part of the program and the frame of every page, handed out from memory and packed.

It comes in some hundred files, nine megabytes for a first visit. Streamlit reads each from disk at every request and
sends it as it is. Here each is read and packed once: a first visit takes a third of the network, and the server's
processor is free for pages. And a browser is told beforehand of the parts that a page asks for late, such as the one
that draws charts, by far the largest: it fetches and compiles them while the server works the page out.
"""

from __future__ import annotations

import gzip
import mimetypes
from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboard.streamlit_private import (
    CHART_LIBRARY,
    CHART_PARTS,
    FRAME,
    STATIC_ADDRESS,
    STATIC_FOLDER,
    TEXT_PARTS,
    frame,
)

_FOR_EVER = "public, immutable, max-age=31536000"
"""A file's name holds the hash of its content."""
STYLE = (Path(__file__).parent / "assets" / "style.css").read_text("utf-8")
_HINT = b"//# allFunctionsCalledOnLoad\n"
"""What Chromium compiles whole while it fetches it, beside the page's own thread (V8's explicit compile hints). Without
it the page stands still for a fifth of a second when its first chart arrives; to other browsers it is a comment."""
_PACKED_ALREADY = {".woff", ".woff2", ".png", ".jpg", ".gif", ".webp"}


class StaticFiles:
    """ASGI middleware in front of Streamlit.

    Args:
        app: Answers what is no such file.
        pages: Where a page stands: all have the same frame.
    """

    def __init__(self, app: ASGIApp, pages: Collection[str] = ()) -> None:
        self._app = app
        self._files = {
            f"{STATIC_ADDRESS}{path.relative_to(STATIC_FOLDER).as_posix()}": path for path in STATIC_FOLDER.rglob("*.*")
        } | dict.fromkeys(pages, FRAME)

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
    body = _dressed(frame()).encode() if path == FRAME else path.read_bytes()
    if path.name.startswith(CHART_LIBRARY) and path.suffix == ".js":
        body = _HINT + body
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    headers = {
        "content-type": kind,
        "cache-control": "no-cache" if path == FRAME else _FOR_EVER,
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
    """The value of a ``Link`` header; empty where Streamlit's files are named otherwise.

    Args:
        charts: Whether the page draws charts.
    """
    patterns = (*TEXT_PARTS, *CHART_PARTS) if charts else TEXT_PARTS
    found = [path for pattern in patterns for path in sorted(STATIC_FOLDER.glob(pattern))]
    return ", ".join(_link(path) for path in found)


def _link(path: Path) -> str:
    address = f"<{STATIC_ADDRESS}{path.parent.name}/{path.name}>"
    if path.suffix == ".js":
        return f"{address}; rel=modulepreload; crossorigin"
    return f'{address}; rel=preload; as=font; type="font/woff2"; crossorigin'
