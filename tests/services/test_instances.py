"""Several instances of one definition: in the file, in the database, at a login, and wherever a service is named."""

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from idp.domain.assertion import Assertion, Served
from idp.domain.assurance import Level
from idp.domain.parties import CatalogueAttribute
from idp.lab.seed import seed
from idp.services.authentication.login import Concluded, Waiting
from idp.services.catalogue.changes import changes
from idp.services.catalogue.file import BadCatalogue, check
from idp.services.catalogue.loading import load, store
from idp.services.catalogue.lockout import locked_out
from idp.services.catalogue.text import write_toml
from idp.services.decision.conclusion import dutch_day
from idp.services.decision.explain import Several, explain, reach
from idp.services.relying_parties.parties import BadParty, NewParty, NewProvider, add, check_services
from idp.services.work import Office
from idp.store.catalogue import read_services
from idp.store.people import Account
from tests.office import StandingClock
from tests.services.conftest import OpenOffice, Written
from tests.services.instances_kit import beside, of_three, open_instances
from tests.services.login_kit import Person, ask, events, register
from tests.services.portal_kit import catalogue, only_for, portal

THREE = of_three()
FACTS: list[tuple[str, dict[str, object]]] = [
    ("name", {"name": {"nl": "Anders", "en": "Other"}}),
    ("description", {"description": {"nl": "Anders", "en": "Other"}}),
    ("level", {"level": Level.EH4}),
    ("branches", {"takes_restriction": False}),
    ("attributes", {"attributes": (CatalogueAttribute("urn:etoegang:1.9:attribute:FirstName", False, THREE[0].name),)}),
    ("enforced_from", {"enforced_from": date(2027, 1, 1)}),
]
OWN: list[dict[str, object]] = [
    {"chains": False},
    {"sso": False},
    {"allow_lower": True},
    {"public": False},
    {"url": ""},
    {"entity_types": THREE[0].entity_types[1:]},
]


@pytest.fixture
def clock() -> StandingClock:
    """The clock of the office."""
    return StandingClock()


@pytest.fixture
def office(database: str, open_office: OpenOffice, clock: StandingClock) -> Office:
    """An office whose database holds the world."""
    made = open_office(database, clock)
    seed(made, 7)
    return made


def test_our_form_gives_back_what_was_written(written: Written) -> None:
    """domain 5.1: two instances at one provider and one at another are three entries with one definition's UUID."""
    assert check(written(write_toml(THREE))) == THREE
    assert {one.uuid for one in THREE} == {THREE[0].uuid}


@pytest.mark.parametrize(("fact", "change"), FACTS, ids=[fact for fact, _ in FACTS])
def test_what_belongs_to_the_definition_is_said_alike(
    fact: str, change: dict[str, object], office: Office, written: Written
) -> None:
    """A file in which two instances differ is refused with both and the fact, and one that leaves the others behind."""
    first, second, third = THREE
    other = replace(second, **change)  # type: ignore[arg-type]  # any fact
    sentence = f"RVO-3 and RVO-3-8 are instances of one definition .* and differ in {fact};"
    with pytest.raises(BadCatalogue, match=sentence):
        check(written(write_toml((first, other))))
    open_instances(office)
    with pytest.raises(BadCatalogue, match=f"differ in {fact};"), office.work("test") as work:
        load(work, written(write_toml((other,))))
    every = tuple(replace(one, **change) for one in (first, second, third))  # type: ignore[arg-type]  # any fact
    with office.work("test") as work:
        load(work, written(write_toml(every)))
    known = office.directory.services()
    assert [one for one in known if one.uuid == first.uuid] == [*every]


@pytest.mark.parametrize("change", OWN, ids=[next(iter(one)) for one in OWN])
def test_an_instance_has_facts_of_its_own(change: dict[str, object], written: Written) -> None:
    """domain 5.2, EC-5: how an instance is entered, who sees it and which identifiers it takes is its own business."""
    services = (THREE[0], replace(THREE[1], **change))  # type: ignore[arg-type]  # any fact
    assert check(written(write_toml(services))) == services


def granted(result: object) -> Assertion:
    """The assertion of a concluded login."""
    assert isinstance(result, Concluded), result
    assert isinstance(result.outcome, Assertion), result.outcome
    return result.outcome


def let_in(office: Office, slug: str) -> bool:
    """Whether anna is let in at a service, with a code of her own each time."""
    assert isinstance(office.clock, StandingClock)
    office.clock.move(timedelta(seconds=30))
    result = Person(office, "anna").log_in(ask(register(office, slug)))
    return isinstance(result, Concluded) and isinstance(result.outcome, Assertion)


def test_a_mandate_for_the_definition_counts_at_every_instance(office: Office) -> None:
    """domain 4.1: instances share the entitlement, those of another provider too; each is recorded by its own UUID."""
    made = open_instances(office)
    with office.work("test") as work:
        only_for(work, "anna", made[1])
    assert [let_in(office, one.slug) for one in made] == [True, True, True]
    assert not let_in(office, "RVO-2PLUS")
    told = [json.loads(one)["service"] for one in events(office, "login.granted")]
    assert told == [one.instance_uuid for one in made]


def test_a_mandate_for_a_provider_counts_where_the_instance_is_its(office: Office) -> None:
    """domain 7.1: who may act at all services of RVO may not do so at the municipality's instance of one of them."""
    first, second, third = open_instances(office)
    with office.work("test") as work:
        only_for(work, "anna", first, scope="provider", service_uuid=None, provider_oin=first.provider.oin)
    assert [let_in(office, one.slug) for one in (first, second, third)] == [True, True, False]
    with office.work("test") as work:
        only_for(work, "anna", first, scope="provider", service_uuid=None, provider_oin=third.provider.oin)
    assert [let_in(office, one.slug) for one in (first, second, third)] == [False, False, True]


def test_a_party_asks_for_either_of_two_instances(office: Office) -> None:
    """A party may have several instances of one definition; what it hears is about the one that it asked for."""
    first, second, _ = open_instances(office)
    with office.work("test") as work:
        party = add(work, NewParty("saml", "urn:both", "B", "<d/>", (first.slug, second.slug))).party
    assert [one for _, one in party.services] == [first, second]
    for one in (first, second):
        waiting = Person(office, "anna").begin(ask(party, service=one.instance_uuid))
        assert isinstance(waiting, Waiting)
        assert waiting.login.asked.service == one.instance_uuid
    with office.work("test") as work:
        only_for(work, "anna", first)
    assert granted(Person(office, "anna").log_in(ask(party, service=second.instance_uuid))).level is Level.EH3


def test_a_portal_leads_to_two_instances(office: Office) -> None:
    """domain 7.6: each instance behind a portal is told by its ServiceID, with the definition's UUID."""
    first, second, _ = open_instances(office)
    made = portal((second, first))
    with office.work("test") as work:
        store(work, (made,))
        only_for(work, "anna", first)
    found = granted(Person(office, "anna").log_in(ask(register(office, made.slug))))
    assert found.services == (Served(second.urn, first.uuid), Served(first.urn, first.uuid))


@pytest.mark.parametrize("name", ["slug", "urn", "instance_uuid"])
def test_a_portal_names_one_of_several_instances(name: str, written: Written) -> None:
    """By what is its own one is named among several; the UUID of the definition leaves that open, and is refused."""
    first, second, third = THREE
    made = portal((second,))
    toml = write_toml((first, second, made, third))
    line = next(one for one in toml.splitlines() if one.startswith("portal_for"))
    called = toml.replace(line, f'portal_for = ["{getattr(second, name)}"]')
    assert check(written(called))[2].portal_for == (second.instance_uuid,)
    with pytest.raises(BadCatalogue, match=r"portal_for names .*, the UUID of several \(RVO-3, RVO-3-8\)"):
        check(written(toml.replace(line, f'portal_for = ["{first.uuid}"]')))
    alone = write_toml((first, made, third)).replace(line, f'portal_for = ["{first.uuid}"]')
    assert check(written(alone))[1].portal_for == (first.instance_uuid,)


def test_the_uuid_of_a_definition_names_no_single_service(office: Office) -> None:
    """Where one service has to be meant, the command says which there are."""
    first, second, third = open_instances(office)
    with pytest.raises(Several, match="name one of RVO-3, RVO-3-8, RVO-3-9"):
        explain(office, "anna", first.uuid.upper())
    for one in (first, second, third):
        found = explain(office, "anna", one.instance_uuid)
        assert found is not None
        assert found.granted
    with pytest.raises(BadParty, match="UUID of several services"), office.work("test") as work:
        check_services(work, (first.uuid,))
    with office.work("test") as work:
        check_services(work, (first.instance_uuid, second.slug))


def test_copies_of_instances_share_a_copy_of_the_definition(office: Office) -> None:
    """RUL-10: a new provider that gets two instances of one definition has one definition of its own."""
    first, second, _ = open_instances(office)
    new = NewParty("saml", "urn:c", "C", "<d/>", (first.slug, second.slug), provider=NewProvider("Polder", "1" * 20))
    with office.work("test") as work:
        party = add(work, new).party
    copies = [one for _, one in party.services]
    assert len({one.uuid for one in copies} | {first.uuid}) == 2
    assert len({one.instance_uuid for one in (*copies, first, second)}) == 4


def test_a_change_of_the_definition_is_one_of_each_instance(office: Office) -> None:
    """F06: the dry run lists every instance with what changes, and who is locked out of each of them."""
    made = open_instances(office)
    day = dutch_day(office.clock.now()) + timedelta(days=30)
    after = [replace(one, takes_restriction=False, enforced_from=day) for one in made]
    with office.reading() as connection:
        found = changes(read_services(connection), after)
        lost = list(locked_out(connection, found, dutch_day(office.clock.now()), lambda _judged, _found: None))
    assert [one.after.slug for one in found] == [one.slug for one in made]
    assert {tuple(one.fact for one in change.differences) for change in found} == {("branches", "enforced_from")}
    who = {one.slug: {each.username for each in lost if each.service == one} for one in after}
    assert who["RVO-3"] == who["RVO-3-8"] == who["RVO-3-9"]
    assert all(one.day == day for one in lost)
    assert who["RVO-3"]


def test_an_instance_of_its_own_is_no_change_of_the_others(office: Office) -> None:
    """A further instance is new, and the ones that there are stay as they were."""
    with office.reading() as connection:
        before = read_services(connection)
    (change,) = changes(before, [catalogue()["RVO-3"], beside(catalogue()["RVO-3"])])
    assert (change.before, change.after.slug) == (None, "RVO-3-8")


def test_people_see_one_service_where_instances_are_decided_alike(office: Office) -> None:
    """F03: trying one's means names a service once at each provider, and twice where two instances take other ways."""
    made = open_instances(office)
    with office.reading() as connection:
        account = str(connection.execute(select(Account.id).where(Account.username == "anna")).scalar_one())

    def told() -> list[str]:
        return [one.service.provider.oin for one in reach(office, account) if one.service.uuid == made[0].uuid]

    assert sorted(told()) == sorted({one.provider.oin for one in made})
    with office.work("test") as work:
        store(work, (replace(made[1], chains=False),))
    assert len(told()) == 3
