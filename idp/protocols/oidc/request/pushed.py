"""Pushed authorization requests: judged on the back channel, and worth one visit of a browser (RFC 9126)."""

import base64
from dataclasses import replace
from datetime import datetime
from typing import Final

from idp.protocols.message import BadRequest, Document, HttpMessage
from idp.protocols.oidc.client.authentication import Proven, authenticate
from idp.protocols.oidc.client.cors import preflight, with_origin
from idp.protocols.oidc.client.profiles import rules_of
from idp.protocols.oidc.endpoints import Endpoint, address
from idp.protocols.oidc.faults import BackChannelFault, Fault, json_document
from idp.protocols.oidc.forms import client_form
from idp.protocols.oidc.jose.dpop import Policy, Proof, bad_proof, proof_of
from idp.protocols.oidc.parameters import Parameters
from idp.protocols.oidc.request.origin import HANDLE, Origin, signed_origin
from idp.protocols.oidc.request.read import address_of, judged
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
        proof = _proof(office, message, proven, now)
        origin = _judged(office, proven, _bound_by(proof, _origin(office, proven, parameters, now)), now)
        with office.work(f"party:{proven.party.id}") as work:
            if proof is not None:
                proof.spend(work)
            document = _kept(work, proven, origin)
    except BackChannelFault as fault:
        return with_origin(fault.document, message, None)
    except Fault as fault:
        told = BackChannelFault(fault.code, fault.error, fault.sentence)
        return with_origin(told.document, message, None)
    return with_origin(document, message, proven.client)


def _proof(office: Office, message: HttpMessage, proven: Proven, now: datetime) -> Proof | None:
    rules = rules_of(proven.party)
    return proof_of(office, message, Policy(address(office, Endpoint.PUSHED), rules.algorithms, rules.dpop_nonce), now)


def _origin(office: Office, proven: Proven, parameters: Parameters, now: datetime) -> Origin:
    if parameters.get("request_uri"):
        raise Fault("P13", "invalid_request", "A pushed request cannot stand for another: leave request_uri out.")
    if parameters.get("request"):
        return replace(signed_origin(office, proven.party, parameters.get("request"), now), pushed=True)
    values = {name: value for name, value in parameters.values.items() if name not in _PROOFS}
    return Origin(Parameters(values | {"client_id": proven.party.identity}, {}), pushed=True)


def _bound_by(proof: Proof | None, origin: Origin) -> Origin:
    """The request with its code bound to the key that was shown (RFC 9449 section 10.1)."""
    if proof is None:
        return origin
    values, faults = origin.parameters.values, origin.parameters.faults
    if values.get("dpop_jkt", proof.thumbprint) != proof.thumbprint:
        raise bad_proof("The dpop_jkt is not the thumbprint of the key of the proof.")
    return replace(origin, parameters=Parameters({**values, "dpop_jkt": proof.thumbprint}, faults))


def _judged(office: Office, proven: Proven, origin: Origin, now: datetime) -> Origin:
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
