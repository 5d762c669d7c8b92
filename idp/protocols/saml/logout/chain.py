"""Telling the other parties of a session that it is over: what is still to do, and where it stands (issue 3)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Self

from idp.domain.audit import Event
from idp.domain.parties import Party
from idp.ports import Courier, FetchFailed, Overloaded
from idp.protocols.message import Answer, BadRequest
from idp.protocols.saml.dialects import DIALECTS
from idp.protocols.saml.logout.delivery import FRONT, carry
from idp.protocols.saml.logout.message import (
    LOGOUT_RESPONSE,
    LogoutResponse,
    Whom,
    read_logout_response,
    write_logout_request,
)
from idp.protocols.saml.metadata.sp_metadata import LogoutService, of_party
from idp.protocols.saml.names import Binding, NameId
from idp.protocols.saml.request.read import sender_of
from idp.protocols.saml.request.redirect import Parameter, RedirectMessage
from idp.protocols.saml.soap import ANSWER_TYPE, read_envelope, write_envelope
from idp.protocols.saml.voice import Voices
from idp.protocols.saml.xmlsec.refusal import Fault, Refused
from idp.protocols.saml.xmlsec.signature import verify
from idp.protocols.saml.xmlsec.xml import Schemas, parse_canonical
from idp.services.sessions.logout import Participant
from idp.services.tickets import Held, Purpose, issue, peek, redeem
from idp.services.work import Office, Work

_LASTS: Final = timedelta(minutes=15)
# A person waits meanwhile, so few are asked over the back channel; the others count as not told.
_MOST_OVER_SOAP: Final = 4
_MOST_PARTIES: Final = 20
ADDRESS: Final = "address"


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asked for the logout and how to answer; all empty when the person asked us.

    With the binding ``address`` there is no message to answer with: the browser goes to the location as it stands.
    """

    party: str = ""
    request: str = ""
    binding: str = ""
    location: str = ""
    relay_state: str | None = None


@dataclass(frozen=True, slots=True)
class Chain:
    """A logout under way: who is still to hear, who confirmed, and whether someone did not.

    ``clients`` hear in other ways than ours, and nobody learns whether they did.
    """

    asker: Asker
    ended: bool
    left: tuple[Participant, ...] = ()
    told: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    clients: tuple[Participant, ...] = ()

    @property
    def partial(self) -> bool:
        """Whether someone may still be logged in somewhere."""
        return bool(self.missed)

    def after(self, party: str, *, confirmed: bool) -> Self:
        """The same when the first has been dealt with."""
        told = (*self.told, party) if confirmed else self.told
        missed = self.missed if confirmed else (*self.missed, party)
        return replace(self, left=self.left[1:], told=told, missed=missed)

    def remember(self) -> dict[str, Any]:
        """The same as plain data."""
        asker = self.asker
        return {
            "asker": [asker.party, asker.request, asker.binding, asker.location, asker.relay_state],
            "ended": self.ended,
            "left": [_plain(one) for one in self.left],
            "told": self.told,
            "missed": self.missed,
            "clients": [_plain(one) for one in self.clients],
        }

    @classmethod
    def recall(cls, kept: Mapping[str, Any]) -> Self:
        """What ``remember`` gave."""
        left, clients = (tuple(Participant(*one) for one in kept[name]) for name in ("left", "clients"))
        return cls(Asker(*kept["asker"]), kept["ended"], left, tuple(kept["told"]), tuple(kept["missed"]), clients)


def _plain(one: Participant) -> list[Any]:
    return [one.party, one.name, one.transient, one.index]


@dataclass(frozen=True, slots=True)
class Visit:
    """The next party to hear, by way of the browser: what it is sent, and the chain as it stands."""

    party: Party
    answer: Answer
    chain: Chain


@dataclass(frozen=True, slots=True)
class Messenger:
    """What it takes to tell others: our voice, the schemas for their answers, and the way out."""

    schemas: Schemas
    voices: Voices
    courier: Courier | None

    def over_soap(self, office: Office, chain: Chain, now: datetime) -> Chain:
        """Tell all who take it over SOAP; who does not confirm stays for the browser, where it takes that."""
        left: list[Participant] = []
        asked = 0
        for one in chain.left[:_MOST_PARTIES]:
            party = listener(office, one)
            place = _place(office, party, (Binding.SOAP,)) if party is not None else None
            if party is not None and place is not None and asked < _MOST_OVER_SOAP:
                asked += 1
                if self._confirms(office, party, place, one, now):
                    chain = replace(chain, told=(*chain.told, one.party))
                    continue
            left.append(one)
        beyond = tuple(one.party for one in chain.left[_MOST_PARTIES:])
        return replace(chain, left=tuple(left), missed=chain.missed + beyond)

    def onward(self, work: Work, chain: Chain) -> tuple[str, Chain]:
        """The secret of the next visit, or none when the chain is at its end; in a transaction."""
        while chain.left:
            party = listener(work.office, chain.left[0])
            if party is not None and _place(work.office, party, FRONT) is not None:
                visit = f"_{work.office.entropy.bytes(20).hex()}"
                issue(work, Purpose.SAML_LOGOUT, visit, Held(party.id, chain.remember(), _LASTS))
                return visit, chain
            chain = chain.after(chain.left[0].party, confirmed=False)
        return "", chain

    def visit(self, office: Office, secret: str, now: datetime) -> Visit | None:
        """What the browser brings to the party of a visit; None when that is over."""
        with office.work("protocol") as work:
            found = peek(work, Purpose.SAML_LOGOUT, secret)
        party = office.directory.party_by_id(found[0]) if found is not None else None
        place = _place(office, party, FRONT) if party is not None else None
        if found is None or party is None or place is None:
            return None
        chain = Chain.recall(found[1])
        voice = self.voices.speak_to(office, party, now)
        whom, front = _whom(party, chain.left[0]), place.binding != Binding.REDIRECT
        octets = write_logout_request(voice, secret, place.location, whom, signed=front)
        message = RedirectMessage(Parameter.REQUEST, octets, None)
        return Visit(party, carry(message, place.binding, place.location, voice), chain)

    def leave(self, work: Work, secret: str, *, confirmed: bool) -> Chain | None:
        """Consume a visit; None for one that is over. What nobody confirmed counts as not told."""
        found = peek(work, Purpose.SAML_LOGOUT, secret)
        kept = redeem(work, Purpose.SAML_LOGOUT, secret, found[0]) if found is not None else None
        if found is None or kept is None:
            return None
        work.record(Event.LOGOUT_ANSWERED, party=found[0], confirmed=str(confirmed).lower())
        return Chain.recall(kept).after(found[0], confirmed=confirmed)

    def _confirms(self, office: Office, party: Party, place: LogoutService, one: Participant, now: datetime) -> bool:
        """Whether a party says over SOAP that its session is over."""
        if self.courier is None:
            return False
        voice = self.voices.speak_to(office, party, now)
        question = voice.new_id()
        asked = write_logout_request(voice, question, place.location, _whom(party, one), signed=True)
        try:
            octets = self.courier.post(place.location, ANSWER_TYPE, write_envelope(asked))
            answer = self._answer(office, party, octets, now)
        except (FetchFailed, Overloaded, Refused, BadRequest):
            return False
        return answer.whole and answer.in_response_to == question

    def _answer(self, office: Office, party: Party, octets: bytes, now: datetime) -> LogoutResponse:
        root = read_envelope(octets, self.schemas)
        sender = sender_of(office, party.identity, now)
        if root.tag != LOGOUT_RESPONSE:
            raise Refused(Fault.SCHEMA, f"a {root.tag!r} where a LogoutResponse belongs")
        return read_logout_response(parse_canonical(verify(root, LOGOUT_RESPONSE, sender.keys, enclosed=True)))


def listener(office: Office, participant: Participant) -> Party | None:
    """The party, if it is one that hears of logouts elsewhere: in the scheme everyone ends its own (domain 3.8)."""
    party = office.directory.party_by_id(participant.party)
    if party is None or party.settings.profile not in DIALECTS or DIALECTS[party.settings.profile].scheme:
        return None
    return party


def _place(office: Office, party: Party, bindings: tuple[Binding, ...]) -> LogoutService | None:
    """Where a party takes a LogoutRequest: an address of its registered metadata alone (SEC-18)."""
    try:
        metadata = office.directory.parsed(party, of_party)
    except (Refused, ValueError):
        return None
    return next((one for binding in bindings for one in metadata.logouts if one.binding == binding), None)


def _whom(party: Party, one: Participant) -> Whom:
    return Whom(one.name, NameId.TRANSIENT if one.transient else NameId.PERSISTENT, party.identity, one.index)
