from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InputError
from core.routes import ROUTES
from core.settings import SNAPSHOT
from forecasting import ENSEMBLE
from forecasting.models import MODELS
from ingest.snapshot import known_issues
from ingest.sources import CARDS

PAGES = {"overview", "route", "alerts", "scenarios", "evaluation", "data"}
ENTRY = '[[issue]]\nid = "a-b"\nwhat = "Something that is known to be wrong."\naffects = ["CMR"]\nsince = 2026-01-02\n'


def test_register_names_only_what_there_is() -> None:
    known = set(CARDS) | set(ROUTES) | set(MODELS) | {ENSEMBLE} | PAGES
    issues = known_issues(SNAPSHOT)
    assert len({issue.id for issue in issues}) == len(issues) > 0
    assert {name for issue in issues for name in issue.affects} - known == set()


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("[[issue]\n", "not readable as TOML"),
        (ENTRY, "field status"),
        (ENTRY + 'status = "perhaps"\n', "field status"),
        (ENTRY + 'status = "open"\nwho = "me"\n', "field who"),
    ],
)
def test_register_that_cannot_be_trusted_is_refused_with_reason(tmp_path: Path, text: str, rule: str) -> None:
    (tmp_path / "known_issues.toml").write_text(text)
    with pytest.raises(InputError, match=rule):
        known_issues(tmp_path)
