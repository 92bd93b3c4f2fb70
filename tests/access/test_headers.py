"""Headers and cookie flags that a browser protects the reader with."""

from __future__ import annotations

from functools import partial

from access import gate
from access.gate import content_policy

WAY = "_streamlit_session"
LOGIN = b"_streamlit_session=abc.def; HttpOnly; Max-Age=2592000; Path=/; SameSite=lax"


safe_cookie = partial(gate.safe_cookie, way_cookie=WAY)
safe_headers = partial(gate.safe_headers, way_cookie=WAY)


def headers(*given: tuple[bytes, bytes], https: bool = False, keep_nothing: bool = False) -> dict[bytes, bytes]:
    return dict(safe_headers(given, policy="p", https=https, keep_nothing=keep_nothing))


def test_scripts_are_ours_by_their_hash_and_nothing_else_runs() -> None:
    policy = content_policy("<p><script>alert(1)</script><script src='x'></script></p>")
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["script-src"] == "'self' 'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"
    assert rules["default-src"] == "'self'"
    assert rules["frame-ancestors"] == "'none'"


def test_only_over_https_is_browser_reported_to_stay_there() -> None:
    assert b"strict-transport-security" not in headers()
    assert headers(https=True)[b"strict-transport-security"].startswith(b"max-age=31536000")


def test_what_login_shows_is_kept_by_nobody() -> None:
    given = (b"cache-control", b"public, max-age=9")
    assert headers(given)[b"cache-control"] == b"public, max-age=9"
    assert headers(given, keep_nothing=True)[b"cache-control"] == b"no-store"


def test_weaker_header_of_application_does_not_stand() -> None:
    assert headers((b"X-Frame-Options", b"ALLOWALL"))[b"x-frame-options"] == b"DENY"
    assert b"X-Frame-Options" not in headers((b"X-Frame-Options", b"ALLOWALL"))


def test_login_cookie_ends_with_login_and_needs_https() -> None:
    flags = safe_cookie(LOGIN, https=True).split(b"; ")
    assert flags == [
        b"__Host-_streamlit_session=abc.def",
        b"HttpOnly",
        b"Max-Age=600",
        b"Path=/",
        b"SameSite=lax",
        b"Secure",
    ]


def test_scripts_read_form_token_but_no_login() -> None:
    assert b"HttpOnly" not in safe_cookie(b"_streamlit_xsrf=2|a|b|1; Path=/; SameSite=Lax", https=True)
    assert b"HttpOnly" in safe_cookie(b"_streamlit_session=x; Path=/", https=True)
