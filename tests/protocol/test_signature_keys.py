"""Keys and algorithms: who may sign, with what, and how keys are not confused."""

from itertools import product

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from lxml import etree

from idp.protocols.saml.xmlsec.algorithms import DigestMethod, SignatureMethod, VerificationKey, check_signature
from idp.protocols.saml.xmlsec.refusal import Fault, Refused
from idp.protocols.saml.xmlsec.signature import verify
from idp.protocols.saml.xmlsec.signing import Signatory, key_certificate, key_name, sign
from idp.protocols.saml.xmlsec.xml import DS, Element, parse, serialise
from tests.protocol.xml_kit import (
    AUTHN_REQUEST,
    SoftKey,
    authn_request,
    curve_key,
    oracle_accepts,
    rsa_key,
    signed_request,
)


def key_for(method: SignatureMethod, curve: type[ec.EllipticCurve]) -> SoftKey:
    return curve_key(curve) if method.name.startswith("ECDSA") else rsa_key()


def public(key: SoftKey) -> VerificationKey:
    return key.private.public_key()


def refused(root: Element, keys: list[VerificationKey]) -> str:
    with pytest.raises(Refused) as caught:
        verify(root, AUTHN_REQUEST, keys)
    assert caught.value.fault is Fault.SIGNATURE
    return caught.value.detail


@pytest.mark.parametrize(
    ("method", "digest", "curve"),
    list(product(SignatureMethod, DigestMethod, (ec.SECP256R1, ec.SECP384R1))),
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_every_algorithm_agrees_with_the_oracle(
    method: SignatureMethod, digest: DigestMethod, curve: type[ec.EllipticCurve]
) -> None:
    """What we sign with every accepted pair of algorithms, libxmlsec1 and we ourselves accept (RUL-27)."""
    key = key_for(method, curve)
    root = signed_request(key, method=method, digest=digest)
    assert oracle_accepts(parse(serialise(root)), key)
    assert b"AuthnRequest" in verify(root, AUTHN_REQUEST, [public(key)])


@pytest.mark.parametrize("method", [SignatureMethod.RSA_SHA256, SignatureMethod.ECDSA_SHA256])
def test_a_foreign_key_is_refused(method: SignatureMethod) -> None:
    """Another key of the same kind does not vouch for a message."""
    key = key_for(method, ec.SECP256R1)
    stranger = rsa_key("stranger") if key is rsa_key() else curve_key(ec.SECP256R1, "stranger")
    assert "none of 1 keys" in refused(signed_request(key, method=method), [public(stranger)])


def test_no_keys_is_a_refusal() -> None:
    """A party without usable keys cannot sign anything (SEC-12)."""
    assert "none of 0 keys" in refused(signed_request(rsa_key()), [])


def test_more_keys_than_a_party_may_have_are_refused() -> None:
    """The work per message is bounded (SEC-3)."""
    assert "more than 8" in refused(signed_request(rsa_key()), [public(rsa_key())] * 9)


def test_roll_over_accepts_any_registered_key() -> None:
    """Old and new key are both tried, of either kind (SEC-12)."""
    keys = [public(curve_key()), public(rsa_key("old")), public(rsa_key())]
    assert verify(signed_request(rsa_key()), AUTHN_REQUEST, keys)


@pytest.mark.parametrize("claimed", list(SignatureMethod), ids=lambda method: method.name)
@pytest.mark.parametrize("real", [SignatureMethod.RSA_SHA256, SignatureMethod.ECDSA_SHA256], ids=lambda m: m.name)
def test_an_algorithm_cannot_be_relabelled(real: SignatureMethod, claimed: SignatureMethod) -> None:
    """A signature made by one method is refused under the name of every other, with either key registered (SEC-10)."""
    key = key_for(real, ec.SECP256R1)
    if real is claimed:
        return
    root = signed_request(key, method=real)
    next(root.iter(f"{{{DS}}}SignatureMethod")).set("Algorithm", claimed)
    refused(root, [public(key), public(rsa_key()), public(curve_key())])


@pytest.mark.parametrize("method", list(SignatureMethod), ids=lambda method: method.name)
def test_a_key_of_the_other_family_never_vouches(method: SignatureMethod) -> None:
    """RSA methods ignore curve keys and the reverse; nothing is tried across families."""
    other = rsa_key() if method.name.startswith("ECDSA") else curve_key()
    with pytest.raises(Refused):
        check_signature(method, b"x" * 64, b"data", [public(other)])


def test_short_rsa_keys_are_refused() -> None:
    """RSA under 2048 bits does not count, whoever registered it (SIG-4)."""
    short = rsa.generate_private_key(65537, 1024)
    key = SoftKey(short, rsa_key().public)
    assert "none of 1 keys" in refused(signed_request(key), [short.public_key()])


def test_other_curves_are_refused() -> None:
    """P-521 and secp256k1 are not in the table (RUL-27)."""
    for curve in (ec.SECP521R1(), ec.SECP256K1()):
        private = ec.generate_private_key(curve)
        key = SoftKey(private, rsa_key().public)
        if curve.name == "secp521r1":
            with pytest.raises(Refused):
                check_signature(SignatureMethod.ECDSA_SHA512, b"x" * 132, b"data", [private.public_key()])
            continue
        root = signed_request(key, method=SignatureMethod.ECDSA_SHA256)
        assert "none of 1 keys" in refused(root, [private.public_key()])


def test_a_curve_signature_is_two_numbers_of_fixed_width() -> None:
    """DER, a wrong width, and zeros are refused: the value is r and s side by side (RFC 4051 2.3.6)."""
    key = curve_key()
    data = b"data"
    good = key.sign("ecdsa-sha256", data)
    check_signature(SignatureMethod.ECDSA_SHA256, good, data, [public(key)])
    der = encode_dss_signature(int.from_bytes(good[:32]), int.from_bytes(good[32:]))
    for bad in (der, good + b"\0", b"\0" + good, good[:-1], b"", bytes(64), b"\xff" * 64, good[32:] + good[:32]):
        with pytest.raises(Refused):
            check_signature(SignatureMethod.ECDSA_SHA256, bad, data, [public(key)])


def test_key_info_cannot_bring_a_key() -> None:
    """An attacker's message with his own certificate in KeyInfo is refused (SEC-12)."""
    attacker = rsa_key("attacker")
    root = signed_request(attacker, key_info=key_certificate(attacker))
    assert oracle_accepts(parse(serialise(root)), attacker)
    assert "none of 1 keys" in refused(root, [public(rsa_key())])


@pytest.mark.parametrize(
    "key_info",
    [
        "<ds:KeyInfo><ds:KeyName>provider</ds:KeyName></ds:KeyInfo>",
        "<ds:KeyInfo><ds:KeyName>nobody</ds:KeyName></ds:KeyInfo>",
        "<ds:KeyInfo><ds:RetrievalMethod URI='http://evil.test/key'/></ds:KeyInfo>",
        "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>!</ds:X509Certificate></ds:X509Data></ds:KeyInfo>",
        "<ds:KeyInfo/>",
    ],
    ids=["its name", "another name", "fetch", "broken", "empty"],
)
def test_key_info_changes_nothing(key_info: str) -> None:
    """Whatever KeyInfo says, the registered keys decide: nothing is fetched, parsed or chosen by it (SEC-12, SIG-6)."""
    assert verify(signed_request(rsa_key(), key_info=key_info), AUTHN_REQUEST, [public(rsa_key())])
    refused(signed_request(rsa_key(), key_info=key_info), [public(rsa_key("stranger"))])


def test_our_key_info() -> None:
    """Messages show KeyName and nothing else, metadata one certificate and nothing else (SIG-5, SIG-6)."""
    root = parse(authn_request())
    sign(root, Signatory(rsa_key(), key_info=key_name(rsa_key())))
    assert [node.tag.rpartition("}")[2] for node in root[1][2].iter()] == ["KeyInfo", "KeyName"]
    assert root[1][2][0].text == "provider"
    root = parse(authn_request())
    sign(root, Signatory(rsa_key(), key_info=key_certificate(rsa_key())))
    assert [node.tag.rpartition("}")[2] for node in root[1][2].iter()] == ["KeyInfo", "X509Data", "X509Certificate"]
    body = rsa_key().public.certificate.replace("\n", "")
    assert f"-----BEGIN CERTIFICATE-----{root[1][2][0][0].text}-----END CERTIFICATE-----" == body


def test_a_name_in_key_info_is_escaped() -> None:
    """A KeyName with markup in it stays text (SEC-7)."""
    key = SoftKey(rsa_key().private, rsa_key().public)
    odd = type(key.public)("<a>&\r", key.public.use, key.public.certificate, key.public.public_pem)
    root = signed_request(key, key_info=key_name(SoftKey(key.private, odd)))
    assert root[1][2][0].text == "<a>&\r"


def test_changed_content_is_refused() -> None:
    """Every change of the signed element itself is refused by the digest."""
    octets = etree.tostring(signed_request(rsa_key()))
    for old, new in (
        (b"sp.test", b"sp.tesT"),
        (b'Version="2.0"', b'Version="2.1"'),
        (b"</saml:Issuer>", b" </saml:Issuer>"),
    ):
        assert "digest" in refused(parse(octets.replace(old, new)), [public(rsa_key())])


def test_changed_signed_info_is_refused() -> None:
    """A digest that was made to fit, without the key, is refused by the signature."""
    honest = signed_request(rsa_key())
    forged = signed_request(rsa_key("stranger"), body="<samlp:Extensions><x xmlns='urn:x'/></samlp:Extensions>")
    value = next(honest.iter(f"{{{DS}}}SignatureValue")).text
    next(forged.iter(f"{{{DS}}}SignatureValue")).text = value
    assert "none of 1 keys" in refused(forged, [public(rsa_key())])
