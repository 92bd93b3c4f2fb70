"""What a release says of a made-up hub: one team beside Vigie, one hub ensemble, one file received late."""

from __future__ import annotations

import pandas as pd

from hub.score import SPANS

RATIOS = {"vigie-ensemble": 0.8, "vigie-baseline": 1.0, "team-model": 0.9, "hub-median": 0.85}
TEAM, WEEKS = "team-model", "arrivals.CHA.GBR._T.W"


def hub_frames(replays: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The four tables; the team says a little more than the baseline.

    Args:
        replays: Forecasts of Vigie's models at past origins.
    """
    baseline = replays[replays["model_id"] == "vigie-baseline"]
    bounds = [name for name in map(str, baseline) if name.startswith("q")]
    others = [
        baseline.assign(model_id=name, timing="replay", **{bound: baseline[bound] * ratio for bound in bounds})
        for name, ratio in RATIOS.items()
        if not name.startswith("vigie-")
    ]
    series = [("series", name) for name in sorted(baseline["series_id"].unique())]
    groups = [("M", *one) for one in (*(("span", name) for name in SPANS["M"]), *series, ("season", "winter"))]
    groups += [("W", "span", name) for name in SPANS["W"]] + [("W", "series", WEEKS)]
    lines = [
        {"timing": "all", "target": "arrivals", "freq": freq, "kind": kind, "group": group, "model_id": name,
         "wis": 0.3 * ratio, "pairwise_wis": ratio, "relative_wis": ratio, "relative_wis_lo": ratio - 0.05,
         "relative_wis_hi": ratio + 0.05, "p_holm": 1.0 if ratio == 1 else 0.01, "coverage_50": 0.5, "coverage_80": 0.8,
         "coverage_95": 0.95, "n": 40, "missing": 3, "rounds": 24, **{f"pit_{one}": 0.1 for one in range(1, 11)}}
        for freq, kind, group in groups
        for name, ratio in RATIOS.items()
    ]  # fmt: skip
    models = [
        {"model_id": TEAM, "team_name": "A *team*", "model_name": "<b>A model</b>", "methods": "It looks far ahead.",
         "licence": "CC-BY-4.0", "designated": True},
    ]  # fmt: skip
    first = others[0][others[0]["series_id"] == series[0][1]].drop_duplicates(["origin_date", "horizon"])
    weeks = first[first["horizon"] <= 8].assign(series_id=WEEKS)
    ends = weeks["origin_date"] + pd.to_timedelta(7 * weeks["horizon"], "D")
    others.append(weeks.assign(target_end_date=ends))
    edition = {
        "model_id": TEAM, "round_id": "2024-11-30", "sha256": "ab" * 32, "file": f"2024-11-30-{TEAM}.csv",
        "received": pd.Timestamp("2025-01-20"), "late": True,
    }  # fmt: skip
    return {
        "hub_models": pd.DataFrame(models),
        "hub_editions": pd.DataFrame([edition]),
        "hub_forecasts": pd.concat(others, ignore_index=True),
        "hub_scores": pd.DataFrame(lines),
    }
