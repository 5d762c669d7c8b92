"""Which identifiers of an organisation a service hears (domain 4.2, 5.5)."""

from dataclasses import dataclass
from typing import Final

from idp.domain.assertion import LegalSubject
from idp.domain.naming import KVK, RSIN, names_of
from idp.domain.parties import Service

PSEUDONYM: Final = "urn:etoegang:1.13:EntityConcernedID:Pseudo"
SUBJECT_TYPES: Final = (PSEUDONYM, KVK, RSIN)


@dataclass(frozen=True, slots=True)
class Identifier:
    """One name of an organisation, with its type."""

    type: str
    value: str


def identifiers_of(subject: LegalSubject, service: Service) -> tuple[Identifier, ...]:
    """The first complete set that the service takes, KvK number in front; empty when there is none (EC-1 to EC-4)."""
    found = names_of(service, subject)
    return tuple(Identifier(kind, found[kind]) for kind in sorted(found, key=lambda kind: kind != KVK))
