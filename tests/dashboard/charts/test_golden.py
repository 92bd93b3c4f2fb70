"""Whole charts and their words, mark by mark: what no other test has a sentence for stays as it is.

Where a difference is meant, ``make golden`` writes the files anew.
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from core import QUANTILE_LEVELS
from dashboard.charts.bars import (
    STEP,
    TOTAL,
    mix_alt,
    mix_bars,
    small_multiples,
    small_multiples_alt,
    steps_alt,
    steps_chart,
)
from dashboard.charts.fan import Fan, Window, fan_alt, fan_chart, fan_key
from dashboard.charts.models import (
    coverage_alt,
    coverage_chart,
    members_alt,
    members_chart,
    pit_alt,
    pit_histogram,
    reliability_alt,
    reliability_chart,
    skill_alt,
    skill_chart,
    skill_key,
)
from dashboard.charts.past import past_chart, past_key
from dashboard.charts.scenario import (
    compare_alt,
    compare_chart,
    places_chart,
    scenario_alt,
    scenario_chart,
    scenario_of,
)
from dashboard.charts.seasons import season_alt, season_bars, season_bars_alt, season_chart
from dashboard.evaluation_teams import teams_alt, teams_chart, teams_key
from dashboard.tables import sparkline
from dashboard.theme import DARK, LIGHT
from forecasting.verification.verdict import BETTER, LIKELY, WORSE
from reports.numbers import Expected
from tests.dashboard.shown import drawn
from tests.golden import check_golden

GOLDEN = Path(__file__).with_name("golden")
NOW = dt.date(2025, 1, 31)
NAN = float("nan")
Drawn = tuple[go.Figure, list[str]]


def counts(last: str, values: list[float], freq: str = "ME") -> pd.DataFrame:
    """Counts up to a day, the last one provisional."""
    ends = pd.date_range(end=last, periods=len(values), freq=freq)
    flags = [""] * (len(values) - 1) + ["p"] * bool(values)
    return pd.DataFrame({"time_period_end": ends, "value": values, "flag": flags})


def ahead(first: str, medians: list[float], spread: float = 1.0, freq: str = "ME") -> pd.DataFrame:
    """Quantiles around medians, wider from period to period."""
    ends = pd.date_range(first, periods=len(medians), freq=freq)
    rows = [
        (end, level, median * np.exp((0.3 + 0.05 * step) * spread * 2 * (level - 0.5)))
        for step, (end, median) in enumerate(zip(ends, medians, strict=True))
        for level in QUANTILE_LEVELS
    ]
    return pd.DataFrame(rows, columns=["target_end_date", "output_type_id", "value"])


def fan(what: Fan, theme: str = "light") -> Drawn:
    colours = DARK if theme == "dark" else LIGHT
    return fan_chart(what, colours), [fan_key(what, colours), fan_alt(what, name="A route")]


COUNTED = counts("2024-12-31", [1500, 1700, 900, 600, 400, 700, 1100, 1900, 2400, 2300, 2000, 1600])
COMING = ahead("2025-01-31", [1300, 1200, 1000, 1100, 1500, 2100])
ENDS = list(pd.DatetimeIndex(COMING["target_end_date"].unique()[:3]))
STEADY = counts("2024-12-31", [1000.0 + 10 * place for place in range(30)])


def fan_with_every_layer() -> Drawn:
    earlier = pd.DataFrame(
        {
            "origin_date": pd.Timestamp("2024-06-30"),
            "target_end_date": pd.date_range("2024-07-31", periods=3, freq="ME"),
            "q10": [500.0, 600.0, 700.0],
            "q50": [900.0, 1000.0, 1200.0],
            "q90": [1500.0, 1700.0, 2100.0],
        }
    )
    running = pd.DataFrame(
        [
            {
                "target_end_date": pd.Timestamp("2025-01-31"),
                "so_far": 450.0,
                "places": "ITA",
                "q10": 800.0,
                "q50": 1250.0,
                "q90": 1700.0,
            }
        ]
    )
    ends = pd.date_range("2025-01-31", periods=6, freq="ME")
    chances = pd.DataFrame({"target_end_date": ends, "probability": [0.02, 0.1, 0.15, 0.3, 0.45, 0.995]})
    outcomes = counts("2025-03-31", [1210, 1340, 980])
    return fan(
        Fan(
            COUNTED, COMING, NOW, "Arrivals", earlier=earlier, outcomes=outcomes, running=running,
            threshold=2200.0, event="to pass 2,200 a month",
            chances=chances, verdicts={ends[1]: BETTER, ends[2]: LIKELY, ends[3]: LIKELY, ends[4]: WORSE},
        )
    )  # fmt: skip


def fan_of_ratios() -> Drawn:
    uneven = COUNTED.assign(value=COUNTED["value"].where(COUNTED.index != 3, 0.0), flag=[*["e"] * 2, *[""] * 9, "p"])
    return fan(
        Fan(
            uneven,
            COMING,
            NOW,
            "Arrivals",
            threshold=9000.0,
            is_log=True,
            verdicts=dict.fromkeys(COMING["target_end_date"], BETTER),
        ),
        "dark",
    )


def fan_of_quarters() -> Drawn:
    quarters = counts("2024-12-31", [150, 170, 90, 60, 140, 210, 130, 120], "QE")
    coming = ahead("2025-03-31", [130, 140, 150, 160], freq="QE")
    return fan(Fan(quarters, coming, dt.date(2025, 2, 15), "Applications", months_each=3, months_back=6))


def fan_after_a_short_history() -> Drawn:
    far = ahead("2025-01-31", [300, 290, 280, 100, 50, 40], spread=8.0)
    return fan(
        Fan(COUNTED.tail(3), far, NOW, "Arrivals", verdicts=dict.fromkeys(far["target_end_date"].unique()[3:], BETTER))
    )


def fan_that_is_widest_at_its_end() -> Drawn:
    far = ahead("2025-01-31", [100, 120, 130, 150, 180, 400], spread=8.0)
    return fan(Fan(COUNTED.tail(2), far, NOW, "Arrivals", verdicts={}, threshold=1700.0))


def nationalities() -> Drawn:
    mix = pd.DataFrame(
        {"name": ["A", "B", "C", "other"], "value": [480.0, 300, 120, 100], "share": [0.48, 0.3, 0.12, 0.1]}
    )
    return mix_bars(mix, unit="In 2024", theme=LIGHT), [mix_alt(mix, unit="In 2024")]


def nationalities_as_shares_alone() -> Drawn:
    mix = pd.DataFrame({"name": ["A", "B"], "share": [0.75, 0.25]})
    return mix_bars(mix, unit="In 2024", theme=DARK), [mix_alt(mix, unit="In 2024")]


def indicators() -> Drawn:
    ends = pd.date_range("2012-03-31", "2024-12-31", freq="ME")
    steps = np.arange(len(ends))
    panels = {"Prices": 100 + steps / 4, "Anomaly": np.sin(steps / 9) - 0.5, "Cold": -1 - steps / 100}
    lines = pd.concat(
        [pd.DataFrame({"panel": name, "time_period_end": ends, "value": values}) for name, values in panels.items()]
    )
    return small_multiples(lines, theme=LIGHT), [small_multiples_alt(lines)]


def one_indicator_of_half_a_year() -> Drawn:
    lines = counts("2024-06-30", [3.0, 4, 2, 5, 6, NAN]).assign(panel="Prices")
    return small_multiples(lines, theme=LIGHT), [small_multiples_alt(lines)]


def steps() -> Drawn:
    names = [
        "Last month's forecast",
        "The season: what is usual from one month to the next",
        "Weights of models",
        "Now",
    ]
    rows = pd.DataFrame({"name": names, "change": [0, 250.0, -80.0, 0], "value": [1000.0, 1250.0, 1170.0, 1170.0]})
    rows["kind"] = [TOTAL, STEP, STEP, TOTAL]
    return steps_chart(rows, unit="Arrivals", theme=LIGHT), [steps_alt(rows), steps_alt(rows[rows["kind"] == TOTAL])]


def coverage() -> Drawn:
    rows = pd.DataFrame({"nominal": [0.95, 0.5, 0.8], "observed": [0.9, 0.55, 0.7], "lower": [0.85, 0.4, 0.6]})
    rows[["upper", "n"]] = [[0.97, 60], [0.65, 60], [0.75, 60]]
    return coverage_chart(rows, theme=LIGHT), [coverage_alt(rows)]


def past_forecasts() -> Drawn:
    rows = pd.DataFrame({
        "target_end_date": pd.date_range("2024-10-31", periods=3, freq="ME"), "q10": [80.0, 60.0, 500.0],
        "q50": [100.0, 90.0, 900.0], "q90": [150.0, 120.0, 1500.0], "obs_value": [110.0, 200.0, 1200.0],
        "inside": [True, False, True],
    })  # fmt: skip
    return past_chart(rows, is_small=False, unit="Arrivals", theme=LIGHT), [past_key(LIGHT)]


def places_within_forecasts() -> Drawn:
    rows = pd.DataFrame({"bin_low": np.arange(20) / 20, "share": [0.12, *[0.04] * 18, 0.16]})
    return pit_histogram(rows, theme=LIGHT), [pit_alt(rows)]


def reliability() -> Drawn:
    rows = pd.DataFrame({"chance": [0.4, 0.1, 0.8], "came": [0.5, 0.08, 0.75], "n": [25, 100, 1]})
    rows = rows.assign(came_lo=rows["came"] - 0.05, came_hi=rows["came"] + 0.1)
    return reliability_chart(rows, theme=LIGHT), [reliability_alt(rows)]


def skill() -> Drawn:
    rows = pd.DataFrame(
        [
            (model, name, horizon, base + 0.05 * horizon, base + 0.05 * horizon - 0.1, base + 0.05 * horizon + width)
            for model, name, base, width in (
                ("vigie-ets", "Smoothing", 0.9, 0.2), ("vigie-ensemble", "Ensemble", 0.75, 0.1),
                ("team-a", "A", 0.6, 2.0),
            )
            for horizon in (1, 3, 6)
        ],
        columns=["model_id", "name", "horizon", "relative_wis", "relative_wis_lo", "relative_wis_hi"],
    )  # fmt: skip
    rows["p_holm"] = 0.01
    return skill_chart(rows, theme=LIGHT), [skill_key(rows, theme=LIGHT), skill_alt(rows)]


def skill_of_one_model() -> Drawn:
    rows = pd.DataFrame(
        {"model_id": "vigie-ensemble", "name": "Ensemble", "horizon": [3, 1], "relative_wis": [1.0, NAN]}
    ).assign(relative_wis_lo=NAN, relative_wis_hi=NAN, p_holm=NAN)
    return skill_chart(rows, theme=LIGHT), [skill_alt(rows)]


BARS = ("q10", "q25", "q50", "q75", "q90")


def members() -> Drawn:
    rows = pd.DataFrame([[100.0, 200, 300, 400, 520], [150, 210, 280, 390, 610]], columns=list(BARS))
    rows = rows.assign(
        model_id=["vigie-ensemble", "vigie-ets"], name=["Ensemble", "Smoothing"], relative_wis=[0.9, NAN],
        member=[False, True],
    )  # fmt: skip
    return members_chart(rows, unit="Arrivals", theme=LIGHT), [members_alt(rows)]


def scenario() -> Drawn:
    """Of the months ahead the last is as forecast."""
    forecast = COMING.pivot_table(index="target_end_date", columns="output_type_id", values="value")
    verdicts = dict.fromkeys(ENDS, LIKELY)
    then = forecast.mul([0.5, *[1.0] * (len(forecast) - 1)], axis=0)
    window, beside = Window(ENDS, Expected(300.0, 180.0, 420.0)), scenario_of(forecast, then, verdicts, COUNTED)
    what = Fan(COUNTED, COMING, NOW, "a", months_back=12, verdicts=verdicts, window=window, beside=beside)
    said = [scenario_alt(what, name="Half"), fan_key(what, LIGHT)]
    return scenario_chart(what, Expected(150.0, 90.0, 210.0), LIGHT), said


def places() -> Drawn:
    months = pd.date_range("2025-01-31", periods=4, freq="ME")
    plain, then = (
        pd.DataFrame({"target_end_date": months, "places": [base, base + 30, 20.0, 10.0]}) for base in (60, 90)
    )
    return places_chart(plain, then, 150.0, unit="Places", theme=LIGHT), []


def scenarios_beside_each_other() -> Drawn:
    rows = pd.DataFrame([[100.0, 200, 300, 400, 520], [150, 210, 280, 390, 610]], columns=list(BARS))
    rows = rows.assign(name=["Forecast", "Half more"], is_forecast=[True, False])
    return compare_chart(rows, unit="a", theme=LIGHT), [compare_alt(rows, unit="a")]


def seasons_in_the_midst_of_a_year() -> Drawn:
    seen = counts("2024-08-31", [100.0 + 7 * place for place in range(32)])
    coming = ahead("2024-09-30", [300, 250, 200, 150, 160, 170, 180, 190])
    known = dict.fromkeys(pd.date_range("2024-09-30", periods=3, freq="ME"), BETTER)
    figure = season_chart(seen, coming, year=2024, unit="a", theme=LIGHT, verdicts=known)
    return figure, [season_alt(seen, coming, year=2024)]


def season_with_a_threshold() -> Drawn:
    history = pd.DataFrame({"year": [2022, 2023, 2024], "value": [800.0, 1200.0, 1500.0]})
    total = ahead("2025-12-31", [1200.0])
    figure = season_bars(history, total, year=2025, lines={"threshold {value}": 1500.0}, unit="a", theme=LIGHT)
    return figure, [season_bars_alt(history, total, year=2025, threshold=limit) for limit in (None, 1500.0, 1499.0)]


def team_rows(freq: str, first: str) -> pd.DataFrame:
    ends = pd.date_range(first, periods=3, freq=freq)
    rows = [
        (model, model.upper(), end, 0.6 * base, base + 10.0 * step, 1.5 * base)
        for model, base in (("a", 100), ("b", 140), ("c", 900), ("d", 120))
        for step, end in enumerate(ends)
    ]
    return pd.DataFrame(rows, columns=["model_id", "name", "target_end_date", "q10", "q50", "q90"])


def teams(freq: str, pandas_freq: str, first: str, last: str) -> Drawn:
    seen, rows = counts(last, [90.0, 110, 130, 100], pandas_freq), team_rows(pandas_freq, first)
    figure = teams_chart(seen, rows, highlight="b", unit="a", theme=LIGHT, freq=freq)
    said = [teams_alt(seen, rows, highlight=name, freq=freq) for name in ("b", "c", "none")]
    return figure, [*said, teams_key(seen, rows, highlight="b", theme=LIGHT)]


def teams_by_month() -> Drawn:
    return teams("M", "ME", "2025-01-31", "2024-12-31")


def teams_by_quarter() -> Drawn:
    return teams("Q", "QE", "2025-03-31", "2024-12-31")


def teams_by_week() -> Drawn:
    return teams("W", "W-SUN", "2025-01-05", "2024-12-29")


CHARTS: tuple[Callable[[], Drawn], ...] = (
    fan_with_every_layer, fan_of_ratios, fan_of_quarters, fan_after_a_short_history, fan_that_is_widest_at_its_end,
    nationalities, nationalities_as_shares_alone, indicators, one_indicator_of_half_a_year, steps,
    coverage, past_forecasts, places_within_forecasts, reliability, skill, skill_of_one_model, members, scenario,
    places, scenarios_beside_each_other, seasons_in_the_midst_of_a_year,
    season_with_a_threshold, teams_by_month, teams_by_quarter, teams_by_week,
)  # fmt: skip


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.__name__)
def test_every_chart_is_drawn_and_reported_as_its_golden_text(chart: Callable[[], Drawn]) -> None:
    figure, words = chart()
    check_golden(GOLDEN / f"{chart.__name__}.txt", [*drawn(figure.to_json()), *words])


def pictures() -> Iterator[str]:
    """Sparklines as the marks that they draw."""
    history = STEADY.rename(columns={"time_period_end": "end_date", "value": "obs_value"})
    wide = COMING.pivot_table(index="target_end_date", columns="output_type_id", values="value")
    for counted, quantiles in ((history, wide), (history.drop(index=[12]), wide.iloc[:2]), (history.tail(1), wide)):
        address = sparkline(counted, quantiles, theme=LIGHT)
        yield base64.b64decode(address.partition(",")[2]).decode().replace("><", ">\n<")


def test_sparkline_is_drawn_as_its_golden_text() -> None:
    check_golden(GOLDEN / "sparklines.txt", pictures())
