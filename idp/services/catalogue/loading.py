"""The service catalogue: loaded from a checked file into the database, and shown as data."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from idp.domain.audit import Event
from idp.domain.parties import Provider, Service
from idp.services.catalogue.file import BadCatalogue, check
from idp.services.catalogue.portals import portal_faults
from idp.services.work import Work
from idp.store.catalogue import ProviderRow, ServiceRow, read_services
from idp.store.merge import renew
from idp.store.versions import DIRECTORY, bump

_NAMES = {
    "instance_uuid": "each instance a UUID of its own",
    "urn": "each service an index of its own",
    "slug": "each service a name of its own",
}


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
    """Add a service, or change the one with this UUID."""
    values = service_values(service)
    changed = tuple(key for key in values if key != "uuid")
    renew(ServiceRow, ("uuid",), changed).run(work.connection, **values)


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

    A definition's UUID stays with its provider, since mandates are registered for it, and an instance's UUID with its
    definition and ServiceID. Portals hold after the change too, also those that it does not name (domain 7.6).
    """
    columns = (ServiceRow.uuid, ServiceRow.instance_uuid, ServiceRow.urn, ServiceRow.slug, ServiceRow.provider_oin)
    rows = connection.execute(select(*columns)).all()
    named = {(what, getattr(row, what)): row for row in rows for what in ("uuid", *_NAMES)}
    faults = [fault for service in services for fault in _clashes(service, named)]
    together = {one.uuid: one for one in (*read_services(connection), *services)}
    faults += portal_faults(together, together)
    if faults:
        raise BadCatalogue(faults)


def _clashes(service: Service, named: dict[tuple[str, str], Any]) -> Iterator[str]:
    own = named.get(("uuid", service.uuid))
    if own is not None and own.provider_oin != service.provider.oin:
        yield (
            f"The service {service.slug} ({service.uuid}) belongs to the provider {own.provider_oin} already; "
            "a service of another provider needs a UUID of its own."
        )
    elif own is not None and own.instance_uuid == service.instance_uuid and own.urn != service.urn:
        yield f"The service {service.slug} has another ServiceID than before; that needs a new instance_uuid."
    for what, called in _NAMES.items():
        holder = named.get((what, getattr(service, what)))
        if holder is not None and holder.uuid != service.uuid:
            yield f"The {what} {getattr(service, what)} belongs to the service {holder.slug} already; give {called}."
