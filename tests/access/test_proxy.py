"""The examples of a reverse proxy: the real programs take them, and answer alike, with headers and flags."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from streamlit.web.server.starlette.starlette_app_utils import generate_xsrf_token_string
from websockets.asyncio.client import connect
from websockets.typing import Origin, Subprotocol

from core.settings import PROJECT
from tests.servers import free_port, wait_until

from .conftest import Dashboard
from .wire import COOKIE, PATIENCE, XSRF

NAME = "vigie.example.org"


PROXIES = {"nginx": "nginx.conf", "caddy": "Caddyfile"}


@pytest.fixture(scope="module", params=PROXIES)
def proxy(
    request: pytest.FixtureRequest, dashboard: Dashboard, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[int]:
    """Run an example with only ports, certificate and upstream address replaced; yields its port."""
    name: str = request.param
    for tool in (name, "openssl"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not on the path")
    folder, upstream = tmp_path_factory.mktemp(name), dashboard.base.removeprefix("http://")
    secure, key, certificate = free_port(), folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    names = ["-days", "2", "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"]
    subprocess.run([*command, *names, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    text = (PROJECT / "deploy" / PROXIES[name]).read_text(encoding="utf-8")
    line = _nginx(text, folder, secure, upstream) if name == "nginx" else _caddy(text, folder, secure, upstream)
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(line, stdout=log, stderr=log, env={**os.environ, "HOME": str(folder)})
    try:
        wait_until(lambda: server.poll() is not None or _listens(secure))
        assert server.poll() is None, (folder / "log").read_text()
        yield secure
    finally:
        server.terminate()
        server.wait(timeout=PATIENCE)


def _listens(port: int) -> bool:
    with socket.socket() as visitor:
        return visitor.connect_ex(("127.0.0.1", port)) == 0


def _changed(text: str, changes: dict[str, str]) -> str:
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def _nginx(text: str, folder: Path, port: int, upstream: str) -> list[str]:
    changes = {
        "listen [::]:": "#", "listen 80;": f"listen 127.0.0.1:{free_port()};", "listen 443": f"listen 127.0.0.1:{port}",
        "/etc/ssl/vigie/fullchain.pem": f"{folder}/certificate.pem", "/etc/ssl/vigie/key.pem": f"{folder}/key.pem",
        "127.0.0.1:8501": upstream, "proxy_set_header Host $host;": "proxy_set_header Host 127.0.0.1;",
    }  # fmt: skip
    (folder / "vigie.conf").write_text(_changed(text, changes), encoding="utf-8")
    temporary = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "".join(f"{name}_temp_path {folder}/{name};\n" for name in temporary)
    main = folder / "main.conf"
    main.write_text(
        f"pid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
        f"http {{\naccess_log {folder}/access.log;\n{places}include {folder}/vigie.conf;\n}}\n"
    )
    checked = subprocess.run(["nginx", "-t", "-c", str(main)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    return ["nginx", "-c", str(main), "-g", "daemon off;"]


def _caddy(text: str, folder: Path, port: int, upstream: str) -> list[str]:
    tls = f"bind 127.0.0.1\n\ttls {folder}/certificate.pem {folder}/key.pem"
    changes = {
        f"{NAME} {{": f"https://{NAME}:{port} {{\n\t{tls}",
        "reverse_proxy 127.0.0.1:8501 {": f"reverse_proxy {upstream} {{\n\t\theader_up Host 127.0.0.1",
    }
    own = "{\n\tadmin off\n\tauto_https disable_redirects\n}\n"
    (folder / "Caddyfile").write_text(own + _changed(text, changes), encoding="utf-8")
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


def ask(port: int, path: str, method: str = "GET", content: bytes = b"") -> httpx.Response:
    with httpx.Client(verify=False, timeout=PATIENCE) as client:  # noqa: S501  # a certificate that the test made
        url, name = f"https://127.0.0.1:{port}{path}", {"sni_hostname": NAME}
        return client.request(method, url, headers={"Host": NAME}, extensions=name, content=content)


@pytest.mark.parametrize(("path", "status"), [("/", 200), ("/media/x.csv", 401), ("/metrics", 404)])
def test_every_answer_carries_each_header_of_protection_once(proxy: int, path: str, status: int) -> None:
    answer = ask(proxy, path)
    assert answer.status_code == status
    for name, value in (
        ("strict-transport-security", "max-age=31536000; includeSubDomains"), ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"), ("x-frame-options", "DENY"),
    ):  # fmt: skip
        assert answer.headers.get_list(name) == [value]
    assert all("frame-ancestors 'none'" in one for one in answer.headers.get_list("content-security-policy"))
    assert answer.headers.get("server", "nginx") == "nginx"


def test_cookies_go_over_https_alone(proxy: int) -> None:
    for path in ("/_stcore/health", "/auth/logout"):
        for cookie in ask(proxy, path).headers.get_list("set-cookie"):
            assert "secure" in cookie.lower()
            assert cookie.lower().count("samesite") == 1


def test_large_body_and_machines_figures_stop_at_proxy(proxy: int) -> None:
    assert ask(proxy, "/_stcore/upload_file/a/b", "PUT", content=b"x" * 12_000_000).status_code == 413
    assert ask(proxy, "/_stcore/metrics").status_code == 404
    assert ask(proxy, "/_stcore/agent/openapi.json").status_code == 404


def test_another_name_is_not_answered(proxy: int) -> None:
    with httpx.Client(verify=False, timeout=PATIENCE) as client, pytest.raises(httpx.HTTPError):  # noqa: S501  # as above
        client.get(f"https://127.0.0.1:{proxy}/", extensions={"sni_hostname": "evil.example.org"})


def test_websocket_passes(proxy: int, dashboard: Dashboard) -> None:
    token = generate_xsrf_token_string()
    cookies = f"{XSRF}={token}; {COOKIE}={dashboard.cookie('vera', 'viewer')}"

    async def subprotocol() -> str | None:
        # Not the client with threads: it reads and writes one TLS connection at the same time, which OpenSSL forbids.
        # While it reads the session ticket of TLS 1.3, its request can get lost before it is sent.
        async with connect(
            f"wss://{NAME}/_stcore/stream", host="127.0.0.1", port=proxy,
            ssl=ssl._create_unverified_context(),  # noqa: S323  # as above
            subprotocols=[Subprotocol("streamlit"), Subprotocol(token)], open_timeout=PATIENCE,
            origin=Origin(dashboard.base), additional_headers={"Cookie": cookies},
        ) as connection:  # fmt: skip
            return connection.subprotocol

    assert asyncio.run(subprotocol()) == "streamlit"


@pytest.mark.parametrize(
    ("name", "setting"), [("nginx", r"keepalive_timeout (\d+)s;"), ("caddy", r"keepalive (\d+)s\n")]
)
def test_proxy_closes_idle_upstream_connections_first(name: str, setting: str) -> None:
    (seconds,) = re.findall(setting, (PROJECT / "deploy" / PROXIES[name]).read_text(encoding="utf-8"))
    assert int(seconds) < uvicorn.Config("", log_config=None).timeout_keep_alive
