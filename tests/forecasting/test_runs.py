"""What the command line runs, from a panel's file to the frame it writes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from core.errors import InputError
from core.release import FORECASTS
from core.schema import check
from forecasting import ENSEMBLE
from forecasting.members import models_to_run
from forecasting.panel import Panel
from forecasting.quantiles import to_rows
from forecasting.runs import forecast_file

from .frames import run_backtest, run_forecast

pytestmark = pytest.mark.usefixtures("quick_engine")


@pytest.fixture
def panel_path(small_panel: Panel, tmp_path: Path) -> Path:
    path = tmp_path / "panel.csv"
    small_panel.long().to_csv(path, index=False)
    return path


def test_only_models_asked_for_are_returned_though_members_run(panel_path: Path) -> None:
    made = check(run_backtest(panel_path, origins=2, horizons=[1, 3], models="ensemble,baseline"), FORECASTS)
    assert set(made["model_id"]) == {"vigie-ensemble", "vigie-baseline"}
    assert len(made) == 2 * 3 * 2 * 2 * 23


def test_asking_for_single_models_runs_no_others() -> None:
    assert models_to_run(["vigie-ets", "vigie-baseline"]) == ["vigie-baseline", "vigie-ets"]
    assert "vigie-prophet" not in models_to_run([ENSEMBLE])
    assert "vigie-prophet" in models_to_run([ENSEMBLE, "vigie-prophet"])


def test_present_is_forecast_from_panels_last_month(panel_path: Path) -> None:
    made = check(run_forecast(panel_path, horizon=2, models="ensemble", workers=1), FORECASTS)
    assert set(made["origin_date"].astype(str)) == {"2020-12-31"}
    assert set(made["target_end_date"].astype(str)) == {"2021-01-31", "2021-02-28"}
    assert made["series_id"].nunique() == 3
    assert not made["fallback"].any()


@pytest.mark.parametrize("judged", [2, 3])
def test_batches_give_same_forecasts(panel_path: Path, monkeypatch: pytest.MonkeyPatch, judged: int) -> None:
    monkeypatch.setattr("forecasting.panel.LARGEST_JUDGED", judged)
    tables = []
    for most in (2, 3):
        monkeypatch.setattr("forecasting.runs.BATCH", most)
        made = forecast_file(panel_path, horizon=2, models="ensemble", workers=1)
        assert ("not calibrated on its own past errors" in made.account[0]) == (judged < 3)
        tables.append(to_rows(made.table).sort_values(["series_id", "horizon", "output_type_id"], ignore_index=True))
    pd.testing.assert_frame_equal(tables[0], tables[1])


def test_unknown_models_and_impossible_horizons_are_refused(panel_path: Path) -> None:
    with pytest.raises(InputError, match="unknown model"):
        run_backtest(panel_path, origins=2, horizons=[1], models="crystal-ball")
    with pytest.raises(InputError, match="the horizon is at least 1"):
        run_forecast(panel_path, horizon=0)
