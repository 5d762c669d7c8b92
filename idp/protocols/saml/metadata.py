"""Our own metadata, one signed document per profile, always the same bytes for the same keys and settings."""

import hashlib
from collections.abc import Iterator
from typing import Final

from idp.domain.assurance import Level
from idp.ports import Keys, KeyUse, PublicKey
from idp.protocols.saml.dialects import Dialect, names
from idp.protocols.saml.names import (
    ASSURANCE_CERTIFICATION,
    NAME_FORMAT_URI,
    PROTOCOL,
    Binding,
    Identifying,
    NameId,
)
from idp.protocols.saml.signing import key_certificate, sign_canonical
from idp.protocols.saml.voice import TYPED_PREFIXES, signatory
from idp.protocols.saml.xml import DS, MD, SAML, XS, XSI, escape_attribute, escape_text
from idp.settings import Settings

_ATTRIBUTE_PROFILE: Final = "urn:oasis:names:tc:SAML:metadata:attribute"
_UI: Final = "urn:oasis:names:tc:SAML:metadata:ui"
_LANGUAGES: Final = ("nl", "en")
_SSO: Final = (Binding.POST, Binding.REDIRECT)
# How long others may keep a copy; a new key is published longer than this before it signs (SEC-42).
_KEEP_FOR: Final = "P1D"


def write_metadata(settings: Settings, keys: Keys, dialect: Dialect) -> bytes:
    """The EntityDescriptor of a profile, signed, with the certificate as its only KeyInfo (SIG-5, domain 6.1)."""
    entity_id = escape_attribute(names(settings, dialect).issuer)
    body = (
        f"{_assurance(settings)}{_role(settings, keys, dialect)}{_organisation(settings)}{_contact(settings)}"
        "</md:EntityDescriptor>"
    )
    name = hashlib.sha256(f"{entity_id}{body}".encode()).hexdigest()[:32]
    extension = f' xmlns:eh="urn:etoegang:{dialect.version}:metadata-extension"' if dialect.scheme else ""
    version = f' eh:version="{dialect.version}"' if dialect.scheme else ""
    keep = "" if dialect.scheme else f' cacheDuration="{_KEEP_FOR}"'
    head = (
        f'<md:EntityDescriptor{extension} xmlns:md="{MD}" xmlns:xs="{XS}" xmlns:xsi="{XSI}" ID="_{name}"{keep} '
        f'entityID="{entity_id}"{version}>'
    )
    key = keys.active(KeyUse.SAML_SIGNING)
    who = signatory(key, key_certificate(key), TYPED_PREFIXES)
    return sign_canonical(head.encode(), body.encode(), who)


def _assurance(settings: Settings) -> str:
    """The highest level we may give (AD-3)."""
    highest = max(Level[name] for name in settings.login.levels)
    return (
        f'<md:Extensions><mdattr:EntityAttributes xmlns:mdattr="{_ATTRIBUTE_PROFILE}">'
        f'<saml:Attribute xmlns:saml="{SAML}" Name="{ASSURANCE_CERTIFICATION}" NameFormat="{NAME_FORMAT_URI}">'
        f'<saml:AttributeValue xsi:type="xs:string">{highest.urn}</saml:AttributeValue></saml:Attribute>'
        "</mdattr:EntityAttributes></md:Extensions>"
    )


def _role(settings: Settings, keys: Keys, dialect: Dialect) -> str:
    location = escape_attribute(settings.server.base_url + dialect.sso_path)
    services = "".join(
        f'<md:SingleSignOnService Binding="{binding}" Location="{location}"></md:SingleSignOnService>'
        for binding in _SSO
    )
    formats = "".join(f"<md:NameIDFormat>{one}</md:NameIDFormat>" for one in _name_id_formats(dialect))
    error_url = escape_attribute(f"{settings.server.base_url}/klantenservice")
    extra = "" if dialect.scheme else f' errorURL="{error_url}"'
    shown = "" if dialect.scheme else _shown(settings)
    return (
        f'<md:IDPSSODescriptor WantAuthnRequestsSigned="true"{extra} protocolSupportEnumeration="{PROTOCOL}">'
        f"{shown}{''.join(_keys(keys))}{formats}{services}</md:IDPSSODescriptor>"
    )


def _keys(keys: Keys) -> Iterator[str]:
    for use, name in ((KeyUse.SAML_SIGNING, "signing"), (KeyUse.SAML_ENCRYPTION, "encryption")):
        for key in keys.published(use):
            yield (
                f'<md:KeyDescriptor use="{name}"><ds:KeyInfo xmlns:ds="{DS}">'
                f"<ds:KeyName>{escape_text(key.kid)}</ds:KeyName>"
                f"<ds:X509Data><ds:X509Certificate>{_certificate(key)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
                "</md:KeyDescriptor>"
            )


def _certificate(key: PublicKey) -> str:
    return "".join(line for line in key.certificate.splitlines() if line and not line.startswith("-----"))


def _name_id_formats(dialect: Dialect) -> tuple[str, ...]:
    """Formats of NameID; in the scheme, as its brokers do, the identifiers that can be given (domain 6.1)."""
    if dialect.scheme:
        return (Identifying.KVK, Identifying.RSIN)
    return (NameId.PERSISTENT, NameId.TRANSIENT)


def _shown(settings: Settings) -> str:
    name = escape_text(settings.brand.name)
    shown = "".join(f'<mdui:DisplayName xml:lang="{one}">{name}</mdui:DisplayName>' for one in _LANGUAGES)
    return f'<md:Extensions><mdui:UIInfo xmlns:mdui="{_UI}">{shown}</mdui:UIInfo></md:Extensions>'


def _organisation(settings: Settings) -> str:
    name, url = escape_text(settings.brand.name), escape_text(settings.server.base_url)
    parts = (("OrganizationName", name), ("OrganizationDisplayName", name), ("OrganizationURL", url))
    inside = "".join(
        f'<md:{tag} xml:lang="{language}">{text}</md:{tag}>' for tag, text in parts for language in _LANGUAGES
    )
    return f"<md:Organization>{inside}</md:Organization>"


def _contact(settings: Settings) -> str:
    brand = settings.brand
    return (
        '<md:ContactPerson contactType="support">'
        f"<md:Company>{escape_text(brand.name)}</md:Company>"
        f"<md:EmailAddress>mailto:{escape_text(brand.email)}</md:EmailAddress>"
        f"<md:TelephoneNumber>{escape_text(brand.phone)}</md:TelephoneNumber></md:ContactPerson>"
    )
