"""demand() against its oracle, and the rows of domain 13.1 that concern the request."""

from itertools import permutations, product

import pytest

from idp.domain.assurance import LEVEL_URNS, Level, level_of_uri
from idp.domain.demand import Comparison, Demand, LevelPolicy, Reading, Unattainable, demand

from .decision_cases import LEVELS, NAME_OF_LEVEL
from .oracle import LADDER
from .oracle_of_steps import Wish, demanded

STRICT, LENIENT = Reading.STRICT, Reading.LENIENT


def found(wish: Wish) -> str | tuple[str, str]:
    """What demand() makes of a wish, in the words of the oracle."""
    policy = LevelPolicy(LEVELS[wish.catalogue], STRICT if wish.strict else LENIENT, wish.allow_lower)
    answer = demand(policy, [LEVELS[level] for level in wish.asked], Comparison(wish.comparison))
    if isinstance(answer, Unattainable):
        return answer.value
    return NAME_OF_LEVEL[answer.level], NAME_OF_LEVEL[answer.ceiling] if answer.ceiling else ""


def test_the_level_demanded_agrees_with_its_oracle() -> None:
    """Every list of levels, comparison, reading and permission gives what the independent statement says."""
    asked = [one for count in range(4) for one in permutations(LADDER, count)]
    every = [
        Wish(*sides)
        for sides in product(LADDER, asked, ("minimum", "exact", "better", "maximum"), (True, False), (True, False))
    ]
    assert [wish for wish in every if found(wish) != demanded(wish)] == []
    assert len(every) == 5 * 86 * 4 * 2 * 2


@pytest.mark.parametrize(
    ("catalogue", "asked", "reading", "lower", "expected"),
    [
        ("EH3", None, STRICT, False, Demand(Level.EH3)),
        ("EH3", "EH2", STRICT, False, Demand(Level.EH3)),
        ("EH3", "EH2", STRICT, True, Demand(Level.EH2)),
        ("EH2", "EH3", STRICT, False, Unattainable.ABOVE_CATALOGUE),
        ("EH2", "EH3", LENIENT, False, Demand(Level.EH3)),
        ("EH2+", "EH2+", STRICT, False, Demand(Level.EH2PLUS)),
        ("EH1", None, STRICT, False, Demand(Level.EH1)),
    ],
)
def test_f02_catalogue_and_request_settle_the_level_together(catalogue, asked, reading, lower, expected) -> None:
    """F02, LOA-2, LOA-3, LOA-5, LOA-6, RUL-13: rows of domain 13.1."""
    levels = [LEVELS[asked]] if asked else []
    assert demand(LevelPolicy(LEVELS[catalogue], reading, lower), levels, Comparison.MINIMUM) == expected


def test_an_unknown_level_is_no_level() -> None:
    """EH-P07: a URI outside both vocabularies names nothing, whatever it resembles."""
    for uri in ("", "loa3", LEVEL_URNS[Level.EH3].upper(), LEVEL_URNS[Level.EH3] + " ", "urn:x"):
        assert level_of_uri(uri) is None


def test_what_is_asked_exactly_is_also_what_is_stated() -> None:
    """RUL-23: ``exact`` answers with the level asked, so the ceiling is that level."""
    policy = LevelPolicy(Level.EH2, LENIENT)
    assert demand(policy, [Level.EH3], Comparison.EXACT) == Demand(Level.EH3, Level.EH3)
    assert demand(policy, [Level.EH1, Level.EH2PLUS], Comparison.EXACT) == Demand(Level.EH2PLUS, Level.EH2PLUS)


def test_a_maximum_below_the_catalogue_is_refused() -> None:
    """RUL-23: at most the level asked, refused when the catalogue asks more."""
    policy = LevelPolicy(Level.EH3, LENIENT, allow_lower=True)
    assert demand(policy, [Level.EH2], Comparison.MAXIMUM) is Unattainable.BELOW_CATALOGUE
    assert demand(policy, [Level.EH4], Comparison.MAXIMUM) == Demand(Level.EH3, Level.EH4)
