"""What is asked of us, and what each reading makes of it (domain 3.2, RUL-23 to RUL-26)."""

from dataclasses import dataclass, replace

import pytest

from idp.domain.assurance import Level
from idp.domain.demand import Reading
from idp.domain.parties import Profile
from idp.protocols.message import Answered, BadRequest
from tests.protocol.saml_artifacts import octets_by
from tests.protocol.saml_kit import ATTRIBUTES, Bench, opened, service, status_of
from tests.protocol.saml_messages import (
    ACS,
    ARTIFACT,
    BASE,
    COMPANY_NAME,
    DV,
    FAMILY_NAME,
    FIRST_NAME,
    KVK,
    LOA,
    POST,
    SAML_PROFILES,
    SCHEME,
    SCHEME_METADATA,
    SP,
    TRANSIENT,
    Asking,
    Consumer,
    Published,
)

G, E13, E11 = Profile.GENERIC, Profile.EHERKENNING_113, Profile.EHERKENNING_111
STRICT, LENIENT = Reading.STRICT, Reading.LENIENT
PERSISTENT = TRANSIENT.replace("transient", "persistent")
UNSPECIFIED = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
UNSUPPORTED = ("Requester", "RequestUnsupported")


def levels(comparison: str | None, *classes: str) -> str:
    """A RequestedAuthnContext."""
    compared = "" if comparison is None else f' Comparison="{comparison}"'
    refs = "".join(f"<saml:AuthnContextClassRef>{one}</saml:AuthnContextClassRef>" for one in classes)
    return f"<samlp:RequestedAuthnContext{compared}>{refs}</samlp:RequestedAuthnContext>"


def policy(name_format: str) -> str:
    """A NameIDPolicy."""
    return f'<samlp:NameIDPolicy Format="{name_format}"/>'


def extension(**attributes: bool) -> str:
    """The extension that asks attributes, by the names in ``_NAMES``."""
    asked = "".join(
        f'<md:RequestedAttribute Name="{_NAMES[name]}" isRequired="{str(required).lower()}"/>'
        for name, required in attributes.items()
    )
    return (
        '<samlp:Extensions><ra:RequestedAttributes xmlns:ra="urn:etoegang:1.9:samlp-extension" '
        f'xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">{asked}</ra:RequestedAttributes></samlp:Extensions>'
    )


_NAMES = {
    "family": FAMILY_NAME,
    "first": FIRST_NAME,
    "company": COMPANY_NAME,
    "kvk": KVK,
    "foreign": "urn:etoegang:1.9:attribute:ShoeSize",
}
SUBJECT = "<saml:Subject><saml:NameID>someone</saml:NameID></saml:Subject>"
CONDITIONS = '<saml:Conditions NotOnOrAfter="2026-01-15T11:00:00Z"/>'
AD = "urn:etoegang:AD:00000001888888888001:entities:9102"


def scoping(provider: str) -> str:
    """Scoping to one identity provider."""
    return f'<samlp:Scoping><samlp:IDPList><samlp:IDPEntry ProviderID="{provider}"/></samlp:IDPList></samlp:Scoping>'


def asking(profile: Profile, reading: Reading = LENIENT, **changes: object) -> Asking:
    """A plain request, in the strict form of the scheme where that is spoken."""
    by_the_book = {"AssertionConsumerServiceIndex": "2"} if profile in SCHEME and reading is STRICT else {}
    plain = Asking(profile, by_the_book, issuer=SP if profile is G else DV)
    attributes = by_the_book | dict(changes.pop("attributes", {}))  # type: ignore[call-overload]
    return replace(plain, attributes=attributes, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Row:
    """What is sent, and what becomes of it: nothing wrong, or a code with a status (none: our own page)."""

    name: str
    profiles: tuple[Profile, ...]
    readings: tuple[Reading, ...]
    change: dict[str, object]
    code: str = ""
    status: tuple[str, str | None] | None = None
    relay_state: str | None = None


ALL, BOTH = SAML_PROFILES, (STRICT, LENIENT)
TABLE = (
    Row("plain", ALL, BOTH, {}),
    # Step 5: address, version, clock.
    Row("no destination, strict", ALL, (STRICT,), {"attributes": {"Destination": None}}, "P08", ("Requester", None)),
    Row("no destination, lenient", ALL, (LENIENT,), {"attributes": {"Destination": None}}),
    Row(
        "other destination", ALL, BOTH, {"attributes": {"Destination": f"{BASE}/saml/sso/"}}, "P08", ("Requester", None)
    ),
    Row("future version", (G,), BOTH, {"attributes": {"Version": "2.1"}}, "P10", ("VersionMismatch", None)),
    Row("future version, scheme", SCHEME, BOTH, {"attributes": {"Version": "2.1"}}, "P10", ("Requester", None)),
    Row("too old", ALL, BOTH, {"attributes": {"IssueInstant": "2026-01-15T09:57:39Z"}}, "P04", ("Requester", None)),
    Row("oldest", ALL, BOTH, {"attributes": {"IssueInstant": "2026-01-15T09:57:40Z"}}),
    Row("youngest", ALL, BOTH, {"attributes": {"IssueInstant": "2026-01-15T10:03:40Z"}}),
    Row("too young", ALL, BOTH, {"attributes": {"IssueInstant": "2026-01-15T10:03:41Z"}}, "P04", ("Requester", None)),
    Row("fraction", ALL, BOTH, {"attributes": {"IssueInstant": "2026-01-15T10:00:00.1234567Z"}}),
    Row(
        "zone, strict",
        ALL,
        (STRICT,),
        {"attributes": {"IssueInstant": "2026-01-15T11:00:00+01:00"}},
        "P06",
        UNSUPPORTED,
    ),
    Row("zone, lenient", ALL, (LENIENT,), {"attributes": {"IssueInstant": "2026-01-15T11:00:00+01:00"}}),
    Row("no zone, lenient", ALL, (LENIENT,), {"attributes": {"IssueInstant": "2026-01-15T10:00:00"}}),
    Row("no instant", ALL, BOTH, {"attributes": {"IssueInstant": "2026-01-15T24:00:00Z"}}, "P10"),
    # Step 7: where to answer.
    Row("address", (G,), BOTH, {"attributes": {"AssertionConsumerServiceURL": ACS}}),
    Row(
        "address and binding", (G,), BOTH, {"attributes": {"AssertionConsumerServiceURL": ACS, "ProtocolBinding": POST}}
    ),
    Row("address, lenient scheme", SCHEME, (LENIENT,), {"attributes": {"AssertionConsumerServiceURL": ACS}}),
    Row("other address", ALL, (LENIENT,), {"attributes": {"AssertionConsumerServiceURL": ACS + "/"}}, "P03"),
    Row("upper case", ALL, (LENIENT,), {"attributes": {"AssertionConsumerServiceURL": ACS.upper()}}, "P03"),
    Row("other index", ALL, BOTH, {"attributes": {"AssertionConsumerServiceIndex": "77"}}, "P03"),
    Row(
        "index and address, strict",
        ALL,
        (STRICT,),
        {"attributes": {"AssertionConsumerServiceIndex": "2", "AssertionConsumerServiceURL": ACS}},
        "P03",
    ),
    Row(
        "index and its address, lenient",
        SCHEME,
        (LENIENT,),
        {"attributes": {"AssertionConsumerServiceIndex": "2", "AssertionConsumerServiceURL": ACS}},
    ),
    Row(
        "index and another binding, lenient",
        SCHEME,
        (LENIENT,),
        {"attributes": {"AssertionConsumerServiceIndex": "2", "ProtocolBinding": ARTIFACT}},
        "P03",
    ),
    Row("by artifact", SCHEME, (LENIENT,), {"attributes": {"ProtocolBinding": ARTIFACT}}),
    Row("by artifact, index", SCHEME, BOTH, {"attributes": {"AssertionConsumerServiceIndex": "1"}}),
    Row(
        "no index, strict",
        SCHEME,
        (STRICT,),
        {"attributes": {"AssertionConsumerServiceIndex": None}},
        "P06",
        UNSUPPORTED,
    ),
    # Step 8: passive, NameID, Subject, Scoping.
    Row("passive", (G,), BOTH, {"attributes": {"IsPassive": "true"}}),
    Row(
        "passive, scheme", SCHEME, BOTH, {"attributes": {"IsPassive": "1"}}, "P16", ("Responder", "RequestUnsupported")
    ),
    Row("not passive", ALL, BOTH, {"attributes": {"IsPassive": "false"}}),
    Row("persistent", (G, E11), BOTH, {"body": policy(PERSISTENT)}),
    Row("persistent, 1.13", (E13,), BOTH, {"body": policy(PERSISTENT)}, "P09", UNSUPPORTED),
    Row("transient", ALL, BOTH, {"body": policy(TRANSIENT)}),
    Row("unspecified", (G,), BOTH, {"body": policy(UNSPECIFIED)}),
    Row("unspecified, lenient scheme", SCHEME, (LENIENT,), {"body": policy(UNSPECIFIED)}),
    Row("unspecified, strict scheme", SCHEME, (STRICT,), {"body": policy(UNSPECIFIED)}, "P09", UNSUPPORTED),
    Row("mail", (G,), BOTH, {"body": policy("urn:x:mail")}, "P09", ("Requester", "InvalidNameIDPolicy")),
    Row("mail, scheme", SCHEME, BOTH, {"body": policy("urn:x:mail")}, "P09", UNSUPPORTED),
    Row("own qualifier", (G,), BOTH, {"body": f'<samlp:NameIDPolicy SPNameQualifier="{SP}"/>'}),
    Row(
        "group",
        (G,),
        BOTH,
        {"body": '<samlp:NameIDPolicy SPNameQualifier="https://group.test"/>'},
        "P09",
        ("Requester", "InvalidNameIDPolicy"),
    ),
    Row("subject", ALL, BOTH, {"subject": SUBJECT}, "P06", UNSUPPORTED),
    Row("conditions, strict scheme", SCHEME, (STRICT,), {"body": CONDITIONS}, "P06", UNSUPPORTED),
    Row("conditions", (G,), BOTH, {"body": CONDITIONS}),
    Row("conditions, lenient scheme", SCHEME, (LENIENT,), {"body": CONDITIONS}),
    Row(
        "format of issuer, strict scheme",
        SCHEME,
        (STRICT,),
        {"issuer_attributes": f' Format="{UNSPECIFIED}"'},
        "P06",
        UNSUPPORTED,
    ),
    Row("format of issuer, lenient", ALL, (LENIENT,), {"issuer_attributes": f' Format="{UNSPECIFIED}"'}),
    Row("scoped to us", SCHEME, BOTH, {"body": scoping(AD)}),
    Row("scoped to us, generic", (G,), BOTH, {"body": scoping(f"{BASE}/saml/metadata")}),
    Row("scoped to others", SCHEME, BOTH, {"body": scoping("urn:x")}, "P06", ("Responder", "RequestUnsupported")),
    Row("scoped to others, generic", (G,), BOTH, {"body": scoping("urn:x")}, "P06", ("Responder", "NoSupportedIDP")),
    # Step 9: the service.
    Row("second service", ALL, BOTH, {"attributes": {"AttributeConsumingServiceIndex": "2"}}),
    Row("many zeros", ALL, BOTH, {"attributes": {"AttributeConsumingServiceIndex": "0" * 5000 + "2"}}),
    Row("no such service", ALL, BOTH, {"attributes": {"AttributeConsumingServiceIndex": "3"}}, "P15", UNSUPPORTED),
    # Step 10: the level; the service asks EH3.
    Row("minimum", ALL, BOTH, {"body": levels("minimum", LOA + "3")}),
    Row("lower minimum", ALL, BOTH, {"body": levels("minimum", LOA + "2")}),
    Row(
        "higher minimum, strict",
        (G,),
        (STRICT,),
        {"body": levels("minimum", LOA + "4")},
        "P07",
        ("Requester", "NoAuthnContext"),
    ),
    Row("higher minimum, strict scheme", SCHEME, (STRICT,), {"body": levels("minimum", LOA + "4")}, "P07", UNSUPPORTED),
    Row("higher minimum, lenient", ALL, (LENIENT,), {"body": levels("minimum", LOA + "4")}),
    Row("no comparison, strict scheme", SCHEME, (STRICT,), {"body": levels(None, LOA + "3")}, "P07", UNSUPPORTED),
    Row("no comparison, lenient scheme", SCHEME, (LENIENT,), {"body": levels(None, LOA + "3")}),
    Row(
        "no comparison means exact",
        (G,),
        BOTH,
        {"body": levels(None, LOA + "2")},
        "P07",
        ("Requester", "NoAuthnContext"),
    ),
    Row("exact, scheme", SCHEME, BOTH, {"body": levels("exact", LOA + "3")}, "P07", UNSUPPORTED),
    Row("better, scheme", SCHEME, BOTH, {"body": levels("better", LOA + "2")}, "P07", UNSUPPORTED),
    Row("maximum, scheme", SCHEME, BOTH, {"body": levels("maximum", LOA + "4")}, "P07", UNSUPPORTED),
    Row(
        "two classes, strict scheme",
        SCHEME,
        (STRICT,),
        {"body": levels("minimum", LOA + "2", LOA + "3")},
        "P07",
        UNSUPPORTED,
    ),
    Row("two classes, lenient scheme", SCHEME, (LENIENT,), {"body": levels("minimum", LOA + "2", LOA + "3")}),
    Row("unknown class", (G,), BOTH, {"body": levels("minimum", LOA + "9")}, "P07", ("Requester", "NoAuthnContext")),
    Row("unknown class, scheme", SCHEME, BOTH, {"body": levels("minimum", LOA + "9")}, "P07", UNSUPPORTED),
    Row("one class known, lenient", ALL, (LENIENT,), {"body": levels("minimum", LOA + "9", LOA + "3")}),
    Row(
        "one class known, strict",
        (G,),
        (STRICT,),
        {"body": levels("minimum", LOA + "9", LOA + "3")},
        "P07",
        ("Requester", "NoAuthnContext"),
    ),
    Row(
        "one class known, better",
        (G,),
        BOTH,
        {"body": levels("better", LOA + "9", LOA + "2")},
        "P07",
        ("Requester", "NoAuthnContext"),
    ),
    Row("eIDAS", (G,), BOTH, {"body": levels("minimum", "http://eidas.europa.eu/LoA/substantial")}),
    Row(
        "eIDAS, scheme", SCHEME, BOTH, {"body": levels("minimum", "http://eidas.europa.eu/LoA/low")}, "P07", UNSUPPORTED
    ),
    Row(
        "password class, lenient",
        (G,),
        (LENIENT,),
        {"body": levels("exact", "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport")},
    ),
    Row(
        "password class, strict",
        (G,),
        (STRICT,),
        {"body": levels("exact", "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport")},
        "P07",
        ("Requester", "NoAuthnContext"),
    ),
    Row(
        "declaration",
        (G,),
        BOTH,
        {
            "body": "<samlp:RequestedAuthnContext><saml:AuthnContextDeclRef>urn:x</saml:AuthnContextDeclRef>"
            "</samlp:RequestedAuthnContext>"
        },
        "P07",
        ("Requester", "NoAuthnContext"),
    ),
    # Step 11: attributes.
    Row("declared attribute", ALL, BOTH, {"extensions": extension(family=True)}),
    Row("undeclared optional", ALL, BOTH, {"extensions": extension(foreign=False)}),
    Row(
        "undeclared required",
        ALL,
        BOTH,
        {"extensions": extension(foreign=True)},
        "P15",
        ("Responder", "RequestUnsupported"),
    ),
    Row(
        "identifying, strict",
        ALL,
        (STRICT,),
        {"extensions": extension(kvk=False)},
        "P15",
        ("Responder", "RequestUnsupported"),
    ),
    Row("identifying, lenient", ALL, (LENIENT,), {"extensions": extension(kvk=True)}),
    Row("company name", ALL, BOTH, {"extensions": extension(company=True)}),
    Row("foreign extension", ALL, BOTH, {"extensions": '<samlp:Extensions><x xmlns="urn:x"/></samlp:Extensions>'}),
    # RelayState (G-2, RC-8).
    Row("empty relay state", ALL, BOTH, {}, relay_state=""),
    Row("80 octets", ALL, BOTH, {}, relay_state="€" * 26 + "xx"),
    Row("81 octets, strict", ALL, (STRICT,), {}, "P10", relay_state="€" * 27),
    Row("81 octets, lenient", ALL, (LENIENT,), {}, relay_state="€" * 27),
    Row("1025 octets", ALL, BOTH, {}, "P10", relay_state="x" * 1025),
)
CELLS = [
    pytest.param(row, profile, reading, id=f"{row.name}-{profile.value}-{reading.value}")
    for row in TABLE
    for profile in row.profiles
    for reading in row.readings
]


@pytest.mark.parametrize(("row", "profile", "reading"), CELLS)
def test_a_reading_makes_of_a_request(row: Row, profile: Profile, reading: Reading, bench: Bench) -> None:
    """A request is taken, answered with the status of the profile, or shown our own page, by POST and by Redirect."""
    services = (service(1, attributes=ATTRIBUTES), service(2, Level.EH2PLUS))
    published = SCHEME_METADATA if profile in SCHEME else Published(consumers=(Consumer(), Consumer(2)))
    bench.register(published, profile, services, reading=reading)
    sent = asking(profile, reading, **row.change)
    for place, message in enumerate((sent.posted(row.relay_state), sent.redirected(row.relay_state))):
        if not row.code:
            incoming = bench.read(message)
            assert incoming.asked.reply.get("relay_state") == row.relay_state
        elif row.status is None:
            with pytest.raises(BadRequest) as refused:
                bench.read(message)
            assert refused.value.code == row.code
        else:
            with pytest.raises((Answered, BadRequest)) as answered:
                bench.read(message)
            if place == 1 and answered.value.code == "P05":
                continue  # The same request again, as a replay: it is not answered twice (RUL-25).
            assert answered.value.code == row.code
            root = opened(octets_by(bench, answered.value.answer, profile))
            assert status_of(root)[:2] == row.status
            assert root.get("InResponseTo") == "_req1"
