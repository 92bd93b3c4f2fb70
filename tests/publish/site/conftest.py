"""A home folder with small releases, and the site that is built of it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import pandas as pd
import pytest

from alerts.lifecycle import PROPOSED, SIGNED_OFF
from core.routes import route_series
from core.schema import Entry
from core.settings import Settings
from publish.site import Built, build_site
from store.journal import opened_journal
from store.releases import About, Release, ReleaseStore
from tests.decisions.conftest import alert_row, make_frames
from tests.release_tables import whole_release

ALERT = "surge.EMR.2025-01-31"
AS_OF = dt.date(2025, 1, 31)
CARDS = {
    "vigie-routes": {
        "publisher": "Vigie", "dataset": "Routes", "citation": "Vigie, arrivals by route.", "licence": "CC BY 4.0",
        "redistribution": True, "derived_from": [],
    },
    "closed": {
        "publisher": "A bureau", "dataset": "Private", "citation": "A bureau.", "licence": "Private use only",
        "redistribution": False, "derived_from": [],
    },
}  # fmt: skip
SETTINGS = Settings.model_validate({})
Make = Callable[..., Release]
Build = Callable[..., Built]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of its own for the tests of one module that share a site."""
    return tmp_path_factory.mktemp("home")


def make_release(
    home: Path,
    alerts: tuple[str, ...] = (),
    *,
    replay: bool = False,
    closed: tuple[str, ...] = (),
    instead: Mapping[str, str] = MappingProxyType({}),
) -> Release:
    """Publish a release with warnings of these names; routes in ``closed`` come from a source that is private.

    ``instead`` names other routes in place of its own three.
    """
    renamed = dict(instead) | {route_series(own): route_series(other) for own, other in instead.items()}
    frames = {
        name: frame.replace(renamed) for name, frame in make_frames([alert_row(name) for name in alerts], []).items()
    }
    observations = frames["observations"]
    named = observations[observations["route_id"] == "EMR"]
    syrians = named.assign(series_id="arrivals.EMR._T.SYR.M", citizen="SYR", obs_value=named["obs_value"] * 0.75)
    afghans = named.assign(series_id="arrivals.EMR._T.AFG.M", citizen="AFG", obs_value=named["obs_value"] * 0.25)
    observations = pd.concat([observations, syrians, afghans], ignore_index=True)
    private = observations["route_id"].isin(closed)
    frames["observations"] = observations.assign(source_id=observations["source_id"].mask(private, "closed"))
    frames["freshness"] = frames["freshness"].assign(source_id="closed" if closed else "vigie-routes")
    routes = frames["routes"]
    frames["routes"] = routes.assign(series_id="arrivals." + routes["route_id"] + "._T._T.M")
    frames["calibration"] = pd.DataFrame(
        {
            "model_id": "vigie-ensemble", "series_id": "_T", "horizon": 3, "kind": ["coverage"] * 2 + ["pit"] * 2,
            "level": [0.5, 0.8, 0.0, 0.5], "value": [0.48, 0.77, 0.4, 0.6], "n": 60,
        }
    )  # fmt: skip
    about = About(AS_OF, "0.1.0", {}, {"snapshot": "0" * 64}, [], replay)
    documents = {"sources.json": json.dumps(CARDS), "evaluation_matrix.md": "# Matrix\n\n## arrivals.CMR._T._T.M\n"}
    return ReleaseStore(home).publish(whole_release(frames), documents, about)


def decide(home: Path, release: Release, alert_id: str, action: str = SIGNED_OFF) -> None:
    """One person's decision about an alert of a release."""
    with opened_journal(SETTINGS.journal_url, home) as journal:
        journal.record(Entry("nightly", PROPOSED, alert_id, release.run_id, payload={"level": "warning"}))
        journal.record(Entry("Ada", action, alert_id, release.run_id, "Seen."))


def build(home: Path, target: Path, base: str = "") -> Built:
    """Build the site of a home folder."""
    return build_site(home, SETTINGS, target, base)
