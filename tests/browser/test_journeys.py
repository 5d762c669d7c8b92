"""Whole stories in a real browser: with scripts and without, by keyboard, over two sites."""

import pytest
from playwright.sync_api import Browser

from tests.browser.walk import begin, identify, persona, prove
from tests.fixtures.sandbox import Demo


@pytest.mark.parametrize("protocol", ["saml", "oidc"])
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_anna_logs_in_at_uwv(demo: Demo, chromium: Browser, protocol: str, scripts: bool) -> None:
    """Anna gets in with and without JavaScript, in both protocols, and nothing is blocked by our own policy."""
    demo.reset()
    context = chromium.new_context(locale="nl-NL", java_script_enabled=scripts)
    page = context.new_page()
    blocked: list[str] = []
    page.on(
        "console", lambda message: blocked.append(message.text) if "Content Security Policy" in message.text else None
    )
    begin(page, demo, "UWV", protocol)
    identify(page, demo, "anna")
    prove(page, demo, "anna")
    if not scripts and protocol == "saml":
        assert page.locator("[data-page=login-answer]").count() == 1
        page.get_by_test_id("continue").click()
    page.wait_for_selector("[data-page=lab-received]")
    assert page.locator("main").get_attribute("data-outcome") == "granted"
    assert blocked == []
    context.close()


def test_a_login_by_keyboard_alone(demo: Demo, chromium: Browser) -> None:
    """Username, password and code, each sent with Enter."""
    demo.reset()
    context = chromium.new_context(locale="nl-NL")
    page = context.new_page()
    begin(page, demo, "OLO")
    page.focus("[name=username]")
    page.keyboard.type("anna")
    page.keyboard.press("Tab")
    page.keyboard.type(persona(demo, "anna")["password"])
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-page=lab-received]")
    assert page.locator("main").get_attribute("data-outcome") == "granted"
    context.close()


def test_two_tabs_of_one_browser_each_end_their_own_login(demo: Demo, chromium: Browser) -> None:
    """A second tab does not disturb the first (features A.3)."""
    demo.reset()
    context = chromium.new_context(locale="nl-NL")
    first, second = context.new_page(), context.new_page()
    begin(first, demo, "EH1-DEMO")
    begin(second, demo, "OLO")
    identify(first, demo, "gijs")
    first.wait_for_selector("[data-page=lab-received]")
    identify(second, demo, "anna")
    second.wait_for_selector("[data-page=lab-received]")
    assert first.locator("main").get_attribute("data-outcome") == "granted"
    assert second.locator("main").get_attribute("data-outcome") == "granted"
    context.close()


def test_the_back_button_is_no_dead_end(demo: Demo, chromium: Browser) -> None:
    """Going back after the end shows a page with a way to begin again, never a broken one."""
    demo.reset()
    context = chromium.new_context(locale="nl-NL")
    page = context.new_page()
    begin(page, demo, "OLO")
    login = page.url
    identify(page, demo, "anna")
    page.wait_for_selector("[data-page=lab-received]")
    page.goto(login)
    assert page.locator("body").get_attribute("data-error") == "EXPIRED_PAGE"
    assert page.get_by_test_id("again").is_visible()
    context.close()


def test_errors_are_read_out(demo: Demo, chromium: Browser) -> None:
    """After a wrong password the title says so, the field is marked and points to its message (D.5)."""
    demo.reset()
    context = chromium.new_context(locale="nl-NL")
    page = context.new_page()
    begin(page, demo, "OLO")
    page.fill("[name=username]", "anna")
    page.fill("[name=password]", "wrong1234")
    page.get_by_test_id("submit").click()
    page.wait_for_selector("[data-testid=problem]")
    assert page.title().startswith("Fout:")
    field = page.locator("[name=username]")
    assert field.get_attribute("aria-invalid") == "true"
    described = (field.get_attribute("aria-describedby") or "").split()
    assert described
    assert page.locator(f"#{described[-1]}").inner_text()
    context.close()
