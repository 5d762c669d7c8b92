"""Prepared statements do what SQLAlchemy's own execution does, on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError, OperationalError

from idp.store.engine import open_engine
from idp.store.merge import add, keep, renew
from idp.store.prepared import Prepared
from idp.store.tickets import Ticket

_NOON = datetime(2026, 1, 15, 13, 0, 0, 123456, tzinfo=timezone(timedelta(hours=1)))
_ROW = {
    "digest": "d1",
    "purpose": "saml-request",
    "subject": "%s ? :x",
    "payload": "'{}'",
    "created_at": _NOON,
    "expires_at": _NOON + timedelta(minutes=1),
    "used_at": None,
    "account_id": None,
}
_ALL = select(*Ticket.__table__.columns).order_by(Ticket.digest)
_LATER = select(Ticket.digest, Ticket.used_at).where(Ticket.expires_at > bindparam("now"), Ticket.purpose != "other")


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    """A connection in a writing transaction."""
    engine = open_engine(database, 2, 5)
    with engine.connect() as made, made.begin():
        yield made
    engine.dispose()


def test_rows_and_instants_are_the_same_both_ways(connection: Connection) -> None:
    """What one way writes the other reads, to the microsecond and in UTC; percent signs and colons are only text."""
    add(Ticket).run(connection, **_ROW)
    connection.execute(insert(Ticket), _ROW | {"digest": "d2"})
    ours, theirs = Prepared(_ALL).all(connection), connection.execute(_ALL).all()
    assert [tuple(row) for row in ours] == [tuple(row) for row in theirs]
    assert ours[0].created_at == _NOON
    assert ours[0].created_at.tzinfo is UTC
    assert ours[0].subject == "%s ? :x"


def test_values_are_compared_as_the_column_stores_them(connection: Connection) -> None:
    """An instant in another zone is compared as the instant it is, and constants of the statement hold."""
    add(Ticket).run(connection, **_ROW)
    later = Prepared(_LATER)
    before, after = _NOON.astimezone(UTC), (_NOON + timedelta(minutes=2)).astimezone(UTC)
    assert later.one(connection, now=before) == ("d1", None)
    assert later.one(connection, now=after) is None
    assert later.all(connection, now=after) == []


def test_changes_are_counted_and_answered(connection: Connection) -> None:
    """An UPDATE counts the rows it changed, or returns them once and only once; NULL can be written."""
    add(Ticket).run(connection, **_ROW)
    spend = Prepared(
        update(Ticket)
        .where(Ticket.digest == bindparam("which"), Ticket.used_at.is_(None))
        .values(used_at=bindparam("now"))
        .returning(Ticket.subject)
    )
    assert spend.one(connection, which="d1", now=_NOON) == ("%s ? :x",)
    assert spend.one(connection, which="d1", now=_NOON) is None
    undo = Prepared(update(Ticket).where(Ticket.digest == bindparam("which")).values(used_at=None, subject="s"))
    assert undo.run(connection, which="d1") == 1
    assert spend.one(connection, which="d1", now=_NOON) == ("s",)
    forget = Prepared(delete(Ticket).where(Ticket.digest == bindparam("which")))
    assert (forget.run(connection, which="d1"), forget.run(connection, which="d1")) == (1, 0)


def test_a_row_that_is_there_is_kept_or_renewed(connection: Connection) -> None:
    """``keep`` answers a key only when it inserted; ``renew`` changes the named columns and no other."""
    mark = keep(Ticket, "digest")
    assert mark.one(connection, **_ROW) == ("d1",)
    assert mark.one(connection, **_ROW | {"payload": "changed"}) is None
    renew(Ticket, ("digest",), ("payload",)).run(connection, **_ROW | {"payload": "new", "purpose": "not taken"})
    (row,) = Prepared(_ALL).all(connection)
    assert (row.payload, row.purpose) == ("new", "saml-request")


def test_errors_are_those_of_sqlalchemy_and_tell_no_values(connection: Connection) -> None:
    """A broken constraint is an ``IntegrityError``, and its text holds nothing that was to be written."""
    add(Ticket).run(connection, **_ROW)
    with pytest.raises(IntegrityError) as caught:
        add(Ticket).run(connection, **_ROW | {"payload": "a secret"})
    assert "a secret" not in str(caught.value)


def test_a_locked_database_is_an_operational_error(sqlite_database: str) -> None:
    """A second writer that waited in vain gets the error for which the pages have an answer."""
    patient, hasty = open_engine(sqlite_database, 2, 5), open_engine(sqlite_database, 2, 0)
    with patient.connect() as first, first.begin(), hasty.connect() as second, pytest.raises(OperationalError):
        second.begin()
    patient.dispose()
    hasty.dispose()
