"""Read one file of a submission and check it against its round; every fault names file, row, column and rule.

The rules are those of hubverse's R package hubValidations. In a CSV a row's number is its line's, with the header and
blank lines counted.
"""

from __future__ import annotations

import codecs
import datetime as dt
import io
import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
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
from numpy.typing import NDArray

from core import FloatArray
from core.calendar import Frequency, target_end_date
from core.errors import SourceError, first_line
from core.log import counted
from core.schema import refuse_person_level
from hub import TARGET_END_DATE, Hub, Output, Round, Task, schema_faults

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
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Texts:
    """A column of texts; a hub has thousands of files, each with few distinct texts.

    Attributes:
        codes: Which of the words stands in each row.
        words: Distinct texts, each in some row.
    """

    codes: Rows
    words: NDArray[np.object_]

    def among(self, allowed: Collection[str]) -> NDArray[np.bool_]:
        """The rows that hold one of some texts."""
        return np.asarray([one in allowed for one in self.words], dtype=bool)[self.codes]

    def at(self, where: Rows | NDArray[np.bool_] | slice) -> Texts:
        """Some rows."""
        used, codes = np.unique(self.codes[where], return_inverse=True)
        return Texts(codes, self.words[used])

    def read(self, word: Callable[[str], Any]) -> NDArray[Any]:
        """What each row's text stands for; each text is read once."""
        return np.asarray([word(one) for one in self.words])[self.codes]


@dataclass(frozen=True)
class Submission:
    """A submission that keeps all rules.

    Attributes:
        model_id: Whose it is.
        round_id: Of which round.
        texts: Task ids, ``output_type`` and ``output_type_id``.
        numbers: The value of each row.
    """

    model_id: str
    round_id: str
    texts: Mapping[str, Texts]
    numbers: FloatArray


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
    return (None if faults else Submission(model_id, round_id, check.texts, check.numbers)), faults


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
            raise SourceError(
                path, "holds lists or records where a value belongs", row=_header_row(path, content), column=nested[0]
            )
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise SourceError(path, "the column stands there twice", row=_header_row(path, content), column=twice[0])
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
            fault = f"the columns are parted by {name}: a submission's are parted by commas"
            raise SourceError(path, fault, row=_header_row(path, content))

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


def _header_row(path: str, content: bytes) -> int:
    """Where the columns' names stand."""
    return next((number for number, _line in _filled_lines(content)), 1) if path.endswith(".csv") else 1


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
        self.texts: dict[str, Texts] = {}
        self.numbers: FloatArray = np.empty(0)
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

    def _fault(self, rule: str, where: Rows | None = None, column: str | None = None) -> Iterator[SourceError]:
        if where is None:
            yield SourceError(self.path, rule, column=column)
            return
        for place in where[:MOST_NAMED]:
            yield SourceError(self.path, rule, row=self.numbers_of_rows[place], column=column)
        if len(where) > MOST_NAMED:
            yield SourceError(self.path, f"{rule}: {len(where) - MOST_NAMED} further rows", column=column)

    def _named(self, faults: Sequence[tuple[str, int]], column: str) -> Iterator[SourceError]:
        """Report a rule and its row for each of the first faults, and the number of the others."""
        for rule, place in sorted(faults, key=itemgetter(1))[:MOST_NAMED]:
            yield from self._fault(rule, np.asarray([place]), column)
        if len(faults) > MOST_NAMED:
            yield from self._fault(f"{counted(len(faults) - MOST_NAMED, 'further fault')} of this kind", column=column)

    def _columns(self) -> Iterator[SourceError]:
        wanted = [*self.tasks, OUTPUT_TYPE, OUTPUT_TYPE_ID, VALUE]
        names, header = self.table.column_names, _header_row(self.path, self.content)
        for name in wanted:
            if name not in names:
                yield SourceError(self.path, "the column is missing", row=header, column=name)
        for name in names:
            if name not in wanted:
                yield SourceError(self.path, "the column is not one of this hub's", row=header, column=str(name)[:60])
        if not self.count:
            yield SourceError(self.path, "holds no rows")

    def _cells(self) -> Iterator[SourceError]:
        try:
            names = [*self.tasks, OUTPUT_TYPE, OUTPUT_TYPE_ID]
            self.texts = {name: _texts(self.table[name]) for name in names}
            value = self.table[VALUE].to_pandas()
        except (pa.ArrowException, ValueError, OverflowError) as error:  # a day beyond all calendars
            yield _unreadable(self.path, error)
            return
        number = np.full(self.count, np.nan)
        if value.dtype != bool and not pa.types.is_temporal(self.table.schema.field(VALUE).type):
            number = pd.to_numeric(value, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        wrong = np.flatnonzero(~np.isfinite(number))
        yield from self._named(
            [(f"'{str(value.iloc[place])[:40]}' is not a number", int(place)) for place in wrong], VALUE
        )
        self.numbers = number
        if self.round.variable:
            other = np.flatnonzero(~self.texts[self.round.variable].among({self.round_id}))
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
        cells = self.texts[column]
        strange = [code for code, one in enumerate(cells.words) if one not in (allowed or _NOTHING)]
        for code in strange[:MOST_NAMED]:
            rule = f"'{str(cells.words[code])[:40]}' is not one of this hub's values"
            yield from self._fault(rule, np.flatnonzero(cells.codes == code)[:1], column)

    def _blocks(self) -> Iterator[SourceError]:
        """Each row belongs to a block of tasks and keeps its rules."""
        taken = np.zeros(self.count, dtype=bool)
        kinds = self.texts[OUTPUT_TYPE]
        for task in self.round.tasks:
            mine = self._of_block(task) & kinds.among(task.outputs)
            taken |= mine
            for kind, output in task.outputs.items():
                where = np.flatnonzero(mine & kinds.among({kind}))
                if len(where):
                    yield from self._ids(output, where)
                    yield from self._values(output, where)
            yield from self._ends(task, np.flatnonzero(mine))
        yield from self._fault("no task of this hub has these values together", np.flatnonzero(~taken))

    def _of_block(self, task: Task) -> NDArray[np.bool_]:
        mine = np.ones(self.count, dtype=bool)
        for name, allowed in task.allowed.items():
            mine &= self.texts[name].among(allowed or _NOTHING)
        return mine

    def _ids(self, output: Output, where: Rows) -> Iterator[SourceError]:
        cells, everything = self.texts[OUTPUT_TYPE_ID].at(where), self.texts[OUTPUT_TYPE_ID]
        if output.kind in POINTS:
            bad, rule = [one not in _NOTHING for one in cells.words], f"must be empty (NA) for a {output.kind}"
        elif output.kind == "quantile":
            levels = {one: _level(one, output.ids) for one in cells.words}
            bad, rule = [level is None for level in levels.values()], "is not a quantile level of this hub"
            if not any(bad):
                codes, words = pd.factorize(
                    np.asarray([levels.get(one, one) for one in everything.words], dtype=object)
                )
                self.texts[OUTPUT_TYPE_ID] = Texts(codes[everything.codes], words)
        elif output.kind == "sample":
            pattern = re.compile(r"-?\d{1,12}" if output.sample_type == "integer" else r".{1,100}")
            bad = [not pattern.fullmatch(one) or one in _NOTHING for one in cells.words]
            rule = "is not the id of a sample"
        else:
            bad, rule = [one not in output.ids for one in cells.words], f"is not an id of output type {output.kind}"
        yield from self._fault(rule, where[np.asarray(bad, dtype=bool)[cells.codes]], OUTPUT_TYPE_ID)

    def _values(self, output: Output, where: Rows) -> Iterator[SourceError]:
        values = self.numbers[where]
        if output.least is not None:
            yield from self._fault(f"is below {output.least:g}", where[values < output.least], VALUE)
        if output.most is not None:
            yield from self._fault(f"is above {output.most:g}", where[values > output.most], VALUE)
        if output.whole:
            yield from self._fault("is not a whole number", where[values != np.round(values)], VALUE)

    def _ends(self, task: Task, where: Rows) -> Iterator[SourceError]:
        """Check ``target_end_date`` against the horizon: from the round's date, or from the date of most rows."""
        if not len(where) or task.time_unit not in _UNITS or not {"horizon", TARGET_END_DATE} <= {*self.tasks}:
            return
        if not self.round.checks_ends:
            yield from self._steps(task.time_unit, where)
            return
        freq = _UNITS[task.time_unit]
        origin = pd.Timestamp(self.round_id).date()
        if target_end_date(origin, 0, freq) != origin:
            rule = f"the round does not end a {task.time_unit}, as these tasks need"
            yield from self._fault(rule, where[:1], self.round.variable)
            return
        ends = self.texts["horizon"].at(where).read(lambda step: str(target_end_date(origin, int(step), freq)))
        wrong = self.texts[TARGET_END_DATE].at(where).read(str) != ends
        yield from self._fault(
            f"is not the origin's date plus the horizon in {task.time_unit}s", where[wrong], TARGET_END_DATE
        )

    def _steps(self, unit: str, where: Rows) -> Iterator[SourceError]:
        """Report each pair of horizon and date that counts from another date than most rows, once."""
        horizons, ends = (self.texts[name].at(where) for name in ("horizon", TARGET_END_DATE))
        pairs = _combined([horizons.codes, ends.codes])
        _pairs, firsts, sizes = np.unique(pairs, return_index=True, return_counts=True)
        origins: dict[int, str] = {}
        rows: Counter[str] = Counter()
        try:
            for first, size in zip(firsts, sizes, strict=True):
                step, end = int(horizons.words[horizons.codes[first]]), pd.Timestamp(ends.words[ends.codes[first]])
                days = pd.Timedelta(days=step * (7 if unit == "week" else 1))
                origins[first] = str(end.to_period("M") - step if unit == "month" else (end - days).date())
                rows[origins[first]] += int(size)
        except ValueError:  # a hub may write horizons or dates otherwise
            return
        common = rows.most_common(1)[0][0]
        faults = []
        for first, size in zip(firsts, sizes, strict=True):
            if origins[first] != common:
                step, end = horizons.words[horizons.codes[first]], ends.words[ends.codes[first]]
                rule = f"'{end}' does not lie {counted(int(step), unit)} after {common}, from which most rows count"
                faults.append((f"{rule} ({counted(int(size), 'row')})", int(where[first])))
        yield from self._named(faults, TARGET_END_DATE)

    def _together(self) -> Iterator[SourceError]:
        """Check what concerns several rows: duplicates, complete and ordered outputs, samples, required tasks."""
        task = _combined([self.texts[name].codes for name in self.tasks])
        key = _combined([task, self.texts[OUTPUT_TYPE].codes, self.texts[OUTPUT_TYPE_ID].codes])
        if len(np.unique(key)) < len(key):
            repeated = np.flatnonzero(pd.Series(key).duplicated())
            yield from self._fault("the same task and output stands in an earlier row", repeated)
            return
        for block in self.round.tasks:
            mine = self._of_block(block)
            for output in block.outputs.values():
                where = np.flatnonzero(mine & self.texts[OUTPUT_TYPE].among({output.kind}))
                yield from self._lacking(output, task, np.flatnonzero(mine), where)
                if output.ids and output.kind not in POINTS:
                    yield from self._complete(output, task[where], where)
                if output.samples:
                    yield from self._samples(output, task[where], where)
            yield from self._required(block, mine)

    def _lacking(self, output: Output, task: Rows, mine: Rows, where: Rows) -> Iterator[SourceError]:
        if output.is_required:
            without = mine[~np.isin(task[mine], task[where])]
            first = without[np.unique(task[without], return_index=True)[1]]
            yield from self._fault(f"the task lacks its {output.kind}", np.sort(first), OUTPUT_TYPE)

    def _complete(self, output: Output, task: Rows, where: Rows) -> Iterator[SourceError]:
        """Check that each task has every id once, rising values (quantile, cdf) and a sum of 1 (pmf)."""
        if not len(where):
            return
        ids = [f"{one:g}" for one in sorted(output.ids)] if output.kind == "quantile" else list(output.ids)
        place = self.texts[OUTPUT_TYPE_ID].at(where).read(ids.index)
        order = np.lexsort((place, task))
        task, place, values, where = task[order], place[order], self.numbers[where][order], where[order]
        starts = np.flatnonzero(np.r_[True, task[1:] != task[:-1]])
        counts = np.diff(np.r_[starts, len(task)])
        what = "quantile levels" if output.kind == "quantile" else f"ids of its {output.kind}"
        short = []
        for start, count in zip(starts, counts, strict=True):
            if count != len(ids):
                missing = [one for number, one in enumerate(ids) if number not in place[start : start + count]]
                short.append((f"the task lacks the {what} {', '.join(missing[:MOST_NAMED])}", int(where[start])))
        yield from self._named(short, OUTPUT_TYPE_ID)
        if output.kind == "pmf":
            sums = np.add.reduceat(values, starts)
            wrong = np.flatnonzero(np.abs(sums - 1) > SAME_SUM)
            rules = [(f"the task's pmf sums to {sums[one]:.9g}, not to 1", int(where[starts[one]])) for one in wrong]
            yield from self._named([] if short else rules, VALUE)
            return
        crossing = (task[1:] == task[:-1]) & (np.diff(values) < 0)
        rule = "is smaller than the value at the next lower " + (
            "quantile level" if output.kind == "quantile" else "id"
        )
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
        unit = _combined([self.texts[name].codes[where] for name in spans])
        sample = self.texts[OUTPUT_TYPE_ID].codes[where]
        units = pd.Series(unit).groupby(sample).transform("nunique").to_numpy()  # hubverse lets a sample span more
        size = pd.Series(task).groupby(sample).transform("nunique").to_numpy()
        full = pd.Series(task).groupby(unit).transform("nunique").to_numpy()
        yield from self._fault(
            "the sample lacks tasks that it spans", where[(units == 1) & (size < full)][:MOST_NAMED], OUTPUT_TYPE_ID
        )

    def _required(self, block: Task, where: NDArray[np.bool_]) -> Iterator[SourceError]:
        """Every combination of required values, beside each combination of optional ones that is there."""
        fixed = [name for name, values in block.required.items() if values and name != self.round.variable]
        if not fixed:
            return
        free = [
            name for name in block.allowed if name not in fixed and name not in {self.round.variable, TARGET_END_DATE}
        ]
        wanted = set(product(*(block.required[name] for name in fixed)))
        mine = pd.DataFrame({name: self.texts[name].at(where).read(str) for name in [*fixed, *free]})
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


def _combined(codes: list[Rows]) -> Rows:
    """One number per distinct row of several columns of codes."""
    out, size = np.zeros(len(codes[0]), dtype=np.int64), 1
    for code in codes:
        width = int(code.max(initial=0)) + 1
        if size * width > np.iinfo(np.int64).max:
            out = np.unique(out, return_inverse=True)[1]
            size = int(out.max(initial=0)) + 1
        out, size = out * width + code, size * width
    return out


def _level(text: str, levels: Collection[float]) -> str | None:
    """The level that a text means, as it is written here; None where it is none of them."""
    try:
        number = float(text)
    except ValueError:
        return None
    return next((f"{one:g}" for one in levels if abs(one - number) < SAME_LEVEL), None)


def _texts(column: pa.ChunkedArray) -> Texts:
    """Cells as texts: dates as ISO days, whole numbers without a point, nothing as an empty text."""
    encoded = column.combine_chunks().dictionary_encode()
    encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    read = np.asarray([*(_word(one) for one in encoded.dictionary.to_pylist()), ""], dtype=object)
    codes, words = pd.factorize(read)  # two cells may read alike
    places = encoded.indices.fill_null(len(read) - 1).to_numpy(zero_copy_only=False)
    return Texts(codes[places], words).at(slice(None))


def _word(cell: object) -> str:
    if isinstance(cell, dt.date):
        return cell.strftime("%Y-%m-%d")
    if isinstance(cell, float):
        return "" if math.isnan(cell) else str(int(cell)) if cell.is_integer() else f"{cell:.12g}"
    return "" if cell is None else str(cell)


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


def designation_faults(metadata: Mapping[str, Mapping[str, Any]]) -> list[SourceError]:
    """Teams that put more models into the ensemble than they may."""
    teams: dict[str, list[str]] = {}
    for model_id, about in metadata.items():
        if about.get("designated_model"):
            teams.setdefault(model_id.split("-")[0], []).append(model_id)
    rule = f"designated_model: a team may designate up to {MOST_DESIGNATED} models"
    return [
        SourceError(f"model-metadata/{sorted(own)[MOST_DESIGNATED]}.yml", rule)
        for own in teams.values()
        if len(own) > MOST_DESIGNATED
    ]
