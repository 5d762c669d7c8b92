"""Pushed requests: who may push, what is judged at once, and the address that works once (RFC 9126)."""

from typing import Any
from urllib.parse import urlencode

import pytest

from idp.domain.login import LoginRequest
from idp.protocols.message import Answered, BadRequest, Document, HttpMessage
from idp.protocols.oidc import pushed
from tests.protocol.oidc_kit import ASSERTION_TYPE, BASE, CALLBACK, FORM, STATE, Provider, RelyingParty, jwks, told_by
from tests.protocol.test_oidc_requests import check_fault, read_query

FAPI = {"profile": "fapi-2"}
KEYED: dict[str, Any] = {"token_endpoint_auth_method": "private_key_jwt", "jwks": jwks("ec")}


@pytest.fixture(scope="module")
def shared(shared_provider: Provider) -> Provider:
    """Nothing here changes the provider."""
    return shared_provider


@pytest.fixture(scope="module")
def party(shared: Provider) -> RelyingParty:
    """A client with a secret, and a key for its requests."""
    return shared.register("RVO-3,RVO-2PLUS", jwks=jwks("ec"))


def handle_of(document: Document) -> str:
    """The address that a push got."""
    told = told_by(document, 201)
    assert set(told) == {"request_uri", "expires_in"}
    return str(told["request_uri"])


def arrive(party: RelyingParty, handle: str, **outside: str) -> LoginRequest:
    """What a browser that brings the address asks."""
    return read_query(party, urlencode({"client_id": party.client_id, "request_uri": handle} | outside))


def push_by_key(party: RelyingParty, assertion: str | None = None, **changes: str | None) -> Document:
    """Push a request, proving itself by key."""
    proof = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion or party.assertion()}
    return party.push_form(party.request(**changes) | proof)


def error_of(document: Document, status: int = 400) -> tuple[str, str]:
    """The error and its sentence."""
    told = told_by(document, status)
    return told["error"], told["error_description"]


def test_a_pushed_request_is_the_request(party: RelyingParty) -> None:
    """The address stands for what was pushed: 256 random bits that live for 90 seconds (RFC 9126 section 2.2)."""
    told = told_by(party.push(prompt="login", claims='{"id_token": {"kvk": null}}'), 201)
    assert told["expires_in"] == 90
    handle = told["request_uri"]
    assert handle.startswith("urn:ietf:params:oauth:request_uri:")
    assert len(handle.rpartition(":")[2]) == 43
    asked = arrive(party, handle)
    assert asked == read_query(party, urlencode(party.request(prompt="login", claims='{"id_token": {"kvk": null}}')))


def test_the_address_works_once(party: RelyingParty) -> None:
    """A second visit is an unknown address: told on our own page, as nothing says whereto (SEC-25, RUL-34)."""
    handle = handle_of(party.push())
    assert arrive(party, handle).reply["state"] == STATE
    with pytest.raises(BadRequest) as caught:
        arrive(party, handle)
    assert caught.value.code == "P13"
    with pytest.raises(Answered) as answered:
        arrive(party, handle, redirect_uri=CALLBACK, state=STATE)
    check_fault(answered, "invalid_request_uri", "P13")


def test_the_address_works_for_its_client(shared: Provider, party: RelyingParty) -> None:
    """Another client gets nothing for it, and takes nothing away (RFC 9126 section 2.2)."""
    handle, other = handle_of(party.push()), shared.register()
    with pytest.raises(BadRequest):
        arrive(other, handle)
    assert arrive(party, handle).reply["state"] == STATE


def test_the_address_ends(provider: Provider) -> None:
    """After 90 seconds it is worth nothing, and a clock that goes back does not revive one that was used (SEC-41)."""
    party = provider.register()
    late, used = handle_of(party.push()), handle_of(party.push())
    provider.move(seconds=89)
    arrive(party, used)
    provider.move(seconds=1)
    with pytest.raises(BadRequest):
        arrive(party, late)
    provider.move(seconds=-60)
    with pytest.raises(BadRequest):
        arrive(party, used)


def test_what_stands_around_it_is_left_aside(party: RelyingParty) -> None:
    """Parameters beside the address count for nothing; one that stands twice is still a fault (SEC-4)."""
    around = {"state": "another", "prompt": "login", "redirect_uri": "https://evil.test/", "response_mode": "form_post"}
    asked = arrive(party, handle_of(party.push()), **around)
    assert (asked.reply["state"], asked.force, asked.reply["redirect_uri"]) == (STATE, False, CALLBACK)
    query = urlencode({"client_id": party.client_id, "request_uri": handle_of(party.push())})
    with pytest.raises(Answered) as caught:
        read_query(party, query + "&x=1&x=2")
    check_fault(caught, "invalid_request", "P10")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"redirect_uri": None}, "invalid_request"),
        ({"redirect_uri": "https://evil.test/"}, "invalid_request"),
        ({"redirect_uri": CALLBACK + "?x=1"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "kvk"}, "invalid_scope"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"acr_values": "urn:unknown"}, "invalid_request"),
        ({"claims": "{"}, "invalid_request"),
        ({"id_token_hint": "x"}, "invalid_request"),
        ({"request": "x"}, "invalid_request_object"),
        ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "invalid_request"),
        ({"registration": "{}"}, "registration_not_supported"),
    ],
)
def test_a_fault_is_told_at_once(party: RelyingParty, changes: dict[str, Any], error: str) -> None:
    """What the authorization endpoint would refuse is refused when it is pushed (RFC 9126 section 2.3)."""
    assert error_of(party.push(**changes))[0] == error


def test_the_client_proves_itself_as_at_the_token_endpoint(shared: Provider, party: RelyingParty) -> None:
    """Without, with a wrong or with another proof than registered nothing is kept (RFC 9126 section 2)."""
    assert error_of(party.push({}), 401)[0] == "invalid_client"
    assert error_of(party.push(party.basic(secret="wrong")), 401)[0] == "invalid_client"
    keyed, public = shared.register(**KEYED), shared.register(token_endpoint_auth_method="none")
    assert error_of(keyed.push_form(keyed.request()), 401)[0] == "invalid_client"
    for audience in (BASE, BASE + "/oidc/token", BASE + "/oidc/par", [BASE]):
        handle_of(push_by_key(keyed, keyed.assertion(aud=audience)))
    assert arrive(public, handle_of(public.push_form(public.request()))).reply["state"] == STATE
    assert error_of(push_by_key(keyed, client_id=public.client_id))[0] == "invalid_request"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": [BASE, "https://elsewhere.test"]},
        {"aud": [BASE, BASE + "/oidc/par"]},
        {"aud": "https://elsewhere.test"},
        {"exp": 4102444800},
        {"exp": None},
        {"jti": None},
    ],
    ids=str,
)
def test_what_good_libraries_let_pass_is_refused(shared: Provider, changes: dict[str, Any]) -> None:
    """Several audiences, an end that lies years ahead and a missing mark are refused at this endpoint too (SEC-22)."""
    keyed = shared.register(**KEYED)
    assert error_of(push_by_key(keyed, keyed.assertion(**changes)), 401)[0] == "invalid_client"


def test_an_unencoded_assertion_is_refused(shared: Provider) -> None:
    """A critical ``b64`` false is refused (SEC-22)."""
    keyed = shared.register(**KEYED)
    assertion = keyed.assertion(header={"b64": False, "crit": ["b64"]})
    assert error_of(push_by_key(keyed, assertion), 401)[0] == "invalid_client"


def test_an_assertion_pushes_once(shared: Provider) -> None:
    """The mark of an assertion is spent with what it was for, at any endpoint (SEC-25)."""
    keyed = shared.register(**KEYED)
    assertion = keyed.assertion()
    assert error_of(push_by_key(keyed, assertion, prompt="create"))[0] == "invalid_request"
    handle_of(push_by_key(keyed, assertion))
    assert error_of(push_by_key(keyed, assertion), 401)[0] == "invalid_client"


def test_a_signed_request_can_be_pushed(party: RelyingParty) -> None:
    """An object counts once, and parameters beside it count for nothing (RFC 9126 section 3)."""
    token = party.request_object()
    form = {"client_id": party.client_id, "request": token, "state": "another"}
    assert arrive(party, handle_of(party.push_form(form, party.basic()))).reply["state"] == STATE
    assert error_of(party.push_form(form, party.basic()))[0] == "invalid_request_object"
    strange = party.request_object(client_id="somebody")
    assert error_of(party.push_form(form | {"request": strange}, party.basic()))[0] == "invalid_request_object"


def test_a_client_can_bind_itself_to_pushing(shared: Provider) -> None:
    """``require_pushed_authorization_requests`` refuses a request that was not (RFC 9126 section 6)."""
    bound = shared.register(require_pushed_authorization_requests=True)
    with pytest.raises(Answered) as caught:
        read_query(bound, urlencode(bound.request()))
    check_fault(caught, "invalid_request", "P13")
    assert arrive(bound, handle_of(bound.push())).reply["state"] == STATE


def test_fapi_pushes_by_key_for_our_issuer_alone(shared: Provider) -> None:
    """In ``fapi-2`` only pushed requests are taken, and an assertion is for our issuer, as a text (FAPI 2.0 5.3.2)."""
    strict = shared.register(wishes=FAPI, id_token_signed_response_alg="ES256", **KEYED)
    with pytest.raises(Answered) as caught:
        read_query(strict, urlencode(strict.request()))
    check_fault(caught, "invalid_request", "P13")
    assert arrive(strict, handle_of(push_by_key(strict))).reply["state"] == STATE
    for audience in (BASE + "/oidc/par", BASE + "/oidc/token", [BASE]):
        assert error_of(push_by_key(strict, strict.assertion(aud=audience)), 401)[0] == "invalid_client"
    assert error_of(push_by_key(strict, code_challenge=None))[0] == "invalid_request"


def test_fapi_bounds_the_life_of_a_request_object(shared: Provider) -> None:
    """``nbf`` and ``exp`` must be there and lie within the hour (FAPI 2.0 Message Signing 5.3.1)."""
    strict = shared.register(wishes=FAPI, id_token_signed_response_alg="ES256", **KEYED)
    now = int(shared.clock.now().timestamp())

    def pushed_object(**claims: Any) -> Document:
        proof = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": strict.assertion()}
        return strict.push_form({"client_id": strict.client_id, "request": strict.request_object(**claims)} | proof)

    handle_of(pushed_object(nbf=now - 3500, exp=now + 100))
    for claims in ({"nbf": None}, {"exp": None, "jti": None}, {"nbf": now - 3700}, {"exp": now + 3601}):
        assert error_of(pushed_object(**claims))[0] == "invalid_request_object"


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD"])
def test_only_a_post_is_read(party: RelyingParty, method: str) -> None:
    """Another method, a query, another kind of body and a flood are refused (SEC-3)."""
    office, now = party.provider.office, party.provider.clock.now()
    assert pushed(office, HttpMessage(method, "/oidc/par"), now).status == 405
    assert pushed(office, HttpMessage("POST", "/oidc/par", b"a=1", b"", FORM), now).status == 400
    assert pushed(office, HttpMessage("POST", "/oidc/par", b"", b"{}", "application/json"), now).status == 400
    assert pushed(office, HttpMessage("POST", "/oidc/par", b"", b"a=" + b"x" * 70000, FORM), now).status == 413
    assert pushed(office, HttpMessage("OPTIONS", "/oidc/par"), now).status == 204
