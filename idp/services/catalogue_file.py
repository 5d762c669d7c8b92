"""Our TOML form of the service catalogue: read, and checked entry by entry (domain 5.6)."""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from idp.domain.assurance import Level
from idp.domain.identifiers import Oin, ServiceUrn, ServiceUuid
from idp.domain.parties import CatalogueAttribute, Provider, Service
from idp.services.conclusion import PERSONAL_ATTRIBUTES

ENTITY_TYPES = {
    "RSIN": "urn:etoegang:1.9:EntityConcernedID:RSIN",
    "KvKnr": "urn:etoegang:1.9:EntityConcernedID:KvKnr",
}
LANGUAGES = ("nl", "en")
_LONGEST_NAME = 64
_LONGEST_TEXT = 1024
_SLUG_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-")
_SERVICE_KEYS = {
    "slug": str,
    "index": int,
    "uuid": str,
    "instance_uuid": str,
    "name": dict,
    "description": dict,
    "level": str,
    "branches": bool,
    "chains": bool,
    "sso": bool,
    "allow_lower": bool,
    "entity_types": list,
    "attributes": list,
    "url": str,
    "enforced_from": date,
}
_OPTIONAL: dict[str, Any] = {
    "sso": False,
    "allow_lower": False,
    "attributes": [],
    "url": "",
    "enforced_from": None,
}


class BadCatalogue(Exception):
    """The catalogue is not usable; each fault is one sentence that names the entry."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__(" ".join(faults))
        self.faults = tuple(faults)


@dataclass(slots=True)
class _Reading:
    """The faults found so far, so that all are told at once."""

    faults: list[str] = field(default_factory=list)

    def need(self, holds: bool, sentence: str) -> bool:
        """Note the sentence unless the rule holds."""
        if not holds:
            self.faults.append(sentence)
        return holds


def check(path: Path) -> tuple[Service, ...]:
    """The services of a catalogue file; raises ``BadCatalogue`` with every fault (domain 5.6)."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadCatalogue([f"The catalogue {path} cannot be read: {error.strerror}."]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadCatalogue([f"The catalogue {path} is not valid TOML: {error}."]) from None
    reading = _Reading()
    services = [
        service
        for provider, entries in _providers(tables, reading)
        for entry in entries
        if (service := _service(provider, entry, reading)) is not None
    ]
    _unique(services, reading)
    if reading.faults:
        raise BadCatalogue(reading.faults)
    return tuple(services)


def _providers(tables: dict[str, Any], reading: _Reading) -> Iterator[tuple[Provider, list[dict[str, Any]]]]:
    entries = tables.get("providers", [])
    if not reading.need(isinstance(entries, list) and bool(entries), "The catalogue has no [[providers]]."):
        return
    seen: set[str] = set()
    for entry in entries:
        oin, name = str(entry.get("oin", "")), entry.get("name")
        valid = oin.isascii() and oin.isdecimal() and len(oin) == 20
        if not reading.need(valid, f"The OIN {oin!r} of a provider is not 20 digits."):
            continue
        reading.need(oin not in seen, f"The OIN {oin} stands twice; put all services of a provider together.")
        seen.add(oin)
        if _texts(name, _LONGEST_NAME, f"provider {oin}: name", reading):
            yield Provider(Oin(oin), dict(name)), entry.get("services", [])


def _service(provider: Provider, entry: dict[str, Any], reading: _Reading) -> Service | None:
    where = f"service {entry.get('slug', '?')}"
    before = len(reading.faults)
    given = _OPTIONAL | entry
    for key, kind in _SERVICE_KEYS.items():
        fits = type(entry.get(key)) is kind or (key not in entry and key in _OPTIONAL)
        reading.need(fits, f"{where}: {key} must be a value of type {kind.__name__}.")
    for key in entry.keys() - _SERVICE_KEYS.keys():
        reading.need(False, f"{where}: {key} is unknown.")
    if len(reading.faults) == before:
        _judge(given, where, reading)
    if len(reading.faults) > before:
        return None
    return Service(
        uuid=ServiceUuid(given["uuid"]),
        instance_uuid=ServiceUuid(given["instance_uuid"]),
        urn=ServiceUrn(f"urn:etoegang:DV:{provider.oin}:services:{given['index']}"),
        slug=given["slug"],
        provider=provider,
        name=dict(given["name"]),
        description=dict(given["description"]),
        level=Level[given["level"]],
        takes_restriction=given["branches"],
        chains=given["chains"],
        sso=given["sso"],
        allow_lower=given["allow_lower"],
        entity_types=tuple(tuple(ENTITY_TYPES[one] for one in types) for types in given["entity_types"]),
        attributes=tuple(
            CatalogueAttribute(one["name"], one["required"], one["purpose"]) for one in given["attributes"]
        ),
        url=given["url"],
        enforced_from=given["enforced_from"],
    )


def _judge(given: dict[str, Any], where: str, reading: _Reading) -> None:
    """The rules for one service whose keys are all there."""
    slug, url = given["slug"], given["url"]
    named = 0 < len(slug) <= _LONGEST_NAME and _SLUG_CHARACTERS.issuperset(slug)
    reading.need(named, f"{where}: slug must be at most 64 letters, digits and hyphens.")
    reading.need(1 <= given["index"] < 10**9, f"{where}: index must be at least 1.")
    for key in ("uuid", "instance_uuid"):
        valid = ServiceUuid.pattern.fullmatch(given[key]) is not None
        reading.need(valid, f"{where}: {key} must be a UUID in lower case.")
    levels = ", ".join(level.name for level in Level)
    reading.need(given["level"] in Level.__members__, f"{where}: level must be one of {levels}.")
    reading.need(url == "" or url.startswith(("https://", "http://")), f"{where}: url must begin with https://.")
    _texts(given["name"], _LONGEST_NAME, f"{where}: name", reading)
    _texts(given["description"], _LONGEST_TEXT, f"{where}: description", reading)
    _entity_types(given["entity_types"], where, reading)
    for attribute in given["attributes"]:
        _attribute(attribute, where, reading)


def _entity_types(sets: list[Any], where: str, reading: _Reading) -> None:
    filled = bool(sets) and all(isinstance(types, list) and types for types in sets)
    if reading.need(filled, f"{where}: entity_types must be a list of lists."):
        known = all(isinstance(one, str) and one in ENTITY_TYPES for types in sets for one in types)
        reading.need(known, f"{where}: entity_types may name {' and '.join(ENTITY_TYPES)} only.")


def _attribute(attribute: Any, where: str, reading: _Reading) -> None:
    shaped = isinstance(attribute, dict) and attribute.keys() == {"name", "required", "purpose"}
    if not reading.need(shaped, f"{where}: an attribute has a name, required and a purpose."):
        return
    name = attribute["name"]
    plain = isinstance(attribute["required"], bool)
    reading.need(plain, f"{where}: required of {name} must be true or false.")
    known = name in PERSONAL_ATTRIBUTES
    reading.need(known, f"{where}: the attribute {name} is not in the attribute catalogue.")
    _texts(attribute["purpose"], _LONGEST_TEXT, f"{where}: purpose of {name}", reading)


def _texts(texts: Any, longest: int, where: str, reading: _Reading) -> bool:
    present = isinstance(texts, dict) and all(isinstance(texts.get(language), str) for language in LANGUAGES)
    if not reading.need(present, f"{where} must have a text in {' and '.join(LANGUAGES)}."):
        return False
    short = all(0 < len(text) <= longest for text in texts.values() if isinstance(text, str))
    return reading.need(short, f"{where} must have 1 to {longest} characters.")


def _unique(services: Sequence[Service], reading: _Reading) -> None:
    """Each name is used once (domain 5.6)."""
    for what in ("slug", "urn", "uuid", "instance_uuid"):
        values = [getattr(service, what) for service in services]
        for twice in sorted({value for value in values if values.count(value) > 1}):
            reading.need(False, f"The {what} {twice} is used twice.")
