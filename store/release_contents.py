"""What a release holds: frames with their contracts, documents, and what its manifest says about the night."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import pandas as pd
import pandera.pandas as pa

from core.errors import StoreError
from core.schema import (
    ALERTS,
    FORECASTS,
    FRESHNESS,
    OBSERVATIONS,
    SCORES,
    TRACK_RECORD,
    TRAJECTORIES,
    check,
)
from store.chain import MANIFEST
from store.files import parquet_bytes

CONTRACTS: dict[str, pa.DataFrameSchema] = {
    "forecasts": FORECASTS,
    "trajectories": TRAJECTORIES,
    "scores": SCORES,
    "alerts": ALERTS,
    "track_record": TRACK_RECORD,
    "observations": OBSERVATIONS,
    "freshness": FRESHNESS,
}
"""Frames that every release holds, each with its contract. A release may hold others."""
_FRAME_NAME = re.compile(r"[a-z][a-z0-9_]*")


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


def contents_of(frames: Mapping[str, pd.DataFrame], documents: Mapping[str, str]) -> dict[str, bytes]:
    """Every file of a release as bytes, by path; contracts and names are checked first.

    Args:
        frames: Frames by name; those of :data:`CONTRACTS` are required.
        documents: Texts by path inside the release.

    Raises:
        SchemaError: A frame breaks its contract.
        StoreError: A frame is missing, or a name is not usable.
    """
    missing = [name for name in CONTRACTS if name not in frames]
    if missing:
        raise StoreError(f"a release needs the frames {list(CONTRACTS)}; missing: {missing}")
    for name, contract in CONTRACTS.items():
        check(frames[name], contract)
    unusable = [name for name in frames if not _FRAME_NAME.fullmatch(name)]
    unusable += [name for name in documents if not _is_document_name(name)]
    if unusable:
        raise StoreError(f"names not usable inside a release: {unusable}")
    contents = {f"{name}.parquet": parquet_bytes(frame) for name, frame in frames.items()}
    return contents | {name: text.encode() for name, text in documents.items()}


def _is_document_name(name: str) -> bool:
    path = PurePosixPath(name)
    plain = all(part not in {"", ".", ".."} and not part.startswith(".") for part in name.split("/"))
    return plain and path.suffix in {".md", ".json", ".txt", ".csv"} and name != MANIFEST


def json_bytes(value: Mapping[str, Any]) -> bytes:
    """A document as releases write it, the same bytes for the same content."""
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
