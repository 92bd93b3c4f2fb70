"""What Vigie rests on in Streamlit without its promise is there: each test fails where a new Streamlit differs."""

from __future__ import annotations

import ast
import asyncio
import re
import socket
from asyncio.selector_events import _SelectorTransport  # type: ignore[attr-defined]  # not public
from functools import cache
from unittest.mock import MagicMock

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.web.server.starlette import starlette_server
from streamlit.web.server.starlette.starlette_app import create_streamlit_routes
from streamlit.web.server.starlette.starlette_app_utils import generate_xsrf_token_string
from streamlit.web.server.starlette.starlette_server_config import XSRF_COOKIE_NAME
from uvicorn.server import ServerState

from access.guard import CALLBACK_PATH, LOGIN_PATH, LOGOUT_PATH
from core.settings import PROJECT
from dashboard import streamlit_private
from dashboard.streamlit_private import begins_run, ends_run
from tests.servers import LONGEST_SECONDS


@cache
def browser_part() -> str:
    """Every script of Streamlit's browser part."""
    files = sorted((streamlit_private.STATIC_FOLDER / "js").glob("*.js"))
    return "\n".join(path.read_text("utf-8", "ignore") for path in files)


def test_page_sends_back_token_that_it_was_given() -> None:
    token, cookies = generate_xsrf_token_string(), {XSRF_COOKIE_NAME: ""}
    assert not streamlit_private.is_asked_by_page(["streamlit", token], cookies)
    assert not streamlit_private.is_asked_by_page(["streamlit"], {XSRF_COOKIE_NAME: token})
    assert streamlit_private.is_asked_by_page(["streamlit", token], {XSRF_COOKIE_NAME: token})


def test_size_of_messages_is_set_where_server_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starlette_server, "_get_uvicorn_config_kwargs", starlette_server._get_uvicorn_config_kwargs)
    assert starlette_server._get_uvicorn_config_kwargs()["ws_max_size"] > 1
    streamlit_private.limit_messages(1)
    assert starlette_server._get_uvicorn_config_kwargs()["ws_max_size"] == 1


def test_run_begins_with_rerun_and_ends_unless_it_begins_anew() -> None:
    asks, beats, ends = BackMsg(), BackMsg(), ForwardMsg()
    asks.rerun_script.page_name = "route"
    beats.app_heartbeat = True
    assert [begins_run(one.SerializeToString()) for one in (asks, beats)] == [True, False]
    assert not begins_run(b"\xff no message")
    found = []
    for end in (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_EARLY_FOR_RERUN):
        ends.script_finished = end
        found.append(ends_run(ends.SerializeToString()))
    assert found == [True, False]
    ends.delta.new_element.markdown.body = "x"
    assert not ends_run(ends.SerializeToString())


def test_half_open_request_ends_and_slow_answer_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starlette_server, "_get_uvicorn_config_kwargs", starlette_server._get_uvicorn_config_kwargs)
    assert streamlit_private.HALF_OPEN_SECONDS <= 10
    monkeypatch.setattr(streamlit_private, "HALF_OPEN_SECONDS", 0.1)
    streamlit_private.end_half_open_requests()
    protocol = starlette_server._get_uvicorn_config_kwargs()["http"]
    is_over = asyncio.Event()

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await asyncio.wait_for(is_over.wait(), LONGEST_SECONDS)  # longer than a request's head may take
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    async def answers() -> list[bytes]:
        config, loop = uvicorn.Config(app, log_config=None), asyncio.get_running_loop()
        state = ServerState()
        server = await loop.create_server(lambda: protocol(config, state, {}), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        found = []
        whole, half = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / HTTP/1.1\r\nHo"
        pairs = [await asyncio.open_connection("127.0.0.1", port) for _request in range(3)]
        for (_reader, writer), sent in zip(pairs, (whole, half, b""), strict=True):
            writer.write(sent)
        assert _SelectorTransport.max_size > streamlit_private._READ_AT_ONCE, "asyncio reads no more than that at once"
        for reader, _writer in pairs[1:]:
            found.append(await asyncio.wait_for(reader.read(), LONGEST_SECONDS))
        is_over.set()
        found.append(await asyncio.wait_for(pairs[0][0].readuntil(b"ok"), LONGEST_SECONDS))
        for _reader, writer in pairs:
            writer.close()
        server.close()
        return found

    nothing, nothing_either, answer = asyncio.run(answers())
    assert (nothing, nothing_either, answer[:15]) == (b"", b"", b"HTTP/1.1 200 OK")


def test_answer_does_not_wait_for_browsers_receipt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starlette_server, "_bind_socket", starlette_server._bind_socket)
    streamlit_private.send_at_once()
    listening = starlette_server._bind_server_socket("127.0.0.1", "127.0.0.1", 0, 1)[0]
    with listening, socket.create_connection(listening.getsockname()[:2]):
        connection, _address = listening.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


def test_no_file_or_message_passes_under_path_that_is_not_closed() -> None:
    """Every route of the application is closed, open to everybody on purpose, or part of the empty page."""
    on_purpose = {*streamlit_private.OPEN_PATHS, LOGIN_PATH, LOGOUT_PATH, CALLBACK_PATH, "/", ""}
    paths = [str(getattr(route, "path", "")) for route in create_streamlit_routes(MagicMock())]
    left = [
        path
        for path in paths
        if path not in on_purpose and not any(path.startswith(one) for one in streamlit_private.CLOSED_PATHS)
    ]
    assert {path.split("{")[0] for path in left} <= {"/", "/static", ""}, left
    for path in {streamlit_private.METRICS_PATH, *streamlit_private.OPEN_PATHS, *streamlit_private.NEVER_PATHS}:
        assert any(one.startswith(path) for one in paths)


def test_every_part_that_style_sheet_dresses_exists_and_is_named() -> None:
    sheets = [*(PROJECT / "dashboard").rglob("*.css"), *(PROJECT / "dashboard").rglob("*.py")]
    used = set(re.findall(r'data-testid\^?="(\w[\w-]*)"', "\n".join(path.read_text("utf-8") for path in sheets)))
    assert used == streamlit_private.STYLED_PARTS
    assert not [name for name in used if name.removesuffix("-primary") not in browser_part()]


def test_no_other_module_imports_private_part() -> None:
    public = {"streamlit", "streamlit.starlette"}
    for path in [PROJECT / "app.py", *(PROJECT / "dashboard").rglob("*.py")]:
        tree = ast.parse(path.read_text("utf-8"))
        found = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        found |= {one.name for node in ast.walk(tree) if isinstance(node, ast.Import) for one in node.names}
        private = {name for name in found if name.split(".")[0] == "streamlit"} - public
        assert not private or path.stem == "streamlit_private", f"{path.name}: {private}"
