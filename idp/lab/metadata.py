"""SAML metadata of the laboratory's own relying parties."""

from collections.abc import Sequence
from dataclasses import dataclass

from idp.domain.parties import Service
from idp.protocols.saml.names import PROTOCOL, Binding
from idp.protocols.saml.xmlsec.xml import DS, MD, escape_attribute, escape_text


@dataclass(frozen=True, slots=True)
class Description:
    """What the metadata of a relying party say; ``certificate`` is DER in base64, ``key_name`` its name."""

    entity_id: str
    name: str
    acs: str
    certificate: str
    key_name: str
    encrypts: bool
    services: Sequence[Service]


def document(one: Description) -> str:
    """An EntityDescriptor: one POST address, one certificate, and an index from 1 for each service (domain 6.1)."""
    uses = ("signing", "encryption") if one.encrypts else ("signing",)
    keys = "".join(_key(use, one) for use in uses)
    services = "".join(_service(index, service) for index, service in enumerate(one.services, 1))
    return (
        f'<md:EntityDescriptor xmlns:md="{MD}" xmlns:ds="{DS}" entityID="{escape_attribute(one.entity_id)}">'
        '<md:SPSSODescriptor AuthnRequestsSigned="true" WantAssertionsSigned="true" '
        f'protocolSupportEnumeration="{PROTOCOL}">{keys}'
        f'<md:AssertionConsumerService Binding="{Binding.POST.value}" Location="{escape_attribute(one.acs)}" '
        f'index="0" isDefault="true"/>{services}</md:SPSSODescriptor>'
        f'<md:Organization><md:OrganizationName xml:lang="nl">{escape_text(one.name)}</md:OrganizationName>'
        f'<md:OrganizationDisplayName xml:lang="nl">{escape_text(one.name)}</md:OrganizationDisplayName>'
        f'<md:OrganizationURL xml:lang="nl">{escape_text(one.acs)}</md:OrganizationURL></md:Organization>'
        "</md:EntityDescriptor>"
    )


def _key(use: str, one: Description) -> str:
    return (
        f'<md:KeyDescriptor use="{use}"><ds:KeyInfo><ds:KeyName>{escape_text(one.key_name)}</ds:KeyName>'
        f"<ds:X509Data><ds:X509Certificate>{one.certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
        "</md:KeyDescriptor>"
    )


def _service(index: int, service: Service) -> str:
    default = ' isDefault="true"' if index == 1 else ""
    return (
        f'<md:AttributeConsumingService index="{index}"{default}>'
        f'<md:ServiceName xml:lang="nl">{escape_text(service.name["nl"])}</md:ServiceName>'
        f'<md:RequestedAttribute Name="{escape_attribute(service.urn)}"/></md:AttributeConsumingService>'
    )
