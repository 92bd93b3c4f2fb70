from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InputError
from core.settings import home_folder, load_settings


def test_without_a_file_every_setting_has_its_default(tmp_path: Path) -> None:
    settings = load_settings(tmp_path)
    assert (settings.trajectories, settings.backtest_origins) == (1000, 60)


def test_a_threshold_per_route_is_read(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("[alerts.thresholds]\nCMR = 6000\n")
    assert load_settings(tmp_path).alerts.thresholds == {"CMR": 6000}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("trajectories = 0", "trajectories"),
        ("trajectory = 3", "trajectory"),
        ("[alerts]\nsurge_factor = 0.5", r"alerts\.surge_factor"),
        ("trajectories =", "not readable as TOML"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "settings.toml").write_text(text)
    with pytest.raises(InputError, match=named):
        load_settings(tmp_path)


def test_the_option_wins_over_the_environment_and_that_over_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIGIE_HOME", str(tmp_path / "environment"))
    assert home_folder(tmp_path / "option") == tmp_path / "option"
    assert home_folder() == tmp_path / "environment"
    monkeypatch.delenv("VIGIE_HOME")
    assert home_folder() == Path.cwd() / "var"


def test_the_journal_address_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGIE_JOURNAL_URL", "postgresql+psycopg://vigie@localhost/vigie")
    assert load_settings(tmp_path).journal_url.startswith("postgresql")
