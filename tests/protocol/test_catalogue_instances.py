"""Several instances of one definition in the scheme's XML, of whichever provider (domain 5.1)."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from lxml import etree

from idp.domain.parties import Service
from idp.protocols.saml.catalogue.names import ESC, catalogue_schema
from idp.services.catalogue.file import BadCatalogue, read_toml
from idp.services.catalogue.text import write_toml
from tests.protocol.test_catalogue_portals import EIDAS, with_portal, xml_of
from tests.protocol.test_service_catalogue import INSTANCE, KVK, OIN, UUID, drafted, read
from tests.services.instances_kit import of_three
from tests.services.portal_kit import portal

OTHER = "00000001999999999002"
FIRST, SECOND, THIRD = of_three()


def elements(octets: bytes, name: str) -> list[etree._Element]:
    """The elements of a valid catalogue by this name."""
    root = etree.fromstring(octets)
    catalogue_schema().validate(root)
    return list(root.iter(f"{{{ESC}}}{name}"))


def text(node: etree._Element, name: str) -> str | None:
    """The text of a child."""
    return node.findtext(f"{{{ESC}}}{name}")


@pytest.mark.parametrize(
    "services",
    [
        (FIRST, SECOND),
        (FIRST, SECOND, THIRD),
        (THIRD, SECOND, FIRST),
        (FIRST, replace(SECOND, entity_types=((KVK,),), public=False, sso=False, chains=False), THIRD),
        (replace(FIRST, public=False), SECOND),
        (FIRST, portal((FIRST,), uuid=SECOND.uuid, name=FIRST.name, description=FIRST.description)),
    ],
    ids=["one provider", "two", "the other first", "facts of its own", "hidden", "one is a portal"],
)
def test_instances_survive_the_scheme(services: tuple[Service, ...]) -> None:
    """What we write is valid, has the definition once, and is read as the very same services, as is our own form."""
    octets = xml_of(services)
    assert [text(one, "ServiceUUID") for one in elements(octets, "ServiceDefinition")] == [FIRST.uuid]
    instances = elements(octets, "ServiceInstance")
    assert [text(one, "InstanceOfService") for one in instances] == [FIRST.uuid] * len(services)
    assert [text(one, "ServiceUUID") for one in instances] == [one.instance_uuid for one in services]
    assert read(octets).services == services
    assert read_toml(write_toml(services).encode(), Path("x")) == services


def test_entity_types_of_an_instance_are_written_where_they_differ() -> None:
    """EC-5: an instance says only what replaces the definition's."""
    octets = xml_of((FIRST, replace(SECOND, entity_types=((KVK,),)), THIRD))
    said = [len(one.findall(f"{{{ESC}}}EntityConcernedTypesAllowed")) for one in elements(octets, "ServiceInstance")]
    assert said == [0, 1, 0]


def instance(number: int, **changes: str) -> str:
    """A further instance of the draft's definition."""
    plain = drafted(urn=f"urn:etoegang:DV:{OIN}:services:{number}", instance=INSTANCE[:-1] + str(number), **changes)
    found = plain.decode()
    return found[found.index("<esc:ServiceInstance") : found.index("</esc:ServiceProvider>")]


def definition() -> str:
    """The draft's definition."""
    plain = drafted().decode()
    return plain[plain.index("<esc:ServiceDefinition") : plain.index("<esc:ServiceInstance")]


def with_instances(*more: str) -> bytes:
    """A provider's draft whose definition has further instances."""
    return drafted().replace(b"</esc:ServiceProvider>", "".join((*more, "</esc:ServiceProvider>")).encode())


def test_a_provider_lists_several_instances() -> None:
    """domain 5.1: each is an entry, named by OIN and index for good; a note about the definition is told once."""
    draft = read(with_instances(instance(7), instance(8)))
    named = [(one.slug, one.uuid, one.instance_uuid[-1]) for one in draft.services]
    assert named == [(f"{OIN}-1", UUID, "6"), (f"{OIN}-7", UUID, "7"), (f"{OIN}-8", UUID, "8")]
    assert len([note for note in draft.notes if "ServiceDescription has no text" in note]) == 1


def test_a_known_instance_keeps_what_is_ours() -> None:
    """An instance is known by its UUID; a further one of a known definition has its date and nothing else of ours."""
    (known,) = read(drafted()).services
    known = replace(known, slug="LOKET", chains=True, enforced_from=date(2027, 1, 1))
    first, second = read(with_instances(instance(7)), known=(known,)).services
    assert (first.slug, first.chains, first.enforced_from) == ("LOKET", True, known.enforced_from)
    assert (second.slug, second.chains, second.enforced_from) == (f"{OIN}-7", False, known.enforced_from)


def at_another(definition: bool, **changes: str) -> bytes:
    """A draft with a second provider that has an instance, and perhaps the definition too."""
    urn = f"urn:etoegang:DV:{OTHER}:services:7"
    its = drafted(oin=OTHER, urn=urn, instance=INSTANCE[:-1] + "7", **changes).decode()
    its = its[its.index("<esc:ServiceProvider ") : its.index("</esc:ServiceCatalogue>")]
    if not definition:
        its = its[: its.index("<esc:ServiceDefinition")] + its[its.index("<esc:ServiceInstance") :]
    return drafted().replace(b"</esc:ServiceCatalogue>", f"{its}</esc:ServiceCatalogue>".encode())


@pytest.mark.parametrize("definition", [True, False])
def test_an_instance_may_be_of_a_definition_elsewhere(definition: bool) -> None:
    """domain 4.1: providers share a definition by pointing to it, or by each having it under the same UUID."""
    services = read(at_another(definition)).services
    assert [(one.provider.oin, one.uuid) for one in services] == [(OIN, UUID), (OTHER, UUID)]
    assert services[0].name == services[1].name


def test_definitions_of_one_uuid_have_to_agree() -> None:
    """Two providers that say otherwise of what they share are both named."""
    with pytest.raises(BadCatalogue, match=f"{OIN}-1 and {OTHER}-7 are instances of one definition .* differ in level"):
        read(at_another(True, level="urn:etoegang:core:assurance-class:loa4"))


@pytest.mark.parametrize(
    ("octets", "sentence"),
    [
        (with_instances(instance(7, of=UUID[:-1] + "9")), r"line \d+: InstanceOfService names no definition of this"),
        (with_instances(instance(1)), "instance_uuid .* is used twice|urn .* is used twice"),
        (drafted(more=definition()), r"line \d+: the definition .* stands twice"),
    ],
    ids=["nowhere", "twice", "defined twice"],
)
def test_faults_are_sentences(octets: bytes, sentence: str) -> None:
    """domain 5.6: an instance of nothing, the same instance again, and a definition said twice by one provider."""
    with pytest.raises(BadCatalogue, match=sentence):
        read(octets)


def test_what_is_left_out_is_the_instance() -> None:
    """One instance for eIDAS leaves the definition its others, and the portal that names the definition its way in."""
    with_one = with_portal(UUID).decode()
    foreign = instance(7).replace("</esc:ServiceInstance>", f"{EIDAS}</esc:ServiceInstance>")
    draft = read(with_one.replace("</esc:ServiceProvider>", f"{foreign}</esc:ServiceProvider>").encode())
    assert {one.urn.number: one.portal_for for one in draft.services} == {2: (INSTANCE,), 1: ()}
    assert any("services:7 is for identifiers" in note for note in draft.notes)
