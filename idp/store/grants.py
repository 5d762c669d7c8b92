"""What OIDC clients were granted: one row per authorization, from its code to its last refresh token."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from idp.store.base import Id, Row, UtcDateTime


class GrantRow(Row):
    """One authorization of one client; codes and tokens are kept as keyed digests (SEC-21, SEC-31).

    ``request`` and ``assertion`` are JSON; ``refreshable`` tells whether the code also gives a refresh token; the
    refresh token names this row and carries a secret that changes at every use, so that an old one is recognised.
    ``binding`` names the key or certificate that must come with the access token, ``access_scope`` and
    ``access_audience`` what it is good for, where that is less than the grant.
    """

    __tablename__ = "oidc_grant"

    party_id: Mapped[str] = mapped_column(Id)
    account_id: Mapped[str] = mapped_column(Id, ForeignKey("account.id"), index=True)
    session_id: Mapped[str | None] = mapped_column(Id)
    request: Mapped[str] = mapped_column(Text)
    assertion: Mapped[str] = mapped_column(Text)
    refreshable: Mapped[bool]
    code_digest: Mapped[str] = mapped_column(String(64), unique=True)
    code_expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    code_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    access_digest: Mapped[str | None] = mapped_column(String(64), unique=True)
    access_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    refresh_digest: Mapped[str | None] = mapped_column(String(64))
    refresh_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    binding: Mapped[str | None] = mapped_column(String(64))
    access_scope: Mapped[str | None] = mapped_column(Text)
    access_audience: Mapped[str | None] = mapped_column(Text)


class AccessRow(Row):
    """A further access token of a grant whose refresh token does not change: the earlier ones stay good."""

    __tablename__ = "oidc_access"

    grant_id: Mapped[str] = mapped_column(Id, ForeignKey("oidc_grant.id", ondelete="CASCADE"), index=True)
    access_digest: Mapped[str] = mapped_column(String(64), unique=True)
    access_expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    binding: Mapped[str | None] = mapped_column(String(64))
    access_scope: Mapped[str | None] = mapped_column(Text)
    access_audience: Mapped[str | None] = mapped_column(Text)
