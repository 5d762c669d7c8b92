"""Kept sessions: reused within the scheme's limits, never beyond (domain 13.5, S-1 to S-11)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from idp.domain.assertion import Assertion
from idp.domain.login import Step
from idp.services.authentication import login as logins
from idp.services.authentication.login import Browser, Concluded, Waiting
from idp.services.work import Office
from idp.store.people import Account
from tests.office import LISTENED, StandingClock
from tests.services.conftest import OpenOffice
from tests.services.login_kit import Person, ask, register


@pytest.fixture
def clock() -> StandingClock:
    """The clock of the office."""
    return StandingClock()


@pytest.fixture
def office(world: str, open_office: OpenOffice, clock: StandingClock) -> Office:
    """An office whose database holds the world."""
    return open_office(world, clock, **LISTENED)


@pytest.fixture
def anna(office: Office) -> Person:
    """Anna, with a session at EH3 that she got at RVO."""
    person = Person(office, "anna")
    granted(person.log_in(ask(register(office, "RVO-3"))))
    assert person.browser.session
    return person


def granted(result: object) -> Assertion:
    """The assertion of a concluded login."""
    assert isinstance(result, Concluded), result
    assert isinstance(result.outcome, Assertion), result.outcome
    return result.outcome


def step(result: object) -> Step:
    """The step a login waits at."""
    assert isinstance(result, Waiting), result
    return result.standing.step


def test_a_session_answers_at_its_provider(office: Office, anna: Person) -> None:
    """A second service of the same provider is answered without a question, with the time of the authentication."""
    found = granted(anna.begin(ask(register(office, "RVO-2PLUS"))))
    assert found.authenticated_at == office.clock.now()
    assert found.session


def test_another_provider_at_eh3_asks_consent_first(office: Office, anna: Person) -> None:
    """At EH3 a session goes to another provider only after consent (S-5)."""
    page = anna.begin(ask(register(office, "UWV")))
    assert step(page) is Step.CONSENT
    assert isinstance(page, Waiting)
    agreed = logins.step(office, page.login.id, anna.visit, lambda progress: replace(progress, consented=frozenset()))
    granted(agreed)


def test_another_provider_below_eh3_asks_nothing(office: Office, anna: Person) -> None:
    """Below EH3 a session answers any provider."""
    granted(anna.begin(ask(register(office, "OLO"))))


def test_force_ends_the_session(office: Office, anna: Person) -> None:
    """ForceAuthn asks everything again, and the kept session is over even if the person walks away (S-1)."""
    assert step(anna.begin(ask(register(office, "RVO-3"), force=True))) is Step.PASSWORD
    assert step(anna.begin(ask(register(office, "RVO-3")))) is Step.PASSWORD


def test_a_service_or_party_without_single_sign_on_asks_everything(office: Office, anna: Person) -> None:
    """Either of service and party can decline (RUL-17, S-8)."""
    assert step(anna.begin(ask(register(office, "EH4-DEMO")))) is Step.PASSWORD
    assert step(anna.begin(ask(register(office, "RVO-3", sso="false")))) is Step.PASSWORD


@pytest.mark.parametrize(("minutes", "asks"), [(14, False), (16, True)])
def test_a_session_ends_when_idle(office: Office, anna: Person, clock: StandingClock, minutes: int, asks: bool) -> None:
    """Fifteen minutes without use end a session (SEC-30)."""
    clock.move(timedelta(minutes=minutes))
    result = anna.begin(ask(register(office, "RVO-3")))
    assert isinstance(result, Waiting if asks else Concluded)


def test_a_session_ends_after_two_hours_however_busy(office: Office, anna: Person, clock: StandingClock) -> None:
    """Use keeps a session awake, but two hours after the authentication it is over (domain 9.2)."""
    party = register(office, "RVO-3")
    for _ in range(11):
        clock.move(timedelta(minutes=10))
        granted(anna.begin(ask(party)))
    clock.move(timedelta(minutes=11))
    assert step(anna.begin(ask(party))) is Step.PASSWORD


def test_a_step_up_asks_only_the_code_and_changes_the_secret(office: Office, clock: StandingClock) -> None:
    """A session proven with a password alone goes on to EH3 with the code, under a new secret (S-6, SEC-30)."""
    anna = Person(office, "anna")
    granted(anna.log_in(ask(register(office, "OLO"))))
    before = anna.browser.session
    clock.move(timedelta(minutes=5))
    page = anna.begin(ask(register(office, "RVO-3")))
    assert step(page) is Step.CODE
    assert isinstance(page, Waiting)
    raised = anna.prove(page.login.id)
    if isinstance(raised, Waiting):
        agree = lambda progress: replace(progress, consented=frozenset())  # noqa: E731  # one word of consent
        raised = logins.step(office, page.login.id, anna.visit, agree)
        assert isinstance(raised, Concluded)
        anna.browser = Browser(anna.browser.id, raised.session or anna.browser.session)
    assert granted(raised).level.label == "EH3"
    assert anna.browser.session != before
    old = Person(office, "anna", browser=Browser(anna.browser.id, before))
    assert step(old.begin(ask(register(office, "OLO")))) is Step.PASSWORD


def test_a_step_up_after_fifteen_minutes_begins_with_the_password(office: Office, clock: StandingClock) -> None:
    """A password proven long ago is proven again for a higher level (S-6)."""
    anna, party = Person(office, "anna"), register(office, "OLO")
    granted(anna.log_in(ask(party)))
    for _ in range(2):
        clock.move(timedelta(minutes=10))
        granted(anna.begin(ask(party)))
    assert step(anna.begin(ask(register(office, "RVO-3")))) is Step.PASSWORD


def test_a_step_up_does_not_prolong_a_session(office: Office, clock: StandingClock) -> None:
    """The two hours of a session count from its password, whatever was proven later (SEC-30)."""
    anna, low = Person(office, "anna"), register(office, "OLO")
    granted(anna.log_in(ask(low)))
    clock.move(timedelta(minutes=10))
    page = anna.begin(ask(register(office, "RVO-2PLUS")))
    assert isinstance(page, Waiting)
    granted(anna.prove(page.login.id))
    for _ in range(11):
        clock.move(timedelta(minutes=10))
        granted(anna.begin(ask(low)))
    clock.move(timedelta(minutes=1))
    assert step(anna.begin(ask(low))) is Step.PASSWORD


def test_max_age_counts_from_the_authentication(office: Office, anna: Person, clock: StandingClock) -> None:
    """A request that wants a recent authentication gets one (OIDC max_age)."""
    party = register(office, "RVO-3")
    clock.move(timedelta(seconds=100))
    granted(anna.begin(ask(party, max_age=100)))
    assert step(anna.begin(ask(party, max_age=99))) is Step.PASSWORD


def test_the_eherkenning_profiles_keep_a_session_only_when_asked(office: Office) -> None:
    """Without the box on the password page nothing is kept; with it a session is (S-2, RUL-17)."""
    party = register(office, "RVO-3", profile="eherkenning-1.13")
    careful = Person(office, "anna")
    granted(careful.log_in(ask(party)))
    assert not careful.browser.session
    office.clock.move(timedelta(minutes=1))  # type: ignore[attr-defined]  # the standing clock of this test
    wishing = Person(office, "anna")
    granted(wishing.log_in(ask(party), keep=True))
    assert wishing.browser.session


def test_a_blocked_or_closed_account_has_no_session(office: Office, anna: Person) -> None:
    """Blocking an account ends what was kept of it at once (S-11)."""
    with office.work("test") as work:
        work.connection.execute(update(Account).where(Account.username == "anna").values(status="closed"))
    assert step(anna.begin(ask(register(office, "RVO-3")))) is Step.PASSWORD


def test_a_login_that_stood_on_a_session_falls_with_it(office: Office, anna: Person) -> None:
    """A consent page of a session that ended meanwhile begins anew instead of granting (S-11)."""
    page = anna.begin(ask(register(office, "UWV")))
    assert step(page) is Step.CONSENT
    assert isinstance(page, Waiting)
    anna.begin(ask(register(office, "RVO-3"), force=True))
    agreed = logins.step(office, page.login.id, anna.visit, lambda progress: replace(progress, consented=frozenset()))
    assert step(agreed) is Step.PASSWORD
