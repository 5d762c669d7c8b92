"""A login from request to outcome, on both databases."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event, insert, select, update

from idp.domain.assertion import Assertion, Denied, Interrupted
from idp.domain.assurance import Level
from idp.domain.login import Progress, RequestedAttribute, Step
from idp.domain.reasons import Reason
from idp.services.audit import verify
from idp.services.authentication import login as logins
from idp.services.authentication.credentials import Fault, Faulty
from idp.services.authentication.login import Browser, Concluded, Gone, Missing, Waiting
from idp.services.work import Office
from idp.store.mandates import MandateRow
from idp.store.means import Means
from idp.store.organisations import Branch
from idp.store.people import Account
from tests.office import StandingClock
from tests.services.conftest import OpenOffice
from tests.services.login_kit import Person, ask, events, register

FIRST_NAME = "urn:etoegang:1.9:attribute:FirstName"
FAMILY_NAME = "urn:etoegang:1.9:attribute:FamilyName"


@pytest.fixture
def clock() -> StandingClock:
    """The clock of the office."""
    return StandingClock()


@pytest.fixture
def office(world: str, open_office: OpenOffice, clock: StandingClock) -> Office:
    """An office whose database holds the world."""
    return open_office(world, clock)


def granted(result: object) -> Assertion:
    """The assertion of a concluded login."""
    assert isinstance(result, Concluded), result
    assert isinstance(result.outcome, Assertion), result.outcome
    return result.outcome


def waiting(result: object, step: Step) -> Waiting:
    """A login that waits at a step."""
    assert isinstance(result, Waiting), result
    assert result.standing.step is step
    return result


def test_password_and_code_give_an_assertion_at_the_level_reached(office: Office, clock: StandingClock) -> None:
    """Anna proves password and code at UWV and the assertion says EH3, her company, no branch and one pseudonym."""
    anna, party = Person(office, "anna"), register(office, "UWV")
    first = granted(anna.log_in(ask(party)))
    assert first.level is Level.EH3
    assert first.branches == ()
    assert first.intermediaries == ()
    assert len(first.subject) == 97
    clock.move(timedelta(minutes=2))
    again = granted(anna.log_in(ask(party, force=True)))
    assert again.subject == first.subject
    with office.reading() as connection:
        assert verify(connection) is None


def test_a_branch_restriction_reaches_the_assertion(office: Office) -> None:
    """Chris acts at the municipality for his branch alone (SR-9)."""
    found = granted(Person(office, "chris").log_in(ask(register(office, "GEM"))))
    assert len(found.branches) == 1


def test_the_old_numbers_of_several_branches_take_one_statement(office: Office) -> None:
    """A mandate for three branches tells the old numbers of those that have one, in the order of the new (SR-6)."""
    numbers = {"999000770001": "0011", "999000770002": None, "999000770003": "0013"}
    with office.work("test") as work:
        query = select(MandateRow.id, MandateRow.organisation_id).join(Means, Means.id == MandateRow.means_id)
        (mandate,) = work.connection.execute(
            query.join(Account, Account.id == Means.account_id).where(Account.username == "anna")
        )
        for number, old in numbers.items():
            facts = {"organisation_id": mandate.organisation_id, "number": number, "name": "x", "is_main": False}
            row = {"id": work.new_id(), "created_at": work.now, "subdossier": old, **facts}
            work.connection.execute(insert(Branch).values(row))
        restricted = update(MandateRow).where(MandateRow.id == mandate.id)
        work.connection.execute(restricted.values(branches=",".join(numbers)))
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        sent.append(statement)

    event.listen(office.engine, "before_cursor_execute", note)
    found = granted(Person(office, "anna").log_in(ask(register(office, "RVO-3"))))
    event.remove(office.engine, "before_cursor_execute", note)
    assert found.branches == tuple(numbers)
    assert found.subdossiers == ("0011", "0013")
    assert len([one for one in sent if "subdossier" in one]) == 1


def test_unknown_names_and_wrong_passwords_are_answered_alike(office: Office) -> None:
    """A name that does not exist gets the very answer of a wrong password (SEC-27)."""
    party = register(office, "UWV")
    answers = []
    for name in ("anna", "nobody", "no such name!"):
        person = Person(office, name, source=name)
        login = waiting(person.begin(ask(party)), Step.PASSWORD).login.id
        result = person.identify(login, password="wrong12!")
        assert isinstance(result, Faulty)
        answers.append((result.fault, result.until, result.left))
    assert answers == [(Fault.WRONG_PASSWORD, None, None)] * 3


def test_a_message_is_taken_once(office: Office) -> None:
    """The same request a second time has no page (SEC-14)."""
    anna, incoming = Person(office, "anna"), ask(register(office, "UWV"))
    waiting(anna.begin(incoming), Step.PASSWORD)
    assert anna.begin(incoming) == Missing(Gone.REPLAYED)


def test_a_login_belongs_to_its_browser(office: Office) -> None:
    """Another browser that knows the address of a login gets no page of it."""
    anna = Person(office, "anna")
    login = waiting(anna.begin(ask(register(office, "UWV"))), Step.PASSWORD).login.id
    stranger = Person(office, "anna")
    assert stranger.look(login) == Missing(Gone.ELSEWHERE)
    assert isinstance(stranger.identify(login), Missing)


def test_a_cross_site_post_is_bound_at_its_first_page(office: Office) -> None:
    """A request without cookies is bound to the browser that first asks its page, and to no other (RUL-18)."""
    anna = Person(office, "anna")
    login = waiting(anna.begin(ask(register(office, "UWV")), bounce=True), Step.PASSWORD).login.id
    waiting(anna.look(login), Step.PASSWORD)
    assert Person(office, "bram").look(login) == Missing(Gone.ELSEWHERE)


def test_two_tabs_do_not_disturb_each_other(office: Office, clock: StandingClock) -> None:
    """Two logins of one browser end each for themselves, in any order."""
    anna, party = Person(office, "anna"), register(office, "UWV", sso="false")
    one = waiting(anna.begin(ask(party)), Step.PASSWORD).login.id
    other = waiting(anna.begin(ask(party)), Step.PASSWORD).login.id
    waiting(anna.identify(one), Step.CODE)
    waiting(anna.identify(other), Step.CODE)
    assert granted(anna.prove(other)).subject
    clock.move(timedelta(seconds=30))
    assert granted(anna.prove(one)).subject


def test_an_answered_login_is_over(office: Office) -> None:
    """Going back to a login that was answered leads nowhere but to a page that says so (L09)."""
    anna = Person(office, "anna")
    begun = waiting(anna.begin(ask(register(office, "UWV"))), Step.PASSWORD).login.id
    waiting(anna.identify(begun), Step.CODE)
    granted(anna.prove(begun))
    result = anna.look(begun)
    assert isinstance(result, Missing)
    assert result.why is Gone.ANSWERED


def test_an_idle_login_begins_anew_and_keeps_its_request(office: Office, clock: StandingClock) -> None:
    """After fifteen idle minutes the password is asked again, for the same request (L07)."""
    anna = Person(office, "anna")
    login = waiting(anna.begin(ask(register(office, "UWV"))), Step.PASSWORD).login.id
    waiting(anna.identify(login), Step.CODE)
    clock.move(timedelta(minutes=16))
    assert waiting(anna.look(login), Step.PASSWORD).login.restarted
    waiting(anna.identify(login), Step.CODE)
    granted(anna.prove(login))


def test_nobody_waits_an_hour(office: Office, clock: StandingClock) -> None:
    """After an hour a login is gone for good."""
    anna = Person(office, "anna")
    login = waiting(anna.begin(ask(register(office, "UWV"))), Step.PASSWORD).login.id
    clock.move(timedelta(minutes=61))
    result = anna.look(login)
    assert isinstance(result, Missing)
    assert result.why is Gone.EXPIRED


def test_cancelling_is_an_outcome(office: Office) -> None:
    """Cancelling at the password page tells the party CANCELLED and nothing else (U-11)."""
    anna = Person(office, "anna")
    login = waiting(anna.begin(ask(register(office, "UWV"))), Step.PASSWORD).login.id
    result = logins.step(office, login, anna.visit, lambda progress: type(progress)(cancelled=True))
    assert isinstance(result, Concluded)
    assert isinstance(result.outcome, Denied)
    assert result.outcome.reasons == (Reason.CANCELLED,)


def test_a_refusal_is_explained_first_and_told_when_left(office: Office) -> None:
    """Emre sees why, and the party hears of it when he leaves the page (deny mode explain)."""
    emre = Person(office, "emre")
    login = waiting(emre.begin(ask(register(office, "UWV"))), Step.PASSWORD).login.id
    page = waiting(emre.identify(login), Step.REFUSED)
    assert page.standing.refused is not None
    assert [one.reason for one in page.standing.refused.visible()] == [Reason.LEVEL_TOO_LOW]
    left = logins.leave(office, login, emre.visit)
    assert isinstance(left, Concluded)
    assert isinstance(left.outcome, Denied)
    assert left.outcome.reasons[0] is Reason.LEVEL_TOO_LOW


def test_a_party_may_hear_of_a_refusal_at_once(office: Office) -> None:
    """With deny mode return there is no page between the refusal and the party."""
    result = Person(office, "emre").log_in(ask(register(office, "UWV", deny_mode="return")))
    assert isinstance(result, Concluded)
    assert isinstance(result.outcome, Denied)


def test_a_mandate_revoked_between_two_steps_stops_the_login(office: Office) -> None:
    """What the second step asserts is what the database says at that moment (SEC-36)."""
    anna = Person(office, "anna")
    login = waiting(anna.begin(ask(register(office, "UWV"))), Step.PASSWORD).login.id
    waiting(anna.identify(login), Step.CODE)
    with office.work("test") as work:
        work.connection.execute(update(MandateRow).values(revoked_at=work.now))
    refused = waiting(anna.prove(login), Step.REFUSED)
    assert refused.standing.refused is not None
    assert Reason.NO_MANDATE in refused.standing.refused.reasons


def test_someone_with_several_organisations_chooses(office: Office) -> None:
    """Nora is asked for whom she acts at the Omgevingsloket, and an answer that is not hers leads nowhere."""
    nora = Person(office, "nora")
    page = waiting(nora.log_in(ask(register(office, "OLO"))), Step.CHOOSE)
    keys = [option.held.key for option in page.standing.options if option.open]
    assert len(keys) == 2
    for choice in ("", "not-hers"):
        again = logins.step(office, page.login.id, nora.visit, lambda progress, c=choice: _choose(progress, c))
        waiting(again, Step.CHOOSE)
    chosen = logins.step(office, page.login.id, nora.visit, lambda progress: _choose(progress, keys[1]))
    assert granted(chosen).basis.way == keys[1]


def _choose(progress: Progress, key: str) -> Progress:
    return replace(progress, chosen=key or None)


def test_an_intermediary_acts_for_a_client(office: Office, clock: StandingClock) -> None:
    """Otto chooses a client and the assertion names client and intermediary with a pseudonym of its own (K-6)."""
    otto, party = Person(office, "otto"), register(office, "UWV")
    page = waiting(otto.log_in(ask(party)), Step.CHOOSE)
    open_ones = [one for one in page.standing.options if one.open]
    chain = next(one.held.key for one in open_ones if one.held.chain)
    own = next(one.held.key for one in open_ones if not one.held.chain)
    for_client = granted(logins.step(office, page.login.id, otto.visit, lambda progress: _choose(progress, chain)))
    (company,) = for_client.intermediaries
    assert company.kvk != for_client.principal.kvk
    clock.move(timedelta(minutes=1))
    second = waiting(otto.log_in(ask(party, force=True)), Step.CHOOSE)
    for_self = granted(logins.step(office, second.login.id, otto.visit, lambda progress: _choose(progress, own)))
    assert for_self.subject != for_client.subject


def test_personal_attributes_need_consent_and_required_ones_cannot_be_withheld(office: Office) -> None:
    """Only what was ticked is told; without a required one the login stays at the consent (RUL-12, RA-3)."""
    anna = Person(office, "anna")
    wanted = (RequestedAttribute(FIRST_NAME, True), RequestedAttribute(FAMILY_NAME, False))
    page = waiting(anna.log_in(ask(register(office, "GEM"), attributes=wanted)), Step.CONSENT)
    without = logins.step(office, page.login.id, anna.visit, lambda progress: _consent(progress, FAMILY_NAME))
    waiting(without, Step.CONSENT)
    given = logins.step(office, page.login.id, anna.visit, lambda progress: _consent(progress, FIRST_NAME))
    assert list(granted(given).attributes) == [FIRST_NAME]


def _consent(progress: Progress, *names: str) -> Progress:
    return replace(progress, consented=frozenset(names))


def test_a_passive_request_never_asks(office: Office) -> None:
    """A passive request without a session is interrupted at the password, and answered from a session with one."""
    anna, party = Person(office, "anna"), register(office, "UWV")
    result = anna.begin(ask(party, passive=True))
    assert isinstance(result, Concluded)
    assert isinstance(result.outcome, Interrupted)
    assert result.outcome.step == Step.PASSWORD
    granted(anna.log_in(ask(party)))
    assert granted(anna.begin(ask(party, passive=True))).subject


def test_a_request_about_someone_else_is_not_answered(office: Office) -> None:
    """A party that names a subject gets no assertion about another person."""
    result = Person(office, "anna").log_in(ask(register(office, "UWV"), subject="0" * 64 + "@" + "0" * 32))
    assert isinstance(result, Concluded)
    assert isinstance(result.outcome, Interrupted)


def test_the_use_of_a_mandate_is_noted_and_an_automatic_one_is_not(office: Office) -> None:
    """A login re-arms the mandate it used (A.2); the automatic one at EH1 touches nothing (RUL-8)."""
    granted(Person(office, "anna").log_in(ask(register(office, "UWV"))))
    granted(Person(office, "gijs").log_in(ask(register(office, "EH1-DEMO"))))
    facts = [json.loads(one) for one in events(office, "login.granted")]
    assert facts[0]["mandate"] != "automatic"
    assert facts[1]["mandate"] == "automatic"
    assert facts[1]["level"] == "EH1"


@pytest.mark.parametrize("login", ["\x00", "0" * 31, "G" * 32, "x" * 100_000, ""])
def test_what_is_no_id_of_a_login_is_unknown(office: Office, login: str) -> None:
    """No form of an address reaches the database but 32 hex characters (SEC-5)."""
    assert Person(office, "anna").look(login) == Missing(Gone.UNKNOWN)


def test_a_closed_account_gets_no_assertion(office: Office) -> None:
    """An account that is closed between password and code has no means any more (SEC-36)."""
    anna = Person(office, "anna")
    login = waiting(anna.begin(ask(register(office, "UWV"))), Step.PASSWORD).login.id
    waiting(anna.identify(login), Step.CODE)
    with office.work("test") as work:
        work.connection.execute(update(Account).where(Account.username == "anna").values(status="closed"))
    refused = waiting(anna.prove(login), Step.REFUSED)
    assert refused.standing.refused is not None
    assert refused.standing.refused.reasons == (Reason.NO_MEANS,)


def test_a_step_needs_a_login_that_is_bound(office: Office) -> None:
    """Nobody can answer a step of a login whose page no browser has asked yet (RUL-18)."""
    anna = Person(office, "anna")
    login = waiting(anna.begin(ask(register(office, "UWV")), bounce=True), Step.PASSWORD).login.id
    assert anna.identify(login) == Missing(Gone.ELSEWHERE)


def test_a_dead_browser_secret_is_no_secret(office: Office) -> None:
    """An empty cookie never matches a login that is bound."""
    anna = Person(office, "anna")
    login = waiting(anna.begin(ask(register(office, "UWV"))), Step.PASSWORD).login.id
    nobody = Person(office, "anna", browser=Browser("", ""))
    assert nobody.look(login) == Missing(Gone.ELSEWHERE)
