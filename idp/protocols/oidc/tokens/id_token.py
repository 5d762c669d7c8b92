"""The ID token, signed and where asked encrypted (OpenID Connect Core 2, domain 11.1, 12.9)."""

import base64
import hashlib
from datetime import datetime
from typing import Any

from idp.protocols.oidc.claims.table import Facts, Place, claims_at
from idp.protocols.oidc.client.authentication import Proven
from idp.protocols.oidc.jose.jwe import encrypted_for
from idp.protocols.oidc.jose.jws import sign
from idp.services.sessions.kept import index_of
from idp.services.tokens.grants import Issued
from idp.services.work import Office


def id_token(office: Office, proven: Proven, issued: Issued, facts: Facts, *, now: datetime, nonce: str) -> str:
    """The ID token that goes with an access token, encrypted where the client asks; an empty ``nonce`` is left out."""
    assertion, issued_at = facts.assertion, int(now.timestamp())
    claims: dict[str, Any] = {
        "iss": facts.issuer,
        "aud": proven.party.identity,
        "iat": issued_at,
        "nbf": issued_at,
        "exp": issued_at + office.settings.oidc.id_token_seconds,
        "jti": _encoded(office.entropy.bytes(16)),
        "auth_time": int(assertion.authenticated_at.timestamp()),
        "at_hash": _encoded(hashlib.sha256(issued.access.encode()).digest()[:16]),
    }
    if nonce:
        claims["nonce"] = nonce
    if assertion.session:
        claims["sid"] = index_of(office, assertion.session, proven.party.id)
    signed = sign(office.keys, proven.client.id_token_algorithm, claims | claims_at(Place.ID_TOKEN, facts))
    return encrypted_for(proven.client.tokens.id_token_encryption, signed)


def _encoded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
