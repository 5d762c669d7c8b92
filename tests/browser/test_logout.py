"""Logging out in a real browser, past services that never answer: every page, both languages, without scripts."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.keyboard import check_keyboard
from tests.browser.test_accessible import DESKTOP, PHONE, check
from tests.browser.walk import identify, path_of, prove
from tests.conformance.test_pysaml2_logout import POST, REDIRECT, Party, exits_of, registered
from tests.fixtures.sandbox import Demo

# What the library's own dependencies announce is their affair.
pytestmark = pytest.mark.filterwarnings("ignore")
Look = Callable[[Page], None]


@pytest.fixture
def two(demo: Demo, tmp_path: Path) -> Iterator[tuple[Party, Party]]:
    """Two services that can be logged out of by a form."""
    demo.reset()
    with (
        registered(demo, tmp_path / "one", "leaver", "UWV", exits_of("leaver", POST)) as one,
        registered(demo, tmp_path / "two", "hearer", "GEM", exits_of("hearer", POST)) as other,
    ):
        yield one, other


def log_in(page: Page, demo: Demo, *parties: Party) -> None:
    """Anna at every party, in one session."""
    # Nothing goes on by itself, so that each page can be looked at.
    page.context.route(re.compile(r"/submit\b.*\.js"), lambda route: route.abort())
    for party in parties:
        asked, address = party.begin()
        page.goto(address)
        if page.locator("[data-page=login-password]").count():
            identify(page, demo, "anna")
            prove(page, demo, "anna")
        page.wait_for_selector("[data-page=login-answer], [data-page=login-consent]")
        if page.locator("[data-page=login-consent]").count():
            page.get_by_test_id("submit").click()
        page.wait_for_selector("[data-page=login-answer]")
        told = page.locator("[name=SAMLResponse]").get_attribute("value")
        party.person = party.client.parse_authn_request_response(told, POST, outstanding={asked: "/"}).name_id


def press(page: Page, control: str, then: str) -> None:
    """Press a button, and wait for the page with this name."""
    page.get_by_test_id(control).click()
    page.wait_for_selector(f"[data-page={then}]")


def by_ourselves(page: Page, demo: Demo, look: Look) -> None:
    """From our own page past both services, which are skipped; then once more, with nothing left to end."""
    page.goto(demo.url("/uitloggen"))
    look(page)
    press(page, "logout", "logout-visit")
    look(page)
    first = path_of(page)
    press(page, "skip", "logout-visit")
    assert path_of(page) != first
    press(page, "skip", "logged-out")
    assert page.get_by_test_id("missed").locator("li").count() == 2
    look(page)
    page.goto(demo.url("/uitloggen"))
    press(page, "logout", "logged-out")
    assert page.get_by_test_id("missed").count() == 0
    look(page)


@pytest.mark.parametrize(
    ("language", "size", "scheme", "scripts"),
    [("nl-NL", PHONE, "light", True), ("en", DESKTOP, "dark", True), ("nl-NL", DESKTOP, "light", False)],
    ids=["phone-dutch", "desktop-english", "no-scripts"],
)
def test_anna_logs_out_everywhere(
    demo: Demo, chromium: Browser, two: tuple[Party, Party], language: str, size: Any, scheme: Any, scripts: bool
) -> None:
    """The question, the visit, what was missed, and that there was nothing to end: each is clean, none a dead end."""
    context = chromium.new_context(locale=language, viewport=size, color_scheme=scheme, java_script_enabled=scripts)
    page = context.new_page()

    def look(page: Page) -> None:
        # Axe is a script itself; without scripts the same pages were checked with them.
        if scripts:
            assert page.locator("html").get_attribute("lang") == language[:2]
            check(page)
            check_keyboard(page)

    log_in(page, demo, *two)
    by_ourselves(page, demo, look)
    context.close()


def test_anna_logs_out_by_keyboard_alone(demo: Demo, chromium: Browser, two: tuple[Party, Party]) -> None:
    """The question is answered and the service skipped with Tab and Enter, by what has the focus."""
    context = chromium.new_context(locale="nl-NL")
    page = context.new_page()
    log_in(page, demo, two[0])
    page.goto(demo.url("/uitloggen"))
    for control, then in (("logout", "logout-visit"), ("skip", "logged-out")):
        for _ in range(20):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.dataset.testid") == control:
                break
        page.keyboard.press("Enter")
        page.wait_for_selector(f"[data-page={then}]")
    assert page.locator("h1").inner_text() == "U bent uitgelogd"
    context.close()


def test_a_service_asks_and_gets_its_answer(demo: Demo, chromium: Browser, tmp_path: Path) -> None:
    """Where the answer does not go by itself, the person reads who did not answer, and one button leads back."""
    demo.reset()
    with (
        registered(demo, tmp_path / "one", "leaver", "UWV", exits_of("leaver", POST)) as one,
        registered(demo, tmp_path / "two", "hearer", "GEM", exits_of("hearer", POST)) as other,
    ):
        context = chromium.new_context(locale="nl-NL")
        page = context.new_page()
        log_in(page, demo, one, other)
        _, sent = one.leave(REDIRECT)
        page.goto(dict(sent["headers"])["Location"])
        page.wait_for_selector("[data-page=logout-visit]")
        _check_on_both(page)
        press(page, "skip", "logged-out")
        assert page.get_by_test_id("missed").locator("li").count() == 1
        _check_on_both(page)
        with page.expect_request("https://leaver.example.test/slo") as told:
            page.get_by_test_id("return").click()
        assert "SAMLResponse" in (told.value.post_data or "")
        context.close()


def _check_on_both(page: Page) -> None:
    """A page is clean and goes by keyboard on a phone and on a desktop."""
    for size in (PHONE, DESKTOP):
        page.set_viewport_size(size)
        check(page)
        check_keyboard(page)
