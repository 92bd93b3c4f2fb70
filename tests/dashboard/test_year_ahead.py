"""What the year ahead offers, without a page."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from dashboard import year_ahead


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
