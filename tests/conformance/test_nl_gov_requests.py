"""The NL GOV assurance profile for OpenID Connect, as far as requests and their answers go, over real HTTP."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from idp.services.relying_parties.settings import BadParty
from tests.conformance.openid import BY_KEY, OpenIdClient, own_page, registered, told_in
from tests.conformance.person import Person
from tests.conformance.profile import Profile
from tests.fixtures.sandbox import Demo

NL_GOV = Profile(
    "NL GOV, requests",
    {
        "NL-flow": ("domain 11.1", "The code flow is the only one; implicit and hybrid requests are refused."),
        "NL-pkce": ("domain 11.1", "PKCE with S256 is required, and a verifier has 43 to 128 characters."),
        "NL-methods": (
            "domain 11.1",
            "Clients prove themselves by key or certificate, or are public; secrets are refused.",
        ),
        "NL-redirect": ("domain 11.1", "A redirect address is compared letter for letter, and is https."),
        "NL-native": ("domain 11.1", "A native application may use a loopback literal, never the name localhost."),
        "NL-state": ("domain 11.1", "State and nonce are required, with 128 bits of randomness."),
        "NL-object": ("domain 11.1", "A signed request object is accepted, and parameters outside of it are ignored."),
        "NL-object-alg": ("domain 11.1", "Request objects are signed by RS256 or PS256; unsigned ones are refused."),
        "NL-claims": ("domain 11.1", "The claims parameter is obeyed: what is not asked is not told."),
        "NL-acr": ("domain 11.1", "An eIDAS level can be asked, and the acr told is at least that."),
        "NL-acr-above": ("domain 11.1", "A level above the service's is refused in this profile."),
        "NL-amr": ("domain 11.1", "There is no amr."),
        "NL-scope": ("domain 11.1", "The scope openid is required."),
        "NL-pairwise": ("domain 11.1", "Subjects are pseudonyms, never a number of the organisation."),
        "NL-represents": ("domain 11.1", "Who is represented stands in represents, with issuer and type."),
        "NL-lifetime": ("domain 11.1", "An ID token lives for five minutes at most, and has jti, nbf, exp and iat."),
        "NL-discovery": ("domain 11.1", "Discovery names represents, subject identifier types, levels and algorithms."),
        "NL-cors": (
            "domain 11.1",
            "Pages of the client's own origin may call the token endpoint; there is no wildcard.",
        ),
        "NL-webfinger": ("domain 11.1", "There is no WebFinger."),
    },
)
SUBSTANTIAL = "http://eidas.europa.eu/LoA/substantial"
SETTINGS: dict[str, Any] = {**BY_KEY, "profile": "nl-gov", "token_endpoint_auth_signing_alg": "RS256"}
CLIENTS: dict[str, dict[str, Any]] = {
    "gov": {**BY_KEY, "profile": "nl-gov", "token_endpoint_auth_signing_alg": "ES256", "services": "UWV"},
    "native": {
        "profile": "nl-gov",
        "services": "UWV",
        "application_type": "native",
        "token_endpoint_auth_method": "none",
        "redirect_uris": ["http://127.0.0.1/callback"],
    },
}


@pytest.fixture(scope="module")
def clients(demo: Demo) -> Iterator[dict[str, OpenIdClient]]:
    """Both clients of this file."""
    demo.reset()
    with registered(demo, CLIENTS) as made:
        yield made


@pytest.fixture(scope="module")
def client(clients: dict[str, OpenIdClient]) -> OpenIdClient:
    """The client of most tests."""
    return clients["gov"]


@pytest.fixture(scope="module")
def anna(demo: Demo, client: OpenIdClient) -> Person:
    """Anna, logged in."""
    person = Person(demo, "anna")
    client.code(person)
    return person


def error_of(response: requests.Response) -> str:
    """The error that a client hears at once."""
    assert response.status_code == 303, response.text[:500]
    return told_in(response.headers["Location"])["error"]


@NL_GOV.proves("NL-flow", "NL-pkce", "NL-state", "NL-scope", "NL-acr-above")
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"state": None}, "invalid_request"),
        ({"state": "short"}, "invalid_request"),
        ({"nonce": None}, "invalid_request"),
        ({"nonce": "n" * 19}, "invalid_request"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"acr_values": "http://eidas.europa.eu/LoA/high"}, "unmet_authentication_requirements"),
    ],
    ids=str,
)
def test_what_the_profile_refuses(client: OpenIdClient, changes: dict[str, Any], error: str) -> None:
    """Each is told to the client before any page."""
    assert error_of(client.go(**changes)) == error


@NL_GOV.proves("NL-pkce")
@pytest.mark.parametrize("verifier", ["v" * 42, "v" * 129, "w" * 43])
def test_a_verifier_has_its_form(client: OpenIdClient, anna: Person, verifier: str) -> None:
    """One that is too short, too long or another one is refused."""
    answer = client.redeem(client.code(anna), code_verifier=verifier)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


@NL_GOV.proves("NL-methods", "NL-redirect")
@pytest.mark.parametrize(
    "members",
    [
        {"token_endpoint_auth_method": "client_secret_basic"},
        {"token_endpoint_auth_method": "client_secret_post"},
        {"redirect_uris": ["http://client.example.test/callback"]},
        {"redirect_uris": ["http://localhost/callback"]},
        {"redirect_uris": ["http://localhost/callback"], "application_type": "native"},
        {"redirect_uris": ["https://*.example.test/callback"]},
    ],
    ids=str,
)
def test_what_cannot_be_registered(demo: Demo, members: dict[str, Any]) -> None:
    """Secrets, plain http, localhost and wildcards are refused with a sentence."""
    with pytest.raises(BadParty, match=r"\.$"), registered(demo, {"bad": {**SETTINGS, **members}}):
        pytest.fail("it was registered")


@NL_GOV.proves("NL-redirect", "NL-native")
def test_addresses_are_compared_to_the_letter(clients: dict[str, OpenIdClient], anna: Person) -> None:
    """A web client has one address; a native one may vary the port of its loopback literal and nothing else."""
    web, native = clients["gov"], clients["native"]
    for address in (web.redirect_uri + "/", web.redirect_uri.upper(), web.redirect_uri + "?x=1"):
        assert own_page(web.go(redirect_uri=address)) == "P03"
    answer = native.go(anna.session, redirect_uri="http://127.0.0.1:54321/callback")
    assert answer.headers["Location"].startswith("http://127.0.0.1:54321/callback?code=")
    for address in ("http://localhost:54321/callback", "http://127.0.0.1:54321/other"):
        assert own_page(native.go(redirect_uri=address)) == "P03"


@NL_GOV.proves("NL-object", "NL-object-alg")
@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
def test_a_signed_request(client: OpenIdClient, anna: Person, algorithm: str) -> None:
    """What is inside counts, what is outside does not."""
    signed = client.request_object(header={"alg": algorithm}, jti=str(time.time_ns()))
    state = client.last["state"]
    parameters = {"client_id": client.client_id, "request": signed, "state": "x" * 30, "prompt": "login"}
    answer = anna.session.get(client.address(parameters), allow_redirects=False, timeout=60)
    told = told_in(answer.headers["Location"])
    assert (told["state"], "code" in told) == (state, True)
    assert error_of(client.go(request="eyJhbGciOiJub25lIn0.e30.")) == "invalid_request_object"


@NL_GOV.proves("NL-claims", "NL-acr", "NL-amr", "NL-pairwise", "NL-represents", "NL-lifetime")
def test_what_is_told(client: OpenIdClient, anna: Person) -> None:
    """The level in the words asked, a pseudonym, who is represented; and the KvK number by name alone."""
    asked = {"acr_values": SUBSTANTIAL, "claims": json.dumps({"userinfo": {"kvk": {"essential": True}}})}
    tokens = client.tokens(anna, **asked)
    claims, userinfo = client.claims(tokens["id_token"]), client.userinfo(tokens["access_token"]).json()
    organisation = anna.facts["organisations"][0]  # type: ignore[index]
    assert claims["acr"] == SUBSTANTIAL
    assert "amr" not in claims
    assert claims["exp"] - claims["iat"] <= 300
    assert {"jti", "nbf", "sub_id_type"} <= set(claims)
    assert claims["sub"] not in (organisation["kvk"], organisation.get("rsin"))
    assert set(claims["represents"]) >= {"iss", "sub", "sub_id_type"}
    assert (userinfo["kvk"], "kvk" in claims) == (organisation["kvk"], False)


@NL_GOV.proves("NL-discovery", "NL-webfinger")
def test_discovery(demo: Demo) -> None:
    """What the profile asks to be named is named, and there is no WebFinger."""
    told = requests.get(demo.url("/.well-known/openid-configuration"), timeout=60).json()
    assert "represents" in told["claims_supported"]
    assert told["sub_id_types_supported"]
    assert "pairwise" in told["subject_types_supported"]
    assert SUBSTANTIAL in told["acr_values_supported"]
    for name in ("id_token", "userinfo", "request_object"):
        assert {"RS256", "PS256"} <= set(told[f"{name}_signing_alg_values_supported"])
    assert requests.get(demo.url("/.well-known/webfinger"), timeout=60).status_code == 404


@NL_GOV.proves("NL-cors")
def test_pages_of_the_client_may_call(client: OpenIdClient, anna: Person) -> None:
    """The answer may be read by the client's own origin, and by no other."""
    form = {"grant_type": "authorization_code", "redirect_uri": client.redirect_uri, "code_verifier": "v" * 43}
    own, other = "https://client.example.test", "https://evil.test"
    for origin, allowed in ((own, own), (other, None)):
        answer = client.post("/oidc/token", form | {"code": client.code(anna)}, Origin=origin)
        assert answer.status_code == 200, answer.text
        assert answer.headers.get("Access-Control-Allow-Origin") == allowed


def test_every_requirement_is_proven() -> None:
    """No requirement of the list is without a test."""
    assert NL_GOV.unproven() == []
