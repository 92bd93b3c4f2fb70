"""What each rule of the ensemble is worth: ``python -m benchmarks.ablation --write`` (files under VIGIE_RAW_DATA).

The members of each panel are forecast once; then they are combined by the whole recipe, and by the recipe without one
of its rules. A ratio above 1 is what leaving the rule out costs.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd

from benchmarks.nowcast import SERIES as DAILY
from benchmarks.routes import HORIZONS, dense_parts
from benchmarks.shared import Section, engine, page_command, published_files, report, table
from core import FloatArray
from core.calendar import Frequency, to_period
from core.log import silent
from core.settings import DEMONSTRATION_DATE, PROJECT, load_settings
from forecasting import BOTTOM_UP, ENSEMBLE, STRUCTURAL, BoolArray, ensemble
from forecasting.ensemble import combine
from forecasting.members import Request, members_at
from forecasting.models import POOLED_MODELS
from forecasting.panel import Panel, panel_from_observations
from forecasting.pooled import past_origins
from forecasting.quantiles import QuantileTable, to_matrix
from forecasting.verification import observed_at, wis
from forecasting.verification.verdict import ratio_interval
from ingest import read_raw
from ingest.sources import SOURCES
from nightly import RealTimeData
from nightly.forecasts import make_forecasts
from nightly.pooled import bundled_history, pooled_night, priors_from
from store.figures import VintageStore
from store.releases.caches import BacktestStore, FitStore

PAGE = PROJECT / "docs" / "method.md"
AHEAD: Mapping[Frequency, tuple[int, ...]] = {"W": (1, 2, 4, 8), "M": HORIZONS}
ORIGINS = 60
LARGEST = 15
"""Series of a panel that is drawn from others."""
_EUROSTAT = "eurostat_asylum/georgeblck"


@dataclass(frozen=True)
class Published:
    """A panel of published counts: the series with a value in each of the last ``periods`` up to ``end``.

    Of a figure in several ``files``, by source, the last one counts. Days are summed to periods of ``freq``.
    """

    files: Mapping[str, tuple[str, ...]]
    target: str
    end: str
    periods: int
    freq: Frequency = "M"
    counted_by: Frequency = "M"

    def panel(self, raw_data: Path) -> Panel:
        """At most :data:`LARGEST` of its series, drawn at random."""
        parsed = [
            SOURCES[source_id].parse(read_raw(raw_data / name)).observations
            for source_id, names in self.files.items()
            for name in names
        ]
        rows = pd.concat([one.sort_values("as_of") for one in parsed], ignore_index=True)
        newest = rows.drop_duplicates(["series_id", "time_period"], keep="last")
        whole = panel_from_observations(newest, self.target, self.counted_by).added_up(self.freq)
        known = whole.matrix.loc[: to_period(self.end, self.freq)].iloc[-self.periods :]
        usable = known.columns[known.notna().all() & (known.mean() > 1)]
        drawn = sorted(np.random.default_rng(1).permutation(usable)[:LARGEST])
        return Panel(self.freq, known[drawn], whole.groups.loc[drawn])


PUBLISHED = {
    "asylum": Published(
        {
            "eurostat": (
                f"{_EUROSTAT}/migr_asyctzm_1_Data.csv",
                f"{_EUROSTAT}/migr_asyappctzm__custom_39520_20201006_200227.tsv",
            )
        },
        "asylum_applications", "2019-12", 96,
    ),
    "displacement": Published({"idmc": ("idmc_monthly/Hist.csv",)}, "new_displacement", "2024-06", 60),
    "weeks": Published(
        {source_id: (file,) for source_id, file in reversed(DAILY.values())}, "arrivals", "2025-W35", 312, "W", "D"
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Members:
    """Forecasts of a panel's members, and the origins that are scored, periods × series."""

    panel: Panel
    table: QuantileTable
    scored: BoolArray
    horizons: tuple[int, ...]


@dataclass(frozen=True)
class Rule:
    """A rule, what it is for, the members that it brings in, and what switches it off."""

    name: str
    purpose: str
    members: tuple[str, ...] = ()
    off: Callable[[], AbstractContextManager[object]] = nullcontext


def _off(module: object, **values: object) -> Callable[[], AbstractContextManager[object]]:
    return partial(patch.multiple, module, **values)


RULES = (
    Rule("structural model", "each series' own level and season", (STRUCTURAL,)),
    Rule("pooled model", "what many series have in common", tuple(POOLED_MODELS)),
    Rule("sum of parts", "what nationalities say of their total", (BOTTOM_UP,)),
    Rule("spread and tails", "intervals as wide as outcomes were", off=_off(ensemble, FACTORS=np.ones(1))),
    Rule("shrunk widenings", "few outcomes a year ahead do not overlap", off=_off(ensemble, SHRINKAGE=0.0)),
    Rule("at most 5 × the record", "no endless tails", off=_off(ensemble, MOST_RECORDS=np.inf)),
)


def of_routes(home: Path) -> Members:
    """The members of a release from the bundled figures at its past origins."""
    night = [sys.executable, "-m", "cli", "nightly", "--home", str(home), "--as-of", str(DEMONSTRATION_DATE)]
    subprocess.run(night, check=True, stdout=subprocess.DEVNULL)  # noqa: S603  # our own command
    settings = load_settings(home)
    history = VintageStore(home).history(exclude_sources=settings.exclude_sources)
    data = RealTimeData(history, DEMONSTRATION_DATE, settings.oldest_origin_months, settings.backtest_origins)
    pooled, _unable = pooled_night(data, home, settings, None)
    made = make_forecasts(data, settings, BacktestStore(home), silent, None, pooled).hindcasts
    members = to_matrix(made[made["model_id"] != ENSEMBLE])
    return Members(data.panel, members, np.ones(data.panel.matrix.shape, dtype=bool), AHEAD["M"])


def of_panel(panel: Panel, home: Path, column: str | None = None) -> Members:
    """The members of a panel, or of its totals, at its last origins and those that they learn from."""
    request = Request.of(panel, column, [ENSEMBLE], AHEAD[panel.freq])
    priors = priors_from(bundled_history) if panel.freq in {"M", "Q"} and column is None else None
    request = replace(request, fits=FitStore(home), priors=priors)
    wanted = [past_origins(level, origins=ORIGINS, step=1) for level in request.levels]
    tables = members_at(request, wanted)[0]
    return Members(request.levels[-1], tables[-1], wanted[-1], AHEAD[panel.freq])


def losses(members: Members, table: QuantileTable) -> pd.DataFrame:
    """Sums of the ensemble's WIS on log1p scale and on counts, ``log`` and ``natural``, by horizon and origin."""
    made = combine(table, members.panel).forecasts
    row, column = members.panel.places(made.keys["origin_date"], made.keys["series_id"])
    observed = observed_at(made.keys, members.panel)
    used = members.scored[row, column] & made.keys["horizon"].isin(members.horizons).to_numpy() & np.isfinite(observed)
    keys, own, observed = made.keys[used], made.quantiles[used], observed[used]
    scores = keys.assign(log=wis(np.log1p(observed), np.log1p(own)), natural=wis(observed, own))
    return scores.groupby(["horizon", "origin_date"])[["log", "natural"]].sum()


def cost(members: Members, rule: Rule) -> dict[str, str]:
    """By scale the score without a rule over that of the whole recipe, with its 90 % interval over origins."""
    whole = losses(members, members.table)
    kept = members.table.where(~members.table.keys["model_id"].isin(rule.members).to_numpy())
    with rule.off():
        without = losses(members, kept)
    found = {}
    for scale in ("log", "natural"):
        own, reference = (
            _by_origin(one[scale] / whole[scale].groupby("horizon").transform("sum")) for one in (without, whole)
        )
        ratio = ratio_interval(own, reference, horizon=max(members.horizons))
        span = "" if np.isnan(ratio.low) else f" [{ratio.low:.3f}–{ratio.high:.3f}]"
        found[scale] = f"{ratio.ratio:.3f}{span}"
    return found


def _by_origin(shares: pd.Series) -> FloatArray:
    """Sum over horizons, each of which weighs the same, in order of time."""
    return shares.groupby("origin_date").sum().sort_index().to_numpy(dtype=float)


def section(_options: argparse.Namespace) -> Section:
    """Forecast each panel's members and combine them with every rule left out in turn."""
    raw_data = published_files()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        parts = dense_parts(raw_data)
        largest = parts.matrix.sum().nlargest(LARGEST).index
        panels: Mapping[str, Callable[[], Members]] = {
            "five routes": partial(of_routes, home / "routes"),
            "Frontex routes": partial(of_panel, parts, home, "route_id"),
            "nationalities": partial(of_panel, parts.select(sorted(largest)), home),
            **{name: partial(of_panel, one.panel(raw_data), home) for name, one in PUBLISHED.items()},
        }
        costs = {}
        for name, make in panels.items():
            report(name)
            members = make()
            costs[name] = {rule.name: cost(members, rule) for rule in RULES}
    made_by = "Made by `python -m benchmarks.ablation --write`; in brackets 90 % over origins."
    lines = [engine(), made_by]
    for scale, words in (("log", "WIS on log1p scale"), ("natural", "WIS on counts")):
        rows = [(rule.name, rule.purpose, *(costs[name][rule.name][scale] for name in costs)) for rule in RULES]
        lines += ["", f"{words} without the rule over that of the whole recipe:", ""]
        lines += table(" | ".join(["without", "purpose", *costs]), rows)
    return lines, True


if __name__ == "__main__":
    sys.exit(page_command(PAGE, "What each rule is worth", section))
