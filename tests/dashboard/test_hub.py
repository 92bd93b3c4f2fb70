"""Other teams' forecasts drawn over what was counted."""

from __future__ import annotations

import pandas as pd

from dashboard.evaluation_teams import teams_alt, teams_chart, teams_key
from dashboard.theme import LIGHT


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
