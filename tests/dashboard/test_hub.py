"""The Hub page: the league, one round's forecasts over what was counted, one model's record, how to take part."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pandas as pd
import pytest

from dashboard import hub_view
from dashboard.hub_view import teams_alt, teams_chart, teams_key
from dashboard.theme import LIGHT
from forecasting.verification.verdict import with_verdicts

from . import conftest
from .conftest import usual_frames
from .hub_frames import RATIOS, TEAM, WEEKS
from .test_pages import visit, words

pytestmark = pytest.mark.usefixtures("release")


def test_the_league_names_the_best_first_and_says_how_many_are_better() -> None:
    app = visit("hub")
    assert app.title[0].value == "3 of 3 models are better than the baseline"
    table = app.table[0].value
    team = r"\<b\>A model\</b\> \(A \*team\*\)"
    assert list(table["Model"]) == ["Ensemble", r"Hub\: median of the models", team, "Baseline"]
    assert list(table["Evidence"]) == ["better", "better", "better", "the baseline"]
    assert next(iter(table["90% interval"])) == "0.75–0.85"


def test_intervals_that_held_every_outcome_or_none_say_so() -> None:
    frames = usual_frames(None)
    rows = frames["hub_scores"].query("kind == 'span'").assign(coverage_50=0.0, coverage_95=1.0, name="A", unit="M.M")
    rows = with_verdicts(rows.head(1))
    assert list(hub_view.league_table(rows)["Inside 50 / 80 / 95%"]) == ["0% / 80% / 100%"]
    assert list(hub_view.record_table(rows.assign(coverage_80=1.0))["80% interval coverage"]) == ["100%"]


def test_a_teams_name_is_shown_as_it_is_written_and_never_as_markup() -> None:
    app = visit("hub", "hub_team", model=TEAM)
    (header,) = [one.value for one in app.header if "A model" in one.value]
    assert header == r"\<b\>A model\</b\> \(A \*team\*\)"
    assert "It looks far ahead" in words(app)


def test_a_score_without_interval_says_how_many_rounds_one_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    why = "–: too few rounds for an interval. It takes four times as many as the periods that are looked ahead"
    assert why not in words(visit("hub"))
    frames = conftest.make_frames()
    scores = frames["hub_scores"]
    bounds = ["relative_wis_lo", "relative_wis_hi", "p_holm"]
    far = scores["group"] == "7-12"
    frames["hub_scores"] = scores.assign(**scores[bounds].mask(far))
    monkeypatch.setattr(conftest, "make_frames", lambda *_given: frames)
    conftest.publish_anew(tmp_path, conftest.AS_OF, None, None, replay=True, too_old=None)
    monkeypatch.setenv("VIGIE_HOME", str(tmp_path))
    assert words(visit("hub")).count(why) == 1  # of the model's record alone
    app = visit("hub", ahead="7-12")
    assert words(app).count(why) == 2
    assert set(app.table[0].value["90% interval"]) == {"–"}


def test_a_file_that_came_late_is_listed_so() -> None:
    received = visit("hub").dataframe[-1].value
    assert list(received["Late"]) == ["late"]
    assert list(received["Hash of the file"]) == ["ab" * 32]


def test_round_and_route_of_the_address_are_shown() -> None:
    app = visit("hub", "hub_round", route="CMR", round="2024-06-30", model=TEAM)
    assert [one.value for one in app.selectbox][3:] == ["CMR", "2024-06-30", TEAM]


def test_what_is_counted_by_week_has_a_league_and_a_chart_of_its_own() -> None:
    app = visit("hub", "hub_weeks", what="arrivals.W", model=TEAM)
    what, _timing, ahead, route, *_others = app.selectbox
    assert (what.value, ahead.options[0], route.options) == ("arrivals.W", "1–2 weeks ahead", ["English Channel"])


def test_on_the_page_forecasts_by_week_stand_at_the_last_day_of_their_week() -> None:
    figure = json.loads(visit("hub", what="arrivals.W", model=TEAM).get("plotly_chart")[0].proto.spec)
    (median,) = [trace for trace in figure["data"] if trace["name"] == TEAM]
    rows = usual_frames(None)["hub_forecasts"]
    ends = rows.loc[rows["series_id"] == WEEKS, "target_end_date"]
    assert len(median["x"]) == 8
    assert set(pd.to_datetime(median["x"])) <= set(ends)


def test_the_chart_holds_every_model_and_what_was_counted() -> None:
    frames = usual_frames(None)
    rows = frames["hub_forecasts"]
    rows = rows[(rows["series_id"] == "arrivals.CMR._T._T.M") & (rows["origin_date"] == "2024-06-30")]
    named = rows.assign(name=rows["model_id"])
    seen = pd.DataFrame({"time_period_end": pd.to_datetime(["2024-05-31", "2024-06-30"]), "value": [5.0, 6.0]})
    figure = teams_chart(seen, named, highlight=TEAM, unit="Arrivals per month", theme=LIGHT)
    assert [trace.name for trace in figure.data] == ["hub-median", "80%", TEAM, "observed"]
    assert "Medians of 2 models for June 2025" in teams_alt(seen, named, highlight=TEAM)


def test_one_model_alone_in_words_has_one_median_and_no_spread() -> None:
    rows = pd.DataFrame({"model_id": ["own"], "name": ["Own"], "q10": [700.0], "q50": [900.0], "q90": [1100.0]})
    rows["target_end_date"] = pd.Timestamp("2024-07-31")
    seen = pd.DataFrame({"time_period_end": [pd.Timestamp("2024-06-30")], "value": [900.0]})
    assert teams_alt(seen, rows, highlight="other") == "Median of 1 model for July 2024: 900."


def test_one_model_far_from_all_others_does_not_flatten_the_chart_and_is_named_with_its_number() -> None:
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


def test_the_open_round_is_that_of_the_month_before() -> None:
    assert hub_view.next_deadline(dt.date(2025, 3, 15)) == (dt.date(2025, 2, 28), dt.date(2025, 3, 31))


def test_a_model_without_a_name_of_its_own_is_called_by_its_id() -> None:
    names = hub_view.model_names(pd.DataFrame(columns=["model_id", "team_name", "model_name"]))
    rows = hub_view.league(usual_frames(None)["hub_scores"], "all", "span", "1-3", names)
    assert set(rows["model_id"]) == set(RATIOS)
    assert TEAM in set(rows["name"])
