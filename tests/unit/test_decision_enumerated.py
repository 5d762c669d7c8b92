"""decide() against its oracle, over every combination of what it looks at."""

import gc
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, product

import pytest

from idp.domain.decision import decide

from .decision_cases import TODAY, as_verdict, asked, factors, held
from .oracle import DAYS, GAP_RUNS, LADDER, SPEAKS, STATE, TERM_OVER, Case, Linked, Mandated, verdict

PROOFS = ("", "oc", "p", "po", "pc", "poc")
YES_NO = (False, True)
PLACES = tuple(product(YES_NO, ("", "X")))
BRANCHES = ("", "X", "Y", "XY")


def means() -> Iterator[Case]:
    """Every state, term, gap, proof and possession of a means of every level, at every level asked."""
    authorities = ((True, "X", (Mandated(branches="XY"),)), (False, "X", ()))
    sides = product(LADDER, LADDER, PROOFS, ("", "o", "c", "oc"), STATE, TERM_OVER, GAP_RUNS, YES_NO)
    for (level, own, proofs, has, status, term, gap, listed), place in product(sides, authorities):
        restricts, registered, mandates = place
        yield Case(level, restricts, False, proofs, own, status, term, gap, listed, has, registered, mandates)


def one_mandate() -> Iterator[Case]:
    """Every single mandate, for every level asked and held, wherever the means is registered."""
    kinds = [Mandated(*parts) for parts in product(SPEAKS, LADDER, BRANCHES, DAYS)]
    for level, own, (restricts, registered), mine in product(LADDER, LADDER, PLACES, kinds):
        yield Case(level, restricts, False, "poc", own, registered=registered, mandates=(mine,))


def two_mandates() -> Iterator[Case]:
    """Every pair of mandates, in both orders."""
    days = ("in use", "last day", "from tomorrow", "ended yesterday", "used 24 months and a day ago")
    kinds = [Mandated(*parts) for parts in product(("another service", "this service"), ("EH2", "EH4"), BRANCHES, days)]
    levels = (("EH1", "EH1"), ("EH1", "EH3"), ("EH2", "EH3"), ("EH3", "EH3"))
    for (level, own), (restricts, registered), pair in product(levels, PLACES, product(kinds, repeat=2)):
        yield Case(level, restricts, False, "poc", own, registered=registered, mandates=pair)


def own_authorities() -> list[tuple[Mandated, ...]]:
    """What someone may be allowed by the company in the middle of a chain."""
    return [
        (),
        (Mandated(),),
        (Mandated("this service", "EH2"),),
        (Mandated("this provider", "EH3", days="ended yesterday"),),
        (Mandated(branches="X"),),
        (Mandated("another service"),),
        (Mandated(level="EH2"), Mandated(branches="XY", level="EH3")),
    ]


def one_link() -> Iterator[Case]:
    """Every single link under every own authority."""
    kinds = [Mandated(*parts) for parts in product(SPEAKS, ("EH2", "EH4"), ("", "X", "XY"), DAYS)]
    chains = [(Linked(*parts),) for parts in product(kinds, ("both", "client", "intermediary", "none"))]
    levels = (("EH1", "EH3"), ("EH2", "EH2"), ("EH3", "EH4"), ("EH4", "EH3"))
    for (level, own), (restricts, registered), mandates in product(levels, PLACES, own_authorities()):
        for chain in chains:
            yield Case(level, restricts, True, "poc", own, registered=registered, mandates=mandates, chain=chain)
        yield from (
            Case(level, restricts, False, "poc", own, registered=registered, mandates=mandates, chain=chain)
            for chain in chains[::16]
        )


def longer_chains() -> Iterator[Case]:
    """Two and three links in every mixture, four as too many, and chains that do not hang together."""
    kinds = [Linked(Mandated(*parts)) for parts in product(("everything",), ("EH2", "EH4"), BRANCHES)]
    kinds += [
        Linked(Mandated(), "client"),
        Linked(Mandated("another provider")),
        Linked(Mandated(days="ended yesterday")),
        Linked(Mandated(days="from tomorrow"), "none"),
    ]
    own = own_authorities()[:3]
    two = product(("EH2", "EH3"), YES_NO, own, product(kinds, repeat=2), ("sound", "elsewhere", "circle", "torn"))
    three = product(("EH2",), YES_NO, own[:2], product(kinds, repeat=3), ("sound",))
    four = product(("EH2",), YES_NO, own[:2], [(Linked(),) * 4], ("sound", "torn"))
    for sides in (two, three, four):
        for level, restricts, mandates, chain, shape in sides:
            yield Case(level, restricts, True, "po", mandates=mandates, chain=chain, shape=shape)


def disagreement(cases: Iterable[Case]) -> tuple[int, Case | None]:
    """How many cases were judged, up to the first about which decision and oracle differ."""
    counted = 0
    for case in cases:
        counted += 1
        question = asked(case.asked, case.restricts, case.chains)
        if as_verdict(decide(question, held(case), factors(case.proofs), TODAY)) != verdict(case):
            return counted, case
    return counted, None


@pytest.fixture(autouse=True)
def _no_garbage_collection() -> Iterator[None]:
    """Nothing here forms cycles, and looking for them takes a quarter of the time."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("cases", [means, one_mandate, two_mandates, one_link, longer_chains])
def test_a_thin_slice_of_each_enumeration_agrees(cases: Callable[[], Iterator[Case]]) -> None:
    """One case in 101, so that a fault shows at once: what the next test says of all of them."""
    assert disagreement(islice(cases(), 0, None, 101))[1] is None


@pytest.mark.parametrize(
    ("cases", "number"),
    [
        (longer_chains, 13_832),
        (one_mandate, 80_000),
        (two_mandates, 102_400),
        (one_link, 114_240),
        (means, 151_200),
    ],
)
def test_the_decision_agrees_with_its_oracle(cases: Callable[[], Iterator[Case]], number: int) -> None:
    """No combination is decided otherwise than the independent statement of the rules says."""
    counted, wrong = disagreement(cases())
    assert wrong is None
    assert counted == number
