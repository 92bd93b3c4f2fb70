"""The models, one module each: found by walking this folder, so that a new module is a new model.

Modelling libraries are imported in these modules and nowhere else.
"""

from __future__ import annotations

import importlib
import pkgutil
import tomllib
from collections.abc import Iterable

from core.errors import InputError
from core.settings import SNAPSHOT
from forecasting import BASELINE, ENSEMBLE, Model, ModelCard, PooledModel

_MODULES = [importlib.import_module(f"{__name__}.{item.name}") for item in pkgutil.iter_modules(__path__)]


_BY_ID = {module.MODEL.model_id: module.MODEL for module in _MODULES if hasattr(module, "MODEL")}
MODELS: dict[str, Model] = {BASELINE: _BY_ID.pop(BASELINE), **dict(sorted(_BY_ID.items()))}
"""Models of single series by ``model_id``, the baseline first. The ensemble is not among them: it is made of them."""

POOLED_MODELS: dict[str, PooledModel] = {
    module.POOLED_MODEL.model_id: module.POOLED_MODEL for module in _MODULES if hasattr(module, "POOLED_MODEL")
}
"""Models that learn from all series of a panel at once, by ``model_id``."""

CARDS: dict[str, ModelCard] = {
    path.stem: ModelCard(**tomllib.loads(path.read_text("utf-8")))
    for path in sorted((SNAPSHOT / "models").glob("*.toml"))
}
"""Cards by ``model_id``, also of models that are made of others."""


def resolve(names: str | Iterable[str]) -> list[str]:
    """Turn short or full names (``ensemble,baseline`` or ``vigie-ets``) into model ids, in the order given.

    Raises:
        InputError: A name is unknown, or none is given; the text lists the known ones.
    """
    wanted = [name.strip() for name in (names.split(",") if isinstance(names, str) else names) if name.strip()]
    known = [*MODELS, *POOLED_MODELS, ENSEMBLE]
    ids = [name if name.startswith("vigie-") else f"vigie-{name}" for name in wanted]
    unknown = [name for name, model_id in zip(wanted, ids, strict=True) if model_id not in known]
    if unknown or not ids:
        what = f"unknown model {unknown}" if unknown else "no model named"
        raise InputError(f"{what}; known: {', '.join(model_id.removeprefix('vigie-') for model_id in known)}")
    return list(dict.fromkeys(ids))
