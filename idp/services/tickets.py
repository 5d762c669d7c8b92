"""Single-use secrets and first-seen marks, each consumed by one atomic statement (SEC-25)."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import bindparam, delete, update

from idp.services.work import Work
from idp.store.merge import add, keep
from idp.store.prepared import Prepared
from idp.store.tickets import Ticket

_ISSUE = add(Ticket)
_MARK = keep(Ticket, "digest")
_REDEEM = Prepared(
    update(Ticket)
    .where(Ticket.digest == bindparam("secret"), Ticket.used_at.is_(None), Ticket.expires_at > bindparam("now"))
    .values(used_at=bindparam("now"))
    .returning(Ticket.subject, Ticket.payload)
)


class Purpose(StrEnum):
    """What a ticket is for; the same secret is worth nothing for another purpose."""

    SAML_REQUEST = "saml-request"
    CLIENT_ASSERTION = "client-assertion"


@dataclass(frozen=True, slots=True)
class Redeemed:
    """What a redeemed ticket was about."""

    subject: str
    payload: dict[str, Any]


def issue(work: Work, purpose: Purpose, subject: str, lasts: timedelta, payload: dict[str, Any]) -> str:
    """A new secret of 256 bits; only its keyed digest is stored (SEC-31)."""
    secret = work.office.entropy.bytes(32).hex()
    row = _row(work, purpose, secret, work.now + lasts) | {"subject": subject, "payload": json.dumps(payload)}
    _ISSUE.run(work.connection, **row)
    return secret


def redeem(work: Work, purpose: Purpose, secret: str) -> Redeemed | None:
    """Consume a secret; None for one that is unknown, used, late or of another purpose."""
    row = _REDEEM.one(work.connection, secret=digest(work, purpose, secret), now=work.now)
    return None if row is None else Redeemed(row.subject, json.loads(row.payload))


def first_use(work: Work, purpose: Purpose, mark: str, until: datetime) -> bool:
    """Whether this mark is seen for the first time; it stays spent whatever the clock does (SEC-14, SEC-41)."""
    row = _row(work, purpose, mark, until) | {"used_at": work.now}
    return _MARK.one(work.connection, **row) is not None


def digest(work: Work, purpose: Purpose, secret: str) -> str:
    """The keyed digest under which a secret of this purpose is stored."""
    return work.office.vault.digest(secret, purpose)


def forget(work: Work, before: datetime) -> int:
    """Drop tickets that ended before an instant of the real clock; answers how many."""
    return work.connection.execute(delete(Ticket).where(Ticket.expires_at < before)).rowcount


def _row(work: Work, purpose: Purpose, secret: str, until: datetime) -> dict[str, Any]:
    return {
        "digest": digest(work, purpose, secret),
        "purpose": purpose.value,
        "subject": "",
        "payload": "{}",
        "created_at": work.now,
        "expires_at": until,
        "used_at": None,
    }
