"""Codes of responders: shown by a device, spent by an account, each once (SEC-26)."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pyotp
from sqlalchemy import bindparam, select, update

from idp.domain.otp import Accepted, Algorithm, ResponderState, Windows, Wrong, judge, resynchronise, step_shown
from idp.services.work import Office, Work
from idp.store.base import AnyRow
from idp.store.means import Means
from idp.store.people import Responder
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
    .values(last_step=bindparam("step"), drift=bindparam("seen_drift"), last_used_at=bindparam("now"))
)


@dataclass(frozen=True, slots=True)
class OutOfStep:
    """The code is of the account's own responder, whose clock is off: which one, and the step it showed (L06)."""

    responder: str
    step: int


@dataclass(frozen=True, slots=True)
class Spent:
    """The code is right and was spent now, at this responder."""

    responder: str


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


def own_responders(work: Work, account: str) -> list[AnyRow]:
    """The responders that an account may use now."""
    return _RESPONDERS.all(work.connection, account=account)


def consume(work: Work, account: str, code: str, earlier: tuple[str, int] | None = None) -> Spent | OutOfStep | Wrong:
    """Spend a code at one of the account's responders.

    ``earlier`` is the responder and the step of a code before that was out of step: with the code that follows it the
    device is back in step (L06).
    """
    found: OutOfStep | Wrong = Wrong.MISMATCH
    for row in own_responders(work, account):
        judged = _judge(work, row, code, earlier)
        if isinstance(judged, Accepted):
            return Spent(row.id) if spend(work, row.id, judged) else Wrong.USED
        if judged is not Wrong.MISMATCH:
            found = judged
    return found


def spend(work: Work, responder: str, judged: Accepted) -> bool:
    """Record the step of a right code; of two who send the same, one is first (SEC-25)."""
    values = {"step": judged.step, "seen_drift": judged.drift, "now": work.now}
    return _SPEND.run(work.connection, responder=responder, **values) == 1


def _judge(work: Work, row: AnyRow, code: str, earlier: tuple[str, int] | None) -> Accepted | OutOfStep | Wrong:
    state, shown, allowed = state_of(row), code_at(work.office, row), windows(work.office)
    judged = judge(state, code, shown, work.now, allowed)
    if isinstance(judged, Accepted) or judged is not Wrong.OUT_OF_STEP:
        return judged
    if earlier is not None and earlier[0] == row.id:
        again = resynchronise(state, (shown(earlier[1]), code), shown, work.now, allowed)
        if isinstance(again, Accepted):
            return again
    step = step_shown(state, code, shown, work.now, allowed)
    return judged if step is None else OutOfStep(row.id, step)


def other_holder(work: Work, account: str, code: str) -> str | None:
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
