"""Where the parameters of an authorization request come from: its own query, a signed object, or a pushed request."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from idp.domain.parties import Party
from idp.protocols.oidc.client.client import client_of
from idp.protocols.oidc.endpoints import issuer
from idp.protocols.oidc.faults import Fault
from idp.protocols.oidc.parameters import Parameters
from idp.protocols.oidc.request.request_object import RequestObject, opened
from idp.services.tickets import Purpose, redeem
from idp.services.work import Office

# RFC 9126 section 2.2 gives the form; what follows is the secret.
HANDLE: Final = "urn:ietf:params:oauth:request_uri:"


@dataclass(frozen=True, slots=True)
class Origin:
    """The parameters that count, whether they were pushed, and the signed object they came in, if any is unspent."""

    parameters: Parameters
    pushed: bool = False
    signed: bool = False
    unspent: RequestObject | None = None

    def as_payload(self) -> dict[str, Any]:
        """In the form in which a pushed request waits."""
        return {"values": dict(self.parameters.values), "signed": self.signed}


def origin_of(office: Office, party: Party, outer: Parameters, now: datetime) -> Origin:
    """The request itself, out of what carries it; parameters around it are left aside (RFC 9101 section 5, RFC 9126).

    A pushed request is consumed here, by one statement (SEC-25). Raises ``Fault``.
    """
    if outer.get("request_uri") and outer.get("request"):
        raise Fault("P13", "invalid_request", "There are request and request_uri, of which one may stand.")
    if outer.get("request_uri"):
        return _with_faults(_taken(office, party, outer.get("request_uri")), outer)
    if outer.get("request"):
        return _with_faults(signed_origin(office, party, outer.get("request"), now), outer)
    return Origin(outer)


def signed_origin(office: Office, party: Party, token: str, now: datetime) -> Origin:
    """The request inside a signed object, which is still to be spent; raises ``Fault``."""
    found = opened(party, office.directory.parsed(party, client_of), token, issuer(office), now)
    return Origin(found.parameters, signed=True, unspent=found)


def _taken(office: Office, party: Party, handle: str) -> Origin:
    if not handle.startswith(HANDLE):
        raise Fault("P13", "request_uri_not_supported", "Only the request_uri of a pushed request can be used.")
    with office.work("person") as work:
        payload = redeem(work, Purpose.PUSHED_REQUEST, handle.removeprefix(HANDLE), party.id)
    if payload is None:
        raise Fault("P13", "invalid_request_uri", "The request_uri is unknown, used, too old or another client's.")
    values: Mapping[str, str] = payload["values"]
    return Origin(Parameters(values, {}), pushed=True, signed=payload["signed"])


def _with_faults(origin: Origin, outer: Parameters) -> Origin:
    """What stands twice is a fault around a request too (SEC-4)."""
    parameters = Parameters(origin.parameters.values, {**outer.faults, **origin.parameters.faults})
    return replace(origin, parameters=parameters)
