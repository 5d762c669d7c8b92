"""Logging in at EH4 by certificate in a real browser: the choice is the browser's own dialogue, over real TLS."""

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.walk import begin, identify
from tests.fixtures.sandbox import Demo


def carrying(demo: Demo, chromium: Browser, name: str, issuer: str = "issuing") -> BrowserContext:
    """A browser in which one certificate of the laboratory was imported."""
    folder = demo.folder / "authority"
    chain = folder / f"{name}.carried.pem"
    chain.write_bytes((folder / f"{name}.crt.pem").read_bytes() + (folder / f"{issuer}.crt.pem").read_bytes())
    certificate = {
        "origin": demo.facts["certificate_url"],
        "certPath": str(chain),
        "keyPath": str(folder / f"{name}.key.pem"),
    }
    return chromium.new_context(
        locale="nl-NL",
        client_certificates=[certificate],  # type: ignore[list-item]  # a plain dictionary is what it takes
        ignore_https_errors=True,
    )


def choose(page: Page) -> None:
    """Press the button that lets the browser show its certificate."""
    page.wait_for_selector("[data-page=login-certificate]")
    page.get_by_test_id("submit").click()
    page.wait_for_load_state()


@pytest.mark.parametrize("protocol", ["saml", "oidc"])
def test_rosa_logs_in_with_her_certificate(demo: Demo, chromium: Browser, protocol: str) -> None:
    """rosa chooses her certificate in Chromium and the portal gets EH4; our own policy blocks nothing (RUL-29)."""
    demo.reset()
    context = carrying(demo, chromium, "rosa")
    page = context.new_page()
    blocked: list[str] = []
    page.on(
        "console", lambda message: blocked.append(message.text) if "Content Security Policy" in message.text else None
    )
    begin(page, demo, "EH4-DEMO", protocol)
    identify(page, demo, "rosa")
    choose(page)
    page.wait_for_selector("[data-page=lab-received]")
    assert page.locator("main").get_attribute("data-outcome") == "granted"
    assert blocked == []
    context.close()


@pytest.mark.parametrize(
    ("name", "issuer", "words"),
    [
        ("rosa-expired", "issuing", "verlopen"),
        ("rosa-revoked", "issuing", "ingetrokken"),
        ("rosa-other-root", "other-issuing", "niet van PKIoverheid"),
        ("anna", "issuing", "hoort niet bij uw account"),
    ],
)
def test_a_wrong_certificate_is_explained(demo: Demo, chromium: Browser, name: str, issuer: str, words: str) -> None:
    """The page says what is wrong with the certificate, in words that lead on, and the way back stays (D15)."""
    demo.reset()
    context = carrying(demo, chromium, name, issuer)
    page = context.new_page()
    begin(page, demo, "EH4-DEMO")
    identify(page, demo, "rosa")
    choose(page)
    problem = page.get_by_test_id("problem")
    assert problem.get_attribute("data-problem") == "D15"
    assert words in problem.inner_text()
    page.get_by_test_id("cancel").click()
    page.wait_for_selector("[data-page=lab-received]")
    assert page.locator("main").get_attribute("data-outcome") == "cancelled"
    context.close()
