"""Models that misbehave, for processes to find by name."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace

from core import FloatArray
from forecasting import BASELINE, History, Model
from forecasting.models import MODELS
from forecasting.postprocess import SafeForecast
from forecasting.workers import Fit, run_fit


def sleeps(_history: History, _horizon: int) -> FloatArray:
    time.sleep(60)
    raise AssertionError("nobody cut it off")


def loops(_history: History, _horizon: int) -> FloatArray:
    while True:
        try:
            sum(range(1000))
        except Exception:  # noqa: S112  # as libraries do
            continue


def hears_nothing(_history: History, _horizon: int) -> FloatArray:
    # A compiled library that does not come back to Python: its alarm is never heard.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    time.sleep(60)
    raise AssertionError("nobody cut it off")


def dies(_history: History, _horizon: int) -> FloatArray:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("it lives on")


def eats(history: History, horizon: int) -> FloatArray:
    waste = bytearray(3 << 30)
    return MODELS[BASELINE].predict(history, horizon + len(waste))


STUCK = {f"vigie-{one.__name__}": one for one in (sleeps, loops, hears_nothing, dies, eats)}


def model(model_id: str) -> Model:
    return replace(MODELS[BASELINE], model_id=model_id, version="1", predict=STUCK[model_id], slow=True)


def register() -> None:
    for model_id in STUCK:
        MODELS[model_id] = model(model_id)


def run_fit_here(fit: Fit, horizon: int) -> SafeForecast:
    """Like the engine's own, where these models are known too."""
    register()
    return run_fit(fit, horizon)
