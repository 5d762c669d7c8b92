"""The schema's history and the tables of the code are the same, and the audit chain cannot be rewritten."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from idp.domain.audit import Event
from idp.services.audit import verify
from idp.services.work import Office
from idp.store.schema import differences, is_current, upgrade
from tests.services.conftest import OpenOffice


def test_the_history_makes_the_tables_of_the_code(database: str, open_office: OpenOffice) -> None:
    """A migrated database has exactly the tables that the code declares, and upgrading it again does nothing."""
    engine = open_office(database).engine
    assert is_current(engine)
    assert differences(engine) == []
    assert upgrade(engine) is False


@pytest.mark.parametrize("statement", ["UPDATE audit_event SET facts = '{}'", "DELETE FROM audit_event"])
def test_the_audit_chain_is_append_only(database: str, open_office: OpenOffice, statement: str) -> None:
    """The database itself refuses to change or drop what was recorded (SEC-38)."""
    office = open_office(database)
    with office.work("test") as work:
        work.record(Event.KEY_CHANGED, kid="1")
    with office.engine.connect() as connection, pytest.raises(DBAPIError):
        connection.execute(text(statement))
    with office.reading() as connection:
        assert verify(connection) is None


def test_a_chain_that_was_cut_short_is_found(database: str, open_office: OpenOffice) -> None:
    """Turning the head back to an earlier event is noticed by verifying."""
    office = open_office(database)
    for number in range(3):
        with office.work("test") as work:
            work.record(Event.KEY_CHANGED, kid=str(number))
    with office.engine.begin() as connection:
        connection.execute(text("UPDATE audit_head SET sequence = 2"))
    with office.reading() as connection:
        assert verify(connection) is not None


def test_a_failed_work_leaves_nothing(database: str, open_office: OpenOffice) -> None:
    """What a use case recorded before it failed is not in the chain (SEC-37)."""
    office = open_office(database)
    with pytest.raises(RuntimeError, match="stop"):
        _record_and_fail(office)
    with office.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM audit_event")).scalar_one() == 0


def _record_and_fail(office: Office) -> None:
    with office.work("test") as work:
        work.record(Event.KEY_CHANGED, kid="1")
        raise RuntimeError("stop")
