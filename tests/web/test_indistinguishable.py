"""Whether somebody has an account here shows neither in what is answered nor in how long it takes (SEC-27, RUL-37).

Known and unknown are asked in turn, and what is compared is the chance that a known one took more processor time than
an unknown one: a half when nothing can be told. With 150 of each that chance has a standard deviation of 0.033, so that
the bound of 0.15 is passed by accident once in 100,000 runs; a difference that lets an onlooker guess right three times
out of four (0.75) is found in 999 runs of 1000. Planted differences prove that it can be found.
"""

import re
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from idp.app import create_app
from idp.lab.seed import seed
from idp.services.work import Office
from tests.office import StandingClock, open_test_office
from tests.web.conftest import register
from tests.web.kit import Site
from tests.web.responder_kit import SERIAL, stock

SAMPLES, WARM, BOUND = 150, 15, 0.15
# Far below what a person or a network notices, and well above nothing.
PLANTED_SECONDS = 0.001
_CHANGING = re.compile(rb'name="csrf_token" value="[^"]*"')


@pytest.fixture
def office(sqlite_database: str, web_keys: Path, clock: StandingClock) -> Iterator[Office]:
    """An office that never delays anybody, so that many samples can be taken."""
    free = {f"throttle__{name}_attempts": 0 for name in ("account", "source", "global")}
    made = open_test_office(sqlite_database, web_keys, clock, lab__enabled=False, **free)
    seed(made, 7)
    yield made
    made.engine.dispose()
    made.directory._engine.dispose()


@pytest.fixture
def site(office: Office) -> Site:
    """The application with one client."""
    return Site(create_app(office), office, {"RVO-3": register(office, "RVO-3")})


Send = Callable[[str], tuple[int, bytes]]


def form_at(site: Site, path: str, field: str, form: str = "step-form", **others: str) -> Send:
    """Sends a form of a page again and again with different values in one field."""
    fields = site.get(path).form_of(form) | others

    def send(value: str) -> tuple[int, bytes]:
        response = site.post(path, fields | {field: value})
        body = _CHANGING.sub(b"", response.data).replace(value.encode(), b"*")
        return response.status_code, body

    return send


def login_at(site: Site) -> Send:
    """Sends wrong passwords to one login."""
    path = urlsplit(site.begin("RVO-3").response.request.url).path
    return form_at(site, path, "username", password="verkeerd12")


def email_at(site: Site) -> Send:
    """Asks for usernames."""
    return form_at(site, "/gebruikersnaam-vergeten", "email")


def username_at(site: Site) -> Send:
    """Asks for a new password."""
    return form_at(site, "/wachtwoord-vergeten", "username")


def number_at(site: Site) -> Send:
    """Tries numbers of devices, with a code that none of them shows."""
    stock(site.office)
    assert isinstance(site.log_in("anna", "RVO-3"), str)
    return form_at(site, "/responder-koppelen", "serial", "device-form", **{"device-code": "000000"})


PAGES = pytest.mark.parametrize(
    ("page", "known", "unknown"),
    [
        (login_at, "anna", "onna"),
        (email_at, "anna@zonneschijn.test", "onna@zonneschijn.test"),
        (username_at, "anna", "onna"),
        (number_at, SERIAL, "HW-9999"),
    ],
    ids=["login", "forgot-username", "forgot-password", "number-of-a-responder"],
)


def superiority(site: Site, page: Callable[[Site], Send], known: str, unknown: str, planted: float = 0.0) -> float:
    """The chance that a known one takes more processor time than an unknown one, from interleaved samples."""
    send = page(site)
    spent: dict[str, list[int]] = {known: [], unknown: []}
    for turn in range(WARM + SAMPLES):
        # A different one goes first each time, so that nothing that drifts favours either.
        for value in (known, unknown) if turn % 2 else (unknown, known):
            begun = time.thread_time_ns()
            send(value)
            if value == known:
                work_for(planted)
            spent[value].append(time.thread_time_ns() - begun)
    ours, theirs = spent[known][WARM:], sorted(spent[unknown][WARM:])
    above = sum(bisect_left(theirs, one) + bisect_right(theirs, one) for one in ours) / 2
    return above / (len(ours) * len(theirs))


def work_for(seconds: float) -> None:
    """Keep the processor busy for so long."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


@PAGES
def test_known_and_unknown_take_the_same_time(
    site: Site, page: Callable[[Site], Send], known: str, unknown: str
) -> None:
    """Nobody can tell by the time whether an account or address is known."""
    assert abs(superiority(site, page, known, unknown) - 0.5) < BOUND


@PAGES
def test_known_and_unknown_read_the_same(site: Site, page: Callable[[Site], Send], known: str, unknown: str) -> None:
    """Status and page are the same to the byte, but for what was typed."""
    send = page(site)
    assert send(known) == send(unknown)


def test_a_difference_would_be_found(site: Site) -> None:
    """One page that takes somewhat longer for known addresses is caught by the same comparison."""
    found = superiority(site, email_at, "anna@zonneschijn.test", "onna@zonneschijn.test", PLANTED_SECONDS)
    assert found - 0.5 > BOUND
