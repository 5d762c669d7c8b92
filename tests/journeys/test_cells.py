"""Who gets in where: every cell of the world in both protocols, through the portals of a running sandbox."""

from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from bs4 import BeautifulSoup

from tests.fixtures.sandbox import Demo
from tests.journeys.walker import Page, Walker
from tests.journeys.wallet import carry, trust

_GRANTED = "granted"
PERSONAS = (
    *("anna", "bram", "chris", "dina", "emre", "fleur", "gijs", "hana", "ivo", "joke", "karim"),
    *("lotte", "mees", "nora", "otto", "petra", "quinten", "rosa", "sam", "tess", "uma"),
)
# Beyond the table: each with the service at which it shows what nobody above does.
FURTHER = (
    *(("sam2", "OLO"), ("vera", "UWV"), ("willem", "UWV"), ("xander", "UWV"), ("yara", "UWV")),
    *(("zohra", "UWV"), ("bas", "RVO-3"), ("cas", "UWV"), ("daan", "UWV")),
)


@pytest.fixture(scope="module")
def world(demo: Demo) -> Iterator[Demo]:
    """A sandbox whose clock the tests may move."""
    demo.reset()
    yield demo
    demo.reset()


@pytest.fixture(scope="module")
def personas(world: Demo) -> dict[str, dict[str, Any]]:
    """The personas by username, as the laboratory lists them."""
    answer = requests.get(world.url("/lab/api/personas"), timeout=60).json()
    return {one["username"]: one for one in answer}


def fresh_code(world: Demo, username: str) -> str:
    """A code that nobody used: the clock goes one step ahead first."""
    requests.put(world.url("/lab/api/clock"), json={"advance_seconds": 30}, timeout=60).raise_for_status()
    return str(requests.get(world.url(f"/lab/api/otp/{username}"), timeout=60).json()["code"])


def log_in(world: Demo, persona: dict[str, Any], service: str, protocol: str) -> Walker:
    """Log in at a portal as far as it goes, choosing the first organisation where there is a choice."""
    walker = Walker(world.base_url).visit(f"/lab/portal/{service}").follow(f"start-{protocol}").through()
    assert walker.page.name == "login-password", walker.page.error
    walker.submit(username=persona["username"], password=persona["password"])
    # A device whose clock is off shows the code after it as well (L06).
    for _ in range(2):
        if walker.page.name == "login-code" and not walker.page.error:
            walker.submit(code=fresh_code(world, persona["username"]))
    if walker.page.name == "login-certificate":
        trust(walker, world)
        carry(walker, world, persona["username"], world.folder)
        walker.submit()
    if walker.page.name == "login-choose":
        first = walker.page.soup.select_one("input[name=organisation]")
        walker.submit(organisation=str(first["value"]) if first else "")
    return walker.through()


def told(walker: Walker) -> str:
    """What a login came to."""
    page = walker.page
    if page.name == "lab-received":
        return page.outcome
    if page.name == "login-refused":
        return page.reasons[0]
    return page.error or page.problem or page.name


CELLS = [
    (username, service, protocol)
    for username in PERSONAS
    for service in ("UWV", "RVO-3", "RVO-2PLUS", "OLO", "GEM", "EH1-DEMO", "EH4-DEMO")
    for protocol in ("saml", "oidc")
]


@pytest.mark.parametrize(("username", "service", "protocol"), CELLS)
def test_cell(world: Demo, personas: dict[str, dict[str, Any]], username: str, service: str, protocol: str) -> None:
    """What the table says happens, happens: granted and verified by the portal, or refused for the first reason."""
    persona = personas[username]
    walker = log_in(world, persona, service, protocol)
    assert told(walker) == persona["expected"][service]
    if persona["expected"][service] == _GRANTED:
        assert walker.page.failed_checks == []
        return
    assert walker.page.soup.select("[data-remedy]")
    walker.submit("return-form").through()
    assert walker.page.name == "lab-received"
    assert (walker.page.outcome, walker.page.failed_checks) == ("refused", [])


@pytest.mark.parametrize(("username", "service"), FURTHER)
def test_further_persona(world: Demo, personas: dict[str, dict[str, Any]], username: str, service: str) -> None:
    """The reasons beyond the table are shown where the persona says so, by both protocols."""
    assert personas[username]["shown_at"] in (service, None)
    for protocol in ("saml", "oidc"):
        walker = log_in(world, personas[username], service, protocol)
        assert told(walker) == personas[username]["expected"][service]


@pytest.mark.parametrize("protocol", ["saml", "oidc"])
def test_wrong_codes_block_no_service_without_codes(
    world: Demo, personas: dict[str, dict[str, Any]], protocol: str
) -> None:
    """daan gave too many wrong codes; where a password alone is asked he still gets in (RUL-20)."""
    walker = log_in(world, personas["daan"], "OLO", protocol)
    assert told(walker) == personas["daan"]["expected"]["OLO"] == _GRANTED


def test_only_the_level_is_told_before_the_second_factor(world: Demo, personas: dict[str, dict[str, Any]]) -> None:
    """cas lacks level and mandate; before a second factor only the level may be told (RUL-11)."""
    walker = log_in(world, personas["cas"], "UWV", "saml")
    assert walker.page.reasons == ["LEVEL_TOO_LOW"]


def test_both_protocols_tell_the_same_person(world: Demo, personas: dict[str, dict[str, Any]]) -> None:
    """One person at one provider has one pseudonym, in SAML and in OIDC, and another at another provider (RUL-10)."""
    saml = log_in(world, personas["anna"], "UWV", "saml").page.values["urn:etoegang:core:ActingSubjectID"]
    oidc = log_in(world, personas["anna"], "UWV", "oidc").page.values["sub"]
    other = log_in(world, personas["anna"], "OLO", "oidc").page.values["sub"]
    assert saml == oidc
    assert other != oidc


def test_encrypted_identifiers_are_opened_by_the_portal(world: Demo, personas: dict[str, dict[str, Any]]) -> None:
    """The portal in eherkenning-1.13 opens the identifiers, RSIN before KvK number, and the message hides them."""
    page = log_in(world, personas["anna"], "GEM", "saml").page
    legal = page.values["urn:etoegang:core:LegalSubjectID"]
    kvk = personas["anna"]["organisations"][0]["kvk"]
    assert [value.rpartition(" ")[2] for value in legal] == ["(RSIN)", "(KvKnr)"]
    assert legal[1].startswith(kvk)
    assert kvk not in page.text("raw-response-1")
    assert "EncryptedID" in page.text("raw-response-1")


def test_a_branch_is_told(world: Demo, personas: dict[str, dict[str, Any]]) -> None:
    """dina's branch restricts what her login is worth, and both protocols say so."""
    branch = personas["dina"]["organisations"][0]["branch"]
    for protocol in ("saml", "oidc"):
        values = log_in(world, personas["dina"], "RVO-3", protocol).page.values
        assert values["urn:etoegang:1.9:ServiceRestriction:Vestigingsnr"] == [branch]


@pytest.mark.parametrize(
    ("username", "service", "choices"), [("nora", "OLO", 2), ("otto", "UWV", 3), ("otto", "GEM", 2)]
)
def test_choosing(world: Demo, personas: dict[str, dict[str, Any]], username: str, service: str, choices: int) -> None:
    """Who may act for several organisations chooses, and the portal hears for whom (RUL-15)."""
    persona, told_for = personas[username], set()
    for place in range(choices):
        walker = Walker(world.base_url).visit(f"/lab/portal/{service}").follow("start-saml").through()
        walker.submit(username=username, password=persona["password"])
        if walker.page.name == "login-code":
            walker.submit(code=fresh_code(world, username))
        offered = [str(one["value"]) for one in walker.page.soup.select("input[name=organisation]")]
        assert len(offered) == choices
        page = walker.submit(organisation=offered[place]).through().page
        told_for.add(" ".join(page.values["urn:etoegang:core:LegalSubjectID"]))
    assert len(told_for) == choices


def test_an_incomplete_chain_is_named(world: Demo, personas: dict[str, dict[str, Any]]) -> None:
    """otto's third client stands among what he cannot choose at UWV, with its reason (RUL-15)."""
    walker = Walker(world.base_url).visit("/lab/portal/UWV").follow("start-oidc").through()
    walker.submit(username="otto", password=personas["otto"]["password"])
    walker.submit(code=fresh_code(world, "otto"))
    assert "D13" in walker.page.soup.get_text()


@pytest.mark.parametrize("protocol", ["saml", "oidc"])
@pytest.mark.parametrize("agreed", [True, False])
def test_consent(world: Demo, personas: dict[str, dict[str, Any]], protocol: str, agreed: bool) -> None:
    """Personal attributes are told only after the person agreed to each (RUL-12)."""
    walker = Walker(world.base_url).visit("/lab/portal/GEM").follow(f"start-{protocol}-personal").through()
    walker.submit(username="anna", password=personas["anna"]["password"])
    walker.submit(code=fresh_code(world, "anna"))
    assert walker.page.name == "login-consent"
    offered = [str(one["value"]) for one in walker.page.soup.select("input[name=attribute]")]
    page = walker.submit(attribute=offered if agreed else []).through().page
    assert (page.outcome, page.failed_checks) == ("granted", [])
    text = " ".join(value for values in page.values.values() for value in values)
    assert ("anna@zonneschijn.test" in text) is agreed


@pytest.mark.parametrize("protocol", ["saml", "oidc"])
def test_cancelling(world: Demo, protocol: str) -> None:
    """Who cancels comes back to the portal, which hears just that."""
    walker = Walker(world.base_url).visit("/lab/portal/UWV").follow(f"start-{protocol}").through()
    page = walker.submit("cancel-form").through().page
    assert page.name == "lab-received"
    assert (page.outcome, page.failed_checks) == ("cancelled", [])
    assert "Authentication cancelled" in page.text("status")


def test_a_portal_refuses_what_was_tampered_with(world: Demo, personas: dict[str, dict[str, Any]]) -> None:
    """A portal believes no answer whose octets changed, and none that it gets twice."""
    walker = Walker(world.base_url).visit("/lab/portal/OLO").follow("start-saml").through()
    answer = walker.submit(username="anna", password=personas["anna"]["password"]).page
    fields = {str(one["name"]): str(one["value"]) for one in answer.soup.select("input[type=hidden]")}
    action = str(answer.soup.form["action"]) if answer.soup.form else ""
    forged = b64encode(b64decode(fields["SAMLResponse"]).replace(b"loa2", b"loa3")).decode()
    for octets, outcome in ((forged, "refused"), (fields["SAMLResponse"], "refused")):
        sent = walker.session.post(action, data=fields | {"SAMLResponse": octets}, timeout=60)
        page = Page(sent.url, sent.status_code, BeautifulSoup(sent.text, "html.parser"))
        assert page.outcome == outcome
        assert len(page.failed_checks) == 1
        assert not page.values
