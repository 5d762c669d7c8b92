"""Every page is clean by axe (WCAG 2.2 AA), in both languages, on a phone and a desktop, and by keyboard alone."""

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser.keyboard import check_keyboard
from tests.browser.stories import STORIES
from tests.browser.walk import ERRORS, LABORATORY, PUBLIC, STEPS
from tests.fixtures.browser import axe_violations
from tests.fixtures.sandbox import Demo

PHONE, DESKTOP = {"width": 320, "height": 700}, {"width": 1280, "height": 900}


def check(page: Page) -> None:
    """No violation of axe, nothing wider than the window, one heading of the first level, a language."""
    assert axe_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    assert page.locator("h1").count() == 1
    assert page.locator("html").get_attribute("lang") in ("nl", "en")


@pytest.mark.parametrize("language", ["nl", "en"])
def test_public_and_laboratory_pages_are_clean(demo: Demo, chromium: Browser, language: str) -> None:
    """Each page that can be reached by its address, and each error page."""
    for size, scheme in ((PHONE, "light"), (DESKTOP, "dark")):
        context = chromium.new_context(locale="nl-NL", viewport=size, color_scheme=scheme)
        page = context.new_page()
        for path in (*PUBLIC, *LABORATORY, *ERRORS):
            page.goto(demo.url(path + ("&" if "?" in path else "?") + f"lang={language}"))
            assert page.locator("html").get_attribute("lang") == language, path
            check(page)
        context.close()


@pytest.mark.parametrize("step", list(STEPS))
def test_steps_of_a_login_are_clean(demo: Demo, chromium: Browser, step: str) -> None:
    """Each step of a login, in Dutch and English, light on a phone and dark on a desktop."""
    demo.reset()
    for language, size, scheme in (("nl", PHONE, "light"), ("en", DESKTOP, "dark")):
        context = chromium.new_context(locale=language, viewport=size, color_scheme=scheme)
        page = context.new_page()
        STEPS[step](page, demo)
        check(page)
        context.close()


@pytest.mark.parametrize("step", list(STEPS))
def test_every_control_is_reached_by_keyboard(demo: Demo, chromium: Browser, step: str) -> None:
    """Tab comes past every control of a login once, in the order of the page, and always shows where it is."""
    demo.reset()
    context = chromium.new_context(locale="nl-NL", viewport=DESKTOP)
    page = context.new_page()
    STEPS[step](page, demo)
    check_keyboard(page)
    context.close()


@pytest.mark.parametrize(("language", "size"), [("nl", PHONE), ("en", DESKTOP)], ids=["nl-phone", "en-desktop"])
@pytest.mark.parametrize("story", list(STORIES))
def test_every_page_of_ones_own_login_is_clean_and_goes_by_keyboard(
    demo: Demo, chromium: Browser, story: str, language: str, size: ViewportSize
) -> None:
    """Profile, recovery, loss and responders: each page of each story, mistakes too, by axe and by Tab."""
    demo.reset()
    context = chromium.new_context(locale=language, viewport=size)
    page = context.new_page()
    for _ in STORIES[story](page, demo):
        assert page.locator("html").get_attribute("lang") == language
        check(page)
        check_keyboard(page)
    context.close()
