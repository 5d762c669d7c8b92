"""A login and a change of the account come one after the other: what is lost opens nothing afterwards (SEC-30)."""

from collections.abc import Callable
from threading import Thread

import pytest
from sqlalchemy import func, select

from idp.services.account.passwords import NewPassword, change_password
from idp.services.authentication.login import Concluded, Incoming, Outcome, Visit, Waiting, begin
from idp.services.second_factor import loss
from idp.services.sessions.ending import end_everything
from idp.services.work import Office, Work
from idp.store.logins import SessionRow
from idp.store.people import Account
from tests.services.conftest import OpenOffice
from tests.services.login_kit import Person, ask, recorded, register

Change = Callable[[Work, str], object]
CHANGES: dict[str, Change] = {
    "password": lambda work, account: change_password(work, NewPassword(account, "none", "link")),
    "loss": loss.report,
    "everything": end_everything,
}
A_WHILE = 0.5


@pytest.fixture
def office(world: str, open_office: OpenOffice) -> Office:
    """An office whose database holds the world."""
    return open_office(world)


def account_of(office: Office, username: str) -> str:
    """The id of an account."""
    with office.reading() as connection:
        return str(connection.execute(select(Account.id).where(Account.username == username)).scalar_one())


def alive(office: Office, account: str) -> int:
    """How many sessions of an account are open."""
    query = select(func.count()).where(SessionRow.account_id == account, SessionRow.ended_at.is_(None))
    with office.reading() as connection:
        return int(connection.execute(query).scalar_one())


class Meanwhile:
    """A change that somebody makes while a login is being concluded, in another transaction."""

    def __init__(self, office: Office, account: str, change: Change) -> None:
        self._office, self._account, self._change = office, account, change
        self._thread = Thread(target=self._make)

    def _make(self) -> None:
        with self._office.work("test") as work:
            self._change(work, self._account)

    def record(self, work: Work, incoming: Incoming, outcome: Outcome) -> str:
        """As a protocol records an outcome; the change begins now, and is given time to overtake."""
        self._thread.start()
        self._thread.join(A_WHILE)
        return recorded(work, incoming, outcome)

    def end(self) -> None:
        """Wait for the change."""
        self._thread.join(60)
        assert not self._thread.is_alive()


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_ends_what_is_opened_at_that_moment(
    office: Office, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A session that is being opened with the old proofs is ended too, by a change that comes before it is there."""
    account = account_of(office, "anna")
    person = Person(office, "anna")
    waiting = person.begin(ask(register(office, "UWV")))
    assert isinstance(waiting, Waiting)
    assert isinstance(person.identify(waiting.login.id), Waiting)
    meanwhile = Meanwhile(office, account, CHANGES[name])
    monkeypatch.setattr(Person, "visit", property(lambda self: Visit(self.browser, meanwhile.record)))
    assert isinstance(person.prove(waiting.login.id), Concluded)
    meanwhile.end()
    assert alive(office, account) == 0


@pytest.mark.parametrize("name", CHANGES)
def test_a_session_answers_nothing_once_it_is_being_ended(office: Office, name: str) -> None:
    """A request that comes while a change is being made waits for it, and then begins at the password."""
    person = Person(office, "anna")
    party = register(office, "UWV")
    assert isinstance(person.log_in(ask(party)), Concluded)
    account, found = account_of(office, "anna"), []
    again = ask(party)
    with office.work("test") as work:
        CHANGES[name](work, account)
        asking = Thread(target=lambda: found.append(begin(office, again, person.visit, False)))
        asking.start()
        asking.join(A_WHILE)
        assert not found
    asking.join(60)
    assert [type(one) for one in found] == [Waiting]
