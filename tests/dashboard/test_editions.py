"""Page About: editions: what was taken in, why it waits, and the steps that a person may take."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.errors import message
from ingest.rows import observations
from store.figures.editions import Arrival, EditionStore
from store.journal import Journal, journal_url

from .test_pages import visit

FIGURES = pd.DataFrame(
    {"route_id": "CMR", "geo": "ITA", "citizen": "_T", "time_period": ["2024-12"], "obs_value": [1195000.0]}
)


@pytest.fixture
def editions(home: Path) -> None:
    """One edition that is known, and one that waits for a person."""
    today, journal = dt.datetime.now(dt.UTC).date(), Journal(journal_url("", home))
    rows = observations(FIGURES, source_id="iom_dtm", lag_days=10, target="arrivals", freq="M")
    store = EditionStore(home, journal)
    store.take_in(Arrival("iom_dtm", "sound.csv", "a" * 64, "Ana", rows, today))
    why = [message("{series} {period} is {value}", series="arrivals.CMR._T._T.M", period="2024-12", value=1195000.0)]
    store.hold(Arrival("iom_dtm", "strange.csv", "b" * 64, "Ana", rows, today), why)
    journal.close()


@pytest.mark.usefixtures("release", "editions")
def test_held_edition_says_why_and_offers_allowed_steps() -> None:
    french = "Arrivées, Méditerranée centrale, décembre 2024 is 1\u202f195\u202f000"
    assert french in _shown(visit("data", part="sources", lang="fr"))
    app = visit("data", part="sources", lang="en")
    said = "Arrivals, Central Mediterranean, December 2024 is 1,195,000"
    assert said in _shown(app)
    # On a phone the table's last column lies beyond the edge: who decides reads why where the decision is made.
    assert any(said in str(one.value) for one in app.markdown)
    edition = next(one for one in app.selectbox if one.label == "Edition")

    def steps() -> list[str]:
        return next(one for one in app.radio if one.label == "Decision").options

    assert (len(edition.options), steps()) == (2, ["Accept", "Reject"])
    edition.select_index(1).run()
    assert steps() == ["Withdraw"]
    edition = next(one for one in app.selectbox if one.label == "Edition")
    edition.select_index(0).run()
    next(one for one in app.radio if one.label == "Decision").set_value("edition rejected")
    for label, text in (("Why", "another unit"), ("Your name", "Ana")):
        next(one for one in app.text_input if one.label == label).set_value(text)
    next(one for one in app.button if one.label == "Decide").click().run()
    assert not app.exception
    assert "another unit" in _shown(app)
    assert next(one for one in app.selectbox if one.label == "Edition").options == [edition.options[1]]


@pytest.mark.usefixtures("release")
def test_decision_shows_its_changes(home: Path) -> None:
    today, journal = dt.datetime.now(dt.UTC).date(), Journal(journal_url("", home))
    store = EditionStore(home, journal)
    for mark, figure in (("a", 100.0), ("b", 1000.0), ("c", 99.0)):
        tidy = FIGURES.assign(obs_value=figure)
        rows = observations(tidy, source_id="iom_dtm", lag_days=10, target="arrivals", freq="M")
        came = Arrival("iom_dtm", f"{mark}.csv", mark * 64, "Ana", rows, today)
        store.hold(came, [message("another unit")]) if mark == "b" else store.take_in(came)
    journal.close()
    app = visit("data", part="sources")
    shown = next(one.value for one in app.dataframe if "Known now" in one.value)
    assert shown[["Known now", "Then", "Newer than the edition"]].to_numpy().tolist() == [[99.0, 1000.0, True]]

    def accept() -> list[str]:
        for label, text in (("Why", "right"), ("Your name", "Ana")):
            next(one for one in app.text_input if one.label == label).set_value(text)
        next(one for one in app.button if one.label == "Decide").click().run()
        return [str(one.value) for one in app.error]

    assert "would replace newer figures" in accept()[0]
    next(one for one in app.checkbox if one.label == "Replace newer figures too, if accepted").check()
    assert accept() == []


def _shown(app: AppTest) -> str:
    return " ".join(str(value) for table in app.table for value in table.value.to_numpy().ravel())
