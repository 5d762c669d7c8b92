"""DPoP (RFC 9449): a token is worth something only with a fresh proof by its key."""

import json
from typing import Any

import pytest

from idp.protocols.message import Document, HttpMessage
from idp.protocols.oidc import documents, token, userinfo
from tests.protocol.oidc_kit import BASE, FORM, Provider, RelyingParty, client_key, told_by
from tests.protocol.oidc_proof import TOKEN, USERINFO, Prover, code_form, hash_of, redeem, refresh

REFRESHING: dict[str, Any] = {"grant_types": ["authorization_code", "refresh_token"]}
OFFLINE = "openid offline_access"


@pytest.fixture
def party(provider: Provider) -> RelyingParty:
    """A client with a secret that may refresh."""
    return provider.register(**REFRESHING)


@pytest.fixture
def prover(provider: Provider) -> Prover:
    """The holder of a key on P-256."""
    return Prover(provider)


def refused(document: Document, error: str, status: int = 400) -> str:
    """The sentence of a refusal."""
    told = told_by(document, status)
    assert told["error"] == error, told
    return str(told["error_description"])


def challenged(document: Document, error: str, scheme: str = "DPoP") -> None:
    """That userinfo refuses with a challenge of a scheme that names the error (RFC 9449 section 7.1)."""
    assert document.status == 401
    challenge = document.headers["WWW-Authenticate"]
    assert challenge.startswith(scheme + " ")
    assert f'error="{error}"' in challenge


def bound(party: RelyingParty, prover: Prover, scope: str = OFFLINE) -> dict[str, Any]:
    """Tokens bound to a key."""
    return told_by(redeem(party, party.code(scope=scope), prover.proof()))


@pytest.mark.parametrize(("kind", "algorithm"), [("ec", "ES256"), ("rsa", "RS256"), ("rsa", "PS256")])
def test_a_proof_binds_the_tokens(provider: Provider, party: RelyingParty, kind: str, algorithm: str) -> None:
    """With a proof by any of our algorithms the token is of type DPoP, and opens userinfo with a proof of its own."""
    prover = Prover(provider, kind, algorithm)
    tokens = bound(party, prover)
    assert tokens["token_type"] == "DPoP"
    assert told_by(prover.userinfo(tokens["access_token"]))["sub"]


WRONG_CLAIMS: list[dict[str, Any]] = [
    {"jti": None},
    {"jti": ""},
    {"jti": 5},
    {"jti": "x" * 257},
    {"jti": "\x00"},
    {"htm": None},
    {"htm": "GET"},
    {"htm": "post"},
    {"htu": None},
    {"htu": 5},
    {"htu": BASE},
    {"htu": USERINFO},
    {"htu": TOKEN + "/"},
    {"htu": "https://localhost:8000/oidc/token"},
    {"htu": "http://localhost:8001/oidc/token"},
    {"htu": "http://evil@localhost:8000/oidc/token"},
    {"htu": "http://[broken/oidc/token"},
    {"iat": None},
    {"iat": "now"},
    {"iat": True},
    {"iat": 1e300},
]


@pytest.mark.parametrize("changes", WRONG_CLAIMS, ids=str)
def test_a_proof_for_something_else_is_refused(party: RelyingParty, prover: Prover, changes: dict[str, Any]) -> None:
    """Each claim must fit the request (section 4.3); the code stays good, because nothing was tried with it."""
    code = party.code()
    refused(redeem(party, code, prover.proof(**changes)), "invalid_dpop_proof")
    assert told_by(redeem(party, code, prover.proof()))


@pytest.mark.parametrize("same", [TOKEN + "?x=1", TOKEN + "#x", "HTTP://LOCALHOST:8000/oidc/token"])
def test_an_address_is_compared_without_query_and_case(party: RelyingParty, prover: Prover, same: str) -> None:
    """Query, fragment and the case of scheme and host do not count in htu (section 4.3)."""
    assert told_by(redeem(party, party.code(), prover.proof(htu=same)))


@pytest.mark.parametrize(("shift", "good"), [(-61, False), (-60, False), (-59, True), (10, True), (11, False)])
def test_a_proof_is_fresh(party: RelyingParty, prover: Prover, shift: int, good: bool) -> None:
    """A proof counts for a minute, and up to ten seconds before its time (FAPI 2.0 section 5.3.2.1)."""
    now = int(party.provider.clock.now().timestamp())
    document = redeem(party, party.code(), prover.proof(iat=now + shift))
    assert document.status == (200 if good else 400)


WRONG_HEADERS: list[dict[str, Any]] = [
    {"typ": None},
    {"typ": "JWT"},
    {"typ": "DPOP+JWT"},
    {"alg": "none"},
    {"alg": "HS256"},
    {"alg": None},
    {"jwk": None},
    {"jwk": {}},
    {"jwk": "x"},
    {"jwk": {"kty": "oct", "k": "AAAA"}},
    {"jwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}},
    {"jwk": client_key("rsa").as_dict(private=False)},
    {"jwk": client_key("ec").as_dict(private=True)},
    {"crit": ["exp"], "exp": 1},
    {"b64": False, "crit": ["b64"]},
    {"b64": True},
]


@pytest.mark.parametrize("header", WRONG_HEADERS, ids=range(len(WRONG_HEADERS)))
def test_a_proof_of_another_kind_is_refused(party: RelyingParty, prover: Prover, header: dict[str, Any]) -> None:
    """Type, algorithm and key must be those of a proof; a private key or a critical extension is refused."""
    refused(redeem(party, party.code(), prover.signed(prover.claims(), header)), "invalid_dpop_proof")


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "a.b", "é.a.b", "x" * 20000, "a.b.c,d.e.f"])
def test_what_is_no_proof_is_refused(party: RelyingParty, text: str) -> None:
    """A header that holds no signed token, or two, is refused."""
    refused(redeem(party, party.code(), text), "invalid_dpop_proof")


def test_a_broken_signature_is_refused(party: RelyingParty, prover: Prover) -> None:
    """A proof whose signature is another key's is refused."""
    head, body, _ = prover.proof().split(".")
    refused(redeem(party, party.code(), f"{head}.{body}.{prover.proof().split('.')[2]}"), "invalid_dpop_proof")


def test_a_proof_counts_once(party: RelyingParty, prover: Prover) -> None:
    """A second request with one proof is refused and revokes nothing (RUL-34); another key's same jti is fine."""
    proof, code = prover.proof(jti="one"), party.code()
    tokens = told_by(redeem(party, party.code(), proof))
    assert "used before" in refused(redeem(party, code, proof), "invalid_dpop_proof")
    assert told_by(prover.userinfo(tokens["access_token"]))
    other = Prover(party.provider, "rsa", "PS256")
    assert told_by(redeem(party, code, other.proof(jti="one")))


def test_a_proof_counts_once_at_userinfo(party: RelyingParty, prover: Prover) -> None:
    """A proof seen at userinfo is spent there as well."""
    access = bound(party, prover)["access_token"]
    proof = prover.proof(USERINFO, "GET", access)
    assert told_by(prover.userinfo(access, proof))
    challenged(prover.userinfo(access, proof), "invalid_dpop_proof")


def test_a_bound_token_needs_its_proof(party: RelyingParty, prover: Prover) -> None:
    """Without a proof, by another key, for another token, or as a bearer, a bound token opens nothing (section 7)."""
    access = bound(party, prover)["access_token"]
    challenged(prover.userinfo(access, ""), "invalid_dpop_proof")
    challenged(Prover(party.provider, "rsa", "RS256").userinfo(access), "invalid_token")
    challenged(prover.userinfo(access, prover.proof(USERINFO, "GET", "another")), "invalid_dpop_proof")
    challenged(prover.userinfo(access, prover.proof(USERINFO, "GET")), "invalid_dpop_proof")
    challenged(prover.userinfo(access, prover.proof(USERINFO, "GET", ath=5)), "invalid_dpop_proof")
    challenged(prover.userinfo(access, prover.proof(USERINFO, "GET", ath="é" + hash_of(access))), "invalid_dpop_proof")
    challenged(prover.userinfo(access, prover.proof(USERINFO, "POST", access)), "invalid_dpop_proof")
    challenged(prover.userinfo(access, scheme="Bearer"), "invalid_token")
    assert told_by(prover.userinfo(access))


def test_a_plain_token_does_not_go_by_dpop(party: RelyingParty, prover: Prover) -> None:
    """A token that is bound to nothing is a bearer token, whatever proof comes with it (section 7.1)."""
    access = party.tokens()["access_token"]
    challenged(prover.userinfo(access), "invalid_token", "Bearer")
    assert told_by(party.provider.userinfo(access))


def test_a_bound_token_is_not_posted(party: RelyingParty, prover: Prover) -> None:
    """A bound token in a form goes as a bearer token, and is refused."""
    access = bound(party, prover)["access_token"]
    headers = {"dpop": prover.proof(USERINFO, "POST", access)}
    message = HttpMessage("POST", "/oidc/userinfo", b"", f"access_token={access}".encode(), FORM, headers)
    challenged(userinfo(party.provider.office, message, party.provider.clock.now()), "invalid_token")


def test_a_client_that_registered_it_must_prove(provider: Provider, prover: Prover) -> None:
    """``dpop_bound_access_tokens`` makes a proof a condition of tokens (section 5.2)."""
    party = provider.register(dpop_bound_access_tokens=True)
    code = party.code()
    refused(party.redeem(code), "invalid_request")
    assert told_by(redeem(party, code, prover.proof()))


def test_a_code_bound_to_a_key_needs_that_key(party: RelyingParty, prover: Prover) -> None:
    """With ``dpop_jkt`` in the request a code is worth something with that key alone, and is spent otherwise (10)."""
    code = party.code(dpop_jkt=prover.thumbprint)
    assert told_by(redeem(party, code, prover.proof()))["token_type"] == "DPoP"
    code = party.code(dpop_jkt=prover.thumbprint)
    refused(redeem(party, code, Prover(party.provider, "rsa", "RS256").proof()), "invalid_grant")
    refused(redeem(party, code, prover.proof()), "invalid_grant")
    refused(party.redeem(party.code(dpop_jkt=prover.thumbprint)), "invalid_grant")


def test_a_public_client_refreshes_with_its_key_alone(provider: Provider, prover: Prover) -> None:
    """The refresh token of a public client stays with the key it was given for (section 5)."""
    party = provider.register(token_endpoint_auth_method="none", **REFRESHING)
    tokens = told_by(party.post(code_form(party, party.code(scope=OFFLINE)), {"dpop": prover.proof()}))
    other = Prover(provider, "rsa", "RS256")
    refused(refresh(party, tokens["refresh_token"], other.proof()), "invalid_grant")
    refused(refresh(party, tokens["refresh_token"]), "invalid_grant")
    renewed = told_by(refresh(party, tokens["refresh_token"], prover.proof()))
    assert renewed["token_type"] == "DPoP"
    assert told_by(prover.userinfo(renewed["access_token"]))


def test_a_client_that_proves_itself_may_change_keys(party: RelyingParty, prover: Prover) -> None:
    """The refresh token of a confidential client is bound to the client, not to the key (section 5)."""
    tokens, other = bound(party, prover), Prover(party.provider, "rsa", "RS256")
    renewed = told_by(refresh(party, tokens["refresh_token"], other.proof()))
    assert told_by(other.userinfo(renewed["access_token"]))
    challenged(prover.userinfo(renewed["access_token"]), "invalid_token")


def test_the_nonce_of_ours_is_asked_and_given(provider: Provider, party: RelyingParty, prover: Prover) -> None:
    """A nonce that is not ours, or too old, is answered with the one to use, which then counts (section 8)."""
    answer = redeem(party, party.code(), prover.proof(nonce="mine"))
    refused(answer, "use_dpop_nonce")
    nonce = answer.headers["DPoP-Nonce"]
    assert told_by(redeem(party, party.code(), prover.proof(nonce=nonce)))
    provider.move(seconds=120)
    assert told_by(redeem(party, party.code(), prover.proof(nonce=nonce)))
    provider.move(seconds=120)
    refused(redeem(party, party.code(), prover.proof(nonce=nonce)), "use_dpop_nonce")
    for wrong in (5, "é", "\ud800", ""):
        refused(redeem(party, party.code(), prover.proof(nonce=wrong)), "use_dpop_nonce")


def test_preflight_lets_a_page_send_a_proof(party: RelyingParty) -> None:
    """A page of the client may send a proof and read the nonce (section 8, domain 11.1)."""
    message = HttpMessage("OPTIONS", "/oidc/token", headers={"origin": "https://client.example.test"})
    document = token(party.provider.office, message, party.provider.clock.now())
    assert "DPoP" in document.headers["Access-Control-Allow-Headers"]
    assert "DPoP-Nonce" in document.headers["Access-Control-Expose-Headers"]


def test_discovery_lists_the_algorithms(provider: Provider) -> None:
    """What proofs may be signed with is published (section 5.1)."""
    told = json.loads(documents(provider.office)["/.well-known/openid-configuration"][1])
    assert told["dpop_signing_alg_values_supported"] == ["RS256", "PS256", "ES256"]
