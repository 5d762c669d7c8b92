"""Changing a password: what it ends, and who hears of it (SEC-30, F39)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, update

from idp.domain.audit import Event
from idp.domain.passwords import CLASSIC, MODERN_ALONE, MODERN_WITH_SECOND_FACTOR, PasswordPolicy
from idp.services.mail.notices import Notice, announce
from idp.services.sessions.ending import end_everything
from idp.services.tickets import void
from idp.services.work import Office, Work
from idp.store.people import Account, Responder
from idp.store.prepared import Prepared

_SET_AT = Prepared(
    select(Account.password_set_at)
    .where(Account.id == bindparam("account"), Account.status == "active")
    .with_for_update()
)
_CHANGE = Prepared(
    update(Account)
    .where(Account.id == bindparam("account"))
    .values(password_hash=bindparam("hashed"), password_set_at=bindparam("at"))
)
_HAS_RESPONDER = Prepared(
    select(Responder.id).where(Responder.account_id == bindparam("account"), Responder.status == "assigned")
)
_ATOM = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class NewPassword:
    """A password that was judged and hashed; ``by`` is ``link`` or ``profile``, for the audit trail.

    ``instead_of`` says when the password was set that was checked for it; None where none was needed.
    """

    account: str
    hashed: str
    by: str
    instead_of: datetime | None = None


def policy_of(office: Office, account: str) -> PasswordPolicy:
    """The rules for a new password of an account (F37, RUL-6)."""
    if office.settings.login.passwords == "classic":
        return CLASSIC
    with office.reading() as connection:
        second = _HAS_RESPONDER.one(connection, account=account) is not None
    return MODERN_WITH_SECOND_FACTOR if second else MODERN_ALONE


def change_password(work: Work, new: NewPassword) -> bool:
    """Set a password, end everything that the old one opened, and announce it; False for a closed account.

    False as well where ``instead_of`` was replaced meanwhile: whoever knows it knows nothing any more (SEC-30).

    Sessions, authorizations, links, and logins that are half way (by ``password_set_at``, which never stands still) are
    over. The second factor, and a block because of wrong codes, stay as they are (SEC-31).
    """
    holder = _SET_AT.one(work.connection, account=new.account)
    if holder is None or new.instead_of not in (None, holder.password_set_at):
        return False
    at: datetime = max(work.now, holder.password_set_at + _ATOM)
    _CHANGE.run(work.connection, account=new.account, hashed=new.hashed, at=at)
    end_everything(work, new.account)
    void(work, new.account)
    announce(work, new.account, Notice.PASSWORD_CHANGED)
    work.record(Event.PASSWORD_CHANGED, account=new.account, by=new.by)
    return True
