"""Whether what was proven still counts: its password, its responder or key, and no block of the account."""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, select

from idp.domain.login import Progress
from idp.services.turns import lock_account
from idp.services.work import Work
from idp.store.people import Account, Passkey, Responder
from idp.store.prepared import Prepared

BLOCKED_FOR = timedelta(hours=24)
_PASSWORD_SET_AT = Prepared(select(Account.password_set_at).where(Account.id == bindparam("account")))
_COUNTS = Prepared(
    select(Responder.id)
    .where(Responder.id == bindparam("proof"), Responder.status == "assigned")
    .union_all(select(Passkey.id).where(Passkey.id == bindparam("proof"), Passkey.status == "active"))
)
_BLOCKED_AT = Prepared(select(Account.blocked_at).where(Account.id == bindparam("account")))


def disproven(work: Work, progress: Progress) -> bool:
    """Whether the password was replaced since it was given, or the responder or key is lost (SEC-30, RUL-14).

    It stays as it was found until the transaction ends.
    """
    if progress.account is None:
        return False
    lock_account(work, progress.account)
    if superseded(work, progress.account, progress.password_at):
        return True
    return bool(progress.proven_by) and _COUNTS.one(work.connection, proof=progress.proven_by) is None


def superseded(work: Work, account: str | None, password_at: datetime | None) -> bool:
    """Whether the account has another password than the one set at this instant (SEC-30)."""
    if password_at is None:
        return False
    found = _PASSWORD_SET_AT.one(work.connection, account=account)
    return found is None or found.password_set_at != password_at


def blocked(work: Work, account: str | None) -> bool:
    """Too many wrong codes after a right password; time or staff lifts it (RUL-20)."""
    found = _BLOCKED_AT.one(work.connection, account=account)
    return found is not None and found.blocked_at is not None and work.now - found.blocked_at < BLOCKED_FOR
