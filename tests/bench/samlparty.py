"""The driver's own SAML relying party: metadata, signed requests made in bulk, answers verified with libxmlsec1."""

import hashlib
import html
import re
import zlib
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from urllib.parse import quote

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from lxml import etree

from tests.bench.http import FlowFailed

_DS = "http://www.w3.org/2000/09/xmldsig#"
_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
_RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
_SAML, _SAMLP = "urn:oasis:names:tc:SAML:2.0:assertion", "urn:oasis:names:tc:SAML:2.0:protocol"
NAMES = {"saml": _SAML, "samlp": _SAMLP, "ds": _DS, "md": "urn:oasis:names:tc:SAML:2.0:metadata"}
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
_SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
_EH3 = "urn:etoegang:core:assurance-class:loa3"
_FIELD = re.compile(rb'name="SAMLResponse" value="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Request:
    """A signed AuthnRequest: its ID, and the form body or the query that carries it."""

    id: str
    body: bytes = b""
    query: str = ""


@dataclass(frozen=True, slots=True)
class SamlParty:
    """A relying party with one RSA-2048 key."""

    entity_id: str = "https://bench.example.test/saml"
    consumer: str = "https://bench.example.test/acs"
    binding: str = POST
    encrypted: bool = False
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    def metadata(self) -> str:
        """What an operator registers."""
        certificate = b64encode(_self_signed(self.key)).decode()
        keys = "".join(_key_descriptor(use, certificate) for use in ("signing", *(["encryption"] * self.encrypted)))
        return (
            f'<md:EntityDescriptor xmlns:md="{NAMES["md"]}" entityID="{self.entity_id}">'
            f'<md:SPSSODescriptor AuthnRequestsSigned="true" WantAssertionsSigned="true"'
            f' protocolSupportEnumeration="{_SAMLP}">{keys}'
            f'<md:AssertionConsumerService Binding="{self.binding}" Location="{self.consumer}" index="1"'
            f' isDefault="true"/></md:SPSSODescriptor></md:EntityDescriptor>'
        )

    def posted(self, destination: str) -> Request:
        """A request for HTTP-POST with an enveloped signature."""
        identifier, head, tail = self._request(destination)
        message = quote(b64encode(self.signed(identifier, head, tail)), safe="")
        return Request(identifier, body=f"SAMLRequest={message}&RelayState=bench".encode())

    def signed(self, identifier: str, head: str, tail: str) -> bytes:
        """The canonical text with an enveloped signature between its two parts."""
        digest = b64encode(hashlib.sha256((head + tail).encode()).digest()).decode()
        info = (
            f'<ds:CanonicalizationMethod Algorithm="{_C14N}"></ds:CanonicalizationMethod>'
            f'<ds:SignatureMethod Algorithm="{_RSA_SHA256}"></ds:SignatureMethod>'
            f'<ds:Reference URI="#{identifier}"><ds:Transforms><ds:Transform Algorithm="{_DS}enveloped-signature">'
            f'</ds:Transform><ds:Transform Algorithm="{_C14N}"></ds:Transform></ds:Transforms>'
            f'<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod>'
            f"<ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
        )
        value = b64encode(self._sign(f'<ds:SignedInfo xmlns:ds="{_DS}">{info}'.encode())).decode()
        signature = (
            f'<ds:Signature xmlns:ds="{_DS}"><ds:SignedInfo>{info}'
            f"<ds:SignatureValue>{value}</ds:SignatureValue></ds:Signature>"
        )
        return (head + signature + tail).encode()

    def redirected(self, destination: str) -> Request:
        """A request for HTTP-Redirect with a detached signature."""
        identifier, head, tail = self._request(destination)
        packer = zlib.compressobj(wbits=-15)
        packed = packer.compress((head + tail).encode()) + packer.flush()
        message = quote(b64encode(packed), safe="")
        signed = f"SAMLRequest={message}&RelayState=bench&SigAlg={quote(_RSA_SHA256, safe='')}"
        return Request(identifier, query=f"{signed}&Signature={quote(b64encode(self._sign(signed.encode())), safe='')}")

    def _request(self, destination: str) -> tuple[str, str, str]:
        """The canonical text around the place of a signature; its instant is read once, so both parts agree."""
        identifier = f"_{token_hex(16)}"
        instant = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        head = (
            f'<samlp:AuthnRequest xmlns:samlp="{_SAMLP}" AssertionConsumerServiceURL="{self.consumer}"'
            f' Destination="{destination}" ID="{identifier}" IssueInstant="{instant}" ProtocolBinding="{self.binding}"'
            f' Version="2.0"><saml:Issuer xmlns:saml="{_SAML}">{self.entity_id}</saml:Issuer>'
        )
        tail = (
            f'<samlp:RequestedAuthnContext Comparison="minimum"><saml:AuthnContextClassRef xmlns:saml="{_SAML}">{_EH3}'
            "</saml:AuthnContextClassRef></samlp:RequestedAuthnContext></samlp:AuthnRequest>"
        )
        return identifier, head, tail

    def _sign(self, data: bytes) -> bytes:
        return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())


def _key_descriptor(use: str, certificate: str) -> str:
    return (
        f'<md:KeyDescriptor use="{use}"><ds:KeyInfo xmlns:ds="{_DS}"><ds:X509Data><ds:X509Certificate>{certificate}'
        "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
    )


def signing_certificate(metadata: bytes) -> bytes:
    """The one certificate with which a provider's metadata says it signs, as PEM."""
    path = "//md:IDPSSODescriptor/md:KeyDescriptor[not(@use) or @use='signing']//ds:X509Certificate"
    (node,) = etree.fromstring(metadata).xpath(path, namespaces=NAMES)
    return b"-----BEGIN CERTIFICATE-----\n" + "".join(node.text.split()).encode() + b"\n-----END CERTIFICATE-----\n"


def response_of(page: bytes) -> bytes:
    """The Response that a page posts; raises ``FlowFailed`` when there is none."""
    found = _FIELD.search(page)
    if found is None or b'data-outcome="granted"' not in page:
        raise FlowFailed(f"no granted answer: {re.sub(rb'<[^>]+>', b' ', page)[:400]!r}")
    return b64decode(html.unescape(found[1].decode()))


def verify_response(document: bytes, certificate: bytes, request_id: str) -> tuple[int, int]:
    """Check both signatures and the bindings with libxmlsec1; answers octets and attributes. Raises ``FlowFailed``."""
    root = etree.fromstring(document)
    xmlsec.tree.add_ids(root, ["ID"])
    (assertion,) = root.findall("saml:Assertion", NAMES)
    for signed in (root, assertion):
        node = signed.find("ds:Signature", NAMES)
        (reference,) = node.findall("ds:SignedInfo/ds:Reference", NAMES)
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_memory(certificate, xmlsec.constants.KeyDataFormatCertPem)
        context.verify(node)
        if reference.get("URI") != f"#{signed.get('ID')}":
            raise FlowFailed("a signature that covers something else")
    status = root.find("samlp:Status/samlp:StatusCode", NAMES).get("Value")
    confirmed = assertion.find("saml:Subject/saml:SubjectConfirmation/saml:SubjectConfirmationData", NAMES)
    if status != _SUCCESS or {root.get("InResponseTo"), confirmed.get("InResponseTo")} != {request_id}:
        raise FlowFailed(f"an answer to something else: {status}")
    return len(document), len(assertion.findall("saml:AttributeStatement/saml:Attribute", NAMES))


def _self_signed(key: rsa.RSAPrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=30))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
