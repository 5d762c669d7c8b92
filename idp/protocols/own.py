"""The way back to our own pages at the end of a login that they asked for."""

import re
from datetime import datetime

from idp.domain.assertion import Assertion, Outcome
from idp.domain.login import LoginRequest
from idp.protocols.message import Answer, BadRequest, HttpMessage, Redirect
from idp.services.authentication.login import Incoming
from idp.services.decision.own_party import own_party, own_request
from idp.services.work import Office, Work

PROFILE = "/profiel"
_PAGES = re.compile(r"/(profiel(/[a-z-]{1,30})?|responder-(koppelen|kwijt)|collega-bevestigen)", re.ASCII)


def page_of(path: str) -> str:
    """A page of ours that one logs in for; the profile for any other address (SEC-9)."""
    return path if _PAGES.fullmatch(path) else PROFILE


class OwnCodec:
    """Plugs our own pages into the login, as a protocol does."""

    def ask(self, office: Office, to: str, strong: bool) -> Incoming:
        """The wish to open a page; ``strong`` with the second factor."""
        return Incoming(own_party(office), own_request(office, page_of(to), strong))

    def read(self, office: Office, message: HttpMessage, now: datetime) -> Incoming:
        """Nobody else can ask for this login."""
        raise BadRequest("P01")

    def destination(self, asked: LoginRequest) -> str:
        """Our own address."""
        return asked.party

    def record(self, work: Work, incoming: Incoming, outcome: Outcome) -> str:
        """Nothing needs to be stored."""
        return ""

    def answer(self, office: Office, incoming: Incoming, outcome: Outcome, recorded: str, now: datetime) -> Answer:
        """To the page that was wished; to the profile's door for who stopped."""
        there = isinstance(outcome, Assertion)
        return Redirect(page_of(incoming.asked.reply.get("to", "")) if there else PROFILE)
