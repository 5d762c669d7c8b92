"""The connection to the database, tuned for either engine."""

from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text

from idp.store.prepared import Prepared

_BEGIN_READING, _BEGIN_WRITING = Prepared(text("BEGIN")), Prepared(text("BEGIN IMMEDIATE"))

# Longer than this nobody should wait for a connection; they are told to come back (SEC-39).
_POOL_SECONDS = 3


def open_engine(url: str, pool: int, statement_seconds: int) -> Engine:
    """An engine for SQLite (WAL) or PostgreSQL with bounded pool and statement time (SEC-39)."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        engine = create_engine(
            address,
            pool_size=pool,
            max_overflow=0,
            pool_timeout=_POOL_SECONDS,
            hide_parameters=True,
            connect_args={"timeout": statement_seconds, "check_same_thread": False},
        )
        event.listen(engine, "connect", _tune_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    options = (
        f"-c statement_timeout={statement_seconds * 1000} -c lock_timeout={statement_seconds * 1000} -c timezone=UTC"
    )
    return create_engine(
        address,
        pool_size=pool,
        max_overflow=0,
        pool_timeout=_POOL_SECONDS,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={"connect_timeout": statement_seconds, "options": options},
    )


def _tune_sqlite(connection: Any, _record: Any) -> None:
    # The driver must not begin transactions of its own: a deferred one that writes later can deadlock.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "cache_size=-16000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    read_only = connection.get_execution_options().get("read_only", False)
    (_BEGIN_READING if read_only else _BEGIN_WRITING).run(connection)
