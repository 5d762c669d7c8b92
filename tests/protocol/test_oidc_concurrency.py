"""Twenty at once: exactly one gets tokens, on both databases (SEC-25, RUL-34)."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from urllib.parse import urlencode

import pytest

from idp.protocols.message import BadRequest, Document, HttpMessage
from idp.protocols.oidc import device_authorization
from idp.services.authentication.login import Concluded, Incoming, Visit, begin
from idp.services.tokens.devices import waiting
from idp.services.tokens.grants import Dead, Terms
from idp.services.tokens.refreshing import extend
from tests.protocol.oidc_kit import FORM, Provider, RelyingParty, jwks
from tests.protocol.oidc_proof import USERINFO, Prover, redeem

AT_ONCE = 20


@pytest.fixture
def provider(database: str) -> Iterator[Provider]:
    """A provider on either database."""
    made = Provider(database)
    yield made
    made.close()


def at_once(call: Callable[[int], Document]) -> list[Document]:
    """What twenty simultaneous calls are answered."""
    ready = Barrier(AT_ONCE)

    def wait_and_call(place: int) -> Document:
        ready.wait()
        return call(place)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(wait_and_call, range(AT_ONCE)))


def the_winner(answers: list[Document], error: str) -> str:
    """The access token of the only success; everybody else hears the error."""
    won = [one for one in answers if one.status == 200]
    assert len(won) == 1
    assert {json.loads(one.body)["error"] for one in answers if one.status != 200} == {error}
    return str(json.loads(won[0].body)["access_token"])


def test_a_code_counts_once_however_many_bring_it(provider: Provider) -> None:
    """Twenty redemptions of one code give one success, whose tokens the reuse then ended (SEC-21)."""
    party = provider.register()
    code = party.code()
    access = the_winner(at_once(lambda _place: party.redeem(code)), "invalid_grant")
    assert provider.userinfo(access).status == 401


def test_a_refresh_token_counts_once_however_many_bring_it(provider: Provider) -> None:
    """Twenty exchanges of one refresh token give one success, whose family the reuse then ended (RUL-34)."""
    party = provider.register(grant_types=["authorization_code", "refresh_token"])
    tokens = party.tokens(scope="openid offline_access")
    access = the_winner(at_once(lambda _place: party.refresh(tokens["refresh_token"])), "invalid_grant")
    assert provider.userinfo(access).status == 401


def test_an_assertion_counts_once_however_many_bring_it(provider: Provider) -> None:
    """Twenty uses of one client assertion with a code each give one success, which nothing revokes (RUL-34)."""
    party = provider.register(token_endpoint_auth_method="private_key_jwt", jwks=jwks("ec"))
    codes, assertion = codes_of(party), party.assertion()
    access = the_winner(at_once(lambda place: party.redeem_by_key(codes[place], assertion)), "invalid_client")
    assert provider.userinfo(access).status == 200


def codes_of(party: RelyingParty) -> list[str]:
    """A code for each."""
    browser = party.provider.log_in()
    return [party.code(browser) for _ in range(AT_ONCE)]


def test_codes_of_different_logins_do_not_meet(provider: Provider) -> None:
    """Twenty codes redeemed at once all succeed."""
    party = provider.register()
    codes = codes_of(party)
    answers = at_once(lambda place: party.redeem(codes[place]))
    assert [one.status for one in answers] == [200] * AT_ONCE
    assert len({json.loads(one.body)["access_token"] for one in answers}) == AT_ONCE


def test_a_pushed_request_counts_once_however_many_bring_it(provider: Provider) -> None:
    """Twenty visits with one address give one login, and nobody else is answered anywhere (SEC-25, RUL-34)."""
    party = provider.register()
    handle = json.loads(party.push().body)["request_uri"]
    query = urlencode({"client_id": party.client_id, "request_uri": handle}).encode()
    message = HttpMessage("GET", "/oidc/authorize", query)

    def arrive(_place: int) -> Document:
        try:
            provider.codec.read(provider.office, message, provider.clock.now())
        except BadRequest as bad:
            return Document(400, bad.code, b"")
        return Document(200, "", b"")

    answers = at_once(arrive)
    assert sorted((one.status, one.content_type) for one in answers) == [(200, "")] + [(400, "P13")] * (AT_ONCE - 1)


def test_a_request_object_counts_once_however_many_bring_it(provider: Provider) -> None:
    """Twenty pushes of one signed request with a mark give one address (SEC-25)."""
    party = provider.register(jwks=jwks("ec"))
    form = {"client_id": party.client_id, "request": party.request_object()}
    answers = at_once(lambda _place: party.push_form(form, party.basic()))
    assert sorted(one.status for one in answers) == [201] + [400] * (AT_ONCE - 1)
    assert {json.loads(one.body)["error"] for one in answers if one.status == 400} == {"invalid_request_object"}


def test_a_proof_counts_once_however_many_bring_it(provider: Provider) -> None:
    """Twenty uses of one DPoP proof with a code each give one success, which nothing revokes (RUL-34)."""
    party, prover = provider.register(), Prover(provider)
    codes, proof = codes_of(party), prover.proof()
    access = the_winner(at_once(lambda place: redeem(party, codes[place], proof)), "invalid_dpop_proof")
    assert prover.userinfo(access).status == 200


def test_a_proof_counts_once_at_userinfo(provider: Provider) -> None:
    """Twenty calls of userinfo with one DPoP proof give one answer (SEC-25)."""
    party, prover = provider.register(), Prover(provider)
    access = json.loads(redeem(party, party.code(), prover.proof()).body)["access_token"]
    proof = prover.proof(USERINFO, "GET", access)
    answers = at_once(lambda _place: prover.userinfo(access, proof))
    assert sorted(one.status for one in answers) == [200] + [401] * (AT_ONCE - 1)


def test_a_refresh_token_that_stays_serves_everyone_at_once(provider: Provider) -> None:
    """Twenty exchanges of a refresh token without rotation give twenty access tokens that all work (FAPI 2.0)."""
    party = provider.register(grant_types=["authorization_code", "refresh_token"])
    tokens = party.tokens(scope="openid offline_access")
    registered = provider.office.directory.party("oidc", party.client_id)
    assert registered is not None
    terms = Terms(timedelta(minutes=15), timedelta(hours=6))

    def once(_place: int) -> Document:
        with provider.office.work("test") as work:
            given = extend(work, registered, tokens["refresh_token"], terms)
        assert not isinstance(given, Dead)
        return provider.userinfo(given.access)

    assert [one.status for one in at_once(once)] == [200] * AT_ONCE


def test_a_device_is_decided_for_once_however_many_agree(provider: Provider) -> None:
    """Twenty people who agree at once for one device give one grant, and its code counts once (RFC 8628)."""
    device = "urn:ietf:params:oauth:grant-type:device_code"
    party = provider.register(grant_types=["authorization_code", device])
    message = HttpMessage("POST", "/oidc/device", b"", b"scope=openid", FORM, party.basic())
    told = json.loads(device_authorization(provider.office, message, provider.clock.now()).body)
    found = waiting(provider.office, told["user_code"], provider.clock.now())
    registered = provider.office.directory.party("oidc", party.client_id)
    assert found is not None
    assert registered is not None
    visit = Visit(provider.log_in(), provider.codec.record)
    ready = Barrier(AT_ONCE)

    def agree(_place: int) -> str:
        ready.wait()
        result = begin(provider.office, Incoming(registered, found.asked), visit, bounce=False)
        assert isinstance(result, Concluded)
        return result.recorded

    with ThreadPoolExecutor(AT_ONCE) as pool:
        recorded = list(pool.map(agree, range(AT_ONCE)))
    assert sorted(recorded) == [""] * (AT_ONCE - 1) + ["device"]
    form = {"grant_type": device, "device_code": told["device_code"]}
    access = the_winner(at_once(lambda _place: party.post(form, party.basic())), "invalid_grant")
    assert provider.userinfo(access).status == 401
