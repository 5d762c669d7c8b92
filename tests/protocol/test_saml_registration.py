"""Metadata of relying parties: what may be registered, and what is to be mended first (domain 6.1)."""

from base64 import b64decode, b64encode
from dataclasses import replace
from datetime import timedelta

import pytest

from idp.domain.demand import Reading
from idp.domain.parties import Profile
from idp.protocols.saml.metadata.registration import Accepted, BadMetadata, Finding, Manner, judge
from idp.protocols.saml.metadata.sp_metadata import place_services
from tests.protocol.saml_kit import T0, schemas, service
from tests.protocol.saml_messages import (
    ACS,
    ARTIFACT,
    DV,
    KVK,
    OIN,
    PAOS,
    POST,
    REDIRECT,
    SCHEME_METADATA,
    SP,
    TRANSIENT,
    Consumer,
    Published,
    attribute_service,
    fixed_key,
)

G, E13, E11 = Profile.GENERIC, Profile.EHERKENNING_113, Profile.EHERKENNING_111
STRICT, LENIENT = Reading.STRICT, Reading.LENIENT
BY_THE_BOOK = replace(SCHEME_METADATA, consumers=(Consumer(1), Consumer(2, ARTIFACT)))
SECOND = f"urn:etoegang:DV:{OIN}:services:2"


def accepted(octets: bytes | Published, profile: Profile = G, reading: Reading = LENIENT, days: int = 0) -> Accepted:
    """What comes of metadata that may be registered."""
    document = octets.xml() if isinstance(octets, Published) else octets
    return judge(document, Manner(profile, reading, T0 + timedelta(days=days)), schemas())


def findings(octets: bytes | Published, *manner: object) -> tuple[Finding, ...]:
    """What is to be mended before metadata may be registered."""
    with pytest.raises(BadMetadata) as caught:
        accepted(octets, *manner)  # type: ignore[arg-type]
    return caught.value.findings


@pytest.mark.parametrize("profile", [G, E13, E11])
@pytest.mark.parametrize("reading", [STRICT, LENIENT])
def test_metadata_by_the_book_pass(profile: Profile, reading: Reading) -> None:
    """Signed metadata with everything the scheme asks pass in every profile and reading, without a note."""
    found = accepted(BY_THE_BOOK, profile, reading)
    assert found.notes == ()
    assert found.metadata.entity_id == DV
    assert [(one.index, one.binding) for one in found.metadata.consumers] == [(1, POST), (2, ARTIFACT)]
    assert [one.name for one in found.metadata.signing] == ["test-sp"]
    assert [one.name for one in found.metadata.encryption] == ["test-sp-encryption"]


def test_plain_metadata_pass_for_generic() -> None:
    """What ordinary SAML libraries write passes as generic in both readings."""
    for reading in (STRICT, LENIENT):
        found = accepted(Published(flags="", key_names=False, name_id_formats=(TRANSIENT,)), G, reading)
        assert found.notes == ()
        assert found.metadata.name_id_formats == (TRANSIENT,)


@pytest.mark.parametrize("wrapped", [False, True])
def test_one_party_in_a_group_passes(wrapped: bool) -> None:
    """An EntitiesDescriptor with one relying party is read as that one; with two it is refused."""
    one = Published().xml().decode()
    other = Published("https://other.test").xml().decode().replace('ID="_metadata"', 'ID="_other"') if wrapped else ""
    group = (
        f'<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">{one}{other}</md:EntitiesDescriptor>'
    )
    if wrapped:
        assert [one.code for one in findings(group.encode())] == ["P10"]
    else:
        assert accepted(group.encode()).metadata.entity_id == SP


@pytest.mark.parametrize("reading", list(Reading))
def test_an_address_for_artifacts_alone_is_enough(reading: Reading) -> None:
    """Metadata with an artifact address only, and one key for both uses, are those of the Dutch client."""
    published = replace(
        SCHEME_METADATA, consumers=(Consumer(1, ARTIFACT),), signing=(), encryption=(), plain_use=("sp",)
    )
    found = accepted(published.xml(), E13, reading).metadata
    assert [one.binding for one in found.consumers] == [ARTIFACT]
    assert [len(found.signing), len(found.encryption)] == [1, 1]


ALWAYS = {
    "redirect only": (Published(consumers=(Consumer(1, REDIRECT),)), G, "P06", "by HTTP-POST or HTTP-Artifact"),
    "PAOS only, scheme": (replace(BY_THE_BOOK, consumers=(Consumer(1, PAOS),)), E13, "P06", POST),
    "index twice": (Published(consumers=(Consumer(1), Consumer(1, location=ACS + "2"))), G, "P03", "index 1 stands"),
    "relative address": (Published(consumers=(Consumer(location="/acs"),)), G, "P03", "write it in full"),
    "script address": (Published(consumers=(Consumer(location="javascript:alert(1)"),)), G, "P03", "write it in full"),
    "host with a semicolon": (Published(consumers=(Consumer(location="https://a;x/"),)), G, "P03", "write it in full"),
    "host with a quote": (Published(consumers=(Consumer(location="https://a'b/"),)), G, "P03", "write it in full"),
    "no host": (Published(consumers=(Consumer(location="https:///acs"),)), G, "P03", "write it in full"),
    "nothing to encrypt for": (replace(BY_THE_BOOK, encryption=()), E13, "P02", 'use="encryption"'),
    "service index twice": (
        Published(services=attribute_service(1, "a") + attribute_service(1, "b")),
        G,
        "P15",
        "AttributeConsumingService index 1",
    ),
}


@pytest.mark.parametrize("name", ALWAYS)
@pytest.mark.parametrize("reading", [STRICT, LENIENT])
def test_what_cannot_work_is_refused_in_both_readings(name: str, reading: Reading) -> None:
    """The finding has its code and says what to mend."""
    published, profile, code, words = ALWAYS[name]
    assert [one.code for one in findings(published, profile, reading) if words in one.sentence] == [code]


STRICTLY = {
    "unsigned": (replace(BY_THE_BOOK, signed=False), E13, "P14", "sign them"),
    "entity id": (replace(BY_THE_BOOK, entity_id=SP), E13, "P01", "urn:etoegang:DV"),
    "flags": (replace(BY_THE_BOOK, flags=""), E13, "P14", "AuthnRequestsSigned"),
    "NameIDFormat": (replace(BY_THE_BOOK, name_id_formats=(TRANSIENT,)), E11, "P14", "leave it out"),
    "no KeyName": (replace(BY_THE_BOOK, key_names=False), E13, "P02", "no KeyName"),
    "no services": (replace(BY_THE_BOOK, services=""), E13, "P15", "add one for each service"),
    "no default": (
        replace(BY_THE_BOOK, services=attribute_service(1, SECOND) + attribute_service(2, SECOND)),
        E13,
        "P15",
        "isDefault",
    ),
    "no ServiceID": (replace(BY_THE_BOOK, services=attribute_service(1, "urn:oid:1")), E13, "P15", "ServiceID"),
    "identifying": (replace(BY_THE_BOOK, services=attribute_service(1, SECOND, KVK)), E13, "P15", "do not request"),
    "no signing key": (Published(signing=()), G, "P02", "require_signed_requests=false"),
    "http": (Published(consumers=(Consumer(location="http://sp.example.org/acs"),)), G, "P03", "use https"),
    "expired": (Published(attributes='validUntil="2026-01-15T09:59:00Z"'), G, "P14", "fetch newer ones"),
}


@pytest.mark.parametrize("name", STRICTLY)
def test_what_breaks_a_rule_is_refused_strictly_and_noted_leniently(name: str) -> None:
    """The strict reading refuses; the lenient one lets pass and tells."""
    published, profile, code, words = STRICTLY[name]
    assert code in {one.code for one in findings(published, profile, STRICT) if words in one.sentence}
    notes = accepted(published, profile, LENIENT).notes
    assert code in {one.code for one in notes if words in one.sentence}


def test_old_certificates_are_found() -> None:
    """A certificate out of its dates is a finding of the strict reading, with the dates."""
    late = findings(Published(), G, STRICT, 6000)
    assert [one.code for one in late] == ["P02"]
    assert "from 2020-01-01 to 2040-01-01" in late[0].sentence


def test_a_loopback_address_may_be_http() -> None:
    """A laptop's relying party has no certificate for its own machine."""
    for host in ("localhost:8080", "127.0.0.1", "portal.test"):
        assert accepted(Published(consumers=(Consumer(location=f"http://{host}/acs"),)), G, STRICT).notes == ()


def test_a_forged_signature_is_no_signature() -> None:
    """Metadata that were changed after signing pass leniently, as unsigned, and not strictly (RUL-23)."""
    forged = BY_THE_BOOK.xml().replace(b"Dienst 1", b"Dienst 9")
    assert {one.code for one in findings(forged, E13, STRICT)} == {"P14"}
    found = accepted(forged, E13, LENIENT)
    assert "P14" in {one.code for one in found.notes}


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"<",
        b"not xml",
        b"<a/>",
        b'<!DOCTYPE x><md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="x"/>',
        b'<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="x"/>',
        Published().xml().replace(b"SPSSODescriptor", b"IDPSSODescriptor"),
        Published().xml().replace(b":protocol", b":protocoll"),
        Published().xml().replace(b"MII", b"AAA"),
        Published().xml().replace(b'index="1"', b'index="one"'),
        b"x" * 2_000_000,
    ],
)
def test_what_is_no_metadata_is_p10(octets: bytes) -> None:
    """Anything but the metadata of one SAML 2.0 relying party is refused in one sentence."""
    (finding,) = findings(octets)
    assert finding.code == "P10"
    assert "\n" not in finding.sentence


def test_a_certificate_of_no_version_is_p10() -> None:
    """What cannot be read as a certificate is a finding, whatever the library calls it."""
    body = "".join(fixed_key("sp").public.certificate.splitlines()[1:-1])
    odd = b64encode(b64decode(body).replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x3b")).decode()
    text = "".join(Published().xml().decode().splitlines())
    assert body in text
    assert body != odd
    found = findings(text.replace(body, odd).encode())
    assert [one.code for one in found] == ["P10"]


def test_weak_keys_are_refused() -> None:
    """A key that no request of which would be accepted is refused at once (RUL-27)."""
    weak = fixed_key("sp").public.certificate.splitlines()[1:-1]
    document = Published().xml()
    assert "".join(weak).encode() in document.replace(b"\n", b"")
    (finding,) = findings(document.replace("\n".join(weak).encode(), WEAK))
    assert (finding.code, "2048" in finding.sentence) == ("P02", True)


def test_services_find_their_index() -> None:
    """A ServiceID in the metadata claims its index, the others get what is left, the order stays (RUL-10)."""
    first, second, third = service(1), service(2), service(3)
    published = Published(services=attribute_service(4, first.urn) + attribute_service(7, "urn:oid:1", default=True))
    metadata = accepted(published).metadata
    assert place_services(metadata, [second, first, third]) == ((7, second), (4, first), (1, third))
    assert place_services(accepted(Published()).metadata, [third, first]) == ((1, third), (2, first))
    assert metadata.declared == (first.urn,)


# A certificate with an RSA key of 1024 bits.
WEAK = (
    b"MIIBkTCB+6ADAgECAgEBMA0GCSqGSIb3DQEBCwUAMA8xDTALBgNVBAMMBHdlYWswHhcNMjAwMTAxMDAwMDAwWhcNNDAwMTAxMDAw"
    b"MDAwWjAPMQ0wCwYDVQQDDAR3ZWFrMIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCsTEM2fo8s5JkOfFsGbaQBEw1fiM4U5RC/"
    b"8hGUB3ietzfo1GiNatKUb17P/I1KLpN4YgAVxQqLD3tMdHZsC7u3z7zOPiS+FRdLr//ZGj/kiBDQxGeQ75X4U4dw+RfPtBkgbp5E"
    b"DpxJZ+2lPDwI4NZg+tNuUTEYd1CG9KmM0wUOqwIDAQABMA0GCSqGSIb3DQEBCwUAA4GBAJ/ZSw30GC4Cda8isxBeLLnHjJJ+40Zi"
    b"Tjpuy1MBPCZegGoZhgweCKx9slrF2eawgveywm1ZdsQBBO7jQcR9nn/TpHj7AtiXeevC41aLvJZ+Rxv5E8IdIEOGcrFmNlENzFNm"
    b"ZcvPX+jbfodnTFgMNgnJ1NFqYLeEur7bSXQLFxZ1"
)
