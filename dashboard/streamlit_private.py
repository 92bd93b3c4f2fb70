"""Every part of Streamlit that is no documented interface and that Vigie rests on nevertheless, each with the reason.

Nothing else in Vigie names one. ``tests/dashboard/test_streamlit_private.py`` fails where a new Streamlit changes one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit
from streamlit.auth_util import get_cookie_with_chunks
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value

LOGIN_COOKIES = ("_streamlit_user", "_streamlit_session")
"""The cookie with the claims of a login (in parts where it is long), and the one on the way to the provider: their life
is cut to the login's, and a login that no longer holds is taken off the request."""

CLOSED_PATHS = ("/media", "/_stcore", "/component", "/app/static")
"""Where Streamlit hands out or takes what is not part of the empty page, without asking who is there."""
OPEN_PATHS = frozenset({"/_stcore/health", "/_stcore/host-config"})
"""What the empty page asks for before anybody can have signed in."""
METRICS_PATH, LOGOUT_PATH, CALLBACK_PATH = "/_stcore/metrics", "/auth/logout", "/oauth2callback"
"""Numbers of the server, for administrators; where ``st.logout`` leads; where the provider sends people back to."""

COOKIE_SECRET_VARIABLE = "STREAMLIT_SERVER_COOKIE_SECRET"  # noqa: S105  # the name of a variable, not its value
"""Signs the cookie of the way to the provider too: the login's own secret does not."""

STATIC_ADDRESS = "/static/"
STATIC_FOLDER = Path(streamlit.__file__).parent / "static" / "static"
"""The browser's part, whose files have a hash in their names: handed out from memory and packed, see
:mod:`dashboard.static_files`."""
FRAME = STATIC_FOLDER.parent / "index.html"
"""The page around every page: the policy on content allows the scripts in it, and no others."""

TEXT_PARTS = ("js/StreamlitMarkdown.*.js", "media/SourceSerifVariable-Roman.*.woff2")
CHART_LIBRARY = "PlotlyChart."
CHART_PARTS = (f"js/{CHART_LIBRARY}*.js", "js/arrowFormatUtils.*.js")
"""Parts that Streamlit's page asks for late, and that a browser fetches at once where it is told of them."""

STYLED_PARTS = frozenset(
    {
        "stBaseButton-primary", "stElementContainer", "stHeading", "stLayoutWrapper", "stMainBlockContainer",
        "stMarkdown", "stMetricDelta", "stMetricLabel", "stMetricValue", "stTable", "stToolbar", "stVerticalBlock",
    }
)  # fmt: skip
"""``data-testid`` of parts that the style sheet dresses, where Streamlit's theme has no setting."""


def claims_of(cookies: Mapping[str, str], secret: str, origin: str) -> dict[str, Any]:
    """Claims of the identity token that a login left in its cookie, its signature checked as Streamlit checks it.

    Streamlit tells them to pages alone (``st.user``); the gate needs them before a page runs.

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
        found = json.loads(get_cookie_with_chunks(one, LOGIN_COOKIES[0]) or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) and found.get("origin") == origin else {}
