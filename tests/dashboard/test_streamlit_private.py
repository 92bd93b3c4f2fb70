"""What Vigie rests on in Streamlit without its promise is there: each test fails where a new Streamlit differs."""

from __future__ import annotations

import ast
import random
import re
from functools import cache
from pathlib import Path
from unittest.mock import MagicMock

import pytest
import streamlit as st
from streamlit import user_info
from streamlit.web.server.starlette.starlette_app import create_streamlit_routes
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from core.settings import PROJECT
from dashboard import streamlit_private

SITE, SECRET = "https://vigie.example.org", "s" * 40
PACKAGE = Path(st.__file__).parent


@cache
def browser_part() -> str:
    """Every script of Streamlit's browser part."""
    files = sorted((streamlit_private.STATIC_FOLDER / "js").glob("*.js"))
    return "\n".join(path.read_text("utf-8", "ignore") for path in files)


@cache
def server_part() -> str:
    return "\n".join(path.read_text("utf-8") for path in sorted((PACKAGE / "web").rglob("*.py")))


@pytest.mark.parametrize("size", [10, 20_000], ids=["in one cookie", "in several"])
def test_claims_are_read_as_streamlit_writes_them(size: int) -> None:
    from streamlit.auth_util import set_cookie_with_chunks  # noqa: PLC0415  # private, and known to this test alone

    cookies: dict[str, str] = {}

    def sign(name: str, value: str) -> bytes:
        return create_signed_value(SECRET, name, value)

    def write(name: str, value: str) -> None:
        cookies[name] = sign(name, value).decode()

    claims = {
        "origin": SITE,
        "is_logged_in": True,
        "email": "ada@example.org",
        "filler": random.Random(3).randbytes(size).hex(),  # noqa: S311  # it does not compress, and that is all
    }
    set_cookie_with_chunks(write, sign, streamlit_private.LOGIN_COOKIES[0], claims, cookie_attr_size=80)
    assert (len(cookies) > 1) == (size > 10)
    assert streamlit_private.claims_of(cookies, SECRET, SITE) == claims
    broken = {name: value[:-2] + "xx" for name, value in cookies.items()}
    assert streamlit_private.claims_of(broken, SECRET, SITE) == {}


@pytest.mark.parametrize("cookie", streamlit_private.LOGIN_COOKIES)
def test_streamlit_names_its_cookies_so(cookie: str) -> None:
    assert f'"{cookie}"' in server_part() + (PACKAGE / "auth_util.py").read_text("utf-8")


def test_no_file_message_or_upload_passes_under_a_path_that_is_not_closed() -> None:
    """Every route of the application is closed, open to everybody on purpose, or part of the empty page."""
    on_purpose = {*streamlit_private.OPEN_PATHS, "/auth/login", streamlit_private.LOGOUT_PATH}
    on_purpose |= {streamlit_private.CALLBACK_PATH, "/", ""}
    paths = [str(getattr(route, "path", "")) for route in create_streamlit_routes(MagicMock())]
    left = [
        path
        for path in paths
        if path not in on_purpose and not any(path.startswith(one) for one in streamlit_private.CLOSED_PATHS)
    ]
    assert {path.split("{")[0] for path in left} <= {"/", "/static", ""}, left
    for path in {streamlit_private.METRICS_PATH, *streamlit_private.OPEN_PATHS}:
        assert path in paths


def test_login_and_logout_lead_where_the_gate_looks() -> None:
    assert user_info.AUTH_LOGOUT_ENDPOINT == streamlit_private.LOGOUT_PATH
    assert streamlit_private.CALLBACK_PATH.strip("/") in server_part()


def test_the_server_takes_the_cookies_key_from_the_environment() -> None:
    from streamlit import config  # noqa: PLC0415  # as above

    assert config._config_options_template["server.cookieSecret"].env_var == streamlit_private.COOKIE_SECRET_VARIABLE


def test_the_page_around_every_page_holds_its_scripts() -> None:
    text = streamlit_private.FRAME.read_text("utf-8")
    assert streamlit_private.STATIC_ADDRESS.strip("/") in text
    assert "<script" in text


@pytest.mark.parametrize("pattern", [*streamlit_private.TEXT_PARTS, *streamlit_private.CHART_PARTS])
def test_each_part_to_be_fetched_at_once_is_there(pattern: str) -> None:
    assert list(streamlit_private.STATIC_FOLDER.glob(pattern))


def test_every_part_that_the_style_sheet_dresses_exists_and_is_named() -> None:
    sheets = [*(PROJECT / "dashboard").rglob("*.css"), *(PROJECT / "dashboard").rglob("*.py")]
    used = set(re.findall(r'data-testid\^?="(\w[\w-]*)"', "\n".join(path.read_text("utf-8") for path in sheets)))
    assert used == streamlit_private.STYLED_PARTS
    assert not [name for name in used if name.removesuffix("-primary") not in browser_part()]


def test_no_other_module_imports_a_private_part() -> None:
    public = {"streamlit", "streamlit.starlette"}
    for path in [PROJECT / "app.py", *(PROJECT / "dashboard").rglob("*.py")]:
        tree = ast.parse(path.read_text("utf-8"))
        found = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        found |= {one.name for node in ast.walk(tree) if isinstance(node, ast.Import) for one in node.names}
        private = {name for name in found if name.split(".")[0] == "streamlit"} - public
        assert not private or path.stem == "streamlit_private", f"{path.name}: {private}"
