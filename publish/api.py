"""Read-only HTTP interface under ``/api/v1``: a release's tables as JSON and CSV, its routes as GeoJSON.

The rows are those of ``vigie export``, to the digit. A release never changes, so its ``run_id`` is the ``ETag`` of each
answer. Where people sign in, the rules of files hold: a login, a role that may download, and a row in the journal.
"""

# No postponed annotations: FastAPI reads them when a route is declared.

import datetime as dt
import fnmatch
import io
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json

from access import DOWNLOAD, REFUSALS, NotAllowedError, authorize_download, may
from access.guard import LOGIN_HEADER, Guard
from core.errors import InputError, StoreError, VigieError
from core.languages import DEFAULT_LANGUAGE, Language, languages
from core.log import get_logger
from core.release import PURPOSE, RELEASE
from core.routes import of_route
from core.schema import DAY, NUMBER, TEXT, WHOLE, YES_NO, Column
from core.settings import PROJECT, load_settings
from core.table_files import csv_bytes, records
from publish import geojson_bytes, route_features
from store import sha256_of_file
from store.export import cited_sources, exported
from store.releases import MANIFEST, Release, ReleaseStore
from store.status import alteration

PATH = "/api/v1"
USUAL_ROWS, MOST_ROWS = 10_000, 50_000
"""Rows of one page."""
_ADDED = {
    "target": Column(TEXT, "what is counted; empty in rows about a source", nullable=True),
    "unit": Column(TEXT, "unit of the values; empty where the source's card states it", nullable=True),
    "as_of": Column(DAY, "first day on which this was known; the release's day where a table has none"),
}
"""What every table gets beside its own columns (:func:`store.export.with_units`)."""
_OBSERVED = {
    name: (RELEASE["observations"].columns | _ADDED)[name]
    for name in ("source_id", "series_id", "time_period", "obs_value", "obs_flag", "as_of", "target", "unit")
}
"""Columns of observations that ``vigie observations`` writes too."""
_JSON_TYPES = {TEXT: "string", NUMBER: "number", WHOLE: "integer", DAY: "string", YES_NO: "boolean"}
_LONGEST_TEXT = 200
_LONGEST_QUESTION = 60.0
"""Seconds that a question about a past day may take."""
_ASKING = threading.Lock()


class _Asked(BaseModel):
    """Parameters of every address; an unknown one is refused."""

    model_config = ConfigDict(extra="forbid")

    release: str = Field("", max_length=_LONGEST_TEXT, description="run_id of a release; default: the newest")


class _Page(_Asked):
    format: Literal["json", "csv"] = "json"
    limit: int | None = Field(
        None, ge=1, le=MOST_ROWS, description=f"Rows of one page; default: {USUAL_ROWS:,} in JSON, all in CSV"
    )
    offset: int = Field(0, ge=0, description="Rows before the page")


class _ByRoute(_Page):
    route: str = Field("", max_length=_LONGEST_TEXT, description="Code or name of a route; default: all")


class _BySeries(_Page):
    series: str = Field("", max_length=_LONGEST_TEXT, description="series_id; * and ? are wildcards; default: all")


class _Alerts(_ByRoute, _BySeries):
    pass


class _Observations(_Alerts):
    as_of: dt.date | None = Field(
        None, description="Return what was known on this day, at most the release's; default: the release's own table"
    )


class _ByModel(_BySeries):
    model: str = Field("", max_length=_LONGEST_TEXT, description="model_id; default: all")


class _Forecasts(_ByModel, _ByRoute):
    pass


class _Map(_Asked):
    lang: str = Field(DEFAULT_LANGUAGE, description="Language of names", json_schema_extra={"enum": [*languages()]})


def application(guard: Guard) -> FastAPI:
    """Return the interface as an application to be mounted at :data:`PATH`.

    Args:
        guard: The guard of the dashboard beside which it is served; its home is read.
    """
    made = FastAPI(
        title="Vigie", version="1", description=f"{__doc__}\n\n{PURPOSE}", docs_url=None, redoc_url=None,
        exception_handlers={NotAllowedError: _not_allowed, InputError: _unusable, VigieError: _unreadable},
    )  # fmt: skip
    made.state.guard = guard
    made.include_router(_ROUTER)
    return made


async def _not_allowed(_request: Request, _error: Exception) -> Response:
    return JSONResponse({"detail": "Your role does not allow this."}, 403)


async def _unusable(_request: Request, error: Exception) -> Response:
    return JSONResponse({"detail": str(error)}, 422)


async def _unreadable(_request: Request, error: Exception) -> Response:
    get_logger().error("interface cannot read", error=str(error))  # the reason may name folders of this machine
    return JSONResponse({"detail": "This cannot be read just now; the log says why."}, 503)


def _admit(request: Request) -> None:
    """Refuse a reader who may not take files away, and record others: one row a minute per person and address.

    Raises:
        NotAllowedError: Where people sign in, the reader's roles do not allow downloads.
        StoreError: The journal refuses.
    """
    guard: Guard = request.app.state.guard
    if not guard.access.is_on:
        return
    if (login := guard.login(request.headers.get(LOGIN_HEADER, ""))) is None:
        raise HTTPException(401, "Sign in first.")
    who, name = login.actor, request.url.path
    if not may(who, DOWNLOAD) or REFUSALS.due(f"interface {who.identity} {name}"):
        authorize_download(guard.journal(), who, name)


def _release(request: Request, run_id: str) -> Release:
    """Return a release that is as it was published: the newest, or one by its run_id."""
    home = request.app.state.guard.home
    store = ReleaseStore(home)
    try:
        release = store.get(run_id) if run_id else store.current()
    except StoreError:
        release = None
    if release is None:
        raise HTTPException(404, f"There is no release '{run_id}'." if run_id else "No night has published yet.")
    if _is_altered(home, release, int(time.monotonic())):
        raise HTTPException(503, "The release is not as it was published.")
    return release


@lru_cache(maxsize=64)
def _is_altered(home: Path, release: Release, _second: int) -> bool:
    try:
        return alteration(home, release, load_settings(home)) is not None
    except InputError as error:  # of the settings: nothing that a reader asked for
        raise StoreError(str(error)) from None


def _reply(request: Request, release: Release, make: Callable[[], Response]) -> Response:
    """Return an answer under the release's ETag; for a client that holds it 304, without making it."""
    headers = {"ETag": f'"{release.run_id}"', "Cache-Control": "no-cache"}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    made = make()
    made.headers.update(headers)
    return made


def _page(request: Request, release: Release, asked: _Page, rows: Callable[[], pd.DataFrame]) -> Response:
    """Return rows as JSON or CSV; ``Link`` and, in JSON, ``next`` hold the address of the release's next page."""

    def make() -> Response:
        found = rows()
        limit = asked.limit or (len(found) if asked.format == "csv" else USUAL_ROWS)
        after = asked.offset + limit
        page = found.iloc[asked.offset : after]
        url = request.url.include_query_params(offset=after, release=release.run_id)
        further = f"{url.path}?{url.query}" if after < len(found) else None
        headers = {"Link": f'<{further}>; rel="next"'} if further else {}
        if asked.format == "csv":
            return Response(csv_bytes(page), headers=headers, media_type="text/csv")
        about = {
            "release": release.run_id, "as_of": release.as_of.isoformat(), "replay": release.manifest["replay"],
            "sources": cited_sources(release), "total": len(found), "next": further,
        }  # fmt: skip
        content = to_json(about | {"data": records(page)}, inf_nan_mode="null")
        return Response(content, headers=headers, media_type="application/json")

    return _reply(request, release, make)


def _table(request: Request, name: str, asked: _Page) -> Response:
    release = _release(request, asked.release)
    return _page(request, release, asked, lambda: exported(release, name, partial(_matching, asked)))


def _matching(asked: _Page, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that the parameters ask for.

    Raises:
        InputError: There is no such route.
    """
    if model := getattr(asked, "model", ""):
        rows = rows[rows["model_id"] == model]
    if series := getattr(asked, "series", ""):
        rows = rows[rows["series_id"].isin(fnmatch.filter(rows["series_id"].unique(), series))]
    return of_route(rows, getattr(asked, "route", ""))


def _described(name: str, columns: Mapping[str, Column] | None = None) -> dict[str, Any]:
    """Return what OpenAPI states of a table's answers: its columns by the release's contract."""
    rows = {
        "type": "object",
        "properties": {key: _schema(one) for key, one in (columns or RELEASE[name].columns | _ADDED).items()},
    }
    page = {
        "release": {"type": "string"}, "as_of": {"type": "string", "format": "date"}, "replay": {"type": "boolean"},
        "sources": {"type": "array", "items": {"type": "string"}}, "total": {"type": "integer"},
        "next": {"type": ["string", "null"]}, "data": {"type": "array", "items": rows},
    }  # fmt: skip
    content = {
        "application/json": {"schema": {"type": "object", "properties": page}},
        "text/csv": {"schema": {"type": "string"}},
    }
    return {"response_class": Response, "responses": {200: {"content": content}} | _OTHERS}


def _schema(column: Column) -> dict[str, Any]:
    kind = _JSON_TYPES[column.dtype]
    about = f"{column.about} [{column.unit}]" if column.unit else column.about
    found: dict[str, Any] = {"type": [kind, "null"] if column.nullable else kind, "description": about}
    return found | ({"format": "date"} if column.dtype == DAY else {})


_OTHERS: dict[int | str, dict[str, Any]] = {
    304: {"description": "If-None-Match names the release"}, 404: {"description": "No such release"},
}  # fmt: skip
_ROUTER = APIRouter(dependencies=[Depends(_admit)])


@_ROUTER.get("/releases", response_class=Response, responses=_OTHERS)
def releases(request: Request) -> Response:
    """Releases, the newest first, each with the hash of its manifest: what `vigie verify --head` takes."""

    def make() -> Response:
        found = [
            {key: one.manifest[key] for key in ("run_id", "as_of", "created_at", "replay", "code_version", "degraded")}
            | {"manifest_sha256": sha256_of_file(one.path / MANIFEST)}
            for one in reversed(ReleaseStore(request.app.state.guard.home).all())
        ]
        return JSONResponse({"data": found})

    return _reply(request, _release(request, ""), make)


@_ROUTER.get("/routes.geojson", response_class=Response, responses=_OTHERS)
def routes_on_a_map(request: Request, asked: Annotated[_Map, Query()]) -> Response:
    """Routes as GeoJSON: arrivals expected over the planning window, with the 80 % interval and the alert level."""
    if asked.lang not in languages():
        raise HTTPException(422, f"lang: one of {', '.join(languages())}")
    release = _release(request, asked.release)

    def make() -> Response:
        features = route_features(release, Language(asked.lang))
        return Response(geojson_bytes(features), media_type="application/geo+json")

    return _reply(request, release, make)


@_ROUTER.get("/routes", **_described("routes"))
def routes(request: Request, asked: Annotated[_ByRoute, Query()]) -> Response:
    """Routes, and whether each is forecast."""
    return _table(request, "routes", asked)


@_ROUTER.get("/forecasts", **_described("forecasts"))
def forecasts(request: Request, asked: Annotated[_Forecasts, Query()]) -> Response:
    """Quantiles of every model, from each route's last complete month."""
    return _table(request, "forecasts", asked)


@_ROUTER.get("/alerts", **_described("alerts"))
def alerts(request: Request, asked: Annotated[_Alerts, Query()]) -> Response:
    """Alerts of the release, as rules raised them."""
    return _table(request, "alerts", asked)


@_ROUTER.get("/scores", **_described("scores"))
def scores(request: Request, asked: Annotated[_Forecasts, Query()]) -> Response:
    """Scores of every model over past origins, relative to the baseline."""
    return _table(request, "scores", asked)


@_ROUTER.get("/track_record", **_described("track_record"))
def track_record(request: Request, asked: Annotated[_ByRoute, Query()]) -> Response:
    """How often the rules of alerts were right at past origins."""
    return _table(request, "track_record", asked)


@_ROUTER.get("/reception", **_described("reception_needs"))
def reception(request: Request, asked: Annotated[_BySeries, Query()]) -> Response:
    """People in reception in each period ahead, places known, and the chance that people exceed them."""
    return _table(request, "reception_needs", asked)


@_ROUTER.get("/reception_forecasts", **_described("reception_forecasts"))
def reception_forecasts(request: Request, asked: Annotated[_ByModel, Query()]) -> Response:
    """People in reception at the ends of the periods ahead, as quantiles."""
    return _table(request, "reception_forecasts", asked)


@_ROUTER.get("/observations", **_described("observations", _OBSERVED))
def observations(request: Request, asked: Annotated[_Observations, Query()]) -> Response:
    """What sources published and the routes made of it, as known on the release's day or on an earlier one."""
    release = _release(request, asked.release)
    day = asked.as_of
    if day is not None and day > release.as_of:
        raise HTTPException(422, f"as_of: the release rests on what was known on {release.as_of}")

    def rows() -> pd.DataFrame:
        if day is None:
            return exported(release, "observations", partial(_matching, asked))[[*_OBSERVED]]
        known = pd.read_parquet(io.BytesIO(_known(request.app.state.guard.home, release.run_id, day, asked.series)))
        return of_route(known, asked.route)[[*_OBSERVED]]

    return _page(request, release, asked, rows)


@lru_cache(maxsize=16)
def _known(home: Path, _run_id: str, day: dt.date, series: str) -> bytes:
    """Return what was known on a day as Parquet, by ``vigie observations``: in a process of its own, one at a time."""
    options = [f"--home={home}", f"--as-of={day}", f"--series={series or '*'}", "--out=-", "--format=parquet"]
    if not _ASKING.acquire(blocking=False):
        raise HTTPException(503, "Another past day is being looked up.", {"Retry-After": "5"})
    try:
        done = subprocess.run(  # noqa: S603  # our own command; a text is the value of its option
            [sys.executable, "-m", "cli", "--log-format", "json", "observations", *options],
            cwd=PROJECT, capture_output=True, check=False, timeout=_LONGEST_QUESTION,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise HTTPException(503, "Looking this day up takes too long.") from None
    finally:
        _ASKING.release()
    if done.returncode:
        if f'"kind": "{InputError.__name__}"'.encode() in done.stderr:
            raise HTTPException(404, f"Nothing of it was known on {day}.")
        raise StoreError(done.stderr.decode(errors="replace"))
    return done.stdout
