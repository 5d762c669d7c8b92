"""An OIDC client as a value, read from its registration (RFC 7591, OpenID Connect Registration)."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeVar

from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet, RSAKey

from idp.domain.parties import Party
from idp.protocols.oidc.client.logout import LogoutWishes, read_logout_wishes
from idp.protocols.oidc.client.tls_client import Subject, read_subject
from idp.protocols.oidc.client.tokens import TokenWishes, read_token_wishes
from idp.protocols.oidc.jose.jws import ALGORITHMS, check_strength
from idp.services.relying_parties.parties import OIDC
from idp.services.work import Office

MOST_KEYS: Final = 20
_CLIENT_ID: Final = re.compile(r"[!-~]{1,255}", re.ASCII)
_Choice = TypeVar("_Choice", bound=StrEnum)


class AuthMethod(StrEnum):
    """How a client proves itself at the token endpoint."""

    BASIC = "client_secret_basic"
    POST = "client_secret_post"
    PRIVATE_KEY = "private_key_jwt"
    TLS = "tls_client_auth"
    SELF_SIGNED_TLS = "self_signed_tls_client_auth"
    NONE = "none"


class Vocabulary(StrEnum):
    """In which words a level is told (domain 11.3)."""

    ETOEGANG = "etoegang"
    EIDAS = "eidas"


class GrantType(StrEnum):
    """What a client may exchange for tokens."""

    CODE = "authorization_code"
    REFRESH = "refresh_token"
    DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


@dataclass(frozen=True, slots=True)
class Client:
    """What a client registered, checked; ``scope`` is None when it registered none and may ask any.

    ``auth_algorithm`` is what its assertions are signed with, ``keys`` its public keys, ``userinfo_algorithm`` is
    empty when it wants plain JSON, ``request_algorithm`` when it may sign requests by any of its profile,
    ``answer_algorithm`` when signed answers take the first of its profile. ``pushed_required`` and ``signed_required``
    bind it to push and to sign every request.
    """

    redirect_uris: tuple[str, ...]
    native: bool
    auth_method: AuthMethod
    auth_algorithm: str
    keys: tuple[Key, ...]
    grant_types: frozenset[GrantType]
    id_token_algorithm: str
    userinfo_algorithm: str
    request_algorithm: str
    answer_algorithm: str
    pushed_required: bool
    signed_required: bool
    default_levels: tuple[str, ...]
    default_max_age: int | None
    scope: frozenset[str] | None
    vocabulary: Vocabulary
    tokens: TokenWishes
    subject: Subject | None
    logout: LogoutWishes

    @property
    def public(self) -> bool:
        """Whether it cannot keep a secret."""
        return self.auth_method is AuthMethod.NONE


def client_of(party: Party) -> Client:
    """The client that a party registered; kept by the directory once per version of the party."""
    return read_client(json.loads(party.document))


def read_client(given: Mapping[str, Any]) -> Client:
    """A client from metadata whose types were checked; raises ``ValueError`` with one sentence."""
    method = _one_of(AuthMethod, given, "token_endpoint_auth_method", AuthMethod.BASIC)
    keys = _keys(given)
    max_age = given.get("default_max_age")
    return Client(
        redirect_uris=tuple(given.get("redirect_uris", ())),
        native=given.get("application_type", "web") == "native",
        auth_method=method,
        auth_algorithm=_auth_algorithm(given, keys) if method is AuthMethod.PRIVATE_KEY else "",
        keys=keys,
        grant_types=frozenset(_grant_type(one) for one in given.get("grant_types", (GrantType.CODE,))),
        id_token_algorithm=_algorithm(given, "id_token_signed_response_alg", "RS256"),
        userinfo_algorithm=_algorithm(given, "userinfo_signed_response_alg", ""),
        request_algorithm=_algorithm(given, "request_object_signing_alg", ""),
        answer_algorithm=_algorithm(given, "authorization_signed_response_alg", ""),
        pushed_required=given.get("require_pushed_authorization_requests", False),
        signed_required=given.get("require_signed_request_object", False),
        default_levels=tuple(given.get("default_acr_values", ())),
        default_max_age=max_age,
        scope=frozenset(given["scope"].split()) if "scope" in given else None,
        vocabulary=_one_of(Vocabulary, given, "acr_vocabulary", Vocabulary.ETOEGANG),
        tokens=read_token_wishes(given, keys),
        subject=_subject(given, method, keys),
        logout=read_logout_wishes(given),
    )


def known_party(office: Office, client_id: str) -> Party | None:
    """The client with this id, or None."""
    return office.directory.party(OIDC, client_id) if _CLIENT_ID.fullmatch(client_id) else None


def _subject(given: Mapping[str, Any], method: AuthMethod, keys: tuple[Key, ...]) -> Subject | None:
    """Whom the certificate of a client must name, where that is how it proves itself (RFC 8705 section 2)."""
    if method is AuthMethod.SELF_SIGNED_TLS and not keys:
        raise ValueError("self_signed_tls_client_auth needs jwks with the key of the certificate.")
    return read_subject(given) if method is AuthMethod.TLS else None


def _one_of(kind: type[_Choice], given: Mapping[str, Any], name: str, otherwise: _Choice) -> _Choice:
    text = given.get(name, otherwise)
    if text not in {one.value for one in kind}:
        raise ValueError(f"The value of {name} must be one of {', '.join(kind)}.")
    return kind(text)


def _grant_type(text: str) -> GrantType:
    if text not in {one.value for one in GrantType}:
        raise ValueError(f"The grant type {text!r} is not supported; there are {', '.join(GrantType)}.")
    return GrantType(text)


def _algorithm(given: Mapping[str, Any], name: str, otherwise: str) -> str:
    text: str = given.get(name, otherwise)
    if text and text not in ALGORITHMS:
        raise ValueError(f"The value of {name} must be one of {', '.join(ALGORITHMS)}.")
    return text


def _keys(given: Mapping[str, Any]) -> tuple[Key, ...]:
    """The public keys, without what is no use to us (other uses, other types)."""
    try:
        keys = KeySet.import_key_set(given["jwks"]).keys if "jwks" in given else []
    except (JoseError, ValueError, TypeError, KeyError):
        raise ValueError("The value of jwks is not a JWK Set of public keys.") from None
    if len(keys) > MOST_KEYS or any(key.is_private for key in keys):
        raise ValueError(f"The value of jwks must hold at most {MOST_KEYS} keys, public ones alone.")
    for key in keys:
        # A weak RSA key would sign requests and prove certificates; other curves fit none of our algorithms anyway.
        if isinstance(key, RSAKey):
            check_strength(key)
    return tuple(keys)


def _auth_algorithm(given: Mapping[str, Any], keys: tuple[Key, ...]) -> str:
    """The one algorithm of the client's assertions: as registered, or what its keys leave no doubt about (SEC-22)."""
    asked = _algorithm(given, "token_endpoint_auth_signing_alg", "")
    signing = [key for key in keys if key.get("use") in (None, "sig")]
    fitting = [key for key in signing if not asked or key.key_type == ALGORITHMS[asked].key_type]
    kinds = {key.key_type for key in fitting}
    if not fitting or (not asked and len(kinds) > 1):
        raise ValueError("private_key_jwt needs jwks with a key for token_endpoint_auth_signing_alg.")
    for key in fitting:
        check_strength(key)
    stated = {key.get("alg") for key in fitting}
    if not asked and len(stated) == 1 and stated <= set(ALGORITHMS):
        return str(stated.pop())
    return asked or ("RS256" if kinds == {"RSA"} else "ES256")
