"""The mail and letter box: everything that went out, newest first, as its receiver reads it."""

import json
import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from idp.effects.postman import postman_of
from idp.effects.stationery import stationery
from idp.ports import MailRefused, Stationery
from idp.services.mail.parcels import SEAL
from idp.services.work import Office
from idp.store.base import AnyRow
from idp.store.parcels import Parcel

_MOST = 500
_OUT = select(Parcel).where((Parcel.kind == "letter") | ((Parcel.kind == "mail") & (Parcel.status == "sent")))


@dataclass(frozen=True, slots=True)
class Message:
    """A mail or letter as its receiver would hold it."""

    id: str
    kind: str
    to: str
    subject: str
    text: str
    html: str
    links: tuple[str, ...]
    codes: tuple[str, ...]
    sent_at: datetime


def messages(office: Office) -> list[Message]:
    """The newest mails and letters.

    Without a mail server, looking into the letter box delivers what is due: a sandbox needs no worker, and no page of
    the product waits for a mail or takes longer for somebody who gets one.
    """
    if not office.settings.mail.host:
        postman = postman_of(office)
        while postman.deliver_due():
            pass
    with office.reading() as connection:
        rows = connection.execute(_OUT.order_by(Parcel.due_at.desc(), Parcel.id.desc()).limit(_MOST)).all()
    paper = stationery(office.settings)
    return [_message(office, paper, row) for row in rows]


def waiting(office: Office) -> int:
    """How many mails are not due yet: notices that wait for more of them, and what a server did not take."""
    count = select(func.count()).where(Parcel.kind == "mail", Parcel.status == "queued")
    with office.reading() as connection:
        return int(connection.execute(count).scalar_one())


def message(office: Office, message_id: str) -> Message | None:
    """One of them, or None."""
    with office.reading() as connection:
        row = connection.execute(_OUT.where(Parcel.id == message_id)).one_or_none()
    return None if row is None else _message(office, stationery(office.settings), row)


def _message(office: Office, paper: Stationery, row: AnyRow) -> Message:
    facts: dict[str, str] = json.loads(office.vault.unseal(row.payload, SEAL))
    try:
        subject, text, html = paper.write(row.template, row.locale, facts)
    except MailRefused:
        # Paper, and what has no text yet: every fact on a line, so that nothing that was sent is hidden from a test.
        subject, text, html = row.template, "\n".join(f"{name}: {value}" for name, value in facts.items()), ""
    return Message(
        id=row.id,
        kind=row.kind,
        to=row.recipient,
        subject=subject,
        text=text,
        html=html,
        links=tuple(re.findall(rf"{re.escape(office.settings.server.base_url)}/\S+", text)),
        codes=tuple(value for name, value in facts.items() if name == "code"),
        sent_at=row.sent_at or row.due_at,
    )
