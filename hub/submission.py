"""Read one file of a submission and check it against its round; every fault names file, row, column and rule.

The rules are those of hubverse's R package hubValidations. In a CSV a row's number is its line's, with the header and
blank lines counted.
"""

from __future__ import annotations

import codecs
import io
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, product
from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import yaml

from core.calendar import Frequency, target_end_date
from core.errors import SourceError, first_line
from core.log import counted
from core.schema import refuse_person_level
from hub import TARGET_END_DATE, Hub, Output, Round, Task, schema_faults, text_of

LARGEST_FILE = 20 << 20
"""Bytes: a round of five routes at 23 levels with a thousand paths takes a fifth of it."""
MOST_ROWS = 2_000_000
MOST_NAMED = 5
"""Rows of one file that are named per rule; the others are counted."""
SAME_LEVEL = 5e-8
"""Rounding of a level that is kept in half the usual precision."""
SAME_SUM = 1.5e-8
"""Rounding allowed in the sum of a pmf, as in hubValidations."""
OUTPUT_TYPE, OUTPUT_TYPE_ID, VALUE = "output_type", "output_type_id", "value"
MOST_DESIGNATED = 2
"""Models that a team may put into the ensemble."""
POINTS = frozenset({"mean", "median"})
_MODEL_ID = re.compile(r"(?P<team>[A-Za-z0-9_+]{1,16})-(?P<model>[A-Za-z0-9_+]{1,16})")
_LINE = re.compile(rb"([^\r\n]*)(?:\r\n|[\r\n]|\Z)")
_NOTHING = frozenset({"", "NA", "nan", "NaN", "None", "<NA>", "null"})
_OTHER_MARKS = {";": "semicolons", "\t": "tabs"}
_UNITS: Mapping[str, Frequency] = {"day": "D", "week": "W", "month": "M", "quarter": "Q"}
_LONGEST_METADATA = 200_000


@dataclass(frozen=True)
class Submission:
    """A submission that keeps all rules.

    Attributes:
        model_id: Whose it is.
        round_id: Of which round.
        rows: Task ids, ``output_type`` and ``output_type_id`` as categories of texts, and ``value``.
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
    if (found := hub.round_of(round_id)) is None:
        return SourceError(path, f"'{round_id}' is no round of this hub")
    if ending not in found.formats:
        return SourceError(path, f"the ending must be one of {', '.join(found.formats)}")
    return model_id, round_id


def read_submission(hub: Hub, path: str, content: bytes) -> tuple[Submission | None, list[SourceError]]:
    """Read one file and hold it against its round.

    Returns:
        The submission, or None where it breaks a rule, and every fault found.
    """
    place = place_of(hub, path)
    if isinstance(place, SourceError):
        return None, [place]
    model_id, round_id = place
    try:
        table = _table(path, content)
    except SourceError as fault:
        return None, [fault]
    check = _Check(path, round_id, next(one for one in hub.rounds if round_id in one.ids), table, content)
    faults = check.faults()
    return (None if faults else Submission(model_id, round_id, check.rows)), faults


def _table(path: str, content: bytes) -> pa.Table:
    """The table as it stands in the file; texts of a CSV stay texts. Raises SourceError where there is none."""
    if len(content) > LARGEST_FILE:
        raise SourceError(path, f"is larger than the {LARGEST_FILE >> 20} MB that are taken")
    try:
        found = _read_csv(path, content) if path.endswith(".csv") else _read_parquet(path, content)
        names = [str(name) for name in found.column_names]
        if found.num_rows > MOST_ROWS:
            raise SourceError(path, f"has more than the {MOST_ROWS:,} rows that are taken")
        if nested := [field.name for field in found.schema if pa.types.is_nested(field.type)]:
            raise _of_header(path, content, "holds lists or records where a value belongs", nested[0])
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise _of_header(path, content, "the column stands there twice", twice[0])
        refuse_person_level(names, path)
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise _unreadable(path, error) from None
    return found


def _unreadable(path: str, error: Exception) -> SourceError:
    return SourceError(path, f"cannot be read: {first_line(error)[:200]}")


def _read_csv(path: str, content: bytes) -> pa.Table:
    _number, first = next(_filled_lines(content), (1, b""))
    names = first.decode().strip().replace('"', "")
    head = names.split(",")
    for mark, name in _OTHER_MARKS.items():
        if len(head) == 1 and mark in names:
            raise _of_header(path, content, f"the columns are parted by {name}: a submission's are parted by commas")

    ragged: list[pacsv.InvalidRow] = []

    def note(row: pacsv.InvalidRow) -> str:
        ragged.append(row)
        return "error"

    try:
        return pacsv.read_csv(
            io.BytesIO(content),
            read_options=pacsv.ReadOptions(use_threads=False),
            parse_options=pacsv.ParseOptions(invalid_row_handler=note),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(head, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        if not ragged:
            raise
    number, _text = next(islice(_filled_lines(content), ragged[0].number - 1, None))
    rule = f"has {ragged[0].actual_columns} cells where the columns' names are {ragged[0].expected_columns}"
    raise SourceError(path, rule, row=number)


def _filled_lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines of a CSV that its reader takes for rows, with their numbers: it passes over blank ones."""
    lines = _LINE.finditer(content.removeprefix(codecs.BOM_UTF8))
    return ((number, line[1]) for number, line in enumerate(lines, start=1) if line[1])


def _of_header(path: str, content: bytes, rule: str, column: str | None = None) -> SourceError:
    """A fault of the columns' names, in the row where they stand."""
    row = next((number for number, _line in _filled_lines(content)), 1) if path.endswith(".csv") else 1
    return SourceError(path, rule, row=row, column=column)


def _read_parquet(path: str, content: bytes) -> pa.Table:
    """A small file may unpack to a huge table: its own account of its size is read first."""
    file = pq.ParquetFile(io.BytesIO(content))
    size = sum(file.metadata.row_group(one).total_byte_size for one in range(file.num_row_groups))
    if file.metadata.num_rows > MOST_ROWS or size > 20 * LARGEST_FILE:
        raise SourceError(path, f"unpacks to more than the {MOST_ROWS:,} rows that are taken")
    return file.read(use_threads=False)


class _Check:
    """The rules of a round on one table. Rules stop where a later one would only repeat an earlier one's fault."""

    def __init__(self, path: str, round_id: str, found: Round, table: pa.Table, content: bytes) -> None:
        self.path, self.round_id, self.round, self.content = path, round_id, found, content
        self.table, self.count = table, int(table.num_rows)
        self.rows = pd.DataFrame()
        self.tasks = list(found.columns)

    def faults(self) -> list[SourceError]:
        """Every fault, of the first stage that finds any."""
        for stage in (self._columns, self._cells, self._blocks, self._together):
            if faults := list(stage()):
                return faults
        return []

    @cached_property
    def numbers_of_rows(self) -> Sequence[int]:
        """The number of each row in the file; asked for only where there is a fault to name."""
        if self.path.endswith(".csv"):
            return [number for number, _line in _filled_lines(self.content)][1:]
        return range(1, self.count + 1)

    def _fault(self, rule: str, where: pd.Index | None = None, column: str | None = None) -> Iterator[SourceError]:
        if where is None:
            yield SourceError(self.path, rule, column=column)
            return
        for place in where[:MOST_NAMED]:
            yield SourceError(self.path, rule, row=self.numbers_of_rows[place], column=column)
        if len(where) > MOST_NAMED:
            yield SourceError(self.path, f"{rule}: {len(where) - MOST_NAMED} further rows", column=column)

    def _named(self, faults: Sequence[tuple[str, Any]], column: str) -> Iterator[SourceError]:
        """Report a rule and its row for each of the first faults, and the number of the others."""
        for rule, place in sorted(faults, key=itemgetter(1))[:MOST_NAMED]:
            yield from self._fault(rule, pd.Index([place]), column)
        if len(faults) > MOST_NAMED:
            yield from self._fault(f"{counted(len(faults) - MOST_NAMED, 'further fault')} of this kind", column=column)

    def _columns(self) -> Iterator[SourceError]:
        wanted = [*self.tasks, OUTPUT_TYPE, OUTPUT_TYPE_ID, VALUE]
        names = self.table.column_names
        for name in (one for one in wanted if one not in names):
            yield _of_header(self.path, self.content, "the column is missing", name)
        for name in (one for one in names if one not in wanted):
            yield _of_header(self.path, self.content, "the column is not one of this hub's", str(name)[:60])
        if not self.count:
            yield SourceError(self.path, "holds no rows")

    def _cells(self) -> Iterator[SourceError]:
        try:
            names = [*self.tasks, OUTPUT_TYPE, OUTPUT_TYPE_ID]
            rows = pd.DataFrame({name: _texts(self.table[name]) for name in names})
            value = self.table[VALUE].to_pandas()
        except (pa.ArrowException, ValueError, OverflowError) as error:  # a day beyond all calendars
            yield _unreadable(self.path, error)
            return
        number = np.full(self.count, np.nan)
        if value.dtype != bool and not pa.types.is_temporal(self.table.schema.field(VALUE).type):
            number = pd.to_numeric(value, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        wrong = value[~np.isfinite(number)]
        yield from self._named([(f"'{str(one)[:40]}' is not a number", place) for place, one in wrong.items()], VALUE)
        self.rows = rows.assign(**{VALUE: number})
        if self.round.variable:
            other = rows.index[rows[self.round.variable] != self.round_id]
            yield from self._fault(f"is not the round {self.round_id} of the file's name", other, self.round.variable)
        yield from self._unknown(OUTPUT_TYPE, [kind for task in self.round.tasks for kind in task.outputs])
        for name in self.tasks:
            if name != self.round.variable:
                yield from self._unknown(name, {one for task in self.round.tasks for one in task.allowed.get(name, ())})

    def _unknown(self, column: str, allowed: Collection[str]) -> Iterator[SourceError]:
        """Cells that are none of the values allowed; where none is, they must be empty."""
        cells = self.rows[column]
        for one in [one for one in cells.cat.categories if one not in (allowed or _NOTHING)][:MOST_NAMED]:
            rule = f"'{one[:40]}' is not one of this hub's values"
            yield from self._fault(rule, cells.index[cells == one][:1], column)

    def _blocks(self) -> Iterator[SourceError]:
        """Each row belongs to a block of tasks and keeps its rules."""
        left = self.rows.index
        for task in self.round.tasks:
            mine = self._of_block(task)
            mine = mine[mine[OUTPUT_TYPE].isin(task.outputs)]
            left = left.difference(mine.index)
            for kind, output in task.outputs.items():
                if len(part := mine[mine[OUTPUT_TYPE] == kind]):
                    yield from self._ids(output, part[OUTPUT_TYPE_ID])
                    yield from self._values(output, part[VALUE])
            yield from self._ends(task, mine)
        yield from self._fault("no task of this hub has these values together", left)

    def _of_block(self, task: Task) -> pd.DataFrame:
        mine = self.rows
        for name, allowed in task.allowed.items():
            mine = mine[mine[name].isin(allowed or _NOTHING)]
        return mine

    def _ids(self, output: Output, cells: pd.Series) -> Iterator[SourceError]:
        words = set(cells.unique())
        if output.kind in POINTS:
            bad, rule = words - _NOTHING, f"must be empty (NA) for a {output.kind}"
        elif output.kind == "quantile":
            levels = {one: _level(one, output.ids) for one in words}
            bad, rule = {one for one in words if levels[one] is None}, "is not a quantile level of this hub"
            if not bad:
                ids = self.rows[OUTPUT_TYPE_ID].map(lambda one: levels.get(one, one))
                self.rows[OUTPUT_TYPE_ID] = ids.astype("category")
        elif output.kind == "sample":
            pattern = re.compile(r"-?\d{1,12}" if output.sample_type == "integer" else r".{1,100}")
            bad = {one for one in words if not pattern.fullmatch(one)} | words & _NOTHING
            rule = "is not the id of a sample"
        else:
            bad, rule = words - set(output.ids), f"is not an id of output type {output.kind}"
        yield from self._fault(rule, cells.index[cells.isin(bad)], OUTPUT_TYPE_ID)

    def _values(self, output: Output, values: pd.Series) -> Iterator[SourceError]:
        if output.least is not None:
            yield from self._fault(f"is below {output.least:g}", values.index[values < output.least], VALUE)
        if output.most is not None:
            yield from self._fault(f"is above {output.most:g}", values.index[values > output.most], VALUE)
        if output.whole:
            yield from self._fault("is not a whole number", values.index[values != values.round()], VALUE)

    def _ends(self, task: Task, rows: pd.DataFrame) -> Iterator[SourceError]:
        """Check ``target_end_date`` against the horizon: from the round's date, or from the date of most rows."""
        if rows.empty or task.time_unit not in _UNITS or not {"horizon", TARGET_END_DATE} <= {*self.tasks}:
            return
        if not self.round.checks_ends:
            yield from self._steps(task.time_unit, rows)
            return
        freq = _UNITS[task.time_unit]
        origin = pd.Timestamp(self.round_id).date()
        if target_end_date(origin, 0, freq) != origin:
            rule = f"the round does not end a {task.time_unit}, as these tasks need"
            yield from self._fault(rule, rows.index[:1], self.round.variable)
            return
        ends = {step: str(target_end_date(origin, int(step), freq)) for step in rows["horizon"].unique()}
        wrong = rows.index[rows[TARGET_END_DATE].astype(object) != rows["horizon"].astype(object).map(ends)]
        rule = f"is not the origin's date plus the horizon in {task.time_unit}s"
        yield from self._fault(rule, wrong, TARGET_END_DATE)

    def _steps(self, unit: str, rows: pd.DataFrame) -> Iterator[SourceError]:
        """Report each pair of horizon and date that counts from another date than most rows, once."""
        groups = rows.index.to_series().groupby([rows["horizon"], rows[TARGET_END_DATE]], observed=True)
        pairs = groups.agg(["first", "size"]).reset_index()
        try:
            origins = [
                _counted_from(unit, int(step), pd.Timestamp(end))
                for step, end in zip(pairs["horizon"], pairs[TARGET_END_DATE], strict=True)
            ]
        except ValueError:  # a hub may write horizons or dates otherwise
            return
        common = pairs["size"].groupby(origins).sum().idxmax()
        faults = []
        for origin, (step, end, first, size) in zip(origins, pairs.itertuples(index=False), strict=True):
            if origin != common:
                rule = f"'{end}' does not lie {counted(int(step), unit)} after {common}, from which most rows count"
                faults.append((f"{rule} ({counted(size, 'row')})", first))
        yield from self._named(faults, TARGET_END_DATE)

    def _together(self) -> Iterator[SourceError]:
        """Check what concerns several rows: duplicates, complete and ordered outputs, samples, required tasks."""
        task = self.rows.groupby(self.tasks, observed=True).ngroup()
        if (repeated := self.rows.duplicated([*self.tasks, OUTPUT_TYPE, OUTPUT_TYPE_ID])).any():
            yield from self._fault("the same task and output stands in an earlier row", self.rows.index[repeated])
            return
        for block in self.round.tasks:
            mine = self._of_block(block)
            tasks = task[mine.index]
            for output in block.outputs.values():
                rows = mine[mine[OUTPUT_TYPE] == output.kind]
                if output.is_required:
                    without = tasks[~tasks.isin(tasks[rows.index])].drop_duplicates()
                    yield from self._fault(f"the task lacks its {output.kind}", without.index, OUTPUT_TYPE)
                if len(rows) and output.ids and output.kind not in POINTS:
                    yield from self._complete(output, tasks[rows.index], rows)
                if len(rows) and output.samples:
                    yield from self._samples(output, tasks[rows.index], rows)
            yield from self._required(block, mine)

    def _complete(self, output: Output, task: pd.Series, rows: pd.DataFrame) -> Iterator[SourceError]:
        """Check that each task has every id once, rising values (quantile, cdf) and a sum of 1 (pmf)."""
        is_quantile = output.kind == "quantile"
        ids = [f"{one:g}" for one in sorted(output.ids)] if is_quantile else list(output.ids)
        cells = pd.DataFrame({"task": task, "place": pd.Categorical(rows[OUTPUT_TYPE_ID], ids).codes})
        cells = cells.assign(value=rows[VALUE]).sort_values(["task", "place"])
        groups = cells.groupby("task")
        what = "quantile levels" if is_quantile else f"ids of its {output.kind}"
        short: list[tuple[str, Any]] = []
        for _task, own in cells[groups["task"].transform("size") != len(ids)].groupby("task"):
            missing = [ids[place] for place in sorted({*range(len(ids))} - {*own["place"]})]
            short.append((f"the task lacks the {what} {', '.join(missing[:MOST_NAMED])}", own.index[0]))
        yield from self._named(short, OUTPUT_TYPE_ID)
        if output.kind == "pmf":
            sums = groups["value"].transform("sum")[~cells["task"].duplicated()]
            wrong = sums[(sums - 1).abs() > SAME_SUM]
            rules = [(f"the task's pmf sums to {one:.9g}, not to 1", place) for place, one in wrong.items()]
            yield from self._named([] if short else rules, VALUE)
            return
        rule = f"is smaller than the value at the next lower {'quantile level' if is_quantile else 'id'}"
        yield from self._fault(rule, cells.index[groups["value"].diff() < 0].sort_values(), VALUE)

    def _samples(self, output: Output, task: pd.Series, rows: pd.DataFrame) -> Iterator[SourceError]:
        few, many = output.samples or (0, 0)
        bad = task[~task.groupby(task).transform("size").between(few, many)].drop_duplicates()
        yield from self._fault(f"the task has not {few} to {many} samples", bad.index, OUTPUT_TYPE_ID)
        if len(bad):
            return
        unit = rows.groupby(self.tasks if output.together is None else list(output.together), observed=True).ngroup()
        sample = rows[OUTPUT_TYPE_ID]
        units = unit.groupby(sample, observed=True).transform("nunique")  # hubverse lets a sample span more than one
        size = task.groupby(sample, observed=True).transform("nunique")
        lacking = (units == 1) & (size < task.groupby(unit).transform("nunique"))
        yield from self._fault("the sample lacks tasks that it spans", rows.index[lacking][:MOST_NAMED], OUTPUT_TYPE_ID)

    def _required(self, block: Task, rows: pd.DataFrame) -> Iterator[SourceError]:
        """Every combination of required values, beside each combination of optional ones that is there."""
        fixed = [name for name, values in block.required.items() if values and name != self.round.variable]
        if not fixed:
            return
        apart = {*fixed, self.round.variable, TARGET_END_DATE}
        free = [name for name in block.allowed if name not in apart]
        wanted = set(product(*(block.required[name] for name in fixed)))
        for values, own in rows.groupby(free, sort=False, observed=True) if free else [((), rows)]:
            missing = sorted(wanted - set(own[fixed].drop_duplicates().itertuples(index=False, name=None)))
            for lacking in missing[:MOST_NAMED]:
                named = zip([*fixed, *free], [*lacking, *values], strict=True)
                beside = ", ".join(f"{name} {one}" for name, one in named)
                yield from self._fault(f"the required task {beside} is missing")


def _counted_from(unit: str, step: int, end: pd.Timestamp) -> str:
    """The date, or the month, so many periods before an end."""
    if unit == "month":
        return str(end.to_period("M") - step)
    return str((end - pd.Timedelta(days=step * (7 if unit == "week" else 1))).date())


def _level(text: str, levels: Collection[float]) -> str | None:
    """The level that a text means, as it is written here; None where it is none of them."""
    try:
        number = float(text)
    except ValueError:
        return None
    return next((f"{one:g}" for one in levels if abs(one - number) < SAME_LEVEL), None)


def _texts(column: pa.ChunkedArray) -> pd.Categorical:
    """Cells as texts: dates as ISO days, whole numbers without a point, nothing as an empty text."""
    encoded = column.combine_chunks().dictionary_encode()
    words = np.asarray([*map(text_of, encoded.dictionary.to_pylist()), ""], dtype=object)
    codes, words = pd.factorize(words[encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)])  # some read alike
    return pd.Categorical.from_codes(codes, words)


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


def designation_faults(metadata: Mapping[str, Mapping[str, Any]]) -> Iterator[SourceError]:
    """Teams that put more models into the ensemble than they may; the first model too many is named."""
    teams = Counter[str]()
    for model_id in sorted(model_id for model_id, about in metadata.items() if about.get("designated_model")):
        team = model_id.split("-")[0]
        teams[team] += 1
        if teams[team] == MOST_DESIGNATED + 1:
            rule = f"designated_model: a team may designate up to {MOST_DESIGNATED} models"
            yield SourceError(f"model-metadata/{model_id}.yml", rule)
