"""The HTTP-Redirect binding: signatures over the octets of the query exactly as they travel (SEC-15, SIG-8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from idp.protocols.saml.algorithms import SignatureMethod, VerificationKey
from idp.protocols.saml.signature import Signatory


class Parameter(StrEnum):
    """Which of the two message parameters."""

    REQUEST = "SAMLRequest"
    RESPONSE = "SAMLResponse"


@dataclass(frozen=True, slots=True)
class RedirectMessage:
    """A message that may be read: ``octets`` is the inflated XML, ``relay_state`` the decoded value or None."""

    parameter: Parameter
    octets: bytes
    relay_state: str | None


@dataclass(frozen=True, slots=True)
class RedirectQuery:
    """A query taken apart but not verified; ``message`` serves to look up the issuer's keys, and for waived signing."""

    message: RedirectMessage
    signed: bytes
    method: str | None
    signature: bytes | None


def read_redirect(query: bytes, limit: int = 256 * 1024) -> RedirectQuery:
    """Take a raw query string apart; ``limit`` bounds the inflated message in octets.

    Raises ``Refused``: MALFORMED (duplicate or disguised parameter, bad escape, base64 or DEFLATE), TOO_LARGE,
    SIGNATURE (SigAlg without Signature or the reverse).
    """
    raise NotImplementedError


def verify_redirect(query: RedirectQuery, keys: Sequence[VerificationKey]) -> RedirectMessage:
    """The message, once one of the registered keys is found to have signed it; else ``Refused(SIGNATURE)``."""
    raise NotImplementedError


def write_redirect(message: RedirectMessage, signatory: Signatory | None) -> str:
    """The query string (without question mark) that carries the message, signed when a signatory is given."""
    raise NotImplementedError


def inflate(octets: bytes, limit: int) -> bytes:
    """Raw DEFLATE undone, up to ``limit`` octets; ``Refused``: TOO_LARGE beyond it, MALFORMED when broken or trailing."""
    raise NotImplementedError
