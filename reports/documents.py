"""The texts of a release: model cards, data cards, the evaluation matrix and the register of known issues."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

import pandas as pd

from core.languages import DEFAULT_LANGUAGE, Language, languages
from core.languages import marked as _
from core.languages import marked_plural as ngettext
from core.release import CATALOGUE, INTENDED_USE, PROHIBITED_USES, contract_page
from core.schema import ALL, TARGETS
from forecasting import BASELINE, BOTTOM_UP, ENSEMBLE, ModelCard, days, ensemble, reception, reconcile
from forecasting.models import CARDS, MODELS, POOLED_MODELS
from forecasting.verification.situations import BEGUN
from forecasting.verification.verdict import skill
from ingest import SourceCard
from ingest.snapshot import KnownIssue
from reports.names import FRESHNESS

MATRIX, ISSUES, CONTRACT = "evaluation_matrix.md", "known_issues.md", "release.md"
MODEL_CARDS, DATA_CARDS = "model_cards", "data_cards"
MATRIX_HORIZONS = (1, 3, 6, 12)
ALL_MODELS: dict[str, tuple[ModelCard, str]] = {
    **{model_id: (CARDS[model_id], model.version) for model_id, model in (MODELS | POOLED_MODELS).items()},
    BOTTOM_UP: (CARDS[BOTTOM_UP], reconcile.BOTTOM_UP_VERSION),
    ENSEMBLE: (CARDS[ENSEMBLE], ensemble.VERSION),
    days.MODEL_ID: (CARDS[days.MODEL_ID], "1"),
    reception.MODEL_ID: (CARDS[reception.MODEL_ID], "1"),
}
"""Card and version of every model of a release."""
_REDISTRIBUTION: dict[bool | str, str] = {
    True: _("allowed"),
    False: _("not allowed: private use only"),
    "to be confirmed": _("to be confirmed"),
}
_STATUS = {"open": _("open"), "mitigated": _("mitigated"), "closed": _("closed")}


def documents(
    cards: Mapping[str, SourceCard], frames: Mapping[str, pd.DataFrame], issues: Sequence[KnownIssue]
) -> dict[str, str]:
    """Every text of a release, by path inside it: English at the top, other languages in a folder of their own."""
    catalogue = {source_id: card.model_dump(mode="json") for source_id, card in cards.items()}
    found = {CATALOGUE: json.dumps(catalogue, indent=1, ensure_ascii=False), CONTRACT: contract_page()}
    for language in languages():
        words = Language(language)
        translated = {source_id: card.in_language(words) for source_id, card in cards.items()}
        texts = _in_one_language(translated, frames, issues, words)
        folder = "" if language == DEFAULT_LANGUAGE else f"{language}/"
        found |= {f"{folder}{name}": text for name, text in texts.items()}
    return found


def _in_one_language(
    cards: Mapping[str, SourceCard], frames: Mapping[str, pd.DataFrame], issues: Sequence[KnownIssue], words: Language
) -> dict[str, str]:
    spans = _spans(frames["observations"])
    state = frames["freshness"].set_index("source_id")["state"].to_dict()
    return {
        MATRIX: evaluation_matrix(frames["scores"], frames["group_errors"], words),
        ISSUES: issues_register(issues, words),
        **{
            f"{MODEL_CARDS}/{model_id}.md": model_card(model_id, card, frames, _about(issues, model_id), words)
            for model_id, (card, _version) in ALL_MODELS.items()
        },
        **{
            f"{DATA_CARDS}/{source_id}.md": data_card(
                card,
                spans.loc[spans["source_id"] == source_id],
                str(state.get(source_id, "")),
                _about(issues, source_id),
                words,
            )
            for source_id, card in cards.items()
        },
    }


def model_card(
    model_id: str,
    card: ModelCard,
    frames: Mapping[str, pd.DataFrame],
    issues: Sequence[KnownIssue],
    words: Language,
) -> str:
    """What a model is, its source and limits, how it did at past origins, and its uses (Mitchell et al. 2019)."""
    scores, by_week = frames["scores"], frames.get("week_scores")
    judged = skill(scores, model_id=model_id)
    judged = judged[(judged["series_id"] == ALL) & judged["horizon"].isin(MATRIX_HORIZONS)]
    rows = [
        [str(row.horizon), _ratio(row, words), words.text(str(row.verdict)), words.counted(float(str(row.n)))]
        for row in judged.itertuples()
    ]
    head = [_("months ahead"), _("relative WIS (90% interval)"), _("verdict"), _("forecasts")]
    where = _("At past origins, all routes, log scale")
    if model_id == days.MODEL_ID and by_week is not None:
        where = _("At past Sundays, against a random walk of weeks, log scale")
        head = [_("series"), _("weeks ahead"), head[1], head[3]]
        rows = [
            [f"`{row.series_id}`", str(row.horizon), _ratio(row, words), words.counted(float(str(row.n)))]
            for row in by_week.query("scale == 'log' and reference == @BASELINE and horizon in (1, 4, 8)").itertuples()
        ]
    measured = _table(head, rows, words) if rows else words.text(_("Not measured in this release."))
    parts = [
        f"# {words.text(card.title)} (`{model_id}`)",
        words.text(card.summary),
        _headed(_("Source"), card.source, words),
        _headed(_("Limits"), words.text(card.weaknesses), words),
        *([_headed(_("How it was chosen"), words.text(card.recipe), words)] if card.recipe else []),
        _headed(where, "", words),
        measured,
        *_by_route_and_year(model_id, frames, words),
        *_issues_section(issues, words),
        _uses(words),
    ]
    return "\n\n".join(parts) + "\n"


def _by_route_and_year(model_id: str, frames: Mapping[str, pd.DataFrame], words: Language) -> list[str]:
    """A model's relative WIS by route and, where it is the ensemble, by year of the origin; nothing without scores."""
    routes = frames["scores"].rename(columns={"series_id": "part"})
    found = [routes[routes["part"] != ALL]]
    if model_id == ENSEMBLE and "situation_scores" in frames:
        years = frames["situation_scores"]
        years = years[years["kind"] == BEGUN].drop(columns="kind")
        scores = {f"relative_score{end}": f"relative_wis{end}" for end in ("", "_lo", "_hi")}
        found.append(years.rename(columns={"group": "part"} | scores))
    rows = pd.concat(found, ignore_index=True)
    rows = rows[(rows["model_id"] == model_id) & (rows["scale"] == "log")]
    if rows.empty:
        return []
    cells = {(row.part, row.horizon): _ratio(row, words) for row in rows.itertuples()}
    lines = [
        [f"`{part}`", *(cells.get((part, step), "–") for step in MATRIX_HORIZONS)]
        for part in rows["part"].drop_duplicates()
    ]
    where = _("The same by route, and by year of the origin; before the first year shown nothing was scored")
    return [_headed(where, "", words), _table([_("route or year"), *_months_ahead(words)], lines, words)]


def data_card(card: SourceCard, spans: pd.DataFrame, state: str, issues: Sequence[KnownIssue], words: Language) -> str:
    """What a source is, what of it is in the release, its licence, faults and uses (Gebru et al. 2021)."""
    facts = {
        _("Publisher"): card.publisher,
        _("Page"): card.url,
        _("Licence"): card.licence + (f" ({card.licence_url})" if card.licence_url else ""),
        _("Redistribution"): words.text(_REDISTRIBUTION[card.redistribution]),
        _("Cite as"): card.citation,
        _("Rhythm"): card.rhythm,
        _("Retrieved"): str(card.retrieved or ""),
        _("Came through"): card.came_through,
        _("Computed from"): ", ".join(card.derived_from),
        _("State on this night"): words.text(FRESHNESS.get(state, _("no figure in this release"))),
    }
    listed = [words.labelled(f"**{words.text(label)}**", text) for label, text in facts.items() if text]
    rows: list[list[str]] = spans.drop(columns="source_id").astype(str).to_numpy().tolist()
    head = [_("counted"), _("rhythm"), _("from"), _("to"), _("series"), _("figures")]
    aggregates = _(
        "Aggregates only: no figure is finer than route × period × citizenship. Published figures stand as they were "
        "published; own counts by citizenship are rounded to the nearest 5."
    )
    parts = [
        f"# {card.dataset} (`{card.source_id}`)",
        _list(listed),
        _heading(_("In this release"), words),
        _table(head, rows, words) if rows else words.text(_("None.")),
        words.text(aggregates),
        _heading(_("Known issues"), words),
        _list(card.known_issues) or words.text(_("None known.")),
        *_issues_section(issues, words),
        _uses(words),
    ]
    return "\n\n".join(parts) + "\n"


def evaluation_matrix(scores: pd.DataFrame, group_errors: pd.DataFrame, words: Language) -> str:
    """Every model on every route at four distances, then errors by group of nationalities."""
    parts = [f"# {words.text(_MATRIX_TITLE)}", words.text(_MATRIX_WORDS)]
    for series_id in sorted(scores["series_id"].unique(), key=lambda name: (name != ALL, name)):
        title = words.text(_("All routes")) if series_id == ALL else series_id
        parts += [f"## {title}", _matrix_of(scores, series_id, words)]
    groups = [_heading(_("Errors by group of nationalities"), words), words.text(_GROUP_WORDS)]
    return "\n\n".join([*parts, *groups, _groups_table(group_errors, words), _uses(words)]) + "\n"


_MATRIX_TITLE = _("Evaluation matrix")
_MATRIX_WORDS = _(
    "Relative WIS on log scale at past origins: the score of a forecast divided by that of the baseline in the same "
    "months, with its 90% bootstrap interval. Below 1 is better than the baseline: likely so if the whole interval is "
    "below 1, proven if it holds when all routes and months are tested together. Beneath: how many outcomes the 80% "
    "interval held."
)
_GROUP_WORDS = _(
    "Forecasts by the ensemble of each route's ten largest nationalities at past origins, each group measured alone. "
    "Bias: positive where forecasts were too high, negative where too low, from -1 to 1. A group that is worse than "
    "the baseline or whose intervals are too narrow is marked, not averaged away."
)


def _matrix_of(scores: pd.DataFrame, series_id: str, words: Language) -> str:
    own = scores[(scores["series_id"] == series_id) & (scores["scale"] == "log")]
    own = own[own["horizon"].isin(MATRIX_HORIZONS)]
    first = {ENSEMBLE: 0, BASELINE: 1}
    rows = []
    for model_id in sorted(own["model_id"].unique(), key=lambda name: (first.get(name, 2), name)):
        cells = {row.horizon: row for row in own[own["model_id"] == model_id].itertuples()}
        rows.append(
            [f"`{model_id}`"]
            + [
                f"{_ratio(cells[step], words)}<br>{words.share(float(str(cells[step].coverage_80)))}"
                if step in cells
                else "–"
                for step in MATRIX_HORIZONS
            ]
        )
    return _table([_("model"), *_months_ahead(words)], rows, words)


def _months_ahead(words: Language) -> list[str]:
    return [words.plural(ngettext("{n} month", "{n} months"), step) for step in MATRIX_HORIZONS]


def _groups_table(group_errors: pd.DataFrame, words: Language) -> str:
    rows = group_errors[group_errors["kind"] == "region"]
    if rows.empty:
        return words.text(_("No breakdown by nationality is long enough in this release."))
    lines = [
        [
            str(row.route_id) if row.geo == ALL else f"{row.route_id} ({row.geo})", words.text(str(row.group)),
            str(row.horizon), _ratio(row, words), words.decimal(float(str(row.bias)), 2),
            words.share(float(str(row.coverage_80))), words.counted(float(str(row.n))), words.text(str(row.mark)),
        ]
        for row in rows.itertuples()
    ]  # fmt: skip
    head = [
        _("route"), _("region of origin"), _("months ahead"), _("relative WIS"), _("bias"), _("80% interval coverage"),
        _("forecasts"), _("mark"),
    ]  # fmt: skip
    return _table(head, lines, words)


def issues_register(issues: Sequence[KnownIssue], words: Language) -> str:
    """The register as a table."""
    rows = [
        [one.id, words.text(one.what), ", ".join(one.affects), words.day(one.since), words.text(_STATUS[one.status])]
        for one in issues
    ]
    head = [_("id"), _("what"), _("affects"), _("since"), _("status")]
    title = words.text(_("Known issues"))
    return f"# {title}\n\n{_table(head, rows, words)}\n"


def _issues_section(issues: Sequence[KnownIssue], words: Language) -> list[str]:
    if not issues:
        return []
    text = words.text(_("{what} ({status}, since {day})"))
    listed = [
        text.format(what=words.text(issue.what), status=words.text(_STATUS[issue.status]), day=words.day(issue.since))
        for issue in issues
    ]
    return [_headed(_("From the register of known issues"), "", words), _list(listed)]


def _uses(words: Language) -> str:
    """What the release is for, and what it must not be used for."""
    prohibited = _list([words.text(use) for use in PROHIBITED_USES])
    intended = _headed(_("Intended use"), words.text(INTENDED_USE), words)
    return f"{intended}\n\n{_headed(_NOT_FOR, '', words)}\n\n{prohibited}"


_NOT_FOR = _("Not to be used for")


def _heading(text: str, words: Language) -> str:
    return f"## {words.text(text)}"


def _headed(label: str, text: str, words: Language) -> str:
    """A paragraph that begins with its name in bold type."""
    return words.labelled(f"**{words.text(label)}**", text).rstrip()


def _list(items: Sequence[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


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


def _ratio(row: object, words: Language) -> str:
    value, low, high = (float(getattr(row, name)) for name in ("relative_wis", "relative_wis_lo", "relative_wis_hi"))
    if math.isnan(value):
        return "–"
    written = words.decimal(value, 2)
    return written if math.isnan(low) else f"{written} [{words.decimal(low, 2)}–{words.decimal(high, 2)}]"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], words: Language) -> str:
    lines = [[words.text(cell) for cell in head], ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)
