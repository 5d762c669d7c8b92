"""Requests that their client signed: what is taken out of them, and what is refused (RFC 9101, domain 11.1)."""

import base64
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from idp.domain.login import LoginRequest
from idp.protocols.message import Answered, BadRequest
from tests.protocol.oidc_kit import BASE, CALLBACK, STATE, Provider, RelyingParty, client_key, jwks, parameters_of
from tests.protocol.test_oidc_requests import check_fault, read_query

OTHER = "another-state-with-randomness"


@pytest.fixture(scope="module")
def provider(shared_provider: Provider) -> Provider:
    """Nothing here changes the provider."""
    return shared_provider


@pytest.fixture(scope="module")
def party(provider: Provider) -> RelyingParty:
    """A client with keys of both kinds."""
    return provider.register("RVO-3,RVO-2PLUS", jwks=jwks("ec", "rsa"))


def ask(party: RelyingParty, request: str, **outside: str) -> LoginRequest:
    """What a signed request asks, with parameters around it."""
    return read_query(party, urlencode({"client_id": party.client_id, "request": request} | outside))


def refused(party: RelyingParty, request: str, error: str = "invalid_request_object") -> str:
    """The sentence with which a signed request is refused, told at the address beside it."""
    with pytest.raises(Answered) as caught:
        ask(party, request, redirect_uri=CALLBACK, state=OTHER)
    check_fault(caught, error, "P13", OTHER)
    return parameters_of(caught.value.answer)["error_description"]


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256"])
def test_a_signed_request_is_read(party: RelyingParty, algorithm: str) -> None:
    """By every algorithm of ours a request object is the same request as its parameters in the query."""
    plain = read_query(party, urlencode(party.request()))
    assert ask(party, party.request_object(algorithm)) == plain


def test_what_stands_around_it_is_left_aside(party: RelyingParty) -> None:
    """Parameters outside count for nothing, neither in place of those inside nor beside them (RFC 9101 section 6.3)."""
    around = {"state": OTHER, "prompt": "login", "scope": "openid kvk", "response_mode": "form_post"}
    asked = ask(party, party.request_object(), redirect_uri="https://evil.test/", **around)
    assert (asked.reply["state"], asked.force, asked.reply["scope"], asked.reply["mode"]) == (
        STATE,
        False,
        "openid",
        "query",
    )
    asked = ask(party, party.request_object(state=None), state=OTHER)
    assert asked.reply["state"] == ""


def test_numbers_and_objects_are_taken_as_such(party: RelyingParty) -> None:
    """``max_age`` may be a number and ``claims`` an object inside a token (Core 6.1)."""
    asked = ask(party, party.request_object(max_age=60, claims={"id_token": {"kvk": None}}))
    assert (asked.max_age, json.loads(asked.reply["claims"])) == (60, {"id_token": ["kvk"]})


def test_several_resources_are_a_list(provider: Provider) -> None:
    """What is repeated in a query is a list inside a token (RFC 8707 section 2)."""
    resources = ["https://a.test/api", "https://b.test/api"]
    party = provider.register(jwks=jwks("ec"), resources=resources)
    repeated = urlencode([*party.request().items(), *(("resource", one) for one in resources)])
    assert ask(party, party.request_object(resource=resources)) == read_query(party, repeated)
    assert ask(party, party.request_object(resource=resources[0])).reply["resources"] == resources[0]


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"iss": None}, "iss"),
        ({"iss": "somebody"}, "iss"),
        ({"aud": None}, "aud"),
        ({"aud": BASE + "/oidc/token"}, "aud"),
        ({"aud": [CALLBACK]}, "aud"),
        ({"client_id": None}, "client_id"),
        ({"client_id": "somebody"}, "client_id"),
        ({"exp": 1}, "exp"),
        ({"exp": "soon"}, "exp"),
        ({"exp": True}, "exp"),
        ({"exp": None}, "jti"),
        ({"exp": 4102444800}, "a day ahead"),
        ({"exp": 253402300799}, "a day ahead"),
        ({"exp": 1e300}, "exp"),
        ({"nbf": 9e9}, "nbf"),
        ({"iat": 9e9}, "iat"),
        ({"jti": 7}, "jti"),
        ({"jti": ""}, "jti"),
        ({"jti": "é"}, "jti"),
        ({"request": "x"}, "another request"),
        ({"request_uri": "urn:x"}, "another request"),
        ({"max_age": 1.5}, "parameter"),
        ({"state": ["a"]}, "parameter"),
        ({"prompt": True}, "parameter"),
    ],
)
def test_claims_that_do_not_hold_are_refused(party: RelyingParty, changes: dict[str, Any], word: str) -> None:
    """Issuer, audience, client, times, mark and every parameter of the object are checked (RFC 9101 section 4)."""
    assert word in refused(party, party.request_object(**changes))


def test_a_client_assertion_is_no_request(party: RelyingParty) -> None:
    """Another token of the client does not pass for a request, by type or by subject (RFC 9101 section 10.8)."""
    assert "typ" in refused(party, party.request_object(header={"typ": "client-authentication+jwt"}))
    assert "sub" in refused(party, party.request_object(sub=party.client_id))


def test_our_issuer_may_be_one_of_several(party: RelyingParty) -> None:
    """An audience that lists us beside others is taken, as FAPI 2.0 Message Signing 5.3.1 asks."""
    assert ask(party, party.request_object(aud=["https://elsewhere.test", BASE])).reply["state"] == STATE


def test_unsigned_and_badly_signed_requests_are_refused(provider: Provider, party: RelyingParty) -> None:
    """``none``, a key of nobody, another algorithm, ``b64``, and no keys at all are refused (SEC-22)."""

    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    claims = party.request()
    unsigned = f"{part({'alg': 'none'})}.{part(claims)}."
    assert "algorithm" in refused(party, unsigned)
    token = party.request_object()
    assert "signature" in refused(party, token[:-8] + "AAAAAAAA")
    assert "Critical" in refused(party, party.request_object(header={"b64": False, "crit": ["b64"]}))
    fixed = provider.register(jwks=jwks("ec", "rsa"), request_object_signing_alg="PS256")
    assert ask(fixed, fixed.request_object("PS256")).reply["state"] == STATE
    assert "PS256" in refused(fixed, fixed.request_object("RS256"))
    keyless = provider.register()
    assert "signature" in refused(keyless, keyless.request_object())
    assert "encrypted" in refused(party, "a.b.c.d.e")


def test_an_object_with_a_mark_counts_once(party: RelyingParty) -> None:
    """A ``jti`` is seen once; without one an object may come again while it is valid (SEC-25)."""
    token = party.request_object()
    assert ask(party, token).reply["state"] == STATE
    with pytest.raises(Answered) as caught:
        ask(party, token)
    check_fault(caught, "invalid_request_object", "P13")
    unmarked = party.request_object(jti=None)
    assert ask(party, unmarked) == ask(party, unmarked)


def test_a_faulty_request_does_not_spend_its_mark(party: RelyingParty) -> None:
    """A fault inside is answered at the address inside, as long as the object lives."""
    token = party.request_object(prompt="none login")
    for _ in range(2):
        with pytest.raises(Answered) as caught:
            ask(party, token)
        check_fault(caught, "invalid_request", "P10")


def test_the_address_inside_must_be_registered(party: RelyingParty) -> None:
    """A signature does not make an address ours to redirect to (SEC-19)."""
    for address in (None, "https://evil.test/"):
        with pytest.raises(BadRequest) as caught:
            ask(party, party.request_object(redirect_uri=address), redirect_uri=CALLBACK)
        assert caught.value.code == "P03"


def test_without_an_address_beside_it_the_fault_is_told_on_our_page(party: RelyingParty) -> None:
    """Nobody vouches for the address in an object that does not hold, so nothing is sent there (SEC-19)."""
    with pytest.raises(BadRequest) as caught:
        ask(party, party.request_object(iss="somebody"))
    assert caught.value.code == "P13"
    assert "iss" in caught.value.facts["invalid_request_object"]


def test_a_client_can_bind_itself_to_signing(provider: Provider) -> None:
    """``require_signed_request_object`` refuses a plain request (RFC 9101 section 10.5)."""
    party = provider.register(jwks=jwks("ec"), require_signed_request_object=True)
    with pytest.raises(Answered) as caught:
        read_query(party, urlencode(party.request()))
    check_fault(caught, "invalid_request", "P13")
    assert ask(party, party.request_object()).reply["state"] == STATE


def test_a_key_that_stands_twice_is_refused(party: RelyingParty) -> None:
    """A JSON member that stands twice makes a token mean two things (SEC-4)."""
    key = client_key("ec")
    payload = json.dumps(party.request())[:-1] + ', "state": "b"}'
    from joserfc import jws

    token = jws.serialize_compact({"alg": "ES256", "kid": key.kid}, payload, key)
    assert "JSON" in refused(party, token)
