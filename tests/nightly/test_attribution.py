"""Why a route's forecast moved between two nights, on made-up figures of one source."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from alerts.rules import no_alerts
from core.log import silent
from core.release import NOWCASTS
from core.schema import ALL
from core.settings import Settings
from forecasting.models import MODELS
from nightly import RealTimeData, forecasts
from nightly.attribution import Change, Compared, Served, attribute
from nightly.forecasts import ForecastSet, make_forecasts
from store.releases import Release
from store.releases.caches import BacktestStore

STORED, LATER = pd.Timestamp("2024-12-31"), pd.Timestamp("2025-01-31")
Night = tuple[RealTimeData, ForecastSet, dict[str, pd.DataFrame]]


def figures(months: int = 96, last: float = 1.0) -> pd.DataFrame:
    """Arrivals in Spain from January 2017 on; December 2024 is multiplied in January 2025, which has few arrivals."""
    periods = pd.period_range("2017-01", periods=months, freq="M")
    random = np.random.default_rng(4)
    logs = 7 + 0.4 * np.sin(np.arange(months) / 6 * np.pi) + 0.15 * random.normal(size=months).cumsum()
    rows = pd.DataFrame(
        {
            "source_id": "iom_dtm", "series_id": "arrivals.WMR.ESP._T.M", "target": "arrivals", "route_id": "WMR",
            "geo": "ESP", "citizen": ALL, "freq": "M", "time_period": periods.astype(str),
            "obs_value": np.round(np.exp(logs)), "obs_flag": "", "as_of": periods.end_time.normalize(),
            "as_of_estimated": False, "stored_at": STORED, "cell": np.arange(months),
        }
    )  # fmt: skip
    rows.loc[96:, "obs_value"] *= 0.6
    revised = rows.iloc[[95]].assign(as_of=LATER, stored_at=LATER)
    revised["obs_value"] = np.round(last * revised["obs_value"])
    return pd.concat([rows, revised]).sort_values(["cell", "as_of"], ignore_index=True)


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Night]:
    home = tmp_path_factory.mktemp("home")
    settings = Settings(backtest_origins=12, slow_backtest_origins=4, trajectories=200, pooled_model=False)

    def make(date: dt.date, **values: Any) -> Night:  # noqa: ANN401  # as of figures
        data = RealTimeData(figures(**values), date, 6, settings.backtest_origins)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(forecasts, "MODELS", {name: MODELS[name] for name in ("vigie-baseline", "vigie-structural")})
            made = make_forecasts(data, settings, BacktestStore(home), silent, 1)
        tables = {"forecasts": made.current, "trajectories": made.paths}
        return data, made, tables | {"nowcasts": NOWCASTS.empty(), "alerts": no_alerts()}

    return make


@pytest.fixture(scope="module")
def december(night: Callable[..., Night]) -> Night:
    return night(dt.date(2024, 12, 31))


def released(tables: dict[str, pd.DataFrame]) -> Release:
    """The night of December as the release before."""
    manifest = {"vintages": {"iom_dtm": {"until": STORED.isoformat()}}}
    release = SimpleNamespace(read=tables.__getitem__, as_of=dt.date(2024, 12, 31), manifest=manifest)
    return cast(Release, release)


def numbers(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    wide = tables["forecasts"].query("model_id == 'vigie-ensemble'").pivot_table(
        "value", "target_end_date", "output_type_id"
    )  # fmt: skip
    return pd.DataFrame({"median": wide[0.5], "width80": wide[0.9] - wide[0.1]})


def test_equal_releases_have_zero_steps(december: Night) -> None:
    data, made, tables = december
    steps = attribute(data, released(tables), made, tables, None)
    assert set(steps["step"]) == {"refit", "model"}
    assert (steps["value"] == 0.0).all()


def test_held_engine_repeats_release_on_its_own_values(december: Night) -> None:
    """So what is left where the model's version differs is the model's."""
    data, made, tables = december
    other = tables | {"forecasts": tables["forecasts"].assign(model_version="of another time")}
    steps = attribute(data, released(other), made, tables, None)
    assert (steps.loc[steps["quantity"] != "total", "value"] == 0.0).all()


@pytest.mark.parametrize(("values", "step"), [({"last": 0.8}, "revisions:iom_dtm"), ({"months": 97}, "counts:iom_dtm")])
def test_change_of_one_source_is_its_step(
    night: Callable[..., Night], december: Night, values: dict[str, float], step: str
) -> None:
    data, made, tables = night(dt.date(2025, 1, 31), **values)
    steps = attribute(data, released(december[2]), made, tables, None)
    change = (numbers(tables) - numbers(december[2])).dropna()
    told = steps.pivot_table("value", "target_end_date", "quantity", "sum")[["median", "width80"]]
    pd.testing.assert_frame_equal(told.iloc[: len(change)], change, check_names=False, check_freq=False)
    by_step = steps[steps["quantity"] == "median"].groupby("step")["value"].sum()
    assert abs(by_step.sum()) > 500
    assert by_step[step] / by_step.sum() == pytest.approx(1.0, abs=0.05)


def test_gap_is_a_revision_and_later_period_is_new() -> None:
    then = figures()[["source_id", "series_id", "freq", "time_period", "obs_value"]].drop_duplicates("time_period")
    now = pd.concat([then.drop(5), then.tail(1).assign(time_period="2025-01")], ignore_index=True)
    assert Change.between(then, now).revised() == ["iom_dtm"]
    gap = then.loc[[5]]
    assert Change.between(now, pd.concat([now, gap])).revised() == ["iom_dtm"]
    later = Change.between(then, pd.concat([then, now.tail(1)]))
    assert later.revised() == []
    assert later.new["time_period"].tolist() == ["2025-01"]


def test_probability_is_that_of_open_alert_in_its_window() -> None:
    months = list(pd.date_range("2025-02-28", periods=3, freq="ME"))
    paths = pd.DataFrame([[1, 1, 9], [9, 9, 9], [1, 1, 1], [1, 1, 5]], columns=months, dtype=float)
    served = Served(pd.DataFrame(np.tile(np.arange(23.0), (3, 1)), index=months), paths)
    compared = Compared(months, months, {"rule": "surge", "threshold": 5.0})
    found = compared.keys().assign(value=compared.numbers(served)).groupby("quantity")["value"].last()
    assert found.to_dict() == {"median": 11.0, "probability": 0.75, "total": 9.0, "width80": 16.0}
