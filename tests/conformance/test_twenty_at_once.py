"""Twenty uses of one code, and of one pushed request, at a server of four workers over real HTTP (SEC-25, RUL-34)."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from tests.conformance.metadata import register_client
from tests.conformance.openid import asks, own_page, registered
from tests.conformance.person import Person
from tests.fixtures.sandbox import Demo
from tests.protocol.oidc_kit import VERIFIER, challenge_of

AT_ONCE = 20
CALLBACK = "https://twenty.example.test/callback"


@pytest.fixture(scope="module")
def demo(start_demo: Callable[..., Demo]) -> Iterator[Demo]:
    """A sandbox of four workers."""
    made = start_demo(environ={"IDP_SERVER_WORKERS": "4"})
    yield made
    made.stop()


def test_a_code_counts_once_over_four_workers(demo: Demo, tmp_path: Path) -> None:
    """Of twenty simultaneous redemptions exactly one gets tokens, and the reuse ends them; nobody hears a 5xx."""
    client = {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none"}
    with register_client(demo, client, tmp_path, "OLO") as facts:
        asked = {
            "response_type": "code",
            "client_id": facts["client_id"],
            "redirect_uri": CALLBACK,
            "scope": "openid",
            "code_challenge": challenge_of(VERIFIER),
            "code_challenge_method": "S256",
        }
        address = Person(demo, "anna").visit(demo.url("/oidc/authorize?" + urlencode(asked)))
        assert isinstance(address, str)
        form = {
            "grant_type": "authorization_code",
            "client_id": facts["client_id"],
            "redirect_uri": CALLBACK,
            "code": parse_qs(urlsplit(address).query)["code"][0],
            "code_verifier": VERIFIER,
        }
        ready = Barrier(AT_ONCE)

        def redeem(_place: int) -> requests.Response:
            ready.wait()
            return requests.post(demo.url("/oidc/token"), form, timeout=60)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(redeem, range(AT_ONCE)))
        assert sorted(one.status_code for one in answers) == [200] + [400] * (AT_ONCE - 1)
        assert {one.json()["error"] for one in answers if one.status_code == 400} == {"invalid_grant"}
        access = next(one.json()["access_token"] for one in answers if one.ok)
        told = requests.get(demo.url("/oidc/userinfo"), headers={"Authorization": f"Bearer {access}"}, timeout=30)
        assert told.status_code == 401


def test_a_pushed_request_counts_once_over_four_workers(demo: Demo) -> None:
    """Of twenty browsers that bring one address exactly one is asked to log in; the others get a page that says so."""
    with registered(demo, {"pushing": {}}) as made:
        client = made["pushing"]
        address = client.address({"client_id": client.client_id, "request_uri": client.handle()})
        ready = Barrier(AT_ONCE)

        def arrive(_place: int) -> str:
            ready.wait()
            answer = requests.get(address, allow_redirects=False, timeout=60)
            return "asked" if asks(answer, demo) else own_page(answer)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            assert sorted(pool.map(arrive, range(AT_ONCE))) == ["P13"] * (AT_ONCE - 1) + ["asked"]
