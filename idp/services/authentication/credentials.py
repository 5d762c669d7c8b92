"""Proving who someone is: username with password, then a code of the personal responder."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import bindparam, case, select, update

from idp.domain.assurance import Factor
from idp.domain.audit import Event
from idp.domain.login import Progress
from idp.domain.otp import Wrong
from idp.domain.passwords import LONGEST_PASSWORD, normalised
from idp.domain.usernames import canonical
from idp.ports import Overloaded
from idp.services import throttle
from idp.services.authentication.codes import OutOfStep, Spent, consume, other_holder
from idp.services.authentication.login import Gone, Missing, Result, Visit, go_on, mine
from idp.services.authentication.proofs import blocked, superseded
from idp.services.decision.logins import Login, advance
from idp.services.sessions.ending import end_everything
from idp.services.turns import lock_account
from idp.services.work import Office, Work
from idp.store.base import AnyRow
from idp.store.people import Account, Responder
from idp.store.prepared import Prepared

_HINT = Prepared(
    select(Responder.serial, Responder.digits, Responder.kind)
    .where(Responder.account_id == bindparam("account"), Responder.status == "assigned")
    .order_by(Responder.id)
)
_ACCOUNT = Prepared(
    select(Account.id, Account.password_hash, Account.password_set_at).where(
        Account.username == bindparam("name"), Account.status == "active"
    )
)
_USERNAME = Prepared(select(Account.username).where(Account.id == bindparam("account")))
_CLEAR_WRONG_CODES = Prepared(
    update(Account)
    .where(Account.id == bindparam("account"), (Account.wrong_codes > 0) | Account.blocked_at.is_not(None))
    .values(wrong_codes=0, blocked_at=None)
)


class Fault(StrEnum):
    """What was wrong with what someone filled in, as features D.3 names it."""

    WRONG_PASSWORD = "L01"
    WRONG_CODE = "L02"
    CODE_USED = "L03"
    DELAYED = "L05"
    OUT_OF_STEP = "L06"
    PASSKEY = "L12"
    LOCKED = "LOCKED"
    CERTIFICATE = "D15"


@dataclass(frozen=True, slots=True)
class Faulty:
    """Not accepted: why, until when to wait, and how many tries are left where that may be told.

    ``why`` names what is wrong with a certificate.
    """

    fault: Fault
    login: Login
    until: datetime | None = None
    left: int | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One filled-in form: for which login, from whom, and from which network address."""

    login_id: str
    visit: Visit
    source: str


def identify(office: Office, tried: Attempt, username: str, password: str, keep: bool) -> Result | Faulty:
    """Check a username with its password, in the same time for a name that does not exist (SEC-27, F34).

    Raises ``idp.ports.Overloaded``.
    """
    with office.work("person") as work:
        login = mine(work, tried.login_id, tried.visit.browser)
        if isinstance(login, Missing):
            return login
        name = canonical(username)
        allowed = throttle.ask(work, "password", name or username[:64], tried.source)
        if isinstance(allowed, datetime):
            return Faulty(Fault.DELAYED, login, until=allowed)
        # The same statement runs for a name that cannot exist.
        account = _ACCOUNT.one(work.connection, name=name or "")
    fits = len(password) <= LONGEST_PASSWORD
    try:
        right = office.passwords.check(account.password_hash if account else None, normalised(password) if fits else "")
        renewed = _renewed_hash(office, account, password) if account and right and fits else None
    except Overloaded:
        with office.work("throttle") as work:
            throttle.take_back(work, allowed)
        raise
    with office.work("person") as work:
        again = mine(work, tried.login_id, tried.visit.browser)
        if isinstance(again, Missing):
            return again
        if account is not None:
            lock_account(work, account.id)
        # A password that was replaced while it was being checked is no longer right (SEC-30).
        if account is None or not right or not fits or superseded(work, account.id, account.password_set_at):
            work.record(Event.PASSWORD_REFUSED, reference=login.reference, account=account.id if account else "")
            return Faulty(Fault.WRONG_PASSWORD, again)
        throttle.give_back(work, allowed)
        if renewed:
            work.connection.execute(update(Account).where(Account.id == account.id).values(password_hash=renewed))
        work.record(Event.PASSWORD_ACCEPTED, reference=login.reference, account=account.id)
        given = frozenset({Factor.PASSWORD})
        progress = Progress(account.id, given, work.now, keep=keep, password_at=account.password_set_at)
        return go_on(work, again, replace(again, progress=progress), tried.visit)


def prove(office: Office, tried: Attempt, code: str) -> Result | Faulty:
    """Check a code of the personal responder; a step counts once, whoever is fastest (SEC-26, F34, F35)."""
    with office.work("person") as work:
        login = mine(work, tried.login_id, tried.visit.browser)
        if isinstance(login, Missing):
            return login
        if login.progress.account is None:
            return go_on(work, login, login, tried.visit)
        allowed = throttle.ask(work, "code", login.progress.account, tried.source)
        if isinstance(allowed, datetime):
            return Faulty(Fault.DELAYED, login, until=allowed)
    with office.work("person") as work:
        again = mine(work, tried.login_id, tried.visit.browser)
        if isinstance(again, Missing) or again.progress.account is None:
            return again if isinstance(again, Missing) else Faulty(Fault.WRONG_CODE, again)
        if again.progress.account != login.progress.account:
            # Someone else logged in here meanwhile: this code was never meant for them.
            return go_on(work, again, again, tried.visit)
        if blocked(work, again.progress.account):
            return Faulty(Fault.LOCKED, again)
        found = consume(work, again.progress.account, code, again.progress.out_of_step)
        if not isinstance(found, Spent):
            return _not_accepted(work, again, code, found, allowed)
        work.record(Event.CODE_ACCEPTED, reference=again.reference, account=again.progress.account)
        return proven(work, again, tried.visit, allowed, found.responder)


def proven(work: Work, login: Login, visit: Visit, allowed: throttle.Allowed, by: str) -> Result:
    """Go on with the second factor proven by a responder or key: wrong attempts are forgotten (SEC-28)."""
    throttle.give_back(work, allowed)
    _CLEAR_WRONG_CODES.run(work.connection, account=login.progress.account)
    factors = login.progress.factors | {Factor.OTP}
    progress = replace(login.progress, factors=factors, authenticated_at=work.now, out_of_step=None, proven_by=by)
    return go_on(work, login, replace(login, progress=progress), visit)


@dataclass(frozen=True, slots=True)
class ResponderHint:
    """What tells a person which device is meant: the end of its serial number, and how long its codes are (L2)."""

    label: str
    digits: int


def responder_of(office: Office, account: str) -> ResponderHint | None:
    """The responder of an account, or None."""
    with office.reading() as connection:
        row = _HINT.one(connection, account=account)
    return None if row is None else ResponderHint(row.serial[-4:], row.digits)


def username_of(office: Office, account: str) -> str:
    """The name an account logs in with."""
    with office.reading() as connection:
        found = _USERNAME.one(connection, account=account)
    return "" if found is None else str(found.username)


def _renewed_hash(office: Office, account: AnyRow, password: str) -> str | None:
    outdated = office.passwords.outdated(account.password_hash)
    return office.passwords.hash(normalised(password)) if outdated else None


def _not_accepted(
    work: Work, login: Login, code: str, found: OutOfStep | Wrong, allowed: throttle.Allowed
) -> Missing | Faulty:
    if isinstance(found, OutOfStep):
        return _ask_next(work, login, found)
    return _refuse_code(work, login, code, found, allowed)


def _ask_next(work: Work, login: Login, found: OutOfStep) -> Missing | Faulty:
    """Remember which code the device showed, and ask the one after it (L06, RUL-19)."""
    progress = replace(login.progress, out_of_step=(found.responder, found.step))
    changed = replace(login, progress=progress)
    work.record(Event.CODE_REFUSED, reference=login.reference, account=progress.account or "", why="out_of_step")
    if not advance(work, login, changed):
        return Missing(Gone.ANSWERED, login)
    return Faulty(Fault.OUT_OF_STEP, changed)


def _refuse_code(work: Work, login: Login, code: str, wrong: Wrong, allowed: throttle.Allowed) -> Faulty:
    """Count the wrong code and answer alike for every kind but a used one (RUL-19)."""
    account = login.progress.account or ""
    facts = {"reference": login.reference, "account": account, "why": wrong.value}
    if wrong is Wrong.USED:
        work.record(Event.CODE_REFUSED, **facts)
        return Faulty(Fault.CODE_USED, login)
    # A block that has lapsed is over: counting begins anew.
    count_on = case((Account.blocked_at.is_not(None), 1), else_=Account.wrong_codes + 1)
    counted = update(Account).where(Account.id == account).values(wrong_codes=count_on, blocked_at=None)
    count = work.connection.execute(counted.returning(Account.wrong_codes)).scalar_one()
    other = other_holder(work, account, code)
    if other:
        facts["possible_responder"] = other
    work.record(Event.CODE_REFUSED, **facts)
    most = work.office.settings.throttle.block_after
    if most and count >= most:
        work.connection.execute(update(Account).where(Account.id == account).values(blocked_at=work.now))
        end_everything(work, account)
        work.record(Event.ACCOUNT_BLOCKED, reference=login.reference, account=account)
        return Faulty(Fault.LOCKED, login)
    return Faulty(Fault.WRONG_CODE, login, left=allowed.left)
