from __future__ import annotations

from alerts import purpose as on_screen
from core.purpose import INTENDED_USE, PROHIBITED_USES, PURPOSE


def test_files_and_screens_say_the_same() -> None:
    assert (INTENDED_USE, PROHIBITED_USES) == (on_screen.INTENDED_USE, on_screen.PROHIBITED_USES)
    assert all(use in PURPOSE for use in PROHIBITED_USES)
