"""One unit of work: one transaction, one instant, one actor, one audit trail, one outbox."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, Engine

from idp.domain.audit import Event
from idp.ports import Clock, Entropy, Keys, Passwords, Vault
from idp.services.audit import append
from idp.services.directory import Directory
from idp.settings import Settings


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event waiting to be appended to the chain at the end of the work."""

    event: Event
    facts: dict[str, str]


@dataclass(slots=True)
class Work:
    """What a use case needs inside one transaction."""

    connection: Connection
    now: datetime
    actor: str
    office: "Office"
    trail: list[Recorded] = field(default_factory=list)

    def record(self, event: Event, **facts: str) -> None:
        """Note an event; the chain grows by it as the last thing before the commit (SEC-38)."""
        self.trail.append(Recorded(event, facts))

    def new_id(self) -> str:
        """A new id: 32 hex characters that sort by time."""
        return new_id(self.now, self.office.entropy)


@dataclass(frozen=True, slots=True)
class Office:
    """Everything a use case may need, built once in `idp.app` and passed along."""

    settings: Settings
    engine: Engine
    clock: Clock
    entropy: Entropy
    passwords: Passwords
    vault: Vault
    keys: Keys
    directory: Directory

    @contextmanager
    def work(self, actor: str) -> Iterator[Work]:
        """A writing transaction; the audit chain is appended last, then all is committed (SEC-37)."""
        with self.engine.connect() as connection, connection.begin():
            work = Work(connection, self.clock.now(), actor, self)
            yield work
            append(connection, work.now, actor, [(one.event, one.facts) for one in work.trail])

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A reading transaction."""
        with self.engine.connect().execution_options(read_only=True) as connection, connection.begin():
            yield connection


def new_id(now: datetime, entropy: Entropy) -> str:
    """48 bits of milliseconds and 80 random bits, as 32 hex characters: a UUIDv7 in all but its version bits."""
    milliseconds = int(now.timestamp() * 1000) & (2**48 - 1)
    return milliseconds.to_bytes(6, "big").hex() + entropy.bytes(10).hex()
