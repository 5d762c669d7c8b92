"""Single-use secrets and marks, and counters of attempts."""

from datetime import datetime

from sqlalchemy import Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from idp.store.base import Base, UtcDateTime


class Ticket(Base):
    """A secret that works once, or a mark that something was seen; the digest is keyed by its purpose.

    ``account_id`` is set on what a change of the account makes worthless.
    """

    __tablename__ = "ticket"
    # Only the few that belong to an account are indexed: marks of messages are many and must cost nothing more.
    __table_args__ = (
        Index(
            "ix_ticket_account_id",
            "account_id",
            sqlite_where=text("account_id IS NOT NULL"),
            postgresql_where=text("account_id IS NOT NULL"),
        ),
    )

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(24))
    subject: Mapped[str] = mapped_column(String(64))
    payload: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    account_id: Mapped[str | None] = mapped_column(String(32))


class CounterRow(Base):
    """Attempts of one key (an account, a source, all together)."""

    __tablename__ = "counter"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int]
    rounds: Mapped[int]
    since: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    unlock_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
