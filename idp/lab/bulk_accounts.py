"""Synthetic accounts in bulk: the database counts the numbers itself and writes the rows from them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Date, Integer, String, cast, insert, literal, null, select
from sqlalchemy.sql import ColumnElement

from idp.domain.assurance import Level
from idp.domain.mandates import ScopeKind, add_months
from idp.domain.means import MeansStatus
from idp.services.decision.conclusion import dutch_day
from idp.services.work import Work
from idp.store.base import Base, UtcDateTime
from idp.store.mandates import MandateRow
from idp.store.means import Means
from idp.store.organisations import Organisation
from idp.store.people import Account, Person

Columns = Mapping[str, ColumnElement[Any]]
PERSON, ACCOUNT, RESPONDER, ORGANISATION, MEANS, MANDATE = "1", "2", "3", "4", "5", "6"
# Numbers are added to a power of ten, so that they are equally long without padding.
_FIRST_ID, _PER_PLACE, _FIRST_NAME = 10**18, 10**12, 10**8


@dataclass(frozen=True, slots=True)
class Batch:
    """Which accounts to write: their numbers, the first KvK number, their password, and further services."""

    numbers: range
    first_kvk: int
    password_hash: str
    services: tuple[str, ...]


def username(number: int) -> str:
    """The name of a synthetic account, counted from 0."""
    return f"p{_FIRST_NAME + number}"


def id_of(kind: str, now: datetime, number: int) -> str:
    """The id of a row: 32 hex characters that sort by time, by kind and by number."""
    return f"{_stem(kind, now)}{_FIRST_ID + number}"


def add_accounts(work: Work, batch: Batch) -> None:
    """Write every row of the accounts but their responders, whose secrets a database cannot seal."""
    for table, columns in _Pen(work.now, batch).tables():
        work.connection.execute(insert(table).from_select(list(columns), select(*columns.values())))


def _stem(kind: str, now: datetime) -> str:
    return f"{int(now.timestamp() * 1000):012x}{kind}"


class _Pen:
    """The columns of every table, as expressions over the number of the account."""

    def __init__(self, now: datetime, batch: Batch) -> None:
        counted = select(literal(batch.numbers.start, BigInteger).label("number")).cte("numbers", recursive=True)
        following = select(counted.c.number + 1).where(counted.c.number < batch.numbers.stop - 1)
        self._number = counted.union_all(following).c.number
        self._moment = now
        self._batch = batch
        self._now = literal(now, UtcDateTime)
        self._today = literal(dutch_day(now), Date)
        self._until = literal(add_months(dutch_day(now), 48), Date)

    def tables(self) -> Iterator[tuple[type[Base], Columns]]:
        """Every table with its columns, what is referred to first."""
        yield Person, self._person()
        yield Account, self._account()
        yield Organisation, self._organisation()
        yield Means, self._means()
        for place, service in enumerate((None, *self._batch.services)):
            yield MandateRow, self._mandate(place, service)

    def _id(self, kind: str, place: int = 0) -> ColumnElement[str]:
        return _text(_stem(kind, self._moment)) + cast(self._number + (_FIRST_ID + place * _PER_PLACE), String)

    def _named(self, text: str, first: int = 0) -> ColumnElement[str]:
        return _text(text) + cast(self._number + first, String)

    def _person(self) -> Columns:
        return {
            "id": self._id(PERSON),
            "created_at": self._now,
            "initials": _text("P."),
            "first_name": _text("Proef"),
            "infix": _text(""),
            "family_name": self._named("Persoon "),
            "birth_date": cast(null(), Date),
            "email": self._named("p", _FIRST_NAME) + _text("@populatie.test"),
        }

    def _account(self) -> Columns:
        return {
            "id": self._id(ACCOUNT),
            "created_at": self._now,
            "person_id": self._id(PERSON),
            "username": self._named("p", _FIRST_NAME),
            "password_hash": _text(self._batch.password_hash),
            "password_set_at": self._now,
            "status": _text("active"),
            "locale": _text("nl"),
            "wrong_codes": literal(0, Integer),
            "blocked_at": cast(null(), UtcDateTime),
        }

    def _organisation(self) -> Columns:
        return {
            "id": self._id(ORGANISATION),
            "created_at": self._now,
            "kvk": cast(self._number + self._batch.first_kvk, String),
            "rsin": cast(null(), String),
            "name": self._named("Proefbedrijf "),
            "legal_form": _text("eenmanszaak"),
            "street": self._named("Proefstraat "),
            "postcode": _text("1000AA"),
            "city": _text("Proefstad"),
            "status": _text("active"),
        }

    def _means(self) -> Columns:
        return {
            "id": self._id(MEANS),
            "created_at": self._now,
            "account_id": self._id(ACCOUNT),
            "organisation_id": self._id(ORGANISATION),
            "level": literal(int(Level.EH3), Integer),
            "status": _text(MeansStatus.ACTIVE.value),
            "activated_at": self._now,
            "valid_until": self._until,
        }

    def _mandate(self, place: int, service: str | None) -> Columns:
        """A general mandate, or one for a further service."""
        return {
            "id": self._id(MANDATE, place),
            "created_at": self._now,
            "organisation_id": self._id(ORGANISATION),
            "means_id": self._id(MEANS),
            "scope": _text((ScopeKind.SERVICE if service else ScopeKind.GENERAL).value),
            "service_uuid": _text(service) if service else cast(null(), String),
            "level": literal(int(Level.EH3), Integer),
            "branches": _text(""),
            "valid_from": self._today,
            "valid_until": self._until,
            "last_used_on": self._today,
        }


def _text(value: str) -> ColumnElement[str]:
    return literal(value, String)
