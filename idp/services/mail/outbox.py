"""The outbox as its carriers see it: each parcel is taken for one attempt, and written off or tried again."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import bindparam, select, update

from idp.domain.audit import Event
from idp.services.mail.parcels import SEAL
from idp.services.work import Office, Work
from idp.store.parcels import Parcel
from idp.store.prepared import Prepared

AT_ONCE = 50
# Longer than any attempt can take: whoever holds a parcel so long has died with it.
LEASE = timedelta(minutes=5)
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=1)
MINE = (Parcel.id == bindparam("parcel"), Parcel.status == "queued", Parcel.attempts == bindparam("seen"))
_TAKE = Prepared(
    update(Parcel)
    .where(*MINE)
    .values(attempts=bindparam("now_tried"), due_at=bindparam("lease"))
    .returning(Parcel.payload, Parcel.created_at)
)
_END = Prepared(
    update(Parcel)
    .where(*MINE)
    .values(status=bindparam("ends"), payload=bindparam("sealed"), sent_at=bindparam("at"), due_at=bindparam("at"))
)
_AGAIN = Prepared(update(Parcel).where(*MINE).values(due_at=bindparam("again")))


class Fate(StrEnum):
    """What became of a parcel in one attempt."""

    SENT = "sent"
    DELAYED = "delayed"
    FAILED = "failed"
    DISCARDED = "discarded"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True)
class Due:
    """A parcel that waits, how often it was tried, and whom it is for."""

    id: str
    tried: int
    recipient: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A parcel that is ours until its lease ends; ``tries`` counts this attempt, ``since`` is when it was queued."""

    id: str
    tries: int
    since: datetime
    facts: dict[str, str]


@dataclass(frozen=True, slots=True)
class Outbox:
    """The parcels of one kind."""

    office: Office
    kind: str

    def due(self) -> list[Due]:
        """The parcels that are due; the oldest, and not more than one round."""
        with self.office.reading() as connection:
            waiting = (
                select(Parcel.id, Parcel.attempts, Parcel.recipient)
                .where(Parcel.status == "queued", Parcel.kind == self.kind, Parcel.due_at <= self.office.clock.now())
                .order_by(Parcel.due_at)
                .limit(AT_ONCE)
            )
            return [Due(row.id, row.attempts, row.recipient) for row in connection.execute(waiting)]

    def take(self, due: Due) -> Taken | None:
        """Take a parcel for one attempt; None when another carrier has it."""
        tries = due.tried + 1
        with self.office.work("worker") as work:
            lease = {"now_tried": tries, "lease": work.now + LEASE}
            row = _TAKE.one(work.connection, parcel=due.id, seen=due.tried, **lease)
        if row is None:
            return None
        return Taken(due.id, tries, row.created_at, json.loads(self.office.vault.unseal(row.payload, SEAL)))

    def end(self, taken: Taken, fate: Fate, event: Event | None = None, **facts: str) -> Fate:
        """Write a parcel off; nothing of what it told is kept."""
        with self.office.work("worker") as work:
            nothing = self.office.vault.seal(b"{}", SEAL)
            write_off(work, (taken.id, taken.tries), fate, nothing)
            if event is not None:
                work.record(event, **facts)
        return fate

    def again(self, taken: Taken) -> Fate:
        """Let a parcel come back: after half a minute, then twice as long, up to an hour."""
        with self.office.work("worker") as work:
            put_off(work, (taken.id, taken.tries))
        return Fate.DELAYED


def write_off(work: Work, taken: tuple[str, int], fate: Fate, sealed: bytes) -> None:
    """End a parcel that is still ours, by its id and the number of this attempt; ``sealed`` is what is kept of it."""
    parcel, tries = taken
    _END.run(work.connection, parcel=parcel, seen=tries, ends=fate.value, at=work.now, sealed=sealed)


def put_off(work: Work, taken: tuple[str, int]) -> None:
    """Let a parcel that is still ours come back: after half a minute, then twice as long, up to an hour."""
    parcel, tries = taken
    wait = min(_FIRST_WAIT * 2 ** min(tries - 1, 10), _LONGEST_WAIT)
    _AGAIN.run(work.connection, parcel=parcel, seen=tries, again=work.now + wait)
