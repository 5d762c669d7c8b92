"""The schema's history: bringing a database up to date, and telling whether it is."""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, inspect, text

_FOLDER = Path(__file__).parent / "migrations"


def upgrade(engine: Engine) -> bool:
    """Bring the database to the newest version; answers whether anything had to be done.

    Alembic is only loaded when there is something to do, because a start must be quick (performance: P10).
    """
    with engine.connect() as connection, connection.begin():
        if _current(connection) == newest():
            return False
        from alembic import command

        command.upgrade(_config(connection), "head")
    return True


def newest() -> str:
    """The newest version there is: the last file of the history by name."""
    return max(file.stem for file in (_FOLDER / "versions").glob("[0-9]*.py"))


def is_current(engine: Engine) -> bool:
    """Whether the database has the newest version."""
    with engine.connect() as connection:
        return _current(connection) == newest()


def differences(engine: Engine) -> list[Any]:
    """What the tables of the code have that the history has not made, or the reverse; empty when they agree."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from idp.store.tables import METADATA

    with engine.connect() as connection:
        found: list[Any] = compare_metadata(
            MigrationContext.configure(connection, opts={"compare_type": True}), METADATA
        )
    return found


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _config(connection: Connection) -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    return config
