"""What people read at a portal: its name on every page, what stands behind it, and why it refuses (U-5)."""

from base64 import b64decode

import pytest
from lxml import etree

from idp.domain.parties import Profile
from tests.office import StandingClock
from tests.protocol.saml_kit import schemas, values
from tests.services.portal_kit import BEHIND, catalogue, only_for, open_portal
from tests.web.conftest import register
from tests.web.kit import Page, Site, told
from tests.web.saml_kit import Relying

OWN = "http://localhost"


@pytest.fixture
def portal(site: Site, clock: StandingClock) -> Site:
    """The application with the portal of RVO in its catalogue, and a client of it."""
    open_portal(site.office)
    site.office.directory._looked_at = float("-inf")
    site.clients["MIJN-RVO"] = register(site.office, "MIJN-RVO")
    return site


def band(page: Page) -> str:
    """Where a page says that one logs in."""
    found = page.soup.select_one(".band-text")
    assert found is not None
    return found.get_text(" ", strip=True)


def test_every_page_of_a_login_names_the_portal(portal: Site) -> None:
    """U-2, U-5: password and code page name the portal and its provider, and never speak of logging in "for" it."""
    first = portal.begin("MIJN-RVO")
    assert band(first) == "U logt in bij RVO op het portaal Mijn RVO Alles bij elkaar."
    second = portal.identify(first, "anna")
    assert isinstance(second, Page)
    assert (second.name, band(second)) == ("login-code", band(first))
    assert band(portal.begin("RVO-3")).startswith("U logt in bij RVO voor Subsidies aanvragen")


def test_the_pages_speak_english_too(portal: Site) -> None:
    """The portal's own English name, in an English sentence."""
    assert band(portal.begin("MIJN-RVO", ui_locales="en")).startswith(
        "You are logging in at RVO (Netherlands Enterprise Agency) on the portal My RVO"
    )


def test_a_refusal_says_that_no_service_behind_it_is_open(portal: Site) -> None:
    """U-10: bram has no mandate at RVO; the page counts the services that were looked at and says what to do."""
    page = portal.log_in("bram", "MIJN-RVO")
    assert isinstance(page, Page)
    assert page.reasons == ["NO_MANDATE"]
    text = page.soup.get_text(" ", strip=True)
    assert "Diensten achter dit portaal: 2." in text
    assert page.soup.select(".remedies li")
    plain = portal.new_browser()
    portal.browser = plain
    other = portal.log_in("bram", "RVO-3")
    assert not isinstance(other, Page) or "achter dit portaal" not in other.soup.get_text(" ")


def test_who_is_let_in_goes_on_to_the_client(portal: Site) -> None:
    """anna is let in at the portal as at any service."""
    assert "code" in told(portal.log_in("anna", "MIJN-RVO"))


def test_the_list_of_services_tells_what_a_portal_is_for(portal: Site) -> None:
    """F03: by name on the page, by UUID for programs, and which mandate is needed."""
    page = portal.get("/diensten")
    row = page.soup.select_one("[data-service=MIJN-RVO]")
    assert row is not None
    text = row.get_text(" ", strip=True)
    assert "Portaal voor: Subsidies aanvragen, Gecombineerde opgave" in text
    assert "algemeen of voor een van deze diensten" in text
    listed = portal.browser.get("/diensten.json", base_url=OWN).get_json()["services"]
    by_name = {one["id"]: one for one in listed}
    assert by_name["MIJN-RVO"]["portal_for"] == [by_name[slug]["instance_uuid"] for slug in ("RVO-3", "RVO-2PLUS")]
    assert by_name["UWV"]["portal_for"] == []


@pytest.mark.parametrize("profile", [Profile.GENERIC, Profile.EHERKENNING_113, Profile.EHERKENNING_111])
def test_a_saml_party_is_told_what_the_person_may_use(portal: Site, profile: Profile) -> None:
    """domain 12.6, variant h: from request to signed answer, every service as the mandate stands at that moment."""
    party = Relying(portal, "rvo.example.test", "MIJN-RVO", profile)
    party.register().log_in("anna")
    assert services_told(portal.get(party.ask())) == list(BEHIND)
    with portal.office.work("test") as work:
        only_for(work, "anna", catalogue()["RVO-2PLUS"])
    assert services_told(portal.get(party.ask())) == ["RVO-2PLUS"]


def services_told(page: Page) -> list[str]:
    """The services that a Response names, by both their names, which have to agree."""
    assert page.name == "login-answer"
    root = etree.fromstring(b64decode(page.form_of("step-form")["SAMLResponse"]))
    schemas().validate(root)
    by_urn, by_uuid = ({getattr(one, name): one.slug for one in catalogue().values()} for name in ("urn", "uuid"))
    named = [by_urn[one] for one in values(root, "urn:etoegang:core:ServiceID")]
    assert [by_uuid[one] for one in values(root, "urn:etoegang:core:ServiceUUID")] == named
    return named
