"""The HTTP-Redirect binding: raw octets, single parameters, bounded inflation."""

import zlib
from base64 import b64encode
from itertools import permutations
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from idp.protocols.saml.request.redirect import (
    Parameter,
    RedirectMessage,
    inflate,
    read_redirect,
    verify_redirect,
    write_redirect,
)
from idp.protocols.saml.xmlsec.algorithms import SignatureMethod
from idp.protocols.saml.xmlsec.refusal import Fault, Refused
from idp.protocols.saml.xmlsec.signing import Signatory
from tests.protocol.xml_kit import authn_request, curve_key, rsa_key

KEYS = [rsa_key().private.public_key()]
MESSAGE = RedirectMessage(Parameter.REQUEST, authn_request(), "state/é?&=+ %41")


def signed(message: RedirectMessage = MESSAGE) -> str:
    return write_redirect(message, Signatory(rsa_key()))


def deflated(octets: bytes) -> str:
    stream = zlib.compressobj(wbits=-15)
    return quote(b64encode(stream.compress(octets) + stream.flush()), safe="")


def signed_by_hand(query: str, sig_alg: str = SignatureMethod.RSA_SHA256) -> bytes:
    octets = f"{query}&SigAlg={quote(sig_alg, safe='')}".encode()
    return octets + b"&Signature=" + quote(b64encode(rsa_key().sign("rsa-sha256", octets)), safe="").encode()


def fault(query: bytes, limit: int = 256 * 1024) -> Fault:
    with pytest.raises(Refused) as refused:
        verify_redirect(read_redirect(query, limit), KEYS)
    return refused.value.fault


@pytest.mark.parametrize("method", list(SignatureMethod), ids=lambda method: method.name)
@pytest.mark.parametrize("relay_state", [None, "", "plain", "a&b=c+d %20é"])
@pytest.mark.parametrize("parameter", list(Parameter))
def test_what_we_write_we_read(method: SignatureMethod, relay_state: str | None, parameter: Parameter) -> None:
    """Every algorithm, with and without RelayState, requests and responses (SIG-8, RUL-27)."""
    key = curve_key(ec.SECP384R1) if method.name.startswith("ECDSA") else rsa_key()
    message = RedirectMessage(parameter, authn_request(), relay_state)
    query = write_redirect(message, Signatory(key, method))
    assert verify_redirect(read_redirect(query.encode()), [key.private.public_key()]) == message


def test_the_octets_as_received_are_verified() -> None:
    """Lower-case escapes, needless escapes and plus signs verify as the sender wrote them (SEC-15)."""
    for escape in (lambda text: text.lower(), lambda text: text.upper()):
        request = "".join(escape(part) if part.startswith("%") else part for part in pieces(deflated(authn_request())))
        for state in ("a%2fb", "a%2Fb", "a/b", "%61/b", "a+b", "a%20b"):
            found = verify_redirect(read_redirect(signed_by_hand(f"SAMLRequest={request}&RelayState={state}")), KEYS)
            assert found.relay_state in ("a/b", "a b")
            assert found.octets == authn_request()


def pieces(text: str) -> list[str]:
    """A text cut at its escapes."""
    found, rest = [], text
    while "%" in rest:
        plain, _, rest = rest.partition("%")
        found += [plain, "%" + rest[:2]]
        rest = rest[2:]
    return [*found, rest]


def test_another_spelling_of_the_same_values_is_refused() -> None:
    """The signature is over octets, not values: the same query escaped otherwise does not verify (SIG-8)."""
    query = signed()
    assert "%2F" in query
    assert fault(query.replace("%2F", "%2f").encode()) is Fault.SIGNATURE


def test_parameters_may_come_in_any_order() -> None:
    """The signed string has its fixed order, wherever the parameters stand; foreign ones are ignored (SEC-15)."""
    for order in permutations([*signed().split("&"), "lang=nl"]):
        assert verify_redirect(read_redirect("&".join(order).encode()), KEYS) == MESSAGE


@pytest.mark.parametrize("name", ["SAMLRequest", "RelayState", "SigAlg", "Signature"])
def test_no_signed_parameter_can_be_left_out_or_changed(name: str) -> None:
    """Dropping or changing any of the four is refused."""
    fields = dict(field.split("=", 1) for field in signed().split("&"))
    rest = "&".join(f"{key}={value}" for key, value in fields.items() if key != name)
    assert fault(rest.encode()) in (Fault.SIGNATURE, Fault.MALFORMED)
    changed = fields | {name: "x" + fields[name]}
    assert fault("&".join(f"{key}={value}" for key, value in changed.items()).encode()) in (
        Fault.SIGNATURE,
        Fault.MALFORMED,
    )


def test_a_relay_state_cannot_be_added() -> None:
    """A query signed without RelayState does not verify with one (SEC-15)."""
    query = signed(RedirectMessage(Parameter.REQUEST, authn_request(), None))
    assert fault(f"{query}&RelayState=evil".encode()) is Fault.SIGNATURE
    assert fault(f"{query}&RelayState=".encode()) is Fault.SIGNATURE


@pytest.mark.parametrize("name", ["SAMLRequest", "RelayState", "SigAlg", "Signature", "SAMLEncoding"])
def test_nothing_comes_twice(name: str) -> None:
    """A second value of any parameter is refused, before or behind the first, and in disguise (SEC-4)."""
    query = signed() + "&SAMLEncoding=urn%3Aoasis%3Anames%3Atc%3ASAML%3A2.0%3Abindings%3AURL-Encoding%3ADEFLATE"
    assert verify_redirect(read_redirect(query.encode()), KEYS)
    disguised = f"%{ord(name[0]):02x}{name[1:]}"
    for extra in (name, disguised):
        assert fault(f"{query}&{extra}=x".encode()) is Fault.MALFORMED
        assert fault(f"{extra}=x&{query}".encode()) is Fault.MALFORMED
    assert fault(query.replace(f"{name}=", f"{disguised}=").encode()) is Fault.MALFORMED


def test_request_and_response_do_not_come_together() -> None:
    """One message, of one kind (SEC-4)."""
    assert fault(f"{signed()}&SAMLResponse={deflated(b'<a/>')}".encode()) is Fault.MALFORMED
    assert fault(b"RelayState=x") is Fault.MALFORMED
    assert fault(b"") is Fault.MALFORMED


@pytest.mark.parametrize(
    "query",
    [
        "SAMLRequest=%",
        "SAMLRequest=%4",
        "SAMLRequest=%zz",
        "SAMLRequest=é",
        "SAMLRequest=a b",
        "SAMLRequest=a\r\nb",
        "SAMLRequest",
        "SAMLRequest=",
        "SAMLRequest=%00",
        "SAMLRequest=QUJD",
        "SAMLRequest=QUJ",
        f"SAMLRequest={deflated(b'<a/>')}&RelayState=%FF",
        f"SAMLRequest={deflated(b'<a/>')}&SAMLEncoding=none",
        f"SAMLRequest={deflated(b'<a/>')}%41",
    ],
)
def test_broken_queries_are_refused(query: str) -> None:
    """Bad escapes, foreign characters, broken base64 and DEFLATE are refusals (SEC-2)."""
    assert fault(query.encode()) is Fault.MALFORMED


@pytest.mark.parametrize(
    "sig_alg",
    [
        "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
        "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
        "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
        "none",
        "",
    ],
)
def test_other_algorithms_are_refused(sig_alg: str) -> None:
    """SHA-1, HMAC, none, and every method but the one that was used, though the SigAlg itself is signed (SEC-10)."""
    assert fault(signed_by_hand(f"SAMLRequest={deflated(authn_request())}", sig_alg)) is Fault.SIGNATURE


def test_an_unsigned_query_is_read_but_not_verified() -> None:
    """Who waives signatures reads ``message``; ``verify_redirect`` refuses (RUL-23)."""
    query = read_redirect(write_redirect(MESSAGE, None).encode())
    assert query.message == MESSAGE
    with pytest.raises(Refused, match="no signature"):
        verify_redirect(query, KEYS)


def test_half_a_signature_is_refused() -> None:
    """Signature without SigAlg, or SigAlg without Signature, does not pass for unsigned."""
    plain = write_redirect(MESSAGE, None)
    for half in ("Signature=QUJD", "SigAlg=x", "Signature=", "SigAlg="):
        with pytest.raises(Refused, match="together"):
            read_redirect(f"{plain}&{half}".encode())


@pytest.mark.parametrize("state", ["%", "%4", "%zz", "é", "a b", "a\nb", "\x00", "\x7f"])
def test_a_relay_state_is_plain_ascii_with_right_escapes(state: str) -> None:
    """What two readers could take for different values is refused, in RelayState and in foreign parameters (SEC-15)."""
    request = f"SAMLRequest={deflated(b'<a/>')}"
    for name in ("RelayState", "lang"):
        with pytest.raises(Refused, match="plain ASCII"):
            read_redirect(f"{request}&{name}={state}".encode())


def test_inflation_is_bounded() -> None:
    """A small query cannot become a large message (SEC-3)."""
    bomb = zlib.compressobj(9, wbits=-15)
    octets = bomb.compress(b" " * 50_000_000) + bomb.flush()
    with pytest.raises(Refused) as refused:
        inflate(octets, 256 * 1024)
    assert refused.value.fault is Fault.TOO_LARGE
    assert inflate(_deflate(b"x" * 100), 100) == b"x" * 100
    with pytest.raises(Refused):
        inflate(_deflate(b"x" * 101), 100)
    query = f"SAMLRequest={deflated(b'x' * 300_000)}".encode()
    assert fault(query) is Fault.TOO_LARGE


def _deflate(octets: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(octets) + stream.flush()


@pytest.mark.parametrize(
    "octets", [b"", b"\xff", _deflate(b"abc")[:-1], _deflate(b"abc") + b"x", zlib.compress(b"abc")]
)
def test_broken_deflate_is_refused(octets: bytes) -> None:
    """Cut short, trailing octets, a zlib header: refused."""
    with pytest.raises(Refused) as refused:
        inflate(octets, 1000)
    assert refused.value.fault is Fault.MALFORMED


def test_a_query_is_bounded() -> None:
    """Length and number of parameters (SEC-3)."""
    assert fault(b"SAMLRequest=" + b"A" * 70_000) is Fault.TOO_LARGE
    assert fault(b"a=b&" * 40 + signed().encode()) is Fault.TOO_LARGE


QUERIES = st.binary(max_size=200) | st.text(alphabet="SAMLRequestRelayStateSigAlgSignature=&%+0123456789ABCDEF")


@given(QUERIES)
@settings(max_examples=400, deadline=None)
def test_no_query_is_an_error(query: bytes | str) -> None:
    """Whatever stands in a query that nobody signed, it is refused, never an error of ours (SEC-2)."""
    with pytest.raises(Refused):
        verify_redirect(read_redirect(query.encode() if isinstance(query, str) else query), KEYS)
