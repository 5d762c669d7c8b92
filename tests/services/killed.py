"""Runs something again and again, each time killed (SIGKILL) one statement later, until it comes to its end.

A program of its own, because a process with threads must not fork: ``python -m tests.services.killed WHAT URL KEYS``.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event, func, select

from idp.ports import Mail
from idp.services.addressing import ADDRESSING
from idp.services.delivery import Postman
from idp.services.recovery import choose_password, link_of
from idp.services.work import Office
from idp.store.engine import open_engine
from idp.store.ledger import AuditEvent
from idp.store.parcels import Parcel
from idp.store.people import Account
from idp.store.tickets import Ticket
from tests.office import T0, StandingClock, open_test_office

OLD, NEW, SECRET = "Sam2026-lab", "nieuw2026wachtw", "a" * 64


class Paper:
    """Writes next to nothing."""

    def write(self, template: str, _locale: str, facts: Any) -> tuple[str, str, str]:
        """The facts as they are."""
        return template, json.dumps(facts), ""


class Box:
    """Appends the id of what it takes to a file, so that it outlives the one who brought it."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def send(self, mail: Mail) -> None:
        """Take a mail."""
        with self._file.open("a") as out:
            out.write(mail.id + "\n")


def reset(office: Office, _box: Path) -> None:
    """Use a link for a new password."""
    link = link_of(office, SECRET)
    if link is not None:
        choose_password(office, SECRET, link, NEW, "")


def deliver(office: Office, box: Path) -> None:
    """Empty the outbox."""
    Postman(office, Paper(), Box(box), ADDRESSING).deliver_due()


def state(office: Office, box: Path) -> dict[str, Any]:
    """What a person would find now."""
    with office.reading() as connection:
        stored = connection.execute(select(Account.password_hash).where(Account.username == "sam")).scalar_one()
        changed = select(func.count()).where(AuditEvent.event == "password.changed")
        alive = select(func.count()).where(Ticket.purpose == "password-link", Ticket.used_at.is_(None))
        return {
            "old": office.passwords.check(stored, OLD),
            "new": office.passwords.check(stored, NEW),
            "links": connection.execute(alive).scalar_one(),
            "changes": connection.execute(changed).scalar_one(),
            "mails": connection.execute(select(func.count()).select_from(Parcel)).scalar_one(),
            "sent": connection.execute(select(func.count()).where(Parcel.status == "sent")).scalar_one(),
            "taken": box.read_text().split() if box.exists() else [],
        }


def main(what: str, url: str, keys: str) -> None:
    """Print the state after each attempt, one JSON document a line."""
    run: Callable[[Office, Path], None] = {"reset": reset, "deliver": deliver}[what]
    office = open_test_office(url, Path(keys), lab__enabled=False)
    box = Path(url.removeprefix("sqlite:///")).with_suffix(".box")
    for statements in range(1, 200):
        if run is deliver:
            # Whoever held the mail has died: its lease must be over.
            office = replace(office, clock=StandingClock(T0 + timedelta(minutes=6 * statements)))
        child = os.fork()
        if child == 0:
            run(mortal(office, url, statements), box)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(json.dumps(state(office, box) | {"whole": status == 0}), flush=True)
        if status == 0:
            return


def mortal(office: Office, url: str, statements: int) -> Office:
    """The same office, whose process dies as the statement after so many begins."""
    engine = open_engine(url, 1, 10)
    left = [statements]

    def count(_sql: str) -> None:
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(engine, "connect", lambda connection, _record: connection.set_trace_callback(count))
    return replace(office, engine=engine)


if __name__ == "__main__":
    main(*sys.argv[1:])
