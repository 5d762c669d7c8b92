"""The mail and letter box: everything that would have gone out, newest first."""

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from idp.services.work import Office
from idp.store.base import AnyRow
from idp.store.parcels import Parcel

_MOST = 500


@dataclass(frozen=True, slots=True)
class Message:
    """A mail or letter as its receiver would hold it."""

    id: str
    kind: str
    to: str
    subject: str
    text: str
    links: tuple[str, ...]
    codes: tuple[str, ...]
    sent_at: datetime


def messages(office: Office) -> list[Message]:
    """The newest mails and letters."""
    with office.reading() as connection:
        rows = connection.execute(select(Parcel).order_by(Parcel.due_at.desc(), Parcel.id.desc()).limit(_MOST)).all()
    return [_message(office, row) for row in rows]


def message(office: Office, message_id: str) -> Message | None:
    """One of them, or None."""
    with office.reading() as connection:
        row = connection.execute(select(Parcel).where(Parcel.id == message_id)).one_or_none()
    return None if row is None else _message(office, row)


def _message(office: Office, row: AnyRow) -> Message:
    """What is in a parcel: every fact on a line, so that nothing that was sent is hidden from a test."""
    facts: dict[str, str] = json.loads(office.vault.unseal(row.payload, "parcel"))
    lines = (f"{name}: {value}" for name, value in facts.items() if name not in ("subject", "text"))
    return Message(
        id=row.id,
        kind=row.kind,
        to=row.recipient,
        subject=facts.get("subject", row.template),
        text=facts.get("text") or "\n".join(lines),
        links=tuple(value for value in facts.values() if value.startswith(office.settings.server.base_url)),
        codes=tuple(value for name, value in facts.items() if name == "code"),
        sent_at=row.due_at,
    )
