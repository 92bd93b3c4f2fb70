"""Rounds of the past that the snapshot holds: written as they are read, and by nobody who only loads the program."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from types import SimpleNamespace
from typing import cast
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from forecasting import LEVELS
from hub import night as hub
from nightly import RealTimeData

with patch("tempfile.TemporaryDirectory", side_effect=AssertionError("rounds are made by whoever asks for them")):
    from benchmarks import hub_rounds


def submissions() -> pd.DataFrame:
    """Rows of two models as peers hand them in: one row per level, days as such, not in order."""
    rows = [
        {"origin_date": pd.Timestamp("2024-11-30").date(), "target": "arrivals", "series_id": "arrivals.CMR._T._T.M",
         "horizon": step, "target_end_date": (pd.Period("2024-11", "M") + step).end_time.date(),
         "output_type": "quantile", "output_type_id": level, "value": size * (1 + level), "model_id": model_id}
        for model_id, size in (("peers-b", 100.0), ("peers-a", 10.0))
        for step in (2, 1)
        for level in LEVELS
    ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for module in (hub_rounds, hub):
        monkeypatch.setattr(module, "SNAPSHOT", tmp_path)
    return tmp_path


def test_rounds_are_read_as_they_were_written_in_whole_persons_one_row_per_forecast() -> None:
    assert hub.read_rounds() == (None, {})
    hub_rounds.write_rounds(submissions(), {"peers-a": {"model_name": "A"}})
    table, about = hub.read_rounds()
    assert table is not None
    assert about == {"peers-a": {"model_name": "A"}}
    assert table.keys[["model_id", "horizon"]].to_numpy().tolist() == [
        ["peers-a", 1], ["peers-a", 2], ["peers-b", 1], ["peers-b", 2]
    ]  # fmt: skip
    size = np.array([10.0, 10.0, 100.0, 100.0])[:, None]
    assert table.quantiles == pytest.approx(np.round(size * (1 + np.asarray(LEVELS))))


def test_the_same_rounds_are_the_same_file(folder: Path) -> None:
    files = []
    for rows in (submissions(), submissions()[::-1]):
        hub_rounds.write_rounds(rows, {})
        files.append([(folder / name).read_bytes() for name in (hub.ROUNDS, hub.ROUNDS_ABOUT)])
    assert files[0] == files[1]
    assert json.loads(files[0][1])["command"] == "python -m benchmarks.hub_rounds"


def test_rounds_that_are_not_those_of_their_record_are_refused(folder: Path) -> None:
    hub_rounds.write_rounds(submissions(), {})
    about = folder / hub.ROUNDS_ABOUT
    for changed in (about.read_text().replace('"sha256": "', '"sha256": "0'), "{}"):
        about.write_text(changed)
        with pytest.raises(InputError, match=r"run `python -m benchmarks\.hub_rounds`"):
            hub.read_rounds()


def test_peers_are_asked_for_the_newest_three_years_of_months_half_of_quarters_and_a_year_of_weeks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    months = [one.end_time.normalize() for one in pd.period_range("2019-01", "2024-11", freq="M")]
    ended = pd.Period("2024-12", "M").end_time.normalize()
    data = SimpleNamespace(
        past_panels=dict.fromkeys(months),
        panel=SimpleNamespace(end_dates=[months[0], ended]),
        known=pd.DataFrame({"series_id": ["arrivals.CHA.GBR._T.D", "arrivals.CMR._T._T.M", "arrivals.CHA.GBR.SYR.D"]}),
        forecastable=["arrivals.CMR._T._T.M"],
    )
    asked: dict[str, tuple[list[str], list[pd.Timestamp]]] = {}

    def rounds_of(place: Path, _data: object, series: list[str], rounds: list[pd.Timestamp]) -> tuple[object, object]:
        asked[place.name] = series, rounds
        return pd.DataFrame({"of": [place.name]}), {"of": place.name}

    written: list[tuple[pd.DataFrame, object]] = []
    monkeypatch.setattr(hub_rounds, "load_snapshot", lambda *_: "")
    monkeypatch.setattr(hub_rounds, "RealTimeData", lambda *_: data)
    monkeypatch.setattr(hub_rounds, "fine_destinations", lambda _data: ["asylum_applications._Z.DEU._T.Q"])
    monkeypatch.setattr(hub_rounds, "rounds_of", rounds_of)
    monkeypatch.setattr(hub_rounds, "write_rounds", lambda *given: written.append(given))
    hub_rounds.main()
    series, rounds = asked["months"]
    assert series == data.forecastable
    assert rounds == [*months[-35:], ended]
    series, rounds = asked["others"]
    assert series == ["arrivals.CHA.GBR._T.W", "asylum_applications._Z.DEU._T.Q"]
    quarters, weeks = rounds[:24], rounds[24:]
    assert [str(one.date()) for one in (quarters[0], quarters[-1])] == ["2019-03-31", "2024-12-31"]
    assert {str(one.day_name()) for one in weeks} == {"Sunday"}
    assert len(weeks) == 52
    assert written[0][0]["of"].tolist() == ["months", "others"]
    assert written[0][1] == {"of": "months"}


def test_what_every_peer_wrote_is_gathered_under_its_name_and_what_scripts_share_is_not_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    peers = folder / "hub" / "peers"
    peers.mkdir(parents=True)
    for name in ("common", "walk", "trend"):
        (peers / f"{name}.py").touch()
    ran: list[tuple[str, list[str]]] = []

    def run(command: list[str], *, check: bool) -> None:
        assert check, "a peer that fails is not passed over"
        _python, script, place, *rounds = command
        ran.append((Path(script).stem, rounds))
        said = Path(place) / "model-output" / f"peers-{Path(script).stem}"
        said.mkdir(parents=True)
        pd.DataFrame({"value": [1.0]}).to_parquet(said / "2024-11-30.parquet")

    monkeypatch.setattr(hub_rounds, "PROJECT", folder)
    monkeypatch.setattr("subprocess.run", run)
    monkeypatch.setattr(hub_rounds, "target_values", lambda *_: pd.DataFrame())
    monkeypatch.setattr(hub_rounds, "target_data", lambda _values: {})
    monkeypatch.setattr(hub_rounds, "hub_of", lambda _files: None)
    faults: list[str] = []
    monkeypatch.setattr(hub_rounds, "metadata_of", lambda *_: ({"peers-walk": {}}, faults))
    data, rounds = cast(RealTimeData, None), [pd.Timestamp("2024-10-31"), pd.Timestamp("2024-11-30")]
    rows, about = hub_rounds.rounds_of(folder / "months", data, ["arrivals.CMR._T._T.M"], rounds)
    assert ran == [("trend", ["2024-10-31", "2024-11-30"]), ("walk", ["2024-10-31", "2024-11-30"])]
    assert rows["model_id"].tolist() == ["peers-trend", "peers-walk"]
    assert about == {"peers-walk": {}}
    faults.append("peers-walk says nothing of itself")
    with pytest.raises(SystemExit, match="says nothing of itself"):
        hub_rounds.rounds_of(folder / "again", data, ["arrivals.CMR._T._T.M"], rounds)


def test_of_asylum_the_destinations_are_asked_whose_quarters_are_recent_and_enough() -> None:
    def quarters(geo: str, end: str, number: int, target: str = "asylum_applications_first") -> pd.DataFrame:
        periods = [str(one).replace("Q", "-Q") for one in pd.period_range(end=end, periods=number, freq="Q")]
        return pd.DataFrame(
            {"series_id": f"{target}._Z.{geo}._T.Q", "target": target, "geo": geo, "citizen": "_T", "freq": "Q",
             "route_id": "_Z", "time_period": periods, "obs_value": 100.0}
        )  # fmt: skip

    known = pd.concat([
        quarters("DEU", "2024Q3", 40), quarters("FRA", "2020Q3", 40), quarters("ITA", "2024Q3", 3),
        quarters("EU27_2020", "2024Q3", 40), quarters("AUT", "2024Q3", 40, "arrivals"),
    ])  # fmt: skip
    data = cast(RealTimeData, SimpleNamespace(known=known, date=dt.date(2025, 1, 31)))
    assert hub_rounds.fine_destinations(data) == ["asylum_applications_first._Z.DEU._T.Q"]
