"""A submission is taken exactly where it keeps every rule of the hub, and a fault says where it lies."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pytest

from benchmarks.hub_mutations import MODEL, RIGHT, ROUND, WRONG, misjudged, run, sound, world
from core.errors import SourceError
from hub import METADATA_SCHEMA, read_config
from hub.own import config_files
from hub.submission import read_metadata, read_submission
from tests.hub.outside import PATH, config, submission

HUB = world()
FILE = f"model-output/{MODEL}/{ROUND}-{MODEL}.csv"


def below_zero(rows: int) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """So many first rows below zero."""
    return lambda table: table.assign(value=table["value"].mask(table.index < rows, -1))


@pytest.mark.slow
def test_mutated_submissions_are_judged_right() -> None:
    wrong_way, tried = run(200, seed=7)
    assert wrong_way == []
    assert len(tried) > 30


def test_fault_names_file_row_column_and_rule() -> None:
    table = sound(np.random.default_rng(0))
    content = table.assign(value=table["value"].mask(table.index == 4, -1)).to_csv(index=False).encode()
    _none, (fault, *_others) = read_submission(HUB, FILE, content)
    assert (fault.file, fault.row, fault.column) == (FILE, 6, "value")
    assert "below 0" in str(fault)


def test_semicolons_and_texts_are_named() -> None:
    table = sound(np.random.default_rng(0))
    (parted,) = read_submission(HUB, FILE, table.to_csv(index=False, sep=";", decimal=",").encode())[1]
    assert str(parted) == f"{FILE}, row 1: the columns are parted by semicolons: a submission's are parted by commas"
    faults = read_submission(HUB, FILE, table.assign(value="many").to_csv(index=False).encode())[1]
    assert faults[0].row == 2
    assert str(faults[-1]).endswith(f"{len(table) - 5} further faults of this kind")


def test_foreign_hub_is_read_and_validated() -> None:
    hub, faults = read_config(config())
    assert faults == []
    assert hub is not None
    taken, none = read_submission(hub, PATH, submission())
    assert none == []
    assert taken is not None
    assert taken.model_id == "PSI-DICE"
    lines = submission().split(b"\n")
    _none, wrong = read_submission(hub, PATH, b"\n".join(lines[:3] + lines[4:]))
    assert "lacks the quantile levels 0.5" in str(wrong[0])


@pytest.mark.parametrize("version", ["v4.0.0", "v5.1.0", "v6.0.0"])
def test_hubs_of_three_versions_of_format_are_read(version: str) -> None:
    hub, faults = read_config(config(version))
    assert hub is not None, faults
    assert hub.rounds[0].window("2023-01-14") == (dt.date(2023, 1, 8), dt.date(2023, 1, 11))


def probabilities(kind: str, ids: Sequence[object], values: Sequence[float]) -> list[SourceError]:
    """Check a submission of one task with these probabilities."""
    files = config()
    tasks = json.loads(files["hub-config/tasks.json"])
    output = {"output_type_id": {"required": list(ids)}, "is_required": True, "value": {"type": "double"}}
    tasks["rounds"][0]["model_tasks"][0]["output_type"] = {kind: output}
    hub, faults = read_config(files | {"hub-config/tasks.json": json.dumps(tasks).encode()})
    assert hub is not None, faults
    lines = ["location,reference_date,horizon,target_end_date,target,output_type,output_type_id,value"]
    task = "US,2023-01-14,0,2023-01-14,wk inc flu hosp"
    lines += [f"{task},{kind},{one},{value}" for one, value in zip(ids, values, strict=False)]
    return read_submission(hub, PATH, "\n".join(lines).encode())[1]


@pytest.mark.parametrize(
    ("kind", "ids", "values", "fault"),
    [
        ("pmf", ["low", "high"], [0.25, 0.75], None),
        ("pmf", ["low", "high"], [0.9, 0.9], (2, "value", "the task's pmf sums to 1.8, not to 1")),
        ("pmf", ["low", "high"], [-0.5, 1.5], (2, "value", "is below 0")),
        ("pmf", ["low", "high"], [1.0], (2, "output_type_id", "the task lacks the ids of its pmf high")),
        ("cdf", [1, 2.5, 10], [0, 0.5, 1], None),
        ("cdf", [1, 2.5, 10], [0.2, 0.1, 1], (3, "value", "is smaller than the value at the next lower id")),
        ("cdf", [1, 2.5, 10], [0.2, 0.3], (2, "output_type_id", "the task lacks the ids of its cdf 10")),
    ],
)
def test_broken_rule_of_probabilities_is_named(
    kind: str, ids: list[object], values: list[float], fault: tuple[int, str, str] | None
) -> None:
    faults = probabilities(kind, ids, values)
    assert [(one.row, one.column, str(one.rule)) for one in faults[:1]] == ([] if fault is None else [fault])


def test_wrong_target_end_date_is_named_once_per_date() -> None:
    hub, _faults = read_config(config())
    assert hub is not None
    rows = submission().decode().replace("US,2023-01-14,1,2023-01-21", "US,2023-01-14,1,2023-01-14")
    _none, faults = read_submission(hub, PATH, rows.encode())
    wrong = sum("US,2023-01-14,1,2023-01-14" in row for row in rows.split("\n"))
    rule = f"'2023-01-14' does not lie 1 week after 2023-01-14, from which most rows count ({wrong} rows)"
    assert [(one.column, str(one.rule)) for one in faults] == [("target_end_date", rule)]


def test_round_without_tasks_is_refused_once() -> None:
    tasks = json.loads(config()["hub-config/tasks.json"])
    tasks["rounds"][0]["additional_metadata"] = {"target_end_date": "origin_date plus horizon"}
    hub, _faults = read_config(config() | {"hub-config/tasks.json": json.dumps(tasks).encode()})
    assert hub is not None
    _none, faults = read_submission(hub, PATH, submission())  # 14 January 2023 is a Saturday
    assert [(fault.row, fault.column, str(fault.rule)) for fault in faults] == [
        (2, "reference_date", "the round does not end a week, as these tasks need"),
    ]  # fmt: skip


def test_required_tasks_that_are_missing_are_named() -> None:
    hub, _faults = read_config(config(required_horizons=[0, 1]))
    assert hub is not None
    _none, faults = read_submission(hub, PATH, submission(horizons=[0]))
    assert "required task horizon 1" in str(faults[0])


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("tasks", b"{", "is not JSON"),
        ("tasks", b"{}", "required"),
        ("admin", b'{"schema_version": "x"}', "required"),
        (None, b"", "is missing"),
    ],
)
def test_broken_configuration_is_named(name: str | None, content: bytes, rule: str) -> None:
    files = config()
    if name is None:
        del files["hub-config/tasks.json"]
    else:
        files[f"hub-config/{name}.json"] = content
    hub, faults = read_config(files)
    assert hub is None
    assert rule in " ".join(map(str, faults))


ABOUT = b"""
team_name: A team
team_abbr: team
model_name: A model
model_abbr: model
model_contributors: [{name: A, affiliation: B}]
license: CC-BY-4.0
designated_model: true
data_inputs: none
methods: a method
methods_long: a method
ensemble_of_models: false
ensemble_of_hub_models: false
"""


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (ABOUT, ""), (ABOUT.replace(b"team_abbr: team", b"team_abbr: other"), "file's name is not other-model.yml"),
        (ABOUT.replace(b"CC-BY-4.0", b"none"), "is not one of"), (ABOUT + b"extra: 1\n", "Additional properties"),
        (ABOUT.replace(b"methods: a method", b"methods: " + b"x" * 201), "too long"),
        (b"a: &a [x]\nb: *a\n", "references"), (b"!!python/object/apply:os.system ['true']", "is not YAML"),
        (b"[1, 2]", "no list of names and values"), (b"\xff\xfe", "is not YAML"),
    ],
)  # fmt: skip
def test_metadata_are_held_against_schema_and_never_run(content: bytes, rule: str) -> None:
    about, faults = read_metadata(HUB, "model-metadata/team-model.yml", content)
    assert (about is not None) == (rule == "")
    assert rule in " ".join(map(str, faults))


def test_small_file_that_unpacks_to_huge_table_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.submission.MOST_ROWS", 100)
    _none, faults = read_submission(HUB, FILE, sound(np.random.default_rng(0)).to_csv(index=False).encode())
    assert "more than the 100 rows" in str(faults[0])


def test_files_of_new_hub_hold_no_place_left_open() -> None:
    files = config_files(["arrivals.CMR._T._T.M", "arrivals.CHA._T._T.W"], dt.date(2025, 1, 31), "A hub")
    assert METADATA_SCHEMA in files
    assert not [path for path, content in files.items() if b"@NAME@" in content or b"@ROUND@" in content]
    hub, faults = read_config({path: content for path, content in files.items() if path.startswith("hub-config/")})
    assert hub is not None, faults
    weeks = hub.round_of("2025-01-26")
    assert weeks is not None
    assert weeks.window("2025-01-26") == (dt.date(2025, 1, 27), dt.date(2025, 2, 1))


@pytest.mark.parametrize("name", [*RIGHT, *WRONG])
def test_each_kind_of_change_is_judged_as_it_should_be(name: str) -> None:
    assert misjudged(HUB, name, np.random.default_rng(11)) == ""


def faults_of(change: Callable[[pd.DataFrame], pd.DataFrame]) -> list[tuple[int | str | None, str | None, str]]:
    """Row, column and rule of what a changed submission breaks; a task's 23 levels, median and 100 paths are rows."""
    content = change(sound(np.random.default_rng(0))).to_csv(index=False).encode()
    taken, faults = read_submission(HUB, FILE, content)
    assert (taken is None) is bool(faults)
    return [(one.row, one.column, str(one.rule)) for one in faults]


def without(*rows: int) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """The table without some rows."""
    return lambda table: table.drop(list(rows))


def test_samples_have_right_count_and_span() -> None:
    samples = list(range(24, 124))
    for fewer in (1, 60):
        found = faults_of(without(*samples[:fewer]))
        assert found == [(26, "output_type_id", "the task has not 100 to 1000 samples")]
    one_more = faults_of(lambda table: pd.concat([table, table.iloc[[24]].assign(output_type_id="4711")]))
    assert [rule for _row, _column, rule in one_more] == ["the sample lacks tasks that it spans"]


def test_missing_and_strange_column_are_named_in_row_of_names() -> None:
    found = faults_of(lambda table: table.rename(columns={"horizon": "steps"}))
    strange = "the column is not one of this hub's"
    assert found == [(1, "horizon", "the column is missing"), (1, "steps", strange)]
    assert faults_of(lambda table: table.iloc[:0]) == [(None, None, "holds no rows")]
    rule = "'99' is not one of this hub's values"
    assert [one for one in faults_of(lambda table: table.assign(horizon=99)) if rule in one] == [(2, "horizon", rule)]


@pytest.mark.parametrize(("start", "end", "is_fault"), [(-6, -6, False), (-6, -7, True), (0, -1, True), (-1, 0, False)])
def test_deadline_must_not_end_before_start(start: int, end: int, *, is_fault: bool) -> None:
    def found(due: str) -> list[str]:
        tasks = config()["hub-config/tasks.json"].decode()
        relative = '"submissions_due": {"relative_to": "reference_date", "start": -6, "end": -3}'
        assert relative in tasks
        changed = tasks.replace(relative, f'"submissions_due": {due}').encode()
        return [str(fault.rule) for fault in read_config(config() | {"hub-config/tasks.json": changed})[1]]

    rule = ["the deadline's end lies before its start"] if is_fault else []
    days = [dt.date(2023, 1, 14) + dt.timedelta(days=one) for one in (start, end)]
    assert found(f'{{"relative_to": "reference_date", "start": {start}, "end": {end}}}') == rule
    assert found(f'{{"start": "{days[0]}", "end": "{days[1]}"}}') == rule


def test_largest_allowed_file_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    table = sound(np.random.default_rng(0))
    content = table.to_csv(index=False).encode()
    for name, most in (("LARGEST_FILE", len(content)), ("MOST_ROWS", len(table))):
        with monkeypatch.context() as limits:
            limits.setattr(f"hub.submission.{name}", most)
            assert read_submission(HUB, FILE, content)[1] == []
            limits.setattr(f"hub.submission.{name}", most - 1)
            assert len(read_submission(HUB, FILE, content)[1]) == 1


def test_five_rows_are_named_per_rule() -> None:
    for number in (4, 5, 6, 8):
        found = faults_of(below_zero(number))
        named = [row for row, column, rule in found if rule == "is below 0" and column == "value"]
        assert named == list(range(2, 2 + min(number, 5)))
        further = [rule for _row, _column, rule in found if "further rows" in rule]
        assert further == ([f"is below 0: {number - 5} further rows"] if number > 5 else [])


def test_missing_tasks_follow_file_order() -> None:
    hub, _faults = read_config(config(required_horizons=[0, 1]))
    assert hub is not None
    found = [str(fault.rule) for fault in read_submission(hub, PATH, submission(horizons=[0]))[1]]
    assert [rule.partition("location ")[2].split()[0] for rule in found] == ["US", "01"]
    assert all("horizon 1" in rule and "wk inc flu hosp" in rule for rule in found)
    assert read_submission(hub, PATH, submission(horizons=[0, 1]))[1] == []
