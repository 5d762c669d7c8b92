"""A metadata file becomes a registered party (contract: ``idp providers add``; RUL-10, RUL-24)."""

from dataclasses import replace

import pytest

from idp.domain.parties import Profile
from idp.protocols.saml.metadata.description import described
from idp.services.relying_parties.parties import NewProvider, checked_name
from idp.services.relying_parties.settings import BadParty
from tests.protocol.saml_kit import T0, service
from tests.protocol.saml_messages import (
    DV,
    PAOS,
    SCHEME_METADATA,
    SP,
    Consumer,
    Published,
    attribute_service,
)


def test_metadata_describe_a_party() -> None:
    """Entity ID, name, ServiceIDs and document come from the file, the services and wishes from the operator."""
    first, second = service(1), service(2)
    published = Published(services=attribute_service(7, "urn:oid:1") + attribute_service(4, first.urn, default=True))
    provider = NewProvider("Gemeente", "00000009900000009000")
    found = described(published.xml(), ("OLO", "GEM"), {"reading": "strict"}, provider, T0)
    assert (found.protocol, found.identity, found.name) == ("saml", SP, "Dienst 7")
    assert (found.services, found.declared, found.provider) == (("OLO", "GEM"), (first.urn,), provider)
    assert found.document.encode() == published.xml()
    assert found.settings == {"reading": "strict"}
    assert found.place([second, first]) == ((7, second), (4, first))


def test_every_finding_is_told_with_its_code() -> None:
    """The operator hears all that is to be mended at once."""
    broken = Published(consumers=(Consumer(1, PAOS), Consumer(1, PAOS, "/acs")))
    with pytest.raises(BadParty) as caught:
        described(broken.xml(), ("OLO",), {}, None, T0)
    text = str(caught.value)
    assert text.startswith("P06: We answer by HTTP-POST or HTTP-Artifact")
    assert text.count("P03: ") == 2


def test_the_wished_profile_and_reading_are_judged() -> None:
    """What is good for one profile and reading may be refused in another."""
    plain = replace(SCHEME_METADATA, encryption=(), signed=False)
    assert described(plain.xml(), ("OLO",), {"profile": Profile.EHERKENNING_111}, None, T0).identity == DV
    for wishes in (
        {"profile": Profile.EHERKENNING_113},
        {"profile": Profile.EHERKENNING_111, "reading": "strict"},
    ):
        with pytest.raises(BadParty):
            described(plain.xml(), ("OLO",), wishes, None, T0)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Gemeente\n        Voorbeeld", "Gemeente Voorbeeld"),
        ("Gemeente\u00a0\u202eVoorbeeld", "Gemeente Voorbeeld"),
        ("G" * 199 + " Voorbeeld", "G" * 199),
    ],
    ids=["over lines", "not to be printed", "long"],
)
def test_a_name_is_made_fit_to_be_shown(written: str, shown: str) -> None:
    """However the metadata write a name, the party can be registered by it: nobody can edit what is signed."""
    services = attribute_service(1, "urn:oid:1").replace("Dienst 1", written)
    found = described(Published(services=services).xml(), ("OLO",), {}, None, T0)
    assert found.name == checked_name(found.name) == shown


def test_a_long_entity_id_is_name_enough() -> None:
    """Without any name the party is called by its entity ID, cut where it is longer than a name may be."""
    entity_id = f"https://sp.example.test/{'m' * 600}"
    found = described(Published(entity_id=entity_id).xml(), ("OLO",), {}, None, T0)
    assert (found.identity, found.name) == (entity_id, checked_name(entity_id[:200]))


def test_a_file_that_is_no_metadata_is_one_sentence() -> None:
    """Whatever file is handed in, the operator gets a sentence and no trace."""
    for octets in (b"", b"\xff\xfe", b"{}", b"<a/>"):
        with pytest.raises(BadParty, match=r"^P10: "):
            described(octets, ("OLO",), {}, None, T0)
