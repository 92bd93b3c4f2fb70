"""Headers and cookie flags by which a browser protects the reader, as OWASP's cheat sheets advise."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable

Header = tuple[bytes, bytes]
_POLICY = (
    "default-src 'self'",
    "script-src 'self'{scripts}",
    # Streamlit and Plotly write styles into the page.
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "worker-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
)
_ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_HSTS = "max-age=31536000; includeSubDomains"


def content_policy(page: str) -> str:
    """The policy on content: everything from here, and no script in a page but those that are ours."""
    scripts = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    return "; ".join(_POLICY).format(scripts="".join(f" 'sha256-{one}'" for one in hashes))


def safe_headers(
    given: Iterable[Header],
    *,
    policy: str,
    https: bool,
    keep_nothing: bool,
    cookie_seconds: int,
    login_cookies: tuple[str, ...],
) -> list[Header]:
    """A response's headers with those of protection, and its cookies with their flags.

    Args:
        given: Headers as the application sends them, names in lower case.
        policy: The policy on content.
        https: Whether readers come over https: then cookies are for https alone, and the browser stays with it.
        keep_nothing: Whether browsers and proxies must not keep the response.
        cookie_seconds: Longest life of a cookie that stands for a login.
        login_cookies: Beginnings of the names of such cookies.
    """
    added = {"content-security-policy": policy, **_ALWAYS, **({"strict-transport-security": _HSTS} if https else {})}
    if keep_nothing:
        added["cache-control"] = "no-store"
    replaced = {name.encode() for name in added} | {b"server"}
    kept = [
        (name, safe_cookie(value, https=https, seconds=cookie_seconds, login_cookies=login_cookies))
        if name.lower() == b"set-cookie"
        else (name, value)
        for name, value in given
        if name.lower() not in replaced
    ]
    return kept + [(name.encode(), value.encode()) for name, value in added.items()]


def safe_cookie(cookie: bytes, *, https: bool, seconds: int, login_cookies: tuple[str, ...]) -> bytes:
    """A ``Set-Cookie`` value with the flags that it lacks, and a login's cookie with the login's life."""
    first, *flags = [part.strip() for part in cookie.split(b";")]
    names = {flag.split(b"=")[0].lower() for flag in flags}
    if https and b"secure" not in names:
        flags.append(b"Secure")
    if b"samesite" not in names:
        flags.append(b"SameSite=Lax")
    if first.decode("latin-1").startswith(login_cookies):
        flags = [_shorter(flag, seconds) for flag in flags]
        if b"httponly" not in names:
            flags.append(b"HttpOnly")
    return b"; ".join([first, *flags])


def _shorter(flag: bytes, seconds: int) -> bytes:
    name, _, value = flag.partition(b"=")
    if name.lower() != b"max-age" or not value.isdigit():
        return flag
    return b"Max-Age=%d" % min(int(value), seconds)
