"""Whatever arrives at the SAML endpoints, nothing but a refusal or a fault comes of it (SEC-1, SEC-2)."""

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp.domain.demand import Reading
from idp.domain.login import LoginRequest
from idp.protocols.message import Answered, BadRequest, HttpMessage
from idp.protocols.saml.reply import Reply
from tests.protocol.saml_kit import Bench
from tests.protocol.saml_messages import (
    ACS,
    DV,
    LOA,
    POST,
    SAML_PROFILES,
    SCHEME,
    SCHEME_METADATA,
    SP,
    SSO,
    Asking,
    Published,
    form,
)

PATIENT = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
CODES = {f"P{number:02}" for number in range(1, 17)}
TEXT = st.text(st.characters(codec="utf-8", exclude_characters='<&"\x00', exclude_categories=("Cs", "Cc")), max_size=40)
NAMES = st.one_of(
    TEXT,
    st.sampled_from((ACS, POST, SP, DV, *SSO.values(), LOA + "3", "2.0", "true", "0", "1", "2", "70000", "_x", "")),
)
INSTANTS = st.one_of(
    TEXT, st.sampled_from(("2026-01-15T10:00:00Z", "2026-01-15T10:00:00", "2026-01-15", "9999-12-31T23:59:59-14:00"))
)
ATTRIBUTES = st.fixed_dictionaries(
    {},
    optional={
        "ID": st.sampled_from(("_a", "a b", "", "_" + "x" * 300, "é")),
        "Version": NAMES,
        "IssueInstant": INSTANTS,
        "Destination": NAMES,
        "ForceAuthn": NAMES,
        "IsPassive": NAMES,
        "AssertionConsumerServiceIndex": NAMES,
        "AssertionConsumerServiceURL": NAMES,
        "ProtocolBinding": NAMES,
        "AttributeConsumingServiceIndex": NAMES,
        "ProviderName": NAMES,
        "Consent": NAMES,
    },
)
PIECES = st.lists(
    st.sampled_from(
        (
            "<samlp:NameIDPolicy/>",
            '<samlp:NameIDPolicy Format="urn:x" AllowCreate="true"/>',
            f"<samlp:RequestedAuthnContext><saml:AuthnContextClassRef>{LOA}3</saml:AuthnContextClassRef>"
            "</samlp:RequestedAuthnContext>",
            '<samlp:RequestedAuthnContext Comparison="maximum"><saml:AuthnContextClassRef/>'
            "</samlp:RequestedAuthnContext>",
            "<samlp:Scoping/>",
            '<samlp:Scoping ProxyCount="0"><samlp:IDPList><samlp:IDPEntry ProviderID="urn:x"/></samlp:IDPList>'
            "</samlp:Scoping>",
            "<saml:Conditions/>",
            "<saml:Subject><saml:NameID>x</saml:NameID></saml:Subject>",
            "<samlp:Extensions><x xmlns='urn:x'/></samlp:Extensions>",
            "<x xmlns='urn:x'/>",
        )
    ),
    max_size=3,
)


def outcome(bench: Bench, message: HttpMessage) -> LoginRequest | BadRequest | Answered:
    """What comes of a message; any exception but the two that are meant fails the test."""
    found: LoginRequest | BadRequest | Answered
    try:
        found = bench.read(message).asked
    except (BadRequest, Answered) as refused:
        found = refused
    assert isinstance(found, LoginRequest) or found.code in CODES
    return found


@pytest.fixture
def strict_and_lenient(bench: Bench) -> Callable[[int], None]:
    """Registers the parties in one of six manners."""

    def register(manner: int) -> None:
        profile = SAML_PROFILES[manner % 3]
        published = SCHEME_METADATA if profile in SCHEME else Published()
        bench.register(published, profile, reading=tuple(Reading)[manner // 3])

    return register


@PATIENT
@given(
    manner=st.integers(0, 5), attributes=ATTRIBUTES, pieces=PIECES, relay_state=st.none() | TEXT, redirect=st.booleans()
)
def test_signed_nonsense(
    bench: Bench,
    strict_and_lenient: Callable[[int], None],
    manner: int,
    attributes: dict[str, str],
    pieces: list[str],
    relay_state: str | None,
    redirect: bool,
) -> None:
    """A request of a registered party, whatever it says, is taken with bounded facts, refused or answered."""
    strict_and_lenient(manner)
    profile = SAML_PROFILES[manner % 3]
    asking = Asking(profile, attributes, DV if profile in SCHEME else SP, body="".join(pieces))
    try:
        message = asking.redirected(relay_state) if redirect else asking.posted(relay_state)
    except ValueError:
        # Without a usable ID nothing can be signed; by Redirect it can.
        message = asking.redirected(relay_state)
    found = outcome(bench, message)
    if isinstance(found, LoginRequest):
        reply = Reply.recall(found.reply)
        assert reply.location == ACS
        assert reply.relay_state == relay_state
        assert reply.remember() == found.reply


@PATIENT
@given(octets=st.binary(max_size=200), field=st.sampled_from(("SAMLRequest", "SAMLResponse", "RelayState", "SAMLart")))
def test_random_forms(bench: Bench, octets: bytes, field: str) -> None:
    """Random octets in a form field are refused."""
    bench.register()
    assert isinstance(outcome(bench, form({field: b64encode(octets).decode()})), BadRequest)


@PATIENT
@given(body=st.binary(max_size=300), kind=st.sampled_from(("application/x-www-form-urlencoded", "text/xml", "")))
def test_random_bodies(bench: Bench, body: bytes, kind: str) -> None:
    """A random body of any kind is refused."""
    assert isinstance(outcome(bench, HttpMessage("POST", "/saml/sso", body=body, content_type=kind)), BadRequest)


@PATIENT
@given(query=st.binary(max_size=300))
def test_random_queries(bench: Bench, query: bytes) -> None:
    """A random query is refused, with and without the name of the message in it."""
    for octets in (query, b"SAMLRequest=" + query, b"SAMLRequest=" + query + b"&SigAlg=x&Signature=y"):
        assert isinstance(outcome(bench, HttpMessage("GET", "/saml/sso", query=octets)), BadRequest)


@PATIENT
@given(position=st.floats(0, 1), octet=st.integers(0, 255), redirect=st.booleans())
def test_one_changed_octet(bench: Bench, position: float, octet: int, redirect: bool) -> None:
    """A signed message with one octet changed is never taken for something else than it was (SEC-9)."""
    bench.register()
    message = Asking().redirected("rs") if redirect else Asking().posted("rs")
    original = bench.read(message).asked
    octets = message.query if redirect else message.body
    place = int(position * (len(octets) - 1))
    changed = octets[:place] + bytes([octet]) + octets[place + 1 :]
    sent = HttpMessage(
        message.method, message.path, changed if redirect else b"", b"" if redirect else changed, message.content_type
    )
    found = outcome(bench, sent)
    if isinstance(found, LoginRequest):
        # RelayState travels beside a POST message, outside its signature.
        assert {**found.reply, "relay_state": "rs"} == {**original.reply, "relay_state": "rs"}


def test_the_golden_requests_are_taken(bench: Bench) -> None:
    """What the golden files hold as requests is understood, so that the properties above start from the truth."""
    folder = Path(__file__).parent / "golden" / "generic"
    bench.register()
    files = [one for one in sorted(folder.glob("*.request.xml")) if "AuthnRequest" in one.read_text()]
    assert len(files) > 5
    for file in files:
        octets = file.read_text().removesuffix("\n").replace(">\n<", "><").encode()
        found = outcome(bench, form({"SAMLRequest": b64encode(octets).decode()}))
        # Two of them are faulty on purpose, and have the same ID, so that the second is a replay.
        assert isinstance(found, LoginRequest) or found.code in {"P07", "P09", "P05"}
