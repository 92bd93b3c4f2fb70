"""Runs fits on a Dask, Ray or Spark cluster through Fugue; the numbers are those of one machine.

Work travels as rows of text, each the pickle of one task: a batch of series for the models of single series, a fit for
the pooled model. The number of rows in transit is bounded, so that neither end holds more than a few batches, whatever
the panel. A task too large to be sent around, as a pooled fit on tens of thousands of series, stays on this machine:
it learns from a bounded number of rows, so its time hardly grows with the panel, but its panel would be sent with it.

A cluster that is there already is joined (``DASK_SCHEDULER_ADDRESS``, ``RAY_ADDRESS``, ``SPARK_MASTER``); else one is
started on the cores of this machine, on loopback, and ended with the work.
"""

from __future__ import annotations

import base64
import contextlib
import logging
import math
import os
import pickle
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pandas as pd
import stamina
from threadpoolctl import (  # type: ignore[import-untyped]  # it publishes no type information
    threadpool_limits,
)

from core.errors import InputError, VigieError, first_line
from forecasting.pool import UNLIMITED, Answer, CutOff, Key, Pool, Task, one_thread_each
from forecasting.workers import run_tasks

LOCAL = "local"
LARGEST_TASK = 16 * 2**20
"""Bytes of a task above which it is not sent to a cluster."""
_WAVE_BYTES = 32 * 2**20
_WAVE_TASKS = 32
"""Tasks per worker that are sent together."""
_PARTITIONS = 4
"""Partitions per worker: several, so that none waits long for the slowest."""


@contextlib.contextmanager
def workers_of(engine: str) -> Iterator[Pool | None]:
    """Join or start the workers of an engine, and leave or end them.

    Args:
        engine: ``local``, ``dask``, ``ray`` or ``spark``.

    Yields:
        The cluster; None for ``local``, where processes are started as needed.

    Raises:
        InputError: The engine is unknown, its packages or Java are missing, or it does not start; the text says what to
            install.
    """
    if engine == LOCAL:
        yield None
        return
    if engine not in _ENGINES:
        raise InputError(f"--engine {engine}: unknown; known: {', '.join((LOCAL, *_ENGINES))}")
    with contextlib.ExitStack() as stack:
        stack.enter_context(one_thread_each())
        try:
            cluster = stack.enter_context(_ENGINES[engine]())
        except ImportError as error:
            raise InputError(
                f"--engine {engine}: the package '{error.name}' is not installed; add what requirements/{engine}.txt "
                f"pins: .venv/bin/uv pip install --python .venv/bin/python -r requirements/{engine}.txt"
            ) from None
        except VigieError:
            raise
        except Exception as error:  # each engine has exceptions of its own for a cluster that cannot be reached
            raise InputError(f"--engine {engine} did not start: {first_line(error, with_kind=True)[:300]}") from error
        yield cluster


class FugueCluster(Pool):
    """A pool whose tasks run on a cluster, behind one of Fugue's execution engines.

    Args:
        name: The engine's name, for errors.
        engine: Fugue's ``ExecutionEngine``.
        size: Tasks that run at the same time.
    """

    def __init__(self, name: str, engine: Any, size: int) -> None:  # noqa: ANN401  # Fugue has no types
        super().__init__(size, UNLIMITED)
        self._name, self._engine = name, engine

    def run(
        self, function: Callable[[Task], Answer], tasks: Iterable[tuple[Key, Task]], seconds: float = math.inf
    ) -> Iterator[tuple[Key, Answer | CutOff]]:
        """Run tasks and yield each one's key and answer, wave after wave; ``seconds`` does not count here.

        Raises:
            VigieError: As the function raised it, or naming the engine where the cluster failed.
        """
        del seconds
        wave: list[tuple[Key, str]] = []
        large: list[tuple[Key, Task]] = []
        for key, task in tasks:
            text = _write((function, task))
            if len(text) > LARGEST_TASK:
                large.append((key, task))
                continue
            wave.append((key, text))
            if len(wave) >= _WAVE_TASKS * self.size or sum(len(one) for _, one in wave) >= _WAVE_BYTES:
                yield from self._run_wave(wave)
                wave = []
        yield from self._run_wave(wave)
        yield from zip([key for key, _ in large], run_tasks(function, [task for _, task in large]), strict=True)

    def _run_wave(self, wave: list[tuple[Key, str]]) -> Iterator[tuple[Key, Any]]:
        import fugue.api  # noqa: PLC0415  # takes seconds to load, and only a cluster needs it

        if not wave:
            return
        rows = pd.DataFrame({"place": range(len(wave)), "task": [text for _key, text in wave]})
        try:
            made = fugue.api.transform(  # type: ignore[attr-defined]  # typed, but without a list of what it exports
                rows,
                _answer_rows,
                schema="place:long,answer:str",
                partition={"num": min(len(wave), _PARTITIONS * self.size)},
                engine=self._engine,
                as_fugue=False,
                as_local=True,
            )
        except Exception as error:  # each engine has exceptions of its own for workers that are lost
            raise InputError(f"--engine {self._name} failed: {first_line(error, with_kind=True)[:300]}") from error
        for place, text in zip(made["place"], made["answer"], strict=True):
            answer = _read(text)
            if isinstance(answer, VigieError):
                raise answer
            yield wave[int(place)][0], answer


def _answer_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """What a worker does with its rows ``place, task``: rows ``place, answer``."""
    return pd.DataFrame({"place": rows["place"], "answer": [_answer(text) for text in rows["task"]]})


def _answer(text: str) -> str:
    function, task = _read(text)
    try:
        with threadpool_limits(1):
            return _write(function(task))
    except VigieError as error:
        return _write(error)


def _write(content: object) -> str:
    """Text, because not every engine carries bytes in a column unchanged."""
    return base64.b64encode(pickle.dumps(content, protocol=pickle.HIGHEST_PROTOCOL)).decode("ascii")


def _read(text: str) -> Any:  # noqa: ANN401  # whatever a task or its answer is
    return pickle.loads(base64.b64decode(text))  # noqa: S301  # written by _write in a process of the same installation


@contextlib.contextmanager
def _dask() -> Iterator[FugueCluster]:
    import dask  # noqa: PLC0415  # an optional package
    import dask.distributed  # noqa: PLC0415  # an optional package
    from fugue_dask import DaskExecutionEngine  # noqa: PLC0415  # needs an optional package

    address = dask.config.get("scheduler-address", None)
    logging.getLogger("distributed").setLevel(logging.ERROR)
    options: dict[str, Any] = (
        {"address": address}
        if address
        else {"n_workers": _cores(), "threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": None}
    )
    with dask.distributed.Client(**options) as client:
        yield FugueCluster("dask", DaskExecutionEngine(client), max(1, sum(client.nthreads().values())))


@contextlib.contextmanager
def _ray() -> Iterator[FugueCluster]:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no usage reports to Ray's makers
    import ray  # noqa: PLC0415  # an optional package
    from fugue_ray import RayExecutionEngine  # noqa: PLC0415  # needs an optional package

    options: dict[str, Any] = (
        {}
        if os.environ.get("RAY_ADDRESS")
        else {"address": "local", "num_cpus": _cores(), "include_dashboard": False, "_node_ip_address": "127.0.0.1"}
    )
    # Ray gives its own node 30 seconds to start, which a busy machine may exceed.
    for attempt in stamina.retry_context(on=Exception, attempts=3, timeout=None):
        with attempt:
            ray.init(log_to_driver=False, logging_level=logging.ERROR, ignore_reinit_error=True, **options)
    try:
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        ray.data.DataContext.get_current().enable_progress_bars = False
        yield FugueCluster("ray", RayExecutionEngine(), max(1, int(ray.cluster_resources().get("CPU", 1))))
    finally:
        ray.shutdown()


@contextlib.contextmanager
def _spark() -> Iterator[FugueCluster]:
    from fugue_spark import SparkExecutionEngine  # noqa: PLC0415  # needs an optional package
    from pyspark.sql import SparkSession  # noqa: PLC0415  # an optional package

    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        raise InputError(
            "--engine spark needs Java 17 or newer: install it (Debian: openjdk-17-jre-headless) or set JAVA_HOME"
        )
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    if not (master := os.environ.get("SPARK_MASTER", "")):
        master = f"local[{_cores()}]"
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    session = SparkSession.builder.master(master).appName("vigie").config(map=_SPARK_SETTINGS).getOrCreate()
    try:
        yield FugueCluster("spark", SparkExecutionEngine(session), max(1, session.sparkContext.defaultParallelism))
    finally:
        session.stop()


_SPARK_SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
}
_ENGINES = {"dask": _dask, "ray": _ray, "spark": _spark}


def _cores() -> int:
    return os.cpu_count() or 1
