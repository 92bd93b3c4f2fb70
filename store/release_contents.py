"""What a release holds: frames with their contracts, documents, and what its manifest says about the night."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from core.errors import SchemaError, StoreError
from core.release import RELEASE, REQUIRED
from core.release_docs import DATA_PACKAGE, data_package
from core.schema import check
from store.chain import MANIFEST
from store.files import parquet_bytes, sha256_of_bytes


@dataclass(frozen=True)
class About:
    """What a manifest says about the night that made a release.

    Attributes:
        as_of: The day whose knowledge the release rests on.
        code_version: Version of the program.
        settings: Settings of the night, without secrets.
        inputs: Hash of each input, by name.
        degraded: Sources that could not be used, each with the reason.
        replay: True where a past night was replayed.
    """

    as_of: dt.date
    code_version: str
    settings: Mapping[str, Any]
    inputs: Mapping[str, str]
    degraded: Sequence[Mapping[str, str]] = ()
    replay: bool = False


def in_manifest(about: About) -> dict[str, Any]:
    """What the manifest says about the night."""
    return {
        "as_of": about.as_of.isoformat(),
        "replay": about.replay,
        "code_version": about.code_version,
        "settings": dict(about.settings),
        "inputs": dict(about.inputs),
        "degraded": [dict(source) for source in about.degraded],
    }


def contents_of(frames: Mapping[str, pd.DataFrame], documents: Mapping[str, str], as_of: dt.date) -> dict[str, bytes]:
    """Every file of a release as bytes, by path; contracts and names are checked first.

    Args:
        frames: Tables by name, as :mod:`core.release` declares them; those of ``REQUIRED`` must be there.
        documents: Texts by path inside the release.
        as_of: The day whose knowledge the release rests on.

    Raises:
        SchemaError: A table breaks its contract, or has a column that is not declared.
        StoreError: A table is missing or not declared, or a name is not usable.
    """
    missing = [name for name in REQUIRED if name not in frames]
    if missing:
        raise StoreError(f"a release needs the tables {list(REQUIRED)}; missing: {missing}")
    unusable = [name for name in frames if name not in RELEASE]
    unusable += [name for name in documents if not _is_document_name(name)]
    if unusable:
        raise StoreError(f"names not usable inside a release: {unusable}")
    for name, frame in frames.items():
        undeclared = [column for column in check(frame, RELEASE[name]).columns if column not in RELEASE[name].columns]
        if undeclared:
            raise SchemaError(f"{name}: columns {undeclared} are not declared in core/release.py")
    contents = {f"{name}.parquet": parquet_bytes(frame) for name, frame in frames.items()}
    contents |= {name: text.encode() for name, text in documents.items()}
    described = data_package(files_of(contents, frames), as_of.isoformat())
    return contents | {DATA_PACKAGE: json_bytes(described)}


def files_of(contents: Mapping[str, bytes], frames: Mapping[str, pd.DataFrame]) -> dict[str, dict[str, Any]]:
    """Hash, size and, for tables, rows of every file by its path, sorted."""
    rows = {f"{name}.parquet": len(frame) for name, frame in frames.items()}
    return {
        name: {"sha256": sha256_of_bytes(content), "bytes": len(content), "rows": rows.get(name)}
        for name, content in sorted(contents.items())
    }


def _is_document_name(name: str) -> bool:
    path = PurePosixPath(name)
    plain = all(part not in {"", ".", ".."} and not part.startswith(".") for part in name.split("/"))
    return plain and path.suffix in {".md", ".json", ".txt", ".csv"} and name not in {MANIFEST, DATA_PACKAGE}


def json_bytes(value: Mapping[str, Any]) -> bytes:
    """A document as releases write it, the same bytes for the same content."""
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
