"""Each page in French: no English sentence is left, and numbers and dates are written as French writes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

import dashboard
from alerts.lifecycle import ENDED, SIGNED_OFF, State, StepError, step
from core.schema import Entry
from dashboard.layout import error_words
from tests.french import english_left

from .test_pages import GOLDEN, PAGES, visit

pytestmark = pytest.mark.slow

VIEWS = [
    *[(page, {}) for page in PAGES],
    ("route", {"route": "CMR", "view": "drivers"}),
    *[("scenarios", {"kind": "past", "part": part}) for part in ("places", "saved")],
    *[("evaluation", {"on": "CMR", "part": part}) for part in ("situations", "drivers")],
]
IN_LANGUAGES = [*(("fr", *view) for view in VIEWS), ("es", "route", {})]
"""Words of one catalogue take the same ways as those of another: one page in Spanish is enough."""


def shown(app: AppTest) -> str:
    """Every text that a page hands to the browser: words, labels, options, tables, charts and alt texts."""
    parts: list[str] = []
    for element in app.main:
        parts += texts(getattr(element, "proto", None))
        if element.type in {"dataframe", "table"}:
            parts.append(getattr(element, "value", pd.DataFrame()).to_string())
    return "\n".join(parts)


def texts(node: Any) -> Iterator[str]:  # noqa: ANN401  # a protocol buffer or any value of its fields
    """Texts in a protocol buffer, however deep."""
    if isinstance(node, str):
        yield node
    elif hasattr(node, "ListFields"):
        for _field, value in node.ListFields():
            yield from texts(value)
    elif isinstance(node, Iterable) and not isinstance(node, bytes):
        for child in node:
            yield from texts(child)


@pytest.mark.parametrize(("language", "page", "address"), IN_LANGUAGES, ids=str)
@pytest.mark.usefixtures("read_release")
def test_no_english_sentence_is_left_on_page_in_another_language(
    language: str, page: str, address: dict[str, Any]
) -> None:
    app = visit(page, lang=language, **address)
    said = shown(app)
    assert len(said) > 2000
    assert english_left(said, language) == []
    assert ("Traducción automática" in said) == (language == "es")


def test_check_finds_english_sentences_of_english_page() -> None:
    assert len(english_left((GOLDEN / "overview.txt").read_text("utf-8"))) >= 10


def test_refused_step_says_why_in_french(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboard, "language", lambda: "fr")
    text = "it has changed since you opened it: it is {status} now, level {level}"
    assert error_words(StepError(text, status=ENDED, level="watch")) == (
        "l’alerte a changé depuis que vous l’avez ouverte\u202f: elle est maintenant terminée, niveau Vigilance"
    )
    with pytest.raises(StepError) as caught:
        step(State(), Entry("Ada", SIGNED_OFF, "a", reason="seen"))
    assert error_words(caught.value).endswith("celle-ci est non consignée")
