"""Versions of our own keys, and which relying party was last seen at which of them."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Connection, ForeignKey, Index, String, Text, select, text
from sqlalchemy.orm import Mapped, mapped_column

from idp.domain.keys import KeyStatus, KeyUse, KeyVersion, in_order
from idp.store.base import AnyRow, Base, Id, Row, UtcDateTime

_ONE_ACTIVE = text("status = 'active'")


class KeyVersionRow(Row):
    """A key of ours; the private half lies in a file that ``private_ref`` names."""

    __tablename__ = "key_version"
    __table_args__ = (
        CheckConstraint("status IN ('next', 'active', 'retiring', 'retired')", name="status"),
        Index("uq_key_version_active", "use", unique=True, sqlite_where=_ONE_ACTIVE, postgresql_where=_ONE_ACTIVE),
    )

    kid: Mapped[str] = mapped_column(String(64), unique=True)
    use: Mapped[str] = mapped_column(String(16))
    algorithm: Mapped[str] = mapped_column(String(16))
    certificate: Mapped[str] = mapped_column(Text)
    private_ref: Mapped[str] = mapped_column(String(64), unique=True)
    status: Mapped[str] = mapped_column(String(8))
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    activates_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    activated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    superseded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    retires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    retired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class KeySighting(Base):
    """At which address of a key a party asked, and when last; ``requests`` is a lower bound.

    ``key`` is the short name in the address, empty for the address without one.
    """

    __tablename__ = "key_sighting"

    party_id: Mapped[str] = mapped_column(Id, ForeignKey("party.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(16), primary_key=True)
    first_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    requests: Mapped[int]


def read_versions(connection: Connection) -> tuple[KeyVersion, ...]:
    """Every key of ours, of each use the active one first."""
    return in_order(map(_version, connection.execute(select(KeyVersionRow))))


def columns_of(version: KeyVersion) -> dict[str, Any]:
    """A key as its row keeps it, but for the instant it was made."""
    return {name: getattr(version, name) for name in KeyVersion.__slots__}


def _version(row: AnyRow) -> KeyVersion:
    values = {name: getattr(row, name) for name in KeyVersion.__slots__}
    return KeyVersion(**values | {"use": KeyUse(row.use), "status": KeyStatus(row.status)})
