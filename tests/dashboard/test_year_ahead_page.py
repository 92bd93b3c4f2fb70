"""What the page about the year ahead offers, without the page."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from .shown import functions_of

page = functions_of("year_ahead")


@pytest.mark.parametrize(
    ("kinds", "is_offered"), [(["calendar year"], False), (["calendar year", "July to June"], True)]
)
def test_choice_of_twelve_months_is_offered_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, kinds: list[str], *, is_offered: bool
) -> None:
    offered: list[list[str]] = []
    seen = SimpleNamespace(segmented_control=lambda _label, options, **_how: offered.append(options))
    monkeypatch.setitem(page.show_kinds.__globals__, "st", seen)
    monkeypatch.setitem(page.show_kinds.__globals__, "state", SimpleNamespace(widget=lambda *_: {}))
    page.show_kinds(kinds, kinds[0])
    assert offered == [kinds] * is_offered
