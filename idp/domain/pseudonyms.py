"""Minting the specific pseudonym of a person for an organisation at a provider (domain 4.5)."""

import hashlib
import hmac
from dataclasses import dataclass

from idp.domain.identifiers import Oin

_SEPARATOR = "\x1f"


@dataclass(frozen=True, slots=True)
class PseudonymKey:
    """What a pseudonym is unique for; the uids are ours and never change (RUL-9)."""

    person: str
    organisation: str
    intermediary: str
    provider: Oin


def mint(secret: bytes, key: PseudonymKey) -> str:
    """A new pseudonym, ``64 hex@32 hex`` in upper case; the stored row is the truth afterwards (PS-7)."""
    person = _digest(secret, "eh-sp-user", key.provider, key.person, key.organisation, key.intermediary)
    company = _digest(secret, "eh-sp-company", key.provider, key.organisation)[:16]
    return f"{person.hex()}@{company.hex()}".upper()


def _digest(secret: bytes, *parts: str) -> bytes:
    return hmac.new(secret, _SEPARATOR.join(parts).encode(), hashlib.sha256).digest()
