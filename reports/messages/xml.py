"""Small helpers for XML that is written for machines."""

from __future__ import annotations

import datetime as dt

from lxml import etree


def add(parent: etree._Element, name: str, text: str | None = None, **attributes: str) -> etree._Element:
    """Add a child in the parent's namespace, without characters that XML cannot hold."""
    namespace = etree.QName(parent).namespace
    child = etree.SubElement(parent, f"{{{namespace}}}{name}", attrib=attributes)
    if text is not None:
        child.text = "".join(char for char in text if char in "\t\n" or (char >= " " and char not in "\ufffe\uffff"))
    return child


def stamp(at: dt.datetime) -> str:
    """A time with its offset in figures, whole seconds: ``2025-01-31T12:00:00+00:00``, as CAP and Atom take it."""
    return at.astimezone(dt.UTC).isoformat(timespec="seconds")


def written(root: etree._Element) -> bytes:
    """The document in UTF-8."""
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))
