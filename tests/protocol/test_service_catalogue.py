"""The scheme's service catalogue on the wire: what we publish, and what is taken and refused (domain 5.2, 5.6)."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from lxml import etree

from idp.domain.assurance import Level
from idp.domain.parties import Service
from idp.protocols.saml.catalogue.names import ESC, LIMITS, OLDER, catalogue_schema
from idp.protocols.saml.catalogue.reader import Manner, read_xml
from idp.protocols.saml.catalogue.writer import published, signed_catalogue
from idp.protocols.saml.metadata.aggregate import pinned_keys
from idp.protocols.saml.xmlsec.signing import Signatory, key_certificate, sign
from idp.protocols.saml.xmlsec.xml import DS, MD, SAML, parse, serialise
from idp.services.catalogue.file import BadCatalogue, Draft, check
from idp.services.catalogue.loading import load, store
from idp.services.directory import Directory
from idp.services.work import Office
from idp.settings import product_file
from tests.office import T0, Never
from tests.protocol.saml_golden import compare, lines
from tests.protocol.saml_kit import Bench, check_signature
from tests.protocol.saml_messages import fixed_key

OIN = "00000001999999999001"
OURS = "00000001888888888001"
UUID, INSTANCE = "11111111-2222-4333-8444-555555555555", "11111111-2222-4333-8444-555555555556"
RSIN, KVK = "urn:etoegang:1.9:EntityConcernedID:RSIN", "urn:etoegang:1.9:EntityConcernedID:KvKnr"
BSN = "urn:etoegang:1.12:EntityConcernedID:BSN"
TEMPLATE = (
    f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo>'
    '<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>'
    '<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>'
    '<ds:Reference URI="#7922fa8a-e3d5-44a5-98cb-80769aaba88f"><ds:Transforms>'
    '<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>'
    '<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/></ds:Transforms>'
    '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue/></ds:Reference>'
    "</ds:SignedInfo><ds:SignatureValue/></ds:Signature>"
)


def types(*entries: tuple[str, str]) -> str:
    """EntityConcernedTypesAllowed by set number, empty for none."""
    element = "<esc:EntityConcernedTypesAllowed{}>{}</esc:EntityConcernedTypesAllowed>"
    return "".join(element.format(f' setNumber="{number}"' if number else "", name) for number, name in entries)


SETS = types(("1", RSIN), ("1", KVK), ("2", KVK))


def drafted(**changes: str) -> bytes:
    """A draft as clients in use write it: a bare UUID as its ID, an empty form of a signature, texts over lines."""
    parts = {
        "namespace": ESC,
        "id": "7922fa8a-e3d5-44a5-98cb-80769aaba88f",
        "version": "urn:etoegang:1.13:53",
        "signature": TEMPLATE,
        "oin": OIN,
        "name": '<esc:OrganizationDisplayName xml:lang="en">Water Authority</esc:OrganizationDisplayName>',
        "public": "true",
        "uuid": UUID,
        "service": '<esc:ServiceName xml:lang="nl">Loket</esc:ServiceName>'
        '<esc:ServiceName xml:lang="en">Desk</esc:ServiceName>',
        "level": "urn:etoegang:core:assurance-class:loa3",
        "types": SETS,
        "restriction": "<esc:ServiceRestrictionsAllowed>urn:etoegang:1.9:ServiceRestriction:Vestigingsnr"
        "</esc:ServiceRestrictionsAllowed>",
        "attributes": "",
        "more": "",
        "urn": f"urn:etoegang:DV:{OIN}:services:1",
        "instance": INSTANCE,
        "of": UUID,
        "single": "<esc:SSOSupport>false</esc:SSOSupport>",
        "own": "",
        "certificate": "",
        "classifiers": "",
    }
    text = _DRAFT
    for key, value in (parts | changes).items():
        text = text.replace(f"%{key}%", value)
    return text.encode()


_DRAFT = f"""<?xml version='1.0' encoding='utf-8'?>
<esc:ServiceCatalogue xmlns:esc="%namespace%" xmlns:md="{MD}" xmlns:saml="{SAML}" xmlns:ds="{DS}" ID="%id%"
    esc:IssueInstant="2026-01-15T10:00:00+00:00" esc:Version="%version%">
  %signature%<esc:ServiceProvider esc:IsPublic="true">
    <esc:ServiceProviderID>%oin%</esc:ServiceProviderID>
    %name%
    <esc:ServiceDefinition esc:IsPublic="%public%">
      <esc:ServiceUUID>%uuid%</esc:ServiceUUID>
      %service%
      <esc:ServiceDescription xml:lang="nl">Vergunningen
         en afspraken</esc:ServiceDescription>
      <esc:ServiceDescriptionURL xml:lang="nl">https://dv.example.test/dienst</esc:ServiceDescriptionURL>
      <saml:AuthnContextClassRef>%level%</saml:AuthnContextClassRef>
      <esc:HerkenningsmakelaarId>{OURS}</esc:HerkenningsmakelaarId>
      %types%%restriction%%attributes%
    </esc:ServiceDefinition>%more%
    <esc:ServiceInstance esc:IsPublic="true">
      <esc:ServiceID>%urn%</esc:ServiceID>
      <esc:ServiceUUID>%instance%</esc:ServiceUUID>
      <esc:InstanceOfService>%of%</esc:InstanceOfService>
      <esc:ServiceURL xml:lang="nl">https://dv.example.test/</esc:ServiceURL>
      <esc:PrivacyPolicyURL xml:lang="nl">https://dv.example.test/privacy</esc:PrivacyPolicyURL>
      <esc:HerkenningsmakelaarId>{OURS}</esc:HerkenningsmakelaarId>
      %single%%own%%certificate%%classifiers%
    </esc:ServiceInstance>
  </esc:ServiceProvider>
</esc:ServiceCatalogue>"""


def read(octets: bytes, **manner: Any) -> Draft:
    """Read by an operator on a day when the test keys are good."""
    return read_xml(octets, Manner(T0, OURS, **manner))


def only(octets: bytes, **manner: Any) -> Service:
    """The one service of a document."""
    (service,) = read(octets, **manner).services
    return service


def certificate(name: str) -> str:
    """A ServiceCertificate with a committed key's certificate."""
    body = "".join(fixed_key(name).public.certificate.strip().splitlines()[1:-1])
    return (
        '<esc:ServiceCertificate><md:KeyDescriptor use="encryption"><ds:KeyInfo><ds:KeyName>x</ds:KeyName>'
        f"<ds:X509Data><ds:X509Certificate>{body}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        "</esc:ServiceCertificate>"
    )


def test_what_a_client_writes_is_taken_as_a_draft() -> None:
    """domain 5.6: version, ID and empty signature of software in use pass, and it is said that nothing was signed."""
    draft = read(drafted(certificate=certificate("sp-encryption")))
    (service,) = draft.services
    assert (service.uuid, service.instance_uuid, service.urn.number) == (UUID, INSTANCE, 1)
    assert (service.level, service.takes_restriction, service.sso) == (Level.EH3, True, False)
    assert service.entity_types == ((RSIN, KVK), (KVK,))
    assert service.provider.name == {"nl": "Water Authority", "en": "Water Authority"}
    assert service.description["nl"] == "Vergunningen en afspraken"
    assert (service.url, service.slug) == ("https://dv.example.test/", f"{OIN}-1")
    assert "not signed" in draft.notes[0]
    assert any(note.startswith("line ") and "no text in nl" in note for note in draft.notes)


def test_the_older_namespace_is_taken_too() -> None:
    """A catalogue of 1.11 has the same elements."""
    assert only(drafted(namespace=OLDER)).uuid == UUID


def test_our_own_facts_of_a_known_service_stay() -> None:
    """What the scheme has no place for is not lost when the provider hands in its catalogue again."""
    known = check(product_file("config", "catalogue.toml"))
    gem = next(one for one in known if one.slug == "GEM")
    again = only(
        drafted(uuid=gem.uuid, of=gem.uuid, instance=gem.instance_uuid, oin=gem.provider.oin, urn=gem.urn),
        known=known,
    )
    assert (again.slug, again.chains, again.sso) == ("GEM", True, False)


@pytest.mark.parametrize(
    ("entries", "sets"),
    [
        ((("2", KVK), ("1", RSIN), ("1", KVK)), ((RSIN, KVK), (KVK,))),
        ((("", RSIN), ("", KVK)), ((RSIN,), (KVK,))),
        ((("1", BSN), ("2", KVK)), ((KVK,),)),
        ((("1", RSIN), ("", KVK)), ((RSIN,), (KVK,))),
        ((("9" * 5000, KVK), ("8" * 5000, RSIN)), ((RSIN,), (KVK,))),
    ],
    ids=["ascending", "without numbers", "not delivered here", "mixed", "of any length"],
)
def test_sets_of_entity_types_keep_their_order(
    entries: tuple[tuple[str, str], ...], sets: tuple[tuple[str, ...], ...]
) -> None:
    """EC-1 to EC-3: one number is one set, ascending; without a number each stands alone, in its order."""
    assert only(drafted(types=types(*entries))).entity_types == sets


def test_types_at_an_instance_replace_those_of_its_definition() -> None:
    """EC-5."""
    assert only(drafted(own=types(("1", KVK)))).entity_types == ((KVK,),)


def test_what_cannot_be_offered_is_left_out_and_told() -> None:
    """A second service for eIDAS, which clients write beside the first, does not stop the first."""
    second = (
        drafted()
        .decode()
        .partition("<esc:ServiceDefinition")[2]
        .partition("</esc:ServiceDefinition>")[0]
        .replace(UUID, UUID[:-1] + "9")
    )
    draft = read(drafted(more=f"<esc:ServiceDefinition{second}</esc:ServiceDefinition>"))
    assert [one.uuid for one in draft.services] == [UUID]
    assert any("has no instance" in note for note in draft.notes)
    with pytest.raises(BadCatalogue, match="No service is left"):
        read(drafted(classifiers="<esc:Classifiers><esc:Classifier>eIDAS-inbound</esc:Classifier></esc:Classifiers>"))


def test_a_private_service_stays_private() -> None:
    """IsPublic of either half counts, and such a service stands in no list for everyone."""
    assert only(drafted()).public
    assert not only(drafted(public="false")).public


ATTRIBUTE = '<esc:RequestedAttribute Name="{}"><esc:PurposeStatement xml:lang="nl">x</esc:PurposeStatement>'


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"oin": "12"}, r"line 5: .*ServiceProviderID"),
        ({"oin": OIN[:-1] + "2"}, r"line \d+: ServiceID .* is not urn:etoegang:DV:00000001999999999002"),
        ({"urn": f"urn:etoegang:DV:{OIN}:services:0"}, "index from 1"),
        ({"uuid": "x", "of": "x"}, "uuid must be a UUID"),
        ({"of": UUID[:-1] + "9"}, "names no definition"),
        ({"level": "urn:etoegang:core:assurance-class:loa9"}, r"line \d+: service .*: level must be one of"),
        ({"restriction": "<esc:ServiceRestrictionsAllowed>urn:x</esc:ServiceRestrictionsAllowed>"}, "urn:x is unknown"),
        ({"types": types(("1", BSN))}, "No service is left"),
        ({"service": ""}, "ServiceDescription.*Expected is.*ServiceName"),
        ({"service": f'<esc:ServiceName xml:lang="nl">{"x" * 65}</esc:ServiceName>'}, "line 9: .*ServiceName"),
        ({"service": '<esc:ServiceName xml:lang="nl">a</esc:ServiceName>' * 2}, "stands twice for the language 'nl'"),
        ({"service": '<esc:ServiceName xml:lang="nl"> </esc:ServiceName>'}, "must have 1 to 64 characters"),
        ({"attributes": ATTRIBUTE.format(KVK) + "</esc:RequestedAttribute>"}, "not in the attribute catalogue"),
        ({"single": "<esc:SSOSupport>perhaps</esc:SSOSupport>"}, "SSOSupport"),
        ({"namespace": "urn:etoegang:1.9:service-catalog"}, "no ServiceCatalogue of"),
        ({"certificate": certificate("own-signing").replace("MII", "AAA", 1)}, "certificate cannot be read"),
        (
            {
                "classifiers": "<esc:Classifiers><esc:Classifier>idp:slug=A B</esc:Classifier>"
                "<esc:Classifier>idp:enforced-from=soon</esc:Classifier></esc:Classifiers>"
            },
            "the date 'soon'",
        ),
    ],
)
def test_faults_name_their_line(changes: dict[str, str], sentence: str) -> None:
    """Every rule of domain 5.6 is told in words, with the line of the document where there is one."""
    with pytest.raises(BadCatalogue, match=sentence):
        read(drafted(**changes))


def test_an_ended_certificate_is_refused() -> None:
    """A provider that lists a certificate whose days are over is told to send the next."""
    late = Manner(datetime(2101, 1, 1, tzinfo=UTC), OURS)
    with pytest.raises(BadCatalogue, match="the certificate ended on"):
        read_xml(drafted(certificate=certificate("sp-encryption")), late)


@pytest.mark.parametrize(
    ("octets", "sentence"),
    [
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + drafted().partition(b"?>")[2], "document type"),
        (drafted().replace(b"Loket", b"&boom;"), "line 9"),
        (drafted().replace(b"<?xml version='1.0' encoding='utf-8'?>", b"<?xml-stylesheet href='x'?>"), "processing"),
        (drafted()[:-30], "line "),
        (b"<x/>", "is a x and no ServiceCatalogue"),
        (b"<" + b"a" * (LIMITS.octets + 1), "octets are more than"),
        (drafted(more="<esc:x/>" * LIMITS.nodes), "elements and attributes"),
        (drafted().decode().encode("utf-16"), "UTF-8"),
    ],
    ids=["entity", "undeclared", "instruction", "cut", "other", "large", "many", "encoding"],
)
def test_hostile_xml_is_one_sentence(octets: bytes, sentence: str) -> None:
    """SEC-3, SEC-9: entities, instructions, size and broken documents are refused, most before any parser runs."""
    with pytest.raises(BadCatalogue, match=sentence):
        read(octets)


def signed(octets: bytes, key: str = "sp") -> bytes:
    """The document signed by a provider."""
    root = parse(octets, LIMITS)
    sign(root, Signatory(fixed_key(key), key_info=key_certificate(fixed_key(key))))
    return serialise(root)


PINNED = {"pinned": pinned_keys(fixed_key("sp").public.certificate.encode())}


def test_a_signature_is_checked_against_the_certificate_named() -> None:
    """SEC-18: with a pinned certificate only what it signed counts; without one it is said that nobody looked."""
    octets = signed(drafted(signature=""))
    assert "is that of the certificate" in read(octets, **PINNED).notes[0]
    assert "was not checked" in read(octets).notes[0]


@pytest.mark.parametrize(
    "octets",
    [
        drafted(),
        drafted(signature=""),
        signed(drafted(signature=""), "own-signing"),
        signed(drafted(signature="")).replace(b"loa3", b"loa2"),
        b'<w xmlns="urn:x">' + signed(drafted(signature="")) + b"</w>",
    ],
    ids=["template", "none", "stranger", "changed", "wrapped"],
)
def test_nothing_else_passes_where_a_certificate_is_named(octets: bytes) -> None:
    """SEC-10 to SEC-13: an empty, absent, foreign or broken signature, or one around the catalogue, is a refusal."""
    with pytest.raises(BadCatalogue):
        read(octets, **PINNED)


@pytest.fixture
def office(bench: Bench) -> Office:
    """An office with committed keys, a clock that stands still, and an empty catalogue."""
    return replace(bench.office, directory=Directory(bench.office.engine, Never()))


def test_what_we_publish_is_valid_signed_and_as_before(office: Office, pytestconfig: pytest.Config) -> None:
    """RUL-28, RUL-41: the demo's catalogue is schema-valid, signed by the key of our metadata, and does not change."""
    assert published(office) == b""
    with office.work("test") as work:
        load(work, product_file("config", "catalogue.toml"))
    octets = published(office)
    root = etree.fromstring(octets)
    catalogue_schema().validate(root)
    assert etree.tostring(root, method="c14n", exclusive=True) == octets
    check_signature(root)
    compare("service-catalogue.xml", lines(octets), pytestconfig)
    keys = pinned_keys(fixed_key("own-signing").public.certificate.encode())
    assert read(octets, pinned=keys).services == office.directory.services()


def test_a_private_service_is_exported_and_not_published(office: Office) -> None:
    """The published catalogue leaves out what the whole one has."""
    first, *others = check(product_file("config", "catalogue.toml"))
    with office.work("test") as work:
        store(work, (replace(first, public=False), *others))
    assert first.uuid.encode() not in published(office)
    assert first.uuid.encode() in signed_catalogue(office, office.directory.services())
