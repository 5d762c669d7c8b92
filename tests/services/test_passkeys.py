"""Security keys: bound to one account, one login and one origin, each answer worth something once."""

import json
from concurrent.futures import ThreadPoolExecutor

import cbor2
import pytest
from sqlalchemy import select
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from idp.services.authentication.credentials import Fault, Faulty
from idp.services.authentication.login import Concluded, Waiting
from idp.services.authentication.presence import Present
from idp.services.second_factor import loss, passkeys
from idp.services.work import Office
from idp.store.people import Account
from tests.services.conftest import OpenOffice
from tests.services.login_kit import Person, ask, register
from tests.services.software_key import SoftwareKey


@pytest.fixture
def office(world: str, open_office: OpenOffice) -> Office:
    """An office whose database holds the world."""
    return open_office(world)


@pytest.fixture
def anna(office: Office) -> Present:
    """anna, with both factors."""
    with office.reading() as connection:
        return Present(connection.execute(select(Account.id).where(Account.username == "anna")).scalar_one(), True)


@pytest.fixture
def key(office: Office, anna: Present) -> SoftwareKey:
    """A key that anna added."""
    made = SoftwareKey()
    assert passkeys.add(office, anna, made.make(passkeys.offer(office, anna)), "sleutelbos")
    return made


def waiting(office: Office, username: str = "anna") -> tuple[Person, str]:
    """Somebody whose login waits for the second factor."""
    person = Person(office, username)
    begun = person.begin(ask(register(office, "UWV")))
    assert isinstance(begun, Waiting)
    assert isinstance(person.identify(begun.login.id), Waiting)
    return person, begun.login.id


def test_a_key_stands_in_for_the_code(office: Office, anna: Present, key: SoftwareKey) -> None:
    """With the password a key lets anna in at EH3, also when her responder is lost (docs/decisions/0013)."""
    with office.work("test") as work:
        loss.report(work, anna.account)
    person, login = waiting(office)
    answer = key.use(passkeys.question(office, anna.account, login))
    assert isinstance(passkeys.prove(office, person.tried(login), answer), Concluded)


@pytest.mark.parametrize(
    ("domain", "origin"), [("evil.test", "http://localhost:8000"), ("localhost", "http://evil.test")]
)
def test_a_false_page_gets_nothing(office: Office, anna: Present, key: SoftwareKey, domain: str, origin: str) -> None:
    """What was signed for another domain or another origin is refused (SEC-32)."""
    person, login = waiting(office)
    key.domain = domain
    answer = key.use(passkeys.question(office, anna.account, login), origin)
    found = passkeys.prove(office, person.tried(login), answer)
    assert isinstance(found, Faulty)
    assert found.fault is Fault.PASSKEY


def test_a_copy_is_noticed(office: Office, anna: Present, key: SoftwareKey) -> None:
    """A counter that does not grow is refused."""
    person, login = waiting(office)
    key.use(passkeys.question(office, anna.account, login))
    answer = key.use(passkeys.question(office, anna.account, login))
    assert isinstance(passkeys.prove(office, person.tried(login), answer), Concluded)
    person, login = waiting(office)
    key.count = 1
    answer = key.use(passkeys.question(office, anna.account, login))
    assert isinstance(passkeys.prove(office, person.tried(login), answer), Faulty)


def test_a_key_is_of_one_account(office: Office, anna: Present, key: SoftwareKey) -> None:
    """anna's key does not let bram in, and bram cannot add it as his (F35)."""
    with office.reading() as connection:
        bram = Present(connection.execute(select(Account.id).where(Account.username == "bram")).scalar_one(), True)
    assert not passkeys.add(office, bram, key.make(passkeys.offer(office, bram)), "ook van mij")
    person, login = waiting(office, "bram")
    answer = key.use(passkeys.question(office, anna.account, login))
    assert isinstance(passkeys.prove(office, person.tried(login), answer), Faulty)


@pytest.mark.parametrize("answer", ["", "{", "[]", "null", '{"response": {}}', '{"response": []}', "x" * 30_000])
def test_what_is_no_answer_is_refused(office: Office, key: SoftwareKey, anna: Present, answer: str) -> None:
    """Anything else than an answer is a wrong one, without an error of ours."""
    person, login = waiting(office)
    assert isinstance(passkeys.prove(office, person.tried(login), answer), Faulty)
    assert not passkeys.add(office, anna, answer, "x")


@pytest.mark.parametrize(
    ("kind", "statement"),
    [("android-safetynet", {"ver": "1", "response": 1}), ("packed", {"alg": -7, "sig": b"", "x5c": [b"x"]}), (1, [])],
)
def test_a_vouching_that_is_none_is_refused(office: Office, anna: Present, kind: object, statement: object) -> None:
    """A new key with any nonsense in place of its maker's word is refused, without an error of ours (SEC-2)."""
    made = json.loads(SoftwareKey().make(passkeys.offer(office, anna)))
    told = cbor2.loads(base64url_to_bytes(made["response"]["attestationObject"])) | {"fmt": kind, "attStmt": statement}
    made["response"]["attestationObject"] = bytes_to_base64url(cbor2.dumps(told))
    assert not passkeys.add(office, anna, json.dumps(made), "x")


def test_an_answer_for_one_login_is_worth_nothing_in_another(office: Office, anna: Present, key: SoftwareKey) -> None:
    """The challenge of one login does not count in another."""
    person, login = waiting(office)
    answer = key.use(passkeys.question(office, anna.account, login))
    other, second = waiting(office)
    assert isinstance(passkeys.prove(office, other.tried(second), answer), Faulty)
    assert isinstance(passkeys.prove(office, person.tried(login), answer), Concluded)


def test_of_twenty_uses_of_one_answer_one_succeeds(office: Office, anna: Present, key: SoftwareKey) -> None:
    """Twenty browsers' worth of one answer at once: one login goes on (SEC-25)."""
    person, login = waiting(office)
    answer = key.use(passkeys.question(office, anna.account, login))
    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(lambda _: passkeys.prove(office, person.tried(login), answer), range(20)))
    assert sum(isinstance(one, Concluded) for one in found) == 1


def test_a_key_that_was_removed_is_worth_nothing(office: Office, anna: Present, key: SoftwareKey) -> None:
    """After removing it the account asks no key, and an answer under way is refused."""
    person, login = waiting(office)
    answer = key.use(passkeys.question(office, anna.account, login))
    with office.reading() as connection:
        held = passkeys.own_passkeys(connection, anna.account)
    with office.work("test") as work:
        assert passkeys.remove(work, anna.account, held[0].id)
        assert not passkeys.remove(work, anna.account, held[0].id)
    assert isinstance(passkeys.prove(office, person.tried(login), answer), Faulty)
    assert passkeys.question(office, anna.account, login) == ""
