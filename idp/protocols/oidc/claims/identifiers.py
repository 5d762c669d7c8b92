"""Which identifiers of an organisation a service hears (domain 4.2, 5.5)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from idp.domain.assertion import LegalSubject
from idp.domain.parties import Service

PSEUDONYM: Final = "urn:etoegang:1.13:EntityConcernedID:Pseudo"
_KVK: Final = "urn:etoegang:1.9:EntityConcernedID:KvKnr"
_TYPES: Final[Mapping[str, Callable[[LegalSubject], str | None]]] = {
    _KVK: lambda subject: subject.kvk,
    "urn:etoegang:1.9:EntityConcernedID:RSIN": lambda subject: subject.rsin,
}
SUBJECT_TYPES: Final = (PSEUDONYM, *_TYPES)


@dataclass(frozen=True, slots=True)
class Identifier:
    """One name of an organisation, with its type."""

    type: str
    value: str


def identifiers_of(subject: LegalSubject, service: Service) -> tuple[Identifier, ...]:
    """The first complete set that the service takes, KvK number in front; empty when there is none (EC-1 to EC-4)."""
    for wanted in service.entity_types or ((_KVK,),):
        found = {kind: _TYPES[kind](subject) for kind in wanted if kind in _TYPES}
        if len(found) == len(set(wanted)) and all(found.values()):
            order = sorted(found, key=lambda kind: kind != _KVK)
            return tuple(Identifier(kind, str(found[kind])) for kind in order)
    return ()
