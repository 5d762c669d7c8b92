"""How a session is called at each relying party that it answered, for logout."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("session_party") as party:
        party.add_column(sa.Column("session_index", sa.String(length=33), server_default="", nullable=False))
        party.add_column(sa.Column("name", sa.String(length=33), server_default="", nullable=False))
        party.add_column(sa.Column("by_name", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index(op.f("ix_session_party_session_index"), "session_party", ["session_index"])
    op.create_index(op.f("ix_session_party_name"), "session_party", ["name"])
    op.create_index(op.f("ix_session_party_subject"), "session_party", ["subject"])


def downgrade() -> None:
    op.drop_index(op.f("ix_session_party_subject"), "session_party")
    op.drop_index(op.f("ix_session_party_name"), "session_party")
    op.drop_index(op.f("ix_session_party_session_index"), "session_party")
    with op.batch_alter_table("session_party") as party:
        party.drop_column("by_name")
        party.drop_column("name")
        party.drop_column("session_index")
