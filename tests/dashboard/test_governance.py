"""Governance on the pages: the purpose at first use, cards, the register, and who is served worse."""

from __future__ import annotations

import pandas as pd
import pytest

from core.languages import Language
from dashboard import layout
from dashboard.downloads import FORMATS, Export, csv_bytes
from forecasting.verification import COLUMNS, FEW, NARROW
from forecasting.verification.verdict import WORSE
from reports import record

from .test_pages import visit


def errors(*marks: str) -> pd.DataFrame:
    rows = [
        ("region", "CMR", "_T", "Western Africa", "m", 3, 90, 3, ratio, 0.8, 1.0, -0.1, 0.5, 0.8, 0.9, mark)
        for ratio, mark in zip((0.9, 1.0, 1.1, 1.2), marks, strict=False)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


@pytest.mark.usefixtures("read_release")
def test_purpose_stands_on_first_page_of_visit_until_it_is_read() -> None:
    app = visit("data", "data", part="method")
    assert any("turning people back" in text.value for text in app.markdown[:4])
    app.button(key="seen-1").click().run()
    assert not any("turning people back" in text.value for text in app.markdown[:4])


@pytest.mark.usefixtures("read_release")
def test_three_hints_follow_purpose_and_never_return() -> None:
    app, offered = visit("data", part="method"), list[list[str]]()
    for upto in range(1, layout.LAST_HINT + 1):
        offered.append([button.label for button in app.button if str(button.key).startswith("seen-")])
        app.button(key=f"seen-{upto}").click().run()
        assert not app.exception
    both = ["Next hint", "No more hints"]
    assert offered == [["I have read this"], both, both, ["Done"]]
    assert not [button for button in app.button if str(button.key).startswith("seen-")]


@pytest.mark.parametrize("ending", FORMATS)
def test_every_kind_of_file_carries_purpose_and_prohibited_uses(ending: str) -> None:
    frame = pd.DataFrame({"a": [1]})
    about = " ".join(text for _label, text in Export("a", "A", frame, "2025-01-31", "r").about())
    assert "Made for planning reception" in about and "profiling, or any decision about a person" in about
    assert FORMATS[ending][2](Export("a", "A", frame, "2025-01-31", "r"))
    assert b"profiling" in csv_bytes(Export("a", "A", frame, "2025-01-31", "r"))


def test_group_served_worse_is_named_and_stands_first() -> None:
    rows = errors("", WORSE, NARROW, FEW)
    assert record.groups_finding(rows, Language()).startswith(
        "Forecasts are less accurate for 2 of 3 groups: Central Mediterranean"
    )
    table = record.groups_table(rows, Language())
    assert table["Note"].tolist() == ["too few forecasts", "intervals too narrow", "worse than the baseline", ""]
