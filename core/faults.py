"""Faults told in the reader's language: a recorded sentence is recognised by its template and written anew.

The sentence itself stays the exact text of the log; one that no template knows is left to the caller.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from core.fault_texts import FILES, NIGHTS, ROWS, TOGETHER, VISITS
from core.languages import marked as _

Say = Callable[[str], str]
"""Translates one text."""
_PLACE = re.compile(r"\{(\w+)\}")
_WITHIN, _LIST, _KEYS = "fault", "faults", "keys"
"""Parts that are told in their turn: a fault, several faults, names of columns."""
_LONGEST = 2000
"""Longer texts quote a publisher's content at length; no template is tried on them."""
_WHERE = re.compile(r"(?P<file>.+?)(?:, row (?P<row>[^,]+))?(?:, column (?P<column>.+))?", re.DOTALL)


@dataclass(frozen=True)
class _Sentence:
    template: str
    parts: dict[str, str]


def fault_words(recorded: str, say: Say) -> str | None:
    """Tell a recorded fault in the reader's language.

    Args:
        recorded: The sentence as it was recorded, with or without file, row and column before it.
        say: Translates a template.

    Returns:
        The sentence with its place before it, or None where no template knows it.
    """
    if len(recorded) > _LONGEST:
        return None
    found = _recognised(recorded)
    if found is not None:
        return _told(found, say)
    for mark in re.finditer(": ", recorded):
        place, fault = _WHERE.fullmatch(recorded[: mark.start()]), _recognised(recorded[mark.end() :])
        if place and fault is not None:
            return say(_("{label}: {text}")).format(label=_where(place, say), text=_told(fault, say))
    return None


def _where(place: re.Match[str], say: Say) -> str:
    texts = {"row": _("row {n}"), "column": _("column {n}")}
    named = [say(text).format(n=place[name]) for name, text in texts.items() if place[name]]
    return ", ".join([place["file"], *named])


def _told(found: _Sentence, say: Say) -> str:
    return say(found.template).format(**{name: _part(name, text, say) for name, text in found.parts.items()})


def _part(name: str, text: str, say: Say) -> str:
    if name == _KEYS:
        return text.replace(" and ", ", ")
    if name not in (_WITHIN, _LIST):
        return text
    return ", ".join(_told(one, say) for one in _within(name, text) if one is not None)


def _within(name: str, text: str) -> Iterator[_Sentence | None]:
    """The faults that a part holds; None for each that no template knows."""
    return (_recognised(one) for one in (text.split(", ") if name == _LIST else [text]))


@lru_cache(maxsize=512)
def _recognised(text: str) -> _Sentence | None:
    """The template of a sentence and what stands in its places; None where no template knows it."""
    for template, pattern in _patterns():
        found = pattern.fullmatch(text)
        if found is None:
            continue
        parts = found.groupdict()
        if all(None not in _within(name, parts[name]) for name in (_WITHIN, _LIST) if name in parts):
            return _Sentence(template, parts)
    return None


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Every template with the pattern of its sentences, the most particular first."""
    templates = sorted((*ROWS, *FILES, *VISITS, *NIGHTS, *TOGETHER), key=_particular, reverse=True)
    return tuple((template, _pattern(template)) for template in templates)


def _particular(template: str) -> tuple[bool, int]:
    """Whether it holds a further fault, which must be recognised too, and how much of it does not vary."""
    return _WITHIN in _PLACE.findall(template), len(_PLACE.sub("", template))


def _pattern(template: str) -> re.Pattern[str]:
    # With one group, a split gives what stands between places and the names of places in turn.
    texts = [f"(?P<{text}>.+?)" if place % 2 else re.escape(text) for place, text in enumerate(_PLACE.split(template))]
    return re.compile("".join(texts), re.DOTALL)
