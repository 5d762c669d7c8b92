"""An access token as a request shows it: in one place, by its own scheme, with what it is bound to (RFC 6750, 9449)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from idp.domain.parties import Party
from idp.protocols.message import HttpMessage
from idp.protocols.oidc.client.profiles import rules_of
from idp.protocols.oidc.endpoints import issuer
from idp.protocols.oidc.faults import BackChannelFault
from idp.protocols.oidc.jose.dpop import Policy, bad_proof, proof_of
from idp.protocols.oidc.jose.jws import ALGORITHMS
from idp.protocols.oidc.memory import memory_of
from idp.protocols.oidc.parameters import FORM, Malformed, read_form, read_parameters
from idp.protocols.oidc.tokens.access_token import access_of, audience_of
from idp.protocols.oidc.tokens.terms import CERTIFICATE, KEY, certificate_thumbprint
from idp.services.tokens.access import Access
from idp.services.work import Office

_CREDENTIALS: Final = re.compile(r"(bearer|dpop) +([A-Za-z0-9\-._~+/]+=*)", re.ASCII | re.IGNORECASE)
_LARGEST: Final = 16 * 1024
_CHALLENGES: Final[Mapping[str, str]] = {
    "bearer": 'Bearer realm="oidc"',
    "dpop": f'DPoP realm="oidc", algs="{" ".join(ALGORITHMS)}"',
}


@dataclass(frozen=True, slots=True)
class _Shown:
    scheme: str
    token: str


def shown_access(office: Office, message: HttpMessage, path: str, now: datetime) -> tuple[Access, Party]:
    """The access token of a request to us, proven by whom it is bound to; raises ``BackChannelFault``.

    ``path`` is the full address that a proof must name; the proof is spent here, before anything is told (SEC-25).
    """
    shown = _shown(message)
    access = access_of(office, shown.token, now)
    if access is None:
        raise invalid_token("The access token is unknown, too old or withdrawn.", shown.scheme)
    party = office.directory.party_by_id(access.grant.party)
    if party is None:
        raise invalid_token("The client or its service is gone.", shown.scheme)
    if issuer(office) not in audience_of(issuer(office), memory_of(access.grant.asked.reply), access.audience):
        raise invalid_token("The access token is for another audience.", shown.scheme)
    _prove(office, message, (shown, access), Policy(path, rules_of(party).algorithms, rules_of(party).dpop_nonce), now)
    return access, party


def invalid_token(sentence: str, scheme: str = "bearer") -> BackChannelFault:
    """A token that is worth nothing here (RFC 6750 section 3.1)."""
    return _fault(401, "invalid_token", sentence, scheme)


def _prove(office: Office, message: HttpMessage, held: tuple[_Shown, Access], policy: Policy, now: datetime) -> None:
    """Hold a token to what it is bound to: a key, a certificate, or nothing (RFC 9449 section 7, RFC 8705 3)."""
    shown, access = held
    if access.binding.startswith(KEY) != (shown.scheme == "dpop"):
        expected = "DPoP" if access.binding.startswith(KEY) else "Bearer"
        raise invalid_token(f"This access token goes by the scheme {expected}.", expected.lower())
    if access.binding.startswith(CERTIFICATE):
        brought = certificate_thumbprint(message.certificate) if message.certificate else ""
        if access.binding != CERTIFICATE + brought:
            raise invalid_token("The access token is bound to the certificate of another connection.")
    if access.binding.startswith(KEY):
        try:
            _spend_proof(office, message, held, policy, now)
        except BackChannelFault as fault:
            # What the token endpoint tells by 400 is a challenge here (RFC 9449 section 7.1).
            raise _fault(401, fault.error, fault.sentence, "dpop", fault.headers) from None


def _spend_proof(
    office: Office, message: HttpMessage, held: tuple[_Shown, Access], policy: Policy, now: datetime
) -> None:
    shown, access = held
    proof = proof_of(office, message, policy, now, shown.token)
    if proof is None:
        raise bad_proof("The DPoP proof is missing.")
    if KEY + proof.thumbprint != access.binding:
        raise bad_proof("The DPoP proof is by another key than the access token is bound to.", "invalid_token")
    with office.work(f"party:{access.grant.party}") as work:
        proof.spend(work)


def _shown(message: HttpMessage) -> _Shown:
    """The one token of a request: in the header, or in a posted form; never in the address (RFC 6750 section 2)."""
    header = message.headers.get("authorization", "")
    posted = _posted(message)
    try:
        in_address = "access_token" in read_parameters(message.query).values
    except Malformed:
        in_address = True
    if in_address or (header and posted):
        raise _fault(400, "invalid_request", "The access token must stand once, and not in the address.")
    if posted:
        return _Shown("bearer", posted)
    found = _CREDENTIALS.fullmatch(header)
    if found is None:
        raise BackChannelFault("P12", "", "", 401, {"WWW-Authenticate": ", ".join(_CHALLENGES.values())})
    return _Shown(found.group(1).lower(), found.group(2))


def _posted(message: HttpMessage) -> str:
    if message.method != "POST" or message.content_type.partition(";")[0].strip().lower() != FORM:
        return ""
    if len(message.body) > _LARGEST:
        raise _fault(413, "invalid_request", "The body is too large.")
    try:
        parameters = read_form(message.content_type, message.body)
    except Malformed as malformed:
        raise _fault(400, "invalid_request", str(malformed)) from None
    if "access_token" in parameters.faults:
        raise _fault(400, "invalid_request", "The access token must stand once.")
    return parameters.get("access_token")


def _fault(
    status: int, error: str, sentence: str, scheme: str = "bearer", headers: Mapping[str, str] | None = None
) -> BackChannelFault:
    challenge = f'{_CHALLENGES[scheme]}, error="{error}", error_description="{sentence}"'
    return BackChannelFault("P12", error, sentence, status, {"WWW-Authenticate": challenge, **(headers or {})})
