"""Empties an outbox again and again, each time killed (SIGKILL) one statement later: what waits, and what was told.

A program of its own, as ``tests.services.killed``: ``python -m tests.services.killed_notices URL KEYS BOX``.
"""

import json
import re
import sys
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select

from idp.ports import Mail
from idp.services.mail.addressing import ADDRESSING
from idp.services.mail.delivery import Postman
from idp.services.work import Office
from idp.store.parcels import Parcel
from tests.office import T0, StandingClock, open_test_office
from tests.services.killed import Paper, lives


@dataclass(frozen=True)
class Box:
    """Appends what it takes to a file: its id, and the serials that its notices name."""

    file: Path

    def send(self, mail: Mail) -> None:
        """Take a mail."""
        with self.file.open("a") as out:
            out.write(json.dumps([mail.id, re.findall(r"nr-\d", mail.text)]) + "\n")


def main(url: str, keys: str, box: str) -> None:
    """Until a worker lives to the end: one JSON document a line."""
    office, file, statements, whole = open_test_office(url, Path(keys), lab__enabled=False), Path(box), 0, False
    while not whole:
        # Whoever held the mail has died: its lease must be over.
        later = replace(office, clock=StandingClock(T0 + timedelta(minutes=6 * (statements + 1))))
        whole = lives(lambda alive: Postman(alive, Paper(), Box(file), ADDRESSING).deliver_due(), later, statements)
        statements += 1
        taken = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
        print(json.dumps({"waiting": _waiting(office), "taken": taken}), flush=True)


def _waiting(office: Office) -> int:
    with office.reading() as connection:
        return int(connection.execute(select(func.count()).where(Parcel.status == "queued")).scalar_one())


if __name__ == "__main__":
    main(*sys.argv[1:])
