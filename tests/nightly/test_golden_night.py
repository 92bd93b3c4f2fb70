"""Compare a whole night over a miniature world with golden files, and what a second night changes.

The world has two routes and six countries of destination. The night takes two members, few origins and one process.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cli.hub import known_on
from core.settings import load_settings
from forecasting.models import MODELS
from forecasting.pool import Pool
from hub.files import score_hub, validate
from hub.night import collect, combine_hub, hub_files, hub_of_night, init_hub, submit
from nightly import RealTimeData
from nightly.asylum import Asylum
from nightly.night import run_night
from reports.documents import ALL_MODELS
from store.figures import VintageStore
from store.hub import HubFiles
from store.journal import opened_journal
from store.releases import Release, ReleaseStore
from tests.golden import NAMES_OF_THE_RUN, check_golden, table_lines
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
        for citizen, share in (("_T", 1.0), ("SYR", 0.5), ("GIN", 0.3), ("ERI", 0.02)):
            name, values = f"arrivals.{route}.{geo}.{citizen}.M", waves(len(MONTHS), size * share, share)
            yield rows("iom_dtm", name, MONTHS, values, 12)
            yield rows("iom_dtm", name, MONTHS[-6:-4], 1.1 * values[-6:-4], 130)  # a later edition
    days = pd.period_range("2022-01-01", "2025-02-18", freq="D")
    yield rows("italy_interior", "arrivals.CMR.ITA._T.D", days, waves(len(days), 130.0, 1.0, 365.0), 1)
    for place, geo in enumerate(("AUT", "BEL", "DEU", "FRA", "ITA"), 1):
        for citizen, share in (("_T", 1.0), ("SYR", 0.4)):
            values = waves(len(MONTHS) - 60, 1000.0 * place * share, place)
            yield rows("eurostat", f"asylum_applications_first._Z.{geo}.{citizen}.M", MONTHS[60:], values, 40)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home after two nights a month apart."""
    home = tmp_path_factory.mktemp("miniature")
    VintageStore(home).append(pd.concat(world(), ignore_index=True), received=dt.date(2025, 3, 1))
    few = {"backtest_origins": 4, "slow_backtest_origins": 4, "trajectories": 100, "pooled_model": False}
    settings = load_settings(home).model_copy(update=few)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nightly.inputs.load_snapshot", lambda *_: "fingerprint")
        patch.setattr("nightly.forecasts.MODELS", {name: MODELS[name] for name in FEW})
        patch.setattr("forecasting.members.MANY", 0)
        patch.setattr("hub.night.read_rounds", lambda: (None, {}))
        patch.setattr("reports.documents.languages", lambda: ["en"])
        patch.setattr("nightly.night.Pool", partial(Pool, 0))
        run_night(home, settings, NIGHTS[0])
        # What the second night forecasts would say nothing new: it is about what changes from night to night.
        first = ReleaseStore(home).all()[0]
        alerts = {name: first.read(name) for name in OF_ALERTS}
        with without_forecasting(home, "data_tables", "make_weeks", "documents", "run_alerts"):
            patch.setattr("nightly.night.run_alerts", lambda *given: alerts | {"revisions": given[5]})
            run_night(home, settings, NIGHTS[1])
    return home


def without_run(text: str) -> str:
    """A text without what differs from run to run."""
    return OF_THE_RUN.sub("#", text)


def tables_of(release: Release) -> dict[str, list[str]]:
    """Return what is missing from a release, and each of its tables, as lines."""
    missing = [json.dumps(one, sort_keys=True) for one in release.manifest["degraded"]]
    tables = {name: release.read(name) for name in sorted(release.names)}
    return {"degraded": missing} | {
        f"{name}: {len(table)} rows": list(table_lines(table)) for name, table in tables.items()
    }


def golden_of(tables: dict[str, list[str]]) -> list[str]:
    return [without_run(line) for name, lines in tables.items() for line in (name, *lines)]


def test_tables_of_first_night_are_golden(home: Path) -> None:
    check_golden(GOLDEN / "night_0.txt", golden_of(tables_of(ReleaseStore(home).all()[0])))


def test_tables_changed_by_second_night_are_golden(home: Path) -> None:
    first, second = map(tables_of, ReleaseStore(home).all())
    changed = {name: lines for name, lines in second.items() if lines != first.get(name)}
    check_golden(GOLDEN / "night_1.txt", golden_of(changed))


@pytest.mark.parametrize("name", TEXTS)
def test_texts_of_night_are_golden_ones(home: Path, name: str) -> None:
    text = ReleaseStore(home).all()[-1].document(name)
    check_golden(GOLDEN / f"{Path(name).stem}.txt", [without_run(text)])


def test_journal_reports_of_night_what_it_did(home: Path) -> None:
    with opened_journal("", home) as journal:
        entries = journal.entries()
    lines = [f"{one.actor} {one.action} {one.subject} {one.reason} {sorted(one.payload)}" for one in entries]
    check_golden(GOLDEN / "journal.txt", map(without_run, lines))


def test_hub_of_night_holds_golden_files_and_league(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.hub.MONTHS_OF_VINTAGES", 1)
    monkeypatch.setattr("hub.night.read_rounds", lambda: (None, {}))
    first, second = ReleaseStore(home).all()
    place = tmp_path / "hub"
    init_hub(place, first, "A hub")
    said = [
        line for release in (first, second) for line in submit(str(place), release, known_on(release, home), ALL_MODELS)
    ]
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
    lines = [*said, str(validate(HubFiles(str(place)))), *files_of(place)]
    for name in ("hub-median", "hub-weighted", "vigie-ensemble"):
        lines += [name, *table_lines(pd.read_parquet(theirs.parent / name / f"2025-01-31-{name}.parquet"))]
    lines += ["league", *table_lines(score_hub(HubFiles(str(place)), "vigie-baseline"))]
    lines += collect(str(place), taken, dt.date(2025, 2, 25)).summary()
    lines += [f"{len(hub_files(taken, str(place)))} files published"]
    data = RealTimeData(VintageStore(home).history(), dt.date(2025, 2, 25), 3, 2)
    backtest = first.read("backtest")
    asylum = Asylum({name: first.read(name) for name in OF_ASYLUM}, backtest.iloc[:0], pd.DataFrame(), [])
    tables, faults = hub_of_night(taken, data, backtest, asylum.frames, asylum.hindcasts)
    assert not faults
    for name, table in tables.items():
        lines += [f"{name}: {len(table)} rows", *table_lines(table.drop(columns="sha256", errors="ignore"))]
    check_golden(GOLDEN / "hub.txt", map(without_run, lines))


def files_of(place: Path) -> Iterator[str]:
    """Yield the files of a hub, of tables also the rows, and one model's metadata as it is."""
    for path in sorted(one for one in place.rglob("*") if one.is_file()):
        name = path.relative_to(place).as_posix()
        if path.suffix == ".parquet":
            yield f"{name}: {len(pd.read_parquet(path))} rows"
        elif path.suffix == ".csv":
            yield from (name, *table_lines(pd.read_csv(path)))
        elif name.startswith("model-metadata/vigie-ensemble"):
            yield from (name, path.read_text())
        else:
            yield name
