"""Killed at any statement, nothing of recovery is lost, half done, or alive twice (SEC-25, SEC-37)."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from idp.lab.seed import seed
from idp.services.parcels import Envelope, post
from idp.services.tickets import Held, Purpose, issue
from idp.services.work import Office
from idp.store.people import Account
from tests.services.conftest import OpenOffice
from tests.services.killed import SECRET


@pytest.fixture
def office(open_office: OpenOffice, sqlite_database: str) -> Office:
    """An office with the world."""
    made = open_office(sqlite_database, lab__enabled=False)
    seed(made, 7)
    return made


def killed(what: str, office: Office, keys: Path) -> list[dict[str, Any]]:
    """What is found after each death, the last time after it came to its end."""
    command = [sys.executable, "-m", "tests.services.killed", what, office.settings.database.url, str(keys)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_f39_a_killed_reset_is_done_wholly_or_not_at_all(office: Office, test_keys: Path) -> None:
    """Before any statement of a reset, either the old password and the link live, or the new one and its notice."""
    with office.work("test") as work:
        sam = work.connection.execute(select(Account.id).where(Account.username == "sam")).scalar_one()
        payload = {"username": "sam", "login": ""}
        issue(work, Purpose.PASSWORD_LINK, SECRET, Held(sam, payload, timedelta(minutes=30), sam))
    states = killed("reset", office, test_keys)
    before = {"old": True, "new": False, "links": 1, "changes": 0, "mails": 0}
    after = {"old": False, "new": True, "links": 0, "changes": 1, "mails": 1}
    found = [{name: one[name] for name in before} for one in states]
    assert len(found) > 10
    assert found[:-1] == [before] * (len(found) - 1)
    assert found[-1] == after


def test_f39_a_killed_worker_sends_every_mail_and_no_two_links(office: Office, test_keys: Path) -> None:
    """A mail is queued until it was taken, and never is there a second link; taken twice is the gap of SMTP alone."""
    with office.work("test") as work:
        post(work, Envelope("mail", "", "password-link", ""), {"username": "sam", "login": ""})
    states = killed("deliver", office, test_keys)
    assert len(states) > 10
    assert all(one["mails"] == 1 and one["links"] <= 1 and len(set(one["taken"])) <= 1 for one in states)
    assert all(one["taken"] for one in states if one["sent"])
    assert (states[-1]["sent"], states[-1]["links"]) == (1, 1)
