"""Encrypting what we tell for one client's key: one table of algorithms (RFC 7516, domain 11.1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from joserfc import jwe
from joserfc.jwk import Key

# Each with the type of key that it takes; RSA with PKCS #1 v1.5 is banned (SEC-12).
KEY_ALGORITHMS: Final[Mapping[str, str]] = {
    "RSA-OAEP": "RSA",
    "RSA-OAEP-256": "RSA",
    "ECDH-ES": "EC",
    "ECDH-ES+A128KW": "EC",
    "ECDH-ES+A256KW": "EC",
}
CONTENT: Final = ("A128CBC-HS256", "A256CBC-HS512", "A128GCM", "A256GCM")


@dataclass(frozen=True, slots=True)
class Encryption:
    """How something is encrypted for a client: the algorithms and its key."""

    algorithm: str
    content: str
    key: Key


def encrypted_for(wish: Encryption | None, signed: str) -> str:
    """A signed token inside an encrypted one, where the client wants that (OpenID Connect Core 10.2)."""
    return signed if wish is None else _encrypted(wish, signed, {"cty": "JWT"})


def encrypted_claims(wish: Encryption, claims: str) -> str:
    """Claims that are encrypted without being signed, as userinfo may be (OpenID Connect Core 5.3.2)."""
    return _encrypted(wish, claims, {})


def _encrypted(wish: Encryption, plain: str, more: Mapping[str, str]) -> str:
    header: dict[str, Any] = {"alg": wish.algorithm, "enc": wish.content, **more}
    if wish.key.kid:
        header["kid"] = wish.key.kid
    return jwe.encrypt_compact(header, plain.encode(), wish.key, algorithms=[wish.algorithm, wish.content])
