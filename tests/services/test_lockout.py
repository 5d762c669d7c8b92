"""The dry run of a catalogue: it names exactly those who would lose access, by the decision itself."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from idp.domain.assurance import Level
from idp.domain.decision import Asked, Granted, options
from idp.domain.identifiers import InstanceUuid
from idp.domain.parties import Service
from idp.lab.populate import populate
from idp.lab.seed import seed
from idp.lab.world import read
from idp.services.catalogue.changes import changes
from idp.services.catalogue.file import ENTITY_TYPES
from idp.services.catalogue.lockout import LockedOut, locked_out
from idp.services.decision.conclusion import dutch_day
from idp.services.decision.explain import all_factors
from idp.services.work import Office
from idp.store.catalogue import read_services
from idp.store.facts import Way, every_way, ways_of
from idp.store.people import Account
from tests.services.conftest import OpenOffice

KVK, RSIN = ENTITY_TYPES["KvKnr"], ENTITY_TYPES["RSIN"]
# Changes of a service, and none that a decision looks at.
CHANGES = {
    "to EH3": {"level": Level.EH3},
    "to EH4": {"level": Level.EH4},
    "to EH1": {"level": Level.EH1},
    "no branches": {"takes_restriction": False},
    "branches": {"takes_restriction": True},
    "no chains": {"chains": False},
    "all at once": {"level": Level.EH3, "takes_restriction": False, "chains": False},
    "words": {"name": {"nl": "Anders", "en": "Different"}, "url": ""},
}


@pytest.fixture
def office(sqlite_database: str, open_office: OpenOffice, tmp_path: Path) -> Office:
    """An office whose database holds the world."""
    made = open_office(sqlite_database, paths__data=str(tmp_path))
    seed(made, 7)
    return made


def everybody(office: Office) -> list[tuple[str, Way]]:
    """Every way to act with the username of its account."""
    with office.reading() as connection:
        return [(name, way) for _, people in every_way(connection) for name, ways in people for way in ways]


def dry_run(office: Office, after: list[Service]) -> list[LockedOut]:
    """Whom a changed catalogue would lock out."""
    with office.reading() as connection:
        found = changes(read_services(connection), after)
        return list(locked_out(connection, found, dutch_day(office.clock.now()), lambda _judged, _found: None))


def granted(office: Office, service: Service, day: date) -> set[tuple[str, str]]:
    """Every persona with every organisation for which the decision lets them in, one account at a time."""
    let_in = set()
    with office.reading() as connection:
        for username, account in connection.execute(select(Account.username, Account.id)).all():
            held = [way.held for way in ways_of(connection, account)]
            asked = Asked(service.target, service.level, service.chains)
            for one in options(asked, held, all_factors(service.level, held), day):
                if isinstance(one.decision, Granted):
                    let_in.add((username, one.held.key))
    return let_in


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_exactly_those_who_lose_access_are_named(office: Office, change: dict[str, object]) -> None:
    """F06: at every service, whoever the decision lets in now and not after the change is listed, and nobody else."""
    today = dutch_day(office.clock.now())
    with office.reading() as connection:
        before = read_services(connection)
    kvk_of = {(name, way.held.key): way.principal.kvk for name, way in everybody(office)}
    after = [replace(one, **change) for one in before]  # type: ignore[arg-type]  # any fact
    found = dry_run(office, after)
    for old, new in zip(before, after, strict=True):
        lost = granted(office, old, today) - granted(office, new, today)
        named = [(one.username, one.organisation.kvk) for one in found if one.service.slug == old.slug]
        assert sorted(named) == sorted((name, kvk_of[name, key]) for name, key in lost)
        let_in = {name for name, _ in granted(office, new, today)}
        assert all(one.entirely == (one.username not in let_in) for one in found if one.service.slug == old.slug)


def test_the_personas_of_the_table_are_told_their_reasons(office: Office) -> None:
    """OLO raised to EH3 without branches: the weaker means by D01, the branches by D05, a lost responder by A07."""
    with office.reading() as connection:
        after = [
            replace(one, level=Level.EH3, takes_restriction=False) if one.slug == "OLO" else one
            for one in read_services(connection)
        ]
    told = {one.username: [code for code, _ in one.reasons] for one in dry_run(office, after)}
    names = {persona.id for persona in read().personas}
    assert told.keys() <= names
    assert (told["emre"], told["fleur"], told["chris"], told["zohra"]) == (["D01"], ["D01"], ["D05"], ["A07"])
    assert not told.keys() & {"anna", "bram", "tess", "quinten", "uma"}


def test_nothing_that_counts_changed_so_nobody_is_judged(office: Office) -> None:
    """Other words, attributes or a date that is past cost no look at any account."""
    with office.reading() as connection:
        before = read_services(connection)
        after = [replace(one, name={"nl": "A", "en": "B"}, enforced_from=date(2019, 1, 1)) for one in before]
        found = changes(before, after)
        people = locked_out(connection, found, dutch_day(office.clock.now()), lambda _judged, _found: None)
    # The transaction is over, so looking would fail.
    assert len(found) == len(before)
    assert list(people) == []


def test_a_company_that_cannot_be_named_is_locked_out(office: Office) -> None:
    """EC-4: where only the RSIN is accepted, who has none loses access, though the decision knows no such reason."""
    with office.reading() as connection:
        after = [replace(one, entity_types=((RSIN,),)) for one in read_services(connection)]
    without = {way.principal.kvk for _, way in everybody(office) if way.principal.rsin is None}
    found = dry_run(office, after)
    assert found
    assert {one.organisation.kvk for one in found} <= without
    assert {one.reasons for one in found} == {(("P15", "ENTITY_TYPE"),)}


def test_a_date_to_come_names_who_is_not_ready(office: Office) -> None:
    """F06: a new date of enforcement lists who uses the service and would be refused on that day, and says why."""
    day = dutch_day(office.clock.now()) + timedelta(days=30)
    with office.reading() as connection:
        after = [replace(one, enforced_from=day) if one.slug == "UWV" else one for one in read_services(connection)]
    found = dry_run(office, after)
    told = {one.username: one.reasons[0][0] for one in found}
    assert (told["emre"], told["chris"], told["hana"]) == ("D01", "D05", "D03")
    # In order already, no user of the service, or without any means in force.
    assert not told.keys() & {"anna", "gijs", "quinten", "uma", "karim"}
    assert all(one.by_date and one.day == day for one in found)


def test_a_change_with_a_date_is_judged_on_that_day(office: Office) -> None:
    """Nobody is listed for what ends by itself: both catalogues are held against the day of the change."""
    far = dutch_day(office.clock.now()) + timedelta(days=3650)
    with office.reading() as connection:
        after = [
            replace(one, level=Level.EH4, enforced_from=far) if one.slug == "OLO" else one
            for one in read_services(connection)
        ]
    assert all(one.by_date for one in dry_run(office, after))


def test_a_new_service_locks_nobody_out(office: Office) -> None:
    """Who never could log in does not lose that."""
    with office.reading() as connection:
        known = read_services(connection)
    other = InstanceUuid(known[0].instance_uuid[:-1] + "f")
    new = replace(known[0], instance_uuid=other, slug="NEW", level=Level.EH4)
    assert dry_run(office, [*known, new]) == []


def test_portions_lose_nobody(database: str, open_office: OpenOffice, tmp_path: Path) -> None:
    """Every account with means comes once and with all its ways, also when there are more than fit in one portion."""
    office = open_office(database, paths__data=str(tmp_path))
    seed(office, 7)
    populate(office, 1201, 0, 0)
    with office.reading() as connection:
        portions = list(every_way(connection))
        one_by_one = {
            username: ways
            for username, account in connection.execute(select(Account.username, Account.id)).all()
            if (ways := ways_of(connection, account))
        }
    assert [judged for judged, _ in portions][:2] == [500, 500]
    assert [name for _, people in portions for name, _ in people].count("anna") == 1
    assert {name: ways for _, people in portions for name, ways in people} == one_by_one
