"""Own figures from the file to the release: forecast, capacity, freshness, revision."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError, Message
from core.settings import load_settings
from hub.night import published_series
from ingest.sources import SOURCES
from nightly.inputs import Ingested, LiveReport, ingest_own, own_mappings, with_own_capacities
from nightly.night import run_night
from store.figures import VintageStore
from store.figures.editions import Edition, EditionStore
from store.journal import Journal, journal_url, opened_journal
from tests.nightly.conftest import without_forecasting

AS_OF = dt.date(2025, 1, 31)
ROUTE, SERIES = "X_ALMERA__7VA", "arrivals.X_ALMERA__7VA._T._T.M"
MAPPING = """
[source]
source_id = "{source}"
publisher = "Border post"
dataset = "Figures of a test"
lag_days = 10
[table]
what = "{what}"
[columns]
time_period = "Month"
value = "Persons"
[fixed]
route = "{route}"
"""


def write(folder: Path, source: str, what: str, route: str, rows: dict[str, int]) -> tuple[Path, Path]:
    file, mapping = folder / f"{source}.csv", folder / f"{source}.toml"
    file.write_text("Month,Persons\n" + "".join(f"{month},{count}\n" for month, count in rows.items()))
    mapping.write_text(MAPPING.format(source=source, what=what, route=route))
    return file, mapping


def ingest(home: Path, file: Path, mapping: Path) -> Ingested:
    with opened_journal("", home) as journal:
        return ingest_own(home, file, mapping, journal)


def months(count: int = 26) -> dict[str, int]:
    counts = np.random.default_rng(4).integers(150, 260, count)
    return {str(month): int(n) for month, n in zip(pd.period_range(end="2024-12", periods=count, freq="M"), counts)}  # noqa: B905  # as many months as counts


def test_near_person_column_holds_file(tmp_path: Path) -> None:
    file, mapping = write(tmp_path, "own_post", "arrivals", "Ceuta by land", months())
    lines = file.read_text().split()
    file.write_text("\n".join([f"{lines[0]},Surnme", *(f"{line},x" for line in lines[1:]), ""]))
    done = ingest(tmp_path / "home", file, mapping)
    assert (done.is_held, done.new_rows) == (True, 0)
    assert "“Surnme” may describe persons" in done.summary()


def test_mapping_is_kept_and_inbox_reads_by_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    file, mapping = write(tmp_path, "own_post", "arrivals", "Ceuta by land", months())
    assert ingest(home, file, mapping).new_rows == 26
    assert ingest(home, file, mapping).new_rows == 0
    assert own_mappings(home)["own_post"].table.what == "arrivals"
    write(tmp_path, "own_post", "capacity", "CMR", {"2024-06": 5})
    with pytest.raises(InputError, match="already holds arrivals"):
        ingest(home, file, mapping)


def test_refused_file_leaves_home_as_it_was(tmp_path: Path) -> None:
    file, mapping = write(tmp_path, "own_post", "arrivals", "Ceuta by land", months())
    file.write_text("Month,Persons,Passport\n2024-12,1,7\n")
    with opened_journal("", tmp_path) as journal, pytest.raises(InputError, match="describe persons"):
        ingest_own(tmp_path / "home", file, mapping, journal)
    assert not (tmp_path / "home").exists()


def test_number_by_hand_precedes_capacity(tmp_path: Path) -> None:
    home = tmp_path / "home"
    ingest(home, *write(tmp_path, "own_places", "capacity", "CMR", {"2024-06": 900}))
    known = VintageStore(home).as_of(AS_OF)
    assert with_own_capacities(load_settings(home), known, AS_OF).alerts.thresholds == {"CMR": 900.0}
    (home / "settings.toml").write_text("[alerts.thresholds]\nCMR = 700\nEMR = 50\n")
    assert with_own_capacities(load_settings(home), known, AS_OF).alerts.thresholds == {"CMR": 700.0, "EMR": 50.0}


@pytest.mark.slow
def test_night_forecasts_and_warns_of_own_route(home: Path, tmp_path: Path) -> None:
    ingest(home, *write(tmp_path, "own_post", "arrivals", "Almería", months()))
    ingest(home, *write(tmp_path, "own_places", "capacity", "Almería", {"2024-06": 20}))
    inbox = home / "inbox" / "own_post"
    inbox.mkdir(parents=True)
    changed = months() | {"2024-11": 400}
    write(inbox, "own_post", "arrivals", "Almería", changed)[1].unlink()
    steps = (
        "make_forecasts", "make_nowcasts", "forecast_reception", "forecast_tables", "data_tables",
        "run_alerts", "documents",
    )  # fmt: skip
    alone = load_settings(home).model_copy(update={"exclude_sources": sorted(SOURCES)})
    with without_forecasting(home, *steps):
        release = run_night(home, alone, AS_OF).release
    assert "own_post/own_post.csv" in release.manifest["inputs"]
    states = release.read("routes").set_index("route_id")
    assert list(states.loc[ROUTE, ["state", "last_period"]]) == ["ok", "2024-12"]
    forecasts = release.read("forecasts")
    own = forecasts[(forecasts["series_id"] == SERIES) & (forecasts["model_id"] == "vigie-ensemble")]
    assert len(own) == 12 * 23 and (own["value"] > 20).all()
    alerts = release.read("alerts")
    raised = alerts[(alerts["route_id"] == ROUTE) & (alerts["rule"] == "capacity")]
    assert raised["threshold"].tolist() == [20.0]
    assert {"own_post", "own_places"} <= set(release.read("freshness")["source_id"])
    assert '"own_post"' in release.document("sources.json")
    assert SERIES not in published_series(release)
    journal = Journal(journal_url("", home))
    edition = EditionStore(home, journal).all("own_post")[-1]
    assert (edition.file, edition.given_by, edition.changed) == ("own_post.csv", "nightly", 1)
    journal.close()
    # The inbox's edition arrived today, so a replay of January does not know what it changed.
    kept = VintageStore(home)
    values = [
        known.loc[(known["route_id"] == ROUTE) & (known["time_period"] == "2024-11"), "obs_value"].item()
        for known in (kept.as_of(AS_OF), kept.as_of(dt.date(2200, 1, 1)))
    ]
    assert values == [float(months()["2024-11"]), 400.0]


def ingested(**changes: Any) -> Ingested:  # noqa: ANN401  # fields of an edition, and of what became of it
    came = dt.datetime(2025, 1, 31, tzinfo=dt.UTC)
    one = Edition("iom-1", "iom_dtm", "a.csv", "ab", came, "Ana", "known", rows=1200, reported=[Message("unusual")])
    given: dict[str, Any] = {"new_rows": 1100, "rejected": 0, "is_repeated": False}
    edition = {name: value for name, value in changes.items() if name not in given}
    return Ingested(replace(one, **edition), **(given | {name: changes[name] for name in given if name in changes}))


def test_summary_of_visit_is_in_order_without_failures() -> None:
    report = LiveReport(
        [ingested()], [ingested(state="held", why_held=[Message("a")])], [{"source_id": "x", "reason": "down"}],
        [{"source_id": "y", "reason": "no key"}],
    )  # fmt: skip
    assert [line.split(":")[0] for line in report.summary()] == ["iom_dtm", "iom_dtm", "not asked"]
    assert report.hashes == {"iom_dtm/a.csv": "ab"}
    assert [one.get("edition_id", one["source_id"]) for one in report.left_out] == ["x", "iom-1"]
