"""Passwords and one-time codes: used once, guessed slowly, never a lock in a stranger's hand."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from idp.domain.assurance import Factor
from idp.domain.login import Step
from idp.lab.seed import seed
from idp.ports import Overloaded
from idp.services import throttle
from idp.services.authentication.credentials import Fault, Faulty
from idp.services.authentication.login import Concluded, Waiting
from idp.services.authentication.proofs import BLOCKED_FOR
from idp.services.throttle import Allowed
from idp.services.work import Office
from idp.store.means import Means
from idp.store.people import Account, Responder
from tests.office import StandingClock
from tests.services.conftest import OpenOffice
from tests.services.login_kit import PERSONAS, Person, ask, events, register


@pytest.fixture
def clock() -> StandingClock:
    """The clock of the office."""
    return StandingClock()


@pytest.fixture
def office(world: str, open_office: OpenOffice, clock: StandingClock) -> Office:
    """An office whose database holds the world."""
    return open_office(world, clock)


def _attempt(office: Office, *attempted: str) -> Allowed | datetime:
    with office.work("test") as work:
        return throttle.ask(work, *attempted)


def at_the_code(person: Person, service: str = "UWV") -> str:
    """The id of a login of this person that waits for a code."""
    result = person.begin(ask(register(person.office, service)))
    assert isinstance(result, Waiting)
    proven = person.identify(result.login.id)
    assert isinstance(proven, Waiting)
    assert proven.standing.step is Step.CODE
    return result.login.id


def fault(result: object) -> Fault:
    """What was wrong."""
    assert isinstance(result, Faulty), result
    return result.fault


def test_of_twenty_uses_of_one_code_one_succeeds(office: Office) -> None:
    """Twenty logins that send the same right code at once: one goes on, nineteen hear that it was used (SEC-25)."""
    anna = [Person(office, "anna", source=f"10.0.0.{number}") for number in range(20)]
    logins = [at_the_code(person) for person in anna]
    code = anna[0].code()
    with ThreadPoolExecutor(20) as pool:
        results = list(pool.map(lambda pair: pair[0].prove(pair[1], code), zip(anna, logins, strict=True)))
    assert sum(isinstance(one, Concluded) for one in results) == 1
    assert sum(isinstance(one, Faulty) and one.fault is Fault.CODE_USED for one in results) == 19


def test_a_code_counts_once_and_says_so(office: Office, clock: StandingClock) -> None:
    """The same code in a second login is called used (L03), and the next one is right (F34)."""
    anna = Person(office, "anna")
    first, second = at_the_code(anna), at_the_code(anna)
    code = anna.code()
    assert isinstance(anna.prove(first, code), Concluded)
    assert fault(anna.prove(second, code)) is Fault.CODE_USED
    clock.move(timedelta(seconds=30))
    assert isinstance(anna.prove(second), Concluded)


def test_a_used_code_stays_used_when_the_clock_goes_back(office: Office, clock: StandingClock) -> None:
    """Turning the clock back revives no code (SEC-41)."""
    anna = Person(office, "anna")
    first, code = at_the_code(anna), anna.code()
    assert isinstance(anna.prove(first, code), Concluded)
    clock.move(timedelta(seconds=-60))
    second = at_the_code(anna)
    assert fault(anna.prove(second, code)) is Fault.CODE_USED
    assert fault(anna.prove(second)) in (Fault.CODE_USED, Fault.WRONG_CODE)


def test_a_colleagues_responder_is_a_wrong_code_and_stands_in_the_trail(office: Office) -> None:
    """Someone else's code is refused like any wrong one; the trail names the responder it may be (F35, RUL-19)."""
    with office.work("test") as work:
        owner = select(Account.id).where(Account.username == "bram").scalar_subquery()
        bram = work.connection.execute(select(Responder.serial).where(Responder.account_id == owner)).scalar_one()
        company = select(Means.organisation_id).join(Account, Account.id == Means.account_id)
        anna_org = company.where(Account.username == "anna").scalar_subquery()
        work.connection.execute(update(Means).where(Means.account_id == owner).values(organisation_id=anna_org))
    anna = Person(office, "anna")
    login = at_the_code(anna)
    assert fault(anna.prove(login, Person(office, "bram").code())) is Fault.WRONG_CODE
    facts = json.loads(events(office, "code.refused")[-1])
    assert facts["possible_responder"] == bram


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "123 456 ", "12345\n"])
def test_what_is_no_code_is_a_wrong_code(office: Office, code: str) -> None:
    """Anything but six ASCII digits is answered like a wrong code (SEC-5)."""
    anna = Person(office, "anna")
    assert fault(anna.prove(at_the_code(anna), code)) is Fault.WRONG_CODE


def test_guessing_from_one_place_is_slowed_and_others_are_not(office: Office, clock: StandingClock) -> None:
    """After five wrong passwords from one address that address waits; Anna from elsewhere logs in (RUL-20)."""
    thief = Person(office, "anna", source="203.0.113.9")
    party = register(office, "UWV")
    begun = thief.begin(ask(party))
    assert isinstance(begun, Waiting)
    faults = [fault(thief.identify(begun.login.id, "guess123")) for _ in range(6)]
    assert faults == [Fault.WRONG_PASSWORD] * 5 + [Fault.DELAYED]
    assert fault(thief.identify(begun.login.id)) is Fault.DELAYED
    assert isinstance(Person(office, "anna", source="198.51.100.7").log_in(ask(party)), Concluded)
    clock.move(timedelta(seconds=31))
    assert isinstance(thief.identify(begun.login.id), Waiting)


def test_waiting_out_someone_elses_delay_costs_nothing(office: Office, clock: StandingClock) -> None:
    """Tries that are turned away because others guess at the name do not count against the person (RUL-20)."""
    for number in range(50):
        _attempt(office, "password", "anna", f"203.0.113.{number}")
    anna = "198.51.100.7"
    for _ in range(8):
        assert not isinstance(_attempt(office, "password", "anna", anna), Allowed)
    clock.move(timedelta(seconds=31))
    assert isinstance(_attempt(office, "password", "anna", anna), Allowed)


def test_simultaneous_first_tries_are_each_counted(office: Office) -> None:
    """Of twelve first tries at the same moment no more than five pass before the delay (SEC-28)."""
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda _: _attempt(office, "password", "anna", "203.0.113.9"), range(12)))
    assert sum(isinstance(one, Allowed) for one in found) == 5


def test_a_code_is_right_only_for_who_logged_in_last(office: Office) -> None:
    """Where someone else logged in meanwhile, the first person's code is wrong and the second's is right (SEC-29)."""
    anna = Person(office, "anna")
    login = at_the_code(anna)
    bram = Person(office, "bram", browser=anna.browser)
    assert isinstance(bram.identify(login), Waiting)
    assert fault(anna.prove(login)) is Fault.WRONG_CODE
    assert isinstance(bram.prove(login), Concluded)


def test_a_block_ends_what_was_kept(database: str, open_office: OpenOffice, clock: StandingClock) -> None:
    """Blocking ends every session of the account; a service that asks the password alone stays open (SEC-30)."""
    office = open_office(database, clock, throttle__account_attempts=0)
    seed(office, 7)
    elsewhere = Person(office, "anna")
    assert isinstance(elsewhere.log_in(ask(register(office, "RVO-3"))), Concluded)
    clock.move(timedelta(seconds=30))
    anna = Person(office, "anna")
    login = at_the_code(anna)
    wrong = "000000" if anna.code() != "000000" else "111111"
    assert [fault(anna.prove(login, wrong)) for _ in range(10)][-1] is Fault.LOCKED
    again = elsewhere.begin(ask(register(office, "RVO-3")))
    assert isinstance(again, Waiting)
    assert again.standing.step is Step.PASSWORD
    assert isinstance(Person(office, "anna").log_in(ask(register(office, "OLO"))), Concluded)


def test_an_unknown_name_is_slowed_like_a_known_one(office: Office) -> None:
    """Guessing at a name that does not exist is slowed after as many tries (SEC-27)."""
    party = register(office, "UWV")
    for name in ("anna", "nobody"):
        person = Person(office, name, source=f"203.0.113.{len(name)}")
        begun = person.begin(ask(party))
        assert isinstance(begun, Waiting)
        assert [fault(person.identify(begun.login.id, "guess123")) for _ in range(6)][-1] is Fault.DELAYED


def test_wrong_codes_after_a_right_password_block_until_time_lifts_it(
    database: str, open_office: OpenOffice, clock: StandingClock
) -> None:
    """Ten wrong codes block; the right code is refused until a day has passed (O-6, RUL-20)."""
    office = open_office(database, clock, throttle__account_attempts=0, throttle__source_attempts=0)
    seed(office, 7)
    anna = Person(office, "anna")
    login = at_the_code(anna)
    wrong = "000000" if anna.code() != "000000" else "111111"
    found = [fault(anna.prove(login, wrong)) for _ in range(10)]
    assert found == [Fault.WRONG_CODE] * 9 + [Fault.LOCKED]
    assert fault(anna.prove(login)) is Fault.LOCKED
    shown = anna.look(login)
    assert isinstance(shown, Waiting)
    assert shown.locked
    clock.move(BLOCKED_FOR + timedelta(seconds=1))
    assert isinstance(anna.prove(at_the_code(anna)), Concluded)
    assert len(events(office, "account.blocked")) == 1


def test_a_right_code_forgets_the_wrong_ones(database: str, open_office: OpenOffice, clock: StandingClock) -> None:
    """Wrong codes count only in a row (O-6)."""
    office = open_office(database, clock, throttle__account_attempts=0)
    seed(office, 7)
    for _ in range(2):
        anna = Person(office, "anna")
        login = at_the_code(anna)
        wrong = "000000" if anna.code() != "000000" else "111111"
        assert [fault(anna.prove(login, wrong)) for _ in range(9)] == [Fault.WRONG_CODE] * 9
        assert isinstance(anna.prove(login), Concluded)
        clock.move(timedelta(seconds=30))


def test_a_password_is_taken_in_any_composition_but_never_cut(office: Office) -> None:
    """A longer text that begins with the right password is wrong, and a megabyte of it costs no more (SEC-6)."""
    anna = Person(office, "anna")
    begun = anna.begin(ask(register(office, "UWV")))
    assert isinstance(begun, Waiting)
    right = PERSONAS["anna"].password
    assert fault(anna.identify(begun.login.id, right + "x")) is Fault.WRONG_PASSWORD
    assert fault(anna.identify(begun.login.id, right + "x" * 1_000_000)) is Fault.WRONG_PASSWORD


def test_a_username_is_read_in_its_canonical_form(office: Office) -> None:
    """Case, spaces around and full-width letters do not make another person (SEC-6)."""
    for name in ("ANNA", "  anna ", "ａｎｎａ"):
        person = Person(office, name)
        begun = person.begin(ask(register(office, "UWV")))
        assert isinstance(begun, Waiting)
        result = person.identify(begun.login.id, PERSONAS["anna"].password)
        assert isinstance(result, Waiting)
        assert result.login.progress.factors == frozenset({Factor.PASSWORD})


def test_weaker_hashes_are_renewed_at_login(office: Office) -> None:
    """A hash with other parameters than today's is replaced when the right password is seen (features A.3)."""
    from argon2 import PasswordHasher

    old = PasswordHasher(1, 32, 1).hash(PERSONAS["anna"].password)
    with office.work("test") as work:
        work.connection.execute(update(Account).where(Account.username == "anna").values(password_hash=old))
    assert isinstance(Person(office, "anna").log_in(ask(register(office, "UWV"))), Concluded)
    with office.reading() as connection:
        stored = connection.execute(select(Account.password_hash).where(Account.username == "anna")).scalar_one()
    assert stored != old
    assert isinstance(Person(office, "anna").log_in(ask(register(office, "OLO"))), Concluded)


def test_a_full_lane_turns_people_away_quickly(database: str, open_office: OpenOffice) -> None:
    """With all places taken a check is refused at once instead of waiting without end (SEC-39, RUL-22)."""
    office = open_office(database, argon2__memory_kib=65536, argon2__time=6, argon2__waiting=1)
    with ThreadPoolExecutor(12) as pool:
        outcomes = list(pool.map(lambda _: _checked(office), range(12)))
    assert outcomes.count("refused") >= 1
    assert outcomes.count("checked") >= 3


def _checked(office: Office) -> str:
    try:
        office.passwords.check(None, "whatever")
    except Overloaded:
        return "refused"
    return "checked"
