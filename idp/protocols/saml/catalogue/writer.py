"""Our service catalogue in the scheme's XML, signed (domain 5.2)."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from idp.domain.identifiers import ServiceUuid
from idp.domain.parties import CatalogueAttribute, Service
from idp.ports import KeyUse
from idp.protocols.saml.catalogue.names import (
    ALLOW_LOWER,
    BRANCH_RESTRICTION,
    CHAINS,
    ENFORCED_FROM,
    ESC,
    SLUG,
)
from idp.protocols.saml.times import write_instant
from idp.protocols.saml.voice import signatory
from idp.protocols.saml.xmlsec.signing import Signatory, key_certificate, sign_canonical
from idp.protocols.saml.xmlsec.xml import SAML, escape_attribute, escape_text
from idp.services.catalogue.file import LANGUAGES
from idp.services.catalogue.portals import URN_OF_UUID, shown
from idp.services.catalogue.text import by_provider
from idp.services.work import Office


def published(office: Office) -> bytes:
    """What anybody may fetch: the public services of this day, signed; nothing at all while there is none.

    It is written when first asked and kept, since with thousands of providers it is large and seldom read.
    """

    def make(services: Sequence[Service]) -> bytes:
        public = shown(services)
        return signed_catalogue(office, public) if public else b""

    kid = office.keys.active(KeyUse.SAML_SIGNING).public.kid
    return office.directory.made("service catalogue", (kid, office.clock.now().date()), make)


def signed_catalogue(office: Office, services: Sequence[Service]) -> bytes:
    """These services as the catalogue of this day, signed by the key that signs our metadata.

    All workers write the same bytes for a day; the number at the end of the version never falls.
    """
    day = office.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    environment = "T" if office.settings.lab.enabled else "P"
    version = f"urn:etoegang:1.13:service-catalogue:{environment}:{office.directory.version()}"
    key = office.keys.active(KeyUse.SAML_SIGNING)
    return write_catalogue(services, office.settings.saml.oin, (version, day), signatory(key, key_certificate(key)))


def write_catalogue(services: Sequence[Service], broker: str, edition: tuple[str, datetime], who: Signatory) -> bytes:
    """A ServiceCatalogue of at least one service: ``broker`` is our OIN, ``edition`` its version and instant."""
    version, issued = edition
    body = "".join(_provider(group, broker, services) for _, group in by_provider(services))
    name = hashlib.sha256(f"{version}{body}".encode()).hexdigest()[:32]
    head = (
        f'<esc:ServiceCatalogue xmlns:esc="{ESC}" ID="_{name}" esc:IssueInstant="{write_instant(issued)}" '
        f'esc:Version="{escape_attribute(version)}">'
    )
    return sign_canonical(head.encode(), f"{body}</esc:ServiceCatalogue>".encode(), who)


def _provider(services: Sequence[Service], broker: str, every: Sequence[Service]) -> str:
    provider = services[0].provider
    urns = {one.uuid: str(one.urn) for one in every} if any(one.portal_for for one in services) else {}
    public = _boolean(any(one.public for one in services))
    return (
        f'<esc:ServiceProvider esc:IsPublic="{public}">{_element("ServiceProviderID", provider.oin)}'
        f"{_localised('OrganizationDisplayName', provider.name)}"
        f"{''.join(_definition(one, broker) for one in services)}"
        f"{''.join(_instance(one, broker, urns) for one in services)}"
        "</esc:ServiceProvider>"
    )


def _definition(service: Service, broker: str) -> str:
    types = "".join(
        f'<esc:EntityConcernedTypesAllowed setNumber="{number}">{escape_text(one)}</esc:EntityConcernedTypesAllowed>'
        for number, together in enumerate(service.entity_types, 1)
        for one in together
    )
    branches = _element("ServiceRestrictionsAllowed", BRANCH_RESTRICTION) if service.takes_restriction else ""
    level = f'<saml:AuthnContextClassRef xmlns:saml="{SAML}">{service.level.urn}</saml:AuthnContextClassRef>'
    return (
        f"<esc:ServiceDefinition{_portal(service)} "
        f'esc:IsPublic="{_boolean(service.public)}">{_element("ServiceUUID", service.uuid)}'
        f"{_localised('ServiceName', service.name)}{_localised('ServiceDescription', service.description)}"
        f"{level}{_element('HerkenningsmakelaarId', broker)}{types}{branches}"
        f"{''.join(map(_attribute, service.attributes))}</esc:ServiceDefinition>"
    )


def _attribute(attribute: CatalogueAttribute) -> str:
    name, required = escape_attribute(attribute.name), _boolean(attribute.required)
    purpose = _localised("PurposeStatement", attribute.purpose)
    return f'<esc:RequestedAttribute Name="{name}" isRequired="{required}">{purpose}</esc:RequestedAttribute>'


def _portal(service: Service) -> str:
    return ' esc:IsPortal="true"' if service.portal_for else ""


def _instance(service: Service, broker: str, urns: Mapping[ServiceUuid, str]) -> str:
    """``urns`` are the ServiceIDs of the document: by these a portal names its services, else by UUID."""
    url = _localised("ServiceURL", dict.fromkeys(LANGUAGES, service.url)) if service.url else ""
    classifiers = "".join(_element("Classifier", one) for one in _classifiers(service))
    led_to = "".join(_element("PortalForService", urns.get(one, URN_OF_UUID + one)) for one in service.portal_for)
    return (
        f"<esc:ServiceInstance{_portal(service)} "
        f'esc:IsPublic="{_boolean(service.public)}">{_element("ServiceID", service.urn)}'
        f"{_element('ServiceUUID', service.instance_uuid)}{_element('InstanceOfService', service.uuid)}{url}"
        f"{_element('HerkenningsmakelaarId', broker)}{_element('SSOSupport', _boolean(service.sso))}"
        f"{_element('Classifiers', classifiers, markup=True)}{led_to}</esc:ServiceInstance>"
    )


def _classifiers(service: Service) -> Iterator[str]:
    """What the scheme has no place for, so that nothing is lost on the way through XML."""
    yield SLUG + service.slug
    if service.chains:
        yield CHAINS
    if service.allow_lower:
        yield ALLOW_LOWER
    if service.enforced_from is not None:
        yield ENFORCED_FROM + service.enforced_from.isoformat()


def _localised(name: str, texts: Mapping[str, str]) -> str:
    return "".join(
        f'<esc:{name} xml:lang="{escape_attribute(language)}">{escape_text(text)}</esc:{name}>'
        for language, text in texts.items()
    )


def _element(name: str, text: str, *, markup: bool = False) -> str:
    return f"<esc:{name}>{text if markup else escape_text(text)}</esc:{name}>"


def _boolean(value: bool) -> str:
    return "true" if value else "false"
