"""About, part Method: how a release is made, its limits, prohibited uses, a glossary, and a card for every model."""

from __future__ import annotations

import re
from functools import partial

import streamlit as st

from core.about import INTENDED_USE
from dashboard import _, downloads, labelled, lang, named, state
from dashboard.layout import plain, small
from dashboard.reads import Night
from forecasting import ENSEMBLE
from reports.citations import prohibited_uses
from reports.names import MODELS
from reports.year_ahead import series_name


def steps() -> list[str]:
    """How a release is made, one step each."""
    return [
        _(
            "**Figures.** Every night Vigie reads what authorities and agencies have published: arrivals on each "
            "route, by month. Each figure keeps the day on which it became known, so that a past night can be "
            "replayed."
        ),
        _(
            "**Several models.** Each model sees only what was known on the day, and gives a range for each of "
            "the next twelve months, not one number. All of them work on relative changes, so no forecast falls "
            "below zero."
        ),
        _(
            "**One forecast.** Three forecasts are averaged, level by level, and weigh the same: a model of the route"
            " alone, a model fitted on every monthly count known, and the sum of the route’s nationalities where these"
            " are known. The spread is scaled by how past forecasts fared. Where none could be made, the page shows"
            " the baseline and says so."
        ),
        _(
            "**Proof.** The same forecast is made for many past dates and compared with what happened. The page"
            " Track record shows the result, also where it is poor. Two things flatter it. Most sources keep no past"
            " figures, so corrected ones stand in. And the recipe was chosen on these very dates, so a part is luck;"
            " since 30 November 2026 it is fixed. Forecasts issued beforehand are scored apart."
        ),
        _(
            "**Alerts.** Fixed rules turn chances into levels: Watch, Warning, Severe. Each rule’s record at past"
            " dates stands beside every alert. A person decides what follows."
        ),
        _(
            "**One release.** All of it is published at once, with a hash of the release before it. Nobody can "
            "change a forecast after the outcome is known without being noticed: one check of the chain "
            "shows it."
        ),
    ]


def limits() -> list[str]:
    """What a reader must know."""
    return [
        _("Figures count arrivals or detections that authorities published. Who was not counted is not in them."),
        _("Routes of detections count some people twice; they are never added to a total of persons."),
        _("A change of policy or of counting looks like a change of arrivals. Breaks that publishers mark are marked."),
        _(
            "Sudden events have no precedent in the figures: no forecast here knows of a war or an agreement "
            "before it shows in arrivals."
        ),
        _(
            "Skill falls with distance: beyond the months marked “better than baseline” read only the width of "
            "the range."
        ),
        _(
            "Conflict, prices and displacement are context. On past data there is no evidence that they improve "
            "the forecast."
        ),
    ]


def glossary() -> list[tuple[str, str]]:
    """Words on screen and what they mean."""
    return [
        (_("Expected"), _("the median: as likely to be passed as not")),
        (_("80% interval"), _("four outcomes in five are expected inside")),
        (_("Baseline"), _("the last value with its own past errors; a forecast must beat it to be worth anything")),
        (_("Relative WIS"), _("the score of a range divided by the baseline’s; below 1 is better")),
        (_("Nowcast"), _("the forecast of a month that has begun or ended and is not counted yet")),
        (_("Provisional"), _("the newest figure, which its publisher may still change")),
        (_("6 of 10 came true"), _("of ten past warnings of this kind, six came true")),
    ]


def show(night: Night) -> None:
    """The part."""
    st.title(_("A range for every route and month, made the same way every night"), anchor=False)
    left, right = st.columns([1.3, 1], gap="large")
    with left:
        st.header(_("How it works"), anchor=False)
        st.markdown("\n".join(f"{place}. {text}" for place, text in enumerate(steps(), start=1)))
        st.header(_("Glossary"), anchor=False)
        st.markdown("\n".join("- " + labelled(f"**{word}**", meaning) for word, meaning in glossary()))
    with right:
        st.header(_("What it is for"), anchor=False)
        st.markdown(_(INTENDED_USE))
        st.header(_("What it must not be used for"), anchor=False)
        st.markdown("\n".join(f"- {text}" for text in prohibited_uses(lang())))
        st.header(_("Limits"), anchor=False)
        st.markdown("\n".join(f"- {text}" for text in limits()))
    show_cards(night)
    made = _("Release {run_id}, made on {day} by Vigie {version}.")
    text = made.format(run_id=night.run_id, day=lang().day(night.created_at.date()), version=night.code_version)
    st.markdown(small(plain(text)))


def show_cards(night: Night) -> None:
    """The card of one model."""
    cards = night.model_cards()
    st.header(_("Model cards"), anchor=False)
    if not cards:
        st.markdown(small(_("No model cards in this release.")))
        return
    names = sorted(cards, key=lambda name: (name != "vigie-ensemble", name != "vigie-baseline", name))
    chosen = state.choice("model", names, names[0])
    st.selectbox(
        _("Model"),
        names,
        format_func=partial(named, MODELS),
        width=300,
        label_visibility="collapsed",
        **state.widget("model", chosen),
    )
    text = _for_readers(cards[chosen])
    st.markdown(" ".join(ensemble_in_short()) if chosen == ENSEMBLE else _first_paragraph(text))
    with st.expander(_("The whole card")), st.container(key="model-card"):
        st.markdown(text, anchors=False)
    downloads.document_button(night, f"model_cards/{chosen}.md", _("Model card"))


def ensemble_in_short() -> list[str]:
    """What the ensemble is, in three plain sentences."""
    return [
        _("Three forecasts are averaged with the same weight."),
        _("The width of the range follows from how far past forecasts missed."),
        _("A change without precedent is not in it, and one year ahead it is hardly better than the baseline."),
    ]


def _first_paragraph(text: str) -> str:
    return next((part for part in text.split("\n\n") if part.strip() and not part.startswith("#")), "")


def _for_readers(text: str) -> str:
    """A card's own headings below those of the page, and names in place of codes, which its file keeps."""
    rows = re.compile(r"^\| `([^`]+)` ", flags=re.MULTILINE)  # a series by its route or country, a year as it is
    named_rows = rows.sub(lambda row: f"| {plain(series_name(row[1], lang()) if '.' in row[1] else row[1])} ", text)
    plain_heads = re.sub(r"^(#.*?) \(`[^`]+`\)$", r"\1", named_rows, flags=re.MULTILINE)
    return "\n".join(f"##{line}" if line.startswith("#") else line for line in plain_heads.splitlines())
