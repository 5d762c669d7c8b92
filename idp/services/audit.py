"""Appending to the audit chain, and verifying it."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from idp.domain.audit import Entry, Event, broken_at, canonical_facts, link
from idp.store.ledger import AuditEvent, AuditHead
from idp.store.merge import add
from idp.store.prepared import Prepared

_LANE = 0
_HEAD = Prepared(select(AuditHead.sequence, AuditHead.hash).where(AuditHead.lane == _LANE).with_for_update())
_APPEND = add(AuditEvent)
_ADVANCE = Prepared(
    update(AuditHead).where(AuditHead.lane == _LANE).values(sequence=bindparam("last"), hash=bindparam("top"))
)


def append(connection: Connection, now: datetime, actor: str, trail: Sequence[tuple[Event, dict[str, str]]]) -> None:
    """Append events as the last thing of a transaction: the head's row orders all writers (SEC-37, SEC-38)."""
    if not trail:
        return
    head = _HEAD.one(connection)
    if head is None:
        raise LookupError("the audit chain has no head")
    (sequence, previous), at = head, now.isoformat()
    for event, facts in trail:
        sequence += 1
        entry = Entry(sequence, at, event.value, actor, canonical_facts(facts))
        previous = link(previous, entry)
        _APPEND.run(
            connection,
            sequence=sequence,
            at=at,
            event=entry.event,
            actor=actor,
            facts=entry.facts,
            reference=facts.get("reference", ""),
            account=facts.get("account", ""),
            hash=previous,
        )
    _ADVANCE.run(connection, last=sequence, top=previous)


def verify(connection: Connection) -> int | None:
    """The sequence number at which the chain is torn or cut short, or None when it is whole (SEC-38)."""
    torn = broken_at(_chain(connection))
    if torn is not None:
        return torn
    head = connection.execute(select(AuditHead.sequence, AuditHead.hash)).one()
    newest = select(AuditEvent.sequence, AuditEvent.hash).order_by(AuditEvent.sequence.desc()).limit(1)
    last = connection.execute(newest).one_or_none()
    whole = (head.sequence, head.hash) == (last.sequence, last.hash) if last else head.sequence == 0
    return None if whole else head.sequence


def _chain(connection: Connection) -> Iterator[tuple[Entry, str]]:
    columns = (
        AuditEvent.sequence,
        AuditEvent.at,
        AuditEvent.event,
        AuditEvent.actor,
        AuditEvent.facts,
        AuditEvent.hash,
    )
    rows = connection.execution_options(yield_per=1000).execute(select(*columns).order_by(AuditEvent.sequence))
    for row in rows:
        yield Entry(row.sequence, row.at, row.event, row.actor, row.facts), row.hash
