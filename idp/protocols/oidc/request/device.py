"""Device authorization: a request without a browser, and what its device hears meanwhile (RFC 8628)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from idp.domain.login import LoginRequest
from idp.domain.parties import Party
from idp.protocols.message import Document, HttpMessage
from idp.protocols.oidc.client.authentication import Proven, authenticate
from idp.protocols.oidc.client.client import GrantType
from idp.protocols.oidc.client.cors import preflight, with_origin
from idp.protocols.oidc.endpoints import DEVICE_PAGE, issuer
from idp.protocols.oidc.faults import BackChannelFault, Fault, json_document
from idp.protocols.oidc.forms import client_form
from idp.protocols.oidc.memory import memory_of
from idp.protocols.oidc.parameters import Parameters
from idp.protocols.oidc.request.checks import DEVICE_CHECKS, check
from idp.protocols.oidc.request.request import Request
from idp.protocols.oidc.request.return_address import return_address
from idp.protocols.oidc.request.wishes import wishes_of
from idp.services.tokens.devices import INTERVAL, LASTS, Codes, Poll, await_person, spelled
from idp.services.work import Office

# What the device hears while there is nothing to exchange (RFC 8628 section 3.5).
FAULT_OF_POLL: Final[Mapping[Poll, tuple[str, str]]] = {
    Poll.PENDING: ("authorization_pending", "The person has not decided yet."),
    Poll.TOO_SOON: ("slow_down", "Ask five seconds later from now on."),
    Poll.DENIED: ("access_denied", "The person or the rules refused."),
    Poll.EXPIRED: ("expired_token", "The codes are too old: begin anew."),
    Poll.UNKNOWN: ("invalid_grant", "It is unknown, or another client's."),
}


def device_authorization(office: Office, message: HttpMessage, now: datetime) -> Document:
    """Let a device wait for a person, and tell it both codes."""
    if message.method == "OPTIONS":
        return preflight(message)
    try:
        parameters = client_form(message)
        proven = authenticate(office, message, parameters, now)
        asked = _asked(office, proven, parameters, now)
        with office.work(f"party:{proven.party.id}") as work:
            proven.spend(work)
            device = work.new_id()
            named = memory_of(asked.reply)
            codes = await_person(
                work, proven.party, replace(asked, reply=replace(named, device=device).as_reply()), device
            )
    except BackChannelFault as fault:
        return with_origin(fault.document, message, None)
    except Fault as fault:
        return with_origin(BackChannelFault(fault.code, fault.error, fault.sentence).document, message, None)
    return with_origin(json_document(_answer(office, codes)), message, proven.client)


def device_of(asked: LoginRequest) -> str:
    """The device that waits for a login, or an empty text."""
    return asked.reply.get("device", "")


def _asked(office: Office, proven: Proven, parameters: Parameters, now: datetime) -> LoginRequest:
    party: Party = proven.party
    if GrantType.DEVICE not in proven.client.grant_types:
        raise BackChannelFault("P10", "unauthorized_client", "This client did not register that grant type.")
    nowhere = return_address(office, party, {"mode": "query", "state": "", "redirect_uri": ""}, now)
    request = Request(party, proven.client, parameters.values, parameters.faults, nowhere)
    check(request, DEVICE_CHECKS)
    return wishes_of(request, (), office.settings.highest)


def _answer(office: Office, codes: Codes) -> dict[str, object]:
    page = issuer(office) + DEVICE_PAGE
    return {
        "device_code": codes.device,
        "user_code": spelled(codes.user),
        "verification_uri": page,
        "verification_uri_complete": f"{page}?{urlencode({'user_code': spelled(codes.user)})}",
        "expires_in": int(LASTS.total_seconds()),
        "interval": INTERVAL,
    }
