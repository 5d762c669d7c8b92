"""Certificates of relying parties, and the addresses where their metadata are fetched."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from idp.domain.audit import Event
from idp.domain.parties import Party
from idp.services.relying_parties.settings import BadParty
from idp.services.work import Office, Work
from idp.store.base import AnyRow
from idp.store.catalogue import PartyRow
from idp.store.merge import renew
from idp.store.party_keys import PartyCertificate, PartySource
from idp.store.versions import DIRECTORY, bump

FILE, URL = "file", "url"
_FOLLOW = renew(PartySource, ("party_id",), ("url", "signer", "every_hours", "due_at", "trouble"))
# After a failure it is tried again sooner than the schedule says.
_AGAIN = timedelta(hours=1)
_LEASE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Listed:
    """A certificate as metadata list it: SHA-256 in hex, the use of its KeyDescriptor, DER in base64."""

    fingerprint: str
    use: str
    certificate: str


def keep_certificates(work: Work, party: str, listed: Sequence[Listed], source: str) -> None:
    """Note what metadata list now; what they no longer list counts for ``saml.overlap_days`` more (domain 6.1)."""
    wanted = {(one.fingerprint, one.use): one for one in listed}
    known = {(row.fingerprint, row.use): row for row in certificates(work.connection, party)}
    ends_at = work.now + timedelta(days=work.office.settings.saml.overlap_days)
    for key, row in known.items():
        ends = None if key in wanted else row.ends_at or ends_at
        if ends != row.ends_at:
            work.connection.execute(update(PartyCertificate).where(PartyCertificate.id == row.id).values(ends_at=ends))
    for key in [key for key in wanted if key not in known]:
        one = wanted[key]
        values = {"fingerprint": one.fingerprint, "use": one.use, "certificate": one.certificate, "source": source}
        work.connection.execute(
            insert(PartyCertificate).values(
                id=work.new_id(), created_at=work.now, party_id=party, ends_at=None, **values
            )
        )


def end_certificate(work: Work, party: Party, name: str) -> str:
    """Let a certificate that metadata no longer list count no more, because its key was stolen (SEC-12).

    ``name`` is the beginning of its fingerprint; answers the whole. Raises ``BadParty``.
    """
    rows = certificates(work.connection, party.id)
    found: set[str] = {row.fingerprint for row in rows if name and row.fingerprint.startswith(name.lower())}
    if len(found) != 1:
        raise BadParty(
            f"{len(found)} certificates have a fingerprint that begins with {name[:64]!r}; see idp providers keys."
        )
    (fingerprint,) = found
    if any(row.ends_at is None for row in rows if row.fingerprint == fingerprint):
        raise BadParty("The metadata list it still: take over metadata without it first, with idp providers refresh.")
    its = PartyCertificate.party_id == party.id, PartyCertificate.fingerprint == fingerprint
    alive = PartyCertificate.ends_at > work.now
    work.connection.execute(update(PartyCertificate).where(*its, alive).values(ends_at=work.now))
    bump(work.connection, DIRECTORY)
    work.record(Event.PARTY_CHANGED, party=party.id, changed="key")
    return fingerprint


def certificates(connection: Connection, party: str) -> Sequence[AnyRow]:
    """Every certificate that a party's metadata list or listed, oldest first."""
    found = select(PartyCertificate.__table__).where(PartyCertificate.party_id == party)
    return connection.execute(found.order_by(PartyCertificate.id)).all()


@dataclass(frozen=True, slots=True)
class Source:
    """Where a party's metadata are fetched, whose signature they must carry (PEM), and how often."""

    url: str
    signer: str
    every_hours: int


def follow(work: Work, party: Party, source: Source) -> None:
    """Fetch a party's metadata from an address from now on."""
    values = {"url": source.url, "signer": source.signer, "every_hours": source.every_hours}
    _FOLLOW.run(
        work.connection,
        party_id=party.id,
        due_at=work.now,
        tried_at=None,
        fetched_at=None,
        trouble="",
        **values,
    )
    work.record(Event.PARTY_CHANGED, party=party.id, changed="source")


def unfollow(work: Work, party: Party) -> bool:
    """Fetch no longer; answers whether it was."""
    gone = work.connection.execute(delete(PartySource).where(PartySource.party_id == party.id)).rowcount > 0
    if gone:
        work.record(Event.PARTY_CHANGED, party=party.id, changed="source")
    return gone


def source_of(connection: Connection, party: str) -> AnyRow | None:
    """The address of a party's metadata with how it went, or None."""
    return connection.execute(select(PartySource.__table__).where(PartySource.party_id == party)).one_or_none()


def take_due(office: Office, protocol: str, most: int) -> list[str]:
    """The parties of a protocol whose metadata are to be fetched, each handed to one worker only."""
    with office.work("worker") as work:
        due = (
            select(PartySource.party_id)
            .join(PartyRow, PartyRow.id == PartySource.party_id)
            .where(PartySource.due_at <= work.now, PartyRow.protocol == protocol)
            .order_by(PartySource.due_at)
        )
        found = work.connection.execute(due.limit(most)).scalars().all()
        lease = {"due_at": work.now + _LEASE}
        return [
            party
            for party in found
            if work.connection.execute(
                update(PartySource).where(PartySource.party_id == party, PartySource.due_at <= work.now).values(lease)
            ).rowcount
        ]


def note_try(work: Work, party: str, trouble: str) -> None:
    """Remember how fetching went, and when it is to be tried again."""
    row = source_of(work.connection, party)
    if row is None:
        return
    every = timedelta(hours=row.every_hours)
    due: datetime = work.now + (min(every, _AGAIN) if trouble else every)
    values = {"tried_at": work.now, "trouble": trouble, "due_at": due}
    if not trouble:
        values["fetched_at"] = work.now
    work.connection.execute(update(PartySource).where(PartySource.party_id == party).values(values))
