"""A web server that answers as publishers do, faults included, for tests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request as it arrived; header names in lower case."""

    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.query if key == name]

    def value(self, name: str) -> str:
        return self.values(name)[0]


@dataclass(frozen=True)
class Reply:
    """One answer.

    Attributes:
        announced: ``Content-Length`` where it differs from the body's.
        drip: Seconds between single bytes.
        silent: Seconds before anything is sent.
    """

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    announced: int | None = None
    drip: float = 0
    silent: float = 0


Answerer = Callable[[Asked], Reply]


class Publisher:
    """The server. ``asked`` holds every request in order; what no path answers is 404."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._answers: dict[str, Answerer] = {}
        self.closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def foreign(self) -> str:
        """The same server under another host's name."""
        return f"http://localhost:{self.port}"

    def serve(self, path: str, *replies: Reply | Answerer) -> str:
        """Answer a path with these replies in turn, the last one for ever; returns its whole address."""
        left = list(replies)

        def answer(asked: Asked) -> Reply:
            reply = left.pop(0) if len(left) > 1 else left[0]
            return reply if isinstance(reply, Reply) else reply(asked)

        self._answers[path] = answer
        return self.address + path

    def answer_at(self, path: str) -> Answerer:
        """What answers a path now."""
        return self._answers.get(path, lambda _: Reply(b"not found", 404))

    def reply(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        return self.answer_at(asked.path)(asked)

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


def _handler(publisher: Publisher) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the library's name
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = publisher.reply(Asked(parts.path, parse_qsl(parts.query), headers))
            publisher.closing.wait(reply.silent)
            with suppress(OSError):
                self._send(reply)

        def _send(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            length = len(reply.body) if reply.announced is None else reply.announced
            self.send_header("Content-Length", str(length))
            self.send_header("Connection", "close")
            self.end_headers()
            if not reply.drip:
                self.wfile.write(reply.body)
                return
            for byte in reply.body:
                if publisher.closing.is_set():
                    return
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(reply.drip)

        def do_HEAD(self) -> None:  # the library's name
            publisher.asked.append(Asked(f"HEAD {self.path}", [], {}))
            self.send_error(405)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
            """Say nothing."""

    return Handler


def browsers_only(reply: Reply) -> Callable[[Asked], Reply]:
    """What a web application firewall answers."""

    def answer(asked: Asked) -> Reply:
        known = asked.headers.get("user-agent", "").startswith("Mozilla/")
        return reply if known else Reply(b"<html>Access denied</html>", 403)

    return answer
