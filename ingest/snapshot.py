"""What is bundled under ``data/``: the snapshot, and registers kept by hand.

The snapshot holds redistributable figures, tabulated by each source's own parser, the same bytes each time. The
registers, known issues and documented events, are published with every release; their texts are English, translations
stand in the catalogues of ``data/locale/``.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import tomllib
from pathlib import Path
from typing import Literal, TypeVar

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field

from core.errors import InputError, StoreError
from core.release import DRIVER_TESTS, OBSERVATIONS, RELEASE
from core.routes import read_text, toml_of, validated
from core.schema import check

KNOWN_ISSUES, EVENTS, SAID = "known_issues.toml", "events.toml", "events_said.csv"
DRIVER_TABLE, DRIVER_PROVENANCE = "driver_tests.csv", "driver_tests.toml"
ASYLUM = "asylum"
PROVENANCE = tuple(name for name in RELEASE["driver_tests"].columns if name not in DRIVER_TESTS.columns)
"""What every row of the test of drivers says of the run that made it."""


class KnownIssue(BaseModel):
    """One entry of ``known_issues.toml``.

    Attributes:
        id: Name that is never used twice.
        what: What is wrong or limited, in a sentence for a reader.
        affects: ``source_id``, ``route_id``, ``model_id`` or page.
        since: Day on which it was found.
        status: ``open``, ``mitigated`` (its effect is bounded) or ``closed`` (mended).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    what: str = Field(min_length=20)
    affects: list[str] = Field(min_length=1)
    since: dt.date
    status: Literal["open", "mitigated", "closed"]


class EventCard(BaseModel):
    """One documented event, an entry of ``events.toml``.

    Attributes:
        event_id: Its identity.
        kind: ``rise`` of arrivals, ``agreement`` or ``law``.
        route_id: Route, or :data:`ASYLUM` for what concerns asylum applications in general.
        month: First month that the source speaks of.
        title: What it is called.
        what: The fact, from the source.
        source: Who reports it, and when.
        url: Where it can be read.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    event_id: str = Field(pattern=r"^[a-z]+(-[a-z]+)*-\d{4}$")
    kind: Literal["rise", "agreement", "law"] = "rise"
    route_id: str
    month: str = Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")
    title: str = Field(min_length=5)
    what: str = Field(min_length=20)
    source: str = Field(min_length=5)
    url: str = Field(pattern=r"^https://.+")


_Entry = TypeVar("_Entry", KnownIssue, EventCard)


def known_issues(folder: Path) -> list[KnownIssue]:
    """Read the register of known issues.

    Returns:
        Entries, the open ones first, each group in the file's order.

    Raises:
        InputError: The file is missing or not TOML, or an entry breaks a rule.
    """
    found = _entries(folder / KNOWN_ISSUES, "issue", KnownIssue)
    order = ("open", "mitigated", "closed")
    return sorted(found, key=lambda issue: order.index(issue.status))


def events(folder: Path) -> list[EventCard]:
    """Read the catalogue of documented rises, agreements and laws, each from a public source.

    Raises:
        InputError: The file is missing or not TOML, or an entry breaks a rule.
    """
    return _entries(folder / EVENTS, "event", EventCard)


def said_on_detections(folder: Path) -> pd.DataFrame:
    """Chances computed before on Frontex's detections, whose figures are not bundled: chances and months only.

    Returns:
        Columns of :data:`alerts.verification.hindcast.EVENT_COLUMNS`.
    """
    texts = dict.fromkeys(("event_id", "route_id", "month", "origin", "level", "basis"), str)
    return pd.read_csv(folder / SAID, dtype=texts).fillna({"level": ""})


def driver_tests(data_folder: Path) -> pd.DataFrame:
    """Read the yearly test of drivers, which is kept beside the snapshot with where it comes from.

    Returns:
        A frame that keeps ``DRIVER_TESTS``, plus ``PROVENANCE`` in every row.

    Raises:
        InputError: The table is not the one that its provenance describes.
        SchemaError: The table breaks its contract.
    """
    table, about = data_folder / DRIVER_TABLE, data_folder / DRIVER_PROVENANCE
    content = table.read_bytes()
    facts = tomllib.loads(about.read_text(encoding="utf-8"))
    if facts.get("sha256") != hashlib.sha256(content).hexdigest():
        raise InputError(
            f"{DRIVER_TABLE}: does not match {DRIVER_PROVENANCE}; run `python -m benchmarks.drivers` again"
        )
    rows = check(pd.read_csv(table, keep_default_na=False, na_values=[""]), DRIVER_TESTS)
    return rows.assign(**{name: str(facts.get(name, "")) for name in PROVENANCE})


def _entries(path: Path, name: str, kind: type[_Entry]) -> list[_Entry]:
    entries = toml_of(read_text(path, path.name), path.name).get(name, [])
    return [validated(kind, entry, f"{path.name}, {name} {place}") for place, entry in enumerate(entries, start=1)]


FOLDER = "snapshot"
MANIFEST = "manifest.json"
REJECTED_FILE = "rejected.csv"


def load(folder: Path) -> pd.DataFrame:
    """Read the bundled figures.

    Returns:
        ``core.release.OBSERVATIONS``, sorted by source, series, period and date of knowledge.

    Raises:
        StoreError: A file is missing, was altered or is not in the manifest; the text names the file.
    """
    listed, rejected_hash = _manifest(folder)
    for path in sorted((folder / FOLDER).glob("*.parquet")):
        if path.stem not in listed:
            raise StoreError(f"{FOLDER}/{path.name}: not in the manifest")
    _verified(folder, REJECTED_FILE, rejected_hash)
    frames = [
        _from_table(pq.read_table(pa.BufferReader(_verified(folder, f"{source_id}.parquet", sha256))))
        for source_id, sha256 in listed.items()
    ]
    return check(pd.concat(frames, ignore_index=True), OBSERVATIONS)


def fingerprint(folder: Path) -> str:
    """Hash of the manifest: two snapshots with the same fingerprint hold the same figures.

    Raises:
        StoreError: There is no manifest.
    """
    return hashlib.sha256(_read(folder / FOLDER / MANIFEST)).hexdigest()


def _from_table(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas(date_as_object=False)
    texts = [name for name in frame.columns if isinstance(frame[name].dtype, pd.CategoricalDtype)]
    return frame.astype(dict.fromkeys(texts, str) | {"as_of": "datetime64[ns]"})


def _manifest(folder: Path) -> tuple[dict[str, str], str]:
    """Hash of every source's file, and of the list of rejected rows."""
    try:
        manifest = json.loads(_read(folder / FOLDER / MANIFEST))
        return {name: str(entry["sha256"]) for name, entry in manifest["sources"].items()}, manifest["rejected_sha256"]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise StoreError(f"{FOLDER}/{MANIFEST}: not a snapshot's manifest") from None


def _verified(folder: Path, name: str, sha256: str) -> bytes:
    content = _read(folder / FOLDER / name)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise StoreError(f"{FOLDER}/{name}: altered since the snapshot was built (its hash is not the manifest's)")
    return content


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StoreError(f"{FOLDER}/{path.name}: cannot be read: {error.strerror}") from None
