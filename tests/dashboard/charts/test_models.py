import pandas as pd
import pytest

from dashboard.charts.models import members_chart, skill_chart
from dashboard.theme import LIGHT


@pytest.fixture
def members() -> pd.DataFrame:
    rows = [
        ("vigie-ensemble", "Ensemble", 8_900.0, 10_800.0, 13_200.0, 16_000.0, 18_800.0, 0.84),
        ("vigie-baseline", "Baseline", 8_500.0, 10_900.0, 13_900.0, 17_400.0, 20_900.0, 1.0),
        ("vigie-ets", "Exponential smoothing", 7_900.0, 9_900.0, 12_400.0, 15_400.0, 18_300.0, float("nan")),
    ]
    frame = pd.DataFrame(rows, columns=["model_id", "name", "q10", "q25", "q50", "q75", "q90", "relative_wis"])
    return frame.assign(member=frame["model_id"] == "vigie-ets")


@pytest.fixture
def scores() -> pd.DataFrame:
    rows = [
        (model, name, horizon, base + 0.03 * horizon)
        for model, name, base in (("vigie-ets", "ETS", 0.8), ("vigie-ensemble", "Ensemble", 0.7))
        for horizon in (1, 3, 6, 12)
    ]
    frame = pd.DataFrame(rows, columns=["model_id", "name", "horizon", "relative_wis"])
    score = frame["relative_wis"]
    return frame.assign(relative_wis_lo=score - 0.1, relative_wis_hi=score + 0.2, p_holm=0.01)


def test_median_of_nobody_is_whole_circle(members: pd.DataFrame) -> None:
    figure = members_chart(members.assign(q10=0.0, q25=0.0, q50=0.0), unit="Arrivals", theme=LIGHT)
    medians = [trace for trace in figure.data if trace.name.endswith("median")]
    assert medians and all(trace.cliponaxis is False for trace in medians)


def test_only_ensemble_and_best_rival_are_drawn(scores: pd.DataFrame) -> None:
    other = scores[scores["model_id"] == "vigie-ets"]
    worse = [other.assign(model_id=f"team-{place}", relative_wis=1.1 + 0.1 * place) for place in range(3)]
    traces = {trace.name: trace for trace in skill_chart(pd.concat([scores, *worse]), theme=LIGHT).data}
    colours = {name: trace.marker.line.color for name, trace in traces.items()}
    assert colours == {"vigie-ensemble": LIGHT.fan, "vigie-ets": LIGHT.earlier}
    assert all(trace.error_y.array is not None for trace in traces.values())
