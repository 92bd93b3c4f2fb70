"""Every module of ``ingest.sources``, by its source_id. A new source needs a module and a catalogue entry, no more."""

from __future__ import annotations

import importlib
import pkgutil
from typing import cast

from ingest import sources
from ingest.raw import LiveSource, Source

VERBS = ("SOURCE_ID", "RAW_FILES", "LAG_DAYS", "fetch", "parse")
"""What each module of ``ingest.sources`` exports; see ``ingest.raw.Source``."""


def discover() -> dict[str, Source]:
    """Import every public module of ``ingest.sources``.

    Returns:
        ``source_id`` -> module, sorted by ``source_id``.

    Raises:
        TypeError: A module lacks a verb, or two claim the same source_id: a fault in the code, not in the data.
    """
    found: dict[str, Source] = {}
    for info in pkgutil.iter_modules(sources.__path__, f"{sources.__name__}."):
        if info.name.rpartition(".")[2].startswith("_"):
            continue
        module = importlib.import_module(info.name)
        missing = [verb for verb in VERBS if not hasattr(module, verb)]
        if missing:
            raise TypeError(f"{info.name} lacks {', '.join(missing)}")
        source = cast("Source", module)
        if source.SOURCE_ID in found:
            raise TypeError(f"{info.name}: the source_id '{source.SOURCE_ID}' is already taken")
        found[source.SOURCE_ID] = source
    return dict(sorted(found.items()))


SOURCES: dict[str, Source] = discover()


def live_sources() -> dict[str, LiveSource]:
    """Sources whose publishers can be asked, by ``source_id``; the others say why not in ``NOT_LIVE``."""
    return {name: cast("LiveSource", source) for name, source in SOURCES.items() if hasattr(source, "download")}
