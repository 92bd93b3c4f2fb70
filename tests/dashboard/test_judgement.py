"""A reader's own forecast that is drawn on a line, without the page."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from dashboard import judgement
from dashboard.judgement import SHORT, scale

ENSEMBLE, KEYS = [800.0, 1000.0, 1200.0], ["low", "middle", "high"]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Drag across the line, beside three numbers; what the fields hold afterwards."""

    def drag(*ends: float, said: tuple[int, int, int] = (900, 1000, 1100)) -> dict[str, Any]:
        state: dict[str, Any] = dict(zip(KEYS, said, strict=True))
        calls: dict[str, Any] = {}

        def chart(_figure: object, **options: object) -> None:
            calls.update(options)

        streamlit = SimpleNamespace(session_state=state, plotly_chart=chart, markdown=lambda _text: None)
        monkeypatch.setattr(judgement, "st", streamlit)
        judgement._show_line(ENSEMBLE, [float(one) for one in said], KEYS)
        box = [{"x": list(ends)}] if ends else []
        state[calls["key"]] = SimpleNamespace(selection=SimpleNamespace(box=box))
        calls["on_select"]()
        return state

    return drag


def fields(state: dict[str, Any]) -> tuple[int, int, int]:
    return state["low"], state["middle"], state["high"]


def test_long_drag_is_range_in_both_directions(drawn: Callable[..., dict[str, Any]]) -> None:
    assert fields(drawn(700.4, 1300.6)) == (700, 1000, 1301)
    assert fields(drawn(1300.6, 700.4)) == (700, 1000, 1301)
    assert fields(drawn(1100.0, 1300.0)) == (1100, 1100, 1300)
    assert fields(drawn(700.0, 900.0)) == (700, 900, 900)
    assert fields(drawn(-50.0, 900.0)) == (0, 900, 900), "zero is the minimum"


def test_short_drag_is_middle_and_takes_range_with_it(drawn: Callable[..., dict[str, Any]]) -> None:
    assert fields(drawn(1040.0, 1060.0)) == (900, 1050, 1100)
    assert fields(drawn(1200.0, 1220.0)) == (900, 1210, 1210)
    assert fields(drawn(800.0, 801.0)) == (800, 800, 1100)
    short = SHORT * scale(ENSEMBLE, [900.0, 1000.0, 1100.0])
    assert fields(drawn(1000.0, 1000.0 + round(short) - 1)) == (900, 1000 + (round(short) - 1) // 2, 1100)
    assert fields(drawn(1000.0, 1001.0 + short))[0] == 1000, "from there on it is a range"
