"""Every structural check of the signature profile, against signatures that are cryptographically right."""

from collections.abc import Callable

import pytest
from lxml import etree

from idp.protocols.saml.xmlsec.refusal import Fault, Refused
from idp.protocols.saml.xmlsec.signature import verify
from idp.protocols.saml.xmlsec.xml import DS, METADATA, Element, parse
from tests.protocol.xml_kit import (
    AUTHN_REQUEST,
    ENVELOPED,
    EXCLUSIVE,
    authn_request,
    hand_signs,
    oracle_accepts,
    oracle_signs,
    reference,
    rsa_key,
    signed_request,
    template,
)

EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"
GOOD = reference("#_request", ENVELOPED + EXCLUSIVE)
C14N = "<ds:CanonicalizationMethod Algorithm='{}'/>"


def transform(algorithm: str, inside: str = "") -> str:
    return f'<ds:Transform Algorithm="{algorithm}">{inside}</ds:Transform>'


def inclusive(prefixes: str, namespace: str = EXC) -> str:
    return transform(EXC, f'<ec:InclusiveNamespaces xmlns:ec="{namespace}" PrefixList="{prefixes}"/>')


def signed_shape(signature: Element, position: int = 1, body: str = "") -> bytes:
    """A request with this Signature, filled in by libxmlsec1 where it will, else by hand."""
    root = etree.fromstring(authn_request(body=body))
    root.insert(position, signature)
    try:
        oracle_signs(root, signature, rsa_key())
    except Exception:
        hand_signs(root, signature, rsa_key())
    return etree.tostring(root, encoding="utf-8")


def judge(octets: bytes) -> bytes:
    return verify(parse(octets, METADATA), AUTHN_REQUEST, [rsa_key().private.public_key()])


# Name, Signature, what the refusal says, and whether libxmlsec1 accepts the same document: there the
# cryptography is in order, and the check under test is the only thing that stands in the way.
SHAPES: list[tuple[str, Callable[[], Element], str, bool]] = [
    ("empty URI", lambda: template(reference("", ENVELOPED + EXCLUSIVE)), "Reference to ''", True),
    ("no URI", lambda: template(GOOD.replace(' URI="#_request"', "")), "the shape", True),
    ("file URI", lambda: template(reference("file:///etc/hostname", ENVELOPED + EXCLUSIVE)), "Reference to", False),
    ("http URI", lambda: template(reference("http://evil.test/", ENVELOPED + EXCLUSIVE)), "Reference to", False),
    (
        "xpointer URI",
        lambda: template(reference("#xpointer(id('_request'))", ENVELOPED + EXCLUSIVE)),
        "Reference to",
        True,
    ),
    ("another ID", lambda: template(reference("#_other", ENVELOPED + EXCLUSIVE)), "Reference to", False),
    ("two references", lambda: template(GOOD + GOOD), "the shape", True),
    ("no reference", lambda: template(""), "the shape", False),
    ("reference with Type", lambda: template(GOOD.replace(" URI", ' Type="urn:x" URI')), "the shape", True),
    ("no transforms", lambda: template(reference("#_request", "")), "the shape", False),
    ("not enveloped", lambda: template(reference("#_request", EXCLUSIVE + EXCLUSIVE)), "transforms", False),
    ("only enveloped", lambda: template(reference("#_request", ENVELOPED)), "the shape", True),
    ("transforms swapped", lambda: template(reference("#_request", EXCLUSIVE + ENVELOPED)), "transforms", False),
    ("three transforms", lambda: template(reference("#_request", ENVELOPED + EXCLUSIVE * 2)), "the shape", True),
    (
        "XPath transform",
        lambda: template(
            reference(
                "#_request",
                ENVELOPED
                + transform("http://www.w3.org/TR/1999/REC-xpath-19991116", "<ds:XPath>true()</ds:XPath>")
                + EXCLUSIVE,
            )
        ),
        "the shape",
        True,
    ),
    (
        "XPath in place of canonicalisation",
        lambda: template(
            reference(
                "#_request",
                ENVELOPED + transform("http://www.w3.org/TR/1999/REC-xpath-19991116", "<ds:XPath>true()</ds:XPath>"),
            )
        ),
        "the shape",
        True,
    ),
    (
        "XSLT transform",
        lambda: template(reference("#_request", ENVELOPED + transform("http://www.w3.org/TR/1999/REC-xslt-19991116"))),
        "transforms",
        False,
    ),
    (
        "base64 transform",
        lambda: template(reference("#_request", ENVELOPED + transform(f"{DS}base64"))),
        "transf",
        False,
    ),
    (
        "inclusive canonicalisation as transform",
        lambda: template(
            reference("#_request", ENVELOPED + transform("http://www.w3.org/TR/2001/REC-xml-c14n-20010315"))
        ),
        "transforms",
        True,
    ),
    (
        "canonicalisation with comments as transform",
        lambda: template(reference("#_request", ENVELOPED + transform(f"{EXC}WithComments"))),
        "transforms",
        True,
    ),
    (
        "inclusive canonicalisation of SignedInfo",
        lambda: template(GOOD, canonicalization=C14N.format("http://www.w3.org/TR/2001/REC-xml-c14n-20010315")),
        "canonicalisation",
        True,
    ),
    (
        "canonicalisation of SignedInfo with comments",
        lambda: template(GOOD, canonicalization=C14N.format(f"{EXC}WithComments")),
        "canonicalisation",
        True,
    ),
    ("#default", lambda: template(reference("#_request", ENVELOPED + inclusive("#default"))), "PrefixList", True),
    ("strange prefix", lambda: template(reference("#_request", ENVELOPED + inclusive("a:b"))), "PrefixList", True),
    (
        "prefix after a character reference",
        lambda: template(reference("#_request", ENVELOPED + inclusive("a&#9;b"))),
        "PrefixList",
        True,
    ),
    (
        "many prefixes",
        lambda: template(reference("#_request", ENVELOPED + inclusive(" ".join(f"p{n}" for n in range(33))))),
        "PrefixList",
        True,
    ),
    (
        "strange prefix for SignedInfo",
        lambda: template(GOOD, canonicalization=inclusive("a:b").replace("Transform", "CanonicalizationMethod")),
        "PrefixList",
        True,
    ),
    (
        "InclusiveNamespaces of a foreign namespace",
        lambda: template(reference("#_request", ENVELOPED + inclusive("saml", "urn:evil"))),
        "the shape",
        False,
    ),
    (
        "two InclusiveNamespaces",
        lambda: template(
            reference(
                "#_request", ENVELOPED + inclusive("saml").replace("/></ds", "/>" + inclusive("a")[47:-15] + "</ds")
            )
        ),
        "the shape",
        False,
    ),
    (
        "parameters of the enveloped transform",
        lambda: template(
            reference("#_request", transform(f"{DS}enveloped-signature", "<ds:XPath>1</ds:XPath>") + EXCLUSIVE)
        ),
        "the shape",
        True,
    ),
    ("SHA-1 digest", lambda: template(reference("#_request", ENVELOPED + EXCLUSIVE, f"{DS}sha1")), "digest algo", True),
    ("MD5 digest", lambda: template(reference("#_request", ENVELOPED + EXCLUSIVE, f"{DS[:-8]}")), "digest algo", False),
    ("SHA-1 signature", lambda: template(GOOD, f"{DS}rsa-sha1"), "signature algo", True),
    ("HMAC", lambda: template(GOOD, "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"), "signature algo", False),
    ("DSA", lambda: template(GOOD, "http://www.w3.org/2009/xmldsig11#dsa-sha256"), "signature algo", False),
    (
        "PSS with parameters",
        lambda: template(GOOD, "http://www.w3.org/2007/05/xmldsig-more#rsa-pss"),
        "signature",
        False,
    ),
    ("empty method", lambda: template(GOOD, ""), "signature algo", False),
    ("Object", lambda: template(GOOD, tail="<ds:Object><evil/></ds:Object>"), "children of Signature", True),
    ("Object before KeyInfo", lambda: template(GOOD, tail="<ds:Object/><ds:KeyInfo/>"), "children of Sig", False),
    ("two KeyInfo", lambda: template(GOOD, tail="<ds:KeyInfo/><ds:KeyInfo/>"), "children of Signature", False),
    ("foreign namespace", lambda: other(template(GOOD), "SignedInfo", "urn:evil"), "children of Signature", False),
    ("rebound prefix", lambda: rebound(template(GOOD)), "the shape", False),
    ("text in SignedInfo", lambda: text_in(template(GOOD)), "the shape", True),
    ("attribute on SignedInfo", lambda: attribute_on(template(GOOD), "SignedInfo"), "the shape", True),
    ("attribute on Transforms", lambda: attribute_on(template(GOOD), "Transforms"), "the shape", True),
    ("attribute on DigestMethod", lambda: attribute_on(template(GOOD), "DigestMethod"), "the shape", True),
    ("child of SignatureMethod", lambda: child_of(template(GOOD), "SignatureMethod"), "the shape", True),
    ("child of DigestMethod", lambda: child_of(template(GOOD), "DigestMethod"), "the shape", True),
    ("child of CanonicalizationMethod", lambda: child_of(template(GOOD), "CanonicalizationMethod"), "the shape", False),
]


def ds(signature: Element, name: str) -> Element:
    return next(signature.iter(f"{{{DS}}}{name}"))


def other(signature: Element, name: str, namespace: str) -> Element:
    ds(signature, name).tag = f"{{{namespace}}}{name}"
    return signature


def rebound(signature: Element) -> Element:
    method = ds(signature, "DigestMethod")
    parent = method.getparent()
    assert parent is not None
    parent.replace(
        method, etree.fromstring(f'<ds:DigestMethod xmlns:ds="urn:evil" Algorithm="{method.get("Algorithm")}"/>')
    )
    return signature


def text_in(signature: Element) -> Element:
    ds(signature, "SignatureMethod").tail = "text"
    return signature


def attribute_on(signature: Element, name: str) -> Element:
    ds(signature, name).set("extra", "1")
    return signature


def child_of(signature: Element, name: str) -> Element:
    ds(signature, name).append(etree.fromstring(f'<ds:HMACOutputLength xmlns:ds="{DS}">8</ds:HMACOutputLength>'))
    return signature


@pytest.mark.parametrize(
    ("build", "says", "valid"), [shape[1:] for shape in SHAPES], ids=[shape[0] for shape in SHAPES]
)
def test_only_one_shape_is_accepted(build: Callable[[], Element], says: str, valid: bool) -> None:
    """A right signature of any other shape is refused, and by the check that is meant for it (SEC-10)."""
    octets = signed_shape(build())
    assert oracle_accepts(etree.fromstring(octets), rsa_key()) is valid
    with pytest.raises(Refused, match=says) as refused:
        judge(octets)
    assert refused.value.fault is Fault.SIGNATURE


@pytest.mark.parametrize(
    "build",
    [
        pytest.param(lambda: template(GOOD), id="plain"),
        pytest.param(lambda: template(GOOD, tail="<ds:KeyInfo><ds:KeyName>x</ds:KeyName></ds:KeyInfo>"), id="KeyInfo"),
        pytest.param(
            lambda: template(reference("#_request", ENVELOPED + inclusive("saml xs unknown"))), id="PrefixList"
        ),
        pytest.param(
            lambda: template(
                GOOD, canonicalization=inclusive("saml xs").replace("Transform", "CanonicalizationMethod")
            ),
            id="PrefixList of SignedInfo",
        ),
        pytest.param(lambda: template(GOOD.replace(" URI", ' Id="_r" URI')), id="Id of Reference"),
    ],
)
def test_the_one_shape_is_accepted(build: Callable[[], Element]) -> None:
    """The profile's own variants pass: KeyInfo, a PrefixList on either canonicalisation, an Id on the Reference."""
    octets = signed_shape(build())
    assert b"AuthnRequest" in judge(octets)


def test_spaces_in_the_signature_are_accepted() -> None:
    """White space and line breaks between and inside the parts of a Signature change nothing (SIG-2)."""
    signature = template(GOOD)
    for node in signature.iter("*"):
        if len(node):
            node.text = "\n  "
        node.tail = "\r\n"
    signature.tail = None
    octets = signed_shape(signature).replace(b"</ds:SignatureValue>", b"\n \t</ds:SignatureValue>")
    assert b"AuthnRequest" in judge(octets)


@pytest.mark.parametrize(("position", "body"), [(0, ""), (2, "<samlp:Extensions/>")], ids=["before", "later"])
def test_the_signature_stands_right_after_issuer(position: int, body: str) -> None:
    """A right Signature before Issuer, or behind a further element, is refused (SEC-10)."""
    octets = signed_shape(template(GOOD), position, body)
    assert oracle_accepts(etree.fromstring(octets), rsa_key())
    with pytest.raises(Refused, match="right after Issuer"):
        judge(octets)


def test_without_issuer_the_signature_stands_first() -> None:
    """Metadata has no Issuer: there the Signature is the first child, and nowhere else (SEC-10)."""
    for position, accepted in ((0, True), (1, False)):
        root = etree.fromstring('<m:EntityDescriptor xmlns:m="urn:m" ID="_request"><m:Role/></m:EntityDescriptor>')
        signature = template(GOOD)
        root.insert(position, signature)
        oracle_signs(root, signature, rsa_key())
        copy = parse(etree.tostring(root))
        if accepted:
            assert verify(copy, "{urn:m}EntityDescriptor", [rsa_key().private.public_key()])
            continue
        with pytest.raises(Refused, match="right after Issuer"):
            verify(copy, "{urn:m}EntityDescriptor", [rsa_key().private.public_key()])


def test_one_signature_exactly() -> None:
    """None, or two, are refused (SEC-10)."""
    with pytest.raises(Refused, match="0 signatures"):
        judge(authn_request())
    root = signed_request(rsa_key())
    root.insert(1, etree.fromstring(etree.tostring(root[1])))
    with pytest.raises(Refused, match="2 signatures"):
        verify(root, AUTHN_REQUEST, [rsa_key().private.public_key()])


def test_a_further_signature_deeper_down_is_refused() -> None:
    """A Signature in Extensions is refused, even when the outer one covers it (SEC-10)."""
    inner = etree.tostring(template(GOOD)).decode()
    root = signed_request(rsa_key(), body=f"<samlp:Extensions>{inner}</samlp:Extensions>")
    with pytest.raises(Refused, match="foreign place"):
        verify(root, AUTHN_REQUEST, [rsa_key().private.public_key()])


def test_the_only_signature_must_be_a_direct_child() -> None:
    """A Signature that stands in Extensions only is no signature of the message (SEC-10)."""
    octets = signed_shape(template(GOOD), body="<samlp:Extensions/>")
    root = parse(octets)
    extensions = root[2]
    extensions.append(root[1])
    with pytest.raises(Refused, match="foreign place"):
        verify(root, AUTHN_REQUEST, [rsa_key().private.public_key()])


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('<x xmlns="urn:x" ID="_request"/>', "doubled"),
        ('<x xmlns="urn:x" Id="_request"/>', "doubled"),
        ('<x xmlns="urn:x" id="_request"/>', "foreign kind"),
        ('<x xmlns="urn:x" id="_elsewhere"/>', "foreign kind"),
        ('<x xmlns="urn:x" iD="_elsewhere"/>', "foreign kind"),
        ('<x xmlns="urn:x" xml:id="_request"/>', "foreign kind"),
        ('<x xmlns="urn:x" xmlns:y="urn:y" y:ID="_request"/>', "foreign kind"),
        ('<x xmlns="urn:x" ID="_twice"/><y xmlns="urn:x" Id="_twice"/>', "doubled"),
    ],
    ids=["ID", "Id", "id", "id elsewhere", "iD", "xml:id", "prefixed", "another twice"],
)
def test_identifiers_are_unique_and_look_alikes_refused(body: str, says: str) -> None:
    """A second identifier of the same value, or an attribute that another reader takes for one, is refused (SEC-11)."""
    root = signed_request(rsa_key(), body=f"<samlp:Extensions>{body}</samlp:Extensions>")
    with pytest.raises(Refused, match=says):
        verify(root, AUTHN_REQUEST, [rsa_key().private.public_key()])


def test_an_identifier_outside_the_signed_element_counts() -> None:
    """Identifiers are unique in the document, not only in the element (SEC-11)."""
    inner = etree.tostring(signed_request(rsa_key())).decode()
    root = parse(f'<Envelope xmlns="urn:soap"><Header ID="_request"/><Body>{inner}</Body></Envelope>'.encode())
    with pytest.raises(Refused, match="doubled"):
        verify(root[1][0], AUTHN_REQUEST, [rsa_key().private.public_key()], enclosed=True)


@pytest.mark.parametrize(
    "identifier", ["", "_request)", "a b", "_é", "x" * 257], ids=["empty", "punctuation", "space", "accent", "long"]
)
def test_strange_identifiers_are_refused(identifier: str) -> None:
    """Only plain identifiers are dereferenced (SEC-5)."""
    root = signed_request(rsa_key())
    root.set("ID", identifier)
    with pytest.raises(Refused, match="ID"):
        verify(root, AUTHN_REQUEST, [rsa_key().private.public_key()])


def test_an_element_without_identifier_is_refused() -> None:
    """Without an ID there is nothing to refer to (SEC-10)."""
    root = signed_request(rsa_key())
    del root.attrib["ID"]
    with pytest.raises(Refused, match="ID ''"):
        verify(root, AUTHN_REQUEST, [rsa_key().private.public_key()])


def test_the_expected_element_only() -> None:
    """A right signature on another kind of element is refused: a key may be used for more than one message."""
    with pytest.raises(Refused, match="belongs"):
        verify(signed_request(rsa_key()), "{urn:x}Other", [rsa_key().private.public_key()])


def test_a_message_is_the_root_unless_said_otherwise() -> None:
    """A signed message inside another document is refused, unless the caller unpacked that document (SEC-10)."""
    inner = etree.tostring(signed_request(rsa_key())).decode()
    octets = f'<Body xmlns="urn:soap">{inner}</Body>'.encode()
    with pytest.raises(Refused, match="not the root"):
        verify(parse(octets)[0], AUTHN_REQUEST, [rsa_key().private.public_key()])
    assert verify(parse(octets)[0], AUTHN_REQUEST, [rsa_key().private.public_key()], enclosed=True)


@pytest.mark.parametrize(
    ("name", "inside"),
    [("DigestValue", b"<x/>"), ("SignatureValue", b"<x/>"), ("SignatureValue", b"<!-- x -->")],
    ids=["DigestValue", "SignatureValue", "comment"],
)
def test_values_are_read_whole(name: str, inside: bytes) -> None:
    """An element or a comment inside a value is refused, so that nobody reads half of it (SEC-9)."""
    octets = etree.tostring(signed_request(rsa_key()))
    place = octets.index(f"<ds:{name}>".encode()) + len(name) + 10
    with pytest.raises(Refused) as refused:
        judge(octets[:place] + inside + octets[place:])
    assert refused.value.fault is Fault.SIGNATURE


def test_a_comment_in_signed_info_hides_nothing() -> None:
    """Where comments may stand (metadata), SignedInfo is read from its canonical form, which has none (SEC-9)."""
    octets = etree.tostring(signed_request(rsa_key()))
    place = octets.index(b"<ds:DigestValue>") + 20
    assert judge(octets[:place] + b"<!-- x -->" + octets[place:]) == judge(octets)


@pytest.mark.parametrize("name", ["DigestValue", "SignatureValue"])
@pytest.mark.parametrize(
    "value", ["", "*", "é", "QUJD=QUJD", "QUJDR"], ids=["empty", "star", "accent", "inner", "short"]
)
def test_values_that_are_no_base64_are_refused(name: str, value: str) -> None:
    """Broken base64 is a refusal, not an error (SEC-2)."""
    root = signed_request(rsa_key())
    next(root.iter(f"{{{DS}}}{name}")).text = value
    with pytest.raises(Refused):
        verify(root, AUTHN_REQUEST, [rsa_key().private.public_key()])


def test_no_canonical_form_is_a_refusal() -> None:
    """A relative namespace name has no canonical form: refused, never an empty digest (SEC-11)."""
    octets = etree.tostring(signed_request(rsa_key())).replace(b"</samlp:Auth", b'<x xmlns="relative"/></samlp:Auth')
    with pytest.raises(Refused, match="canonical form") as refused:
        judge(octets)
    assert refused.value.fault is Fault.MALFORMED


def test_what_the_public_hears_is_one_sentence() -> None:
    """The public sentence is the same for every refused signature; details are for the log (SEC-2)."""
    with pytest.raises(Refused) as first:
        judge(authn_request())
    with pytest.raises(Refused) as second:
        judge(signed_shape(template(GOOD + GOOD)))
    assert first.value.public == second.value.public == "The signature of the message is not acceptable."
    assert first.value.detail != second.value.detail


def test_a_detail_stays_a_line() -> None:
    """A refusal quotes what it refuses, but not all of it (SEC-3)."""
    with pytest.raises(Refused) as refused:
        judge(signed_shape(template(GOOD * 20)))
    assert len(str(refused.value)) < 1100
