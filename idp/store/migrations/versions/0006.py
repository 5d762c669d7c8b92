"""The old number of a branch, for as long as the trade register gives it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("branch") as branch:
        branch.add_column(sa.Column("subdossier", sa.String(length=4), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("branch") as branch:
        branch.drop_column("subdossier")
