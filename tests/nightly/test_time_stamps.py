"""A release's hash is certified by a time-stamp authority, and anyone can check the certificate."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from core.settings import OperationSettings, Settings
from nightly.night import stamp
from store.journal import Journal, journal_url
from store.releases import Release, ReleaseStore
from tests.dashboard.conftest import publish
from tests.servers import free_port

CONFIGURATION = """
[req]
distinguished_name = name
[name]
[authority]
extendedKeyUsage = critical,timeStamping
[tsa]
default_tsa = local
[local]
serial = serial
default_policy = 1.2.3.4.1
digests = sha256
signer_digest = sha256
"""


def openssl(folder: Path, *words: str) -> bytes:
    return subprocess.run(["openssl", *words], cwd=folder, capture_output=True, check=True).stdout


@pytest.fixture
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Address of a local authority, and the folder with its certificate ``cert.pem``."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here to make an authority with")
    folder = tmp_path_factory.mktemp("authority")
    (folder / "tsa.cnf").write_text(CONFIGURATION)
    openssl(
        folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=authority", "-days", "2", "-keyout",
        "key.pem", "-out", "cert.pem", "-config", "tsa.cnf", "-extensions", "authority",
    )  # fmt: skip

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the standard library's name
            (folder / "query").write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            words = ["-config", "tsa.cnf", "-queryfile", "query", "-signer", "cert.pem", "-inkey", "key.pem"]
            reply = b"busy" if self.path == "/busy" else openssl(folder, "ts", "-reply", *words)
            self.send_response(200)
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *_args: object) -> None:
            """Stay silent."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", folder
    server.shutdown()
    server.server_close()
    thread.join()


def stamped(home: Path, release: Release, address: str) -> list[str]:
    settings = Settings(operation=OperationSettings(time_authority=address))
    with closing(Journal(journal_url("", home))) as journal:
        return stamp(home, settings, journal, release)


def test_stamp_of_a_release_is_checked_without_vigie(tmp_path: Path, authority: tuple[str, Path]) -> None:
    address, folder = authority
    release = publish(tmp_path)
    (line,) = stamped(tmp_path, release, address)
    reply = tmp_path / line.removeprefix("time stamp: ")
    check = ["ts", "-verify", "-in", str(reply), "-CAfile", "cert.pem", "-digest"]
    openssl(folder, *check, str(ReleaseStore(tmp_path).head()))
    with pytest.raises(subprocess.CalledProcessError):
        openssl(folder, *check, "0" * 64)


@pytest.mark.parametrize("path", ["/busy", ""])
def test_authority_that_certifies_nothing_is_named(tmp_path: Path, authority: tuple[str, Path], path: str) -> None:
    address = f"{authority[0]}{path}" if path else f"http://127.0.0.1:{free_port()}"
    (line,) = stamped(tmp_path, publish(tmp_path), address)
    assert line.startswith("no time stamp: time-stamp authority 127.0.0.1:")
    assert not (tmp_path / "published" / "time_stamps").exists()


def test_night_without_an_authority_asks_none(tmp_path: Path) -> None:
    assert stamped(tmp_path, publish(tmp_path), "") == []
