"""The contract of a release for readers: its ``release.md``, and the descriptor of a Frictionless Data Package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from core.release import CONTRACT_VERSION, RELEASE, TABLES
from core.schema import DAY, NUMBER, TEXT, WHOLE, YES_NO, Column, Table

DATA_PACKAGE = "datapackage.json"
_KINDS = {TEXT: "string", NUMBER: "number", WHOLE: "integer", DAY: "datetime", YES_NO: "boolean"}
"""Types of Frictionless Table Schema by dtype."""
_MEDIA_TYPES = {".md": "text/markdown", ".json": "application/json", ".txt": "text/plain", ".csv": "text/csv"}
_HEAD = """# A release, table by table

Every release holds this page, generated from `data/release.toml`, the one place where tables are declared. A
release is the folder `releases/<run_id>` of a home: one Parquet file per table, texts (`model_cards/`, `data_cards/`,
`evaluation_matrix.md`, `known_issues.md`; other languages in a folder of their own), `sources.json`, the night's
`run_report.json`, `manifest.json` with the hash of every file and of the former release's manifest, and
`datapackage.json`, by which it is a [Data Package](https://specs.frictionlessdata.io/data-package/).

The manifest holds `contract` (the version of this contract, @VERSION@), `run_id`, `created_at`, `as_of` (the day whose
knowledge the release rests on), `replay` (whether that day was past), `code_version`, `settings`, `inputs` (hash by
name), `degraded` (sources that could not be used, and why), `previous` (the former release and the hash of its
manifest) and `files`.

Tables marked * are in every release. Any other is read as empty from a release without it."""


def contract_page() -> str:
    """The page that describes a release, in Markdown."""
    overview = ["| table | what a row says | made in | read by |", "|---|---|---|---|"]
    overview += [
        f"| [`{table.name}`](#{table.name}){'*' if table.required else ''} | {table.about} | `{table.written_by}` "
        f"| {', '.join(table.read_by) or 'outside readers'} |"
        for table in TABLES
    ]
    head = _HEAD.replace("@VERSION@", str(CONTRACT_VERSION))
    return "\n\n".join([head, "\n".join(overview), *(_section(table) for table in TABLES)]) + "\n"


def _section(table: Table) -> str:
    rows = ["| column | type | unit | meaning |", "|---|---|---|---|"]
    rows += [
        f"| `{name}` | {_KINDS[column.dtype]} | {column.unit} | {_meaning(column)} |"
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
    field: dict[str, Any] = {"name": name, "type": _KINDS[column.dtype], "description": column.about}
    if column.unit:
        field["unit"] = column.unit
    limits = {"minimum": column.least, "maximum": column.most, "enum": list(column.one_of) or None}
    constraints = {key: value for key, value in limits.items() if value is not None}
    if not (column.nullable or column.dtype == TEXT):
        constraints["required"] = True
    return field | ({"constraints": constraints} if constraints else {})
