"""Emptying the outbox: each mail is claimed, addressed, sent outside of any transaction, and written off.

A mail is sent once, except where SMTP itself cannot tell: when the connection or we die between the end of the message
and the server's word that it took it, the mail is tried again under the same Message-ID (docs/recovery.md).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import bindparam, select, update

from idp.domain.audit import Event
from idp.ports import Mail, MailDelayed, MailRefused, PostOffice, Stationery
from idp.services.mail.gathering import NOT_LED
from idp.services.mail.outbox import AT_ONCE, LEASE, MINE, Fate, put_off, write_off
from idp.services.mail.parcels import SEAL, Facts, Outgoing
from idp.services.work import Office, Work
from idp.store.base import AnyRow
from idp.store.parcels import Parcel
from idp.store.prepared import Prepared

# One attempt waits for the server several times; its lease outlasts them all.
_LEASED_WAITS = 12
_DUE = (
    select(Parcel.id, Parcel.attempts)
    .where(Parcel.status == "queued", Parcel.kind == "mail", Parcel.due_at <= bindparam("now"), NOT_LED)
    .order_by(Parcel.due_at, Parcel.created_at, Parcel.id)
    .limit(AT_ONCE)
)
_CLAIM = Prepared(
    update(Parcel)
    .where(*MINE)
    .values(attempts=bindparam("now_tried"), due_at=bindparam("lease"))
    .returning(Parcel.recipient, Parcel.template, Parcel.locale, Parcel.payload, Parcel.created_at)
)
_ADDRESS = Prepared(
    update(Parcel)
    .where(*MINE)
    .values(
        recipient=bindparam("to"), template=bindparam("text"), locale=bindparam("language"), payload=bindparam("sealed")
    )
)

Address = Callable[[Work, Outgoing], Outgoing | None]
"""Completes a mail: finds its recipient, or what goes along; asked again at every attempt, None discards it."""


@dataclass(frozen=True, slots=True)
class Postman:
    """Carries mails; any number may work on one outbox."""

    office: Office
    stationery: Stationery
    post: PostOffice
    addressing: Mapping[str, Address]

    def deliver_due(self) -> dict[str, int]:
        """Try every mail that is due, until one is delayed: then the server is in trouble; answers how many ended how.

        A mail that is delayed comes back by itself: after half a minute, then twice as long, up to an hour.
        """
        due = due_mails(self.office)
        counts: dict[str, int] = {}
        for row in due:
            fate = self._deliver(row.id, row.attempts)
            counts[fate] = counts.get(fate, 0) + 1
            if fate is Fate.DELAYED:
                break
        return counts

    def _deliver(self, parcel: str, seen: int) -> Fate:
        claimed = self._claim(parcel, seen)
        if isinstance(claimed, Fate):
            return claimed
        try:
            subject, text, html = self.stationery.write(claimed.template, claimed.locale, claimed.facts)
            self.post.send(Mail(claimed.id, claimed.recipient, subject, text, html, claimed.since))
        except MailRefused as refused:
            return self._end(claimed, Fate.FAILED, str(refused))
        except MailDelayed as delayed:
            return self._again(claimed, str(delayed))
        return self._end(claimed, Fate.SENT)

    def _claim(self, parcel: str, seen: int) -> Outgoing | Fate:
        """Take a mail for one attempt, and find out who it is for and what goes along."""
        with self.office.work("worker") as work:
            lease = {"now_tried": seen + 1, "lease": work.now + self._lease()}
            row = _CLAIM.one(work.connection, parcel=parcel, seen=seen, **lease)
            if row is None:
                return Fate.TAKEN
            facts = self._opened(row.payload)
            if facts is None:
                self._write_off(work, parcel, seen + 1, Fate.FAILED)
                work.record(Event.MAIL_FAILED, parcel=parcel, template=row.template, why="unreadable")
                return Fate.FAILED
            mail = Outgoing(parcel, seen + 1, row.created_at, row.recipient, row.template, row.locale, facts)
            address = self.addressing.get(row.template)
            found = mail if address is None else address(work, mail)
            if found is None:
                self._write_off(work, parcel, seen + 1, Fate.DISCARDED)
                return Fate.DISCARDED
            values = {"to": found.recipient, "text": found.template, "language": found.locale}
            _ADDRESS.run(work.connection, parcel=parcel, seen=seen + 1, sealed=self._sealed(found.facts), **values)
        return found

    def _end(self, claimed: Outgoing, fate: Fate, why: str = "") -> Fate:
        with self.office.work("worker") as work:
            kept = claimed.facts if fate is Fate.SENT and self.office.settings.lab.enabled else {}
            self._write_off(work, claimed.id, claimed.tries, fate, kept)
            facts = {"parcel": claimed.id, "template": claimed.template} | ({"why": why} if why else {})
            work.record(Event.MAIL_SENT if fate is Fate.SENT else Event.MAIL_FAILED, **facts)
        return fate

    def _again(self, claimed: Outgoing, why: str) -> Fate:
        given_up = claimed.since + timedelta(hours=self.office.settings.mail.give_up_hours)
        if self.office.clock.now() > given_up:
            return self._end(claimed, Fate.FAILED, why)
        with self.office.work("worker") as work:
            put_off(work, (claimed.id, claimed.tries))
        return Fate.DELAYED

    def _write_off(self, work: Work, parcel: str, seen: int, fate: Fate, kept: Facts | None = None) -> None:
        """Nothing of what a mail told is kept (F39), but for the letter box of the laboratory."""
        write_off(work, (parcel, seen), fate, self._sealed(kept or {}))

    def _lease(self) -> timedelta:
        return max(LEASE, timedelta(seconds=self.office.settings.mail.timeout_seconds * _LEASED_WAITS))

    def _opened(self, payload: bytes) -> Facts | None:
        """What a mail tells; None when it was sealed with a key that is gone."""
        try:
            facts: Facts = json.loads(self.office.vault.unseal(payload, SEAL))
        except ValueError:
            return None
        return facts

    def _sealed(self, facts: Facts) -> bytes:
        return self.office.vault.seal(json.dumps(facts, sort_keys=True).encode(), SEAL)


@dataclass(frozen=True, slots=True)
class Nobody:
    """Stands where no mail server is set: everything stays in the outbox."""

    office: Office

    def deliver_due(self) -> dict[str, int]:
        """How many mails wait."""
        return {"waiting": len(due_mails(self.office))}


def due_mails(office: Office) -> Sequence[AnyRow]:
    """The ids of mails that are due, and how often each was tried; the oldest of them, and not more than one round."""
    with office.reading() as connection:
        return connection.execute(_DUE, {"now": office.clock.now()}).all()
