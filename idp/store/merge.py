"""INSERT statements, prepared; with a row that is there already they deal in the words of either database."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import insert
from sqlalchemy.dialects import postgresql, sqlite

from idp.store.base import Base
from idp.store.prepared import Prepared


def add(table: type[Base]) -> Prepared:
    """Insert a row; every column is given."""
    return Prepared(insert(table))


def keep(table: type[Base], *keys: str) -> Prepared:
    """Insert and answer the primary key, unless a row with these keys (or any unique ones) is there: then no row.

    The key is asked back because after an INSERT the number of rows is not known on PostgreSQL.
    """

    def make(insert: Callable[[type[Base]], Any]) -> Any:
        own = table.metadata.tables[table.__tablename__].primary_key
        return insert(table).on_conflict_do_nothing(index_elements=keys or None).returning(*own)

    return Prepared(make(sqlite.insert), make(postgresql.insert))


def renew(table: type[Base], keys: tuple[str, ...], columns: tuple[str, ...]) -> Prepared:
    """Insert, or where a row with these keys is there, give it the new values of the other columns."""

    def make(insert: Callable[[type[Base]], Any]) -> Any:
        new = insert(table)
        changed = {name: new.excluded[name] for name in columns}
        return new.on_conflict_do_update(index_elements=keys, set_=changed)

    return Prepared(make(sqlite.insert), make(postgresql.insert))


def hold(table: type[Base], key: str) -> Prepared:
    """Insert, or lock the row with this key until the transaction ends; answers the row either way.

    One statement, so that nobody can take the row away between finding it and locking it.
    """

    def make(insert: Callable[[type[Base]], Any]) -> Any:
        new = insert(table)
        return new.on_conflict_do_update(index_elements=(key,), set_={key: new.excluded[key]}).returning(
            *table.metadata.tables[table.__tablename__].columns
        )

    return Prepared(make(sqlite.insert), make(postgresql.insert))
