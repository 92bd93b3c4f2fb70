"""An administrator may have a combination of the hub served; where and whether it is, a release says."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import yaml

from core.errors import InputError
from core.languages import Language
from core.release import FORECASTS
from core.settings import HubSettings
from forecasting import BASELINE, ENSEMBLE, LEVELS, NORMAL_SCORES, OWN
from forecasting.panel import Panel, panel_from_rows
from forecasting.trajectories import sample_paths
from hub.outputs import own_ensemble, tidy
from hub.targets import config_files
from nightly.forecasts import HORIZONS, ForecastSet, near
from nightly.hub_combined import score_hub, serve
from nightly.hub_tables import collect_night
from reports.citations import combination_served
from store import parquet_bytes
from store.hub import HubFiles
from tests.hub.test_submissions import ABOUT

CMR, EMR = "arrivals.CMR._T._T.M", "arrivals.EMR._T._T.M"
ORIGIN = pd.Timestamp("2024-11-30")
IN_TIME, LATE = dt.date(2024, 12, 20), dt.date(2025, 1, 15)
NONE = pd.DataFrame({"used": pd.Series(dtype=bool)})


def rows(model_id: str, series_id: str, middle: float, months: int = 12) -> pd.DataFrame:
    parts = [
        pd.DataFrame({"horizon": step, "output_type_id": LEVELS, "value": middle * np.exp(0.3 * NORMAL_SCORES),
                      "target_end_date": ORIGIN + pd.offsets.MonthEnd(step)})
        for step in range(1, months + 1)
    ]  # fmt: skip
    frame = pd.concat(parts, ignore_index=True)
    return frame.assign(
        model_id=model_id, series_id=series_id, origin_date=ORIGIN, output_type="quantile", target="arrivals"
    )


@pytest.fixture(scope="module")
def panel() -> Panel:
    months = pd.period_range("2022-01", "2024-11", freq="M").astype(str)
    return panel_from_rows(
        pd.DataFrame([(one, month, 900.0) for one in (CMR, EMR) for month in months],
                     columns=["series_id", "time_period", "value"])
    )  # fmt: skip


@pytest.fixture(scope="module")
def made(panel: Panel) -> ForecastSet:
    parts = [rows(model, one, 1000, 14) for model in (BASELINE, ENSEMBLE) for one in (CMR, EMR)]
    current = pd.concat(parts, ignore_index=True).drop(columns="target")
    farther = current[current["model_id"] == ENSEMBLE].reset_index(drop=True)
    empty = FORECASTS.empty()
    paths = near(sample_paths(farther, None, panel, n=50))
    return ForecastSet(near(current), empty, empty, paths, 0, farther=farther, farther_past=empty)


def hub(home: Path, months: int = 12, received: dt.date = IN_TIME) -> HubSettings:
    """A hub in which one team forecasts one of two routes, four times as many as Vigie; it was collected."""
    place = home / "a hub"
    name = "team-model"
    files = config_files([CMR, EMR], dt.date(2024, 12, 31), "A hub")
    files[f"model-output/{name}/{ORIGIN:%Y-%m-%d}-{name}.parquet"] = parquet_bytes(tidy(rows(name, CMR, 4000, months)))
    about = yaml.safe_load(ABOUT) | {"designated_model": True}
    files[f"model-metadata/{name}.yml"] = yaml.safe_dump(about).encode()
    place.mkdir(parents=True)
    HubFiles(str(place)).write(files)
    assert collect_night(str(place), home, received) == []
    return HubSettings(place=str(place), serve="hub-weighted")


def median(frame: pd.DataFrame, model_id: str, series_id: str) -> float:
    chosen = (frame["model_id"] == model_id) & (frame["series_id"] == series_id) & (frame["horizon"] == 1)
    return float(frame.loc[chosen & (frame["output_type_id"] == 0.5), "value"].iloc[0])


def data(panel: Panel, date: dt.date = LATE) -> SimpleNamespace:
    return SimpleNamespace(date=date, panel=panel)


def test_where_a_team_takes_part_the_combination_is_served_and_paths_follow(
    made: ForecastSet, panel: Panel, tmp_path: Path
) -> None:
    settings = hub(tmp_path)
    served, said, degraded = serve(settings, tmp_path, made, NONE, data(panel))  # type: ignore[arg-type]  # what is read of it
    assert degraded == []
    assert said == {"combination": "hub-weighted", "series": [CMR]}
    assert median(served.current, ENSEMBLE, CMR) == pytest.approx(1001 ** (2 / 3) * 4001 ** (1 / 3) - 1, rel=0.01)
    assert median(served.current, OWN, CMR) == median(made.current, ENSEMBLE, CMR)
    assert median(served.current, ENSEMBLE, EMR) == median(made.current, ENSEMBLE, EMR)
    middles = served.paths[served.paths["horizon"] == 1].groupby("series_id")["value"].median()
    assert middles[CMR] > 1.4 * middles[EMR]
    assert served.paths["horizon"].max() == HORIZONS[-1]
    own, paths = own_ensemble(served.current, served.paths)
    assert median(own, ENSEMBLE, CMR) == median(made.current, ENSEMBLE, CMR)
    assert OWN not in set(own["model_id"])
    assert set(paths["series_id"]) == {EMR}


def test_it_is_off_unless_it_was_turned_on(made: ForecastSet, panel: Panel, tmp_path: Path) -> None:
    settings = hub(tmp_path).model_copy(update={"serve": ""})
    served, said, _none = serve(settings, tmp_path, made, NONE, data(panel))  # type: ignore[arg-type]  # as above
    assert HubSettings().serve == ""
    assert said is None
    assert served.current.equals(made.current)


@pytest.mark.parametrize(("received", "months"), [(LATE, 12), (IN_TIME, 6)], ids=["late", "half a year"])
def test_what_came_late_or_lacks_months_changes_nothing(
    received: dt.date, months: int, made: ForecastSet, panel: Panel, tmp_path: Path
) -> None:
    settings = hub(tmp_path, months, received)
    served, said, _none = serve(settings, tmp_path, made, NONE, data(panel))  # type: ignore[arg-type]  # as above
    assert said == {"combination": "hub-weighted", "series": []}
    assert served.current.equals(made.current)


def test_where_what_was_kept_cannot_be_read_the_night_says_so_and_vigies_own_is_served(
    made: ForecastSet, panel: Panel, tmp_path: Path
) -> None:
    settings = hub(tmp_path)
    next((tmp_path / "hub" / "editions").rglob("*.json")).write_text("{")
    served, said, degraded = serve(settings, tmp_path, made, NONE, data(panel))  # type: ignore[arg-type]  # as above
    assert "is no record of an edition" in degraded[0]["reason"]
    assert said == {"combination": "hub-weighted", "series": []}
    assert served.current.equals(made.current)


def test_readers_are_told_of_which_routes_a_combination_is_served() -> None:
    release = SimpleNamespace(served={"combination": "hub-median", "series": [CMR]})
    (text,) = combination_served(release, Language("fr"))
    assert "combinaison" in text and "hub-median" in text
    assert combination_served(SimpleNamespace(served={}), Language("en")) == []


@pytest.mark.parametrize("column", ["oracle_value", "target_end_date"])
def test_an_oracle_without_a_column_is_refused_by_the_line_that_should_name_it(tmp_path: Path, column: str) -> None:
    """Columns are named in a table's first row."""
    place = hub(tmp_path).place
    named = {"location": "CMR", "target_end_date": "2024-12-31", "oracle_value": "1"}
    table = pd.DataFrame([named]).drop(columns=column).to_csv(index=False).encode()
    HubFiles(place).write({"target-data/oracle-output.csv": table})
    with pytest.raises(InputError, match="oracle-output") as refused:
        score_hub(place, "team-model")
    assert re.search(rf"\brow 1\b.*\b{column}\b", str(refused.value))
