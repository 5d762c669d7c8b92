"""Keys, messages and a libxmlsec1 oracle for the tests of the XML core."""

from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID
from lxml import etree

from idp.ports import KeyUse, PublicKey
from idp.protocols.saml.xmlsec.signing import Signatory, sign
from idp.protocols.saml.xmlsec.xml import DS, SAML, SAMLP, Element, parse, serialise

AUTHN_REQUEST = f"{{{SAMLP}}}AuthnRequest"
RESPONSE = f"{{{SAMLP}}}Response"
ASSERTION = f"{{{SAML}}}Assertion"
SIGNATURE = f"{{{DS}}}Signature"

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
HASHES = {"sha256": hashes.SHA256, "sha384": hashes.SHA384, "sha512": hashes.SHA512}


@dataclass(frozen=True)
class SoftKey:
    """A signing key in memory, as the port describes it."""

    private: PrivateKey
    public: PublicKey

    def sign(self, algorithm: str, data: bytes) -> bytes:
        """A signature; r and s side by side for curves."""
        family, _, name = algorithm.rpartition("-")
        digest = HASHES[name]()
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            width = self.private.key_size // 8
            r, s = decode_dss_signature(self.private.sign(data, ec.ECDSA(digest)))
            return r.to_bytes(width) + s.to_bytes(width)
        if family == "rsa":
            return self.private.sign(data, padding.PKCS1v15(), digest)
        return self.private.sign(data, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)

    def unwrap(self, digest: str, wrapped: bytes) -> bytes:
        """What was encrypted for it."""
        hashed = hashes.SHA1() if digest == "sha1" else HASHES[digest]()
        return self.private.decrypt(wrapped, padding.OAEP(padding.MGF1(hashed), hashed, None))

    @property
    def pem(self) -> bytes:
        """The private key for libxmlsec1."""
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


def soft_key(private: PrivateKey, name: str) -> SoftKey:
    """The key with a certificate of its own."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2040, 1, 1, tzinfo=UTC))
        .sign(private, hashes.SHA256())
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    return SoftKey(private, PublicKey(name, KeyUse.SAML_SIGNING, pem.decode(), public.decode()))


@cache
def rsa_key(name: str = "provider", bits: int = 2048) -> SoftKey:
    """One RSA key per name and run."""
    return soft_key(rsa.generate_private_key(65537, bits), name)


@cache
def curve_key(curve: type[ec.EllipticCurve] = ec.SECP256R1, name: str = "curve") -> SoftKey:
    """One key per curve and run."""
    return soft_key(ec.generate_private_key(curve()), name)


@cache
def oracle_key(key: SoftKey) -> xmlsec.Key:
    """The same key for libxmlsec1."""
    return xmlsec.Key.from_memory(key.pem, xmlsec.constants.KeyDataFormatPem)


def oracle_accepts(root: Element, key: SoftKey, signed: Element | None = None) -> bool:
    """Whether libxmlsec1 accepts the (first own) Signature of the element, by default the root."""
    element = root if signed is None else signed
    signature = element.find(SIGNATURE)
    if signature is None:
        return False
    try:
        xmlsec.tree.add_ids(root, ["ID"])
        context = xmlsec.SignatureContext()
        context.key = oracle_key(key)
        context.verify(signature)
    except (xmlsec.Error, xmlsec.InternalError):
        return False
    return True


def oracle_signs(root: Element, signature: Element, key: SoftKey) -> None:
    """Fill a signature template in a tree with libxmlsec1."""
    xmlsec.tree.add_ids(root, ["ID"])
    context = xmlsec.SignatureContext()
    context.key = oracle_key(key)
    context.sign(signature)


def authn_request(identifier: str = "_request", body: str = "") -> bytes:
    """A schema-valid AuthnRequest."""
    return (
        f'<samlp:AuthnRequest xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}" ID="{identifier}" Version="2.0" '
        'IssueInstant="2026-01-01T00:00:00Z" Destination="https://idp.test/saml/sso">'
        f"<saml:Issuer>https://sp.test</saml:Issuer>{body}</samlp:AuthnRequest>"
    ).encode()


def signed_request(key: SoftKey, body: str = "", **choices: object) -> Element:
    """A signed AuthnRequest, parsed again as a receiver would."""
    root = parse(authn_request(body=body))
    sign(root, Signatory(key, **choices))  # type: ignore[arg-type]
    return parse(serialise(root))


def reference(uri: str, transforms: str, digest: str = "http://www.w3.org/2001/04/xmlenc#sha256") -> str:
    """One Reference to be filled in."""
    return (
        f'<ds:Reference URI="{uri}"><ds:Transforms>{transforms}</ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{digest}"/><ds:DigestValue/></ds:Reference>'
    )


ENVELOPED = f'<ds:Transform Algorithm="{DS}enveloped-signature"/>'
EXCLUSIVE = '<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>'
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"


def template(
    references: str,
    method: str = RSA_SHA256,
    canonicalization: str = '<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>',
    tail: str = "",
) -> Element:
    """A Signature to be filled in by libxmlsec1, of any shape a test wants."""
    return etree.fromstring(
        f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo>{canonicalization}<ds:SignatureMethod Algorithm="{method}"/>'
        f"{references}</ds:SignedInfo><ds:SignatureValue/>{tail}</ds:Signature>"
    )


def base64(octets: bytes) -> str:
    """Base64 as text."""
    return b64encode(octets).decode()


def hand_signs(root: Element, signature: Element, key: SoftKey) -> None:
    """Fill a template by hand, with right values for whatever it says, where libxmlsec1 refuses to."""
    position = root.index(signature)
    root.remove(signature)
    digest = sha256(etree.tostring(root, method="c14n", exclusive=True)).digest()
    root.insert(position, signature)
    for value in signature.iter(f"{{{DS}}}DigestValue"):
        value.text = base64(digest)
    info = etree.tostring(signature[0], method="c14n", exclusive=True)
    signature[1].text = base64(key.sign("rsa-sha256", info))
