"""What the year ahead offers, without a page."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from dashboard import year_ahead

from .test_pages import visit


@pytest.mark.parametrize(
    ("kinds", "is_offered"), [(["calendar year"], False), (["calendar year", "July to June"], True)]
)
def test_a_choice_of_twelve_months_is_offered_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, kinds: list[str], *, is_offered: bool
) -> None:
    offered: list[list[str]] = []
    seen = SimpleNamespace(segmented_control=lambda _label, options, **_how: offered.append(options))
    monkeypatch.setattr(year_ahead, "st", seen)
    monkeypatch.setattr(year_ahead, "state", SimpleNamespace(widget=lambda *_: {}))
    year_ahead.show_kinds(kinds, kinds[0])
    assert offered == [kinds] * is_offered


@pytest.mark.usefixtures("release")
def test_a_route_shows_its_year_beside_all_routes() -> None:
    app = visit("route", "route_year", route="EMR", view="year")
    names = [one.value for one in app.markdown if one.value.startswith("### ")]
    assert names == ["### 2 routes together, 2025", "### Eastern Mediterranean, 2025"]
