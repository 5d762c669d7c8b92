"""Clients that registered themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "client_registration",
        sa.Column("party_id", sa.String(length=32), nullable=False),
        sa.Column("token_digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name="fk_client_registration_party_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("party_id", name="pk_client_registration"),
        sa.UniqueConstraint("token_digest", name="uq_client_registration_token_digest"),
    )


def downgrade() -> None:
    op.drop_table("client_registration")
