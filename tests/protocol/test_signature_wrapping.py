"""Signature wrapping: a right signature beside content that nobody signed."""

from collections.abc import Callable
from copy import deepcopy

import pytest
from lxml import etree

from idp.protocols.saml.xmlsec.refusal import Refused
from idp.protocols.saml.xmlsec.signature import verify
from idp.protocols.saml.xmlsec.signing import Signatory, sign
from idp.protocols.saml.xmlsec.xml import DS, SAML, SAMLP, Element, canonical, parse, serialise
from tests.protocol.xml_kit import ASSERTION, AUTHN_REQUEST, RESPONSE, SIGNATURE, rsa_key, signed_request

EVIL = "https://evil.test"


def request() -> Element:
    return signed_request(rsa_key())


def evil_of(signed: Element, identifier: str | None = None) -> Element:
    """A copy with another Issuer, without signature, and another ID if one is given."""
    evil = deepcopy(signed)
    evil.remove(evil.find(SIGNATURE))  # type: ignore[arg-type]
    next(evil.iter(f"{{{SAML}}}Issuer")).text = EVIL
    if identifier:
        evil.set("ID", identifier)
    return evil


def extensions(content: Element) -> Element:
    wrapper = etree.Element(f"{{{SAMLP}}}Extensions")
    wrapper.append(content)
    return wrapper


def sibling(signed: Element, identifier: str | None) -> Element:
    """Both under one new root, the evil one first."""
    root = etree.Element("{urn:x}root")
    root.append(evil_of(signed, identifier))
    root.append(signed)
    return root


def wrapper(signed: Element, identifier: str | None) -> Element:
    """The evil one around the signed one, which keeps its Signature."""
    evil = evil_of(signed, identifier)
    evil.append(signed)
    return evil


def in_extensions(signed: Element, identifier: str | None) -> Element:
    """The signed one in the evil one's Extensions."""
    evil = evil_of(signed, identifier)
    evil.append(extensions(signed))
    return evil


def signature_moved_up(signed: Element, identifier: str | None) -> Element:
    """The Signature on the evil one, what it signs in Extensions."""
    evil = evil_of(signed, identifier)
    signature = signed.find(SIGNATURE)
    assert signature is not None
    evil.insert(1, signature)
    evil.append(extensions(signed))
    return evil


def signature_copied_up(signed: Element, identifier: str | None) -> Element:
    """The Signature on both."""
    evil = evil_of(signed, identifier)
    evil.insert(1, deepcopy(signed.find(SIGNATURE)))  # type: ignore[arg-type]
    evil.append(extensions(signed))
    return evil


def in_object(signed: Element, identifier: str | None) -> Element:
    """What is signed in an Object of the Signature, which stands on the evil one."""
    evil = evil_of(signed, identifier)
    signature = signed.find(SIGNATURE)
    assert signature is not None
    evil.insert(1, signature)
    etree.SubElement(signature, f"{{{DS}}}Object").append(signed)
    return evil


def in_key_info(signed: Element, identifier: str | None) -> Element:
    """What is signed in KeyInfo of the Signature, which stands on the evil one."""
    evil = evil_of(signed, identifier)
    signature = signed.find(SIGNATURE)
    assert signature is not None
    evil.insert(1, signature)
    etree.SubElement(signature, f"{{{DS}}}KeyInfo").append(signed)
    return evil


def in_signature_value(signed: Element, identifier: str | None) -> Element:
    """What is signed inside SignatureValue."""
    evil = evil_of(signed, identifier)
    signature = signed.find(SIGNATURE)
    assert signature is not None
    evil.insert(1, signature)
    signature[1].append(signed)
    return evil


def evil_inside(signed: Element, identifier: str | None) -> Element:
    """The evil one inside the signed one, behind everything else."""
    signed.append(extensions(evil_of(signed, identifier)))
    return signed


def evil_in_signature(signed: Element, identifier: str | None) -> Element:
    """The evil one inside KeyInfo of the signed one, where no digest covers it."""
    evil = evil_of(signed, identifier)
    signature = signed.find(SIGNATURE)
    assert signature is not None
    etree.SubElement(signature, f"{{{DS}}}KeyInfo").append(evil)
    return signed


ATTACKS = [
    sibling,
    wrapper,
    in_extensions,
    signature_moved_up,
    signature_copied_up,
    in_object,
    in_key_info,
    in_signature_value,
    evil_inside,
    evil_in_signature,
]


@pytest.mark.parametrize("attack", ATTACKS, ids=[attack.__name__ for attack in ATTACKS])
@pytest.mark.parametrize("identifier", [None, "_evil"], ids=["same ID", "other ID"])
@pytest.mark.parametrize("enclosed", [False, True], ids=["root", "enclosed"])
def test_nobody_reads_what_nobody_signed(
    attack: Callable[[Element, str | None], Element], identifier: str | None, enclosed: bool
) -> None:
    """Whichever request of the document is asked for, what comes back is the signed one or nothing (SIG-7, SEC-9)."""
    honest = canonical(unsigned(request()))
    octets = serialise(attack(request(), identifier))
    assert EVIL.encode() in octets
    for position in range(len(list(parse(octets).iter(AUTHN_REQUEST)))):
        element = list(parse(octets).iter(AUTHN_REQUEST))[position]
        try:
            content = verify(element, AUTHN_REQUEST, [rsa_key().private.public_key()], enclosed=enclosed)
        except Refused:
            continue
        assert content == honest


@pytest.mark.parametrize("attack", ATTACKS[:-1], ids=[attack.__name__ for attack in ATTACKS[:-1]])
@pytest.mark.parametrize("identifier", [None, "_evil"], ids=["same ID", "other ID"])
def test_a_wrapped_message_is_refused_at_its_root(
    attack: Callable[[Element, str | None], Element], identifier: str | None
) -> None:
    """As a message, read from its root, every wrapped document is refused outright (SEC-10)."""
    root = parse(serialise(attack(request(), identifier)))
    with pytest.raises(Refused):
        verify(root, AUTHN_REQUEST, [rsa_key().private.public_key()])


def response(*, sign_both: bool) -> Element:
    root = parse(
        f'<samlp:Response xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}" ID="_response"><saml:Issuer>idp</saml:Issuer>'
        '<saml:Assertion ID="_assertion"><saml:Issuer>idp</saml:Issuer><saml:Subject><saml:NameID>anna</saml:NameID>'
        "</saml:Subject></saml:Assertion></samlp:Response>".encode()
    )
    sign(root[1], Signatory(rsa_key()))
    if sign_both:
        sign(root, Signatory(rsa_key()))
    return parse(serialise(root))


def parts(root: Element) -> tuple[Element, Element, Element]:
    """The honest Assertion, an evil copy of it, and the copy's Signature."""
    honest = root.find(ASSERTION)
    assert honest is not None
    evil = deepcopy(honest)
    next(evil.iter(f"{{{SAML}}}NameID")).text = "mallory"
    signature = evil.find(SIGNATURE)
    assert signature is not None
    return honest, evil, signature


def unsigned(signed: Element) -> Element:
    signed.remove(signed.find(SIGNATURE))  # type: ignore[arg-type]
    return signed


def evil_before(root: Element) -> None:
    root.insert(0, unsigned(parts(root)[1]))


def evil_after(root: Element) -> None:
    root.append(unsigned(parts(root)[1]))


def evil_around(root: Element) -> None:
    honest, evil, _ = parts(root)
    root.replace(honest, unsigned(evil))
    evil.append(honest)


def honest_in_object(root: Element) -> None:
    honest, evil, signature = parts(root)
    root.replace(honest, evil)
    etree.SubElement(signature, f"{{{DS}}}Object").append(unsigned(honest))


def signature_on_evil(root: Element) -> None:
    honest, evil, _ = parts(root)
    root.replace(honest, evil)
    root.append(extensions(unsigned(honest)))


def honest_in_advice(root: Element) -> None:
    honest, evil, _ = parts(root)
    root.replace(honest, evil)
    etree.SubElement(evil, f"{{{SAML}}}Advice").append(honest)


ASSERTION_ATTACKS = [evil_before, evil_after, evil_around, honest_in_object, signature_on_evil, honest_in_advice]


@pytest.mark.parametrize("attack", ASSERTION_ATTACKS, ids=[attack.__name__ for attack in ASSERTION_ATTACKS])
@pytest.mark.parametrize("other_id", [False, True], ids=["same ID", "other ID"])
def test_a_wrapped_assertion_never_yields_the_evil_one(attack: Callable[[Element], None], other_id: bool) -> None:
    """For each Assertion of a wrapped Response, ``verify`` gives the honest content or nothing (SIG-7)."""
    root = response(sign_both=False)
    attack(root)
    if other_id:
        for one in root.iter(ASSERTION):
            if b"mallory" in canonical(one) and b"anna" not in canonical(one):
                one.set("ID", "_evil")
    octets = serialise(root)
    assert b"mallory" in octets
    for position in range(2):
        element = list(parse(octets).iter(ASSERTION))[position]
        try:
            content = verify(element, ASSERTION, [rsa_key().private.public_key()], enclosed=True)
        except Refused:
            continue
        assert b"mallory" not in content
        assert b"anna" in content


def test_a_response_with_a_signed_assertion_needs_leave() -> None:
    """A Signature inside is refused unless the caller names its parent, and then both verify, one after the other."""
    keys = [rsa_key().private.public_key()]
    with pytest.raises(Refused, match="foreign place"):
        verify(response(sign_both=True), RESPONSE, keys)
    content = verify(response(sign_both=True), RESPONSE, keys, nested=[ASSERTION])
    inner = parse(content).find(ASSERTION)
    assert inner is not None
    assert b"anna" in verify(inner, ASSERTION, keys, enclosed=True)


def test_comments_cannot_split_a_name() -> None:
    """The comment trick on Issuer: refused in messages; where comments may stand, the whole name comes back (SEC-9)."""
    octets = serialise(request()).replace(b"https://sp.test", b"https://sp.test<!-- -->.evil.test")
    with pytest.raises(Refused, match="comment"):
        parse(octets)


def test_entities_and_cdata_cannot_split_a_name() -> None:
    """CDATA and character references come back as one text, however they were written (SEC-9)."""
    octets = serialise(request()).replace(b"https://sp.test", b"https:<![CDATA[//sp]]>&#46;test")
    content = verify(parse(octets), AUTHN_REQUEST, [rsa_key().private.public_key()])
    assert parse(content)[0].text == "https://sp.test"
