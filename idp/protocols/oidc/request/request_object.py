"""Request objects: an authorization request as a token that its client signed (RFC 9101, OpenID Connect Core 6)."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from idp.domain.parties import Party
from idp.protocols.oidc.client.client import Client
from idp.protocols.oidc.client.profiles import rules_of
from idp.protocols.oidc.faults import Fault
from idp.protocols.oidc.jose.instants import SKEW, instant, not_ahead
from idp.protocols.oidc.jose.jws import BadToken, Verified, verify
from idp.protocols.oidc.parameters import REPEATABLE, Parameters, bounded
from idp.services.tickets import Purpose, first_use
from idp.services.work import Work

# Typed by RFC 9101 section 10.8, or not at all: no other token of the client may pass for a request.
_KINDS: Final = ("", "jwt", "oauth-authz-req+jwt")
_ABOUT_THE_TOKEN: Final = frozenset({"iss", "aud", "exp", "nbf", "iat", "jti"})
# What counts once is remembered until it ends; nobody needs a request for longer.
_LONGEST_AHEAD: Final = timedelta(days=1)
_MARK: Final = re.compile("[ -~]{1,256}")


@dataclass(frozen=True, slots=True)
class RequestObject:
    """A request object whose signature and claims hold: its parameters, and what makes it single use."""

    parameters: Parameters
    mark: str
    until: datetime

    def spend(self, work: Work) -> None:
        """Let an object that carries a ``jti`` count once (SEC-25); raises ``Fault`` the second time."""
        if self.mark and not first_use(work, Purpose.REQUEST_OBJECT, self.mark, self.until):
            raise _bad("It was used before.")


def opened(party: Party, client: Client, token: str, issuer: str, now: datetime) -> RequestObject:
    """The request inside a token, everything outside of it left aside; raises ``Fault`` (RFC 9101 section 6)."""
    if token.count(".") == 4:
        raise _bad("It is encrypted, which is not supported: send it signed alone.")
    rules = rules_of(party)
    algorithms = (client.request_algorithm,) if client.request_algorithm else rules.algorithms
    try:
        verified = verify(token, client.keys, algorithms)
    except BadToken as bad:
        raise _bad(str(bad)) from None
    complaint = _complaint(verified, party.identity, issuer, now) or _too_long(
        verified.claims, rules.request_window, now
    )
    if complaint:
        raise _bad(f"In it {complaint}.")
    mark = verified.claims.get("jti")
    until = (instant(verified.claims, "exp") or now) + SKEW
    return RequestObject(_parameters(verified.claims), f"{party.id}:{mark}" if mark else "", until)


def _bad(sentence: str) -> Fault:
    return Fault("P13", "invalid_request_object", f"The request object is refused. {sentence}")


def _complaint(verified: Verified, client_id: str, issuer: str, now: datetime) -> str:
    """What is wrong with the claims, or an empty text."""
    claims, expires = verified.claims, instant(verified.claims, "exp")
    mark, audience = claims.get("jti"), claims.get("aud")
    rows = (
        (str(verified.header.get("typ", "")).lower() in _KINDS, "typ names another kind of token"),
        (claims.get("client_id") == client_id, "client_id must be there and be that of the request"),
        (claims.get("iss") == client_id, "iss must be the client_id"),
        (issuer in (audience if isinstance(audience, list) else [audience]), f"aud must name {issuer}"),
        (claims.get("sub") != client_id, "sub is the client, as in a client assertion"),
        (not {"request", "request_uri"} & set(claims), "there is another request"),
        ("exp" not in claims or (expires is not None and now - SKEW < expires), "exp lies in the past"),
        (expires is None or expires <= now + _LONGEST_AHEAD, "exp lies more than a day ahead"),
        (not_ahead(claims, "nbf", now) and not_ahead(claims, "iat", now), "nbf or iat lies ahead"),
        (mark is None or _is_mark(mark), "jti must be a text of 1 to 256 printable ASCII characters"),
        (mark is None or expires is not None, "jti needs an exp"),
    )
    return next((sentence for right, sentence in rows if not right), "")


def _is_mark(mark: Any) -> bool:
    return isinstance(mark, str) and _MARK.fullmatch(mark) is not None


def _too_long(claims: Mapping[str, Any], window: timedelta | None, now: datetime) -> str:
    """Whether it lives longer than the profile allows (FAPI 2.0 Message Signing 5.3.1)."""
    if window is None:
        return ""
    begins, ends = instant(claims, "nbf"), instant(claims, "exp")
    if begins is None or ends is None:
        return "exp and nbf must be there"
    young = begins >= now - window and ends - begins <= window
    return "" if young else f"nbf and exp must lie within {int(window.total_seconds()) // 60} minutes"


def _parameters(claims: Mapping[str, Any]) -> Parameters:
    """The parameters: texts as they are, numbers and the object ``claims`` in their form outside a token."""
    asked = [(name, value) for name, value in claims.items() if name not in _ABOUT_THE_TOKEN]
    # What may stand several times in a query stands as a list in a token (RFC 8707 section 2).
    each = [(name, value if name in REPEATABLE and isinstance(value, list) else [value]) for name, value in asked]
    return bounded([(name, _text(one)) for name, several in each for one in several])


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict) or (isinstance(value, int) and not isinstance(value, bool)):
        try:
            return json.dumps(value)
        except RecursionError:
            pass
    raise _bad("A parameter is neither a text, nor a whole number, nor an object.")
