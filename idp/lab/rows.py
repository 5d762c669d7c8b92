"""The invented world as the rows of the store, with every day counted from the instant of seeding."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from idp.domain.mandates import ScopeKind
from idp.domain.means import PENDING, MeansStatus
from idp.lab import world as worlds
from idp.lab.world import Persona, World
from idp.services.decision.conclusion import dutch_day
from idp.store.base import Base
from idp.store.mandates import MandateRow
from idp.store.means import Means
from idp.store.organisations import Branch, Organisation
from idp.store.people import Account, Person, Responder

Values = dict[str, Any]
Name = Callable[[str, int, str], str]
# A locked persona stays locked for as long as a kept demo is likely to be used.
_LOCKED_FOR = timedelta(days=365)


@dataclass(slots=True)
class Rows:
    """The rows of the world, table by table."""

    persons: list[Values] = field(default_factory=list)
    accounts: list[Values] = field(default_factory=list)
    responders: list[Values] = field(default_factory=list)
    organisations: list[Values] = field(default_factory=list)
    branches: list[Values] = field(default_factory=list)
    means: list[Values] = field(default_factory=list)
    mandates: list[Values] = field(default_factory=list)

    def in_order(self) -> Iterator[tuple[type[Base], list[Values]]]:
        """What to insert into which table, what is referred to first."""
        yield Person, self.persons
        yield Account, self.accounts
        yield Responder, self.responders
        yield Organisation, self.organisations
        yield Branch, self.branches
        yield Means, self.means
        yield MandateRow, self.mandates


@dataclass(frozen=True, slots=True)
class _Pen:
    """What every row is written with."""

    now: datetime
    today: date
    name: Name
    services: Mapping[str, str]
    rows: Rows

    def day(self, offset: str) -> date:
        """The day at an offset from today."""
        return worlds.day(self.today, offset)

    def moment(self, offset: str) -> datetime:
        """The instant at an offset from now, at the same time of the day."""
        return self.now + (self.day(offset) - self.today)


def world_rows(world: World, now: datetime, name: Name, services: Mapping[str, str]) -> Rows:
    """The rows of the world; ``name`` gives ids, ``services`` maps slugs to UUIDs. Passwords are not among them."""
    pen = _Pen(now, dutch_day(now), name, services, Rows())
    for place, organisation in enumerate(world.organisations):
        _organisation(pen, place, organisation)
    for place, persona in enumerate(world.personas):
        _persona(pen, place, persona, world)
    for place, chain in enumerate(world.chains):
        _chain(pen, place, chain, world)
    return pen.rows


def _organisation(pen: _Pen, place: int, one: worlds.Organisation) -> None:
    organisation = pen.name("organisation", place, one.id)
    street, postcode, city = one.address
    pen.rows.organisations.append(
        {
            "id": organisation,
            "created_at": pen.now,
            "kvk": one.kvk,
            "rsin": one.rsin,
            "name": one.name,
            "legal_form": one.legal_form,
            "street": street,
            "postcode": postcode,
            "city": city,
            "status": one.status,
        }
    )
    for number, branch in enumerate(one.branches):
        pen.rows.branches.append(
            {
                "id": pen.name("branch", place * 16 + number, branch.number),
                "created_at": pen.now,
                "organisation_id": organisation,
                "number": branch.number,
                "name": branch.name,
                "is_main": number == 0,
                "closed_on": None,
                "subdossier": branch.subdossier,
            }
        )


def _persona(pen: _Pen, place: int, persona: Persona, world: World) -> None:
    account = pen.name("account", place, persona.id)
    owner = next(number for number, one in enumerate(world.personas) if one.id == persona.owner)
    person = pen.name("person", owner, persona.owner)
    if persona.owner == persona.id:
        _person(pen, person, persona)
    pen.rows.accounts.append(
        {
            "id": account,
            "created_at": pen.now,
            "person_id": person,
            "username": persona.id,
            "password_set_at": pen.now,
            "status": "active",
            "locale": "nl",
            "wrong_codes": 0,
            "blocked_at": pen.now + _LOCKED_FOR if persona.locked else None,
        }
    )
    if persona.responder is not None:
        _responder(pen, pen.name("responder", place, persona.id), account, persona.responder)
    own: list[str] = []
    for number, means in enumerate(persona.means):
        earlier = None if means.supersedes is None else own[means.supersedes]
        own.append(_means(pen, (place * 16 + number, f"{persona.id}/{number}"), account, means, world))
        pen.rows.means[-1]["supersedes_id"] = earlier


def _person(pen: _Pen, person: str, persona: Persona) -> None:
    who = persona.person
    pen.rows.persons.append(
        {
            "id": person,
            "created_at": pen.now,
            "initials": who.initials,
            "first_name": who.first_name,
            "infix": who.infix,
            "family_name": who.family_name,
            "birth_date": who.birth_date,
            "email": persona.email,
        }
    )


def _responder(pen: _Pen, responder: str, account: str, one: worlds.Responder) -> None:
    pen.rows.responders.append(
        {
            "id": responder,
            "created_at": pen.now,
            "serial": one.serial,
            "algorithm": one.algorithm,
            "digits": one.digits,
            "period": one.period,
            "secret": one.secret,
            "last_step": -1,
            "drift": 0,
            "status": one.status,
            "account_id": account,
        }
    )


def _means(pen: _Pen, named: tuple[int, str], account: str, one: worlds.Means, world: World) -> str:
    place, name = named
    means = pen.name("means", place, name)
    organisation = _organisation_id(pen, one.organisation, world)
    branch = next((row["id"] for row in pen.rows.branches if row["number"] == one.branch), None)
    pen.rows.means.append(
        {
            "id": means,
            "created_at": pen.moment(one.since),
            "account_id": account,
            "organisation_id": organisation,
            "branch_id": branch,
            "level": int(one.level),
            "status": one.status,
            "activated_at": None if MeansStatus(one.status) in PENDING else pen.moment(one.since),
            "valid_until": pen.day(one.until),
            "upgrade_gap_until": pen.day(one.gap) if one.gap else None,
            "supersedes_id": None,
            "manages": one.manages,
        }
    )
    for number, mandate in enumerate(one.mandates):
        key = pen.name("mandate", place * 16 + number, f"{name}/{number}")
        values = _mandate(pen, key, organisation, mandate.service)
        values["means_id"] = means
        values["level"] = int(mandate.level)
        values["branches"] = ",".join(mandate.branches)
        values["valid_from"] = pen.day(mandate.begins)
        values["valid_until"] = pen.day(mandate.until)
        values["last_used_on"] = pen.day(mandate.used)
        pen.rows.mandates.append(values)
    return means


def _chain(pen: _Pen, place: int, one: worlds.Chain, world: World) -> None:
    key = pen.name("chain", 0x10000 + place, f"{one.principal}/{one.intermediary}/{one.service}")
    values = _mandate(pen, key, _organisation_id(pen, one.principal, world), one.service)
    values["intermediary_id"] = _organisation_id(pen, one.intermediary, world)
    values["principal_confirmed_at"] = None if one.unconfirmed == "principal" else pen.now
    values["intermediary_confirmed_at"] = None if one.unconfirmed == "intermediary" else pen.now
    pen.rows.mandates.append(values)


def _mandate(pen: _Pen, key: str, organisation: str, service: str | None) -> Values:
    """A mandate with every column, at EH3 for four years from a year ago."""
    return {
        "id": key,
        "created_at": pen.now,
        "organisation_id": organisation,
        "means_id": None,
        "intermediary_id": None,
        "scope": (ScopeKind.SERVICE if service else ScopeKind.GENERAL).value,
        "service_uuid": pen.services[service] if service else None,
        "provider_oin": None,
        "level": 30,
        "branches": "",
        "valid_from": pen.day("-1y"),
        "valid_until": pen.day("+4y"),
        "last_used_on": pen.today,
        "principal_confirmed_at": None,
        "intermediary_confirmed_at": None,
        "suspended_at": None,
        "revoked_at": None,
        "parent_id": None,
    }


def _organisation_id(pen: _Pen, name: str, world: World) -> str:
    kvk = world.organisation(name).kvk
    return str(next(row["id"] for row in pen.rows.organisations if row["kvk"] == kvk))
