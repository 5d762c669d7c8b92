"""Pushed authorization requests: judged on the back channel, and worth one visit of a browser (RFC 9126)."""

import base64
from dataclasses import replace
from datetime import datetime
from typing import Final

from idp.protocols.message import BadRequest, Document, HttpMessage
from idp.protocols.oidc.clients import Proven, authenticate
from idp.protocols.oidc.cors import preflight, with_origin
from idp.protocols.oidc.faults import BackChannelFault, Fault, json_document
from idp.protocols.oidc.forms import client_form
from idp.protocols.oidc.origin import HANDLE, Origin, signed_origin
from idp.protocols.oidc.parameters import Parameters
from idp.protocols.oidc.profiles import rules_of
from idp.protocols.oidc.read import address_of, judged
from idp.services.tickets import Held, Purpose, issue
from idp.services.work import Office, Work

# They prove the client and are no part of the request; client_id is both.
_PROOFS: Final = ("client_secret", "client_assertion", "client_assertion_type")


def pushed(office: Office, message: HttpMessage, now: datetime) -> Document:
    """Keep a request that would be taken, and hand out the address that stands for it."""
    if message.method == "OPTIONS":
        return preflight(message)
    try:
        parameters = client_form(message)
        proven = authenticate(office, message, parameters, now)
        origin = _judged(office, proven, parameters, now)
        with office.work(f"party:{proven.party.id}") as work:
            document = _kept(work, proven, origin)
    except BackChannelFault as fault:
        return with_origin(fault.document, message, None)
    except Fault as fault:
        told = BackChannelFault(fault.code, fault.error, fault.sentence)
        return with_origin(told.document, message, None)
    return with_origin(document, message, proven.client)


def _judged(office: Office, proven: Proven, parameters: Parameters, now: datetime) -> Origin:
    if parameters.get("request_uri"):
        raise Fault("P13", "invalid_request", "A pushed request cannot stand for another: leave request_uri out.")
    if parameters.get("request"):
        origin = signed_origin(office, proven.party, parameters.get("request"), now)
    else:
        values = {name: value for name, value in parameters.values.items() if name not in _PROOFS}
        origin = Origin(Parameters(values | {"client_id": proven.party.identity}, {}))
    origin = replace(origin, pushed=True)
    try:
        where = address_of(office, proven.party, origin.parameters, now)
    except BadRequest:
        raise Fault("P03", "invalid_request", "The redirect_uri is missing or not a registered one.") from None
    judged(office, proven.party, origin, where)
    return origin


def _kept(work: Work, proven: Proven, origin: Origin) -> Document:
    proven.spend(work)
    if origin.unspent:
        origin.unspent.spend(work)
    secret = base64.urlsafe_b64encode(work.office.entropy.bytes(32)).rstrip(b"=").decode()
    lasts = rules_of(proven.party).pushed
    issue(work, Purpose.PUSHED_REQUEST, secret, Held(proven.party.id, origin.as_payload(), lasts))
    return json_document({"request_uri": HANDLE + secret, "expires_in": int(lasts.total_seconds())}, 201)
