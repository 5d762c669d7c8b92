"""A login at a portal: what the services behind it allow is told together, and what they refuse is told once."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import event, select

from idp.domain.assertion import Assertion, Denied, Served
from idp.domain.assurance import Level
from idp.domain.login import Step
from idp.domain.parties import Party
from idp.domain.reasons import Reason
from idp.lab.seed import seed
from idp.services.authentication import login as logins
from idp.services.authentication.login import Concluded, Waiting
from idp.services.catalogue.loading import store
from idp.services.decision.assertions import assertion_of_text, assertion_text
from idp.services.decision.conclusion import reassert
from idp.services.decision.explain import explain, reach
from idp.services.work import Office
from idp.store.facts import ways_of
from idp.store.people import Account
from tests.office import StandingClock
from tests.services.conftest import OpenOffice
from tests.services.login_kit import Person, ask, events, register
from tests.services.portal_kit import BEHIND, catalogue, only_for, open_portal


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


@pytest.fixture
def party(office: Office) -> Party:
    """A relying party of the portal of RVO."""
    open_portal(office)
    return register(office, "MIJN-RVO")


def granted(result: object) -> Assertion:
    """The assertion of a concluded login."""
    assert isinstance(result, Concluded), result
    assert isinstance(result.outcome, Assertion), result.outcome
    return result.outcome


def served(*slugs: str) -> tuple[Served, ...]:
    """Services by their names."""
    return tuple(Served(one.urn, one.uuid) for one in (catalogue()[slug] for slug in slugs))


def narrowed(office: Office, username: str, slug: str, **changes: object) -> None:
    """Leave a persona with mandates for one service alone."""
    with office.work("test") as work:
        only_for(work, username, catalogue()[slug], **changes)


def test_every_service_that_is_allowed_is_told(office: Office, party: Party) -> None:
    """domain 7.6: anna's general mandate covers both services; the chain records by which they were told."""
    found = granted(Person(office, "anna").log_in(ask(party)))
    assert found.services == served("RVO-3", "RVO-2PLUS")
    assert (found.level, found.branches) == (Level.EH3, ())
    (recorded,) = events(office, "login.granted")
    assert f'"services":"{" ".join(catalogue()[slug].instance_uuid for slug in BEHIND)}"' in recorded


@pytest.mark.parametrize("slug", ["RVO-3", "RVO-2PLUS"])
def test_one_service_is_enough(office: Office, party: Party, slug: str) -> None:
    """domain 7.6: who may use one of the services alone is let in, and that one is told."""
    narrowed(office, "anna", slug)
    assert granted(Person(office, "anna").log_in(ask(party))).services == served(slug)


def test_a_service_of_its_own_tells_no_services(office: Office, party: Party) -> None:
    """What stands behind a portal is still asked for by itself, and told as before."""
    assert party.led_to
    assert granted(Person(office, "anna").log_in(ask(register(office, "RVO-3")))).services == ()


def test_the_portal_needs_its_level_for_every_service(office: Office, party: Party, clock: StandingClock) -> None:
    """A mandate at EH2+ is enough at its own service, and too low at a portal that asks EH3 (LOA-8)."""
    narrowed(office, "anna", "RVO-2PLUS", level=int(Level.EH2PLUS))
    assert granted(Person(office, "anna").log_in(ask(register(office, "RVO-2PLUS")))).level is Level.EH2PLUS
    clock.move(timedelta(minutes=2))
    assert refused(Person(office, "anna").log_in(ask(party))) == [Reason.MANDATE_LEVEL_TOO_LOW]


def refused(result: object) -> list[Reason]:
    """The reasons of a login that waits at its refusal."""
    assert isinstance(result, Waiting), result
    assert result.standing.step is Step.REFUSED
    assert result.standing.refused is not None
    return list(result.standing.refused.reasons)


@pytest.mark.parametrize(
    ("username", "reason"),
    [("bram", Reason.NO_MANDATE), ("hana", Reason.MANDATE_EXPIRED), ("emre", Reason.LEVEL_TOO_LOW)],
)
def test_where_no_service_is_allowed_the_portal_refuses(
    office: Office, party: Party, username: str, reason: Reason
) -> None:
    """RUL-5: the reason is that of the service that came nearest, and says how many were looked at."""
    result = Person(office, username).log_in(ask(party))
    assert refused(result)[0] is reason
    assert isinstance(result, Waiting)
    assert result.standing.refused is not None
    assert {one.facts["behind"] for one in result.standing.refused.objections} == {"2"}


def test_a_mandate_for_the_portal_itself_opens_nothing(office: Office, party: Party) -> None:
    """Mandates are registered for the services behind it: one for the UUID of the portal covers none of them."""
    with office.work("test") as work:
        only_for(work, "anna", party.default_service)
    assert refused(Person(office, "anna").log_in(ask(party))) == [Reason.NO_MANDATE]


def test_a_refusal_reaches_the_party_as_any(office: Office, party: Party) -> None:
    """A person who leaves the refusal is a login that was denied for that reason."""
    bram = Person(office, "bram")
    result = bram.log_in(ask(party))
    assert isinstance(result, Waiting)
    left = logins.leave(office, result.login.id, bram.visit)
    assert isinstance(left, Concluded)
    assert isinstance(left.outcome, Denied)
    assert left.outcome.reasons == (Reason.NO_MANDATE,)


def test_the_portal_takes_only_what_it_takes_itself(office: Office, clock: StandingClock) -> None:
    """SR-8: a portal that takes no branches refuses chris, although its services would take his."""
    open_portal(office)
    taking = register(office, "MIJN-RVO")
    found = granted(Person(office, "chris").log_in(ask(taking)))
    assert (len(found.branches), found.services) == (1, served("RVO-3", "RVO-2PLUS"))
    clock.move(timedelta(minutes=2))
    open_portal(office, takes_restriction=False)
    office.directory._looked_at = float("-inf")
    closed = office.directory.party_by_id(taking.id)
    assert closed is not None
    assert refused(Person(office, "chris").log_in(ask(closed)))[0] is Reason.BRANCH_REGISTRATION


def test_the_use_of_a_mandate_is_noted(office: Office, party: Party) -> None:
    """A.2: a login at a portal keeps awake the mandate by which its services are told."""
    long_ago = date(2025, 6, 1)
    narrowed(office, "anna", "RVO-2PLUS", last_used_on=long_ago)
    granted(Person(office, "anna").log_in(ask(party)))
    with office.reading() as connection:
        held = [mandate for way in ways_of(connection, account_of(office, "anna")) for mandate in way.held.mandates]
    assert held
    assert all(one.last_used > long_ago for one in held)


def account_of(office: Office, username: str) -> str:
    """The id of a persona's account."""
    with office.reading() as connection:
        return str(connection.execute(select(Account.id).where(Account.username == username)).scalar_one())


def test_an_answer_that_waits_keeps_its_services(office: Office, party: Party) -> None:
    """What is stored until a code is redeemed says the same, and what was stored before portals still reads."""
    found = granted(Person(office, "anna").log_in(ask(party)))
    text = assertion_text(found)
    assert assertion_of_text(text) == found
    older = text[: text.index(', "services"')] + text[text.index("]]", text.index('"services"')) + 2 :]
    assert assertion_of_text(older) == replace(found, services=())


def test_a_refreshed_login_tells_what_is_allowed_now(office: Office, party: Party) -> None:
    """SEC-36: a service for which the mandate went meanwhile is told no more."""
    incoming = ask(party)
    first = granted(Person(office, "anna").log_in(incoming))
    narrowed(office, "anna", "RVO-2PLUS")
    with office.work("test") as work:
        again = reassert(work, party, incoming.asked, first.basis, first)
    assert isinstance(again, Assertion)
    assert again.services == served("RVO-2PLUS")


def test_the_what_if_knows_portals(office: Office, party: Party) -> None:
    """features C2: the same decision beforehand, for an operator and for the person."""
    for username, allowed in (("anna", True), ("bram", False)):
        explanation = explain(office, username, "MIJN-RVO")
        assert explanation is not None
        assert explanation.granted is allowed
        (found,) = (
            one for one in reach(office, account_of(office, username)) if one.service.uuid == party.default_service.uuid
        )
        assert (found.refused is None) is allowed


def test_a_portal_raised_meanwhile_leaves_nothing_open(office: Office, party: Party) -> None:
    """A login that began at a lower level is not told a service that has come to ask more."""
    incoming = ask(party)
    raised = [replace(one, level=Level.EH4, sso=False) for one in (party.default_service, *party.led_to)]
    with office.work("test") as work:
        store(work, tuple(raised))
    office.directory._looked_at = float("-inf")
    changed = office.directory.party_by_id(party.id)
    assert changed is not None
    result = Person(office, "anna").log_in(replace(incoming, party=changed))
    assert not (isinstance(result, Concluded) and isinstance(result.outcome, Assertion))


@contextmanager
def statements(office: Office) -> Iterator[list[str]]:
    """Every statement that the office sends meanwhile."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        sent.append(statement)

    event.listen(office.engine, "before_cursor_execute", note)
    yield sent
    event.remove(office.engine, "before_cursor_execute", note)


def test_a_portal_costs_no_statement(office: Office, party: Party) -> None:
    """A single sign-on at a portal, and one at a service beside it, send the database what it always cost."""
    plain, anna, counted = register(office, "RVO-3"), Person(office, "anna"), []
    granted(anna.log_in(ask(plain), keep=True))
    for one in (plain, party, plain, party):
        with statements(office) as sent:
            assert bool(granted(anna.begin(ask(one))).services) is (one is party)
        counted.append(len(sent))
    assert len(set(counted)) == 1, counted
