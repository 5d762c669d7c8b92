"""A relying party whose metadata change while somebody logs in there."""

from dataclasses import replace

import pytest

from idp.domain.parties import Profile
from idp.protocols.saml.metadata.refresh import FILE, examine, take_over
from tests.protocol.saml_messages import POST, SAML_PROFILES, SCHEME_METADATA, Consumer, Published
from tests.web.kit import Page, Site
from tests.web.saml_kit import Relying


def move(site: Site, party: Relying, location: str) -> None:
    """Take over metadata with another address for answers."""
    base = Published() if party.profile is Profile.GENERIC else replace(SCHEME_METADATA, services="", signed=False)
    consumers = (Consumer(1, POST, location, default=True),)
    published = replace(base, entity_id=party.entity, consumers=consumers)
    known = site.office.directory.party_by_id(party.party)
    assert known is not None
    take_over(site.office, known, examine(site.office, known, published.xml(), pinned=False), FILE, accept_weaker=False)


@pytest.mark.parametrize("profile", SAML_PROFILES)
@pytest.mark.parametrize("way", ["proven", "cancelled"])
def test_no_answer_goes_to_an_address_that_was_taken_out(site: Site, profile: Profile, way: str) -> None:
    """Where newer metadata do not name the address any more, the person reads that, and nothing is sent (SEC-14)."""
    party = Relying(site, "one.example.test", "UWV", profile).register()
    page = site.get(party.ask())
    if way == "proven":
        found = site.identify(page, "anna")
        assert isinstance(found, Page)
        page = found
    move(site, party, "https://one.example.test/elsewhere")
    ended = site.prove(page, "anna") if way == "proven" else site.fill(page, {}, "cancel")
    assert isinstance(ended, Page)
    assert (ended.response.status_code, ended.error) == (400, "P03")
    assert "SAMLResponse" not in ended.response.get_data(as_text=True)
    assert party.needs_password()


def test_an_address_that_stays_is_answered(site: Site) -> None:
    """What else changes while somebody logs in changes nothing for them."""
    party = Relying(site, "one.example.test", "UWV").register()
    page = site.identify(site.get(party.ask()), "anna")
    move(site, party, "https://one.example.test/acs")
    assert isinstance(page, Page)
    found = site.prove(page, "anna")
    assert isinstance(found, Page)
    assert found.name == "login-answer"
