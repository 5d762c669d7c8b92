"""The stock of responders: imported by serial number, each assigned to one holder ever (F35, F36)."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, insert, select, update

from idp.domain.audit import Event
from idp.domain.otp import Algorithm
from idp.domain.seeds import BadSeed, Seed, canonical_serial
from idp.domain.usernames import canonical
from idp.services.mail.notices import Notice, announce
from idp.services.sessions.ending import end_everything
from idp.services.turns import lock_account
from idp.services.work import Office, Work
from idp.store.base import AnyRow
from idp.store.people import Account, Person, Responder
from idp.store.prepared import Prepared

_CHUNK = 400
_KNOWN = Prepared(
    select(Responder.serial).where(
        (Responder.serial == bindparam("number")) | (Responder.mark == bindparam("secret_mark"))
    )
)
_LISTED = (
    Responder.serial,
    Responder.status,
    Responder.kind,
    Responder.algorithm,
    Responder.digits,
    Responder.period,
    Responder.drift,
    Responder.last_used_at,
    Account.username,
    Person.first_name,
    Person.infix,
    Person.family_name,
)


class BadResponder(Exception):
    """It cannot be done to this responder; the text is one sentence with the remedy."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A responder as staff sees it; ``holder`` is a masked name, empty while nobody has held it."""

    serial: str
    status: str
    kind: str
    algorithm: str
    digits: int
    period: int
    drift: int
    last_used_at: datetime | None
    username: str
    holder: str


def take_in(work: Work, seeds: Sequence[Seed]) -> int:
    """Take the devices of a seed file in stock, all or none; raises ``BadSeed`` with the line that is known already.

    The secrets are sealed (SEC-31). A secret that was ever here does not come in again under another number.
    """
    rows = []
    for seed in seeds:
        mark = mark_of(work.office, seed.secret)
        known = _KNOWN.one(work.connection, number=seed.serial, secret_mark=mark)
        if known is not None:
            what = "Serial number" if known.serial == seed.serial else "The secret of"
            raise BadSeed(seed.line, f"{what} {seed.serial} is known already; take the line out.")
        rows.append(_row(work, seed, mark))
    for first in range(0, len(rows), _CHUNK):
        work.connection.execute(insert(Responder), rows[first : first + _CHUNK])
    work.record(Event.RESPONDERS_IMPORTED, number=str(len(rows)))
    return len(rows)


def listed(office: Office, status: str = "", after: str = "", most: int = 1000) -> list[Listed]:
    """Responders by serial number, perhaps only those of a status, from after a number on."""
    query = _query().where(Responder.serial > after).order_by(Responder.serial).limit(most)
    with office.reading() as connection:
        rows = connection.execute(query.where(Responder.status == status) if status else query).all()
    return [_listed(row) for row in rows]


def own(connection: Connection, account: str) -> list[Listed]:
    """The responders that an account has or had, the present one first."""
    query = _query().where(Responder.account_id == account).order_by(Responder.status, Responder.id.desc())
    return [_listed(row) for row in connection.execute(query).all()]


def look_up(work: Work, number: str) -> Listed | None:
    """Who holds the responder with this number, their name masked; that it was asked is recorded (F36)."""
    serial = canonical_serial(number) or ""
    row = work.connection.execute(_query().add_columns(Responder.account_id).where(Responder.serial == serial)).first()
    facts = {"account": row.account_id} if row is not None and row.account_id else {}
    work.record(Event.RESPONDER_LOOKED_UP, responder=serial, **facts)
    return None if row is None else _listed(row)


def assign(work: Work, number: str, username: str) -> None:
    """Give a device of the stock to its one holder, or a found one back to who lost it; raises ``BadResponder`` (F35).

    One statement decides, so that of two holders at once one gets it.
    """
    serial, account = _serial(number), _account(work, username)
    free = (Responder.status == "stock") & Responder.account_id.is_(None)
    found = (Responder.status == "lost") & (Responder.account_id == account)
    taking = update(Responder).where(Responder.serial == serial, free | found)
    if work.connection.execute(taking.values(status="assigned", account_id=account)).rowcount != 1:
        raise BadResponder(
            f"{serial} is not in stock; a responder has one holder ever. See: idp responders show {serial}"
        )
    work.record(Event.RESPONDER_ASSIGNED, responder=serial, account=account)
    announce(work, account, Notice.RESPONDER_ASSIGNED, serial=serial[-4:])


def lose(work: Work, number: str) -> None:
    """Write a device off as lost: its codes are worth nothing from now on; raises ``BadResponder`` (RUL-14).

    Its holder hears of it.
    """
    _leave(work, number, ("stock", "assigned"), ("lost", Event.RESPONDER_LOST, Notice.RESPONDER_LOST))


def retire(work: Work, number: str) -> None:
    """Write a device off for good; its holder hears of it; raises ``BadResponder``."""
    gone = ("retired", Event.RESPONDER_RETIRED, Notice.RESPONDER_RETIRED)
    _leave(work, number, ("stock", "assigned", "lost"), gone)


def mark_of(office: Office, secret: bytes) -> str:
    """The digest by which a secret is recognised when it comes again."""
    return office.vault.digest(secret.hex(), "responder-secret")


def sealed(office: Office, serial: str, secret: bytes) -> bytes:
    """The secret as it lies in the database."""
    return office.vault.seal(base64.b32encode(secret), f"responder:{serial}")


def masked(first_name: str, infix: str, family_name: str) -> str:
    """A name that who knows it recognises, and nobody else learns: ``A. d. J.`` for Anna de Jong (F36)."""
    return " ".join(f"{part[0]}." for part in (first_name, infix, family_name) if part)


def _leave(work: Work, number: str, statuses: tuple[str, ...], gone: tuple[str, Event, Notice]) -> None:
    serial, (to, event, notice) = _serial(number), gone
    holder = work.connection.execute(select(Responder.account_id).where(Responder.serial == serial)).scalar()
    if holder is not None:
        lock_account(work, holder)
    leaving = update(Responder).where(Responder.serial == serial, Responder.status.in_(statuses))
    row = work.connection.execute(leaving.values(status=to).returning(Responder.account_id)).first()
    if row is None:
        raise BadResponder(f"{serial} cannot become {to}. See: idp responders show {serial}")
    facts = {"account": row.account_id} if row.account_id else {}
    if row.account_id:
        # What was opened with its codes does not outlive it (SEC-30).
        end_everything(work, row.account_id)
        announce(work, row.account_id, notice)
    work.record(event, responder=serial, **facts)


def _serial(number: str) -> str:
    serial = canonical_serial(number)
    if serial is None:
        raise BadResponder(f"{number[:40]} is no serial number; it stands on the back of the device.")
    return serial


def _account(work: Work, username: str) -> str:
    name = canonical(username) or ""
    query = select(Account.id).where(Account.username == name, Account.status == "active")
    account: str | None = work.connection.execute(query).scalar()
    if account is None:
        raise BadResponder(f"There is no account {username[:64]}.")
    return account


def _query() -> Select[*tuple[Any, ...]]:
    joined = select(*_LISTED).outerjoin(Account, Account.id == Responder.account_id)
    return joined.outerjoin(Person, Person.id == Account.person_id)


def _listed(row: AnyRow) -> Listed:
    name = masked(row.first_name, row.infix, row.family_name) if row.first_name is not None else ""
    return Listed(
        row.serial,
        row.status,
        row.kind,
        row.algorithm,
        row.digits,
        row.period,
        row.drift,
        row.last_used_at,
        row.username or "",
        name,
    )


def _row(work: Work, seed: Seed, mark: str) -> dict[str, object]:
    return {
        "id": work.new_id(),
        "created_at": work.now,
        "serial": seed.serial,
        "algorithm": seed.algorithm.value,
        "digits": seed.digits,
        "period": seed.period,
        "secret": sealed(work.office, seed.serial, seed.secret),
        "last_step": seed.counter - 1 if seed.algorithm is Algorithm.HOTP else -1,
        "drift": seed.drift,
        "status": "stock",
        "account_id": None,
        "mark": mark,
        "kind": "device",
    }
