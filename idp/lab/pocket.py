"""The pocket responder: what a personal device shows at this moment, as its holder would see it."""

from dataclasses import dataclass

from sqlalchemy import select

from idp.domain.otp import Algorithm, ResponderState, expected_step
from idp.domain.usernames import canonical
from idp.lab.world import read
from idp.services.credentials import code_at
from idp.services.work import Office
from idp.store.people import Account, Responder


@dataclass(frozen=True, slots=True)
class Shown:
    """A code and for how many more seconds the device shows it; a device that counts presses shows it until then."""

    code: str
    expires_in: int | None


def shown_code(office: Office, username: str) -> Shown | None:
    """What the device of an account shows now; asking changes nothing. None without an account or a responder.

    A device that counts presses is not pressed: its next code is told (contract: laboratory API).
    """
    query = (
        select(Responder)
        .join(Account, Account.id == Responder.account_id)
        .where(Account.username == (canonical(username) or ""), Responder.status == "assigned")
        .order_by(Responder.id)
    )
    with office.reading() as connection:
        row = connection.execute(query).first()
    if row is None:
        return None
    code = code_at(office, row)
    if Algorithm(row.algorithm) is Algorithm.HOTP:
        pressed = ResponderState(Algorithm.HOTP, row.digits, row.period, row.last_step, row.drift)
        return Shown(code(expected_step(pressed, office.clock.now())), None)
    shows = int(office.clock.now().timestamp()) + _ahead(row.serial)
    return Shown(code(shows // row.period), row.period - shows % row.period)


def _ahead(serial: str) -> int:
    """By how many seconds the clock of a device of the world runs ahead; only the device itself knows."""
    devices = (persona.responder for persona in read().personas if persona.responder is not None)
    return next((device.ahead for device in devices if device.serial == serial), 0)
