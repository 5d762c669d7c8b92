"""Portals in the scheme's XML: written valid, read as the same services, and judged in words (domain 5.2)."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from idp.domain.parties import Service
from idp.protocols.saml.catalogue.names import ESC, catalogue_schema
from idp.protocols.saml.catalogue.writer import published, signed_catalogue, write_catalogue
from idp.protocols.saml.xmlsec.signing import Signatory
from idp.services.catalogue.file import BadCatalogue, read_toml
from idp.services.catalogue.loading import load, store
from idp.services.catalogue.text import write_toml
from idp.services.directory import Directory
from idp.services.work import Office
from idp.settings import product_file
from tests.office import T0, Never
from tests.protocol.saml_kit import Bench
from tests.protocol.saml_messages import fixed_key
from tests.protocol.test_service_catalogue import INSTANCE, OIN, OURS, UUID, drafted, read
from tests.services.portal_kit import BEHIND, catalogue, portal

SECOND = UUID[:-1] + "9"
EIDAS = "<esc:Classifiers><esc:Classifier>eIDAS-inbound</esc:Classifier></esc:Classifiers>"


def of_rvo(**changes: object) -> tuple[Service, ...]:
    """Both services of RVO and a portal for them."""
    behind = [catalogue()[slug] for slug in BEHIND]
    return *behind, portal(behind, **changes)


def xml_of(services: tuple[Service, ...]) -> bytes:
    """The services as a signed catalogue."""
    return write_catalogue(services, OURS, ("urn:etoegang:1.13:service-catalogue:T:1", T0), Signatory(fixed_key("sp")))


def with_portal(names: str, stated: str = ' esc:IsPortal="true"') -> bytes:
    """A provider's draft with a second service, a portal for ``names``, before the first one."""
    plain = drafted().decode()
    definition = plain[plain.index("<esc:ServiceDefinition") : plain.index("<esc:ServiceInstance")]
    instance = plain[plain.index("<esc:ServiceInstance") : plain.index("</esc:ServiceProvider>")]
    second = definition.replace(UUID, SECOND).replace("<esc:ServiceDefinition", f"<esc:ServiceDefinition{stated}")
    lead = "".join(f"<esc:PortalForService>{name}</esc:PortalForService>" for name in names.split())
    its = instance.replace(UUID, SECOND).replace(INSTANCE, INSTANCE[:-1] + "8").replace(":services:1", ":services:2")
    its = its.replace("</esc:ServiceInstance>", f"{lead}</esc:ServiceInstance>")
    its = its.replace("<esc:ServiceInstance", f"<esc:ServiceInstance{stated}")
    return plain.replace(definition + instance, second + definition + its + instance).encode()


def test_a_portal_survives_the_scheme() -> None:
    """What we write is schema-valid and names ServiceIDs, and is read as the very same services, in any order."""
    for services in (of_rvo(), tuple(reversed(of_rvo())), of_rvo(portal_for=(catalogue()["RVO-2PLUS"].instance_uuid,))):
        octets = xml_of(services)
        root = etree.fromstring(octets)
        catalogue_schema().validate(root)
        assert etree.tostring(root, method="c14n", exclusive=True) == octets
        assert read(octets).services == services
        assert read_toml(write_toml(services).encode(), Path("x")) == services
        made = next(one for one in services if one.portal_for)
        told = [one.text for one in root.iter(f"{{{ESC}}}PortalForService")]
        assert told == [next(one.urn for one in services if one.instance_uuid == uuid) for uuid in made.portal_for]
        assert [one.get(f"{{{ESC}}}IsPortal") for one in root.iter(f"{{{ESC}}}ServiceInstance")].count("true") == 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.permutations(range(3)), st.lists(st.sampled_from(range(2)), unique=True, max_size=2), st.booleans())
def test_both_forms_say_the_same(order: list[int], behind: list[int], public: bool) -> None:
    """Whatever a portal is for, wherever it stands, TOML and XML are read as equal services."""
    first, second, made = of_rvo(public=public)
    named = tuple((first, second)[place].instance_uuid for place in behind)
    every = (first, second, replace(made, portal_for=named))
    services = tuple(every[place] for place in order)
    assert read(xml_of(services)).services == read_toml(write_toml(services).encode(), Path("x")) == services


def test_a_service_that_is_not_in_the_document_is_named_by_its_uuid() -> None:
    """Nothing is lost where a portal is written without its services; it is read where those are known."""
    first, second, made = of_rvo()
    octets = xml_of((made,))
    assert f"<esc:PortalForService>urn:uuid:{first.instance_uuid}</esc:PortalForService>".encode() in octets
    assert read(octets, known=(first, second)).services == (made,)
    with pytest.raises(BadCatalogue, match="no such service here"):
        read(octets)


@pytest.mark.parametrize("name", [f"urn:etoegang:DV:{OIN}:services:1", UUID, f"urn:uuid:{UUID.upper()}", INSTANCE])
@pytest.mark.parametrize("stated", [' esc:IsPortal="true"', ""])
def test_a_provider_names_services_as_it_likes(name: str, stated: str) -> None:
    """By ServiceID or either UUID; PortalForService makes a portal whether or not IsPortal says so too."""
    found = {one.uuid: one.portal_for for one in read(with_portal(name, stated)).services}
    assert found == {SECOND: (INSTANCE,), UUID: ()}


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ("", r"line \d+: IsPortal is true, but no PortalForService"),
        (f"urn:etoegang:DV:{OIN}:services:7", r"line \d+: service .*:services:2: portal_for names .*:services:7"),
        (f"urn:etoegang:DV:{OIN}:services:2", "which is the portal itself"),
        (f"{UUID} {INSTANCE}", "names a service twice"),
    ],
)
def test_faults_name_the_portal(names: str, sentence: str) -> None:
    """domain 5.6: a portal that leads nowhere, out of the catalogue, back or twice is a sentence with its line."""
    with pytest.raises(BadCatalogue, match=sentence):
        read(with_portal(names))


def test_what_is_left_out_stands_behind_no_portal() -> None:
    """A service for eIDAS is left out, and so is a portal for nothing else; the portal keeps what is offered here."""
    third = UUID[:-1] + "7"
    both = with_portal(f"{UUID} urn:etoegang:DV:{OIN}:services:3").decode()
    definition = both[both.rindex("<esc:ServiceDefinition") : both.index("<esc:ServiceInstance")]
    instance = both[both.rindex("<esc:ServiceInstance") : both.index("</esc:ServiceProvider>")]
    foreign = definition.replace(UUID, third)
    its = instance.replace(UUID, third).replace(INSTANCE, INSTANCE[:-1] + "3").replace(":services:1", ":services:3")
    its = its.replace("</esc:ServiceInstance>", f"{EIDAS}</esc:ServiceInstance>")
    octets = both.replace(definition, definition + foreign, 1).replace(instance, instance + its, 1).encode()
    draft = read(octets)
    assert {one.uuid: one.portal_for for one in draft.services} == {SECOND: (INSTANCE,), UUID: ()}
    assert any("no service of this portal either" in note for note in draft.notes)
    alone = octets.replace(f"<esc:PortalForService>{UUID}</esc:PortalForService>".encode(), b"")
    assert [one.uuid for one in read(alone).services] == [UUID]


@pytest.fixture
def office(bench: Bench) -> Office:
    """An office with committed keys, a clock that stands still, and the demo's catalogue."""
    made = replace(bench.office, directory=Directory(bench.office.engine, Never()))
    with made.work("test") as work:
        load(work, product_file("config", "catalogue.toml"))
    return made


def test_a_portal_is_published_with_what_is_public(office: Office) -> None:
    """The address for everybody names public services alone; the whole catalogue names all of them."""
    first, _second, made = of_rvo()
    with office.work("test") as work:
        store(work, (replace(first, public=False), made))
    office.directory._looked_at = float("-inf")
    told = published(office)
    assert f"<esc:PortalForService>{catalogue()['RVO-2PLUS'].urn}<".encode() in told
    assert first.urn.encode() not in told
    assert first.uuid.encode() not in told
    whole = signed_catalogue(office, office.directory.services())
    assert f"<esc:PortalForService>{first.urn}<".encode() in whole
