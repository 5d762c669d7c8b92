"""How a client proves itself at the token endpoint: one method per client, fixed at registration (SEC-22)."""

import base64
import binascii
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote_plus

from idp.domain.parties import Party
from idp.protocols.message import HttpMessage
from idp.protocols.oidc.client.client import AuthMethod, Client, client_of, known_party
from idp.protocols.oidc.client.profiles import rules_of
from idp.protocols.oidc.client.tls_client import complaint_of_key, complaint_of_subject
from idp.protocols.oidc.endpoints import Endpoint, address, issuer
from idp.protocols.oidc.faults import BackChannelFault
from idp.protocols.oidc.jose.instants import SKEW, instant, not_ahead
from idp.protocols.oidc.jose.jws import BadToken, unverified_claims, verify
from idp.protocols.oidc.parameters import Parameters
from idp.services.tickets import Purpose, first_use
from idp.services.work import Office, Work

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LONGEST_AHEAD: Final = timedelta(minutes=5)
# What is kept to be recognised must be text that any database can keep.
_MARK: Final = re.compile("[ -~]{1,256}")
_KINDS: Final = (None, "JWT", "client-authentication+jwt")
_CHALLENGE: Final[Mapping[str, str]] = {"WWW-Authenticate": 'Basic realm="oidc", charset="UTF-8"'}


@dataclass(frozen=True, slots=True)
class Presented:
    """What a client brought to prove itself."""

    method: AuthMethod
    client_id: str
    proof: str


@dataclass(frozen=True, slots=True)
class Mark:
    """What makes an assertion single use, until it would be refused as too old anyway."""

    value: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Proven:
    """A client that proved itself; ``mark`` is still to be spent, inside the transaction that acts on it."""

    party: Party
    client: Client
    mark: Mark | None = None

    def spend(self, work: Work) -> None:
        """Let an assertion count once (SEC-25); raises ``BackChannelFault`` the second time."""
        if self.mark and not first_use(work, Purpose.CLIENT_ASSERTION, self.mark.value, self.mark.until):
            raise _invalid_client("The client assertion was used before.")


def authenticate(office: Office, message: HttpMessage, parameters: Parameters, now: datetime) -> Proven:
    """The client that sends a request to any endpoint; raises ``BackChannelFault`` (``invalid_client``)."""
    presented = _presented(parameters, message.headers.get("authorization", ""))
    party = known_party(office, presented.client_id)
    # Unknown clients and wrong proofs are told the same.
    if party is None:
        raise _refused(presented)
    client = office.directory.parsed(party, client_of)
    if presented.method is AuthMethod.NONE and client.auth_method in _BY_CERTIFICATE:
        # It names itself; the connection is the proof.
        presented = replace(presented, method=client.auth_method)
    if presented.method is not client.auth_method:
        raise _invalid_client(f"This client authenticates by {client.auth_method}.", presented)
    if client.auth_method not in rules_of(party).auth_methods:
        raise _invalid_client(f"The profile of this client does not allow {client.auth_method}.", presented)
    return METHODS[presented.method](_Attempt(office, message, party, client, presented, now))


@dataclass(frozen=True, slots=True)
class _Attempt:
    office: Office
    message: HttpMessage
    party: Party
    client: Client
    presented: Presented
    now: datetime


def _presented(parameters: Parameters, authorization: str) -> Presented:
    """What was brought, by exactly one method (RFC 6749 section 2.3)."""
    found = [
        *([_from_header(authorization)] if authorization else []),
        *([_from_secret(parameters)] if "client_secret" in parameters.values else []),
        *([_from_assertion(parameters)] if "client_assertion" in parameters.values else []),
    ]
    if len(found) > 1:
        raise BackChannelFault("P12", "invalid_request", "Several client authentication methods were used at once.")
    named = parameters.get("client_id")
    presented = found[0] if found else Presented(AuthMethod.NONE, named, "")
    if named and named != presented.client_id:
        raise BackChannelFault("P12", "invalid_request", "The client_id is not that of the client authentication.")
    return presented


def _from_header(authorization: str) -> Presented:
    scheme, _, credentials = authorization.partition(" ")
    try:
        text = base64.b64decode(credentials.strip(), validate=True).decode() if scheme.lower() == "basic" else ""
    except (binascii.Error, ValueError):
        text = ""
    client_id, colon, secret = text.partition(":")
    if not colon:
        raise _invalid_client("The Authorization header is not HTTP Basic.", Presented(AuthMethod.BASIC, "", ""))
    return Presented(AuthMethod.BASIC, unquote_plus(client_id), unquote_plus(secret))


def _from_secret(parameters: Parameters) -> Presented:
    return Presented(AuthMethod.POST, parameters.get("client_id"), parameters.get("client_secret"))


def _from_assertion(parameters: Parameters) -> Presented:
    if parameters.get("client_assertion_type") != ASSERTION_TYPE:
        raise BackChannelFault("P12", "invalid_request", f"The client_assertion_type must be {ASSERTION_TYPE}.")
    token = parameters.get("client_assertion")
    try:
        claimed = unverified_claims(token).get("sub")
    except BadToken as bad:
        raise _invalid_client(str(bad)) from None
    return Presented(AuthMethod.PRIVATE_KEY, claimed if isinstance(claimed, str) else "", token)


def _by_secret(attempt: _Attempt) -> Proven:
    digest = attempt.office.vault.digest(attempt.presented.proof, "client-secret")
    stored = attempt.party.secret_digest
    if not stored or not hmac.compare_digest(digest.encode(), stored.encode()):
        raise _refused(attempt.presented)
    return Proven(attempt.party, attempt.client)


def _by_key(attempt: _Attempt) -> Proven:
    client, party = attempt.client, attempt.party
    try:
        token = verify(attempt.presented.proof, client.keys, (client.auth_algorithm,))
    except BadToken as bad:
        raise _invalid_client(str(bad)) from None
    complaint = _complaint(token.claims, party.identity, _audiences(attempt), attempt.now)
    if token.header.get("typ") not in _KINDS:
        complaint = "The client assertion is another kind of token."
    if complaint:
        raise _invalid_client(complaint)
    until = datetime.fromtimestamp(token.claims["exp"], UTC) + SKEW
    return Proven(party, client, Mark(f"{party.id}:{token.claims['jti']}", until))


def _audiences(attempt: _Attempt) -> tuple[str, ...]:
    """Who an assertion may be for: us, and where the profile allows it the endpoint (RUL-30, RFC 9126 section 2)."""
    us = issuer(attempt.office)
    if not rules_of(attempt.party).endpoint_audience:
        return (us,)
    return tuple(dict.fromkeys((us, address(attempt.office, Endpoint.TOKEN), us + attempt.message.path)))


def _by_certificate(attempt: _Attempt) -> Proven:
    """The certificate of the connection, by an authority of ours or with a registered key (RFC 8705 section 2)."""
    shown, client = attempt.message.certificate, attempt.client
    if not shown:
        raise _invalid_client("This client connects with its certificate.")
    if client.subject is None:
        complaint = complaint_of_key(shown, client.keys, attempt.now)
    else:
        complaint = complaint_of_subject(shown, client.subject, _authorities(attempt.office), attempt.now)
    if complaint:
        raise _invalid_client(complaint)
    return Proven(attempt.party, client)


def _authorities(office: Office) -> bytes:
    """The authorities that vouch for certificates of clients; none when there is no such file."""
    file = office.settings.oidc.client_authorities
    try:
        return Path(file).read_bytes() if file else b""
    except OSError:
        return b""


def _by_name(attempt: _Attempt) -> Proven:
    return Proven(attempt.party, attempt.client)


METHODS: Final[Mapping[AuthMethod, Callable[[_Attempt], Proven]]] = {
    AuthMethod.BASIC: _by_secret,
    AuthMethod.POST: _by_secret,
    AuthMethod.PRIVATE_KEY: _by_key,
    AuthMethod.TLS: _by_certificate,
    AuthMethod.SELF_SIGNED_TLS: _by_certificate,
    AuthMethod.NONE: _by_name,
}
_BY_CERTIFICATE: Final = frozenset({AuthMethod.TLS, AuthMethod.SELF_SIGNED_TLS})


def methods(office: Office) -> tuple[AuthMethod, ...]:
    """How clients can prove themselves here: by certificate only where connections can bring one."""
    served = {AuthMethod.SELF_SIGNED_TLS} if office.settings.server.certificate_url else set()
    if served and office.settings.oidc.client_authorities:
        served.add(AuthMethod.TLS)
    return tuple(one for one in METHODS if one in served or one not in _BY_CERTIFICATE)


def _complaint(claims: Mapping[str, Any], client_id: str, audiences: tuple[str, ...], now: datetime) -> str:
    """What is wrong with the claims of a client assertion, or an empty text (SEC-22, RUL-30, RFC 7523 section 3)."""
    audience, expires, mark = claims.get("aud"), instant(claims, "exp"), claims.get("jti")
    if isinstance(audience, list) and len(audience) == 1 and len(audiences) > 1:
        # FAPI 2.0 section 5.3.2.1 wants a text and nothing else.
        audience = audience[0]
    rows = (
        (claims.get("iss") == client_id == claims.get("sub"), "iss and sub must both be the client_id"),
        (isinstance(audience, str) and audience in audiences, f"aud must be one of {' and '.join(audiences)}, alone"),
        (expires is not None, "exp is missing"),
        (expires is not None and now - SKEW < expires, "exp lies in the past"),
        (expires is not None and expires <= now + _LONGEST_AHEAD, "exp lies more than five minutes ahead"),
        (not_ahead(claims, "nbf", now) and not_ahead(claims, "iat", now), "nbf or iat lies ahead"),
        (
            isinstance(mark, str) and _MARK.fullmatch(mark) is not None,
            "jti must be a text of 1 to 256 printable ASCII characters",
        ),
    )
    wrong = next((sentence for right, sentence in rows if not right), "")
    return f"In the client assertion {wrong}." if wrong else ""


def _refused(presented: Presented) -> BackChannelFault:
    return _invalid_client("The client is unknown or did not prove itself.", presented)


def _invalid_client(sentence: str, presented: Presented | None = None) -> BackChannelFault:
    basic = presented is not None and presented.method is AuthMethod.BASIC
    return BackChannelFault("P12", "invalid_client", sentence, 401, _CHALLENGE if basic else None)
