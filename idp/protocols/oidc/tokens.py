"""The token endpoint: a code or a refresh token becomes tokens (RFC 6749, RFC 7636, OpenID Connect Core 3.1.3)."""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from idp.protocols.message import Document, HttpMessage
from idp.protocols.oidc.claims import Facts, facts_of
from idp.protocols.oidc.client import GrantType
from idp.protocols.oidc.clients import Proven, authenticate
from idp.protocols.oidc.cors import preflight, with_origin
from idp.protocols.oidc.endpoints import issuer
from idp.protocols.oidc.faults import BackChannelFault, json_document
from idp.protocols.oidc.forms import client_form
from idp.protocols.oidc.id_token import id_token
from idp.protocols.oidc.memory import Memory
from idp.protocols.oidc.parameters import Parameters
from idp.services.grants import Dead, Issued, redeem, revoke, rotate
from idp.services.work import Office, Work

_VERIFIER: Final = re.compile(r"[A-Za-z0-9\-._~]{43,128}", re.ASCII)
_DEAD: Final[Mapping[Dead, str]] = {
    Dead.UNKNOWN: "It is unknown, too old, or another client's.",
    Dead.REUSED: "It was used before; everything that came of it is withdrawn.",
    Dead.WITHDRAWN: "The person may no longer log in to this service; everything that came of it is withdrawn.",
}

Given = tuple[Issued, Facts]
# An exchange raises where nothing happened yet, and gives a fault back where what happened must stay.
Exchange = Callable[[Work, Proven, Parameters], Given | BackChannelFault]


def token(office: Office, message: HttpMessage, now: datetime) -> Document:
    """The token endpoint; what is refused is an OAuth error document, never an exception (SEC-2)."""
    if message.method == "OPTIONS":
        return preflight(message)
    try:
        parameters = client_form(message)
        proven = authenticate(office, message, parameters, now)
        exchange = _exchange(parameters, proven)
        with office.work(f"party:{proven.party.id}") as work:
            proven.spend(work)
            given = exchange(work, proven, parameters)
        if isinstance(given, BackChannelFault):
            raise given
    except BackChannelFault as fault:
        return with_origin(fault.document, message, None)
    # A refreshed ID token repeats no nonce (Core 12.2).
    nonce = given[1].memory.nonce if exchange is _by_code else ""
    return with_origin(json_document(_answer(office, proven, given, now, nonce)), message, proven.client)


def _exchange(parameters: Parameters, proven: Proven) -> Exchange:
    asked = _required(parameters, "grant_type")
    if asked not in set(GRANTS):
        raise BackChannelFault("P10", "unsupported_grant_type", f"There are {', '.join(GRANTS)}.")
    if asked not in proven.client.grant_types:
        raise BackChannelFault("P10", "unauthorized_client", "This client did not register that grant type.")
    return GRANTS[GrantType(asked)]


def _by_code(work: Work, proven: Proven, parameters: Parameters) -> Given | BackChannelFault:
    """A code is spent whether or not what comes with it is right: a wrong verifier is a sign that it leaked."""
    code, redirect_uri = _required(parameters, "code"), _required(parameters, "redirect_uri")
    issued = redeem(work, proven.party, code)
    if isinstance(issued, Dead):
        return BackChannelFault("P11", "invalid_grant", _DEAD[issued])
    facts = _facts(work, proven, issued)
    complaint = _complaint(facts.memory, redirect_uri, parameters) if facts else "The client no longer has the service."
    if facts is None or complaint:
        revoke(work, issued.grant.id)
        return BackChannelFault("P11", "invalid_grant", complaint)
    return issued, facts


def _by_refresh_token(work: Work, proven: Proven, parameters: Parameters) -> Given | BackChannelFault:
    issued = rotate(work, proven.party, _required(parameters, "refresh_token"))
    if isinstance(issued, Dead):
        return BackChannelFault("P11", "invalid_grant", _DEAD[issued])
    facts = _facts(work, proven, issued)
    if facts is None or set(parameters.get("scope").split()) - set(facts.memory.scope.split()):
        raise BackChannelFault("P15", "invalid_scope", "A refreshed token cannot have a wider scope.")
    return issued, facts


GRANTS: Final[Mapping[GrantType, Exchange]] = {
    GrantType.CODE: _by_code,
    GrantType.REFRESH: _by_refresh_token,
}


def _required(parameters: Parameters, name: str) -> str:
    value = parameters.get(name)
    if not value:
        raise BackChannelFault("P10", "invalid_request", f"The parameter {name} is missing.")
    return value


def _facts(work: Work, proven: Proven, issued: Issued) -> Facts | None:
    return facts_of(issuer(work.office), proven.party, issued.grant.asked, issued.grant.assertion)


def _complaint(memory: Memory, redirect_uri: str, parameters: Parameters) -> str:
    """What does not fit the request for which the code was made, or an empty text (SEC-20, SEC-21)."""
    if redirect_uri != memory.redirect_uri:
        return "The redirect_uri is not the one of the authorization request."
    verifier = parameters.get("code_verifier")
    if not memory.challenge:
        return "There was no code_challenge for this code_verifier." if verifier else ""
    if not _VERIFIER.fullmatch(verifier):
        return "The code_verifier is missing, or not one of 43 to 128 characters."
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    right = hmac.compare_digest(challenge, memory.challenge.encode())
    return "" if right else "The code_verifier does not fit the code_challenge."


def _answer(office: Office, proven: Proven, given: Given, now: datetime, nonce: str) -> dict[str, Any]:
    issued, facts = given
    told = {
        "access_token": issued.access,
        "token_type": "Bearer",
        "expires_in": office.settings.oidc.access_seconds,
        "scope": facts.memory.scope,
        "id_token": id_token(office, proven, issued, facts, now=now, nonce=nonce),
    }
    return told | ({"refresh_token": issued.refresh} if issued.refresh else {})
