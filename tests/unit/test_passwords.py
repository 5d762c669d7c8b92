"""Password rules, one by one."""

import unicodedata
from dataclasses import replace

import pytest

from idp.domain.passwords import (
    CLASSIC,
    LONGEST_PASSWORD,
    MODERN_ALONE,
    MODERN_WITH_SECOND_FACTOR,
    PasswordFault,
    faults,
    normalised,
)

FAULT = PasswordFault
# The characters that the FAQ allows, the space among them.
SPECIALS = "!@#$%^&*() -_+[{]}?/=`~"


@pytest.mark.parametrize(
    ("password", "broken"),
    [
        ("abcdef12", ()),
        ("ab345678", ()),
        ("abcdefgh12345678", ()),
        ("ABCDEF12", ()),
        ("abcdef1", (FAULT.TOO_SHORT, FAULT.TOO_FEW_DIGITS)),
        ("abcde12", (FAULT.TOO_SHORT,)),
        ("abcdefgh123456789", (FAULT.TOO_LONG,)),
        ("a2345678", (FAULT.TOO_FEW_LETTERS,)),
        ("12345678", (FAULT.TOO_FEW_LETTERS,)),
        ("abcdefg1", (FAULT.TOO_FEW_DIGITS,)),
        ("abcdefgh", (FAULT.TOO_FEW_DIGITS,)),
        ("abcd12!!", (FAULT.TOO_MANY_SPECIALS,)),
        ("abcd12!?", (FAULT.TOO_MANY_SPECIALS,)),
        ("abcde12é", (FAULT.CHARACTER_NOT_ALLOWED,)),
        ("abcde12;", (FAULT.CHARACTER_NOT_ALLOWED,)),
        ("abcd12;!", (FAULT.CHARACTER_NOT_ALLOWED,)),
        ("abc12;!!", (FAULT.CHARACTER_NOT_ALLOWED, FAULT.TOO_MANY_SPECIALS)),
        ("abcde1\t2", (FAULT.CHARACTER_NOT_ALLOWED,)),
        ("abcdef1２", (FAULT.TOO_FEW_DIGITS, FAULT.CHARACTER_NOT_ALLOWED)),
        ("", (FAULT.TOO_SHORT, FAULT.TOO_FEW_LETTERS, FAULT.TOO_FEW_DIGITS)),
    ],
)
def test_f37_the_classic_rules_hold_one_by_one(password: str, broken: tuple[PasswordFault, ...]) -> None:
    """F37: eight to sixteen characters, two letters, two digits, at most one special one, nothing else."""
    assert faults(password, CLASSIC) == broken


@pytest.mark.parametrize("special", SPECIALS)
def test_f37_each_special_character_of_the_list_may_occur_once(special: str) -> None:
    """F37: at any place, the first and the last included."""
    for password in (f"{special}abcdef12", f"abc{special}def12", f"abcdef12{special}"):
        assert faults(password, CLASSIC) == ()
    assert faults(f"{special}abcdef12{special}", CLASSIC) == (FAULT.TOO_MANY_SPECIALS,)


def test_f37_no_other_ascii_character_is_special() -> None:
    """F37: the list of the FAQ and no character more."""
    others = {chr(code) for code in range(128)} - set(SPECIALS)
    allowed = {one for one in others if faults(f"abcdef12{one}", CLASSIC) == ()}
    assert allowed == {one for one in others if one.isalnum()}


@pytest.mark.parametrize(
    ("policy", "shortest"), [(MODERN_ALONE, 15), (MODERN_WITH_SECOND_FACTOR, 8)], ids=["alone", "with a second factor"]
)
def test_the_modern_policy_asks_only_for_length(policy, shortest: int) -> None:
    """RUL-6, architecture 17: fifteen alone, eight with a second factor, 128 at most, and no composition."""
    assert faults("é" * shortest, policy) == ()
    assert faults("!" * shortest, policy) == ()
    assert faults("x" * (shortest - 1), policy) == (FAULT.TOO_SHORT,)
    assert faults("x" * 128, policy) == ()
    assert faults("x" * 129, policy) == (FAULT.TOO_LONG,)
    assert LONGEST_PASSWORD == 128


def test_a_common_password_is_refused_whatever_its_case() -> None:
    """RUL-6: the list holds lower case."""
    policy = replace(MODERN_ALONE, blocklist=frozenset({"correct horse battery"}))
    assert faults("Correct Horse Battery", policy) == (FAULT.COMMON,)
    assert faults("correct horse batteries", policy) == ()


def test_a_password_has_one_form() -> None:
    """SEC-6: composed and decomposed letters are the same password; look-alikes are not."""
    composed, decomposed = "caf\u00e912345", "cafe\u030112345"
    assert composed != decomposed
    assert normalised(composed) == normalised(decomposed) == unicodedata.normalize("NFC", decomposed)
    assert normalised("ﬁ") != normalised("fi")
