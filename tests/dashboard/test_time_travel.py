"""Going back in time: what was known then, what came next, how the forecast did."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import QUANTILE_LEVELS
from core.languages import Language
from dashboard import downloads, time_travel
from reports.files import for_people

from .conftest import publish
from .test_pages import visit, words

MONTHS = pd.to_datetime(["2024-07-31", "2024-08-31", "2024-09-30"])


def quantiles(centre: float = 100.0) -> pd.DataFrame:
    table = pd.DataFrame(
        [[centre * (0.5 + level) for level in QUANTILE_LEVELS]] * len(MONTHS), index=MONTHS, columns=QUANTILE_LEVELS
    )
    return table.assign(horizon=[1, 2, 3])


def outcomes(*values: float) -> pd.DataFrame:
    return pd.DataFrame({"time_period_end": MONTHS[: len(values)], "value": values})


def history() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "time_period": ["2024-05", "2024-06"],
            "obs_value": [10.0, 20.0],
            "obs_flag": ["", "p"],
            "end_date": pd.to_datetime(["2024-05-31", "2024-06-30"]),
        }
    )


def then(value: float, origin: str = "2024-06-30") -> pd.DataFrame:
    row = {"series_id": "a", "origin_date": pd.Timestamp(origin), "time_period": "2024-06", "obs_value": value}
    return pd.DataFrame([row])


def test_a_month_known_otherwise_then_is_shown_as_it_was_known() -> None:
    found = time_travel.history_then(history(), then(17.0), "a", "2024-06-30")
    assert found["obs_value"].tolist() == [10.0, 17.0]
    assert found["changed"].tolist() == [False, True]


def test_a_month_not_known_then_is_left_out() -> None:
    found = time_travel.history_then(history(), then(np.nan), "a", "2024-06-30")
    assert found["time_period"].tolist() == ["2024-05"]


def test_what_another_origin_knew_changes_nothing() -> None:
    assert not time_travel.history_then(history(), then(17.0, "2024-05-31"), "a", "2024-06-30")["changed"].any()
    assert not time_travel.history_then(history(), then(17.0), "a", "")["changed"].any()


def test_each_outcome_is_placed_in_the_narrowest_interval_that_holds_it() -> None:
    did = time_travel.how_it_did(quantiles(), outcomes(100.0, 135.0, 400.0))
    assert did["inside"].tolist() == [0.5, 0.8, time_travel.OUTSIDE]


def test_months_not_counted_yet_are_not_judged() -> None:
    assert time_travel.how_it_did(quantiles(), outcomes(100.0))["target_end_date"].tolist() == [MONTHS[0]]
    assert time_travel.how_it_did(quantiles(), outcomes()).empty


def test_the_relative_score_counts_only_months_that_both_models_have() -> None:
    scores = pd.DataFrame(
        {"model_id": ["own", "own", "base", "base"], "horizon": [1, 2, 1, 3], "wis": [0.2, 9.0, 0.4, 9.0]}
    )
    ratio, months = time_travel.relative_wis(scores, "own", "base")
    assert ratio == pytest.approx(0.5)
    assert months == 1


def test_a_file_of_what_happened_next_has_words_for_every_column() -> None:
    rows = time_travel.file_rows(time_travel.how_it_did(quantiles(), outcomes(100.0, 135.0, 400.0)))
    table, _explained = for_people(rows, Language("en"))
    assert table.columns[-1] == "Narrowest interval around the count"
    assert rows["q90"].iloc[0] == quantiles()[0.9].iloc[0]


def test_stops_stand_in_time_order_and_end_at_either_side() -> None:
    stops = ["2024-05-31", "2024-06-30", "run"]
    assert time_travel.beside(stops, "2024-06-30") == ("2024-05-31", "run")
    assert time_travel.beside(stops, "2024-05-31") == (None, "2024-06-30")
    assert time_travel.beside(stops, "run") == ("2024-06-30", None)


@pytest.mark.slow
def test_the_replay_of_a_past_origin_is_marked_and_its_models_are_those_of_then(home: Path) -> None:
    publish(home)
    app = visit("route", route="CMR", origin="2024-06-30")
    said = words(app)
    assert "it was not published at the time" in said
    assert "The sources keep no past editions" in said
    assert "Relative WIS as it stood then" in said


@pytest.mark.slow
def test_the_revealed_forecast_is_judged_by_intervals_and_against_the_baseline(home: Path) -> None:
    publish(home)
    said = words(visit("route", route="CMR", reveal="1"))
    assert "months fell inside the 80% interval" in said
    assert "of the baseline's over 6 months" in said


@pytest.mark.slow
def test_an_older_release_is_judged_by_what_the_newest_knows_and_says_so(home: Path) -> None:
    older = publish(home, as_of=dt.date(2025, 1, 30))
    publish(home)
    said = words(visit("route", route="CMR", release=older.run_id, reveal="1"))
    assert "Outcomes as known in the release of 31 January 2025" in said


@pytest.mark.slow
@pytest.mark.parametrize(("part", "name"), [("nationalities", "nationalities-CMR"), ("drivers", "context-CMR")])
def test_a_file_of_the_releases_own_figures_is_dated_by_it_and_names_the_day_at_which_they_are_cut(
    home: Path, monkeypatch: pytest.MonkeyPatch, part: str, name: str
) -> None:
    publish(home)
    made: dict[str, downloads.Export] = {}
    shown = downloads.figures

    def figures(export: downloads.Export, alt: str, **more: pd.DataFrame) -> None:
        made[export.name] = export
        shown(export, alt, shown=more.get("shown"))

    monkeypatch.setattr(downloads, "figures", figures)
    visit("route", route="CMR", view=part)
    visit("route", route="CMR", view=part, origin="2024-06-30")
    whole, cut = made[name], made[f"{name}-to-2024-06-30"]
    said = "Figures as this release knows them, up to 30 June 2024."
    assert cut.known_on == whole.known_on == "2025-01-31"
    assert (said in cut.notes, said in whole.notes) == (True, False)
    assert len(cut.frame) and not cut.frame.equals(whole.frame)


@pytest.mark.slow
def test_a_step_back_from_a_release_leads_to_the_newest_past_origin(home: Path) -> None:
    publish(home)
    app = visit("route", route="CMR")
    next(button for button in app.button if button.label == "Earlier").click().run()
    assert dict(app.query_params)["origin"] in ("2024-11-30", ["2024-11-30"])
    next(button for button in app.button if button.label == "Later").click().run()
    assert "origin" not in app.query_params


@pytest.mark.slow
def test_the_overview_reveals_what_came_only_on_demand(home: Path) -> None:
    publish(home)
    assert "What happened next" not in words(visit("overview"))
    assert "What happened next, February–April 2025" in words(visit("overview", reveal="1"))


@pytest.mark.parametrize(
    ("outcome", "inside"),
    [
        (74.9, 0.8), (75.0, 0.5), (125.0, 0.5), (125.1, 0.8), (60.0, 0.8), (140.0, 0.8), (59.9, 0.95), (140.1, 0.95),
        (52.5, 0.95), (147.5, 0.95), (52.4, 0.0), (147.6, 0.0),
    ],
)  # fmt: skip
def test_both_ends_of_an_interval_belong_to_it(outcome: float, inside: float) -> None:
    ends = pd.Series({level: round(100 * (0.5 + level), 6) for level in QUANTILE_LEVELS})
    assert time_travel.narrowest(ends, outcome) == inside
    assert time_travel.held_words(inside) == (
        f"inside the {round(100 * inside)}%" if inside else "outside all intervals"
    )


def test_months_inside_an_interval_are_inside_every_wider_one() -> None:
    did = pd.DataFrame({"inside": [0.5, 0.5, 0.8, 0.95, 0.0]})
    said = "What happened next: 3 of 5 months fell inside the 80% interval (2 in 50%, 4 in 95%)."
    assert time_travel.inside_words(did) == said


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ([0.2, 0.4], "Its score (WIS) was 0.75 of the baseline's over 2 months: better."),
        ([0.4, 0.4], "Its score (WIS) was 1.00 of the baseline's over 2 months: not better."),
        ([0.8], "Its score (WIS) was 2.00 of the baseline's over 1 month: not better."),
        ([], ""),
    ],
)
def test_a_score_is_better_below_the_baselines_and_not_at_it(own: list[float], said: str) -> None:
    scores = pd.DataFrame(
        [("vigie-ensemble", place, wis) for place, wis in enumerate(own)]
        + [("vigie-baseline", place, 0.4) for place in range(3)],
        columns=["model_id", "horizon", "wis"],
    )
    assert time_travel.score_words(scores) == said


def test_without_any_error_of_the_baseline_there_is_no_ratio() -> None:
    scores = pd.DataFrame({"model_id": ["own", "base"], "horizon": [1, 1], "wis": [0.0, 0.0]})
    ratio, months = time_travel.relative_wis(scores, "own", "base")
    assert np.isnan(ratio) and months == 1
