"""Portals in the catalogue: what a file may say of them, in either form, and what stays true when it changes."""

import json
from dataclasses import replace

import pytest

from idp.domain.assurance import Level
from idp.domain.identifiers import InstanceUuid, Oin
from idp.domain.parties import Service
from idp.lab.seed import seed
from idp.services.catalogue.changes import changes
from idp.services.catalogue.file import BadCatalogue, check
from idp.services.catalogue.loading import as_data, load, store
from idp.services.catalogue.lockout import locked_out
from idp.services.catalogue.portals import portal_faults, shown
from idp.services.catalogue.text import write_toml
from idp.services.decision.conclusion import dutch_day
from idp.services.relying_parties.parties import BadParty, NewParty, NewProvider, add
from idp.services.work import Office
from idp.store.catalogue import read_services
from tests.services.conftest import OpenOffice, Written
from tests.services.portal_kit import BEHIND, catalogue, only_for, open_portal, portal


@pytest.fixture
def office(database: str, open_office: OpenOffice) -> Office:
    """An office whose database holds the world."""
    made = open_office(database)
    seed(made, 7)
    return made


def of_rvo(**changes: object) -> tuple[Service, ...]:
    """Both services of RVO and a portal for them."""
    behind = [catalogue()[slug] for slug in BEHIND]
    return *behind, portal(behind, **changes)


def known(*services: Service) -> dict[InstanceUuid, Service]:
    """Services by UUID."""
    return {one.instance_uuid: one for one in services}


def listed(*names: str) -> str:
    """The file of RVO in which the portal is for services by these names."""
    toml = write_toml(of_rvo())
    line = next(one for one in toml.splitlines() if one.startswith("portal_for"))
    return toml.replace(line, f"portal_for = {json.dumps(names)}")


def test_what_is_written_is_read_again(written: Written) -> None:
    """A portal in our TOML is the portal that was written, its services in their order."""
    services = of_rvo()
    assert check(written(write_toml(services))) == services
    turned = of_rvo(portal_for=tuple(reversed(services[2].portal_for)))
    assert check(written(write_toml(turned))) == turned


@pytest.mark.parametrize("name", ["slug", "urn", "uuid", "instance_uuid"])
def test_a_portal_names_its_services_in_four_ways(name: str, written: Written) -> None:
    """By our name, ServiceID, UUID of the definition or of the instance, the UUID in any letters and as a URI too."""
    first = of_rvo()[0]
    called = str(getattr(first, name))
    for one in (called, f"urn:uuid:{called.upper()}") if "uuid" in name else (called,):
        assert check(written(listed(one)))[2].portal_for == (first.instance_uuid,)


def test_a_loaded_service_may_stand_behind_a_portal(office: Office, written: Written) -> None:
    """A file with the portal alone is good where its services are loaded, and is told so where they are not."""
    alone = written(write_toml([of_rvo()[2]]))
    with office.work("test") as work:
        (loaded,) = load(work, alone)
    assert loaded in office.directory.services()
    with pytest.raises(BadCatalogue, match=r"service MIJN-RVO: portal_for names .* no such service here"):
        check(alone)


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (("RVO-3", "NONE"), "portal_for names NONE, and there is no such service here"),
        (("RVO-3", "2d6c1f1e-7b66-4c2f-8d64-2f1b6f8d1001"), "names a service twice"),
        (("RVO-3", "MIJN-RVO"), "is for MIJN-RVO, which is the portal itself"),
    ],
)
def test_a_wrong_name_is_told(names: tuple[str, ...], sentence: str, written: Written) -> None:
    """domain 5.6: a name that leads nowhere, twice to the same service or back to the portal is a sentence."""
    with pytest.raises(BadCatalogue, match=sentence):
        check(written(listed(*names)))


@pytest.mark.parametrize("value", ['"RVO-3"', "[1]", "[[]]"])
def test_names_are_a_list_of_texts(value: str, written: Written) -> None:
    """Anything else than a list of texts is a sentence with the key in it."""
    toml = listed("RVO-3").replace('portal_for = ["RVO-3"]', f"portal_for = {value}")
    with pytest.raises(BadCatalogue, match="portal_for must be"):
        check(written(toml))


CHANGES: list[tuple[dict[str, object], str]] = [
    ({"level": Level.EH4}, "is for RVO-3, which asks EH4; the portal has to ask that too, and asks EH3"),
    ({"sso": False}, "is for RVO-3, which takes no kept session"),
    ({"provider": replace(catalogue()["GEM"].provider, oin=Oin("0" * 20))}, "belongs to another provider"),
]


@pytest.mark.parametrize(("change", "sentence"), CHANGES, ids=["level", "session", "provider"])
def test_a_portal_cannot_give_away_what_a_service_guards(change: dict[str, object], sentence: str) -> None:
    """A service that asks more, takes no kept session (S-8) or is another provider's (RUL-10) is refused behind it."""
    services = known(*of_rvo())
    first, *_ = services.values()
    assert list(portal_faults(services, services.values())) == []
    changed = replace(first, **change)  # type: ignore[arg-type]  # any fact
    faults = list(portal_faults(services | {first.instance_uuid: changed}, services.values()))
    assert len(faults) == 1
    assert sentence in faults[0]


def test_a_portal_leads_to_services_of_their_own() -> None:
    """A portal of a portal, and one that lets requests ask less, are sentences."""
    first, second, made = of_rvo()
    services = known(first, replace(second, portal_for=(first.instance_uuid,), level=Level.EH3), made)
    assert [one for one in portal_faults(services, services.values()) if "is a portal too" in one]
    lower = known(*of_rvo(allow_lower=True))
    assert [one for one in portal_faults(lower, lower.values()) if "may not allow a lower level" in one]


def test_a_later_load_cannot_break_a_portal(office: Office) -> None:
    """A file that raises a service above the portal before it is refused, and changes nothing."""
    open_portal(office)
    raised = replace(catalogue()["RVO-3"], level=Level.EH4)
    with pytest.raises(BadCatalogue, match="the portal has to ask that too"), office.work("test") as work:
        store(work, (raised,))
    together = replace(raised, level=Level.EH3, chains=False)
    with office.work("test") as work:
        store(work, (together,))
    assert together in office.directory.services()


def test_lists_for_everyone_keep_private_services_to_themselves() -> None:
    """domain 5.2: a public portal names its public services alone, and without one it is not listed."""
    first, second, made = of_rvo()
    assert shown([first, second, made]) == [first, second, made]
    hidden = replace(first, public=False)
    assert shown([hidden, second, made]) == [second, replace(made, portal_for=(second.instance_uuid,))]
    assert shown([hidden, replace(second, public=False), made]) == []
    assert as_data(made)["portal_for"] == [first.instance_uuid, second.instance_uuid]


def test_copies_of_a_portal_lead_to_copies(office: Office) -> None:
    """RUL-10: a new provider's portal is for its own services; copying the portal alone is refused with what to do."""
    made = open_portal(office)
    alone = NewParty("saml", "urn:a", "A", "<d/>", (made.slug,), provider=NewProvider("Waterschap", "1" * 20))
    with pytest.raises(BadParty, match="name the services behind it too"), office.work("test") as work:
        add(work, alone)
    every = replace(alone, services=(made.slug, *BEHIND))
    with office.work("test") as work:
        party = add(work, every).party
    copy, *behind = [service for _, service in party.services]
    assert copy.portal_for == tuple(one.instance_uuid for one in behind)
    assert {one.instance_uuid for one in party.led_to} == set(copy.portal_for)
    assert not set(copy.portal_for) & set(made.portal_for)


def test_the_dry_run_names_who_loses_a_portal(office: Office) -> None:
    """F06: taking one service from a portal locks out exactly those for whom it was the only one behind it."""
    made = open_portal(office)
    first, second = (catalogue()[slug] for slug in BEHIND)
    with office.work("test") as work:
        only_for(work, "anna", first)
    today = dutch_day(office.clock.now())
    with office.reading() as connection:
        before = read_services(connection)
        less = changes(before, [replace(made, portal_for=(second.instance_uuid,))])
        lost = list(locked_out(connection, less, today, lambda _judged, _found: None))
        other = changes(before, [replace(made, portal_for=(second.instance_uuid, first.instance_uuid))])
        same = list(locked_out(connection, other, today, lambda _judged, _found: None))
    assert [(one.username, one.service.slug, one.reasons[0][1]) for one in lost] == [("anna", "MIJN-RVO", "NO_MANDATE")]
    assert same == []
