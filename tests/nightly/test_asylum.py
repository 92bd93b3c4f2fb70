"""Asylum applications of a night: which are forecast, how corridors and totals agree, the reason if none can be."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest

from core.calendar import PERIODS_PER_YEAR, last_complete_period
from core.log import silent
from forecasting.models import pooled
from forecasting.panel import Panel, read_panel
from nightly import OK, TOO_OLD
from nightly.asylum import DATASETS, REST, Asylum, Dataset, destination_states, forecast_asylum
from nightly.asylum import corridors as corridor_panel
from nightly.forecasts import PanelEngine

AS_OF = dt.date(2020, 1, 31)
COUNTRIES = (
    "AUT", "BEL", "BGR", "CHE", "CYP", "CZE", "DEU", "ESP", "FIN", "FRA",
    "GRC", "HRV", "HUN", "IRL", "ITA", "LUX", "NLD", "NOR", "POL", "SWE",
)  # fmt: skip
"""As many as make a panel on which no model of single series is fitted, which would take minutes."""


def figures(freq: str, periods: pd.PeriodIndex, *, by_citizen: bool = False) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    parts = []
    for size, geo in enumerate(COUNTRIES, start=1):
        cells = {
            name: np.round(300.0 * size * share * np.exp(np.cumsum(rng.normal(0, 0.1, len(periods)))) / 5) * 5
            for name, share in {"SYR": 0.6, "AFG": 0.4}.items()
        }
        shown = {"_T": sum(cells.values()) + 25.0, **(cells if by_citizen else {})}
        for citizen, values in shown.items():
            parts.append(
                pd.DataFrame(
                    {
                        "source_id": "eurostat", "series_id": f"asylum_applications_first._Z.{geo}.{citizen}.{freq}",
                        "target": "asylum_applications_first", "route_id": "_Z", "geo": geo, "citizen": citizen,
                        "freq": freq, "time_period": [str(period).replace("Q", "-Q") for period in periods],
                        "obs_value": np.asarray(values, dtype=float), "obs_flag": "",
                    }
                )
            )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


MONTHS = pd.period_range("2014-01", "2019-12", freq="M")
QUARTERS = pd.period_range("2010Q1", "2019Q4", freq="Q")


def made(known: pd.DataFrame, as_of: dt.date = AS_OF, origins: int = 30) -> Asylum:
    return forecast_asylum(known, as_of, PanelEngine(origins, silent, workers=1))


@pytest.fixture(scope="module")
def few_trees() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for kind in ("TREES", "FAR_TREES", "COUNT_TREES"):
            patch.setattr(pooled, kind, 10)
        yield


@pytest.fixture(scope="module")
def corridors(few_trees: None) -> Asylum:  # noqa: ARG001  # it is there for what it does
    return made(figures("M", MONTHS, by_citizen=True), origins=12)


@pytest.mark.slow
def test_destination_is_forecast_year_ahead_and_scored(corridors: Asylum) -> None:
    totals = corridors.frames["asylum_forecasts"].query("citizen == '_T' and model_id == 'vigie-ensemble'")
    assert set(totals["geo"]) == set(COUNTRIES)
    assert set(totals["horizon"]) == set(range(1, 13))
    scores = corridors.frames["asylum_scores"]
    assert "asylum_applications_first._Z._T._T.M" in set(scores["series_id"])
    assert corridors.degraded == []


@pytest.mark.slow
def test_corridors_are_forecast_and_none_is_nameless_rest(corridors: Asylum) -> None:
    rows = corridors.frames["asylum_forecasts"].query("citizen != '_T'")
    assert set(rows["citizen"]) == {"SYR", "AFG"}
    assert set(rows["model_id"]) == {"vigie-ensemble"}


@pytest.mark.slow
def test_corridors_sum_to_destination(corridors: Asylum) -> None:
    rows = corridors.frames["asylum_forecasts"].query("model_id == 'vigie-ensemble' and horizon == 3")
    median = rows[np.isclose(rows["output_type_id"], 0.5)]
    found = median[median["citizen"] != "_T"].groupby("geo")["value"].agg(["sum", "size"])
    parts = found.loc[found["size"] == 2, "sum"]  # the largest; of the others not all are forecast
    assert len(parts) > 4
    whole = median[median["citizen"] == "_T"].set_index("geo")["value"].reindex(parts.index)
    assert np.allclose(parts, whole, rtol=0.1)


@pytest.mark.usefixtures("few_trees")
def test_months_too_old_leave_quarters_forecast() -> None:
    old = figures("M", pd.period_range("2012-01", "2018-06", freq="M"))
    found = made(pd.concat([old, figures("Q", QUARTERS)], ignore_index=True), dt.date(2020, 2, 10), 8)
    assert set(found.frames["asylum_forecasts"]["freq"]) == {"Q"}
    states = found.frames["asylum_series"].groupby("freq")["state"].unique()
    assert list(states["M"]) == ["too_old"]
    assert list(states["Q"]) == ["ok"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("known", "reason"),
    [
        (figures("M", MONTHS).iloc[:0], "no asylum applications were known"),
        (figures("M", pd.period_range("2012-01", "2015-06", freq="M")), "end in 2015-06"),
    ],
)
def test_without_recent_figures_night_is_degraded_and_says_why(known: pd.DataFrame, reason: str) -> None:
    found = made(known)
    assert found.frames["asylum_forecasts"].empty
    assert [item["source_id"] for item in found.degraded] == ["eurostat"]
    assert reason in found.degraded[0]["reason"]


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda one: f"{one.target}.{one.freq}")
def test_country_with_recent_figures_is_forecast(dataset: Dataset) -> None:
    year = PERIODS_PER_YEAR[dataset.freq]
    assert list(dataset.horizons) == list(range(1, year + 1))
    newest = last_complete_period(AS_OF, dataset.freq)
    for late, state in ((0, OK), (year // 2, OK), (year // 2 + 1, TOO_OLD)):
        known = figures(dataset.freq, pd.period_range(end=newest - late, periods=40, freq=dataset.freq))
        assert set(destination_states(known, dataset, AS_OF)["state"]) == {state}, late


def test_rest_of_destination_is_never_negative() -> None:
    known = figures("M", MONTHS, by_citizen=True)
    known = known[known["geo"] == "DEU"]
    total = known["citizen"] == "_T"
    known.loc[total & (known["time_period"] == "2019-06"), "obs_value"] = 0.0
    panel = read_panel(
        known[total].rename(columns={"obs_value": "value"})[["series_id", "time_period", "value", "geo"]]
    )
    found = corridor_panel(known, panel)
    assert found is not None
    rest = found.matrix.loc[:, (found.groups["citizen"] == "").to_numpy()].iloc[:, 0]
    assert rest["2019-06"] == 0.0
    assert set(rest.drop(pd.Period("2019-06", "M"))) == {25.0}
    names = {f"asylum_applications_first._Z.DEU.{who}.M" for who in ("SYR", "AFG", REST)}
    assert set(found.groups.index) == names, "a corridor is named as its destination, with whom it counts"


def corridor_rows(geo: str, citizen: str, values: list[float], end: str = "2019-12") -> pd.DataFrame:
    """Months of one corridor up to an end."""
    months = pd.period_range(end=end, periods=len(values), freq="M").astype(str)
    series = f"asylum_applications_first._Z.{geo}.{citizen}.M"
    return pd.DataFrame(
        {"series_id": series, "geo": geo, "citizen": citizen, "time_period": months, "obs_value": values}
    )


def totals_of(*countries: str, months: int = 60) -> Panel:
    rows = [corridor_rows(geo, "_T", [1000.0] * months) for geo in countries]
    return read_panel(
        pd.concat(rows).rename(columns={"obs_value": "value"})[["series_id", "time_period", "value", "geo"]]
    )


def chosen(panel: Panel | None) -> list[str]:
    return [] if panel is None else sorted(panel.groups["citizen"][panel.groups["citizen"] != ""])


def test_corridor_needs_three_years_and_arrivals() -> None:
    rows = pd.concat([
        corridor_rows("DEU", "SYR", [5.0] * 36), corridor_rows("DEU", "AFG", [5.0] * 35),
        corridor_rows("DEU", "IRQ", [5.0] * 20 + [0.0] * 24),
        corridor_rows("DEU", "ERI", [0.0] * 36 + [1.0] + [0.0] * 23),
    ])  # fmt: skip
    assert chosen(corridor_panel(rows, totals_of("DEU"))) == ["ERI", "SYR"]
    assert corridor_panel(rows[rows["citizen"] == "AFG"], totals_of("DEU")) is None
    assert corridor_panel(rows[rows["citizen"] == "_T"], totals_of("DEU")) is None
    assert corridor_panel(rows, totals_of("FRA")) is None, "a country that is not forecast has no corridors"


def test_twenty_largest_corridors_are_chosen() -> None:
    names = [f"C{number:02d}" for number in range(22)]
    late = [corridor_rows("DEU", name, [0.0] * 36 + [10.0 + size] * 24) for size, name in enumerate(names)]
    early = corridor_rows("DEU", "OLD", [9_000.0] * 36 + [1.0] * 24)
    assert chosen(corridor_panel(pd.concat([*late, early]), totals_of("DEU"))) == names[2:]


@pytest.mark.parametrize(("countries", "forecast"), [(4, False), (5, True)])
def test_fewer_than_five_countries_are_not_pooled(
    monkeypatch: pytest.MonkeyPatch, countries: int, *, forecast: bool
) -> None:
    asked = list[int]()

    def run(_dataset: object, _rows: pd.DataFrame, fine: list[str], _forecast: object) -> None:
        asked.append(len(fine))
        raise InterruptedError

    monkeypatch.setattr("nightly.asylum._forecast_dataset", run)
    known = figures("M", MONTHS)
    with suppress(InterruptedError):
        assert made(known[known["geo"].isin(COUNTRIES[:countries])]).frames["asylum_forecasts"].empty
    assert asked == ([countries] if forecast else [])
