"""A whole night over a miniature world in seconds: every table and text of its release stays as it is.

Two routes and six countries of destination, two members, few origins, no process but this one. What comes out is held
against a golden text, table by table (see ``tests/golden.py``), and so is what the next night makes of it.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.settings import load_settings
from forecasting.models import MODELS
from forecasting.pool import SupervisedPool, WorkersFailedError
from nightly import RealTimeData
from nightly.asylum import Asylum
from nightly.hub import collect, init_hub, submit, validate
from nightly.hub_combined import combine_hub, score_hub
from nightly.hub_tables import hub_files, hub_of_night
from nightly.night import run_night
from store.hub import HubFiles
from store.journal import opened_journal
from store.releases import Release, ReleaseStore
from store.vintages import VintageStore
from tests.golden import NAMES_OF_THE_RUN, check_golden, check_of, short
from tests.nightly.conftest import without_forecasting

GOLDEN = Path(__file__).with_name("golden")
NIGHTS = dt.date(2025, 1, 20), dt.date(2025, 2, 20)
FEW = ("vigie-baseline", "vigie-snaive")
OF_ALERTS = (
    "alerts", "ended_alerts", "track_record", "track_record_comparison", "alert_thresholds", "alert_reliability",
    "documented_rises",
)  # fmt: skip
OF_ASYLUM = ("asylum_series", "asylum_forecasts")
TEXTS = ("evaluation_matrix.md", "model_cards/vigie-ensemble.md", "data_cards/iom_dtm.md")
OF_THE_RUN = re.compile(NAMES_OF_THE_RUN + r"|\d{4}-\d\d-\d\dT[\d:.]+\S*")
MONTHS = pd.period_range("2017-01", "2025-01", freq="M")


def rows(source_id: str, series_id: str, periods: pd.PeriodIndex, values: np.ndarray, lag: int) -> pd.DataFrame:
    target, route_id, geo, citizen, freq = series_id.split(".")
    return pd.DataFrame(
        {
            "source_id": source_id, "series_id": series_id, "target": target, "route_id": route_id, "geo": geo,
            "citizen": citizen, "freq": freq, "time_period": periods.astype(str), "obs_value": np.round(values),
            "obs_flag": "", "as_of": periods.end_time.normalize() + pd.Timedelta(days=lag), "as_of_estimated": False,
        }
    ).astype({"as_of": "datetime64[ns]"})  # fmt: skip


def waves(count: int, size: float, phase: float, period: float = 12.0) -> np.ndarray:
    """Counts that swing over a year and wander."""
    place = np.arange(count)
    swing = 0.5 * np.sin(2 * np.pi * place / period + phase) + 0.3 * np.sin(0.37 * place + 2 * phase)
    return np.asarray(size * np.exp(swing))


def world() -> Iterator[pd.DataFrame]:
    """What publishers have published: two routes by nationality, one of them by day too, and asylum applications."""
    for route, geo, size in (("WMR", "ESP", 900.0), ("CMR", "ITA", 4000.0)):
        for citizen, share in (("_T", 1.0), ("SYR", 0.5), ("GIN", 0.3), ("ERI", 0.003)):
            name, values = f"arrivals.{route}.{geo}.{citizen}.M", waves(len(MONTHS), size * share, share)
            yield rows("iom_dtm", name, MONTHS, values, 12)
            yield rows("iom_dtm", name, MONTHS[-6:-4], 1.1 * values[-6:-4], 130)  # a later edition
    days = pd.period_range("2022-01-01", "2025-02-18", freq="D")
    yield rows("italy_interior", "arrivals.CMR.ITA._T.D", days, waves(len(days), 130.0, 1.0, 365.0), 1)
    for place, geo in enumerate(("AUT", "BEL", "DEU", "FRA", "ITA"), 1):
        for citizen, share in (("_T", 1.0), ("SYR", 0.4)):
            values = waves(len(MONTHS) - 60, 1000.0 * place * share, place)
            yield rows("eurostat", f"asylum_applications_first._Z.{geo}.{citizen}.M", MONTHS[60:], values, 40)


def _no_process(*_: object, **__: object) -> None:
    raise WorkersFailedError("one process is enough")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home after two nights a month apart."""
    home = tmp_path_factory.mktemp("miniature")
    VintageStore(home).append(pd.concat(world(), ignore_index=True), received=dt.date(2025, 3, 1))
    few = {"backtest_origins": 4, "slow_backtest_origins": 4, "trajectories": 100, "pooled_model": False}
    settings = load_settings(home).model_copy(update=few)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nightly.live.load_snapshot", lambda *_: "fingerprint")
        patch.setattr("nightly.forecasts.MODELS", {name: MODELS[name] for name in FEW})
        patch.setattr("nightly.forecasts.QUICK_MODELS", FEW)
        patch.setattr("nightly.asylum.MODELS", FEW)
        patch.setattr("nightly.hub_tables.read_rounds", lambda: (None, {}))
        patch.setattr("nightly.documents.languages", lambda: ["en"])
        patch.setattr(SupervisedPool, "start", lambda *_: None)
        patch.setattr(SupervisedPool, "run", _no_process)
        run_night(home, settings, NIGHTS[0])
        # What the second night forecasts would say nothing new: it is about what changes from night to night.
        first = ReleaseStore(home).all()[0]
        alerts = {name: first.read(name) for name in OF_ALERTS}
        with without_forecasting(home, "data_tables", "make_weeks", "documents"):
            patch.setattr("nightly.night.run_alerts", lambda *given: alerts | {"revisions": given[5]})
            run_night(home, settings, NIGHTS[1])
    return home


def table_in_short(table: pd.DataFrame) -> Iterator[str]:
    for column in table:
        if pd.api.types.is_numeric_dtype(table[column]):
            yield f"  {column}: {short(table[column].astype(float))}"
        else:
            texts = [without_run(text) for text in table[column].astype(str)]
            ends = " … ".join(dict.fromkeys([*texts[:1], *texts[-1:]]))
            yield f"  {column}: {ends} of {len({*texts})} {check_of(texts)}"


def without_run(text: str) -> str:
    """A text without what differs from run to run."""
    return OF_THE_RUN.sub("#", text)


def in_short(release: Release) -> Iterator[str]:
    yield from (without_run(json.dumps(one, sort_keys=True)) for one in release.manifest["degraded"])
    for name in sorted(release.names):
        table = release.read(name)
        yield f"{name}: {len(table)} rows"
        yield from table_in_short(table)


@pytest.mark.parametrize("place", [0, 1], ids=["first", "second"])
def test_every_table_of_a_miniature_night_is_the_golden_one(home: Path, place: int) -> None:
    check_golden(GOLDEN / f"night_{place}.txt", in_short(ReleaseStore(home).all()[place]))


@pytest.mark.parametrize("name", TEXTS)
def test_texts_of_a_night_are_the_golden_ones(home: Path, name: str) -> None:
    text = ReleaseStore(home).all()[-1].document(name)
    check_golden(GOLDEN / f"{Path(name).stem}.txt", [without_run(text)])


def test_the_journal_tells_of_a_night_what_it_did(home: Path) -> None:
    with opened_journal("", home) as journal:
        entries = journal.entries()
    lines = [f"{one.actor} {one.action} {one.subject} {one.reason} {sorted(one.payload)}" for one in entries]
    check_golden(GOLDEN / "journal.txt", map(without_run, lines))


def test_a_hub_begun_from_a_night_holds_the_golden_files_and_its_league(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nightly.hub.MONTHS_OF_VINTAGES", 1)
    monkeypatch.setattr("nightly.hub_tables.read_rounds", lambda: (None, {}))
    first, second = ReleaseStore(home).all()
    place = tmp_path / "hub"
    init_hub(place, first, "A hub")
    said = [line for release in (first, second) for line in submit(str(place), release, home)]
    theirs = place / "model-output" / "vigie-ensemble"
    for path in sorted(theirs.glob("*.parquet")):
        own = pd.read_parquet(path)
        copy = theirs.parent / "team-model" / path.name.replace("vigie-ensemble", "team-model")
        copy.parent.mkdir(exist_ok=True)
        own[own["output_type"] == "quantile"].assign(value=1.1 * own["value"]).to_parquet(copy, index=False)
    about = (place / "model-metadata" / "vigie-ensemble.yml").read_text()
    words = about.replace("vigie", "team", 1).replace("ensemble", "model", 1)
    (place / "model-metadata" / "team-model.yml").write_text(words)
    HubFiles(str(place)).write(combine_hub(str(place)))
    taken = tmp_path / "taken"
    lines = [*said, *hub_in_short(place, taken)]
    data = RealTimeData(VintageStore(home).history(), dt.date(2025, 2, 25), 3, 2)
    backtest = first.read("backtest")
    asylum = Asylum({name: first.read(name) for name in OF_ASYLUM}, backtest.iloc[:0], pd.DataFrame(), [])
    tables, faults = hub_of_night(taken, data, backtest, asylum)
    assert not faults
    for name, table in tables.items():
        lines += [f"{name}: {len(table)} rows", *table_in_short(table)]
    check_golden(GOLDEN / "hub.txt", map(without_run, lines))


def hub_in_short(place: Path, taken: Path) -> Iterator[str]:
    yield str(validate(str(place)))
    for path in sorted(one for one in place.rglob("*") if one.is_file()):
        yield path.relative_to(place).as_posix()
        if path.suffix in {".parquet", ".csv"}:
            yield from table_in_short(pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path))
        else:
            yield f"  {check_of([without_run(path.read_text())])}"
    yield "league"
    yield from table_in_short(score_hub(str(place), "vigie-baseline"))
    yield from collect(str(place), taken, dt.date(2025, 2, 25)).summary()
    yield from (f"{name}: {len(read())} bytes" for name, read in hub_files(taken, str(place)).items())
