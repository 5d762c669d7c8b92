"""A client of several instances of one definition: which one a request is about, and what stays of it."""

import pytest

from idp.domain.parties import Service
from tests.protocol.oidc_kit import Provider, RelyingParty, told_by
from tests.protocol.test_oidc_requests import read
from tests.services.instances_kit import open_instances
from tests.services.portal_kit import only_for


@pytest.fixture
def instances(provider: Provider) -> tuple[Service, Service]:
    """Two instances of RVO."""
    first, second, _ = open_instances(provider.office)
    return first, second


@pytest.fixture
def party(provider: Provider, instances: tuple[Service, Service]) -> RelyingParty:
    """A client of both, the second first."""
    first, second = instances
    grants = ["authorization_code", "refresh_token"]
    return provider.register(f"{second.slug},{first.slug}", grant_types=grants)


def test_a_definition_means_the_first_of_its_instances(party: RelyingParty, instances: tuple[Service, Service]) -> None:
    """domain 11.3: by the UUID of the definition the client's first instance is asked, by its own names either one."""
    first, second = instances
    for prefix in ("service:", "urn:uuid:"):
        assert read(party, scope=f"openid {prefix}{first.uuid}").service == second.instance_uuid
        for one in instances:
            assert read(party, scope=f"openid {prefix}{one.instance_uuid.upper()}").service == one.instance_uuid
    for one in instances:
        assert read(party, scope=f"openid {one.slug}").service == one.instance_uuid
    assert read(party, scope="openid").service == second.instance_uuid


def test_tokens_go_on_about_the_instance_that_was_asked(
    provider: Provider, party: RelyingParty, instances: tuple[Service, Service]
) -> None:
    """SEC-36: ID token, userinfo and every refresh tell of the instance, as long as the definition's mandate stands."""
    first, _ = instances
    with provider.office.work("test") as work:
        only_for(work, "anna", first)
    browser = provider.log_in("anna", last_used_at=first.provider.oin)
    tokens = party.tokens(browser, scope=f"openid eherkenning offline_access {first.slug}")
    told = told_by(provider.userinfo(tokens["access_token"]))
    again = told_by(party.refresh(tokens["refresh_token"]))
    later = told_by(provider.userinfo(again["access_token"]))
    for claims in (provider.verified(tokens["id_token"]), told, later):
        assert claims["urn:etoegang:core:ServiceID"] == first.urn
        assert claims["urn:etoegang:core:ServiceUUID"] == first.uuid
    with provider.office.work("test") as work:
        only_for(work, "anna", provider.service("UWV"))
    assert told_by(party.refresh(again["refresh_token"]), 400)["error"] == "invalid_grant"
