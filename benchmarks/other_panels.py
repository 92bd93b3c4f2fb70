"""The engine on panels that it was not made for, small and short: ``python -m benchmarks.other_panels --write``.

A few series drawn from published counts of other things, places and times than the five routes, forecast as ``vigie
backtest`` would and held against the mean of statsforecast's AutoETS and AutoTheta. The score of one draw of five
series is mostly chance, so each panel is drawn several times, each time from series that were not drawn before; what is
counted in two places only is taken to the end of several years. Files under VIGIE_RAW_DATA.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pandas as pd

from benchmarks.nowcast import SERIES as DAILY
from benchmarks.peers import PEERS, on_scale
from benchmarks.routes import HORIZONS, WORKBOOK
from benchmarks.shared import PAGE, Section, engine, page_command, published_files, table
from core import FloatArray
from core.calendar import Frequency, to_period
from core.progress import progress_bar
from forecasting import ENSEMBLE, LEVELS
from forecasting.members import Request
from forecasting.panel import Panel, panel_from_observations
from forecasting.pooled import Priors
from forecasting.quantiles import QuantileTable
from forecasting.runs import backtest
from forecasting.verification import covered, observed_at, wis
from ingest import read_raw
from ingest.sources import SOURCES
from nightly.pooled import bundled_history, priors_from
from store.releases.caches import FitStore

SEED, DRAWS = 15, 5
COVERAGES = (50, 80, 95)
AHEAD: Mapping[Frequency, tuple[int, ...]] = {"D": (1, 7, 14, 28), "W": (1, 2, 4, 8), "M": HORIZONS, "Q": (1, 2, 4, 6)}
STEP: Mapping[Frequency, int] = {"D": 7, "W": 1, "M": 1, "Q": 1}
"""Periods between origins: days are forecast anew each week."""
SMALL = 5
"""Last values up to which coverage is shown apart."""
SIMULATED = 2_000
"""Number of random panels that measure the part of chance."""
TOGETHER = ("statsforecast AutoETS", "statsforecast AutoTheta")


@dataclass(frozen=True)
class Published:
    """Panels drawn from published counts: some series of those known in all periods up to the end.

    Of a figure in several ``files``, by source, the last one counts; series whose mean is not above ``smallest`` are
    left. What is ``counted_by`` day or month is added up to periods of ``freq``. It is drawn ``draws`` times at most,
    or all its series are taken, to the end and to the same day of so many ``years`` before.
    """

    what: str
    files: Mapping[str, tuple[str, ...]]
    target: str
    end: str
    periods: int
    series: int
    smallest: float = 1.0
    freq: Frequency = "M"
    counted_by: Frequency = "M"
    draws: int = DRAWS
    years: int = 0

    @property
    def akin(self) -> str:
        """How the targets begin that count the same: arrivals on the routes where detections are counted."""
        return {"detections": "arrivals"}.get(self.target, self.target)

    @property
    def origins(self) -> int:
        """Past origins, the newest one period before the end; at the first 13 periods are known, of long ones more."""
        known = 20 if self.freq == "Q" else 36
        return min(self.periods - known, 24) if self.periods > 36 else self.periods - 13


_EUROSTAT = "eurostat_asylum/georgeblck"
_ASYLUM = (f"{_EUROSTAT}/migr_asyctzm_1_Data.csv", f"{_EUROSTAT}/migr_asyappctzm__custom_39520_20201006_200227.tsv")
FRONTEX, ASYLUM = {"frontex": (str(WORKBOOK),)}, {"eurostat": _ASYLUM}
QUARTERS = {"eurostat": ("eurostat_asylum/jjdlg361/panel_quarterly_extended_channels.parquet",)}
CONFLICT = {"ucdp": ("ucdp_country_month/Hist.csv",)}
DISPLACEMENT = {"idmc": ("idmc_monthly/Hist.csv",)}
BY_DAY = {source_id: (file,) for source_id, file in reversed(DAILY.values())}
PANELS = (
    Published("detections (Frontex)", FRONTEX, "detections", "2024-12", 60, 5, 5.0),
    Published("detections (Frontex)", FRONTEX, "detections", "2021-12", 48, 5),
    Published("deaths in armed conflict (UCDP)", CONFLICT, "conflict_deaths", "2023-12", 60, 5),
    Published("internal displacement (IDMC)", DISPLACEMENT, "new_displacement", "2024-06", 60, 5),
    Published("asylum applications (Eurostat)", ASYLUM, "asylum_applications", "2019-12", 60, 5),
    Published("asylum applications through spring 2020", ASYLUM, "asylum_applications", "2020-08", 60, 5),
    Published("asylum applications through 2015 and 2016", ASYLUM, "asylum_applications", "2016-12", 60, 5),
    Published("one country's asylum applications to 2016", ASYLUM, "asylum_applications", "2016-12", 48, 1, draws=20),
    Published("one country's asylum applications to 2019", ASYLUM, "asylum_applications", "2019-12", 48, 1, draws=20),
    Published("two and a half years of detections", FRONTEX, "detections", "2024-12", 30, 5),
    Published("two and a half years of deaths in conflict", CONFLICT, "conflict_deaths", "2023-12", 30, 5),
    Published("two and a half years of displacement", DISPLACEMENT, "new_displacement", "2024-06", 30, 5),
    Published("two and a half years of asylum applications", ASYLUM, "asylum_applications", "2018-12", 30, 5),
    Published("arrivals by day (Italy, the Channel) to August 2019 to 2025", BY_DAY, "arrivals", "2025-08-31", 400, 2,
              freq="D", counted_by="D", years=6),
    Published("arrivals by week (Italy, the Channel), the same", BY_DAY, "arrivals", "2025-W35", 156, 2, freq="W",
              counted_by="D", years=6),
    Published("arrivals by week, the same", BY_DAY, "arrivals", "2025-W35", 104, 2, freq="W", counted_by="D", years=6),
    Published("arrivals by day to February 2019 to 2025", BY_DAY, "arrivals", "2025-02-28", 400, 2, freq="D",
              counted_by="D", years=6),
    Published("arrivals by week to February", BY_DAY, "arrivals", "2025-W09", 156, 2, freq="W", counted_by="D",
              years=6),
    Published("arrivals by week to February", BY_DAY, "arrivals", "2025-W09", 104, 2, freq="W", counted_by="D",
              years=6),
    Published("deaths in armed conflict by quarter", CONFLICT, "conflict_deaths", "2023-Q4", 40, 5, 3.0, "Q"),
    Published("internal displacement by quarter", DISPLACEMENT, "new_displacement", "2024-Q2", 26, 5, 3.0, "Q"),
    Published("first asylum applications by quarter (Eurostat)", QUARTERS, "asylum_applications_first", "2024-Q4", 44,
              5, 3.0, "Q", "Q"),
)  # fmt: skip


def panel_of(published: Published, raw_data: Path) -> Panel:
    """Read all the series that a panel may be drawn from."""
    parsed = [
        SOURCES[source_id].parse(read_raw(raw_data / name)).observations
        for source_id, names in published.files.items()
        for name in names
    ]
    rows = pd.concat([one.sort_values("as_of") for one in parsed], ignore_index=True)
    newest = rows.drop_duplicates(["series_id", "time_period"], keep="last")
    whole = panel_from_observations(newest, published.target, published.counted_by).added_up(published.freq)
    known = whole.matrix.loc[: to_period(published.end, published.freq)].iloc[-published.periods :]
    usable = known.columns[known.notna().all() & (known.mean() > published.smallest)]
    return Panel(published.freq, known[usable], whole.groups.loc[usable])


def panels_of(published: Published, raw_data: Path) -> list[Panel]:
    """The panels that are forecast: draws, or all series to the end of one year after the other."""
    if not published.years:
        return draws_of(panel_of(published, raw_data), published.series, published.draws)
    year, rest = int(published.end[:4]), published.end[4:]
    ends = [f"{one}{rest}" for one in range(year - published.years, year + 1)]
    return [panel_of(replace(published, end=end), raw_data) for end in ends]


def draws_of(whole: Panel, series: int, draws: int = DRAWS) -> list[Panel]:
    """Draw disjoint panels of ``series`` series at random: as many as the series allow, up to ``draws``."""
    mixed = np.random.default_rng(SEED).permutation(whole.series_ids)
    many = max(1, min(draws, len(mixed) // series))
    return [whole.select(sorted(mixed[place * series :][:series])) for place in range(many)]


def own_forecasts(published: Published, panel: Panel, priors: Priors | None, fits: FitStore) -> QuantileTable:
    """The ensemble's at the panel's last origins."""
    request = replace(Request.of(panel, None, [ENSEMBLE], AHEAD[panel.freq]), priors=priors, fits=fits)
    return backtest(request, origins=published.origins, step=STEP[panel.freq]).table.of_model(ENSEMBLE)


def peers_forecasts(keys: pd.DataFrame, panel: Panel, scale: str) -> FloatArray:
    """Quantiles in counts of the peers' mean at the same places, each peer fitted on ``counts`` or on ``log1p``."""
    found, longest = np.empty((len(keys), len(LEVELS))), max(AHEAD[panel.freq])
    for (series_id, origin), rows in keys.groupby(["series_id", "origin_date"]):
        known = panel.until(pd.Timestamp(str(origin))).matrix[[str(series_id)]]
        mean = on_scale(
            lambda *given: np.mean([PEERS[name](*given) for name in TOGETHER], axis=0), scale, known, known, longest
        )
        found[rows.index] = mean[0, rows["horizon"] - 1]
    return found


def scores_of(forecasts: QuantileTable, panel: Panel) -> pd.DataFrame:
    """``log, natural`` scores, ``50, 80, 95`` whether a closed interval held, ``small`` last values, and ``series``."""
    observed = observed_at(forecasts.keys, panel)
    last = panel.matrix.to_numpy()[panel.places(forecasts.keys["origin_date"], forecasts.keys["series_id"])]
    held = covered(observed, forecasts.quantiles)
    natural, log = wis(observed, forecasts.quantiles), wis(np.log1p(observed), np.log1p(forecasts.quantiles))
    shares = {share: held[f"covered_{share}"] for share in COVERAGES}
    scores = pd.DataFrame(shares).assign(natural=natural, log=log, small=last <= SMALL)
    return scores.assign(series=forecasts.keys["series_id"].to_numpy())[np.isfinite(observed)]


def by_chance(series: int, origins: int, freq: Frequency = "M") -> str:
    """What 50/80/95 % intervals hold on so few forecasts where they are right, as a range of nine panels in ten.

    Random walks, forecast by their own distribution: outcomes of one series a year ahead overlap.
    """
    steps = np.random.default_rng(SEED).standard_normal((SIMULATED, series, origins * STEP[freq]))
    walks = np.concatenate([np.zeros((SIMULATED, series, 1)), steps.cumsum(axis=-1)], axis=-1)
    surprise = np.concatenate(
        [np.abs(walks[..., h:] - walks[..., :-h])[..., :: -STEP[freq]] / np.sqrt(h) for h in AHEAD[freq]], axis=-1
    )
    ranges = []
    for percent in COVERAGES:
        held = (surprise <= NormalDist().inv_cdf(0.5 + percent / 200)).mean(axis=(1, 2))
        ranges.append("–".join(f"{end:.2f}" for end in np.quantile(held, (0.05, 0.95))))
    return "/".join(ranges)


def scored(panel: Panel, own: Sequence[QuantileTable]) -> list[pd.DataFrame]:
    """Scores of one's own forecasts, then of the peers' on counts and on log1p, then of one's own others."""
    keys = own[0].keys
    peers = [QuantileTable(keys, peers_forecasts(keys, panel, scale)) for scale in ("counts", "log1p")]
    return [scores_of(forecasts, panel) for forecasts in (own[0], *peers, *own[1:])]


def line_of(published: Published, draws: Sequence[Sequence[pd.DataFrame]]) -> tuple[str, ...]:
    """The row of a panel, drawn once or more; each draw as :func:`scored` gives it.

    There is no prior for days and weeks, so that such panels have but one forecast of their own.
    """
    cells = []
    for name in ("log", "natural"):
        ratios = np.array([[mine[name].mean() / other[name].mean() for other in others] for mine, *others in draws])
        means, ends = np.exp(np.log(ratios).mean(axis=0)), zip(ratios.min(axis=0), ratios.max(axis=0), strict=True)
        ranges = [f" ({low:.2f}–{high:.2f})" if len(draws) > 1 else "" for low, high in ends]
        against = [f"{mean:.3f}{span}" for mean, span in zip(means, ranges, strict=True)][: len(TOGETHER)]
        cells.append(" / ".join([*against, *(f"{mean:.3f}" for mean in means[len(TOGETHER) :])]))
    mine = pd.concat([one[0] for one in draws])
    shares = [
        f"{'/'.join(f'{part[name].mean():.2f}' for name in COVERAGES)} ({len(part)})" if len(part) else "–"
        for part in (mine, mine[mine["small"]])
    ]
    times = f"{len(draws)} × " if len(draws) > 1 else ""
    head = f"{published.what}; {times}{published.series} × {published.periods}, {published.origins} origins"
    series = sum(one[0]["series"].nunique() for one in draws)
    return head, *cells, *shares, by_chance(series, published.origins, published.freq)


def section(_options: argparse.Namespace) -> Section:
    """Forecast every panel with the three priors and hold it against the peers."""
    raw_data, known = published_files(), bundled_history()
    everything = priors_from(lambda: known)
    held_out = {
        akin: priors_from(partial(pd.DataFrame.copy, known[~known["target"].str.startswith(akin)]))
        for akin in {one.akin for one in PANELS}
    }
    rows = []
    with progress_bar() as report, tempfile.TemporaryDirectory() as home:
        fits = FitStore(Path(home))
        for done, published in enumerate(PANELS):
            report("panels", done, len(PANELS))
            taught_by = (everything, held_out[published.akin], None) if published.freq in everything else (None,)
            draws = []
            for panel in panels_of(published, raw_data):
                own = [own_forecasts(published, panel, priors, fits) for priors in taught_by]
                draws.append(scored(panel, own))
            rows.append(line_of(published, draws))
    hold = f"50/80/95 % hold | where the last value ≤ {SMALL} | if exactly right"
    return [engine(), "", *table(f"panel, draws × series × periods | WIS log | WIS natural | {hold}", rows)], True


if __name__ == "__main__":
    sys.exit(page_command(PAGE, "Panels that the engine was not made for", section))
