"""The hub on Track record: league, one round over what was counted, one model’s record, how to take part."""

from __future__ import annotations

import pandas as pd
import pytest

from dashboard.evaluation_teams import teams_alt, teams_chart, teams_key
from dashboard.theme import LIGHT

from .test_pages import visit

pytestmark = pytest.mark.usefixtures("read_release")


def test_league_names_best_first_and_says_how_many_are_better() -> None:
    app = visit("evaluation", part="hub")
    assert "3 of 3 models are better than the baseline" in [one.value for one in app.header]
    table = app.table[0].value
    team = r"\<b\>A model\</b\> \(A \*team\*\)"
    assert list(table["Model"]) == ["Ensemble", r"Hub\: median of the models", team, "Baseline"]
    assert list(table["Verdict"]) == [*["better than the baseline"] * 3, "the baseline"]
    assert next(iter(table["90% interval"])) == "0.75–0.85"


def test_far_model_does_not_flatten_chart() -> None:
    ends = pd.to_datetime(["2024-07-31", "2024-08-31"])
    rows = pd.concat(
        pd.DataFrame({"model_id": name, "name": name, "target_end_date": ends, "q50": [1000.0, high]})
        for name, high in (("own", 2000.0), ("near", 2500.0), ("far", 21400.0))
    ).assign(q10=500.0, q90=lambda found: found["q50"] * 1.5)
    seen = pd.DataFrame({"time_period_end": pd.to_datetime(["2024-05-31", "2024-06-30"]), "value": [900.0, 2400.0]})
    figure = teams_chart(seen, rows, highlight="own", unit="Arrivals per month", theme=LIGHT)
    assert 3000 < figure.layout.yaxis.range[1] < 4000
    assert [one.text for one in figure.layout.annotations] == ["Arrivals per month", "↑ 21,400"]
    assert "↑ 21,400: far" in teams_key(seen, rows, highlight="own", theme=LIGHT)
    assert "↑ 21,400: far." in teams_alt(seen, rows, highlight="own")
    looked_at = teams_chart(seen, rows, unit="Arrivals per month", highlight="far", theme=LIGHT)
    assert looked_at.layout.yaxis.range[1] > 21400
