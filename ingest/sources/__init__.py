"""Every source by its ``source_id``: its module, its card, and how it is asked.

One module of this package and one file of ``data/sources`` per publisher's dataset; a new source needs no more.
"""

from __future__ import annotations

import importlib
import pkgutil
import tomllib
from collections.abc import Collection, Mapping
from typing import Any, cast

from core.errors import InputError
from core.languages import marked as _
from core.routes import ROUTES, validated
from core.settings import SNAPSHOT
from ingest import SETTING, LiveSource, Source, SourceAccess, SourceCard, routes

_CARDS = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in (SNAPSHOT / "sources").glob("*.toml")}
_CARDS[routes.SOURCE_ID]["derived_from"] = sorted({source for route in ROUTES.values() for source in route.sources})
_ACCESS = {name: card.pop("access") for name, card in _CARDS.items() if "access" in card}
LABELS: dict[str, dict[str, Any]] = {name: card.pop("labels", {}) for name, card in _CARDS.items()}
"""By ``source_id``: tables of a publisher's own words and what they mean here, for the source's module."""
INTAKE: dict[str, dict[str, Any]] = {name: card.pop("intake", {}) for name, card in _CARDS.items()}
"""By ``source_id``: ``region``, where the figures are of one only; ``not_live``, why the publisher cannot be asked; for
``benchmarks/build_snapshot.py``, ``files`` below the raw-data folder, none where the licence forbids redistribution,
and dated ``editions`` of one of them."""


_NAMES = sorted(info.name for info in pkgutil.iter_modules(__path__) if not info.name.startswith("_"))
SOURCES: dict[str, Source] = {name: cast("Source", importlib.import_module(f"{__name__}.{name}")) for name in _NAMES}
"""``source_id`` -> module, which has the source's name; see ``ingest.Source``."""
CARDS: dict[str, SourceCard] = {
    name: SourceCard(source_id=name, **_CARDS[name]) for name in (routes.SOURCE_ID, *SOURCES, "natural_earth")
}
"""``source_id`` -> card, of every publisher whose figures or boundaries a release may hold."""


def elsewhere(regions: Collection[str]) -> frozenset[str]:
    """Sources that belong to other regions only."""
    return frozenset(name for name in SOURCES if INTAKE[name].get("region") not in (None, *regions))


def live_sources() -> dict[str, LiveSource]:
    """Sources whose publishers can be asked, by ``source_id``; the cards of the others say why not in ``not_live``."""
    return {name: cast("LiveSource", source) for name, source in SOURCES.items() if hasattr(source, "download")}


def chosen_sources(source_ids: list[str], excluded: list[str]) -> dict[str, LiveSource]:
    """Sources that are named, else all that can be asked and are not excluded.

    Raises:
        InputError: One is unknown, or cannot be asked.
    """
    known = live_sources()
    for name in source_ids:
        if name not in SOURCES:
            raise InputError(_("unknown source '{found}'; known: {known}"), found=name, known=", ".join(SOURCES))
        if name not in known:
            raise InputError(f"{name} cannot be asked: {INTAKE[name]['not_live']}")
    return {name: known[name] for name in known if name in source_ids or (not source_ids and name not in excluded)}


def source_access(changes: Mapping[str, Mapping[str, Any]] | None = None) -> dict[str, SourceAccess]:
    """How every source is asked.

    Args:
        changes: Fields that a home's settings change, by source_id; tables are merged, everything else is replaced.

    Returns:
        ``source_id`` -> access.

    Raises:
        InputError: A source or a field is unknown, or a value is wrong; the text names it.
    """
    wanted, known = changes or {}, live_sources()
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        raise InputError(f"{SETTING}: {unknown} are no sources that can be asked; known: {list(known)}")
    fields = {name: _merged(_ACCESS[name], wanted.get(name, {})) | {"source_id": name} for name in known}
    return {name: validated(SourceAccess, one, f"{SETTING}, {name}") for name, one in fields.items()}


def _merged(entry: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(entry)
    for name, value in change.items():
        inner = merged.get(name)
        merged[name] = _merged(inner, value) if isinstance(inner, dict) and isinstance(value, Mapping) else value
    return merged
