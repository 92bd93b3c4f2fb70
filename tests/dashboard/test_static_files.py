"""Streamlit's own files are handed out from memory, whole, packed where the browser takes that, and nothing else is."""

from __future__ import annotations

import asyncio
import gzip

import httpx
import pytest
from starlette.responses import PlainTextResponse

from dashboard.static_files import STYLE, StaticFiles
from dashboard.streamlit_private import STATIC_ADDRESS as ADDRESS
from dashboard.streamlit_private import STATIC_FOLDER as FOLDER
from dashboard.streamlit_private import frame

SCRIPT = next(path for path in sorted((FOLDER / "js").glob("*.js")) if path.stat().st_size > 5000)
FONT = next((FOLDER / "media").glob("*.woff2"))


def ask(address: str, method: str = "GET", encoding: str = "gzip") -> httpx.Response:
    behind = PlainTextResponse("from behind")

    async def get() -> httpx.Response:
        transport = httpx.ASGITransport(StaticFiles(behind, ["/", "/route"]))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.request(method, address, headers={"accept-encoding": encoding})

    return asyncio.run(get())


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_a_script_arrives_whole_and_may_be_kept_for_ever(encoding: str) -> None:
    answer = ask(f"{ADDRESS}js/{SCRIPT.name}", encoding=encoding)
    assert answer.content == SCRIPT.read_bytes()
    assert answer.headers.get("content-encoding", "identity") == encoding
    assert answer.headers["content-type"].startswith(("text/javascript", "application/javascript"))
    assert "immutable" in answer.headers["cache-control"]


def test_a_packed_script_is_smaller() -> None:
    size = int(ask(f"{ADDRESS}js/{SCRIPT.name}").headers["content-length"])
    assert size == len(gzip.compress(SCRIPT.read_bytes(), 6, mtime=0)) < SCRIPT.stat().st_size


def test_the_part_that_draws_charts_is_compiled_while_it_is_fetched() -> None:
    (charts,) = (FOLDER / "js").glob("PlotlyChart.*.js")
    answer = ask(f"{ADDRESS}js/{charts.name}")
    assert answer.content == b"//# allFunctionsCalledOnLoad\n" + charts.read_bytes()
    assert int(answer.headers["content-length"]) < charts.stat().st_size / 2


def test_a_font_is_not_packed_twice() -> None:
    answer = ask(f"{ADDRESS}media/{FONT.name}")
    assert "content-encoding" not in answer.headers
    assert answer.content == FONT.read_bytes()


@pytest.mark.parametrize(
    "address",
    [
        "/nowhere",
        "/route/",
        f"{ADDRESS}js/none.js",
        f"{ADDRESS}js/../../index.html",
        f"{ADDRESS}%2e%2e/index.html",
    ],
)
def test_everything_else_is_answered_behind(address: str) -> None:
    assert ask(address).text == "from behind"


def test_a_file_is_only_read() -> None:
    assert ask(f"{ADDRESS}js/{SCRIPT.name}", method="POST").text == "from behind"


def test_rules_of_style_come_with_the_frame_below_its_head_where_they_outweigh_streamlits_own() -> None:
    text = ask("/route").text
    assert text.index("</head>") < text.index(STYLE) < text.index("</body>")


@pytest.mark.parametrize("address", ["/", "/route"])
def test_the_frame_of_a_page_tells_the_browser_where_the_server_is_and_is_asked_for_every_time(address: str) -> None:
    answer = ask(address)
    assert answer.text.replace(f"<style>\n{STYLE}</style>", "") == frame()
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.text.index("BACKEND_BASE_URL") < answer.text.index('<script type="module"')
