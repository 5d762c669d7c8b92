"""The databases that tests get are real, fresh and up to date."""

import pytest
from sqlalchemy import make_url, text

from idp.store.engine import open_engine
from idp.store.schema import is_current


@pytest.mark.parametrize("round_", [1, 2])
def test_a_database_is_fresh_and_migrated(database: str, round_: int) -> None:
    """Each test gets a database of its own at the newest version, without what the test before left."""
    engine = open_engine(database, 2, 10)
    assert is_current(engine)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE left_behind (round INTEGER)"))
    engine.dispose()


def test_postgresql_is_real(postgresql_database: str) -> None:
    """The server behind the PostgreSQL fixture says that it is PostgreSQL 15 or newer."""
    engine = open_engine(postgresql_database, 1, 10)
    with engine.connect() as connection:
        version = int(connection.execute(text("SHOW server_version_num")).scalar_one())
    engine.dispose()
    assert make_url(postgresql_database).get_backend_name() == "postgresql"
    assert version >= 150000
