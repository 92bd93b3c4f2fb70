"""The way to the provider and back, and the way out: OpenID Connect with a code, PKCE, state and nonce.

What the provider says is read here, once. The browser leaves with an identifier that says nothing by itself.
"""

from __future__ import annotations

import datetime as dt
import hmac
import html
from typing import Any

from authlib.integrations.starlette_client import OAuth
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from access.guard import Guard
from access.identity import read_person
from access.sessions import form_token
from core.log import get_logger
from core.settings import load_settings, secret

LOGIN_PATH, CALLBACK_PATH, LOGOUT_PATH = "/auth/login", "/oauth2callback", "/auth/logout"
"""Where a person sets out, where the provider sends them back to, and where a login ends."""
_SECONDS = 10.0


def routes(guard: Guard) -> list[Route]:
    """Ways in and out of a dashboard with login.

    Raises:
        InputError: The client secret is missing.
    """
    access, way_back = guard.access, guard.origin + CALLBACK_PATH
    client: Any = OAuth().register(
        "vigie",
        client_id=access.client_id,
        client_secret=secret(access.client_secret_env, needed_by="login"),
        server_metadata_url=access.provider,
        client_kwargs={"scope": access.scope, "code_challenge_method": "S256", "timeout": _SECONDS},
    )

    async def leave(request: Request) -> Response:
        try:
            answer: Response = await client.authorize_redirect(request, way_back, prompt=access.prompt)
        except Exception as error:  # whatever a provider answers, it is not the server's end
            get_logger().error("provider not reached", error=type(error).__name__)
            return RedirectResponse("/", 302)
        return answer

    async def come_back(request: Request) -> Response:
        back = RedirectResponse("/", 302)
        if not request.query_params:  # after signing out at the provider
            return back
        try:
            token = await client.authorize_access_token(request)
            current = load_settings(guard.home).access
            person = read_person(token.get("userinfo") or {}, current, dt.datetime.now(dt.UTC))
            await run_in_threadpool(guard.end, guard.session_of(request))
            session_id = await run_in_threadpool(guard.begin, person)
        except Exception as error:  # whatever comes back, it signs nobody in
            get_logger().warning("login not usable", error=f"{type(error).__name__}: {error}"[:200])
            return back
        _set_cookie(back, guard, session_id, int(access.session_minutes * 60))
        return back

    async def sign_out(request: Request) -> Response:
        if request.method != "POST":
            return PlainTextResponse("A login ends by the button that pages show.", 405, {"Allow": "POST"})
        session_id = guard.session_of(request)
        async with request.form(max_files=0, max_fields=2) as form:
            given = str(form.get("token", ""))
        if not session_id or not hmac.compare_digest(given.encode(), form_token(session_id).encode()):
            return PlainTextResponse("This did not come from a page of ours.", 403)
        await run_in_threadpool(guard.end, session_id)
        try:
            out = (await client.create_logout_url(way_back, client_id=access.client_id))["url"]
        except Exception:  # a provider that cannot end its own login keeps nobody signed in here
            out = "/"
        # A policy on forms holds for where they are sent on to, so the page itself leads to the provider.
        page = f'<!doctype html><meta http-equiv="refresh" content="0;url={html.escape(out)}"><title>Vigie</title>'
        answer = HTMLResponse(page)
        _set_cookie(answer, guard, "", 0)
        return answer

    return [
        Route(LOGIN_PATH, leave, methods=["GET"]),
        Route(CALLBACK_PATH, come_back, methods=["GET"]),
        Route(LOGOUT_PATH, sign_out, methods=["GET", "POST"]),
    ]


def _set_cookie(answer: Response, guard: Guard, value: str, seconds: int) -> None:
    answer.set_cookie(guard.cookie, value, seconds, path="/", secure=guard.is_https, httponly=True, samesite="lax")
