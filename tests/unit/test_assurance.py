"""Levels, the factors that prove them, and their names on the wire."""

from itertools import combinations, pairwise

import pytest

from idp.domain.assurance import (
    EIDAS_OF_LEVEL,
    LEVEL_URNS,
    SECOND_FACTOR,
    Factor,
    Level,
    level_of_uri,
    missing_factor,
    proven_level,
)

from .decision_cases import LETTER_OF, LEVELS, factors
from .oracle import MISSING, PROVEN

EVERY_PROOF = [frozenset(some) for count in range(4) for some in combinations(Factor, count)]


def test_f01_five_levels_stand_in_one_order() -> None:
    """F01, LOA-1: EH1 < EH2 < EH2+ < EH3 < EH4, with room between them."""
    assert [level.label for level in sorted(Level)] == ["EH1", "EH2", "EH2+", "EH3", "EH4"]
    assert all(higher - lower > 1 for lower, higher in pairwise(sorted(Level)))


@pytest.mark.parametrize(
    ("level", "name", "eidas"),
    [
        (Level.EH1, "loa1", None),
        (Level.EH2, "loa2", "low"),
        (Level.EH2PLUS, "loa2plus", "low"),
        (Level.EH3, "loa3", "substantial"),
        (Level.EH4, "loa4", "high"),
    ],
)
def test_f01_each_level_has_its_urn_and_its_eidas_level(level: Level, name: str, eidas: str | None) -> None:
    """Domain 2.1: the URN of the scheme and the European level of each."""
    assert level.urn == f"urn:etoegang:core:assurance-class:{name}"
    assert level.eidas == (None if eidas is None else f"http://eidas.europa.eu/LoA/{eidas}")
    assert level_of_uri(level.urn) is level


def test_a_european_level_asks_the_lightest_that_has_it_or_more() -> None:
    """Domain 2.1: low asks EH2, substantial EH3, high EH4."""
    asks = {uri.rpartition("/")[2]: level_of_uri(uri) for uri in EIDAS_OF_LEVEL.values()}
    assert asks == {"low": Level.EH2, "substantial": Level.EH3, "high": Level.EH4}
    assert len(LEVEL_URNS) == len(Level)


@pytest.mark.parametrize("proof", EVERY_PROOF)
def test_what_factors_prove_and_what_they_lack(proof: frozenset[Factor]) -> None:
    """LOA-9, RUL-11, RUL-14: a password EH2, with a code EH3, with a certificate EH4; nothing without a password."""
    letters = "".join(letter for letter in "poc" if factors(letter) <= proof)
    proven = proven_level(proof)
    assert proven == (LEVELS[PROVEN[letters]] if letters in PROVEN else None)
    for name, level in LEVELS.items():
        lacking = missing_factor(level, proof)
        expected = MISSING[name][letters] if letters in PROVEN else "p"
        assert (LETTER_OF[lacking] if lacking else "") == expected


def test_only_the_levels_above_eh2_have_a_second_factor() -> None:
    """Domain 2.3: EH1 and EH2 need the password alone."""
    assert SECOND_FACTOR == {
        Level.EH2PLUS: Factor.OTP,
        Level.EH3: Factor.OTP,
        Level.EH4: Factor.CERTIFICATE,
    }
