"""Reading a request at the authorization endpoint: first whose it is, then everything else (SEC-19)."""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from idp.domain.parties import Party
from idp.protocols.message import Answered, BadRequest, HttpMessage, Incoming
from idp.protocols.oidc.answers import RESPONSE_MODES, ReturnAddress, answer_with_error
from idp.protocols.oidc.checks import check
from idp.protocols.oidc.client import Client, client_of
from idp.protocols.oidc.endpoints import issuer
from idp.protocols.oidc.faults import Fault
from idp.protocols.oidc.keys import our_keys
from idp.protocols.oidc.parameters import Malformed, Parameters, read_form, read_parameters
from idp.protocols.oidc.request import Request
from idp.protocols.oidc.wishes import wishes_of
from idp.services.parties import OIDC
from idp.services.work import Office

_CLIENT_ID: Final = re.compile(r"[!-~]{1,255}", re.ASCII)
_LOOPBACK: Final = ("127.0.0.1", "::1")


def read(office: Office, message: HttpMessage) -> Incoming:
    """The login that a request asks for; raises ``BadRequest`` while its sender is uncertain, ``Answered`` after."""
    parameters = _parameters(message)
    party = known_party(office, parameters.get("client_id"))
    if party is None:
        raise BadRequest("P01", {"client_id": parameters.get("client_id")[:255]})
    client = office.directory.parsed(party, client_of)
    where = _return_address(office, client, parameters)
    request = Request(party, client, parameters.values, parameters.faults, where)
    try:
        check(request)
        hinted = bool(request.get("id_token_hint"))
        return Incoming(party, wishes_of(request, our_keys(office.keys) if hinted else ()))
    except Fault as fault:
        answer = answer_with_error(where, fault.error, fault.sentence)
        raise Answered(fault.code, answer, {"client_id": party.identity, "error": fault.error}) from fault


def known_party(office: Office, client_id: str) -> Party | None:
    """The client with this id, or None."""
    return office.directory.party(OIDC, client_id) if _CLIENT_ID.fullmatch(client_id) else None


def _parameters(message: HttpMessage) -> Parameters:
    try:
        if message.method == "POST":
            return read_form(message.content_type, message.body, message.query)
        return read_parameters(message.query)
    except Malformed as malformed:
        raise BadRequest("P10", {"request": str(malformed)}) from None


def _return_address(office: Office, client: Client, parameters: Parameters) -> ReturnAddress:
    """The address that the client registered and named; anything less is never answered there (SEC-19)."""
    named = parameters.get("redirect_uri")
    if "redirect_uri" in parameters.faults or not _registered(named, client):
        registered = " ".join(client.redirect_uris)[:1000]
        raise BadRequest("P03", {"redirect_uri": named[:1000], "registered": registered})
    mode = parameters.get("response_mode")
    return ReturnAddress(named, mode if mode in RESPONSE_MODES else "query", parameters.get("state"), issuer(office))


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
