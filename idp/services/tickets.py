"""Single-use secrets and first-seen marks, each consumed by one atomic statement (SEC-25)."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import bindparam, delete, select, update

from idp.services.work import Work
from idp.store.merge import add, keep
from idp.store.prepared import Prepared
from idp.store.tickets import Ticket

_ISSUE = add(Ticket)
_MARK = keep(Ticket, "digest")
_REDEEM = Prepared(
    update(Ticket)
    .where(
        Ticket.digest == bindparam("secret"),
        Ticket.subject == bindparam("holder"),
        Ticket.used_at.is_(None),
        Ticket.expires_at > bindparam("now"),
    )
    .values(used_at=bindparam("now"))
    .returning(Ticket.payload)
)
_PEEK = Prepared(
    select(Ticket.payload, Ticket.subject).where(
        Ticket.digest == bindparam("secret"), Ticket.used_at.is_(None), Ticket.expires_at > bindparam("now")
    )
)
_EMPTY = Prepared(update(Ticket).where(Ticket.digest == bindparam("secret")).values(payload="{}"))


class Purpose(StrEnum):
    """What a ticket is for; the same secret is worth nothing for another purpose."""

    SAML_REQUEST = "saml-request"
    CLIENT_ASSERTION = "client-assertion"
    SAML_ARTIFACT = "saml-artifact"
    SAML_LOGOUT = "saml-logout"
    REQUEST_OBJECT = "request-object"
    PUSHED_REQUEST = "pushed-request"
    CERTIFICATE_ASKED = "certificate-asked"
    CERTIFICATE_SHOWN = "certificate-shown"
    DPOP_PROOF = "dpop-proof"
    REGISTRATION = "client-registration"
    LEAVING = "leaving"
    PASSWORD_LINK = "password-link"
    PAIRING_PERMIT = "pairing-permit"
    PAIRING_APP = "pairing-app"
    LOSS_CONFIRMATION = "loss-confirmation"
    RESET_OBJECTION = "reset-objection"
    EMAIL_CONFIRMATION = "email-confirmation"
    EMAIL_OBJECTION = "email-objection"
    PASSKEY_CHALLENGE = "passkey-challenge"


@dataclass(frozen=True, slots=True)
class Held:
    """What a secret is worth: to the one who may redeem it, and for how long.

    ``account`` is whose change of password or e-mail makes it worthless.
    """

    subject: str
    payload: dict[str, Any]
    lasts: timedelta
    account: str | None = None


def issue(work: Work, purpose: Purpose, secret: str, held: Held) -> None:
    """Let a secret of at least 160 random bits be redeemed once; only its keyed digest is stored (SEC-16, SEC-31)."""
    row = _row(work, purpose, secret, work.now + held.lasts)
    _ISSUE.run(work.connection, **row | _worth(held))


def redeem(work: Work, purpose: Purpose, secret: str, subject: str) -> dict[str, Any] | None:
    """Consume a secret and what it was worth.

    None for one that is unknown, used, late, of another purpose or held for somebody else; that one stays good.
    """
    known = digest(work, purpose, secret)
    row = _REDEEM.one(work.connection, secret=known, holder=subject, now=work.now)
    if row is None:
        return None
    # What was handed over is not kept.
    _EMPTY.run(work.connection, secret=known)
    found: dict[str, Any] = json.loads(row.payload)
    return found


def peek(work: Work, purpose: Purpose, secret: str) -> tuple[str, dict[str, Any]] | None:
    """For whom a secret is held and what it is worth, without consuming it; None as ``redeem``."""
    row = _PEEK.one(work.connection, secret=digest(work, purpose, secret), now=work.now)
    return None if row is None else (row.subject, json.loads(row.payload))


def prolong(work: Work, purpose: Purpose, secret: str, lasts: timedelta) -> bool:
    """Let a secret that is still good last so long from now; answers whether it is (SEC-31)."""
    alive = Ticket.digest == digest(work, purpose, secret), Ticket.used_at.is_(None)
    return work.connection.execute(update(Ticket).where(*alive).values(expires_at=work.now + lasts)).rowcount == 1


def void(work: Work, account: str, *purposes: Purpose) -> None:
    """Make what was given out for an account worthless: all of it, or only what is for these purposes (SEC-31)."""
    its = [Ticket.account_id == account, Ticket.used_at.is_(None)]
    if purposes:
        its.append(Ticket.purpose.in_([one.value for one in purposes]))
    work.connection.execute(update(Ticket).where(*its).values(used_at=work.now, payload="{}"))


def outrank(work: Work, purpose: Purpose, secret: str, subjects: Collection[str]) -> None:
    """Make worthless what these were given for the same purpose after a secret, used or not."""
    this = select(Ticket.created_at).where(Ticket.digest == digest(work, purpose, secret)).scalar_subquery()
    its = Ticket.purpose == purpose.value, Ticket.subject.in_(subjects), Ticket.used_at.is_(None)
    later = update(Ticket).where(*its, Ticket.created_at > this)
    work.connection.execute(later.values(used_at=work.now, payload="{}"))


def given_out(work: Work, account: str, purpose: Purpose) -> bool:
    """Whether an account has something for this purpose that still works."""
    good = Ticket.used_at.is_(None), Ticket.expires_at > work.now
    its = select(Ticket.digest).where(Ticket.account_id == account, Ticket.purpose == purpose.value, *good)
    return work.connection.execute(its.limit(1)).first() is not None


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
        "account_id": None,
    }


def _worth(held: Held) -> dict[str, Any]:
    return {"subject": held.subject, "payload": json.dumps(held.payload), "account_id": held.account}
