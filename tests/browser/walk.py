"""Every page of the product in a real browser, reached the way people reach it."""

from collections.abc import Callable
from urllib.parse import urlsplit

import requests
from playwright.sync_api import Page

from tests.fixtures.sandbox import Demo

PUBLIC = (
    *("/", "/diensten", "/aanvragen", "/activeren", "/opwaarderen", "/mutaties", "/tarieven", "/klantenservice"),
    *(
        "/gegevens-kwijt",
        "/gebruikersnaam-vergeten",
        "/wachtwoord-vergeten",
        "/profiel",
        "/beheer",
        "/privacy",
        "/toegankelijkheid",
    ),
)
PROFILE = (
    *("/profiel", "/profiel/activiteit", "/profiel/sessies", "/profiel/gegevens", "/profiel/middel"),
    *("/profiel/email", "/profiel/wachtwoord", "/profiel/responder", "/profiel/sleutels"),
)
LABORATORY = (
    "/lab",
    "/lab/inbox",
    "/lab/clock",
    "/lab/certificates",
    "/lab/connect",
    "/lab/vocabulary",
    "/lab/portal/UWV",
    "/lab/portal/GEM",
)
ERRORS = ("/nope", "/login/nope", "/oidc/authorize?client_id=nobody", "/saml/sso")


def persona(demo: Demo, username: str) -> dict[str, str]:
    """What the laboratory tells of a persona."""
    people = requests.get(demo.facts["personas_url"], timeout=60).json()
    found: dict[str, str] = next(one for one in people if one["id"] == username)
    return found


def begin(page: Page, demo: Demo, service: str, protocol: str = "oidc") -> None:
    """From a portal to the password page."""
    page.goto(demo.url(f"/lab/portal/{service}"))
    page.get_by_test_id(f"start-{protocol}").click()
    _through(page)
    page.wait_for_selector("[data-page=login-password]")


def identify(page: Page, demo: Demo, username: str) -> None:
    """Fill in username and password."""
    page.fill("[name=username]", username)
    page.fill("[name=password]", persona(demo, username)["password"])
    page.get_by_test_id("submit").click()
    page.wait_for_load_state()


def prove(page: Page, demo: Demo, username: str) -> None:
    """Fill in what the responder shows, a step after the last one used."""
    requests.put(demo.url("/lab/api/clock"), json={"advance_seconds": 30}, timeout=60).raise_for_status()
    page.fill("[name=code]", requests.get(demo.url(f"/lab/api/otp/{username}"), timeout=60).json()["code"])
    page.get_by_test_id("submit").click()
    page.wait_for_load_state()


def enter(page: Page, demo: Demo, username: str) -> None:
    """Log in at one's own pages, with the second factor."""
    page.goto(demo.url("/profiel"))
    page.get_by_test_id("log-in").click()
    page.wait_for_selector("[data-page=login-password]")
    identify(page, demo, username)
    page.wait_for_selector("[data-page=profile]")
    page.get_by_test_id("change-email").click()
    page.wait_for_selector("[data-page=login-code]")
    prove(page, demo, username)
    page.wait_for_selector("[data-page=profile-email]")


def _through(page: Page) -> None:
    """Press the button of a page that only carries a message, where no script did."""
    page.wait_for_load_state()
    if page.query_selector("[data-page=lab-send]") is not None:
        page.get_by_test_id("step-form").locator("button").click()


def _password(page: Page, demo: Demo) -> None:
    begin(page, demo, "UWV")


def _wrong_password(page: Page, demo: Demo) -> None:
    begin(page, demo, "UWV")
    page.fill("[name=username]", "anna")
    page.fill("[name=password]", "wrong1234")
    page.get_by_test_id("submit").click()
    page.wait_for_selector("[data-page=login-password] [data-testid=problem]")


def _code(page: Page, demo: Demo) -> None:
    begin(page, demo, "UWV")
    identify(page, demo, "anna")
    page.wait_for_selector("[data-page=login-code]")


def _refused(page: Page, demo: Demo) -> None:
    begin(page, demo, "UWV")
    identify(page, demo, "emre")
    page.wait_for_selector("[data-page=login-refused]")


def _choose(page: Page, demo: Demo) -> None:
    begin(page, demo, "UWV")
    identify(page, demo, "otto")
    prove(page, demo, "otto")
    page.wait_for_selector("[data-page=login-choose]")


def _consent(page: Page, demo: Demo) -> None:
    begin(page, demo, "RVO-3")
    identify(page, demo, "anna")
    prove(page, demo, "anna")
    page.wait_for_selector("[data-page=lab-received]")
    page.goto(demo.url("/lab/portal/UWV"))
    page.get_by_test_id("start-oidc").click()
    _through(page)
    page.wait_for_selector("[data-page=login-consent]")


def _received(page: Page, demo: Demo) -> None:
    begin(page, demo, "OLO")
    identify(page, demo, "anna")
    page.wait_for_selector("[data-page=lab-received]")


STEPS: dict[str, Callable[[Page, Demo], None]] = {
    "login-password": _password,
    "login-password-wrong": _wrong_password,
    "login-code": _code,
    "login-refused": _refused,
    "login-choose": _choose,
    "login-consent": _consent,
    "lab-received": _received,
}


def path_of(page: Page) -> str:
    """Where a page stands."""
    return urlsplit(page.url).path
