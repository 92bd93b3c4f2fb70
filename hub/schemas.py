"""What hubverse asks of a hub's configuration, v4 to v6: JSON schemas of what Vigie reads, and of a model's metadata.

Written for this hub. hubverse's own (github.com/hubverse-org/schemas, CC0) say more about what Vigie does not use.
"""

from __future__ import annotations

from typing import Any

from core.quantiles import QUANTILE_LEVELS

Schema = dict[str, Any]
SCHEMA_ADDRESS = "https://raw.githubusercontent.com/hubverse-org/schemas/main/v6.0.0/{name}-schema.json"
LEVELS = list(QUANTILE_LEVELS)
LICENCES = ["CC0-1.0", "CC-BY-4.0", "CC-BY_SA-4.0", "PPDL", "ODC-by", "ODbL", "OGL-3.0"]


def _object(properties: Schema, *required: str, closed: bool = False) -> Schema:
    made: Schema = {"type": "object", "properties": properties, "required": list(required)}
    return made | {"additionalProperties": False} if closed else made


_TEXT: Schema = {"type": "string", "minLength": 1}
_YES_NO: Schema = {"type": "boolean"}
_LIST: Schema = {"type": ["array", "null"], "uniqueItems": True}
_NAMES: Schema = {"type": ["array", "null"], "uniqueItems": True, "items": _TEXT}
_FORMATS: Schema = {"type": "array", "minItems": 1, "items": {"enum": ["csv", "parquet", "arrow"]}}
_VERSION: Schema = {
    "type": "string",
    "pattern": r"/v[456]\.\d+\.\d+/(admin|tasks|target-data)-schema\.json$",
}
_VALUES = _object({"required": _LIST, "optional": _LIST}, "required", "optional", closed=True)
_VALUE = _object(
    {"type": {"enum": ["double", "integer"]}, "minimum": {"type": "number"}, "maximum": {"type": "number"}}, "type"
)
_QUANTILES: Schema = _LIST | {"items": {"type": "number", "minimum": 0, "maximum": 1}}
_SAMPLES = _object(
    {
        "type": {"enum": ["character", "integer"]},
        "max_length": {"type": "integer", "minimum": 1},
        "min_samples_per_task": {"type": "integer", "minimum": 1},
        "max_samples_per_task": {"type": "integer", "minimum": 1},
        "compound_taskid_set": _NAMES,
    },
    "type", "min_samples_per_task", "max_samples_per_task",
)  # fmt: skip
_OUTPUT = {
    "value": _VALUE,
    "is_required": _YES_NO,
    "output_type_id": _object({"required": _LIST}, "required"),
}
_OUTPUTS = {
    **dict.fromkeys(("mean", "median", "cdf", "pmf"), _object(_OUTPUT, "output_type_id", "value", "is_required")),
    "quantile": _object(
        _OUTPUT | {"output_type_id": _object({"required": _QUANTILES}, "required")},
        "output_type_id", "value", "is_required",
    ),
    "sample": _object(_OUTPUT | {"output_type_id_params": _SAMPLES}, "output_type_id_params", "value", "is_required"),
}  # fmt: skip
_TARGET = _object(
    {
        "target_id": _TEXT,
        "target_name": _TEXT,
        "target_units": _TEXT,
        "target_keys": {"type": ["object", "null"]},
        "target_type": _TEXT,
        "is_step_ahead": _YES_NO,
        "time_unit": {"enum": ["day", "week", "month"]},
    },
    "target_id", "target_name", "target_units", "target_type", "target_keys", "is_step_ahead",
)  # fmt: skip
_TASK = _object(
    {
        "task_ids": {"type": "object", "minProperties": 1, "additionalProperties": _VALUES},
        "output_type": {"type": "object", "minProperties": 1, "properties": _OUTPUTS, "additionalProperties": False},
        "target_metadata": {"type": "array", "minItems": 1, "items": _TARGET},
    },
    "task_ids", "output_type", "target_metadata", closed=True,
)  # fmt: skip
_DUE: Schema = {
    "oneOf": [
        _object(
            {"relative_to": _TEXT, "start": {"type": "integer"}, "end": {"type": "integer"}},
            "relative_to", "start", "end", closed=True,
        ),
        _object({"start": {"type": "string"}, "end": {"type": "string"}}, "start", "end", closed=True),
    ]
}  # fmt: skip
_ROUND = _object(
    {
        "round_id_from_variable": _YES_NO,
        "round_id": _TEXT,
        "round_name": _TEXT,
        "model_tasks": {"type": "array", "minItems": 1, "items": _TASK},
        "submissions_due": _DUE,
        "last_data_date": _TEXT,
        "file_format": _FORMATS,
        "derived_task_ids": _NAMES,
        "additional_metadata": {"type": "object"},
    },
    "round_id_from_variable", "round_id", "model_tasks", "submissions_due", closed=True,
)  # fmt: skip
ADMIN = _object(
    {
        "schema_version": _VERSION,
        "name": _TEXT,
        "maintainer": _TEXT,
        "contact": {"type": "object"},
        "repository": {"type": "object"},
        "file_format": _FORMATS,
        "timezone": _TEXT,
        "model_output_dir": {"type": "string", "pattern": r"^[A-Za-z0-9_-]+$"},
    },
    "schema_version", "name", "maintainer", "contact", "file_format", "timezone",
)  # fmt: skip
TASKS = _object(
    {
        "schema_version": _VERSION,
        "rounds": {"type": "array", "minItems": 1, "items": _ROUND},
        "output_type_id_datatype": {"enum": ["auto", "character", "double", "integer", "logical", "Date"]},
        "derived_task_ids": _NAMES,
    },
    "schema_version", "rounds", closed=True,
)  # fmt: skip
TARGET_DATA = _object(
    {"schema_version": _VERSION, "observable_unit": _NAMES, "date_col": _TEXT, "versioned": _YES_NO},
    "schema_version", "observable_unit", "date_col",
)  # fmt: skip


def _said(about: str, **rules: object) -> Schema:
    return {"description": about, "type": "string", **rules}


_ABBREVIATION = {"pattern": "^[a-zA-Z0-9_+]+$", "maxLength": 16}
METADATA: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Model metadata of this hub",
    "description": "One YAML file per model in model-metadata/, named <team_abbr>-<model_abbr>.yml.",
} | _object(
    {
        "team_name": _said("Name of the team.", maxLength=100),
        "team_abbr": _said("Its abbreviation, the first part of every file's name.", **_ABBREVIATION),
        "model_name": _said("Name of the model.", maxLength=100),
        "model_abbr": _said("Its abbreviation, the second part.", **_ABBREVIATION),
        "model_version": _said("Version of the model.", maxLength=50),
        "model_contributors": {
            "description": "Who made the model; an institution may stand for people.",
            "type": "array",
            "items": _object(
                {name: {"type": "string"} for name in ("name", "affiliation", "email", "orcid")},
                "name", "affiliation", closed=True,
            ),
        },
        "website_url": _said("Page about the model."),
        "repo_url": _said("Where its code lies."),
        "license": _said("Licence of the model's output.", enum=LICENCES),
        "designated_model": {
            "description": "Whether the hub's ensemble takes it in: at most two models per team.",
            "type": "boolean",
        },
        "citation": _said("How to cite it."),
        "team_funding": _said("Who paid for it."),
        "data_inputs": _said("Data that it uses, beyond the target data."),
        "methods": _said("The method in up to 200 characters.", maxLength=200),
        "methods_long": _said("The method in full: how it accounts for uncertainty; what changed and when."),
        "ensemble_of_models": {"description": "Whether it combines other models.", "type": "boolean"},
        "ensemble_of_hub_models": {"description": "Whether it combines models of this hub.", "type": "boolean"},
        "source_notes": _said("Where the output comes from."),
    },
    "team_name", "team_abbr", "model_name", "model_abbr", "model_contributors", "license", "designated_model",
    "data_inputs", "methods", "methods_long", "ensemble_of_models", "ensemble_of_hub_models", closed=True,
)  # fmt: skip
