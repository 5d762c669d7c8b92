"""Relying parties as we hear of them: their metadata and their requests."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from idp.domain.parties import Profile
from idp.ports import KeyUse, PublicKey
from idp.protocols.message import HttpMessage
from idp.protocols.saml.request.redirect import Parameter, RedirectMessage, write_redirect
from idp.protocols.saml.xmlsec.signing import Signatory, key_certificate, sign
from idp.protocols.saml.xmlsec.xml import DS, MD, SAML, SAMLP, parse, serialise
from tests.protocol.xml_kit import SoftKey

BASE = "https://idp.example.test"
OIN = "00000001999999999001"
DV = f"urn:etoegang:DV:{OIN}:entities:9001"
SP = "https://sp.example.test/metadata"
ACS = "https://dv.example.test/saml/acs"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
ARTIFACT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact"
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
PAOS = "urn:oasis:names:tc:SAML:2.0:bindings:PAOS"
LOA = "urn:etoegang:core:assurance-class:loa"
PSEUDONYM = "A1" * 32 + "@" + "B2" * 16
FAMILY_NAME = "urn:etoegang:1.9:attribute:FamilyName"
FIRST_NAME = "urn:etoegang:1.9:attribute:FirstName"
COMPANY_NAME = "urn:etoegang:1.11:attribute-represented:CompanyName"
KVK = "urn:etoegang:1.9:EntityConcernedID:KvKnr"
RSIN = "urn:etoegang:1.9:EntityConcernedID:RSIN"
TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
SSO = {
    Profile.GENERIC: f"{BASE}/saml/sso",
    Profile.EHERKENNING_113: f"{BASE}/saml/1.13/sso",
    Profile.EHERKENNING_111: f"{BASE}/saml/1.11/sso",
}
SAML_PROFILES = tuple(SSO)
SCHEME = (Profile.EHERKENNING_113, Profile.EHERKENNING_111)

_SPKI = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
_FOLDER = Path(__file__).parent / "keys"


@cache
def fixed_key(name: str, use: KeyUse = KeyUse.SAML_SIGNING) -> SoftKey:
    """A committed test key."""
    certificate = (_FOLDER / f"{name}.crt.pem").read_text()
    private = load_pem_private_key((_FOLDER / f"{name}.key.pem").read_bytes(), None)
    public = private.public_key().public_bytes(*_SPKI).decode()
    return SoftKey(private, PublicKey(f"test-{name}", use, certificate, public))


@dataclass(frozen=True)
class Consumer:
    """An AssertionConsumerService to be published."""

    index: int = 1
    binding: str = POST
    location: str = ACS
    default: bool | None = None


@dataclass(frozen=True)
class Published:
    """Metadata to be published."""

    entity_id: str = SP
    consumers: tuple[Consumer, ...] = (Consumer(),)
    signing: tuple[str, ...] = ("sp",)
    encryption: tuple[str, ...] = ()
    plain_use: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    resolvers: str = ""
    logouts: str = ""
    services: str = ""
    name_id_formats: tuple[str, ...] = ()
    flags: str = 'AuthnRequestsSigned="true" WantAssertionsSigned="true"'
    attributes: str = ""
    key_names: bool = True
    signed: bool = False

    def xml(self) -> bytes:
        """The document."""
        keys = "".join(
            self._key(name, use)
            for use, names in (("signing", self.signing), ("encryption", self.encryption), ("", self.plain_use))
            for name in names
        )
        formats = "".join(f"<md:NameIDFormat>{one}</md:NameIDFormat>" for one in self.name_id_formats)
        text = (
            f'<md:EntityDescriptor xmlns:md="{MD}" xmlns:ds="{DS}" ID="_metadata" entityID="{self.entity_id}" '
            f"{self.attributes}>"
            f'<md:SPSSODescriptor {self.flags} protocolSupportEnumeration="{SAMLP}">'
            f"{keys}{self.resolvers}{self.logouts}{formats}"
            f"{''.join(map(_consumer_xml, self.consumers))}{self.services}</md:SPSSODescriptor></md:EntityDescriptor>"
        ).encode()
        if not self.signed:
            return text
        root = parse(text)
        sign(root, Signatory(fixed_key("sp"), key_info=key_certificate(fixed_key("sp"))))
        return serialise(root)

    def _key(self, name: str, use: str) -> str:
        key = fixed_key(name)
        marked = f' use="{use}"' if use else ""
        named = f"<ds:KeyName>{key.public.kid}</ds:KeyName>" if self.key_names else ""
        certificate = key.public.certificate.replace("-----BEGIN CERTIFICATE-----", "").replace(
            "-----END CERTIFICATE-----", ""
        )
        methods = "".join(f'<md:EncryptionMethod Algorithm="{one}"/>' for one in self.methods if use != "signing")
        return (
            f"<md:KeyDescriptor{marked}><ds:KeyInfo>{named}<ds:X509Data><ds:X509Certificate>{certificate}"
            f"</ds:X509Certificate></ds:X509Data></ds:KeyInfo>{methods}</md:KeyDescriptor>"
        )


def attribute_service(index: int, *names: str, default: bool = False) -> str:
    """An AttributeConsumingService to be published."""
    asked = "".join(f'<md:RequestedAttribute Name="{name}"/>' for name in names)
    chosen = ' isDefault="true"' if default else ""
    return (
        f'<md:AttributeConsumingService index="{index}"{chosen}><md:ServiceName xml:lang="nl">Dienst {index}'
        f"</md:ServiceName>{asked}</md:AttributeConsumingService>"
    )


@dataclass(frozen=True)
class Asking:
    """An AuthnRequest to be sent; ``attributes`` are XML attributes of the root, None leaves one out."""

    profile: Profile = Profile.GENERIC
    attributes: Mapping[str, str | None] = field(default_factory=dict)
    issuer: str = SP
    issuer_attributes: str = ""
    extensions: str = ""
    subject: str = ""
    body: str = ""
    key: str | None = "sp"

    def text(self) -> str:
        """The XML before it is signed."""
        usual = {
            "ID": "_req1",
            "Version": "2.0",
            "IssueInstant": "2026-01-15T10:00:00Z",
            "Destination": SSO[self.profile],
        }
        values = {name: value for name, value in (usual | dict(self.attributes)).items() if value is not None}
        written = " ".join(f'{name}="{value}"' for name, value in values.items())
        return (
            f'<samlp:AuthnRequest xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}" {written}>'
            f"<saml:Issuer{self.issuer_attributes}>{self.issuer}</saml:Issuer>{self.extensions}{self.subject}{self.body}"
            "</samlp:AuthnRequest>"
        )

    def xml(self) -> bytes:
        """The XML as it is sent by POST."""
        if self.key is None:
            return self.text().encode()
        root = parse(self.text().encode())
        sign(root, Signatory(fixed_key(self.key)))
        return serialise(root)

    def posted(self, relay_state: str | None = None, path: str = "") -> HttpMessage:
        """The request by POST."""
        return form({"SAMLRequest": b64encode(self.xml()).decode()}, relay_state, path or SSO[self.profile])

    def redirected(self, relay_state: str | None = None) -> HttpMessage:
        """The request by Redirect."""
        message = RedirectMessage(Parameter.REQUEST, self.text().encode(), relay_state)
        query = write_redirect(message, Signatory(fixed_key(self.key)) if self.key else None)
        return HttpMessage("GET", SSO[self.profile].removeprefix(BASE), query=query.encode())


def form(fields: Mapping[str, str], relay_state: str | None = None, path: str = SSO[Profile.GENERIC]) -> HttpMessage:
    """A POST form."""
    sent = dict(fields) | ({} if relay_state is None else {"RelayState": relay_state})
    return HttpMessage(
        "POST",
        path.removeprefix(BASE),
        body=urlencode(sent, quote_via=quote).encode(),
        content_type="application/x-www-form-urlencoded",
    )


def _consumer_xml(consumer: Consumer) -> str:
    default = "" if consumer.default is None else f' isDefault="{str(consumer.default).lower()}"'
    return (
        f'<md:AssertionConsumerService index="{consumer.index}" Binding="{consumer.binding}" '
        f'Location="{consumer.location}"{default}/>'
    )


SCHEME_METADATA = Published(
    entity_id=DV,
    consumers=(Consumer(1, ARTIFACT), Consumer(2, POST, default=True)),
    encryption=("sp-encryption",),
    services=attribute_service(1, f"urn:etoegang:DV:{OIN}:services:1", default=True)
    + attribute_service(2, f"urn:etoegang:DV:{OIN}:services:2"),
    signed=True,
)
