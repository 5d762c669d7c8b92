"""Pairs a responder again and again, each time killed (SIGKILL) one statement later, until it comes to its end.

A program of its own, as ``tests.services.killed``: ``python -m tests.services.killed_pairing WHAT URL KEYS``.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from idp.services import loss, resets
from idp.services.own import Present
from idp.services.pairing import Entitled, pair_device
from idp.services.work import Office
from idp.store.ledger import AuditEvent
from idp.store.parcels import Parcel
from idp.store.people import Account, AccountReset, RecoveryCode, Responder
from idp.store.tickets import Ticket
from tests.office import open_test_office
from tests.services.killed import mortal
from tests.web.responder_kit import SERIAL, shows

PERMIT, CODE = "b" * 64, "ABCD-EFGH-JKMN"


def act(office: Office, what: str) -> None:
    """Pair with the permit, use the recovery code, or go through with the reset."""
    with office.reading() as connection:
        account = str(connection.execute(select(Account.id).where(Account.username == "zohra")).scalar_one())
    if what == "pair":
        pair_device(office, Entitled(Present(account, False), PERMIT, "source"), SERIAL, (shows(office), ""))
    elif what == "code":
        loss.by_code(office, account, CODE, "source")
    else:
        with office.work("person") as work:
            resets.finish(work, account)


def state(office: Office) -> dict[str, Any]:
    """What is alive now."""
    permits = select(func.count()).where(Ticket.purpose == "pairing-permit", Ticket.used_at.is_(None))
    good = select(func.count()).where(RecoveryCode.used_at.is_(None))
    paired = select(func.count()).where(AuditEvent.event.in_(("responder.paired", "recovery-code.used", "reset.done")))
    with office.reading() as connection:
        return {
            "permits": connection.execute(permits).scalar_one(),
            "codes": connection.execute(good).scalar_one(),
            "resets": connection.execute(select(func.count()).where(AccountReset.status == "waiting")).scalar_one(),
            "device": connection.execute(select(Responder.status).where(Responder.serial == SERIAL)).scalar_one(),
            "done": connection.execute(paired).scalar_one(),
            "mails": connection.execute(select(func.count()).select_from(Parcel)).scalar_one(),
        }


def main(what: str, url: str, keys: str) -> None:
    """Print the state after each attempt, one JSON document a line."""
    office = open_test_office(url, Path(keys), lab__enabled=False, throttle__account_attempts=0)
    for statements in range(1, 300):
        child = os.fork()
        if child == 0:
            act(mortal(office, url, statements), what)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(json.dumps(state(office) | {"whole": status == 0}), flush=True)
        if status == 0:
            return


if __name__ == "__main__":
    main(*sys.argv[1:])
