"""Killed at any statement, nothing of one's own login is lost, half done, or alive twice (SEC-25, SEC-37)."""

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from idp.services.mail.parcels import Envelope, post
from tests.fixtures.database import fresh_postgresql, fresh_sqlite
from tests.office import close, open_test_office
from tests.services.deeds import DEEDS, difference

Lines = list[dict[str, Any]]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def deaths(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, test_keys: Path
) -> Iterator[dict[str, Lines]]:
    """What was found before, after each death, at the end, and after another try, by the name of the deed."""
    folder = tmp_path_factory.mktemp("killed")
    fresh = fresh_sqlite(folder, "world") if request.param == "sqlite" else fresh_postgresql("world")
    with contextmanager(lambda: fresh)() as url:
        office = open_test_office(url, test_keys, lab__enabled=False)
        with office.work("test") as work:
            post(work, Envelope("mail", "", "password-link", ""), {"username": "sam", "login": ""})
        close(office)
        command = [sys.executable, "-m", "tests.services.killed", url, str(test_keys), str(folder / "box")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
        assert done.returncode == 0, done.stderr
        found = defaultdict[str, Lines](list)
        for line in map(json.loads, done.stdout.splitlines()):
            found[line["deed"]].append(line)
        yield found


@pytest.mark.parametrize("name", DEEDS)
def test_whoever_dies_did_it_wholly_or_not_at_all(deaths: dict[str, Lines], name: str) -> None:
    """Before any statement of it all is as it was; at the end it happened once, and it cannot be done again."""
    deed, (before, *dying, whole, again) = DEEDS[name], deaths[name]
    assert [one["when"] for one in (before, whole, again)] == ["before", "whole", "again"]
    assert len(dying) >= 5
    found = [difference(before["found"], one["found"]) for one in dying]
    assert [one for one in found if one not in ({}, deed.gains)] == []
    assert found[0] == {}
    assert difference(before["found"], whole["found"]) == deed.gains
    assert difference(whole["found"], again["found"]) == {}


def test_f39_a_killed_worker_sends_every_mail_and_no_two_links(deaths: dict[str, Lines]) -> None:
    """A mail is queued until it was taken, and never is there a second link; taken twice is the gap of SMTP alone."""
    lines = deaths["delivery"]
    assert len(lines) > 10
    for line in lines:
        found, taken = line["found"], line["taken"]
        assert found.get("outbox queued", 0) + found.get("outbox sent", 0) == 1
        assert found.get("ticket password-link", 0) <= 1
        assert len(set(taken)) <= 1
        assert taken or not found.get("outbox sent")
    assert lines[-1]["when"] == "whole"
    assert (lines[-1]["found"]["outbox sent"], lines[-1]["found"]["ticket password-link"]) == (1, 1)
