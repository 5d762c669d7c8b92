"""Twenty uses of one code, pushed request or proof, at a server of four workers over real HTTP (SEC-25, RUL-34)."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from tests.conformance.metadata import register_client
from tests.conformance.openid import BY_KEY, OpenIdClient, asks, own_page, registered
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


def test_proofs_count_once_over_four_workers(demo: Demo) -> None:
    """Of twenty uses of one DPoP proof, one client assertion, and one rotating refresh token, one succeeds each."""
    refreshing = {"grant_types": ["authorization_code", "refresh_token"]}
    with registered(demo, {"one": BY_KEY | refreshing | {"token_endpoint_auth_signing_alg": "ES256"}}) as made:
        client, person = made["one"], Person(demo, "anna")
        codes = [client.code(person) for _ in range(AT_ONCE)]
        proof = client.dpop()
        assert _winners(lambda place: client.post("/oidc/token", _form(client, codes[place]), DPoP=proof)) == 1
        codes = [client.code(person) for _ in range(AT_ONCE)]
        assertion = client.proof()
        assert _winners(lambda place: client.post("/oidc/token", _form(client, codes[place]) | assertion)) == 1
        token = client.tokens(person, scope="openid offline_access")["refresh_token"]
        form = {"grant_type": "refresh_token", "refresh_token": token}
        assert _winners(lambda _place: client.post("/oidc/token", form)) == 1


def _form(client: OpenIdClient, code: str) -> dict[str, str]:
    redirect_uri = client.redirect_uri
    return {
        "grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, "code_verifier": VERIFIER,
    }  # fmt: skip


def _winners(call: Callable[[int], requests.Response]) -> int:
    """How many of twenty simultaneous calls are answered with tokens; the others are refused in order."""
    ready = Barrier(AT_ONCE)

    def once(place: int) -> int:
        ready.wait()
        return call(place).status_code

    with ThreadPoolExecutor(AT_ONCE) as pool:
        statuses = list(pool.map(once, range(AT_ONCE)))
    assert set(statuses) <= {200, 400, 401}, statuses
    return statuses.count(200)
