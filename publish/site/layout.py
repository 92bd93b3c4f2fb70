"""Pages as lists of blocks, and how they become HTML: one template lays all of them out, with nothing to run.

A view is one release as one reader of the site sees it: without what may not be passed on, with the figures behind
charts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from core.calendar import Frequency, write_period
from core.languages import DEFAULT_LANGUAGE, Language, capital
from core.languages import marked as _
from hub.own import open_series
from reports import BRIEFING_FRAMES, LoadedRelease, Row, asylum, cards_in, citations, numbers, reception, route
from reports.charts import NARROW, WIDE, Fan, fan
from reports.drawing import Drawing, inline_svg
from reports.files import flag_words

DATA, EMBED = "data", "embed"
"""Folders of charts' files and of pages that stand in another site."""
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
_TEMPLATES = Environment(
    loader=PackageLoader("publish.site"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
    lstrip_blocks=True, keep_trailing_newline=True,
)  # fmt: skip
WORDS = {
    "signed": _("Alerts that were signed off"),
    "skip": _("Skip to the content"),
    "pages": _("Pages"),
    "language": _("Language"),
    "package": _("All data files"),
    "metadata": _("Metadata"),
    "figures": _("Show the figures"),
    "cite": _("Cite or embed this chart"),
    "embed": _("This line puts the chart into another page:"),
}
"""Words of the templates, by the name that these have for them."""


@dataclass(frozen=True)
class Chart:
    """One chart of a page, and what stands beside it as files.

    Attributes:
        name: Stable beginning of its files' names.
        title: The finding.
        unit: What is counted.
        page: The page it stands on.
        draw: Draws it at a width in pixels; None for a file alone.
        frame: The figures as the release holds them, under the release's names.
        table: The same in the reader's words, as a person reads it; None where the page shows them anyway.
        citations: How to cite its sources, each with its licence.
        licences: Licences of its sources.
    """

    name: str
    title: str
    unit: str
    page: str
    draw: Callable[[float], Drawing] | None
    frame: pd.DataFrame
    table: pd.DataFrame | None = None
    citations: Sequence[str] = ()
    licences: Sequence[str] = ()


@dataclass(frozen=True)
class Block:
    """One part of a page: ``kind`` names the template's macro, ``of`` is what it lays out."""

    kind: str
    of: Any
    more: Mapping[str, Any] = field(default_factory=dict)


def heading(text: str) -> Block:
    """A heading of the second level."""
    return Block("heading", text)


def text(*lines: str, kind: str = "text") -> Block:
    """Paragraphs (``text`` or small ``note``), or the points of a ``list``. Empty lines are left out."""
    return Block(kind, [line for line in lines if line])


def table(frame: pd.DataFrame, caption: str, links: Sequence[str] = (), *, words: bool = False) -> Block:
    """A table; the first column names the rows and leads to ``links`` where there are any.

    Cells stand at the right, as numbers do; those of ``words`` at the left.
    """
    return Block("table", frame, {"caption": caption, "links": list(links), "words": words})


def folded(source: str, summary: str) -> Block:
    """One of the release's texts, unfolded on a click; markup inside it is shown, not run."""
    lines = [f"##{line}" if line.startswith("#") else line for line in source.replace("<br>", "; ").splitlines()]
    written = Markup(_MARKDOWN.render("\n".join(lines)))  # noqa: S704  # its HTML is escaped
    return Block("folded", written, {"summary": summary})


@dataclass(frozen=True)
class Page:
    """One page in one language.

    Attributes:
        path: Its address below the language's folder, such as ``route/cmr.html``.
        section: The page of the menu that it belongs to.
        name: Short name, for the browser's tab.
        title: The finding.
        blocks: What stands on it.
        picture: The chart that stands for it where it is shared, or empty.
    """

    path: str
    section: str
    name: str
    title: str
    blocks: Sequence[Block]
    picture: str = ""

    def charts(self) -> list[Chart]:
        """The charts on it, those that are files only among them."""
        return [block.of for block in self.blocks if isinstance(block.of, Chart)]


@dataclass(frozen=True)
class Frame:
    """What stands around every page of one language.

    Attributes:
        language: The reader's.
        codes: All languages.
        menu: Path and name of the pages that the menu holds.
        known: As known on which day, and how far figures go.
        exercise: Warning that a past night is replayed, or empty.
        foot: Uses, limits and the release, a line each.
        feeds: Whether there are feeds of alerts.
        base: Address at which the site will stand, ending with a slash; empty where it is not known.
    """

    language: Language
    codes: Sequence[str]
    menu: Sequence[tuple[str, str]]
    known: str
    exercise: str
    foot: Sequence[str]
    feeds: bool
    base: str


def folder_of(code: str) -> str:
    """Folder of a language: English stands at the top."""
    return "" if code == DEFAULT_LANGUAGE else f"{code}/"


def snippet(chart: Chart, code: str, base: str) -> str:
    """The line that puts the chart into another site."""
    address = f"{base}{folder_of(code)}{EMBED}/{chart.name}.html"
    frame = Markup('<iframe src="{}" title="{}" width="100%" height="480" loading="lazy" style="border:0"></iframe>')
    return str(frame.format(address, chart.title))


def rendered(template: str, path: str, frame: Frame, **more: object) -> bytes:
    """A page as HTML, by its template and its address below the language's folder."""
    code = frame.language.code
    full = folder_of(code) + path
    top = "../" * full.count("/")
    said = _TEMPLATES.get_template(template).render(
        f=frame, path=path, full=full, top=top, own=top + folder_of(code), folder_of=folder_of, svg=_svg,
        w={name: frame.language.text(word) for name, word in WORDS.items()}, snippet=snippet, name_of=name_of, **more,
    )  # fmt: skip
    return said.encode()


def name_of(code: str) -> str:
    """A language by its own name."""
    return capital(Language(code).language_name(code))


def _svg(chart: Chart, *, wide: bool) -> Markup:
    drawn = chart.draw(WIDE if wide else NARROW) if chart.draw else None
    return Markup(inline_svg(drawn) if drawn else "")  # noqa: S704  # words in it are escaped


FRAMES = (
    *BRIEFING_FRAMES, "alert_reliability", "asylum_forecasts", "asylum_scores", "asylum_series", "asylum_replays",
    "calibration", "ended_alerts", "issued_scores", "nowcasts", "outcomes", "reporting",
    "week_scores", "weeks",
)  # fmt: skip
"""What the site reads of a release."""
LEVELS = {0.025: "q025", 0.1: "q10", 0.25: "q25", 0.5: "q50", 0.75: "q75", 0.9: "q90", 0.975: "q975"}
"""Quantiles in files, by level."""
SHOWN = 18
"""Periods counted that stand in a table; all of them are in its file."""


def without_closed(release: LoadedRelease) -> LoadedRelease:
    """The release without sources that may not be passed on and their series, an analyst's own among them."""
    private = {name for name, card in release.cards.items() if card.get("redistribution") is False}
    known = release.frame("observations").drop_duplicates("series_id")
    sources = dict(zip(known["series_id"], known["source_id"], strict=True))
    closed = set(sources) - set(open_series(sources, sources, release.cards))
    frames = dict(release.frames)
    for column, hidden in (("series_id", closed), ("source_id", private)):
        frames = {
            name: frame[~frame[column].isin(hidden)] if column in frame.columns else frame
            for name, frame in frames.items()
        }
    degraded = tuple(one for one in release.degraded if one.get("source_id") not in private)
    return replace(release, frames=frames, degraded=degraded)


@dataclass(frozen=True, eq=False)
class Night:
    """One release, and what pages of every language show of it, gathered once.

    Attributes:
        release: Its alerts are those that people have signed off.
        former: The release before, or None.
    """

    release: LoadedRelease
    former: LoadedRelease | None

    @cached_property
    def summary(self) -> pd.DataFrame:
        """What is expected on each route, see :func:`reports.numbers.route_summary`."""
        ends = numbers.window_ends(self.release.as_of)
        return numbers.route_summary(self.release.frame, self.release.frame("alerts"), ends)

    @cached_property
    def routes(self) -> list[route.RouteForecast]:
        """Every route, in the order of the summary."""
        return [_route(self.release, row) for row in self.summary.to_dict("records")]

    @cached_property
    def asylum(self) -> list[asylum.AsylumForecast]:
        """Every country of destination of the first kind that has a forecast, those with most applications first."""
        series, observations = self.release.frame("asylum_series"), self.release.frame("observations")
        if not (kind := next(iter(asylum.kinds(series)), "")):
            return []
        order = asylum.destinations(series, observations, kind)
        counted = observations[observations["series_id"].isin(series["series_id"])]
        return [asylum.forecast_of(self.release.with_frame("observations", counted), kind, geo) for geo in order]

    @cached_property
    def stocks(self) -> dict[str, reception.Need]:
        """Every stock of people in reception by its series, in the order of :func:`reports.reception.stocks`."""
        needs, observations, *record = map(self.release.frame, reception.FRAMES)
        counted = observations[observations["series_id"].isin(needs["series_id"])]
        found = reception.stocks(needs)
        return {name: reception.needs_of([needs, counted, *record], name, 1.0, None) for name in found}


@dataclass(frozen=True)
class View:
    """One release in one reader's language.

    Attributes:
        night: The release.
        language: The reader's.
        documents: The release's texts in that language.
    """

    night: Night
    language: Language
    documents: Sequence[str]

    @property
    def release(self) -> LoadedRelease:
        """The release."""
        return self.night.release

    @cached_property
    def cards(self) -> Mapping[str, Mapping[str, Any]]:
        """The catalogue's cards in the reader's language."""
        return cards_in(self.release, self.language)

    def text(self, text: str, **fields: str | float) -> str:
        """A text in the reader's language."""
        return self.language.text(text, **fields)

    def headed(self, cells: Mapping[str, Sequence[object]]) -> pd.DataFrame:
        """Columns under their heads in the reader's language."""
        return pd.DataFrame({self.text(head): column for head, column in cells.items()})

    def chart(self, chart: Chart, series: Sequence[str]) -> Chart:
        """The chart with the citations and licences of some series."""
        used = citations.sources_of(self.release, series)
        parts = {name: self.cards[name] for name in used if name in self.cards}
        licences = dict.fromkeys(str(card.get("licence", "")) for card in parts.values())
        cited = citations.citations(self.cards, used, self.language)
        draw = None if chart.draw is None else cache(chart.draw)  # it stands on its page, in its file and by itself
        return replace(chart, draw=draw, citations=cited, licences=list(licences))

    def fan_chart(self, name: str, title: str, page: str, shown: Fan, series_id: str) -> Chart:
        """The chart of one series: counts, then what is expected."""
        freq: Frequency = "Q" if shown.months_each == 3 else "M"
        frame = figures(shown.history, shown.quantiles, self.release.as_of, series_id, freq)
        chart = Chart(
            name, title, shown.unit, page, lambda width: fan(shown, width, self.language), frame,
            in_words(frame, shown, self.language),
        )  # fmt: skip
        return self.chart(chart, [series_id])


def figures(
    history: pd.DataFrame, quantiles: pd.DataFrame, as_of: dt.date, series_id: str, freq: Frequency
) -> pd.DataFrame:
    """The figures behind a fan chart, to the release's last digit.

    Args:
        history: ``end_date``, ``obs_value``, ``obs_flag``.
        quantiles: One row per period ahead (its last day), one column per level.
        as_of: The day of knowledge: periods up to its own that are not counted yet are nowcasts.
        series_id: The series.
        freq: M or Q.

    Returns:
        ``series_id, time_period, kind`` (observed, nowcast or forecast), ``obs_value, obs_flag, q025`` to ``q975``.
    """
    now = pd.Timestamp(as_of).to_period(freq)
    counted = pd.DataFrame(
        {
            "end": pd.DatetimeIndex(history["end_date"]).to_period(freq), "kind": "observed",
            "obs_value": history["obs_value"].to_numpy(), "obs_flag": history["obs_flag"].to_numpy(),
        }
    )  # fmt: skip
    ends = pd.DatetimeIndex(quantiles.index).to_period(freq)
    ahead = quantiles[list(LEVELS)].set_axis(list(LEVELS.values()), axis=1).reset_index(drop=True)
    ahead = ahead.assign(end=ends, kind=["forecast" if end > now else "nowcast" for end in ends], obs_flag="")
    both = pd.concat([counted, ahead], ignore_index=True)
    both = both.assign(series_id=series_id, time_period=[write_period(end, freq) for end in both["end"]])
    return both.reindex(columns=["series_id", "time_period", "kind", "obs_value", "obs_flag", *LEVELS.values()])


def in_words(frame: pd.DataFrame, shown: Fan, language: Language) -> pd.DataFrame:
    """The same as a table that people read, the last counts and all that is expected."""
    rows = frame.groupby(frame["kind"].eq("observed"), sort=False).tail(SHOWN).to_dict("records")
    ends = [pd.Period(str(row["time_period"]).replace("-Q", "Q")).end_time for row in rows]
    named = {
        _("Period"): [language.period(end, shown.months_each) for end in ends],
        _("Counted"): [language.counted(row["obs_value"]) for row in rows],
        _("Expected"): [language.expected(row["q50"]) for row in rows],
        _("80% interval"): [language.interval(row["q10"], row["q90"]) for row in rows],
        _("95% interval"): [language.interval(row["q025"], row["q975"]) for row in rows],
        _("Note"): [flag_words(str(row["obs_flag"]), language) for row in rows],
    }
    return pd.DataFrame({language.text(name): cells for name, cells in named.items()})


def _route(release: LoadedRelease, row: Row) -> route.RouteForecast:
    """Gather one route; ``row`` is its row of the summary."""
    series_id = numbers.route_series(str(row["route_id"]))
    own = numbers.quantile_rows(release.frame("forecasts"), series_id)
    own = own if row["state"] == "ok" else own.iloc[:0]
    history = numbers.series_of(release.frame("observations"), series_id)
    expected = numbers.expected_before(release.frame("backtest"), series_id, history["end_date"].max())
    return route.RouteForecast(
        str(row["route_id"]), "", release.as_of, 12, row,
        numbers.with_shares(history, release.frame("observations"), series_id), own,
        numbers.quantiles_of(own, series_id), expected,
        numbers.running_month(release.frame("nowcasts"), series_id),
    )  # fmt: skip
