"""The texts of a release, from the night that the room's tests share."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from core.about import INTENDED_USE, PROHIBITED_USES
from core.languages import DEFAULT_LANGUAGE, Language, languages
from forecasting.verification import COLUMNS
from ingest.sources import CARDS
from reports import documents
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


ENGLISH = Language("en")


def test_a_ratio_is_told_with_its_interval_and_without_one_alone_and_no_ratio_as_a_dash() -> None:
    def row(*values: float) -> SimpleNamespace:
        return SimpleNamespace(**dict(zip(("relative_wis", "relative_wis_lo", "relative_wis_hi"), values, strict=True)))

    nan = float("nan")
    assert documents._ratio(row(0.9, 0.8, 1.0), ENGLISH) == "0.90 [0.80–1.00]"
    assert documents._ratio(row(0.9, nan, nan), ENGLISH) == "0.90"
    assert documents._ratio(row(nan, nan, nan), ENGLISH) == "–"


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
