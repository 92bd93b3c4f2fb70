"""Each file is one page: its name is the address, its line ``TITLE, PLACE = _("…"), n`` the entry in the menu."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

FOLDER = "dashboard/pages"
FORMER = {
    "year_ahead": "route?view=year",
    "hub": "evaluation?part=hub",
    "method": "data?part=method",
    "about": "data?part=method",
}
"""Former address or another name -> where the page is; links of mails and briefings keep their query string."""
_ENTRY = re.compile(r'^TITLE, PLACE = _\("(?P<title>[^"]+)"\), (?P<place>\d+)$', re.MULTILINE)


@cache
def page_titles() -> dict[str, str]:
    """English title of each page by its name, in the order of the menu; read from the files without running them."""
    found = []
    for path in Path(__file__).parent.glob("*.py"):
        if entry := _ENTRY.search(path.read_text(encoding="utf-8")):
            found.append((int(entry["place"]), path.stem, entry["title"]))
    return {name: title for _place, name, title in sorted(found)}
