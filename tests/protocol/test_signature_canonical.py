"""Canonical text: what is signed without a canonicaliser is what a canonicaliser gives."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from idp.protocols.saml.xmlsec.refusal import Refused
from idp.protocols.saml.xmlsec.signature import verify
from idp.protocols.saml.xmlsec.signing import Signatory, enclose, key_name, sign, sign_canonical
from idp.protocols.saml.xmlsec.xml import (
    METADATA,
    SAML,
    SAMLP,
    XS,
    XSI,
    canonical,
    escape_attribute,
    escape_text,
    parse,
    serialise,
)
from tests.protocol.xml_kit import (
    ASSERTION,
    AUTHN_REQUEST,
    ENVELOPED,
    EXCLUSIVE,
    RESPONSE,
    SIGNATURE,
    authn_request,
    oracle_accepts,
    oracle_signs,
    reference,
    rsa_key,
    template,
)

KEYS = [rsa_key().private.public_key()]
SIGNATORY = Signatory(rsa_key(), key_info=key_name(rsa_key()))


def assertion() -> tuple[bytes, bytes]:
    """An Assertion in canonical form, cut where its Signature goes."""
    return (
        f'<saml:Assertion xmlns:saml="{SAML}" ID="_assertion" Version="2.0"><saml:Issuer>idp</saml:Issuer>'.encode(),
        b"<saml:Subject><saml:NameID>anna &amp; co</saml:NameID></saml:Subject></saml:Assertion>",
    )


def response(inside: bytes) -> tuple[bytes, bytes]:
    """A Response in canonical form around an Assertion."""
    return (
        f'<samlp:Response xmlns:samlp="{SAMLP}" Destination="https://sp.test/?a=1&amp;b>2" ID="_response">'
        f'<saml:Issuer xmlns:saml="{SAML}">idp</saml:Issuer>'.encode(),
        b"<samlp:Status></samlp:Status>" + inside + b"</samlp:Response>",
    )


def test_the_fast_path_gives_the_very_bytes_of_the_slow_one() -> None:
    """Signing text, and signing a tree and canonicalising it, give the same octets, both signatures included."""
    fast = sign_canonical(*response(sign_canonical(*assertion(), SIGNATORY)), SIGNATORY)
    root = parse(b"".join(response(b"".join(assertion()))))
    sign(root[2], SIGNATORY)
    sign(root, SIGNATORY)
    assert fast == canonical(root)
    assert fast == canonical(parse(fast))


def test_both_signatures_of_the_fast_path_verify() -> None:
    """Message and Assertion, signed as text, are accepted by libxmlsec1 and by us, in place (RC-1)."""
    fast = sign_canonical(*response(sign_canonical(*assertion(), SIGNATORY)), SIGNATORY)
    root = parse(fast)
    assert oracle_accepts(root, rsa_key())
    assert oracle_accepts(root, rsa_key(), root.find(ASSERTION))
    content = verify(parse(fast), RESPONSE, KEYS, nested=[ASSERTION])
    inner = parse(content).find(ASSERTION)
    assert inner is not None
    assert verify(inner, ASSERTION, KEYS, enclosed=True) == b"".join(assertion())


def test_types_in_values_need_a_prefix_list() -> None:
    """With ``xs`` in the PrefixList of both, ``xsi:type="xs:string"`` keeps its meaning in the signed octets."""
    signatory = Signatory(rsa_key(), prefixes=("xs",))
    head = f'<saml:Assertion xmlns:saml="{SAML}" xmlns:xs="{XS}" ID="_assertion"><saml:Issuer>idp</saml:Issuer>'
    value = f'<saml:AttributeValue xmlns:xsi="{XSI}" xsi:type="xs:string">x</saml:AttributeValue></saml:Assertion>'
    inner = sign_canonical(head.encode(), value.encode(), signatory)
    outer = sign_canonical(*response(inner), signatory)
    root = parse(outer)
    assert oracle_accepts(root, rsa_key())
    assert oracle_accepts(root, rsa_key(), root.find(ASSERTION))
    content = verify(root, RESPONSE, KEYS, nested=[ASSERTION])
    assert content == b"".join(response(inner))
    kept = parse(content).find(f"{ASSERTION}/{{{SAML}}}AttributeValue")
    assert kept is not None
    assert kept.nsmap["xs"] == XS


def test_a_signed_response_is_enclosed_byte_for_byte() -> None:
    """Inside an ArtifactResponse the Response loses one declaration and keeps both its signatures (RC-9)."""
    signed = sign_canonical(*response(sign_canonical(*assertion(), SIGNATORY)), SIGNATORY)
    head = (
        f'<samlp:ArtifactResponse xmlns:samlp="{SAMLP}" ID="_artifact"><saml:Issuer xmlns:saml="{SAML}">i</saml:Issuer>'
    )
    outer = sign_canonical(head.encode(), enclose(signed, "samlp") + b"</samlp:ArtifactResponse>", SIGNATORY)
    assert canonical(parse(outer)) == outer
    root = parse(outer)
    assert all(oracle_accepts(root, rsa_key(), element) for element in (root, root[2], root[2][-1]))
    content = verify(root, f"{{{SAMLP}}}ArtifactResponse", KEYS, nested=[RESPONSE, ASSERTION])
    assert verify(parse(content)[1], RESPONSE, KEYS, nested=[ASSERTION], enclosed=True)


def test_enclose_takes_only_what_is_asked() -> None:
    """Other declarations, and text that looks like one, stay."""
    element = b'<a:b xmlns:a="urn:a" xmlns:c="urn:c" d=" xmlns:a="><a:e xmlns:x="urn:x"></a:e></a:b>'
    assert enclose(element, "a") == b'<a:b xmlns:c="urn:c" d=" xmlns:a="><a:e xmlns:x="urn:x"></a:e></a:b>'
    assert enclose(element, "a", "c") == b'<a:b d=" xmlns:a="><a:e xmlns:x="urn:x"></a:e></a:b>'
    assert enclose(b"<b></b>", "a") == b"<b></b>"


@pytest.mark.parametrize(
    "head",
    [b"", b"text", b"<a>", b'<a b=" ID="></a>', b'<a b="1"> ID="_x"', b'<a Id="_x">', b'<a ID="">', b'<a ID="a b">'],
    ids=["nothing", "text", "no ID", "in a value", "in text", "Id", "empty", "space"],
)
def test_text_without_identifier_is_not_signed(head: bytes) -> None:
    """The ID is an attribute of the start tag, not a text that looks like one."""
    with pytest.raises(ValueError, match="start tag"):
        sign_canonical(head, b"</a>", SIGNATORY)


@pytest.mark.parametrize("identifier", [None, "", "a b", "é"], ids=["none", "empty", "space", "accent"])
def test_a_tree_without_identifier_is_not_signed(identifier: str | None) -> None:
    """What cannot be referred to is not signed."""
    root = parse(authn_request())
    del root.attrib["ID"]
    if identifier is not None:
        root.set("ID", identifier)
    with pytest.raises(ValueError, match="cannot be signed"):
        sign(root, SIGNATORY)


def test_nothing_is_signed_twice() -> None:
    """A second signature on one element would make it unacceptable to everybody."""
    root = parse(authn_request())
    sign(root, SIGNATORY)
    with pytest.raises(ValueError, match="already"):
        sign(root, SIGNATORY)


@pytest.mark.parametrize("tail", ["\n  ", "text", "&#13;", "<!-- c -->\n", "<![CDATA[x]]>"])
@pytest.mark.parametrize("before", ["", "\n  ", "text"], ids=["nothing before", "white before", "text before"])
@pytest.mark.parametrize("issuer", ["<saml:Issuer>sp</saml:Issuer>", ""], ids=["issuer", "no issuer"])
def test_text_behind_the_signature_survives(tail: str, before: str, issuer: str) -> None:
    """Taking the Signature out leaves the text behind it, or every indented message would be refused."""
    start = f'<samlp:AuthnRequest xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}" ID="_r">{issuer}{before}'
    end = f"{tail}<saml:X/></samlp:AuthnRequest>"
    root = etree.fromstring(start + etree.tostring(template(reference("#_r", ENVELOPED + EXCLUSIVE))).decode() + end)
    oracle_signs(root, next(root.iter(SIGNATURE)), rsa_key())
    content = verify(parse(etree.tostring(root), METADATA), AUTHN_REQUEST, KEYS)
    assert content == etree.tostring(etree.fromstring(start + end), method="c14n", exclusive=True, with_comments=False)


@pytest.mark.parametrize("prefixes", [(), ("xs",), ("samlp", "xs", "unknown"), ("a",)])
def test_a_nested_element_is_canonicalised_as_if_it_stood_alone(prefixes: tuple[str, ...]) -> None:
    """In place and alone, an element has the same canonical form, prefixes of its ancestors included."""
    octets = (
        f'<samlp:Response xmlns:samlp="{SAMLP}" xmlns:xs="{XS}" xmlns:a="urn:outer" xmlns="urn:default" xml:lang="nl">'
        f'before<saml:Assertion xmlns:saml="{SAML}" xmlns:a="urn:inner" ID="_a" samlp:x="1"><plain xmlns=""/>'
        '<saml:B a:y="2">t</saml:B></saml:Assertion>after</samlp:Response>'
    ).encode()
    nested = parse(octets)[0]
    alone = parse(serialise(parse(octets)[0]))
    assert canonical(nested, prefixes) == canonical(alone, prefixes)
    assert (b"xmlns:xs=" in canonical(nested, prefixes)) == ("xs" in prefixes)
    assert b"after" not in canonical(nested, prefixes)


CHARACTERS = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("&<>\"'\t\n\r "))


@given(CHARACTERS)
@settings(max_examples=500, deadline=None)
def test_escaped_text_is_canonical(value: str) -> None:
    """What the escapes write is canonical and reads back as it was; what XML cannot carry is refused (SEC-7)."""
    try:
        octets = f'<a b="{escape_attribute(value)}">{escape_text(value)}</a>'.encode()
    except ValueError:
        with pytest.raises(ValueError, match="XML compatible"):
            etree.Element("a").text = value
        return
    root = parse(octets)
    assert (root.get("b"), root.text or "") == (value, value)
    assert canonical(root) == octets


@pytest.mark.parametrize("value", ["\0", "\x0b", "\ud800", "\ufffe", "\x1f"])
def test_characters_that_xml_cannot_carry(value: str) -> None:
    """Control characters, halves of pairs and non-characters are refused on the way out (SEC-7)."""
    for escape in (escape_text, escape_attribute):
        with pytest.raises(ValueError, match="cannot carry"):
            escape(f"a{value}b")


def test_a_refused_canonical_form_is_not_signed() -> None:
    """A tree without canonical form cannot be signed either (SEC-11)."""
    root = parse(authn_request(body='<x xmlns="relative"/>'))
    with pytest.raises(Refused, match="canonical form"):
        sign(root, SIGNATORY)


def test_a_tree_with_its_own_prefix_for_signatures_is_signed_right() -> None:
    """lxml takes over another prefix that the tree has for the signature namespace; the signature covers that."""
    octets = authn_request().replace(
        b"<samlp:AuthnRequest ", b'<samlp:AuthnRequest xmlns:sig="http://www.w3.org/2000/09/xmldsig#" '
    )
    root = parse(octets)
    sign(root, SIGNATORY)
    assert b"<sig:SignedInfo>" in serialise(root)
    assert oracle_accepts(parse(serialise(root)), rsa_key())
    assert verify(parse(serialise(root)), AUTHN_REQUEST, KEYS)
