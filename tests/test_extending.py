"""A corridor, a source, a model, a rule, a page and a language, each as docs/extending.md shows it, work in a copy."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.settings import PROJECT
from tests.dashboard.conftest import publish

EXAMPLE = re.compile(r"^`(?P<path>[a-z_]+/[^`\n]+)`\n\n```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
PAGE = """
from streamlit.testing.v1 import AppTest
page = AppTest.from_file("app.py", default_timeout=600).switch_page("dashboard/pages/glossary.py").run()
assert not page.exception, page.exception
print(page.title[0].value, "/", page.markdown[-1].value)
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with the files that the document shows."""
    folder = tmp_path_factory.mktemp("copy") / "vigie"
    tracked = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True)
    for name in tracked.stdout.splitlines():
        if not name.startswith(("tests/", "benchmarks/", "docs/")) and (PROJECT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, folder / name)
    for example in EXAMPLE.finditer((PROJECT / "docs" / "extending.md").read_text(encoding="utf-8")):
        (folder / example["path"]).parent.mkdir(parents=True, exist_ok=True)
        (folder / example["path"]).write_text(example["text"], encoding="utf-8")
    return folder


def run(copy: Path, *arguments: str, home: Path | None = None) -> str:
    environment = {**os.environ, "PYTHONPATH": str(copy), "VIGIE_HOME": str(home or copy / "var")}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_source_is_taken_in_by_its_name(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "counts.csv").write_text("month,count\n2024-11,310\n2024-12,1200\n")
    assert "harbour_counts" in run(copy, "-m", "cli", "ingest", "--file", f"harbour_counts={tmp_path / 'counts.csv'}")


def test_model_forecasts_panel(copy: Path, tmp_path: Path) -> None:
    months = pd.period_range("2020-01", periods=60, freq="M").astype(str)
    counts = np.random.default_rng(3).integers(100, 200, 60)
    pd.DataFrame({"series_id": "a", "time_period": months, "value": counts}).to_csv(tmp_path / "panel.csv", index=False)
    out = tmp_path / "out.parquet"
    run(
        copy, "-m", "cli", "forecast", "--panel", str(tmp_path / "panel.csv"), "--models", "drift",
        "--horizon", "2", "--out", str(out),
    )  # fmt: skip
    made = pd.read_parquet(out)
    assert set(made["model_id"]) == {"vigie-drift"}
    assert len(made) == 2 * 23


def test_corridor_rule_page_and_language_work_by_their_files(copy: Path) -> None:
    code = (
        "import datetime as dt; from core.languages import Language, catalogue, languages; from geo import is_placed\n"
        "from reports.names import route_name; from nightly import RealTimeData\n"
        "from nightly.pooled import bundled_history\n"
        "data = RealTimeData(bundled_history(), dt.date(2025, 1, 31), 6, 1)\n"
        "print(data.states.set_index('route_id').loc['MALTA', ['series_id', 'state', 'last_period']].tolist())\n"
        "print(route_name('MALTA', Language('fr')), is_placed('MALTA'))\n"
        "from alerts.rules import EXCEEDANCE, TEMPLATES\n"
        "print(EXCEEDANCE['doubling'].title, TEMPLATES['doubling'])\n"
        "from access import PERMISSIONS, page_action\n"
        "from dashboard.pages import page_titles\n"
        "print(list(page_titles().items())[-1], len(PERMISSIONS[page_action('glossary')]))\n"
        "print(languages(), catalogue('de').gettext('Overview'), catalogue('de').gettext('Route'))"
    )
    said = run(copy, "-c", code)
    assert said.startswith("['arrivals.MALTA._T._T.M', 'ok', '2024-12']\nMalte par la mer True\n")
    assert "Twice the month a year before {word} ({chance}) to reach" in said
    assert "('glossary', 'Glossary') 4" in said
    assert "('en', 'de', 'es', 'fr') Überblick Route" in said


def test_page_shows_itself_over_release(copy: Path, tmp_path: Path) -> None:
    publish(tmp_path)
    assert "Glossary / **Horizon**: how many months ahead" in run(copy, "-c", PAGE, home=tmp_path)
