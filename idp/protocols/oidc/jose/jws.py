"""Signing and verifying compact tokens: one table of algorithms, keys that never leave their holder (SEC-42)."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, RSAKey

from idp.ports import Keys, KeyUse, PublicKey

LONGEST: Final = 16 * 1024
_SHORTEST_RSA: Final = 2048


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A signature algorithm: the key of ours it is made with, its name at the key, the key type it needs."""

    use: KeyUse
    name: str
    key_type: str


ALGORITHMS: Final[Mapping[str, Algorithm]] = {
    "RS256": Algorithm(KeyUse.OIDC_RSA, "rsa-sha256", "RSA"),
    "PS256": Algorithm(KeyUse.OIDC_RSA, "rsa-pss-sha256", "RSA"),
    "ES256": Algorithm(KeyUse.OIDC_EC, "ecdsa-sha256", "EC"),
}


class BadToken(Exception):
    """A token that is not what it must be; the text is one sentence for a developer."""


@dataclass(frozen=True, slots=True)
class Verified:
    """A token whose signature was checked: what was signed, and nothing else (SEC-13)."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]


def sign(keys: Keys, algorithm: str, claims: Mapping[str, Any], kind: str = "JWT") -> str:
    """A compact token by the active key for an algorithm of the table."""
    chosen = ALGORITHMS[algorithm]
    key = keys.active(chosen.use)
    header = {"alg": algorithm, "kid": key_id(key.public, algorithm), "typ": kind}
    data = b".".join((_encoded(_compact(header)), _encoded(_compact(claims))))
    return b".".join((data, _encoded(key.sign(chosen.name, data)))).decode()


def verify(token: str, candidates: Sequence[Key], algorithms: Sequence[str]) -> Verified:
    """The header and claims of a token signed by one of the keys, named by ``kid`` or the only one that fits.

    Raises ``BadToken``. Keys come from our registry alone: ``jwk``, ``jku`` and ``x5u`` are never looked at, and
    ``crit`` is refused whatever it names (SEC-12, SEC-22).
    """
    header = unverified_header(token)
    if header.get("alg") not in algorithms:
        raise BadToken(f"The algorithm must be {' or '.join(algorithms)}.")
    if "crit" in header or "b64" in header:
        raise BadToken("Critical header extensions are not accepted.")
    wanted = ALGORITHMS[header["alg"]].key_type
    fitting = [key for key in candidates if key.key_type == wanted and _usable(key)]
    if "kid" in header:
        fitting = [key for key in fitting if key.kid in (header["kid"], None)]
    for key in fitting:
        claims = _claims(token, key, header["alg"])
        if claims is not None:
            return Verified(header, claims)
    raise BadToken("The signature was made by none of the registered keys.")


def unverified_header(token: str) -> dict[str, Any]:
    """The header of a token nobody vouched for yet: only to choose what to verify it with. Raises ``BadToken``."""
    if len(token) > LONGEST or token.count(".") != 2 or not token.isascii():
        raise BadToken("This is not a compact signed token of bounded length.")
    return _object(_decoded(token.partition(".")[0]))


def unverified_claims(token: str) -> dict[str, Any]:
    """The claims of a token nobody vouched for yet: only to find whose it might be. Raises ``BadToken``."""
    unverified_header(token)
    return _object(_decoded(token.split(".")[1]))


def public_jwk(public: PublicKey, algorithm: str) -> dict[str, Any]:
    """A key of ours as others read it, for one algorithm (domain 11.1: kid, kty, alg)."""
    kind = RSAKey if ALGORITHMS[algorithm].key_type == "RSA" else ECKey
    numbers = kind.import_key(public.public_pem).as_dict(private=False)
    return {**numbers, "use": "sig", "alg": algorithm, "kid": key_id(public, algorithm)}


def key_id(public: PublicKey, algorithm: str) -> str:
    """The name of a key for one algorithm: readers choose by name alone, and one RSA key serves two algorithms."""
    return f"{public.kid[:32]}-{algorithm}"


def check_strength(key: Key) -> None:
    """Hold a key to what our algorithms need; raises ``ValueError`` with one sentence (SEC-12)."""
    if isinstance(key, RSAKey) and key.public_key.key_size < _SHORTEST_RSA:
        raise ValueError(f"An RSA key must have {_SHORTEST_RSA} bits or more.")
    if isinstance(key, ECKey) and key.curve_name != "P-256":
        raise ValueError("An elliptic-curve key must be on P-256.")
    if not isinstance(key, RSAKey | ECKey):
        raise ValueError("A key must be RSA or on P-256.")


class _Registry(jws.JWSRegistry):
    """The library's bounds, with room for an RSA key in the header; the whole is bounded by ``LONGEST``."""

    max_header_length = 4 * 1024


def _usable(key: Key) -> bool:
    return key.get("use") in (None, "sig")


def _claims(token: str, key: Key, algorithm: str) -> dict[str, Any] | None:
    try:
        checked = jws.deserialize_compact(token, key, registry=_Registry(algorithms=[algorithm]))
    except (JoseError, ValueError, TypeError):
        return None
    return _object(checked.payload)


def _object(octets: bytes) -> dict[str, Any]:
    try:
        found = json.loads(octets, object_pairs_hook=each_once)
    except (ValueError, RecursionError):
        raise BadToken("A part of the token is not JSON.") from None
    if not isinstance(found, dict):
        raise BadToken("A part of the token is not a JSON object.")
    return found


def each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; raises ``ValueError`` where a member stands twice: readers differ about which counts (SEC-4)."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a member stands twice")
    return found


def _compact(claims: Mapping[str, Any]) -> bytes:
    return json.dumps(claims, separators=(",", ":"), ensure_ascii=False).encode()


def _encoded(octets: bytes) -> bytes:
    return base64.urlsafe_b64encode(octets).rstrip(b"=")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise BadToken("A part of the token is not base64url.") from None
