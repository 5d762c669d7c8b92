"""Ending sessions because a relying party or the person asks for it, and who else took part in them (S-9, S-10)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, or_, select

from idp.domain.audit import Event
from idp.services.sessions.farewell import bid_farewell
from idp.services.sessions.kept import end, find
from idp.services.tokens.grants import revoke_unredeemed
from idp.services.work import Office, Work
from idp.store.base import AnyRow
from idp.store.logins import SessionParty, SessionRow

# A person has one session per browser; more than this is nobody's.
_MOST_SESSIONS = 50


@dataclass(frozen=True, slots=True)
class Called:
    """Whom a party wants logged out: its own name of the person, and of the sessions (none for all of them)."""

    party: str
    name: str
    indexes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Participant:
    """A party that a session answered: who it was told, and how the session is called there."""

    party: str
    name: str
    transient: bool
    index: str


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """What came of it: whether a session ended now, and the other parties of what ended.

    ``hearing`` are those OIDC clients, the asking one too, that hear of it by a message or in a frame.
    """

    ended: bool
    others: tuple[Participant, ...] = ()
    hearing: tuple[Participant, ...] = ()


class Whose(StrEnum):
    """Whose session a browser brings to a request that names a person."""

    NOBODY = "nobody"
    ASKED = "asked"
    OTHER = "other"


def whose(office: Office, connection: Connection, called: Called | None, browser_session: str) -> Whose:
    """Whether the session of a browser is of the person that a party names (RP-Initiated Logout 2)."""
    kept = find(office, connection, browser_session)
    if kept is None:
        return Whose.NOBODY
    if called is None:
        return Whose.OTHER
    known = select(SessionParty.subject).where(
        SessionParty.session_id == kept.id, SessionParty.party_id == called.party
    )
    return Whose.ASKED if connection.execute(known).scalar() == called.name.upper() else Whose.OTHER


def log_out(work: Work, called: Called, browser_session: str) -> LoggedOut | None:
    """End the sessions that a party names; None when that person had no part in them.

    A session that is gone already is no fault (domain 3.8); then a later one of the same account ends in its place,
    where the browser that comes along still keeps one (``browser_session`` is its cookie).
    """
    rows = _named(work, called)
    if any(not _is(row, called.name) for row in rows):
        return None
    living = {row.session_id for row in rows if row.ended_at is None}
    if rows and not living:
        kept = find(work.office, work.connection, browser_session)
        living |= {kept.id} if kept is not None and kept.account in {row.account_id for row in rows} else set()
    return _end(work, living, called.party)


def log_out_here(work: Work, browser_session: str) -> LoggedOut:
    """End the session of this browser, because the person asks us (S-10)."""
    kept = find(work.office, work.connection, browser_session)
    return _end(work, set() if kept is None else {kept.id}, "")


def log_out_by_hint(work: Work, called: Called | None, browser_session: str) -> LoggedOut:
    """End the session of this browser, and those that the hint of a party names elsewhere (RP-Initiated Logout 2)."""
    kept = find(work.office, work.connection, browser_session)
    sessions = set() if kept is None else {kept.id}
    rows = _named(work, called) if called is not None and called.indexes else []
    sessions |= {row.session_id for row in rows if called and _is(row, called.name) and row.ended_at is None}
    return _end(work, sessions, called.party if called is not None else "")


def _end(work: Work, sessions: set[str], asking: str) -> LoggedOut:
    hearing = tuple(_participant(row) for row in bid_farewell(work, sessions))
    others = _others(work, sessions, asking)
    for session in sorted(sessions):
        end(work, session)
    if sessions:
        revoke_unredeemed(work, sessions)
    work.record(Event.LOGOUT_ASKED, party=asking, ended=str(len(sessions)))
    told = {one.party for one in hearing}
    return LoggedOut(bool(sessions), tuple(one for one in others if one.party not in told), hearing)


def _participant(row: AnyRow) -> Participant:
    return Participant(row.party_id, row.subject, transient=False, index=row.session_index)


def _named(work: Work, called: Called) -> list[AnyRow]:
    columns = (
        SessionParty.session_id,
        SessionParty.subject,
        SessionParty.name,
        SessionRow.ended_at,
        SessionRow.account_id,
    )
    which: ColumnElement[bool] = (
        SessionParty.session_index.in_(called.indexes[:_MOST_SESSIONS])
        if called.indexes
        else or_(SessionParty.subject == called.name.upper(), SessionParty.name == called.name)
    )
    asked = select(*columns).join(SessionRow, SessionRow.id == SessionParty.session_id)
    found: Any = work.connection.execute(
        asked.where(SessionParty.party_id == called.party, which).limit(_MOST_SESSIONS)
    )
    return list(found)


def _is(row: AnyRow, name: str) -> bool:
    """Whether the row is about the person of this name; pseudonyms are the same in either case (domain 4.5)."""
    return name == str(row.name) or name.upper() == str(row.subject)


def _others(work: Work, sessions: set[str], asking: str) -> tuple[Participant, ...]:
    others = select(SessionParty).where(SessionParty.session_id.in_(sorted(sessions)), SessionParty.party_id != asking)
    rows = work.connection.execute(others.order_by(SessionParty.party_id)).all() if sessions else ()
    return tuple(
        Participant(row.party_id, row.name if row.by_name else row.subject, row.by_name, row.session_index)
        for row in rows
    )
