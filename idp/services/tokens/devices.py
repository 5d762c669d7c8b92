"""Devices that cannot show a login: a code for the person, a code for the device, and one decision (RFC 8628)."""

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import bindparam, select, update

from idp.domain.login import LoginRequest
from idp.domain.parties import Party
from idp.services.decision.logins import request_json, request_of_json
from idp.services.tokens.grants import Code, code_digest, new_secret
from idp.services.work import Office, Work
from idp.store.devices import DeviceRow
from idp.store.merge import add
from idp.store.prepared import Prepared

LASTS = timedelta(minutes=10)
INTERVAL = 5
# Letters that nobody confuses and that make no words (RFC 8628 section 6.1): 20 of them, 8 times, are 34 bits.
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_LENGTH = 8
_TYPED = re.compile(rf"[{_LETTERS}]{{{_LENGTH}}}", re.ASCII)
_USER = "oidc-user-code"


class Poll(StrEnum):
    """What a device hears that asks for its tokens."""

    GRANTED = "granted"
    DENIED = "denied"
    PENDING = "pending"
    TOO_SOON = "too-soon"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Codes:
    """What a device is told: its own secret, and what the person is to type."""

    device: str
    user: str


@dataclass(frozen=True, slots=True)
class Pending:
    """A device that waits for a person."""

    id: str
    party: str
    asked: LoginRequest


_OPEN = add(DeviceRow)
_BY_USER_CODE = Prepared(
    select(DeviceRow.id, DeviceRow.party_id, DeviceRow.request).where(
        DeviceRow.user_digest == bindparam("code"), DeviceRow.ended == "", DeviceRow.expires_at > bindparam("now")
    )
)
_BY_DEVICE_CODE = Prepared(
    select(DeviceRow.id, DeviceRow.ended, DeviceRow.expires_at, DeviceRow.next_poll_at, DeviceRow.interval).where(
        DeviceRow.device_digest == bindparam("code"), DeviceRow.party_id == bindparam("party")
    )
)
_PACE = Prepared(
    update(DeviceRow)
    .where(DeviceRow.id == bindparam("device"))
    .values(next_poll_at=bindparam("next"), interval=bindparam("seconds"))
)
_END = Prepared(
    update(DeviceRow)
    .where(
        DeviceRow.id == bindparam("device"),
        DeviceRow.party_id == bindparam("party"),
        DeviceRow.ended == "",
        DeviceRow.expires_at > bindparam("now"),
    )
    .values(ended=bindparam("how"))
    .returning(DeviceRow.device_digest, DeviceRow.expires_at)
)


def await_person(work: Work, party: Party, asked: LoginRequest, device: str) -> Codes:
    """Let a device wait under an id that its request names; answers its codes, of which only digests are kept."""
    codes = Codes(new_secret(work), _new_user_code(work))
    row = {
        "id": device,
        "created_at": work.now,
        "party_id": party.id,
        "device_digest": code_digest(work.office, codes.device),
        "user_digest": work.office.vault.digest(codes.user, _USER),
        "request": json.dumps(request_json(asked)),
        "expires_at": work.now + LASTS,
        "next_poll_at": work.now,
        "interval": INTERVAL,
        "ended": "",
    }
    _OPEN.run(work.connection, **row)
    return codes


def waiting(office: Office, typed: str, now: datetime) -> Pending | None:
    """The device whose code a person typed, in whatever spelling; None when it is wrong, used or too old."""
    code = _letters(typed)
    if not _TYPED.fullmatch(code):
        return None
    with office.reading() as connection:
        row = _BY_USER_CODE.one(connection, code=office.vault.digest(code, _USER), now=now)
    return None if row is None else Pending(row.id, row.party_id, request_of_json(json.loads(row.request)))


def decide(work: Work, party: Party, device: str, how: Poll) -> Code | None:
    """Write what the person decided, by one statement; answers the code of the grant, None when it was decided."""
    row = _END.one(work.connection, device=device, party=party.id, now=work.now, how=how.value)
    return None if row is None else Code(row.device_digest, row.expires_at)


def poll(work: Work, party: Party, code: str) -> Poll:
    """What a device hears; one that asks too often is slowed down by five seconds (RFC 8628 section 3.5)."""
    row = _BY_DEVICE_CODE.one(work.connection, code=code_digest(work.office, code), party=party.id)
    if row is None:
        return Poll.UNKNOWN
    if row.ended:
        return Poll(row.ended)
    if row.expires_at <= work.now:
        return Poll.EXPIRED
    hasty = row.next_poll_at > work.now
    seconds = row.interval + (5 if hasty else 0)
    _PACE.run(work.connection, device=row.id, next=work.now + timedelta(seconds=seconds), seconds=seconds)
    return Poll.TOO_SOON if hasty else Poll.PENDING


def _new_user_code(work: Work) -> str:
    """Letters drawn evenly: a byte beyond the last multiple of their number is drawn again."""
    letters = ""
    while len(letters) < _LENGTH:
        drawn = (one for one in work.office.entropy.bytes(_LENGTH) if one < 256 - 256 % len(_LETTERS))
        letters += "".join(_LETTERS[one % len(_LETTERS)] for one in drawn)
    return letters[:_LENGTH]


def spelled(code: str) -> str:
    """A code as people read it: in two groups."""
    return f"{code[: _LENGTH // 2]}-{code[_LENGTH // 2 :]}"


def spelled_of(typed: str) -> str:
    """What a person typed, spelled as we spell codes."""
    return spelled(_letters(typed))


def _letters(typed: str) -> str:
    """What was typed, without the hyphen and spaces that people put in."""
    return re.sub(r"[\s-]", "", typed[:40]).upper()
