"""A provider with fixed keys, clock and randomness, and relying parties that talk to it."""

from base64 import b64decode
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

import xmlsec
from lxml import etree

from idp.domain.assertion import Assertion, Basis, LegalSubject
from idp.domain.assurance import Factor, Level
from idp.domain.demand import Reading
from idp.domain.identifiers import InstanceUuid, KvkNumber, Oin, Rsin, ServiceUrn, ServiceUuid
from idp.domain.keys import short_name
from idp.domain.parties import CatalogueAttribute, Party, PartySettings, Profile, Provider, Service
from idp.effects.entropy import SeededEntropy
from idp.effects.passwords import Argon2Passwords
from idp.effects.vault import FileVault
from idp.ports import KeyUse, PublicKey
from idp.protocols.message import Answer, HttpMessage, PostForm
from idp.protocols.saml import SamlCodec
from idp.protocols.saml.xmlsec.xml import DS, MD, SAML, SAMLP, XENC, Element, Schemas
from idp.services.work import Office
from idp.settings import load
from idp.store.engine import open_engine
from tests.protocol.saml_golden import named_key
from tests.protocol.saml_messages import (
    BASE,
    FAMILY_NAME,
    FIRST_NAME,
    KVK,
    OIN,
    PSEUDONYM,
    RSIN,
    SCHEME_METADATA,
    Published,
    fixed_key,
)
from tests.protocol.xml_kit import SoftKey

T0 = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)
PROVIDER = Provider(Oin(OIN), {"nl": "Voorbeelddienst", "en": "Example service"})


@cache
def schemas() -> Schemas:
    """The schemas, once per run."""
    return Schemas.load()


@cache
def codec() -> SamlCodec:
    """The codec, once per run as in a process; it keeps nothing of a request."""
    return SamlCodec()


def service(index: int = 1, level: Level = Level.EH3, **changes: object) -> Service:
    """A service of the catalogue."""
    named = replace(
        _SERVICE,
        uuid=ServiceUuid(f"11111111-2222-4333-8444-{index:012d}"),
        instance_uuid=InstanceUuid(f"11111111-2222-4333-8444-9{index:011d}"),
        level=level,
        slug=f"DEMO-{index}",
    )
    return replace(named, urn=ServiceUrn(f"urn:etoegang:DV:{OIN}:services:{index}"), **changes)  # type: ignore[arg-type]


def granted(**changes: object) -> Assertion:
    """A login that went well."""
    return replace(_GRANTED, **changes)  # type: ignore[arg-type]


class Shelf:
    """A directory in memory."""

    def __init__(self) -> None:
        self.parties: dict[str, Party] = {}

    def party(self, _protocol: str, identity: str) -> Party | None:
        """The party with this entity ID."""
        return self.parties.get(identity)

    def source(self, name: Callable[[str], bytes], source: bytes) -> str | None:
        """The entity ID with this SourceID."""
        return {name(one): one for one in self.parties}.get(source)

    def parsed(self, party: Party, make: Callable[[Party], object]) -> object:
        """What is read from the document."""
        return make(party)


class OwnKeys:
    """Our two committed keys, which never change."""

    version = 1

    def look(self) -> int:
        """Nothing changes."""
        return self.version

    def living(self, use: KeyUse) -> tuple[SoftKey, ...]:
        """What others may know."""
        return (self.active(use),)

    def following(self, use: KeyUse) -> None:
        """None waits."""

    def named(self, use: KeyUse, name: str) -> SoftKey | None:
        """The key of its use, by its short name."""
        key = self.active(use)
        return key if short_name(key.public.kid) == name else None

    def active(self, use: KeyUse) -> SoftKey:
        """The key that signs now."""
        return fixed_key("own-signing" if use is KeyUse.SAML_SIGNING else "own-encryption", use)

    def published(self, use: KeyUse) -> tuple[PublicKey, ...]:
        """What others see."""
        return (self.active(use).public,)


@dataclass
class Clock:
    """A clock that stands still."""

    moment: datetime = T0 + timedelta(seconds=40)

    def now(self) -> datetime:
        """The instant."""
        return self.moment


class Bench:
    """A codec with its office, and the relying parties it knows."""

    def __init__(self, database: str, folder: Path) -> None:
        settings = load(
            None,
            {
                "server.base_url": BASE,
                "database.url": database,
                "saml.oin": "00000001888888888001",
                "saml.index": 9101,
                "argon2.memory_kib": 64,
                "argon2.time": 1,
            },
            {},
        )
        (folder / "vault.key").write_bytes(b"t" * 32)
        self.shelf, self.clock = Shelf(), Clock()
        self.office = Office(
            settings=settings,
            engine=open_engine(database, 4, 10),
            clock=self.clock,
            entropy=SeededEntropy("saml"),
            passwords=Argon2Passwords(settings.argon2, 1),
            vault=FileVault(folder / "vault.key", SeededEntropy("vault")),
            keys=OwnKeys(),  # type: ignore[arg-type]
            directory=self.shelf,  # type: ignore[arg-type]
        )
        self.codec = codec()

    def register(
        self,
        published: Published | None = None,
        profile: Profile = Profile.GENERIC,
        services: Iterable[Service] = (),
        **settings: object,
    ) -> Party:
        """A party with these metadata, for these services at the indexes 1, 2 and so on."""
        document = published or Published()
        chosen = tuple(services) or (service(1, attributes=ATTRIBUTES), service(2, Level.EH2PLUS))
        party = Party(
            id="party-1",
            protocol="saml",
            identity=document.entity_id,
            name="Voorbeelddienst",
            provider=PROVIDER,
            settings=PartySettings(profile, **settings),  # type: ignore[arg-type]
            services=tuple(enumerate(chosen, 1)),
            document=document.xml().decode(),
            version=1,
        )
        self.shelf.parties[party.identity] = party
        return party

    def scheme(self, profile: Profile, reading: Reading = Reading.LENIENT, **settings: object) -> Party:
        """A party of eHerkenning by the book."""
        return self.register(SCHEME_METADATA, profile, reading=reading, **settings)

    def read(self, message: HttpMessage):  # type: ignore[no-untyped-def]
        """Read at the present instant."""
        return self.codec.read(self.office, message, self.clock.now())

    def answer(self, incoming, outcome) -> PostForm:  # type: ignore[no-untyped-def]
        """Answer at the present instant."""
        found = self.concluded(incoming, outcome)
        assert isinstance(found, PostForm)
        return found

    def concluded(self, incoming, outcome) -> Answer:  # type: ignore[no-untyped-def]
        """Record in a transaction, commit, and answer, as a login does."""
        with self.office.work("person") as work:
            recorded = self.codec.record(work, incoming, outcome)
        return self.codec.answer(self.office, incoming, outcome, recorded, self.clock.now())


def octets_of(answer: PostForm) -> bytes:
    """The XML that a form carries."""
    return b64decode(answer.fields["SAMLResponse"], validate=True)


def opened(octets: bytes, *decrypting: str) -> Element:
    """A Response as an independent receiver sees it: schema-valid, every signature right, encrypted parts opened."""
    root = etree.fromstring(octets)
    schemas().validate(root)
    # What we write is canonical already, or a signature of ours would not hold for others.
    assert (
        etree.tostring(root, method="c14n", exclusive=True, inclusive_ns_prefixes=["xs", "xsi", "xacml-saml"]) == octets
    )
    check_signature(root)
    for assertion in root.iterfind(f"./{{{SAML}}}Assertion"):
        check_signature(assertion)
        for behind in assertion.iterfind(f"./{{{SAML}}}Advice/{{{SAML}}}Assertion"):
            check_signature(etree.fromstring(etree.tostring(behind)))
    xmlsec.tree.add_ids(root, ["ID", "Id"])
    manager = xmlsec.KeysManager()
    for name in decrypting:
        manager.add_key(named_key(name))
    for node in root.xpath("//xenc:EncryptedData", namespaces={"xenc": XENC}) if decrypting else ():
        xmlsec.EncryptionContext(manager).decrypt(node)
    for assertion in root.iterfind(f"./{{{SAML}}}EncryptedAssertion/{{{SAML}}}Assertion"):
        check_signature(etree.fromstring(etree.tostring(assertion)))
    return root


def check_signature(element: Element) -> None:
    """Let libxmlsec1 check the own signature of an element."""
    xmlsec.tree.add_ids(element, ["ID"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(fixed_key("own-signing").pem, xmlsec.constants.KeyDataFormatPem)
    context.verify(element.find(f"{{{DS}}}Signature"))


def texts(root: Element, path: str) -> list[str]:
    """The texts of what an XPath finds, with the prefixes saml, samlp and md."""
    found = root.xpath(path, namespaces={"saml": SAML, "samlp": SAMLP, "md": MD, "ds": DS, "xenc": XENC})
    return [str(one if isinstance(one, str) else one.text) for one in found]


def values(root: Element, name: str) -> list[str]:
    """The values of an attribute of the assertion."""
    value = f"//saml:Attribute[@Name='{name}']/saml:AttributeValue"
    return texts(root, f"{value}[not(*)]/text() | {value}/saml:EncryptedID/saml:NameID/text()")


def status_of(root: Element) -> tuple[str, str | None, str | None]:
    """Top code, second code and message, without their common prefix."""
    codes = [one.rpartition(":")[2] for one in texts(root, "//samlp:StatusCode/@Value")]
    message = texts(root, "//samlp:StatusMessage")
    return codes[0], codes[1] if len(codes) > 1 else None, message[0] if message else None


ATTRIBUTES = (
    CatalogueAttribute(FAMILY_NAME, False, {"nl": "Aanhef", "en": "Salutation"}),
    CatalogueAttribute(FIRST_NAME, False, {"nl": "Aanhef", "en": "Salutation"}),
)
_SERVICE = Service(
    uuid=ServiceUuid("11111111-2222-4333-8444-000000000001"),
    instance_uuid=InstanceUuid("11111111-2222-4333-8444-900000000001"),
    urn=ServiceUrn(f"urn:etoegang:DV:{OIN}:services:1"),
    slug="DEMO-1",
    provider=PROVIDER,
    name={"nl": "Dienst", "en": "Service"},
    description={"nl": "Een dienst", "en": "A service"},
    level=Level.EH3,
    takes_restriction=True,
    chains=True,
    sso=True,
    allow_lower=False,
    entity_types=((RSIN, KVK), (KVK,)),
    attributes=(),
    url="https://dv.example.test/",
    enforced_from=date(2019, 11, 1),
)
COMPANY = LegalSubject(KvkNumber("90000001"), Rsin("123456782"), 'Bakkerij "De Krent" & Zn. <B.V.>')
SOLE_TRADER = LegalSubject(KvkNumber("90000003"), None, "Timmerbedrijf Spaan")
OFFICE_OF_ACCOUNTS = LegalSubject(KvkNumber("90000002"), Rsin("987654329"), "Kantoor Cijfer")
PAYROLL = LegalSubject(KvkNumber("90000004"), None, "Loonadvies & Co.")
_GRANTED = Assertion(
    subject=PSEUDONYM,
    level=Level.EH3,
    principal=COMPANY,
    branches=(),
    intermediaries=(),
    authenticated_at=T0 + timedelta(seconds=30),
    attributes={},
    session=None,
    basis=Basis("account", "way", frozenset({Factor.PASSWORD, Factor.OTP})),
)
