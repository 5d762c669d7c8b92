"""Withdrawing a token: an access token alone, a refresh token with all that came of its login (RFC 7009)."""

from datetime import datetime
from typing import Final

from idp.domain.audit import Event
from idp.protocols.message import Document, HttpMessage
from idp.protocols.oidc.client.authentication import Proven, authenticate
from idp.protocols.oidc.client.cors import preflight, with_origin
from idp.protocols.oidc.faults import UNCACHED, BackChannelFault
from idp.protocols.oidc.forms import client_form, required
from idp.protocols.oidc.tokens.access_token import access_of, signed_name
from idp.services.tokens.access import of_refresh_token, withdraw_access
from idp.services.tokens.grants import revoke
from idp.services.work import Office

_FOREIGN: Final = "The token was given to another client."


def revocation(office: Office, message: HttpMessage, now: datetime) -> Document:
    """End a token; one that is unknown or over is ended already (RFC 7009 section 2.2)."""
    if message.method == "OPTIONS":
        return preflight(message)
    try:
        parameters = client_form(message)
        proven = authenticate(office, message, parameters, now)
        _withdraw(office, proven, required(parameters, "token"), now)
    except BackChannelFault as fault:
        return with_origin(fault.document, message, None)
    return with_origin(Document(200, "application/json", b"{}", UNCACHED), message, proven.client)


def _withdraw(office: Office, proven: Proven, token: str, now: datetime) -> None:
    access = access_of(office, token, now)
    refresh = of_refresh_token(office, token, now) if access is None else None
    found = access or refresh
    if found is not None and found.grant.party != proven.party.id:
        raise BackChannelFault("P12", "unauthorized_client", _FOREIGN)
    with office.work(f"party:{proven.party.id}") as work:
        proven.spend(work)
        if found is None:
            return
        if access is not None:
            name = signed_name(office, token)
            withdraw_access(work, name or token, signed=bool(name))
        else:
            revoke(work, found.grant.id)
        work.record(Event.TOKEN_REVOKED, grant=found.grant.id, party=proven.party.id)
