"""The userinfo endpoint: what an access token stands for, plain or signed (OpenID Connect Core 5.3)."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from idp.domain.parties import Party
from idp.protocols.message import Document, HttpMessage
from idp.protocols.oidc.claims.table import Place, claims_at, facts_of
from idp.protocols.oidc.client.client import Client, client_of
from idp.protocols.oidc.client.cors import preflight, with_origin
from idp.protocols.oidc.endpoints import Endpoint, address, issuer
from idp.protocols.oidc.faults import UNCACHED, BackChannelFault, json_document
from idp.protocols.oidc.jose.jwe import encrypted_claims, encrypted_for
from idp.protocols.oidc.jose.jws import sign
from idp.protocols.oidc.tokens.bearer import invalid_token, shown_access
from idp.services.tokens.access import Access
from idp.services.work import Office


def userinfo(office: Office, message: HttpMessage, now: datetime) -> Document:
    """The claims for which an access token stands; faults are those of RFC 6750."""
    if message.method == "OPTIONS":
        return preflight(message)
    try:
        access, party = shown_access(office, message, address(office, Endpoint.USERINFO), now)
        client, document = _told(office, access, party, now)
    except BackChannelFault as fault:
        return with_origin(fault.document, message, None)
    return with_origin(document, message, client)


def _told(office: Office, access: Access, party: Party, now: datetime) -> tuple[Client, Document]:
    facts = facts_of(issuer(office), party, access.grant.asked, access.grant.assertion)
    if facts is None:
        raise invalid_token("The client or its service is gone.")
    client = office.directory.parsed(party, client_of)
    return client, _document(office, client, party, claims_at(Place.USERINFO, facts.within(access.scope)), now)


def _document(office: Office, client: Client, party: Party, claims: Mapping[str, Any], now: datetime) -> Document:
    """Plain, signed, encrypted, or signed and then encrypted: as the client registered (Core 5.3.2)."""
    encryption = client.tokens.userinfo_encryption
    if client.userinfo_algorithm:
        addressed = {"iss": issuer(office), "aud": party.identity, "iat": int(now.timestamp()), **claims}
        body = encrypted_for(encryption, sign(office.keys, client.userinfo_algorithm, addressed))
    elif encryption is not None:
        body = encrypted_claims(encryption, json.dumps(claims, separators=(",", ":"), ensure_ascii=False))
    else:
        return json_document(claims)
    return Document(200, "application/jwt", body.encode(), UNCACHED)
