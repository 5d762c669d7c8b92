"""The token endpoint: a code or a refresh token becomes tokens (RFC 6749, RFC 7636, OpenID Connect Core 3.1.3)."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from idp.protocols.message import Document, HttpMessage
from idp.protocols.oidc.claims.table import Facts, facts_of
from idp.protocols.oidc.client.authentication import Proven, authenticate
from idp.protocols.oidc.client.client import GrantType
from idp.protocols.oidc.client.cors import preflight, with_origin
from idp.protocols.oidc.client.profiles import rules_of
from idp.protocols.oidc.endpoints import issuer
from idp.protocols.oidc.faults import BackChannelFault, json_document
from idp.protocols.oidc.forms import client_form, required
from idp.protocols.oidc.parameters import Parameters
from idp.protocols.oidc.request.device import FAULT_OF_POLL
from idp.protocols.oidc.tokens.access_token import access_token
from idp.protocols.oidc.tokens.id_token import id_token
from idp.protocols.oidc.tokens.pkce import complaint_of_verifier
from idp.protocols.oidc.tokens.terms import KEY, bound_of, terms_of, token_type
from idp.services.tokens.devices import Poll, poll
from idp.services.tokens.grants import Dead, Issued, Terms, redeem, revoke
from idp.services.tokens.refreshing import extend, rotate
from idp.services.work import Office, Work

_DEAD: Final[Mapping[Dead, str]] = {
    Dead.UNKNOWN: "It is unknown, too old, or another client's.",
    Dead.REUSED: "It was used before; everything that came of it is withdrawn.",
    Dead.WITHDRAWN: "The person may no longer log in to this service; everything that came of it is withdrawn.",
}

Given = tuple[Issued, Facts]
# An exchange raises where nothing happened yet, and gives a fault back where what happened must stay.
Exchange = Callable[[Work, Proven, Parameters, Terms], Given | BackChannelFault]


def token(office: Office, message: HttpMessage, now: datetime) -> Document:
    """The token endpoint; what is refused is an OAuth error document, never an exception (SEC-2)."""
    if message.method == "OPTIONS":
        return preflight(message)
    try:
        parameters = client_form(message)
        proven = authenticate(office, message, parameters, now)
        exchange = _exchange(parameters, proven)
        bound = bound_of(office, message, proven, now)
        terms = terms_of(office, proven, bound, parameters)
        with office.work(f"party:{proven.party.id}") as work:
            proven.spend(work)
            if bound.proof is not None:
                bound.proof.spend(work)
            given = exchange(work, proven, parameters, terms)
        if isinstance(given, BackChannelFault):
            raise given
    except BackChannelFault as fault:
        return with_origin(fault.document, message, None)
    # A refreshed ID token repeats no nonce (Core 12.2).
    nonce = "" if exchange is _by_refresh_token else given[1].memory.nonce
    return with_origin(json_document(_answer(office, proven, given, now, nonce)), message, proven.client)


def _exchange(parameters: Parameters, proven: Proven) -> Exchange:
    asked = required(parameters, "grant_type")
    if asked not in set(GRANTS):
        raise BackChannelFault("P10", "unsupported_grant_type", f"There are {', '.join(GRANTS)}.")
    if asked not in proven.client.grant_types:
        raise BackChannelFault("P10", "unauthorized_client", "This client did not register that grant type.")
    return GRANTS[GrantType(asked)]


def _by_code(work: Work, proven: Proven, parameters: Parameters, terms: Terms) -> Given | BackChannelFault:
    """A code is spent whether or not what comes with it is right: a wrong verifier is a sign that it leaked."""
    code, redirect_uri = required(parameters, "code"), required(parameters, "redirect_uri")
    # The scope of a code is settled; only a refresh can narrow it (RFC 6749 section 6).
    issued = redeem(work, proven.party, code, replace(terms, scope=""))
    if isinstance(issued, Dead):
        return _invalid_grant(_DEAD[issued])
    facts = _facts(work, proven, issued)
    if facts is None:
        revoke(work, issued.grant.id)
        return _invalid_grant("The client no longer has the service.")
    fault = _unfit(facts, redirect_uri, parameters, terms) or _foreign(proven, facts, terms)
    if fault is not None:
        revoke(work, issued.grant.id)
        return fault
    return issued, facts


def _by_refresh_token(work: Work, proven: Proven, parameters: Parameters, terms: Terms) -> Given | BackChannelFault:
    exchange = rotate if rules_of(proven.party).rotation else extend
    issued = exchange(work, proven.party, required(parameters, "refresh_token"), terms)
    if isinstance(issued, Dead):
        return _invalid_grant(_DEAD[issued])
    facts = _facts(work, proven, issued)
    if facts is None or set(terms.scope.split()) - set(facts.memory.scope.split()):
        raise BackChannelFault("P15", "invalid_scope", "A refreshed token cannot have a wider scope.")
    foreign = _foreign(proven, facts, terms)
    if foreign:
        raise foreign
    return issued, facts


def _by_device_code(work: Work, proven: Proven, parameters: Parameters, terms: Terms) -> Given | BackChannelFault:
    """Once the person agreed, a device code is redeemed as any code; until then the device hears to wait."""
    code = required(parameters, "device_code")
    heard = poll(work, proven.party, code)
    if heard is not Poll.GRANTED:
        error, sentence = FAULT_OF_POLL[heard]
        return BackChannelFault("P11", error, sentence)
    issued = redeem(work, proven.party, code, replace(terms, scope=""))
    if isinstance(issued, Dead):
        return _invalid_grant(_DEAD[issued])
    facts = _facts(work, proven, issued)
    fault = _foreign(proven, facts, terms) if facts else _invalid_grant("The client no longer has the service.")
    if facts is None or fault is not None:
        revoke(work, issued.grant.id)
        return fault or _invalid_grant("")
    return issued, facts


GRANTS: Final[Mapping[GrantType, Exchange]] = {
    GrantType.CODE: _by_code,
    GrantType.REFRESH: _by_refresh_token,
    GrantType.DEVICE: _by_device_code,
}


def _facts(work: Work, proven: Proven, issued: Issued) -> Facts | None:
    return facts_of(issuer(work.office), proven.party, issued.grant.asked, issued.grant.assertion)


def _unfit(facts: Facts, redirect_uri: str, parameters: Parameters, terms: Terms) -> BackChannelFault | None:
    """What does not fit the request for which the code was made (SEC-20, SEC-21, RFC 9449 section 10)."""
    memory = facts.memory
    complaint = complaint_of_verifier(memory, parameters.get("code_verifier"))
    if redirect_uri != memory.redirect_uri:
        complaint = "The redirect_uri is not the one of the authorization request."
    elif memory.jkt and terms.binding != KEY + memory.jkt:
        complaint = "The code is bound to the key of another DPoP proof."
    return _invalid_grant(complaint) if complaint else None


def _invalid_grant(sentence: str) -> BackChannelFault:
    return BackChannelFault("P11", "invalid_grant", sentence)


def _foreign(proven: Proven, facts: Facts, terms: Terms) -> BackChannelFault | None:
    """Whether a token is asked for a resource beyond those of the login, or of the client (RFC 8707 section 2.2)."""
    allowed = facts.memory.resources.split() or [*proven.client.tokens.resources, facts.issuer]
    if set(terms.audience.split()) <= set(allowed):
        return None
    return BackChannelFault("P15", "invalid_target", "The resource is none that was asked or registered.")


def _answer(office: Office, proven: Proven, given: Given, now: datetime, nonce: str) -> dict[str, Any]:
    issued, facts = given
    shown = replace(issued, access=access_token(office, proven, issued, facts, now))
    told = {
        "access_token": shown.access,
        "token_type": token_type(issued.terms.binding),
        "expires_in": int(issued.terms.access.total_seconds()),
        "scope": issued.terms.scope or facts.memory.scope,
        "id_token": id_token(office, proven, shown, facts, now=now, nonce=nonce),
    }
    return told | ({"refresh_token": issued.refresh} if issued.refresh else {})
