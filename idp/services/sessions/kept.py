"""Kept sessions: found, opened anew at every change of privilege, touched, ended (SEC-30)."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, bindparam, select, update

from idp.domain.assurance import Factor
from idp.domain.audit import Event
from idp.domain.login import KeptSession
from idp.services.decision.own_party import OWN
from idp.services.sessions.farewell import bid_farewell
from idp.services.turns import lock_account_of
from idp.services.work import Office, Work
from idp.store.logins import SessionParty, SessionRow
from idp.store.merge import add, renew
from idp.store.people import Account
from idp.store.prepared import Prepared

_TOUCH_EVERY = timedelta(minutes=1)
_LONGEST_MINUTES = 120
_FIND = Prepared(
    select(
        SessionRow.id,
        SessionRow.account_id,
        SessionRow.factors,
        SessionRow.authenticated_at,
        SessionRow.password_at,
        SessionRow.last_seen_at,
        SessionRow.provider,
    )
    .join(Account, Account.id == SessionRow.account_id)
    .where(
        SessionRow.digest == bindparam("digest"),
        SessionRow.ended_at.is_(None),
        Account.status == "active",
    )
)
_OPEN = add(SessionRow)
_REMEMBER = renew(SessionParty, ("session_id", "party_id"), ("subject", "session_index", "name"))
_KNOWN_PARTY = Prepared(
    select(SessionParty.subject, SessionParty.session_index).where(
        SessionParty.session_id == bindparam("session"), SessionParty.party_id == bindparam("party")
    )
)


@dataclass(frozen=True, slots=True)
class Opened:
    """A session just opened: its id, and the secret that goes into the cookie and nowhere else."""

    id: str
    secret: str


def limits(office: Office) -> tuple[timedelta, timedelta]:
    """How long a session may idle, and how long it lasts from the password: two hours at most (domain 9.2)."""
    rules = office.settings.login
    return timedelta(minutes=rules.idle_minutes), timedelta(minutes=min(rules.session_minutes, _LONGEST_MINUTES))


def find(office: Office, connection: Connection, secret: str) -> KeptSession | None:
    """The session of a cookie, unless it ended or its account may no longer log in."""
    if not secret:
        return None
    row = _FIND.one(connection, digest=office.vault.digest(secret, "session"))
    if row is None:
        return None
    factors = frozenset(Factor(one) for one in row.factors.split(","))
    return KeptSession(
        row.id, row.account_id, factors, row.authenticated_at, row.password_at, row.last_seen_at, row.provider
    )


def find_to_use(work: Work, secret: str) -> KeptSession | None:
    """The session of a cookie, which nobody ends until the transaction has; see ``turns`` (SEC-30)."""
    if secret:
        lock_account_of(work, work.office.vault.digest(secret, "session"))
    return find(work.office, work.connection, secret)


def open_session(work: Work, kept: KeptSession) -> Opened:
    """A new session with a new secret (SEC-30); ``kept.id`` is ignored."""
    session_id, secret = work.new_id(), work.office.entropy.bytes(32).hex()
    _OPEN.run(
        work.connection,
        id=session_id,
        created_at=work.now,
        digest=work.office.vault.digest(secret, "session"),
        account_id=kept.account,
        factors=",".join(sorted(kept.factors)),
        authenticated_at=kept.authenticated_at,
        password_at=kept.password_at,
        last_seen_at=work.now,
        provider=kept.provider,
        ended_at=None,
    )
    work.record(Event.SESSION_OPENED, session=session_id, account=kept.account)
    return Opened(session_id, secret)


def touch(work: Work, kept: KeptSession, provider: str) -> None:
    """Note that a session was used, and where; the clock of idleness is written once a minute at most."""
    if kept.provider == provider and work.now - kept.last_seen_at < _TOUCH_EVERY:
        return
    seen = update(SessionRow).where(SessionRow.id == kept.id).values(last_seen_at=work.now, provider=provider)
    work.connection.execute(seen)


def remember_party(work: Work, session_id: str, party_id: str, subject: str) -> None:
    """Note which party a session answered, for logout; said once per session and party; our own pages need none."""
    if party_id == OWN:
        return
    known = _KNOWN_PARTY.one(work.connection, session=session_id, party=party_id)
    index = index_of(work.office, session_id, party_id)
    if known is not None and (known.subject, known.session_index) == (subject, index):
        return
    row = {"session_id": session_id, "party_id": party_id, "subject": subject, "session_index": index}
    _REMEMBER.run(work.connection, **row, name=name_of(work.office, session_id, party_id), by_name=False)


def state_of(office: Office, session_id: str | None) -> str:
    """What a browser may know of its session: that it is another one; without a session an empty text (RUL-31)."""
    return office.vault.digest(session_id, "browser-state")[:32] if session_id else ""


def index_of(office: Office, session_id: str, party_id: str) -> str:
    """How a session is called at a party: by another name at each, so that no two can tell that they share one."""
    return f"_{office.vault.digest(f'{session_id} {party_id}', 'saml-session')[:32]}"


def name_of(office: Office, session_id: str, party_id: str) -> str:
    """A name for the person at a party that lasts as long as the session."""
    return f"_{office.vault.digest(f'{session_id} {party_id}', 'saml-transient')[:32]}"


def call_by_name(work: Work, session_id: str, party_id: str) -> None:
    """Note that a party was told the name of the session in place of the subject."""
    there = SessionParty.session_id == session_id, SessionParty.party_id == party_id
    work.connection.execute(update(SessionParty).where(*there).values(by_name=True))


def carry_over(work: Work, earlier: str, session_id: str) -> None:
    """Let a session take the place of an earlier one of the same login at every party that knows that one."""
    moving = update(SessionParty).where(SessionParty.session_id == earlier)
    work.connection.execute(moving.values(session_id=session_id))


def end_all(work: Work, account: str) -> None:
    """End every session of an account at once, and let their clients hear (SEC-30, S-11)."""
    ending = update(SessionRow).where(SessionRow.account_id == account, SessionRow.ended_at.is_(None))
    ended = work.connection.execute(ending.values(ended_at=work.now).returning(SessionRow.id))
    bid_farewell(work, ended.scalars().all())


def end(work: Work, session_id: str) -> None:
    """End one session."""
    ending = update(SessionRow).where(SessionRow.id == session_id, SessionRow.ended_at.is_(None))
    if work.connection.execute(ending.values(ended_at=work.now)).rowcount:
        work.record(Event.SESSION_ENDED, session=session_id)
