from __future__ import annotations

from core.purpose import INTENDED_USE, PROHIBITED_USES, PURPOSE


def test_files_name_the_intended_and_every_prohibited_use() -> None:
    assert INTENDED_USE in PURPOSE
    assert all(use in PURPOSE for use in PROHIBITED_USES)
