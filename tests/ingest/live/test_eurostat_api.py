"""Eurostat's Statistics API: slices, answers that are too big, the queue, and answers that say nothing."""

from __future__ import annotations

import pandas as pd
import pytest

from core.errors import SourceError
from core.settings import LiveSettings
from ingest import Parsed, RawFile
from ingest.sources import eurostat, live_sources
from tests.ingest.live import layouts
from tests.ingest.live.layouts import pull, whole_visit
from tests.ingest.live.publisher import Asked, Publisher, Reply

PATH = "/stat/migr_asyappctzm"


def applicants(publisher: Publisher, quick: LiveSettings, *replies: object) -> Parsed:
    visit = pull(publisher, "eurostat", quick)
    if replies:
        publisher.serve(PATH, *replies)  # type: ignore[arg-type]  # replies or functions that give one
    return eurostat.parse(whole_visit(live_sources()["eurostat"], visit)[0])


def figures(parsed: Parsed) -> pd.DataFrame:
    cells = parsed.observations[["series_id", "time_period", "obs_value"]]
    return cells.sort_values(["series_id", "time_period"], ignore_index=True)


def test_totals_reach_back_further_than_citizenships(publisher: Publisher, quick: LiveSettings) -> None:
    found = applicants(publisher, quick).observations
    months = found.groupby("citizen").agg(first=("time_period", "min"), last=("time_period", "max"))
    assert list(months.loc["_T"]) == ["2021-11", "2024-01"]
    assert list(months.loc["SYR"]) == ["2022-11", "2024-01"]
    assert set(found["geo"]) == {"DEU", "GRC"}
    assert set(found["citizen"]) == {"_T", "AFG", "SYR", "XXA"}


def test_every_cell_is_publishers_and_no_other(publisher: Publisher, quick: LiveSettings) -> None:
    cells = figures(applicants(publisher, quick)).itertuples(index=False, name=None)
    found = {(series_id, period): value for series_id, period, value in cells}
    codes = {"AF": "AFG", "SY": "SYR", "STLS": "XXA", "TOTAL": "_T"}
    places, kinds = {"DE": "DEU", "EL": "GRC"}, {"ASY_APP": "asylum_applications", "FRST": "asylum_applications_first"}
    wanted = {
        (f"{target}._Z.{place}.{citizen}.M", str(month)): layouts.asylum_figure(code, kind, geo, str(month))
        for code, citizen in codes.items()
        for kind, target in kinds.items()
        for geo, place in places.items()
        for month in pd.period_range("2021-11" if code == "TOTAL" else "2022-11", "2024-03", freq="M")
    }
    assert found == {key: value for key, value in wanted.items() if value is not None}


def test_unknown_citizenship_is_set_aside() -> None:
    few = {
        "freq": ["M"], "unit": ["PER"], "citizen": ["TOTAL", "QX"], "sex": ["T"], "applicant": ["ASY_APP"],
        "age": ["TOTAL"], "geo": ["DE"],
        "time": pd.period_range("2021-01", "2023-06", freq="M").astype(str).tolist(),
    }  # fmt: skip
    body = layouts.jsonstat(few, lambda *cell: 5 if cell[2] == "TOTAL" or cell[7] == "2021-01" else None)
    parsed = eurostat.parse(RawFile("migr_asyappctzm.json", body))
    assert parsed.rejected["rule"].tolist() == ["the citizenship is no country"]
    assert len(parsed.observations) == 30


@pytest.mark.parametrize("largest", [400, 100, 43, 21])
def test_answer_too_big_is_had_in_parts_with_same_figures(
    publisher: Publisher, quick: LiveSettings, largest: int
) -> None:
    whole = figures(applicants(publisher, quick))
    asked = len(publisher.asked)
    pd.testing.assert_frame_equal(figures(applicants(publisher, quick, layouts.applicants(largest))), whole)
    assert len(publisher.asked) - asked > asked


@pytest.mark.parametrize("reply", [Reply(b"no results", 404), Reply(b'{"version":"2.0","value":{},"id":[]}')])
def test_no_value_in_months_that_must_have_some_is_fault(
    publisher: Publisher, quick: LiveSettings, reply: Reply
) -> None:
    with pytest.raises(SourceError, match="migr_asyappctzm: no value from 2021-11 to 2022-10"):
        applicants(publisher, quick, reply)


def envelope(status: str) -> Reply:
    queued = f"<ns0:queued><id>98de05ea-54</id><status>{status}</status></ns0:queued>"
    text = f'<env:Envelope xmlns:env="urn:x"><env:Body>{queued}</env:Body></env:Envelope>'
    return Reply(text.encode())


def test_answer_that_is_queued_is_waited_for(publisher: Publisher, quick: LiveSettings) -> None:
    whole = figures(applicants(publisher, quick))
    first: list[Asked] = []

    def queue_the_first(asked: Asked) -> Reply:
        if first:
            return layouts.applicants()(asked)
        first.append(asked)
        return envelope("SUBMITTED")

    publisher.serve("/async/status/98de05ea-54", envelope("PROCESSING"), envelope("AVAILABLE"))
    publisher.serve("/async/data/98de05ea-54", lambda _: layouts.applicants()(first[0]))
    pd.testing.assert_frame_equal(figures(applicants(publisher, quick, queue_the_first)), whole)


@pytest.mark.parametrize(
    ("reply", "rule"),
    [
        (envelope("EXPIRED"), "gave the question up: EXPIRED"),
        (envelope("PROCESSING"), "did not come to an end in time"),
        (Reply(b"<html>proxy</html>"), "gave the question up: no status"),
    ],
)
def test_queue_that_comes_to_nothing_is_error(
    publisher: Publisher, quick: LiveSettings, reply: Reply, rule: str
) -> None:
    publisher.serve("/async/status/98de05ea-54", reply)
    with pytest.raises(SourceError, match=rule):
        applicants(publisher, quick, envelope("SUBMITTED"))


def test_temporary_protection_is_read_by_dataset(publisher: Publisher, quick: LiveSettings) -> None:
    *_, stock, grants = eurostat.download(pull(publisher, "eurostat", quick))
    assert (stock.name, grants.name) == ("migr_asytpsm.json", "migr_asytpfm.json")
    found = pd.concat([eurostat.parse(stock).observations, eurostat.parse(grants).observations])
    assert set(found["target"]) == {"temporary_protection", "temporary_protection_grants"}
    assert set(found["citizen"]) == {"_T", "UKR"}
    assert set(found["time_period"]) == {"2023-12", "2024-01"}
