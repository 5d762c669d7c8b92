"""The audit chain and its head."""

from sqlalchemy import BigInteger, Index, SmallInteger, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from idp.store.base import Base


class AuditEvent(Base):
    """One recorded event; instants are kept as the text that was hashed. Append only (SEC-38).

    ``account`` is whose it is, empty for what is nobody's: by it people find their own activity.
    """

    __tablename__ = "audit_event"
    __table_args__ = (
        Index(
            "ix_audit_event_account_sequence",
            "account",
            "sequence",
            sqlite_where=text("account <> ''"),
            postgresql_where=text("account <> ''"),
        ),
    )

    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(String(32))
    event: Mapped[str] = mapped_column(String(32))
    actor: Mapped[str] = mapped_column(String(64))
    facts: Mapped[str] = mapped_column(Text)
    reference: Mapped[str] = mapped_column(String(12), index=True)
    account: Mapped[str] = mapped_column(String(32), server_default="")
    hash: Mapped[str] = mapped_column(String(64))


class AuditHead(Base):
    """Where the chain ends now: the row whose lock orders all writers."""

    __tablename__ = "audit_head"

    lane: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    sequence: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str] = mapped_column(String(64))
