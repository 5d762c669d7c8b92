"""Another password for who is logged in and knows the present one (F37, SEC-30)."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import bindparam, select

from idp.domain.passwords import LONGEST_PASSWORD, PasswordFault, faults, normalised
from idp.ports import Overloaded
from idp.services import throttle
from idp.services.account.passwords import NewPassword, change_password, policy_of
from idp.services.sessions.kept import find, open_session
from idp.services.turns import lock_account
from idp.services.work import Office
from idp.store.people import Account
from idp.store.prepared import Prepared

_KNOWN = Prepared(
    select(Account.username, Account.password_hash, Account.password_set_at).where(
        Account.id == bindparam("account"), Account.status == "active"
    )
)


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants which password, in which session (the secret of its cookie), from which network address."""

    account: str
    session: str
    old: str
    new: str
    source: str


@dataclass(frozen=True, slots=True)
class Replaced:
    """Done: the secret of the session that goes on in this browser, empty when there was none."""

    session: str


@dataclass(frozen=True, slots=True)
class NotReplaced:
    """Not done: the rules it breaks, or until when to wait, or else the present password was wrong."""

    broken: tuple[PasswordFault, ...] = ()
    until: datetime | None = None


def replace_password(office: Office, wish: Wish) -> Replaced | NotReplaced:
    """Set another password: everybody else is logged out, and it is announced.

    Raises ``idp.ports.Overloaded``.
    """
    with office.work("person") as work:
        known = _KNOWN.one(work.connection, account=wish.account)
        name = known.username if known is not None else ""
        allowed = throttle.ask(work, "password", name, wish.source)
        if isinstance(allowed, datetime):
            return NotReplaced(until=allowed)
    fits = len(wish.old) <= LONGEST_PASSWORD
    broken = faults(normalised(wish.new), policy_of(office, wish.account))
    try:
        right = office.passwords.check(known.password_hash if known else None, normalised(wish.old) if fits else "")
        hashed = office.passwords.hash(normalised(wish.new)) if right and fits and not broken else ""
    except Overloaded:
        with office.work("throttle") as work:
            throttle.take_back(work, allowed)
        raise
    if not right or not fits:
        return NotReplaced()
    with office.work("person") as work:
        lock_account(work, wish.account)
        throttle.give_back(work, allowed)
        if broken:
            return NotReplaced(broken)
        kept = find(office, work.connection, wish.session)
        seen = known.password_set_at if known is not None else None
        if not change_password(work, NewPassword(wish.account, hashed, "profile", seen)):
            return NotReplaced()
        if kept is None or kept.account != wish.account:
            return Replaced("")
        return Replaced(open_session(work, replace(kept, last_seen_at=work.now)).secret)
