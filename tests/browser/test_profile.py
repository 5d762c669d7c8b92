"""One's own pages in a real browser: clean, by keyboard, without scripts, and a change that the old address undoes."""

from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page

from tests.browser.test_accessible import check
from tests.browser.walk import enter
from tests.fixtures.sandbox import Demo


def letter(demo: Demo, to: str) -> str:
    """The address of the link in the newest mail to somebody."""
    mails = requests.get(demo.url("/lab/api/inbox"), timeout=60).json()
    return str(next(one for one in mails if one["to"] == to and one["links"])["links"][0])


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_f43_a_change_of_address_is_undone_from_the_old_one(demo: Demo, chromium: Browser, scripts: bool) -> None:
    """A thief confirms an address of their own; who reads the old one undoes it and the thief is out (F42, F43)."""
    demo.reset()
    look = check if scripts else lambda _page: None
    thief, holder = (chromium.new_context(locale="nl-NL", java_script_enabled=scripts) for _ in range(2))
    page, other = thief.new_page(), holder.new_page()
    enter(page, demo, "anna")
    page.fill("[name=email]", "thief@elders.test")
    page.get_by_test_id("submit").click()
    page.wait_for_selector("[data-page=profile-email-sent]")
    look(page)
    _press(page, letter(demo, "thief@elders.test"), "confirm", "email-done", look)
    page.goto(demo.url("/profiel"))
    assert "thief@elders.test" in page.locator("main").inner_text()
    _press(other, letter(demo, "anna@zonneschijn.test"), "object", "email-restored", look)
    page.goto(demo.url("/profiel"))
    page.wait_for_selector("[data-page=profile-welcome]")
    enter(page, demo, "anna")
    assert "anna@zonneschijn.test" in page.locator("main").inner_text()
    for one in (thief, holder):
        one.close()


def test_the_address_is_changed_by_keyboard_alone(demo: Demo, chromium: Browser) -> None:
    """The field is filled in and sent with Enter; the mistake is read first and what was typed is kept."""
    demo.reset()
    context = chromium.new_context(locale="nl-NL")
    page = context.new_page()
    enter(page, demo, "anna")
    page.focus("[name=email]")
    page.keyboard.type("anna@zonneschijn.test")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-testid=problem]:focus")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.name") == "email"
    assert page.locator("[name=email]").input_value() == "anna@zonneschijn.test"
    page.keyboard.press("Control+A")
    page.keyboard.type("anna@elders.test")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-page=profile-email-sent]")
    context.close()


def _press(page: Page, link: str, button: str, leads_to: str, look: Any) -> None:
    page.goto(link)
    look(page)
    page.get_by_test_id(button).click()
    page.wait_for_selector(f"[data-page={leads_to}]")
    look(page)
