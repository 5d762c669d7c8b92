"""On which terms a client gets tokens: bound to what it proves here, and never wider or longer than it may have."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from idp.protocols.message import HttpMessage
from idp.protocols.oidc.client.authentication import Proven
from idp.protocols.oidc.client.profiles import rules_of
from idp.protocols.oidc.client.tokens import AccessFormat
from idp.protocols.oidc.endpoints import Endpoint, address
from idp.protocols.oidc.faults import BackChannelFault
from idp.protocols.oidc.jose.dpop import Policy, Proof, proof_of
from idp.protocols.oidc.parameters import Parameters
from idp.services.tokens.grants import Terms
from idp.services.work import Office

KEY: Final = "jkt:"
CERTIFICATE: Final = "x5t#S256:"


@dataclass(frozen=True, slots=True)
class Bound:
    """What a token request proves beside the client: the binding of its tokens, and a proof still to be spent."""

    binding: str
    proof: Proof | None


def bound_of(office: Office, message: HttpMessage, proven: Proven, now: datetime) -> Bound:
    """What the tokens of a request become bound to; raises ``BackChannelFault`` (RFC 9449 section 5, RFC 8705 3)."""
    rules, wishes = rules_of(proven.party), proven.client.tokens
    policy = Policy(address(office, Endpoint.TOKEN), rules.algorithms, rules.dpop_nonce)
    proof = proof_of(office, message, policy, now)
    if proof is not None:
        return Bound(KEY + proof.thumbprint, proof)
    if wishes.dpop_bound:
        raise _missing("This client registered dpop_bound_access_tokens: send a DPoP proof.")
    if wishes.certificate_bound:
        if not message.certificate:
            raise _missing("This client registered tokens bound to its certificate: connect with it, or send a proof.")
        return Bound(CERTIFICATE + certificate_thumbprint(message.certificate), None)
    if rules.sender_constrained:
        raise _missing("The profile of this client binds tokens to their holder: send a DPoP proof.")
    return Bound("", None)


def terms_of(office: Office, proven: Proven, bound: Bound, parameters: Parameters) -> Terms:
    """The terms of an exchange (domain 11.1: lifetimes; RFC 9068, RFC 8707)."""
    settings, rules, client = office.settings.oidc, rules_of(proven.party), proven.client
    longest = rules.public_access if client.public else rules.access
    return Terms(
        access=min(timedelta(seconds=settings.access_seconds), longest),
        refresh=min(timedelta(hours=settings.refresh_hours), rules.refresh),
        binding=bound.binding,
        held=client.public,
        scope=" ".join(dict.fromkeys(parameters.get("scope").split())),
        audience=" ".join(dict.fromkeys(parameters.get("resource").split())),
        signed=client.tokens.access_format is AccessFormat.JWT,
    )


def certificate_thumbprint(certificate: bytes) -> str:
    """The SHA-256 thumbprint of a certificate (DER), as tokens name it (RFC 8705 section 3.1)."""
    return base64.urlsafe_b64encode(hashlib.sha256(certificate).digest()).rstrip(b"=").decode()


def confirmation(binding: str) -> dict[str, str]:
    """A binding as the claim ``cnf`` tells it; empty for none."""
    for prefix in (KEY, CERTIFICATE):
        if binding.startswith(prefix):
            return {prefix[:-1]: binding.removeprefix(prefix)}
    return {}


def token_type(binding: str) -> str:
    """With which scheme a token is to be shown (RFC 9449 section 5)."""
    return "DPoP" if binding.startswith(KEY) else "Bearer"


def _missing(sentence: str) -> BackChannelFault:
    return BackChannelFault("P12", "invalid_request", sentence)
