"""A small hub as another house would write it: its own names of tasks, another clock, samples."""

from __future__ import annotations

import json
from collections.abc import Sequence

LEVELS = [0.1, 0.25, 0.5, 0.75, 0.9]
PATH = "model-output/PSI-DICE/2023-01-14-PSI-DICE.csv"
ENDS = {0: "2023-01-14", 1: "2023-01-21"}


def config(version: str = "v6.0.0", required_horizons: Sequence[int] | None = None) -> dict[str, bytes]:
    """Its configuration."""
    address = f"https://raw.githubusercontent.com/hubverse-org/schemas/main/{version}/%s-schema.json"
    days = list(ENDS.values())
    task_ids = {
        "reference_date": {"required": None, "optional": days},
        "location": {"required": None, "optional": ["US", "01"]},
        "horizon": {"required": required_horizons, "optional": None if required_horizons else [0, 1]},
        "target_end_date": {"required": None, "optional": days},
        "target": {"required": ["wk inc flu hosp"], "optional": None},
    }
    target = {
        "target_id": "wk inc flu hosp", "target_name": "hospitalizations", "target_units": "count",
        "target_keys": {"target": "wk inc flu hosp"}, "target_type": "continuous", "is_step_ahead": True,
        "time_unit": "week",
    }  # fmt: skip
    sample = {
        "type": "integer",
        "min_samples_per_task": 2,
        "max_samples_per_task": 2,
        "compound_taskid_set": ["location"],
    }
    outputs = {
        "quantile": {
            "output_type_id": {"required": LEVELS}, "is_required": True, "value": {"type": "double", "minimum": 0},
        },
        "sample": {"output_type_id_params": sample, "is_required": False, "value": {"type": "integer"}},
    }  # fmt: skip
    a_round = {
        "round_id_from_variable": True,
        "round_id": "reference_date",
        "model_tasks": [{"task_ids": task_ids, "output_type": outputs, "target_metadata": [target]}],
        "submissions_due": {"relative_to": "reference_date", "start": -6, "end": -3},
    }
    documents = {
        "admin": {
            "schema_version": address % "admin", "name": "Another hub", "maintainer": "others", "contact": {},
            "repository": {}, "file_format": ["csv"], "timezone": "US/Eastern",
        },
        "tasks": {"schema_version": address % "tasks", "rounds": [a_round]},
    }  # fmt: skip
    return {f"hub-config/{name}.json": json.dumps(content).encode() for name, content in documents.items()}


def submission(horizons: Sequence[int] = (0, 1)) -> bytes:
    """A submission that keeps its rules."""
    lines = ["location,reference_date,horizon,target_end_date,target,output_type,output_type_id,value"]
    for place in ("US", "01"):
        for horizon in horizons:
            task = f"{place},2023-01-14,{horizon},{ENDS[horizon]},wk inc flu hosp"
            lines += [f"{task},quantile,{level},{100 * level:.0f}" for level in LEVELS]
    return "\n".join(lines).encode()
