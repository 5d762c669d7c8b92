"""The invented world as values: organisations, personas and what each is told at every service."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from idp.domain.assurance import Level
from idp.domain.mandates import add_months
from idp.domain.reasons import Reason
from idp.settings import product_file

GRANTED, LOCKED = "granted", "LOCKED"
_REASONS = {reason.code: reason.value for reason in Reason}
_OFFSET = re.compile(r"([+-][0-9]+)([dmy])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch of an organisation; the first of its list is the main one, and few still have their old number."""

    number: str
    name: str
    subdossier: str | None = None


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation of the world; ``address`` is street, postcode and city."""

    id: str
    kvk: str
    rsin: str | None
    name: str
    legal_form: str
    address: tuple[str, str, str]
    status: str
    branches: tuple[Branch, ...]


@dataclass(frozen=True, slots=True)
class Mandate:
    """A mandate of a means; the days are offsets from the instant of seeding, no service is a general one."""

    service: str | None
    level: Level
    branches: tuple[str, ...]
    begins: str
    until: str
    used: str


@dataclass(frozen=True, slots=True)
class Means:
    """A means; ``supersedes`` is the place of an earlier one of the same persona, the days are offsets."""

    organisation: str
    branch: str | None
    level: Level
    status: str
    since: str
    until: str
    gap: str | None
    supersedes: int | None
    manages: bool
    mandates: tuple[Mandate, ...]


@dataclass(frozen=True, slots=True)
class Responder:
    """A responder with its true secret in base32; its clock runs ``ahead`` so many seconds."""

    serial: str
    secret: str
    algorithm: str = "totp"
    digits: int = 6
    period: int = 30
    status: str = "assigned"
    ahead: int = 0


@dataclass(frozen=True, slots=True)
class Person:
    """Who someone is."""

    initials: str
    first_name: str
    infix: str
    family_name: str
    birth_date: date

    @property
    def name(self) -> str:
        """First name, infix and family name."""
        return " ".join(part for part in (self.first_name, self.infix, self.family_name) if part)


@dataclass(frozen=True, slots=True)
class Persona:
    """An account of the world; ``id`` is its username, ``owner`` the persona whose person it is.

    ``expected`` is "granted", a reason or "LOCKED" for every service; ``shown_at`` the service it was made for.
    """

    id: str
    owner: str
    person: Person
    email: str
    password: str
    responder: Responder | None
    means: tuple[Means, ...]
    story: dict[str, str]
    expected: dict[str, str]
    shown_at: str | None
    locked: bool


@dataclass(frozen=True, slots=True)
class Chain:
    """A company that lets another act for it at a service; ``unconfirmed`` is the half that is missing, if any."""

    principal: str
    intermediary: str
    service: str
    unconfirmed: str | None


@dataclass(frozen=True, slots=True)
class World:
    """Everything that is invented."""

    services: tuple[str, ...]
    organisations: tuple[Organisation, ...]
    personas: tuple[Persona, ...]
    chains: tuple[Chain, ...]

    def clocks(self) -> dict[str, int]:
        """By how many seconds the clock of a responder runs ahead, by its serial number, where it does."""
        return {one.responder.serial: one.responder.ahead for one in self.personas if one.responder}

    def persona(self, username: str) -> Persona | None:
        """The persona with this username, or None."""
        return next((one for one in self.personas if one.id == username), None)

    def organisation(self, name: str) -> Organisation:
        """The organisation with this name of the world's own; raises ``LookupError``."""
        for one in self.organisations:
            if one.id == name:
                return one
        raise LookupError(f"the world has no organisation {name}")


def read() -> World:
    """The world that ships with the product."""
    tables = tomllib.loads(product_file("config", "world.toml").read_text(encoding="utf-8"))
    services = tuple(tables["services"])
    people: dict[str, Person] = {}
    personas = []
    for entry in tables["personas"]:
        expected = dict(zip(services, map(_told, tables["expected"][entry["id"]].split()), strict=True))
        personas.append(_persona(entry, people, expected))
    return World(
        services=services,
        organisations=tuple(_organisation(entry) for entry in tables["organisations"]),
        personas=tuple(personas),
        chains=tuple(Chain(**({"unconfirmed": None} | entry)) for entry in tables["chains"]),
    )


def day(start: date, offset: str) -> date:
    """The day at an offset such as ``-24m -1d``: months and years first, then days."""
    found: Mapping[str, int] = {unit: int(number) for number, unit in _OFFSET.findall(offset)}
    months = found.get("m", 0) + 12 * found.get("y", 0)
    return add_months(start, months) + timedelta(days=found.get("d", 0))


def _told(cell: str) -> str:
    if cell in ("ok", LOCKED):
        return GRANTED if cell == "ok" else LOCKED
    return _REASONS[cell]


def _organisation(entry: dict[str, Any]) -> Organisation:
    street, postcode, city = entry["address"]
    return Organisation(
        id=entry["id"],
        kvk=entry["kvk"],
        rsin=entry.get("rsin"),
        name=entry["name"],
        legal_form=entry["legal_form"],
        address=(street, postcode, city),
        status=entry.get("status", "active"),
        branches=tuple(Branch(**branch) for branch in entry["branches"]),
    )


def _persona(entry: dict[str, Any], people: dict[str, Person], expected: dict[str, str]) -> Persona:
    owner = entry.get("same_person_as", entry["id"])
    if "person" in entry:
        people[owner] = Person(**entry["person"])
    return Persona(
        id=entry["id"],
        owner=owner,
        person=people[owner],
        email=entry["email"],
        password=entry["password"],
        responder=Responder(**entry["responder"]) if "responder" in entry else None,
        means=tuple(_means(one) for one in entry["means"]),
        story=entry["story"],
        expected=expected,
        shown_at=entry.get("shown_at"),
        locked=entry.get("locked", False),
    )


def _means(entry: dict[str, Any]) -> Means:
    level = Level[entry.get("level", "EH3")]
    return Means(
        organisation=entry["organisation"],
        branch=entry.get("branch"),
        level=level,
        status=entry.get("status", "active"),
        since=entry.get("since", "-1y"),
        until=entry.get("until", "+4y"),
        gap=entry.get("gap"),
        supersedes=entry.get("supersedes"),
        manages=entry.get("manages", False),
        mandates=tuple(_mandate(one, level) for one in entry.get("mandates", [{}])),
    )


def _mandate(entry: dict[str, Any], level: Level) -> Mandate:
    return Mandate(
        service=entry.get("service"),
        level=Level[entry["level"]] if "level" in entry else level,
        branches=tuple(entry.get("branches", ())),
        begins=entry.get("from", "-1y"),
        until=entry.get("until", "+4y"),
        used=entry.get("used", "-0d"),
    )
