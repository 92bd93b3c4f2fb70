"""A release explains its own forecasts exactly."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.release import EXPLANATIONS
from core.schema import check
from forecasting import ENSEMBLE
from store.releases import ReleaseStore


def test_published_explanations_add_up_to_published_medians(first_night: Path) -> None:
    release = ReleaseStore(first_night).current()
    assert release is not None
    rows = check(release.read("explanations"), EXPLANATIONS)
    forecasts = release.read("forecasts")
    medians = forecasts[(forecasts["model_id"] == ENSEMBLE) & np.isclose(forecasts["output_type_id"], 0.5)]
    published = medians.set_index(["series_id", "horizon"])["value"]
    total = rows.groupby(["series_id", "horizon"])["change"].sum()
    assert set(total.index.get_level_values("horizon")) == set(range(1, 12))
    assert set(total.index.get_level_values("series_id")) == set(medians["series_id"])
    np.testing.assert_allclose(total, published.reindex(total.index), rtol=1e-9)
