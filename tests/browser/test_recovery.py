"""Sam lost everything in the middle of a login, in a real browser: on a phone, on a desktop, and without scripts."""

from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser.test_accessible import DESKTOP, PHONE
from tests.browser.walk import begin, path_of, prove
from tests.fixtures.sandbox import Demo

NEW = "nieuw2026wachtw"


def inbox(demo: Demo) -> dict[str, Any]:
    """The newest mail."""
    newest: dict[str, Any] = requests.get(demo.url("/lab/api/inbox"), timeout=60).json()[0]
    return newest


def send(page: Page, name: str, field: str, value: str) -> None:
    """Fill in the form of a page, send it, and wait for the page with this name."""
    page.fill(f"[name={field}]", value)
    page.get_by_test_id("submit").click()
    page.wait_for_selector(f"[data-page={name}]")


def recover(page: Page, demo: Demo) -> None:
    """From the password page to a new password."""
    page.get_by_test_id("forgot-username").click()
    send(page, "recovery-sent", "email", "sam@schoonmaak.test")
    mail = inbox(demo)
    assert mail["to"] == "sam@schoonmaak.test"
    assert all(f"- {username} (" in mail["text"] for username in ("sam", "sam2"))
    page.get_by_test_id("forgot-password").click()
    send(page, "recovery-sent", "username", "sam")
    page.goto(inbox(demo)["links"][0])
    assert path_of(page) == "/wachtwoord-nieuw"
    send(page, "new-password", "new-password", "kort")
    assert page.locator("[name=new-password]").input_value() == ""
    send(page, "password-changed", "new-password", NEW)


@pytest.mark.parametrize(
    ("language", "size", "scripts"),
    [("nl-NL", PHONE, True), ("en", DESKTOP, False)],
    ids=["phone-dutch", "desktop-english-without-scripts"],
)
def test_f38_f39_sam_recovers_everything_and_arrives_at_rvo(
    demo: Demo, chromium: Browser, language: str, size: ViewportSize, scripts: bool
) -> None:
    """Two usernames in one mail, a new password by a link, and then the login at RVO where it was."""
    demo.reset()
    context = chromium.new_context(locale=language, viewport=size, java_script_enabled=scripts)
    page = context.new_page()
    begin(page, demo, "RVO-3")
    login = path_of(page)
    recover(page, demo)
    page.get_by_test_id("continue-login").click()
    assert path_of(page) == login
    page.fill("[name=username]", "sam")
    send(page, "login-code", "password", NEW)
    prove(page, demo, "sam")
    page.wait_for_selector("[data-page=lab-received]")
    assert page.locator("main").get_attribute("data-outcome") == "granted"
    context.close()


def test_f39_a_password_is_recovered_by_keyboard_alone(demo: Demo, chromium: Browser) -> None:
    """Question and new password are filled in and sent with Enter; the mistake is read first."""
    demo.reset()
    context = chromium.new_context(locale="nl-NL")
    page = context.new_page()
    page.goto(demo.url("/wachtwoord-vergeten"))
    page.focus("[name=username]")
    page.keyboard.type("anna")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-page=recovery-sent]")
    page.goto(inbox(demo)["links"][0])
    page.focus("[name=new-password]")
    page.keyboard.type("kort")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-testid=problem]:focus")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.name") == "new-password"
    page.keyboard.type(NEW)
    assert page.locator("[data-rule].met").count() == page.locator("[data-rule]").count() == 6
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-page=password-changed]")
    context.close()
