"""Judging the metadata of an OIDC client before it is registered (RFC 7591)."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from joserfc.errors import InvalidClaimError

from idp.domain.parties import Profile
from idp.protocols.oidc.client import AuthMethod, Client, GrantType, read_client
from idp.protocols.oidc.client_tokens import TOKEN_MEMBERS
from idp.protocols.oidc.profiles import RULES, Rules, misfit
from idp.protocols.oidc.tls_client import SUBJECT_MEMBERS
from idp.services.parties import OIDC, NewParty, NewProvider
from idp.services.party_settings import BadParty
from idp.settings import is_local

_LARGEST: Final = 128 * 1024
_LONGEST_ADDRESS: Final = 2048
_MOST_ADDRESSES: Final = 50
_CLIENT_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,127}", re.ASCII)
# It comes to stand in a header of ours (form-action), where a semicolon or a quote means something.
_HOST: Final = re.compile(r"[A-Za-z0-9.:\[\]-]*")
_TEXTS = "a list of texts"
# The members that are read, and what each must be; others are kept as they are (RFC 7591 section 2).
_TYPES: Final[Mapping[str, str]] = {
    "client_id": "a text",
    "client_name": "a text",
    "redirect_uris": _TEXTS,
    "application_type": "a text",
    "token_endpoint_auth_method": "a text",
    "token_endpoint_auth_signing_alg": "a text",
    "jwks": "an object",
    "grant_types": _TEXTS,
    "response_types": _TEXTS,
    "id_token_signed_response_alg": "a text",
    "userinfo_signed_response_alg": "a text",
    "request_object_signing_alg": "a text",
    "authorization_signed_response_alg": "a text",
    "require_pushed_authorization_requests": "true or false",
    "require_signed_request_object": "true or false",
    "subject_type": "a text",
    "default_acr_values": _TEXTS,
    "default_max_age": "a whole number",
    "scope": "a text",
    "acr_vocabulary": "a text",
    **TOKEN_MEMBERS,
    **dict.fromkeys(SUBJECT_MEMBERS, "a text"),
    **dict.fromkeys(("client_uri", "logo_uri", "tos_uri", "policy_uri", "initiate_login_uri"), "a text"),
}
# What a client must not be left to believe that it gets.
_NOT_OFFERED: Final[Mapping[str, str]] = {
    "jwks_uri": "Keys are not fetched: put them in the registration itself, as jwks.",
    "sector_identifier_uri": "The sector is the provider of the services: leave sector_identifier_uri out.",
    "client_secret": "We choose the secret and show it once: leave client_secret out.",
    "request_object_encryption_alg": "Requests are not decrypted: leave request_object_encryption_alg out.",
    "request_uris": "Requests are not fetched: push them, and leave request_uris out.",
}


def described(
    octets: bytes, services: tuple[str, ...], wishes: Mapping[str, str], provider: NewProvider | None
) -> NewParty:
    """A client as its metadata describe it, checked; raises ``BadParty`` with one sentence and the remedy."""
    given = _object(octets)
    profile = wishes.get("profile", Profile.OIDC_STANDARD)
    client = check_metadata(given, Profile(profile) if profile in set(Profile) else Profile.OIDC_STANDARD)
    return NewParty(
        protocol=OIDC,
        identity=given.get("client_id", ""),
        name=given.get("client_name", ""),
        document=json.dumps(given, ensure_ascii=False, sort_keys=True),
        services=services,
        secret=client.auth_method in (AuthMethod.BASIC, AuthMethod.POST),
        provider=provider,
        settings=wishes,
    )


def check_metadata(given: Mapping[str, Any], profile: Profile) -> Client:
    """The client that metadata describe; raises ``BadParty`` (SEC-19, SEC-22, RUL-30)."""
    _check_members(given)
    try:
        client = read_client({"redirect_uris": [], **given})
    except ValueError as error:
        raise BadParty(str(error)) from None
    _check_addresses(client, profile)
    unfit = misfit(client, profile)
    if unfit:
        raise BadParty(unfit)
    _check_by_library(given)
    return client


def _check_members(given: Mapping[str, Any]) -> None:
    for name, kind in _TYPES.items():
        if name in given and not _is(given[name], kind):
            raise BadParty(f"The value of {name} must be {kind}.")
    for name, sentence in _NOT_OFFERED.items():
        if given.get(name):
            raise BadParty(sentence)
    if given.get("client_id") and not _CLIENT_ID.fullmatch(given["client_id"]):
        raise BadParty("The value of client_id must be 1 to 128 letters, digits and . _ ~ -.")
    if set(given.get("response_types", ("code",))) != {"code"}:
        raise BadParty('The value of response_types must be ["code"]: there is no other flow.')
    if given.get("subject_type", "pairwise") != "pairwise":
        raise BadParty("The value of subject_type must be pairwise: subjects are pseudonyms per provider.")


def _object(octets: bytes) -> dict[str, Any]:
    if len(octets) > _LARGEST:
        raise BadParty(f"The client metadata are larger than {_LARGEST // 1024} KiB.")
    try:
        given = json.loads(octets)
    except (ValueError, RecursionError):
        raise BadParty("The client metadata are not JSON.") from None
    if not isinstance(given, dict):
        raise BadParty("The client metadata must be one JSON object, as in RFC 7591.")
    return given


def _is(value: Any, kind: str) -> bool:
    match kind:
        case "a text":
            return isinstance(value, str) and value.isprintable()
        case "a list of texts":
            return isinstance(value, list) and all(isinstance(one, str) for one in value)
        case "true or false":
            return isinstance(value, bool)
        case "a whole number":
            return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9
        case _:
            return isinstance(value, dict)


def _check_addresses(client: Client, profile: Profile) -> None:
    addresses = client.redirect_uris
    if not addresses and GrantType.CODE not in client.grant_types:
        return
    if not 0 < len(addresses) <= _MOST_ADDRESSES or len(set(addresses)) < len(addresses):
        raise BadParty(f"redirect_uris must list 1 to {_MOST_ADDRESSES} different addresses.")
    for address in addresses:
        fault = _fault_of_address(address, client.native, RULES[profile])
        if fault:
            raise BadParty(f"The redirect_uri {address[:200]!r} {fault}.")


def _fault_of_address(address: str, native: bool, rules: Rules) -> str:
    """What is wrong with a redirect address, or an empty text (SEC-19, domain 11.1, RFC 8252)."""
    if len(address) > _LONGEST_ADDRESS or not re.fullmatch(r"[!-~]+", address):
        return "is too long, or holds spaces or characters outside ASCII"
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        _port = parts.port
    except ValueError:
        return "is not a web address"
    if "#" in address or "@" in parts.netloc or "\\" in address or "*" in host:
        return "holds a fragment, a user name, a backslash or a wildcard"
    if not _HOST.fullmatch(parts.netloc):
        return "names a host with other characters than letters, digits, dots and hyphens"
    if parts.scheme == "https" and host:
        return ""
    if parts.scheme == "http" and host:
        literal = native and host in ("127.0.0.1", "::1")
        return "" if literal or (is_local(host) and rules.local_addresses) else "is not safe: use https"
    if native and re.fullmatch(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+", parts.scheme):
        return ""
    return "must begin with https://, or with a scheme of the application's own domain when application_type is native"


def _check_by_library(given: Mapping[str, Any]) -> None:
    """What Authlib finds in the members of both standards that we only keep: addresses of pages, contacts."""
    # Loaded when somebody registers a client, and never by a server that starts.
    from authlib.oauth2.rfc7591 import ClientMetadataClaims
    from authlib.oidc.registration import ClientMetadataClaims as OpenIdClientMetadataClaims

    kept = {name: value for name, value in given.items() if name != "redirect_uris"}
    for standard in (ClientMetadataClaims, OpenIdClientMetadataClaims):
        try:
            standard(kept, {}).validate()
        except InvalidClaimError as error:
            raise BadParty(f"The value of {error.claim} is not what the standard asks.") from None
