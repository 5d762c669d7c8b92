"""What a client asks of a logout, as far as it can be believed (RP-Initiated Logout 1.0)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self
from urllib.parse import quote, urlencode, urlsplit

import structlog

from idp.protocols.message import HttpMessage
from idp.protocols.oidc.client.client import client_of, known_party
from idp.protocols.oidc.endpoints import issuer
from idp.protocols.oidc.jose.jws import ALGORITHMS, BadToken, verify
from idp.protocols.oidc.jose.keys import our_keys
from idp.protocols.oidc.parameters import Malformed, Parameters, read_form, read_parameters
from idp.services.sessions.logout import Called
from idp.services.work import Office

_LONGEST_STATE: Final = 2048
log = structlog.get_logger("idp.logout")


@dataclass(frozen=True, slots=True)
class Leaving:
    """A request to log out.

    ``party`` is the client that is certain, by id of ours; ``subject`` and ``index`` name the person and the session of
    its ID token; ``location`` is where the browser goes afterwards, with the state. What cannot be believed is empty:
    that never keeps anybody logged in.
    """

    party: str = ""
    subject: str = ""
    index: str = ""
    location: str = ""
    locales: str = ""

    @property
    def called(self) -> Called | None:
        """Whom the client wants logged out; None without an ID token of ours."""
        if not self.subject:
            return None
        return Called(self.party, self.subject, (self.index,) if self.index else ())

    def remember(self) -> dict[str, str]:
        """The same as plain data."""
        return asdict(self)

    @classmethod
    def recall(cls, kept: Mapping[str, Any]) -> Self:
        """What ``remember`` gave."""
        return cls(**kept)


def read_leaving(office: Office, message: HttpMessage) -> Leaving:
    """The request to log out; what is wrong with it is logged, and the person is asked instead."""
    try:
        given = _parameters(message)
        return _believed(office, given)
    except (Malformed, BadToken) as error:
        log.warning("logout request not believed", problem=str(error))
        return Leaving()


def _parameters(message: HttpMessage) -> Parameters:
    given = (
        read_form(message.content_type, message.body, message.query)
        if message.method == "POST"
        else read_parameters(message.query)
    )
    if given.faults:
        raise Malformed(f"These parameters are not usable: {' '.join(sorted(given.faults))[:200]}.")
    return given


def _believed(office: Office, given: Parameters) -> Leaving:
    """The parts of a request that fit together; raises ``BadToken``."""
    hint = _hint(office, given.get("id_token_hint")) if given.get("id_token_hint") else {}
    audience = hint.get("aud", "")
    named = given.get("client_id") or audience
    party = known_party(office, named) if isinstance(named, str) else None
    if hint and (party is None or named != audience):
        raise BadToken("The id_token_hint is another client's.")
    leaving = Leaving(locales=given.get("ui_locales")[:100])
    if party is None:
        return leaving
    return Leaving(
        party=party.id,
        subject=str(hint.get("sub", "")),
        index=str(hint.get("sid", "")),
        location=_location(given, office.directory.parsed(party, client_of).logout.after),
        locales=leaving.locales,
    )


def _hint(office: Office, token: str) -> Mapping[str, Any]:
    """The claims of an ID token of ours; whether it ended is no matter (RP-Initiated Logout 4)."""
    hint = verify(token, our_keys(office.keys), tuple(ALGORITHMS))
    if hint.header.get("typ") != "JWT" or hint.claims.get("iss") != issuer(office) or not hint.claims.get("sub"):
        raise BadToken("The id_token_hint is not an ID token of ours.")
    return hint.claims


def _location(given: Parameters, registered: tuple[str, ...]) -> str:
    """Where the browser goes afterwards: to a registered address, equal to the letter (SEC-19)."""
    address, state = given.get("post_logout_redirect_uri"), given.get("state")
    if not address or address not in registered:
        if address:
            log.warning("logout request not believed", problem="The post_logout_redirect_uri is not registered.")
        return ""
    if not state or len(state) > _LONGEST_STATE:
        return address
    return address + ("&" if urlsplit(address).query else "?") + urlencode({"state": state}, quote_via=quote)
