"""A demo portal's side of SAML: signed requests, and responses that are verified before they are read."""

from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lxml import etree

from idp.lab.portals import Portal
from idp.lab.received import Check, Disbelieved, Ending, Received, Scrutiny
from idp.protocols.saml.metadata.sp_metadata import read_certificate
from idp.protocols.saml.names import Binding
from idp.protocols.saml.request.redirect import Parameter, RedirectMessage, write_redirect
from idp.protocols.saml.times import read_instant, write_instant
from idp.protocols.saml.xmlsec.algorithms import VerificationKey
from idp.protocols.saml.xmlsec.decryption import LocalDecryptionKey, decrypt
from idp.protocols.saml.xmlsec.refusal import Refused
from idp.protocols.saml.xmlsec.signature import verify
from idp.protocols.saml.xmlsec.signing import Signatory, key_name, sign
from idp.protocols.saml.xmlsec.xml import DS, MD, METADATA, SAML, SAMLP, Element, escape_attribute, parse, serialise

CANCELLED: Final = "Authentication cancelled"
_RESPONSE: Final = f"{{{SAMLP}}}Response"
_ASSERTION: Final = f"{{{SAML}}}Assertion"
_SUCCESS: Final = "urn:oasis:names:tc:SAML:2.0:status:Success"
_EXTENSION: Final = "urn:etoegang:1.9:samlp-extension"
_SPACES: Final = {"saml": SAML, "samlp": SAMLP, "md": MD, "ds": DS}


@dataclass(frozen=True, slots=True)
class Provider:
    """The identity provider as its metadata describe it: whom to believe and where to send requests."""

    entity_id: str
    locations: Mapping[str, str]
    keys: Sequence[VerificationKey]


def read_provider(octets: bytes) -> Provider:
    """The provider that metadata describe; raises ``Refused``."""
    root = parse(octets, METADATA)
    role = "md:IDPSSODescriptor"
    signing = root.findall(f"{role}/md:KeyDescriptor[@use='signing']//ds:X509Certificate", _SPACES)
    services = root.findall(f"{role}/md:SingleSignOnService", _SPACES)
    return Provider(
        entity_id=root.get("entityID", ""),
        locations={one.get("Binding", ""): one.get("Location", "") for one in services},
        keys=[read_certificate(one)[1] for one in signing],
    )


def request(portal: Portal, provider: Provider, request_id: str, now: datetime, attributes: Sequence[str]) -> Element:
    """An AuthnRequest, still unsigned; ``attributes`` are personal ones to ask (domain 3.2.1)."""
    return parse(
        f'<samlp:AuthnRequest xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}" ID="{request_id}" Version="2.0" '
        f'IssueInstant="{write_instant(now)}" Destination="{escape_attribute(provider.locations[_binding(portal)])}" '
        'AssertionConsumerServiceIndex="0" AttributeConsumingServiceIndex="1">'
        f"<saml:Issuer>{portal.plan.entity_id}</saml:Issuer>{_asked(attributes)}</samlp:AuthnRequest>".encode()
    )


def by_post(portal: Portal, message: Element) -> str:
    """The signed request as the form field carries it."""
    sign(message, _signatory(portal))
    return b64encode(serialise(message)).decode()


def by_redirect(portal: Portal, provider: Provider, message: Element, relay_state: str) -> str:
    """The address that carries the request, signed over its query."""
    carried = RedirectMessage(Parameter.REQUEST, serialise(message), relay_state)
    return f"{provider.locations[Binding.REDIRECT]}?{write_redirect(carried, _signatory(portal))}"


def receive(portal: Portal, provider: Provider, request_id: str, field: str, now: datetime) -> Received:
    """Verify a SAMLResponse, then read it: signatures, who, for whom, in answer to what, when (SEC-9, SEC-14)."""
    scrutiny = Scrutiny()
    try:
        return _receive(scrutiny, _Expected(portal, provider, request_id, now), field)
    except (Disbelieved, Refused):
        return scrutiny.disbelieved()


@dataclass(frozen=True, slots=True)
class _Expected:
    portal: Portal
    provider: Provider
    request_id: str
    now: datetime


def _receive(scrutiny: Scrutiny, expected: _Expected, field: str) -> Received:
    try:
        octets = b64decode(field, validate=True)
        root = parse(octets)
    except (ValueError, Refused):
        scrutiny.need(Check.FORM, False)
        raise
    scrutiny.raw.append(("response", readable(octets)))
    scrutiny.need(Check.FORM, root.tag == _RESPONSE)
    response = _believed(scrutiny, Check.SIGNATURE, root, expected)
    scrutiny.need(Check.ISSUER, _text(response, "saml:Issuer") == expected.provider.entity_id)
    scrutiny.need(Check.DESTINATION, response.get("Destination") == expected.portal.acs)
    scrutiny.need(Check.REQUEST, response.get("InResponseTo") == expected.request_id)
    status = _status(response)
    if status:
        cancelled = _text(response, "samlp:Status/samlp:StatusMessage") == CANCELLED
        return scrutiny.received(Ending.CANCELLED if cancelled else Ending.REFUSED, status)
    enclosed = response.find("saml:Assertion", _SPACES)
    scrutiny.need(Check.FORM, enclosed is not None)
    if enclosed is None:
        raise Disbelieved
    assertion = _believed(scrutiny, Check.ASSERTION_SIGNATURE, enclosed, expected)
    _judge(scrutiny, assertion, expected)
    values = tuple(_values(scrutiny, assertion, expected.portal))
    return scrutiny.received(Ending.GRANTED, values=values)


def _believed(scrutiny: Scrutiny, check: Check, element: Element, expected: _Expected) -> Element:
    """What a signature covers, and nothing else of the message."""
    enclosed = element.tag == _ASSERTION
    try:
        nested = () if enclosed else (_ASSERTION,)
        covered = verify(element, str(element.tag), expected.provider.keys, enclosed=enclosed, nested=nested)
    except Refused:
        scrutiny.need(check, False)
        raise
    scrutiny.need(check, True)
    return parse(covered)


def _judge(scrutiny: Scrutiny, assertion: Element, expected: _Expected) -> None:
    audience = _text(assertion, "saml:Conditions/saml:AudienceRestriction/saml:Audience")
    confirmation = assertion.find("saml:Subject/saml:SubjectConfirmation/saml:SubjectConfirmationData", _SPACES)
    conditions = assertion.find("saml:Conditions", _SPACES)
    scrutiny.need(Check.ISSUER, _text(assertion, "saml:Issuer") == expected.provider.entity_id)
    scrutiny.need(Check.AUDIENCE, audience == expected.portal.plan.entity_id)
    if confirmation is None or conditions is None:
        scrutiny.need(Check.FORM, False)
        raise Disbelieved
    scrutiny.need(Check.REQUEST, confirmation.get("InResponseTo") == expected.request_id)
    scrutiny.need(Check.DESTINATION, confirmation.get("Recipient") == expected.portal.acs)
    begins = read_instant(conditions.get("NotBefore", "9999-01-01T00:00:00Z"))
    ends = (one.get("NotOnOrAfter", "0001-01-01T00:00:00Z") for one in (conditions, confirmation))
    scrutiny.need(Check.TIME, begins <= expected.now < min(map(read_instant, ends)))


def _values(scrutiny: Scrutiny, assertion: Element, portal: Portal) -> Iterator[tuple[str, str]]:
    """Everything an assertion says, the level and the person first."""
    yield "AuthnContextClassRef", _text(assertion, "saml:AuthnStatement/saml:AuthnContext/saml:AuthnContextClassRef")
    yield "NameID", _text(assertion, "saml:Subject/saml:NameID")
    for attribute in assertion.iterfind("saml:AttributeStatement/*", _SPACES):
        if attribute.tag == f"{{{SAML}}}EncryptedAttribute":
            opened = decrypt(attribute, f"{{{SAML}}}Attribute", [LocalDecryptionKey(portal.key.private)])
            scrutiny.opened.append(readable(serialise(opened)))
            yield from _attribute(scrutiny, opened, portal)
        else:
            yield from _attribute(scrutiny, attribute, portal)
    statement = assertion.find("saml:AuthnStatement", _SPACES)
    for name in ("AuthnInstant", "SessionIndex"):
        if statement is not None and statement.get(name):
            yield name, statement.get(name, "")


def _attribute(scrutiny: Scrutiny, attribute: Element, portal: Portal) -> Iterator[tuple[str, str]]:
    name = attribute.get("Name", "")
    for value in attribute.iterfind("saml:AttributeValue", _SPACES):
        sealed = value.find("saml:EncryptedID", _SPACES)
        if sealed is None:
            yield name, value.text or ""
            continue
        identifier = decrypt(sealed, f"{{{SAML}}}NameID", [LocalDecryptionKey(portal.key.private)])
        scrutiny.opened.append(readable(serialise(identifier)))
        yield name, f"{identifier.text} ({identifier.get('NameQualifier', '').rpartition(':')[2]})"


def _status(response: Element) -> str:
    """Both status codes and the message, or an empty text for success."""
    codes = [one.get("Value", "") for one in response.iterfind("samlp:Status//samlp:StatusCode", _SPACES)]
    if codes == [_SUCCESS]:
        return ""
    shown = " / ".join(code.rpartition(":")[2] for code in codes)
    message = _text(response, "samlp:Status/samlp:StatusMessage")
    return f"{shown}: {message}" if message else shown


def readable(octets: bytes) -> str:
    """XML with line breaks, for people; never what is verified. Raises ``Refused``."""
    tree = parse(octets)
    etree.indent(tree, "  ")
    return etree.tostring(tree, encoding="unicode")


def _asked(attributes: Sequence[str]) -> str:
    if not attributes:
        return ""
    names = "".join(f'<md:RequestedAttribute Name="{one}" isRequired="false"/>' for one in attributes)
    spaces = f'xmlns:eme="{_EXTENSION}" xmlns:md="{MD}"'
    return f"<samlp:Extensions><eme:RequestedAttributes {spaces}>{names}</eme:RequestedAttributes></samlp:Extensions>"


def _binding(portal: Portal) -> Binding:
    return Binding.REDIRECT if portal.plan.redirects else Binding.POST


def _signatory(portal: Portal) -> Signatory:
    return Signatory(portal.key.signer, key_info=key_name(portal.key.signer))


def _text(element: Element, path: str) -> str:
    return (element.findtext(path, namespaces=_SPACES) or "").strip()
