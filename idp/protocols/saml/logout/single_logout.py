"""Single logout: a relying party's request is obeyed and answered, its answers move a logout on (domain 3.8, 9.3)."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from idp.ports import Courier, KeyUse
from idp.protocols.message import Answer, BadRequest, Document, HttpMessage, Redirect
from idp.protocols.saml.dialects import DIALECTS, names
from idp.protocols.saml.logout.chain import ADDRESS, Asker, Chain, Messenger, Visit, listener
from idp.protocols.saml.logout.delivery import answer_place, carry
from idp.protocols.saml.logout.message import (
    LOGOUT_REQUEST,
    LOGOUT_RESPONSE,
    PARTLY,
    LogoutRequest,
    Name,
    OwnKey,
    read_logout_request,
    read_logout_response,
    write_logout_response,
)
from idp.protocols.saml.names import Binding
from idp.protocols.saml.request.authn_request import read_issuer
from idp.protocols.saml.request.read import Sender, hold_to_form, opened, sender_of, vouched
from idp.protocols.saml.request.redirect import Parameter, RedirectMessage
from idp.protocols.saml.request.transport import Received, bad_request, receive
from idp.protocols.saml.response.answer import WELL, write_status
from idp.protocols.saml.soap import ANSWER_TYPE, is_soap, read_posted, write_envelope
from idp.protocols.saml.status import Problem, status
from idp.protocols.saml.voice import Voices
from idp.protocols.saml.xmlsec.refusal import Fault, Refused
from idp.protocols.saml.xmlsec.signature import verify
from idp.protocols.saml.xmlsec.xml import Element, Schemas, parse_canonical
from idp.services.sessions.logout import Called, LoggedOut, log_out, log_out_here
from idp.services.tickets import Purpose, first_use
from idp.services.work import Office, Work

_KINDS: Final = {Parameter.REQUEST: LOGOUT_REQUEST, Parameter.RESPONSE: LOGOUT_RESPONSE}
log = structlog.get_logger("idp.logout")


@dataclass(frozen=True, slots=True)
class Onward:
    """The logout goes on at another party: ``visit`` is the secret of the page that leads there."""

    visit: str


@dataclass(frozen=True, slots=True)
class Over:
    """The logout is at its end: what to answer, if the asker can be, and whether the person reads our page first."""

    chain: Chain
    answer: Answer | None
    read_first: bool


Result = Document | Onward | Over


@dataclass(frozen=True, slots=True)
class _Asked:
    """A verified LogoutRequest with its sender, and what is wrong with it, if anything."""

    sender: Sender
    request: LogoutRequest
    relay_state: str | None
    binding: Binding
    problem: Problem | None


class Logout:
    """Ends sessions for relying parties and for the person; make one per process."""

    def __init__(self, schemas: Schemas, voices: Voices, courier: Courier | None) -> None:
        self._schemas = schemas
        self._messenger = Messenger(schemas, voices, courier)
        self._voices = voices

    def take(self, office: Office, message: HttpMessage, browser_session: str, now: datetime) -> Result:
        """Obey a LogoutRequest, or go on with the answer to one of ours.

        Raises ``BadRequest``: P10, P01, P14, P02, P05 (RUL-25), and P13 for an answer nobody waits for.
        """
        if is_soap(message):
            return self._over_soap(office, message, now)
        received = receive(message, tuple(Parameter))
        if not isinstance(received, Received):
            raise BadRequest("P06", {"field": "binding", "received": Binding.ARTIFACT})
        root = opened(received, self._schemas, (LOGOUT_REQUEST, LOGOUT_RESPONSE))
        if root.tag == LOGOUT_RESPONSE:
            return self._answered(office, received, root, now)
        found = vouched(office, received, root, now, waivable=False)
        hold_to_form(received, found.sender.party)
        request = _request(office, found.root)
        problem = _problem(office, found.sender, request, message.path)
        asked = _Asked(found.sender, request, received.relay_state, received.binding, problem)
        chain, problem = self._obey(office, asked, browser_session)
        return self._go_on(office, chain, problem, now)

    def leave(self, office: Office, browser_session: str, now: datetime) -> Result:
        """End the session of this browser because the person asks us, and tell who listens (S-10)."""
        with office.work("person") as work:
            found = log_out_here(work, browser_session)
        return self.tell(office, Asker(), found, now)

    def tell(self, office: Office, asker: Asker, found: LoggedOut, now: datetime) -> Result:
        """Tell who listens that sessions are over, whoever asked for it, and answer who asked."""
        return self._go_on(office, _chain(office, asker, found), None, now)

    def visit(self, office: Office, secret: str, now: datetime) -> Visit | None:
        """What the page of a visit brings to its party; None when that is over."""
        return self._messenger.visit(office, secret, now)

    def skip(self, office: Office, secret: str, now: datetime) -> Result | None:
        """Go on without the party of a visit, because the person asks for it; None when that is over."""
        return self._moved(office, secret, False, now)

    def _obey(self, office: Office, asked: _Asked, browser_session: str) -> tuple[Chain, Problem | None]:
        """End what a request names. A faulty one ends it too, where it names a session: an odd request is no reason
        to stay logged in; its sender hears of the fault. It ends nothing but that: an old one that somebody kept
        would else end every later session of the browser that is made to bring it."""
        sender, request = asked.sender, asked.request
        asker = _asker(asked)
        with office.work("protocol") as work:
            _refuse_replay(work, sender, request)
            if asked.problem is not None and not request.indexes:
                return Chain(asker, ended=False), asked.problem
            name = request.name.value if _ours(office, sender, request.name) else ""
            later = browser_session if asked.problem is None else ""
            found = log_out(work, Called(sender.party.id, name, request.indexes), later)
        if found is None:
            return Chain(asker, ended=False), asked.problem or Problem.PRINCIPAL
        heard = replace(found, others=()) if sender.dialect.scheme else found
        return _chain(office, asker, heard), asked.problem

    def _go_on(self, office: Office, chain: Chain, problem: Problem | None, now: datetime) -> Onward | Over:
        if problem is not None:
            return self._over(office, chain, problem, now)
        chain = self._messenger.over_soap(office, chain, now)
        with office.work("protocol") as work:
            secret, chain = self._messenger.onward(work, chain)
        return Onward(secret) if secret else self._over(office, chain, None, now)

    def _moved(self, office: Office, secret: str, confirmed: bool, now: datetime) -> Onward | Over | None:
        with office.work("protocol") as work:
            chain = self._messenger.leave(work, secret, confirmed=confirmed)
            if chain is None:
                return None
            onward, chain = self._messenger.onward(work, chain)
        return Onward(onward) if onward else self._over(office, chain, None, now)

    def _answered(self, office: Office, received: Received, root: Element, now: datetime) -> Result:
        """Go on after the answer of a party. One that nobody vouches for confirms nothing, but is no dead end."""
        claimed = read_logout_response(root).in_response_to
        visit = self._messenger.visit(office, claimed, now)
        if visit is None:
            raise BadRequest("P13", {"field": "InResponseTo", "received": claimed[:100] or "none"})
        try:
            found = vouched(office, received, root, now, waivable=True)
            answer = read_logout_response(found.root)
            confirmed = answer.whole and found.sender.party.id == visit.party.id and answer.in_response_to == claimed
        except BadRequest as error:
            log.warning("logout answer refused", code=error.code, party=visit.party.id, facts=error.facts)
            confirmed = False
        moved = self._moved(office, claimed, confirmed, now)
        if moved is None:
            raise BadRequest("P05")
        return moved

    def _over(self, office: Office, chain: Chain, problem: Problem | None, now: datetime) -> Over:
        asker = chain.asker
        if asker.binding == ADDRESS and asker.location:
            return Over(chain, Redirect(asker.location), read_first=False)
        party = office.directory.party_by_id(asker.party) if asker.party else None
        if party is None or not asker.location:
            return Over(chain, None, read_first=True)
        dialect = DIALECTS[party.settings.profile]
        voice = self._voices.speak_to(office, party, now)
        told = _status(chain, problem, scheme=dialect.scheme)
        signed = asker.binding != Binding.REDIRECT
        octets = write_logout_response(voice, asker.request, asker.location, told, signed=signed)
        message = RedirectMessage(Parameter.RESPONSE, octets, asker.relay_state)
        answer = carry(message, asker.binding, asker.location, voice)
        # In the scheme the person reads what became of other sessions before going back (domain 3.8, AD-4).
        return Over(chain, answer, read_first=dialect.scheme)

    def _over_soap(self, office: Office, message: HttpMessage, now: datetime) -> Document:
        """A LogoutRequest without any browser: who hears of logouts by a browser alone is not told."""
        try:
            root = read_posted(message, self._schemas)
            if root.tag != LOGOUT_REQUEST:
                raise Refused(Fault.SCHEMA, f"a {root.tag!r} where a LogoutRequest belongs")
            sender = sender_of(office, read_issuer(root), now)
            vouching = parse_canonical(verify(root, LOGOUT_REQUEST, sender.keys, enclosed=True))
        except Refused as refused:
            raise bad_request(refused, detail=refused.detail[:300]) from refused
        request = _request(office, vouching)
        problem = _problem(office, sender, request, message.path)
        chain, problem = self._obey(office, _Asked(sender, request, None, Binding.SOAP, problem), "")
        if problem is None:
            chain = self._messenger.over_soap(office, chain, now)
            chain = replace(chain, missed=(*chain.missed, *(one.party for one in chain.left)))
        voice = self._voices.speak_to(office, sender.party, now)
        told = _status(chain, problem, scheme=sender.dialect.scheme)
        answer = write_logout_response(voice, request.id, "", told, signed=True)
        return Document(200, ANSWER_TYPE, write_envelope(answer))


def _request(office: Office, root: Element) -> LogoutRequest:
    keys = office.keys.living(KeyUse.SAML_ENCRYPTION)
    try:
        return read_logout_request(root, [OwnKey(one) for one in keys])
    except Refused as refused:
        raise bad_request(refused) from refused


def _problem(office: Office, sender: Sender, request: LogoutRequest, path: str) -> Problem | None:
    """What is wrong with a request of a certain sender (SEC-14, G-5)."""
    here = office.settings.server.base_url + sender.dialect.logout_path
    if office.settings.server.base_url + path != here or request.destination not in (None, here):
        return Problem.DESTINATION
    if request.version != "2.0":
        return Problem.VERSION
    skew = timedelta(seconds=office.settings.saml.skew_seconds)
    late = request.ends_at is not None and sender.now - skew >= request.ends_at
    return Problem.EXPIRED if late or abs(sender.now - request.issued_at) > skew else None


def _refuse_replay(work: Work, sender: Sender, request: LogoutRequest) -> None:
    """Each request counts once (SEC-14); it is refused for its age as soon as it could be forgotten."""
    until = work.now + 2 * timedelta(seconds=work.office.settings.saml.skew_seconds)
    if not first_use(work, Purpose.SAML_REQUEST, f"{sender.party.identity} {request.id}", until):
        raise BadRequest("P05")


def _ours(office: Office, sender: Sender, name: Name) -> bool:
    """Whether the qualifiers of a name, where there are any, are those under which we told it."""
    known = names(office.settings, sender.dialect)
    qualified = name.qualifier in ("", known.issuer, known.authenticator, known.registry)
    return qualified and name.sp_qualifier in ("", sender.party.identity)


def _asker(asked: _Asked) -> Asker:
    place = answer_place(asked.sender.metadata, asked.binding)
    return Asker(
        party=asked.sender.party.id,
        request=asked.request.id,
        binding=place.binding if place is not None else "",
        location=place.response_location if place is not None else "",
        relay_state=asked.relay_state,
    )


def _chain(office: Office, asker: Asker, found: LoggedOut) -> Chain:
    """Who is to hear, and who cannot be told."""
    hearing = tuple(one for one in found.others if listener(office, one) is not None)
    deaf = tuple(one.party for one in found.others if one not in hearing)
    return Chain(asker, found.ended, hearing, missed=deaf, clients=found.hearing)


def _status(chain: Chain, problem: Problem | None, *, scheme: bool) -> str:
    """Success when our session ended or was gone; in ``generic`` with a word when others may still be logged in."""
    if problem is not None:
        return write_status(status(problem, scheme=scheme))
    return PARTLY if chain.partial and not scheme else WELL
