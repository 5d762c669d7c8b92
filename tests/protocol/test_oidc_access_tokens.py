"""Signed access tokens, tokens for a resource, and refresh tokens that stay (RFC 9068, RFC 8707, FAPI 2.0)."""

import base64
import hashlib
from datetime import timedelta
from typing import Any

import pytest
from joserfc import jwt

from idp.protocols.message import Answered, Document
from idp.services.tokens.grants import Dead, Terms
from idp.services.tokens.refreshing import extend
from tests.protocol.oidc_kit import BASE, Provider, RelyingParty, parameters_of, told_by
from tests.protocol.oidc_proof import Prover, call, redeem, refresh

API, OTHER = "https://api.example.test/", "https://other.example.test/v1"
OFFLINE = "openid offline_access"
REFRESHING: dict[str, Any] = {"grant_types": ["authorization_code", "refresh_token"]}


@pytest.fixture
def party(provider: Provider) -> RelyingParty:
    """A client with signed access tokens for two APIs."""
    return provider.register(**REFRESHING, access_token_format="jwt", resources=[API, OTHER])


def claims_of(provider: Provider, token: str, algorithm: str = "RS256") -> dict[str, Any]:
    """The claims of a signed access token, judged as RFC 9068 section 4 tells a resource."""
    decoded = jwt.decode(token, provider.key_set(), algorithms=[algorithm])
    assert decoded.header["typ"] == "at+jwt"
    assert decoded.header["kid"]
    return dict(decoded.claims)


def refused(document: Document, error: str, status: int = 400) -> None:
    """That a call is refused in OAuth's form."""
    assert told_by(document, status)["error"] == error


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256"])
def test_a_signed_access_token_says_what_it_must(provider: Provider, algorithm: str) -> None:
    """Every claim that RFC 9068 section 2.2 and NL GOV ask is there, signed as the client's ID tokens are."""
    party = provider.register(access_token_format="jwt", id_token_signed_response_alg=algorithm)
    tokens = party.tokens(scope="openid kvk")
    claims, now = claims_of(provider, tokens["access_token"], algorithm), int(provider.clock.now().timestamp())
    told = provider.verified(tokens["id_token"], algorithm)
    assert (claims["iss"], claims["aud"], claims["iat"], claims["exp"]) == (BASE, BASE, now, now + 900)
    assert claims["client_id"] == claims["azp"] == party.client_id
    assert (claims["scope"], claims["sub"], claims["auth_time"]) == ("openid kvk", told["sub"], told["auth_time"])
    assert (claims["acr"], claims["represents"]) == (told["acr"], told["represents"])
    assert len(claims["jti"]) == 43


def test_a_signed_token_tells_a_resource_nothing_personal(provider: Provider) -> None:
    """What a client asks by name, or of the person, is for the client and not in the access token."""
    party = provider.register("RVO-3", access_token_format="jwt")
    claims = '{"id_token": {"kvk": null}, "access_token": {"email": null}}'
    tokens = party.tokens(provider.log_in(last_used_at=provider.service("RVO-3").provider.oin), claims=claims)
    assert "kvk" in provider.verified(tokens["id_token"])
    assert not {"kvk", "email"} & set(claims_of(provider, tokens["access_token"]))


def test_a_signed_token_opens_userinfo_and_its_name_does_not(provider: Provider, party: RelyingParty) -> None:
    """The token works while it lives; its jti, which others see, is worth nothing, nor is another kind of token."""
    tokens = party.tokens()
    name = claims_of(provider, tokens["access_token"])["jti"]
    assert told_by(provider.userinfo(tokens["access_token"]))["sub"]
    for wrong in (name, tokens["id_token"], tokens["access_token"][:-4] + "AAAA"):
        assert provider.userinfo(wrong).status == 401
    assert call(party, "revoke", {"token": name}).status == 200
    assert told_by(provider.userinfo(tokens["access_token"]))
    provider.move(minutes=15)
    assert provider.userinfo(tokens["access_token"]).status == 401


def test_reuse_of_a_code_ends_a_signed_token(provider: Provider, party: RelyingParty) -> None:
    """A signed token ends with its grant as far as we are asked: at userinfo and by introspection (SEC-21)."""
    code = party.code()
    access = told_by(party.redeem(code))["access_token"]
    refused(party.redeem(code), "invalid_grant")
    assert provider.userinfo(access).status == 401
    assert told_by(call(party, "introspect", {"token": access})) == {"active": False}


def test_the_hash_in_the_id_token_is_of_what_was_given(provider: Provider, party: RelyingParty) -> None:
    """``at_hash`` is that of the signed token as the client holds it (Core 3.1.3.6)."""
    tokens = party.tokens()
    half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
    at_hash = base64.urlsafe_b64encode(half).rstrip(b"=").decode()
    assert provider.verified(tokens["id_token"])["at_hash"] == at_hash


def test_a_token_is_for_the_resources_asked(provider: Provider, party: RelyingParty) -> None:
    """The resources of the request are the audience; the token request may take a part of them (RFC 8707)."""
    both = claims_of(provider, party.tokens(resource=f"{API} {OTHER} {API}")["access_token"])
    assert both["aud"] == [API, OTHER]
    tokens = told_by(party.redeem(party.code(resource=f"{API} {OTHER}"), resource=OTHER))
    assert claims_of(provider, tokens["access_token"])["aud"] == OTHER
    assert provider.userinfo(tokens["access_token"]).status == 401
    late = told_by(party.redeem(party.code(), resource=API))
    assert claims_of(provider, late["access_token"])["aud"] == API
    ours = party.tokens(resource=f"{API} {BASE}")
    assert told_by(provider.userinfo(ours["access_token"]))


@pytest.mark.parametrize("resource", ["https://evil.test/", API + "#x", "api", f"{API} https://evil.test/", API[:-1]])
def test_an_unknown_resource_is_refused(provider: Provider, party: RelyingParty, resource: str) -> None:
    """A resource that the client did not register is refused at both endpoints (RFC 8707 section 2)."""
    with pytest.raises(Answered) as caught:
        party.begin(provider.log_in(), resource=resource)
    assert parameters_of(caught.value.answer)["error"] == "invalid_target"
    refused(party.redeem(party.code(), resource=resource), "invalid_target")


def test_a_refresh_narrows_and_never_widens(provider: Provider, party: RelyingParty) -> None:
    """A refreshed token may be for less than the login asked, and the next one for all of it again (section 2.2)."""
    tokens = party.tokens(scope=OFFLINE + " kvk", resource=f"{API} {BASE}")
    narrow = told_by(party.refresh(tokens["refresh_token"], resource=BASE, scope="openid"))
    assert narrow["scope"] == "openid"
    assert claims_of(provider, narrow["access_token"])["aud"] == BASE
    assert "kvk" not in told_by(provider.userinfo(narrow["access_token"]))
    refused(party.refresh(narrow["refresh_token"], resource=OTHER), "invalid_target")
    refused(party.refresh(narrow["refresh_token"], scope="openid email"), "invalid_scope")
    wide = told_by(party.refresh(narrow["refresh_token"]))
    assert claims_of(provider, wide["access_token"])["aud"] == [API, BASE]
    assert "kvk" in told_by(provider.userinfo(wide["access_token"]))


def test_a_bound_signed_token_names_its_key(provider: Provider, party: RelyingParty) -> None:
    """The claim ``cnf`` of a signed token is the thumbprint of its key (RFC 9449 section 6.1)."""
    prover = Prover(provider)
    access = told_by(redeem(party, party.code(), prover.proof()))["access_token"]
    assert claims_of(provider, access)["cnf"] == {"jkt": prover.thumbprint}
    assert told_by(prover.userinfo(access))


@pytest.mark.parametrize("form", ["opaque", "jwt"])
def test_without_rotation_a_refresh_token_stays(provider: Provider, form: str) -> None:
    """FAPI 2.0 wants refresh tokens that stay: each gives a further access token, and the earlier ones live on."""
    party = provider.register(**REFRESHING, access_token_format=form)
    prover = Prover(provider)
    tokens = told_by(redeem(party, party.code(scope=OFFLINE), prover.proof()))
    registered = provider.office.directory.party("oidc", party.client_id)
    assert registered is not None
    with provider.office.work("test") as work:
        assert extend(work, registered, "x", _terms()) is Dead.UNKNOWN
        given = [extend(work, registered, tokens["refresh_token"], _terms()) for _ in range(3)]
    for one in given:
        assert not isinstance(one, Dead)
        assert one.refresh is None
        assert told_by(provider.userinfo(one.access))
    assert told_by(prover.userinfo(tokens["access_token"]))
    assert call(party, "revoke", {"token": given[0].access}).status == 200  # type: ignore[union-attr]
    assert [provider.userinfo(one.access).status for one in given] == [401, 200, 200]  # type: ignore[union-attr]
    renewed = told_by(refresh(party, tokens["refresh_token"], prover.proof()))
    assert call(party, "revoke", {"token": renewed["refresh_token"]}).status == 200
    assert [provider.userinfo(one.access).status for one in given] == [401, 401, 401]  # type: ignore[union-attr]


def _terms() -> Terms:
    return Terms(timedelta(minutes=15), timedelta(hours=6))


def test_the_flat_claims_are_a_setting_of_the_client(provider: Provider) -> None:
    """A client that registered the flat claim set gets it without asking the scope; others do not (domain 11.2)."""
    flat = provider.register(claim_set="eherkenning").tokens()
    plain = provider.register().tokens()
    name = "urn:etoegang:core:LegalSubjectID"
    assert provider.verified(flat["id_token"])[name]
    assert told_by(provider.userinfo(flat["access_token"]))["namequalifier"]
    assert name not in provider.verified(plain["id_token"])
