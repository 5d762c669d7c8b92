"""A sandbox does by itself what a worker does elsewhere, over real HTTP."""

import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing

import pytest
import requests

from tests.conformance.hearing import hearing
from tests.conformance.person import Person
from tests.conformance.test_back_channel_logout import EVENT, leave, listening, log_in
from tests.fixtures.sandbox import Demo
from tests.house.test_sandbox import AS_FOR_PEOPLE
from tests.journeys.walker import Walker


@pytest.fixture(scope="module")
def world(start_demo: Callable[..., Demo], tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """A sandbox as people get it."""
    return start_demo(folder=tmp_path_factory.mktemp("people") / "world", environ=AS_FOR_PEOPLE)


def eventually(happened: Callable[[], object]) -> bool:
    """Whether it happens within a minute."""
    for _ in range(300):
        if happened():
            return True
        time.sleep(0.2)
    return False


def test_a_client_hears_of_a_logout(world: Demo) -> None:
    """Nobody starts a worker, and the logout token comes, once; the log tells it."""
    with hearing() as own:
        client, anna = listening(world, own), Person(world, "anna")
        session = log_in(client, anna)
        leave(client, anna)
        assert eventually(lambda: own.heard)
        claims = client.claims(own.at("/bye")[0].form["logout_token"][0])
        assert (claims["events"], claims["sid"]) == ({EVENT: {}}, session["sid"])
        lines = [line for file in world.folder.parent.glob("*.log") for line in file.read_text().splitlines()]
        told = [json.loads(line) for line in lines if '"job_done"' in line]
        assert [one["sent"] for one in told if one["job"] == "logouts"] == [1]
        # Two rounds later it has still come once.
        time.sleep(11)
        assert len(own.heard) == 1


def test_a_mail_is_sent_once_and_lies_in_the_letter_box(world: Demo) -> None:
    """The worker takes it before anybody looks; looking shows it, and sends it no second time."""
    Walker(world.base_url).visit("/wachtwoord-vergeten").submit(username="bram")

    def sent() -> int:
        with closing(sqlite3.connect(world.folder / "idp.db")) as database:
            query = "SELECT count(*) FROM audit_event WHERE event = 'mail.sent'"
            return int(database.execute(query).fetchone()[0])

    assert eventually(lambda: sent() > 0)
    mails = requests.get(world.url("/lab/api/inbox"), timeout=60).json()
    assert ([one["to"] for one in mails if one["kind"] == "mail"], sent()) == (["bram@balk.test"], 1)
