"""A service of the catalogue is an instance, and several may share a definition."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_UUID = sa.String(length=36)
_PORTION = 1000
_SERVICE = sa.table("service", sa.column("uuid"), sa.column("instance_uuid"), sa.column("portal_for"))
# Whoever asked for a service before the change goes on with its instance: there was one.
_ASKING = ("login", "oidc_grant", "oidc_device")


def upgrade() -> None:
    rows = op.get_bind().execute(sa.select(_SERVICE.c.uuid, _SERVICE.c.instance_uuid)).all()
    _rename({row.uuid: row.instance_uuid for row in rows})
    _point("service_uuid", "uuid", "instance_uuid", "instance_uuid")
    with op.batch_alter_table("service") as service:
        service.drop_constraint("uq_service_instance_uuid", type_="unique")
        service.drop_constraint("pk_service", type_="primary")
        service.create_primary_key("pk_service", ["instance_uuid"])
    op.create_index("ix_service_uuid", "service", ["uuid"])
    _bind("instance_uuid", "instance_uuid")


def downgrade() -> None:
    # Only while no two services share a definition.
    rows = op.get_bind().execute(sa.select(_SERVICE.c.uuid, _SERVICE.c.instance_uuid)).all()
    _rename({row.instance_uuid: row.uuid for row in rows})
    _point("instance_uuid", "instance_uuid", "service_uuid", "uuid")
    op.drop_index("ix_service_uuid", "service")
    with op.batch_alter_table("service") as service:
        service.drop_constraint("pk_service", type_="primary")
        service.create_primary_key("pk_service", ["uuid"])
        service.create_unique_constraint("uq_service_instance_uuid", ["instance_uuid"])
    _bind("service_uuid", "uuid")


def _point(before: str, its: str, after: str, named: str) -> None:
    """Let parties name services by another column, without a reference until the table has its new key."""
    link = sa.table("party_service", sa.column(before), sa.column(after))
    found = sa.select(_SERVICE.c[named]).where(_SERVICE.c[its] == link.c[before]).scalar_subquery()
    with op.batch_alter_table("party_service") as links:
        links.drop_constraint(f"fk_party_service_{before}", type_="foreignkey")
        links.add_column(sa.Column(after, _UUID, nullable=True))
    op.execute(sa.update(link).values({after: found}))
    with op.batch_alter_table("party_service") as links:
        links.drop_column(before)
        links.alter_column(after, existing_type=_UUID, nullable=False)


def _bind(column: str, key: str) -> None:
    with op.batch_alter_table("party_service") as links:
        links.create_foreign_key(f"fk_party_service_{column}", "service", [column], [key])


def _rename(names: Mapping[str, str]) -> None:
    """Call services otherwise wherever they are named in a text: behind portals, and in what was asked."""
    connection = op.get_bind()
    led_to = sa.select(_SERVICE.c.uuid, _SERVICE.c.portal_for).where(_SERVICE.c.portal_for != "")
    for row in connection.execute(led_to).all():
        text = ",".join(names.get(one, one) for one in row.portal_for.split(","))
        connection.execute(sa.update(_SERVICE).where(_SERVICE.c.uuid == row.uuid).values(portal_for=text))
    for name in _ASKING:
        table = sa.table(name, sa.column("id"), sa.column("request"))
        change = sa.update(table).where(table.c.id == sa.bindparam("row")).values(request=sa.bindparam("text"))
        for portion in _portions(table):
            asked = [(row.id, json.loads(row.request)) for row in portion]
            texts = [
                {"row": row, "text": json.dumps(one | {"service": names[one["service"]]})}
                for row, one in asked
                if one["service"] in names
            ]
            if texts:
                connection.execute(change, texts)


def _portions(table: sa.TableClause) -> Iterator[list[Any]]:
    last = ""
    while True:
        query = sa.select(table.c.id, table.c.request).where(table.c.id > last).order_by(table.c.id).limit(_PORTION)
        rows = list(op.get_bind().execute(query))
        if not rows:
            return
        yield rows
        last = rows[-1].id
