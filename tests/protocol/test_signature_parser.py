"""The parser: what it refuses before anybody reads a message."""

import time
from collections import Counter
from random import Random
from threading import Thread

import pytest

from idp.protocols.saml.xmlsec.algorithms import SignatureMethod
from idp.protocols.saml.xmlsec.refusal import Fault, Refused
from idp.protocols.saml.xmlsec.signature import verify
from idp.protocols.saml.xmlsec.xml import (
    DEPTH,
    MESSAGE,
    METADATA,
    SAMLP,
    Limits,
    Schemas,
    canonical,
    decode_base64,
    parse,
    serialise,
)
from tests.protocol.xml_kit import AUTHN_REQUEST, authn_request, curve_key, rsa_key, signed_request

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))

FORBIDDEN = {
    "document type": b"<!DOCTYPE a><a/>",
    "document type with subset": b"<!DOCTYPE a [<!ELEMENT a ANY>]><a/>",
    "external subset": b'<!DOCTYPE a SYSTEM "http://evil.test/a.dtd"><a/>',
    "internal entity": b'<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>',
    "external entity": b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]><a>&e;</a>',
    "parameter entity": b'<!DOCTYPE a [<!ENTITY % e SYSTEM "http://evil.test/">%e;]><a/>',
    "billion laughs": f'<!DOCTYPE a [<!ENTITY l0 "ha">{LAUGHS}]><a>&l9;</a>'.encode(),
    "default attribute": b'<!DOCTYPE a [<!ATTLIST a ID CDATA "_x">]><a/>',
    "document type after a comment": b"<!-- --><!DOCTYPE a><a/>",
    "comment": b"<a><!-- c --></a>",
    "comment before": b"<!-- c --><a/>",
    "comment behind": b"<a/><!-- c -->",
    "instruction": b"<a><?php x?></a>",
    "instruction before": b'<?xml-stylesheet href="x"?><a/>',
    "instruction behind": b'<?xml version="1.0"?><a/><?x?>',
    "other encoding": b'<?xml version="1.0" encoding="ISO-8859-1"?><a>\xc3\xa9</a>',
    "UTF-16 by name": b'<?xml version="1.0" encoding="UTF-16"?><a/>',
    "UTF-7 by name": b'<?xml version="1.0" encoding="UTF-7"?><a/>',
    "XML 1.1": b'<?xml version="1.1"?><a/>',
    "no version": b'<?xml encoding="utf-8"?><a/>',
}

MALFORMED = {
    "nothing": b"",
    "spaces": b"  ",
    "text": b"hello",
    "unclosed": b"<a>",
    "two roots": b"<a/><b/>",
    "trailing text": b"<a/>x",
    "undeclared prefix": b"<a:b/>",
    "undefined entity": b"<a>&nbsp;</a>",
    "double attribute": b'<a b="1" b="2"/>',
    "double attribute by namespace": b'<a xmlns:x="urn:u" xmlns:y="urn:u" x:b="1" y:b="2"/>',
    "NUL": b"<a>\0</a>",
    "control character": b"<a>&#x1;</a>",
    "not UTF-8": b"<a>\xff</a>",
    "overlong UTF-8": b"<a>\xc0\xbc</a>",
    "surrogates": b"<a>\xed\xa0\x80</a>",
    "UTF-16": "<a/>".encode("utf-16"),
    "UTF-16 without mark": "<a/>".encode("utf-16-le"),
    "late declaration": b' <?xml version="1.0"?><a/>',
    "reserved prefix": b'<a xmlns:xml="urn:x"/>',
}

TOO_LARGE = {
    "octets": b"<a>" + b"x" * MESSAGE.octets + b"</a>",
    "depth": b"<a>" * (DEPTH + 1) + b"</a>" * (DEPTH + 1),
    "great depth": b"<a>" * 20_000 + b"</a>" * 20_000,
    "elements": b"<a>" + b"<b/>" * MESSAGE.nodes + b"</a>",
    "attributes": b"<a " + b" ".join(b'b%d="1"' % n for n in range(MESSAGE.nodes)) + b"/>",
    "long namespace": b'<a xmlns:x="urn:' + b"x" * 300 + b'"/>',
    "long default namespace": b"<a xmlns = 'urn:" + b"x" * 300 + b"'/>",
    "long prefix": b"<a xmlns:" + b"x" * 120 + b'="urn:x"/>',
    "long namespace after a line break": b"<a\nxmlns:x\n=\n'urn:" + b"x" * 300 + b"'/>",
    "far equals sign": b"<a xmlns:x" + b" " * 120 + b'="urn:x"/>',
}


@pytest.mark.parametrize("octets", FORBIDDEN.values(), ids=FORBIDDEN.keys())
def test_forbidden_markup(octets: bytes) -> None:
    """DTDs, entities, comments, instructions, other encodings and versions are refused by name (SEC-9)."""
    with pytest.raises(Refused) as refused:
        parse(octets)
    assert refused.value.fault is Fault.FORBIDDEN


@pytest.mark.parametrize("octets", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed(octets: bytes) -> None:
    """What is no XML in UTF-8 is refused, never an error of ours (SEC-2)."""
    with pytest.raises(Refused) as refused:
        parse(octets)
    assert refused.value.fault in (Fault.MALFORMED, Fault.FORBIDDEN)


@pytest.mark.parametrize("octets", TOO_LARGE.values(), ids=TOO_LARGE.keys())
def test_too_large(octets: bytes) -> None:
    """Octets, depth, elements with attributes, and namespace declarations are bounded (SEC-3)."""
    with pytest.raises(Refused) as refused:
        parse(octets)
    assert refused.value.fault in (Fault.TOO_LARGE, Fault.MALFORMED)


def test_the_bounds_are_where_they_say() -> None:
    """What just fits is accepted."""
    assert parse(b"<a>" * DEPTH + b"</a>" * DEPTH).tag == "a"
    assert len(parse(b"<a>" + b"<b/>" * (MESSAGE.nodes - 1) + b"</a>")) == MESSAGE.nodes - 1
    assert parse(b"<a>" + b"x" * (MESSAGE.octets - 7) + b"</a>").tag == "a"
    with pytest.raises(Refused, match="8 octets"):
        parse(b"<a>x</a>", Limits(octets=7))


def test_metadata_may_have_comments() -> None:
    """Comments pass where the limits say so, and nothing else does."""
    assert parse(b"<a><!-- c --><b/></a>", METADATA).find("b") is not None
    for name in ("comment", "comment before", "comment behind"):
        parse(FORBIDDEN[name], METADATA)
    for name in ("document type", "instruction", "external entity", "document type after a comment"):
        with pytest.raises(Refused):
            parse(FORBIDDEN[name], METADATA)


@pytest.mark.parametrize(
    "octets",
    [
        b'<?xml version="1.0" encoding="UTF-8"?>\n<a>\xc3\xa9</a>',
        b"<?xml version='1.0' encoding='utf-8' standalone='yes' ?><a>\xc3\xa9</a>",
        b"\xef\xbb\xbf<a>\xc3\xa9</a>",
        b'\xef\xbb\xbf<?xml version="1.0"?><a>\xc3\xa9</a>',
        b"<a>&#xE9;</a>",
        b"<a><![CDATA[\xc3\xa9]]></a>",
    ],
    ids=["declared", "single quotes", "mark", "mark and declaration", "reference", "CDATA"],
)
def test_the_ways_of_writing_utf8(octets: bytes) -> None:
    """A declaration, a byte order mark, references and CDATA are read as the same text."""
    assert parse(octets).text == "é"


def test_xinclude_is_not_performed() -> None:
    """An include is an element like any other; nothing is fetched (SEC-9)."""
    root = parse(b'<a><x:include xmlns:x="http://www.w3.org/2001/XInclude" href="/etc/hostname" parse="text"/></a>')
    assert serialise(root) == canonical(root).replace(b"></x:include>", b"/>")


def test_a_canonical_form_cannot_explode() -> None:
    """The largest document that passes has a canonical form of a few megabytes at most (SEC-3)."""
    declarations = " ".join(f'xmlns:n{n}="urn:{"x" * 240}{n}"' for n in range(40))
    children = "".join(f"<n{n % 40}:e/>" for n in range(MESSAGE.nodes - 1))
    assert len(canonical(parse(f"<a {declarations}>{children}</a>".encode()))) < 4_000_000


def test_text_that_looks_like_a_declaration_is_text() -> None:
    """Base64 may contain any word: only declarations are bounded."""
    for text in ("xmlns" + "A" * 300, " " + "A" * 59 + "xmlns" + "A" * 300, "\nxmlns" + "A" * 300):
        assert parse(f"<a>{text}</a>".encode()).text == text


@pytest.mark.parametrize("unit", [b"xmlns:", b"xmlns", b"<!", b"<?xml ", b"<a ", b'<a b="', b"&#1;", b"<a xmlns:a='"])
def test_hostile_repetition_costs_little(unit: bytes) -> None:
    """Scanning and parsing stay linear on repeated openings (SEC-3)."""
    octets = (b"<a>" + unit * MESSAGE.octets)[: MESSAGE.octets]
    start = time.process_time()
    with pytest.raises(Refused):
        parse(octets)
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("text", "octets"),
    [("QUJD", b"ABC"), (" QU\n\tJD\r ", b"ABC"), ("", b""), (None, b"")],
    ids=["plain", "white", "empty", "none"],
)
def test_base64(text: str | None, octets: bytes) -> None:
    """White space in base64 is dropped."""
    assert decode_base64(text) == octets


@pytest.mark.parametrize("text", ["QUJ", "QUJD*", "QU\u00a0JD", "QU-_", "QUJD====", "é", "=QUJ"])
def test_bad_base64(text: str) -> None:
    """Anything else in base64 is refused."""
    with pytest.raises(Refused):
        decode_base64(text)


REQUEST_BODY = (
    '<samlp:NameIDPolicy AllowCreate="true"/><samlp:RequestedAuthnContext Comparison="minimum">'
    "<saml:AuthnContextClassRef>urn:etoegang:core:assurance-class:loa3</saml:AuthnContextClassRef>"
    "</samlp:RequestedAuthnContext>"
)


@pytest.fixture(scope="module")
def schemas() -> Schemas:
    return Schemas.load()


def test_a_valid_request_passes_the_schema(schemas: Schemas) -> None:
    """Signed or not, a right request is schema-valid, and validation changes nothing (SEC-11)."""
    root = signed_request(rsa_key())
    before = serialise(root)
    schemas.validate(root)
    assert serialise(root) == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b' Version="2.0"', b""),
        (b' Version="2.0"', b' Version="2.0" foreign="1"'),
        (b"2026-01-01T00:00:00Z", b"yesterday"),
        (b"</samlp:AuthnRequest>", b"<saml:Issuer>x</saml:Issuer></samlp:AuthnRequest>"),
        (b'ID="_request"', b'ID="1"'),
        (b"samlp:AuthnRequest", b"samlp:NoRequest"),
        (SAMLP.encode(), b"urn:oasis:names:tc:SAML:1.0:protocol"),
    ],
    ids=["missing", "foreign attribute", "no instant", "double issuer", "bad ID", "no such element", "old SAML"],
)
def test_invalid_requests_do_not(schemas: Schemas, old: bytes, new: bytes) -> None:
    """What the schema forbids is refused with a reason for the log (SEC-11)."""
    with pytest.raises(Refused, match="line 1") as refused:
        schemas.validate(parse(authn_request().replace(old, new)))
    assert refused.value.fault is Fault.SCHEMA


def test_schemas_are_safe_in_threads(schemas: Schemas) -> None:
    """Many threads with good and bad messages each get their own verdict."""
    good, bad = authn_request(), authn_request().replace(b' Version="2.0"', b"")
    wrong: list[str] = []

    def judge(octets: bytes, valid: bool) -> None:
        for _ in range(300):
            try:
                schemas.validate(parse(octets))
                accepted = True
            except Refused as refused:
                accepted = False
                if "Version" not in refused.detail:
                    wrong.append(refused.detail)
            if accepted is not valid:
                wrong.append(f"{valid}")

    threads = [Thread(target=judge, args=pair) for pair in ((good, True), (bad, False)) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_no_message_is_an_error(schemas: Schemas) -> None:
    """Of a thousand damaged messages each is refused, or says what was signed; none is an error of ours (SEC-2)."""
    random = Random(1)
    signed = serialise(signed_request(curve_key(), method=SignatureMethod.ECDSA_SHA256, body=REQUEST_BODY))
    honest = verify(parse(signed), AUTHN_REQUEST, [curve_key().private.public_key()])
    faults: Counter[str] = Counter()
    for _ in range(1_000):
        damaged = bytearray(signed)
        for _ in range(random.randint(1, 3)):
            start = random.randrange(len(damaged))
            end = start + random.choice((0, 1, 1, 2, 40))
            damaged[start:end] = random.choice(
                (b"", random.randbytes(1), b"<", b'"', b"&", bytes(damaged[start:end]) * 2)
            )
        try:
            root = parse(bytes(damaged))
            schemas.validate(root)
            assert verify(root, AUTHN_REQUEST, [curve_key().private.public_key()]) == honest
        except Refused as refused:
            faults[refused.fault] += 1
    assert faults[Fault.MALFORMED] > 100
    assert faults[Fault.SCHEMA] > 5
    assert faults[Fault.SIGNATURE] > 5


def test_soap_and_metadata_are_known(schemas: Schemas) -> None:
    """The schemas of SOAP and metadata are there too."""
    schemas.validate(
        parse(
            b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
            + authn_request()
            + b"</s:Body></s:Envelope>"
        )
    )
    with pytest.raises(Refused, match="entityID"):
        schemas.validate(parse(b'<m:EntityDescriptor xmlns:m="urn:oasis:names:tc:SAML:2.0:metadata"/>'))
