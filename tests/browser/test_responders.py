"""Stories of responders in a real browser: out of step, and lost while a colleague helps."""

from collections.abc import Iterator
from datetime import datetime

import pyotp
import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.walk import begin, identify, prove
from tests.fixtures.sandbox import Demo


@pytest.fixture
def browsers(demo: Demo, chromium: Browser) -> Iterator[list[BrowserContext]]:
    """Two browsers at a fresh world."""
    demo.reset()
    made = [chromium.new_context(locale="nl-NL", base_url=demo.base_url) for _ in range(2)]
    yield made
    for one in made:
        one.close()


def mailed(demo: Demo, to: str, path: str) -> str:
    """The newest link of a kind that was mailed to somebody."""
    box = requests.get(demo.url("/lab/api/inbox"), timeout=60).json()
    return str(next(link for mail in box if mail["to"] == to for link in mail["links"] if path in link))


def shown(demo: Demo, username: str) -> str:
    """A fresh code of the account's device."""
    requests.put(demo.url("/lab/api/clock"), json={"advance_seconds": 30}, timeout=60).raise_for_status()
    return str(requests.get(demo.url(f"/lab/api/otp/{username}"), timeout=60).json()["code"])


def subject(page: Page) -> str:
    """What the portal calls the person."""
    page.wait_for_selector("[data-page=lab-received]")
    assert page.locator("main").get_attribute("data-outcome") == "granted"
    return str(page.locator("[data-name=sub] strong").first.inner_text())


def test_mees_gets_in_after_resynchronising(demo: Demo, browsers: list[BrowserContext]) -> None:
    """The page says that the clock is off and asks the next code; with it mees is at the portal (L06, F34)."""
    page = browsers[0].new_page()
    begin(page, demo, "UWV")
    identify(page, demo, "mees")
    prove(page, demo, "mees")
    page.wait_for_selector("[data-problem=L06]")
    assert page.get_by_label("De volgende code").is_visible()
    prove(page, demo, "mees")
    assert subject(page)


def test_zohra_gets_another_responder_with_petras_help(demo: Demo, browsers: list[BrowserContext]) -> None:
    """From a refusal at UWV over petra's word and an app back into the same login, and in (RUL-14, PS-2)."""
    zohra, petra = browsers[0].new_page(), browsers[1].new_page()
    begin(zohra, demo, "UWV")
    identify(zohra, demo, "zohra")
    zohra.get_by_test_id("remedy-PAIR_RESPONDER").click()
    zohra.get_by_test_id("manager").click()
    zohra.wait_for_selector("[data-testid=managers-asked]")
    ways = zohra.url

    begin(petra, demo, "UWV")
    identify(petra, demo, "petra")
    prove(petra, demo, "petra")
    petra.wait_for_selector("[data-page=lab-received]")
    petra.goto(mailed(demo, "petra@papier.test", "/collega-bevestigen"))
    petra.get_by_test_id("confirm").click()
    petra.wait_for_selector("[data-page=colleague-done]")

    zohra.goto(mailed(demo, "zohra@papier.test", "/responder-koppelen"))
    zohra.goto(ways.replace("/responder-kwijt", "/responder-koppelen"))
    zohra.wait_for_selector("[data-page=pair-responder]")
    key = zohra.get_by_test_id("app-key").inner_text().replace(" ", "")
    zohra.fill("[name=app-code]", _app(demo, key))
    zohra.get_by_test_id("pair-app").click()
    zohra.wait_for_selector("[data-page=recovery-codes]")
    zohra.get_by_test_id("back-to-login").click()
    zohra.wait_for_selector("[data-page=login-code]")
    zohra.fill("[name=code]", shown(demo, "zohra"))
    zohra.get_by_test_id("submit").click()
    assert subject(zohra)


def _app(demo: Demo, key: str) -> str:
    """What an authenticator app with this key shows."""
    now = requests.get(demo.url("/lab/api/clock"), timeout=60).json()["now"]
    return str(pyotp.TOTP(key).at(datetime.fromisoformat(now)))
