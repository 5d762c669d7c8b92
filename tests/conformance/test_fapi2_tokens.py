"""FAPI 2.0 Security Profile Final, as far as tokens and their holders go, over real HTTP."""

import base64
import hashlib
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import ECKey
from joserfc.jws import JWSRegistry

from tests.conformance.openid import EC, FAPI, RSA, OpenIdClient, registered
from tests.conformance.person import Person
from tests.conformance.profile import Profile
from tests.fixtures.sandbox import Demo

OFFLINE = "openid offline_access"
REFRESHING = {"grant_types": ["authorization_code", "refresh_token"]}
OTHER_KEY = ECKey.generate_key("P-256")
TOKENS = Profile(
    "FAPI 2.0 Security Profile, tokens",
    {
        "F2-bound-only": ("5.3.2.1-4", "Access tokens are given bound to their holder, and not otherwise."),
        "F2-dpop": ("5.3.2.1-5", "The binding is by DPoP or by certificate."),
        "F2-authenticated": ("5.3.2.1-6", "Whoever asks tokens, looks into one or ends one proves itself by key."),
        "F2-no-rotation": ("5.3.2.1-9", "A refresh token stays when it is used, and so do the tokens it gave."),
        "F2-dpop-nonce": (
            "5.3.2.1-10",
            "A proof carries a nonce of ours; without it we hand one out and spend nothing.",
        ),
        "F2-code-bound": ("5.3.2.1-12", "A code of a push with a proof needs the same key."),
        "F2-dpop-clock": ("5.3.2.1-13", "A proof up to 10 seconds ahead is taken, one 61 seconds ahead never."),
        "F2-least": ("5.3.2.1-14", "A token is good for what was asked, and may be asked for less."),
        "F2-code-once": ("RFC 6749 4.1.2", "A code that is used twice gives nothing, and ends what it gave."),
        "F2-key-scope": ("RFC 9449 5", "Another client cannot use a refresh token, whatever proof it has."),
        "F2-proof": ("RFC 9449 4.3", "A proof for another request, method, key or token is refused."),
        "F2-proof-once": ("RFC 9449 11.1", "A proof counts once, at either endpoint."),
        "F2-proof-algorithms": ("5.4.1", "Proofs are signed by PS256 or ES256."),
        "F2-id-token": ("5.4.1", "The ID token is signed by an algorithm of the profile, and fits the access token."),
        "F2-rs-header": ("5.3.4-1", "A resource takes the token in the header, and refuses it in the address."),
        "F2-rs-valid": ("5.3.4-3", "A resource refuses a token that is unknown, broken, over or revoked."),
        "F2-rs-enough": ("5.3.4-4", "A token for another resource opens nothing here."),
        "F2-rs-bound": ("5.3.4-5", "A resource verifies the binding: another key, no proof or Bearer is 401."),
        "F2-challenge": ("RFC 9449 7.1", "A refusal at the resource is a DPoP challenge that names the error."),
        "F2-introspection": ("RFC 9449 6.2", "Introspection tells a resource the key; strangers hear nothing."),
        "F2-signed-token": ("RFC 9068 2", "A signed access token has its type, its audience and its key."),
    },
)


@pytest.fixture(scope="module")
def clients(demo: Demo) -> Iterator[dict[str, OpenIdClient]]:
    """Two clients of the profile, one of them for an API with signed tokens, and the API itself."""
    demo.reset()
    api = "https://api.example.test/"
    with registered(
        demo,
        {
            "fapi": FAPI | REFRESHING,
            "signed": FAPI | REFRESHING | {"access_token_format": "jwt", "resources": [api]},
            "api": FAPI | {"serves_resources": [api]},
        },
    ) as made:
        yield made


@pytest.fixture(scope="module")
def client(clients: dict[str, OpenIdClient]) -> OpenIdClient:
    """The client of most tests."""
    return clients["fapi"]


@pytest.fixture(scope="module")
def anna(demo: Demo, client: OpenIdClient) -> Person:
    """Anna, logged in."""
    person = Person(demo, "anna")
    assert "code" in client.visit_handle(person, client.handle())
    return person


def refused(answer: requests.Response, status: int, error: str) -> bool:
    """Whether the back channel refused in OAuth's way."""
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    return True


def code_of(client: OpenIdClient, person: Person, **changes: str) -> str:
    """A fresh code by a pushed request."""
    return client.visit_handle(person, client.handle(**changes))["code"]


def tokens_of(client: OpenIdClient, person: Person, **changes: str) -> dict[str, Any]:
    """Tokens bound to the usual key."""
    answer = client.redeem(code_of(client, person, **changes))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def form_of(client: OpenIdClient, code: str) -> dict[str, str]:
    """The form that exchanges a code."""
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": client.redirect_uri,
        "code_verifier": "v" * 43,
    }


def hash_of(token: str) -> str:
    """The hash of a token as a proof names it."""
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()


def ask(
    client: OpenIdClient, access: str, *, key: ECKey = EC, scheme: str = "DPoP", proof: str | None = None, **claims: Any
) -> requests.Response:
    """Userinfo with a proof by a key, made anew with the nonce we are asked to use; an empty proof is left out."""
    for _ in range(2):
        nonce = {"nonce": client.nonce} if client.nonce else {}
        told = {"ath": hash_of(access), **nonce, **claims}
        made = client.dpop("/oidc/userinfo", "GET", key, **told) if proof is None else proof
        headers = {"Authorization": f"{scheme} {access}", **({"DPoP": made} if made else {})}
        answer = requests.get(client.demo.url("/oidc/userinfo"), headers=headers, timeout=60)
        if "DPoP-Nonce" not in answer.headers or proof is not None:
            break
        client.nonce = answer.headers["DPoP-Nonce"]
    return answer


def challenged(answer: requests.Response, error: str) -> bool:
    """Whether the resource refused by a DPoP challenge that names the error."""
    assert answer.status_code == 401, answer.text
    challenge = answer.headers["WWW-Authenticate"]
    assert challenge.startswith("DPoP ")
    assert f'error="{error}"' in challenge, challenge
    return True


@TOKENS.proves("F2-bound-only", "F2-dpop", "F2-id-token", "F2-rs-bound")
def test_tokens_are_bound(client: OpenIdClient, anna: Person) -> None:
    """Without a proof there are no tokens; with one they are of type DPoP and open userinfo with that key."""
    code = code_of(client, anna)
    assert refused(client.post("/oidc/token", form_of(client, code)), 400, "invalid_request")
    told = client.redeem(code).json()
    assert told["token_type"] == "DPoP"
    header = json.loads(_decoded(told["id_token"].split(".")[0]))
    assert header["alg"] in ("PS256", "ES256")
    assert client.claims(told["id_token"])["sub"] == ask(client, told["access_token"]).json()["sub"]


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


@TOKENS.proves("F2-dpop-nonce")
def test_a_proof_needs_our_nonce(client: OpenIdClient, anna: Person) -> None:
    """Without, or with a strange one, both endpoints hand out the nonce; neither code nor token is spent by it."""
    code = code_of(client, anna)
    for strange in ({}, {"nonce": "strange"}):
        answer = client.post("/oidc/token", form_of(client, code), DPoP=client.dpop(**strange))
        assert refused(answer, 400, "use_dpop_nonce")
        assert answer.headers["DPoP-Nonce"]
    access = client.redeem(code).json()["access_token"]
    plain = client.dpop("/oidc/userinfo", "GET", ath=hash_of(access))
    answer = ask(client, access, proof=plain)
    assert challenged(answer, "use_dpop_nonce")
    assert answer.headers["DPoP-Nonce"]
    assert ask(client, access).status_code == 200


@TOKENS.proves("F2-proof")
@pytest.mark.parametrize(
    "claims",
    [
        {"htm": "GET"},
        {"htu": "https://elsewhere.test/oidc/token"},
        {"jti": ""},
        {"iat": "now"},
        {"iat": 1_700_000_000},
    ],
    ids=str,
)
def test_a_proof_is_for_this_request(client: OpenIdClient, anna: Person, claims: dict[str, Any]) -> None:
    """A proof with another method, address, name or time is refused, and the code stays good."""
    code = code_of(client, anna)
    assert refused(client.redeem(code, proof=claims), 400, "invalid_dpop_proof")
    assert client.redeem(code).status_code == 200


@TOKENS.proves("F2-dpop-clock")
def test_clocks_differ_a_little(client: OpenIdClient, anna: Person) -> None:
    """Eight seconds ahead are taken, a minute and more is not."""
    code = code_of(client, anna)
    assert refused(client.redeem(code, proof={"iat": int(time.time()) + 75}), 400, "invalid_dpop_proof")
    assert client.redeem(code, proof={"iat": int(time.time()) + 8}).status_code == 200


@TOKENS.proves("F2-proof-algorithms")
def test_a_proof_by_another_algorithm_is_refused(client: OpenIdClient, anna: Person) -> None:
    """RS256 is none of the profile's, for proofs neither."""
    code, numbers = code_of(client, anna), RSA.as_dict(private=False)
    claims = {"jti": "rs", "htm": "POST", "htu": client.demo.url("/oidc/token"), "iat": int(time.time())}
    header = {"alg": "RS256", "typ": "dpop+jwt", "jwk": {name: numbers[name] for name in ("kty", "n", "e")}}
    registry = _roomy()
    proof = jwt.encode(header, claims, RSA, registry=registry)
    assert refused(client.post("/oidc/token", form_of(client, code), DPoP=proof), 400, "invalid_dpop_proof")


def _roomy() -> Any:
    registry = JWSRegistry(algorithms=["RS256"])
    registry.max_header_length = 4096
    return registry


@TOKENS.proves("F2-proof-once")
def test_a_proof_counts_once(client: OpenIdClient, anna: Person) -> None:
    """The same proof a second time is refused at the token endpoint and at userinfo."""
    first, second = code_of(client, anna), code_of(client, anna)
    client.redeem(code_of(client, anna))
    proof = client.dpop(nonce=client.nonce)
    answer = client.post("/oidc/token", form_of(client, first), DPoP=proof)
    assert answer.status_code == 200, answer.text
    assert refused(client.post("/oidc/token", form_of(client, second), DPoP=proof), 400, "invalid_dpop_proof")
    access = answer.json()["access_token"]
    again = client.dpop("/oidc/userinfo", "GET", ath=hash_of(access), nonce=client.nonce)
    assert ask(client, access, proof=again).status_code == 200
    assert challenged(ask(client, access, proof=again), "invalid_dpop_proof")


@TOKENS.proves("F2-rs-bound", "F2-challenge", "F2-rs-header")
def test_a_resource_holds_the_token_to_its_key(client: OpenIdClient, anna: Person) -> None:
    """Another key, no proof, another token's proof, the scheme Bearer or the address open nothing."""
    access = tokens_of(client, anna)["access_token"]
    assert challenged(ask(client, access, key=OTHER_KEY), "invalid_token")
    assert challenged(ask(client, access, proof=""), "invalid_dpop_proof")
    assert challenged(ask(client, access, ath=hash_of("another")), "invalid_dpop_proof")
    assert challenged(ask(client, access, scheme="Bearer"), "invalid_token")
    where = client.demo.url(f"/oidc/userinfo?access_token={access}")
    assert requests.get(where, timeout=60).status_code == 400
    assert ask(client, access).status_code == 200


@TOKENS.proves("F2-rs-valid")
def test_a_resource_refuses_what_is_worth_nothing(client: OpenIdClient, anna: Person, demo: Demo) -> None:
    """Unknown, broken, revoked and late tokens are refused."""
    access = tokens_of(client, anna)["access_token"]
    for wrong in ("unknown", access[:-1], access + "x"):
        assert challenged(ask(client, wrong), "invalid_token")
    assert client.post("/oidc/revoke", {"token": access}).status_code == 200
    assert challenged(ask(client, access), "invalid_token")
    late = tokens_of(client, anna)
    assert late["expires_in"] <= 3600
    requests.put(demo.url("/lab/api/clock"), json={"advance_seconds": late["expires_in"] + 1}, timeout=60)
    try:
        assert challenged(ask(client, late["access_token"]), "invalid_token")
    finally:
        requests.put(demo.url("/lab/api/clock"), json={"release": True}, timeout=60).raise_for_status()


@TOKENS.proves("F2-no-rotation", "F2-authenticated", "F2-key-scope")
def test_a_refresh_token_stays(clients: dict[str, OpenIdClient], client: OpenIdClient, anna: Person) -> None:
    """Used thrice it gives three tokens that work beside each other; other clients and no proof get none."""
    first = tokens_of(client, anna, scope=OFFLINE)
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    given = [client.prove_and_post("/oidc/token", form).json() for _ in range(3)]
    for one in [first, *given]:
        assert one.get("refresh_token", first["refresh_token"]) == first["refresh_token"]
        assert ask(client, one["access_token"]).status_code == 200
    assert refused(clients["signed"].prove_and_post("/oidc/token", form), 400, "invalid_grant")
    assert refused(client.post("/oidc/token", form), 400, "invalid_request")
    nobody = {"client_id": client.client_id, **form}
    bare = requests.post(client.demo.url("/oidc/token"), data=nobody, timeout=60)
    assert refused(bare, 401, "invalid_client")


@TOKENS.proves("F2-code-once")
def test_a_code_counts_once(client: OpenIdClient, anna: Person) -> None:
    """The second use is refused and ends the token of the first."""
    code = code_of(client, anna)
    access = client.redeem(code).json()["access_token"]
    assert ask(client, access).status_code == 200
    assert refused(client.redeem(code), 400, "invalid_grant")
    assert challenged(ask(client, access), "invalid_token")


@TOKENS.proves("F2-code-bound")
def test_a_code_stays_with_the_key_of_its_push(client: OpenIdClient, anna: Person) -> None:
    """A push with a proof binds the code to that key."""
    pushed = client.prove_and_post("/oidc/par", client.request())
    assert pushed.status_code == 201, pushed.text
    code = client.visit_handle(anna, pushed.json()["request_uri"])["code"]
    assert refused(client.redeem(code, key=OTHER_KEY), 400, "invalid_grant")
    pushed = client.prove_and_post("/oidc/par", client.request())
    code = client.visit_handle(anna, pushed.json()["request_uri"])["code"]
    assert client.redeem(code).status_code == 200


@TOKENS.proves("F2-introspection", "F2-authenticated", "F2-rs-enough", "F2-signed-token", "F2-least")
def test_a_token_for_a_resource(clients: dict[str, OpenIdClient], client: OpenIdClient, anna: Person) -> None:
    """A token for an API is signed for it, opens nothing at ours, and is told to the API with its key."""
    signed, api = clients["signed"], "https://api.example.test/"
    access = tokens_of(signed, anna, resource=api)["access_token"]
    header = json.loads(_decoded(access.split(".")[0]))
    claims = signed.claims(access)
    assert (header["typ"], claims["aud"], claims["client_id"]) == ("at+jwt", api, signed.client_id)
    assert claims["cnf"] == {"jkt": EC.thumbprint()}
    assert claims["scope"] == "openid"
    assert challenged(ask(signed, access), "invalid_token")
    told = clients["api"].post("/oidc/introspect", {"token": access}).json()
    assert (told["active"], told["cnf"]) == (True, {"jkt": EC.thumbprint()})
    assert client.post("/oidc/introspect", {"token": access}).json() == {"active": False}
    bare = requests.post(client.demo.url("/oidc/introspect"), data={"token": access}, timeout=60)
    assert refused(bare, 401, "invalid_client")
    assert refused(client.redeem(code_of(client, anna), resource=api), 400, "invalid_target")


def test_every_requirement_has_a_test() -> None:
    """Nothing of the list is left without a test."""
    assert TOKENS.unproven() == []
