"""What import-linter cannot see: single modules at the top of the tree."""

from __future__ import annotations

import ast
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
ROOMS = (
    "core", "ingest", "store", "geo", "forecasting", "alerts", "hub", "reports", "decisions", "publish",
    "dashboard", "nightly",
)  # fmt: skip


def imported(path: Path, *, at_once: bool = False) -> set[str]:
    """First parts of the names of all modules that a file imports, or of those that it imports when it is loaded."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if at_once else list(ast.walk(tree))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    return {name.partition(".")[0] for name in names}


def test_no_room_imports_command_line_or_page_entry() -> None:
    guilty = [
        str(path.relative_to(PROJECT))
        for room in ROOMS
        for path in (PROJECT / room).rglob("*.py")
        if imported(path) & {"cli", "app"}
    ]
    assert not guilty


def test_command_line_knows_nothing_of_dashboard() -> None:
    assert not {name for path in (PROJECT / "cli").glob("*.py") for name in imported(path)} & {"app", "streamlit"}


def test_command_loads_storage_and_scheduler_when_called() -> None:
    heavy = {"apscheduler", "decisions", "duckdb", "forecasting", "nightly", "reports", "scipy", "sqlalchemy", "store"}
    assert not {name for path in (PROJECT / "cli").glob("*.py") for name in imported(path, at_once=True)} & heavy


def test_page_entry_imports_nothing_but_streamlit_and_dashboard() -> None:
    assert imported(PROJECT / "app.py") <= {"__future__", "streamlit", "dashboard", "pathlib", "os", "core", "typing"}
