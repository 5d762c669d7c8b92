"""Every page is clean by axe (WCAG 2.2 AA), in both languages, on a phone and a desktop, and by keyboard alone."""

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.walk import ERRORS, LABORATORY, PUBLIC, STEPS
from tests.fixtures.browser import axe_violations
from tests.fixtures.sandbox import Demo

PHONE, DESKTOP = {"width": 320, "height": 700}, {"width": 1280, "height": 900}
_FOCUSABLE = "a[href], button, input:not([type=hidden]), select, summary, [tabindex='0']"


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
    """Pressing Tab comes past every control once and always shows where it is (WCAG 2.1.1, 2.4.7)."""
    demo.reset()
    context = chromium.new_context(locale="nl-NL", viewport=DESKTOP)
    page = context.new_page()
    STEPS[step](page, demo)
    check_keyboard(page)
    context.close()


def check_keyboard(page: Page) -> None:
    """Tab comes past every control of a page, and each shows that it is there."""
    page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
    wanted = page.locator(_FOCUSABLE).filter(visible=True).count()
    reached: set[str] = set()
    for _ in range(wanted + 10):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "(() => { const e = document.activeElement; const s = getComputedStyle(e);"
                " return e.tagName + '|' + (e.name || '') + '|' + (e.href || '') + '|' + (e.value || '') + '|'"
                " + (e.dataset.testid || '') + '|' + (s.outlineStyle !== 'none' || s.boxShadow !== 'none'); })()"
            )
        )
    seen = {one for one in reached if not one.startswith("BODY")}
    assert all(one.endswith("|true") for one in seen), [one for one in seen if not one.endswith("|true")]
    radios = page.locator("input[type=radio]").filter(visible=True).count()
    # One press of Tab passes a whole group of radio buttons; the arrows choose within it.
    assert len(seen) >= wanted - max(radios - 1, 0)
