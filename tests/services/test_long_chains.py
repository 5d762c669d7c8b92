"""Chains of more than one intermediary, from the rows of the database to what is told and kept (RUL-15)."""

import json
from dataclasses import replace

import pytest
from sqlalchemy import insert, select, update

from idp.domain.assertion import LegalSubject
from idp.domain.identifiers import KvkNumber
from idp.services.authentication.login import Waiting
from idp.services.decision.assertions import assertion_of_text, assertion_text
from idp.services.work import Office
from idp.store.facts import Way, ways_of
from idp.store.mandates import MandateRow
from idp.store.organisations import Organisation
from idp.store.people import Account
from tests.office import StandingClock
from tests.protocol.saml_kit import granted
from tests.services.conftest import OpenOffice
from tests.services.login_kit import Person, ask, register


@pytest.fixture
def office(world: str, open_office: OpenOffice) -> Office:
    """An office whose database holds the world."""
    return open_office(world, StandingClock())


def test_a_chain_of_two_intermediaries_is_told_in_its_order(office: Office) -> None:
    """Who a client of Otto's works for names both companies; one that is gone ends it (RUL-15)."""
    otto, party = Person(office, "otto"), register(office, "UWV")
    first = otto.log_in(ask(party))
    assert isinstance(first, Waiting)
    client = next(way for way in first.standing.ways.values() if way.intermediaries and way.held.organisation_active)
    with office.work("test") as work:
        link = MandateRow.organisation_id == client.principal_id, MandateRow.intermediary_id.is_not(None)
        known = work.connection.execute(select(*MandateRow.__table__.columns).where(*link)).first()
        further = select(Organisation.id).where(Organisation.id.not_in([client.principal_id, client.own_company_id]))
        theirs = work.connection.execute(further.where(Organisation.status == "active")).scalars().first()
        assert known is not None
        row = known._asdict() | {"id": work.new_id(), "organisation_id": theirs, "intermediary_id": client.principal_id}
        work.connection.execute(insert(MandateRow).values(**row))
    ways = _ways_of(office, otto)
    (longer,) = [way for way in ways if way.principal_id == theirs]
    assert longer.intermediaries == (client.principal, *client.intermediaries)
    assert (len(longer.held.chain), longer.own_company_id) == (2, client.own_company_id)
    assert longer.held.organisation_active
    with office.work("test") as work:
        struck = update(Organisation).where(Organisation.id == client.principal_id).values(status="ended")
        work.connection.execute(struck)
    (over,) = [way for way in _ways_of(office, otto) if way.principal_id == theirs]
    assert not over.held.organisation_active


def _ways_of(office: Office, person: Person) -> tuple[Way, ...]:
    with office.reading() as connection:
        account = connection.execute(select(Account.id).where(Account.username == person.username)).scalar_one()
        return ways_of(connection, account)


def test_what_was_stored_before_chains_grew_is_still_read() -> None:
    """An assertion that waits to be fetched is read as it was, also when it was stored with one intermediary."""
    company = LegalSubject(KvkNumber("90000002"), None, "Kantoor Cijfer")
    one = granted(intermediaries=(company,))
    assert assertion_of_text(assertion_text(one)) == one
    for intermediaries, earlier in (((company,), [company.kvk, None, company.name]), ((), None)):
        stored = json.loads(assertion_text(replace(one, intermediaries=intermediaries)))
        stored["intermediary"] = earlier
        del stored["intermediaries"]
        assert assertion_of_text(json.dumps(stored)).intermediaries == intermediaries
