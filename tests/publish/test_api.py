"""The interface's rows are those of the release and of its files, to the digit, for whoever may have them."""

from __future__ import annotations

import asyncio
import datetime as dt
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import pytest

import access
from access import DOWNLOADED, REFUSED, Refusals, login_id_of
from access.guard import LOGIN_HEADER, guard_of
from core.errors import InputError
from core.languages import Language
from core.release import RELEASE
from core.settings import DEMONSTRATION_DATE
from publish import api, geopackage_bytes, route_features
from reports import numbers
from store.export import export_bytes, exported
from store.figures import VintageStore
from store.journal import Journal, journal_url
from store.releases import Release, ReleaseStore
from tests.access.wire import session_of
from tests.cli.command_line import command
from tests.dashboard.conftest import publish

TABLES = {
    "routes": "routes", "forecasts": "forecasts", "alerts": "alerts", "scores": "scores",
    "track_record": "track_record", "reception": "reception_needs",
}  # fmt: skip
"""Tables of a release by their addresses; observations have fewer columns."""
Ask = Callable[..., httpx.Response]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(journal_url("", tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def ask(tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Ask the interface of a home; the login is what the gate found."""
    monkeypatch.setattr(access, "_OF_PROCESS", {})
    monkeypatch.setattr(api, "REFUSALS", Refusals())

    def get(address: str, login_id: str = "", **headers: str) -> httpx.Response:
        served = api.application(guard_of(tmp_path, "127.0.0.1", 8501, lambda: journal))

        async def answer() -> httpx.Response:
            transport = httpx.ASGITransport(served)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                return await client.get(address, headers={LOGIN_HEADER: login_id, **headers})

        return asyncio.run(answer())

    return get


@pytest.fixture
def release(tmp_path: Path) -> Release:
    return publish(tmp_path)


def as_json(frame: pd.DataFrame) -> list[dict[str, object]]:
    """Rows as a client reads them."""
    days = {name: frame[name].dt.strftime("%Y-%m-%d") for name in frame.select_dtypes("datetime").columns}
    rows = frame.assign(**days).astype(object)
    return [
        {str(name): value for name, value in row.items()} for row in rows.where(rows.notna(), None).to_dict("records")
    ]


@pytest.mark.parametrize("name", TABLES)
def test_interface_file_and_release_agree_to_the_digit(ask: Ask, release: Release, name: str) -> None:
    expected = exported(release, TABLES[name])
    of_release = release.read(TABLES[name])
    pd.testing.assert_frame_equal(expected[of_release.columns], of_release, check_exact=True)
    assert ask(f"/{name}?limit=50000").json()["data"] == as_json(expected)
    assert ask(f"/{name}?format=csv").content == export_bytes(release, TABLES[name], "csv")
    assert json.loads(export_bytes(release, TABLES[name], "json")) == as_json(expected)


def test_table_that_a_release_lacks_is_empty(ask: Ask, release: Release) -> None:
    assert "reception_forecasts" not in release.names
    assert ask("/reception_forecasts").json()["data"] == []


def test_observations_are_those_of_the_release(ask: Ask, release: Release) -> None:
    found = pd.read_csv(io.BytesIO(ask("/observations?format=csv").content), float_precision="round_trip")
    expected = release.read("observations")
    for name in ("series_id", "time_period", "obs_value"):
        assert found[name].tolist() == expected[name].tolist()


def test_pages_together_are_the_table(ask: Ask, release: Release) -> None:
    address, rows = "/scores?limit=7", []
    while address:
        answer = ask(address).json()
        rows += answer["data"]
        address = answer["next"]
    assert rows == as_json(exported(release, "scores"))
    assert answer["total"] == len(rows)


def test_csv_names_its_next_page(ask: Ask, release: Release) -> None:
    count, further = len(release.read("scores")), f"/scores?format=csv&limit=7&offset=7&release={release.run_id}"
    assert ask("/scores?format=csv&limit=7").headers["link"] == f'<{further}>; rel="next"'
    assert "link" not in ask(f"/scores?format=csv&limit={count}").headers


def test_answer_is_kept_until_the_next_release(ask: Ask, release: Release, tmp_path: Path) -> None:
    held = ask("/routes").headers["etag"]
    again = ask("/routes", **{"If-None-Match": f'W/{held}, "other"'})
    assert (held, again.status_code, again.content) == (f'"{release.run_id}"', 304, b"")
    publish(tmp_path)
    assert ask("/routes", **{"If-None-Match": held}).status_code == 200
    assert ask(f"/routes?release={release.run_id}", **{"If-None-Match": held}).status_code == 304


@pytest.mark.parametrize(
    ("address", "column", "values"),
    [
        ("/forecasts?route=CMR", "series_id", {"arrivals.CMR._T._T.M"}),
        ("/forecasts?route=Manche&model=vigie-ets", "model_id", {"vigie-ets"}),
        ("/observations?series=arrivals.?AR._T._T.M", "series_id", {"arrivals.WAR._T._T.M"}),
        ("/alerts?route=WAR", "route_id", {"WAR"}),
    ],
)  # fmt: skip
def test_filter_keeps_what_it_names(ask: Ask, release: Release, address: str, column: str, values: set[str]) -> None:
    assert release
    assert {row[column] for row in ask(address).json()["data"]} == values


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/forecasts?rout=CMR", 422), ("/forecasts?route=Atlantis", 422), ("/forecasts?limit=0", 422),
        ("/observations?as_of=2030-01-01", 422), ("/routes.geojson?lang=xx", 422), ("/routes?series=a", 422),
        ("/forecasts?release=20200101T000000Z-000000", 404), ("/forecasts?release=../../x", 404), ("/nothing", 404),
    ],
)  # fmt: skip
def test_unusable_request_is_refused(ask: Ask, release: Release, address: str, status: int) -> None:
    assert release
    assert ask(address).status_code == status


def test_home_without_a_release_has_none_to_read(ask: Ask) -> None:
    assert ask("/forecasts").json() == {"detail": "No night has published yet."}


def test_altered_release_is_not_served(ask: Ask, release: Release, tmp_path: Path) -> None:
    path = tmp_path / "releases" / release.run_id / "scores.parquet"
    path.write_bytes(path.read_bytes() + b"x")
    assert {ask(address).status_code for address in ("/scores", "/releases", "/routes.geojson")} == {503}


def test_damaged_home_is_named_in_the_log_alone(
    ask: Ask, release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(home: Path) -> None:
        raise InputError(f"{home}/settings.toml: not readable")

    monkeypatch.setattr(api, "load_settings", unreadable)
    answer = ask(f"/scores?release={release.run_id}")
    assert (answer.status_code, str(tmp_path) in answer.text) == (503, False)


def test_reader_without_the_right_to_files_gets_none(
    ask: Ask, release: Release, tmp_path: Path, journal: Journal
) -> None:
    assert release
    (tmp_path / "settings.toml").write_text('[access]\nprovider = "https://login.example.org/x"\nclient_id = "vigie"\n')
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("VIGIE_COOKIE_SECRET", "x" * 40)
        logins = {role: login_id_of(session_of(tmp_path, role, roles=(role,))) for role in ("viewer", "analyst")}
        statuses = [ask("/scores", one).status_code for one in ("", logins["viewer"], *[logins["analyst"]] * 2)]
    rows = [(row.action, row.actor.partition("@")[0]) for row in journal.entries(action={REFUSED, DOWNLOADED})]
    assert statuses == [401, 403, 200, 200]
    assert rows == [(REFUSED, "viewer"), (DOWNLOADED, "analyst")], "a row a minute"


def test_openapi_names_every_column_and_only_reading(ask: Ask) -> None:
    found = ask("/openapi.json").json()
    assert found["openapi"].startswith("3.")
    assert {name for path in found["paths"].values() for name in path} == {"get"}
    for name, table in TABLES.items():
        page = found["paths"][f"/{name}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        assert {*RELEASE[table].columns} <= {*page["properties"]["data"]["items"]["properties"]}


def test_releases_are_named_with_the_hash_of_their_manifest(ask: Ask, release: Release, tmp_path: Path) -> None:
    newer = publish(tmp_path)
    found = ask("/releases").json()["data"]
    assert [one["run_id"] for one in found] == [newer.run_id, release.run_id]
    assert found[0]["manifest_sha256"] == ReleaseStore(tmp_path).head()


def test_map_holds_what_the_overview_expects(ask: Ask, release: Release) -> None:
    ends = numbers.window_ends(release.as_of)
    summary = numbers.route_summary(release.read, release.read("alerts"), ends).set_index("route_id")
    features = ask("/routes.geojson?lang=fr").json()["features"]
    found = {one["properties"]["route_id"]: one["properties"] for one in features}
    assert {name: one["expected"] for name, one in found.items()} == summary["expected"].to_dict()
    assert (found["CHA"]["name"], found["CHA"]["first_month"], found["CHA"]["last_month"]) == (
        "Manche",
        "2025-02",
        "2025-04",
    )
    assert {one["geometry"]["type"] for one in features} == {"LineString"}
    lines = np.asarray([one["geometry"]["coordinates"] for one in features])
    assert (lines == lines.round(2)).all(), "a hundredth of a degree"


def test_geopackage_holds_the_same_features(release: Release, tmp_path: Path) -> None:
    gpd = pytest.importorskip("geopandas")
    features = route_features(release, Language("en"))
    (tmp_path / "routes.gpkg").write_bytes(geopackage_bytes(features))
    found = gpd.read_file(tmp_path / "routes.gpkg", layer="routes")
    pd.testing.assert_frame_equal(pd.DataFrame(found), pd.DataFrame(features), check_exact=True)
    assert found.crs == "EPSG:4326"


def test_route_without_a_place_on_the_map_has_no_geometry(release: Release) -> None:
    frames = {name: release.read(name) for name in release.names}
    frames["routes"].loc[0, "route_id"] = "X_CEUTA"
    stand_in = replace(release)
    object.__setattr__(stand_in, "read", frames.__getitem__)
    found = route_features(stand_in, Language("en")).set_index("route_id")
    assert found.loc["X_CEUTA", "geometry"] is None
    assert found.loc["X_CEUTA", "name"] == "Ceuta"


@pytest.mark.slow
def test_past_day_is_answered_as_the_command_does(ask: Ask, release: Release, tmp_path: Path) -> None:
    rows = release.read("observations").query("source_id == 'eurostat'").assign(as_of_estimated=False)
    for value, day in ((5.0, "2024-05-01"), (7.0, "2024-07-01")):
        VintageStore(tmp_path).append(
            rows.assign(obs_value=value, as_of=pd.Timestamp(day)), received=DEMONSTRATION_DATE
        )
    asked = "/observations?series=asylum*&as_of="
    command(
        "observations", "--series", "asylum*", "--as-of", "2024-06-30", "--out", str(tmp_path / "x.csv"), home=tmp_path
    )
    file, found = pd.read_csv(tmp_path / "x.csv"), ask(f"{asked}2024-06-30&format=csv")
    assert file["obs_value"].unique().tolist() == [5.0]
    pd.testing.assert_frame_equal(pd.read_csv(io.BytesIO(found.content)), file[[*api._OBSERVED]], check_exact=True)
    assert ask(f"{asked}1999-01-01").json() == {"detail": f"Nothing of it was known on {dt.date(1999, 1, 1)}."}
