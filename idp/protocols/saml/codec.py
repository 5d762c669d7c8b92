"""SAML as a protocol of the provider: requests in, responses out, for every profile."""

from datetime import datetime, timedelta
from typing import Final

from idp.domain.assertion import Assertion, Denied, Interrupted, Lacking, Outcome, Undeliverable
from idp.domain.login import LoginRequest
from idp.domain.parties import Party, Profile
from idp.ports import Courier, KeyUse
from idp.protocols.message import Answer, Answered, BadRequest, Document, HttpMessage, Incoming
from idp.protocols.saml.dialects import DIALECTS, names
from idp.protocols.saml.logout.single_logout import Logout
from idp.protocols.saml.metadata.own import coming, current, valid_until, write_metadata
from idp.protocols.saml.metadata.sp_metadata import Consumer, of_party
from idp.protocols.saml.names import Binding
from idp.protocols.saml.reply import Reply
from idp.protocols.saml.request.consumers import asked_consumer, reply_consumer
from idp.protocols.saml.request.read import Verified, verified
from idp.protocols.saml.request.transport import Received, receive
from idp.protocols.saml.request.understand import Endpoint, understand
from idp.protocols.saml.resolution.answering import resolve
from idp.protocols.saml.resolution.asking import Collector
from idp.protocols.saml.response.answer import failure, success
from idp.protocols.saml.response.delivery import by_artifact, by_post, keep
from idp.protocols.saml.response.grant import advised, grant, note_name
from idp.protocols.saml.status import Problem, RequestFault, problem_of, status
from idp.protocols.saml.voice import Voices
from idp.protocols.saml.xmlsec.xml import Schemas
from idp.services.own_keys.sightings import Sightings
from idp.services.tickets import Purpose, first_use
from idp.services.work import Office, Work

_METADATA_TYPE: Final = "application/samlmetadata+xml"
# Found before a replay would be: such a request is stale or strayed, and never opened a login (domain 3.2.2).
_BEFORE_REPLAY: Final = (Problem.EXPIRED, Problem.DESTINATION, Problem.VERSION)

_PROBLEM_OF_LACKING: Final = {Lacking.ENTITY_TYPE: Problem.ENTITY_TYPE, Lacking.ATTRIBUTE: Problem.ATTRIBUTE}


class SamlCodec:
    """The codec of ``generic``, ``eherkenning-1.13`` and ``eherkenning-1.11``; make one per process."""

    def __init__(self, courier: Courier | None = None) -> None:
        self._schemas = Schemas.load()
        self._voices = Voices()
        self._collector = Collector(self._schemas, self._voices, courier) if courier is not None else None
        self._sightings = Sightings()
        self.logout = Logout(self._schemas, self._voices, courier)

    def read(self, office: Office, message: HttpMessage, now: datetime) -> Incoming:
        """A verified request; raises ``BadRequest`` for the own page, ``Answered`` for what its sender hears of."""
        found = verified(office, self._received(office, message, now), self._schemas, now)
        key = _key_in(office, message.path, found)
        self._sightings.note(office, found.party.id, key, now)
        asked = asked_consumer(found)
        reply_to = reply_consumer(found, asked)
        location = office.settings.server.base_url + message.path
        endpoint = Endpoint(location, names(office.settings, found.dialect), office.settings, now, key)
        # It is refused for its age as soon as it could be forgotten.
        mark = f"{found.party.identity} {found.request.id}"
        until = now + 2 * timedelta(seconds=office.settings.saml.skew_seconds)
        try:
            return Incoming(found.party, understand(found, asked, reply_to, endpoint), mark, until)
        except RequestFault as fault:
            if fault.problem not in _BEFORE_REPLAY:
                _refuse_replay(office, mark, until)
            reply = _reply(found, reply_to, key)
            response = self._failure(office, reply, fault.problem, now)
            raise Answered(fault.code, _delivered(office, found.party, reply, response), fault.facts) from fault

    def _received(self, office: Office, message: HttpMessage, now: datetime) -> Received:
        """The message that came, or that an artifact stands for."""
        received = receive(message)
        if isinstance(received, Received):
            return received
        if self._collector is None:
            raise BadRequest("P06", {"field": "binding", "received": Binding.ARTIFACT})
        return self._collector.collect(office, received, message.path, now)

    def resolve(self, office: Office, message: HttpMessage, now: datetime) -> Document:
        """The answer to an ArtifactResolve; raises ``BadRequest``, to be told as a SOAP fault (domain 3.7)."""
        return resolve(office, message, self._schemas, self._voices, now)

    def destination(self, asked: LoginRequest) -> str:
        """The assertion consumer of the request."""
        return Reply.recall(asked.reply).location

    def record(self, work: Work, incoming: Incoming, outcome: Outcome) -> str:
        """The artifact of a Response that is fetched later, or nothing: an answer by POST carries all there is.

        Raises ``BadRequest`` P03 when newer metadata no longer name the place that the answer was to go to (SEC-14).
        """
        reply = Reply.recall(incoming.asked.reply)
        _hold_to_place(work.office, incoming.party, reply)
        note_name(work, incoming.party, outcome, reply)
        if reply.binding is not Binding.ARTIFACT:
            return ""
        response = self._response(work.office, (incoming, reply), outcome, work.now)
        account = outcome.basis.account if isinstance(outcome, Assertion) else None
        return keep(work, incoming.party, reply, response, account)

    def answer(self, office: Office, incoming: Incoming, outcome: Outcome, recorded: str, now: datetime) -> Answer:
        """The outcome on its way, by the binding of the place it goes to (domain 3.2)."""
        reply = Reply.recall(incoming.asked.reply)
        if reply.binding is Binding.ARTIFACT:
            return by_artifact(reply, recorded)
        return by_post(reply, self._response(office, (incoming, reply), outcome, now))

    def _response(self, office: Office, asker: tuple[Incoming, Reply], outcome: Outcome, now: datetime) -> bytes:
        """The Response that carries the outcome (domain 3.3, 3.6)."""
        incoming, reply = asker
        match outcome:
            case Assertion():
                voice = self._voices.speak(office, reply.dialect, now, reply.key, advice=advised(incoming))
                try:
                    return success(reply, grant(office, incoming, outcome, reply, voice), voice)
                except RequestFault as fault:
                    return self._failure(office, reply, fault.problem, now)
            case Denied(reasons):
                return self._failure(office, reply, problem_of(reasons), now)
            case Undeliverable(lacking):
                return self._failure(office, reply, _PROBLEM_OF_LACKING[lacking], now)
            case Interrupted():
                return self._failure(office, reply, Problem.NO_PASSIVE, now)

    def _failure(self, office: Office, reply: Reply, problem: Problem, now: datetime) -> bytes:
        told = status(problem, scheme=reply.dialect.scheme, reference=reply.reference)
        return failure(reply, told, self._voices.speak(office, reply.dialect, now, reply.key))


def documents(office: Office) -> dict[str, tuple[str, bytes]]:
    """Our metadata by path, each with its media type: prebuilt bytes (performance: P8).

    While keys wait to become active there is a second one of each profile, with these alone.
    """
    settings, until = office.settings, valid_until(office.settings, office.clock.now())
    now = current(office.keys, until)
    found = {one.metadata_path: write_metadata(settings, one, now) for one in DIALECTS.values()}
    soon = coming(office.keys, until)
    if soon is not None:
        found |= {one.next_path: write_metadata(settings, one, soon) for one in DIALECTS.values()}
    return {path: (_METADATA_TYPE, octets) for path, octets in found.items()}


def _hold_to_place(office: Office, party: Party, reply: Reply) -> None:
    consumers = office.directory.parsed(party, of_party).consumers
    if not any((one.location, one.binding) == (reply.location, reply.binding) for one in consumers):
        expected = ", ".join(one.location for one in consumers[:5])
        raise BadRequest("P03", {"field": "AssertionConsumerService", "expected": expected, "received": reply.location})


def _key_in(office: Office, path: str, found: Verified) -> str:
    """The short name of a key of ours in the address of a request, else in its Destination.

    Empty when there is none that we know; then an address with a name is a wrong one.
    """
    stated = (found.request.destination or "").removeprefix(office.settings.server.base_url)
    key = found.dialect.key_in(path) or found.dialect.key_in(stated)
    return key if key and office.keys.named(KeyUse.SAML_SIGNING, key) is not None else ""


def _reply(found: Verified, consumer: Consumer, key: str) -> Reply:
    return Reply(
        request=found.request.id,
        location=consumer.location,
        profile=Profile(found.party.settings.profile),
        binding=Binding(consumer.binding),
        relay_state=found.relay_state,
        key=key,
    )


def _delivered(office: Office, party: Party, reply: Reply, response: bytes) -> Answer:
    """A Response outside of any login, on its way."""
    if reply.binding is not Binding.ARTIFACT:
        return by_post(reply, response)
    with office.work("protocol") as work:
        artifact = keep(work, party, reply, response)
    return by_artifact(reply, artifact)


def _refuse_replay(office: Office, mark: str, until: datetime) -> None:
    """A faulty request is answered once as well: a replayed one never reaches the relying party (RUL-25)."""
    with office.work("protocol") as work:
        if not first_use(work, Purpose.SAML_REQUEST, mark, until):
            raise BadRequest("P05")
