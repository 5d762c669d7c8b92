"""What the worker drops, and what it must keep."""

import re
from dataclasses import dataclass
from datetime import timedelta

import pytest

from idp.lab.seed import seed
from idp.ports import Mail, MailDelayed
from idp.services.account.recovery import ask_password, link_of
from idp.services.mail.addressing import ADDRESSING
from idp.services.mail.delivery import Postman
from idp.services.sweep import sweep
from idp.services.tickets import Held, Purpose, first_use, issue, redeem
from tests.office import T0, StandingClock, writer
from tests.services.conftest import OpenOffice
from tests.services.login_kit import Person, ask, register


@pytest.mark.parametrize("laboratory", [True, False])
def test_what_has_ended_is_dropped_and_marks_stay_where_the_clock_can_go_back(
    database: str, open_office: OpenOffice, laboratory: bool
) -> None:
    """After three days logins, sessions, counters are gone; spent marks only where no clock is turned (RUL-21)."""
    clock = StandingClock()
    office = open_office(database, clock, lab__enabled=laboratory)
    seed(office, 7)
    anna, party = Person(office, "anna"), register(office, "UWV")
    anna.log_in(ask(party))
    Person(office, "bram").begin(ask(party))
    with office.work("test") as work:
        assert first_use(work, Purpose.SAML_REQUEST, "seen", T0 + timedelta(minutes=6))
    clock.move(timedelta(days=3))
    swept = sweep(office)
    assert (swept.logins, swept.sessions) == (2, 1)
    assert swept.counters >= 1
    assert (swept.tickets > 0) is not laboratory
    again = sweep(office)
    assert (again.logins, again.tickets, again.counters, again.sessions) == (0, 0, 0, 0)
    clock.moment = T0
    with office.work("test") as work:
        assert first_use(work, Purpose.SAML_REQUEST, "seen", T0 + timedelta(minutes=6)) is not laboratory


def test_what_still_counts_is_kept(database: str, open_office: OpenOffice) -> None:
    """A login under way, a live session and a ticket that was not used survive the worker."""
    office = open_office(database, StandingClock(), lab__enabled=False)
    seed(office, 7)
    anna, party = Person(office, "anna"), register(office, "RVO-3")
    anna.log_in(ask(party))
    with office.work("test") as work:
        issue(work, Purpose.SAML_ARTIFACT, "secret", Held("subject", {"a": "b"}, timedelta(hours=1)))
    sweep(office)
    with office.work("test") as work:
        assert redeem(work, Purpose.SAML_ARTIFACT, "secret", "subject") == {"a": "b"}
        assert redeem(work, Purpose.SAML_ARTIFACT, "secret", "subject") is None
    assert type(anna.begin(ask(party))).__name__ == "Concluded"


def test_a_link_that_waits_for_the_mail_server_is_kept(database: str, open_office: OpenOffice) -> None:
    """A mail with a link that was tried before a long outage still leaves after it, with a link that works (F39)."""
    clock = StandingClock()
    office = open_office(database, clock, lab__enabled=False)
    seed(office, 7)
    assert ask_password(office, "anna", "", "10.0.0.1") is None
    sent: list[Mail] = []
    tried = Postman(office, writer(office.settings), Broken(), ADDRESSING).deliver_due()
    clock.move(timedelta(hours=9))
    sweep(office)
    assert (tried, Postman(office, writer(office.settings), Taking(sent), ADDRESSING).deliver_due()) == (
        {"delayed": 1},
        {"sent": 1},
    )
    (secret,) = re.findall(r"\?t=([0-9a-f]{64})", sent[0].text)
    assert link_of(office, secret) is not None


class Broken:
    """A mail server that is away."""

    def send(self, mail: Mail) -> None:
        """Nobody answers."""
        raise MailDelayed("away")


@dataclass
class Taking:
    """A mail server that takes everything."""

    taken: list[Mail]

    def send(self, mail: Mail) -> None:
        """Take it."""
        self.taken.append(mail)
