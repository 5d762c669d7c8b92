"""The pocket responder: what a personal device shows at this moment, as its holder would see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from idp.domain.otp import Algorithm, expected_step
from idp.domain.usernames import canonical
from idp.services.authentication.codes import code_at, state_of
from idp.services.work import Office
from idp.store.base import AnyRow
from idp.store.people import Account, Responder

_DEVICES = (
    select(Account.username, *Responder.__table__.columns)
    .join(Account, Account.id == Responder.account_id)
    .where(Responder.status == "assigned")
    .order_by(Responder.id)
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A code, and for how many more seconds the device shows it; None for a device that counts presses."""

    code: str
    expires_in: int | None


def shown_code(office: Office, username: str, clocks: Mapping[str, int]) -> Shown | None:
    """What the device of an account shows now; asking changes nothing. None without an account or a responder.

    A device that counts presses is not pressed: its next code is told (contract: laboratory API). ``clocks`` tells by
    how many seconds a device runs ahead.
    """
    with office.reading() as connection:
        row = connection.execute(_DEVICES.where(Account.username == (canonical(username) or ""))).first()
    return None if row is None else _shown(office, row, clocks)


def shown_codes(office: Office, usernames: tuple[str, ...], clocks: Mapping[str, int]) -> dict[str, Shown]:
    """What the devices of several accounts show now, by username; those without a device are left out."""
    with office.reading() as connection:
        rows = connection.execute(_DEVICES.where(Account.username.in_(usernames))).all()
    return {row.username: _shown(office, row, clocks) for row in reversed(rows)}


def _shown(office: Office, row: AnyRow, clocks: Mapping[str, int]) -> Shown:
    now = office.clock.now() + timedelta(seconds=clocks.get(row.serial, 0))
    if Algorithm(row.algorithm) is Algorithm.HOTP:
        return Shown(code_at(office, row)(expected_step(state_of(row), now)), None)
    seconds = int(now.timestamp())
    return Shown(code_at(office, row)(seconds // row.period), row.period - seconds % row.period)
