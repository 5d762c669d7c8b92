"""Versions of our keys, and the keys and sources of relying parties."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "key_version",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("kid", sa.String(length=64), nullable=False),
        sa.Column("use", sa.String(length=16), nullable=False),
        sa.Column("algorithm", sa.String(length=16), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("private_ref", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("published_at", _INSTANT, nullable=True),
        sa.Column("activates_at", _INSTANT, nullable=True),
        sa.Column("activated_at", _INSTANT, nullable=True),
        sa.Column("superseded_at", _INSTANT, nullable=True),
        sa.Column("retires_at", _INSTANT, nullable=True),
        sa.Column("retired_at", _INSTANT, nullable=True),
        sa.CheckConstraint("status IN ('next', 'active', 'retiring', 'retired')", name=op.f("ck_key_version_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_version")),
        sa.UniqueConstraint("kid", name=op.f("uq_key_version_kid")),
        sa.UniqueConstraint("private_ref", name=op.f("uq_key_version_private_ref")),
    )
    active = sa.text("status = 'active'")
    op.create_index(
        "uq_key_version_active",
        "key_version",
        ["use"],
        unique=True,
        sqlite_where=active,
        postgresql_where=active,
    )
    op.create_table(
        "key_sighting",
        sa.Column("party_id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=16), nullable=False),
        sa.Column("first_seen_at", _INSTANT, nullable=False),
        sa.Column("last_seen_at", _INSTANT, nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_key_sighting_party_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("party_id", "key", name=op.f("pk_key_sighting")),
    )
    op.create_table(
        "party_certificate",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("party_id", sa.String(length=32), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("use", sa.String(length=16), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.Column("ends_at", _INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["party_id"], ["party.id"], name=op.f("fk_party_certificate_party_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_party_certificate")),
        sa.UniqueConstraint(
            "party_id", "fingerprint", "use", name=op.f("uq_party_certificate_party_id_fingerprint_use")
        ),
    )
    op.create_table(
        "party_source",
        sa.Column("party_id", sa.String(length=32), nullable=False),
        sa.Column("url", sa.String(length=2048), nullable=False),
        sa.Column("signer", sa.Text(), nullable=False),
        sa.Column("every_hours", sa.Integer(), nullable=False),
        sa.Column("due_at", _INSTANT, nullable=False),
        sa.Column("tried_at", _INSTANT, nullable=True),
        sa.Column("fetched_at", _INSTANT, nullable=True),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_party_source_party_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("party_id", name=op.f("pk_party_source")),
    )
    op.create_index(op.f("ix_party_source_due_at"), "party_source", ["due_at"])
    op.bulk_insert(sa.table("version", sa.column("name"), sa.column("number")), [{"name": "keys", "number": 1}])


def downgrade() -> None:
    op.execute("DELETE FROM version WHERE name = 'keys'")
    op.drop_table("party_source")
    op.drop_table("party_certificate")
    op.drop_table("key_sighting")
    op.drop_table("key_version")
