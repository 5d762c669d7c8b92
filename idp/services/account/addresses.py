"""Another e-mail address for oneself: confirmed at the new one, undone from the old one, never another's (F42, F43)."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import aliased

from idp.domain.audit import Event
from idp.domain.throttle import Limit
from idp.services import throttle
from idp.services.mail.holders import holder_of
from idp.services.mail.notices import Notice, announce
from idp.services.mail.parcels import Envelope, post
from idp.services.sessions.ending import end_everything
from idp.services.tickets import Held, Purpose, issue, outrank, peek, redeem, void
from idp.services.turns import lock_account
from idp.services.work import Office, Work
from idp.store.base import AnyRow
from idp.store.people import Account, Person
from idp.store.prepared import Prepared

_HOUR = timedelta(hours=1)
_MOST = Limit(5, timedelta(days=1), _HOUR, _HOUR)
# Who reads the old address may be away for a while.
_OBJECTABLE = timedelta(days=14)
_OTHER = aliased(Person)
_ITS_PERSON = select(Account.person_id).where(Account.id == bindparam("account"), Account.status == "active")
_ACCOUNTS = Prepared(select(Account.id).where(Account.person_id.in_(_ITS_PERSON)).order_by(Account.id))
_TAKEN = Prepared(select(Person.id).where(Person.email == bindparam("email"), Person.id.not_in(_ITS_PERSON)).limit(1))
_MOVE = Prepared(
    update(Person)
    .where(
        Person.id.in_(_ITS_PERSON),
        Person.email == bindparam("old"),
        ~select(_OTHER.id).where(_OTHER.email == bindparam("new"), _OTHER.id != Person.id).exists(),
    )
    .values(email=bindparam("new"))
)
_RESTORE = Prepared(update(Person).where(Person.id.in_(_ITS_PERSON)).values(email=bindparam("old")))


@dataclass(frozen=True, slots=True)
class Change:
    """A change of address that a link stands for."""

    account: str
    username: str
    old: str
    new: str


def ask_change(office: Office, account: str, new: str) -> bool:
    """Send a link to the new address, and word of it to the old one; False when this was asked too often.

    Nothing tells whether somebody else has the address: then no link leaves, and only its owner hears (SEC-27, F42).
    A newer wish makes the older link worthless (SEC-31). The caller has seen to the second factor (F43).
    """
    with office.work("person") as work:
        holder = holder_of(work, account)
        if holder is None or not throttle.within(work, f"email-change:{account}", _MOST):
            return False
        void(work, account, Purpose.EMAIL_CONFIRMATION)
        work.record(Event.EMAIL_CHANGE_ASKED, account=account)
        taken = _TAKEN.one(work.connection, email=new, account=account) is not None
        _write_to_new(work, account, holder, (new, taken))
        _warn(work, account, holder, (holder.email, new), "email-change-asked")
    return True


def change_of(office: Office, secret: str, purpose: Purpose) -> Change | None:
    """What a link is for, without using it; None when it was used, replaced or is over."""
    with office.work("person") as work:
        found = peek(work, purpose, secret)
        holder = holder_of(work, found[0]) if found is not None else None
    if found is None or holder is None:
        return None
    return Change(found[0], holder.username, found[1]["old"], found[1]["new"])


def confirm(office: Office, secret: str, change: Change) -> bool:
    """Use the link of the new address, once: from now on it is the person's; False when it is over or taken (F42)."""
    with office.work("person") as work:
        # Two people who confirm one address at the same time come here one after the other.
        throttle.take_turn(work, f"email-at:{change.new}")
        everyone = _turns_of(work, change.account)
        if redeem(work, Purpose.EMAIL_CONFIRMATION, secret, change.account) is None:
            return False
        holder = holder_of(work, change.account)
        values = {"account": change.account, "old": change.old, "new": change.new}
        if holder is None or _MOVE.run(work.connection, **values) != 1:
            return False
        # A link for a password that went to the old address is worth nothing any more.
        for one in everyone:
            void(work, one)
        work.record(Event.EMAIL_CHANGED, account=change.account)
        _warn(work, change.account, holder, (change.old, change.new), "email-changed")
        announce(work, change.account, Notice.EMAIL_CONFIRMED)
    return True


def object_to(office: Office, secret: str, change: Change) -> bool:
    """Object from the old address, once: it is the person's again, and whoever is logged in is out (F43, SEC-30)."""
    with office.work("person") as work:
        everyone = _turns_of(work, change.account)
        if redeem(work, Purpose.EMAIL_OBJECTION, secret, change.account) is None:
            return False
        # Whoever had an address after this one has no say in it any more; who had one before still has.
        outrank(work, Purpose.EMAIL_OBJECTION, secret, everyone)
        _RESTORE.run(work.connection, account=change.account, old=change.old)
        for one in everyone:
            end_everything(work, one)
            void(work, one)
        work.record(Event.EMAIL_RESTORED, account=change.account)
        announce(work, change.account, Notice.EMAIL_RESTORED)
    return True


def _turns_of(work: Work, account: str) -> list[str]:
    """Every account of the person, whose address it is as well; their changes wait for this one."""
    everyone = [str(row.id) for row in _ACCOUNTS.all(work.connection, account=account)]
    for one in everyone:
        lock_account(work, one)
    return everyone


def _write_to_new(work: Work, account: str, holder: AnyRow, wished: tuple[str, bool]) -> None:
    """Send the link; for an address that is taken do the same, but nobody is told its secret."""
    new, taken = wished
    lasts = timedelta(minutes=work.office.settings.recovery.link_minutes)
    secret = work.office.entropy.bytes(32).hex()
    worth = {"old": holder.email, "new": new}
    issue(work, Purpose.EMAIL_CONFIRMATION, secret, Held(account, worth, lasts, account))
    facts = {"username": holder.username, "secret": secret, "until": (work.now + lasts).isoformat()}
    template = "email-taken" if taken else "email-confirm"
    post(work, Envelope("mail", new, template, holder.locale), {} if taken else facts)


def _warn(work: Work, account: str, holder: AnyRow, both: tuple[str, str], template: str) -> None:
    """Tell the old address, with a link to object that no change of the account makes worthless."""
    old, new = both
    secret = work.office.entropy.bytes(32).hex()
    issue(work, Purpose.EMAIL_OBJECTION, secret, Held(account, {"old": old, "new": new}, _OBJECTABLE))
    facts = {"username": holder.username, "at": work.now.isoformat(), "secret": secret, "new": _shown(new)}
    post(work, Envelope("mail", old, template, holder.locale), facts)


def _shown(email: str) -> str:
    """An address that who knows it recognises: ``a…@example.nl``."""
    name, _, domain = email.partition("@")
    return f"{name[:1]}…@{domain}"
