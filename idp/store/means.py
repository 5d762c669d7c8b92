"""Means and the pseudonyms of their holders."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from idp.store.base import Id, Row, UtcDateTime


class Means(Row):
    """A means of an account on an organisation or one branch of it; the level never changes.

    ``manages`` lets its holder manage the organisation (docs/decisions/0012).
    """

    __tablename__ = "means"
    # Without it every row that is deleted would look through the whole table for its successor.
    __table_args__ = (
        Index(
            None,
            "supersedes_id",
            sqlite_where=text("supersedes_id IS NOT NULL"),
            postgresql_where=text("supersedes_id IS NOT NULL"),
        ),
    )

    account_id: Mapped[str] = mapped_column(Id, ForeignKey("account.id"), index=True)
    organisation_id: Mapped[str] = mapped_column(Id, ForeignKey("organisation.id"), index=True)
    branch_id: Mapped[str | None] = mapped_column(Id, ForeignKey("branch.id"))
    level: Mapped[int]
    status: Mapped[str] = mapped_column(String(24))
    activated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    valid_until: Mapped[date]
    upgrade_gap_until: Mapped[date | None]
    supersedes_id: Mapped[str | None] = mapped_column(Id, ForeignKey("means.id"))
    manages: Mapped[bool] = mapped_column(server_default=false())


class Pseudonym(Row):
    """What a provider calls a person acting for an organisation; found or minted, never recomputed (RUL-9)."""

    __tablename__ = "pseudonym"
    __table_args__ = (
        UniqueConstraint("person_id", "organisation_id", "intermediary_id", "provider_oin", name="uq_pseudonym_key"),
    )

    person_id: Mapped[str] = mapped_column(Id, ForeignKey("person.id"))
    organisation_id: Mapped[str] = mapped_column(Id, ForeignKey("organisation.id"))
    # Empty rather than NULL, so that the constraint holds for direct representation too.
    intermediary_id: Mapped[str] = mapped_column(String(32))
    provider_oin: Mapped[str] = mapped_column(String(20))
    value: Mapped[str] = mapped_column(String(97), unique=True)
