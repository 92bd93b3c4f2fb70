"""Every source by its ``source_id``: its module, its card, and how it is asked.

One module of this package per publisher's dataset; a new source needs a module here, no more.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Collection, Mapping
from typing import Any, cast

from pydantic import ValidationError

from core.errors import InputError
from core.languages import marked as _
from ingest import SETTING, LiveSource, Source, SourceAccess, SourceCard, routes

VERBS = ("SOURCE_ID", "RAW_FILES", "LAG_DAYS", "CARD", "parse")
"""What each module of this package exports; see ``ingest.Source``."""
NATURAL_EARTH = SourceCard(
    source_id="natural_earth",
    publisher=_("Natural Earth"),
    dataset=_("Country boundaries 1:50 million, version 4.1"),
    url="https://www.naturalearthdata.com/",
    licence=_("Public domain; packaging under ISC"),
    licence_url="https://www.naturalearthdata.com/about/terms-of-use/",
    redistribution=True,
    citation="Made with Natural Earth, packaged as world-atlas 2.0.2.",
    came_through=_("The npm package world-atlas 2.0.2"),
    rhythm=_("Rarely; boundaries, no figures."),
    expected_days=3650,
    known_issues=[
        _("Boundaries follow Natural Earth's de facto view and express no opinion on their status."),
        _("Northern Cyprus, Somaliland and Kosovo carry no ISO 3166 code."),
    ],
)


def discover() -> dict[str, Source]:
    """Import every public module of this package.

    Returns:
        ``source_id`` -> module, sorted by ``source_id``.

    Raises:
        TypeError: A module lacks a verb, two claim the same source_id, or one neither can be asked nor says why: a
            fault in the code, not in the data.
    """
    found: dict[str, Source] = {}
    for info in pkgutil.iter_modules(__path__, f"{__name__}."):
        if info.name.rpartition(".")[2].startswith("_"):
            continue
        module = importlib.import_module(info.name)
        missing = [verb for verb in VERBS if not hasattr(module, verb)]
        if missing:
            raise TypeError(f"{info.name} lacks {', '.join(missing)}")
        live = hasattr(module, "download") and hasattr(module, "ACCESS")
        if live == hasattr(module, "NOT_LIVE"):
            raise TypeError(f"{info.name} must have download and ACCESS, or else NOT_LIVE")
        source = cast("Source", module)
        if source.SOURCE_ID in found:
            raise TypeError(f"{info.name}: the source_id '{source.SOURCE_ID}' is already taken")
        found[source.SOURCE_ID] = source
    return dict(sorted(found.items()))


SOURCES: dict[str, Source] = discover()
CARDS: dict[str, SourceCard] = {
    routes.SOURCE_ID: routes.CARD,
    **{source_id: source.CARD for source_id, source in SOURCES.items()},
    NATURAL_EARTH.source_id: NATURAL_EARTH,
}
"""``source_id`` -> card, of every publisher whose figures or boundaries a release may hold."""


def elsewhere(regions: Collection[str]) -> frozenset[str]:
    """Sources that belong to other regions only: a module may name its own in ``REGION``."""
    named = {source_id: getattr(source, "REGION", "") for source_id, source in SOURCES.items()}
    return frozenset(source_id for source_id, region in named.items() if region and region not in regions)


def live_sources() -> dict[str, LiveSource]:
    """Sources whose publishers can be asked, by ``source_id``; the others say why not in ``NOT_LIVE``."""
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
            raise InputError(f"{name} cannot be asked: {SOURCES[name].NOT_LIVE}")  # type: ignore[attr-defined]  # discover() holds that each module has this or download
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
    return {name: _changed(source.ACCESS, wanted.get(name, {})) for name, source in known.items()}


def _changed(access: SourceAccess, change: Mapping[str, Any]) -> SourceAccess:
    if not change:
        return access
    try:
        return SourceAccess.model_validate(_merged(access.model_dump(), change))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{SETTING}, {access.source_id}, field {where}: {first['msg']}") from None


def _merged(entry: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(entry)
    for name, value in change.items():
        inner = merged.get(name)
        merged[name] = _merged(inner, value) if isinstance(inner, dict) and isinstance(value, Mapping) else value
    return merged
