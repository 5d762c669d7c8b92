"""Whatever statement a process dies at: a permit, a recovery code and a reset are never alive twice, nor lost."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from idp.lab.seed import seed
from idp.services.loss import permit
from idp.services.tickets import Held, Purpose, issue, void
from idp.store.people import Account, AccountReset, RecoveryCode
from tests.office import T0
from tests.services.conftest import OpenOffice
from tests.services.killed_pairing import CODE, PERMIT
from tests.web.responder_kit import stock


@pytest.mark.parametrize("what", ["pair", "code", "reset"])
def test_nothing_is_alive_twice_when_a_process_is_killed(
    sqlite_database: str, open_office: OpenOffice, test_keys: Path, what: str
) -> None:
    """Before the commit all is as it was; after it the one-time thing is gone and what it was worth is there."""
    office = open_office(sqlite_database)
    seed(office, 7)
    stock(office)
    with office.work("test") as work:
        account = work.connection.execute(select(Account.id).where(Account.username == "zohra")).scalar_one()
        row = {"id": work.new_id(), "created_at": work.now, "account_id": account}
        digest = office.vault.digest(CODE.replace("-", ""), "recovery-code")
        work.connection.execute(insert(RecoveryCode).values(**row, digest=digest, used_at=None))
        due = T0 - timedelta(hours=1)
        work.connection.execute(insert(AccountReset).values(**row, due_at=due, status="waiting"))
        permit(work, account, "manager", timedelta(days=1))
        void(work, account, Purpose.PAIRING_PERMIT)
        issue(work, Purpose.PAIRING_PERMIT, PERMIT, Held(account, {"by": "manager"}, timedelta(days=1), account))
    command = [sys.executable, "-m", "tests.services.killed_pairing", what, sqlite_database, str(test_keys)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    states = [json.loads(line) for line in ran.stdout.splitlines()]
    assert len(states) > 8
    assert states[-1]["whole"]
    for one in states:
        told = one["permits"], one["codes"], one["resets"], one["device"], one["done"]
        before = (1, 1, 1, "stock", 0)
        after = {"pair": (0, 10, 0, "assigned", 1), "code": (1, 0, 1, "stock", 1), "reset": (1, 1, 0, "stock", 1)}[what]
        assert told in (before, after)
    assert states[-1]["done"] == 1
