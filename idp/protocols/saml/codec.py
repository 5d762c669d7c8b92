"""SAML as a protocol of the provider: requests in, responses out, for every profile."""

from datetime import datetime, timedelta
from typing import Final

from idp.domain.assertion import Assertion, Denied, Interrupted, Outcome
from idp.domain.login import LoginRequest
from idp.domain.parties import Profile
from idp.ports import KeyUse
from idp.protocols.message import Answer, Answered, BadRequest, HttpMessage, Incoming
from idp.protocols.saml.answer import failure, success
from idp.protocols.saml.consumers import asked_consumer, reply_consumer
from idp.protocols.saml.dialects import DIALECTS, names
from idp.protocols.saml.grant import grant
from idp.protocols.saml.metadata import write_metadata
from idp.protocols.saml.names import Binding
from idp.protocols.saml.read import Verified, verified
from idp.protocols.saml.reply import Reply
from idp.protocols.saml.signing import Signatory, key_name
from idp.protocols.saml.sp_metadata import Consumer
from idp.protocols.saml.status import Problem, RequestFault, problem_of, status
from idp.protocols.saml.transport import receive
from idp.protocols.saml.understand import Endpoint, understand
from idp.protocols.saml.voice import TYPED_PREFIXES, Voice, signatory
from idp.protocols.saml.xml import Schemas
from idp.services.tickets import Purpose, first_use
from idp.services.work import Office, Work

_METADATA_TYPE: Final = "application/samlmetadata+xml"
# Found before a replay would be: such a request is stale or strayed, and never opened a login (domain 3.2.2).
_BEFORE_REPLAY: Final = (Problem.EXPIRED, Problem.DESTINATION, Problem.VERSION)


class SamlCodec:
    """The codec of ``generic``, ``eherkenning-1.13`` and ``eherkenning-1.11``; make one per process."""

    def __init__(self) -> None:
        self._schemas = Schemas.load()
        self._signatories: dict[str, Signatory] = {}

    def read(self, office: Office, message: HttpMessage, now: datetime) -> Incoming:
        """A verified request; raises ``BadRequest`` for the own page, ``Answered`` for what its sender hears of."""
        found = verified(office, receive(message), self._schemas, now)
        asked = asked_consumer(found)
        reply_to = reply_consumer(found, asked)
        location = office.settings.server.base_url + message.path
        endpoint = Endpoint(location, names(office.settings, found.dialect), office.settings, now)
        # It is refused for its age as soon as it could be forgotten.
        mark = f"{found.party.identity} {found.request.id}"
        until = now + 2 * timedelta(seconds=office.settings.saml.skew_seconds)
        try:
            return Incoming(found.party, understand(found, asked, reply_to, endpoint), mark, until)
        except RequestFault as fault:
            if fault.problem not in _BEFORE_REPLAY:
                _refuse_replay(office, mark, until)
            answer = self._failure(office, _reply(found, reply_to), fault.problem, now)
            raise Answered(fault.code, answer, fault.facts) from fault

    def destination(self, asked: LoginRequest) -> str:
        """The assertion consumer of the request."""
        return Reply.recall(asked.reply).location

    def record(self, work: Work, incoming: Incoming, outcome: Outcome) -> str:
        """Nothing: an answer by POST carries all there is."""
        return ""

    def answer(self, office: Office, incoming: Incoming, outcome: Outcome, recorded: str, now: datetime) -> Answer:
        """The Response that carries the outcome (domain 3.3, 3.6)."""
        reply = Reply.recall(incoming.asked.reply)
        match outcome:
            case Assertion():
                voice = self._voice(office, reply, now)
                try:
                    return success(reply, grant(office, incoming, outcome, reply, voice), voice)
                except RequestFault as fault:
                    return self._failure(office, reply, fault.problem, now)
            case Denied(reasons):
                return self._failure(office, reply, problem_of(reasons), now)
            case Interrupted():
                return self._failure(office, reply, Problem.NO_PASSIVE, now)

    def _failure(self, office: Office, reply: Reply, problem: Problem, now: datetime) -> Answer:
        told = status(problem, scheme=reply.dialect.scheme, reference=reply.reference)
        return failure(reply, told, self._voice(office, reply, now))

    def _voice(self, office: Office, reply: Reply, now: datetime) -> Voice:
        key = office.keys.active(KeyUse.SAML_SIGNING)
        known = self._signatories.get(key.public.kid)
        if known is None or known.key is not key:
            known = self._signatories[key.public.kid] = signatory(key, key_name(key), TYPED_PREFIXES)
        return Voice(names(office.settings, reply.dialect), known, office.entropy.bytes, now)


def documents(office: Office) -> dict[str, tuple[str, bytes]]:
    """Our metadata by path, each with its media type: prebuilt bytes (performance: P8)."""
    return {
        one.metadata_path: (_METADATA_TYPE, write_metadata(office.settings, office.keys, one))
        for one in DIALECTS.values()
    }


def _reply(found: Verified, consumer: Consumer) -> Reply:
    return Reply(
        request=found.request.id,
        location=consumer.location,
        profile=Profile(found.party.settings.profile),
        binding=Binding(consumer.binding),
        relay_state=found.relay_state,
    )


def _refuse_replay(office: Office, mark: str, until: datetime) -> None:
    """A faulty request is answered once as well: a replayed one never reaches the relying party (RUL-25)."""
    with office.work("protocol") as work:
        if not first_use(work, Purpose.SAML_REQUEST, mark, until):
            raise BadRequest("P05")
