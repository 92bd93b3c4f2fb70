"""An analyst's own figures on their way into a home: read once by hand, then from the inbox every night."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd

from core.errors import InputError
from core.settings import Settings
from ingest.catalogue import SourceCard
from ingest.own import own_capacities, parse_own
from ingest.own_mapping import OwnMapping, read_mapping
from ingest.raw import read_raw
from nightly.ingested import Ingested
from store.files import write_bytes
from store.vintages import VintageStore

FOLDER = "own"


def ingest_own(home: Path, path: Path, mapping_path: Path) -> Ingested:
    """Read a file of own figures into the vintages, and keep its mapping for the nights to come.

    Raises:
        InputError: Mapping or file cannot be read, or is refused; nothing is stored then. Or the home keeps another
            kind of figures under the same source.
        StoreError: The home cannot be written.
    """
    mapping = read_mapping(mapping_path)
    kept = own_mappings(home).get(mapping.source.source_id)
    if kept is not None and (kept.table.what, kept.fixed.name) != (mapping.table.what, mapping.fixed.name):
        rule = f"{mapping.source.source_id} already holds {kept.table.what}: give other figures another source_id"
        raise InputError(f"{mapping_path.name}, source.source_id: {rule}")
    done = read_own(home, path, mapping)
    write_bytes(_folder(home) / f"{mapping.source.source_id}.toml", mapping_path.read_bytes())
    return done


def read_own(home: Path, path: Path, mapping: OwnMapping) -> Ingested:
    """Read a file of own figures into the vintages by a mapping that is kept.

    Raises:
        InputError: The file is refused or broken; nothing is stored then.
        StoreError: The home cannot be written.
    """
    raw = read_raw(path)
    parsed = parse_own(raw, mapping)
    vintages = VintageStore(home)
    new_rows = vintages.append(parsed.observations)
    vintages.append_rejected(parsed.rejected)
    source_id = mapping.source.source_id
    return Ingested(source_id, raw.name, raw.sha256, len(parsed.observations), new_rows, len(parsed.rejected))


def own_mappings(home: Path) -> dict[str, OwnMapping]:
    """The mappings that a home keeps, by source.

    Raises:
        InputError: One of them was changed and is broken.
    """
    found = [read_mapping(path) for path in sorted(_folder(home).glob("*.toml"))]
    return {mapping.source.source_id: mapping for mapping in found}


def own_cards(home: Path) -> dict[str, SourceCard]:
    """Cards of own sources, to stand beside the catalogue's."""
    return {source_id: mapping.card for source_id, mapping in own_mappings(home).items()}


def with_own_capacities(settings: Settings, known: pd.DataFrame, as_of: dt.date) -> Settings:
    """Settings whose thresholds hold the capacities known on a date too; a number set by hand goes before them."""
    found = own_capacities(known, as_of)
    if not found:
        return settings
    alerts = settings.alerts.model_copy(update={"thresholds": found | settings.alerts.thresholds})
    return settings.model_copy(update={"alerts": alerts})


def _folder(home: Path) -> Path:
    return home / FOLDER
