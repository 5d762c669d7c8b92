"""How a request reaches us: by a POST form or by the query of a redirect, bounded before anything is read (SEC-3)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from idp.protocols.message import BadRequest, HttpMessage
from idp.protocols.saml.names import Binding
from idp.protocols.saml.request.redirect import Parameter, RedirectQuery, inflate, read_redirect
from idp.protocols.saml.xmlsec.refusal import Fault, Refused
from idp.protocols.saml.xmlsec.xml import MESSAGE, decode_base64

RELAY_STATE_STRICT: Final = 80
RELAY_STATE_LENIENT: Final = 1024
_FORM: Final = "application/x-www-form-urlencoded"
_LONGEST_BODY: Final = 1024 * 1024
_MOST_FIELDS: Final = 32
_OURS: Final = ("SAMLRequest", "SAMLResponse", "SAMLart", "RelayState")
_CODES: Final[Mapping[Fault, str]] = {Fault.SIGNATURE: "P02"}


@dataclass(frozen=True, slots=True)
class Received:
    """A message that nobody vouches for yet: its octets, and how they came.

    ``query`` is there for Redirect only, for its signature; ``deflated`` tells of a POST that was (RC-6); ``sender`` is
    the entity ID of the party from whose own service it was fetched, for an artifact.
    """

    binding: Binding
    octets: bytes
    relay_state: str | None
    deflated: bool = False
    query: RedirectQuery | None = None
    sender: str = ""


@dataclass(frozen=True, slots=True)
class Presented:
    """An artifact in place of a message, which is still to be fetched."""

    artifact: str
    relay_state: str | None


def receive(message: HttpMessage, allowed: Collection[Parameter] = (Parameter.REQUEST,)) -> Received | Presented:
    """The one message of an HTTP request, of a kind that is allowed, or the artifact of one.

    Raises ``BadRequest`` P10 (RUL-26).
    """
    try:
        received = _posted(message, allowed) if message.method == "POST" else _redirected(message, allowed)
    except Refused as refused:
        raise bad_request(refused) from refused
    if received.relay_state is not None and len(received.relay_state.encode()) > RELAY_STATE_LENIENT:
        raise too_long(received.relay_state, RELAY_STATE_LENIENT)
    return received


def bad_request(refused: Refused, **facts: str) -> BadRequest:
    """A refusal of the XML core as an error page: P02 for a signature, else P10."""
    code = _CODES.get(refused.fault, "P10")
    return BadRequest(code, {"problem": refused.public} | facts, refused.detail)


def too_long(relay_state: str, most: int) -> BadRequest:
    """RelayState beyond the limit of the reading (G-2)."""
    return BadRequest(
        "P10",
        {
            "field": "RelayState",
            "expected": f"at most {most} octets",
            "received": f"{len(relay_state.encode())} octets",
        },
    )


def _redirected(message: HttpMessage, allowed: Collection[Parameter]) -> Received | Presented:
    if b"SAMLart=" in message.query:
        return _presented(_fields(message.query))
    query = read_redirect(message.query)
    if query.message.parameter not in allowed:
        raise Refused(Fault.MALFORMED, f"a {query.message.parameter} where none belongs")
    return Received(Binding.REDIRECT, query.message.octets, query.message.relay_state, query=query)


def _posted(message: HttpMessage, allowed: Collection[Parameter]) -> Received | Presented:
    fields = _form(message)
    if "SAMLart" in fields:
        return _presented(fields)
    brought = [one for one in Parameter if one in fields]
    if len(brought) != 1 or brought[0] not in allowed:
        raise Refused(Fault.MALFORMED, f"a form with {brought} where one of {list(map(str, allowed))} belongs")
    octets = decode_base64(fields[brought[0]])
    relay_state = fields.get("RelayState")
    if octets.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return Received(Binding.POST, octets, relay_state)
    return Received(Binding.POST, inflate(octets, MESSAGE.octets), relay_state, deflated=True)


def _presented(fields: Mapping[str, str]) -> Presented:
    if "SAMLart" not in fields or fields.keys() & {"SAMLRequest", "SAMLResponse"}:
        raise Refused(Fault.MALFORMED, "an artifact beside a message")
    return Presented(fields["SAMLart"], fields.get("RelayState"))


def _form(message: HttpMessage) -> dict[str, str]:
    """The fields of a form that are ours."""
    if len(message.body) > _LONGEST_BODY:
        raise Refused(Fault.TOO_LARGE, f"a body of {len(message.body)} octets")
    if message.content_type.partition(";")[0].strip().lower() != _FORM:
        raise Refused(Fault.MALFORMED, f"a body of type {message.content_type[:100]!r}")
    return _fields(message.body)


def _fields(octets: bytes) -> dict[str, str]:
    """The fields that are ours, each at most once (SEC-4)."""
    try:
        pairs = parse_qsl(octets.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise Refused(Fault.MALFORMED, f"the form: {error}") from error
    ours = [(name, value) for name, value in pairs if name in _OURS]
    fields = dict(ours)
    if len(fields) != len(ours):
        raise Refused(Fault.MALFORMED, "a field of SAML is doubled")
    return fields
