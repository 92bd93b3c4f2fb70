"""Files of a forecast hub, wherever it lies; and what was collected, kept under ``home/hub`` as it was received.

An *edition* is one file of one model for one round as it came. It is never changed: a corrected file is a further
edition. Beside each lies a record of when it was received and whether that was in time. :func:`prove` shows that a
forecast stood before the fact: its hash in a release, and the chain from there to the newest one.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock

import pandas as pd

from core.errors import InputError, StoreError
from core.schema import Entry
from core.settings import load_settings
from store import Partitions, named_errors, sha256_of_bytes, sha256_of_file, write_bytes
from store.journal import Journal
from store.mirror import MissingError, RemoteFiles
from store.releases import HEAD, MANIFEST, Release, read_head
from store.status import whole_releases

LARGEST_FILE = 20 << 20
"""Bytes beyond which a file of a hub is not even read; what it holds is refused by its size."""


class HubFiles:
    """The files of a hub: a folder, a Git checkout, or any address of fsspec.

    Raises:
        InputError: There is no such folder.
        StoreError: The address is not usable.
    """

    def __init__(self, place: str) -> None:
        self.place, folder = place, Path(place).expanduser()
        if "://" not in place and not folder.is_dir():
            raise InputError(f"{place}: there is no such folder")
        self._files = RemoteFiles(place if "://" in place else f"file://{folder.resolve()}")

    def names(self, below: str) -> list[str]:
        """Paths of the files below a folder of the hub, sorted; links and what begins with a dot are left out."""
        found = self._files.everything(below)
        return [name for name in found if not any(part.startswith(".") for part in name.split("/"))]

    def read(self, name: str) -> bytes:
        """Content of a file, of a too large one no more than shows that it is.

        Raises:
            StoreError: It cannot be read.
        """
        return self._files.read(name, most=LARGEST_FILE + 1)

    def find(self, name: str) -> bytes | None:
        """Content of a file, or None where there is none."""
        try:
            return self.read(name)
        except MissingError:
            return None

    def missing(self, names: Collection[str]) -> list[str]:
        """Those of some paths at which no file lies; a link does not count."""
        folders = {name.partition("/")[0] for name in names}
        there = {name for folder in folders for name in self._files.everything(folder)}
        return [name for name in names if name not in there]

    def write(self, files: Mapping[str, bytes]) -> None:
        """Write files of a hub in a folder; each is there whole or not at all.

        Raises:
            InputError: The hub is not a folder of this machine.
            StoreError: The disk refuses.
        """
        if "://" in self.place:
            raise InputError(f"{self.place}: a hub is written in a folder; publish it from there")
        for name, content in files.items():
            self._files.write(name, content)


@dataclass(frozen=True)
class Edition:
    """One file as it was received.

    Attributes:
        model_id: Whose.
        round_id: Of which round.
        sha256: Hash of its bytes.
        file: Its name.
        received: Day on which it was received.
        late: Whether that was after the round had closed; it is never scored as if it had come in time.
        place: Where it came from.
        number: How many of the same model and round came before it.
    """

    model_id: str
    round_id: str
    sha256: str
    file: str
    received: dt.date
    late: bool
    place: str
    number: int = 0


class SubmissionStore:
    """What was collected, under ``home/hub``."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "hub"
        self._numbered = [Lock() for _ in range(64)]  # editions of one model and round are numbered one by one
        self._rows = Partitions(self.folder / "rows", ("sha256", "model_id", "series_id"), keyed_by=home)

    def keep_rows(self, rows: pd.DataFrame) -> None:
        """Keep the quantiles of editions with their ``sha256``, so that a night need not read every file again."""
        self._rows.append(rows)

    def rows(self) -> pd.DataFrame:
        """What :meth:`keep_rows` kept; an altered or unknown file is set aside, and its editions are read again."""
        self._rows.set_aside_damaged()
        return self._rows.read().drop_duplicates(ignore_index=True)

    def all(self) -> list[Edition]:
        """Every edition, by round and model, in the order of receipt.

        Raises:
            StoreError: A record cannot be read.
        """
        found = [self._read(path) for path in (self.folder / "editions").glob("*/*/*.json")]
        return sorted(found, key=lambda one: (one.round_id, one.model_id, one.number))

    def add(self, edition: Edition, content: bytes) -> bool:
        """Keep an edition; False where the same bytes are kept already.

        Raises:
            StoreError: The disk refuses.
        """
        path = self._path(edition)
        if path.with_suffix(".json").exists():
            return False
        # The record comes last: an edition without one was not taken in yet.
        write_bytes(path, content)
        record = asdict(edition) | {"received": edition.received.isoformat()}
        with self._numbered[hash(path.parent) % len(self._numbered)]:
            record["number"] = len(list(path.parent.glob("*.json")))
            write_bytes(path.with_suffix(".json"), json.dumps(record, indent=1, sort_keys=True).encode())
        return True

    def content(self, edition: Edition) -> bytes:
        """The bytes of an edition.

        Raises:
            StoreError: They were altered or cannot be read.
        """
        path = self._path(edition)
        with named_errors(path):
            content = path.read_bytes()
        if sha256_of_bytes(content) != edition.sha256:
            raise StoreError(f"{path}: was altered: its hash is not the recorded one")
        return content

    def put_metadata(self, model_id: str, content: bytes) -> None:
        """Keep what a team says of its model; what it said before is replaced, the model's forecasts are not."""
        path = self.folder / "models" / f"{model_id}.yml"
        if not path.exists() or path.read_bytes() != content:
            write_bytes(path, content)

    def metadata(self) -> Iterator[tuple[str, bytes]]:
        """What is kept of every model: its name and the YAML."""
        for path in sorted((self.folder / "models").glob("*.yml")):
            with named_errors(path):
                yield path.stem, path.read_bytes()

    def put_config(self, files: Mapping[str, bytes]) -> None:
        """Keep the configuration of the hub that was collected from: kept editions are read by it."""
        for name, content in files.items():
            write_bytes(self.folder / name, content)

    def config(self, names: Collection[str]) -> dict[str, bytes]:
        """Of some files of a configuration those that were kept, by path."""
        paths = {name: self.folder / name for name in names}
        return {name: path.read_bytes() for name, path in paths.items() if path.is_file()}

    def _path(self, edition: Edition) -> Path:
        # Two editions of the same name differ in their bytes.
        ending = edition.file.rsplit(".", 1)[-1]
        return self.folder / "editions" / edition.round_id / edition.model_id / f"{edition.sha256[:32]}.{ending}"

    def _read(self, path: Path) -> Edition:
        with named_errors(path):
            try:
                found = json.loads(path.read_bytes())
                return Edition(**found | {"received": dt.date.fromisoformat(found["received"])})
            except (ValueError, TypeError, KeyError) as error:
                raise StoreError(f"{path}: is no record of an edition: {error}") from None


COLLECTED = "submissions collected"
EDITIONS, FORECASTS = "hub_editions", "forecasts"


def record_receipts(journal: Journal, editions: Sequence[Edition]) -> None:
    """Record the day of receipt of collected submissions: a later change of their records is found by ``verify``."""
    if editions:
        receipts = {one.sha256: [one.received.isoformat(), one.late] for one in editions}
        journal.record(Entry("vigie", COLLECTED, "hub", payload={"receipts": receipts}))


def receipts(journal: Journal) -> dict[str, tuple[str, bool]]:
    """Return the day of receipt and lateness of collected submissions, by ``sha256``."""
    rows = journal.entries(action=COLLECTED)
    return {sha256: (day, late) for row in rows for sha256, (day, late) in row.payload["receipts"].items()}


def prove(home: Path, model_id: str, round_id: str) -> list[str]:
    """Show where each edition of a model's forecast for a round first stood, or Vigie's own forecast.

    Returns:
        Lines for an outsider, who can take every hash again with ``sha256sum``: the forecast, the file of the release
        that holds it or its hash, and the manifests from that release to the newest, each named in the next one.

    Raises:
        InputError: No release holds such a forecast.
        StoreError: A release is not as it was published: then there is no proof.
    """
    releases, altered = whole_releases(home, load_settings(home))
    if altered:
        raise StoreError(f"{altered[0]}; run 'vigie verify'")
    lines: list[str] = []
    for edition in SubmissionStore(home).all():
        if (edition.model_id, edition.round_id) == (model_id, round_id):
            SubmissionStore(home).content(edition)
            late = ", late" if edition.late else ""
            what = f"{edition.file}  sha256 {edition.sha256}, received {edition.received}{late}"
            holding = (one for one in releases if edition.sha256 in set(one.read(EDITIONS, ["sha256"])["sha256"]))
            lines += _proof(home, what, f"{EDITIONS}.parquet", releases, next(holding, None))
    if not lines:
        names, what = {model_id, model_id.replace("_", "-")}, f"{model_id}, round {round_id}"
        holding = (one for one in releases if round_id in _rounds(one, names))
        lines = _proof(home, what, f"{FORECASTS}.parquet", releases, next(holding, None))
    if not lines:
        raise InputError(f"no release holds a forecast of '{model_id}' for the round '{round_id}'")
    return lines


def _rounds(release: Release, model_ids: Collection[str]) -> set[str]:
    rows = release.read(FORECASTS, ["model_id", "origin_date"])
    return set(rows.loc[rows["model_id"].isin(model_ids), "origin_date"].dt.strftime("%Y-%m-%d"))


def _proof(home: Path, what: str, table: str, releases: Sequence[Release], first: Release | None) -> list[str]:
    """Prove that a release was the first to hold something; nothing without a release."""
    if first is None:
        return []
    hashes = {one.run_id: sha256_of_file(one.path / MANIFEST) for one in releases if one.run_id >= first.run_id}
    head, (newest, sha256) = read_head(home / "releases"), [*hashes.items()][-1]
    if head != {"run_id": newest, "manifest_sha256": sha256}:
        raise StoreError(f"{HEAD}: does not name the newest release: run 'vigie verify'")
    recorded = first.manifest["files"][table]["sha256"]
    return [
        what,
        f"  first in release {first.run_id}, published {first.manifest['created_at']}",
        f"  {first.run_id}/{table}  sha256 {recorded}, as {first.run_id}/{MANIFEST} says",
        *(f"  {run_id}/{MANIFEST}  sha256 {one}" for run_id, one in hashes.items()),
        f"  {HEAD} names the last of them. Each manifest names the one before it under 'previous'.",
    ]
