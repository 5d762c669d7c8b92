"""Messages that are never answered to their sender: each has its code, none gets further (RUL-25, SEC-1 to SEC-15)."""

import zlib
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

import pytest

from idp.domain.demand import Reading
from idp.domain.parties import Profile
from idp.protocols.message import BadRequest, HttpMessage
from idp.protocols.saml.xmlsec.signing import Signatory, sign
from idp.protocols.saml.xmlsec.xml import SAML, SAMLP, parse, serialise
from tests.protocol.saml_kit import Bench
from tests.protocol.saml_messages import ACS, DV, SCHEME_METADATA, SP, SSO, Asking, Published, fixed_key, form

STRICT, LENIENT = Reading.STRICT, Reading.LENIENT


def posted(octets: bytes) -> HttpMessage:
    """XML by POST."""
    return form({"SAMLRequest": b64encode(octets).decode()})


def deflated(octets: bytes) -> bytes:
    """Raw DEFLATE."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(octets) + packer.flush()


def query(text: str) -> HttpMessage:
    """A redirect."""
    return HttpMessage("GET", "/saml/sso", query=text.encode())


def refused(bench: Bench, message: HttpMessage) -> BadRequest:
    """Why a message is refused; any other outcome fails the test."""
    with pytest.raises(BadRequest) as caught:
        bench.read(message)
    return caught.value


SIGNED = Asking().xml()
PLAIN = Asking(key=None).text()
ENTITY = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
BILLION = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
NOT_READ: dict[str, HttpMessage] = {
    "no field": form({}),
    "two requests": replace(form({}), body=b"SAMLRequest=YQ==&SAMLRequest=YQ=="),
    "two relay states": replace(
        form({}), body=b"SAMLRequest=" + quote(b64encode(SIGNED)).encode() + b"&RelayState=a&RelayState=b"
    ),
    "request and response": form({"SAMLRequest": b64encode(SIGNED).decode(), "SAMLResponse": "YQ=="}),
    "response": form({"SAMLResponse": b64encode(SIGNED).decode()}),
    "many fields": replace(form({}), body=b"&".join(b"a%d=1" % number for number in range(99))),
    "bytes beyond ASCII": replace(form({}), body=b"SAMLRequest=\xff"),
    "bad UTF-8": replace(form({}), body=b"SAMLRequest=YQ==&RelayState=%ff"),
    "multipart": replace(posted(SIGNED), content_type="multipart/form-data; boundary=x"),
    "json": replace(posted(SIGNED), content_type="application/json"),
    "no type": replace(posted(SIGNED), content_type=""),
    "large body": replace(form({}), body=b"SAMLRequest=" + b"A" * 1024 * 1024),
    "not base64": form({"SAMLRequest": "<xml/>"}),
    "empty": form({"SAMLRequest": ""}),
    "not XML": posted(b"\x00\x01\x02"),
    "bomb by POST": posted(deflated(b" " * 10_000_000)),
    "large": posted(b"<a>" + b" " * 300_000 + b"</a>"),
    "entity": posted((ENTITY + PLAIN).encode()),
    "billion laughs": posted((BILLION + PLAIN).encode()),
    "comment": posted(PLAIN.replace(SP, SP.replace("sp", "<!-- -->sp")).encode()),
    "instruction": posted(PLAIN.replace("<saml:Issuer>", "<?x y?><saml:Issuer>").encode()),
    "UTF-16": posted(PLAIN.encode("utf-16")),
    "torn": posted(SIGNED[:-20]),
    "deep": posted(PLAIN.replace("</saml:Issuer>", "</saml:Issuer>" + "<samlp:Extensions>" * 99).encode()),
    "schema": posted(PLAIN.replace('ID="_req1"', "").encode()),
    "unknown attribute": posted(PLAIN.replace('ID="_req1"', 'ID="_req1" Colour="red"').encode()),
    "index beyond its type": posted(Asking(attributes={"AttributeConsumingServiceIndex": "99999"}).xml()),
    "negative index": posted(Asking(attributes={"AssertionConsumerServiceIndex": "-1"}).xml()),
    "no issuer": posted(PLAIN.replace(f"<saml:Issuer>{SP}</saml:Issuer>", "").encode()),
    "empty issuer": posted(PLAIN.replace(SP, "").encode()),
    "long issuer": posted(PLAIN.replace(SP, "x" * 2000).encode()),
    "another message": posted(
        f'<samlp:LogoutRequest xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}" ID="_1" Version="2.0" '
        f'IssueInstant="2026-01-15T10:00:00Z"><saml:Issuer>{SP}</saml:Issuer><saml:NameID>x</saml:NameID>'
        "</samlp:LogoutRequest>".encode()
    ),
    "no query": query(""),
    "query without request": query("RelayState=x"),
    "two in the query": query("SAMLRequest=a&SAMLRequest=b"),
    "disguised": query("SAML%52equest=a"),
    "bomb by Redirect": query("SAMLRequest=" + quote(b64encode(deflated(b" " * 10_000_000)))),
    "not deflated": query("SAMLRequest=" + quote(b64encode(SIGNED))),
    "trailing octets": query("SAMLRequest=" + quote(b64encode(deflated(PLAIN.encode()) + b"x"))),
    "bad escape": query("SAMLRequest=%zz"),
    "response by Redirect": query("SAMLResponse=" + quote(b64encode(deflated(PLAIN.encode())))),
}


@pytest.mark.parametrize("name", NOT_READ)
def test_what_is_no_request_is_p10(name: str, bench: Bench) -> None:
    """Whatever is not one well-formed, valid, bounded AuthnRequest is refused with P10 before any key is looked at."""
    bench.register()
    assert refused(bench, NOT_READ[name]).code == "P10"


TWICE = "SAMLart=AAQ%3D&SAMLart=AAQ%3D"


@pytest.mark.parametrize("message", [query(TWICE), query("SAMLart=AAQ%3D&SAMLRequest=AA"), query("x=SAMLart=AAQ%3D")])
def test_an_artifact_stands_alone(message: HttpMessage, bench: Bench) -> None:
    """Two artifacts, an artifact beside a message, or one inside another field are no request (SEC-4)."""
    assert refused(bench, message).code == "P10"


@pytest.mark.parametrize("issuer", [DV, SP.upper(), SP + "/", "https://sp.example.test"])
def test_an_unknown_sender_is_p01(issuer: str, bench: Bench) -> None:
    """An Issuer that is not registered, to the letter, is refused and told which one was received."""
    bench.register()
    error = refused(bench, Asking(issuer=issuer).posted())
    assert (error.code, error.facts["received"]) == ("P01", issuer)


def forged(asking: Asking) -> HttpMessage:
    """A request whose text was changed after it was signed."""
    return posted(asking.xml().replace(b"_req1", b"_req2"))


def moved(asking: Asking) -> HttpMessage:
    """A signature that stands at the end of the request."""
    root = parse(replace(asking, body="<samlp:NameIDPolicy/>").xml())
    root.append(root[1])
    return posted(serialise(root))


def wrapped(asking: Asking) -> HttpMessage:
    """The signed request inside another one that claims something else."""
    outer = parse(replace(asking, attributes={"ID": "_outer"}, key=None).text().encode())
    inner = parse(asking.xml())
    signature = inner[1]
    inner.remove(signature)
    outer.insert(1, signature)
    box = outer.makeelement(f"{{{SAMLP}}}Extensions")
    box.append(outer.makeelement("{urn:x}box"))
    box[0].append(inner)
    outer.insert(2, box)
    return posted(serialise(outer))


def twice(asking: Asking) -> HttpMessage:
    """Two signatures, the second of a foreign key."""
    root = parse(replace(asking, key=None).text().encode())
    sign(root, Signatory(fixed_key("own-encryption")))
    other = parse(asking.xml())
    root.insert(2, other[1])
    return posted(serialise(root))


def cut(asking: Asking) -> HttpMessage:
    """A redirect whose signature is left out."""
    message = asking.redirected("x")
    return replace(message, query=message.query.partition(b"&Signature=")[0])


def relabelled(asking: Asking) -> HttpMessage:
    """A redirect with another RelayState than was signed."""
    message = asking.redirected("x")
    return replace(message, query=message.query.replace(b"RelayState=x", b"RelayState=y"))


def weakened(asking: Asking) -> HttpMessage:
    """A redirect that says it is signed with SHA-1."""
    message = asking.redirected("x")
    return replace(message, query=message.query.replace(b"xmldsig-more%23rsa-sha256", b"xmldsig%23rsa-sha1"))


def both(asking: Asking) -> HttpMessage:
    """A redirect whose message has a signature inside as well."""
    message = quote(b64encode(deflated(asking.xml())))
    return query(f"SAMLRequest={message}")


BAD: dict[str, Callable[[Asking], HttpMessage]] = {
    "unsigned": lambda asking: replace(asking, key=None).posted(),
    "unsigned redirect": lambda asking: replace(asking, key=None).redirected(),
    "foreign key": lambda asking: replace(asking, key="own-encryption").posted(),
    "foreign key, redirect": lambda asking: replace(asking, key="own-encryption").redirected(),
    "forged": forged,
    "moved": moved,
    "wrapped": wrapped,
    "twice": twice,
    "cut": cut,
    "relabelled": relabelled,
    "weakened": weakened,
    "both": both,
}
# The schema knows one place for one signature, so these are refused before their keys are looked at.
INVALID = {"moved", "twice"}


@pytest.mark.parametrize("reading", [STRICT, LENIENT])
@pytest.mark.parametrize("name", BAD)
def test_a_bad_signature_is_p02(name: str, reading: Reading, bench: Bench) -> None:
    """A signature that is missing, wrong, misplaced or weak is refused with P02 in both readings (SEC-10, SEC-15)."""
    bench.register(reading=reading)
    error = refused(bench, BAD[name](Asking()))
    assert error.code == ("P10" if name in INVALID else "P02")


@pytest.mark.parametrize("name", [name for name in BAD if not name.startswith("unsigned")])
def test_a_waiver_waives_no_bad_signature(name: str, bench: Bench) -> None:
    """Where signatures are waived, a signature that is there must still be right (RUL-23)."""
    bench.register(require_signed_requests=False)
    assert refused(bench, BAD[name](Asking())).code == ("P10" if name in INVALID else "P02")


@pytest.mark.parametrize("message", [Asking(key=None).posted(), Asking(key=None).redirected("rs")])
def test_a_waiver_lets_unsigned_requests_pass(message: HttpMessage, bench: Bench) -> None:
    """A generic party without a key is taken when its operator waived signatures (RUL-23)."""
    bench.register(Published(signing=()), require_signed_requests=False)
    assert bench.read(message).asked.reply["request"] == "_req1"


def test_the_scheme_knows_no_waiver(bench: Bench) -> None:
    """In eHerkenning every message is signed, whatever the setting says (SIG-1)."""
    bench.register(SCHEME_METADATA, Profile.EHERKENNING_113, require_signed_requests=False)
    unsigned = Asking(Profile.EHERKENNING_113, issuer=DV, key=None)
    assert refused(bench, unsigned.posted()).code == "P02"
    assert refused(bench, unsigned.redirected()).code == "P02"


def test_a_deflated_post_is_for_the_lenient_reading(bench: Bench) -> None:
    """Some clients deflate what they POST: lenient takes it, strict does not (RC-6)."""
    message = form({"SAMLRequest": b64encode(deflated(SIGNED)).decode()}, "rs")
    bench.register(reading=LENIENT)
    assert bench.read(message).asked.reply["relay_state"] == "rs"
    bench.register(reading=STRICT)
    assert refused(bench, message).code == "P10"


@pytest.mark.parametrize("lower", [False, True])
def test_redirect_signatures_cover_the_octets_as_they_came(lower: bool, bench: Bench) -> None:
    """Upper- and lower-case percent-encoding are both right when they are what was signed, and only then (SEC-15)."""
    bench.register()
    key = fixed_key("sp")
    encode = (lambda text: _lower(quote(text, safe=""))) if lower else (lambda text: quote(text, safe=""))
    method = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
    signed = "&".join(
        f"{name}={encode(value)}"
        for name, value in (
            ("SAMLRequest", b64encode(deflated(PLAIN.encode())).decode()),
            ("RelayState", "a/b?c=d&e=f+g"),
            ("SigAlg", method),
        )
    )
    signature = encode(b64encode(key.sign("rsa-sha256", signed.encode())).decode())
    found = bench.read(query(f"{signed}&Signature={signature}"))
    assert found.asked.reply["relay_state"] == "a/b?c=d&e=f+g"
    other = signed.replace("%2f", "%2F") if lower else signed.replace("%2F", "%2f")
    assert refused(bench, query(f"{other}&Signature={signature}")).code == "P02"


def _lower(text: str) -> str:
    first, *rest = text.split("%")
    return "".join([first, *(f"%{part[:2].lower()}{part[2:]}" for part in rest)])


def test_expired_metadata_are_p14_for_the_strict_reading(bench: Bench) -> None:
    """Metadata past their validUntil are not used where the letter counts."""
    published = Published(attributes='validUntil="2026-01-15T09:00:00Z"')
    bench.register(published, reading=STRICT)
    assert refused(bench, Asking().posted()).code == "P14"
    bench.register(published, reading=LENIENT)
    assert bench.read(Asking().posted()).asked.reply["location"] == ACS


def test_metadata_that_cannot_be_read_are_p14(bench: Bench) -> None:
    """A stored document that no longer parses is our fault to mend, and no fault page of the server."""
    party = bench.register()
    for document in ("<broken", "<a/>", "not xml"):
        bench.shelf.parties[SP] = replace(party, document=document)
        assert refused(bench, Asking().posted()).code == "P14"


def test_nothing_secret_is_told(bench: Bench) -> None:
    """The facts of a refusal hold public things alone; what went wrong inside is for the log (SEC-2)."""
    bench.register()
    error = refused(bench, forged(Asking()))
    assert error.private.startswith("the digest") or "keys made this" in error.private
    assert set(error.facts) == {"problem", "field", "expected", "received"}
    assert SSO[Profile.GENERIC] not in str(error.facts)
