"""The public site as a reader finds it: which release, what it says, and that it needs nothing but itself."""

from __future__ import annotations

import datetime as dt
import html
import io
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import duckdb
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from alerts.lifecycle import DISMISSED
from core.errors import InputError
from core.languages import Language, languages
from core.settings import PROJECT
from publish.site.layout import LEVELS
from reports import numbers
from reports.alert import alert_report, rule_record
from reports.route import RouteForecast, title
from store.releases import Release
from tests.dashboard.conftest import make_alerts, publish_anew
from tests.golden import NAMES_OF_THE_RUN, check_golden
from tests.hub.test_recompute import write_hub

from .conftest import ALERT, build, decide, make_release

BASE = "https://example.org/vigie/"
LINK = re.compile(r'(?:href|src)="([^"]*)"')


def plain(page: Path) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.read_text(encoding="utf-8"))).split())


@pytest.fixture(scope="module")
def signed(home: Path) -> Release:
    """A replayed release whose alert one person signed off."""
    release = make_release(home, (ALERT,), replay=True)
    decide(home, release, ALERT)
    return release


@pytest.fixture(scope="module")
def site(home: Path, signed: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of that release, with an address."""
    folder = tmp_path_factory.mktemp("site")
    assert build(home, folder, BASE).run_id == signed.run_id
    return folder


def pages(site: Path) -> Iterator[Path]:
    return site.rglob("*.html")


@pytest.fixture
def in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sites have one language and no painted picture, which makes them in a fifth of the time."""
    monkeypatch.setattr("publish.site.languages", lambda: ["en"])
    monkeypatch.setattr("publish.site.png_file", lambda *_: b"")


@pytest.mark.usefixtures("in_english")
def test_newest_unsigned_release_is_passed_over(tmp_path: Path) -> None:
    older, newer = make_release(tmp_path), make_release(tmp_path, (ALERT,))
    done = build(tmp_path, tmp_path / "site")
    assert (done.run_id, done.passed_over) == (older.run_id, (newer.run_id,))


def test_home_without_a_decided_release_is_refused(tmp_path: Path) -> None:
    make_release(tmp_path, (ALERT,))
    with pytest.raises(InputError, match=f"wait to be signed off or dismissed: {ALERT}"):
        build(tmp_path, tmp_path / "site")
    assert not (tmp_path / "site").exists()


@pytest.mark.usefixtures("in_english")
def test_dismissed_alert_is_not_shown(tmp_path: Path) -> None:
    release = make_release(tmp_path, (ALERT,))
    decide(tmp_path, release, ALERT, DISMISSED)
    build(tmp_path, tmp_path / "site")
    assert "5,000" not in plain(tmp_path / "site" / "route" / "emr.html")


def test_signed_alert_is_shown_as_the_presenter_says_it(site: Path, signed: Release) -> None:
    row = signed.read("alerts").to_dict("records")[0]
    report = alert_report(row, rule_record(row, signed.read("track_record")), Language())
    text = plain(site / "route" / "emr.html")
    assert report.chance_of and all(said in text for said in (report.badge, report.sentence, report.chance_of))


@pytest.mark.usefixtures("in_english")
def test_closed_sources_appear_on_no_page_and_in_no_file(tmp_path: Path) -> None:
    make_release(tmp_path, closed=("CMR",))
    build(tmp_path, tmp_path / "site")
    written = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "site").rglob("*.[hcj]*"))
    assert "Eastern Mediterranean" in written
    assert not (tmp_path / "site" / "route" / "cmr.html").exists()
    assert not any(name in written for name in ("Central Mediterranean", "arrivals.CMR", "A bureau", "Matrix"))


def test_figures_equal_the_release_to_the_digit(site: Path, signed: Release) -> None:
    file = pd.read_csv(site / "data" / "route-emr.csv")
    ahead = file[file["kind"] != "observed"].set_index("time_period")[list(LEVELS.values())]
    released = numbers.quantiles_of(signed.read("forecasts"), "arrivals.EMR._T._T.M")
    assert (ahead.to_numpy() == released[list(LEVELS)].to_numpy()).all()
    counted = file[file["kind"] == "observed"]
    known = numbers.series_of(signed.read("observations"), "arrivals.EMR._T._T.M")
    assert counted["obs_value"].tolist() == known["obs_value"].tolist()
    assert list(counted["time_period"]) == list(known["time_period"])


@pytest.mark.parametrize("code", ["en", "fr", "es"])
def test_page_says_what_the_presenter_says(site: Path, signed: Release, code: str) -> None:
    summary = numbers.route_summary(signed.read, signed.read("alerts"), numbers.window_ends(signed.as_of))
    row = summary[summary["route_id"] == "EMR"].to_dict("records")[0]
    view = SimpleNamespace(route_id="EMR", origin="", known_on=signed.as_of, summary=row)
    expected = title(cast(RouteForecast, view), signed.as_of, Language(code))
    page = site / ("" if code == "en" else code) / "route" / "emr.html"
    assert " ".join(expected.split()) in plain(page)
    assert f'<html lang="{code}">' in page.read_text(encoding="utf-8")


@pytest.mark.usefixtures("in_english")
def test_regions_have_a_map_each_and_no_common_total(tmp_path: Path) -> None:
    make_release(tmp_path, instead={"WAR": "DARIEN"})
    build(tmp_path, tmp_path / "site")
    on_maps = [pd.read_csv(tmp_path / "site" / "data" / f"{name}.csv") for name in ("routes", "routes-americas")]
    assert [set(rows["route_id"]) for rows in on_maps] == [{"EMR", "CMR"}, {"DARIEN"}]
    assert "On 2 routes together" in plain(tmp_path / "site" / "index.html")


@pytest.mark.usefixtures("in_english")
def test_numbers_on_pages_of_a_whole_release_are_golden(tmp_path: Path) -> None:
    publish_anew(tmp_path, dt.date(2024, 12, 31), None, make_alerts().head(1), replay=False, too_old=None)
    release = publish_anew(tmp_path, dt.date(2025, 1, 31), None, None, replay=False, too_old="WAR")
    for name in make_alerts()["alert_id"].head(3):
        decide(tmp_path, release, name)
    build(tmp_path, tmp_path / "site")
    lines = []
    for page in (page for page in sorted(pages(tmp_path / "site")) if page.parent.name != "embed"):
        source = re.sub(r"<(\w+)[^>]*>", r"<\1 ", re.sub(NAMES_OF_THE_RUN, "", page.read_text("utf-8")))
        found = re.findall(r"<(?:h2|svg|table|ul)\b|(?<!\w)[−+]?\d[\d.,]*(?<=\d)%?", html.unescape(source))
        lines += [str(page.relative_to(tmp_path)), *" ".join(found).split("<")]
    check_golden(Path(__file__).with_name("golden") / "numbers.txt", lines)


def test_nationalities_stand_on_a_route_with_their_file(site: Path) -> None:
    text = plain(site / "route" / "emr.html")
    assert "Arrivals by nationality, twelve months to December 2024" in text
    assert "Syria 75% Afghanistan 25%" in text
    file = pd.read_csv(site / "data" / "nationalities-emr.csv")
    assert file.groupby("citizen").size().to_dict() == {"AFG": 12, "SYR": 12}
    assert "nationalities-cmr" not in (site / "route" / "cmr.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("in_english")
def test_league_of_the_hub_is_recomputed_from_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_release(tmp_path)
    person = tmp_path / "published" / "hub" / "model-output" / "people-heron"
    person.mkdir(parents=True)
    write_hub(tmp_path / "published" / "hub")
    (person / "2023-01-31-people-heron.csv").write_text("by one person", encoding="utf-8")
    build(tmp_path, tmp_path / "site")
    folder = tmp_path / "site" / "hub"
    assert not list(folder.rglob("*heron*"))
    league = pd.read_csv(folder / "league.csv", dtype={"group": str}).set_index(["kind", "group", "model_id"])
    monkeypatch.chdir(folder)
    with duckdb.connect() as connection:
        rows = connection.sql((PROJECT / "docs" / "recompute.sql").read_text()).df()
    found = rows.set_index(["kind", "group", "model_id"])
    wanted = league.loc[found.index, found.columns].to_numpy(dtype=float)
    assert len(found) == len(league)
    np.testing.assert_allclose(found.to_numpy(dtype=float), wanted, rtol=0, atol=1e-9)


def test_pages_need_nothing_from_elsewhere_and_no_script(site: Path) -> None:
    for page in pages(site):
        source = page.read_text(encoding="utf-8")
        assert not re.search(r"<script|<[^>]* (style|on[a-z]+)=|javascript:", source)
        for target in re.findall(r'(?:src|<link rel="stylesheet" href)="([^"]*)"', source):
            assert not target.startswith(("http", "//"))


def test_every_link_leads_to_a_file_of_the_site(site: Path) -> None:
    broken = [
        f"{page.relative_to(site)} -> {link}"
        for page in pages(site)
        for link in LINK.findall(page.read_text(encoding="utf-8"))
        if not link.startswith(("http", "data:", "#")) and not (page.parent / link.split("#")[0]).is_file()
    ]
    assert not broken


def test_replay_is_marked_on_every_page_and_picture(site: Path) -> None:
    unmarked = [page for page in pages(site) if 'class="exercise"' not in page.read_text(encoding="utf-8")]
    assert not unmarked
    assert "Exercise" in (site / "data" / "route-emr.svg").read_text(encoding="utf-8")
    assert json.loads((site / "data" / "route-emr.metadata.json").read_text(encoding="utf-8"))["release"]["replay"]


def test_charts_have_all_their_files(site: Path, signed: Release) -> None:
    about = json.loads((site / "data" / "route-emr.metadata.json").read_text(encoding="utf-8"))
    assert about["unit"] == "Arrivals per month" and about["licence"] == ["CC BY 4.0"]
    assert about["source"] == ["Vigie, arrivals by route. Licence: CC BY 4.0."]
    assert signed.run_id in about["how_to_cite"] and set(about["titles"]) == set(languages())
    for code in languages():
        folder = site / ("" if code == "en" else code)
        picture = Image.open(io.BytesIO((folder / "data" / "route-emr.png").read_bytes()))
        assert picture.width == 1200
        assert (folder / "data" / "route-emr.svg").is_file() and (folder / "embed" / "route-emr.html").is_file()
    page = (site / "route" / "emr.html").read_text(encoding="utf-8")
    assert html.escape(f'<iframe src="{BASE}embed/route-emr.html"', quote=True).replace("&quot;", "&#34;") in page


def test_package_lists_every_csv_with_its_columns(site: Path) -> None:
    package = json.loads((site / "datapackage.json").read_text(encoding="utf-8"))
    assert {one["path"] for one in package["resources"]} == {f"data/{path.name}" for path in site.glob("data/*.csv")}
    for one in package["resources"]:
        columns = pd.read_csv(site / one["path"], nrows=0).columns
        assert [field["name"] for field in one["schema"]["fields"]] == list(columns)


def test_sitemap_lists_pages_but_none_that_is_embedded(site: Path) -> None:
    listed = set(re.findall(r"<loc>([^<]*)</loc>", (site / "sitemap.xml").read_text(encoding="utf-8")))
    wanted = {BASE + page.relative_to(site).as_posix() for page in pages(site) if page.parent.name != "embed"}
    assert listed == wanted
    shared = re.search(r'property="og:image" content="([^"]*)"', (site / "route" / "emr.html").read_text("utf-8"))
    assert shared is not None and (site / shared[1].removeprefix(BASE)).is_file()


def test_second_build_only_removes_pages_of_routes_that_are_gone(home: Path, site: Path, tmp_path: Path) -> None:
    site = shutil.copytree(site, tmp_path / "site")  # other tests count the files of the common one
    before = {path: path.stat().st_mtime_ns for path in site.rglob("*") if path.is_file()}
    (site / "route" / "gone.html").write_text("of a release before", encoding="utf-8")
    (site / "CNAME").write_text("the host's own", encoding="utf-8")
    done = build(home, site, BASE)
    assert (done.written, done.removed, done.kept) == (0, 1, len(before))
    assert before == {path: path.stat().st_mtime_ns for path in before}
    assert not (site / "route" / "gone.html").exists() and (site / "CNAME").is_file()


def test_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    make_release(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="no site of Vigie"):
        build(tmp_path, tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]


def test_home_without_a_release_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no release"):
        build(tmp_path, tmp_path / "site")
