"""Advice: who stated what, signed by whom, about whom, and only for those who asked for it (domain 3.9, 3.10)."""

import pytest
from lxml import etree

from idp.domain.parties import Profile
from idp.protocols.saml.xmlsec.xml import DS, SAML
from tests.protocol.saml_artifacts import Resolving, answer_in, artifact_in, resolved, response_in
from tests.protocol.saml_kit import (
    OFFICE_OF_ACCOUNTS,
    PAYROLL,
    Bench,
    check_signature,
    granted,
    octets_of,
    opened,
    texts,
)
from tests.protocol.saml_messages import ARTIFACT, DV, SCHEME, SCHEME_METADATA, Asking

BEHIND = "/samlp:Response/saml:Assertion/saml:Advice/saml:Assertion"
CONTEXT = {"c": "urn:oasis:names:tc:xacml:2.0:context:schema:os", "saml": SAML, "ds": DS}


def stated(bench: Bench, profile: Profile, **changes: object) -> etree._Element:
    """The answer to a party that asked for Advice."""
    bench.register(SCHEME_METADATA, profile, advice=True)
    incoming = bench.read(Asking(profile, {}, issuer=DV).posted())
    return opened(octets_of(bench.answer(incoming, granted(**changes))), "sp-encryption", "own-encryption")


def values(root: etree._Element, name: str) -> list[str]:
    """The values of an attribute of the registry's statements, in their order."""
    found = root.xpath(f"//c:Attribute[@AttributeId='{name}']/c:AttributeValue", namespaces=CONTEXT)
    return ["".join(one.itertext()) for one in found]


@pytest.mark.parametrize("profile", SCHEME)
def test_two_issuers_state_it(profile: Profile, bench: Bench) -> None:
    """First the authenticator, then the registry, each under its own name; the registry builds on the first."""
    root = stated(bench, profile)
    assert [one.split(":")[2] for one in texts(root, f"{BEHIND}/saml:Issuer")] == ["AD", "MR"]
    first, second = root.findall(f".//{{{SAML}}}Advice/{{{SAML}}}Assertion")
    assert second.findtext(f"{{{SAML}}}Advice/{{{SAML}}}AssertionIDRef") == first.get("ID")
    value = first.findtext(f"{{{DS}}}Signature/{{{DS}}}SignatureValue")
    assert values(root, "urn:etoegang:core:LinkedDeclarationSignatureValue") == [value]


@pytest.mark.parametrize("profile", SCHEME)
def test_a_chain_has_a_statement_for_every_link(profile: Profile, bench: Bench) -> None:
    """The person for the own company, then link by link to the company acted for, each with its own number (K-6)."""
    root = stated(bench, profile, intermediaries=(OFFICE_OF_ACCOUNTS, PAYROLL))
    assert [one.split(":")[2] for one in texts(root, f"{BEHIND}/saml:Issuer")] == ["AD", "MR", "MR", "MR"]
    assert values(root, "urn:etoegang:1.9:EntityConcernedID:KvKnr") == ["90000004", "90000002", "90000001"]
    last = root.findall(f".//{{{SAML}}}Advice/{{{SAML}}}Assertion")[-1]
    assert len(last.findall(f"{{{SAML}}}Advice/{{{SAML}}}AssertionIDRef")) == 3


def test_the_internal_name_is_not_the_pseudonym(bench: Bench) -> None:
    """What the authenticator calls the person is for the registry alone and differs from what the party is told."""
    root = stated(bench, Profile.EHERKENNING_113)
    inner = texts(root, f"{BEHIND}[1]//saml:EncryptedID/saml:NameID")
    outer = texts(root, "/samlp:Response/saml:Assertion/saml:AttributeStatement//saml:EncryptedID/saml:NameID")
    assert len(inner) == 1
    assert len(inner[0]) == 64
    assert inner[0] not in " ".join(outer)


@pytest.mark.parametrize("profile", SCHEME)
def test_it_is_off_unless_asked_for(profile: Profile, bench: Bench) -> None:
    """Without the setting there is no Advice (RUL-24)."""
    bench.register(SCHEME_METADATA, profile)
    octets = octets_of(bench.answer(bench.read(Asking(profile, {}, issuer=DV).posted()), granted()))
    assert b"Advice" not in octets
    assert b"xacml" not in octets


@pytest.mark.parametrize("profile", SCHEME)
def test_it_survives_an_artifact(profile: Profile, bench: Bench) -> None:
    """Behind an artifact every signature still holds, around it and inside it (RC-9)."""
    bench.register(SCHEME_METADATA, profile, advice=True)
    incoming = bench.read(Asking(profile, {"ProtocolBinding": ARTIFACT}, issuer=DV).posted())
    answer = bench.concluded(incoming, granted())
    told = answer_in(resolved(bench, Resolving(artifact_in(answer), profile)))
    assert response_in(told) is not None
    for inner in told.iter(f"{{{SAML}}}Assertion"):
        check_signature(etree.fromstring(etree.tostring(inner)))
