"""By which identifiers a service hears of an organisation: the first whole set of its entity types (EC-1, EC-2)."""

from typing import Final

from idp.domain.assertion import LegalSubject
from idp.domain.parties import Service

KVK: Final = "urn:etoegang:1.9:EntityConcernedID:KvKnr"
RSIN: Final = "urn:etoegang:1.9:EntityConcernedID:RSIN"
_USUAL: Final = ((KVK,),)


def names_of(service: Service, subject: LegalSubject) -> dict[str, str]:
    """Each identifier that is told, by its type and in the order of the service; empty when no set is whole (EC-4)."""
    have = {KVK: str(subject.kvk)} | ({RSIN: str(subject.rsin)} if subject.rsin is not None else {})
    sets = service.entity_types or _USUAL
    first = next((types for types in sets if types and have.keys() >= set(types)), ())
    return {one: have[one] for one in first}
