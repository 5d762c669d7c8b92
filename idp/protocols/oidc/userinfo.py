"""The userinfo endpoint: what an access token stands for, plain or signed (OpenID Connect Core 5.3)."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from idp.protocols.message import Document, HttpMessage
from idp.protocols.oidc.claims import Place, claims_at, facts_of
from idp.protocols.oidc.client import Client, client_of
from idp.protocols.oidc.cors import preflight, with_origin
from idp.protocols.oidc.endpoints import issuer
from idp.protocols.oidc.faults import UNCACHED, BackChannelFault, json_document
from idp.protocols.oidc.jose import sign
from idp.protocols.oidc.parameters import FORM, Malformed, read_form, read_parameters
from idp.services.grants import Grant, of_access_token
from idp.services.work import Office

_BEARER: Final = re.compile(r"bearer +([A-Za-z0-9\-._~+/]+=*)", re.ASCII | re.IGNORECASE)
_LARGEST: Final = 16 * 1024


def userinfo(office: Office, message: HttpMessage, now: datetime) -> Document:
    """The claims for which an access token stands; faults are those of RFC 6750."""
    if message.method == "OPTIONS":
        return preflight(message)
    try:
        grant = of_access_token(office, _access_token(message), now)
        if grant is None:
            raise _invalid_token("The access token is unknown, too old or withdrawn.")
        client, document = _told(office, grant, now)
    except BackChannelFault as fault:
        return with_origin(fault.document, message, None)
    return with_origin(document, message, client)


def _told(office: Office, grant: Grant, now: datetime) -> tuple[Client, Document]:
    party = office.directory.party_by_id(grant.party)
    facts = facts_of(issuer(office), party, grant.asked, grant.assertion) if party else None
    if party is None or facts is None:
        raise _invalid_token("The client or its service is gone.")
    client = office.directory.parsed(party, client_of)
    claims = claims_at(Place.USERINFO, facts)
    if not client.userinfo_algorithm:
        return client, json_document(claims)
    addressed: Mapping[str, Any] = {"iss": facts.issuer, "aud": party.identity, "iat": int(now.timestamp()), **claims}
    body = sign(office.keys, client.userinfo_algorithm, addressed).encode()
    return client, Document(200, "application/jwt", body, UNCACHED)


def _access_token(message: HttpMessage) -> str:
    """The one token of a request: in the header, or in a posted form; never in the address (RFC 6750 section 2)."""
    header = message.headers.get("authorization", "")
    posted = _posted(message)
    try:
        in_address = "access_token" in read_parameters(message.query).values
    except Malformed:
        in_address = True
    if in_address or (header and posted):
        raise _bearer_fault(400, "invalid_request", "The access token must stand once, and not in the address.")
    if posted:
        return posted
    found = _BEARER.fullmatch(header)
    if found is None:
        raise BackChannelFault("P12", "", "", 401, {"WWW-Authenticate": 'Bearer realm="oidc"'})
    return found.group(1)


def _posted(message: HttpMessage) -> str:
    if message.method != "POST" or message.content_type.partition(";")[0].strip().lower() != FORM:
        return ""
    if len(message.body) > _LARGEST:
        raise _bearer_fault(413, "invalid_request", "The body is too large.")
    try:
        parameters = read_form(message.content_type, message.body)
    except Malformed as malformed:
        raise _bearer_fault(400, "invalid_request", str(malformed)) from None
    if "access_token" in parameters.faults:
        raise _bearer_fault(400, "invalid_request", "The access token must stand once.")
    return parameters.get("access_token")


def _invalid_token(sentence: str) -> BackChannelFault:
    return _bearer_fault(401, "invalid_token", sentence)


def _bearer_fault(status: int, error: str, sentence: str) -> BackChannelFault:
    challenge = f'Bearer realm="oidc", error="{error}", error_description="{sentence}"'
    return BackChannelFault("P12", error, sentence, status, {"WWW-Authenticate": challenge})
