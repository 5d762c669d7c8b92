"""SOAP 1.1 as SAML uses it: one message in the body, no headers that must be understood."""

from collections.abc import Mapping
from typing import Final

from idp.protocols.message import BadRequest, Document, HttpMessage
from idp.protocols.saml.xmlsec.refusal import Fault, Refused
from idp.protocols.saml.xmlsec.xml import MESSAGE, SOAP, Element, Schemas, escape_text, parse

ANSWER_TYPE: Final = "text/xml; charset=utf-8"
# SOAP 1.1 says the first; deployed clients send the second as well (domain 3.7).
_TYPES: Final = ("text/xml", "application/soap+xml")
_ENVELOPE: Final = f"{{{SOAP}}}Envelope"
_HEADER: Final = f"{{{SOAP}}}Header"
_BODY: Final = f"{{{SOAP}}}Body"
# Who asks is not who may: 403. Everything else is a message that is none: 400.
_REFUSALS: Final[Mapping[str, str]] = {
    "P01": "The issuer is not registered: register its metadata.",
    "P02": "The signature of the message is not acceptable: sign with a registered key.",
    "P12": "The connection has no registered client certificate: connect with one.",
    "P14": "The registered metadata have expired: register newer ones.",
}
_MUST: Final = f"{{{SOAP}}}mustUnderstand"


def is_soap(message: HttpMessage) -> bool:
    """Whether a message comes over SOAP, by its media type."""
    return message.method == "POST" and message.content_type.partition(";")[0].strip().lower() in _TYPES


def read_posted(message: HttpMessage, schemas: Schemas) -> Element:
    """The message in a SOAP request, schema-valid and in its tree, to be verified there; raises ``Refused``."""
    if not is_soap(message):
        raise Refused(Fault.MALFORMED, f"a {message.method} of {message.content_type[:100]!r} where SOAP belongs")
    return read_envelope(message.body, schemas)


def read_envelope(octets: bytes, schemas: Schemas) -> Element:
    """The one message in the Body of an Envelope, schema-valid; raises ``Refused``."""
    root = parse(octets, MESSAGE)
    schemas.validate(root)
    parts = [one.tag for one in root]
    if root.tag != _ENVELOPE or parts not in ([_BODY], [_HEADER, _BODY]) or len(root[-1]) != 1:
        raise Refused(Fault.MALFORMED, f"{root.tag!r} with {parts} where an Envelope with one message belongs")
    if any(one.get(_MUST) in ("1", "true") for one in root[0] if parts[0] == _HEADER):
        raise Refused(Fault.FORBIDDEN, "a header that must be understood")
    return root[-1][0]


def write_envelope(message: bytes) -> bytes:
    """An Envelope around a message; the message keeps its octets (RC-9)."""
    opening = f'<soap:Envelope xmlns:soap="{SOAP}"><soap:Body>'.encode()
    return opening + message + b"</soap:Body></soap:Envelope>"


def soap_fault(status: int, sentence: str) -> Document:
    """A SOAP fault of the caller, under a status of HTTP that says whose fault it is (SEC-2)."""
    fault = (
        f"<soap:Fault><faultcode>soap:Client</faultcode><faultstring>{escape_text(sentence)}</faultstring></soap:Fault>"
    )
    return Document(status, ANSWER_TYPE, write_envelope(fault.encode()))


def soap_refusal(error: BadRequest, reference: str) -> Document:
    """A refused message as a fault: its code, what is wrong in one sentence, and our reference (SEC-2)."""
    known = error.facts.get("problem") or _REFUSALS.get(error.code, "The message cannot be answered.")
    return soap_fault(403 if error.code in _REFUSALS else 400, f"{error.code} {known} Reference {reference}.")
