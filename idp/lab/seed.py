"""Writing the invented world into a database, and going back to it."""

import hashlib
import json
from base64 import b32decode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import delete, insert, select

from idp.domain.audit import Event
from idp.effects.certificates import identity_of
from idp.effects.clock import LabClock
from idp.lab import authority
from idp.lab.clock import start
from idp.lab.rows import Rows, world_rows
from idp.lab.world import World, read
from idp.services.authentication.certificates import bind
from idp.services.catalogue.loading import load
from idp.services.second_factor.responders import mark_of
from idp.services.work import Office, Work
from idp.settings import product_file
from idp.store.base import Base
from idp.store.catalogue import PartyRow, PartyService, ProviderRow, ServiceRow, read_services
from idp.store.ledger import AuditEvent, AuditHead
from idp.store.people import Account
from idp.store.tables import METADATA
from idp.store.tickets import Ticket
from idp.store.versions import DIRECTORY, Version, bump

# What a reset leaves alone: the catalogue, who is registered, what was recorded, and marks of what was spent.
_KEPT: tuple[type[Base], ...] = (
    AuditEvent,
    AuditHead,
    PartyRow,
    PartyService,
    ProviderRow,
    ServiceRow,
    Ticket,
    Version,
)


def seeded(office: Office) -> bool:
    """Whether this database holds the world already."""
    with office.reading() as connection:
        found = select(AuditEvent.sequence).where(AuditEvent.event == Event.SANDBOX_SEEDED).limit(1)
        return connection.execute(found).scalar_one_or_none() is not None


def seed(office: Office, seed: int) -> None:
    """Write catalogue and world into an empty database, in one transaction; the same seed gives the same ids."""
    world = read()
    hashes = _hashes(office, world, {})
    with office.work("laboratory") as work:
        load(work, product_file("config", "catalogue.toml"))
        _write(work, world, seed, hashes)
        work.record(Event.SANDBOX_SEEDED, seed=str(seed))


def reset(office: Office) -> None:
    """Back to the world as it was seeded, its clock included; parties stay, what was spent stays spent (RUL-21)."""
    if not seeded(office):
        seed(office, 1)
        return
    world = read()
    hashes = _hashes(office, world, _unchanged(office, world))
    number = _seed_of(office)
    if isinstance(office.clock, LabClock):
        frozen_at = office.settings.lab.frozen_at
        start(office.clock, datetime.fromisoformat(frozen_at) if frozen_at else None)
    with office.work("laboratory") as work:
        kept = {table.__tablename__ for table in _KEPT}
        for table in reversed(METADATA.sorted_tables):
            if table.name not in kept:
                work.connection.execute(delete(table))
        work.connection.execute(delete(Ticket).where(Ticket.used_at.is_(None)))
        _write(work, world, number, hashes)
        bump(work.connection, DIRECTORY)


def _write(work: Work, world: World, seed: int, hashes: dict[str, str]) -> None:
    services = {one.slug: str(one.uuid) for one in read_services(work.connection)}
    rows: Rows = world_rows(world, work.now, _Naming(seed).id, services)
    for account in rows.accounts:
        account["password_hash"] = hashes[account["username"]]
    for responder in rows.responders:
        plain = responder["secret"].encode()
        responder["mark"] = mark_of(work.office, b32decode(plain))
        responder["secret"] = work.office.vault.seal(plain, f"responder:{responder['serial']}")
    for table, values in rows.in_order():
        work.connection.execute(insert(table), values)
    _bind_certificates(work)


def _bind_certificates(work: Work) -> None:
    """Bind the certificates of people to their accounts, where the laboratory has an authority (F17)."""
    folder = Path(work.office.settings.paths.data) / authority.FOLDER
    for client in authority.CLIENTS if folder.exists() else ():
        if not client.fault:
            found = authority.certificate_of(folder, client.name)
            bind(work, client.name, identity_of(found), found.not_valid_after_utc)


@dataclass(frozen=True, slots=True)
class _Naming:
    """Ids that only depend on the seed and on what they name, so that pseudonyms survive a reset (RUL-9)."""

    seed: int

    def id(self, kind: str, place: int, name: str) -> str:
        """32 hex characters that sort by place."""
        return f"{place:08x}" + hashlib.sha256(f"{self.seed}:{kind}:{name}".encode()).hexdigest()[:24]


def _hashes(office: Office, world: World, known: Mapping[str, str]) -> dict[str, str]:
    """The hash of every persona's password; made outside of a transaction, because hashing is slow on purpose."""
    return {one.id: known.get(one.id) or office.passwords.hash(one.password) for one in world.personas}


def _unchanged(office: Office, world: World) -> dict[str, str]:
    """The hashes of personas whose password was never changed, by username."""
    names = [one.id for one in world.personas]
    query = select(Account.username, Account.password_hash).where(
        Account.username.in_(names), Account.password_set_at == Account.created_at
    )
    with office.reading() as connection:
        return {row.username: row.password_hash for row in connection.execute(query)}


def _seed_of(office: Office) -> int:
    """The seed this database was filled with, as the audit chain remembers it."""
    query = select(AuditEvent.facts).where(AuditEvent.event == Event.SANDBOX_SEEDED)
    with office.reading() as connection:
        facts = connection.execute(query.order_by(AuditEvent.sequence).limit(1)).scalar_one()
    return int(json.loads(facts)["seed"])
