"""Our own metadata, one signed document per profile, always the same bytes for the same keys, settings and day."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from idp.domain.assurance import Level
from idp.domain.keys import short_name
from idp.ports import Keys, KeyUse, PublicKey, SigningKey
from idp.protocols.saml.dialects import Dialect, artifact_services, names
from idp.protocols.saml.names import (
    ASSURANCE_CERTIFICATION,
    NAME_FORMAT_URI,
    PROTOCOL,
    Binding,
    Identifying,
    NameId,
)
from idp.protocols.saml.times import write_instant
from idp.protocols.saml.voice import TYPED_PREFIXES, signatory
from idp.protocols.saml.xmlsec.signing import key_certificate, sign_canonical
from idp.protocols.saml.xmlsec.xml import DS, MD, SAML, XS, XSI, escape_attribute, escape_text
from idp.settings import Settings

_ATTRIBUTE_PROFILE: Final = "urn:oasis:names:tc:SAML:metadata:attribute"
_UI: Final = "urn:oasis:names:tc:SAML:metadata:ui"
_LANGUAGES: Final = ("nl", "en")
_DESCRIPTION: Final = {
    "nl": "Inloggen met eHerkenning via {name}, namens een organisatie.",
    "en": "Log in with eHerkenning through {name}, on behalf of an organisation.",
}
_SSO: Final = (Binding.POST, Binding.REDIRECT, Binding.ARTIFACT)
_SLO: Final = (Binding.POST, Binding.REDIRECT, Binding.SOAP)
# How long others may keep a copy; a new key is published longer than this before it signs (SEC-42).
_KEEP_FOR: Final = "P1D"


@dataclass(frozen=True, slots=True)
class Edition:
    """Which keys our metadata tell of: ``first`` stands in the address of single sign-on, ``signer`` signs them."""

    signer: SigningKey
    signing: Sequence[PublicKey]
    encryption: Sequence[PublicKey]
    valid_until: datetime

    @property
    def first(self) -> str:
        """The short name of the key by which answers to readers of these metadata are signed."""
        return short_name(self.signing[0].kid)


def current(keys: Keys, until: datetime) -> Edition:
    """Every key that is to be accepted, the active one first (domain 6.1: old and new together)."""
    signing, encryption = keys.published(KeyUse.SAML_SIGNING), keys.published(KeyUse.SAML_ENCRYPTION)
    return Edition(keys.active(KeyUse.SAML_SIGNING), signing, encryption, until)


def coming(keys: Keys, until: datetime) -> Edition | None:
    """The keys that wait, alone, for who takes one certificate at a time; None when none waits."""
    waiting = [keys.following(use) for use in (KeyUse.SAML_SIGNING, KeyUse.SAML_ENCRYPTION)]
    if not any(waiting):
        return None
    signing, encryption = (
        (one or keys.active(use)).public
        for one, use in zip(waiting, (KeyUse.SAML_SIGNING, KeyUse.SAML_ENCRYPTION), strict=True)
    )
    return Edition(keys.active(KeyUse.SAML_SIGNING), (signing,), (encryption,), until)


def valid_until(settings: Settings, now: datetime) -> datetime:
    """Until when metadata of this day are valid; all workers write the same bytes for a day."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return day + timedelta(days=settings.saml.metadata_days)


def write_metadata(settings: Settings, dialect: Dialect, edition: Edition) -> bytes:
    """The EntityDescriptor of a profile, signed, with the certificate as its only KeyInfo (SIG-5, domain 6.1).

    Validity, errorURL and UIInfo stand in all profiles: the scheme's list of attributes does without them, and every
    reader we know takes them.
    """
    entity_id = escape_attribute(names(settings, dialect).issuer)
    body = (
        f"{_assurance(settings)}{_role(settings, edition, dialect)}{_organisation(settings)}{_contact(settings)}"
        "</md:EntityDescriptor>"
    )
    name = hashlib.sha256(f"{entity_id}{body}".encode()).hexdigest()[:32]
    extension = f' xmlns:eh="urn:etoegang:{dialect.version}:metadata-extension"' if dialect.scheme else ""
    version = f' eh:version="{dialect.version}"' if dialect.scheme else ""
    until = write_instant(edition.valid_until)
    head = (
        f'<md:EntityDescriptor{extension} xmlns:md="{MD}" xmlns:xs="{XS}" xmlns:xsi="{XSI}" '
        f'ID="_{name}" cacheDuration="{_KEEP_FOR}" entityID="{entity_id}" validUntil="{until}"{version}>'
    )
    who = signatory(edition.signer, key_certificate(edition.signer), TYPED_PREFIXES)
    return sign_canonical(head.encode(), body.encode(), who)


def _assurance(settings: Settings) -> str:
    """The highest level we may give (AD-3)."""
    highest = max(Level[name] for name in settings.offered)
    return (
        f'<md:Extensions><mdattr:EntityAttributes xmlns:mdattr="{_ATTRIBUTE_PROFILE}">'
        f'<saml:Attribute xmlns:saml="{SAML}" Name="{ASSURANCE_CERTIFICATION}" NameFormat="{NAME_FORMAT_URI}">'
        f'<saml:AttributeValue xsi:type="xs:string">{highest.urn}</saml:AttributeValue></saml:Attribute>'
        "</mdattr:EntityAttributes></md:Extensions>"
    )


def _role(settings: Settings, edition: Edition, dialect: Dialect) -> str:
    location = escape_attribute(settings.server.base_url + dialect.sso_path_for(edition.first))
    services = "".join(
        f'<md:SingleSignOnService Binding="{binding}" Location="{location}"></md:SingleSignOnService>'
        for binding in _SSO
    )
    exit_location = escape_attribute(settings.server.base_url + dialect.logout_path)
    leaving = "".join(
        f'<md:SingleLogoutService Binding="{one}" Location="{exit_location}"></md:SingleLogoutService>' for one in _SLO
    )
    formats = "".join(f"<md:NameIDFormat>{one}</md:NameIDFormat>" for one in _name_id_formats(dialect))
    error_url = escape_attribute(f"{settings.server.base_url}/klantenservice")
    return (
        f'<md:IDPSSODescriptor WantAuthnRequestsSigned="true" errorURL="{error_url}" '
        f'protocolSupportEnumeration="{PROTOCOL}">'
        f"{_shown(settings)}{''.join(_keys(edition))}{_resolver(settings, dialect)}{leaving}{formats}{services}"
        "</md:IDPSSODescriptor>"
    )


def _resolver(settings: Settings, dialect: Dialect) -> str:
    """Where our artifacts are fetched; each carries the index of the service to ask (domain 3.7)."""
    return "".join(
        f'<md:ArtifactResolutionService Binding="{Binding.SOAP}" Location="{escape_attribute(location)}" '
        f'index="{index}"{_default(index == dialect.artifact_index)}></md:ArtifactResolutionService>'
        for index, location in artifact_services(settings, dialect).items()
    )


def _default(yes: bool) -> str:
    return ' isDefault="true"' if yes else ""


def _keys(edition: Edition) -> Iterator[str]:
    for keys, name in ((edition.signing, "signing"), (edition.encryption, "encryption")):
        for key in keys:
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
    name, page = escape_text(settings.brand.name), escape_text(f"{settings.server.base_url}/klantenservice")
    parts = (
        ("DisplayName", dict.fromkeys(_LANGUAGES, name)),
        ("Description", {one: escape_text(_DESCRIPTION[one].format(name=settings.brand.name)) for one in _LANGUAGES}),
        ("InformationURL", {one: f"{page}?lang={one}" for one in _LANGUAGES}),
    )
    shown = "".join(
        f'<mdui:{tag} xml:lang="{one}">{texts[one]}</mdui:{tag}>' for tag, texts in parts for one in _LANGUAGES
    )
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
