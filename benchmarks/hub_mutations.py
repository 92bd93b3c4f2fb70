"""Thousands of damaged and of harmlessly changed submissions: is none wrong accepted, and none right refused?

python -m benchmarks.hub_mutations [N] [--write]
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections import Counter
from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from benchmarks.shared import PAGE, page_command, report, timed
from core import QUANTILE_LEVELS
from hub import Hub, read_config
from hub.own import config_files
from hub.submission import read_submission

TITLE = "Submissions to the hub, damaged and harmlessly changed"
ROUND, MODEL = "2024-11-30", "team-model"
SERIES = ["arrivals.CMR._T._T.M", "arrivals.EMR._T._T.M", "asylum_applications_first._Z.DEU._T.Q"]
Change = Callable[[pd.DataFrame, np.random.Generator], "pd.DataFrame | bytes | tuple[str, pd.DataFrame]"]
"""From a submission and chance to another one, to bytes, or to the same under another path."""


def world() -> Hub:
    """A hub of three series."""
    files = config_files(SERIES, dt.date(2024, 12, 31), "A hub")
    hub, faults = read_config({path: content for path, content in files.items() if path.startswith("hub-config/")})
    if hub is None:
        raise SystemExit(f"the hub's own configuration breaks a rule: {faults[0]}")
    return hub


def sound(rng: np.random.Generator) -> pd.DataFrame:
    """A submission that keeps every rule: two series, a few horizons, quantiles, medians and paths."""
    horizons = sorted(rng.choice(np.arange(1, 13), 3, replace=False))
    rows: list[tuple[object, ...]] = []
    for series_id in SERIES[:2]:
        for horizon in horizons:
            end = (pd.Timestamp(ROUND) + pd.offsets.MonthEnd(int(horizon))).date()
            task = (ROUND, "arrivals", series_id, int(horizon), str(end))
            values = np.sort(rng.gamma(3, 800, len(QUANTILE_LEVELS))).round(int(rng.integers(0, 3)))
            rows += [
                (*task, "quantile", f"{level:g}", value) for level, value in zip(QUANTILE_LEVELS, values, strict=True)
            ]
            rows.append((*task, "median", "NA", values[11]))
            rows += [(*task, "sample", str(path), float(rng.integers(0, 9000))) for path in range(100)]
    task_columns = ["origin_date", "target", "series_id", "horizon", "target_end_date"]
    return pd.DataFrame(rows, columns=[*task_columns, "output_type", "output_type_id", "value"])


def _row(table: pd.DataFrame, rng: np.random.Generator, kind: str = "quantile") -> int:
    return int(rng.choice(table.index[table["output_type"] == kind]))


def _cell(column: str, values: list[object], kind: str = "quantile") -> Change:
    """Put one of some values into a cell."""

    def change(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        out = table.astype({column: object})
        out.loc[_row(table, rng, kind), column] = str(values[int(rng.integers(len(values)))])  # as a file holds it
        return out

    return change


def _crossing(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    quantiles = table.index[(table["output_type"] == "quantile") & (table["output_type_id"] != "0.01")]
    row = int(rng.choice(quantiles))
    values = table["value"].astype(float)
    return table.assign(
        value=values.mask(table.index == row, max(values[row - 1] - 1 - rng.random(), 0) if values[row - 1] > 0 else -1)
    )


def _without(kind: str) -> Change:
    return lambda table, rng: table.drop(_row(table, rng, kind))


def _quantiles_of_a_task(table: pd.DataFrame, rng: np.random.Generator) -> pd.Series:
    """Which rows are the quantiles of one task, drawn by chance."""
    row = table.loc[_row(table, rng)]
    return (table[["series_id", "horizon", "output_type"]] == row[["series_id", "horizon", "output_type"]]).all(axis=1)


def _twice(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    again = table.loc[[_row(table, rng, str(rng.choice(["quantile", "median", "sample"])))]]
    if rng.random() < 0.5:
        again = again.assign(value=again["value"] * 1.0)
    return pd.concat([table, again], ignore_index=True)


def _column(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    name = str(rng.choice(table.columns))
    kind = int(rng.integers(3))
    if kind == 0:
        return table.drop(columns=name)
    if kind == 1:
        return table.rename(columns={name: f"{name}_x"})
    return table.assign(**{str(rng.choice(["location", "note", "first_name", "date_of_birth"])): "x"})


def _path(*paths: str) -> Change:
    return lambda table, rng: (str(rng.choice(paths)), table)


def _broken(table: pd.DataFrame, rng: np.random.Generator) -> bytes:
    content = _csv(table)
    kinds: list[Callable[[], bytes]] = [
        lambda: content[: int(rng.integers(len(content) // 2))].rsplit(b"\n", 1)[0] + b"\n1,2",
        lambda: b"",
        lambda: bytes(rng.integers(0, 256, 400, dtype=np.uint8)),
        lambda: content.replace(b",", b";"),
        lambda: content.split(b"\n", 1)[0] + b"\n",
    ]
    return kinds[int(rng.integers(len(kinds)))]()


WRONG: dict[str, Change] = {
    "not a number": _cell("value", ["many", "", "NA", "1 000", "1,5", "nan", "inf", "-inf", "=1+1", "1e999"]),
    "negative": _cell("value", [-1, -0.001, "-5"]),
    "negative path": _cell("value", [-1, "-3"], "sample"),
    "crossing": _crossing,
    "quantile missing": _without("quantile"),
    "path missing": _without("sample"),
    "no quantiles": lambda table, rng: table[~_quantiles_of_a_task(table, rng)],
    "twice": _twice,
    "column": _column,
    "level": _cell("output_type_id", ["0.33", "0", "1", "1.5", "-0.1", "", "NA", "median", "0.0100001"]),
    "sample id": _cell("output_type_id", ["a", "", "1.5", "NA"], "sample"),
    "median id": _cell("output_type_id", ["0.5", "x"], "median"),
    "output type": _cell("output_type", ["quantiles", "", "Quantile", "pmf", "mean"]),
    "series": _cell("series_id", ["arrivals.XXX._T._T.M", "", "arrivals.cmr._T._T.M", SERIES[2], "CMR"]),
    "target": _cell("target", ["detections", "", "Arrivals", "asylum_applications_first"]),
    "horizon": _cell("horizon", [0, 13, -1, "x", "", 1.5, "01"]),
    "round": _cell("origin_date", ["2024-10-31", "2024-12-01", "", "30/11/2024", "2024-11-31"]),
    "end": _cell("target_end_date", ["2025-11-29", "2024-11-30", "", "2026-12-31", "2025-02-30"]),
    "name": _path(
        f"model-output/team-model/2024-11-29-{MODEL}.csv",
        f"model-output/other-model/{ROUND}-{MODEL}.csv",
        f"model-output/teammodel/{ROUND}-teammodel.csv",
        f"model-output/{MODEL}/{ROUND}_{MODEL}.csv",
        f"model-output/{MODEL}/{ROUND}-{MODEL}.txt",
        f"model-output/{MODEL}/deeper/{ROUND}-{MODEL}.csv",
        f"model-output/te am-model/{ROUND}-te am-model.csv",
        f"model-output/../{MODEL}/{ROUND}-{MODEL}.csv",
    ),
    "broken": _broken,
}


def _fewer(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    # Paths span all tasks of a round: they go with the task, for every path alike.
    left: pd.DataFrame = table[table["horizon"] != rng.choice(table["horizon"].unique())]
    return left


RIGHT: dict[str, Change] = {
    "as it is": lambda table, _rng: table,
    "shuffled": lambda table, rng: table.sample(frac=1, random_state=int(rng.integers(1 << 30))),
    "columns in another order": lambda table, rng: table[list(rng.permutation(table.columns))],
    "fewer tasks": _fewer,
    "without medians": lambda table, _rng: table[table["output_type"] != "median"],
    "quantiles alone": lambda table, _rng: table[table["output_type"] == "quantile"],
    "ties": lambda table, rng: table.assign(value=table["value"].mask(_quantiles_of_a_task(table, rng), 0.0)),
    "levels with a zero": lambda table, _rng: table.replace({"output_type_id": {"0.1": "0.10", "0.5": "0.500"}}),
    "medians without NA": lambda table, _rng: table.replace({"output_type_id": {"NA": ""}}),
    "large": lambda table, _rng: table.assign(value=table["value"] * 1e4),
    "lines of another system": lambda table, _rng: _csv(table).replace(b"\n", b"\r\n"),
    "byte order mark": lambda table, _rng: b"\xef\xbb\xbf" + _csv(table),
    "quoted": lambda table, _rng: table.to_csv(index=False, quoting=1).encode(),
    "no line at the end": lambda table, _rng: _csv(table).rstrip(b"\n"),
    "parquet": lambda table, _rng: _parquet(table),
}


def _csv(table: pd.DataFrame) -> bytes:
    return table.to_csv(index=False).encode()


def _parquet(table: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    typed = table[table["output_type"] != "median"].astype({"output_type_id": float, "value": float})
    days = {name: pd.to_datetime(typed[name]).dt.date for name in ("origin_date", "target_end_date")}
    return f"model-output/{MODEL}/{ROUND}-{MODEL}.parquet", typed.assign(**days)


def misjudged(hub: Hub, name: str, rng: np.random.Generator) -> str:
    """Try one kind of change; what went the wrong way, or an empty text."""
    is_right = name in RIGHT
    made = (RIGHT if is_right else WRONG)[name](sound(rng), rng)
    path = f"model-output/{MODEL}/{ROUND}-{MODEL}.csv"
    if isinstance(made, tuple):
        path, made = made
    if isinstance(made, pd.DataFrame):
        made = made.to_parquet(index=False) if path.endswith(".parquet") else _csv(made)
    _submission, faults = read_submission(hub, path, made)
    if is_right != (not faults):
        return str(faults[0]) if faults else "accepted"
    return "a fault without words" if faults and any(not str(fault) for fault in faults) else ""


def run(count: int, seed: int = 0) -> tuple[list[str], Counter[str]]:
    """Try a number of submissions, half of them wrong.

    Returns:
        What went the wrong way, as lines, and how many of each kind were tried.
    """
    hub, rng, wrong_way, tried = world(), np.random.default_rng(seed), [], Counter[str]()
    for number in range(count):
        kinds = RIGHT if number % 2 == 0 else WRONG
        name = list(kinds)[int(rng.integers(len(kinds)))]
        tried[name] += 1
        if problem := misjudged(hub, name, rng):
            wrong_way.append(f"{number} {name}: {problem}")
    return wrong_way, tried


def section(options: argparse.Namespace) -> tuple[list[str], bool]:
    """The section's lines; all is well where nothing was judged the wrong way."""
    (wrong_way, tried), took = timed(partial(run, options.count))
    report("\n".join(wrong_way[:40]))
    refused, taken = (", ".join(f"{name} {tried[name]}" for name in kinds) for kinds in (WRONG, RIGHT))
    lines = [
        f"`python -m benchmarks.hub_mutations {options.count} --write` on {dt.datetime.now(dt.UTC):%Y-%m-%d}: "
        f"{options.count:,} submissions changed in {len(tried)} ways, {len(wrong_way)} of them judged the wrong way; "
        f"{took.processor:.0f} s of processor time.",
        "",
        f"- To be refused: {refused}.",
        f"- To be taken: {taken}.",
    ]
    return lines, not wrong_way


if __name__ == "__main__":
    count = {"nargs": "?", "type": int, "default": 10_000}
    sys.exit(page_command(PAGE, TITLE, section, options={"count": count}))
