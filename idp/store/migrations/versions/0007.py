"""The outbox by what is due, and tickets that an account's changes make worthless (SEC-31)."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_OF_AN_ACCOUNT = sa.text("account_id IS NOT NULL")


def upgrade() -> None:
    op.add_column("parcel", sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_parcel_status_due_at", "parcel", ["status", "due_at"])
    op.drop_index("ix_parcel_due_at", "parcel")
    op.add_column("ticket", sa.Column("account_id", sa.String(length=32), nullable=True))
    op.create_index(
        "ix_ticket_account_id",
        "ticket",
        ["account_id"],
        sqlite_where=_OF_AN_ACCOUNT,
        postgresql_where=_OF_AN_ACCOUNT,
    )


def downgrade() -> None:
    op.drop_index("ix_ticket_account_id", "ticket")
    op.drop_column("ticket", "account_id")
    op.create_index("ix_parcel_due_at", "parcel", ["due_at"])
    op.drop_index("ix_parcel_status_due_at", "parcel")
    op.drop_column("parcel", "sent_at")
