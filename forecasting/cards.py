"""Model cards: what each model does, whence it comes, how good it was, when not to trust it."""

from __future__ import annotations

import pandas as pd

from core.errors import InputError
from core.schema import ALL
from forecasting import combine
from forecasting.model import ENSEMBLE, ModelCard
from forecasting.registry import MODELS

CARDS: dict[str, ModelCard] = {
    ENSEMBLE: combine.CARD,
    **{model_id: model.card for model_id, model in MODELS.items()},
}
"""Every model's card by ``model_id``, the ensemble first."""

VERSIONS: dict[str, str] = {
    ENSEMBLE: combine.VERSION,
    **{model_id: model.version for model_id, model in MODELS.items()},
}
"""Every model's version by ``model_id``."""


def render_card(model_id: str, scores: pd.DataFrame | None = None) -> str:
    """Write one model's card as Markdown.

    Args:
        model_id: A model of :data:`CARDS`.
        scores: From :func:`forecasting.scores.summarise`; adds the model's record over all series.

    Raises:
        InputError: There is no such model.
    """
    if model_id not in CARDS:
        raise InputError(f"no model card for '{model_id}'; known: {', '.join(CARDS)}")
    card = CARDS[model_id]
    return (
        "\n\n".join(
            [
                f"# {card.title}",
                f"`{model_id}`, version {VERSIONS[model_id]}",
                card.summary,
                f"**Do not trust it where:** {card.weaknesses}",
                f"**Source:** {card.source}",
                "## Record at past origins, all series",
                _record(model_id, scores),
            ]
        )
        + "\n"
    )


def _record(model_id: str, scores: pd.DataFrame | None) -> str:
    found = (
        pd.DataFrame() if scores is None else scores[(scores["model_id"] == model_id) & (scores["series_id"] == ALL)]
    )
    if found.empty:
        return "None yet."
    lines = [
        "| periods ahead | scale | relative WIS (90 % interval) | inside 50 / 80 / 95 % | forecasts |",
        "|---|---|---|---|---|",
    ]
    for row in found.sort_values(["horizon", "scale"]).to_dict("records"):
        inside = " / ".join(f"{100 * row[f'coverage_{level}']:.0f}" for level in (50, 80, 95))
        interval = f"{row['relative_wis']:.2f} ({row['relative_wis_lo']:.2f}–{row['relative_wis_hi']:.2f})"
        lines.append(f"| {row['horizon']} | {row['scale']} | {interval} | {inside} | {row['n']} |")
    return "\n".join([*lines, "", "Relative to the baseline on the same forecasts: below 1 is better than it."])
