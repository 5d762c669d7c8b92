"""What others do to a login: hashing on the other core, and many writers on one SQLite database."""

import multiprocessing
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.bench.http import Browser
from tests.bench.measure import Pass, Workload, joined, run_pass
from tests.bench.oidcparty import OidcParty
from tests.bench.person import Person, step
from tests.bench.site import Site

_LANES = 2
# Flows whose requests are made together: sent well within the three minutes that a request is believed.
_BATCH = 5000


@dataclass(frozen=True, slots=True)
class Isolation:
    """Single sign-on quiet and while passwords are checked: ``logins`` of them, ``refused`` were sent away."""

    quiet: Pass
    busy: Pass
    logins: int
    refused: int


@dataclass(frozen=True, slots=True)
class Noise:
    """Who keeps logging in: at which server, for which client, with which names and passwords."""

    base_url: str
    client: OidcParty
    strangers: tuple[tuple[str, str], ...]


def isolation(site: Site, workload: Workload, flows: int, strangers: Sequence[Person]) -> Isolation:
    """One browser signs on while others do nothing but give passwords, without a pause.

    They run in a process of their own, so that they do not disturb the clock of the measuring one.
    """
    (browser,) = site.browsers(1)
    run_pass(site.server, workload, [browser], max(flows // 10, 1))
    quiet = run_pass(site.server, workload, [browser], flows)
    context = multiprocessing.get_context("spawn")
    stop, ready, told = context.Event(), context.Event(), context.Queue()
    names = tuple((one.username, one.password) for one in strangers)
    noise = Noise(site.server.base_url, site.clients["RS256"], names)
    process = context.Process(target=keep_logging_in, args=(noise, stop, ready, told), daemon=True)
    process.start()
    if not ready.wait(60):
        raise RuntimeError("no password login succeeded")
    busy = run_pass(site.server, workload, [browser], flows)
    stop.set()
    logins, refused = told.get(timeout=60)
    process.join(30)
    return Isolation(quiet, busy, logins, refused)


def keep_logging_in(noise: Noise, stop: Any, ready: Any, told: Any) -> None:
    """Give passwords until told to stop; tell how many were taken and how many refused."""
    counts = [{True: 0, False: 0} for _ in range(_LANES)]

    def lane(number: int) -> None:
        browser, turn = Browser(noise.base_url), number
        while not stop.is_set():
            name, password = noise.strangers[turn % len(noise.strangers)]
            turn += _LANES
            browser.cookies = {}
            begun = browser.get(noise.client.prepared().path).expect(303)
            taken = step(browser, begun.location, Person(name, password, str)).status == 303
            counts[number][taken] += 1
            ready.set()

    threads = [threading.Thread(target=lane, args=(number,)) for number in range(_LANES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told.put((sum(one[True] for one in counts), sum(one[False] for one in counts)))


def writers(site: Site, workloads: Sequence[Workload], browsers: int, flows: int) -> dict[str, Pass]:
    """Many browsers at once, one workload after the other; every flow writes.

    Requests are made a batch at a time: all at once they would be older than the three minutes a server believes.
    """
    share = flows // len(workloads)
    batches = [min(_BATCH, share - done) for done in range(0, share, _BATCH)]
    return {
        one.name: joined([run_pass(site.server, one, site.browsers(browsers), batch) for batch in batches], batches)
        for one in workloads
    }
