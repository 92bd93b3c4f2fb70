"""One file of a submission: read without trust, held against its round, every fault with file, row, column and rule.

What hubverse's R package hubValidations asks is asked here too. Rows are counted as a reader of the file counts them:
in CSV the line with the columns' names is row 1.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import yaml
from numpy.typing import NDArray

from core.aggregates import refuse_person_level
from core.calendar import Frequency, target_end_date
from core.errors import SourceError
from hub.config import TARGET_END_DATE, Hub, Output, Round, Task, schema_faults

LARGEST_FILE = 20 << 20
"""Bytes: a round of five routes at 23 levels with a thousand paths takes a fifth of it."""
MOST_ROWS = 2_000_000
MOST_NAMED = 5
"""Rows of one file that are named per rule; the others are counted."""
SAME_LEVEL = 5e-8
"""Rounding of a level that is kept in half the usual precision."""
OUTPUT_TYPE, OUTPUT_TYPE_ID, VALUE = "output_type", "output_type_id", "value"
POINTS = frozenset({"mean", "median"})
_MODEL_ID = re.compile(r"(?P<team>[A-Za-z0-9_+]{1,16})-(?P<model>[A-Za-z0-9_+]{1,16})")
_NOTHING = frozenset({"", "NA", "nan", "NaN", "None", "<NA>", "null"})
_UNITS: Mapping[str, Frequency] = {"day": "D", "week": "W", "month": "M", "quarter": "Q"}
_LONGEST_METADATA = 200_000
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Submission:
    """A submission that keeps all rules.

    Attributes:
        model_id: Whose it is.
        round_id: Of which round.
        rows: Task ids as text, ``output_type`` and ``output_type_id`` as text, ``value`` as a number.
    """

    model_id: str
    round_id: str
    rows: pd.DataFrame


def place_of(hub: Hub, path: str) -> tuple[str, str] | SourceError:
    """Model and round of a file by its path in the hub, ``model-output/team-model/round-team-model.csv``."""
    parts = path.split("/")
    if len(parts) != 3 or parts[0] != hub.output_folder:
        return SourceError(path, f"lies elsewhere than {hub.output_folder}/<team>-<model>/<round>-<team>-<model>")
    model_id, name = parts[1], parts[2]
    stem, _, ending = name.rpartition(".")
    if not _MODEL_ID.fullmatch(model_id):
        rule = "the folder's name is not <team>-<model>, each of up to 16 letters, digits, _ or +"
        return SourceError(path, rule)
    if not stem.endswith(f"-{model_id}"):
        return SourceError(path, f"the file's name must be <round>-{model_id}.{hub.formats[0]}")
    round_id = stem.removesuffix(f"-{model_id}")
    found = hub.round_of(round_id)
    if found is None:
        return SourceError(path, f"'{round_id}' is no round of this hub")
    if ending not in found.formats:
        return SourceError(path, f"the ending must be one of {', '.join(found.formats)}")
    return model_id, round_id


def read_submission(hub: Hub, path: str, content: bytes) -> tuple[Submission | None, list[SourceError]]:
    """Read one file and hold it against its round.

    Args:
        hub: The hub.
        path: Where the file lies in it.
        content: Its bytes.

    Returns:
        The submission, or None where it breaks a rule, and every fault found.
    """
    place = place_of(hub, path)
    if isinstance(place, SourceError):
        return None, [place]
    model_id, round_id = place
    found = hub.round_of(round_id)
    if found is None:  # place_of has found it
        return None, []
    try:
        table = _table(path, content)
    except SourceError as fault:
        return None, [fault]
    check = _Check(path, round_id, found, table, 2 if path.endswith(".csv") else 1)
    faults = check.faults()
    return (None if faults else Submission(model_id, round_id, check.rows)), faults


def _table(path: str, content: bytes) -> pd.DataFrame:
    """The table as it stands in the file; texts of a CSV stay texts. Raises SourceError where there is none."""
    if len(content) > LARGEST_FILE:
        raise SourceError(path, f"is larger than the {LARGEST_FILE >> 20} MB that are taken")
    try:
        found = _read_csv(content) if path.endswith(".csv") else _read_parquet(path, content)
        names = [str(name) for name in found.column_names]
        if found.num_rows > MOST_ROWS:
            raise SourceError(path, f"has more than the {MOST_ROWS:,} rows that are taken")
        if nested := [field.name for field in found.schema if pa.types.is_nested(field.type)]:
            raise SourceError(path, "holds lists or records where a value belongs", row=1, column=nested[0])
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise SourceError(path, "the column stands there twice", row=1, column=twice[0])
        refuse_person_level(names, path)
        table: pd.DataFrame = found.to_pandas(ignore_metadata=True)
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise SourceError(path, f"cannot be read: {first}") from None
    return table


def _read_csv(content: bytes) -> pa.Table:
    head = content.split(b"\n", 1)[0].decode("utf-8-sig").strip().replace('"', "").split(",")
    kept = pacsv.ConvertOptions(column_types=dict.fromkeys(head, pa.string()), strings_can_be_null=False)
    return pacsv.read_csv(io.BytesIO(content), read_options=pacsv.ReadOptions(use_threads=False), convert_options=kept)


def _read_parquet(path: str, content: bytes) -> pa.Table:
    """A small file may unpack to a huge table: its own account of its size is read first."""
    file = pq.ParquetFile(io.BytesIO(content))
    size = sum(file.metadata.row_group(one).total_byte_size for one in range(file.num_row_groups))
    if file.metadata.num_rows > MOST_ROWS or size > 20 * LARGEST_FILE:
        raise SourceError(path, f"unpacks to more than the {MOST_ROWS:,} rows that are taken")
    return file.read(use_threads=False)


class _Check:
    """The rules of a round on one table. Rules stop where a later one would only repeat an earlier one's fault."""

    def __init__(self, path: str, round_id: str, found: Round, table: pd.DataFrame, first_row: int) -> None:
        self.path, self.round_id, self.round, self.first = path, round_id, found, first_row
        self.table, self.rows = table, table
        self.tasks = list(found.columns)

    def faults(self) -> list[SourceError]:
        """Every fault, of the first stage that finds any."""
        for stage in (self._columns, self._cells, self._blocks, self._together):
            if faults := list(stage()):
                return faults
        return []

    def _fault(self, rule: str, where: Rows | None = None, column: str | None = None) -> Iterator[SourceError]:
        if where is None:
            yield SourceError(self.path, rule, column=column)
            return
        for place in where[:MOST_NAMED]:
            yield SourceError(self.path, rule, row=int(place) + self.first, column=column)
        if len(where) > MOST_NAMED:
            yield SourceError(self.path, f"{rule}: {len(where) - MOST_NAMED} further rows", column=column)

    def _columns(self) -> Iterator[SourceError]:
        wanted = [*self.tasks, OUTPUT_TYPE, OUTPUT_TYPE_ID, VALUE]
        names = list(self.table.columns)
        for name in wanted:
            if name not in names:
                yield SourceError(self.path, "the column is missing", row=1, column=name)
        for name in names:
            if name not in wanted:
                yield SourceError(self.path, "the column is not one of this hub's", row=1, column=str(name)[:60])
        if self.table.empty:
            yield SourceError(self.path, "holds no rows")

    def _cells(self) -> Iterator[SourceError]:
        texts = {name: _texts(self.table[name]) for name in [*self.tasks, OUTPUT_TYPE, OUTPUT_TYPE_ID]}
        value = self.table[VALUE]
        number = np.full(len(value), np.nan)
        if value.dtype != bool:
            number = pd.to_numeric(value, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        for place in np.flatnonzero(~np.isfinite(number))[:MOST_NAMED]:
            yield from self._fault(f"'{str(value.iloc[place])[:40]}' is not a number", np.asarray([place]), VALUE)
        self.rows = pd.DataFrame(texts).assign(**{VALUE: number})
        if self.round.variable:
            other = np.flatnonzero(self.rows[self.round.variable] != self.round_id)
            yield from self._fault(f"is not the round {self.round_id} of the file's name", other, self.round.variable)
        kinds = {kind for task in self.round.tasks for kind in task.outputs}
        yield from self._unknown(OUTPUT_TYPE, frozenset(kinds))
        for name in self.tasks:
            if name != self.round.variable:
                yield from self._unknown(
                    name, frozenset().union(*(task.allowed.get(name, frozenset()) for task in self.round.tasks))
                )

    def _unknown(self, column: str, allowed: frozenset[str]) -> Iterator[SourceError]:
        """Cells that are none of the values allowed; where none is, they must be empty."""
        cells = self.rows[column]
        strange = [one for one in cells.unique() if one not in (allowed or _NOTHING)]
        for value in strange[:MOST_NAMED]:
            rule = f"'{str(value)[:40]}' is not one of this hub's values"
            yield from self._fault(rule, np.flatnonzero(cells == value)[:1], column)

    def _blocks(self) -> Iterator[SourceError]:
        """Each row belongs to a block of tasks and keeps its rules."""
        taken = np.zeros(len(self.rows), dtype=bool)
        for task in self.round.tasks:
            mine = np.ones(len(self.rows), dtype=bool)
            for name, allowed in task.allowed.items():
                mine &= self.rows[name].isin(allowed or _NOTHING).to_numpy()
            mine &= self.rows[OUTPUT_TYPE].isin(list(task.outputs)).to_numpy()
            taken |= mine
            for kind, output in task.outputs.items():
                where = np.flatnonzero(mine & (self.rows[OUTPUT_TYPE] == kind).to_numpy())
                yield from self._ids(output, where)
                yield from self._values(output, where)
            if self.round.checks_ends:
                yield from self._ends(task, np.flatnonzero(mine))
        yield from self._fault("no task of this hub has these values together", np.flatnonzero(~taken))

    def _ids(self, output: Output, where: Rows) -> Iterator[SourceError]:
        cells = self.rows[OUTPUT_TYPE_ID].iloc[where]
        if output.kind in POINTS:
            bad = ~cells.isin(_NOTHING).to_numpy()
            yield from self._fault(f"must be empty (NA) for a {output.kind}", where[bad], OUTPUT_TYPE_ID)
        elif output.kind == "quantile":
            numbers = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
            near = np.abs(numbers[:, None] - np.asarray(output.ids)[None, :])
            level = near.argmin(axis=1) if len(output.ids) and len(numbers) else np.zeros(len(numbers), int)
            bad = ~(near.min(axis=1, initial=math.inf) < SAME_LEVEL)
            yield from self._fault("is not a quantile level of this hub", where[bad], OUTPUT_TYPE_ID)
            levels = np.asarray([f"{one:g}" for one in output.ids], dtype=object)
            if not bad.any() and len(where):
                self.rows.loc[self.rows.index[where], OUTPUT_TYPE_ID] = levels[level]
        elif output.kind == "sample":
            pattern = r"-?\d{1,12}" if output.sample_type == "integer" else r".{1,100}"
            bad = ~cells.str.fullmatch(pattern).to_numpy(dtype=bool) | cells.isin(_NOTHING).to_numpy()
            yield from self._fault("is not the id of a sample", where[bad], OUTPUT_TYPE_ID)
        else:
            bad = ~cells.isin(output.ids).to_numpy()
            yield from self._fault(f"is not an id of output type {output.kind}", where[bad], OUTPUT_TYPE_ID)

    def _values(self, output: Output, where: Rows) -> Iterator[SourceError]:
        values = self.rows[VALUE].to_numpy()[where]
        if output.least is not None:
            yield from self._fault(f"is below {output.least:g}", where[values < output.least], VALUE)
        if output.most is not None:
            yield from self._fault(f"is above {output.most:g}", where[values > output.most], VALUE)
        if output.whole:
            yield from self._fault("is not a whole number", where[values != np.round(values)], VALUE)

    def _ends(self, task: Task, where: Rows) -> Iterator[SourceError]:
        if not len(where) or task.time_unit not in _UNITS or TARGET_END_DATE not in self.tasks:
            return
        freq = _UNITS[task.time_unit]
        mine = self.rows.iloc[where]
        origin = pd.Timestamp(self.round_id).date()
        if target_end_date(origin, 0, freq) != origin:
            rule = f"the round does not end a {task.time_unit}, as these tasks need"
            yield from self._fault(rule, where[:1], self.round.variable)
            return
        ends = {step: str(target_end_date(origin, int(step), freq)) for step in mine["horizon"].unique()}
        wrong = (mine[TARGET_END_DATE] != mine["horizon"].map(ends)).to_numpy()
        yield from self._fault(
            f"is not the origin's date plus the horizon in {task.time_unit}s", where[wrong], TARGET_END_DATE
        )

    def _together(self) -> Iterator[SourceError]:
        """What rows are only together: each once, quantiles complete and ordered, samples, required tasks."""
        codes = [pd.factorize(self.rows[name])[0] for name in self.tasks]
        task = pd.Series(_combined(codes))
        key = _combined(
            [task.to_numpy(), *(pd.factorize(self.rows[name])[0] for name in (OUTPUT_TYPE, OUTPUT_TYPE_ID))]
        )
        repeated = np.flatnonzero(pd.Series(key).duplicated())
        if len(repeated):
            yield from self._fault("the same task and output stands in an earlier row", repeated)
            return
        for block in self.round.tasks:
            mine = np.ones(len(self.rows), dtype=bool)
            for name, allowed in block.allowed.items():
                mine &= self.rows[name].isin(allowed or _NOTHING).to_numpy()
            for output in block.outputs.values():
                is_kind = (self.rows[OUTPUT_TYPE] == output.kind).to_numpy()
                where = np.flatnonzero(mine & is_kind)
                yield from self._lacking(output, task.to_numpy(), np.flatnonzero(mine), where)
                if output.kind == "quantile":
                    yield from self._quantiles(output, task.to_numpy()[where], where)
                if output.samples:
                    yield from self._samples(output, task.to_numpy()[where], where)
            yield from self._required(block, self.rows[mine])

    def _lacking(self, output: Output, task: Rows, mine: Rows, where: Rows) -> Iterator[SourceError]:
        if output.is_required:
            without = mine[~np.isin(task[mine], task[where])]
            first = without[np.unique(task[without], return_index=True)[1]]
            yield from self._fault(f"the task lacks its {output.kind}", np.sort(first), OUTPUT_TYPE)

    def _quantiles(self, output: Output, task: Rows, where: Rows) -> Iterator[SourceError]:
        if not len(where):
            return
        levels = self.rows[OUTPUT_TYPE_ID].to_numpy()[where].astype(float)
        values = self.rows[VALUE].to_numpy()[where]
        order = np.lexsort((levels, task))
        task, levels, values, where = task[order], levels[order], values[order], where[order]
        starts = np.flatnonzero(np.r_[True, task[1:] != task[:-1]])
        counts = np.diff(np.r_[starts, len(task)])
        short = np.flatnonzero(counts != len(output.ids))
        for place in short[:MOST_NAMED]:
            found = levels[starts[place] : starts[place] + counts[place]]
            missing = [f"{one:g}" for one in output.ids if not np.isclose(found, one, atol=SAME_LEVEL).any()]
            rule = f"the task lacks the quantile levels {', '.join(missing[:MOST_NAMED])}"
            yield from self._fault(rule, where[starts[place]][None], OUTPUT_TYPE_ID)
        crossing = (task[1:] == task[:-1]) & (np.diff(values) < 0)
        rule = "is smaller than the value at the next lower quantile level"
        yield from self._fault(rule, np.sort(where[1:][crossing]), VALUE)

    def _samples(self, output: Output, task: Rows, where: Rows) -> Iterator[SourceError]:
        if not len(where) or output.samples is None:
            return
        few, many = output.samples
        tasks, first, counts = np.unique(task, return_index=True, return_counts=True)
        bad = (counts < few) | (counts > many)
        yield from self._fault(f"the task has not {few} to {many} samples", np.sort(where[first[bad]]), OUTPUT_TYPE_ID)
        if bad.any() or not len(tasks):
            return
        spans = self.tasks if output.together is None else list(output.together)
        mine = self.rows.iloc[where]
        unit = _combined([pd.factorize(mine[name])[0] for name in spans])
        sample = pd.factorize(mine[OUTPUT_TYPE_ID])[0]
        units = pd.Series(unit).groupby(sample).transform("nunique").to_numpy()  # hubverse lets a sample span more
        size = pd.Series(task).groupby(sample).transform("nunique").to_numpy()
        full = pd.Series(task).groupby(unit).transform("nunique").to_numpy()
        yield from self._fault(
            "the sample lacks tasks that it spans", where[(units == 1) & (size < full)][:MOST_NAMED], OUTPUT_TYPE_ID
        )

    def _required(self, block: Task, mine: pd.DataFrame) -> Iterator[SourceError]:
        """Every combination of required values, beside each combination of optional ones that is there."""
        fixed = [name for name, values in block.required.items() if values and name != self.round.variable]
        if not fixed:
            return
        free = [
            name for name in block.allowed if name not in fixed and name not in {self.round.variable, TARGET_END_DATE}
        ]
        wanted = set(product(*(block.required[name] for name in fixed)))
        groups = mine.groupby(free, sort=False) if free else [((), mine)]
        found = False
        for values, rows in groups:
            found = True
            missing = sorted(wanted - set(rows[fixed].drop_duplicates().itertuples(index=False, name=None)))
            for lacking in missing[:MOST_NAMED]:
                beside = ", ".join(
                    f"{name} {one}" for name, one in zip([*fixed, *free], [*lacking, *values], strict=True)
                )
                yield from self._fault(f"the required task {beside} is missing")
        if not found and any(output.is_required for output in block.outputs.values()) and not free:
            yield from self._fault(f"required tasks of {', '.join(fixed)} are missing")


def _combined(codes: list[NDArray[Any]]) -> Rows:
    """One number per distinct row of several columns of codes."""
    out = np.zeros(len(codes[0]), dtype=np.int64)
    for code in codes:
        out = pd.factorize(out * (int(code.max(initial=0)) + 2) + code + 1)[0].astype(np.int64)
    return out


def _texts(column: pd.Series) -> pd.Series:
    """Cells as text: dates as ISO days, whole numbers without a point, nothing as an empty text."""
    if pd.api.types.is_datetime64_any_dtype(column):
        days: pd.Series = column.dt.strftime("%Y-%m-%d").fillna("").astype(object)
        return days
    codes, distinct = pd.factorize(column)
    words = np.asarray([*(_word(one) for one in distinct), ""], dtype=object)
    return pd.Series(words[codes], index=column.index, dtype=object)


def _word(cell: object) -> str:
    if isinstance(cell, float | np.floating) and float(cell).is_integer():
        return str(int(cell))
    return f"{cell:.12g}" if isinstance(cell, float | np.floating) else str(cell)


class _Plain(yaml.SafeLoader):  # type: ignore[misc]  # yaml publishes no types
    """YAML without references, which can make a short text endless."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse a reference."""
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("references (*name) are not taken")
        node: yaml.Node | None = super().compose_node(parent, index)
        return node


def read_metadata(hub: Hub, path: str, content: bytes) -> tuple[dict[str, Any] | None, list[SourceError]]:
    """Read a model's metadata and hold it against the hub's schema.

    Args:
        hub: The hub.
        path: Where it lies, ``model-metadata/team-model.yml``.
        content: Its bytes.

    Returns:
        The metadata, or None where they break a rule, and every fault found.
    """
    model_id = path.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    if len(content) > _LONGEST_METADATA:
        return None, [SourceError(path, f"is longer than {_LONGEST_METADATA:,} bytes")]
    try:
        found = yaml.load(content.decode("utf-8-sig"), Loader=_Plain)  # noqa: S506  # a SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return None, [SourceError(path, f"is not YAML: {' '.join(str(error).split())[:200]}")]
    if not isinstance(found, dict):
        return None, [SourceError(path, "is no list of names and values")]
    faults = schema_faults(path, found, hub.metadata_schema) if hub.metadata_schema else []
    named = f"{found.get('team_abbr')}-{found.get('model_abbr')}"
    if {"team_abbr", "model_abbr"} <= set(found) and named != model_id:
        faults.append(SourceError(path, f"the file's name is not {named}.yml, as its abbreviations say"))
    return (None if faults else {str(name): value for name, value in found.items()}), faults


def designation_faults(metadata: Mapping[str, Mapping[str, Any]], most: int = 2) -> list[SourceError]:
    """Teams that put more models into the ensemble than they may."""
    teams: dict[str, list[str]] = {}
    for model_id, about in metadata.items():
        if about.get("designated_model"):
            teams.setdefault(model_id.split("-")[0], []).append(model_id)
    rule = f"designated_model: a team may designate up to {most} models"
    return [SourceError(f"model-metadata/{sorted(own)[most]}.yml", rule) for own in teams.values() if len(own) > most]
