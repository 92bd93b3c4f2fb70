"""Column contracts of every frame that crosses a boundary between rooms.

Each contract is checked once, where the frame enters, by :func:`check`. Columns are named in SDMX and hubverse terms.
"""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaError as BrokenColumn
from pandera.errors import SchemaErrors

from core.aggregates import refuse_person_level
from core.calendar import FREQUENCIES
from core.errors import SchemaError

ALL = "_T"
"""SDMX code for a total: all citizenships, or all places of a route."""
NOT_APPLICABLE = "_Z"
"""SDMX code where a dimension does not apply, such as the route of a price."""

TARGETS = ("arrivals", "detections", "asylum_applications", "temporary_protection")
"""What is counted and may be forecast. Any other ``target`` is an indicator: context, never forecast."""


def _text(*, nullable: bool = False, checks: list[pa.Check] | None = None) -> pa.Column:
    return pa.Column(str, nullable=nullable, checks=checks)


_DATE = "datetime64[ns]"

OBSERVATIONS = pa.DataFrameSchema(
    {
        "source_id": _text(),
        "series_id": _text(),
        "target": _text(),
        "route_id": _text(),
        "geo": _text(),
        "citizen": _text(),
        "freq": _text(checks=[pa.Check.isin(FREQUENCIES)]),
        "time_period": _text(),
        "obs_value": pa.Column(float, nullable=False),
        "obs_flag": _text(),
        "as_of": pa.Column(_DATE),
        "as_of_estimated": pa.Column(bool),
    },
    unique=["source_id", "series_id", "time_period", "as_of"],
    name="observations",
)
"""What a source published, one row per figure and date of knowledge.

``obs_flag``: '' normal, 'p' provisional, 'e' estimated, 'b' break in series. ``as_of``: first day on which the value
was known; ``as_of_estimated`` says that this day is the period's end plus the source's usual lag.
Counts (``TARGETS``) are never negative; indicators may be.
"""

REJECTED = pa.DataFrameSchema(
    {
        "source_id": _text(),
        "file": _text(),
        "row": _text(),
        "column": _text(),
        "rule": _text(),
        "record": _text(),
    },
    name="rejected rows",
)
"""Rows a parser set aside: where they stood, the rule they broke, and the record itself as text."""

PANEL = pa.DataFrameSchema(
    {"series_id": _text(), "time_period": _text(), "value": pa.Column(float, pa.Check.ge(0), nullable=True)},
    unique=["series_id", "time_period"],
    name="panel",
)
"""Input of the forecast engine: one frequency, any series; further columns are groupings."""

FORECASTS = pa.DataFrameSchema(
    {
        "model_id": _text(),
        "series_id": _text(),
        "origin_date": pa.Column(_DATE),
        "horizon": pa.Column(int, pa.Check.ge(1)),
        "target_end_date": pa.Column(_DATE),
        "output_type": _text(checks=[pa.Check.isin(("quantile", "median"))]),
        "output_type_id": pa.Column(float, [pa.Check.gt(0), pa.Check.lt(1)]),
        "value": pa.Column(float, pa.Check.ge(0)),
    },
    unique=["model_id", "series_id", "origin_date", "horizon", "output_type", "output_type_id"],
    name="forecasts",
)
"""Hubverse quantile table. In a release it also holds ``target`` and ``as_of``; other columns may follow."""

TRAJECTORIES = pa.DataFrameSchema(
    {
        "model_id": _text(),
        "series_id": _text(),
        "origin_date": pa.Column(_DATE),
        "horizon": pa.Column(int, pa.Check.ge(1)),
        "target_end_date": pa.Column(_DATE),
        "output_type": _text(checks=[pa.Check.isin(("sample",))]),
        "output_type_id": pa.Column(int, pa.Check.ge(0)),
        "value": pa.Column(float, pa.Check.ge(0)),
    },
    name="trajectories",
)
"""Joint sample paths: one ``output_type_id`` is one possible future of all series and horizons together."""

NOWCASTS = pa.DataFrameSchema(
    {
        "model_id": _text(),
        "series_id": _text(),
        "route_id": _text(),
        "as_of": pa.Column(_DATE),
        "origin_date": pa.Column(_DATE),
        "target_end_date": pa.Column(_DATE),
        "last_day": pa.Column(_DATE),
        "so_far": pa.Column(float, pa.Check.ge(0)),
        "output_type": _text(checks=[pa.Check.isin(("quantile",))]),
        "output_type_id": pa.Column(float, [pa.Check.gt(0), pa.Check.lt(1)]),
        "value": pa.Column(float, pa.Check.ge(0)),
        "unsharpened": pa.Column(float, pa.Check.ge(0)),
        "relative_wis": pa.Column(float, nullable=True),
        "n": pa.Column(int, pa.Check.ge(0)),
        "used": pa.Column(bool),
    },
    unique=["series_id", "target_end_date", "output_type_id"],
    name="nowcasts",
)
"""The running month of series that are counted by day, at the 23 levels. ``so_far``: persons counted up to and on
``last_day``; ``unsharpened``: the ensemble's quantile without the days; ``relative_wis``: the nowcast's mean WIS (log)
relative to the ensemble's over ``n`` past months on the same day; ``used``: it was better, and took its place."""

REPLAYS = pa.DataFrameSchema(
    {
        "model_id": _text(),
        "series_id": _text(),
        "origin_date": pa.Column(_DATE),
        "horizon": pa.Column(int, pa.Check.ge(1)),
        "target_end_date": pa.Column(_DATE),
        **{name: pa.Column(float, pa.Check.ge(0)) for name in ("q10", "q25", "q50", "q75", "q90")},
        "wis": pa.Column(float, pa.Check.ge(0), nullable=True),
    },
    unique=["model_id", "series_id", "origin_date", "horizon"],
    name="replays",
)
"""Forecasts that every model would have made at past origins, one row each: median and bounds in whole persons, and
its weighted interval score on log1p scale at all 23 levels against what was counted; empty where nothing is yet."""

FIGURES_THEN = pa.DataFrameSchema(
    {
        "series_id": _text(),
        "origin_date": pa.Column(_DATE),
        "time_period": _text(),
        "obs_value": pa.Column(float, nullable=True),
    },
    unique=["series_id", "origin_date", "time_period"],
    name="figures then",
)
"""Figures that a past origin knew otherwise than tonight's release does: the value known then, empty where the period
was not known. What is not listed was known then as it is now."""

SCORES = pa.DataFrameSchema(
    {
        "model_id": _text(),
        "series_id": _text(),
        "horizon": pa.Column(int),
        "scale": _text(checks=[pa.Check.isin(("log", "natural"))]),
        "wis": pa.Column(float, pa.Check.ge(0)),
        "relative_wis": pa.Column(float, nullable=True),
        "coverage_50": pa.Column(float),
        "coverage_80": pa.Column(float),
        "coverage_95": pa.Column(float),
        "n": pa.Column(int, pa.Check.ge(1)),
    },
    unique=["model_id", "series_id", "horizon", "scale"],
    name="scores",
)
"""Mean scores over past origins. ``series_id`` is a series or ``_T`` for all; relative to ``vigie-baseline``."""

ALERTS = pa.DataFrameSchema(
    {
        "alert_id": _text(),
        "rule": _text(),
        "alert_level": _text(checks=[pa.Check.isin(("watch", "warning", "severe"))]),
        "route_id": _text(),
        "series_id": _text(),
        "source_id": _text(),
        "reason": _text(),
        "probability": pa.Column(float, nullable=True),
        "threshold": pa.Column(float, nullable=True),
        "first_period": _text(),
        "last_period": _text(),
        "horizon": pa.Column(int),
        "change": _text(),
        "intended_use": _text(),
    },
    unique=["alert_id"],
    name="alerts",
)
"""One row per alert of a release. ``probability`` and ``threshold`` are empty for stale or revised sources;
``first_period`` is the first month concerned; ``horizon`` is 0 where the matter lies in the past;
``change`` is new, up, down or unchanged since the former release."""

TRACK_RECORD = pa.DataFrameSchema(
    {
        "rule": _text(),
        "level": _text(),
        "route_id": _text(),
        "horizon": pa.Column(int),
        "n_events": pa.Column(int, pa.Check.ge(0)),
        **{
            name + suffix: pa.Column(float, nullable=True)
            for name in ("precision", "recall", "false_alarms_per_route_year", "lead_months_median", "auc")
            for suffix in ("", "_lo", "_hi")
        },
    },
    name="track record",
)
"""How often a rule was right at past origins, with block-bootstrap intervals (``_lo``, ``_hi``: 90 %)."""

REVISIONS = pa.DataFrameSchema(
    {
        "source_id": _text(),
        "series_id": _text(),
        "time_period": _text(),
        "target": _text(),
        "route_id": _text(),
        "geo": _text(),
        "citizen": _text(),
        "freq": _text(checks=[pa.Check.isin(FREQUENCIES)]),
        "as_of": pa.Column(_DATE),
        "kind": _text(checks=[pa.Check.isin(("added", "changed", "deleted"))]),
        "before": pa.Column(float, nullable=True),
        "after": pa.Column(float, nullable=True),
        "change": pa.Column(float),
        "share": pa.Column(float, nullable=True),
        "usual": pa.Column(float, nullable=True, required=False),
    },
    unique=["source_id", "series_id", "time_period", "as_of"],
    name="revisions",
)
"""What a source changed about periods it had published before. ``added``: a figure where there was none although that
period or a later one of the same target was known; ``deleted``: a figure that a complete edition no longer holds.
``change``: after less before, none counted as 0; ``share``: that relative to the former figure (to one where it is
below one), empty where there was none; ``as_of``: day on which the new state was known; ``usual``, in a release: the
share up to which the source's other revisions usually go (:mod:`alerts.usual`)."""

EXPLANATIONS = pa.DataFrameSchema(
    {
        "model_id": _text(),
        "series_id": _text(),
        "origin_date": pa.Column(_DATE),
        "previous_origin_date": pa.Column(_DATE),
        "horizon": pa.Column(int, pa.Check.ge(1)),
        "target_end_date": pa.Column(_DATE),
        "link": pa.Column(int, pa.Check.ge(0)),
        "component": _text(),
        "log_change": pa.Column(float, nullable=False),
        "change": pa.Column(float, nullable=False),
        "value": pa.Column(float, nullable=False),
        "outcome": pa.Column(float, pa.Check.ge(0)),
        "outcome_expected": pa.Column(float, pa.Check.ge(0)),
    },
    unique=["model_id", "series_id", "origin_date", "horizon", "component"],
    name="explanations",
)
"""What moved a forecast's median since the origin before, as a chain: ``link`` 0 is the former forecast at the same
distance, each further one moves it by ``change`` (persons; ``log_change`` on log1p scale) to ``value``; the last value
is the forecast's median. ``outcome`` is the newest count and ``outcome_expected`` what was expected of it."""

DRIVER_TESTS = pa.DataFrameSchema(
    {
        "driver": _text(),
        "series_id": _text(),
        "horizon": pa.Column(int, pa.Check.ge(1)),
        "scale": _text(checks=[pa.Check.isin(("log", "natural"))]),
        **{
            name + suffix: pa.Column(float, nullable=True)
            for name in ("ratio", "shifted", "missing")
            for suffix in ("", "_lo", "_hi")
        },
        "p_value": pa.Column(float, nullable=True),
        "p_holm": pa.Column(float, nullable=True),
        "n": pa.Column(int, pa.Check.ge(1)),
        "verdict": _text(checks=[pa.Check.isin(("evidence", "no evidence", "makes it worse"))]),
    },
    unique=["driver", "series_id", "horizon", "scale"],
    name="driver tests",
)
"""Whether a driver helps the pooled model: its score with the driver over the score without (``ratio``), with the
driver shifted in time (``shifted``) and with a constant that has its gaps (``missing``), with 90 % block-bootstrap
intervals. ``series_id`` is a total of the panel tested, ``_T`` for all of them, ``_parts`` for their parts together."""

FRESHNESS = pa.DataFrameSchema(
    {
        "source_id": _text(),
        "last_period": _text(),
        "last_as_of": pa.Column(_DATE),
        "age_days": pa.Column(int),
        "expected_days": pa.Column(int),
        "state": _text(checks=[pa.Check.isin(("fresh", "due", "overdue", "delinquent"))]),
        "next_expected": pa.Column(_DATE, required=False),
        "learned_from": pa.Column(int, pa.Check.ge(0), required=False),
    },
    unique=["source_id"],
    name="freshness",
)
"""How old each source's newest figure is on the night, against its usual rhythm. ``next_expected``: day by which the
period after the newest is usually known; ``learned_from``: past periods whose day of publication is on record and from
which the rhythm was learned, 0 where the catalogue's is taken."""

DELAYS = pa.DataFrameSchema(
    {
        "source_id": _text(),
        "target": _text(),
        "freq": _text(checks=[pa.Check.isin(FREQUENCIES)]),
        "days": pa.Column(int),
        "share": pa.Column(float, [pa.Check.ge(0), pa.Check.le(1)]),
        "periods": pa.Column(int, pa.Check.ge(1)),
    },
    unique=["source_id", "target", "freq", "days"],
    name="delays",
)
"""Delay profile of a source: mean share of a period's figures that were known so many ``days`` after its end, over the
``periods`` whose publication is on record."""

REPORTING = pa.DataFrameSchema(
    {
        "source_id": _text(),
        "target": _text(),
        "freq": _text(checks=[pa.Check.isin(FREQUENCIES)]),
        "time_period": _text(),
        "reported": pa.Column(int, pa.Check.ge(0)),
        "expected": pa.Column(int, pa.Check.ge(1)),
        "total": pa.Column(float),
        "provisional": pa.Column(bool),
    },
    unique=["source_id", "target", "freq", "time_period"],
    name="reporting",
)
"""Sums over the countries of a source and how many of them have ``reported`` a period, of those ``expected``: the ones
that reported any of the twelve periods before. ``provisional``: some have not, or a figure is provisional."""

FRESHNESS_CHANGES = pa.DataFrameSchema(
    {
        "source_id": _text(),
        "before": _text(),
        "after": _text(),
        "last_period": _text(),
    },
    unique=["source_id"],
    name="freshness changes",
)
"""Sources whose freshness is another than in the release before."""


LARGE = 20_000
"""Rows from which on a frame is first checked by its distinct values, which is several times faster."""


def check(frame: pd.DataFrame, contract: pa.DataFrameSchema) -> pd.DataFrame:
    """Return ``frame`` if it keeps the contract.

    Raises:
        SchemaError: Columns are missing, or values break a rule; the text lists up to five of them.
    """
    refuse_person_level(frame.columns, str(contract.name))
    missing = [name for name, column in contract.columns.items() if column.required and name not in frame.columns]
    if missing:
        raise SchemaError(f"{contract.name}: missing columns {missing}; found {list(frame.columns)}")
    if len(frame) >= LARGE and _keeps(frame, contract):
        return frame
    try:
        return contract.validate(frame, lazy=True)
    except SchemaErrors as errors:
        raise SchemaError(f"{contract.name}: {_describe(errors.failure_cases)}") from None


def _keeps(frame: pd.DataFrame, contract: pa.DataFrameSchema) -> bool:
    """Whether a large frame keeps a contract, told from each column's distinct values: all checks are by value."""
    try:
        for name in frame.columns.intersection(list(contract.columns)):
            contract.columns[name].validate(frame[[name]].drop_duplicates())
    except BrokenColumn:
        return False
    return not (contract.unique and frame.duplicated(contract.unique).any())


def _describe(cases: pd.DataFrame) -> str:
    texts = [
        f"row {case['index']}, column {case['column']}: {case['check']} (found {case['failure_case']})"
        for case in cases.head(5).to_dict("records")
    ]
    more = f"; and {len(cases) - 5} more" if len(cases) > 5 else ""
    return "; ".join(texts) + more


def make_series_id(target: str, route_id: str, geo: str, citizen: str, freq: str) -> str:
    """Name a series: ``arrivals.CMR._T._T.M`` is monthly arrivals on a route, all places, all citizenships."""
    return ".".join((target, route_id, geo, citizen, freq))
