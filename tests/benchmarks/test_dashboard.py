"""What measures the dashboard judges limits, leaks and logs."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import dashboard, dashboard_load
from tests.servers import Server


@pytest.mark.parametrize(
    ("answers", "errors", "peak"),
    [((1.1,), 0, 900), ((0.5, 0.5, 2.8), 0, 900), ((0.5,), 1, 900), ((0.5,), 0, 2100)],
    ids=["slow answers", "some slow answers", "an error", "memory"],
)
def test_one_missed_limit_is_a_failure(answers: tuple[float, ...], errors: int, peak: float) -> None:
    def judge(answers: tuple[float, ...], errors: int, peak: float) -> bool:
        return dashboard.is_borne(dashboard_load.Seen({"page": list(answers)}, ["an error"] * errors), peak)

    assert judge((0.5, 0.5, 1.5), 0, 900)
    assert not judge(answers, errors, peak)


def test_what_a_server_gains_once_it_is_warm_is_a_leak() -> None:
    warming = [400.0, 450, 480, 490, 500]
    assert dashboard_load.growth([*warming, *[501.0, 499, 500] * 5])[0] < 1
    slope, error = dashboard_load.growth([*warming, *(500.0 + 3 * at for at in range(1, 16))])
    assert slope == pytest.approx(30)
    assert error < 1e-6


def test_a_log_with_an_error_is_a_fault(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_text("all is well\nTraceback (most recent call last):\n")
    assert Server(tmp_path, log).faults() == ["Traceback (most recent call last):"]
