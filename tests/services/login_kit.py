"""A relying party and a person for tests of the login service."""

import itertools
from dataclasses import dataclass, field, replace

import pyotp
from sqlalchemy import select

from idp.domain.assertion import Outcome
from idp.domain.login import LoginRequest
from idp.domain.parties import Party
from idp.lab.world import read
from idp.services.authentication import credentials
from idp.services.authentication import login as logins
from idp.services.authentication.credentials import Attempt, Faulty
from idp.services.authentication.login import Browser, Concluded, Incoming, Result, Visit, Waiting
from idp.services.relying_parties import parties
from idp.services.work import Office, Work
from idp.store.ledger import AuditEvent

_numbers = itertools.count()
PERSONAS = {persona.id: persona for persona in read().personas}


def recorded(_work: Work, _incoming: Incoming, outcome: Outcome) -> str:
    """What a protocol would record: the kind of the outcome."""
    return type(outcome).__name__


def register(office: Office, service: str, **settings: str) -> Party:
    """A SAML relying party of a service of the world."""
    identity = f"urn:test:{service}:{next(_numbers)}"
    with office.work("test") as work:
        parties.add(work, parties.NewParty("saml", identity, service, "<document/>", (service,), settings=settings))
    found = office.directory.party("saml", identity)
    assert found is not None
    return found


def ask(party: Party, **changes: object) -> Incoming:
    """A request of a party for its first service, never seen before."""
    service = party.default_service
    asked = LoginRequest("saml", party.id, service.instance_uuid, service.level)
    return Incoming(party, replace(asked, **changes), replay=f"request-{next(_numbers)}")  # type: ignore[arg-type]


@dataclass
class Person:
    """Someone at a browser, who remembers its cookies."""

    office: Office
    username: str
    browser: Browser = field(default_factory=lambda: Browser(f"{next(_numbers):064x}", ""))
    source: str = "127.0.0.1"

    @property
    def visit(self) -> Visit:
        """This browser asking."""
        return Visit(self.browser, recorded)

    def begin(self, incoming: Incoming, bounce: bool = False) -> Result:
        """Come with a request."""
        return self._noted(logins.begin(self.office, incoming, self.visit, bounce))

    def look(self, login: str) -> Result:
        """Ask for the page of a login."""
        return self._noted(logins.look(self.office, login, self.visit))

    def identify(self, login: str, password: str | None = None, keep: bool = False) -> Result | Faulty:
        """Fill in username and password."""
        given = PERSONAS[self.username].password if password is None else password
        return self._noted(credentials.identify(self.office, self.tried(login), self.username, given, keep))

    def prove(self, login: str, code: str | None = None) -> Result | Faulty:
        """Fill in a code, by default what the own responder shows."""
        return self._noted(credentials.prove(self.office, self.tried(login), self.code() if code is None else code))

    def tried(self, login: str) -> Attempt:
        """One filled-in form."""
        return Attempt(login, self.visit, self.source)

    def code(self) -> str:
        """What the own responder shows now."""
        responder = PERSONAS[self.username].responder
        assert responder is not None
        return str(pyotp.TOTP(responder.secret).at(self.office.clock.now()))

    def log_in(self, incoming: Incoming, keep: bool = False) -> Result | Faulty:
        """Go all the way that password and responder lead."""
        result: Result | Faulty = self.begin(incoming)
        if isinstance(result, Waiting) and result.standing.step == "password":
            result = self.identify(result.login.id, keep=keep)
        if isinstance(result, Waiting) and result.standing.step == "code":
            result = self.prove(result.login.id)
        return result

    def _noted(self, result: Result | Faulty) -> Result | Faulty:  # type: ignore[misc]  # one door for all answers
        if isinstance(result, Concluded) and result.session is not None:
            self.browser = Browser(self.browser.id, result.session)
        return result


def events(office: Office, event: str) -> list[str]:
    """The facts of every recorded event of a kind, oldest first."""
    query = select(AuditEvent.facts).where(AuditEvent.event == event).order_by(AuditEvent.sequence)
    with office.reading() as connection:
        return list(connection.execute(query).scalars())
