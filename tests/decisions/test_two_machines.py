"""Two machines with one journal in PostgreSQL send no letter twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.settings import load_settings
from decisions import open_workflow
from decisions.sending import send_waiting
from store import AlreadyRunningError


def test_while_one_machine_sends_other_waits_or_leaves_it(tmp_path: Path, postgres_url: str) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "settings.toml").write_text(f'journal_url = "{postgres_url}"\n')
    homes = [tmp_path / "one", tmp_path / "two"]
    with (
        open_workflow(homes[0], load_settings(homes[0])) as one,
        open_workflow(homes[1], load_settings(homes[1])) as two,
    ):
        with (
            one.journal.database.alone("vigie outbox") as is_held,
            pytest.raises(AlreadyRunningError, match="from another machine"),
        ):
            assert is_held
            send_waiting(two, wait_seconds=0.3)
        assert send_waiting(two).sent == 0
