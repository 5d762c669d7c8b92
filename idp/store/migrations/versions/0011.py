"""Which services a portal leads to."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("service", sa.Column("portal_for", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("service", "portal_for")
