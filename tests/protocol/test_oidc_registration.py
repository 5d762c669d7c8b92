"""Client metadata: what may be registered, and the sentence that says why something may not."""

import base64
import json
from typing import Any

import pytest
from authlib.oauth2.rfc7591 import ClientMetadataClaims
from authlib.oidc.registration import ClientMetadataClaims as OidcClientMetadataClaims
from joserfc.jwk import ECKey, OctKey

from idp.domain.parties import Profile
from idp.protocols.oidc.client.client import AuthMethod
from idp.protocols.oidc.client.registration import check_metadata, described
from idp.protocols.oidc.discovery import discovery
from idp.services.relying_parties.settings import BadParty
from tests.protocol.oidc_kit import CALLBACK, Provider, jwks, metadata

KEYED = {"token_endpoint_auth_method": "private_key_jwt"}
# An RSA key of 1024 bits.
SMALL = {"kty": "RSA", "e": "AQAB", "n": base64.urlsafe_b64encode(b"\xc1" * 128).rstrip(b"=").decode()}
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"redirect_uris": None}, "redirect_uris"),
    ({"redirect_uris": []}, "redirect_uris"),
    ({"redirect_uris": CALLBACK}, "redirect_uris"),
    ({"redirect_uris": [1]}, "redirect_uris"),
    ({"redirect_uris": [CALLBACK, CALLBACK]}, "different"),
    ({"redirect_uris": ["/callback"]}, "https://"),
    ({"redirect_uris": ["http://client.example.com/"]}, "https"),
    ({"redirect_uris": ["https://"]}, "https://"),
    ({"redirect_uris": ["https://a.test/#f"]}, "fragment"),
    ({"redirect_uris": ["https://a.test/#"]}, "fragment"),
    ({"redirect_uris": ["https://u:p@a.test/"]}, "user name"),
    ({"redirect_uris": ["https://*.a.test/"]}, "wildcard"),
    ({"redirect_uris": ["https://a.test\\@b.test/"]}, "backslash"),
    ({"redirect_uris": ["https://a;script-src"]}, "letters"),
    ({"redirect_uris": ["https://a.test'/"]}, "letters"),
    ({"redirect_uris": ["nl.example.app://a;b/cb"], "application_type": "native"}, "letters"),
    ({"redirect_uris": ["https://a.test/a b"]}, "spaces"),
    ({"redirect_uris": ["https://é.test/"]}, "ASCII"),
    ({"redirect_uris": ["https://a.test/" + "x" * 2100]}, "too long"),
    ({"redirect_uris": ["https://a.test:port/"]}, "web address"),
    ({"redirect_uris": ["https://[::1/"]}, "web address"),
    ({"redirect_uris": ["javascript:alert(1)"]}, "https://"),
    ({"redirect_uris": ["nl.example.app:/cb"]}, "native"),
    ({"redirect_uris": ["myapp:/cb"], "application_type": "native"}, "domain"),
    ({"redirect_uris": ["data:text/html,x"], "application_type": "native"}, "domain"),
    ({"token_endpoint_auth_method": "tls_client_auth"}, "tls_client_auth_subject_dn"),
    ({"token_endpoint_auth_method": "client_secret_jwt"}, "token_endpoint_auth_method"),
    ({"token_endpoint_auth_method": 5}, "token_endpoint_auth_method"),
    (KEYED, "jwks"),
    (KEYED | {"jwks": {"keys": []}}, "jwks"),
    (KEYED | {"jwks": {"keys": "x"}}, "jwks"),
    (KEYED | {"jwks": {"keys": [{"kty": "RSA"}]}}, "jwks"),
    (KEYED | {"jwks": []}, "jwks"),
    (KEYED | {"jwks": {}}, "jwks"),
    (KEYED | {"jwks": jwks("ec", "rsa")}, "token_endpoint_auth_signing_alg"),
    (KEYED | {"jwks": jwks("ec"), "token_endpoint_auth_signing_alg": "RS256"}, "jwks"),
    (KEYED | {"jwks": jwks("ec"), "token_endpoint_auth_signing_alg": "none"}, "token_endpoint_auth_signing_alg"),
    (KEYED | {"jwks": jwks("ec"), "token_endpoint_auth_signing_alg": "HS256"}, "token_endpoint_auth_signing_alg"),
    (KEYED | {"jwks": {"keys": [ECKey.generate_key("P-384").as_dict(private=False)]}}, "P-256"),
    (KEYED | {"jwks": {"keys": [SMALL]}}, "2048"),
    ({"jwks": {"keys": [SMALL]}}, "2048"),
    (KEYED | {"jwks": {"keys": [ECKey.generate_key("P-256").as_dict(private=True)]}}, "public"),
    (KEYED | {"jwks": {"keys": [OctKey.generate_key(256).as_dict(private=True)]}}, "public"),
    (KEYED | {"jwks": {"keys": jwks("ec")["keys"] * 21}}, "20"),
    ({"jwks_uri": "https://client.example.test/jwks"}, "jwks"),
    ({"sector_identifier_uri": 5}, "sector"),
    ({"software_statement": "x.y.z"}, "Software statements"),
    ({"post_logout_redirect_uris": ["http://client.example.com/"]}, "post_logout_redirect_uri"),
    ({"post_logout_redirect_uris": "https://a.test/"}, "list"),
    ({"frontchannel_logout_uri": "https://elsewhere.example.test/out"}, "redirect_uri"),
    ({"frontchannel_logout_uri": "nl.example.app:/out", "application_type": "native"}, "https"),
    ({"backchannel_logout_uri": "https://client.example.test/out#x"}, "fragment"),
    ({"backchannel_logout_uri": "http://client.example.com/out"}, "https"),
    ({"backchannel_logout_session_required": "yes"}, "true or false"),
    ({"client_secret": "chosen"}, "secret"),
    ({"grant_types": ["authorization_code", "implicit"]}, "implicit"),
    ({"grant_types": ["client_credentials"]}, "client_credentials"),
    ({"response_types": ["code", "id_token"]}, "response_types"),
    ({"subject_type": "public"}, "pairwise"),
    ({"id_token_signed_response_alg": "none"}, "id_token_signed_response_alg"),
    ({"id_token_signed_response_alg": "HS256"}, "id_token_signed_response_alg"),
    ({"userinfo_signed_response_alg": "none"}, "userinfo_signed_response_alg"),
    ({"id_token_encrypted_response_alg": "RSA-OAEP"}, "needs jwks"),
    ({"id_token_encrypted_response_alg": "RSA1_5"}, "must be one of RSA-OAEP"),
    ({"userinfo_encrypted_response_enc": "A128GCM"}, "needs userinfo_encrypted_response_alg"),
    ({"userinfo_encrypted_response_alg": "ECDH-ES", "userinfo_encrypted_response_enc": "A1"}, "must be one of A128"),
    ({"tls_client_certificate_bound_access_tokens": "yes"}, "true or false"),
    ({"dpop_bound_access_tokens": 1}, "true or false"),
    ({"access_token_format": "saml"}, "opaque, jwt"),
    ({"claim_set": "all"}, "represents, eherkenning"),
    ({"resources": ["not an address"]}, "without fragment"),
    ({"serves_resources": ["https://api.example.test/#x"]}, "without fragment"),
    ({"introspection_signed_response_alg": "none"}, "introspection_signed_response_alg"),
    ({"require_pushed_authorization_requests": "yes"}, "true or false"),
    ({"require_signed_request_object": 1}, "true or false"),
    ({"request_object_signing_alg": "none"}, "request_object_signing_alg"),
    ({"request_object_encryption_alg": "RSA-OAEP"}, "not decrypted"),
    ({"request_uris": ["https://client.example.test/request"]}, "not fetched"),
    ({"authorization_signed_response_alg": "HS256"}, "authorization_signed_response_alg"),
    ({"default_max_age": -1}, "default_max_age"),
    ({"default_max_age": True}, "default_max_age"),
    ({"default_max_age": "60"}, "default_max_age"),
    ({"default_acr_values": "x"}, "default_acr_values"),
    ({"acr_vocabulary": "vot"}, "acr_vocabulary"),
    ({"scope": ["openid"]}, "scope"),
    ({"client_name": 5}, "client_name"),
    ({"client_uri": 5}, "client_uri"),
    ({"client_uri": "nowhere"}, "client_uri"),
    ({"logo_uri": "javascript://a.test/%0aalert(1)"}, "logo_uri"),
    ({"policy_uri": "https://a.test@b.test/"}, "policy_uri"),
    ({"initiate_login_uri": "x"}, "initiate_login_uri"),
    ({"contacts": "me"}, "contacts"),
    ({"application_type": "service"}, "application_type"),
    ({"require_auth_time": "yes"}, "require_auth_time"),
    ({"request_object_encryption_enc": "A128GCM"}, "request_object_encryption_enc"),
    ({"client_id": "a b"}, "client_id"),
    ({"client_id": "é"}, "client_id"),
]


# The library warns of the small key that we are about to refuse.
@pytest.mark.filterwarnings("ignore:Key size should be")
@pytest.mark.parametrize(("changes", "word"), REFUSED, ids=range(len(REFUSED)))
def test_what_cannot_be_registered_is_refused_in_a_sentence(changes: dict[str, Any], word: str) -> None:
    """Each refusal is one sentence that names the member or the remedy."""
    with pytest.raises(BadParty) as caught:
        check_metadata(metadata(**changes), Profile.OIDC_STANDARD)
    assert word in str(caught.value)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    "octets", [b"", b"[]", b"{", b"\xff", b'"x"', b"[" * 100000, b" " * 200000, b'{"scope": "a", "scope": "b"}']
)
def test_what_is_no_metadata_at_all_is_refused(octets: bytes) -> None:
    """Other JSON, no JSON and endless input are refused before anything is read."""
    with pytest.raises(BadParty):
        described(octets, ("UWV",), {}, None)


def test_the_defaults_are_those_of_the_standard() -> None:
    """What is left out means what RFC 7591 and OpenID Connect Registration say."""
    client = check_metadata(metadata(), Profile.OIDC_STANDARD)
    assert (client.auth_method, client.id_token_algorithm, client.userinfo_algorithm) == (AuthMethod.BASIC, "RS256", "")
    assert (sorted(client.grant_types), client.native, client.scope) == (["authorization_code"], False, None)


def test_unknown_members_are_kept_and_ignored() -> None:
    """Members we do not know change nothing and stay in the registration (RFC 7591 section 2)."""
    octets = json.dumps(metadata(logo_uri="https://a.test/logo", made_up=[1])).encode()
    new = described(octets, ("UWV",), {}, None)
    assert json.loads(new.document)["made_up"] == [1]
    assert (new.protocol, new.name, new.identity, new.secret, new.services) == ("oidc", "Portal", "", True, ("UWV",))


@pytest.mark.parametrize(("kind", "algorithm"), [("ec", "ES256"), ("rsa", "RS256"), ("rsa", "PS256")])
def test_a_key_settles_the_algorithm(kind: str, algorithm: str) -> None:
    """One kind of key leaves no doubt about the algorithm; PS256 must be named, by the client or by its key."""
    named = {"token_endpoint_auth_signing_alg": algorithm} if algorithm == "PS256" else {}
    client = check_metadata(metadata(**KEYED, jwks=jwks(kind), **named), Profile.OIDC_STANDARD)
    assert client.auth_algorithm == algorithm
    keys = {
        "keys": [*({**one, "alg": algorithm} for one in jwks(kind)["keys"]), {**jwks("rsa")["keys"][0], "use": "enc"}]
    }
    client = check_metadata(metadata(**KEYED, jwks=keys), Profile.OIDC_STANDARD)
    assert client.auth_algorithm == algorithm


@pytest.mark.parametrize("address", ["http://localhost:5000/cb", "http://127.0.0.1/cb", "http://portal.uwv.test/cb"])
def test_plain_http_is_for_the_own_machine(address: str) -> None:
    """Loopback and .test addresses may do without TLS, except in nl-gov."""
    given = metadata(redirect_uris=[address], token_endpoint_auth_method="none")
    assert check_metadata(given, Profile.OIDC_STANDARD).redirect_uris == (address,)
    with pytest.raises(BadParty):
        check_metadata(given, Profile.OIDC_NL_GOV)


def test_nl_gov_knows_no_secrets() -> None:
    """A client with a secret cannot be registered in nl-gov; one with a key, or a native one, can (11.1)."""
    for method in ("client_secret_basic", "client_secret_post"):
        with pytest.raises(BadParty):
            check_metadata(metadata(token_endpoint_auth_method=method), Profile.OIDC_NL_GOV)
    assert check_metadata(metadata(**KEYED, jwks=jwks("ec")), Profile.OIDC_NL_GOV)
    native = metadata(
        redirect_uris=["http://127.0.0.1/cb"], application_type="native", token_endpoint_auth_method="none"
    )
    assert check_metadata(native, Profile.OIDC_NL_GOV).native


def test_a_client_may_bring_its_name(provider: Provider) -> None:
    """A ``client_id`` of the operator's choosing is kept; without one, one is made."""
    assert provider.register(client_id="portal-uwv").client_id == "portal-uwv"
    assert provider.register().client_id
    with pytest.raises(BadParty):
        provider.register(client_id="portal-uwv")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        KEYED | {"jwks": jwks("ec")},
        {"token_endpoint_auth_method": "none", "grant_types": ["authorization_code", "refresh_token"]},
        {"id_token_signed_response_alg": "ES256", "userinfo_signed_response_alg": "PS256"},
        {"default_max_age": 60, "default_acr_values": ["urn:etoegang:core:assurance-class:loa3"]},
    ],
    ids=range(5),
)
def test_another_library_agrees_on_what_is_good(shared_provider: Provider, changes: dict[str, Any]) -> None:
    """What we accept is valid to Authlib's registration, held against our discovery document."""
    given = metadata(**changes)
    check_metadata(given, Profile.OIDC_STANDARD)
    published = discovery(shared_provider.office)
    for kind in (ClientMetadataClaims, OidcClientMetadataClaims):
        options = {name: one for name, one in kind.get_claims_options(published).items() if name != "scope"}
        kind(dict(given), {}, options).validate()
    with pytest.raises(BadParty):
        check_metadata(given | {"redirect_uris": ["x"]}, Profile.OIDC_STANDARD)
