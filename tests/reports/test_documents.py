"""The texts of a release, from the night that the room's tests share."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from core.about import INTENDED_USE, PROHIBITED_USES
from core.languages import DEFAULT_LANGUAGE, Language, languages
from core.settings import SNAPSHOT
from forecasting import BASELINE, ENSEMBLE, ensemble, weeks
from forecasting.verification import COLUMNS
from forecasting.verification.situations import BEGUN
from ingest.registers import known_issues
from ingest.sources import CARDS
from reports import documents
from reports.documents import evaluation_matrix
from reports.names import FRESHNESS
from store.releases import Release, ReleaseStore
from tests.french import english_left


@pytest.fixture(scope="module")
def release(first_night: Path) -> Release:
    found = ReleaseStore(first_night).current()
    assert found is not None
    return found


def test_every_source_has_a_data_card_and_every_model_a_model_card_with_uses(release: Release) -> None:
    names = set(release.manifest["files"])
    assert {f"data_cards/{source_id}.md" for source_id in CARDS} <= names
    models = set(release.read("forecasts", ["model_id"])["model_id"])
    assert {f"model_cards/{model_id}.md" for model_id in models} <= names
    for name in (name for name in names if name.startswith(("data_cards/", "model_cards/"))):
        text = release.document(name)
        assert INTENDED_USE in text and all(use in text for use in PROHIBITED_USES)


def test_a_data_card_tells_licence_citation_and_what_of_the_source_is_in_the_release(release: Release) -> None:
    text = release.document("data_cards/uk_home_office.md")
    card = CARDS["uk_home_office"]
    assert card.citation in text and card.licence in text
    assert "| arrivals | D | 2018-01-01 | 2025-01-30 | 1 |" in text
    assert "no figure in this release" in release.document("data_cards/frontex.md")


def test_the_matrix_holds_the_scores_of_the_release(release: Release) -> None:
    text = release.document("evaluation_matrix.md")
    scores = release.read("scores").set_index(["model_id", "series_id", "horizon", "scale"])
    ratio, covered = scores.loc[("vigie-ensemble", "_T", 3, "log"), ["relative_wis", "coverage_80"]]
    line = next(line for line in text.splitlines() if line.startswith("| `vigie-ensemble` |"))
    assert line.split("|")[3].strip() == f"{ratio:.2f}<br>{covered:.0%}"


def test_a_card_tells_scores_by_route_and_the_ensembles_by_year_too(release: Release) -> None:
    ensemble, ets = (release.document(f"model_cards/vigie-{name}.md") for name in ("ensemble", "ets"))
    assert all("| `arrivals.CMR._T._T.M` | " in card for card in (ensemble, ets))
    assert "| `2024` | " in ensemble
    assert "| `2024` | " not in ets


def test_the_register_is_published_whole(release: Release) -> None:
    text = release.document("known_issues.md")
    assert all(f"| {issue.id} |" in text for issue in known_issues(SNAPSHOT))


def test_errors_are_told_by_route_and_by_group_of_nationalities(release: Release) -> None:
    errors = release.read("group_errors")
    assert list(errors.columns) == COLUMNS
    assert set(errors.loc[errors["kind"] == "route", "route_id"]) == {"CMR", "EMR", "WMR", "WAR", "CHA"}
    regions = errors[errors["kind"] == "region"]
    assert {"Northern Africa", "Western Asia"} <= set(regions["group"])
    assert set(regions.loc[regions["route_id"] == "EMR", "geo"]) == {"GRC"}
    assert (errors["coverage_50"] <= errors["coverage_95"]).all()
    scored = errors[errors["kind"] == "route"].set_index(["route_id", "horizon"])["relative_wis"]
    scores = release.read("scores").set_index(["model_id", "series_id", "horizon", "scale"])["relative_wis"]
    assert scored["CMR", 1] == pytest.approx(scores["vigie-ensemble", "arrivals.CMR._T._T.M", 1, "log"])
    assert pd.notna(scored).all()


def test_every_text_stands_in_every_language_under_the_same_name(release: Release) -> None:
    names = set(release.manifest["files"])
    others = [code for code in languages() if code != DEFAULT_LANGUAGE]
    english = {name for name in names if name.endswith(".md") and name.partition("/")[0] not in others} - {
        documents.CONTRACT
    }
    for code in others:
        assert {name.removeprefix(f"{code}/") for name in names if name.startswith(f"{code}/")} == english
    assert "model_cards/vigie-ensemble.md" in english


@pytest.mark.parametrize("code", [code for code in languages() if code != DEFAULT_LANGUAGE])
def test_no_english_sentence_is_left_in_a_text_of_another_language(release: Release, code: str) -> None:
    citations = [card.citation for card in CARDS.values()]
    for name in (name for name in release.manifest["files"] if name.startswith(f"{code}/")):
        text = release.document(name).replace("\\", "")
        # A citation names a data set as its publisher does.
        for citation in citations:
            text = text.replace(citation, "")
        assert english_left(text, code) == [], name
    assert english_left(release.document("model_cards/vigie-ensemble.md"))


def test_french_texts_write_decimals_with_a_comma(release: Release) -> None:
    scores = release.read("scores").set_index(["model_id", "series_id", "horizon", "scale"])
    ratio = f"{float(scores['relative_wis']['vigie-ensemble', '_T', 3, 'log']):.2f}".replace(".", ",")
    assert f"| {ratio}<br>" in release.document("fr/evaluation_matrix.md")


def test_the_matrix_goes_from_the_next_month_to_a_year_and_names_the_ensemble_first_then_what_it_is_measured_by() -> (
    None
):
    models = ["vigie-structural", "a-team", BASELINE, "vigie-ets", ENSEMBLE]
    rows = [
        {"model_id": model, "series_id": "_T", "scale": "log", "horizon": step, "relative_wis": 0.9,
         "relative_wis_lo": 0.8, "relative_wis_hi": 1.0, "coverage_80": 0.8}
        for model in models for step in range(1, 13)
    ]  # fmt: skip
    scores, errors = pd.DataFrame(rows), pd.DataFrame(columns=COLUMNS)
    table = [line for line in evaluation_matrix(scores, errors, Language("en")).splitlines() if line.startswith("|")]
    assert table[0] == "| model | 1 month | 3 months | 6 months | 12 months |"
    order = [ENSEMBLE, BASELINE, "a-team", "vigie-ets", "vigie-structural"]
    assert [line.split("`")[1] for line in table[2:]] == order
    assert not any("–" in line.replace("0.80–1.00", "") for line in table[2:]), "a distance has no score"


ENGLISH = Language("en")


def test_a_ratio_is_told_with_its_interval_and_without_one_alone_and_no_ratio_as_a_dash() -> None:
    def row(*values: float) -> SimpleNamespace:
        return SimpleNamespace(**dict(zip(("relative_wis", "relative_wis_lo", "relative_wis_hi"), values, strict=True)))

    nan = float("nan")
    assert documents._ratio(row(0.9, 0.8, 1.0), ENGLISH) == "0.90 [0.80–1.00]"
    assert documents._ratio(row(0.9, nan, nan), ENGLISH) == "0.90"
    assert documents._ratio(row(nan, nan, nan), ENGLISH) == "–"


def test_a_bar_within_a_cell_does_not_part_it() -> None:
    lines = documents._table(["name", "text"], [["a", "b|c"]], ENGLISH).splitlines()
    assert lines == ["| name | text |", "| --- | --- |", "| a | b\\|c |"]


def test_a_data_card_lists_counts_before_indicators_with_their_first_and_last_period() -> None:
    rows = [("x", "conflict_events", "M", "s1", "2020-02"), ("x", "arrivals", "M", "s2", "2020-01"),
            ("x", "arrivals", "M", "s3", "2020-03"), ("x", "arrivals", "D", "s4", "2020-01-01")]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["source_id", "target", "freq", "series_id", "time_period"]).assign(
        obs_value=1.0
    )
    assert documents._spans(frame).to_numpy().tolist() == [
        ["x", "arrivals", "D", "2020-01-01", "2020-01-01", 1, 1],
        ["x", "arrivals", "M", "2020-01", "2020-03", 2, 2],
        ["x", "conflict_events", "M", "2020-02", "2020-02", 1, 1],
    ]


def test_a_model_without_scores_is_told_as_not_measured_and_the_weeks_by_steps_of_one_four_and_eight() -> None:
    columns = ["model_id", "series_id", "scale", "horizon", "relative_wis", "relative_wis_lo", "relative_wis_hi", "n"]
    frames = {"scores": pd.DataFrame(columns=[*columns, "p_holm", "coverage_80"])}
    card = documents.model_card("vigie-ets", ensemble.CARD, frames, [], ENGLISH)
    assert "Not measured in this release." in card
    scored = [
        {"series_id": "arrivals.CHA.GBR._T.W", "scale": scale, "reference": reference, "horizon": step,
         "relative_wis": step / 10, "relative_wis_lo": float("nan"), "relative_wis_hi": float("nan"), "n": 1000 + step}
        for scale in ("log", "natural") for reference in (BASELINE, "other") for step in range(1, 9)
    ]  # fmt: skip
    frames["week_scores"] = pd.DataFrame(scored)
    card = documents.model_card(weeks.MODEL_ID, weeks.CARD, frames, [], ENGLISH)
    assert "| series | weeks ahead | relative WIS (90% interval) | forecasts |" in card
    rows = [line for line in card.splitlines() if line.startswith("| `arrivals")]
    assert rows == [
        f"| `arrivals.CHA.GBR._T.W` | {step} | 0.{step}0 | 1,00{step} |" for step in (1, 4, 8)
    ]  # fmt: skip


def test_errors_by_region_name_the_place_only_where_a_route_has_several_and_leave_out_other_groups() -> None:
    head = ["kind", "route_id", "geo", "group", "horizon", "relative_wis", "relative_wis_lo", "relative_wis_hi", "bias",
            "coverage_80", "n", "mark"]  # fmt: skip
    shared = ["Western Asia", 3, 0.9, 0.8, 1.0, -0.25, 0.75, 1200, "too narrow"]
    rows = [["region", "EMR", "GRC", *shared], ["region", "CMR", "_T", *shared], ["route", "WMR", "_T", *shared]]
    errors = pd.DataFrame(rows, columns=head).assign(model_id="", n_series=4, coverage_50=0.5, coverage_95=0.9)
    lines = documents._groups_table(errors, ENGLISH).splitlines()
    cells = "| Western Asia | 3 | 0.90 [0.80–1.00] | -0.25 | 75% | 1,200 | too narrow |"
    assert [line.replace("−", "-") for line in lines[2:]] == [f"| EMR (GRC) {cells}", f"| CMR {cells}"]
    assert lines[0] == (
        "| route | region of origin | months ahead | relative WIS | bias | 80% interval coverage | forecasts | mark |"
    )


def test_a_card_shows_a_dash_where_a_route_has_no_score_at_a_distance_and_years_only_of_their_beginning() -> None:
    part = {"model_id": ENSEMBLE, "scale": "log", "relative_wis_lo": 0.8, "relative_wis_hi": 1.0}
    scores = [
        part | {"series_id": name, "horizon": step, "relative_wis": step / 10}
        for name, step in (("_T", 1), ("arrivals.CMR._T._T.M", 1), ("arrivals.CMR._T._T.M", 6))
    ]
    year = {"model_id": ENSEMBLE, "scale": "log", "horizon": 3, "relative_score": 0.7, "relative_score_lo": 0.6,
            "relative_score_hi": 0.9}  # fmt: skip
    situations = [year | {"kind": kind, "group": group} for kind, group in ((BEGUN, "2024"), ("size", "big"))]
    frames = {"scores": pd.DataFrame(scores), "situation_scores": pd.DataFrame(situations)}
    _title, table = documents._by_route_and_year(ENSEMBLE, frames, ENGLISH)
    assert table.splitlines()[2:] == [
        "| `arrivals.CMR._T._T.M` | 0.10 [0.80–1.00] | – | 0.60 [0.80–1.00] | – |",
        "| `2024` | – | 0.70 [0.60–0.90] | – | – |",
    ]
    assert documents._by_route_and_year("vigie-ets", frames, ENGLISH) == []


def test_a_card_tells_the_known_issues_of_its_subject_alone_and_has_no_heading_without_any() -> None:
    (issue, *_others) = (one for one in known_issues(SNAPSHOT) if one.affects)
    assert documents._about([issue], issue.affects[0]) == [issue]
    assert documents._about([issue], "of-nobody") == []
    assert documents._issues_section([], ENGLISH) == []
    heading, listed = documents._issues_section([issue], ENGLISH)
    assert "register of known issues" in heading
    assert listed.startswith(f"- {issue.what} (") and ENGLISH.day(issue.since) in listed


def test_a_data_card_tells_only_what_is_known_of_a_source_and_names_the_state_that_its_figures_are_in() -> None:
    card = CARDS["uk_home_office"].model_copy(
        update={"came_through": "", "derived_from": [], "licence_url": "", "known_issues": []}
    )
    spans = pd.DataFrame([["uk_home_office", "arrivals", "D", "2018-01-01", "2025-01-30", 1, 2587]])
    spans.columns = pd.Index(["source_id", "target", "freq", "first", "last", "series", "figures"])
    text = documents.data_card(card, spans, "overdue", [], ENGLISH)
    assert "Came through" not in text and "Computed from" not in text and "None known." in text
    assert f"- **Licence**: {card.licence}\n" in text
    assert f"State on this night**: {ENGLISH.text(FRESHNESS['overdue'])}" in text
    assert "| arrivals | D | 2018-01-01 | 2025-01-30 | 1 | 2587 |" in text
    through = card.model_copy(update={"came_through": "An archive", "derived_from": ["a", "b"], "licence_url": "u://l"})
    text = documents.data_card(through, spans.iloc[:0], "", [], ENGLISH)
    assert "- **Came through**: An archive\n" in text and "- **Computed from**: a, b\n" in text
    assert f"{card.licence} (u://l)\n" in text and "\nNone.\n" in text
