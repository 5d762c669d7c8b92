"""Our service catalogue in the scheme's XML, signed (domain 5.2)."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from idp.domain.identifiers import InstanceUuid
from idp.domain.parties import CatalogueAttribute, Service
from idp.ports import KeyUse
from idp.protocols.saml.catalogue.classifiers import write_classifiers
from idp.protocols.saml.catalogue.names import BRANCH_RESTRICTION, ESC
from idp.protocols.saml.times import write_instant
from idp.protocols.saml.voice import signatory
from idp.protocols.saml.xmlsec.signing import Signatory, key_certificate, sign_canonical
from idp.protocols.saml.xmlsec.xml import SAML, escape_attribute, escape_text
from idp.services.catalogue.definitions import by_definition
from idp.services.catalogue.file import LANGUAGES
from idp.services.catalogue.portals import URN_OF_UUID, shown
from idp.services.catalogue.text import by_provider
from idp.services.work import Office


@dataclass(frozen=True, slots=True)
class _Whole:
    """What the parts of a document have to know of it: our OIN, the instances of each definition, the ServiceIDs."""

    broker: str
    definitions: Mapping[str, Sequence[Service]]
    urns: Mapping[InstanceUuid, str]


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
    urns = {one.instance_uuid: str(one.urn) for one in services}
    whole = _Whole(broker, by_definition(services), urns)
    body = "".join(_provider(group, whole) for _, group in by_provider(services))
    name = hashlib.sha256(f"{version}{body}".encode()).hexdigest()[:32]
    head = (
        f'<esc:ServiceCatalogue xmlns:esc="{ESC}" ID="_{name}" esc:IssueInstant="{write_instant(issued)}" '
        f'esc:Version="{escape_attribute(version)}">'
    )
    return sign_canonical(head.encode(), f"{body}</esc:ServiceCatalogue>".encode(), who)


def _provider(services: Sequence[Service], whole: _Whole) -> str:
    """A definition stands where the first of its instances does, once; those of other providers point to it."""
    provider = services[0].provider
    defined = [instances for one in services if (instances := whole.definitions[one.uuid])[0] is one]
    public = _boolean(any(one.public for one in services))
    return (
        f'<esc:ServiceProvider esc:IsPublic="{public}">{_element("ServiceProviderID", provider.oin)}'
        f"{_localised('OrganizationDisplayName', provider.name)}"
        f"{''.join(_definition(one, whole) for one in defined)}"
        f"{''.join(_instance(one, whole) for one in services)}"
        "</esc:ServiceProvider>"
    )


def _definition(instances: Sequence[Service], whole: _Whole) -> str:
    """What the instances say alike, with the entity types of the first: public and a portal as far as they are."""
    service = instances[0]
    public = _boolean(any(one.public for one in instances))
    branches = _element("ServiceRestrictionsAllowed", BRANCH_RESTRICTION) if service.takes_restriction else ""
    level = f'<saml:AuthnContextClassRef xmlns:saml="{SAML}">{service.level.urn}</saml:AuthnContextClassRef>'
    return (
        f"<esc:ServiceDefinition{_portal(instances)} "
        f'esc:IsPublic="{public}">{_element("ServiceUUID", service.uuid)}'
        f"{_localised('ServiceName', service.name)}{_localised('ServiceDescription', service.description)}"
        f"{level}{_element('HerkenningsmakelaarId', whole.broker)}{_types(service)}{branches}"
        f"{''.join(map(_attribute, service.attributes))}</esc:ServiceDefinition>"
    )


def _types(service: Service) -> str:
    return "".join(
        f'<esc:EntityConcernedTypesAllowed setNumber="{number}">{escape_text(one)}</esc:EntityConcernedTypesAllowed>'
        for number, together in enumerate(service.entity_types, 1)
        for one in together
    )


def _attribute(attribute: CatalogueAttribute) -> str:
    name, required = escape_attribute(attribute.name), _boolean(attribute.required)
    purpose = _localised("PurposeStatement", attribute.purpose)
    return f'<esc:RequestedAttribute Name="{name}" isRequired="{required}">{purpose}</esc:RequestedAttribute>'


def _portal(instances: Sequence[Service]) -> str:
    return ' esc:IsPortal="true"' if all(one.portal_for for one in instances) else ""


def _instance(service: Service, whole: _Whole) -> str:
    """A portal names services by the ServiceIDs of the document, else by UUID; other entity types replace (EC-5)."""
    first = whole.definitions[service.uuid][0]
    types = _types(service) if service.entity_types != first.entity_types else ""
    url = _localised("ServiceURL", dict.fromkeys(LANGUAGES, service.url)) if service.url else ""
    classifiers = "".join(_element("Classifier", one) for one in write_classifiers(service))
    led_to = "".join(_element("PortalForService", whole.urns.get(one, URN_OF_UUID + one)) for one in service.portal_for)
    return (
        f"<esc:ServiceInstance{_portal([service])} "
        f'esc:IsPublic="{_boolean(service.public)}">{_element("ServiceID", service.urn)}'
        f"{_element('ServiceUUID', service.instance_uuid)}{_element('InstanceOfService', service.uuid)}{url}"
        f"{_element('HerkenningsmakelaarId', whole.broker)}{_element('SSOSupport', _boolean(service.sso))}{types}"
        f"{_element('Classifiers', classifiers, markup=True)}{led_to}</esc:ServiceInstance>"
    )


def _localised(name: str, texts: Mapping[str, str]) -> str:
    return "".join(
        f'<esc:{name} xml:lang="{escape_attribute(language)}">{escape_text(text)}</esc:{name}>'
        for language, text in texts.items()
    )


def _element(name: str, text: str, *, markup: bool = False) -> str:
    return f"<esc:{name}>{text if markup else escape_text(text)}</esc:{name}>"


def _boolean(value: bool) -> str:
    return "true" if value else "false"
