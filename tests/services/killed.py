"""Does something again and again, each time killed (SIGKILL) one statement later, until it comes to its end.

A program of its own, because a process with threads must not fork: ``python -m tests.services.killed URL KEYS BOX``.
It prints what is there before, after each death, at the end, and after doing it once more: one JSON document a line.
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

import psycopg
from sqlalchemy import event

from idp.ports import Mail
from idp.services.mail.addressing import ADDRESSING
from idp.services.mail.delivery import Postman
from idp.services.work import Office
from idp.store.engine import open_engine
from tests.office import T0, StandingClock, open_test_office
from tests.services.deeds import DEEDS, Deed, census, get_ready

FREE: dict[str, Any] = {f"throttle__{name}_attempts": 0 for name in ("account", "source", "global")}
_DELIVERY = Deed("sam", lambda _office, _account: "", lambda _office, _account, _given: True, {})


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

    def taken(self) -> list[str]:
        """The ids of what was taken."""
        return self._file.read_text().split() if self._file.exists() else []


def main(url: str, keys: str, box: str) -> None:
    """Empty the outbox, then do every deed."""
    office = open_test_office(url, Path(keys), lab__enabled=False, **FREE)
    _deliver(office, Box(Path(box)))
    for name, deed in DEEDS.items():
        # Once for practice, so that not every process that follows has its statements to compile.
        deed.act(office, *get_ready(office, deed))
        account, given = get_ready(office, deed)

        def tell(when: str, name: str = name, deed: Deed = deed) -> None:
            print(json.dumps({"deed": name, "when": when, "found": census(office, deed)}), flush=True)

        tell("before")
        statements = 0
        while not lives(lambda alive, deed=deed, way=(account, given): deed.act(alive, *way), office, statements):  # type: ignore[misc]
            tell("killed")
            statements += 1
        tell("whole")
        deed.act(office, account, given)
        tell("again")


def _deliver(office: Office, box: Box) -> None:
    statements, whole = 0, False
    while not whole:
        # Whoever held the mail has died: its lease must be over.
        statements += 1
        later = replace(office, clock=StandingClock(T0 + timedelta(minutes=6 * statements)))
        whole = lives(lambda alive: Postman(alive, Paper(), box, ADDRESSING).deliver_due(), later, statements)
        line = {"deed": "delivery", "when": "whole" if whole else "killed", "taken": box.taken()}
        print(json.dumps(line | {"found": census(office, _DELIVERY)}), flush=True)


def lives(act: Callable[[Office], object], office: Office, statements: int) -> bool:
    """Do something in another process, which dies as the statement after so many begins; whether it lived."""
    child = os.fork()
    if child == 0:
        act(mortal(office, statements))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if status not in (0, signal.SIGKILL):
        raise RuntimeError("it neither came to its end nor was killed")
    return status == 0


def mortal(office: Office, statements: int) -> Office:
    """The same office, whose process dies as the statement after so many begins; a commit is one as well."""
    url = office.settings.database.url
    engine = open_engine(url, 2, 10)
    left = [statements]

    def count(*_: object) -> None:
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    class Cursor(psycopg.Cursor[Any]):
        def execute(self, *given: Any, **more: Any) -> Any:
            count()
            return super().execute(*given, **more)

        def executemany(self, *given: Any, **more: Any) -> Any:
            count()
            return super().executemany(*given, **more)

    def watch(connection: Any, _record: object) -> None:
        if isinstance(connection, psycopg.Connection):
            connection.cursor_factory = Cursor
        else:
            connection.set_trace_callback(count)

    event.listen(engine, "connect", watch)
    if engine.dialect.name == "postgresql":
        event.listen(engine, "commit", count)
    return replace(office, engine=engine)


if __name__ == "__main__":
    main(*sys.argv[1:])
