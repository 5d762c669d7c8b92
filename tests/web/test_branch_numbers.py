"""The old number of a branch goes out beside the new one, in the profiles of SAML (SR-6)."""

from base64 import b64decode

import pytest
from lxml import etree

from idp.domain.parties import Profile
from tests.protocol.saml_kit import values
from tests.web.kit import Page, Site
from tests.web.saml_kit import Relying

VESTIGING = "urn:etoegang:1.9:ServiceRestriction:Vestigingsnr"
SUBDOSSIER = "urn:etoegang:1.9:ServiceRestriction:SubdossierNr"


@pytest.mark.parametrize("profile", [Profile.GENERIC, Profile.EHERKENNING_113, Profile.EHERKENNING_111])
@pytest.mark.parametrize(("username", "number", "old"), [("chris", "999000030001", ["0001"]), ("dina", None, [])])
def test_a_branch_has_both_numbers(
    site: Site, profile: Profile, username: str, number: str | None, old: list[str]
) -> None:
    """Chris's branch has an old number in the register and gets both; Dina's has none and gets the new one alone."""
    party = Relying(site, "one.example.test", "GEM", profile).register()
    party.log_in(username)
    page = site.get(party.ask())
    assert isinstance(page, Page)
    root = etree.fromstring(b64decode(page.form_of("step-form")["SAMLResponse"]))
    found = values(root, VESTIGING)
    assert len(found) == 1
    assert number in (None, found[0])
    assert values(root, SUBDOSSIER) == old
