"""Whoever logs in with an account, and whoever changes what it has, come one after the other (SEC-30)."""

from sqlalchemy import bindparam, select

from idp.services.work import Work
from idp.store.logins import SessionRow
from idp.store.people import Account
from idp.store.prepared import Prepared

_LOCK = Prepared(select(Account.id).where(Account.id == bindparam("account")).with_for_update(key_share=True))
_ITS_ACCOUNT = select(SessionRow.account_id).where(SessionRow.digest == bindparam("digest")).scalar_subquery()
_LOCK_BY_SESSION = Prepared(select(Account.id).where(Account.id == _ITS_ACCOUNT).with_for_update(key_share=True))


def lock_account(work: Work, account: str) -> None:
    """What is found of an account from here on stays so until the transaction ends.

    Taken before anything else of the account, so that no two wait for each other.
    """
    if not _alone(work):
        _LOCK.run(work.connection, account=account)


def lock_account_of(work: Work, digest: str) -> None:
    """The same for the account of a session, by the digest of its secret."""
    if not _alone(work):
        _LOCK_BY_SESSION.run(work.connection, digest=digest)


def _alone(work: Work) -> bool:
    """Whoever writes to SQLite is alone from the beginning."""
    return work.connection.dialect.name == "sqlite"
