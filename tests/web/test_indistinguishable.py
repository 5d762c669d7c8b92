"""Whether somebody has an account here shows neither in what is answered nor in how long it takes (SEC-27, RUL-37).

Known and unknown are asked in turn, and what is compared is the chance that one kind took more processor time than the
other and 50 microseconds, about what attacks across a network can resolve: at most a half when nothing can be told.
With 150 of each that chance has a standard deviation of 0.033, so that 0.65 is passed by accident once in 100,000
runs; a difference that lets an onlooker guess right three times out of four (0.75) is found in 999 runs of 1000.
Planted differences prove that it can be found. What the database is asked is compared as well, statement by statement:
that finds what is lost among the milliseconds of a page.
"""

import re
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, event, select

from idp.app import create_app
from idp.services.work import Office
from idp.store.people import Person
from idp.store.tickets import CounterRow
from tests.fixtures.database import fresh_sqlite
from tests.office import StandingClock, close, open_test_office
from tests.web.conftest import register
from tests.web.doors import DOORS, Street, Trial, forgotten_username, form, own_email
from tests.web.kit import Site

SAMPLES, WARM, BOUND = 150, 15, 0.65
RESOLUTION = 50_000
"""Nanoseconds."""
# Far below what a person or a network notices, and well above nothing.
PLANTED_SECONDS = 0.001
_VALUE = re.compile(r"'(?:[^']|'')*'|\b\d[\d.]*\b")


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory, web_keys: Path) -> Iterator[Street]:
    """A site that never delays anybody, so that many samples can be taken."""
    clock = StandingClock()
    free: dict[str, Any] = {f"throttle__{name}_attempts": 0 for name in ("account", "source", "global")}
    with contextmanager(fresh_sqlite)(tmp_path_factory.mktemp("street"), "world") as url:
        office = open_test_office(url, web_keys, clock, lab__enabled=False, throttle__block_after=0, **free)
        yield Street(Site(create_app(office), office, {"RVO-3": register(office, "RVO-3")}), clock)
        close(office)


@pytest.fixture(scope="module", params=DOORS)
def trial(request: pytest.FixtureRequest, street: Street) -> Trial:
    """What to send to a page."""
    return DOORS[request.param](street)


def telling(trial: Trial, office: Office, planted: float = 0.0) -> float:
    """The chance that a known one takes plainly more, or plainly less, processor time, from interleaved samples."""
    spent: dict[str, list[int]] = {trial.known: [], trial.unknown: []}
    send = trial.timed or trial.send
    for turn in range(WARM + SAMPLES):
        # A different one goes first each time, so that nothing that drifts favours either.
        for value in (trial.known, trial.unknown) if turn % 2 else (trial.unknown, trial.known):
            forget_counts(office)
            begun = time.thread_time_ns()
            send(value)
            if value == trial.known:
                work_for(planted)
            spent[value].append(time.thread_time_ns() - begun)
    ours, theirs = spent[trial.known][WARM:], spent[trial.unknown][WARM:]
    return max(longer(ours, theirs), longer(theirs, ours))


def longer(these: list[int], those: list[int]) -> float:
    """How often one of these is longer than one of those and what can be told apart; a tie counts half."""
    bounds = sorted(one + RESOLUTION for one in those)
    above = sum(bisect_left(bounds, one) + bisect_right(bounds, one) for one in these) / 2
    return above / (len(these) * len(those))


def forget_counts(office: Office) -> None:
    """Let nobody be slowed down by what was asked before."""
    with office.work("test") as work:
        work.connection.execute(delete(CounterRow))


def work_for(seconds: float) -> None:
    """Keep the processor busy for so long."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def asked(office: Office, act: Callable[[], object]) -> list[str]:
    """The statements that the database was given while something was done, without their values."""
    statements: list[str] = []

    def listen(connection: Any, *_: object) -> None:
        connection.set_trace_callback(lambda sql: statements.append(_VALUE.sub("?", sql)))

    def leave(connection: Any, *_: object) -> None:
        connection.set_trace_callback(None)

    event.listen(office.engine, "checkout", listen)
    event.listen(office.engine, "checkin", leave)
    act()
    event.remove(office.engine, "checkout", listen)
    event.remove(office.engine, "checkin", leave)
    return statements


def differ(trial: Trial, office: Office) -> bool:
    """Whether status, headers, pages or statements are others for the known one."""
    found = []
    for value in (trial.known, trial.unknown):
        # Once before, so that what is noted at a first visit is noted.
        trial.send(value)
        forget_counts(office)
        said: list[object] = []
        statements = asked(office, lambda value=value, said=said: said.append(trial.send(value)))  # type: ignore[misc]
        found.append((said, statements))
    return found[0] != found[1]


def test_known_and_unknown_read_the_same(street: Street, trial: Trial) -> None:
    """Status, headers and pages are the same to the byte, but for what was typed, and so is what is looked up."""
    assert not differ(trial, street.office)


def test_known_and_unknown_take_the_same_time(street: Street, trial: Trial) -> None:
    """Nobody can tell by the time whether an account, address, number, code or link is known."""
    assert telling(trial, street.office) < BOUND


def test_a_difference_in_time_would_be_found(street: Street) -> None:
    """A page that takes somewhat longer for known addresses is caught by the same comparison."""
    for door in (forgotten_username, own_email):
        assert telling(door(street), street.office, PLANTED_SECONDS) > BOUND


def test_a_difference_in_words_or_work_would_be_found(street: Street) -> None:
    """A page that says something else of an address, or looks up one thing more, is caught by the same comparison."""
    office, site = street.office, street.inside("bram")
    send = form(site, site.get("/profiel/email"), "email")
    assert differ(Trial(send, "bram@balk.test", "brem@balk.test"), office)

    def nosy(value: str) -> Any:
        if value.startswith("otto"):
            with office.reading() as connection:
                connection.execute(select(Person.id).where(Person.email == value)).all()
        return forgotten.send(value)

    forgotten = forgotten_username(street)
    assert differ(replace(forgotten, send=nosy), office)
    assert not differ(forgotten, office)
