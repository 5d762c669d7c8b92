"""A portal against its oracle, over the combinations in which two services can differ."""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import islice, product

import pytest

from idp.domain.assurance import Level
from idp.domain.decision import Decision, Granted
from idp.domain.identifiers import InstanceUuid, ServiceUrn, ServiceUuid
from idp.domain.parties import Provider, Service
from idp.domain.portal import Question, decide, options, question

from .decision_cases import (
    INSTANCE,
    LEVELS,
    OTHER_INSTANCE,
    OTHER_SERVICE,
    PROVIDER,
    SERVICE,
    TODAY,
    as_verdict,
    factors,
    held,
)
from .oracle import Case, Linked, Mandated
from .oracle_of_portals import Answer, Takes, answer

PORTAL = ServiceUuid("33333333-3333-4333-8333-333333333333")
INSTANCE_OF = {
    SERVICE: INSTANCE,
    OTHER_SERVICE: OTHER_INSTANCE,
    PORTAL: InstanceUuid("33333333-3333-4333-9333-333333333333"),
}
NAMED = {INSTANCE: "A", OTHER_INSTANCE: "B"}
EVERY = tuple(Takes(*parts) for parts in product((True, False), repeat=2))
RESTRICTING = tuple(Takes(one, True) for one in (True, False))
Asked = tuple[Case, Takes, Takes, Takes]


@cache
def service(uuid: ServiceUuid, takes: Takes, behind: tuple[InstanceUuid, ...] = ()) -> Service:
    """A service of the catalogue that takes what it takes."""
    return Service(
        uuid=uuid,
        instance_uuid=INSTANCE_OF[uuid],
        urn=ServiceUrn(f"urn:etoegang:DV:{PROVIDER}:services:1"),
        slug=uuid,
        provider=Provider(PROVIDER, {}),
        name={},
        description={},
        level=Level.EH1,
        takes_restriction=takes.restricts,
        chains=takes.chains,
        sso=True,
        allow_lower=False,
        entity_types=(),
        attributes=(),
        url="",
        enforced_from=None,
        portal_for=behind,
    )


@cache
def asked(level: str, portal: Takes, a: Takes, b: Takes) -> Question:
    """The question of a portal for A and B."""
    led_to = (service(SERVICE, a), service(OTHER_SERVICE, b))
    return question(service(PORTAL, portal, (INSTANCE, OTHER_INSTANCE)), led_to, LEVELS[level])


def one_mandate() -> Iterator[Asked]:
    """Every single mandate, wherever the means is registered, whatever portal and services take."""
    kinds = [
        Mandated(*parts)
        for parts in product(
            ("this service", "another service", "this provider", "another provider"),
            ("EH2", "EH3"),
            ("", "X", "XY"),
            ("in use", "ended yesterday"),
        )
    ]
    sides = product(("EH1", "EH2", "EH3"), ("EH2", "EH3"), ("p", "po"), ("", "X"), kinds)
    for (level, own, proofs, registered, mine), takes in product(sides, product(RESTRICTING, repeat=3)):
        yield Case(level, proofs=proofs, level=own, registered=registered, mandates=(mine,)), *takes


def two_mandates() -> Iterator[Asked]:
    """A mandate for each service in every mixture: other levels, other branches, other days."""
    kinds = tuple(product(("EH2", "EH3", "EH4"), ("", "X", "Y", "XY"), ("in use", "from tomorrow", "ended and unused")))
    sides = product(("EH2", "EH3"), ("", "X"), product(kinds, repeat=2))
    for (level, registered, (first, second)), portal in product(sides, RESTRICTING):
        mandates = (Mandated("this service", *first), Mandated("another service", *second))
        yield Case(level, proofs="po", registered=registered, mandates=mandates), portal, Takes(), Takes()


def states() -> Iterator[Asked]:
    """Every state of the means and every proof: what is against the means is against every service alike."""
    status = ("active", "suspended", "expired", "ordered")
    for state, proofs, has, scope in product(
        status, ("", "p", "po", "pc"), ("", "o"), ("this service", "another service", "another provider")
    ):
        for level in ("EH1", "EH2", "EH3", "EH4"):
            case = Case(level, proofs=proofs, status=state, has=has, mandates=(Mandated(scope),))
            yield case, Takes(), Takes(), Takes()


def chains() -> Iterator[Asked]:
    """Every link about one of the services or both, whoever takes intermediaries."""
    kinds = [
        Linked(Mandated(*parts), halves)
        for parts, halves in product(
            product(("this service", "another service", "everything"), ("EH2", "EH3"), ("", "X")), ("both", "client")
        )
    ]
    own = ((Mandated(),), (Mandated("this service"),), (Mandated("another service", "EH2"),), ())
    sides = product(("EH2", "EH3"), own, kinds)
    for (level, mandates, link), takes in product(sides, product(EVERY, repeat=3)):
        yield Case(level, proofs="po", mandates=mandates, chain=(link,)), *takes


def as_answer(decision: Decision) -> Answer:
    """A decision in the symbols of the oracle."""
    named = "".join(NAMED[one] for one in decision.services) if isinstance(decision, Granted) else ""
    return Answer(as_verdict(decision), named)


def disagreement(cases: Iterable[Asked]) -> tuple[int, Asked | None]:
    """How many cases were judged, up to the first about which decision and oracle differ."""
    counted = 0
    for one in cases:
        counted += 1
        case, portal, a, b = one
        found = decide(asked(case.asked, portal, a, b), held(case), factors(case.proofs), TODAY)
        if as_answer(found) != answer(case, portal, a, b):
            return counted, one
    return counted, None


@pytest.mark.parametrize("cases", [one_mandate, two_mandates, states, chains])
def test_a_thin_slice_of_each_enumeration_agrees(cases: Callable[[], Iterator[Asked]]) -> None:
    """One case in 53, so that a fault shows at once: what the next test says of all of them."""
    assert disagreement(islice(cases(), 0, None, 53))[1] is None


@pytest.mark.parametrize(
    ("cases", "number"), [(states, 384), (two_mandates, 10_368), (one_mandate, 9_216), (chains, 12_288)]
)
def test_a_portal_agrees_with_its_oracle(cases: Callable[[], Iterator[Asked]], number: int) -> None:
    """domain 7.6: no combination is answered otherwise than the independent statement of the rules says."""
    counted, wrong = disagreement(cases())
    assert wrong is None
    assert counted == number


def test_the_choices_at_a_portal_are_those_of_its_services() -> None:
    """RUL-15: a chain about the second service alone stands among the ways to act, in the order they are held."""
    own = held(Case(mandates=(Mandated("this service"), Mandated("another service"))))
    client = held(Case(mandates=(Mandated(),), chain=(Linked(Mandated("another service")),)))
    stranger = held(Case(mandates=(Mandated(),), chain=(Linked(Mandated("another provider")),)), "other means")
    found = options(asked("EH3", Takes(), Takes(), Takes()), (client, own, stranger), factors("po"), TODAY)
    assert [(one.held, as_answer(one.decision).services) for one in found] == [(client, "B"), (own, "AB")]
