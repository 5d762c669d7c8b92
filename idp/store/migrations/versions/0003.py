"""What access tokens are bound to and good for, further access tokens of a grant, and devices that wait."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table("oidc_grant") as grant:
        grant.add_column(sa.Column("binding", sa.String(length=64), nullable=True))
        grant.add_column(sa.Column("access_scope", sa.Text(), nullable=True))
        grant.add_column(sa.Column("access_audience", sa.Text(), nullable=True))
    op.create_table(
        "oidc_access",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("grant_id", sa.String(length=32), nullable=False),
        sa.Column("access_digest", sa.String(length=64), nullable=False),
        sa.Column("access_expires_at", _INSTANT, nullable=False),
        sa.Column("binding", sa.String(length=64), nullable=True),
        sa.Column("access_scope", sa.Text(), nullable=True),
        sa.Column("access_audience", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["grant_id"], ["oidc_grant.id"], name=op.f("fk_oidc_access_grant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oidc_access")),
        sa.UniqueConstraint("access_digest", name=op.f("uq_oidc_access_access_digest")),
    )
    op.create_index(op.f("ix_oidc_access_grant_id"), "oidc_access", ["grant_id"])
    op.create_table(
        "oidc_device",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("party_id", sa.String(length=32), nullable=False),
        sa.Column("device_digest", sa.String(length=64), nullable=False),
        sa.Column("user_digest", sa.String(length=64), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.Column("next_poll_at", _INSTANT, nullable=False),
        sa.Column("interval", sa.Integer(), nullable=False),
        sa.Column("ended", sa.String(length=8), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oidc_device")),
        sa.UniqueConstraint("device_digest", name=op.f("uq_oidc_device_device_digest")),
        sa.UniqueConstraint("user_digest", name=op.f("uq_oidc_device_user_digest")),
    )
    op.create_index(op.f("ix_oidc_device_expires_at"), "oidc_device", ["expires_at"])


def downgrade() -> None:
    op.drop_table("oidc_device")
    op.drop_table("oidc_access")
    with op.batch_alter_table("oidc_grant") as grant:
        grant.drop_column("access_audience")
        grant.drop_column("access_scope")
        grant.drop_column("binding")
