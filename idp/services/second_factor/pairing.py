"""Pairing a responder of one's own: a device of the stock, or an authenticator app, in place of the former (PS-2)."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import quote, urlencode

import pyotp
from sqlalchemy import bindparam, insert, select, update

from idp.domain.audit import Event
from idp.domain.otp import Accepted, Algorithm, ResponderState, Wrong, judge, resynchronise
from idp.domain.seeds import canonical_serial
from idp.services import throttle
from idp.services.authentication.codes import code_at, state_of, windows
from idp.services.authentication.presence import Present
from idp.services.mail.holders import holder_of
from idp.services.mail.notices import Notice, announce
from idp.services.second_factor.recovery_codes import make_codes
from idp.services.second_factor.resets import cancel
from idp.services.second_factor.responders import mark_of, sealed
from idp.services.sessions.ending import end_everything
from idp.services.tickets import Held, Purpose, issue, peek, redeem, void
from idp.services.turns import lock_account
from idp.services.work import Office, Work
from idp.store.base import AnyRow
from idp.store.people import Account, Responder
from idp.store.prepared import Prepared

_LASTS = timedelta(minutes=30)
_SECRET_OCTETS = 20
_DIGITS, _PERIOD = 6, 30
_NEW = ResponderState(Algorithm.TOTP, _DIGITS, _PERIOD, -1, 0)
_STOCK = Prepared(
    select(*Responder.__table__.columns).where(
        Responder.serial == bindparam("number"), Responder.status == "stock", Responder.account_id.is_(None)
    )
)
_TAKE = Prepared(
    update(Responder)
    .where(Responder.id == bindparam("responder"), Responder.status == "stock", Responder.account_id.is_(None))
    .values(
        status="assigned",
        account_id=bindparam("account"),
        last_step=bindparam("step"),
        drift=bindparam("seen_drift"),
        last_used_at=bindparam("now"),
    )
)


class PairingFault(StrEnum):
    """Why nothing was paired, by the codes of what people are told."""

    WRONG = "R10"
    OUT_OF_STEP = "L06"
    DELAYED = "L05"
    NOT_ALLOWED = "R11"
    OFFER_OVER = "R18"


@dataclass(frozen=True, slots=True)
class Fault:
    """What was wrong, and until when to wait."""

    why: PairingFault
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """An authenticator app to be paired: the address that its QR code holds, and the key for typing it in."""

    uri: str
    key: str
    serial: str


@dataclass(frozen=True, slots=True)
class Entitled:
    """Who pairs, by what right: the second factor in this browser, or a permit (empty where there is none)."""

    who: Present
    permit: str
    source: str


def entitled(office: Office, claim: Entitled) -> bool:
    """Whether this person may pair a responder now; nothing is used up."""
    with office.work("person") as work:
        return claim.who.strong or _permit_of(work, claim) is not None


def new_offer(office: Office, who: Present) -> str:
    """A key for an authenticator app, as a ticket that waits for its first code; answers the secret of the ticket."""
    with office.work("person") as work:
        void(work, who.account, Purpose.PAIRING_APP)
        ticket, key = office.entropy.bytes(32).hex(), office.entropy.bytes(_SECRET_OCTETS)
        serial = f"APP-{office.entropy.bytes(5).hex().upper()}"
        hidden = sealed(office, serial, key).hex()
        issue(
            work, Purpose.PAIRING_APP, ticket, Held(who.account, {"serial": serial, "key": hidden}, _LASTS, who.account)
        )
        return ticket


def offer_of(office: Office, who: Present, ticket: str) -> Offer | None:
    """What an app is to be told; None when the ticket is over, used, or another person's."""
    with office.work("person") as work:
        found = _offered(work, who.account, ticket)
        holder = holder_of(work, who.account)
    if found is None or holder is None:
        return None
    serial, key = found
    text, issuer = base64.b32encode(key).decode(), office.settings.brand.name
    label = quote(f"{issuer}:{holder.username}", safe="")
    asked = urlencode({"secret": text, "issuer": issuer, "digits": _DIGITS, "period": _PERIOD}, quote_via=quote)
    grouped = " ".join(text[place : place + 4] for place in range(0, len(text), 4))
    return Offer(f"otpauth://totp/{label}?{asked}", grouped, serial)


def pair_app(office: Office, claim: Entitled, ticket: str, codes: tuple[str, str]) -> tuple[str, ...] | Fault:
    """Pair the app that shows this code; answers new recovery codes."""
    with office.work("person") as work:
        found = _offered(work, claim.who.account, ticket)
    if found is None:
        return Fault(PairingFault.OFFER_OVER)
    serial, key = found
    shown: Callable[[int], str] = pyotp.HOTP(base64.b32encode(key).decode(), digits=_DIGITS).at

    def take(work: Work, judged: Accepted) -> str | None:
        if redeem(work, Purpose.PAIRING_APP, ticket, claim.who.account) is None:
            return None
        row = _app_row(work, claim.who.account, (serial, key), judged)
        work.connection.execute(insert(Responder).values(**row))
        return str(row["id"])

    return _pair(office, claim, (_NEW, shown, take), serial, codes)


def pair_device(office: Office, claim: Entitled, number: str, codes: tuple[str, str]) -> tuple[str, ...] | Fault:
    """Pair a device of the stock by the number on it and its code, with the next one where its clock is off (L06).

    A number that is unknown or taken is answered like a wrong code, in the same time.
    """
    serial = canonical_serial(number) or ""
    with office.reading() as connection:
        row: AnyRow | None = _STOCK.one(connection, number=serial)
    # A device that nobody has shows codes as long as this one, as one that somebody has would.
    state = state_of(row) if row is not None else replace(_NEW, digits=max(len(codes[0]), _DIGITS))
    shown = code_at(office, row) if row is not None else _nobodys(office)

    def take(work: Work, judged: Accepted) -> str | None:
        if row is None:
            return None
        values = {"account": claim.who.account, "step": judged.step, "seen_drift": judged.drift, "now": work.now}
        return str(row.id) if _TAKE.run(work.connection, responder=row.id, **values) == 1 else None

    return _pair(office, claim, (state, shown, take), serial, codes)


_Candidate = tuple[ResponderState, Callable[[int], str], Callable[[Work, Accepted], str | None]]


def _pair(
    office: Office, claim: Entitled, candidate: _Candidate, serial: str, codes: tuple[str, str]
) -> tuple[str, ...] | Fault:
    try:
        return _pair_once(office, claim, candidate, serial, codes)
    except _TooLate:
        return Fault(PairingFault.NOT_ALLOWED)


def _pair_once(
    office: Office, claim: Entitled, candidate: _Candidate, serial: str, codes: tuple[str, str]
) -> tuple[str, ...] | Fault:
    state, shown, take = candidate
    with office.work("person") as work:
        allowed = throttle.ask(work, "pairing", claim.who.account, claim.source)
        if isinstance(allowed, datetime):
            return Fault(PairingFault.DELAYED, allowed)
    with office.work("person") as work:
        # Who pairs in two windows has the device of the later one.
        lock_account(work, claim.who.account)
        judged = _judge_evenly(work, state, shown, codes)
        if not isinstance(judged, Accepted):
            return Fault(PairingFault.OUT_OF_STEP if judged is Wrong.OUT_OF_STEP else PairingFault.WRONG)
        if not claim.who.strong and _permit_of(work, claim) is None:
            return Fault(PairingFault.NOT_ALLOWED)
        responder = take(work, judged)
        if responder is None:
            return Fault(PairingFault.WRONG)
        # The device is taken first: who finds it gone keeps the permit. Of two with one permit, one has it.
        by = "session" if claim.who.strong else _use_permit(work, claim)
        if by is None:
            raise _TooLate
        throttle.give_back(work, allowed)
        return _settle(work, claim.who.account, responder, serial, by)


class _TooLate(Exception):
    """The permit was used at the same moment; what was done in this transaction is undone."""


def _settle(work: Work, account: str, responder: str, serial: str, by: str) -> tuple[str, ...]:
    """The new responder is the only one; what the former opened is over, and the holder hears of it (SEC-30)."""
    former = update(Responder).where(Responder.account_id == account, Responder.id != responder)
    work.connection.execute(former.where(Responder.status.in_(("assigned", "lost"))).values(status="retired"))
    # Pairing is the recovery that ends a block by wrong codes (O-6).
    lifted = update(Account).where(Account.id == account)
    work.connection.execute(lifted.values(wrong_codes=0, blocked_at=None))
    end_everything(work, account)
    void(work, account, Purpose.PAIRING_PERMIT, Purpose.PAIRING_APP, Purpose.LOSS_CONFIRMATION)
    cancel(work, account)
    work.record(Event.RESPONDER_PAIRED, responder=serial, account=account, by=by)
    announce(work, account, Notice.RESPONDER_PAIRED, serial=serial[-4:])
    return make_codes(work, account)


def _judge_evenly(
    work: Work, state: ResponderState, shown: Callable[[int], str], codes: tuple[str, str]
) -> Accepted | Wrong:
    """Judge a code as its device counts, and a wrong one as the other kind too: each kind takes as long (SEC-27)."""
    judged = _judge(work, state, shown, codes)
    if not isinstance(judged, Accepted):
        for kind in Algorithm:
            if kind is not state.algorithm or judged is Wrong.MALFORMED:
                _judge(work, replace(_NEW, algorithm=kind, digits=len(codes[0])), shown, codes)
    return judged


def _judge(work: Work, state: ResponderState, shown: Callable[[int], str], codes: tuple[str, str]) -> Accepted | Wrong:
    allowed = windows(work.office)
    if codes[1]:
        return resynchronise(state, codes, shown, work.now, allowed)
    return judge(state, codes[0], shown, work.now, allowed)


def _permit_of(work: Work, claim: Entitled) -> str | None:
    found = peek(work, Purpose.PAIRING_PERMIT, claim.permit) if claim.permit else None
    return str(found[1]["by"]) if found is not None and found[0] == claim.who.account else None


def _use_permit(work: Work, claim: Entitled) -> str | None:
    told = redeem(work, Purpose.PAIRING_PERMIT, claim.permit, claim.who.account) if claim.permit else None
    return None if told is None else str(told["by"])


def _offered(work: Work, account: str, ticket: str) -> tuple[str, bytes] | None:
    found = peek(work, Purpose.PAIRING_APP, ticket) if ticket else None
    if found is None or found[0] != account:
        return None
    serial = str(found[1]["serial"])
    key = work.office.vault.unseal(bytes.fromhex(found[1]["key"]), f"responder:{serial}")
    return serial, base64.b32decode(key)


def _nobodys(office: Office) -> Callable[[int], str]:
    """A device that nobody has, so that an unknown number takes as long as a known one (SEC-27)."""
    key = office.entropy.bytes(_SECRET_OCTETS)
    sealed(office, "-", key)
    at: Callable[[int], str] = pyotp.HOTP(base64.b32encode(key).decode(), digits=_DIGITS).at
    return at


def _app_row(work: Work, account: str, made: tuple[str, bytes], judged: Accepted) -> dict[str, object]:
    serial, key = made
    return {
        "id": work.new_id(),
        "created_at": work.now,
        "serial": serial,
        "algorithm": Algorithm.TOTP.value,
        "digits": _DIGITS,
        "period": _PERIOD,
        "secret": sealed(work.office, serial, key),
        "last_step": judged.step,
        "drift": judged.drift,
        "status": "assigned",
        "account_id": account,
        "mark": mark_of(work.office, key),
        "kind": "app",
        "last_used_at": work.now,
    }
