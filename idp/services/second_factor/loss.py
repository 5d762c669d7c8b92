"""A lost responder: written off at once, and the ways to the permit that lets a person pair another (RUL-14, F36)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, update

from idp.domain.audit import Event
from idp.domain.throttle import Limit
from idp.services import throttle
from idp.services.decision.management import managers_of, may_speak
from idp.services.mail.holders import holder_of, name_of, write_to
from idp.services.mail.notices import Notice, announce
from idp.services.mail.parcels import Envelope, post
from idp.services.second_factor.recovery_codes import use_code
from idp.services.sessions.ending import end_everything
from idp.services.tickets import Held, Purpose, issue, peek, redeem, void
from idp.services.turns import lock_account
from idp.services.work import Office, Work
from idp.store.people import Responder
from idp.store.prepared import Prepared

_AT_ONCE, _BY_MAIL = timedelta(minutes=30), timedelta(hours=24)
_CONFIRMABLE = timedelta(days=3)
_LOSE = Prepared(
    update(Responder)
    .where(Responder.account_id == bindparam("account"), Responder.status == "assigned")
    .values(status="lost")
)
_ASSIGNED = Prepared(
    select(Responder.id).where(Responder.account_id == bindparam("account"), Responder.status == "assigned")
)


@dataclass(frozen=True, slots=True)
class Colleague:
    """Who lost the responder, as the manager is asked about them."""

    account: str
    name: str
    username: str
    organisation: str


def has_responder(work: Work, account: str) -> bool:
    """Whether an account has a responder that counts."""
    return _ASSIGNED.one(work.connection, account=account) is not None


def report(work: Work, account: str) -> bool:
    """Write the responders of an account off as lost: the level drops with this statement (RUL-14).

    What was opened with them ends, and the holder hears of it. False when there was none.
    """
    lock_account(work, account)
    if not _LOSE.run(work.connection, account=account):
        return False
    end_everything(work, account)
    work.record(Event.RESPONDER_LOST, account=account, by="holder")
    announce(work, account, Notice.RESPONDER_LOST)
    return True


def by_code(office: Office, account: str, typed: str, source: str) -> str | datetime | None:
    """Use a recovery code: a permit to pair, until when to wait, or None for a wrong code."""
    with office.work("person") as work:
        allowed = throttle.ask(work, "recovery-code", account, source)
        if isinstance(allowed, datetime):
            return allowed
    with office.work("person") as work:
        if not use_code(work, account, typed):
            return None
        throttle.give_back(work, allowed)
        announce(work, account, Notice.RECOVERY_CODE_USED)
        return permit(work, account, "recovery-code", _AT_ONCE)


def ask_managers(work: Work, account: str) -> int | None:
    """Mail everybody who may speak for the holder a link of their own; answers how many, None when asked too often."""
    limit = Limit(work.office.settings.recovery.mails_at_once, _AT_ONCE, _AT_ONCE, _AT_ONCE)
    if not throttle.within(work, f"mail:loss:{account}", limit):
        return None
    void(work, account, Purpose.LOSS_CONFIRMATION)
    holder = holder_of(work, account)
    managers = managers_of(work, account) if holder is not None else ()
    for one in managers:
        secret = work.office.entropy.bytes(32).hex()
        payload = {"account": account, "organisation": one.organisation_name}
        issue(work, Purpose.LOSS_CONFIRMATION, secret, Held(one.account, payload, _CONFIRMABLE, account))
        facts = {"name": name_of(holder) if holder is not None else "", "organisation": one.organisation_name}
        until = (work.now + _CONFIRMABLE).isoformat()
        post(
            work,
            Envelope("mail", one.email, "confirm-colleague", one.locale),
            facts | {"secret": secret, "until": until},
        )
    return len(managers)


def colleague(office: Office, manager: str, secret: str) -> Colleague | None:
    """Whom a manager is asked about; None when the link is used, over, or another manager's."""
    with office.work("person") as work:
        found = peek(work, Purpose.LOSS_CONFIRMATION, secret)
        if found is None or found[0] != manager:
            return None
        account = str(found[1]["account"])
        holder = holder_of(work, account)
        if holder is None or not may_speak(work, manager, account):
            return None
        return Colleague(account, name_of(holder), holder.username, found[1]["organisation"])


def confirm(office: Office, manager: str, secret: str, lost: bool) -> bool:
    """A manager says that the colleague lost the responder, or that this is not so; False when the link was used.

    The colleague gets a link to pair another; it is worth nothing without the password.
    """
    with office.work("person") as work:
        found = peek(work, Purpose.LOSS_CONFIRMATION, secret)
        if found is None:
            return False
        account = str(found[1]["account"])
        # One manager's word is enough, either way: of two who answer together one comes first.
        lock_account(work, account)
        told = redeem(work, Purpose.LOSS_CONFIRMATION, secret, manager)
        if told is None or not may_speak(work, manager, account):
            return False
        void(work, account, Purpose.LOSS_CONFIRMATION)
        work.record(Event.LOSS_CONFIRMED if lost else Event.LOSS_DENIED, account=account, manager=manager)
        if lost:
            report(work, account)
            mail_permit(work, account, "manager")
        else:
            announce(work, account, Notice.LOSS_DENIED)
        return True


def confirm_by_staff(work: Work, account: str, agent: str) -> None:
    """Customer service called back and knows that it is the holder: a link to pair another goes to their address."""
    work.record(Event.LOSS_CONFIRMED, account=account, agent=agent)
    report(work, account)
    mail_permit(work, account, "customer-service")


def mail_permit(work: Work, account: str, by: str) -> None:
    """Send the holder a permit to pair."""
    secret = permit(work, account, by, _BY_MAIL)
    write_to(work, account, "pair-responder", secret=secret, until=(work.now + _BY_MAIL).isoformat())


def permit(work: Work, account: str, by: str, lasts: timedelta) -> str:
    """A permit to pair a responder, in place of every earlier one; it works once, and only beside the password."""
    void(work, account, Purpose.PAIRING_PERMIT)
    secret = work.office.entropy.bytes(32).hex()
    issue(work, Purpose.PAIRING_PERMIT, secret, Held(account, {"by": by}, lasts, account))
    return secret
