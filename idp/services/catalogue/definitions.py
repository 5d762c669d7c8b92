"""Services that share a definition: what belongs to it they say alike (domain 5.1)."""

from collections.abc import Iterable, Iterator
from itertools import pairwise

from idp.domain.parties import Service

_DEFINED = {
    "name": "name",
    "description": "description",
    "level": "level",
    "takes_restriction": "branches",
    "attributes": "attributes",
    "enforced_from": "enforced_from",
}
"""Facts of a definition with their names in our file; entity types are not among them, as an instance may have others
(EC-5)."""


def by_definition(services: Iterable[Service]) -> dict[str, list[Service]]:
    """The instances of each definition, by its UUID, in their order."""
    found: dict[str, list[Service]] = {}
    for one in services:
        found.setdefault(one.uuid, []).append(one)
    return found


def definition_faults(services: Iterable[Service]) -> Iterator[str]:
    """A sentence for every fact of a definition in which an instance of it differs from the one before."""
    for uuid, instances in by_definition(services).items():
        for one, other in pairwise(instances):
            for what, called in _DEFINED.items():
                if getattr(one, what) != getattr(other, what):
                    yield (
                        f"The services {one.slug} and {other.slug} are instances of one definition ({uuid}) and differ "
                        f"in {called}; give both the same in one file, or a definition each."
                    )


def shared_notes(services: Iterable[Service], known: Iterable[Service]) -> Iterator[str]:
    """A note for each service by which a further provider comes to share a definition and its mandates (domain 4.1)."""
    owners: dict[str, dict[str, Service]] = {}
    for one in known:
        owners.setdefault(one.uuid, {})[one.provider.oin] = one
    for one in services:
        its = owners.setdefault(one.uuid, {})
        other = next(iter(its.values()), None)
        if other is not None and one.provider.oin not in its:
            yield (
                f"{one.slug} shares its definition with {other.slug} of the provider {other.provider.oin}: "
                "a mandate for the one counts at the other."
            )
        its.setdefault(one.provider.oin, one)
