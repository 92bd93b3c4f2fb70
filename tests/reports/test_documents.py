"""The texts of a release, from the night that the room's tests share."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from core.languages import DEFAULT_LANGUAGE, Language, languages
from core.release import INTENDED_USE, PROHIBITED_USES
from forecasting.verification import COLUMNS
from ingest.sources import CARDS, elsewhere
from reports import documents
from store.releases import Release, ReleaseStore
from tests.french import english_left


@pytest.fixture(scope="module")
def release(first_night: Path) -> Release:
    found = ReleaseStore(first_night).current()
    assert found is not None
    return found


def test_every_source_and_model_has_card(release: Release) -> None:
    names = set(release.manifest["files"])
    assert {f"data_cards/{source_id}.md" for source_id in CARDS.keys() - elsewhere(["europe"])} <= names
    models = set(release.read("forecasts", ["model_id"])["model_id"])
    assert {f"model_cards/{model_id}.md" for model_id in models} <= names
    for name in (name for name in names if name.startswith(("data_cards/", "model_cards/"))):
        text = release.document(name)
        assert INTENDED_USE in text and all(use in text for use in PROHIBITED_USES)


def test_data_card_shows_licence_and_contents(release: Release) -> None:
    text = release.document("data_cards/uk_home_office.md")
    card = CARDS["uk_home_office"]
    assert card.citation in text and card.licence in text
    assert "| arrivals | D | 2018-01-01 | 2025-01-30 | 1 |" in text
    assert "no figure in this release" in release.document("data_cards/frontex.md")


def test_errors_are_by_route_and_nationality_group(release: Release) -> None:
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


def test_every_text_stands_in_every_language_under_same_name(release: Release) -> None:
    names = set(release.manifest["files"])
    others = [code for code in languages() if code != DEFAULT_LANGUAGE]
    english = {name for name in names if name.endswith(".md") and name.partition("/")[0] not in others} - {
        documents.CONTRACT
    }
    for code in others:
        assert {name.removeprefix(f"{code}/") for name in names if name.startswith(f"{code}/")} == english
    assert "model_cards/vigie-ensemble.md" in english


@pytest.mark.parametrize("code", [code for code in languages() if code != DEFAULT_LANGUAGE])
def test_no_english_sentence_is_left_in_text_of_another_language(release: Release, code: str) -> None:
    citations = [card.citation for card in CARDS.values()]
    for name in (name for name in release.manifest["files"] if name.startswith(f"{code}/")):
        text = release.document(name).replace("\\", "")
        # A citation names a data set as its publisher does.
        for citation in citations:
            text = text.replace(citation, "")
        assert english_left(text, code) == [], name
    assert english_left(release.document("model_cards/vigie-ensemble.md"))


ENGLISH = Language("en")


def test_ratio_has_interval_or_dash() -> None:
    def row(*values: float) -> SimpleNamespace:
        return SimpleNamespace(**dict(zip(("relative_wis", "relative_wis_lo", "relative_wis_hi"), values, strict=True)))

    nan = float("nan")
    assert documents._ratio(row(0.9, 0.8, 1.0), ENGLISH) == "0.90 [0.80–1.00]"
    assert documents._ratio(row(0.9, nan, nan), ENGLISH) == "0.90"
    assert documents._ratio(row(nan, nan, nan), ENGLISH) == "–"
