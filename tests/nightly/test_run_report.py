"""What a night says of itself."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from nightly.run_report import peak_megabytes


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell")
def test_the_most_memory_that_a_process_held_lies_between_what_it_holds_and_what_the_machine_has() -> None:
    page = os.sysconf("SC_PAGE_SIZE") / 2**20
    held = int(Path("/proc/self/statm").read_text().split()[1]) * page
    peak = peak_megabytes(os.getpid())
    assert peak is not None
    # The kernel counts pages in batches: what it says at two moments may differ by a few.
    assert 0.9 * held <= peak <= os.sysconf("SC_PHYS_PAGES") * page


def test_of_a_process_that_is_gone_nothing_is_told() -> None:
    assert peak_megabytes(None) is None
