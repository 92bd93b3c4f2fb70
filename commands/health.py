"""``vigie health``: a small server for monitoring, apart from the dashboard, on loopback unless told otherwise."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.shared import Home
from core.settings import home_folder

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

_FRESH_SECONDS = 2.0
"""An answer is given again for so long: whoever asks in a loop must not keep the disk busy."""


def health(
    home: Home = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535)] = 8502,
    address: Annotated[str, typer.Option("--address", help="Address to listen at.")] = "127.0.0.1",
    once: Annotated[bool, typer.Option("--once", help="Print /healthz once; exit 0: ok, 1: not.")] = False,
) -> None:
    """Serve /healthz and /metrics for monitoring."""
    from desk.health import HEALTH_PATH, answer  # noqa: PLC0415  # the desk opens only where it is asked

    folder = home_folder(home)
    if once:
        code, _, body = answer(folder, HEALTH_PATH)
        typer.echo(body, nl=False)
        raise typer.Exit(0 if code == 200 else 1)
    import uvicorn  # noqa: PLC0415  # only this command serves

    typer.echo(f"http://{address}:{port}{HEALTH_PATH}   (Ctrl+C ends it)")
    uvicorn.run(application(folder), host=address, port=port, log_level="warning", server_header=False)


def application(home: Path) -> Starlette:
    """The server's application: answers GET and HEAD only."""
    from starlette.applications import Starlette  # noqa: PLC0415  # only this command serves
    from starlette.responses import Response  # noqa: PLC0415  # as above
    from starlette.routing import Route  # noqa: PLC0415  # as above

    from desk.health import answer  # noqa: PLC0415  # the desk opens only where it is asked

    kept: dict[str, tuple[float, tuple[int, str, str]]] = {}

    def respond(request: Request) -> Response:
        path = request.url.path
        at, told = kept.get(path, (0.0, (0, "", "")))
        if not told[0] or time.monotonic() - at > _FRESH_SECONDS:
            told = answer(home, path)
            if told[0] != 404:
                kept[path] = (time.monotonic(), told)
        return Response(told[2], told[0], {"Cache-Control": "no-store"}, told[1])

    return Starlette(routes=[Route("/{path:path}", respond)])
