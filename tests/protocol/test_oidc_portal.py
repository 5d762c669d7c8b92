"""What an OpenID client of a portal is told: one service by the claims that were promised, every one by their own."""

import json

import pytest
from jsonschema import Draft202012Validator

from idp.protocols.oidc import documents
from idp.services.authentication.login import Browser
from tests.protocol.oidc_kit import Provider, RelyingParty, told_by
from tests.services.portal_kit import catalogue, open_portal

FLAT = "openid eherkenning"
RVO3, RVO2PLUS = catalogue()["RVO-3"], catalogue()["RVO-2PLUS"]


@pytest.fixture
def party(provider: Provider) -> RelyingParty:
    """A client of the portal of RVO."""
    open_portal(provider.office)
    provider.office.directory._looked_at = float("-inf")
    return provider.register("MIJN-RVO")


def at_rvo(provider: Provider) -> Browser:
    """A browser of anna, who is at RVO already."""
    return provider.log_in("anna", last_used_at=RVO3.provider.oin)


def test_a_client_of_a_portal_is_told_every_service(provider: Provider, party: RelyingParty) -> None:
    """domain 7.6: `services` lists them in ID token and userinfo; ServiceID stays one text, that of the first."""
    tokens = party.tokens(at_rvo(provider), scope=FLAT)
    claims = provider.verified(tokens["id_token"])
    told = [{"service_id": one.urn, "service_uuid": one.uuid} for one in (RVO3, RVO2PLUS)]
    assert claims["services"] == told
    assert claims["urn:etoegang:core:ServiceID"] == RVO3.urn
    assert claims["urn:etoegang:core:ServiceUUID"] == RVO3.uuid
    assert told_by(provider.userinfo(tokens["access_token"]))["services"] == told


def test_the_claims_of_a_portal_fit_the_schema(provider: Provider, party: RelyingParty) -> None:
    """The schema of version 1 describes them, and refuses a list that is empty or says other things."""
    schema = json.loads(documents(provider.office)["/oidc/schemas/claims-1.json"][1])
    checker = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    claims = provider.verified(party.tokens(at_rvo(provider), scope=FLAT)["id_token"])
    assert list(checker.iter_errors(claims)) == []
    for wrong in ([], [{"service_id": RVO3.urn}], [RVO3.uuid], claims["services"][:1] * 2):
        assert list(checker.iter_errors(claims | {"services": wrong}))


def test_nothing_changes_elsewhere(provider: Provider, party: RelyingParty) -> None:
    """A service of its own has no such claim, and without the scope nobody has."""
    assert "services" not in provider.verified(party.tokens(at_rvo(provider), scope="openid")["id_token"])
    plain = provider.verified(provider.register("RVO-3").tokens(at_rvo(provider), scope=FLAT)["id_token"])
    assert "services" not in plain
    assert plain["urn:etoegang:core:ServiceUUID"] == RVO3.uuid
