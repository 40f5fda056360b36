"""The report as its readers see it: real Chromium, a wide window and a phone, nothing broken and nothing cut off."""

from pathlib import Path

import pytest

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
#: Boxes that stick out of the window although no ancestor scrolls.
_STICKING_OUT = """() => [...document.querySelectorAll("body *")].filter(e => {
    for (let p = e; p; p = p.parentElement) if (["auto", "scroll"].includes(getComputedStyle(p).overflowX)) return false;
    return e.getBoundingClientRect().right > document.documentElement.clientWidth + 1;
}).map(e => e.tagName + "." + e.className)"""
#: Words whose box is wider than the box that they stand in, so that the reader loses their end.
_CUT_OFF = """() => [...document.querySelectorAll("p, li, td, th, dt, dd, h1, h2, h3, .text")]
    .filter(e => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== "visible").map(e => e.textContent)"""
_CONTRAST = """() => {
    const parts = c => c.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
    const paper = e => { for (let p = e; p; p = p.parentElement) { const c = parts(getComputedStyle(p).backgroundColor);
        if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
    return [...document.querySelectorAll("p, li, td, th, dt, dd, h1, h2, h3, small, code, a, b, span, figcaption, mark")]
        .filter(e => e.textContent.trim() && !e.closest("svg")).map(e => {
            const [one, other] = [light(parts(getComputedStyle(e).color)), light(paper(e))].sort((a, b) => b - a);
            return [(one + .05) / (other + .05), e.tagName + "." + e.className + ": " + e.textContent.slice(0, 30)];
        }).filter(([ratio]) => ratio < 4.5); }"""


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM.exists():
        pytest.skip("Chromium is not installed (apt install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as tool:
        opened = tool.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="module", params=[(1280, "light"), (390, "light"), (390, "dark")], ids=lambda p: f"{p[0]}-{p[1]}")
def view(request, browser, finished, tmp_path_factory):
    """The finished run's report in a window; `said` collects what the browser complains about."""
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.said = []
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.on("requestfailed", lambda request: page.said.append(f"failed: {request.url}"))
    page.goto((finished.workspace / "reports" / "small.html").as_uri(), wait_until="load")
    page.screenshot(path=tmp_path_factory.mktemp("report") / f"{width}-{scheme}.png", full_page=True)
    yield page
    context.close()


def test_the_browser_has_nothing_to_complain_about(view):
    assert view.said == []


def test_nothing_sticks_out_and_nothing_is_cut_off(view):
    width = view.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert width[0] == width[1], view.evaluate(_STICKING_OUT)
    assert view.evaluate(_CUT_OFF) == []


def test_every_picture_is_there_and_said_in_words(view):
    shown = view.evaluate("[...document.images].map(i => [i.complete, i.naturalWidth, i.alt])")
    assert len(shown) >= 4
    assert all(complete and width > 0 and alt for complete, width, alt in shown), shown
    drawings = view.evaluate("[...document.querySelectorAll('svg')].map(s => [s.getBoundingClientRect().width, s.ariaLabel])")
    assert len(drawings) >= 5
    assert all(width > 200 and label for width, label in drawings), drawings


def test_arabic_runs_from_right_to_left_and_english_does_not(view):
    arabic = view.evaluate(
        "[...document.querySelectorAll('.arabic')].map(e => [getComputedStyle(e).direction, getComputedStyle(e).textAlign])"
    )
    assert len(arabic) >= 6
    assert {direction for direction, _ in arabic} == {"rtl"}
    assert {side for _, side in arabic} == {"start"}, "start is the right-hand side there"
    english = view.evaluate("[...document.querySelectorAll('.english')].map(e => getComputedStyle(e).direction)")
    assert set(english) == {"ltr"}
    assert view.evaluate("getComputedStyle(document.body).direction") == "ltr"


def test_arabic_letters_come_from_an_arabic_font_and_are_large_enough(view):
    sizes = view.evaluate("[...document.querySelectorAll('.arabic')].map(e => parseFloat(getComputedStyle(e).fontSize))")
    assert min(sizes) >= 17, "Arabic is smaller than Latin at the same size"


def test_text_can_be_read_against_its_ground(view):
    assert view.evaluate(_CONTRAST) == [], "below 4.5 : 1 (WCAG AA)"


def test_no_drawing_keeps_a_stand_in_colour(view):
    fills = view.evaluate("[...document.querySelectorAll('svg [fill]')].map(e => e.getAttribute('fill'))")
    assert fills
    assert not [fill for fill in fills if fill.endswith("a0b")]


def test_keyboard_users_reach_what_scrolls(view):
    missing = view.evaluate("[...document.querySelectorAll('.scroll')].filter(e => e.tabIndex !== 0 || !e.ariaLabel).length")
    assert missing == 0
