"""Reading a request at the authorization endpoint: first whose it is, then everything else (SEC-19)."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from idp.domain.login import LoginRequest
from idp.domain.parties import Party
from idp.protocols.message import Answered, BadRequest, HttpMessage, Incoming
from idp.protocols.oidc.client.client import Client, client_of, known_party
from idp.protocols.oidc.faults import Fault
from idp.protocols.oidc.jose.keys import our_keys
from idp.protocols.oidc.parameters import Malformed, Parameters, read_form, read_parameters
from idp.protocols.oidc.request.answers import answer_with_error
from idp.protocols.oidc.request.checks import check
from idp.protocols.oidc.request.origin import Origin, origin_of
from idp.protocols.oidc.request.request import Request
from idp.protocols.oidc.request.return_address import ReturnAddress, return_address
from idp.protocols.oidc.request.wishes import wishes_of
from idp.services.work import Office

_LOOPBACK: Final = ("127.0.0.1", "::1")


def read(office: Office, message: HttpMessage, now: datetime) -> Incoming:
    """The login that a request asks for; raises ``BadRequest`` while its sender is uncertain, ``Answered`` after."""
    outer = _parameters(message)
    party = known_party(office, outer.get("client_id"))
    if party is None:
        raise BadRequest("P01", {"client_id": outer.get("client_id")[:255]})
    try:
        origin = origin_of(office, party, outer, now)
    except Fault as fault:
        raise _unopened(office, party, outer, fault, now) from fault
    where = address_of(office, party, origin.parameters, now)
    try:
        asked = judged(office, party, origin, where)
        if origin.unspent:
            with office.work("person") as work:
                origin.unspent.spend(work)
    except Fault as fault:
        raise _answered(party, where, fault) from fault
    return Incoming(party, asked)


def judged(office: Office, party: Party, origin: Origin, where: ReturnAddress) -> LoginRequest:
    """What a request asks, after every check; raises ``Fault``."""
    client, given = office.directory.parsed(party, client_of), origin.parameters
    request = Request(party, client, given.values, given.faults, where, origin.pushed, origin.signed)
    check(request)
    keys = our_keys(office.keys) if request.get("id_token_hint") else ()
    return wishes_of(request, keys, office.settings.highest)


def address_of(office: Office, party: Party, parameters: Parameters, now: datetime) -> ReturnAddress:
    """The address that the client registered and named; raises ``BadRequest``: anything less hears nothing (SEC-19)."""
    client, named = office.directory.parsed(party, client_of), parameters.get("redirect_uri")
    if "redirect_uri" in parameters.faults or not _registered(named, client):
        registered = " ".join(client.redirect_uris)[:1000]
        raise BadRequest("P03", {"redirect_uri": named[:1000], "registered": registered})
    asked = {"mode": parameters.get("response_mode"), "state": parameters.get("state"), "redirect_uri": named}
    return return_address(office, party, asked, now)


def _parameters(message: HttpMessage) -> Parameters:
    try:
        if message.method == "POST":
            return read_form(message.content_type, message.body, message.query)
        return read_parameters(message.query)
    except Malformed as malformed:
        raise BadRequest("P10", {"request": str(malformed)}) from None


def _unopened(office: Office, party: Party, outer: Parameters, fault: Fault, now: datetime) -> BadRequest | Answered:
    """A request that could not be opened: told to a registered address beside it, or else on our own page."""
    try:
        where = address_of(office, party, outer, now)
    except BadRequest:
        return BadRequest(fault.code, {"client_id": party.identity, fault.error: fault.sentence})
    return _answered(party, where, fault)


def _answered(party: Party, where: ReturnAddress, fault: Fault) -> Answered:
    answer = answer_with_error(where, fault.error, fault.sentence)
    return Answered(fault.code, answer, {"client_id": party.identity, "error": fault.error})


def _registered(named: str, client: Client) -> bool:
    return named in client.redirect_uris or (client.native and _differs_in_port(named, client.redirect_uris))


def _differs_in_port(named: str, registered: Iterable[str]) -> bool:
    """A native application may listen on any port of the loopback address (RFC 8252 section 7.3)."""
    portless = _without_port(named)
    return portless is not None and any(portless == _without_port(one) for one in registered)


def _without_port(address: str) -> tuple[str, str] | None:
    try:
        parts = urlsplit(address)
        _port = parts.port
    except ValueError:
        return None
    host = parts.hostname or ""
    plain = f"[{host}]" if ":" in host else host
    # What stands before the port must be the bare address: no user name, no other spelling.
    bare = re.fullmatch(re.escape(f"http://{plain}") + r"(?::[0-9]{1,5})?([/?][^#\\]*)?", address)
    return (host, bare.group(1) or "") if host in _LOOPBACK and bare else None
