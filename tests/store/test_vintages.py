"""Vintages: what was known on a day can be asked for on every later day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError, SchemaError, StoreError
from core.release import REVISIONS
from core.schema import check
from store import Partitions
from store.figures import VintageStore, _merged, reduce_as_of

Rows = Callable[..., pd.DataFrame]
DAY = dt.date(2025, 6, 1)


def _values(frame: pd.DataFrame) -> dict[str, float]:
    return dict(zip(frame["time_period"], frame["obs_value"], strict=True))


@pytest.fixture
def store(tmp_path: Path) -> VintageStore:
    return VintageStore(tmp_path)


def test_past_state_is_what_was_known_then(store: VintageStore, observations: Rows) -> None:
    store.append(
        observations(("2024-11", 90, "2024-12-15"), ("2024-12", 100, "2025-01-15"), ("2024-12", 120, "2025-02-15"))
    )
    assert _values(store.as_of(dt.date(2024, 12, 14))) == {}
    assert _values(store.as_of(dt.date(2024, 12, 15))) == {"2024-11": 90}
    assert _values(store.as_of(dt.date(2025, 2, 14))) == {"2024-11": 90, "2024-12": 100}
    assert _values(store.as_of(dt.date(2025, 2, 15))) == {"2024-11": 90, "2024-12": 120}


def test_appending_same_file_again_adds_nothing(store: VintageStore, observations: Rows) -> None:
    frame = observations(("2024-11", 90, "2024-12-15"), ("2024-12", 100, "2025-01-15"), ("2024-12", 120, "2025-02-15"))
    assert store.append(frame) == 3
    assert store.append(frame) == 0
    assert store.append(frame.iloc[::-1]) == 0


def test_later_publication_of_same_figure_adds_nothing(store: VintageStore, observations: Rows) -> None:
    assert store.append(observations(("2024-12", 100, "2025-01-15"), ("2024-12", 100, "2025-02-15"))) == 1
    assert store.append(observations(("2024-12", 100, "2025-03-15"))) == 0
    assert store.append(observations(("2024-12", 110, "2025-03-15"))) == 1
    assert store.append(observations(("2024-12", 100, "2025-04-15"))) == 1
    assert _values(store.as_of(DAY)) == {"2024-12": 100}


@pytest.mark.parametrize("change", [{"obs_value": 934.0}, {"obs_flag": "p"}])
def test_correction_that_is_reverted_is_revision_too(
    store: VintageStore, observations: Rows, change: dict[str, float | str]
) -> None:
    right = observations(("2024-12", 34, "2025-02-04"), as_of_estimated=True)
    days = [dt.date(2025, month, 10) for month in (2, 3, 4, 5)]
    wrong = right.assign(**change)
    stored = [store.append(rows, received=day) for rows, day in zip([right, wrong, right, right], days, strict=True)]
    assert stored == [1, 1, 1, 0]
    held = [store.as_of(day)[["obs_value", "obs_flag"]].iloc[0].to_dict() for day in days]
    assert held == [rows[["obs_value", "obs_flag"]].iloc[0].to_dict() for rows in (right, wrong, right, right)]
    assert len(store.history()) == 3, "nothing is erased"


def test_late_row_holds_until_next_known_one(store: VintageStore, observations: Rows) -> None:
    store.append(observations(("2024-12", 120, "2025-02-15")))
    store.append(observations(("2024-12", 100, "2025-01-15")))
    for upgraded in (False, True):
        if upgraded:
            Partitions(_folder(store), in_order=_merged).merge()
        assert _values(store.as_of(dt.date(2025, 1, 14))) == {}
        assert _values(store.as_of(dt.date(2025, 2, 14))) == {"2024-12": 100}
        assert _values(store.as_of(dt.date(2025, 2, 15))) == {"2024-12": 120}


@pytest.mark.parametrize(("received", "known_from"), [("2025-01-31", "2025-02-20"), ("2025-02-01", "2025-02-01")])
def test_value_is_early_only_when_its_period_is_over(
    store: VintageStore, observations: Rows, received: str, known_from: str
) -> None:
    rows = observations(("2025-01", 70, "2025-02-20"), as_of_estimated=True)
    store.append(rows, received=dt.date.fromisoformat(received))
    history = store.history()
    assert history["as_of"].to_list() == [pd.Timestamp(known_from)]
    assert history["as_of_estimated"].to_list() == [received == "2025-01-31"]


def test_sources_are_kept_apart_and_may_be_left_out(store: VintageStore, observations: Rows) -> None:
    store.append(
        pd.concat(
            [
                observations(("2024-12", 100, "2025-01-15"), source_id="iom-dtm"),
                observations(("2024-12", 90, "2025-01-20"), source_id="unhcr"),
            ]
        )
    )
    assert store.sources() == ["iom-dtm", "unhcr"]
    assert store.as_of(DAY)["obs_value"].to_list() == [100, 90]
    assert reduce_as_of(store.history(exclude_sources=["iom-dtm"]), DAY)["source_id"].to_list() == ["unhcr"]


def test_revisions_are_changed_known_figures(store: VintageStore, observations: Rows) -> None:
    store.append(
        observations(
            ("2024-10", 200, "2024-11-15"),
            ("2024-11", 0, "2024-12-15"),
            ("2024-12", 100, "2025-01-15"),
            ("2024-12", 80, "2025-02-15"),
            ("2024-11", 3, "2025-02-20"),
            ("2025-01", 50, "2025-02-15"),
        )
    )
    revised = store.revisions(dt.date(2025, 1, 31), dt.date(2025, 2, 28))
    assert check(revised, REVISIONS)[["time_period", "kind", "before", "after", "share"]].to_numpy().tolist() == [
        ["2024-11", "changed", 0.0, 3.0, 3.0],
        ["2024-12", "changed", 100.0, 80.0, -0.2],
    ]
    assert revised["as_of"].to_list() == [pd.Timestamp("2025-02-20"), pd.Timestamp("2025-02-15")]
    assert store.revisions(dt.date(2025, 2, 28), dt.date(2025, 6, 1)).empty
    assert store.revisions(dt.date(2020, 1, 1), dt.date(2025, 6, 1)).empty


def test_missing_figure_of_edition_is_withdrawn(store: VintageStore, observations: Rows) -> None:
    store.append(observations(("2024-10", 5, "2025-01-15"), ("2024-11", 7, "2025-01-15"), ("2024-12", 9, "2025-01-15")))
    second = observations(("2024-10", 5, "2025-02-15"), ("2024-12", 9, "2025-02-15"), ("2025-01", 4, "2025-02-15"))
    assert store.append(second, complete=True) == 2
    assert store.append(second, complete=True) == 0
    assert _values(store.as_of(dt.date(2025, 2, 14))) == {"2024-10": 5, "2024-11": 7, "2024-12": 9}
    assert _values(store.as_of(DAY)) == {"2024-10": 5, "2024-12": 9, "2025-01": 4}
    assert _values(reduce_as_of(store.history(), DAY)) == {"2024-10": 5, "2024-12": 9, "2025-01": 4}
    third = observations(("2024-10", 5, "2025-03-15"), ("2024-11", 7, "2025-03-15"), ("2024-12", 9, "2025-03-15"))
    assert store.append(third, complete=True) == 1
    assert _values(store.as_of(DAY)) == {"2024-10": 5, "2024-11": 7, "2024-12": 9, "2025-01": 4}


def test_edition_withdraws_only_its_targets(store: VintageStore, observations: Rows) -> None:
    store.append(observations(("2024-10", 5, "2025-01-15"), ("2024-12", 9, "2025-01-15")))
    store.append(observations(("2024-11", 1, "2025-01-15"), target="grants", series_id="grants.CMR._T._T.M"))
    store.append(observations(("2024-11", 3, "2025-02-15"), ("2024-11", 3, "2025-02-16")), complete=True)
    assert store.append(observations(("2024-11", 4, "2025-03-15")), complete=True) == 1
    assert sorted(store.as_of(DAY)["obs_value"]) == [1, 4, 5, 9]


def test_additions_changes_and_deletions_are_records(store: VintageStore, observations: Rows) -> None:
    store.append(observations(("2024-10", 5, "2025-01-15"), ("2024-12", 9, "2025-01-15")), complete=True)
    edition = observations(("2024-11", 3, "2025-02-15"), ("2024-12", 6, "2025-02-15"), ("2025-01", 8, "2025-02-15"))
    store.append(edition.assign(time_period=["2024-10", "2024-11", "2025-01"]), complete=True)
    records = [
        ["2024-10", "changed", 5.0, 3.0, -2.0, -0.4],
        ["2024-11", "added", None, 6.0, 6.0, None],
        ["2024-12", "deleted", 9.0, None, -9.0, -1.0],
    ]
    columns = ["time_period", "kind", "before", "after", "change", "share"]
    between = store.revisions(dt.date(2025, 1, 31), dt.date(2025, 2, 28))
    one_by_one = store.all_revisions(dt.date(2025, 2, 28))
    for found in (between, one_by_one):
        kept = check(found, REVISIONS)[columns].astype(object)
        assert kept.where(kept.notna(), None).to_numpy().tolist() == records
        assert set(found["as_of"]) == {pd.Timestamp("2025-02-15")}
    assert store.all_revisions(dt.date(2025, 1, 31)).empty


def test_each_change_is_separate_revision(store: VintageStore, observations: Rows) -> None:
    values = [("2024-12", value, f"2025-0{month}-01") for value, month in ((10, 1), (20, 2), (10, 3))]
    store.append(observations(*values))
    assert store.all_revisions(DAY)["change"].to_list() == [10.0, -10.0]
    assert store.revisions(dt.date(2025, 1, 1), DAY).empty


def _folder(store: VintageStore) -> Path:
    return store.folder / "iom-dtm"


@pytest.mark.slow
@pytest.mark.parametrize("change", ["merged", "half merged"])
def test_however_files_lie_answers_are_same(store: VintageStore, observations: Rows, change: str) -> None:
    for number in range(6):
        rows = [(f"2024-{month:02d}", float(number * month % 5), f"2025-0{number + 1}-15") for month in range(1, 9)]
        store.append(observations(*rows[::-1], series_id="ba"[number % 2]))
    store.append(observations(("2024-03", 9.0, "2025-01-02"), series_id="a"))
    days = [dt.date(2025, month, 20) for month in range(1, 7)]
    before = [store.as_of(day) for day in days]
    revisions, history, stored = store.all_revisions(DAY), store.history(), store.contents()["iom-dtm"]["rows"]
    assert len(Partitions(_folder(store)).files()) == 7
    parts = {path: path.read_bytes() for path in _folder(store).iterdir()}
    Partitions(_folder(store), in_order=_merged).merge()
    for path, content in parts.items() if change == "half merged" else ():
        path.write_bytes(content)
    for day, known in zip(days, before, strict=True):
        pd.testing.assert_frame_equal(store.as_of(day), known)
        pd.testing.assert_frame_equal(reduce_as_of(store.history(), day), known)
        assert store.revisions(days[0], day).equals(store.revisions(days[0], day))
    pd.testing.assert_frame_equal(store.all_revisions(DAY), revisions)
    pd.testing.assert_frame_equal(store.history(), history)
    assert store.contents()["iom-dtm"]["rows"] == stored


def test_frame_that_breaks_its_contract_stores_nothing(store: VintageStore, observations: Rows) -> None:
    with pytest.raises(SchemaError, match="obs_flag"):
        store.append(observations(("2024-12", 100, "2025-01-15")).drop(columns="obs_flag"))
    with pytest.raises(SchemaError, match="birth_date"):
        store.append(observations(("2024-12", 100, "2025-01-15"), birth_date="x"))
    assert store.sources() == []


@pytest.mark.parametrize("source_id", ["", "../x", "a/b", ".hidden"])
def test_source_id_that_is_no_name_of_folder_is_refused(
    store: VintageStore, observations: Rows, source_id: str
) -> None:
    with pytest.raises(InputError, match="source_id"):
        store.append(observations(("2024-12", 100, "2025-01-15"), source_id=source_id))


def test_damaged_file_is_named(tmp_path: Path, store: VintageStore, observations: Rows) -> None:
    store.append(observations(("2024-12", 100, "2025-01-15")))
    (path,) = (tmp_path / "vintages" / "iom-dtm").glob("*.parquet")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(StoreError, match=path.name):
        store.as_of(DAY)


FIGURES = st.lists(
    st.tuples(
        st.sampled_from(["s1", "s2"]),
        st.sampled_from(["2024-11", "2024-12"]),
        st.integers(0, 3),
        st.integers(1, 12),
        st.sampled_from(["", "p"]),
    ),
    unique_by=lambda figure: (figure[0], figure[1], figure[3]),
    max_size=30,
)


@pytest.mark.slow
@given(figures=FIGURES, splits=st.integers(1, 4), day=st.integers(0, 13))
@settings(max_examples=30, deadline=None)
def test_known_at_equals_search_through_every_publication(
    figures: list[tuple[str, str, int, int, str]], splits: int, day: int
) -> None:
    """The oracle keeps every row ever published; publications arrive in the order of their days."""
    ordered = sorted(figures, key=lambda figure: figure[3])
    expected: dict[tuple[str, str], tuple[float, str]] = {}
    for series, period, value, month, flag in ordered:
        if month <= day:
            expected[series, period] = (float(value), flag)
    with TemporaryDirectory() as folder:
        store = VintageStore(Path(folder))
        for part in np.array_split(np.arange(len(ordered)), splits):
            if len(part):
                store.append(_publications([ordered[number] for number in part]))
        asked = dt.date(2025, day, 1) if 1 <= day <= 12 else dt.date(2024 if day == 0 else 2026, 1, 1)
        known = store.as_of(asked)
    found = {
        (row["series_id"], row["time_period"]): (row["obs_value"], row["obs_flag"]) for row in known.to_dict("records")
    }
    assert found == expected


def _publications(figures: list[tuple[str, str, int, int, str]]) -> pd.DataFrame:
    frame = pd.DataFrame(figures, columns=["series_id", "time_period", "obs_value", "month", "obs_flag"])
    frame["as_of"] = pd.to_datetime([f"2025-{month:02d}-01" for month in frame.pop("month")]).astype("datetime64[ns]")
    frame["obs_value"] = frame["obs_value"].astype(float)
    for name, text in {"source_id": "s", "target": "arrivals", "route_id": "CMR", "geo": "_T", "freq": "M"}.items():
        frame[name] = text
    return frame.assign(citizen="_T", as_of_estimated=False)


def test_altered_bit_is_found_in_named_file(tmp_path: Path, observations: Rows) -> None:
    store = VintageStore(tmp_path)
    store.append(observations(("2024-12", 5418.0, "2025-01-10")))
    assert store.damaged() == []
    (path,) = (tmp_path / "vintages").rglob("*.parquet")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert store.damaged() == [path]


def test_early_clock_revision_is_known_after_repeat(tmp_path: Path, observations: Rows) -> None:
    store = VintageStore(tmp_path)
    store.append(observations(("2024-12", 5418.0, "2025-01-10"), as_of_estimated=True))
    revised = observations(("2024-12", 5500.0, "2025-01-10"), as_of_estimated=True)
    store.append(revised, received=dt.date(2026, 2, 3))
    assert store.as_of(dt.date(2025, 2, 3))["obs_value"].tolist() == [5418.0]
    assert store.append(revised, received=dt.date(2025, 2, 3)) == 1
    assert store.as_of(dt.date(2025, 2, 3))["obs_value"].tolist() == [5500.0]
    assert store.append(revised, received=dt.date(2025, 2, 4)) == 0


def test_early_figure_is_known_on_arrival(tmp_path: Path, observations: Rows) -> None:
    store = VintageStore(tmp_path)
    early = observations(("2024-12", 5418.0, "2025-01-31"), ("2025-01", 700.0, "2025-03-02"), as_of_estimated=True)
    assert store.append(early, received=dt.date(2025, 1, 12)) == 2
    assert _values(store.as_of(dt.date(2025, 1, 11))) == {}
    known = store.as_of(dt.date(2025, 1, 12))
    assert _values(known) == {"2024-12": 5418.0}, "January was not over"
    assert not known["as_of_estimated"].any()
    assert store.append(early, received=dt.date(2025, 1, 13)) == 0
    assert _values(store.as_of(dt.date(2025, 3, 2))) == {"2024-12": 5418.0, "2025-01": 700.0}


def test_row_is_known_on_its_very_day(store: VintageStore, observations: Rows) -> None:
    store.append(observations(("2024-12", 100, "2025-02-15")))
    for date, known in ((dt.date(2025, 2, 14), {}), (dt.date(2025, 2, 15), {"2024-12": 100})):
        assert _values(store.as_of(date)) == _values(reduce_as_of(store.history(), date)) == known


def test_later_stored_value_of_a_day_holds(store: VintageStore, observations: Rows) -> None:
    first, second = (observations(("2024-12", value, "2025-01-15")) for value in (100, 105))
    assert [store.append(first), store.append(second)] == [1, 1]
    assert _values(store.as_of(DAY)) == {"2024-12": 105}
    assert [store.append(first), store.append(second)] == [0, 0]
    assert _values(store.as_of(DAY)) == {"2024-12": 105}
