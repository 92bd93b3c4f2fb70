"""Real receivers on loopback that keep what they are handed: a mail server and an HTTP server."""

from __future__ import annotations

import email
import email.policy
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.servers import LONGEST_SECONDS, free_port


@dataclass
class Mailbox:
    """A mail server's memory.

    Attributes:
        port: Where it listens on 127.0.0.1.
        mails: What was taken, in order.
        answers: Replies by reader's address, in place of ``250 OK``: ``550 unknown``.
        pause_seconds: How long it takes to answer.
    """

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    pause_seconds: float = 0

    async def handle_RCPT(  # noqa: N802  # name and parameters are aiosmtpd's
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take or refuse a reader."""
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        """Keep a mail."""
        content = envelope.content
        raw = content if isinstance(content, bytes) else str(content).encode()
        self.mails.append(email.message_from_bytes(raw, policy=email.policy.default))
        if self.pause_seconds:
            time.sleep(self.pause_seconds)
        return "250 OK"


@contextmanager
def mail_server(pause_seconds: float = 0) -> Iterator[Mailbox]:
    """Run a mail server."""
    port = free_port()  # the controller connects to its own port after the start, so it must be known before
    mailbox = Mailbox(port=port, pause_seconds=pause_seconds)
    controller = Controller(mailbox, hostname="127.0.0.1", port=port, ready_timeout=LONGEST_SECONDS)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()


@dataclass
class Requests:
    """An HTTP server's memory.

    Attributes:
        url: Where it listens.
        taken: Headers and JSON of each request, in order.
        status: What it answers; called with the number of the request, from 0.
        pause_seconds: How long it takes to answer.
    """

    url: str = ""
    taken: list[tuple[dict[str, str], Any]] = field(default_factory=list)
    status: Callable[[int], int] = lambda _number: 204
    pause_seconds: float = 0


@contextmanager
def http_server(pause_seconds: float = 0) -> Iterator[Requests]:
    """Run an HTTP server."""
    memory = Requests(pause_seconds=pause_seconds)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the standard library's name
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            memory.taken.append((dict(self.headers), json.loads(body)))
            if memory.pause_seconds:
                time.sleep(memory.pause_seconds)
            self.send_response(memory.status(len(memory.taken) - 1))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    memory.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
