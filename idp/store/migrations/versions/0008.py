"""Responders in stock and by their secrets, passkeys, recovery codes, resets of accounts, and who manages."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_WAITING = sa.text("status = 'waiting'")


def upgrade() -> None:
    op.add_column("responder", sa.Column("mark", sa.String(length=64), nullable=True))
    op.add_column("responder", sa.Column("kind", sa.String(length=8), nullable=False, server_default="device"))
    op.add_column("responder", sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_responder_mark", "responder", ["mark"], unique=True)
    op.add_column("means", sa.Column("manages", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "passkey",
        *_common("passkey"),
        sa.Column("credential", sa.String(length=1400), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.UniqueConstraint("credential", name="uq_passkey_credential"),
    )
    op.create_index("ix_passkey_account_id", "passkey", ["account_id"])
    op.create_table(
        "recovery_code",
        *_common("recovery_code"),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.UniqueConstraint("digest", name="uq_recovery_code_digest"),
    )
    op.create_index("ix_recovery_code_account_id", "recovery_code", ["account_id"])
    op.create_table(
        "account_reset",
        *_common("account_reset"),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
    )
    op.create_index(
        "ix_account_reset_waiting",
        "account_reset",
        ["account_id"],
        unique=True,
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    )


def downgrade() -> None:
    for table in ("account_reset", "recovery_code", "passkey"):
        op.drop_table(table)
    op.drop_column("means", "manages")
    op.drop_index("ix_responder_mark", "responder")
    for column in ("last_used_at", "kind", "mark"):
        op.drop_column("responder", column)


def _common(table: str) -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=f"fk_{table}_account_id"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    )
