"""What a token stands for, told to its client or to the resource it is for (RFC 7662), plain or signed (RFC 9701)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from idp.domain.parties import Party
from idp.protocols.message import Document, HttpMessage
from idp.protocols.oidc.claims.table import Facts, facts_of
from idp.protocols.oidc.client.authentication import Proven, authenticate
from idp.protocols.oidc.client.cors import preflight, with_origin
from idp.protocols.oidc.endpoints import issuer
from idp.protocols.oidc.faults import UNCACHED, BackChannelFault, json_document
from idp.protocols.oidc.forms import client_form, required
from idp.protocols.oidc.jose.jwe import encrypted_for
from idp.protocols.oidc.jose.jws import sign
from idp.protocols.oidc.tokens.access_token import access_of, audience_of, confirmed, signed_name, told_of
from idp.protocols.oidc.tokens.terms import token_type
from idp.services.tokens.access import Access, of_refresh_token
from idp.services.work import Office

SIGNED: Final = "application/token-introspection+jwt"
_KIND: Final = "token-introspection+jwt"


def introspect(office: Office, message: HttpMessage, now: datetime) -> Document:
    """The answer about a token; whoever may not know hears the same as about no token at all (RFC 7662 section 2.2)."""
    if message.method == "OPTIONS":
        return preflight(message)
    try:
        parameters = client_form(message)
        proven = authenticate(office, message, parameters, now)
        if proven.client.public:
            raise BackChannelFault("P12", "invalid_client", "Only clients that prove themselves may ask.", 401)
        token = required(parameters, "token")
        if proven.mark is not None:
            with office.work(f"party:{proven.party.id}") as work:
                proven.spend(work)
    except BackChannelFault as fault:
        return with_origin(fault.document, message, None)
    told = _told(office, proven, token, now)
    return with_origin(_document(office, message, proven, told, now), message, proven.client)


def _told(office: Office, proven: Proven, token: str, now: datetime) -> dict[str, Any]:
    access = access_of(office, token, now)
    if access is not None:
        facts = _facts(office, access)
        if facts is not None and _may_know(proven, access, facts):
            return _about_access(access, facts, (token, signed_name(office, token)))
    refresh = of_refresh_token(office, token, now) if access is None else None
    if refresh is not None and refresh.grant.party == proven.party.id:
        facts = _facts(office, refresh)
        return {"active": False} if facts is None else _about(refresh, facts, facts.memory.scope)
    return {"active": False}


def _may_know(proven: Proven, access: Access, facts: Facts) -> bool:
    """The client of a token, or a resource of the same provider for which it is."""
    if access.grant.party == proven.party.id:
        return True
    ours = proven.party.provider.oin == facts.service.provider.oin
    audience = audience_of(facts.issuer, facts.memory, access.audience)
    return ours and bool(set(audience) & set(proven.client.tokens.serves))


def _about_access(access: Access, facts: Facts, names: tuple[str, str]) -> dict[str, Any]:
    audience = audience_of(facts.issuer, facts.memory, access.audience)
    return {
        **_about(access, facts, access.scope or facts.memory.scope),
        "token_type": token_type(access.binding),
        "aud": audience[0] if len(audience) == 1 else list(audience),
        **({"jti": names[1]} if names[1] else {}),
        **told_of(facts, access.scope),
        **confirmed(access.binding),
    }


def _about(access: Access, facts: Facts, scope: str) -> dict[str, Any]:
    return {
        "active": True,
        "iss": facts.issuer,
        "client_id": facts.client_id,
        "sub": facts.assertion.subject,
        "scope": scope,
        "exp": int(access.until.timestamp()),
    }


def _facts(office: Office, access: Access) -> Facts | None:
    party: Party | None = office.directory.party_by_id(access.grant.party)
    return facts_of(issuer(office), party, access.grant.asked, access.grant.assertion) if party else None


def _document(office: Office, message: HttpMessage, proven: Proven, told: Mapping[str, Any], now: datetime) -> Document:
    """JSON, or the signed form for those who ask it by ``Accept`` (RFC 9701 section 4)."""
    accepted = {one.partition(";")[0].strip().lower() for one in message.headers.get("accept", "").split(",")}
    wishes = proven.client.tokens
    if SIGNED not in accepted and wishes.introspection_encryption is None:
        return json_document(told)
    claims = {
        "iss": issuer(office),
        "aud": proven.party.identity,
        "iat": int(now.timestamp()),
        "token_introspection": told,
    }
    signed = sign(office.keys, wishes.introspection_algorithm, claims, _KIND)
    body = encrypted_for(wishes.introspection_encryption, signed)
    return Document(200, SIGNED, body.encode(), UNCACHED)
