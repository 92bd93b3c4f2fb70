"""A whole submission in Python: reads the hub's own target data, forecasts, writes the file. Needs pandas.

    python templates/submit.py 2024-11-30 yourteam-yourmodel

Replace `forecast` by your model. What is here is a random walk on log scale.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

HUB = Path(__file__).resolve().parent.parent
LEVELS = [0.01, 0.025, *(round(0.05 * step, 2) for step in range(1, 20)), 0.975, 0.99]
LATEST = 3  # months by which a figure may be late
DAYS = 31  # a round is open for so long after the origin
COLUMNS = ["origin_date", "target", "series_id", "horizon", "target_end_date", "output_type", "output_type_id", "value"]


def known_at(origin):
    """The target data as they were known when the round closed: one column per series, one row per month."""
    rows = pd.read_csv(HUB / "target-data" / "time-series.csv")
    for name in ("target_end_date", "as_of"):
        rows[name] = pd.to_datetime(rows[name])
    rows = rows[(rows["as_of"] <= origin + pd.Timedelta(days=DAYS)) & (rows["target_end_date"] <= origin)]
    rows = rows[rows["series_id"].str.endswith(".M")].sort_values("as_of")
    newest = rows.drop_duplicates(["series_id", "target_end_date"], keep="last").dropna(subset=["observation"])
    return newest.pivot(index="target_end_date", columns="series_id", values="observation")


def forecast(values, steps):
    """Quantiles ``steps`` months ahead: the last value with its own past errors."""
    logs = np.log1p(values)
    errors = (logs[steps:] - logs[:-steps])[-120:]
    return np.maximum(np.expm1(logs[-1] + np.quantile(np.concatenate([errors, -errors]), LEVELS)), 0)


def main(round_id, model_id):
    origin = pd.Timestamp(round_id)
    rows = []
    for series_id, column in known_at(origin).items():
        values = column.dropna()
        late = (origin.year - values.index.max().year) * 12 + origin.month - values.index.max().month
        if late > LATEST or len(values) < 36:
            continue  # too old, or too short a past: this series is left out
        for horizon in range(1, 13):
            end = (origin + pd.offsets.MonthEnd(horizon)).date()
            task = (round_id, series_id.split(".")[0], series_id, horizon, end, "quantile")
            rows += [(*task, *pair) for pair in zip(LEVELS, forecast(values.to_numpy(), horizon + late))]
    if not rows:
        sys.exit(f"no series has figures up to {LATEST} months before {round_id}: does the hub have such a round?")
    out = HUB / "model-output" / model_id / f"{round_id}-{model_id}.csv"
    out.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows, columns=COLUMNS).to_csv(out, index=False)
    print(f"{out} written: {len(rows)} rows")


if __name__ == "__main__":
    main(*sys.argv[1:3])
