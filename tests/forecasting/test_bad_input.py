"""Whatever a panel holds, both commands refuse it by file, row, column and rule, or forecast it and say how."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from cli.__main__ import app
from core.errors import InputError
from core.release import FORECASTS
from core.schema import check
from forecasting.ensemble import MOST_RECORDS

from .frames import run_forecast

HEADER = "series_id,time_period,value\n"
COMMANDS = ("backtest", "forecast")
MEGABYTES_20 = 20 * 2**20


def command(name: str, panel: Path, out: Path, *more: str) -> Result:
    return CliRunner().invoke(app, [name, "--panel", str(panel), "--out", str(out), *more])


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a,2020-01,1\na,2020-02,2\na,2020-01,1\n", "row 4, column time_period: this series already has a value"),
        ("a,2020-01,1\n\na,2020-02,-2.5.1\n", "row 4, column value: not a number (found '-2.5.1')"),
        ("a,2020-01,1\na,2020-02,a few\n", "row 3, column value: not a number (found 'a few')"),
        ("a,2020-01,1\na,2020-02,-inf\n", "row 3, column value: infinite (found '-inf')"),
        ("a,2020-01,1\na,2020-02,1e15\n", "row 3, column value: a count is at most 1e+12 (found '1e15')"),
        ("a,2020-01,1\nb,2020-W05,1\n", "row 3, column time_period: '2020-W05' is not a period of frequency M"),
        ("a,2020-01,1\na,9999-12,1\n", "row 3, column time_period: the year of '9999-12' is not between"),
        ("a,2020-01,1\na,2020-02,1,surplus\n", "not a table: Error tokenizing data"),
        ("a,2020-01,1,surplus\na,2020-02,1,surplus\n", "row 2: not a table: rows have more fields than the header"),
        ('a,2020-01,1\n"a,2020-02,1\n', "not a table: Error tokenizing data"),
        ("a,2020-01,\nb,2020-01,-1\n", "row 2, column value: no row has a value: blank value"),
        ("a,2020-01-01,1\na,2020-01-09,1\n", "column time_period: 2 dates from 2020-01-01 to 2020-01-09 do not show"),
    ],
)
def test_broken_row_is_named_and_nothing_is_written(name: str, rows: str, message: str, tmp_path: Path) -> None:
    panel, out = tmp_path / "panel.csv", tmp_path / "out.parquet"
    panel.write_text(HEADER + rows, encoding="utf-8")
    out.write_bytes(b"the former file")
    done = command(name, panel, out)
    assert isinstance(done.exception, InputError)
    assert str(done.exception).startswith("panel.csv")
    assert message in str(done.exception)
    assert out.read_bytes() == b"the former file"
    assert {path.name for path in tmp_path.iterdir()} == {"panel.csv", "out.parquet"}


def rubbish(kind: str) -> bytes:
    random = np.random.default_rng(2)
    if kind == "bytes":
        return random.bytes(MEGABYTES_20)
    if kind == "one line":
        return b"x," * (MEGABYTES_20 // 2)
    if kind == "text":
        printable = np.frombuffer(b"abcdefghij,,;\n 0123456789.\"'", dtype=np.uint8)
        return printable[random.integers(0, len(printable), MEGABYTES_20)].tobytes()
    return HEADER.encode() + b"1,1,x\n" * (MEGABYTES_20 // 6)


@pytest.mark.parametrize(
    ("kind", "name"),
    [("bytes", "backtest"), ("one line", "forecast"), ("text", "backtest"), ("text under a good header", "forecast")],
)
def test_20_megabytes_of_rubbish_are_refused_in_short_sentence(kind: str, name: str, tmp_path: Path) -> None:
    panel = tmp_path / "panel.csv"
    panel.write_bytes(rubbish(kind))
    done = command(name, panel, tmp_path / "out.parquet")
    assert isinstance(done.exception, InputError)
    assert str(done.exception).startswith("panel.csv")
    assert len(str(done.exception)) < 600


MONTHS = 44


def strange_series() -> dict[str, np.ndarray]:
    random = np.random.default_rng(8)
    usual = np.round(200 * np.exp(0.3 * np.sin(np.arange(MONTHS) * np.pi / 6) + 0.2 * random.standard_normal(MONTHS)))
    gaps, jump, late_jump, break_ = usual.copy(), usual.copy(), usual.copy(), usual.copy()
    gaps[5:20:2] = np.nan
    jump[20] *= 1e6
    late_jump[-1] *= 1e6
    break_[25:] = np.round(break_[25:] / 150)
    lonely, short = np.full(MONTHS, np.nan), np.full(MONTHS, np.nan)
    lonely[-1] = 7.0
    short[-6:] = usual[-6:]
    return {
        "usual": usual,
        "missing months": gaps,
        "jump": jump,
        "jump at the end": late_jump,
        "policy break": break_,
        "one observation": lonely,
        "short": short,
        "zeros": np.zeros(MONTHS),
        "constant": np.full(MONTHS, 42.0),
        "intermittent": np.where(random.random(MONTHS) < 0.15, random.integers(1, 30, MONTHS), 0).astype(float),
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Forecasts of all strange series in one panel, rows shuffled."""
    folder = tmp_path_factory.mktemp("strange")
    months = pd.period_range("2018-01", periods=MONTHS, freq="M").astype(str)
    frames = [
        pd.DataFrame({"series_id": name, "time_period": months, "value": values}).dropna()
        for name, values in strange_series().items()
    ]
    path = folder / "panel.csv"
    pd.concat(frames).sample(frac=1.0, random_state=4).to_csv(path, index=False)
    return run_forecast(path, horizon=3, models="ets,structural,ensemble,baseline", workers=1)


@pytest.mark.slow
def test_every_series_gets_ordered_finite_quantiles(made: pd.DataFrame) -> None:
    frame = check(made, FORECASTS)
    assert np.isfinite(frame["value"]).all()
    assert set(frame["series_id"]) == set(strange_series())
    counted = frame.groupby(["model_id", "series_id", "origin_date", "horizon"])["value"]
    assert (counted.size() == 23).all()
    assert counted.apply(lambda values: values.is_monotonic_increasing).all()


@pytest.mark.slow
@pytest.mark.parametrize("series_id", ["one observation", "short"])
def test_short_series_gets_baseline_and_says_so(series_id: str, made: pd.DataFrame) -> None:
    frame = made
    mine = frame[frame["series_id"] == series_id].set_index(["model_id", "horizon", "output_type_id"])
    own, base = (mine.loc[f"vigie-{name}"] for name in ("ensemble", "baseline"))
    assert own["fallback"].all()
    assert set(own["reason"]) == {"no member could be fitted: the baseline stands in: fewer than 6 earlier values"}
    record = np.nanmax(strange_series()[series_id])
    pd.testing.assert_series_equal(own["value"], base["value"].clip(upper=MOST_RECORDS * record).round())


@pytest.mark.slow
def test_constant_and_series_of_zeros_stay_what_they_are(made: pd.DataFrame) -> None:
    for series_id, value in (("zeros", 0.0), ("constant", 42.0)):
        mine = (made["series_id"] == series_id) & (made["model_id"] == "vigie-ensemble")
        found = made[mine]
        assert len(found) == 3 * 23
        assert found["value"].to_numpy() == pytest.approx(value, abs=0.05)


@pytest.mark.parametrize("name", COMMANDS)
def test_what_must_be_known_is_printed_and_lies_beside_file(name: str, tmp_path: Path) -> None:
    months = pd.period_range("2018-01", periods=30, freq="M").astype(str)
    values = np.tile([3.0, 5.0, 4.0], 10)
    values[-2:] = 4e6
    panel, out = tmp_path / "panel.csv", tmp_path / "deep" / "out.parquet"
    long = pd.DataFrame({"series_id": "leaping", "time_period": months, "value": values})
    young = [pd.DataFrame({"series_id": f"young {at}", "time_period": months[-6:], "value": 9.0}) for at in range(7)]
    pd.concat([long, *young]).to_csv(panel, index=False)
    more = ("--origins", "1", "--horizons", "1") if name == "backtest" else ("--horizon", "1")
    done = command(name, panel, out, "--models", "seasonal-walk,baseline", *more)
    assert done.exit_code == 0, done.output
    about = (out.parent / "out.parquet.about.txt").read_text(encoding="utf-8")
    gap = "vigie-seasonal-walk: the baseline stands in (fewer than 6 earlier values) in 7 forecasts of 7 of 8 series"
    assert f"{gap}: young 0, young 1, young 2, young 3, young 4 and 2 more" in done.output
    assert f"{gap}: young 0, young 1, young 2, young 3, young 4, young 5, young 6\n" in about
    assert f"{len(pd.read_parquet(out)):,} rows of 8 series written to" in done.output
    assert about.startswith("Past forecasts of panel.csv from 1 origin by" if name == "backtest" else "Forecasts of")
