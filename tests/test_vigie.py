"""The Python interface gives the numbers of the command line, from any folder and without a ``__main__`` guard."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import vigie
from core.errors import InputError, StoreError
from core.settings import PROJECT
from store import sha256_of_bytes, sha256_of_file
from store.journal import Entry, opened_journal
from store.status import WITNESS, WITNESSED
from tests.cli.command_line import command

MODELS = "seasonal-walk,baseline"


@pytest.fixture
def frame() -> pd.DataFrame:
    """Monthly counts of two series of one group, with Nixtla's names."""
    random = np.random.default_rng(2)
    months = pd.date_range("2017-01-01", periods=72, freq="MS")
    return pd.concat(
        pd.DataFrame({"unique_id": name, "ds": months, "y": random.poisson(level, 72), "route_id": "all"})
        for name, level in (("a", 60), ("b", 9))
    )


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VIGIE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def test_forecasts_are_those_of_command(frame: pd.DataFrame, home: Path) -> None:
    frame.to_csv("panel.csv", index=False)
    words = ["--horizon", "3", "--models", MODELS, "--totals", "route_id"]
    assert command("forecast", "--panel", "panel.csv", "--out", "out.parquet", *words, home=home).returncode == 0
    made = vigie.forecast(frame, horizon=3, totals="route_id", models=MODELS)
    written = pd.read_parquet("out.parquet")[list(made.columns)]
    pd.testing.assert_frame_equal(made, written, check_dtype=False)
    assert set(made["series_id"]) == {"a", "b", "all"}
    assert made.attrs["about"][0] == "read as monthly"


@pytest.mark.parametrize("ending", ["csv", "ndjson", "parquet"])
def test_scores_are_those_of_command(frame: pd.DataFrame, home: Path, ending: str) -> None:
    frame.to_csv("panel.csv", index=False)
    past = vigie.backtest(frame, origins=20, horizons=[1], totals="route_id", models=MODELS)
    scores = vigie.score(past, frame, totals="route_id")
    words = ["--origins", "20", "--horizons", "1", "--totals", "route_id", "--models", MODELS]
    assert command("backtest", "--panel", "panel.csv", "--out", f"past.{ending}", *words, home=home).returncode == 0
    words = ["--panel", "panel.csv", "--totals", "route_id", "--out", "scores.parquet"]
    done = command("score", "--forecasts", f"past.{ending}", *words, home=home)
    assert done.returncode == 0, done.stderr
    pd.testing.assert_frame_equal(pd.read_parquet("scores.parquet"), scores, check_dtype=False)
    ensemble = scores.query("series_id == '_T' and scale == 'log' and model_id == 'vigie-seasonal-walk'").iloc[0]
    line = next(line for line in done.stdout.splitlines() if line.lstrip().startswith("vigie-seasonal-walk"))
    assert line.split()[1:4] == ["1", f"{ensemble['n']}", f"{ensemble['relative_wis']:.3f}"]
    assert "read as monthly" in done.stdout


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"drop": "horizon"}, "forecasts: missing columns ['horizon']"),
        ({"value": "many"}, "forecasts: could not convert string to float: 'many'"),
        ({"series_id": "z"}, "no forecast has both an observed outcome"),
    ],
)
def test_unusable_forecasts_are_refused_by_score(frame: pd.DataFrame, change: dict[str, str], message: str) -> None:
    past = vigie.backtest(frame, origins=2, horizons=[1], models="baseline")
    broken = past.drop(columns=change["drop"]) if "drop" in change else past.assign(**change)
    with pytest.raises(InputError) as error:
        vigie.score(broken, frame)
    assert message in str(error.value)


def test_release_opens_by_its_folder_or_its_home(tmp_path: Path) -> None:
    for run_id in ("20250131T010000Z-aaaaaa", "20250228T010000Z-bbbbbb"):
        (tmp_path / "releases" / run_id).mkdir(parents=True)
        (tmp_path / "releases" / run_id / "manifest.json").write_text('{"files": {}}')
        assert vigie.open_release(tmp_path).run_id == run_id
    assert vigie.open_release(str(tmp_path / "releases" / "20250131T010000Z-aaaaaa")).run_id < run_id


def test_chosen_release_is_refused_if_altered_in_home_or_alone(tmp_path: Path) -> None:
    folder = tmp_path / "home" / "releases" / "20250131T010000Z-aaaaaa"
    folder.mkdir(parents=True)
    table, manifest = folder / "scores.csv", folder / "manifest.json"
    table.write_bytes(b"1")
    manifest.write_text(json.dumps({"files": {table.name: {"sha256": sha256_of_bytes(b"1")}}}))
    copy = Path(shutil.copytree(folder, tmp_path / "received" / folder.name))
    with opened_journal("", tmp_path / "home") as journal:
        payload = {WITNESS: sha256_of_file(manifest)}
        journal.record(Entry("nightly", WITNESSED, folder.name, folder.name, payload=payload))
    assert [vigie.open_release(one).run_id for one in (folder, copy)] == [folder.name] * 2
    manifest.write_text(manifest.read_text() + " ")
    (copy / table.name).write_bytes(b"2")
    for place, rule in ((folder, "not the one that the journal keeps"), (copy, "not the one in the manifest")):
        with pytest.raises(StoreError, match=rule):
            vigie.open_release(place)


@pytest.mark.slow
def test_notebook_runs_as_script_without_guard(tmp_path: Path) -> None:
    cells = json.loads((PROJECT / "docs" / "python.ipynb").read_text(encoding="utf-8"))["cells"]
    script = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    (tmp_path / "notebook.py").write_text(f"{script}\nprint(len(scores), len(forecasts))\n", encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(PROJECT), "VIGIE_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "notebook.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{2 * 2 * 2 * 5} {2 * 3 * 6 * 23}\n"
