"""What we publish: everything that is served, nothing that is not."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from authlib.oidc.discovery import OpenIDProviderMetadata

from idp.app import create_app
from idp.protocols.message import Answered, HttpMessage
from idp.protocols.oidc import back_channel, device_authorization, documents
from idp.protocols.oidc.claims.table import CLAIMS
from idp.protocols.oidc.discovery import discovery
from idp.services.relying_parties.settings import BadParty
from tests.protocol.oidc_kit import BASE, FORM, STATE, Provider, RelyingParty, jwks, parameters_of, told_by
from tests.protocol.test_oidc_requests import read, read_query

NAMES = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")


@pytest.fixture(scope="module")
def provider(shared_provider: Provider) -> Provider:
    """Nothing here changes the provider."""
    return shared_provider


@pytest.fixture(scope="module")
def published(provider: Provider) -> dict[str, Any]:
    """The discovery document."""
    kind, octets = documents(provider.office)["/.well-known/openid-configuration"]
    assert kind == "application/json"
    told = json.loads(octets)
    assert isinstance(told, dict)
    return told


def test_the_document_is_valid_to_another_library(provider: Provider) -> None:
    """Authlib's validation of provider metadata finds nothing amiss, once the issuer is the https one of production."""
    octets = documents(provider.office)["/.well-known/openid-configuration"][1]
    secure = octets.decode().replace(BASE, "https://login.example.nl")
    told = OpenIDProviderMetadata(json.loads(secure))
    told.validate()
    assert told["issuer"] == "https://login.example.nl"


def test_every_endpoint_is_there(published: dict[str, Any], provider: Provider) -> None:
    """The endpoints are those of the contract, and each is served by a function or a document."""
    served = {f"{BASE}/oidc/{name}" for name in (*back_channel(), "authorize", "logout")}
    served |= {BASE + path for path in documents(provider.office)}
    documented = ("jwks_uri", "claims_schema_uri")
    named = {value for name, value in published.items() if name.endswith("_endpoint") or name in documented}
    assert named == served - {BASE + path for path in NAMES}
    assert published["issuer"] == BASE


def test_both_names_say_the_same(provider: Provider) -> None:
    """OpenID Connect's document and OAuth's (RFC 8414) are one."""
    told = documents(provider.office)
    assert told[NAMES[0]] == told[NAMES[1]]


@pytest.mark.parametrize("registration", ["closed", "token"])
@pytest.mark.parametrize("watched", [False, True])
def test_what_settings_open_is_told_and_served(seeded_world: Path, registration: str, *, watched: bool) -> None:
    """Every address below /oidc/ that the application serves is named, and nothing that it does not serve is."""
    settings = {"oidc.registration": registration, "oidc.session_frame": watched}
    opened = Provider(f"sqlite:///{seeded_world}", empty=True, **settings)
    try:
        told = discovery(opened.office)
        rules = create_app(opened.office)._application.__self__.url_map.iter_rules()
        routes = {str(rule) for rule in rules if rule.endpoint.startswith("oidc.")}
        named = {value.removeprefix(BASE) for value in told.values() if isinstance(value, str)}
        paths = {one for one in named if one.startswith("/oidc/")} - set(documents(opened.office))
        assert routes - {"/oidc/register/<client>"} == paths
        assert ("registration_endpoint" in told) == (registration != "closed")
        assert ("check_session_iframe" in told) == watched
    finally:
        opened.close()


def test_every_way_to_answer_is_served(published: dict[str, Any], provider: Provider) -> None:
    """Every response mode, prompt, level and scope that is published can be asked, and no other response type."""
    party = provider.register("RVO-2PLUS", grant_types=["authorization_code", "refresh_token"])
    assert published["response_types_supported"] == ["code"]
    for mode in published["response_modes_supported"]:
        assert read(party, response_mode=mode).reply["mode"] == mode
    for prompt in published["prompt_values_supported"]:
        assert read(party, prompt=prompt)
    for level in published["acr_values_supported"]:
        assert read(party, acr_values=level)
    for scope in published["scopes_supported"]:
        assert scope in read(party, scope=f"openid {scope}").reply["scope"].split()
    for locale in published["ui_locales_supported"]:
        assert read(party, ui_locales=locale).locales == (locale,)
    for method in published["code_challenge_methods_supported"]:
        assert read(party, code_challenge_method=method)


def test_what_is_not_supported_is_said_and_refused(published: dict[str, Any], provider: Provider) -> None:
    """Discovery denies requests at foreign addresses, and one that names one is refused (RUL-31)."""
    assert published["request_uri_parameter_supported"] is False
    with pytest.raises(Answered) as caught:
        read(provider.register(), request_uri="https://client.example.test/request")
    assert parameters_of(caught.value.answer)["error"] == "request_uri_not_supported"


def test_every_way_to_ask_is_served(published: dict[str, Any], provider: Provider) -> None:
    """Each published algorithm signs requests and answers, and each display can be asked."""
    assert published["request_parameter_supported"] is True
    assert published["request_object_signing_alg_values_supported"] == ["RS256", "PS256", "ES256"]
    for algorithm in published["request_object_signing_alg_values_supported"]:
        signer = provider.register(jwks=jwks("ec", "rsa"), request_object_signing_alg=algorithm)
        asked = {"client_id": signer.client_id, "request": signer.request_object(algorithm)}
        assert read_query(signer, urlencode(asked)).reply["state"] == STATE
    for algorithm in published["authorization_signing_alg_values_supported"]:
        party = provider.register(authorization_signed_response_alg=algorithm)
        token = parameters_of(party.authorize(provider.log_in(), response_mode="jwt"))["response"]
        assert provider.verified(token, algorithm)["state"] == STATE
    for display in published["display_values_supported"]:
        assert read(provider.register(), display=display)


def test_every_algorithm_is_served(published: dict[str, Any], provider: Provider) -> None:
    """Each published algorithm signs ID tokens and userinfo and proves clients; others cannot be registered."""
    for algorithm in published["id_token_signing_alg_values_supported"]:
        party = provider.register(id_token_signed_response_alg=algorithm, userinfo_signed_response_alg=algorithm)
        tokens = party.tokens()
        assert provider.verified(tokens["id_token"], algorithm)
        assert provider.verified(provider.userinfo(tokens["access_token"]).body.decode(), algorithm)
    for algorithm in ("RS384", "ES512", "EdDSA", "none"):
        with pytest.raises(BadParty):
            provider.register(id_token_signed_response_alg=algorithm)


def test_every_authentication_method_is_served(published: dict[str, Any], provider: Provider) -> None:
    """Each published client authentication method redeems a code."""
    for method in published["token_endpoint_auth_methods_supported"]:
        keyed = {"jwks": jwks("ec")} if method == "private_key_jwt" else {}
        party = provider.register(token_endpoint_auth_method=method, **keyed)
        code = party.code()
        secret, party.secret = party.secret, party.secret if method == "client_secret_basic" else ""
        document = {
            "client_secret_basic": lambda: party.redeem(code),  # noqa: B023  # called at once
            "client_secret_post": lambda: party.redeem(code, client_id=party.client_id, client_secret=secret),  # noqa: B023
            "private_key_jwt": lambda: party.redeem_by_key(code, party.assertion()),  # noqa: B023
            "none": lambda: party.redeem(code, client_id=party.client_id),  # noqa: B023
        }[method]()
        assert told_by(document)["token_type"] == "Bearer"


def test_every_grant_type_is_served(published: dict[str, Any], provider: Provider) -> None:
    """Each published grant type can be registered and used."""
    party = provider.register(grant_types=published["grant_types_supported"])
    tokens = party.tokens(scope="openid offline_access")
    device = "urn:ietf:params:oauth:grant-type:device_code"
    assert set(published["grant_types_supported"]) == {"authorization_code", "refresh_token", device}
    assert told_by(party.refresh(tokens["refresh_token"]))
    waiting = party.post({"grant_type": device, "device_code": _device_code(party)}, party.basic())
    assert told_by(waiting, 400)["error"] == "authorization_pending"


def _device_code(party: RelyingParty) -> str:
    message = HttpMessage("POST", "/oidc/device", b"", b"scope=openid", FORM, party.basic())
    return str(told_by(device_authorization(party.provider.office, message, party.provider.clock.now()))["device_code"])


def test_every_claim_is_published(published: dict[str, Any], provider: Provider) -> None:
    """What an ID token with every scope tells is published, and every claim of the table is."""
    told = provider.verified(provider.register().tokens(scope="openid eherkenning kvk")["id_token"])
    assert set(told) <= set(published["claims_supported"])
    assert set(CLAIMS) <= set(published["claims_supported"])
    assert "amr" not in published["claims_supported"]
    assert told["sub_id_type"] in published["sub_id_types_supported"]
    assert told["represents"]["sub_id_type"] in published["sub_id_types_supported"]


def test_the_keys_are_public_and_named(provider: Provider) -> None:
    """Every key has kid, kty, use and alg and no private part, and no two share a name (11.1)."""
    kind, octets = documents(provider.office)["/oidc/jwks"]
    keys = json.loads(octets)["keys"]
    assert kind == "application/jwk-set+json"
    assert [one["alg"] for one in keys] == ["RS256", "PS256", "ES256"]
    assert len({one["kid"] for one in keys}) == 3
    for one in keys:
        assert one["use"] == "sig"
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(one)
