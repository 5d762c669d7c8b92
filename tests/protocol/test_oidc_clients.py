"""How clients prove themselves: one method each, and none of the ways around it."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from idp.protocols.message import Document
from tests.protocol.oidc_kit import (
    ASSERTION_TYPE,
    BASE,
    Provider,
    RelyingParty,
    client_key,
    jwks,
    told_by,
)

KEYED = {"token_endpoint_auth_method": "private_key_jwt", "jwks": jwks("ec", "rsa")}


@pytest.fixture(scope="module")
def provider(shared_provider: Provider) -> Provider:
    """Nothing here changes the provider's people or clock."""
    return shared_provider


@pytest.fixture(scope="module")
def keyed(provider: Provider) -> RelyingParty:
    """A client that proves itself by an elliptic-curve key."""
    return provider.register(**KEYED, token_endpoint_auth_signing_alg="ES256")


def refused(document: Document, error: str = "invalid_client", status: int = 401) -> None:
    """The error and the status."""
    assert told_by(document, status)["error"] == error


def test_a_secret_by_header(provider: Provider) -> None:
    """The default is HTTP Basic; a wrong secret, a missing colon or another scheme is refused with a challenge."""
    party = provider.register()
    assert told_by(party.redeem(party.code()))
    code = party.code()
    form = {"grant_type": "authorization_code", "code": code}
    encoded = base64.b64encode(b"no colon").decode()
    for header in (
        *party.basic(secret="wrong").values(),
        *party.basic(secret=party.secret.upper()).values(),
        *party.basic(client_id="unknown").values(),
        *party.basic(client_id="a\x00b").values(),
        f"Basic {encoded}",
        "Basic !!!",
        "Basic",
        "Bearer " + party.secret,
        "é",
    ):
        document = party.post(form, {"authorization": header})
        refused(document)
        assert document.headers["WWW-Authenticate"].startswith("Basic ")


def test_a_secret_by_form(provider: Provider) -> None:
    """A client that registered it sends its secret in the form; a wrong one is refused without a challenge."""
    party = provider.register(token_endpoint_auth_method="client_secret_post")
    form = {"client_id": party.client_id, "client_secret": party.secret}
    refused(party.redeem(party.code()))
    silent = RelyingParty(provider, party.client_id, "", party.registered)
    assert told_by(silent.redeem(silent.code(), **form))
    document = silent.redeem("x", **form | {"client_secret": "wrong"})
    refused(document)
    assert "WWW-Authenticate" not in document.headers
    refused(silent.redeem("x", client_secret=party.secret))


def test_no_method_but_the_registered_one(provider: Provider, keyed: RelyingParty) -> None:
    """The right secret by another way, a key where a secret is registered, or nothing at all, is refused (SEC-22)."""
    basic = provider.register()
    silent = RelyingParty(provider, basic.client_id, "", basic.registered)
    refused(silent.redeem("x", client_id=basic.client_id, client_secret=basic.secret))
    refused(silent.redeem("x", client_id=basic.client_id))
    refused(silent.redeem_by_key("x", silent.assertion()))
    refused(keyed.redeem("x", client_id=keyed.client_id))
    refused(keyed.post({"grant_type": "authorization_code"}, keyed.basic(secret="x")))
    refused(silent.redeem("x"))


def test_never_two_methods_at_once(provider: Provider, keyed: RelyingParty) -> None:
    """Two proofs in one request are refused even when both are right, as is a client_id beside another's proof."""
    basic = provider.register()
    both = basic.redeem("x", client_secret=basic.secret, client_id=basic.client_id)
    refused(both, "invalid_request", 400)
    refused(
        basic.redeem("x", client_assertion=keyed.assertion(), client_assertion_type=ASSERTION_TYPE),
        "invalid_request",
        400,
    )
    refused(basic.redeem("x", client_id=keyed.client_id), "invalid_request", 400)
    refused(keyed.redeem_by_key("x", keyed.assertion(), client_id=basic.client_id), "invalid_request", 400)
    assert told_by(basic.redeem(basic.code(), client_id=basic.client_id))


def test_a_public_client_needs_its_verifier(provider: Provider) -> None:
    """A public client names itself; what proves it is the verifier."""
    party = provider.register(token_endpoint_auth_method="none")
    assert party.secret == ""
    assert told_by(party.redeem(party.code(), client_id=party.client_id))
    refused(party.redeem(party.code(), client_id=party.client_id, code_verifier="w" * 43), "invalid_grant", 400)
    refused(party.redeem(party.code()))
    refused(party.redeem(party.code(), client_id=party.client_id, client_secret="x"))


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256"])
def test_a_key_of_every_algorithm(provider: Provider, algorithm: str) -> None:
    """A client proves itself by the one algorithm it registered, and by no other (SEC-22)."""
    party = provider.register(**KEYED, token_endpoint_auth_signing_alg=algorithm)
    assert told_by(party.redeem_by_key(party.code(), party.assertion(algorithm)))
    for other in {"RS256", "PS256", "ES256"} - {algorithm}:
        refused(party.redeem_by_key(party.code(), party.assertion(other)))


@pytest.mark.parametrize("audience", [BASE, BASE + "/oidc/token", [BASE]], ids=str)
def test_the_audience_is_issuer_or_token_endpoint(keyed: RelyingParty, audience: Any) -> None:
    """One audience, the issuer or the token endpoint (RUL-30)."""
    assert told_by(keyed.redeem_by_key(keyed.code(), keyed.assertion(aud=audience)))


WRONG_CLAIMS: list[dict[str, Any]] = [
    {"aud": None},
    {"aud": "https://elsewhere.test"},
    {"aud": BASE + "/"},
    {"aud": [BASE, BASE + "/oidc/token"]},
    {"aud": [BASE, "https://elsewhere.test"]},
    {"aud": []},
    {"aud": [[BASE]]},
    {"iss": None},
    {"iss": "other"},
    {"sub": "other"},
    {"sub": None},
    {"sub": 1},
    {"exp": None},
    {"exp": "soon"},
    {"exp": True},
    {"exp": 10**20},
    {"exp": -(10**20)},
    {"jti": None},
    {"jti": ""},
    {"jti": 5},
    {"jti": "x" * 257},
    {"jti": "\ud800"},
    {"jti": "é"},
    {"jti": "a\x00b"},
    {"nbf": 10**11},
    {"iat": "now"},
]


@pytest.mark.parametrize("changes", WRONG_CLAIMS, ids=str)
def test_every_claim_of_an_assertion_counts(keyed: RelyingParty, changes: dict[str, Any]) -> None:
    """A well-signed assertion with one wrong, missing or odd claim is refused (SEC-22)."""
    refused(keyed.redeem_by_key("x", keyed.assertion(**changes)))


@pytest.mark.parametrize(("ahead", "good"), [(300, True), (301, False), (365 * 86400, False), (-9, True), (-10, False)])
def test_an_assertion_lives_five_minutes_at_most(keyed: RelyingParty, ahead: int, good: bool) -> None:
    """An expiry more than five minutes ahead, or past by more than ten seconds, is refused (SEC-22)."""
    now = int(keyed.provider.clock.now().timestamp())
    document = keyed.redeem_by_key("x", keyed.assertion(exp=now + ahead))
    assert json.loads(document.body)["error"] == ("invalid_grant" if good else "invalid_client")


@pytest.mark.parametrize("claim", ["nbf", "iat"])
@pytest.mark.parametrize(("ahead", "good"), [(10, True), (11, False)])
def test_an_assertion_was_made_by_now(keyed: RelyingParty, claim: str, ahead: int, good: bool) -> None:
    """An assertion that begins more than ten seconds ahead is refused."""
    now = int(keyed.provider.clock.now().timestamp())
    document = keyed.redeem_by_key("x", keyed.assertion(**{claim: now + ahead}))
    assert json.loads(document.body)["error"] == ("invalid_grant" if good else "invalid_client")


def test_an_assertion_counts_once(keyed: RelyingParty) -> None:
    """The second use of a jti is refused and revokes nothing, whatever else is new (RUL-34)."""
    tokens = told_by(keyed.redeem_by_key(keyed.code(), keyed.assertion(jti="once")))
    code = keyed.code()
    refused(
        keyed.redeem_by_key(code, keyed.assertion(jti="once", exp=int(keyed.provider.clock.now().timestamp()) + 90))
    )
    assert keyed.provider.userinfo(tokens["access_token"]).status == 200
    assert told_by(keyed.redeem_by_key(code, keyed.assertion()))


def test_a_jti_is_the_clients_own(provider: Provider, keyed: RelyingParty) -> None:
    """Two clients may use the same jti."""
    other = provider.register(**KEYED, token_endpoint_auth_signing_alg="ES256")
    for party in (keyed, other):
        assert told_by(party.redeem_by_key(party.code(), party.assertion(jti="shared")))


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["b64"], "b64": False},
        {"b64": False},
        {"crit": ["exp"]},
        {"crit": []},
        {"kid": "another"},
        {"kid": "client-rsa"},
        {"typ": "at+jwt"},
    ],
    ids=str,
)
def test_odd_headers_are_refused(keyed: RelyingParty, header: dict[str, Any]) -> None:
    """Critical extensions, unencoded payloads, unknown keys and other kinds of token are refused (SEC-22)."""
    parts = keyed.assertion().split(".")
    made = {"alg": "ES256", "kid": "client-ec"} | header
    head = base64.urlsafe_b64encode(json.dumps(made).encode()).rstrip(b"=").decode()
    refused(keyed.redeem_by_key("x", signed(head, parts[1])))


def signed(head: str, payload: str) -> str:
    """A token signed whatever its header says."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    private = client_key("ec").get_op_key("sign")
    r, s = decode_dss_signature(private.sign(f"{head}.{payload}".encode(), ec.ECDSA(hashes.SHA256())))  # type: ignore[call-arg,union-attr]
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return f"{head}.{payload}." + base64.urlsafe_b64encode(signature).rstrip(b"=").decode()


def test_the_signed_kit_is_right(keyed: RelyingParty) -> None:
    """The same way of signing with an ordinary header is accepted, so that the refusals above mean something."""
    head = base64.urlsafe_b64encode(b'{"alg":"ES256","kid":"client-ec","typ":"JWT"}').rstrip(b"=").decode()
    assert told_by(keyed.redeem_by_key(keyed.code(), signed(head, keyed.assertion().split(".")[1])))
    bare = base64.urlsafe_b64encode(b'{"alg":"ES256","jwk":{"kty":"EC"},"x5u":"https://x.test"}').rstrip(b"=").decode()
    assert told_by(keyed.redeem_by_key(keyed.code(), signed(bare, keyed.assertion().split(".")[1])))


def test_no_signature_is_no_proof(keyed: RelyingParty) -> None:
    """``none``, HMAC with a public value, a foreign key, and torn or endless tokens are refused."""
    head, payload, signature = keyed.assertion().split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    symmetric = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"client-ec"}').rstrip(b"=").decode()
    public = client_key("ec").as_pem(private=False)
    mac = hmac.new(public, f"{symmetric}.{payload}".encode(), hashlib.sha256).digest()
    other = jwks("ec")["keys"][0]["x"]
    for token in (
        f"{none}.{payload}.",
        f"{none}.{payload}.{signature}",
        f"{symmetric}.{payload}." + base64.urlsafe_b64encode(mac).rstrip(b"=").decode(),
        f"{head}.{payload}.{other}",
        f"{head}.{payload}",
        f"{head}.{payload}.",
        f"{head}..{signature}",
        f"{head}.{payload}.{signature}.x",
        f"{head}.{payload}." + "A" * 20000,
        "é.é.é",
        "...",
    ):
        document = keyed.redeem_by_key("x", token)
        assert json.loads(document.body)["error"] in ("invalid_client", "invalid_request")
        assert document.status in (400, 401)


def test_the_type_of_assertion_must_stand_beside_it(keyed: RelyingParty) -> None:
    """Without the type of RFC 7523 an assertion is not looked at."""
    for kind in (None, "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"):
        refused(keyed.redeem_by_key("x", keyed.assertion(), client_assertion_type=kind), "invalid_request", 400)


def test_secrets_stop_in_nl_gov(provider: Provider) -> None:
    """A client with a secret that is moved to nl-gov can no longer prove itself (11.1)."""
    party = provider.register(wishes={"require_pkce": "true"})
    assert told_by(party.redeem(party.code()))
    code = party.code()
    from idp.services.relying_parties.parties import configure

    with provider.office.work("operator") as work:
        configure(work, party.client_id, {"profile": "nl-gov"})
    refused(party.redeem(code))
