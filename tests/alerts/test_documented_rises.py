"""What would have been said before rises of the past."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pandas as pd
import pytest

from alerts.verification import Record, documented_rises
from alerts.verification.hindcast import EVENT_COLUMNS
from core.release import RELEASE
from core.schema import check
from core.settings import SNAPSHOT, AlertSettings
from ingest.snapshot import events


@pytest.mark.parametrize("kept", [True, False])
def test_event_without_record_has_one_row_without_basis(kept: bool) -> None:  # noqa: FBT001  # a case
    first, *others = [card for card in events(SNAPSHOT) if card.kind == "rise"]
    said = pd.DataFrame([dict.fromkeys(EVENT_COLUMNS)] * kept, columns=EVENT_COLUMNS).assign(
        event_id=first.event_id, route_id="not this", month="nor this", horizon=1, level="warning", basis="detections",
        origin="2015-05",
    )  # fmt: skip
    catalogue = pd.DataFrame([card.model_dump(exclude={"kind"}) for card in (first, *others)])
    panel = pd.DataFrame(columns=["series_id", "time_period", "value"])
    nothing_frozen = cast(Record, SimpleNamespace(frozen={}))
    found = check(
        documented_rises(nothing_frozen, panel, AlertSettings(), catalogue, said), RELEASE["documented_rises"]
    )
    of_first = found.loc[found["event_id"] == first.event_id, ["route_id", "month", "horizon", "level"]]
    expected = (1, "warning") if kept else (0, "")
    assert of_first.to_numpy().tolist() == [[first.route_id, first.month, *expected]]
    unsaid = found[found["event_id"] != first.event_id]
    assert unsaid["event_id"].tolist() == [card.event_id for card in others]
    assert set(unsaid["basis"]) == set(unsaid["level"]) == set(unsaid["origin"]) == {""}
    assert set(unsaid["horizon"]) == {0}
