"""Our TOML form of the catalogue, written; ``file`` reads the same services from it."""

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from idp.domain.parties import Service
from idp.services.catalogue.file import ENTITY_TYPES

_SHORT = {urn: name for name, urn in ENTITY_TYPES.items()}


def write_toml(services: Sequence[Service]) -> str:
    """The services of a catalogue, those of a provider together, as a file for ``idp catalogue load``."""
    return "\n".join(line for _, group in by_provider(services) for line in _provider(group))


def by_provider(services: Sequence[Service]) -> Iterator[tuple[str, list[Service]]]:
    """The services by the OIN of their provider, in the order in which providers first stand."""
    order = {oin: place for place, oin in enumerate(dict.fromkeys(one.provider.oin for one in services))}
    together = sorted(services, key=lambda one: order[one.provider.oin])
    for oin, group in groupby(together, key=lambda one: one.provider.oin):
        yield oin, list(group)


def _provider(services: Sequence[Service]) -> Iterator[str]:
    provider = services[0].provider
    yield "[[providers]]"
    yield f"oin = {_value(str(provider.oin))}"
    yield f"name = {_value(provider.name)}"
    yield ""
    for service in services:
        yield "[[providers.services]]"
        yield from (f"{key} = {_value(value)}" for key, value in _facts(service).items())
        if service.portal_for:
            yield f"portal_for = {_value([str(one) for one in service.portal_for])}"
        if service.enforced_from is not None:
            yield f"enforced_from = {service.enforced_from.isoformat()}"
        yield ""


def _facts(service: Service) -> dict[str, Any]:
    return {
        "slug": service.slug,
        "index": service.urn.number,
        "uuid": str(service.uuid),
        "instance_uuid": str(service.instance_uuid),
        "name": service.name,
        "description": service.description,
        "level": service.level.name,
        "branches": service.takes_restriction,
        "chains": service.chains,
        "sso": service.sso,
        "allow_lower": service.allow_lower,
        "public": service.public,
        "entity_types": [[_SHORT[one] for one in types] for types in service.entity_types],
        "attributes": [
            {"name": one.name, "required": one.required, "purpose": one.purpose} for one in service.attributes
        ],
        "url": service.url,
    }


def _value(value: Any) -> str:
    """A value as TOML writes it; a text of ours is the same in JSON, since none has a control character."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    return json.dumps(value, ensure_ascii=False)
