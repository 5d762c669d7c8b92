"""Introspection and revocation: who may look into a token and end it (RFC 7662, RFC 9701, RFC 7009)."""

from typing import Any

import pytest
from joserfc import jwt

from idp.protocols.message import Document
from tests.protocol.oidc_kit import ASSERTION_TYPE, BASE, Provider, RelyingParty, jwks, told_by
from tests.protocol.oidc_proof import Prover, call, redeem

API = "https://api.example.test/"
OFFLINE = "openid offline_access"
SIGNED = "application/token-introspection+jwt"
REFRESHING: dict[str, Any] = {"grant_types": ["authorization_code", "refresh_token"]}


@pytest.fixture
def party(provider: Provider) -> RelyingParty:
    """A client that may refresh and ask tokens for an API."""
    return provider.register(**REFRESHING, resources=[API])


def about(party: RelyingParty, token: str) -> dict[str, Any]:
    """What a client hears about a token."""
    return told_by(call(party, "introspect", {"token": token}))


def refused(document: Document, error: str, status: int = 400) -> None:
    """That a call is refused in OAuth's form."""
    assert told_by(document, status)["error"] == error


@pytest.mark.parametrize("form", ["opaque", "jwt"])
def test_a_client_looks_into_its_own_tokens(provider: Provider, form: str) -> None:
    """Of an access token are told: whose, whom about, how strongly, for whom, for what and until when (section 2.2)."""
    party = provider.register(**REFRESHING, access_token_format=form)
    tokens = party.tokens(scope=OFFLINE + " kvk")
    told, now = about(party, tokens["access_token"]), int(provider.clock.now().timestamp())
    claims = provider.verified(tokens["id_token"])
    assert told["active"] is True
    assert (told["iss"], told["client_id"], told["aud"]) == (BASE, party.client_id, BASE)
    assert (told["scope"], told["token_type"], told["exp"]) == (OFFLINE + " kvk", "Bearer", now + 900)
    assert {name: told[name] for name in ("sub", "acr", "auth_time", "represents")} == {
        name: claims[name] for name in ("sub", "acr", "auth_time", "represents")
    }
    assert "cnf" not in told
    assert ("jti" in told) == (form == "jwt")


def test_a_client_looks_into_its_refresh_token(party: RelyingParty) -> None:
    """Of a refresh token is told that it lives, and until when: six hours, and a day after the login at most."""
    refresh_token = party.tokens(scope=OFFLINE)["refresh_token"]
    told = about(party, refresh_token)
    assert (told["active"], told["scope"]) == (True, OFFLINE)
    assert told["exp"] == int(party.provider.clock.now().timestamp()) + 6 * 3600
    assert "token_type" not in told


def test_what_is_over_is_inactive(party: RelyingParty) -> None:
    """An unknown, late, rotated or malformed token is told to be inactive, and nothing else (section 2.2)."""
    tokens = party.tokens(scope=OFFLINE)
    for wrong in ("x", "a.b.c", "0" * 32 + "." + "A" * 43, tokens["id_token"], "é", "x" * 9000):
        assert about(party, wrong) == {"active": False}
    told_by(party.refresh(tokens["refresh_token"]))
    assert about(party, tokens["access_token"]) == about(party, tokens["refresh_token"]) == {"active": False}
    access = party.tokens()["access_token"]
    party.provider.move(minutes=15)
    assert about(party, access) == {"active": False}


def test_a_stranger_hears_nothing(provider: Provider, party: RelyingParty) -> None:
    """Another client, of this provider or not, hears that the token is inactive (section 2.2)."""
    tokens = party.tokens(scope=OFFLINE)
    for services in ("UWV", "RVO-3"):
        stranger = provider.register(services, serves_resources=[API])
        assert about(stranger, tokens["access_token"]) == {"active": False}
        assert about(stranger, tokens["refresh_token"]) == {"active": False}


def test_a_resource_looks_into_tokens_for_it(provider: Provider, party: RelyingParty) -> None:
    """A client that serves the API a token is for may look into it, when it belongs to the same provider (RFC 8707)."""
    access = party.tokens(resource=API)["access_token"]
    told = about(provider.register(serves_resources=[API]), access)
    assert (told["active"], told["aud"], told["client_id"]) == (True, API, party.client_id)
    for stranger in (provider.register(), provider.register("RVO-3", serves_resources=[API])):
        assert about(stranger, access) == {"active": False}


def test_a_bound_token_is_told_with_its_key(party: RelyingParty) -> None:
    """What a token is bound to is told, so that a resource can ask the proof (RFC 9449 section 6.2)."""
    prover = Prover(party.provider)
    tokens = told_by(redeem(party, party.code(), prover.proof()))
    told = about(party, tokens["access_token"])
    assert (told["token_type"], told["cnf"]) == ("DPoP", {"jkt": prover.thumbprint})


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256"])
def test_an_answer_is_signed_for_who_asks_so(provider: Provider, algorithm: str) -> None:
    """With its media type in Accept the answer is a signed one of its own kind, for the caller (RFC 9701 section 5)."""
    party = provider.register(introspection_signed_response_alg=algorithm)
    access = party.tokens()["access_token"]
    document = call(party, "introspect", {"token": access}, accept=f"text/html, {SIGNED};q=1")
    assert (document.status, document.content_type) == (200, SIGNED)
    token = jwt.decode(document.body.decode(), provider.key_set(), algorithms=[algorithm])
    assert token.header["typ"] == "token-introspection+jwt"
    assert (token.claims["iss"], token.claims["aud"]) == (BASE, party.client_id)
    assert token.claims["iat"] == int(provider.clock.now().timestamp())
    assert token.claims["token_introspection"] == about(party, access)
    assert set(token.claims) == {"iss", "aud", "iat", "token_introspection"}


def test_only_clients_that_prove_themselves_may_look(provider: Provider, party: RelyingParty) -> None:
    """Without proof, or as a client that has none, a token is told to nobody (RFC 7662 section 4)."""
    access = party.tokens()["access_token"]
    refused(call(party, "introspect", {"token": access}, authorization="Basic eDp5"), "invalid_client", 401)
    public = provider.register(token_endpoint_auth_method="none")
    refused(call(public, "introspect", {"token": access}), "invalid_client", 401)
    refused(call(party, "introspect", {}), "invalid_request")
    refused(call(party, "revoke", {}), "invalid_request")


@pytest.mark.parametrize("name", ["introspect", "revoke"])
def test_an_assertion_counts_once_here_too(provider: Provider, name: str) -> None:
    """A client assertion is spent at these endpoints as at the token endpoint (SEC-25)."""
    party = provider.register(token_endpoint_auth_method="private_key_jwt", jwks=jwks("ec"))
    proof = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": party.assertion()}
    form = {"token": "x", **proof}
    assert call(party, name, form).status == 200
    refused(call(party, name, form), "invalid_client", 401)


@pytest.mark.parametrize("form", ["opaque", "jwt"])
def test_a_revoked_access_token_is_over_and_the_rest_stays(provider: Provider, form: str) -> None:
    """Revoking an access token ends it alone; it can be said twice (RFC 7009 section 2)."""
    party = provider.register(**REFRESHING, access_token_format=form)
    tokens = party.tokens(scope=OFFLINE)
    for _ in range(2):
        assert (
            call(party, "revoke", {"token": tokens["access_token"], "token_type_hint": "refresh_token"}).status == 200
        )
        assert provider.userinfo(tokens["access_token"]).status == 401
    assert told_by(party.refresh(tokens["refresh_token"]))


def test_a_revoked_refresh_token_ends_all(party: RelyingParty) -> None:
    """Revoking a refresh token ends the access tokens of its login as well (RFC 7009 section 2.1)."""
    tokens = party.tokens(scope=OFFLINE)
    assert call(party, "revoke", {"token": tokens["refresh_token"], "token_type_hint": "nonsense"}).status == 200
    assert party.provider.userinfo(tokens["access_token"]).status == 401
    refused(party.refresh(tokens["refresh_token"]), "invalid_grant")
    assert call(party, "revoke", {"token": tokens["refresh_token"]}).status == 200


def test_nobody_ends_the_token_of_another(provider: Provider, party: RelyingParty) -> None:
    """A token of another client is refused and lives on; what is no token is as good as ended (sections 2.1, 2.2)."""
    tokens, stranger = party.tokens(scope=OFFLINE), provider.register()
    for token in (tokens["access_token"], tokens["refresh_token"]):
        refused(call(stranger, "revoke", {"token": token}), "unauthorized_client")
        assert about(party, token)["active"] is True
    for nothing in ("x", "a.b.c", tokens["id_token"]):
        assert call(party, "revoke", {"token": nothing}).status == 200


def test_a_public_client_may_end_its_tokens(provider: Provider) -> None:
    """A client without a secret names itself and may revoke what it was given (RFC 7009 section 5)."""
    party = provider.register(token_endpoint_auth_method="none")
    access = told_by(party.redeem(party.code(), client_id=party.client_id))["access_token"]
    assert call(party, "revoke", {"token": access}).status == 200
    assert provider.userinfo(access).status == 401
