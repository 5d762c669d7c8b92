"""What a client registered about the tokens it gets: bound to what, in which form, for whom, encrypted how."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import Key

from idp.protocols.oidc.jose.jwe import CONTENT, KEY_ALGORITHMS, Encryption, encrypted_claims
from idp.protocols.oidc.jose.jws import ALGORITHMS, check_strength

_DEFAULT_CONTENT: Final = "A128CBC-HS256"
_MOST_RESOURCES: Final = 20
_LONGEST_RESOURCE: Final = 512


class AccessFormat(StrEnum):
    """What an access token looks like; our own choice where the client registers none is the opaque one."""

    OPAQUE = "opaque"
    JWT = "jwt"


class ClaimSet(StrEnum):
    """Which claims about the organisation a client gets without asking: nested ones, or the flat ones too (11.2)."""

    REPRESENTS = "represents"
    EHERKENNING = "eherkenning"


@dataclass(frozen=True, slots=True)
class TokenWishes:
    """The members of a registration that are about tokens.

    ``resources`` are the APIs that the client may ask tokens for (RFC 8707), ``serves`` those that it is itself, so
    that it may look into tokens for them (RFC 7662).
    """

    dpop_bound: bool
    certificate_bound: bool
    access_format: AccessFormat
    claim_set: ClaimSet
    resources: tuple[str, ...]
    serves: tuple[str, ...]
    introspection_algorithm: str
    id_token_encryption: Encryption | None
    userinfo_encryption: Encryption | None
    introspection_encryption: Encryption | None
    answer_encryption: Encryption | None


# The members that are read here, and what each must be.
TOKEN_MEMBERS: Final[Mapping[str, str]] = {
    "dpop_bound_access_tokens": "true or false",
    "tls_client_certificate_bound_access_tokens": "true or false",
    "access_token_format": "a text",
    "claim_set": "a text",
    "resources": "a list of texts",
    "serves_resources": "a list of texts",
    "introspection_signed_response_alg": "a text",
    **{
        f"{what}_encrypted_response_{part}": "a text"
        for what in ("id_token", "userinfo", "introspection", "authorization")
        for part in ("alg", "enc")
    },
}


def read_token_wishes(given: Mapping[str, Any], keys: tuple[Key, ...]) -> TokenWishes:
    """The wishes in metadata whose types were checked; raises ``ValueError`` with one sentence."""
    return TokenWishes(
        dpop_bound=given.get("dpop_bound_access_tokens", False),
        certificate_bound=given.get("tls_client_certificate_bound_access_tokens", False),
        access_format=AccessFormat(_one_of(given, "access_token_format", tuple(AccessFormat))),
        claim_set=ClaimSet(_one_of(given, "claim_set", tuple(ClaimSet))),
        resources=_resources(given, "resources"),
        serves=_resources(given, "serves_resources"),
        introspection_algorithm=_one_of(given, "introspection_signed_response_alg", tuple(ALGORITHMS)),
        id_token_encryption=_encryption(given, "id_token", keys),
        userinfo_encryption=_encryption(given, "userinfo", keys),
        introspection_encryption=_encryption(given, "introspection", keys),
        answer_encryption=_encryption(given, "authorization", keys),
    )


def _one_of(given: Mapping[str, Any], name: str, choices: tuple[str, ...]) -> str:
    """A value of a closed set, the first one by default."""
    text: str = given.get(name, choices[0])
    if text not in choices:
        raise ValueError(f"The value of {name} must be one of {', '.join(choices)}.")
    return text


def _resources(given: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = tuple(given.get(name, ()))
    if len(found) > _MOST_RESOURCES or not all(is_resource(one) for one in found):
        raise ValueError(f"{name} must list at most {_MOST_RESOURCES} addresses without fragment, as in RFC 8707.")
    return found


def is_resource(text: str) -> bool:
    """Whether a text can name a resource: an absolute URI without fragment (RFC 8707 section 2)."""
    if len(text) > _LONGEST_RESOURCE or not text.isascii() or not text.isprintable() or " " in text or "#" in text:
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme and (parts.netloc or parts.path))


def _encryption(given: Mapping[str, Any], what: str, keys: tuple[Key, ...]) -> Encryption | None:
    """How to encrypt something, with the first key of the client that fits (Registration 2, Core 10.2)."""
    algorithm = given.get(f"{what}_encrypted_response_alg", "")
    content = given.get(f"{what}_encrypted_response_enc", "")
    if not algorithm:
        if content:
            raise ValueError(f"{what}_encrypted_response_enc needs {what}_encrypted_response_alg.")
        return None
    if algorithm not in KEY_ALGORITHMS:
        raise ValueError(f"{what}_encrypted_response_alg must be one of {', '.join(KEY_ALGORITHMS)}.")
    if (content or _DEFAULT_CONTENT) not in CONTENT:
        raise ValueError(f"{what}_encrypted_response_enc must be one of {', '.join(CONTENT)}.")
    fitting = [key for key in keys if key.key_type == KEY_ALGORITHMS[algorithm] and _is_for(key, algorithm)]
    if not fitting:
        raise ValueError(f"{what}_encrypted_response_alg needs jwks with a key of use enc for {algorithm}.")
    # A key that says what it is for goes first.
    found = Encryption(algorithm, content or _DEFAULT_CONTENT, max(fitting, key=lambda one: one.get("use") == "enc"))
    check_strength(found.key)
    try:
        encrypted_claims(found, "{}")
    except JoseError:
        raise ValueError(f"The key in jwks for {what}_encrypted_response_alg is not for {algorithm}.") from None
    return found


def _is_for(key: Key, algorithm: str) -> bool:
    """Whether a key names no other use and no other algorithm."""
    return key.get("use") in (None, "enc") and key.get("alg") in (None, algorithm)
