"""The only door for XML: parsing under limits, canonical and plain output, schema validation (SEC-9)."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Self

from lxml import etree

Element = etree._Element

SAML: Final = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP: Final = "urn:oasis:names:tc:SAML:2.0:protocol"
MD: Final = "urn:oasis:names:tc:SAML:2.0:metadata"
DS: Final = "http://www.w3.org/2000/09/xmldsig#"
XENC: Final = "http://www.w3.org/2001/04/xmlenc#"
XENC11: Final = "http://www.w3.org/2009/xmlenc11#"
EXC_C14N: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
XS: Final = "http://www.w3.org/2001/XMLSchema"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one document (SEC-3): octets, elements, attributes, depth, and whether comments may stand in it."""

    octets: int = 256 * 1024
    elements: int = 5_000
    depth: int = 40
    comments: bool = False


MESSAGE: Final = Limits()
METADATA: Final = Limits(octets=1024 * 1024, elements=20_000, comments=True)


def parse(octets: bytes, limits: Limits = MESSAGE) -> Element:
    """The root element of a document in UTF-8.

    No DTD, entity, processing instruction, network or (unless the limits say so) comment. Raises ``Refused``:
    TOO_LARGE, FORBIDDEN or MALFORMED (SEC-3, SEC-9, RUL-26).
    """
    raise NotImplementedError


def serialise(element: Element) -> bytes:
    """The element as UTF-8 octets without an XML declaration, byte for byte what a parser will read back."""
    raise NotImplementedError


def canonical(element: Element, prefixes: Collection[str] = ()) -> bytes:
    """Exclusive canonical form without comments, in place; ``prefixes`` is an InclusiveNamespaces PrefixList.

    Raises ``Refused(MALFORMED)`` when it has none (a relative namespace name), never gives back nothing (SEC-11).
    """
    raise NotImplementedError


def decode_base64(text: str | None) -> bytes:
    """The octets of base64 text; white space is dropped, anything else foreign is ``Refused(MALFORMED)``."""
    raise NotImplementedError


class Schemas:
    """The SAML 2.0 schemas (assertion, protocol, metadata, xmldsig, xmlenc, SOAP), compiled; make one per process."""

    @classmethod
    def load(cls) -> Self:
        """Compile the XSD files that pysaml2 carries, without any network (takes some milliseconds)."""
        raise NotImplementedError

    def validate(self, root: Element) -> None:
        """Refuse a document that is not schema-valid: ``Refused(SCHEMA)``. Safe in threads; leaves the tree alone."""
        raise NotImplementedError
