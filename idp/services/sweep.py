"""Dropping what has ended: logins, marks, counters and sessions that nobody can use any more."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, delete, or_, select

from idp.services.sessions.farewell import KIND
from idp.services.tickets import Purpose
from idp.services.tokens.grants import LONGEST, forget
from idp.services.work import Office, Work
from idp.store.base import Base
from idp.store.devices import DeviceRow
from idp.store.logins import LoginRow, SessionParty, SessionRow
from idp.store.parcels import Parcel
from idp.store.tickets import CounterRow, Ticket

_KEEP_LOGINS = timedelta(days=1)
_KEEP_MARKS = timedelta(hours=1)
_KEEP_COUNTERS = timedelta(days=2)
_KEEP_SESSIONS = timedelta(hours=12)
_KEEP_FAREWELLS = timedelta(days=1)
# To whom something was sent is kept for questions about it, and no longer.
_KEEP_PARCELS = timedelta(days=30)
_SAID = (Parcel.kind == KIND) & (Parcel.status != "queued")


@dataclass(frozen=True, slots=True)
class Swept:
    """How many of each were dropped."""

    logins: int
    tickets: int
    grants: int
    counters: int
    sessions: int
    devices: int
    farewells: int
    parcels: int


def sweep(office: Office) -> Swept:
    """Drop what has ended; running it again changes nothing.

    In the laboratory the marks of what was spent stay, because its clock can go back and must revive nothing (RUL-21).
    """
    with office.work("worker") as work:
        old = work.now - _KEEP_SESSIONS
        over = SessionRow.authenticated_at < old
        ended = select(SessionRow.id).where(over)
        _drop(work, SessionParty, SessionParty.session_id.in_(ended))
        spent = not office.settings.lab.enabled
        return Swept(
            logins=_drop(work, LoginRow, LoginRow.expires_at < work.now - _KEEP_LOGINS),
            tickets=_drop(work, Ticket, _worthless(work)) if spent else 0,
            grants=forget(work, work.now - LONGEST - _KEEP_MARKS) if spent else 0,
            counters=_drop(work, CounterRow, CounterRow.since < work.now - _KEEP_COUNTERS),
            sessions=_drop(work, SessionRow, over),
            devices=_drop(work, DeviceRow, DeviceRow.expires_at < work.now - _KEEP_MARKS) if spent else 0,
            farewells=_drop(work, Parcel, _SAID & (Parcel.due_at < work.now - _KEEP_FAREWELLS)),
            parcels=_drop(work, Parcel, (Parcel.status != "queued") & (Parcel.due_at < work.now - _KEEP_PARCELS)),
        )


def _worthless(work: Work) -> ColumnElement[bool]:
    """Tickets that are over; a link whose mail may still leave begins its time anew with that (F39)."""
    given_up = work.now - timedelta(hours=work.office.settings.mail.give_up_hours) - _KEEP_MARKS
    long_over = or_(Ticket.purpose != Purpose.PASSWORD_LINK.value, Ticket.expires_at < given_up)
    return and_(Ticket.expires_at < work.now - _KEEP_MARKS, long_over)


def _drop(work: Work, table: type[Base], condition: ColumnElement[bool]) -> int:
    return work.connection.execute(delete(table).where(condition)).rowcount
