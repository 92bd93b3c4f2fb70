"""The briefing as a PDF: one page, fonts inside, the same bytes for the same release."""

from __future__ import annotations

import io

import matplotlib as mpl
from pypdf import PdfWriter
from pypdf.generic import BooleanObject, DictionaryObject, NameObject, TextStringObject

from reports.briefing.canvas import DRAWING
from reports.briefing.content import Content, compose
from reports.briefing.edition import Edition
from reports.briefing.page import draw_page
from reports.briefing.standing import Standing

AUTHOR = "Vigie"
DOTS_PER_INCH = 130
_TRUETYPE = 42
"""Kind of embedded font: letters stay letters, so that text can be searched, copied and read aloud."""


def briefing_pdf(edition: Edition, former: Edition | None, language: str, standing: Standing | None = None) -> bytes:
    """Make the one-page briefing of a release.

    Args:
        edition: The release, with the frames of ``reports.briefing.edition.FRAMES``.
        former: The release before it, or None.
        language: Code of the language; English where there is no catalogue of it.
        standing: What people have decided about its alerts; by default nothing.

    Returns:
        A PDF of one page of A4.
    """
    content = compose(edition, former, language, standing or Standing())
    return _with_language(_drawn(content), content)


def briefing_picture(edition: Edition, former: Edition | None, language: str) -> bytes:
    """The same page as a PNG, for looking at."""
    with DRAWING:
        target = io.BytesIO()
        draw_page(compose(edition, former, language, Standing())).savefig(target, format="png", dpi=DOTS_PER_INCH)
    return target.getvalue()


def _drawn(content: Content) -> bytes:
    edition, target = content.edition, io.BytesIO()
    metadata = {
        "Title": f"Vigie: {content.title}. {content.known}",
        "Author": AUTHOR,
        "Subject": content.summary,
        "Keywords": f"{edition.run_id}, {edition.manifest_hash}",
        "Creator": AUTHOR,
        "CreationDate": edition.created_at,
    }
    with DRAWING, mpl.rc_context({"pdf.fonttype": _TRUETYPE}):
        draw_page(content).savefig(target, format="pdf", metadata=metadata)
    return target.getvalue()


def _with_language(document: bytes, content: Content) -> bytes:
    """Say in which language it is written, and have its title shown in place of the file's name."""
    writer, target = PdfWriter(clone_from=io.BytesIO(document)), io.BytesIO()
    root = writer.root_object
    root[NameObject("/Lang")] = TextStringObject(content.words.code)
    root[NameObject("/ViewerPreferences")] = DictionaryObject({NameObject("/DisplayDocTitle"): BooleanObject(True)})
    writer.write(target)
    return target.getvalue()
