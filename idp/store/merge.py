"""INSERT statements that meet a row that is there already, built once in the words of both databases."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Executable
from sqlalchemy.dialects import postgresql, sqlite

from idp.store.base import Base


@dataclass(frozen=True, slots=True)
class Merge:
    """One statement for both databases: execute ``on(connection)`` with a row; building it anew each time is dear."""

    lite: Executable
    postgres: Executable

    def on(self, connection: Connection) -> Executable:
        """The statement for the database of this connection."""
        return self.postgres if connection.dialect.name == "postgresql" else self.lite


def keep(table: type[Base], *keys: str) -> Merge:
    """Insert and answer the primary key, unless a row with these keys (or any unique ones) is there: then nothing.

    The key is asked back because after an INSERT the number of rows is not known on PostgreSQL.
    """

    def make(insert: Callable[[type[Base]], Any]) -> Executable:
        kept: Executable = (
            insert(table)
            .on_conflict_do_nothing(index_elements=keys or None)
            .returning(*table.metadata.tables[table.__tablename__].primary_key)
        )
        return kept

    return Merge(make(sqlite.insert), make(postgresql.insert))


def renew(table: type[Base], keys: tuple[str, ...], columns: tuple[str, ...]) -> Merge:
    """Insert, or where a row with these keys is there, give it the new values of the other columns."""

    def make(insert: Callable[[type[Base]], Any]) -> Executable:
        new = insert(table)
        renewed: Executable = new.on_conflict_do_update(
            index_elements=keys, set_={name: new.excluded[name] for name in columns}
        )
        return renewed

    return Merge(make(sqlite.insert), make(postgresql.insert))
