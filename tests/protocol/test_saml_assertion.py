"""What an assertion says beyond its golden form: to whom, for how long, sealed how (domain 3.3 to 3.5, RUL-27)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from lxml import etree

from idp.domain.assertion import LegalSubject
from idp.domain.assurance import Level
from idp.domain.identifiers import KvkNumber
from idp.domain.parties import Profile
from idp.ports import KeyUse
from idp.protocols.message import Incoming
from idp.protocols.saml import documents
from idp.protocols.saml.xmlsec.xml import XENC
from tests.protocol.saml_kit import (
    COMPANY,
    OFFICE_OF_ACCOUNTS,
    PAYROLL,
    PSEUDONYM,
    SOLE_TRADER,
    Bench,
    OwnKeys,
    granted,
    octets_of,
    opened,
    service,
    texts,
    values,
)
from tests.protocol.saml_messages import (
    ACS,
    COMPANY_NAME,
    DV,
    KVK,
    RSIN,
    SAML_PROFILES,
    SCHEME,
    SCHEME_METADATA,
    SP,
    SSO,
    TRANSIENT,
    Asking,
    Published,
)
from tests.protocol.xml_kit import SoftKey, curve_key, oracle_accepts

G, E13, E11 = Profile.GENERIC, Profile.EHERKENNING_113, Profile.EHERKENNING_111
CBC = f"{XENC}aes256-cbc"
GCM = "http://www.w3.org/2009/xmlenc11#aes256-gcm"
OAEP_OLD = f"{XENC}rsa-oaep-mgf1p"
OAEP_NEW = "http://www.w3.org/2009/xmlenc11#rsa-oaep"


def come(bench: Bench, profile: Profile, published: Published | None = None, **changes: object) -> Incoming:
    """A request of a party with this profile."""
    scheme = profile in SCHEME
    bench.register(published or (SCHEME_METADATA if scheme else Published()), profile, **changes)  # type: ignore[arg-type]
    found: Incoming = bench.read(Asking(profile, issuer=DV if scheme else SP).posted())
    return found


@pytest.mark.parametrize("profile", SAML_PROFILES)
def test_an_assertion_is_for_one_party_request_and_window(profile: Profile, bench: Bench) -> None:
    """Issuer, audience, recipient, request and times are those of this login, in every profile (RC-4, RC-5, RUL-26)."""
    root = opened(octets_of(bench.answer(come(bench, profile), granted())), "sp-encryption")
    issuer = (
        f"{SSO[G].removesuffix('sso')}metadata"
        if profile is G
        else "urn:etoegang:HM:00000001888888888001:entities:9101"
    )
    assert texts(root, "//saml:Issuer") == [issuer, issuer]
    assert texts(root, "//saml:Audience") == [SP if profile is G else DV]
    data = "//saml:SubjectConfirmationData"
    assert texts(root, f"{data}/@Recipient") == texts(root, "/samlp:Response/@Destination") == [ACS]
    assert texts(root, f"{data}/@InResponseTo") == texts(root, "/samlp:Response/@InResponseTo") == ["_req1"]
    assert texts(root, f"{data}/@NotOnOrAfter | //saml:Conditions/@NotOnOrAfter") == ["2026-01-15T10:02:40Z"] * 2
    assert texts(root, "//saml:Conditions/@NotBefore") == ["2026-01-15T09:59:40Z"]
    assert texts(root, "//@AuthnInstant") == ["2026-01-15T10:00:30Z"]
    assert texts(root, "//saml:AuthnContextClassRef") == [Level.EH3.urn]
    assert len(set(texts(root, "//@ID"))) == 2


def test_no_identifier_is_readable_in_1_13(bench: Bench) -> None:
    """Whoever sees the message on its way reads no number and no pseudonym of the organisation or person (ENC-7)."""
    octets = octets_of(bench.answer(come(bench, E13), granted(attributes={"urn:etoegang:1.9:attribute:X": "Jansen"})))
    for secret in (COMPANY.kvk, COMPANY.rsin, PSEUDONYM, "Jansen"):
        assert str(secret).encode() not in octets


def test_the_company_name_is_told_when_asked_in_the_scheme(bench: Bench) -> None:
    """In eHerkenning the name comes when the request or the catalogue asks it, in generic always."""
    for profile, expected in ((G, [COMPANY.name]), (E13, []), (E11, [])):
        root = opened(octets_of(bench.answer(come(bench, profile), granted())), "sp-encryption")
        assert values(root, COMPANY_NAME) == expected


@pytest.mark.parametrize("profile", [G, E11])
def test_hostile_names_stay_text(profile: Profile, bench: Bench) -> None:
    """A company's name with markup in it is told as text (SEC-7)."""
    name = "A</saml:AttributeValue><x a='1'>&amp; \"é€𝄞\" ]]>"
    principal = LegalSubject(KvkNumber("90000009"), None, name)
    incoming = come(bench, profile)
    incoming = replace(incoming, asked=replace(incoming.asked, reply=incoming.asked.reply | {"company_name": "yes"}))
    root = opened(octets_of(bench.answer(incoming, granted(principal=principal))))
    assert values(root, COMPANY_NAME) == [name]


@pytest.mark.parametrize(
    ("types", "principal", "expected"),
    [
        ((), COMPANY, {KVK: "90000001"}),
        (((RSIN, KVK), (KVK,)), COMPANY, {KVK: "90000001", RSIN: "123456782"}),
        (((RSIN, KVK), (KVK,)), SOLE_TRADER, {KVK: "90000003"}),
        (((KVK,), (RSIN, KVK)), COMPANY, {KVK: "90000001"}),
        (((RSIN,),), COMPANY, {RSIN: "123456782"}),
        ((("urn:etoegang:1.12:EntityConcernedID:BSN",), (KVK,)), COMPANY, {KVK: "90000001"}),
    ],
)
@pytest.mark.parametrize("profile", [G, E11])
def test_the_first_set_that_can_be_delivered(
    profile: Profile,
    types: tuple[tuple[str, ...], ...],
    principal: LegalSubject,
    expected: dict[str, str],
    bench: Bench,
) -> None:
    """Exactly the identifiers of the first complete set are told (EC-1 to EC-3)."""
    incoming = come(bench, profile, services=[service(1, entity_types=types)])
    root = opened(octets_of(bench.answer(incoming, granted(principal=principal))))
    told = {name: found[0] for name in (KVK, RSIN) if (found := values(root, name))}
    assert told == expected


def test_a_session_has_another_name_for_every_party(bench: Bench) -> None:
    """SessionIndex is there when a session is kept, and tells two parties nothing about each other."""
    incoming = come(bench, G)
    other = replace(incoming, party=replace(incoming.party, id="party-2"))
    found = [
        texts(opened(octets_of(bench.answer(one, granted(session=session)))), "//@SessionIndex")
        for one, session in ((incoming, "s"), (incoming, "s"), (other, "s"), (incoming, "t"), (incoming, None))
    ]
    assert found[0] == found[1] != []
    assert found[4] == []
    assert len({str(one) for one in found}) == 4


def test_a_transient_name_is_new_every_time(bench: Bench) -> None:
    """A transient NameID is random, and the pseudonym stays in ActingSubjectID alone."""
    bench.register()
    incoming = bench.read(Asking(body=f'<samlp:NameIDPolicy Format="{TRANSIENT}"/>').posted())
    names = {texts(opened(octets_of(bench.answer(incoming, granted()))), "//saml:NameID")[0] for _ in range(3)}
    assert len(names) == 3
    assert PSEUDONYM not in names


@pytest.mark.parametrize(
    ("profile", "methods", "cipher", "transport"),
    [
        (G, (), GCM, OAEP_OLD),
        (G, (GCM, OAEP_NEW), GCM, OAEP_NEW),
        (G, (CBC, GCM), GCM, OAEP_OLD),
        (G, (CBC, OAEP_OLD), CBC, OAEP_OLD),
        (G, (f"{XENC}aes128-cbc",), GCM, OAEP_OLD),
        (E13, (), CBC, OAEP_OLD),
        (E13, (GCM, OAEP_NEW), GCM, OAEP_NEW),
        (E13, (CBC, GCM), GCM, OAEP_OLD),
    ],
)
def test_algorithms_by_what_the_metadata_offer(
    profile: Profile, methods: tuple[str, ...], cipher: str, transport: str, bench: Bench
) -> None:
    """The best that is offered, and the profile's own where nothing is said (RUL-27)."""
    base = SCHEME_METADATA if profile is E13 else Published(encryption=("sp-encryption",))
    octets = octets_of(bench.answer(come(bench, profile, replace(base, methods=methods)), granted()))
    root = opened(octets)
    assert set(texts(root, "//xenc:EncryptedData/xenc:EncryptionMethod/@Algorithm")) == {cipher}
    assert set(texts(root, "//xenc:EncryptedKey/xenc:EncryptionMethod/@Algorithm")) == {transport}
    assert texts(opened(octets, "sp-encryption"), "//saml:Audience") == [DV if profile is E13 else SP]


def test_a_certificate_for_both_uses_does_not_ask_encryption(bench: Bench) -> None:
    """A generic party with one certificate without a use gets plain assertions, a 1.13 party encrypted identifiers."""
    both = {"signing": (), "encryption": (), "plain_use": ("sp",)}
    root = opened(octets_of(bench.answer(come(bench, G, Published(**both)), granted())))  # type: ignore[arg-type]
    assert values(root, KVK) == ["90000001"]
    octets = octets_of(bench.answer(come(bench, E13, replace(SCHEME_METADATA, **both)), granted()))  # type: ignore[arg-type]
    assert "90000001" in texts(opened(octets, "sp"), "//saml:EncryptedID//saml:NameID")


def test_a_chain_names_the_intermediary(bench: Bench) -> None:
    """The client is the legal subject, the intermediary stands beside it (domain 3.4)."""
    incoming = come(bench, E13)
    root = opened(octets_of(bench.answer(incoming, granted(intermediaries=(OFFICE_OF_ACCOUNTS,)))), "sp-encryption")
    assert values(root, "urn:etoegang:core:IntermediateSubjectID") == [OFFICE_OF_ACCOUNTS.kvk]
    assert values(root, "urn:etoegang:1.9:IntermediateEntityID:KvKnr") == [OFFICE_OF_ACCOUNTS.kvk]
    assert values(root, "urn:etoegang:core:LegalSubjectID") == [COMPANY.rsin, COMPANY.kvk]


def test_a_longer_chain_names_every_intermediary(bench: Bench) -> None:
    """One sealed value for each, from the one the client chose to the company of the person (domain 3.4, RUL-15)."""
    incoming = come(bench, E13)
    root = opened(
        octets_of(bench.answer(incoming, granted(intermediaries=(OFFICE_OF_ACCOUNTS, PAYROLL)))), "sp-encryption"
    )
    chain = [OFFICE_OF_ACCOUNTS.kvk, PAYROLL.kvk]
    assert values(root, "urn:etoegang:core:IntermediateSubjectID") == chain
    assert values(root, "urn:etoegang:1.9:IntermediateEntityID:KvKnr") == chain
    names = values(root, "urn:etoegang:1.13:attribute-intermediate:CompanyName")
    assert names == [OFFICE_OF_ACCOUNTS.name, PAYROLL.name]


def test_relay_state_comes_back_as_it_came(bench: Bench) -> None:
    """Absent stays absent, empty stays empty, and anything else is the same text (RC-8, G-2)."""
    bench.register()
    for relay_state in (None, "", "a b&c=d", "é€\"'<>", "https://sp.example.test/?x=1&y=2#z"):
        answer = bench.answer(bench.read(Asking().posted(relay_state)), granted())
        assert answer.fields.get("RelayState") == relay_state
        assert answer.fields.keys() - {"RelayState"} == {"SAMLResponse"}


def test_the_window_is_a_setting(bench: Bench) -> None:
    """How far back and ahead an assertion is valid comes from the settings."""
    window = replace(bench.office.settings.saml, not_before_seconds=5, valid_seconds=300)
    bench.office = replace(bench.office, settings=replace(bench.office.settings, saml=window))
    root = opened(octets_of(bench.answer(come(bench, G), granted())))
    now = bench.clock.now()
    expected = [(now + timedelta(seconds=one)).strftime("%Y-%m-%dT%H:%M:%SZ") for one in (-5, 300)]
    assert texts(root, "//saml:Conditions/@*") == expected


def test_an_eidas_question_gets_an_eidas_answer(bench: Bench) -> None:
    """The level is stated in the vocabulary it was asked in, where that has a name for it."""
    bench.register()
    body = (
        "<samlp:RequestedAuthnContext><saml:AuthnContextClassRef>http://eidas.europa.eu/LoA/substantial"
        "</saml:AuthnContextClassRef></samlp:RequestedAuthnContext>"
    )
    incoming = bench.read(Asking(body=body).posted())
    for level, stated in ((Level.EH3, Level.EH3.eidas), (Level.EH1, Level.EH1.urn)):
        root = opened(octets_of(bench.answer(incoming, granted(level=level))))
        assert texts(root, "//saml:AuthnContextClassRef") == [stated]


@pytest.mark.parametrize("name", ["PasswordProtectedTransport", "unspecified"])
def test_who_asks_no_level_hears_that_of_the_scheme(bench: Bench, name: str) -> None:
    """A class of SAML core, which common clients ask by default, is no question in the words of eIDAS."""
    bench.register()
    asked = f"<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:{name}</saml:AuthnContextClassRef>"
    body = f"<samlp:RequestedAuthnContext>{asked}</samlp:RequestedAuthnContext>"
    root = opened(octets_of(bench.answer(bench.read(Asking(body=body).posted()), granted())))
    assert texts(root, "//saml:AuthnContextClassRef") == [Level.EH3.urn]


def test_a_curve_signs_as_well(bench: Bench) -> None:
    """With a key on P-256 our messages and metadata are signed by ECDSA, and libxmlsec1 agrees (RUL-27)."""
    key = curve_key()

    class Curve(OwnKeys):
        def active(self, use: KeyUse) -> SoftKey:
            return key if use is KeyUse.SAML_SIGNING else super().active(use)

    bench.office = replace(bench.office, keys=Curve())
    octets = octets_of(bench.answer(come(bench, G), granted()))
    for signed in (octets, documents(bench.office)["/saml/metadata"][1]):
        root = etree.fromstring(signed)
        method = root.find("{*}Signature/{*}SignedInfo/{*}SignatureMethod")
        assert method is not None
        assert str(method.get("Algorithm")).endswith("#ecdsa-sha256")
        assert oracle_accepts(root, key)
