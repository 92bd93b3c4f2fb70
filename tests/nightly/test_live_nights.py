"""Nights over HTTP of which any subset of sources fails.

The forecasts of these nights are those of the night before: what is asked, taken, named and published is their own.
``test_live`` and ``test_cli_live`` run whole ones.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from core.settings import load_settings
from nightly.night import RunResult, run_night
from store.releases import ReleaseStore
from tests.ingest.live.publisher import Publisher, Reply
from tests.nightly.conftest import without_forecasting
from tests.nightly.test_live import NAMES, Round, _belongs, keys, known, settings_for, taken_in, whole

__all__ = ["keys", "taken_in", "whole"]
FIGURE = ["source_id", "series_id", "time_period"]
FAULTS = [
    Reply(b"<html>maintenance</html>"),
    Reply(b"", 500),
    Reply(b"denied", 403),
    Reply(b"half", announced=9),
    Reply(b"[]"),
]


def quick_night(home: Path, publisher: Publisher, broken: dict[str, Reply]) -> RunResult:
    """A live night that takes the forecasts of the release before it; some addresses answer with a fault."""
    chosen = load_settings(home).model_copy(update={"live": settings_for(publisher).live})
    for path, fault in broken.items():
        publisher.serve(path, fault)
    with without_forecasting(home):
        return run_night(home, chosen, live=True)


@pytest.mark.slow
@given(
    broken=st.sets(st.sampled_from(NAMES), min_size=1),
    faults=st.lists(st.sampled_from(FAULTS), min_size=3, max_size=3),
    place=st.integers(0, 50),
)
@settings(
    max_examples=3,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_night_of_which_any_sources_fail_publishes_names_them_and_takes_none_by_half(
    whole: Round,
    first_night: Path,
    tmp_path_factory: pytest.TempPathFactory,
    broken: set[str],
    faults: list[Reply],
    place: int,
) -> None:
    complete = whole.known
    server, home = Publisher(), tmp_path_factory.mktemp("night") / "home"
    shutil.copytree(first_night, home)
    before = known(home)
    paths: dict[str, Reply] = {}
    for number, name in enumerate(sorted(broken)):
        of_source = sorted(path for path in whole.paths if _belongs(name, path))
        fault = faults[number % len(faults)]
        # A year of which INFORM lists no release yet is no fault: the year before it is asked for.
        fault = FAULTS[0] if (name, fault.body) == ("inform_risk", b"[]") else fault
        paths[of_source[place % len(of_source)]] = fault
    night = quick_night(home, server, paths)
    server.close()
    editions = night.release.read("editions")
    # Some of the publishers' small answers are another size than the bundled figures: they wait for a person.
    held = set(editions.loc[editions["state"] == "held", "source_id"].astype(str))
    named = {item["source_id"] for item in night.degraded if "route_id" not in item}
    assert {name for name in named if not name.startswith("vigie-")} == broken | held
    assert {item["source_id"] for item in night.release.manifest["degraded"]} >= broken
    assert ReleaseStore(home).verify() is None
    after = known(home)
    for name in held:
        pd.testing.assert_frame_equal(_of(after, name), _of(before, name))
    sound_or_former = pd.concat([complete, before])[[*FIGURE, "obs_value"]].drop_duplicates()
    for name in broken:  # parts of a visit that came are kept, and no part by half
        assert len(_of(after, name).merge(sound_or_former)) == len(_of(after, name))
    taken = complete[~complete["source_id"].isin(broken | held)]
    assert len(taken) or broken | held >= set(NAMES)
    both = taken.merge(after, on=FIGURE, how="left", suffixes=("", "_known"))
    assert (both["obs_value"] == both["obs_value_known"]).all()


def _of(figures: pd.DataFrame, source_id: str) -> pd.DataFrame:
    return figures[figures["source_id"] == source_id].reset_index(drop=True)
