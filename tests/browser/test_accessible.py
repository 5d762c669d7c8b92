"""Every page is clean by axe (WCAG 2.2 AA), in both languages, on a phone and a desktop, and by keyboard alone."""

from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser.keyboard import check_keyboard
from tests.browser.stories import STORIES
from tests.browser.walk import ERRORS, LABORATORY, PUBLIC, STEPS
from tests.fixtures.browser import axe_violations
from tests.fixtures.sandbox import Demo

Scheme = Literal["light", "dark"]
PHONE, DESKTOP = ViewportSize(width=320, height=700), ViewportSize(width=1280, height=900)
# Each page is seen twice: language, window and colours change together.
FORMS = (("nl", PHONE, "light"), ("en", DESKTOP, "dark"))
IDS = ("nl-phone-light", "en-desktop-dark")


def check(page: Page) -> None:
    """No violation of axe, nothing wider than the window, one heading of the first level, a language."""
    assert axe_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    assert page.locator("h1").count() == 1
    assert page.locator("html").get_attribute("lang") in ("nl", "en")


@pytest.mark.parametrize(("language", "size", "scheme"), FORMS, ids=IDS)
def test_public_and_laboratory_pages_are_clean(
    demo: Demo, chromium: Browser, language: str, size: ViewportSize, scheme: Scheme
) -> None:
    """Each page that can be reached by its address, and each error page."""
    context = chromium.new_context(locale="nl-NL", viewport=size, color_scheme=scheme)
    page = context.new_page()
    for path in (*PUBLIC, *LABORATORY, *ERRORS):
        page.goto(demo.url(path + ("&" if "?" in path else "?") + f"lang={language}"))
        assert page.locator("html").get_attribute("lang") == language, path
        check(page)
    context.close()


@pytest.mark.parametrize(("language", "size", "scheme"), FORMS, ids=IDS)
@pytest.mark.parametrize("step", list(STEPS))
def test_steps_of_a_login_are_clean_and_go_by_keyboard(
    demo: Demo, chromium: Browser, step: str, language: str, size: ViewportSize, scheme: Scheme
) -> None:
    """Each step of a login by axe; Tab comes past every control once, in order, and shows where it is."""
    demo.reset()
    context = chromium.new_context(locale=language, viewport=size, color_scheme=scheme)
    page = context.new_page()
    STEPS[step](page, demo)
    assert page.locator("html").get_attribute("lang") == language
    check(page)
    check_keyboard(page)
    context.close()


@pytest.mark.parametrize(("language", "size", "scheme"), FORMS, ids=IDS)
@pytest.mark.parametrize("story", list(STORIES))
def test_every_page_of_ones_own_login_is_clean_and_goes_by_keyboard(
    demo: Demo, chromium: Browser, story: str, language: str, size: ViewportSize, scheme: Scheme
) -> None:
    """Profile, recovery, loss and responders: each page of each story, mistakes too, by axe and by Tab."""
    demo.reset()
    context = chromium.new_context(locale=language, viewport=size, color_scheme=scheme)
    page = context.new_page()
    for _ in STORIES[story](page, demo):
        assert page.locator("html").get_attribute("lang") == language
        check(page)
        check_keyboard(page)
    context.close()
