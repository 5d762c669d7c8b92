"""Mandates of people and of intermediaries."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from idp.store.base import Id, Row, UtcDateTime


class MandateRow(Row):
    """An authority given by ``organisation_id`` to a means, or to another organisation (a link of a chain).

    ``branches`` are 12-digit numbers with commas between, empty for the whole organisation.
    """

    __tablename__ = "mandate"
    __table_args__ = (
        CheckConstraint("(means_id IS NULL) <> (intermediary_id IS NULL)", name="one_holder"),
        CheckConstraint("valid_until >= valid_from", name="term"),
        Index(
            None,
            "parent_id",
            sqlite_where=text("parent_id IS NOT NULL"),
            postgresql_where=text("parent_id IS NOT NULL"),
        ),
    )

    organisation_id: Mapped[str] = mapped_column(Id, ForeignKey("organisation.id"), index=True)
    means_id: Mapped[str | None] = mapped_column(Id, ForeignKey("means.id"), index=True)
    intermediary_id: Mapped[str | None] = mapped_column(Id, ForeignKey("organisation.id"), index=True)
    scope: Mapped[str] = mapped_column(String(16))
    service_uuid: Mapped[str | None] = mapped_column(String(36))
    provider_oin: Mapped[str | None] = mapped_column(String(20))
    level: Mapped[int]
    branches: Mapped[str] = mapped_column(String(1300))
    valid_from: Mapped[date]
    valid_until: Mapped[date]
    last_used_on: Mapped[date]
    principal_confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    intermediary_confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    suspended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    parent_id: Mapped[str | None] = mapped_column(Id, ForeignKey("mandate.id"))
