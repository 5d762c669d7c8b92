"""Beginning anew without responder or recovery code: after a day in which everybody who was told may object."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, select, update

from idp.domain.audit import Event
from idp.domain.throttle import Limit
from idp.services import throttle
from idp.services.decision.management import managers_of
from idp.services.mail.holders import holder_of, name_of
from idp.services.mail.notices import Notice, announce
from idp.services.mail.parcels import Envelope, post
from idp.services.second_factor.loss import permit, report
from idp.services.tickets import Held, Purpose, given_out, issue, peek, redeem, void
from idp.services.turns import lock_account
from idp.services.work import Office, Work
from idp.store.merge import keep
from idp.store.people import AccountReset
from idp.store.prepared import Prepared

_USABLE, _DAY = timedelta(days=7), timedelta(days=1)
_MOST = 3
_PERMIT = timedelta(minutes=30)
_WAITING = Prepared(
    select(AccountReset.id, AccountReset.due_at).where(
        AccountReset.account_id == bindparam("account"), AccountReset.status == "waiting"
    )
)
_BEGIN = keep(AccountReset)
_FORGET = Prepared(delete(AccountReset).where(AccountReset.id == bindparam("reset")))
_ACCOUNT_OF = Prepared(select(AccountReset.account_id).where(AccountReset.id == bindparam("reset")))
_END = (
    update(AccountReset)
    .where(AccountReset.status == "waiting")
    .values(status=bindparam("ends"))
    .returning(AccountReset.account_id)
)
_RECALL = Prepared(
    update(AccountReset)
    .where(AccountReset.id == bindparam("reset"), AccountReset.status == "done")
    .values(status="cancelled")
)
_CANCEL = Prepared(_END.where(AccountReset.id == bindparam("reset")))
_CANCEL_ALL = Prepared(_END.where(AccountReset.account_id == bindparam("account")))
_FINISH = Prepared(
    _END.where(
        AccountReset.account_id == bindparam("account"),
        AccountReset.due_at <= bindparam("now"),
        AccountReset.due_at > bindparam("oldest"),
    )
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A reset that nobody objected to yet: from when on it may go through, and whether that is now."""

    due_at: datetime
    ready: bool


def waiting(work: Work, account: str) -> Waiting | None:
    """The reset of an account that waits, or None; one that nobody came back for is over."""
    row = _WAITING.one(work.connection, account=account)
    if row is None:
        return None
    if work.now - row.due_at > _USABLE:
        _CANCEL.run(work.connection, reset=row.id, ends="cancelled")
        return None
    return Waiting(row.due_at, row.due_at <= work.now)


def ask_reset(work: Work, account: str) -> Waiting | None:
    """Begin a reset, told to the holder and to everybody who manages with them, each with a link to object.

    A second wish changes nothing: the first one's day goes on. None when it was asked and objected to too often.
    """
    earlier = waiting(work, account)
    if earlier is not None:
        return earlier
    reset, due = work.new_id(), work.now + timedelta(hours=work.office.settings.recovery.reset_hours)
    row = {"id": reset, "created_at": work.now, "account_id": account, "due_at": due, "status": "waiting"}
    if _BEGIN.one(work.connection, **row) is None:
        return waiting(work, account) or Waiting(due, False)
    # Counted after it was begun: of two who ask at the same moment one begins, and only that counts.
    if not throttle.within(work, f"reset:{account}", Limit(_MOST, _DAY, _DAY, _DAY)):
        _FORGET.run(work.connection, reset=reset)
        return None
    report(work, account)
    work.record(Event.RESET_ASKED, account=account)
    _announce(work, account, reset, due)
    return Waiting(due, False)


def objectable(office: Office, secret: str) -> bool:
    """Whether a link to object still works."""
    with office.work("person") as work:
        return peek(work, Purpose.RESET_OBJECTION, secret) is not None


def object_to(office: Office, secret: str) -> bool:
    """Object: the reset does not go through, nor is anything paired by it; False when the link, or all, is over."""
    with office.work("person") as work:
        found = peek(work, Purpose.RESET_OBJECTION, secret)
        its = _ACCOUNT_OF.one(work.connection, reset=found[0]) if found is not None else None
        if found is None or its is None:
            return False
        lock_account(work, its.account_id)
        if redeem(work, Purpose.RESET_OBJECTION, secret, found[0]) is None:
            return False
        if not _stop(work, found[0], its.account_id):
            return False
        work.record(Event.RESET_CANCELLED, account=its.account_id)
        announce(work, its.account_id, Notice.RESET_CANCELLED)
        return True


def cancel(work: Work, account: str) -> None:
    """End the reset of an account that has a responder again."""
    _CANCEL_ALL.run(work.connection, account=account, ends="cancelled")


def finish(work: Work, account: str) -> str | None:
    """Go through with a reset whose day is over: a permit to pair, once; None where there is none (SEC-25)."""
    values = {"account": account, "now": work.now, "oldest": work.now - _USABLE, "ends": "done"}
    if _FINISH.one(work.connection, **values) is None:
        return None
    work.record(Event.RESET_DONE, account=account)
    return permit(work, account, "reset", _PERMIT)


def _stop(work: Work, reset: str, account: str) -> bool:
    """End a reset that waits, or one that gave a permit which nobody has used yet."""
    if _CANCEL.one(work.connection, reset=reset, ends="cancelled") is not None:
        return True
    if not given_out(work, account, Purpose.PAIRING_PERMIT) or _RECALL.run(work.connection, reset=reset) != 1:
        return False
    void(work, account, Purpose.PAIRING_PERMIT)
    return True


def _announce(work: Work, account: str, reset: str, due: datetime) -> None:
    holder = holder_of(work, account)
    if holder is None:
        return
    own = (holder.email, holder.locale, "reset-asked")
    others = [(one.email, one.locale, "reset-of-colleague") for one in managers_of(work, account)]
    for email, locale, template in (own, *others):
        secret = work.office.entropy.bytes(32).hex()
        issue(work, Purpose.RESET_OBJECTION, secret, Held(reset, {}, due - work.now + _USABLE))
        facts = {"username": holder.username, "name": name_of(holder), "secret": secret, "due": due.isoformat()}
        post(work, Envelope("mail", email, template, locale), facts)
