"""The contract of a release, as ``data/release.toml`` declares it: every table once, with its columns and units.

:mod:`store` writes and reads releases through it. Each release's ``release.md`` and its descriptor as a Frictionless
Data Package are made from it. A word has one meaning: columns of the same name are declared once, in ``[words]``.

A table's fields: ``about`` (what a row says), ``columns`` (of the frame that its writer makes), ``more`` (columns that
the night adds), ``key`` (columns whose values together occur once), ``written_by`` (module), ``read_by`` (packages),
``required`` (whether every release holds it), ``like`` (the table whose columns and key hold here too) and ``own``
(columns of another meaning or bound than elsewhere).

Here too: the version that manifests name, what the figures are for, and what of an own source may enter a release.
Published figures are republished as published: hiding them would not protect anyone. Counts by citizenship of
own sources are rounded to the nearest 5 before they enter a release, so that no small count of them leaves a home
(Hundepool et al., *Statistical Disclosure Control*, 2012, chapter 5). So are figures in sentences about their editions,
and their rows that were set aside leave without their text. Models see exact figures.
"""

from __future__ import annotations

import os
import subprocess
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from core.errors import Message
from core.languages import marked as _
from core.schema import ALL, DAY, NOT_APPLICABLE, NUMBER, TEXT, WHOLE, YES_NO, Column, Table
from core.settings import PROJECT

CONTRACT_VERSION = 1
"""Version of this contract; it grows when a table or column is renamed, removed or changes its meaning."""
PARTS_OF_ONE = ("share", "probability")
"""Units of what lies between 0 and 1."""
CATALOGUE = "sources.json"
"""Document of a release with the card of every source."""
DATA_PACKAGE = "datapackage.json"
_FRICTIONLESS = {TEXT: "string", NUMBER: "number", WHOLE: "integer", DAY: "datetime", YES_NO: "boolean"}
"""Types of Frictionless Table Schema by dtype."""
_MEDIA_TYPES = {".md": "text/markdown", ".json": "application/json", ".txt": "text/plain", ".csv": "text/csv"}
_TYPES = {"text": TEXT, "number": NUMBER, "whole": WHOLE, "day": DAY, "yes_no": YES_NO}


def _column(declared: dict[str, Any]) -> Column:
    """Return a column as ``words`` or ``own`` declares it."""
    facts: dict[str, Any] = {"least": 0, "most": 1} if declared.get("unit") in PARTS_OF_ONE else {}
    facts |= {name: value for name, value in declared.items() if name not in ("type", "one_of")}
    return Column(_TYPES[declared["type"]], one_of=tuple(declared.get("one_of", ())), **facts)


def _table(name: str, declared: dict[str, Any]) -> Table:
    """Return a table as ``tables`` declares it; the one that it is like stands before it."""
    own = {column: _column(one) for column, one in declared.get("own", {}).items()}
    like = RELEASE.get(declared.get("like", ""))
    columns = {**WORDS, **(like.columns if like else {}), **own}
    named = f"{declared['columns']} {declared.get('more', '')}".split()
    key = tuple(declared["key"].split()) if "key" in declared else like.key if like else ()
    return Table(
        name, declared["about"], {column: columns[column] for column in named}, key, declared["written_by"],
        tuple(declared.get("read_by", "").split()), required=declared.get("required", False),
    )  # fmt: skip


_DECLARED = tomllib.loads((Path(__file__).parent.parent / "data" / "release.toml").read_text("utf-8"))
WORDS: dict[str, Column] = {name: _column(one) for name, one in _DECLARED["words"].items()}
"""Columns by name. A table may give a column of its own another meaning or bound."""
RELEASE: dict[str, Table] = {}
for _name, _one in _DECLARED["tables"].items():
    RELEASE[_name] = _table(_name, _one)
TABLES: tuple[Table, ...] = tuple(RELEASE.values())
"""Every table of a release."""
REQUIRED: tuple[str, ...] = tuple(table.name for table in TABLES if table.required)
"""Tables that every release holds."""


def _made(name: str) -> Table:
    """Return a table of the release without the columns that the night adds."""
    names = _DECLARED["tables"][name]["columns"].split()
    return replace(RELEASE[name], columns={column: RELEASE[name].columns[column] for column in names})


PANEL = Table(
    "panel", "Input of the forecast engine: one frequency, any series; further columns are groupings.",
    {
        "series_id": WORDS["series_id"], "time_period": WORDS["time_period"],
        "value": replace(WORDS["value"], about="observed value", nullable=True),
    },
    ("series_id", "time_period"),
)  # fmt: skip
"""Not of a release: what crosses from the night into the engine."""
FORECASTS, ALERTS, DRIVER_TESTS = _made("forecasts"), _made("alerts"), _made("driver_tests")
ALERT_RELIABILITY = RELEASE["alert_reliability"]
ATTRIBUTION = RELEASE["attribution"]
EDITIONS = RELEASE["editions"]
FRESHNESS = RELEASE["freshness"]
HUB_EDITIONS = RELEASE["hub_editions"]
HUB_FORECASTS = RELEASE["hub_forecasts"]
HUB_MODELS = RELEASE["hub_models"]
HUB_SCORES = RELEASE["hub_scores"]
NOWCASTS = RELEASE["nowcasts"]
OBSERVATIONS = RELEASE["observations"]
REJECTED = RELEASE["rejected"]
REVISIONS = RELEASE["revisions"]
SITUATION_SCORES = RELEASE["situation_scores"]
TRACK_RECORD = RELEASE["track_record"]
TRAJECTORIES = RELEASE["trajectories"]
WEEKS = RELEASE["weeks"]
WEEK_SCORES = RELEASE["week_scores"]
YEAR_AHEAD = RELEASE["year_ahead"]


def contract_page() -> str:
    """The page that describes a release, in Markdown."""
    overview = ["| table | what a row says | made in | read by |", "|---|---|---|---|"]
    overview += [
        f"| [`{table.name}`](#{table.name}){'*' if table.required else ''} | {table.about} | `{table.written_by}` "
        f"| {', '.join(table.read_by) or 'outside readers'} |"
        for table in TABLES
    ]
    head = _DECLARED["page"].replace("@VERSION@", str(CONTRACT_VERSION))
    return "\n\n".join([head, "\n".join(overview), *(_section(table) for table in TABLES)]) + "\n"


def _section(table: Table) -> str:
    rows = ["| column | type | unit | meaning |", "|---|---|---|---|"]
    rows += [
        f"| `{name}` | {_FRICTIONLESS[column.dtype]} | {column.unit} | {_meaning(column)} |"
        for name, column in table.columns.items()
    ]
    facts = [table.about]
    if table.key:
        facts.append(f"One row per {', '.join(f'`{name}`' for name in table.key)}.")
    return f"## {table.name}\n\n{' '.join(facts)}\n\n" + "\n".join(rows)


def _meaning(column: Column) -> str:
    values = f": {', '.join(f'`{value}`' for value in column.one_of)}" if column.one_of else ""
    return f"{column.about}{values}{'; may be missing' if column.nullable else ''}"


def data_package(
    files: Mapping[str, Mapping[str, Any]], columns: Mapping[str, Sequence[str]], as_of: str
) -> dict[str, Any]:
    """Describe a release as a Data Package.

    Args:
        files: ``sha256``, ``bytes`` and, for tables, ``rows`` of each file by its path inside the release.
        columns: Names of each table's columns in their order in its file.
        as_of: The day whose knowledge it rests on.

    Returns:
        The descriptor (https://specs.frictionlessdata.io/data-package/).
    """
    return {
        "profile": "data-package",
        "name": "vigie-release",
        "title": f"Vigie: forecasts of migration flows as known on {as_of}",
        "description": "One night of Vigie: forecasts, their scores and alerts, and the figures that they rest on.",
        "version": as_of,
        "resources": [_resource(path, facts, columns) for path, facts in files.items()],
    }


def _resource(path: str, facts: Mapping[str, Any], columns: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    name = path.lower().replace("/", "-").rsplit(".", 1)[0]
    found: dict[str, Any] = {"name": name, "path": path, "bytes": facts["bytes"], "hash": f"sha256:{facts['sha256']}"}
    kind = PurePosixPath(path)
    if kind.suffix != ".parquet":
        return found | {"profile": "data-resource", "format": kind.suffix[1:], "mediatype": _MEDIA_TYPES[kind.suffix]}
    table = RELEASE[kind.stem]
    schema: dict[str, Any] = {"fields": [_field(name, table.columns[name]) for name in columns[table.name]]}
    if table.key:
        schema["primaryKey"] = list(table.key)
    return found | {
        "profile": "tabular-data-resource",
        "format": "parquet",
        "mediatype": "application/vnd.apache.parquet",
        "description": table.about,
        "rows": facts["rows"],
        "schema": schema,
    }


def _field(name: str, column: Column) -> dict[str, Any]:
    field: dict[str, Any] = {"name": name, "type": _FRICTIONLESS[column.dtype], "description": column.about}
    if column.unit:
        field["unit"] = column.unit
    limits = {"minimum": column.least, "maximum": column.most, "enum": list(column.one_of) or None}
    constraints = {key: value for key, value in limits.items() if value is not None}
    if not (column.nullable or column.dtype == TEXT):
        constraints["required"] = True
    return field | ({"constraints": constraints} if constraints else {})


_DIGITS = 12


@lru_cache(maxsize=1)
def code_version() -> str:
    """Such as ``1.0.0+g1a2b3c4d5e6f.r0f9e8d7c6b5a``: version, commit, and the digest of the pinned requirements.

    The commit comes from ``VIGIE_COMMIT``, which images set, else from git; ``.changed`` stands where files of the
    working copy differ from it. Without either it is left out.
    """
    requirements = PROJECT / "requirements.txt"
    build = f"r{sha256(requirements.read_bytes()).hexdigest()[:_DIGITS]}" if requirements.is_file() else ""
    commit = os.environ.get("VIGIE_COMMIT", "")[:_DIGITS] or _git("rev-parse", f"--short={_DIGITS}", "HEAD")
    is_changed = bool(commit) and bool(_git("status", "--porcelain", "--untracked-files=no"))
    parts = [f"g{commit}" if commit else "", "changed" if is_changed else "", build]
    return "+".join(filter(None, (version("vigie"), ".".join(filter(None, parts)))))


def _git(*words: str) -> str:
    """What git says about the program's own folder; nothing where it is no working copy, or there is no git."""
    if not (PROJECT / ".git").exists():
        return ""
    # The service's user does not own the working copy, and git refuses those of others; what runs from it trusts it.
    line = ["git", "-c", "safe.directory=*", "-C", str(PROJECT), *words]
    try:
        done = subprocess.run(line, check=False, capture_output=True, text=True, timeout=10)  # noqa: S603  # fixed words
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


INTENDED_USE = _("Made for planning reception, health care and protection capacity.")
PROHIBITED_USES = (
    _("turning people back, or placing forces where people are expected in order to do so"),
    _("profiling, or any decision about a person"),
    _("presenting a forecast as certain, or arrivals as a danger"),
)
NOT_A_FACT = _("A forecast is a range, not a fact: one month in five is expected outside the 80% interval.")
PURPOSE = f"{INTENDED_USE} Not to be used for: {'; '.join(PROHIBITED_USES)}."
"""Both in one line, in English."""


OWN_SOURCE = "own_"
"""Begins the ``source_id`` of an analyst's own figures."""
ROUNDED_TO = 5
_COUNTS = ("obs_value", "before", "after")


def rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """Round counts by citizenship of own sources.

    Args:
        frame: Rows with ``source_id``, ``citizen`` and counts in persons: ``obs_value``, or ``before`` and ``after``
            with their difference ``change`` and ``share`` (``change`` relative to ``before``).

    Returns:
        A copy; all other rows are as they were.
    """
    own = frame["source_id"].str.startswith(OWN_SOURCE) & ~frame["citizen"].isin([ALL, NOT_APPLICABLE])
    out = frame.copy()
    for name in (one for one in _COUNTS if one in out.columns):
        out.loc[own, name] = (out.loc[own, name] / ROUNDED_TO).round() * ROUNDED_TO
    if "change" in out.columns:
        before = out.loc[own, "before"]
        out.loc[own, "change"] = out.loc[own, "after"].fillna(0) - before.fillna(0)
        out.loc[own, "share"] = out.loc[own, "change"] / before.where(before > 0)
    return out


def rounded_message(source_id: str, sentence: Message) -> Message:
    """Round the figures in a sentence about an edition of an own source; another sentence is returned as it is.

    Args:
        source_id: The source.
        sentence: The sentence; its figures are the parameters that are ``float``, but for a ratio in ``times``.
    """
    if not source_id.startswith(OWN_SOURCE):
        return sentence
    figures = {
        name: value for name, value in sentence.parameters.items() if isinstance(value, float) and name != "times"
    }
    shown = {name: float(round(value / ROUNDED_TO) * ROUNDED_TO) for name, value in figures.items()}
    return replace(sentence, parameters={**sentence.parameters, **shown})


def without_own_rows(rejected: pd.DataFrame) -> pd.DataFrame:
    """Return rows that a parser set aside, those of own sources without their text (``record``)."""
    own = rejected["source_id"].str.startswith(OWN_SOURCE)
    return rejected.assign(record=rejected["record"].mask(own, ""))
