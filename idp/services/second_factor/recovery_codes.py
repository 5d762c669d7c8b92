"""Recovery codes: ten that each stand in once for a lost responder; shown once, kept as digests (SEC-31)."""

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from idp.domain.audit import Event
from idp.services.work import Office, Work
from idp.store.people import RecoveryCode
from idp.store.prepared import Prepared

HOW_MANY = 10
_LENGTH = 12
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# What people misread, and what they put between the groups.
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", " ": None, "-": None, "\u2013": None})
_USE = Prepared(
    update(RecoveryCode)
    .where(
        RecoveryCode.account_id == bindparam("account"),
        RecoveryCode.digest == bindparam("typed"),
        RecoveryCode.used_at.is_(None),
    )
    .values(used_at=bindparam("now"))
)


def make_codes(work: Work, account: str) -> tuple[str, ...]:
    """Ten new codes of 60 bits in groups of four; the earlier ones are worth nothing any more."""
    codes = tuple(_new(work.office) for _ in range(HOW_MANY))
    work.connection.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account))
    rows = [
        {
            "id": work.new_id(),
            "created_at": work.now,
            "account_id": account,
            "digest": _digest(work.office, code),
            "used_at": None,
        }
        for code in codes
    ]
    work.connection.execute(insert(RecoveryCode), rows)
    work.record(Event.RECOVERY_CODES_MADE, account=account)
    return codes


def use_code(work: Work, account: str, typed: str) -> bool:
    """Use a code up; whether it was good. One statement decides, so that of two at once one succeeds (SEC-25)."""
    used = _USE.run(work.connection, account=account, typed=_digest(work.office, typed), now=work.now) == 1
    work.record(Event.RECOVERY_CODE_USED if used else Event.RECOVERY_CODE_REFUSED, account=account)
    return used


def codes_left(connection: Connection, account: str) -> int:
    """How many codes of an account are still good."""
    good = select(func.count()).where(RecoveryCode.account_id == account, RecoveryCode.used_at.is_(None))
    return connection.execute(good).scalar_one()


def _new(office: Office) -> str:
    letters = "".join(_ALPHABET[byte % 32] for byte in office.entropy.bytes(_LENGTH))
    return "-".join(letters[place : place + 4] for place in range(0, _LENGTH, 4))


def _digest(office: Office, code: str) -> str:
    return office.vault.digest(code[:64].upper().translate(_READ_AS), "recovery-code")
