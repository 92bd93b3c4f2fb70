"""The proof that a forecast stood before the fact: its hash in a release, and the chain from there to the head."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError, StoreError
from store.chain import HEAD, MANIFEST, read_head
from store.files import sha256_of_file
from store.hub import SubmissionStore
from store.releases import Release, ReleaseStore

EDITIONS, FORECASTS = "hub_editions", "forecasts"


@dataclass(frozen=True)
class Link:
    """One release of the chain.

    Attributes:
        run_id: The release.
        created_at: When it was published, UTC.
        manifest: Hash of its manifest.
    """

    run_id: str
    created_at: str
    manifest: str


@dataclass(frozen=True)
class Proof:
    """Where a forecast first stood.

    Attributes:
        what: The forecast: an edition with its hash, or Vigie's own.
        table: File of the release that holds it, or its hash.
        sha256: Hash of that file, as the release's manifest says it.
        links: From that release to the newest, each named in the next one's manifest.
    """

    what: str
    table: str
    sha256: str
    links: list[Link]

    def lines(self) -> list[str]:
        """For an outsider, who can take every hash again with ``sha256sum``."""
        first = self.links[0]
        rows = [
            self.what,
            f"  first in release {first.run_id}, published {first.created_at}",
            f"  {first.run_id}/{self.table}  sha256 {self.sha256}, as {first.run_id}/{MANIFEST} says",
        ]
        rows += [f"  {one.run_id}/{MANIFEST}  sha256 {one.manifest}" for one in self.links]
        return [*rows, f"  {HEAD} names the last of them. Each manifest names the one before it under 'previous'."]


def prove(home: Path, model_id: str, round_id: str) -> list[Proof]:
    """Where each edition of a model's forecast for a round first stood, or Vigie's own forecast.

    Args:
        home: The home folder.
        model_id: As the hub or a release names it.
        round_id: The origin's day.

    Raises:
        InputError: No release holds such a forecast.
        StoreError: A file was altered: then there is no proof.
    """
    releases = ReleaseStore(home).all()
    found: list[Proof] = []
    editions = [one for one in SubmissionStore(home).all() if (one.model_id, one.round_id) == (model_id, round_id)]
    for edition in editions:
        SubmissionStore(home).content(edition)
        words = (
            f"{edition.file}  sha256 {edition.sha256}, received {edition.received}{', late' if edition.late else ''}"
        )
        for place, release in enumerate(releases):
            if EDITIONS in release.names and edition.sha256 in set(release.read(EDITIONS, ["sha256"])["sha256"]):
                found.append(_proof(home, words, f"{EDITIONS}.parquet", releases[place:]))
                break
    if not found:
        for place, release in enumerate(releases):
            rows = release.read(FORECASTS, ["model_id", "origin_date"])
            day = rows["origin_date"].dt.strftime("%Y-%m-%d")
            if (rows["model_id"].isin({model_id, model_id.replace("_", "-")}) & (day == round_id)).any():
                found.append(_proof(home, f"{model_id}, round {round_id}", f"{FORECASTS}.parquet", releases[place:]))
                break
    if not found:
        raise InputError(f"no release holds a forecast of '{model_id}' for the round '{round_id}'")
    return found


def _proof(home: Path, what: str, table: str, releases: list[Release]) -> Proof:
    recorded = str(releases[0].manifest["files"][table]["sha256"])
    if sha256_of_file(releases[0].path / table) != recorded:
        raise StoreError(f"{releases[0].run_id}/{table}: was altered: its hash is not the one in the manifest")
    links = [Link(one.run_id, str(one.manifest["created_at"]), sha256_of_file(one.path / MANIFEST)) for one in releases]
    head = read_head(home / "releases")
    if head is None or head["manifest_sha256"] != links[-1].manifest:
        raise StoreError(f"{HEAD}: does not name the newest release: run 'vigie verify'")
    return Proof(what, table, recorded, links)
