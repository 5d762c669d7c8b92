"""A login that is allowed, but of which the service cannot hear what it must: nobody is told that it went well."""

import json
from base64 import b64decode
from dataclasses import replace

import pytest
from lxml import etree
from sqlalchemy import select, update

from idp.domain.naming import RSIN
from idp.domain.parties import CatalogueAttribute, Profile, Service
from idp.lab.world import read
from idp.protocols.saml.xmlsec.xml import MD
from idp.services.catalogue.loading import write_service
from idp.store.ledger import AuditEvent
from idp.store.means import Pseudonym
from idp.store.organisations import Organisation
from idp.store.people import Person
from idp.store.versions import DIRECTORY, bump
from tests.protocol.saml_kit import status_of
from tests.protocol.saml_messages import SAML_PROFILES
from tests.web.kit import PERSONAS, Page, Site, told
from tests.web.saml_kit import Relying

WORLD = read()
INITIALS = "urn:etoegang:1.9:attribute:Initials"
REQUIRED = (
    '<samlp:Extensions><e:RequestedAttributes xmlns:e="urn:etoegang:1.9:samlp-extension"><md:RequestedAttribute '
    f'xmlns:md="{MD}" Name="{INITIALS}" isRequired="true"/></e:RequestedAttributes></samlp:Extensions>'
)


def change(site: Site, slug: str, **facts: object) -> None:
    """Let the catalogue say something else of a service."""
    with site.office.work("test") as work:
        (service,) = (one for one in site.office.directory.services() if one.slug == slug)
        changed: Service = replace(service, **facts)  # type: ignore[arg-type]
        write_service(work, changed)
        bump(work.connection, DIRECTORY)


def without_rsin(site: Site, *names: str) -> None:
    """Take the RSIN of organisations away, as of sole traders."""
    with site.office.work("test") as work:
        work.connection.execute(update(Organisation).where(Organisation.name.in_(names)).values(rsin=None))


def companies(username: str) -> list[str]:
    """The organisations of a persona, by name."""
    return [WORLD.organisation(one.organisation).name for one in PERSONAS[username].means]


def recorded(site: Site) -> list[tuple[str, str]]:
    """The ends of logins in the audit chain, each with its reasons."""
    with site.office.reading() as connection:
        found = select(AuditEvent.event, AuditEvent.facts).where(AuditEvent.event.startswith("login."))
        rows = connection.execute(found.order_by(AuditEvent.sequence)).all()
    return [(row.event, json.loads(row.facts).get("reasons", "")) for row in rows]


def pseudonyms(site: Site) -> int:
    """How many pseudonyms were ever made."""
    with site.office.reading() as connection:
        return len(connection.execute(select(Pseudonym.value)).all())


def come(site: Site, party: Relying, username: str, inside: str = "") -> Page:
    """Log in as far as a person gets, with consent to everything."""
    page = site.get(party.ask(inside=inside))
    found: Page | str = site.identify(page, username)
    assert isinstance(found, Page)
    found = site.prove(found, username)
    assert isinstance(found, Page)
    if found.name == "login-consent":
        boxes = found.soup.find_all("input", attrs={"name": "attribute"})
        found = site.fill(found, {"attribute": str(boxes[0]["value"])})
    assert isinstance(found, Page)
    return found


@pytest.mark.parametrize("profile", SAML_PROFILES)
def test_an_organisation_without_the_identifier(site: Site, profile: Profile) -> None:
    """Page, audit chain and party say the same: there was no login; no session, no pseudonym is left (EC-4)."""
    change(site, "UWV", entity_types=((RSIN,),))
    without_rsin(site, *companies("anna"))
    party = Relying(site, "one.example.test", "UWV", profile).register()
    before = pseudonyms(site)
    page = come(site, party, "anna")
    assert (page.name, page.soup.main and page.soup.main["data-outcome"]) == ("login-answer", "refused")
    root = etree.fromstring(b64decode(page.form_of("step-form")["SAMLResponse"]))
    assert status_of(root) == ("Responder", "RequestUnsupported", "Entity type not supported")
    assert recorded(site) == [("login.refused", "ENTITY_TYPE")]
    assert pseudonyms(site) == before
    assert party.needs_password()


@pytest.mark.parametrize(("known", "outcome"), [("A.", "granted"), ("", "refused")])
def test_an_attribute_that_is_not_known(site: Site, known: str, outcome: str) -> None:
    """A required attribute that was agreed to ends the login as a refusal where there is none to tell (RA-3)."""
    change(site, "UWV", attributes=(CatalogueAttribute(INITIALS, True, {"nl": "Aanhef", "en": "Salutation"}),))
    with site.office.work("test") as work:
        work.connection.execute(update(Person).values(initials=known))
    party = Relying(site, "one.example.test", "UWV").register()
    page = come(site, party, "anna", REQUIRED)
    assert page.soup.main
    assert page.soup.main["data-outcome"] == outcome
    assert recorded(site) == [(f"login.{outcome}", "" if known else "ATTRIBUTE")]


def test_who_cannot_be_told_is_no_choice(site: Site) -> None:
    """Of two organisations the one that the service could not be told is not offered (EC-4, GUC4)."""
    change(site, "OLO", entity_types=((RSIN,),))
    first, second = companies("nora")
    without_rsin(site, first)
    party = Relying(site, "one.example.test", "OLO").register()
    found = site.identify(site.get(party.ask()), "nora")
    assert isinstance(found, Page)
    assert found.name == "login-answer"
    assert second in found.soup.get_text()


def test_an_openid_client_hears_the_same(site: Site) -> None:
    """The error is ``access_denied``, with a reference that finds the refusal in the audit chain (RUL-33)."""
    change(site, "UWV", entity_types=((RSIN,),))
    without_rsin(site, *companies("anna"))
    heard = told(site.log_in("anna", "UWV"))
    assert (heard["error"], "code" in heard) == ("access_denied", False)
    assert heard["error_description"].startswith("The organisation has no identifier that the service takes. Reference")
    assert recorded(site) == [("login.refused", "ENTITY_TYPE")]
