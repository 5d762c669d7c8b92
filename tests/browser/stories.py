"""Walks along every page on which people look after their own login; each stops at every page on its way."""

from collections.abc import Callable, Iterator
from datetime import datetime

import pyotp
import requests
from playwright.sync_api import Page

from tests.browser.walk import PROFILE, begin, enter, identify, persona, prove
from tests.fixtures.sandbox import Demo

Story = Callable[[Page, Demo], Iterator[str]]
_NEW = "Nieuw2026wachtw"


def _letter(demo: Demo, to: str, path: str) -> str:
    """The newest link of a kind that was mailed to somebody."""
    mails = requests.get(demo.url("/lab/api/inbox"), timeout=60).json()
    return str(next(link for mail in mails if mail["to"] == to for link in mail["links"] if path in link))


def _press(page: Page, control: str, leads_to: str) -> str:
    page.get_by_test_id(control).click()
    page.wait_for_selector(f"[data-page={leads_to}]")
    return leads_to


def _wrong(page: Page, control: str, **fields: str) -> str:
    """Fill in something that is refused."""
    for name, value in fields.items():
        page.fill(f"[name={name}]", value)
    page.get_by_test_id(control).click()
    page.wait_for_selector("[data-testid=problem]")
    return f"{page.locator('body').get_attribute('data-page')}-wrong"


def _goto(page: Page, demo: Demo, path: str) -> str:
    page.goto(demo.url(path))
    return str(page.locator("body").get_attribute("data-page"))


def _code(page: Page, demo: Demo) -> str:
    """What an authenticator app with the key on this page shows."""
    now = requests.get(demo.url("/lab/api/clock"), timeout=60).json()["now"]
    key = page.get_by_test_id("app-key").inner_text().replace(" ", "")
    return str(pyotp.TOTP(key).at(datetime.fromisoformat(now)))


def _lost_ways(page: Page, demo: Demo) -> str:
    """zohra, who has no responder, comes to the ways to another one; answers where they stand."""
    begin(page, demo, "UWV")
    identify(page, demo, "zohra")
    page.get_by_test_id("remedy-PAIR_RESPONDER").click()
    page.wait_for_selector("[data-page=lost-ways]")
    return page.url


def profile(page: Page, demo: Demo) -> Iterator[str]:
    """anna looks at everything that is hers, and makes a mistake on each form."""
    yield _goto(page, demo, "/profiel")
    enter(page, demo, "anna")
    for path in (*PROFILE, "/responder-koppelen"):
        yield _goto(page, demo, path)
    yield _wrong(page, "pair-app", **{"app-code": "000000"})
    _goto(page, demo, "/profiel/email")
    yield _wrong(page, "submit", email=persona(demo, "anna")["email"])
    _goto(page, demo, "/profiel/wachtwoord")
    yield _wrong(page, "submit", **{"current-password": "verkeerd", "new-password": "kort"})
    _goto(page, demo, "/profiel/responder")
    yield _press(page, "new-codes", "recovery-codes")
    _goto(page, demo, "/profiel/gegevens")
    yield _press(page, "erase", "erasure-asked")
    _goto(page, demo, "/profiel/sessies")
    yield _press(page, "end-all", "all-ended")


def address(page: Page, demo: Demo) -> Iterator[str]:
    """anna changes her address, and it is undone from the old one."""
    old, new = persona(demo, "anna")["email"], "anna.van.den.heuvel-bruggeman@zonneschijn-bloemen.test"
    enter(page, demo, "anna")
    page.fill("[name=email]", new)
    yield _press(page, "submit", "profile-email-sent")
    page.goto(_letter(demo, new, "/email-bevestigen"))
    yield "email-confirm"
    yield _press(page, "confirm", "email-done")
    page.goto(_letter(demo, old, "/email-bezwaar"))
    yield "email-object"
    yield _press(page, "object", "email-restored")
    page.goto(demo.url("/email-bezwaar"))
    yield "link-over"


def recovery(page: Page, demo: Demo) -> Iterator[str]:
    """sam gets a username and a password back in the middle of a login."""
    begin(page, demo, "RVO-3")
    page.get_by_test_id("forgot-username").click()
    page.wait_for_selector("[data-page=forgot-username]")
    page.get_by_test_id("lost-details").click()
    page.wait_for_selector("[data-page=lost-details]")
    yield "lost-details"
    yield _press(page, "forgot-username", "forgot-username")
    yield _wrong(page, "submit", email="sam@schoonmaak")
    page.fill("[name=email]", persona(demo, "sam")["email"])
    yield _press(page, "submit", "recovery-sent")
    yield _press(page, "forgot-password", "forgot-password")
    page.fill("[name=username]", "sam")
    yield _press(page, "submit", "recovery-sent")
    page.goto(_letter(demo, persona(demo, "sam")["email"], "/wachtwoord-nieuw"))
    yield "new-password"
    yield _wrong(page, "submit", **{"new-password": "kort"})
    page.fill("[name=new-password]", _NEW)
    yield _press(page, "submit", "password-changed")
    page.goto(demo.url("/wachtwoord-nieuw"))
    yield "link-over"


def loss(page: Page, demo: Demo) -> Iterator[str]:
    """petra has recovery codes, loses her responder and tries every way to another one."""
    enter(page, demo, "petra")
    page.goto(demo.url("/profiel/responder"))
    _press(page, "new-codes", "recovery-codes")
    page.context.clear_cookies()
    begin(page, demo, "UWV")
    identify(page, demo, "petra")
    page.wait_for_selector("[data-page=login-code]")
    page.get_by_test_id("no-responder").click()
    page.get_by_test_id("lost-responder").click()
    page.wait_for_selector("[data-page=report-loss]")
    yield "report-loss"
    yield _press(page, "report", "lost-ways")
    yield _wrong(page, "submit", **{"recovery-code": "AAAA-AAAA-AAAA"})
    page.get_by_test_id("reset").click()
    page.wait_for_selector("[data-testid=waiting]")
    yield "lost-ways-waiting"
    page.goto(_letter(demo, persona(demo, "petra")["email"], "/bezwaar"))
    yield "object-to-reset"
    yield _press(page, "object", "objected")
    page.goto(demo.url("/bezwaar"))
    yield "responder-link-over"


def colleague(page: Page, demo: Demo) -> Iterator[str]:
    """zohra asks petra, who confirms; then zohra pairs an app."""
    _lost_ways(page, demo)
    page.get_by_test_id("manager").click()
    page.wait_for_selector("[data-testid=managers-asked]")
    yield "lost-ways-asked"
    page.context.clear_cookies()
    page.goto(_letter(demo, persona(demo, "petra")["email"], "/collega-bevestigen"))
    yield "log-in-first"
    begin(page, demo, "UWV")
    identify(page, demo, "petra")
    prove(page, demo, "petra")
    page.wait_for_selector("[data-page=lab-received]")
    page.goto(_letter(demo, persona(demo, "petra")["email"], "/collega-bevestigen"))
    yield "confirm-colleague"
    yield _press(page, "confirm", "colleague-done")
    page.context.clear_cookies()
    ways = _lost_ways(page, demo)
    page.goto(_letter(demo, persona(demo, "zohra")["email"], "/responder-koppelen"))
    page.goto(ways.replace("/responder-kwijt", "/responder-koppelen"))
    page.wait_for_selector("[data-page=pair-responder]")
    yield "pair-responder"
    page.fill("[name=app-code]", _code(page, demo))
    yield _press(page, "pair-app", "recovery-codes")


STORIES: dict[str, Story] = {
    "profile": profile,
    "address": address,
    "recovery": recovery,
    "loss": loss,
    "colleague": colleague,
}
