"""How OpenID Connect plugs into a login: a request in, a code recorded, an answer out."""

from datetime import datetime

from idp.domain.assertion import Assertion, Lacking, Outcome, Undeliverable
from idp.domain.login import LoginRequest
from idp.protocols.message import Answer, HttpMessage, Incoming, Redirect
from idp.protocols.oidc.claims.identifiers import identifiers_of
from idp.protocols.oidc.claims.table import Scope, facts_of
from idp.protocols.oidc.endpoints import DEVICE_READY, DEVICE_REFUSED, issuer
from idp.protocols.oidc.logout.session_state import session_state
from idp.protocols.oidc.memory import memory_of
from idp.protocols.oidc.request.answers import answer_with_code, answer_without_login
from idp.protocols.oidc.request.device import device_of
from idp.protocols.oidc.request.read import read
from idp.protocols.oidc.request.return_address import return_address
from idp.services.tokens.devices import Poll, decide
from idp.services.tokens.grants import open_grant, open_grant_for
from idp.services.work import Office, Work


class OidcCodec:
    """The authorization endpoint."""

    def read(self, office: Office, message: HttpMessage, now: datetime) -> Incoming:
        """The login that a request asks for; raises ``BadRequest`` or ``Answered``."""
        return read(office, message, now)

    def destination(self, asked: LoginRequest) -> str:
        """The redirect URI of the request."""
        return memory_of(asked.reply).redirect_uri

    def record(self, work: Work, incoming: Incoming, outcome: Outcome) -> str:
        """The code of a granted login, its authorization stored; empty for everything else (SEC-17)."""
        if device_of(incoming.asked):
            return _record_for_device(work, incoming, outcome)
        if not isinstance(outcome, Assertion) or not _can_be_told(work.office, incoming, outcome):
            return ""
        scopes = memory_of(incoming.asked.reply).scope.split()
        return open_grant(work, incoming.party, incoming.asked, outcome, Scope.OFFLINE in scopes)

    def answer(self, office: Office, incoming: Incoming, outcome: Outcome, recorded: str, now: datetime) -> Answer:
        """The redirect or form that brings the code, or the reason why there is none."""
        if device_of(incoming.asked):
            return Redirect(issuer(office) + (DEVICE_READY if recorded else DEVICE_REFUSED))
        where = return_address(office, incoming.party, incoming.asked.reply, now)
        if not isinstance(outcome, Assertion):
            return answer_without_login(where, outcome)
        if not recorded:
            return answer_without_login(
                where, Undeliverable(Lacking.ENTITY_TYPE, incoming.asked.reply.get("reference", ""))
            )
        more = session_state(office, incoming.party.identity, where.uri, outcome.session)
        return answer_with_code(where, recorded, more)


def _record_for_device(work: Work, incoming: Incoming, outcome: Outcome) -> str:
    """Decide for a device that waits; only the first decision counts, and only a grant is one to be glad of."""
    granted = isinstance(outcome, Assertion) and _can_be_told(work.office, incoming, outcome)
    code = decide(work, incoming.party, device_of(incoming.asked), Poll.GRANTED if granted else Poll.DENIED)
    if code is None or not granted or not isinstance(outcome, Assertion):
        return ""
    scopes = memory_of(incoming.asked.reply).scope.split()
    open_grant_for(work, incoming.party, (incoming.asked, outcome), Scope.OFFLINE in scopes, code)
    return "device"


def _can_be_told(office: Office, incoming: Incoming, assertion: Assertion) -> bool:
    """Whether the organisation has an identifier that the service takes (EC-4)."""
    facts = facts_of(issuer(office), incoming.party, incoming.asked, assertion)
    return facts is not None and bool(identifiers_of(assertion.principal, facts.service))
