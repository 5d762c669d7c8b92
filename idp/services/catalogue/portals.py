"""Portals of the catalogue: which services they name, and what is wrong with that (domain 5.6, 7.6)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from idp.domain.identifiers import InstanceUuid, ServiceUuid
from idp.domain.parties import Service

URN_OF_UUID = "urn:uuid:"


def plain_name(text: str) -> str:
    """A name as the catalogue has it: a UUID in small letters, without the prefix that makes a URI of it."""
    uuid = text.lower().removeprefix(URN_OF_UUID)
    return uuid if ServiceUuid.pattern.fullmatch(uuid) else text


def meant(portal: Service, found: Sequence[Service]) -> Sequence[Service]:
    """Which of the services of one name a portal may be for: of a definition's instances those of its provider."""
    return [one for one in found if one.provider.oin == portal.provider.oin] or found


def shown(services: Sequence[Service]) -> list[Service]:
    """What stands in lists for everyone (domain 5.2): the public services, and portals with what is public behind them.

    A portal without any of those leads nowhere that may be told, and is left out.
    """
    public = {one.instance_uuid for one in services if one.public}
    found = []
    for one in services:
        left = tuple(uuid for uuid in one.portal_for if uuid in public)
        if one.public and (left or not one.portal_for):
            found.append(one if left == one.portal_for else replace(one, portal_for=left))
    return found


def portal_faults(services: Mapping[InstanceUuid, Service], portals: Iterable[Service]) -> Iterator[str]:
    """What is wrong with portals among the services of a catalogue: a sentence for each service of a portal.

    One answer tells of all its services, so none of them may ask more than the portal does (domain 7.6), come from
    another provider (RUL-10), or be entered by a kept session where it takes none (S-8).
    """
    for portal in portals:
        yield from _portal_faults(portal, services)


def _portal_faults(portal: Service, services: Mapping[InstanceUuid, Service]) -> Iterator[str]:
    name = f"The portal {portal.slug}"
    if portal.portal_for and portal.allow_lower:
        yield f"{name} may not allow a lower level than its own: the services behind it ask theirs."
    for uuid in portal.portal_for:
        one = services.get(uuid)
        if one is None:
            yield f"{name} is for the service {uuid}, which the catalogue does not have."
        else:
            yield from (f"{name} is for {one.slug}, {fault}" for fault in _service_faults(portal, one))


def _service_faults(portal: Service, service: Service) -> Iterator[str]:
    if service.instance_uuid == portal.instance_uuid:
        yield "which is the portal itself; name the services behind it."
    elif service.portal_for:
        yield "which is a portal too; name the services behind that one instead."
    if service.provider.oin != portal.provider.oin:
        yield f"which belongs to another provider ({service.provider.oin})."
    if service.level > portal.level:
        yield f"which asks {service.level.label}; the portal has to ask that too, and asks {portal.level.label}."
    if portal.sso and not service.sso:
        yield "which takes no kept session; then the portal may not take one either (sso)."
