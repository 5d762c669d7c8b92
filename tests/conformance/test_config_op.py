"""The Config OpenID Provider profile: what discovery and the key set publish, over real HTTP."""

from typing import Any

import pytest
import requests

from tests.conformance.profile import Profile
from tests.fixtures.sandbox import Demo

CONFIG = Profile(
    "Config OP",
    {
        "CFG-place": (
            "Discovery 4",
            "The document lies at the issuer's /.well-known/openid-configuration, as JSON.",
        ),
        "CFG-issuer": ("Discovery 4.3", "The issuer in it is the one it was found at, without query or fragment."),
        "CFG-required": ("Discovery 3", "All required members stand there."),
        "CFG-endpoints": ("Discovery 3", "Every endpoint is an address of the issuer's, and answers."),
        "CFG-response": ("Discovery 3", "Response types hold code; modes, where they stand, hold query."),
        "CFG-subject": ("Discovery 3", "Subject types are of public and pairwise."),
        "CFG-alg": ("Discovery 3", "ID tokens can be signed by RS256, and nothing is offered unsigned."),
        "CFG-scopes": ("Discovery 3", "Scopes hold openid."),
        "CFG-claims": ("Discovery 3", "The claims of every ID token are listed."),
        "CFG-object": ("Discovery 3", "Whether request objects are taken, and where from, is said and true."),
        "CFG-keys": ("Core 10.1", "The key set has a signing key with kid for every algorithm, and no private part."),
        "CFG-cache": ("RFC 9110", "Both documents say how long they may be kept."),
        "CFG-methods": (
            "RFC 8414 2",
            "Client authentications and their algorithms are listed, none unsigned.",
        ),
        "CFG-cors": ("NL GOV 4", "Web pages may read the document."),
    },
)
REQUIRED = {
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "response_types_supported",
    "subject_types_supported",
    "id_token_signing_alg_values_supported",
}


@pytest.fixture(scope="module")
def answer(demo: Demo) -> requests.Response:
    """The document as it is served."""
    return requests.get(demo.facts["oidc_issuer"] + "/.well-known/openid-configuration", timeout=60)


@pytest.fixture(scope="module")
def told(answer: requests.Response) -> dict[str, Any]:
    """What it tells."""
    return dict(answer.json())


@CONFIG.proves("CFG-place", "CFG-issuer", "CFG-required")
def test_the_document_is_there(demo: Demo, answer: requests.Response, told: dict[str, Any]) -> None:
    """It is JSON, tells the issuer at which it lies, and has every required member."""
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].partition(";")[0] == "application/json"
    assert told["issuer"] == demo.facts["oidc_issuer"]
    assert not set("?#") & set(told["issuer"])
    assert set(told) >= REQUIRED


@CONFIG.proves("CFG-endpoints")
def test_every_endpoint_answers(told: dict[str, Any]) -> None:
    """No address that is published is missing, and each lies below the issuer."""
    places = {name: value for name, value in told.items() if name.endswith(("_endpoint", "_uri"))}
    assert set(places) >= {"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"}
    for name, place in places.items():
        assert place.startswith(told["issuer"] + "/"), name
        assert requests.get(place, timeout=60, allow_redirects=False).status_code not in (404, 500, 503), name


@CONFIG.proves("CFG-response", "CFG-subject", "CFG-alg", "CFG-scopes", "CFG-claims", "CFG-methods")
def test_what_is_offered_is_sound(told: dict[str, Any]) -> None:
    """The lists hold what the standard asks and nothing that is banned."""
    assert told["response_types_supported"] == ["code"]
    assert "query" in told["response_modes_supported"]
    assert set(told["subject_types_supported"]) <= {"public", "pairwise"}
    assert "RS256" in told["id_token_signing_alg_values_supported"]
    for name, values in told.items():
        if name.endswith("_alg_values_supported"):
            assert values, name
            assert not {"none", "HS256", "RSA1_5"} & set(values), name
    assert "openid" in told["scopes_supported"]
    assert {"iss", "sub", "aud", "exp", "iat", "auth_time", "acr", "nonce"} <= set(told["claims_supported"])
    assert "private_key_jwt" in told["token_endpoint_auth_methods_supported"]
    assert told["token_endpoint_auth_signing_alg_values_supported"]


@CONFIG.proves("CFG-object")
def test_request_objects_are_announced(told: dict[str, Any]) -> None:
    """By value yes, from foreign addresses no; the default of the latter would be yes."""
    assert told["request_parameter_supported"] is True
    assert told["request_uri_parameter_supported"] is False
    assert set(told["request_object_signing_alg_values_supported"]) == {"RS256", "PS256", "ES256"}
    assert told["claims_parameter_supported"] is True


@CONFIG.proves("CFG-keys", "CFG-cache", "CFG-cors")
def test_the_key_set(answer: requests.Response, told: dict[str, Any]) -> None:
    """A key per algorithm, named, public, and kept for as long as we say."""
    served = requests.get(told["jwks_uri"], headers={"Origin": "https://page.test"}, timeout=60)
    keys = served.json()["keys"]
    assert len({one["kid"] for one in keys}) == len(keys)
    assert {one["alg"] for one in keys} >= set(told["id_token_signing_alg_values_supported"])
    assert not any({"d", "p", "q", "k"} & set(one) for one in keys)
    for document in (answer, served):
        assert "max-age" in document.headers["Cache-Control"]
    assert served.headers["Access-Control-Allow-Origin"] == "*"


def test_every_requirement_is_proven() -> None:
    """No requirement of the profile is without a test."""
    assert CONFIG.unproven() == []
