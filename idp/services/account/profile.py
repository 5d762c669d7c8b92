"""What people see and settle about their own account: overview, sessions, language, all data, erasure (F43, F55)."""

from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select, update

from idp.domain.assurance import Factor, Level
from idp.domain.audit import Event
from idp.domain.throttle import Limit
from idp.services import throttle
from idp.services.account.activity import deeds
from idp.services.decision.conclusion import dutch_day
from idp.services.mail.holders import holder_of
from idp.services.mail.parcels import Envelope, post
from idp.services.second_factor.passkeys import own_passkeys
from idp.services.second_factor.recovery_codes import codes_left
from idp.services.second_factor.responders import own as own_responders
from idp.services.sessions.farewell import bid_farewell
from idp.services.sessions.kept import end, limits
from idp.services.work import Office, Work
from idp.store.base import AnyRow
from idp.store.catalogue import PartyRow
from idp.store.grants import GrantRow
from idp.store.logins import SessionParty, SessionRow
from idp.store.mandates import MandateRow
from idp.store.means import Means, Pseudonym
from idp.store.organisations import Branch, Organisation
from idp.store.parcels import Parcel
from idp.store.people import Account, AccountReset, CertificateRow, Person
from idp.store.prepared import Prepared

RETENTION_YEARS = 7
_ALL_DEEDS = 10_000
_ONCE_A_DAY = Limit(1, timedelta(days=1), timedelta(days=1), timedelta(days=1))
_ACCOUNT = Prepared(
    select(
        Account.username,
        Account.locale,
        Account.password_set_at,
        Account.created_at,
        Account.person_id,
        Person.initials,
        Person.first_name,
        Person.infix,
        Person.family_name,
        Person.birth_date,
        Person.email,
    )
    .join(Person, Person.id == Account.person_id)
    .where(Account.id == bindparam("account"))
)
_MEANS = (
    select(Means.id, Means.level, Means.status, Means.valid_until, Organisation.name, Organisation.kvk, Branch.number)
    .join(Organisation, Organisation.id == Means.organisation_id)
    .outerjoin(Branch, Branch.id == Means.branch_id)
    .order_by(Organisation.name, Means.id)
)

_CERTIFICATES = select(
    CertificateRow.subject,
    CertificateRow.issuer,
    CertificateRow.serial,
    CertificateRow.not_after,
    CertificateRow.status,
).order_by(CertificateRow.id)
_GRANTS = (
    select(PartyRow.name.label("party"), GrantRow.created_at, GrantRow.refresh_expires_at, GrantRow.revoked_at)
    .select_from(GrantRow)
    .outerjoin(PartyRow, PartyRow.id == GrantRow.party_id)
    .order_by(GrantRow.id)
)
_RESETS = select(AccountReset.created_at, AccountReset.due_at, AccountReset.status).order_by(AccountReset.id)
_MAILS = select(Parcel.template, Parcel.created_at, Parcel.status, Parcel.sent_at).order_by(Parcel.id)


@dataclass(frozen=True, slots=True)
class OwnMeans:
    """A means as its holder sees it."""

    id: str
    organisation: str
    kvk: str
    branch: str
    level: str
    status: str
    valid_until: date


@dataclass(frozen=True, slots=True)
class OwnSession:
    """Where one is logged in; ``here`` is this browser, ``parties`` are names of who got an answer."""

    id: str
    since: datetime
    last_seen_at: datetime
    strong: bool
    parties: tuple[str, ...]
    here: bool


def account_of(connection: Connection, account: str) -> AnyRow:
    """What is known of an account and its person; raises ``LookupError`` for an unknown one."""
    row: AnyRow | None = _ACCOUNT.one(connection, account=account)
    if row is None:
        raise LookupError("no such account")
    return row


def means_of(connection: Connection, account: str) -> list[OwnMeans]:
    """Every means of an account, also those that ended."""
    rows = connection.execute(_MEANS.where(Means.account_id == account)).all()
    return [
        OwnMeans(row.id, row.name, row.kvk, row.number or "", Level(row.level).label, row.status, row.valid_until)
        for row in rows
    ]


def sessions_of(office: Office, connection: Connection, account: str, here: str) -> list[OwnSession]:
    """The sessions that are still good, this browser's first; ``here`` is the secret of its cookie."""
    now = office.clock.now()
    idle, total = limits(office)
    query = select(SessionRow).where(
        SessionRow.account_id == account,
        SessionRow.ended_at.is_(None),
        SessionRow.last_seen_at >= now - idle,
        SessionRow.password_at >= now - total,
    )
    rows = connection.execute(query.with_only_columns(*SessionRow.__table__.columns)).all()
    mark = office.vault.digest(here, "session") if here else ""
    names = _parties(office, connection, [row.id for row in rows])
    found = [
        OwnSession(
            row.id,
            row.authenticated_at,
            row.last_seen_at,
            set(row.factors.split(",")) != {Factor.PASSWORD.value},
            tuple(names.get(row.id, ())),
            row.digest == mark,
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: (not one.here, one.since))


def end_session(work: Work, account: str, session: str) -> bool:
    """End one of the account's own sessions and let its clients hear; False for any other."""
    query = select(SessionRow.id).where(
        SessionRow.id == session, SessionRow.account_id == account, SessionRow.ended_at.is_(None)
    )
    if work.connection.execute(query).first() is None:
        return False
    end(work, session)
    bid_farewell(work, [session])
    return True


def speak(work: Work, account: str, locale: str) -> None:
    """Write to this person in another language from now on."""
    work.connection.execute(update(Account).where(Account.id == account).values(locale=locale))


def kept_until(means: list[OwnMeans], today: date) -> date | None:
    """Until when the scheme makes us keep what we checked: seven years after the last means ends; None for nothing."""
    last = max((one.valid_until for one in means), default=None)
    if last is None:
        return None
    leap = last.month == 2 and last.day == 29
    until = last.replace(year=last.year + RETENTION_YEARS, day=28 if leap else last.day)
    return until if until > today else None


def ask_erasure(work: Work, account: str) -> date | None:
    """Ask that everything be erased that may be: told to the person and to customer service, once a day (F55).

    Answers until when the rest is kept.
    """
    until = kept_until(means_of(work.connection, account), dutch_day(work.now))
    holder = holder_of(work, account)
    if holder is not None and throttle.within(work, f"erasure:{account}", _ONCE_A_DAY):
        work.record(Event.ERASURE_ASKED, account=account)
        facts = {"username": holder.username, "at": work.now.isoformat(), "until": until.isoformat() if until else ""}
        post(work, Envelope("mail", holder.email, "erasure-asked", holder.locale), facts)
        post(work, Envelope("mail", work.office.settings.brand.email, "erasure-to-do", "nl"), facts)
    return until


def everything(office: Office, account: str) -> dict[str, Any]:
    """All data about a person that this account reaches, ready for JSON; that it was taken is recorded (F55)."""
    with office.work("person") as work:
        known = account_of(work.connection, account)
        held = means_of(work.connection, account)
        work.record(Event.DATA_EXPORTED, account=account)
        return {
            "person": _plain(known, ("initials", "first_name", "infix", "family_name", "birth_date", "email")),
            "account": _plain(known, ("username", "locale", "created_at", "password_set_at")),
            "means": [asdict(one) for one in held],
            "mandates": _mandates(work.connection, [one.id for one in held]),
            "names_at_providers": _pseudonyms(work.connection, known.person_id),
            "responders": [
                {"serial": one.serial, "kind": one.kind, "status": one.status, "last_used_at": one.last_used_at}
                for one in own_responders(work.connection, account)
            ],
            "passkeys": [asdict(one) for one in own_passkeys(work.connection, account)],
            "certificates": _rows(work.connection, _CERTIFICATES.where(CertificateRow.account_id == account)),
            "recovery_codes_left": codes_left(work.connection, account),
            "sessions": [asdict(one) for one in sessions_of(office, work.connection, account, "")],
            "authorizations": _rows(work.connection, _GRANTS.where(GrantRow.account_id == account)),
            "resets": _rows(work.connection, _RESETS.where(AccountReset.account_id == account)),
            "mails": _rows(work.connection, _MAILS.where(Parcel.recipient == known.email)),
            "activity": [asdict(one) for one in deeds(office, work.connection, account, most=_ALL_DEEDS)],
            "kept_until": kept_until(held, dutch_day(work.now)),
        }


def _plain(row: AnyRow, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _rows(connection: Connection, query: Select[*tuple[Any, ...]]) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(query).mappings()]


def _mandates(connection: Connection, means: list[str]) -> list[dict[str, Any]]:
    columns = (
        MandateRow.id,
        MandateRow.means_id,
        MandateRow.scope,
        MandateRow.service_uuid,
        MandateRow.provider_oin,
        MandateRow.branches,
        MandateRow.valid_from,
        MandateRow.valid_until,
        MandateRow.last_used_on,
        MandateRow.revoked_at,
    )
    return _rows(connection, select(*columns).where(MandateRow.means_id.in_(means)).order_by(MandateRow.id))


def _pseudonyms(connection: Connection, person: str) -> list[dict[str, Any]]:
    query = select(Pseudonym.provider_oin, Organisation.name, Pseudonym.value, Pseudonym.created_at)
    joined = query.join(Organisation, Organisation.id == Pseudonym.organisation_id)
    return _rows(connection, joined.where(Pseudonym.person_id == person).order_by(Pseudonym.id))


def _parties(office: Office, connection: Connection, sessions: list[str]) -> dict[str, list[str]]:
    query = select(SessionParty.session_id, SessionParty.party_id).where(SessionParty.session_id.in_(sessions))
    names: dict[str, list[str]] = {}
    for row in connection.execute(query).all():
        party = office.directory.party_by_id(row.party_id)
        if party is not None:
            names.setdefault(row.session_id, []).append(party.name)
    return names
