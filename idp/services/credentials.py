"""Proving who someone is: username with password, then a code of the personal responder."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

import pyotp
from sqlalchemy import bindparam, case, select, update

from idp.domain.assurance import Factor
from idp.domain.audit import Event
from idp.domain.login import Progress
from idp.domain.otp import Accepted, Algorithm, ResponderState, Windows, Wrong, judge
from idp.domain.passwords import LONGEST_PASSWORD, normalised
from idp.domain.usernames import canonical
from idp.ports import Overloaded
from idp.services import throttle
from idp.services.grants import revoke_all
from idp.services.login import Missing, Result, Visit, blocked, go_on, mine, superseded
from idp.services.logins import Login
from idp.services.sessions import end_all
from idp.services.work import Office, Work
from idp.store.base import AnyRow
from idp.store.means import Means
from idp.store.people import Account, Responder
from idp.store.prepared import Prepared

_MOST_COLLEAGUES = 200
_RESPONDER = (
    Responder.id,
    Responder.serial,
    Responder.algorithm,
    Responder.digits,
    Responder.period,
    Responder.secret,
    Responder.last_step,
    Responder.drift,
)
_RESPONDERS = Prepared(
    select(*_RESPONDER)
    .where(Responder.account_id == bindparam("account"), Responder.status == "assigned")
    .order_by(Responder.id)
)
_SPEND = Prepared(
    update(Responder)
    .where(Responder.id == bindparam("responder"), Responder.last_step < bindparam("step"))
    .values(last_step=bindparam("step"), drift=bindparam("seen_drift"))
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
        wrong = _consume(work, again.progress.account, code)
        if wrong is not None:
            return _refuse_code(work, again, code, wrong, allowed)
        throttle.give_back(work, allowed)
        _CLEAR_WRONG_CODES.run(work.connection, account=again.progress.account)
        work.record(Event.CODE_ACCEPTED, reference=again.reference, account=again.progress.account)
        factors = again.progress.factors | {Factor.OTP}
        progress = replace(again.progress, factors=factors, authenticated_at=work.now)
        return go_on(work, again, replace(again, progress=progress), tried.visit)


@dataclass(frozen=True, slots=True)
class ResponderHint:
    """What tells a person which device is meant: the end of its serial number, and how long its codes are (L2)."""

    label: str
    digits: int


def responder_of(office: Office, account: str) -> ResponderHint | None:
    """The responder of an account, or None."""
    with office.reading() as connection:
        row = _RESPONDERS.one(connection, account=account)
    return None if row is None else ResponderHint(row.serial[-4:], row.digits)


def username_of(office: Office, account: str) -> str:
    """The name an account logs in with."""
    with office.reading() as connection:
        found = _USERNAME.one(connection, account=account)
    return "" if found is None else str(found.username)


def code_at(office: Office, row: AnyRow) -> Callable[[int], str]:
    """What a responder shows at a step."""
    secret = office.vault.unseal(row.secret, f"responder:{row.serial}").decode()
    device = pyotp.HOTP(secret, digits=row.digits)
    at: Callable[[int], str] = device.at
    return at


def state_of(row: AnyRow) -> ResponderState:
    """A responder's row as the rules see it."""
    return ResponderState(Algorithm(row.algorithm), row.digits, row.period, row.last_step, row.drift)


def windows(office: Office) -> Windows:
    """The windows of the settings."""
    rules = office.settings.otp
    return Windows(rules.totp_window, rules.hotp_window, rules.resync_window)


def _renewed_hash(office: Office, account: AnyRow, password: str) -> str | None:
    outdated = office.passwords.outdated(account.password_hash)
    return office.passwords.hash(normalised(password)) if outdated else None


def _consume(work: Work, account: str, code: str) -> Wrong | None:
    """Spend a code at one of the account's responders; None when it was right and not spent before."""
    wrong = Wrong.MISMATCH
    for row in _RESPONDERS.all(work.connection, account=account):
        judged = judge(state_of(row), code, code_at(work.office, row), work.now, windows(work.office))
        if isinstance(judged, Accepted):
            spent = _SPEND.run(work.connection, responder=row.id, step=judged.step, seen_drift=judged.drift)
            return None if spent == 1 else Wrong.USED
        if judged is not Wrong.MISMATCH:
            wrong = judged
    return wrong


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
    other = _other_holder(work, account, code)
    if other:
        facts["possible_responder"] = other
    work.record(Event.CODE_REFUSED, **facts)
    most = work.office.settings.throttle.block_after
    if most and count >= most:
        work.connection.execute(update(Account).where(Account.id == account).values(blocked_at=work.now))
        end_all(work, account)
        revoke_all(work, account)
        work.record(Event.ACCOUNT_BLOCKED, reference=login.reference, account=account)
        return Faulty(Fault.LOCKED, login)
    return Faulty(Fault.WRONG_CODE, login, left=allowed.left)


def _other_holder(work: Work, account: str, code: str) -> str | None:
    """The serial of a colleague's responder that shows this code now: a possibility, not a fact (F35, RUL-19)."""
    own = select(Means.organisation_id).where(Means.account_id == account)
    colleagues = select(Means.account_id).where(Means.organisation_id.in_(own), Means.account_id != account)
    query = select(*_RESPONDER).where(Responder.account_id.in_(colleagues), Responder.status == "assigned")
    # Only what shows the code now counts, so the wide window for resynchronising is not searched.
    near = replace(windows(work.office), resync=0)
    for row in work.connection.execute(query.order_by(Responder.id).limit(_MOST_COLLEAGUES)).all():
        if isinstance(judge(state_of(row), code, code_at(work.office, row), work.now, near), Accepted):
            return str(row.serial)
    return None
