"""Access tokens: opaque, or signed ones that tell a resource what they stand for (RFC 9068, RFC 8707)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from idp.protocols.oidc.claims.table import Facts, Place, claims_at
from idp.protocols.oidc.client.authentication import Proven
from idp.protocols.oidc.jose.jws import ALGORITHMS, BadToken, sign, verify
from idp.protocols.oidc.jose.keys import our_keys
from idp.protocols.oidc.memory import Memory
from idp.protocols.oidc.tokens.terms import confirmation
from idp.services.tokens.access import Access, of_access_token
from idp.services.tokens.grants import Issued
from idp.services.work import Office

KIND: Final = "at+jwt"


def access_token(office: Office, proven: Proven, issued: Issued, facts: Facts, now: datetime) -> str:
    """The access token as the client gets it; a signed one carries the name by which we know it."""
    if not issued.terms.signed:
        return issued.access
    issued_at = int(now.timestamp())
    audience = audience_of(facts.issuer, facts.memory, issued.terms.audience)
    claims: dict[str, Any] = {
        "iss": facts.issuer,
        "aud": audience[0] if len(audience) == 1 else list(audience),
        "exp": issued_at + int(issued.terms.access.total_seconds()),
        "iat": issued_at,
        "jti": issued.access,
        "client_id": proven.party.identity,
        "azp": proven.party.identity,
        **told_of(facts, issued.terms.scope),
        **confirmed(issued.terms.binding),
    }
    return sign(office.keys, proven.client.id_token_algorithm, claims, KIND)


def told_of(facts: Facts, scope: str) -> dict[str, Any]:
    """What a token tells about the login to a resource: whom, how strongly, for whom, and for what (RFC 9068 2.2)."""
    # What was asked by name was asked for the client, not for a resource.
    plain = replace(facts, memory=replace(facts.memory, claims="", scope=scope or facts.memory.scope))
    seen = int(facts.assertion.authenticated_at.timestamp())
    return {**claims_at(Place.ID_TOKEN, plain), "auth_time": seen, "scope": scope or facts.memory.scope}


def confirmed(binding: str) -> dict[str, Any]:
    """The claim ``cnf`` of a bound token."""
    told = confirmation(binding)
    return {"cnf": told} if told else {}


def access_of(office: Office, token: str, now: datetime) -> Access | None:
    """What an access token of ours stands for, whatever its form; None when it is worth nothing."""
    if token.count(".") != 2:
        return of_access_token(office, token, now)
    name = signed_name(office, token)
    return of_access_token(office, name, now, signed=True) if name else None


def signed_name(office: Office, token: str) -> str:
    """The name (``jti``) of a signed access token of ours, its signature checked; empty for anything else."""
    try:
        found = verify(token, our_keys(office.keys), tuple(ALGORITHMS))
    except BadToken:
        return ""
    name: Mapping[str, Any] | str = found.claims.get("jti", "")
    return name if found.header.get("typ") == KIND and isinstance(name, str) else ""


def audience_of(issuer: str, memory: Memory, narrowed: str) -> tuple[str, ...]:
    """For whom a token is: what was asked with it, what was asked with the login, or our own userinfo (RFC 8707)."""
    return tuple((narrowed or memory.resources or issuer).split())
