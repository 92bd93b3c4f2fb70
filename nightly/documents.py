"""The texts of a release: model cards, data cards, the evaluation matrix and the register of known issues."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

import pandas as pd

from core.purpose import INTENDED_USE, PROHIBITED_USES
from core.schema import ALL, TARGETS
from forecasting import combine
from forecasting.groups import COLUMNS as GROUP_COLUMNS
from forecasting.model import BASELINE, ENSEMBLE, ModelCard
from forecasting.registry import MODELS
from forecasting.skill import skill
from ingest.catalogue import SourceCard
from ingest.known_issues import KnownIssue

CATALOGUE, MATRIX, ISSUES = "sources.json", "evaluation_matrix.md", "known_issues.md"
MODEL_CARDS, DATA_CARDS = "model_cards", "data_cards"
MATRIX_HORIZONS = (1, 3, 6, 12)
_REDISTRIBUTION: dict[bool | str, str] = {True: "allowed", False: "not allowed: private use only"}
USES = (
    f"**Intended use.** {INTENDED_USE}\n\n**Not to be used for:**\n\n"
    + "\n".join(f"- {use};" for use in PROHIBITED_USES)[:-1]
    + "."
)


def documents(
    cards: Mapping[str, SourceCard], frames: Mapping[str, pd.DataFrame], issues: Sequence[KnownIssue]
) -> dict[str, str]:
    """Every text of a release, by path inside it.

    Args:
        cards: The catalogue of sources.
        frames: The release's frames: ``observations``, ``freshness``, ``scores`` and ``group_errors`` are read.
        issues: The register of known issues.
    """
    catalogue = {source_id: card.model_dump(mode="json") for source_id, card in cards.items()}
    models = {model_id: model.card for model_id, model in MODELS.items()} | {ENSEMBLE: combine.CARD}
    spans = _spans(frames["observations"])
    state = frames["freshness"].set_index("source_id")["state"].to_dict()
    return {
        CATALOGUE: json.dumps(catalogue, indent=1, ensure_ascii=False),
        MATRIX: evaluation_matrix(frames["scores"], frames["group_errors"]),
        ISSUES: issues_register(issues),
        **{
            f"{MODEL_CARDS}/{model_id}.md": model_card(model_id, card, frames["scores"], _about(issues, model_id))
            for model_id, card in models.items()
        },
        **{
            f"{DATA_CARDS}/{source_id}.md": data_card(
                card,
                spans.loc[spans["source_id"] == source_id],
                str(state.get(source_id, "")),
                _about(issues, source_id),
            )
            for source_id, card in cards.items()
        },
    }


def model_card(model_id: str, card: ModelCard, scores: pd.DataFrame, issues: Sequence[KnownIssue]) -> str:
    """What a model is, its source and limits, how it did at past origins, and its uses (Mitchell et al. 2019)."""
    judged = skill(scores, model_id=model_id)
    judged = judged[(judged["series_id"] == ALL) & judged["horizon"].isin(MATRIX_HORIZONS)]
    rows = [
        [str(row.horizon), _ratio(row), str(row.verdict), str(row.n)]
        for row in judged.rename(columns={"relative_wis_lo": "lo", "relative_wis_hi": "hi"}).itertuples()
    ]
    head = ["months ahead", "relative WIS (90 % interval)", "verdict", "forecasts"]
    measured = _table(head, rows) if rows else "Not measured in this release."
    return (
        f"# {card.title} (`{model_id}`)\n\n{card.summary}\n\n**Source.** {card.source}\n\n"
        f"**Limits.** {card.weaknesses}\n\n**At past origins, all routes, log scale.**\n\n{measured}\n\n"
        f"{_issues_section(issues)}{USES}\n"
    )


def data_card(card: SourceCard, spans: pd.DataFrame, state: str, issues: Sequence[KnownIssue]) -> str:
    """What a source is, what of it is in the release, its licence, faults and uses (Gebru et al. 2021)."""
    facts = {
        "Publisher": card.publisher,
        "Page": card.url,
        "Licence": card.licence + (f" ({card.licence_url})" if card.licence_url else ""),
        "Redistribution": _REDISTRIBUTION.get(card.redistribution, str(card.redistribution)),
        "Cite as": card.citation,
        "Rhythm": card.rhythm,
        "Retrieved": str(card.retrieved or ""),
        "Came through": card.came_through,
        "Computed from": ", ".join(card.derived_from),
        "State on this night": state or "no figure in this release",
    }
    listed = "\n".join(f"- **{label}**: {text}" for label, text in facts.items() if text)
    rows: list[list[str]] = spans.drop(columns="source_id").astype(str).to_numpy().tolist()
    held = _table(["counted", "rhythm", "from", "to", "series", "figures"], rows) if rows else "None."
    faults = "\n".join(f"- {text}" for text in card.known_issues) or "None known."
    return (
        f"# {card.dataset} (`{card.source_id}`)\n\n{listed}\n\n## In this release\n\n{held}\n\n"
        "Aggregates only: no figure is finer than route × period × citizenship, and counts of 1 to 4 by citizenship "
        f"are withheld from everything that leaves.\n\n## Known issues\n\n{faults}\n\n{_issues_section(issues)}{USES}\n"
    )


def evaluation_matrix(scores: pd.DataFrame, group_errors: pd.DataFrame) -> str:
    """Every model on every route at four distances, then errors by group of nationalities."""
    parts = ["# Evaluation matrix", "", _MATRIX_WORDS, ""]
    for series_id in sorted(scores["series_id"].unique(), key=lambda name: (name != ALL, name)):
        parts += [f"## {'All routes' if series_id == ALL else series_id}", "", _matrix_of(scores, series_id), ""]
    parts += ["## Errors by group of nationalities", "", _GROUP_WORDS, "", _groups_table(group_errors), "", USES, ""]
    return "\n".join(parts)


_MATRIX_WORDS = (
    "Relative WIS on log scale at past origins: the weighted interval score divided by the reference baseline's on the "
    "same months, with its 90 % block-bootstrap interval. Below 1 is better than the baseline; where the interval "
    "includes 1 there is no evidence either way. Beneath: the share of outcomes inside the 80 % interval."
)
_GROUP_WORDS = (
    "Forecasts of the largest nationalities at past origins, by the baseline, Theta and the seasonal walk together, "
    "each group measured alone. Bias: positive where forecasts were too high, negative where too low, from -1 to 1. A "
    "group that is worse than the baseline or whose intervals are too narrow is marked, not averaged away."
)


def _matrix_of(scores: pd.DataFrame, series_id: str) -> str:
    own = scores[(scores["series_id"] == series_id) & (scores["scale"] == "log")]
    own = own[own["horizon"].isin(MATRIX_HORIZONS)].rename(columns={"relative_wis_lo": "lo", "relative_wis_hi": "hi"})
    first = {ENSEMBLE: 0, BASELINE: 1}
    rows = []
    for model_id in sorted(own["model_id"].unique(), key=lambda name: (first.get(name, 2), name)):
        cells = {row.horizon: row for row in own[own["model_id"] == model_id].itertuples()}
        rows.append(
            [f"`{model_id}`"]
            + [
                f"{_ratio(cells[step])}<br>{cells[step].coverage_80:.0%}" if step in cells else "–"
                for step in MATRIX_HORIZONS
            ]
        )
    return _table(["model", *(f"{step} months" if step > 1 else "1 month" for step in MATRIX_HORIZONS)], rows)


def _groups_table(group_errors: pd.DataFrame) -> str:
    rows = group_errors[group_errors["kind"] == "region"]
    if rows.empty:
        return "No breakdown by nationality is long enough in this release."
    renamed = rows[GROUP_COLUMNS].rename(columns={"relative_wis_lo": "lo", "relative_wis_hi": "hi"})
    lines = [
        [
            str(row.route_id) if row.geo == ALL else f"{row.route_id} ({row.geo})", str(row.group), str(row.horizon),
            _ratio(row), f"{row.bias:+.2f}", f"{row.coverage_80:.0%}", str(row.n), str(row.mark),
        ]
        for row in renamed.itertuples()
    ]  # fmt: skip
    head = ["route", "region of origin", "months ahead", "relative WIS", "bias", "80 % held", "forecasts", "mark"]
    return _table(head, lines)


def issues_register(issues: Sequence[KnownIssue]) -> str:
    """The register as a table."""
    rows = [[issue.id, issue.what, ", ".join(issue.affects), str(issue.since), issue.status] for issue in issues]
    return "# Known issues\n\n" + _table(["id", "what", "affects", "since", "status"], rows) + "\n"


def _issues_section(issues: Sequence[KnownIssue]) -> str:
    if not issues:
        return ""
    listed = "\n".join(f"- {issue.what} ({issue.status}, since {issue.since})" for issue in issues)
    return f"**From the register of known issues.**\n\n{listed}\n\n"


def _about(issues: Sequence[KnownIssue], name: str) -> list[KnownIssue]:
    return [issue for issue in issues if name in issue.affects]


def _spans(observations: pd.DataFrame) -> pd.DataFrame:
    """What a release holds of each source: counts and indicators by target and frequency."""
    over = ["source_id", "target", "freq"]
    spans = observations.groupby(over, as_index=False).agg(
        first=("time_period", "min"), last=("time_period", "max"), series=("series_id", "nunique"),
        figures=("obs_value", "size"),
    )  # fmt: skip
    counted_first = spans.assign(order=~spans["target"].isin(TARGETS))
    return counted_first.sort_values(["source_id", "order", "target", "freq"]).drop(columns="order")


def _ratio(row: object) -> str:
    value, low, high = (float(getattr(row, name)) for name in ("relative_wis", "lo", "hi"))
    if math.isnan(value):
        return "–"
    return f"{value:.2f}" if math.isnan(low) else f"{value:.2f} [{low:.2f}–{high:.2f}]"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)
