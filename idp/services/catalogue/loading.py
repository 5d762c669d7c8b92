"""The service catalogue: loaded from a checked file into the database, and shown as data."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from idp.domain.audit import Event
from idp.domain.parties import Provider, Service
from idp.services.catalogue.definitions import definition_faults
from idp.services.catalogue.file import BadCatalogue, check
from idp.services.catalogue.portals import portal_faults
from idp.services.work import Work
from idp.store.catalogue import ProviderRow, ServiceRow, read_services
from idp.store.merge import renew
from idp.store.versions import DIRECTORY, bump

_NAMES = {
    "urn": "each instance an index of its own",
    "slug": "each instance a name of its own",
}
_KEPT = {"uuid": "definition", "urn": "ServiceID"}


def load(work: Work, path: Path) -> tuple[Service, ...]:
    """Write a catalogue file in TOML into the database; raises ``BadCatalogue``."""
    return store(work, check(path, read_services(work.connection)))


def store(work: Work, services: tuple[Service, ...]) -> tuple[Service, ...]:
    """Write checked services into the database, new entries and changed ones; what they do not name stays.

    Raises ``BadCatalogue`` when a name or UUID belongs to another service (domain 5.6).
    """
    refuse_taken(work.connection, services)
    for provider in {service.provider.oin: service.provider for service in services}.values():
        write_provider(work, provider)
    for service in services:
        write_service(work, service)
    bump(work.connection, DIRECTORY)
    work.record(Event.CATALOGUE_LOADED, services=str(len(services)))
    return services


def show(connection: Connection) -> list[dict[str, Any]]:
    """The catalogue of the database as plain data, in its order."""
    return [as_data(service) for service in read_services(connection)]


def as_data(service: Service) -> dict[str, Any]:
    """One service as plain data: what people and other programs may know of it (F03)."""
    return {
        "id": service.slug,
        "service_id": str(service.urn),
        "uuid": str(service.uuid),
        "instance_uuid": str(service.instance_uuid),
        "provider": {"oin": str(service.provider.oin), "name": service.provider.name},
        "name": service.name,
        "description": service.description,
        "level": service.level.label,
        "level_urn": service.level.urn,
        "branches": service.takes_restriction,
        "chains": service.chains,
        "sso": service.sso,
        "allow_lower": service.allow_lower,
        "entity_types": [list(types) for types in service.entity_types],
        "attributes": [
            {"name": one.name, "required": one.required, "purpose": one.purpose} for one in service.attributes
        ],
        "url": service.url,
        "enforced_from": service.enforced_from.isoformat() if service.enforced_from else None,
        "public": service.public,
        "portal_for": [str(one) for one in service.portal_for],
    }


def write_provider(work: Work, provider: Provider) -> None:
    """Add a provider, or change its name."""
    values = {"oin": str(provider.oin), "name": json.dumps(provider.name, ensure_ascii=False)}
    renew(ProviderRow, ("oin",), ("name",)).run(work.connection, **values)


def write_service(work: Work, service: Service) -> None:
    """Add an instance of a service, or change the one with this UUID."""
    values = service_values(service)
    changed = tuple(key for key in values if key != "instance_uuid")
    renew(ServiceRow, ("instance_uuid",), changed).run(work.connection, **values)


def service_values(service: Service) -> dict[str, Any]:
    """A service as the values of its row."""
    return {
        "uuid": str(service.uuid),
        "instance_uuid": str(service.instance_uuid),
        "urn": str(service.urn),
        "slug": service.slug,
        "provider_oin": str(service.provider.oin),
        "level": int(service.level),
        "takes_restriction": service.takes_restriction,
        "chains": service.chains,
        "sso": service.sso,
        "allow_lower": service.allow_lower,
        "enforced_from": service.enforced_from,
        "portal_for": ",".join(service.portal_for),
        "facts": json.dumps(
            {
                "name": service.name,
                "description": service.description,
                "entity_types": service.entity_types,
                "attributes": as_data(service)["attributes"],
                "url": service.url,
                "public": service.public,
            },
            ensure_ascii=False,
        ),
    }


def refuse_taken(connection: Connection, services: Sequence[Service]) -> None:
    """Hold services against those of the database; raises ``BadCatalogue`` (domain 5.1).

    An instance's UUID stays with its definition, for which mandates are registered, with its ServiceID and so with its
    provider. Definitions and portals hold after the change too, also where it does not name them (domain 7.6).
    """
    known = read_services(connection)
    named = {(what, getattr(one, what)): one for one in known for what in ("instance_uuid", *_NAMES)}
    faults = [fault for service in services for fault in _clashes(service, named)]
    together = {one.instance_uuid: one for one in (*known, *services)}
    faults += definition_faults(together.values())
    faults += portal_faults(together, together.values())
    if faults:
        raise BadCatalogue(faults)


def _clashes(service: Service, named: dict[tuple[str, str], Service]) -> Iterator[str]:
    own = named.get(("instance_uuid", service.instance_uuid))
    for what, called in _KEPT.items() if own is not None else ():
        if getattr(own, what) != getattr(service, what):
            yield f"The service {service.slug} has another {called} than before; that needs a new instance_uuid."
    for what, called in _NAMES.items():
        holder = named.get((what, getattr(service, what)))
        if holder is not None and holder.instance_uuid != service.instance_uuid:
            yield f"The {what} {getattr(service, what)} belongs to the service {holder.slug} already; give {called}."
