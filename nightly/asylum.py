"""Asylum applications: forecasts by country of destination, and their largest corridors where citizenship is known.

Every dataset is forecast whose newest figures are recent enough: first-time and all applications by month, and the
quarterly sums of first-time ones, which reach further in the bundled figures. Past forecasts are made from the figures
as they are known tonight, cut at each origin: Eurostat keeps no past editions.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from core.calendar import Frequency, last_complete_period, to_period
from core.errors import InputError, Message, message
from core.languages import marked as _
from core.log import counted
from core.release import FORECASTS, RELEASE, YEAR_AHEAD
from core.schema import ALL, NOT_APPLICABLE, check, concat_filled, make_series_id
from forecasting import BASELINE, ENSEMBLE
from forecasting.panel import Panel, panel_from_observations
from forecasting.quantiles import to_matrix, to_rows
from forecasting.reconcile import reconcile
from forecasting.verification import summarise
from forecasting.year_ahead import reach_of, year_ahead
from nightly import OK, TOO_OLD
from nightly.forecasts import PanelEngine, of_model
from nightly.pooled import TOTAL
from nightly.tables import hindcast_table

SOURCE_ID = "eurostat"
FEWEST_DESTINATIONS = 5
FEWEST_VALUES = 24
TOO_SHORT = "too_short"
MOST_ORIGINS = 24
"""Past origins of a dataset."""


@dataclass(frozen=True)
class Dataset:
    """One kind of count at one frequency, and how it is forecast.

    Attributes:
        target: What is counted.
        freq: How often.
        oldest: Complete periods beyond which a country's newest figure is too old for a forecast of the present.
        horizons: Periods ahead.
    """

    target: str
    freq: Frequency
    oldest: int
    horizons: Sequence[int]

    def rows(self, known: pd.DataFrame) -> pd.DataFrame:
        """Observations of the dataset by country of destination."""
        rows = known[(known["target"] == self.target) & (known["freq"] == self.freq)]
        return rows[rows["geo"].str.fullmatch("[A-Z]{3}")]


DATASETS = (
    Dataset("asylum_applications_first", "M", 6, range(1, 13)),
    Dataset("asylum_applications", "M", 6, range(1, 13)),
    Dataset("asylum_applications_first", "Q", 2, range(1, 5)),
)
_ENDS = {
    ("asylum_applications", "M"): _("monthly asylum applications end in {period}"),
    ("asylum_applications_first", "M"): _("monthly asylum applications first end in {period}"),
    ("asylum_applications_first", "Q"): _("quarterly asylum applications first end in {period}"),
}
OF_THE_YEAR = "asylum_applications_first"
"""What is totalled over the year ahead."""
LARGEST_CORRIDORS = 20
FEWEST_PERIODS = 36
RECENT = 24
"""Periods by whose sum corridors are chosen."""
REST = "rest"
STATES = RELEASE["asylum_series"]


@dataclass(frozen=True)
class Asylum:
    """What a night says about asylum applications.

    Attributes:
        frames: ``asylum_series`` (state of every series), ``asylum_forecasts`` (``FORECASTS`` with ``target``,
            ``freq``, ``geo``, ``citizen``, ``as_of``), ``asylum_replays`` (``REPLAYS``) and ``asylum_scores``
            (``SCORES``; all destinations together are the series of geo ``_T``).
        hindcasts: Quantile rows of ensemble and baseline at past origins, by country of destination.
        year_ahead: Totals of first-time applications by country (``core.release.YEAR_AHEAD``), by month where they are
            forecast by month, else by quarter.
        degraded: One record where nothing could be forecast.
    """

    frames: Mapping[str, pd.DataFrame]
    hindcasts: pd.DataFrame
    year_ahead: pd.DataFrame
    degraded: list[dict[str, str]]


def forecast_asylum(known: pd.DataFrame, as_of: dt.date, engine: PanelEngine) -> Asylum:
    """Forecast every dataset that is recent enough."""
    states, made = [], []
    for dataset in DATASETS:
        rows = dataset.rows(known)
        state = destination_states(rows, dataset, as_of)
        states.append(state)
        fine = state.loc[state["state"] == OK, "series_id"]
        if len(fine) >= FEWEST_DESTINATIONS:
            made.append(_forecast_dataset(dataset, rows, list(fine), engine))
    frames = {"asylum_series": concat_filled(states, RELEASE["asylum_series"].empty())}
    for name in ("asylum_forecasts", "asylum_replays", "asylum_scores"):
        frames[name] = concat_filled([one[name] for one in made], RELEASE[name].empty())
    if made:
        frames["asylum_forecasts"] = check(frames["asylum_forecasts"], FORECASTS).assign(as_of=pd.Timestamp(as_of))
    return Asylum(
        frames,
        concat_filled([one["hindcasts"] for one in made], RELEASE["backtest"].empty()),
        _by_country([one["year_ahead"] for one in made]),
        [] if made else [why_not(states).record(SOURCE_ID)],
    )


def destination_states(rows: pd.DataFrame, dataset: Dataset, as_of: dt.date) -> pd.DataFrame:
    """Which countries of destination can be forecast: one row each, columns of ``STATES``."""
    totals = rows[rows["citizen"] == ALL]
    out: list[tuple[object, ...]] = []
    for series_id, own in totals.groupby("series_id", sort=True):
        last = to_period(str(own["time_period"].max()), dataset.freq)
        old = (last_complete_period(as_of, dataset.freq) - last).n > dataset.oldest
        state = TOO_OLD if old else (TOO_SHORT if len(own) < FEWEST_VALUES else OK)
        notes = {
            TOO_OLD: f"Figures end in {own['time_period'].max()}.",
            TOO_SHORT: f"Only {counted(len(own), 'figure')}.",
            OK: "",
        }
        place, until, end = own["geo"].iloc[0], own["time_period"].max(), last.end_time.normalize()
        out.append((series_id, dataset.target, dataset.freq, place, ALL, state, until, end, notes[state]))
    return pd.DataFrame(out, columns=list(STATES.columns)).astype({"origin_date": "datetime64[ns]"})


def why_not(states: Sequence[pd.DataFrame]) -> Message:
    """Why nothing is forecast, in one sentence."""
    filled = [one for one in states if len(one)]
    if not filled:
        return message(_("no asylum applications were known on this date"))
    if any((one["state"] != TOO_OLD).any() for one in filled):
        most = max(int((one["state"] == OK).sum()) for one in filled)
        text = _("too few countries for a forecast of asylum applications: {n}, at least {fewest} are needed")
        return message(text, n=most, fewest=FEWEST_DESTINATIONS)
    ends = [
        message(_ENDS[one["target"].iloc[0], one["freq"].iloc[0]], period=one["last_period"].max()) for one in filled
    ]
    return message(_("too old for a forecast of asylum applications: {faults}"), faults=ends)


def _forecast_dataset(
    dataset: Dataset, rows: pd.DataFrame, series_ids: list[str], engine: PanelEngine
) -> dict[str, pd.DataFrame]:
    """Forecast one dataset.

    Args:
        dataset: The dataset.
        rows: Its observations.
        series_ids: Countries of destination to forecast.
        engine: What forecasts it.

    Returns:
        ``asylum_forecasts``, ``asylum_replays`` and ``asylum_scores`` as in :class:`Asylum`, without ``as_of``;
        ``hindcasts`` and ``year_ahead``.
    """
    is_totalled = dataset.target == OF_THE_YEAR
    panel = panel_from_observations(rows[rows["series_id"].isin(series_ids)], dataset.target, dataset.freq)
    horizons = range(1, reach_of(panel.periods[0]) + 1) if is_totalled else dataset.horizons
    present, past = engine.forecast(panel, MOST_ORIGINS, horizons, kind=1)
    totals = YEAR_AHEAD.empty()
    if is_totalled:
        newest, earlier = (to_matrix(of_model(made, ENSEMBLE)) for made in (present, past))
        totals = year_ahead(newest, earlier, to_matrix(of_model(past, BASELINE)), panel, together=())
        present, past = (made[made["horizon"].isin(dataset.horizons)] for made in (present, past))
    parts = corridors(rows, panel)
    if parts is not None:
        below, before = engine.forecast(parts, MOST_ORIGINS, dataset.horizons)
        newest, total, earlier = (to_matrix(of_model(made, ENSEMBLE)) for made in (below, present, before))
        agreed = to_rows(reconcile(newest, total, parts, TOTAL, past=earlier))
        named = agreed[parts.groups["citizen"].reindex(agreed["series_id"]).ne("").to_numpy()]
        present = pd.concat([present, named], ignore_index=True)
    facts = rows.drop_duplicates("series_id").set_index("series_id")[["geo", "citizen"]]
    return {
        "asylum_forecasts": present.join(facts, on="series_id").assign(target=dataset.target, freq=dataset.freq),
        "asylum_replays": hindcast_table(past, panel),
        "asylum_scores": _scores(dataset, past, panel),
        "hindcasts": past,
        "year_ahead": totals,
    }


def _scores(dataset: Dataset, past: pd.DataFrame, panel: Panel) -> pd.DataFrame:
    try:
        scores = summarise(past, panel)
    except InputError:
        return pd.DataFrame()
    whole = make_series_id(dataset.target, NOT_APPLICABLE, ALL, ALL, dataset.freq)
    named = scores["series_id"].where(scores["series_id"] != ALL, whole)
    return scores.assign(series_id=named, target=dataset.target, freq=dataset.freq)


def _by_country(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The first totals of each country of destination and window."""
    rows = pd.concat([YEAR_AHEAD.empty(), *parts], ignore_index=True)
    country = rows["series_id"].str.split(".").str[2]
    return rows[~rows.assign(country=country).duplicated(["country", "kind", "first_period"])].reset_index(drop=True)


def corridors(rows: pd.DataFrame, totals: Panel) -> Panel | None:
    """Panel of the largest corridors and of each of their destinations' rest, which together are its total.

    Args:
        rows: Observations of one target and frequency, by country of destination, in all and by citizenship.
        totals: The destinations that are forecast.

    Returns:
        A panel with the groupings ``total`` (the destination's series), ``geo`` and ``citizen`` (empty for a rest), or
        None where no corridor is long enough. A period that does not name a corridor counts zero.
    """
    total_of = dict(zip(totals.groups["geo"], totals.groups.index, strict=True))
    named = rows[(rows["citizen"] != ALL) & rows["geo"].isin(total_of)]
    if named.empty:
        return None
    wide = named.pivot_table(index="time_period", columns=["geo", "citizen"], values="obs_value", aggfunc="last")
    wide.index = pd.PeriodIndex(wide.index, freq=totals.periods.freqstr)
    recent = wide.tail(RECENT).sum().nlargest(LARGEST_CORRIDORS)
    chosen = [pair for pair in recent.index if wide[pair].notna().sum() >= FEWEST_PERIODS and recent[pair] > 0]
    columns: dict[str, pd.Series] = {}
    facts: dict[str, tuple[str, str, str]] = {}
    for geo in dict.fromkeys(pair[0] for pair in chosen):
        total = totals.matrix[total_of[geo]].dropna()
        span = total.index.intersection(wide.index[wide[geo].notna().any(axis=1)])
        if len(span) < FEWEST_PERIODS:
            continue
        citizens = [citizen for place, citizen in chosen if place == geo]
        cells = wide.loc[span, geo].reindex(columns=citizens).fillna(0.0)
        left = pd.Series(total.loc[span].to_numpy() - cells.to_numpy().sum(axis=1), index=span).clip(lower=0.0)
        fields = total_of[geo].split(".")
        for citizen, values in [*cells.items(), ("", left)]:
            name = ".".join([*fields[:3], str(citizen) or REST, *fields[4:]])
            columns[name], facts[name] = values, (total_of[geo], geo, str(citizen))
    if not columns:
        return None
    matrix = pd.DataFrame(columns).rename_axis(columns="series_id").sort_index(axis=1)
    calendar = pd.period_range(matrix.index.min(), matrix.index.max(), freq=totals.periods.freq, name="period")
    groups = pd.DataFrame.from_dict(facts, orient="index", columns=[TOTAL, "geo", "citizen"])
    return Panel(totals.freq, matrix.reindex(calendar), groups.loc[matrix.columns])
