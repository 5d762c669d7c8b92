"""Twenty uses of one code of a responder at a server of four workers, over real HTTP (SEC-26)."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import requests

from tests.fixtures.sandbox import Demo
from tests.journeys.walker import Walker

AT_ONCE = 20


def test_a_code_of_a_responder_counts_once_over_four_workers(start_demo: Callable[..., Demo]) -> None:
    """Of twenty logins that send the same code at the same moment one goes on and nineteen hear that it was used."""
    demo = start_demo(environ={"IDP_SERVER_WORKERS": "4", "IDP_THROTTLE_ACCOUNT_ATTEMPTS": "0"})
    people = requests.get(demo.facts["personas_url"], timeout=60).json()
    anna = next(one for one in people if one["id"] == "anna")
    walkers = [_at_the_code(demo, anna) for _ in range(AT_ONCE)]
    code = requests.get(demo.url("/lab/api/otp/anna"), timeout=60).json()["code"]
    barrier = Barrier(AT_ONCE)

    def send(walker: Walker) -> str:
        barrier.wait(60)
        walker.submit(code=code)
        return "on" if walker.page.name != "login-code" else f"{walker.page.problem} {walker.page.status}"

    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = Counter(pool.map(send, walkers))
    assert outcomes == {"on": 1, "L03 422": AT_ONCE - 1}


def _at_the_code(demo: Demo, persona: dict[str, str]) -> Walker:
    walker = Walker(demo.base_url).visit("/lab/portal/UWV").follow("start-oidc").through()
    walker.submit(username=persona["username"], password=persona["password"])
    assert walker.page.name == "login-code", walker.page.error
    return walker
