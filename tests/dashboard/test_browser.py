"""The dashboard in a real Chromium: no outside request, no error, reachable for everyone, state in the address."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlparse

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, ViewportSize, expect
from pypdf import PdfReader

from dashboard import lang
from tests.browser import DESK, DRAWN, LONGEST_MS, PAGES, QUIET, chromium, serious_findings
from tests.servers import Server

from .conftest import publish

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on the path"),
]

PHONE: ViewportSize = {"width": 390, "height": 844}
LOCAL = {"127.0.0.1", "localhost"}
COUNT_DRAWINGS = """() => {
    window.again = {};
    new MutationObserver(() => {
        for (const chart of document.querySelectorAll('.js-plotly-plot')) {
            const name = chart.closest('[class*=st-key-]').className.match(/st-key-(\\S+)/)[1];
            if (!(name in window.again) && chart.on) {
                window.again[name] = 0;
                chart.on('plotly_beforeplot', () => { window.again[name] += 1; });
            }
        }
    }).observe(document, {subtree: true, childList: true});
}"""
"""How often each chart is drawn after the first time, which is over when it is seen to be there."""
TABLE = "[data-testid=stTable] > div"
CELLS = {"": ("ES", TABLE), "alerts": ("FR", TABLE), "route": ("FR", ".st-key-chances td")}
"""Of pages with wide tables: a language, and cells whose figures a small screen must not cut in it."""
CUT = "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.innerText)"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A dashboard over the miniature release, on a free port of loopback."""
    home = tmp_path_factory.mktemp("home")
    publish(home)
    with Server(home, home / "server.log") as server:
        yield server.address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def desk(browser: Browser) -> Iterator[BrowserContext]:
    """One visitor for all tests that need no other: what every page loads is loaded once."""
    context = browser.new_context(viewport=DESK)
    yield context
    context.close()


@pytest.fixture
def page(desk: BrowserContext) -> Iterator[Page]:
    tab = desk.new_page()
    yield tab
    tab.close()


def open_page(page: Page, url: str) -> None:
    """Go to a page and wait until it is drawn, as long as a loaded machine may need."""
    page.set_default_timeout(LONGEST_MS)
    page.goto(url)
    page.wait_for_selector("h1")
    settle(page)


def settle(page: Page) -> None:
    """Wait until nothing on a page is being drawn anew."""
    page.wait_for_function(DRAWN, polling=100)
    page.evaluate(QUIET, 200)


@pytest.mark.parametrize("name", list(PAGES), ids=lambda name: name or "root")
def test_page_is_whole_uncut_accessible_and_asks_no_other_host(page: Page, address: str, name: str) -> None:
    outside: set[str] = set()
    errors: list[str] = []

    def see_request(request: Request) -> None:
        host = urlparse(request.url)
        if host.scheme.startswith(("http", "ws")) and host.hostname not in LOCAL:
            outside.add(str(host.hostname))

    def see_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(message.text)

    page.on("request", see_request)
    page.on("console", see_console)
    open_page(page, f"{address}/{name}?lang=es")  # the longest words
    assert page.evaluate("document.documentElement.lang") == "es"
    assert page.locator(PAGES.get(name, PAGES[""])).count() > 0  # else its measured time would never come
    assert "Page not found" not in page.inner_text("body")
    assert page.locator("[data-testid=stException]").count() == 0
    for size in (PHONE, DESK):
        page.set_viewport_size(size)
        settle(page)
        assert serious_findings(page) == {}
        assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth + 2")
    if name in CELLS:
        language, cells = CELLS[name]
        page.get_by_role("radio", name=language, exact=True).click()
        page.wait_for_function("language => document.documentElement.lang === language", arg=language.lower())
        for width in (1024, 720):  # a small screen, and a desk's at twice the size
            page.set_viewport_size({"width": width, "height": 768})
            settle(page)
            assert page.locator(cells).count() > 0
            assert page.locator(cells).evaluate_all(CUT) == []
    assert outside == set()
    assert errors == []


def test_browser_language_holds_until_changed(browser: Browser, address: str) -> None:
    context = browser.new_context(locale="fr-BE", viewport={"width": 1440, "height": 900})
    page = context.new_page()
    open_page(page, f"{address}/route?route=CMR")
    assert page.inner_text("h1").startswith("Méditerranée centrale\u202f: ")
    assert "lang=" not in page.url
    page.get_by_role("radio", name="EN", exact=True).click()
    page.wait_for_url("**lang=en*")
    page.get_by_role("link", name="Alerts", exact=True).click()
    page.wait_for_url("**/alerts?*")
    settle(page)
    assert "lang=en" in page.url
    assert page.evaluate("document.documentElement.lang") == "en"
    page.get_by_role("radio", name="FR", exact=True).click()
    page.get_by_role("link", name="Alertes", exact=True).wait_for()
    assert "lang=" not in page.url
    context.close()


def test_links_on_overview_keep_tab_and_visit(page: Page, address: str) -> None:
    open_page(page, f"{address}/overview")
    tabs = len(page.context.pages)
    page.evaluate("window.same = true")
    page.locator("[data-testid=stTable] a", has_text="Central Mediterranean").click()
    page.wait_for_url("**/route?*route=CMR*")  # the address changes before the page does
    expect(page.locator("h1")).to_have_text(re.compile("^Central Mediterranean: "), timeout=LONGEST_MS)
    settle(page)
    page.go_back()
    page.get_by_role("button", name="Read and practise").first.click()
    page.wait_for_url("**/alerts?*alert=*")
    assert page.evaluate("window.same") is True
    assert len(page.context.pages) == tabs


@pytest.mark.parametrize(("size", "name"), [(DESK, "Route"), (PHONE, "Scenarios")], ids=["desk", "phone"])
def test_back_leads_to_page_before(page: Page, address: str, size: ViewportSize, name: str) -> None:
    page.set_viewport_size(size)
    open_page(page, f"{address}/data?part=sources&lang=en")
    page.evaluate("window.same = true")
    if size is PHONE:
        page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_role("link", name=name, exact=True).first.click()
    page.wait_for_url(f"**/{name.lower()}?*route=*")
    settle(page)
    if size is PHONE:
        page.get_by_test_id("stExpandSidebarButton").wait_for()
    page.go_back()
    page.get_by_role("heading", level=1, name=re.compile("later than usual")).wait_for()
    assert "part=sources" in page.url
    assert page.evaluate("window.same") is True


def printed(page: Page) -> list[str]:
    """The texts of a page's sheets, none of whose figures is cut on paper."""
    wanted = [
        word
        for text in page.locator(".annotation-text, [data-testid=stTable] td").all_text_contents()
        for word in re.findall(r"[\d,]+", text)
    ]
    assert wanted
    sheets = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True, print_background=True))).pages
    texts = [sheet.extract_text() for sheet in sheets]
    assert [word for word in wanted if word not in "\n".join(texts)] == []
    assert float(sheets[0].mediabox.width) == pytest.approx(595, abs=1)  # A4
    assert "viewBox" not in page.locator(".main-svg").first.evaluate("one => one.outerHTML.slice(0, 300)")
    return texts


def test_what_browser_has_read_once_does_not_return(browser: Browser, address: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    open_page(page, f"{address}/data?part=method")
    for label in ("I have read this", "No more hints"):
        page.get_by_role("button", name=label).click()
        settle(page)
    open_page(page, f"{address}/data")
    assert page.locator("[class*=st-key-first-visit]").count() == 0
    context.close()


def test_on_phone_list_of_alerts_and_one_alert_are_two_views(page: Page, address: str) -> None:
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size(PHONE)
    open_page(page, f"{address}/alerts")
    assert not page.locator(".st-key-alert-detail").is_visible()
    page.locator(".st-key-alerts-list button").first.click()
    page.wait_for_url("**alert=*")
    settle(page)
    assert page.locator(".st-key-alert-detail").is_visible()
    assert not page.locator(".st-key-alerts-list").is_visible()
    words = page.get_by_role("button", name="Practise the sign-off (nothing is sent)").locator("p").bounding_box()
    assert words and words["width"] > 80  # a step that is taken by a button without words is taken blindly
    page.set_viewport_size(DESK)
    settle(page)
    assert serious_findings(page) == {}, "in the dark theme"
    page.set_viewport_size(PHONE)
    page.get_by_role("button", name="All alerts").click()
    page.locator(".st-key-alerts-list button").first.wait_for()


@pytest.mark.parametrize("name", ["", "route", "scenarios"])
def test_on_phone_chart_is_drawn_once_on_first_screen(page: Page, address: str, name: str) -> None:
    page.set_viewport_size(PHONE)
    page.add_init_script(f"({COUNT_DRAWINGS})()")
    open_page(page, f"{address}/{name}")
    page.locator(".js-plotly-plot .main-svg").first.wait_for(state="attached")
    drawn = page.evaluate("window.again")
    assert set(drawn.values()) == {0}, drawn
    assert page.get_by_text("turning people back").first.evaluate("one => getComputedStyle(one).fontSize") != "0px"
    box = page.locator(".js-plotly-plot").first.bounding_box()
    assert box and box["y"] < PHONE["height"] - 150
    assert page.locator("[data-testid=stMain]").evaluate("one => one.scrollWidth") == PHONE["width"]


def test_embedded_page_shows_its_title_and_no_menu(page: Page, address: str) -> None:
    open_page(page, f"{address}/?embed=true")
    in_sight = """one => {const box = one.getBoundingClientRect();
        return one.contains(document.elementFromPoint(box.left + 20, box.top + box.height / 2))}"""
    assert page.locator("h1").evaluate(in_sight)
    assert page.get_by_role("link", name="Track record").count() == 0


def test_past_origin_stays_in_address(page: Page, address: str) -> None:
    open_page(page, f"{address}/route?route=CMR")
    page.get_by_role("button", name="Earlier", exact=True).click()
    page.wait_for_url("**origin=2024-11-30*")
    settle(page)
    page.get_by_text("Reveal what happened next").click()
    page.wait_for_url("**reveal=1*")
    page.get_by_text("Inside the 80% interval").first.wait_for()
    page.get_by_role("link", name="Track record").first.click()
    page.wait_for_url("**/evaluation*")
    settle(page)
    page.get_by_role("link", name="Route", exact=True).first.click()
    page.wait_for_url("**origin=2024-11-30*")
    settle(page)
    assert "reveal=1" in page.url


def test_route_leaves_on_paper_and_as_file_with_its_citation(page: Page, address: str) -> None:
    open_page(page, f"{address}/route?route=EMR")
    printed(page)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="CSV").first.click()
    text = Path(waiting.value.path()).read_text(encoding="utf-8-sig")
    assert waiting.value.suggested_filename == "vigie-route-EMR-2025-01-31.csv"
    assert "# Source: International Organization for Migration" in text
    assert "Chance of the event" in text
    assert "# Caveat: Chances: to reach 5,000 a month." in text
    page.locator("[aria-label*='observed arrivals and forecast']").first.wait_for(state="attached")


def test_alert_is_printed_and_signed_off_with_keyboard(page: Page, address: str) -> None:
    open_page(page, f"{address}/alerts?alert=surge-WAR-2025-02")
    # it begins below the list, on whose sheet there is room
    assert "Expected in March" in printed(page)[0]
    page.set_viewport_size({"width": 1440, "height": 1800})
    page.get_by_role("button", name="Practise the sign-off (nothing is sent)", exact=True).press("Enter")
    page.get_by_role("button", name="Confirm").wait_for()
    settle(page)
    assert serious_findings(page) == {}
    page.get_by_label("Your name").first.fill("Ada Lovelace")
    page.get_by_label("Reason").first.fill("Beds are prepared")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Confirm").press("Enter")
    page.get_by_text("Signed off: “Beds are prepared”").wait_for()
    settle(page)
    assert page.get_by_role("button", name="Acknowledge", exact=True).count() == 1


def test_drawn_range_is_shown_as_distribution(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 1440, "height": 1400})
    open_page(page, f"{address}/route?route=EMR&view=yours")
    fields = [page.get_by_label(name, exact=True) for name in ("Low", "Middle", "High")]
    back = page.locator("p", has_text="95%: ")

    def drawn(first: float, last: float) -> list[int]:
        """Drag over so much of the line; the three numbers once they are shown back."""
        before = back.inner_text()
        line = page.locator(".nsewdrag").last
        line.scroll_into_view_if_needed()
        box = line.bounding_box()
        assert box is not None
        height = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + first * box["width"], height)
        page.mouse.down()
        page.mouse.move(box["x"] + last * box["width"], height, steps=4)
        page.mouse.up()
        expect(back).not_to_have_text(before, timeout=LONGEST_MS)
        settle(page)
        return [int(field.input_value()) for field in fields]

    low, middle, high = drawn(0.2, 0.8)
    assert high == pytest.approx(4 * low, rel=0.05)
    same_low, moved, same_high = drawn(0.45, 0.46)
    assert (same_low, same_high) == (low, high)
    assert low < moved < high
    assert moved != middle
    assert f"Middle {lang().expected(moved)}. " in back.inner_text()
    assert f"80%: {lang().interval_words(low, high)}" in back.inner_text()
