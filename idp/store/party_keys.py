"""Certificates of relying parties with their dates, and where the metadata of a party are fetched."""

from datetime import datetime

from sqlalchemy import Connection, ForeignKey, String, Text, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from idp.domain.parties import FormerCertificate
from idp.store.base import Base, Id, Row, UtcDateTime


class PartyCertificate(Row):
    """A certificate that the metadata of a party list or listed; ``certificate`` is DER in base64.

    ``use`` is as in KeyDescriptor, ``source`` is ``file`` or ``url``; ``ends_at`` is set when the metadata no longer
    list it: until then it still counts (domain 6.1).
    """

    __tablename__ = "party_certificate"
    __table_args__ = (UniqueConstraint("party_id", "fingerprint", "use"),)

    party_id: Mapped[str] = mapped_column(Id, ForeignKey("party.id", ondelete="CASCADE"))
    fingerprint: Mapped[str] = mapped_column(String(64))
    use: Mapped[str] = mapped_column(String(16))
    certificate: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(String(8))
    ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class PartySource(Base):
    """Where the metadata of a party are fetched, and whose signature they must carry (PEM).

    ``trouble`` is why the last try failed, empty when it did not.
    """

    __tablename__ = "party_source"

    party_id: Mapped[str] = mapped_column(Id, ForeignKey("party.id", ondelete="CASCADE"), primary_key=True)
    url: Mapped[str] = mapped_column(String(2048))
    signer: Mapped[str] = mapped_column(Text)
    every_hours: Mapped[int]
    due_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    tried_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    fetched_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    trouble: Mapped[str] = mapped_column(Text)


_FORMER = select(PartyCertificate.use, PartyCertificate.certificate, PartyCertificate.ends_at).where(
    PartyCertificate.ends_at.is_not(None)
)


def read_former(connection: Connection, party_id: str) -> tuple[FormerCertificate, ...]:
    """The certificates that a party's metadata no longer list, with how long each still counts; the last one first."""
    last_first = PartyCertificate.ends_at.desc(), PartyCertificate.id
    rows = connection.execute(_FORMER.where(PartyCertificate.party_id == party_id).order_by(*last_first))
    return tuple(FormerCertificate(row.use, row.certificate, row.ends_at) for row in rows)
