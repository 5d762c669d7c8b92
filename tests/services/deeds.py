"""Everything about one's own login that may happen once: how it is got ready, how it is done, and what it changes."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from idp.domain.assurance import Factor
from idp.domain.login import KeptSession
from idp.services.account import addresses, recovery
from idp.services.account.own_password import Replaced, Wish, replace_password
from idp.services.authentication.presence import Present
from idp.services.second_factor import loss, passkeys, resets
from idp.services.second_factor.pairing import Entitled, pair_device
from idp.services.second_factor.responders import assign
from idp.services.sessions.kept import open_session
from idp.services.tickets import Held, Purpose, issue
from idp.services.work import Office, Work
from idp.store.base import Base
from idp.store.ledger import AuditEvent
from idp.store.logins import SessionRow
from idp.store.parcels import Parcel
from idp.store.people import Account, AccountReset, Passkey, Person, RecoveryCode, Responder
from idp.store.tickets import CounterRow, Ticket
from tests.office import T0
from tests.services.software_key import SoftwareKey
from tests.web.responder_kit import SERIAL, shows, stock

OLD, NEW = "oud2026wachtwrd", "nieuw2026wachtw"
OLD_EMAIL, NEW_EMAIL = "old@example.test", "new@example.test"
SECRET, CODE = "a" * 64, "ABCD-EFGH-JKMN"
_HOUR = timedelta(hours=1)
_CLEARED: tuple[type[Base], ...] = (Ticket, RecoveryCode, AccountReset, Passkey, CounterRow)


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that happens once: to whom, how it is got ready and done, and by how much what is there changes.

    ``ready`` answers what is handed to ``act``, which answers whether it was done; where it is ``shared``, whoever
    comes second hears of what the first did.
    """

    username: str
    ready: Callable[[Office, str], str]
    act: Callable[[Office, str, str], bool]
    gains: dict[str, int]
    shared: bool = False


def get_ready(office: Office, deed: Deed) -> tuple[str, str]:
    """Start afresh: nothing outstanding, the old password and address, a device in stock.

    Answers the account, and what is handed to the deed.
    """
    with office.work("test") as work:
        query = select(Account.id, Account.person_id).where(Account.username == deed.username)
        account, person = work.connection.execute(query).one()
        for table in _CLEARED:
            work.connection.execute(delete(table))
        work.connection.execute(delete(Responder).where(Responder.serial == SERIAL))
        work.connection.execute(update(Responder).where(Responder.account_id == account).values(status="retired"))
        work.connection.execute(update(SessionRow).where(SessionRow.ended_at.is_(None)).values(ended_at=work.now))
        hashed = office.passwords.hash(OLD)
        work.connection.execute(update(Account).where(Account.id == account).values(password_hash=hashed))
        work.connection.execute(update(Person).where(Person.email == NEW_EMAIL).values(email="former@example.test"))
        work.connection.execute(update(Person).where(Person.id == person).values(email=OLD_EMAIL))
    stock(office)
    return account, deed.ready(office, account)


def census(office: Office, deed: Deed) -> dict[str, int]:
    """How many of everything are alive now; what is merely refused is not counted."""
    found = Counter[str]()
    with office.reading() as connection:

        def count(name: str, column: object, *where: object) -> None:
            rows = connection.execute(select(column, func.count()).where(*where).group_by(column))  # type: ignore[call-overload]
            found.update({f"{name} {kind}": number for kind, number in rows})

        count("ticket", Ticket.purpose, Ticket.used_at.is_(None))
        count("responder", Responder.status)
        count("reset", AccountReset.status)
        count("passkey", Passkey.status)
        count("mail", Parcel.template)
        count("outbox", Parcel.status)
        count("event", AuditEvent.event, ~AuditEvent.event.endswith("refused"))
        count("email", Person.email, Person.email.in_((OLD_EMAIL, NEW_EMAIL)))
        good = select(func.count()).where(RecoveryCode.used_at.is_(None))
        found["recovery codes"] = connection.execute(good).scalar_one()
        opened = select(func.count()).where(SessionRow.ended_at.is_(None))
        found["sessions"] = connection.execute(opened).scalar_one()
        hashed = connection.execute(select(Account.password_hash).where(Account.username == deed.username)).scalar_one()
    found["old password"] = office.passwords.check(hashed, OLD)
    found["new password"] = office.passwords.check(hashed, NEW)
    return dict(found)


def difference(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    """What there is more of, and less."""
    gains = {name: after.get(name, 0) - before.get(name, 0) for name in before | after}
    return {name: gain for name, gain in gains.items() if gain}


def _hold(work: Work, purpose: Purpose, subject: str, payload: dict[str, str], account: str | None) -> None:
    issue(work, purpose, SECRET, Held(subject, payload, _HOUR, account))


def _open(work: Work, account: str) -> str:
    at = work.connection.execute(select(Account.password_set_at).where(Account.id == account)).scalar_one()
    factors = frozenset({Factor.PASSWORD, Factor.OTP})
    return open_session(work, KeptSession("", account, factors, work.now, at, work.now, "")).secret


def _own(work: Work, account: str) -> dict[str, Any]:
    return {"id": work.new_id(), "created_at": work.now, "account_id": account}


def _password_link(office: Office, account: str) -> str:
    with office.work("test") as work:
        _hold(work, Purpose.PASSWORD_LINK, account, {"username": "sam", "login": ""}, account)
        _open(work, account)
    return SECRET


def _use_password_link(office: Office, _account: str, secret: str) -> bool:
    link = recovery.link_of(office, secret)
    return link is not None and recovery.choose_password(office, secret, link, NEW, "") == ()


def _session(office: Office, account: str) -> str:
    with office.work("test") as work:
        return _open(work, account)


def _replace_password(office: Office, account: str, session: str) -> bool:
    return isinstance(replace_password(office, Wish(account, session, OLD, NEW, "")), Replaced)


def _email_link(purpose: Purpose, moved: bool) -> Callable[[Office, str], str]:
    def ready(office: Office, account: str) -> str:
        with office.work("test") as work:
            outlives = purpose is Purpose.EMAIL_OBJECTION
            _hold(work, purpose, account, {"old": OLD_EMAIL, "new": NEW_EMAIL}, None if outlives else account)
            if moved:
                work.connection.execute(update(Person).where(Person.email == OLD_EMAIL).values(email=NEW_EMAIL))
                _open(work, account)
        return SECRET

    return ready


def _use_email_link(
    purpose: Purpose, use: Callable[[Office, str, addresses.Change], bool]
) -> Callable[[Office, str, str], bool]:
    def act(office: Office, _account: str, secret: str) -> bool:
        change = addresses.change_of(office, secret, purpose)
        return change is not None and use(office, secret, change)

    return act


def _permit(office: Office, account: str) -> str:
    with office.work("test") as work:
        _hold(work, Purpose.PAIRING_PERMIT, account, {"by": "manager"}, account)
    return SECRET


def _pair(office: Office, account: str, secret: str) -> bool:
    claim = Entitled(Present(account, False), secret, "source")
    return isinstance(pair_device(office, claim, SERIAL, (shows(office), "")), tuple)


def _recovery_code(office: Office, account: str) -> str:
    with office.work("test") as work:
        digest = office.vault.digest(CODE.replace("-", ""), "recovery-code")
        work.connection.execute(insert(RecoveryCode).values(**_own(work, account), digest=digest, used_at=None))
    return CODE


def _reset(due: timedelta) -> Callable[[Office, str], str]:
    def ready(office: Office, account: str) -> str:
        with office.work("test") as work:
            row = _own(work, account)
            work.connection.execute(insert(AccountReset).values(**row, due_at=T0 + due, status="waiting"))
            _hold(work, Purpose.RESET_OBJECTION, row["id"], {}, None)
        return SECRET

    return ready


def _in_work(act: Callable[[Work, str], object]) -> Callable[[Office, str, str], bool]:
    def run(office: Office, account: str, _given: str) -> bool:
        with office.work("person") as work:
            return act(work, account) is not None

    return run


def _ask_colleague(office: Office, account: str) -> str:
    with office.work("test") as work:
        assign(work, SERIAL, "zohra")
        manager: str = work.connection.execute(select(Account.id).where(Account.username == "petra")).scalar_one()
        _hold(work, Purpose.LOSS_CONFIRMATION, manager, {"account": account, "organisation": "Papier"}, account)
    return manager


def _new_key(office: Office, account: str) -> str:
    return SoftwareKey().make(passkeys.offer(office, Present(account, True)))


DEEDS = {
    "password-link": Deed(
        "sam",
        _password_link,
        _use_password_link,
        {"ticket password-link": -1, "old password": -1, "new password": 1, "sessions": -1}
        | {"event password.changed": 1, "mail password-changed": 1, "outbox queued": 1},
    ),
    "password": Deed(
        "sam",
        _session,
        _replace_password,
        {"old password": -1, "new password": 1, "event password.changed": 1, "event session.opened": 1}
        | {"mail password-changed": 1, "outbox queued": 1},
    ),
    "email-confirmation": Deed(
        "anna",
        _email_link(Purpose.EMAIL_CONFIRMATION, moved=False),
        _use_email_link(Purpose.EMAIL_CONFIRMATION, addresses.confirm),
        {f"email {OLD_EMAIL}": -1, f"email {NEW_EMAIL}": 1, "ticket email-confirmation": -1, "event email.changed": 1}
        | {"ticket email-objection": 1, "mail email-changed": 1, "mail email-yours": 1, "outbox queued": 2},
    ),
    "email-objection": Deed(
        "anna",
        _email_link(Purpose.EMAIL_OBJECTION, moved=True),
        _use_email_link(Purpose.EMAIL_OBJECTION, addresses.object_to),
        {f"email {OLD_EMAIL}": 1, f"email {NEW_EMAIL}": -1, "ticket email-objection": -1, "sessions": -1}
        | {"event email.restored": 1, "mail email-restored": 1, "outbox queued": 1},
    ),
    "recovery-code": Deed(
        "zohra",
        _recovery_code,
        lambda office, account, code: isinstance(loss.by_code(office, account, code, "source"), str),
        {"recovery codes": -1, "ticket pairing-permit": 1, "event recovery-code.used": 1}
        | {"mail recovery-code-used": 1, "outbox queued": 1},
    ),
    "pairing": Deed(
        "zohra",
        _permit,
        _pair,
        {"ticket pairing-permit": -1, "responder stock": -1, "responder assigned": 1, "recovery codes": 10}
        | {"event responder.paired": 1, "event recovery-codes.made": 1}
        | {"mail responder-paired": 1, "outbox queued": 1},
    ),
    "reset-asked": Deed(
        "zohra",
        lambda _office, _account: "",
        _in_work(resets.ask_reset),
        {"reset waiting": 1, "ticket reset-objection": 2, "event reset.asked": 1}
        | {"mail reset-asked": 1, "mail reset-of-colleague": 1, "outbox queued": 2},
        shared=True,
    ),
    "reset-objection": Deed(
        "zohra",
        _reset(_HOUR),
        lambda office, _account, secret: resets.object_to(office, secret),
        {"reset waiting": -1, "reset cancelled": 1, "ticket reset-objection": -1}
        | {"event reset.cancelled": 1, "mail reset-cancelled": 1, "outbox queued": 1},
    ),
    "reset-finished": Deed(
        "zohra",
        _reset(-_HOUR),
        _in_work(resets.finish),
        {"reset waiting": -1, "reset done": 1, "ticket pairing-permit": 1, "event reset.done": 1},
    ),
    "colleague-confirms": Deed(
        "zohra",
        _ask_colleague,
        lambda office, _account, manager: loss.confirm(office, manager, SECRET, lost=True),
        {"ticket loss-confirmation": -1, "ticket pairing-permit": 1, "responder assigned": -1, "responder lost": 1}
        | {"event loss.confirmed": 1, "event responder.lost": 1}
        | {"mail responder-lost": 1, "mail pair-responder": 1, "outbox queued": 2},
    ),
    "new-key": Deed(
        "anna",
        _new_key,
        lambda office, account, answer: passkeys.add(office, Present(account, True), answer, "sleutelbos"),
        {"ticket passkey-challenge": -1, "passkey active": 1, "event passkey.added": 1}
        | {"mail passkey-added": 1, "outbox queued": 1},
    ),
}
"""The deeds by name, in an order in which none needs what another leaves behind."""
