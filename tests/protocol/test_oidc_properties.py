"""Whatever arrives, the answer is one of those the protocol knows (SEC-2)."""

import base64
import json
import re
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp.domain.parties import Profile
from idp.protocols.message import Answered, BadRequest, Document, HttpMessage, Incoming, PostForm, Redirect
from idp.protocols.oidc import token, userinfo
from idp.protocols.oidc.client.registration import check_metadata
from idp.services.relying_parties.settings import BadParty
from tests.protocol.oidc_kit import ASSERTION_TYPE, CALLBACK, FORM, Provider, RelyingParty, metadata, parameters_of

NAMES = [
    "response_type",
    "response_mode",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "max_age",
    "claims",
    "acr_values",
    "id_token_hint",
    "login_hint",
    "ui_locales",
    "request",
    "request_uri",
    "registration",
    "display",
    "dpop_jkt",
    "resource",
]
MEMBERS = ["client_name", "redirect_uris", "jwks", "scope", "grant_types"]
FORM_NAMES = [
    "grant_type",
    "code",
    "redirect_uri",
    "code_verifier",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "refresh_token",
    "scope",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
TEXTS = st.one_of(
    st.text(max_size=60),
    st.sampled_from(["", "none", "login", "openid", "code", "form_post", "S256", "0", CALLBACK, ASSERTION_TYPE]),
    st.sampled_from(
        ["authorization_code", "refresh_token", "a.b.c", "eyJhbGciOiJFUzI1NiJ9.e30.AA", "0" * 32 + "." + "A" * 43]
    ),
    JSON.map(lambda value: json.dumps({"id_token": {"acr": value, "sub": value}, "userinfo": value})),
    JSON.map(lambda value: json.dumps(value)),
)
HEADERS = st.dictionaries(st.sampled_from(["authorization", "origin", "accept"]), TEXTS, max_size=2)
OFTEN = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def provider(shared_provider: Provider) -> Provider:
    """Nothing here changes the provider."""
    return shared_provider


@pytest.fixture(scope="module")
def party(provider: Provider) -> RelyingParty:
    """A client."""
    return provider.register(grant_types=["authorization_code", "refresh_token"])


def outcome(provider: Provider, message: HttpMessage) -> Incoming | BadRequest | Answered:
    """The login that a request asks for, or the way in which it was refused."""
    try:
        return provider.codec.read(provider.office, message, provider.clock.now())
    except (BadRequest, Answered) as refusal:
        return refusal


def check_arrival(provider: Provider, message: HttpMessage) -> None:
    """What was read can be kept; what was refused is answered to the registered address, or nowhere."""
    found = outcome(provider, message)
    if isinstance(found, Incoming):
        assert json.dumps(found.asked.reply)
    elif isinstance(found, BadRequest):
        assert found.code in ("P01", "P03", "P10", "P13")
    else:
        assert isinstance(found.answer, Redirect | PostForm)
        where = found.answer.location if isinstance(found.answer, Redirect) else found.answer.action
        assert where.startswith(CALLBACK)
        assert where.isascii()
        assert where.isprintable()
        check_description(parameters_of(found.answer)["error_description"])


def check_description(text: str) -> None:
    """Only the characters that RFC 6749 lets stand in an error description."""
    assert re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+", text)


def check_document(document: Document, *, granted: bool) -> None:
    """An OAuth error, or what was granted."""
    assert document.status in ((200, 204, 400, 401, 405, 413) if granted else (204, 400, 401, 405, 413))
    for name, value in document.headers.items():
        assert (name + value).isprintable()
    if document.status != 204:
        told = json.loads(document.body)
        if "error_description" in told:
            check_description(told["error_description"])


@OFTEN
@given(changes=st.dictionaries(st.sampled_from(NAMES), st.none() | TEXTS, max_size=4))
def test_any_parameters_are_read_or_refused(party: RelyingParty, changes: dict[str, Any]) -> None:
    """A good request with up to four parameters replaced by anything is read, or refused in the protocol's way."""
    check_arrival(party.provider, HttpMessage("GET", "/oidc/authorize", urlencode(party.request(**changes)).encode()))


@OFTEN
@given(query=st.binary(max_size=300), prefix=st.booleans(), posted=st.booleans())
def test_any_octets_are_read_or_refused(party: RelyingParty, query: bytes, prefix: bool, posted: bool) -> None:
    """Any query or body at all, alone or behind a good request, is read or refused in the protocol's way."""
    octets = (urlencode(party.request()).encode() + b"&" if prefix else b"") + query
    message = HttpMessage("POST", "/oidc/authorize", b"", octets, FORM) if posted else HttpMessage("GET", "/", octets)
    check_arrival(party.provider, message)


@OFTEN
@given(form=st.dictionaries(st.sampled_from(FORM_NAMES), TEXTS, max_size=7), headers=HEADERS, known=st.booleans())
def test_any_form_gets_an_oauth_error(
    party: RelyingParty, form: dict[str, str], headers: dict[str, str], known: bool
) -> None:
    """No form at the token endpoint without a code of ours gets anything but an OAuth error."""
    sent = headers | (party.basic() if known else {})
    message = HttpMessage("POST", "/oidc/token", b"", urlencode(form).encode(), FORM, sent)
    check_document(token(party.provider.office, message, party.provider.clock.now()), granted=False)


@OFTEN
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "OPTIONS", ""]),
    body=st.binary(max_size=200),
    query=st.binary(max_size=50),
    kind=st.sampled_from([FORM, "application/json", "", FORM + "; charset=utf-8", "é"]),
    headers=HEADERS,
)
def test_any_message_gets_an_answer(
    party: RelyingParty, method: str, body: bytes, query: bytes, kind: str, headers: dict[str, str]
) -> None:
    """Any method, body, query and headers get an answer of the protocol from the token and userinfo endpoints."""
    message = HttpMessage(method, "/oidc", query, body, kind, headers)
    for endpoint in (token, userinfo):
        check_document(endpoint(party.provider.office, message, party.provider.clock.now()), granted=False)


@OFTEN
@given(
    head=JSON,
    claims=st.dictionaries(st.sampled_from(["iss", "sub", "aud", "exp", "jti", "nbf", "iat"]), JSON, max_size=7),
)
def test_any_assertion_is_refused_in_the_protocols_way(party: RelyingParty, head: Any, claims: Any) -> None:
    """Client assertions of any shape, unsigned or badly signed, get an OAuth error."""

    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    for header in (head, {"alg": "ES256"}, {"alg": "ES256", "kid": head}):
        form = {
            "grant_type": "authorization_code",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": f"{part(header)}.{part({'sub': party.client_id} | claims)}.{'A' * 86}",
        }
        message = HttpMessage("POST", "/oidc/token", b"", urlencode(form).encode(), FORM)
        check_document(token(party.provider.office, message, party.provider.clock.now()), granted=False)


@OFTEN
@given(changes=st.dictionaries(st.sampled_from(MEMBERS), JSON, max_size=3))
def test_any_metadata_are_accepted_or_refused(changes: dict[str, Any]) -> None:
    """Client metadata of any shape make a client with an address, or a sentence."""
    assert re.search(r"^https://|\.$", judged(metadata() | changes))


def judged(members: dict[str, Any]) -> str:
    """The first address of the client, or the sentence of the refusal."""
    try:
        # A client that is never sent a browser has no address.
        return next(iter(check_metadata(members, Profile.OIDC_STANDARD).redirect_uris), "It needs none.")
    except BadParty as bad:
        return str(bad)


@OFTEN
@given(state=st.text(st.characters(codec="utf-8", min_codepoint=32, exclude_characters="\x7f"), min_size=1))
def test_any_state_comes_back(party: RelyingParty, state: str) -> None:
    """Every state without control characters is echoed as it came."""
    query = urlencode(party.request(state=state, prompt="create"), quote_via=quote).encode()
    with pytest.raises(Answered) as caught:
        party.provider.codec.read(party.provider.office, HttpMessage("GET", "/", query), party.provider.clock.now())
    assert isinstance(caught.value.answer, Redirect)
    assert f"state={quote(state, safe='/')}&" in caught.value.answer.location.replace("%2F", "/")
