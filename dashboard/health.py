"""``/healthz`` beside the pages, for load balancers and containers; it tells no figures and needs no login."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.settings import home_folder
from desk.health import HEALTH_PATH, answer


def _health(_request: Request) -> Response:
    code, kind, body = answer(home_folder(), HEALTH_PATH)
    return Response(body, code, {"Cache-Control": "no-store"}, kind)


ROUTES = [Route(HEALTH_PATH, _health)]
