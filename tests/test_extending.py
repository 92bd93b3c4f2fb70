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
CODE = """
import datetime as dt, sys
from cli.__main__ import main
from streamlit.testing.v1 import AppTest

def vigie(*words):
    sys.argv = ["vigie", *words]
    try:
        main()
    except SystemExit as ended:
        assert not ended.code, words

vigie("ingest", "--file", "harbour_counts=counts.csv")
vigie("forecast", "--panel", "panel.csv", "--models", "drift", "--horizon", "2", "--out", "out.parquet")

from core.languages import Language, catalogue, languages
from geo import is_placed
from nightly import RealTimeData
from nightly.pooled import bundled_history
from reports.names import route_name
data = RealTimeData(bundled_history(), dt.date(2025, 1, 31), 6, 1)
print(data.states.set_index("route_id").loc["MALTA", ["series_id", "state", "last_period"]].tolist())
print(route_name("MALTA", Language("fr")), is_placed("MALTA"))
from alerts.rules import EXCEEDANCE, TEMPLATES
print(EXCEEDANCE["doubling"].title, TEMPLATES["doubling"])
from access import PERMISSIONS, page_action
from dashboard.pages import page_titles
print(list(page_titles().items())[-1], len(PERMISSIONS[page_action("glossary")]))
print(languages(), catalogue("de").gettext("Overview"), catalogue("de").gettext("Route"))
page = AppTest.from_file("app.py", default_timeout=600).switch_page("dashboard/pages/glossary.py").run()
assert not page.exception, page.exception
print(page.title[0].value, "/", page.markdown[-1].value)
"""
"""Uses each in one process: to load the program takes seconds."""


@pytest.mark.slow
def test_each_works_by_its_files_in_copy(tmp_path: Path) -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True)
    copy = tmp_path / "vigie"
    for name in tracked.stdout.splitlines():
        if not name.startswith(("tests/", "benchmarks/", "docs/")) and (PROJECT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, copy / name)
    for example in EXAMPLE.finditer((PROJECT / "docs" / "extending.md").read_text(encoding="utf-8")):
        (copy / example["path"]).parent.mkdir(parents=True, exist_ok=True)
        (copy / example["path"]).write_text(example["text"], encoding="utf-8")
    (copy / "counts.csv").write_text("month,count\n2024-11,310\n2024-12,1200\n")
    months = pd.period_range("2020-01", periods=60, freq="M").astype(str)
    counts = np.random.default_rng(3).integers(100, 200, 60)
    pd.DataFrame({"series_id": "a", "time_period": months, "value": counts}).to_csv(copy / "panel.csv", index=False)
    publish(tmp_path / "home")
    environment = {**os.environ, "PYTHONPATH": str(copy), "VIGIE_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-c", CODE]
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    taken, said = done.stdout.split("['arrivals.MALTA._T._T.M', 'ok', '2024-12']\nMalte par la mer True\n")
    assert "harbour_counts" in taken
    assert "Twice the month a year before {word} ({chance}) to reach" in said
    assert "('glossary', 'Glossary') 4" in said
    assert "('en', 'de', 'es', 'fr') Überblick Route" in said
    assert "Glossary / **Horizon**: how many months ahead" in said
    made = pd.read_parquet(copy / "out.parquet")
    assert set(made["model_id"]) == {"vigie-drift"}
    assert len(made) == 2 * 23
