"""ID tokens, userinfo and introspection, encrypted for the key that a client registered (Core 10.2)."""

import json
from typing import Any

import pytest
from joserfc import jwe, jwt
from joserfc.jwk import ECKey, RSAKey

from idp.domain.parties import Profile
from idp.protocols.message import Document
from idp.protocols.oidc.client.registration import check_metadata
from idp.services.relying_parties.settings import BadParty
from tests.protocol.oidc_kit import Provider, RelyingParty, client_key, metadata, told_by
from tests.protocol.oidc_proof import call

CASES = [
    ("rsa", "RSA-OAEP", "A256GCM"),
    ("rsa", "RSA-OAEP-256", "A128GCM"),
    ("rsa", "RSA-OAEP-256", None),
    ("ec", "ECDH-ES", "A128GCM"),
    ("ec", "ECDH-ES", "A256CBC-HS512"),
    ("ec", "ECDH-ES+A128KW", "A256GCM"),
    ("ec", "ECDH-ES+A256KW", None),
]


def keys_of(kind: str) -> dict[str, Any]:
    """A key set that names a signing key before the one to encrypt with."""
    public = client_key(kind).as_dict(private=False)
    return {"keys": [{**public, "kid": "s", "use": "sig"}, {**public, "kid": "e", "use": "enc"}]}


def opened(body: str, kind: str, algorithm: str, content: str | None) -> tuple[dict[str, Any], str]:
    """The header and the content of what was encrypted, as the client reads it."""
    key: ECKey | RSAKey = type(client_key(kind)).import_key(client_key(kind).as_pem(private=True))
    found = jwe.decrypt_compact(body, key, algorithms=[algorithm, content or "A128CBC-HS256"])
    assert found.plaintext is not None
    return dict(found.headers()), found.plaintext.decode()


def wishes(what: str, algorithm: str, content: str | None) -> dict[str, Any]:
    """The members of a registration."""
    asked = {f"{what}_encrypted_response_alg": algorithm}
    return asked | ({f"{what}_encrypted_response_enc": content} if content else {})


@pytest.mark.parametrize(("kind", "algorithm", "content"), CASES)
def test_an_id_token_is_signed_and_then_encrypted(
    provider: Provider, kind: str, algorithm: str, content: str | None
) -> None:
    """The client opens the token with its key of use enc, and finds a signed one inside (Core 3.1.3.7)."""
    party = provider.register(jwks=keys_of(kind), **wishes("id_token", algorithm, content))
    header, inner = opened(party.tokens()["id_token"], kind, algorithm, content)
    assert (header["cty"], header["kid"], header["enc"]) == ("JWT", "e", content or "A128CBC-HS256")
    assert provider.verified(inner)["aud"] == party.client_id


def ask(party: RelyingParty) -> Document:
    """Userinfo of a fresh login."""
    return party.provider.userinfo(party.tokens()["access_token"])


def test_userinfo_is_encrypted_as_asked(provider: Provider) -> None:
    """Userinfo is encrypted plain, or signed first when the client registered that too (Core 5.3.2)."""
    asked = wishes("userinfo", "ECDH-ES", "A128GCM")
    plain = ask(provider.register(jwks=keys_of("ec"), **asked))
    assert (plain.status, plain.content_type) == (200, "application/jwt")
    header, inner = opened(plain.body.decode(), "ec", "ECDH-ES", "A128GCM")
    assert "cty" not in header
    assert json.loads(inner)["sub"]
    signed = ask(provider.register(jwks=keys_of("ec"), userinfo_signed_response_alg="PS256", **asked))
    header, inner = opened(signed.body.decode(), "ec", "ECDH-ES", "A128GCM")
    assert header["cty"] == "JWT"
    assert (
        jwt.decode(inner, provider.key_set(), algorithms=["PS256"]).claims["sub"]
        == json.loads(opened(plain.body.decode(), "ec", "ECDH-ES", "A128GCM")[1])["sub"]
    )


def test_introspection_is_encrypted_as_asked(provider: Provider) -> None:
    """An answer about a token is signed and then encrypted for a client that registered that (RFC 9701 section 5)."""
    party = provider.register(jwks=keys_of("rsa"), **wishes("introspection", "RSA-OAEP-256", "A256GCM"))
    document = call(party, "introspect", {"token": party.tokens()["access_token"]})
    _, inner = opened(document.body.decode(), "rsa", "RSA-OAEP-256", "A256GCM")
    told = jwt.decode(inner, provider.key_set(), algorithms=["RS256"])
    assert told.header["typ"] == "token-introspection+jwt"
    assert told.claims["token_introspection"]["active"] is True


@pytest.mark.parametrize("member", [{"key_ops": ["verify"]}, {"alg": "RSA-OAEP"}])
def test_a_key_that_is_for_something_else_is_refused(member: dict[str, Any]) -> None:
    """A key that says it is not for encryption, or for another algorithm, is refused when it is registered."""
    key = {"kty": "RSA", **{name: keys_of("rsa")["keys"][0][name] for name in ("n", "e")}, **member}
    with pytest.raises(BadParty, match="id_token_encrypted_response_alg"):
        check_metadata(
            metadata(jwks={"keys": [key]}, **wishes("id_token", "RSA-OAEP-256", "A128GCM")), Profile.OIDC_STANDARD
        )


def test_nobody_else_can_open_it(provider: Provider) -> None:
    """Another key of the same kind does not open what was encrypted."""
    party = provider.register(jwks=keys_of("ec"), **wishes("id_token", "ECDH-ES", "A128GCM"))
    token = party.tokens()["id_token"]
    with pytest.raises(Exception, match=r".+"):
        jwe.decrypt_compact(token, ECKey.generate_key("P-256"), algorithms=["ECDH-ES", "A128GCM"])
    assert told_by(provider.userinfo(party.tokens()["access_token"]))
