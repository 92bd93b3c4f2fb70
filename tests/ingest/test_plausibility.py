"""Plausibility: damage that changes many figures waits for a person, and no real edition ever did."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from core.release import REVISIONS
from ingest.plausibility import judge
from ingest.rows import observations

NO_REVISIONS = pd.DataFrame(columns=list(REVISIONS.columns))
MONTHS = [str(month) for month in pd.period_range("2015-01", "2024-12", freq="M")]


def table(places: dict[str, int], step: int = 1) -> pd.DataFrame:
    """Ten years of monthly counts, one series per place around its mean; with ``step``, rounded to its multiples."""
    random = np.random.default_rng(16)
    rows = [
        {"geo": geo, "time_period": month, "obs_value": step * round(random.gamma(4, mean / 4) / step)}
        for geo, mean in places.items()
        for month in MONTHS
    ]
    dimensions = {"target": "arrivals", "route_id": "CMR", "citizen": "_T", "freq": "M"}
    return observations(pd.DataFrame(rows), source_id="office", lag_days=10, **dimensions)


KNOWN = table({"ITA": 5000, "MLT": 300})


def changed(rows: pd.Series, change: Callable[[pd.Series], pd.Series], known: pd.DataFrame = KNOWN) -> pd.DataFrame:
    return known.assign(obs_value=known["obs_value"].mask(rows, change(known["obs_value"])))


def held(rows: pd.DataFrame, known: pd.DataFrame = KNOWN, *, complete: bool = False) -> list[str]:
    return [str(one) for one in judge(rows, known, NO_REVISIONS, complete=complete).held]


def exchanged() -> pd.DataFrame:
    parts = dict(list(KNOWN.groupby("geo")))
    values = {"ITA": parts["MLT"]["obs_value"].to_numpy(), "MLT": parts["ITA"]["obs_value"].to_numpy()}
    return pd.concat([part.assign(obs_value=values[str(geo)]) for geo, part in parts.items()])


YEAR = KNOWN["time_period"].str.startswith("2023")
CELL = (KNOWN["time_period"] == "2023-05") & (KNOWN["geo"] == "ITA")
DAMAGE = {
    "a year in thousands": (changed(YEAR, lambda old: old * 1000), "another unit"),
    "a year in thousandths": (changed(YEAR, lambda old: (old / 1000).round()), "another unit"),
    "a cell beyond the record": (changed(CELL, lambda old: old * 1000), "more than 10 times the highest"),
    "a new month beyond the record": (
        changed(CELL, lambda old: old * 1000).tail(len(KNOWN)), "more than 10 times the highest",
    ),
    "exchanged labels": (exchanged(), "exchanged labels"),
    "two figures exchanged between two places": (
        pd.concat([exchanged()[exchanged()["time_period"] > "2024-10"], KNOWN[KNOWN["time_period"] <= "2024-10"]]),
        "exchanged their figures",
    ),
    "a header a month on": (KNOWN.assign(obs_value=KNOWN["obs_value"].shift(1, fill_value=1)), "changes throughout"),
    "a fraction": (changed(CELL, lambda old: old / 1000), "no multiple of 1"),
}  # fmt: skip


@pytest.mark.parametrize("kind", DAMAGE)
def test_unseen_damage_is_held_with_reason(kind: str) -> None:
    rows, reason = DAMAGE[kind]
    assert reason in " ".join(held(rows))


def test_what_is_known_again_and_new_month_within_record_pass() -> None:
    assert held(KNOWN) == []
    assert held(KNOWN, KNOWN[KNOWN["time_period"] < "2024-06"]) == []
    assert held(KNOWN, KNOWN.iloc[:0]) == []


def test_revision_as_large_as_source_usually_makes_is_not_told() -> None:
    past = pd.DataFrame({"kind": "changed", "before": 1000.0, "share": np.linspace(-0.1, 0.1, 40), "citizen": "_T"})
    revisions = past.reindex(columns=list(REVISIONS.columns))
    assert judge(changed(CELL, lambda old: (old * 1.05).round()), KNOWN, revisions).reported == []
    assert judge(changed(CELL, lambda old: (old * 1.30).round()), KNOWN, revisions).reported != []


def test_figure_against_rounding_is_held() -> None:
    rounded = table({"ITA": 5000, "MLT": 300}, step=5)
    assert held(rounded, rounded) == []
    odd = changed(CELL, lambda old: old + 2, rounded)
    assert "is no multiple of 5" in " ".join(held(odd, rounded))
    assert "is no multiple of 5" in " ".join(held(odd, rounded.iloc[:0]))


def test_shortened_history_is_held() -> None:
    short = KNOWN[~YEAR]
    assert "was it cut short" in " ".join(held(short, complete=True))
    assert held(short) == []
    assert "is known; 24 in all" in " ".join(map(str, judge(short, KNOWN, NO_REVISIONS).reported))
    assert "was it cut short" in " ".join(held(KNOWN[KNOWN["geo"] == "ITA"], complete=True))


MALTA = KNOWN["geo"] == "MLT"


def moved(rows: pd.DataFrame, year: str) -> pd.DataFrame:
    """The same figures, of another year."""
    return rows.assign(time_period=year + rows["time_period"].str[4:])


FROM_NOWHERE = {
    "a new label in known months": (
        KNOWN.assign(series_id=KNOWN["series_id"].mask(MALTA & YEAR, "arrivals.CMR.ESP._T.M")), KNOWN,
        "period that was known without it",
    ),
    "a year before all others": (
        pd.concat([KNOWN, moved(KNOWN[YEAR], "2012")]), KNOWN, "period that was known without it",
    ),
    "a year after a gap": (pd.concat([KNOWN, moved(KNOWN[YEAR], "2026")]), KNOWN, "follows a gap"),
    "a target that the source did not have": (
        pd.concat([KNOWN, KNOWN.assign(target="departures")]).assign(series_id=lambda rows: rows["target"]),
        KNOWN, "of a kind that this source did not have",
    ),
    "a month sent again as the next": (
        KNOWN[KNOWN["time_period"] == "2024-12"].assign(time_period="2025-01"), KNOWN,
        "repeats a figure of the year before",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", FROM_NOWHERE)
def test_figures_where_source_had_none_are_reported(kind: str) -> None:
    rows, known, reason = FROM_NOWHERE[kind]
    assert reason in " ".join(map(str, judge(rows, known, NO_REVISIONS).reported))


def test_columns_of_two_targets_that_were_exchanged_are_held() -> None:
    other = KNOWN.assign(target="departures", series_id=KNOWN["series_id"].str.replace("arrivals", "departures"))
    known = pd.concat([KNOWN, other.assign(obs_value=other["obs_value"] * 2)], ignore_index=True)
    value = known["obs_value"].to_numpy()
    rows = known.assign(obs_value=np.concatenate([value[len(KNOWN) :], value[: len(KNOWN)]]))
    assert "exchanged" in " ".join(held(rows[rows["time_period"] >= "2024-11"], known))


def flat(persons: float, months: int = len(MONTHS)) -> pd.DataFrame:
    """The same count in each of the first months of two places."""
    return KNOWN[KNOWN["time_period"].isin(MONTHS[:months])].assign(obs_value=persons).reset_index(drop=True)


def put(known: pd.DataFrame, values: list[float], geo: str = "ITA") -> pd.DataFrame:
    """The same figures with other ones in the first months of a place."""
    found = known["obs_value"].copy()
    found.loc[known.index[known["geo"] == geo][: len(values)]] = values
    return known.assign(obs_value=found)


@pytest.mark.parametrize(
    ("values", "reasons"),
    [
        ([2999.0] * 6, ["6 known figures (arrivals, M) change, half of them to 3 times the former or more"]),
        ([2999.0] * 5, []),
        ([2998.0] * 6, []),
        ([199.0] * 6, ["6 known figures (arrivals, M) change, half of them to 0.2 times the former or more"]),
        ([2999.0] * 3 + [332.0] * 3, ["arrivals.CMR.ITA._T.M 2015-01 changes by much, as others do"]),
        ([2999.0] * 3 + [333.0] * 3, []),
    ],
)
def test_six_threefold_changes_are_held(values: list[float], reasons: list[str]) -> None:
    known = flat(999.0)
    found = held(put(known, values), known)
    assert len(found) == len(reasons)
    assert all(one.startswith(reason) for one, reason in zip(found, reasons, strict=True))


def test_series_raised_throughout_by_re_release_passes() -> None:
    assert held(changed(MALTA, lambda old: (old * 1.5).round())) == []


@pytest.mark.parametrize(("months", "reasons"), [(12, 1), (11, 0)])
def test_twelve_equal_figures_are_exchanged_series(months: int, reasons: int) -> None:
    italy = KNOWN.loc[KNOWN["geo"] == "ITA", "obs_value"].to_numpy()
    known = pd.concat([KNOWN[~MALTA], KNOWN[MALTA].assign(obs_value=(italy / 2).round())])
    rows = KNOWN[MALTA].assign(obs_value=italy).tail(months)
    found = [one for one in held(rows, known) if "arrivals.CMR.MLT._T.M changes throughout; 1 in all" in one]
    assert len(found) == reasons


@pytest.mark.parametrize(
    ("persons", "changes", "before", "reported"),
    [
        (1005.0, 0, 0.0, 0), (1006.0, 0, 0.0, 1), (1100.0, 8, 20.0, 0), (1101.0, 8, 20.0, 1), (1100.0, 7, 20.0, 1),
        (1100.0, 8, 19.0, 1), (995.0, 0, 0.0, 0), (994.0, 0, 0.0, 1),
    ],
)  # fmt: skip
def test_revision_beyond_usual_is_large(persons: float, changes: int, before: float, reported: int) -> None:
    past = pd.DataFrame({"kind": "changed", "before": before, "share": [0.1] * changes, "citizen": "_T"})
    found = judge(put(flat(1000.0), [persons]), flat(1000.0), past.reindex(columns=list(REVISIONS.columns)))
    assert len(found.reported) == reported
    assert all(", by more than the usual " in str(one) for one in found.reported)


@pytest.mark.parametrize(
    ("missing", "deleted", "reasons"), [(4, 0, 0), (5, 0, 1), (6, 3, 0), (7, 3, 1)],
    ids=["two in a hundred", "more", "twice what it ever lacked", "more than that"],
)  # fmt: skip
def test_whole_history_may_lack_few_figures(missing: int, deleted: int, reasons: int) -> None:
    night = pd.DataFrame({"kind": "deleted", "as_of": [pd.Timestamp("2024-01-31")] * deleted})
    rows = KNOWN.drop(index=KNOWN.index[1 : missing + 1])
    found = judge(rows, KNOWN, night.reindex(columns=list(REVISIONS.columns)), complete=True)
    assert len(found.held) == reasons


@pytest.mark.parametrize(
    ("figures", "odd", "reasons"), [(50, 1, 1), (50, 2, 0), (30, 0, 1), (28, 0, 0)],
    ids=["nearly all", "too many others", "thirty", "too few"],
)  # fmt: skip
def test_rounding_is_seen_in_thirty_figures(figures: int, odd: int, reasons: int) -> None:
    known = put(flat(35.0, figures // 2), [35.5] * odd)
    rows = known.tail(1).assign(obs_value=36.5)
    assert len(held(rows, known)) == reasons


@pytest.mark.parametrize(
    ("figures", "persons", "reasons"), [(2, 20.0, 1), (1, 20.0, 0), (2, 19.0, 0)], ids=["two", "one", "of too few"]
)
def test_exchanged_figures_need_twenty_persons(figures: int, persons: float, reasons: int) -> None:
    known = put(flat(31.0), [persons] * figures)
    rows = put(put(known, [31.0] * figures), [persons] * figures, "MLT")
    found = held(rows, known)
    assert len(found) == reasons
    assert all("have exchanged their figures" in one for one in found)


@pytest.mark.parametrize(("persons", "reasons"), [(5010.0, 0), (5011.0, 1)])
def test_new_figure_may_reach_ten_times_record(persons: float, reasons: int) -> None:
    known = flat(501.0, 24)
    rows = known.tail(1).assign(time_period="2017-01", obs_value=persons)
    found = held(rows, known)
    assert len(found) == reasons
    assert all("2017-01 is 5,011, more than 10 times the highest figure known before (501)" in one for one in found)
