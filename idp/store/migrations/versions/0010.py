"""Whose an event of the audit chain is, so that people find their own activity."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Events of before stay as they are: the chain is append only.
    op.add_column("audit_event", sa.Column("account", sa.String(length=32), server_default="", nullable=False))
    op.create_index(
        "ix_audit_event_account_sequence",
        "audit_event",
        ["account", "sequence"],
        sqlite_where=sa.text("account <> ''"),
        postgresql_where=sa.text("account <> ''"),
    )


def downgrade() -> None:
    op.drop_index("ix_audit_event_account_sequence", "audit_event")
    op.drop_column("audit_event", "account")
