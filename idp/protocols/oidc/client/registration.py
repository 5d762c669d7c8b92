"""Judging the metadata of an OIDC client before it is registered (RFC 7591)."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from joserfc.errors import InvalidClaimError

from idp.domain.parties import Profile
from idp.ports import Fetcher
from idp.protocols.oidc.client.addresses import check_address, check_list, origin_of
from idp.protocols.oidc.client.client import AuthMethod, Client, GrantType, read_client
from idp.protocols.oidc.client.logout import BACK, FRONT, LOGOUT_MEMBERS
from idp.protocols.oidc.client.profiles import RULES, misfit
from idp.protocols.oidc.client.remote import obtained
from idp.protocols.oidc.client.tls_client import SUBJECT_MEMBERS
from idp.protocols.oidc.client.tokens import TOKEN_MEMBERS
from idp.protocols.oidc.jose.jws import each_once
from idp.services.relying_parties.parties import OIDC, NewParty, NewProvider
from idp.services.relying_parties.settings import BadParty

_LARGEST: Final = 128 * 1024
_CLIENT_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,127}", re.ASCII)
_TEXTS = "a list of texts"
_PAGES: Final = ("client_uri", "logo_uri", "tos_uri", "policy_uri", "initiate_login_uri")
# The members that are known, and what each must be; an operator's others are kept as they are (RFC 7591 section 2).
MEMBERS: Final[Mapping[str, str]] = {
    "client_id": "a text",
    "client_name": "a text",
    "redirect_uris": _TEXTS,
    "application_type": "a text",
    "token_endpoint_auth_method": "a text",
    "token_endpoint_auth_signing_alg": "a text",
    "jwks": "an object",
    "jwks_uri": "a text",
    "sector_identifier_uri": "a text",
    "contacts": _TEXTS,
    "require_auth_time": "true or false",
    "software_id": "a text",
    "software_version": "a text",
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
    **LOGOUT_MEMBERS,
    **dict.fromkeys(SUBJECT_MEMBERS, "a text"),
    **dict.fromkeys(_PAGES, "a text"),
}
# What a client must not be left to believe that it gets.
NOT_OFFERED: Final[Mapping[str, str]] = {
    "client_secret": "We choose the secret and show it once: leave client_secret out.",
    "request_object_encryption_alg": "Requests are not decrypted: leave request_object_encryption_alg out.",
    "software_statement": "Software statements are not taken: send the metadata themselves.",
    "request_uris": "Requests are not fetched: push them, and leave request_uris out.",
}


def described(
    octets: bytes,
    services: tuple[str, ...],
    wishes: Mapping[str, str],
    provider: NewProvider | None,
    fetcher: Fetcher | None = None,
) -> NewParty:
    """A client as its metadata describe it, checked; raises ``BadParty`` with one sentence and the remedy."""
    return judged(read_metadata(octets), services, wishes, provider, fetcher)


def judged(
    given: Mapping[str, Any],
    services: tuple[str, ...],
    wishes: Mapping[str, str],
    provider: NewProvider | None = None,
    fetcher: Fetcher | None = None,
) -> NewParty:
    """The same of metadata that were read; what they refer to is fetched, where there is a fetcher (RUL-31)."""
    wished = wishes.get("profile", Profile.OIDC_STANDARD)
    profile = Profile(wished) if wished in set(RULES) else Profile.OIDC_STANDARD
    _check_members(given)
    kept = obtained(given, fetcher)
    client = check_metadata(kept, profile)
    return NewParty(
        protocol=OIDC,
        identity=given.get("client_id", ""),
        name=given.get("client_name", ""),
        document=written(kept),
        services=services,
        secret=proves_by_secret(client),
        provider=provider,
        settings=wishes,
    )


def written(metadata: Mapping[str, Any]) -> str:
    """Metadata in the form in which a party keeps them: ASCII, so that half a character does no harm."""
    try:
        return json.dumps(metadata, sort_keys=True)
    except RecursionError:
        raise BadParty("The client metadata are nested too deeply.") from None


def proves_by_secret(client: Client) -> bool:
    """Whether a client needs a secret."""
    return client.auth_method in (AuthMethod.BASIC, AuthMethod.POST)


def check_metadata(given: Mapping[str, Any], profile: Profile) -> Client:
    """The client that metadata describe; raises ``BadParty`` (SEC-19, SEC-22, RUL-30)."""
    _check_members(given)
    if "jwks_uri" in given and "jwks" not in given:
        raise BadParty("The keys at jwks_uri were not fetched: put them in the registration itself, as jwks.")
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
    for name, kind in MEMBERS.items():
        if name in given and not _is(given[name], kind):
            raise BadParty(f"The value of {name} must be {kind}.")
    for name, sentence in NOT_OFFERED.items():
        if given.get(name):
            raise BadParty(sentence)
    if given.get("client_id") and not _CLIENT_ID.fullmatch(given["client_id"]):
        raise BadParty("The value of client_id must be 1 to 128 letters, digits and . _ ~ -.")
    if set(given.get("response_types", ("code",))) != {"code"}:
        raise BadParty('The value of response_types must be ["code"]: there is no other flow.')
    if given.get("subject_type", "pairwise") != "pairwise":
        raise BadParty("The value of subject_type must be pairwise: subjects are pseudonyms per provider.")


def read_metadata(octets: bytes) -> dict[str, Any]:
    """The members of a JSON object of bounded size; raises ``BadParty``."""
    if len(octets) > _LARGEST:
        raise BadParty(f"The client metadata are larger than {_LARGEST // 1024} KiB.")
    try:
        given = json.loads(octets, object_pairs_hook=each_once)
    except (ValueError, RecursionError):
        raise BadParty("The client metadata are not JSON in which each member stands once.") from None
    if not isinstance(given, dict):
        raise BadParty("The client metadata must be one JSON object, as in RFC 7591.")
    return given


def _is(value: Any, kind: str) -> bool:
    match kind:
        case "a text":
            return isinstance(value, str) and value.isprintable()
        case "a list of texts":
            return isinstance(value, list) and all(isinstance(one, str) and one.isprintable() for one in value)
        case "true or false":
            return isinstance(value, bool)
        case "a whole number":
            return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9
        case _:
            return isinstance(value, dict)


def _check_addresses(client: Client, profile: Profile) -> None:
    native, local, logout = client.native, RULES[profile].local_addresses, client.logout
    if client.redirect_uris or GrantType.CODE in client.grant_types:
        check_list("redirect_uris", client.redirect_uris, native=native, local=local)
    if logout.after:
        check_list("post_logout_redirect_uris", logout.after, native=native, local=local)
    for name, address in ((FRONT, logout.front), (BACK, logout.back)):
        if address:
            check_address(name, address, native=False, local=local)
    origins = {origin_of(one) for one in client.redirect_uris}
    if logout.front and origin_of(logout.front) not in origins:
        raise BadParty(f"The {FRONT} must have scheme, host and port of a redirect_uri (Front-Channel Logout 2).")


def _check_by_library(given: Mapping[str, Any]) -> None:
    """What Authlib finds in the members of both standards that we only keep: addresses of pages, contacts."""
    for name in _PAGES:
        # The library takes any scheme, of which some are programs.
        if given.get(name) and not given[name].lower().startswith(("https://", "http://")):
            raise BadParty(f"The value of {name} must be a web address.")
    # Loaded when somebody registers a client, and never by a server that starts.
    from authlib.oauth2.rfc7591 import ClientMetadataClaims
    from authlib.oidc.registration import ClientMetadataClaims as OpenIdClientMetadataClaims

    # What was fetched from jwks_uri stands beside it here, which no client may send.
    ours = {"redirect_uris", "jwks" if "jwks_uri" in given else ""}
    kept = {name: value for name, value in given.items() if name not in ours}
    for standard in (ClientMetadataClaims, OpenIdClientMetadataClaims):
        try:
            standard(kept, {}).validate()
        except InvalidClaimError as error:
            raise BadParty(f"The value of {error.claim} is not what the standard asks.") from None
