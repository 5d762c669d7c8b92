"""The only door for XML: parsing under limits, canonical and plain output, schema validation (SEC-9)."""

import re
from base64 import b64decode, b64encode
from collections.abc import Collection
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from threading import Lock
from typing import Any, Final, Self

from lxml import etree

from idp.protocols.saml.xmlsec.refusal import Fault, Refused

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
XACML: Final = "urn:oasis:names:tc:xacml:2.0:context:schema:os"
XACML_SAML: Final = "urn:oasis:xacml:2.0:saml:assertion:schema:os"

_DECLARATION: Final = re.compile(
    rb"""(?:\xef\xbb\xbf)?<\?xml\s+version\s*=\s*(?:"1\.0"|'1\.0')"""
    rb"""(?:\s+encoding\s*=\s*(?:"utf-8"|'utf-8'))?(?:\s+standalone\s*=\s*(?:"(?:yes|no)"|'(?:yes|no)'))?\s*\?>""",
    re.IGNORECASE,
)
# The canonical form repeats a declaration at every element that uses it: a long one would make it explode.
# What must stand around the name keeps base64, which may contain it by chance, out of this; looking back and not
# ahead lets the search jump from one "xmlns" to the next.
_LONG_NAMESPACE: Final = re.compile(rb"""xmlns(?<=\sxmlns)[:=\s](?:[^"'<>]{0,99}["'][^"']{257}|[^"'<>]{100})""")
_SCHEMAS: Final = {
    SAML: "saml-schema-assertion-2.0.xsd",
    SAMLP: "saml-schema-protocol-2.0.xsd",
    MD: "saml-schema-metadata-2.0.xsd",
    DS: "xmldsig-core-schema.xsd",
    XENC: "xenc-schema.xsd",
    XENC11: "xenc-schema-11.xsd",
    SOAP: "envelope.xsd",
    XACML_SAML: "xacml-saml-2.0.xsd",
}
# Most values are this plain, and looking once is quicker than replacing six times.
_PLAIN: Final = re.compile("[ !#-%'-;=?-~]*")
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one document (SEC-3): octets, elements with attributes, and whether comments may stand in it."""

    octets: int = 256 * 1024
    nodes: int = 5_000
    comments: bool = False


MESSAGE: Final = Limits()
METADATA: Final = Limits(octets=1024 * 1024, nodes=50_000, comments=True)
DEPTH: Final = 40

# A constant: lxml lets one thread at a time use it, and no setting can change.
_PARSER: Final = etree.XMLParser(
    encoding="utf-8",
    resolve_entities=False,
    load_dtd=False,
    dtd_validation=False,
    attribute_defaults=False,
    no_network=True,
    huge_tree=False,
    collect_ids=False,
)
_TOO_DEEP: Final = etree.XPath("boolean(" + "/*" * (DEPTH + 1) + ")")
_TOO_MANY: Final = etree.XPath("count(//*) + count(//@*) > $most")


def parse(octets: bytes, limits: Limits = MESSAGE) -> Element:
    """The root element of a document in UTF-8.

    No DTD, entity, processing instruction, network or (unless the limits say so) comment. Raises ``Refused``:
    TOO_LARGE, FORBIDDEN or MALFORMED (SEC-3, SEC-9, RUL-26).
    """
    if len(octets) > limits.octets:
        raise Refused(Fault.TOO_LARGE, f"{len(octets)} octets are more than {limits.octets}")
    _refuse_markup(octets, limits)
    try:
        root = etree.fromstring(octets, _PARSER)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Refused(Fault.MALFORMED, str(error)) from error
    _refuse_excess(root, limits)
    return root


def parse_canonical(octets: bytes) -> Element:
    """The element of what ``canonical`` or ``signature.verify`` gave: it came from a document within every limit."""
    return etree.fromstring(octets, _PARSER)


def serialise(element: Element) -> bytes:
    """The element as UTF-8 octets without an XML declaration; a parser reads the same element back."""
    return etree.tostring(element, encoding="utf-8", xml_declaration=False, with_tail=False)


def canonical(element: Element, prefixes: Collection[str] = ()) -> bytes:
    """Exclusive canonical form without comments, in place; ``prefixes`` is an InclusiveNamespaces PrefixList.

    Raises ``Refused(MALFORMED)`` when it has none (a relative namespace name), never gives back nothing (SEC-11).
    """
    try:
        octets = etree.tostring(
            element,
            method="c14n",
            exclusive=True,
            with_comments=False,
            inclusive_ns_prefixes=list(prefixes),
        )
    except (etree.LxmlError, ValueError) as error:
        raise Refused(Fault.MALFORMED, f"no canonical form: {error}") from error
    if not octets.startswith(b"<"):
        raise Refused(Fault.MALFORMED, "the canonical form is empty")
    return octets


def escape_text(value: str) -> str:
    """Character data in canonical form; ``ValueError`` for a character that XML cannot carry (SEC-7)."""
    if _PLAIN.fullmatch(value):
        return value
    _refuse_characters(value)
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#xD;")


def escape_attribute(value: str) -> str:
    """An attribute's value in canonical form, without its quotes; ``ValueError`` as ``escape_text`` (SEC-7)."""
    if _PLAIN.fullmatch(value):
        return value
    _refuse_characters(value)
    escaped = value.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return escaped.replace("\t", "&#x9;").replace("\n", "&#xA;").replace("\r", "&#xD;")


def decode_base64(text: str | None) -> bytes:
    """The octets of base64 text; white space is dropped, anything else foreign is ``Refused(MALFORMED)``."""
    try:
        compact = (text or "").encode("ascii").translate(None, b" \t\r\n")
        octets = b64decode(compact, validate=True)
    except ValueError as error:
        raise Refused(Fault.MALFORMED, f"base64: {error}") from error
    if b64encode(octets) != compact:
        raise Refused(Fault.MALFORMED, "base64 with surplus padding or bits")
    return octets


class Schemas:
    """The SAML 2.0 schemas (assertion, protocol, metadata, xmldsig, xmlenc, SOAP) with XACML's, compiled.

    Make one per process.
    """

    def __init__(self, compiled: etree.XMLSchema) -> None:
        self._compiled = compiled
        # lxml keeps the error log on the schema object; validation takes microseconds, so one lock is cheap.
        self._lock = Lock()

    @classmethod
    def load(cls) -> Self:
        """Compile the XSD files that pysaml2 and we carry, without any network (takes some milliseconds)."""
        imports = "".join(f'<import namespace="{uri}" schemaLocation="{name}"/>' for uri, name in _SCHEMAS.items())
        return cls.of(f'<schema xmlns="{XS}">{imports}</schema>'.encode())

    @classmethod
    def of(cls, schema: bytes) -> Self:
        """Compile a schema of ours, which may import any that pysaml2 or we carry by the name of its file."""
        parser = etree.XMLParser(resolve_entities="internal", load_dtd=False, no_network=True)
        own = files("idp.protocols.saml") / "schemas"
        parser.resolvers.add(_Shelf(own, files("saml2") / "data" / "schemas"))
        return cls(etree.XMLSchema(etree.fromstring(schema, parser)))

    def validate(self, root: Element) -> None:
        """Refuse a document that is not schema-valid: ``Refused(SCHEMA)``. Safe in threads; leaves the tree alone."""
        with self._lock:
            try:
                if self._compiled.validate(root):
                    return
                detail = "; ".join(f"line {entry.line}: {entry.message}" for entry in self._compiled.error_log)
            except etree.LxmlError as error:
                raise Refused(Fault.SCHEMA, f"cannot be validated: {error}") from error
        raise Refused(Fault.SCHEMA, detail)


class _Shelf(etree.Resolver):
    """Finds every schema by its file name in local folders, whatever address it is asked for."""

    def __init__(self, *folders: Traversable) -> None:
        super().__init__()
        self._folders = folders

    def resolve(self, system_url: str | None, public_id: str | None, context: Any) -> Any:
        """The local file; an unknown name is an error, since nothing may be fetched (SEC-9)."""
        name = (system_url or "").rpartition("/")[2]
        found = next(file for folder in self._folders if (file := folder / name).is_file())
        return self.resolve_string(found.read_bytes(), context)


def _refuse_markup(octets: bytes, limits: Limits) -> None:
    """Look for forbidden markup before any parser does; inside CDATA it is refused too, and nobody sends that."""
    try:
        octets.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(Fault.MALFORMED, "not UTF-8") from error
    if b"<!DOCTYPE" in octets:  # without one there are no entities
        raise Refused(Fault.FORBIDDEN, "a document type declaration")
    if not limits.comments and b"<!--" in octets:
        raise Refused(Fault.FORBIDDEN, "a comment")
    if _LONG_NAMESPACE.search(octets):
        raise Refused(Fault.TOO_LARGE, "a long namespace declaration")
    instructions = octets.count(b"<?")
    if instructions > 1 or (instructions == 1 and not _DECLARATION.match(octets)):
        raise Refused(Fault.FORBIDDEN, "a processing instruction, or an XML declaration other than 1.0 in UTF-8")


def _refuse_excess(root: Element, limits: Limits) -> None:
    if _TOO_DEEP(root):
        raise Refused(Fault.TOO_LARGE, f"more than {DEPTH} levels")
    if _TOO_MANY(root, most=limits.nodes):
        raise Refused(Fault.TOO_LARGE, f"more than {limits.nodes} elements and attributes")


def _refuse_characters(value: str) -> None:
    if _NOT_XML.search(value):
        raise ValueError("a character that XML cannot carry")
