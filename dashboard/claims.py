"""What Streamlit's cookie says of a person, its signature checked; the same code that Streamlit reads it with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from streamlit.auth_util import get_cookie_with_chunks
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value

USER_COOKIE = "_streamlit_user"


def claims_of(cookies: Mapping[str, str], secret: str, origin: str) -> dict[str, Any]:
    """Claims of the identity token that a login left in its cookie.

    Args:
        cookies: Cookies of a request.
        secret: Key that cookies are signed with.
        origin: Where people reach the dashboard; a cookie made for elsewhere says nothing here.

    Returns:
        The claims with ``is_logged_in``; empty where there is no cookie or it was tampered with.
    """

    def one(name: str) -> bytes | None:
        value = cookies.get(name)
        try:
            return None if value is None else decode_signed_value(secret, name, value.encode("latin-1"))
        except UnicodeEncodeError:
            return None

    try:
        found = json.loads(get_cookie_with_chunks(one, USER_COOKIE) or b"{}")
    except ValueError:
        return {}
    if not isinstance(found, dict) or found.get("origin") != origin:
        return {}
    return found
