"""However a request comes, in the open, signed or pushed, it means the same, and faults go the right way (SEC-2)."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from idp.protocols.message import Answered, BadRequest, Document, HttpMessage, Incoming
from idp.protocols.oidc import pushed
from tests.protocol.oidc_kit import CALLBACK, FORM, Provider, RelyingParty, jwks, parameters_of
from tests.protocol.test_oidc_properties import JSON, NAMES, TEXTS, check_arrival, check_description, outcome

OFTEN = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ASKED = [*NAMES, "display", "dpop_jkt", "made_up"]
WORDS = TEXTS | st.sampled_from(["page", "query", "consent", "none login", "login consent", "en", "60", "anna"])
CHANGES = st.dictionaries(st.sampled_from(ASKED), st.none() | WORDS, max_size=4)
ABOUT = ["iss", "aud", "exp", "nbf", "iat", "jti", "sub", "client_id", "request", "request_uri"]


@pytest.fixture(scope="module")
def provider(shared_provider: Provider) -> Provider:
    """Nothing here changes the provider."""
    return shared_provider


@pytest.fixture(scope="module")
def party(provider: Provider) -> RelyingParty:
    """A client that may ask in every way."""
    return provider.register(jwks=jwks("ec"))


def visit(party: RelyingParty, **parameters: str) -> HttpMessage:
    """A browser that arrives with parameters."""
    return HttpMessage("GET", "/oidc/authorize", urlencode({"client_id": party.client_id} | parameters).encode())


def error_of(document: Document) -> str:
    """The error of a push that was refused in OAuth's way, or nothing."""
    told = json.loads(document.body)
    if document.status == 201:
        return ""
    assert document.status in (400, 401), document
    check_description(told["error_description"])
    return str(told["error"])


@OFTEN
@given(changes=CHANGES)
def test_a_pushed_request_means_what_it_means_in_the_open(party: RelyingParty, changes: dict[str, Any]) -> None:
    """What is refused when pushed is refused in the open with the same error, and what is taken is the same login."""
    assume(not {"request", "request_uri", "client_id"} & set(changes))
    provider, open_request = party.provider, party.request(**changes)
    plain = outcome(provider, visit(party, **open_request))
    document = party.push(**changes)
    error = error_of(document)
    if not error:
        arrived = outcome(provider, visit(party, request_uri=json.loads(document.body)["request_uri"]))
        assert isinstance(arrived, Incoming)
        assert isinstance(plain, Incoming)
        assert arrived.asked == plain.asked
    elif isinstance(plain, BadRequest):
        assert (plain.code, error) in (("P03", "invalid_request"), ("P10", "invalid_request"))
    else:
        assert not isinstance(plain, Incoming)
        told = parameters_of(plain.answer)
        assert told.get("error", error) == error


@OFTEN
@given(changes=CHANGES)
def test_a_signed_request_means_what_it_means_in_the_open(party: RelyingParty, changes: dict[str, Any]) -> None:
    """Inside a token the same texts ask the same, or are refused with the same error at the same place."""
    assume(not {"request", "request_uri", "client_id"} & set(changes))
    provider = party.provider
    plain = outcome(provider, visit(party, **party.request(**changes)))
    signed = outcome(provider, visit(party, request=party.request_object(**changes)))
    assert type(plain) is type(signed)
    if isinstance(plain, Incoming) and isinstance(signed, Incoming):
        assert plain.asked == signed.asked
    elif isinstance(plain, BadRequest) and isinstance(signed, BadRequest):
        assert plain.code == signed.code
    elif isinstance(plain, Answered) and isinstance(signed, Answered):
        assert plain.answer == signed.answer


@OFTEN
@given(claims=st.dictionaries(st.sampled_from([*ASKED, *ABOUT]), st.none() | JSON | WORDS, max_size=5))
def test_any_signed_claims_are_read_or_refused(party: RelyingParty, claims: dict[str, Any]) -> None:
    """Claims of any shape are read or refused; what does not hold is told on our own page or at a known address."""
    signed = party.request_object(**claims)
    found = outcome(party.provider, visit(party, request=signed))
    if isinstance(found, BadRequest):
        assert found.code in ("P03", "P10", "P13")
    else:
        check_arrival_unless_sealed(party, visit(party, request=signed))
    beside = outcome(party.provider, visit(party, request=signed, redirect_uri=CALLBACK, state="s"))
    assert isinstance(beside, Incoming) or not isinstance(beside, BadRequest) or beside.code in ("P03", "P10")


def check_arrival_unless_sealed(party: RelyingParty, message: HttpMessage) -> None:
    """The second look at an object finds it used, or not valid; both are told somewhere allowed."""
    found = outcome(party.provider, message)
    if not isinstance(found, Incoming | BadRequest) and "response" in parameters_of(found.answer):
        return
    if isinstance(found, BadRequest):
        assert found.code in ("P03", "P10", "P13")
        return
    check_arrival(party.provider, message)


@OFTEN
@given(
    form=st.dictionaries(st.sampled_from([*ASKED, "client_secret", "client_assertion"]), WORDS, max_size=7),
    known=st.booleans(),
)
def test_any_push_is_kept_or_refused(party: RelyingParty, form: dict[str, str], known: bool) -> None:
    """Any form gets an address or an OAuth error, and nobody gets an address without proof."""
    document = party.push_form(form, party.basic() if known else {})
    assert error_of(document) or (known and json.loads(document.body)["expires_in"] == 90)


@OFTEN
@given(body=st.binary(max_size=200), kind=st.sampled_from([FORM, "", "text/plain"]), known=st.booleans())
def test_any_octets_are_refused_in_the_protocols_way(party: RelyingParty, body: bytes, kind: str, known: bool) -> None:
    """Octets that are no request get an OAuth error."""
    message = HttpMessage("POST", "/oidc/par", b"", body, kind, party.basic() if known else {})
    assert error_of(pushed(party.provider.office, message, party.provider.clock.now()))
