from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from core import QUANTILE_LEVELS
from core.errors import SchemaError
from dashboard.charts import quantile
from dashboard.charts.seasons import season_alt, season_bars, season_bars_alt, season_chart
from dashboard.theme import LIGHT


@pytest.fixture
def history() -> pd.DataFrame:
    return pd.DataFrame({"year": [2021, 2022, 2023, 2024], "value": [5_800.0, 12_800.0, 8_700.0, 14_200.0]})


@pytest.fixture
def total() -> pd.DataFrame:
    values = [13_200 * np.exp(level - 0.5) for level in QUANTILE_LEVELS]
    return pd.DataFrame({"output_type_id": QUANTILE_LEVELS, "value": values})


def named(figure: go.Figure, name: str) -> Any:  # noqa: ANN401  # plotly publishes no types of traces
    (trace,) = [trace for trace in figure.data if trace.name == name]
    return trace


def words(figure: go.Figure) -> list[str]:
    return [label.text for label in figure.layout.annotations]


def test_each_year_is_a_line_by_calendar_month(observed: pd.DataFrame, forecast: pd.DataFrame) -> None:
    figure = season_chart(observed, forecast, year=2025, unit="Arrivals", theme=LIGHT)
    np.testing.assert_allclose(named(figure, "2023").y, observed["value"][:12])
    assert list(named(figure, "2024").x) == list(range(1, 13))
    np.testing.assert_allclose(named(figure, "2025 expected").y, quantile(forecast, 0.5))


def test_last_year_and_this_year_are_named_and_stronger_than_the_rest(
    observed: pd.DataFrame, forecast: pd.DataFrame
) -> None:
    figure = season_chart(observed, forecast, year=2025, unit="Arrivals", theme=LIGHT)
    assert set(words(figure)) == {"Arrivals", "<b>2025</b>", "<b>2024</b>"}
    assert named(figure, "2024").line.width > named(figure, "2023").line.width
    assert named(figure, "2025 expected").line.color == LIGHT.fan


def test_the_name_of_a_year_stands_where_its_line_ends(observed: pd.DataFrame, forecast: pd.DataFrame) -> None:
    figure = season_chart(observed, forecast, year=2025, unit="Arrivals", theme=LIGHT)
    places = {label.text: (label.x, label.y) for label in figure.layout.annotations}
    assert places["<b>2025</b>"] == (12, pytest.approx(quantile(forecast, 0.5).iloc[-1]))
    assert places["<b>2024</b>"] == (12, pytest.approx(observed["value"].iloc[-1]))


def test_a_year_half_observed_opens_its_band_at_the_last_count(observed: pd.DataFrame, forecast: pd.DataFrame) -> None:
    figure = season_chart(observed.iloc[:18], shifted(forecast, months=-6), year=2024, unit="Arrivals", theme=LIGHT)
    expected = named(figure, "2024 expected")
    assert list(expected.x) == [6, *range(7, 13)]
    assert expected.y[0] == pytest.approx(observed["value"].iloc[17])
    assert len(named(figure, "2024").x) == 6


def test_coming_months_of_two_years_are_all_drawn_each_under_its_year(
    observed: pd.DataFrame, forecast: pd.DataFrame
) -> None:
    figure = season_chart(observed.iloc[:18], shifted(forecast, months=-6), year=2024, unit="Arrivals", theme=LIGHT)
    later = quantile(shifted(forecast, months=-6), 0.5)
    later = later[pd.DatetimeIndex(later.index).year == 2025]
    assert len(later) == 6
    np.testing.assert_allclose(named(figure, "2025 expected").y, later)
    assert set(words(figure)) == {"Arrivals", "<b>2024</b>", "<b>2025</b>", "<b>2023</b>"}
    assert len([trace for trace in figure.data if trace.name == "80%"]) == 2


def shifted(forecast: pd.DataFrame, months: int) -> pd.DataFrame:
    ends = forecast["target_end_date"] + pd.DateOffset(months=months)
    return forecast.assign(target_end_date=ends + pd.offsets.MonthEnd(0))


def test_the_season_in_words_names_both_peaks(observed: pd.DataFrame, forecast: pd.DataFrame) -> None:
    assert season_alt(observed, forecast, year=2025) == (
        "2025 is expected to peak at 5,800 in December. 2024 peaked at 8,000 in April. "
        "Earlier years are drawn as thin lines."
    )


def test_a_year_that_is_counted_in_part_peaks_where_its_counts_and_what_is_to_come_do_together(
    observed: pd.DataFrame, forecast: pd.DataFrame
) -> None:
    half = observed[observed["time_period_end"] < "2024-07-01"].copy()
    half.loc[half["time_period_end"] == "2024-04-30", "value"] = 9_876.0
    said = season_alt(half, shifted(forecast, months=-6), year=2024)
    assert said.startswith("2024 is expected to peak at 9,876 in April. 2025 is expected to peak at ")


def test_bars_are_the_earlier_years_and_boxes_the_intervals(history: pd.DataFrame, total: pd.DataFrame) -> None:
    figure = season_bars(history, total, year=2025, threshold=10_000.0, unit="Arrivals", theme=LIGHT)
    assert list(named(figure, "earlier years").y) == list(history["value"])
    boxes = [trace for trace in figure.data if trace.name.startswith("box")]
    assert [trace.name for trace in boxes] == ["box 95%", "box 80%", "box 50%"]
    low, high = (float(total.loc[total["output_type_id"] == level, "value"].iloc[0]) for level in (0.1, 0.9))
    assert boxes[1].base[0] == pytest.approx(low)
    assert boxes[1].base[0] + boxes[1].y[0] == pytest.approx(high)


def test_bars_name_median_interval_and_threshold(history: pd.DataFrame, total: pd.DataFrame) -> None:
    figure = season_bars(history, total, year=2025, threshold=10_000.0, unit="Arrivals", theme=LIGHT)
    assert words(figure) == [
        "Arrivals",
        "<b>median 13,200</b>",
        "80%: up to 19,700",
        "95%: up to 21,200 ↑",
        "threshold 10,000",
    ]
    assert figure.layout.xaxis.ticktext[-1] == "<b>2025</b>"


def test_the_widest_interval_is_named_where_an_earlier_year_leaves_room_to_draw_it_whole(
    history: pd.DataFrame, total: pd.DataFrame
) -> None:
    figure = season_bars(history.replace(14_200.0, 30_000.0), total, year=2025, threshold=None, unit="a", theme=LIGHT)
    (label,) = [label for label in figure.layout.annotations if label.text.startswith("95%")]
    assert label.text == "95%: up to 21,200"
    top = total.loc[total["output_type_id"] == 0.975, "value"].iloc[0]
    assert top < label.y < 1.1 * top


def test_without_a_threshold_no_dashed_line_is_drawn(history: pd.DataFrame, total: pd.DataFrame) -> None:
    figure = season_bars(history, total, year=2025, threshold=None, unit="Arrivals", theme=LIGHT)
    assert not [shape for shape in figure.layout.shapes if shape.line.dash]


def test_the_bars_in_words_count_the_years_above(history: pd.DataFrame, total: pd.DataFrame) -> None:
    text = season_bars_alt(history, total, year=2025, threshold=10_000.0)
    assert text == ("2025: 13,200 expected, 80% interval 8,800 to 19,700. 2 of 4 earlier years lay above 10,000.")
    assert "1 of 4 earlier years lay above 13,200" in season_bars_alt(history, total, year=2025)


def test_a_missing_column_is_named(history: pd.DataFrame, total: pd.DataFrame) -> None:
    with pytest.raises(SchemaError, match="year"):
        season_bars(history.drop(columns="year"), total, year=2025, threshold=None, unit="Arrivals", theme=LIGHT)
