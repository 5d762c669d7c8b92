"""Encrypting what we tell for one client's key: one table of algorithms (RFC 7516, domain 11.1)."""

from collections.abc import Mapping
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


def encrypt(plain: str, algorithm: str, content: str, key: Key, *, kind: str = "JWT") -> str:
    """A compact encrypted token around a signed one, or around plain claims when ``kind`` is empty (Core 10.2)."""
    header: dict[str, Any] = {"alg": algorithm, "enc": content}
    if key.kid:
        header["kid"] = key.kid
    if kind:
        header["cty"] = kind
    return jwe.encrypt_compact(header, plain.encode(), key, algorithms=[algorithm, content])
