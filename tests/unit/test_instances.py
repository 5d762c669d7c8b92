"""Instances that share a definition: what a mandate of each scope is worth at each of them (domain 4.1, 7.1)."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest

from idp.domain.decision import Granted
from idp.domain.identifiers import InstanceUuid
from idp.domain.parties import Provider, behind, by_name
from idp.domain.portal import decide, options, question

from .decision_cases import (
    INSTANCE,
    LEVELS,
    OTHER_INSTANCE,
    OTHER_PROVIDER,
    OTHER_SERVICE,
    SERVICE,
    TODAY,
    as_verdict,
    factors,
    held,
)
from .oracle import Case, Linked, Mandated, verdict
from .oracle_of_portals import Takes
from .test_portal_enumerated import PORTAL, service

_BESIDE = InstanceUuid("11111111-1111-4111-9111-111111111112")
_ELSEWHERE = InstanceUuid("11111111-1111-4111-9111-111111111113")
HERE = service(SERVICE, Takes())
ENTRIES = {
    "here": HERE,
    "beside": replace(HERE, instance_uuid=_BESIDE),
    "elsewhere": replace(HERE, instance_uuid=_ELSEWHERE, provider=Provider(OTHER_PROVIDER, {})),
    "other": service(OTHER_SERVICE, Takes()),
}
# Where a mandate of a scope counts: a definition wherever it is offered, a provider for what it offers itself.
COUNTS = {
    "this service": ("here", "beside", "elsewhere"),
    "another service": ("other",),
    "this provider": ("here", "beside", "other"),
    "another provider": ("elsewhere",),
    "everything": ("here", "beside", "elsewhere", "other"),
}


def cases(scope: str) -> Iterator[Case]:
    """A mandate of a scope held by the person's own company, and by a chain to it, in every state that matters."""
    kinds = product(("EH2", "EH3"), ("", "X"), ("in use", "ended yesterday", "used 24 months and a day ago"))
    for level, (mine, branches, days) in product(("EH2", "EH3"), kinds):
        mandate = Mandated(scope, mine, branches, days)
        for registered in ("", "X", "Y"):
            yield Case(level, True, proofs="po", registered=registered, mandates=(mandate,))
        for halves in ("both", "client"):
            yield Case(level, True, proofs="po", mandates=(Mandated(),), chain=(Linked(mandate, halves),))


def seen(case: Case, place: str) -> Case:
    """The case as the oracle of one service has it: a scope that counts there, or one that does not."""

    def at(mine: Mandated) -> Mandated:
        return mine._replace(scope="everything" if place in COUNTS[mine.scope] else "another service")

    chain = tuple(Linked(at(link.mandate), link.halves) for link in case.chain)
    return case._replace(mandates=tuple(map(at, case.mandates)), chain=chain)


@pytest.mark.parametrize("place", ENTRIES)
@pytest.mark.parametrize("scope", COUNTS)
def test_a_mandate_counts_by_definition_or_provider(scope: str, place: str) -> None:
    """domain 4.1, 7.1: instances share what is registered for their definition, and nothing else of one another."""
    entry, granted = ENTRIES[place], 0
    for case in cases(scope):
        found = decide(question(entry, (), LEVELS[case.asked]), held(case), factors(case.proofs), TODAY)
        assert as_verdict(found) == verdict(seen(case, place)), case
        granted += isinstance(found, Granted)
    assert bool(granted) is (place in COUNTS[scope])


def test_a_portal_tells_two_instances_apart() -> None:
    """domain 7.6: two instances of one definition behind a portal are two services of its answer, in its order."""
    portal = service(PORTAL, Takes(), (_BESIDE, INSTANCE, OTHER_INSTANCE))
    led_to = behind(portal, ENTRIES.values())
    assert [one.instance_uuid for one in led_to] == [_BESIDE, INSTANCE, OTHER_INSTANCE]
    asked = question(portal, led_to, LEVELS["EH3"])
    way = held(Case(mandates=(Mandated("this service"),)))
    (option,) = options(asked, (way,), factors("po"), TODAY)
    assert option.decision == decide(asked, way, factors("po"), TODAY)
    assert isinstance(option.decision, Granted)
    assert option.decision.services == (_BESIDE, INSTANCE)


def test_names_are_those_of_instances_before_definitions() -> None:
    """A definition's UUID means all that it is offered as; what is an instance's own means that one, whatever else."""
    here, beside = (replace(ENTRIES[place], slug=place) for place in ("here", "beside"))
    known = by_name((here, beside))
    assert known[SERVICE] == (here, beside)
    for one in (here, beside):
        assert known[one.slug] == known[one.instance_uuid] == (one,)
    assert by_name((here, replace(beside, slug=SERVICE)))[SERVICE] == (replace(beside, slug=SERVICE),)
