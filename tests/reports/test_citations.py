"""What must be said beside figures: sources, licences, limits and what a release had to do without."""

from __future__ import annotations

import pandas as pd

from core.languages import Language
from reports import citations

from .conftest import CARDS, MakeRelease

ENGLISH = Language("en")


def test_cited_source_includes_its_components_once() -> None:
    found = citations.citations(CARDS, ["vigie-routes", "a_ministry"], ENGLISH)
    assert found == [
        "Vigie, arrivals by route. Licence: As the strictest component.", "A ministry, arrivals. Licence: CC BY 4.0.",
    ]  # fmt: skip
    assert citations.citations(CARDS, ["a_bureau"], ENGLISH) == ["A bureau, prices. Licence: Not to be passed on."]
    assert citations.citations(CARDS, ["missing"], ENGLISH) == []


def test_provisional_routes_are_named() -> None:
    summary = pd.DataFrame({"route_id": ["CMR", "EMR", "WMR"], "last_flag": ["p", "", "e"]})
    assert citations.unsettled(summary, ENGLISH) == (
        "The newest month is provisional or estimated for: Central Mediterranean, Western Mediterranean."
    )
    assert citations.unsettled(summary.assign(last_flag=""), ENGLISH) == ""


def test_routes_with_too_narrow_intervals_are_named() -> None:
    summary = pd.DataFrame({"route_id": ["CMR", "EMR", "WMR"], "held": [0.61, 0.66, float("nan")]})
    said = "80% intervals held too few past counts: Central Mediterranean (61%)."
    assert citations.too_narrow(summary, ENGLISH) == said
    assert citations.too_narrow(summary.iloc[1:], ENGLISH) == ""


def test_sources_follow_order_of_use(make_release: MakeRelease) -> None:
    release = make_release(1)
    reason = pd.DataFrame([{"source_id": "a_bureau", "target": "conflict_deaths", "series_id": "x", "route_id": "_Z"}])
    rows = pd.concat([release.frame("observations"), reason], ignore_index=True)
    release = release.with_frame("observations", rows)
    alerts = release.frame("alerts").assign(source_id="vigie-routes")
    assert citations.sources_behind(release, alerts) == ["vigie-routes"]
    of_origin = alerts.assign(reason_key="origin_conflict_deaths")
    assert citations.sources_behind(release, of_origin) == ["vigie-routes", "a_bureau"]
    part = rows[rows["target"] == "arrivals"].assign(source_id="a_ministry", series_id="arrivals.CMR.ITA._T.M")
    counted = release.with_frame("observations", pd.concat([rows, part], ignore_index=True))
    assert citations.sources_of(counted, ["arrivals.CMR._T._T.M"]) == ["a_ministry"]
    late = alerts.assign(source_id="a_ministry")
    assert citations.sources_behind(release, late) == ["vigie-routes", "a_ministry"]
