"""The public site: a folder of pages and files that any web server hands out, made from one release.

It shows the newest release in which people have decided about every alert: an alert leaves the house only after it was
signed off, and a forecast without its alerts would say half. What is shown of alerts is what was signed off.

Beside the pages stand the charts' figures, what must be known about them, pictures, and lists of all of it.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

import pandas as pd
from lxml import etree

from alerts import INFORMATION
from alerts.lifecycle import ACKNOWLEDGED, DISMISSED, SIGNED_OFF
from core.errors import InputError
from core.languages import DEFAULT_LANGUAGE, Language, languages
from core.languages import marked as _
from core.release import INTENDED_USE
from core.settings import FEED, Settings
from core.table_files import csv_bytes
from decisions import Workflow, open_workflow
from decisions.announcements import decided, former_of, load
from decisions.judgements import TEAM
from forecasting import BASELINE
from hub import CONFIG
from hub.files import score_hub
from hub.night import PUBLISHED
from publish.site import layout, pages, proof
from publish.site.layout import DATA, EMBED, Chart, Frame, Page, View, folder_of
from reports import Decisions, LoadedRelease
from reports.charts import WIDE
from reports.citations import caveats, exercise, prohibited_uses, uses
from reports.drawing import framed, png_file, style_sheet, svg_file
from reports.files import COLUMNS
from reports.route import known_to
from store import named_errors, write_bytes
from store.hub import HubFiles
from store.releases import Release, ReleaseStore

DECIDED = {SIGNED_OFF, ACKNOWLEDGED, DISMISSED}
DOCUMENTS = ("model_cards/vigie-ensemble.md", "evaluation_matrix.md", "known_issues.md")
"""The release's texts that the page on sources and method holds."""
MARKER = "datapackage.json"
"""A folder that is not empty and holds none was not made by this command."""


@dataclass(frozen=True)
class Built:
    """What a build did.

    Attributes:
        run_id: The release shown.
        as_of: The day of its knowledge.
        passed_over: Newer releases with alerts that wait to be signed off.
        written: How many files changed.
        removed: How many files of the build before are no part of this one.
        kept: How many files are as they were.
    """

    run_id: str
    as_of: dt.date
    passed_over: tuple[str, ...]
    written: int
    removed: int
    kept: int


def build_site(home: Path, settings: Settings, target: Path, base: str = "") -> Built:
    """Write the site of a home folder, and only what differs from what is there.

    Args:
        home: The home folder.
        settings: Its settings.
        target: The site's folder: new, empty, or made by this command before.
        base: Address at which the site will stand; without it pages for sharing and the sitemap are left out.

    Raises:
        InputError: The folder holds something else, the home is a drill, or no release may be shown.
        StoreError: A release was altered, the journal cannot be read, or the folder cannot be written.
    """
    if settings.drill:
        raise InputError("a restored copy that is not in service publishes nothing ('vigie home adopt')")
    if target.exists() and any(target.iterdir()) and not (target / MARKER).is_file():
        raise InputError(f"{target}: the folder holds files that are no site of Vigie; choose a new or empty one")
    with open_workflow(home, settings) as workflow:
        release, former, decisions, passed_over = choose(workflow)
        whole = load(workflow, release, layout.FRAMES)
        loaded = shown(whole, decisions)
        before = None if former is None else _former(former, loaded, whole, decisions)
        past = [_past(workflow, one) for one in last_of_each_month(ReleaseStore(home).all(), release)]
    hidden = set(whole.frame("observations")["series_id"]) - set(loaded.frame("observations")["series_id"])
    night, made = layout.Night(loaded, before), dict[str, bytes]()
    feeds = {f"feeds/{path.relative_to(home / FEED)}": path.read_bytes() for path in _feeds(home / FEED)}
    found: dict[str, dict[str, Chart]] = {}
    for code in languages():
        view = View(night, Language(code), _documents(release, code, hidden))
        frame = _frame(view, bool(feeds), base)
        for page in all_pages(view, past):
            made[folder_of(code) + page.path] = layout.rendered("page.html.j2", page.path, frame, page=page)
            found.setdefault(code, {}).update({chart.name: chart for chart in page.charts()})
        for chart in found[code].values():
            made |= _beside(chart, frame, loaded, target)
    made |= feeds | hub_folder(home / FEED / PUBLISHED) | data_files(found, loaded) | {"site.css": style()}
    if base:
        made["sitemap.xml"] = sitemap([path for path in made if path.endswith(".html")], base)
    return _write(target, made, release, passed_over)


def choose(workflow: Workflow) -> tuple[Release, LoadedRelease | None, Decisions, tuple[str, ...]]:
    """The newest release whose alerts were all decided about, the one before, what was decided, and newer ones.

    Raises:
        InputError: There is none; the newest one's alerts that wait are named.
    """
    waiting: dict[str, list[str]] = {}
    for release in reversed(ReleaseStore(workflow.home).all()):
        alerts, former = release.read("alerts"), former_of(workflow, release)
        seen = [alerts] if former is None else [former.frame("alerts"), alerts]
        decisions = decided(workflow, release.run_id, *seen, signed_only=True)
        rows = alerts[alerts["alert_level"] != INFORMATION].to_dict("records")
        if not (names := [str(row["alert_id"]) for row in rows if decisions.state(row).status not in DECIDED]):
            return release, former, decisions, tuple(waiting)
        waiting[release.run_id] = names
    if not waiting:
        raise InputError(f"no release in {workflow.home}: run 'vigie nightly' first")
    run_id, names = next(iter(waiting.items()))
    raise InputError(
        f"no release may be shown: of {run_id} these alerts wait to be signed off or dismissed: {', '.join(names)} "
        "('vigie alerts sign-off ID')"
    )


def shown(release: LoadedRelease, decisions: Decisions) -> LoadedRelease:
    """The release with what the public may read: signed-off alerts, ended ones that were announced, open series."""
    ended = release.frame("ended_alerts")
    announced = ended[ended["alert_id"].isin(list(decisions.announced))]
    signed = decisions.shown(release.frame("alerts"))
    return layout.without_closed(release.with_frame("alerts", signed).with_frame("ended_alerts", announced))


def _former(former: LoadedRelease, now: LoadedRelease, whole: LoadedRelease, decisions: Decisions) -> LoadedRelease:
    """The release before, with the alerts that the shown ones may be compared with, on the routes that are shown."""
    before = decisions.shown_before(former.frame("alerts"), whole.frame("alerts"))
    return layout.without_closed(
        former.with_frame("alerts", before[before["route_id"].isin(now.frame("routes")["route_id"])])
    )


def last_of_each_month(releases: Sequence[Release], newest: Release) -> list[Release]:
    """The last release of each month up to one release, the newest first."""
    months = {(one.as_of.year, one.as_of.month): one for one in releases if one.run_id <= newest.run_id}
    return sorted(months.values(), key=lambda one: (one.as_of, one.run_id), reverse=True)


def _past(workflow: Workflow, release: Release) -> LoadedRelease:
    """A release of the archive, with the alerts that were signed off."""
    loaded = load(workflow, release, proof.PAST_FRAMES)
    alerts = loaded.frame("alerts")
    signed = decided(workflow, release.run_id, alerts, signed_only=True).shown(alerts)
    return layout.without_closed(loaded.with_frame("alerts", signed))


def all_pages(view: View, past: Sequence[LoadedRelease]) -> Iterator[Page]:
    """Every page in one language."""
    yield pages.overview(view)
    yield from pages.routes(view)
    yield from pages.countries(view)
    yield from pages.stocks(view)
    yield proof.track_record(view)
    yield proof.sources(view)
    yield proof.archive(view, past)


def _frame(view: View, feeds: bool, base: str) -> Frame:  # noqa: FBT001  # what stands around a page
    release, words = view.release, view.language
    menu = [(pages.OVERVIEW, _("Overview"))]
    menu += [(pages.ASYLUM, _("Asylum"))] if len(release.frame("asylum_series")) else []
    menu += [(pages.RECEPTION, _("Reception"))] if len(release.frame("reception_needs")) else []
    menu += [(proof.TRACK_RECORD, _("Track record")), (proof.SOURCES, _("Sources")), (proof.ARCHIVE, _("Archive"))]
    known = f"{words.text(_('As known on {day}'), day=words.day(release.as_of))} · {known_to(release, words)}"
    sealed = words.text(_("Release {run_id}, SHA-256 {hash}"), run_id=release.run_id, hash=release.manifest_hash)
    return Frame(
        language=words, codes=languages(), menu=[(path, words.text(name)) for path, name in menu], known=known,
        exercise=exercise(release.as_of, words) if release.replay else "", foot=[uses(words), sealed], feeds=feeds,
        base=base,
    )  # fmt: skip


def _beside(chart: Chart, frame: Frame, release: LoadedRelease, target: Path) -> dict[str, bytes]:
    """The chart with its title and notes as SVG and PNG, and the page that stands in other sites.

    The PNG beside a former SVG that is equal holds the same shapes: it is not painted again.
    """
    if chart.draw is None:
        return {}
    own, notes = folder_of(frame.language.code), notes_of(chart, release, frame.language)
    page = f"{EMBED}/{chart.name}.html"
    drawing = framed(chart.draw(WIDE), chart.title, [*notes, frame.exercise] if frame.exercise else notes)
    svg, png = f"{own}{DATA}/{chart.name}.svg", f"{own}{DATA}/{chart.name}.png"
    content = svg_file(drawing, chart.title)
    is_same = (target / png).is_file() and _holds(target / svg, content)
    painted = (target / png).read_bytes() if is_same else png_file(drawing, chart.title, PICTURE_PIXELS)
    embedded = layout.rendered("embed.html.j2", page, frame, chart=chart, note=" ".join(notes))
    return {svg: content, png: painted, own + page: embedded}


def _documents(release: Release, code: str, hidden: Collection[str]) -> list[str]:
    """The release's texts in a language; none that names a series that is not shown."""
    paths = [folder_of(code) + name for name in DOCUMENTS]
    texts = [release.document(path) for path in paths if path in release.manifest["files"]]
    return [text for text in texts if not any(one in text for one in hidden)]


def _feeds(folder: Path) -> list[Path]:
    """Atom feeds in each language and the CAP messages that they name, as the home published them."""
    feeds = [folder / f"alerts.{code}.atom" for code in languages()]
    return [path for path in feeds if path.is_file()] + sorted((folder / "cap").glob("*.xml"))


def hub_folder(published: Path) -> dict[str, bytes]:
    """The forecast hub as the home has published it, and its league where an outcome is known; empty without a hub.

    ``docs/recompute.sql`` computes the league from the other files. Forecasts of single persons are left out of both.
    """
    if not (published / CONFIG).is_dir():
        return {}
    paths = [path for path in published.rglob("*") if path.is_file() and path.parent != published]
    files = HubFiles(str(published))
    names = [path.relative_to(published).as_posix() for path in paths]
    public = {name: files.read(name) for name in names if f"/{TEAM}-" not in f"/{name}"}
    with TemporaryDirectory() as folder, suppress(InputError):  # no outcome of a forecast is known yet
        HubFiles(folder).write(public)
        public["league.csv"] = csv_bytes(score_hub(HubFiles(folder), BASELINE))
    return {f"{PUBLISHED}/{name}": content for name, content in public.items()}


def _holds(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def _write(target: Path, made: dict[str, bytes], release: Release, passed_over: tuple[str, ...]) -> Built:
    """Write what differs, and remove files of the build before in the site's own folders that are no part of it."""
    with named_errors(target):
        changed = {path: content for path, content in made.items() if not _holds(target / path, content)}
        for path, content in changed.items():
            write_bytes(target / path, content, private=False)
        folders = {path.split("/")[0] for path in made if "/" in path}
        there = [path for folder in folders for path in (target / folder).rglob("*") if path.is_file()]
        stale = [path for path in there if path.relative_to(target).as_posix() not in made]
        for former in stale:
            former.unlink()
    kept = len(made) - len(changed)
    return Built(release.run_id, release.as_of, passed_over, len(changed), len(stale), kept)


PICTURE_PIXELS = 1200
"""Width that services expect of a picture for sharing."""
_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_TYPES = {"i": "integer", "f": "number", "b": "boolean"}
"""Types of Frictionless Table Schema by kind of dtype; any other is a string."""


def style() -> bytes:
    """The style sheet: colours of both sides, roles of shapes, and the page's layout."""
    own = (Path(__file__).parent / "templates" / "site.css").read_text(encoding="utf-8")
    return f"{style_sheet()}\n{own}".encode()


def cite_as(chart: Chart, release: LoadedRelease, language: Language) -> str:
    """How to cite the chart."""
    text, day = _("Vigie, {title}. As known on {day}, release {run_id}."), language.day(release.as_of)
    return language.text(text, title=chart.title, day=day, run_id=release.run_id)


def notes_of(chart: Chart, release: LoadedRelease, language: Language) -> list[str]:
    """What stands beneath the chart where it stands alone: unit, day, release; sources with their licences."""
    day = language.text(_("As known on {day}"), day=language.day(release.as_of))
    return [f"{chart.unit} · {day} · Vigie {release.run_id}", " ".join(chart.citations)]


def data_files(found: Mapping[str, Mapping[str, Chart]], release: LoadedRelease) -> dict[str, bytes]:
    """Each chart's CSV and metadata, and the descriptor of them all.

    Args:
        found: Charts by language and name.
        release: The release shown.
    """
    made: dict[str, bytes] = {}
    resources = []
    for name, chart in found[DEFAULT_LANGUAGE].items():
        made[f"{DATA}/{name}.csv"] = csv_bytes(chart.frame)
        titles = {code: charts[name].title for code, charts in found.items()}
        about = metadata(chart, titles, release)
        made[f"{DATA}/{name}.metadata.json"] = _json(about)
        resources.append(
            {
                "name": name, "path": f"{DATA}/{name}.csv", "title": chart.title, "profile": "tabular-data-resource",
                "format": "csv", "mediatype": "text/csv", "encoding": "utf-8",
                "bytes": len(made[f"{DATA}/{name}.csv"]), "schema": {"fields": about["columns"]},
                "sources": [{"title": text} for text in chart.citations],
            }
        )  # fmt: skip
    package = {
        "profile": "data-package", "name": "vigie-site", "version": release.as_of.isoformat(),
        "title": f"Vigie: forecasts of migration flows as known on {release.as_of}", "resources": resources,
    }  # fmt: skip
    return made | {"datapackage.json": _json(package)}


def metadata(chart: Chart, titles: Mapping[str, str], release: LoadedRelease) -> dict[str, Any]:
    """What must be known about a chart's figures, in English, with its title in every language."""
    words = Language(DEFAULT_LANGUAGE)
    pictures = {
        code: {kind: f"{folder_of(code)}{DATA}/{chart.name}.{kind}" for kind in ("svg", "png")} for code in titles
    }
    return {
        "title": chart.title,
        "titles": dict(titles),
        "unit": chart.unit,
        "source": list(chart.citations),
        "licence": list(chart.licences),
        "release": {
            "run_id": release.run_id,
            "as_of": release.as_of.isoformat(),
            "created_at": release.created_at.isoformat(timespec="seconds"),
            "replay": release.replay,
            "manifest_sha256": release.manifest_hash,
        },
        "how_to_cite": cite_as(chart, release, words),
        "intended_use": words.text(INTENDED_USE),
        "not_to_be_used_for": prohibited_uses(words),
        "caveats": caveats(words),
        "page": chart.page,
        "csv": f"{DATA}/{chart.name}.csv",
        **({"pictures": pictures} if chart.draw else {}),
        "columns": [_field(str(name), chart.frame[name]) for name in chart.frame.columns],
    }


def _field(name: str, values: pd.Series) -> dict[str, str]:
    known = COLUMNS.get(name)
    said = {"description": known.means, "unit": known.unit} if known else {}
    field = {"name": name, "type": _TYPES.get(values.dtype.kind, "string"), **said}
    return {key: text for key, text in field.items() if text}


def sitemap(paths: Sequence[str], base: str) -> bytes:
    """Addresses of all pages; those that stand in other sites are left out."""
    root = etree.Element(f"{{{_SITEMAP}}}urlset", nsmap={None: _SITEMAP})
    for path in sorted(path for path in paths if "embed/" not in path):
        place = etree.SubElement(etree.SubElement(root, f"{{{_SITEMAP}}}url"), f"{{{_SITEMAP}}}loc")
        place.text = base + quote(path)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()
