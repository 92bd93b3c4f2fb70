"""``vigie backtest``, ``vigie forecast`` and ``vigie score``: forecast the series of a panel file, and score them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cli import VAR, Home
from core.calendar import Frequency
from core.errors import InputError, first_line
from core.log import counted, get_logger, progress_bar
from core.settings import home_folder, load_settings

if TYPE_CHECKING:
    import pandas as pd

    from forecasting.runs import Made

_MOST_NAMED = 5

Panel = Annotated[
    Path,
    typer.Option(
        "--panel", help="CSV or Parquet file: series_id, time_period, value (or unique_id, ds, y) and grouping columns."
    ),
]
Freq = Annotated[
    Frequency | None,
    typer.Option("--freq", help="Frequency of a panel whose periods are dates; inferred from the dates by default."),
]
Out = Annotated[
    Path, typer.Option("--out", help="Output file: .parquet, .csv or .ndjson; '-' writes CSV to standard output.")
]
Models = Annotated[str, typer.Option("--models", help="Comma-separated models: ensemble,baseline,snaive,ets,…")]
Totals = Annotated[str | None, typer.Option("--totals", metavar="COLUMN", help="Include the sums by this column.")]


Engine = Literal["local", "dask", "ray", "spark"]
"""Where the fits run: on this machine, or through Fugue on a cluster."""
HubColumns = Annotated[bool, typer.Option("--hub", help="Write only the columns of hubverse's model output.")]
RunsOn = Annotated[
    Engine, typer.Option("--engine", help="Where fits run; a cluster needs the packages of requirements/<engine>.txt.")
]


def backtest(  # noqa: PLR0913, PLR0917  # one parameter per documented option
    panel: Panel,
    out: Out,
    origins: Annotated[int, typer.Option("--origins", min=1, help="Number of past origins.")] = 60,
    step: Annotated[int, typer.Option("--step", min=1, help="Periods between origins.")] = 1,
    horizons: Annotated[str, typer.Option("--horizons", help="Comma-separated numbers of periods ahead.")] = "1,3,6,12",
    models: Models = "ensemble,baseline",
    totals: Totals = None,
    freq: Freq = None,
    engine: RunsOn = "local",
    hub: HubColumns = False,
    home: Home = VAR,
) -> None:
    """Forecast a panel from past origins, with only the data up to each origin."""
    from forecasting.runs import backtest_file
    from store.export import forecast_kind

    forecast_kind(out)  # refused before the work, not after it
    steps = _horizons(horizons)
    with running(engine, home) as means:
        made = backtest_file(
            panel, origins=origins, step=step, horizons=steps, models=_names(models), totals=totals, freq=freq, **means
        )
    _write(made, out, f"Past forecasts of {panel.name} from {counted(origins, 'origin')} by {models}", strictly_hub=hub)


def forecast(  # noqa: PLR0913, PLR0917  # one parameter per option of the command
    panel: Panel,
    out: Out,
    horizon: Annotated[int, typer.Option("--horizon", min=1, help="Number of periods ahead.")] = 12,
    models: Models = "ensemble,baseline",
    totals: Totals = None,
    freq: Freq = None,
    engine: RunsOn = "local",
    hub: HubColumns = False,
    home: Home = VAR,
) -> None:
    """Forecast a panel from its last period."""
    from forecasting.runs import forecast_file
    from store.export import forecast_kind

    forecast_kind(out)
    with running(engine, home) as means:
        made = forecast_file(panel, horizon=horizon, models=_names(models), totals=totals, freq=freq, **means)
    _write(made, out, f"Forecasts of {panel.name} by {models}", strictly_hub=hub)


def score(
    forecasts: Annotated[
        Path, typer.Option("--forecasts", help="File of 'vigie backtest', or of another team with the same columns.")
    ],
    panel: Panel,
    totals: Totals = None,
    freq: Freq = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Scores of every series: .parquet, .csv or .ndjson.")
    ] = None,
    home: Home = VAR,  # noqa: ARG001  # every command takes a home
) -> None:
    """Score past forecasts of a panel: WIS relative to the baseline, and coverage, by model and horizon."""
    from core.schema import ALL
    from forecasting.panel import read_panel
    from forecasting.runs import score as scored
    from store.export import forecast_kind, write_forecasts

    if out is not None:
        forecast_kind(out)
    outcomes = read_panel(panel, freq)
    table = scored(_read_forecasts(forecasts), outcomes, totals)
    means = table[table["series_id"] == ALL].set_index(["model_id", "horizon", "n"])
    columns = {scale: means.loc[means["scale"] == scale, "relative_wis"] for scale in ("log", "natural")}
    shares = means.loc[means["scale"] == "log", ["coverage_50", "coverage_80", "coverage_95"]]
    shown = shares.assign(**{f"relative_wis_{scale}": ratio for scale, ratio in columns.items()})
    shown = shown[[*(f"relative_wis_{scale}" for scale in columns), *shares.columns]].reset_index()
    typer.echo(shown.to_string(index=False, float_format="{:.3f}".format))
    if out is not None:
        title = f"Scores of {forecasts.name} against {panel.name}"
        rows, beside = write_forecasts([table], "\n".join([title, "", *outcomes.lines()]) + "\n", out)
        typer.echo(f"{counted(rows, 'row')} written to {out}; how the panel was read: {beside}")
    typer.echo("\n".join(f"  {line}" for line in outcomes.lines(_MOST_NAMED)))


def _read_forecasts(path: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        if path.suffix == ".csv":
            return pd.read_csv(path, dtype={"model_id": str, "series_id": str}, keep_default_na=False)
        if path.suffix == ".ndjson":
            return pd.read_json(path, lines=True, dtype={"model_id": str, "series_id": str})
        return pd.read_parquet(path)
    except (ValueError, OSError) as error:
        raise InputError(f"--forecasts {path.name}: {first_line(error)[:200]}") from None


@contextmanager
def running(engine: Engine, home: Path | None) -> Iterator[dict[str, Any]]:
    """Workers on an engine, the fits of a home folder, priors for small panels, and a progress bar."""
    from forecasting.distributed import workers_of
    from nightly.pooled import bundled_history, priors_from
    from store.releases.caches import FitStore

    folder = home_folder(home)
    priors = priors_from(bundled_history) if load_settings(folder).pooled_model else None
    with progress_bar() as progress, workers_of(engine) as workers:
        yield {"workers": workers, "progress": progress, "fits": FitStore(folder), "priors": priors}


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _horizons(text: str) -> list[int]:
    try:
        steps = sorted({int(part) for part in _names(text)})
    except ValueError:
        steps = []
    if not steps or steps[0] < 1:
        raise InputError(f"--horizons {text}: write whole numbers of periods ahead, such as 1,3,6,12")
    return steps


def _reported(blocks: Iterator[pd.DataFrame], count: int) -> Iterator[pd.DataFrame]:
    """The blocks as they are written, with a bar of their own."""
    with progress_bar() as progress:
        for place, block in enumerate(blocks):
            yield block
            progress("Writing", place + 1, count)


def _write(made: Made, out: Path, title: str, *, strictly_hub: bool) -> None:
    import pandas as pd

    from forecasting.quantiles import BLOCK, KEYS, QuantileTable, row_blocks
    from store.export import write_forecasts

    about = "\n".join([title, "", *made.lines(), "", *made.account]).rstrip() + "\n"
    keys = made.table.keys
    if strictly_hub:
        keys = keys[KEYS]
    else:
        today = pd.Timestamp(dt.datetime.now(dt.UTC).date())  # on which all of the panel is known
        keys = keys.join(made.counted, on="series_id").assign(as_of=today)
    # Repeated for every quantile, places in a list of texts are handled several times faster than texts.
    keys = keys.astype(dict.fromkeys(keys.select_dtypes("object"), "category"))
    blocks = _reported(row_blocks(QuantileTable(keys, made.table.quantiles)), -(-len(keys) // BLOCK))
    rows, beside = write_forecasts(blocks, about, out)
    lines = made.lines(names=_MOST_NAMED)
    written = f"{counted(rows, 'row')} of {made.series:,} series written to"
    if str(out) == "-":
        text = "; ".join([f"{written} standard output", *lines])
        get_logger().info("written", text=text, rows=rows, series=made.series, to_be_known=lines)
        return
    typer.echo("\n".join([f"{written} {out}", *(f"  {line}" for line in lines)]))
    typer.echo(f"What must be known about them: {beside}")
