"""Inputs are read, judged and reported before and while they are stored."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import InputError, StoreError
from core.settings import Settings, load_settings
from ingest.rows import observations
from ingest.sources import live_sources
from nightly import night
from nightly.inputs import FAILED, LiveReport, ask_publishers, forecast_of, ingest_live, load_snapshot, parse_again
from nightly.night import run_night
from store.figures import VintageStore
from store.figures.editions import TAKEN_IN, RawStore
from store.journal import Journal, journal_url
from store.releases import Release
from tests.ingest.live.conftest import keys  # noqa: F401  # a fixture of every test here
from tests.ingest.live.layouts import LAYOUTS, ONI, ged_csv
from tests.ingest.live.publisher import Answerer, Publisher, Reply
from tests.nightly.conftest import without_forecasting


def test_new_figures_stand_beside_their_forecast() -> None:
    def landings(*months: str) -> pd.DataFrame:
        tidy = pd.DataFrame({"time_period": months, "obs_value": [900.0, 910.0, 920.0][: len(months)]})
        fixed = {"target": "arrivals", "route_id": "WMR", "geo": "ESP", "citizen": "_T", "freq": "M"}
        return observations(tidy, source_id="iom_dtm", lag_days=10, **fixed)

    known, rows = landings("2024-10", "2024-11"), landings("2024-10", "2024-11", "2024-12")
    named = {rows["series_id"].iloc[0], "arrivals.WMR._T._T.M"}
    ends = [(series, level, value) for series in named for level, value in LEVELS.items()]
    table = pd.DataFrame(ends, columns=["series_id", "output_type_id", "value"]).assign(
        model_id="vigie-ensemble", target_end_date=pd.Timestamp("2024-12-31")
    )
    release = cast("Release", SimpleNamespace(names=["forecasts"], read=lambda _name, columns: table[columns]))
    found = forecast_of(rows, known, known.iloc[:0], release)
    assert set(found["series_id"]) == named
    assert set(found["time_period"]) == {"2024-12"}
    assert found[["obs_value", "low", "high"]].drop_duplicates().to_numpy().tolist() == [[920.0, 500.0, 1500.0]]
    assert forecast_of(rows, rows, known.iloc[:0], release).empty, "nothing is new"


LEVELS = {0.01: 500.0, 0.5: 900.0, 0.99: 1500.0}


def test_failed_pruning_does_not_stop_night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[int] = []

    def refuse(_home: Path, nights: int) -> list[object]:
        kept.append(nights)
        raise StoreError("disk is read-only")

    monkeypatch.setattr(night, "prune", refuse)
    settings = Settings.model_validate({"operation": {"keep_nights": 40}})
    night._remove_old_releases(tmp_path, settings)
    assert kept == [40]


NAMES = list(LAYOUTS)
QUICK = {"attempts": 2, "first_wait_seconds": 0, "largest_megabytes": 5}


SECRET = "k3y-of-none-at-all"  # noqa: S105  # it opens nothing


def settings_for(publisher: Publisher, **changes: object) -> Settings:
    """Settings under which every source is served by the publisher."""
    sources = {name: layout(publisher) for name, layout in LAYOUTS.items()}
    now = pd.Period(dt.datetime.now(dt.UTC).date(), freq="M")
    for month in pd.period_range(now - 4, now - 1, freq="M"):
        name = f"GEDEvent_v{month.year % 100:02d}_0_{month.month}.csv"
        publisher.serve(f"/ged/{name}", Reply(ged_csv(str(month))))
    recent = {"since": f"{now - 16}", "since_by_citizen": f"{now - 8}", "protection_since": f"{now - 6}"}
    sources["eurostat"]["options"] = recent
    _serve_eurostat(publisher)
    return Settings.model_validate({"live": {**QUICK, "sources": sources}, **changes})


def _serve_eurostat(publisher: Publisher) -> None:
    def answer(asked: Any) -> Reply:  # noqa: ANN401  # the server's record of a request
        periods = pd.period_range(asked.value("sinceTimePeriod"), asked.value("untilTimePeriod"), freq="M")
        dimensions: dict[str, list[str]] = {"citizen": asked.values("citizen") or ["TOTAL", "SY"]}
        dimensions |= {"applicant": asked.values("applicant")} if asked.values("applicant") else {}
        dimensions |= {"geo": ["DE", "FR"], "time": [str(period) for period in periods]}
        cells = list(itertools.product(*dimensions.values()))
        body = {
            "version": "2.0", "class": "dataset", "id": list(dimensions),
            "size": [len(codes) for codes in dimensions.values()],
            "value": {str(place): 10 * len(cell[-1]) for place, cell in enumerate(cells)},
            "dimension": {name: {"category": {"index": codes}} for name, codes in dimensions.items()},
        }  # fmt: skip
        return Reply(json.dumps(body).encode())

    for code in ("migr_asyappctzm", "migr_asytpsm", "migr_asytpfm", "migr_asypenctzm"):
        publisher.serve(f"/stat/{code}", answer)


def take(home: Path, chosen: Settings, names: tuple[str, ...] = (), replayed: dt.date | None = None) -> LiveReport:
    """A round of visits, or its replay, without the bundled figures."""
    home.mkdir(exist_ok=True)
    journal = Journal(journal_url("", home))
    try:
        return (
            parse_again(home, chosen, journal, replayed, names)
            if replayed
            else ask_publishers(home, chosen, journal, names)
        )
    finally:
        journal.close()


def known(home: Path) -> pd.DataFrame:
    columns = ["source_id", "series_id", "time_period", "as_of", "obs_value", "obs_flag"]
    return VintageStore(home).as_of(dt.date(2100, 1, 1))[columns]


def ids(report: LiveReport) -> tuple[set[str], set[str]]:
    return {item.edition.source_id for item in report.taken}, {item["source_id"] for item in report.failed}


@dataclass(frozen=True)
class Round:
    """A publisher of everything, a home into which all of it was taken on a day, and what is known there."""

    server: Publisher
    day: dt.date
    chosen: Settings
    home: Path
    known: pd.DataFrame
    paths: set[str]


@pytest.fixture(scope="module")
def taken_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Round]:
    server, home, day = Publisher(), tmp_path_factory.mktemp("whole"), dt.datetime.now(dt.UTC).date()
    chosen = settings_for(server)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nightly.inputs.apart", lambda parse, raw: parse(raw))
        assert ids(take(home, chosen)) == (set(NAMES), set())
    yield Round(server, day, chosen, home, known(home), {asked.path for asked in server.asked})
    server.close()


@pytest.fixture
def whole(taken_in: Round, monkeypatch: pytest.MonkeyPatch) -> Round:
    """A round of all sources; files are parsed without a process for each, which takes more time than the parsing."""
    monkeypatch.setattr("nightly.inputs.apart", lambda parse, raw: parse(raw))
    return taken_in


@pytest.mark.slow
def test_second_round_finds_nothing_new(whole: Round) -> None:
    home, before = whole.home, whole.known
    assert set(before["source_id"]) == set(NAMES) == set(live_sources())
    again = take(home, whole.chosen)
    assert {item.edition.source_id: item.new_rows for item in again.taken} == dict.fromkeys(NAMES, 0)
    pd.testing.assert_frame_equal(known(home), before)


@pytest.mark.slow
def test_replay_gives_same_figures_and_asks_nobody(whole: Round, tmp_path: Path) -> None:
    (tmp_path / "raw").symlink_to(whole.home / "raw")
    asked = len(whole.server.asked)
    report = take(tmp_path, whole.chosen, replayed=whole.day)
    assert ids(report) == (set(NAMES), set())
    assert len(whole.server.asked) == asked
    pd.testing.assert_frame_equal(known(tmp_path), whole.known)


SOME = st.sets(st.sampled_from(NAMES), min_size=1, max_size=3)


@pytest.mark.slow
@given(broken=SOME, others=SOME, fault=st.sampled_from([500, 403, 200]), place=st.integers(0))
@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_failed_source_leaves_others(
    whole: Round, tmp_path_factory: pytest.TempPathFactory, broken: set[str], others: set[str], fault: int, place: int
) -> None:
    home = tmp_path_factory.mktemp("some")
    sound: dict[str, Answerer] = {}
    for name in broken:
        paths = sorted(path for path in whole.paths if _belongs(name, path))
        path = paths[place % len(paths)]
        sound[path] = whole.server.answer_at(path)
        whole.server.serve(path, Reply(b"<html>maintenance</html>", fault))
    try:
        report = take(home, whole.chosen, tuple(broken | others))
    finally:
        for path, answer in sound.items():
            whole.server.serve(path, answer)
    taken, failed = ids(report)
    assert failed == broken
    assert taken >= others - broken
    found = known(home)
    rows, expected = (
        one[one["source_id"].isin(others - broken)].reset_index(drop=True) for one in (found, whole.known)
    )
    pd.testing.assert_frame_equal(rows, expected)
    assert len(found.merge(whole.known)) == len(found)
    recorded = VintageStore(home).rejected()
    assert broken <= set(recorded["source_id"])
    journal = Journal(journal_url("", home))
    assert {entry.subject for entry in journal.entries(action=FAILED)} == broken
    assert len(journal.entries(action=TAKEN_IN)) == len(taken)
    journal.close()
    assert set(RawStore(home).sources(dt.datetime.now(dt.UTC).date())) >= others - broken


def _belongs(source_id: str, path: str) -> bool:
    fragments = {
        "ecb": "/stats/", "eurostat": "/stat/", "fao_ffpi": "food", "frontex": "igratory", "idmc": "/idus/",
        "italy_interior": "/main/sbarchi", "italy_reception": "/main/accoglienza", "missing_migrants": "/files/",
        "noaa_enso": "/data/oni", "ucdp": "/ged/", "uk_home_office": "/media/", "unhcr_odp": "/population/get/",
        "worldbank_pinksheet": "CMO",
    }  # fmt: skip
    return fragments[source_id] in path


def test_visit_keeps_successes_and_names_failures(publisher: Publisher, tmp_path: Path) -> None:
    chosen = settings_for(publisher)
    take(tmp_path, chosen, ("italy_interior",))
    before = known(tmp_path)
    publisher.serve("/main/sbarchi-per-giorno.csv", Reply(b"Data,Valore,Data_Report\n2024-02-01,25,2024-03-29\n"))
    publisher.serve("/main/nazionalita.csv", Reply(b"", 503))
    report = take(tmp_path, chosen, ("italy_interior",))
    assert "citizenships: could not be had: 127.0.0.1/main/nazionalita.csv: answered 503" in report.failed[0]["reason"]
    assert [item.edition.file for item in report.taken] == ["sbarchi-per-giorno.csv"]
    changed = known(tmp_path).compare(before[known(tmp_path).columns])["obs_value"].dropna()
    assert changed.to_numpy().tolist() == [[25.0, 1.0]]
    # The visit is over: it can be read again, its fault included.
    again = take(tmp_path, chosen, replayed=dt.datetime.now(dt.UTC).date())
    assert [len(again.taken), len(again.failed)] == [1, 1]


def test_revision_is_dated_on_day_it_came(publisher: Publisher, tmp_path: Path) -> None:
    chosen = settings_for(publisher)
    take(tmp_path, chosen, ("noaa_enso",))
    publisher.serve("/data/oni.ascii.txt", Reply(ONI.replace(b"1.95", b"2.01")))
    assert [item.new_rows for item in take(tmp_path, chosen, ("noaa_enso",)).taken] == [1]
    found = known(tmp_path).set_index("time_period").loc["2023-12"]
    assert (found["obs_value"], found["as_of"].date()) == (2.01, dt.datetime.now(dt.UTC).date())


def test_only_news_is_asked_for_and_body_is_kept_once(publisher: Publisher, tmp_path: Path) -> None:
    chosen = settings_for(publisher)
    publisher.serve(
        "/data/oni.ascii.txt",
        lambda asked: (
            Reply(b"", 304) if asked.headers.get("if-none-match") == '"a"' else Reply(ONI, headers={"ETag": '"a"'})
        ),
    )
    for _ in range(3):
        assert not take(tmp_path, chosen, ("noaa_enso",)).failed
    conditional = [asked.headers.get("if-none-match") for asked in publisher.asked]
    assert conditional == [None, '"a"', '"a"']
    assert len(list((tmp_path / "raw").rglob("*.body"))) == 1
    assert len(list((tmp_path / "raw").rglob("001.json"))) == 3
    replayed = take(tmp_path, chosen, replayed=dt.datetime.now(dt.UTC).date())
    assert [item.edition.rows for item in replayed.taken] == [3]


@pytest.mark.parametrize(
    ("source_id", "why"), [("nowhere", "unknown source 'nowhere'"), ("iom_dtm", "cannot be asked: IOM withdrew")]
)
def test_source_that_cannot_be_asked_says_why(tmp_path: Path, source_id: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        take(tmp_path, Settings.model_validate({}), (source_id,))


def test_disk_that_cannot_be_written_fails_source(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / "raw").write_text("in the way")
    report = take(tmp_path, settings_for(publisher), ("noaa_enso",))
    assert "raw" in report.failed[0]["reason"]


@pytest.mark.slow
def test_live_night_publishes_and_names_what_failed(publisher: Publisher, home: Path) -> None:
    changes = {"live": settings_for(publisher).live, "exclude_sources": ["missing_migrants"]}
    chosen = load_settings(home).model_copy(update=changes)
    for name in set(NAMES) - {"frontex", "missing_migrants", "noaa_enso", "uk_home_office"}:
        chosen.live.sources[name] |= {"asked": "with token", "token": "NOT_SET"}
    publisher.serve("/map/", Reply(b"", 403))
    with without_forecasting(home):
        night = run_night(home, chosen, live=True)
    assert "frontex" in {item["source_id"] for item in night.degraded}
    # What was left out on purpose is no fault; the release itself names it.
    assert not {"noaa_enso", "missing_migrants"} & {item["source_id"] for item in night.degraded}
    assert night.release.manifest["settings"]["exclude_sources"] == ["missing_migrants"]
    # The miniature is nothing like the figures that are known: it waits for a person, and the night goes on.
    assert "waits for a person" in {item["source_id"]: item["reason"] for item in night.degraded}["uk_home_office"]
    inputs = night.release.manifest["inputs"]
    assert any(name.startswith("noaa_enso/") for name in inputs)
    assert str(publisher.port) not in json.dumps(night.release.manifest["settings"])


def test_bundled_figures_never_replace_newer(publisher: Publisher, tmp_path: Path) -> None:
    chosen = settings_for(publisher)
    home = tmp_path / "new"
    assert [item.new_rows > 0 for item in ingest_live(home, chosen, ["noaa_enso"]).taken] == [True]
    assert index_of(home) == [1.95]
    assert "uk_home_office" in set(known(home)["source_id"])
    journal = Journal(journal_url("", home))
    load_snapshot(VintageStore(home), journal)
    journal.close()
    assert index_of(home) == [1.95]


def index_of(home: Path) -> list[float]:
    rows = known(home)
    return [
        float(value)
        for value in rows[(rows["source_id"] == "noaa_enso") & (rows["time_period"] == "2023-12")]["obs_value"]
    ]


def test_key_is_found_in_nothing_that_is_written(
    publisher: Publisher,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("IDMC_CLIENT_ID", SECRET)
    caplog.set_level(logging.DEBUG)
    chosen = settings_for(publisher)
    publisher.serve("/idus/last-180-days/", Reply(b"", 500), Reply(SECRET.encode()))
    with structlog.testing.capture_logs() as events:
        report = take(tmp_path, chosen, ("idmc",))
    assert publisher.asked[0].value("client_id") == SECRET
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert SECRET.encode() not in written
    printed = capfd.readouterr()
    for text in (str(events), caplog.text, printed.out, printed.err, str(report.failed)):
        assert SECRET not in text
