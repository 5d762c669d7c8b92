"""The service catalogue as a file lists it, checked entry by entry, and our TOML form of it (domain 5.6)."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from idp.domain.assurance import Level
from idp.domain.identifiers import InstanceUuid, Oin, ServiceUrn, ServiceUuid
from idp.domain.naming import KVK, RSIN
from idp.domain.parties import CatalogueAttribute, Provider, Service, by_name
from idp.services.catalogue.definitions import definition_faults
from idp.services.catalogue.portals import meant, plain_name, portal_faults
from idp.services.decision.conclusion import PERSONAL_ATTRIBUTES

ENTITY_TYPES = {"RSIN": RSIN, "KvKnr": KVK}
LANGUAGES = ("nl", "en")
LARGEST = 16 * 1024 * 1024
"""Octets of a catalogue in either form: room for all services of the scheme (SEC-3)."""
_LONGEST_NAME = 64
_LONGEST_TEXT = 1024
_LONGEST_URL = 512
_PART = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*"
_HOST = r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
_URL = re.compile(rf"https?://{_HOST}(?:/{_PART})?(?:\?{_PART.replace('/', '/?')})?(?:#{_PART.replace('/', '/?')})?")
_LANGUAGE = re.compile(r"[a-z]{2,3}", re.ASCII)
# One line that either form can carry: no control character, and nothing at its ends that a reader may take away.
_LINE = re.compile(r"(?! )[^\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]+(?<! )")
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
    "public": bool,
    "entity_types": list,
    "attributes": list,
    "url": str,
    "enforced_from": date,
    "portal_for": list,
}
_OPTIONAL: dict[str, Any] = {
    "sso": False,
    "allow_lower": False,
    "public": True,
    "attributes": [],
    "url": "",
    "enforced_from": None,
    "portal_for": [],
}


class BadCatalogue(Exception):
    """The catalogue is not usable; each fault is one sentence that names the entry."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__(" ".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Listed:
    """A provider as a file lists it, unchecked: its facts, and its services with the words that name their place."""

    where: str
    facts: dict[str, Any]
    services: Sequence[tuple[str, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Draft:
    """The services of a file, and what whoever hands it in should know about how it was read."""

    services: tuple[Service, ...]
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Reading:
    """The faults found so far, so that all are told at once."""

    faults: list[str] = field(default_factory=list)

    def need(self, holds: bool, sentence: str) -> bool:
        """Note the sentence unless the rule holds."""
        if not holds:
            self.faults.append(sentence)
        return holds


def check(path: Path, known: Iterable[Service] = ()) -> tuple[Service, ...]:
    """The services of a file in TOML; raises ``BadCatalogue`` with every fault (domain 5.6)."""
    return read_toml(octets_of(path), path, known)


def octets_of(path: Path) -> bytes:
    """The octets of a catalogue file in either form; raises ``BadCatalogue`` when it cannot be read or is too large."""
    try:
        with path.open("rb") as file:
            octets = file.read(LARGEST + 1)
    except OSError as error:
        raise BadCatalogue([f"The catalogue {path} cannot be read: {error.strerror}."]) from None
    if len(octets) > LARGEST:
        raise BadCatalogue([f"The catalogue {path} has more than {LARGEST // 1024**2} MiB; split it by provider."])
    return octets


def read_toml(octets: bytes, path: Path, known: Iterable[Service] = ()) -> tuple[Service, ...]:
    """The services of our form; raises ``BadCatalogue`` with every fault (domain 5.6)."""
    try:
        tables = tomllib.loads(octets.decode("utf-8").replace("\r\n", "\n"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadCatalogue([f"The catalogue {path} is not valid TOML: {error}."]) from None
    entries = tables.get("providers", [])
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise BadCatalogue(["The catalogue has no [[providers]]."])
    return judge([_listed(entry) for entry in entries], known)


def judge(providers: Sequence[Listed], known: Iterable[Service] = ()) -> tuple[Service, ...]:
    """The services that a file lists, whatever its form; raises ``BadCatalogue`` with every fault (domain 5.6).

    A portal may be for services of the file and for ``known`` ones, those of the database.
    """
    reading = _Reading()
    read = [
        (service, where, entry.get("portal_for", []))
        for provider, entries in _providers(providers, reading)
        for where, entry in entries
        if (service := _service(provider, entry, where, reading)) is not None
    ]
    listed = [service for service, _, _ in read]
    _unique(listed, reading)
    reading.faults += definition_faults(listed)
    if reading.faults:
        raise BadCatalogue(reading.faults)
    services = _portals(read, known, reading)
    if reading.faults:
        raise BadCatalogue(reading.faults)
    return services


def _portals(
    read: Sequence[tuple[Service, str, Sequence[str]]], known: Iterable[Service], reading: _Reading
) -> tuple[Service, ...]:
    """The services with what their portals name in place of the names; those of the file go before known ones."""
    if not any(names for _, _, names in read):
        return tuple(service for service, _, _ in read)
    every = {one.instance_uuid: one for one in known}
    every |= {service.instance_uuid: service for service, _, _ in read}
    named = by_name(tuple(every.values()))
    services = []
    for service, where, names in read:
        found = [meant(service, named.get(plain_name(name), ())) for name in names]
        for name, ones in zip(names, found, strict=True):
            reading.need(bool(ones), f"{where}: portal_for names {name}, and there is no such service here.")
            several = ", ".join(one.slug for one in ones)
            reading.need(len(ones) < 2, f"{where}: portal_for names {name}, the UUID of several ({several}); name one.")
        behind = tuple(ones[0].instance_uuid for ones in found if ones)
        reading.need(len(set(behind)) == len(behind), f"{where}: portal_for names a service twice.")
        services.append(replace(service, portal_for=behind))
    # Portals of before are judged where they are stored together with these.
    reading.faults += portal_faults(every | {one.instance_uuid: one for one in services}, services)
    return tuple(services)


def _listed(entry: dict[str, Any]) -> Listed:
    given = entry.get("services", [])
    tables = [one if isinstance(one, dict) else {} for one in given] if isinstance(given, list) else [{}]
    return Listed(
        f"provider {entry.get('oin', '?')}", entry, [(f"service {one.get('slug', '?')}", one) for one in tables]
    )


def _providers(
    listed: Sequence[Listed], reading: _Reading
) -> Iterator[tuple[Provider, Sequence[tuple[str, dict[str, Any]]]]]:
    if not reading.need(bool(listed), "The catalogue has no [[providers]]."):
        return
    seen: set[str] = set()
    for one in listed:
        oin, name = str(one.facts.get("oin", "")), one.facts.get("name")
        valid = Oin.pattern.fullmatch(oin) is not None
        if not reading.need(valid, f"The OIN {oin!r} of a provider is not 20 digits."):
            continue
        reading.need(oin not in seen, f"The OIN {oin} stands twice; put all services of a provider together.")
        seen.add(oin)
        if _texts(name, _LONGEST_NAME, f"{one.where}: name", reading):
            yield Provider(Oin(oin), dict(name or {})), one.services


def _service(provider: Provider, entry: dict[str, Any], where: str, reading: _Reading) -> Service | None:
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
        instance_uuid=InstanceUuid(given["instance_uuid"]),
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
        public=given["public"],
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
    sound = url == "" or (len(url) <= _LONGEST_URL and _URL.fullmatch(url) is not None)
    reading.need(
        sound, f"{where}: url must begin with https:// and be an address of at most {_LONGEST_URL} characters."
    )
    _texts(given["name"], _LONGEST_NAME, f"{where}: name", reading)
    _texts(given["description"], _LONGEST_TEXT, f"{where}: description", reading)
    _entity_types(given["entity_types"], where, reading)
    for attribute in given["attributes"]:
        _attribute(attribute, where, reading)
    plain = all(isinstance(one, str) for one in given["portal_for"])
    reading.need(plain, f"{where}: portal_for must be a list of texts: names, ServiceIDs or UUIDs of services.")


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
    known = isinstance(name, str) and name in PERSONAL_ATTRIBUTES
    reading.need(known, f"{where}: the attribute {name} is not in the attribute catalogue.")
    _texts(attribute["purpose"], _LONGEST_TEXT, f"{where}: purpose of {name}", reading)


def _texts(texts: Any, longest: int, where: str, reading: _Reading) -> bool:
    present = isinstance(texts, dict) and all(isinstance(texts.get(language), str) for language in LANGUAGES)
    if not reading.need(present, f"{where} must have a text in {' and '.join(LANGUAGES)}."):
        return False
    named = all(_LANGUAGE.fullmatch(language) and isinstance(text, str) for language, text in texts.items())
    if not reading.need(named, f"{where} may have texts by a language of two or three small letters only."):
        return False
    short = all(0 < len(text) <= longest for text in texts.values())
    if not reading.need(short, f"{where} must have 1 to {longest} characters."):
        return False
    plain = all(_LINE.fullmatch(text) for text in texts.values())
    return reading.need(plain, f"{where} must be one line without control characters and without spaces at its ends.")


def _unique(services: Sequence[Service], reading: _Reading) -> None:
    """Each name is used once (domain 5.6)."""
    for what in ("slug", "urn", "instance_uuid"):
        counted = Counter(getattr(service, what) for service in services)
        for twice in sorted(value for value, count in counted.items() if count > 1):
            reading.need(False, f"The {what} {twice} is used twice.")
