"""How OpenID Connect plugs into a login: a request in, a code recorded, an answer out."""

from datetime import datetime

from idp.domain.assertion import Assertion, Outcome
from idp.domain.login import LoginRequest
from idp.protocols.message import Answer, HttpMessage, Incoming
from idp.protocols.oidc.answers import answer_with_code, answer_with_error, answer_without_login
from idp.protocols.oidc.claims import Scope, facts_of
from idp.protocols.oidc.endpoints import issuer
from idp.protocols.oidc.identifiers import identifiers_of
from idp.protocols.oidc.memory import memory_of
from idp.protocols.oidc.read import read
from idp.protocols.oidc.return_address import return_address
from idp.services.grants import open_grant
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
        if not isinstance(outcome, Assertion) or not _can_be_told(work.office, incoming, outcome):
            return ""
        scopes = memory_of(incoming.asked.reply).scope.split()
        return open_grant(work, incoming.party, incoming.asked, outcome, Scope.OFFLINE in scopes)

    def answer(self, office: Office, incoming: Incoming, outcome: Outcome, recorded: str, now: datetime) -> Answer:
        """The redirect or form that brings the code, or the reason why there is none."""
        where = return_address(office, incoming.party, incoming.asked.reply, now)
        if not isinstance(outcome, Assertion):
            return answer_without_login(where, outcome)
        if not recorded:
            return answer_with_error(
                where, "access_denied", "The organisation has no identifier that the service takes."
            )
        return answer_with_code(where, recorded)


def _can_be_told(office: Office, incoming: Incoming, assertion: Assertion) -> bool:
    """Whether the organisation has an identifier that the service takes (EC-4)."""
    facts = facts_of(issuer(office), incoming.party, incoming.asked, assertion)
    return facts is not None and bool(identifiers_of(assertion.principal, facts.service))
