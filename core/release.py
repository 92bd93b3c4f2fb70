"""The contract of a release, as ``data/release.toml`` declares it: every table once, with its columns and units.

:mod:`store` writes and reads releases through it, :mod:`core.release_docs` makes each release's ``release.md`` and
``datapackage.json`` from it. A word has one meaning: columns of the same name are declared once, in ``[words]``.

A table's fields: ``about`` (what a row says), ``columns`` (of the frame that its writer makes), ``more`` (columns that
the night adds), ``key`` (columns whose values together occur once), ``written_by`` (module), ``read_by`` (packages),
``required`` (whether every release holds it), ``like`` (the table whose columns and key hold here too) and ``own``
(columns of another meaning or bound than elsewhere).
"""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.schema import DAY, NUMBER, TEXT, WHOLE, YES_NO, Column, Table

CONTRACT_VERSION = 1
"""Version of this contract; it grows when a table or column is renamed, removed or changes its meaning."""
LEVELS_OF_ALERTS = ("information", "watch", "warning", "severe")
PARTS_OF_ONE = ("share", "probability")
"""Units of what lies between 0 and 1."""
CATALOGUE = "sources.json"
"""Document of a release with the card of every source."""
_TYPES = {"text": TEXT, "number": NUMBER, "whole": WHOLE, "day": DAY, "yes_no": YES_NO}


def _column(declared: dict[str, Any]) -> Column:
    """Return a column as ``words`` or ``own`` declares it."""
    facts: dict[str, Any] = {"least": 0, "most": 1} if declared.get("unit") in PARTS_OF_ONE else {}
    facts |= {name: value for name, value in declared.items() if name not in ("type", "one_of")}
    return Column(_TYPES[declared["type"]], one_of=tuple(declared.get("one_of", ())), **facts)


def _table(name: str, declared: dict[str, Any]) -> Table:
    """Return a table as ``tables`` declares it; the one that it is like stands before it."""
    own = {column: _column(one) for column, one in declared.get("own", {}).items()}
    like = RELEASE.get(declared.get("like", ""))
    columns = {**WORDS, **(like.columns if like else {}), **own}
    named = f"{declared['columns']} {declared.get('more', '')}".split()
    key = tuple(declared["key"].split()) if "key" in declared else like.key if like else ()
    return Table(
        name, declared["about"], {column: columns[column] for column in named}, key, declared["written_by"],
        tuple(declared.get("read_by", "").split()), required=declared.get("required", False),
    )  # fmt: skip


_DECLARED = tomllib.loads((Path(__file__).parent.parent / "data" / "release.toml").read_text("utf-8"))
WORDS: dict[str, Column] = {name: _column(one) for name, one in _DECLARED["words"].items()}
"""Columns by name. A table may give a column of its own another meaning or bound."""
RELEASE: dict[str, Table] = {}
for _name, _one in _DECLARED["tables"].items():
    RELEASE[_name] = _table(_name, _one)
TABLES: tuple[Table, ...] = tuple(RELEASE.values())
"""Every table of a release."""
REQUIRED: tuple[str, ...] = tuple(table.name for table in TABLES if table.required)
"""Tables that every release holds."""


def _made(name: str) -> Table:
    """Return a table of the release without the columns that the night adds."""
    names = _DECLARED["tables"][name]["columns"].split()
    return replace(RELEASE[name], columns={column: RELEASE[name].columns[column] for column in names})


PANEL = Table(
    "panel", "Input of the forecast engine: one frequency, any series; further columns are groupings.",
    {
        "series_id": WORDS["series_id"], "time_period": WORDS["time_period"],
        "value": replace(WORDS["value"], about="observed value", nullable=True),
    },
    ("series_id", "time_period"),
)  # fmt: skip
"""Not of a release: what crosses from the night into the engine."""
FORECASTS, ALERTS, DRIVER_TESTS = _made("forecasts"), _made("alerts"), _made("driver_tests")
ALERT_RELIABILITY = RELEASE["alert_reliability"]
ATTRIBUTION = RELEASE["attribution"]
DELAYS = RELEASE["delays"]
DOCUMENTED_RISES = RELEASE["documented_rises"]
EDITIONS = RELEASE["editions"]
FIGURES_THEN = RELEASE["figures_then"]
FRESHNESS = RELEASE["freshness"]
FRESHNESS_CHANGES = RELEASE["freshness_changes"]
HUB_EDITIONS = RELEASE["hub_editions"]
HUB_FORECASTS = RELEASE["hub_forecasts"]
HUB_MODELS = RELEASE["hub_models"]
HUB_SCORES = RELEASE["hub_scores"]
ISSUED_SCORES = RELEASE["issued_scores"]
NOWCASTS = RELEASE["nowcasts"]
OBSERVATIONS = RELEASE["observations"]
REJECTED = RELEASE["rejected"]
REPLAYS = RELEASE["replays"]
REPORTING = RELEASE["reporting"]
REVISIONS = RELEASE["revisions"]
SCORES = RELEASE["scores"]
SITUATION_SCORES = RELEASE["situation_scores"]
TRACK_RECORD = RELEASE["track_record"]
TRAJECTORIES = RELEASE["trajectories"]
WEEKS = RELEASE["weeks"]
WEEK_SCORES = RELEASE["week_scores"]
YEAR_AHEAD = RELEASE["year_ahead"]
