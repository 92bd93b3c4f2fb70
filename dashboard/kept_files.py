"""The browser's part of the program, handed out from memory and packed.

It comes in some hundred files, nine megabytes for a first visit. Streamlit reads each from disk at every request and
sends it as it is. Here each is read and packed once: a first visit takes a third of the network, and the server's
processor is free for pages.
"""

from __future__ import annotations

import gzip
import mimetypes
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import streamlit
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

FOLDER = Path(streamlit.__file__).parent / "static" / "static"
ADDRESS = "/static/"
_FOR_EVER = "public, immutable, max-age=31536000"
"""A file's name holds the hash of its content."""
_NEEDED_WHOLE = "PlotlyChart."
_HINT = b"//# allFunctionsCalledOnLoad\n"
"""What Chromium compiles whole while it fetches it, beside the page's own thread (V8's explicit compile hints). Without
it the page stands still for a fifth of a second when its first chart arrives; to other browsers it is a comment."""
_PACKED_ALREADY = {".woff", ".woff2", ".png", ".jpg", ".gif", ".webp"}


class KeptFiles:
    """ASGI middleware in front of Streamlit.

    Args:
        app: Answers what is no such file.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._files = {f"{ADDRESS}{path.relative_to(FOLDER).as_posix()}": path for path in FOLDER.rglob("*.*")}

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
    body = path.read_bytes()
    if path.name.startswith(_NEEDED_WHOLE) and path.suffix == ".js":
        body = _HINT + body
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    headers = {"content-type": kind, "cache-control": _FOR_EVER, "vary": "Accept-Encoding"}
    if packed and path.suffix not in _PACKED_ALREADY:
        body = gzip.compress(body, compresslevel=6, mtime=0)
        headers["content-encoding"] = "gzip"
    return body, headers
