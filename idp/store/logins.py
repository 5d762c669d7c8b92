"""Logins under way and sessions that were kept."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from idp.store.base import Base, Id, Row, UtcDateTime


class LoginRow(Row):
    """A login under way. ``request`` and ``progress`` are JSON; the browser's secret is kept as a digest.

    ``status`` is ``open`` or ``answered``.
    """

    __tablename__ = "login"

    party_id: Mapped[str] = mapped_column(Id)
    request: Mapped[str] = mapped_column(Text)
    progress: Mapped[str] = mapped_column(Text)
    browser: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(16))
    reference: Mapped[str] = mapped_column(String(12))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class SessionRow(Row):
    """A kept session; the cookie's value is stored as a digest only (SEC-30)."""

    __tablename__ = "session"

    digest: Mapped[str] = mapped_column(String(64), unique=True)
    account_id: Mapped[str] = mapped_column(Id, ForeignKey("account.id"), index=True)
    factors: Mapped[str] = mapped_column(String(60))
    authenticated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    password_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    provider: Mapped[str] = mapped_column(String(20))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SessionParty(Base):
    """A relying party that a session answered, and the subject it was told.

    ``session_index`` is how the session is called there, ``name`` a name of the person for this session alone, and
    ``by_name`` tells that the party was told that one in place of the subject.
    """

    __tablename__ = "session_party"

    session_id: Mapped[str] = mapped_column(Id, ForeignKey("session.id"), primary_key=True)
    party_id: Mapped[str] = mapped_column(Id, primary_key=True)
    subject: Mapped[str] = mapped_column(String(97), index=True)
    session_index: Mapped[str] = mapped_column(String(33), index=True, server_default="")
    name: Mapped[str] = mapped_column(String(33), index=True, server_default="")
    by_name: Mapped[bool] = mapped_column(server_default=false())
