"""Clients that registered themselves, and may manage their registration (RFC 7591, RFC 7592)."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from idp.store.base import Base, Id, UtcDateTime


class RegistrationRow(Base):
    """Whose registration it is, and the keyed digest of the token that manages it (SEC-31)."""

    __tablename__ = "client_registration"

    party_id: Mapped[str] = mapped_column(Id, ForeignKey("party.id", ondelete="CASCADE"), primary_key=True)
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
