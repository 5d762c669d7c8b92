"""A security key in a real browser: Chromium's virtual authenticator, over its developer protocol."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page

from tests.browser.walk import begin, identify, prove
from tests.fixtures.browser import axe_violations
from tests.fixtures.sandbox import Demo

_KEY = {"protocol": "ctap2", "transport": "usb", "hasUserVerification": True, "isUserVerified": True}


@pytest.fixture
def context(demo: Demo, chromium: Browser) -> Iterator[BrowserContext]:
    """A browser of its own at a fresh world."""
    demo.reset()
    made = chromium.new_context(locale="nl-NL", base_url=demo.base_url)
    yield made
    made.close()


def plug_in(context: BrowserContext, page: Page) -> tuple[CDPSession, str]:
    """Plug in a virtual key that is touched at once."""
    session = context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = _KEY | {"automaticPresenceSimulation": True}
    return session, session.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]


def at_the_key(page: Page, demo: Demo) -> None:
    """anna at the page that asks her code or her key, without a session of before."""
    page.context.clear_cookies()
    begin(page, demo, "UWV")
    identify(page, demo, "anna")
    page.get_by_test_id("use-passkey").click()
    page.wait_for_load_state()


def test_anna_adds_a_key_and_logs_in_with_it(demo: Demo, context: BrowserContext) -> None:
    """The key lets her in without a code; a copy with a counter that stands still is refused."""
    page = context.new_page()
    session, key = plug_in(context, page)
    begin(page, demo, "UWV")
    identify(page, demo, "anna")
    prove(page, demo, "anna")
    page.wait_for_selector("[data-page=lab-received]")
    page.goto("/profiel/sleutels")
    assert axe_violations(page) == []
    page.fill("[name=label]", "sleutelbos")
    page.get_by_test_id("add-key").click()
    page.wait_for_selector("[data-testid=passkey]")
    at_the_key(page, demo)
    page.wait_for_selector("[data-page=lab-received]")
    assert page.locator("main").get_attribute("data-outcome") == "granted"

    held = session.send("WebAuthn.getCredentials", {"authenticatorId": key})["credentials"][0]
    session.send("WebAuthn.clearCredentials", {"authenticatorId": key})
    session.send("WebAuthn.addCredential", {"authenticatorId": key, "credential": held | {"signCount": 0}})
    at_the_key(page, demo)
    page.wait_for_selector("[data-problem=L12]")
    assert axe_violations(page) == []


def test_without_scripts_the_code_is_asked(demo: Demo, context: BrowserContext, chromium: Browser) -> None:
    """Who has a key and no JavaScript sees the field for the code and no button that does nothing."""
    page = context.new_page()
    plug_in(context, page)
    begin(page, demo, "UWV")
    identify(page, demo, "anna")
    prove(page, demo, "anna")
    page.wait_for_selector("[data-page=lab-received]")
    page.goto("/profiel/sleutels")
    page.fill("[name=label]", json.dumps("x"))
    page.get_by_test_id("add-key").click()
    page.wait_for_selector("[data-testid=passkey]")
    plain = chromium.new_context(locale="nl-NL", java_script_enabled=False)
    other = plain.new_page()
    begin(other, demo, "UWV")
    identify(other, demo, "anna")
    assert other.get_by_test_id("use-passkey").is_hidden()
    prove(other, demo, "anna")
    other.wait_for_selector("[data-page=lab-received]")
    plain.close()
