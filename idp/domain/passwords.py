"""Password rules as data: the classic policy of the FAQ and a modern one (F37, RUL-6)."""

import string
import unicodedata
from dataclasses import dataclass
from enum import StrEnum


class PasswordFault(StrEnum):
    """A rule that a new password breaks (R04)."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    TOO_FEW_LETTERS = "too_few_letters"
    TOO_FEW_DIGITS = "too_few_digits"
    TOO_MANY_SPECIALS = "too_many_specials"
    CHARACTER_NOT_ALLOWED = "character_not_allowed"
    COMMON = "common"


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """Numbers of one policy; ``specials`` None means that any character is allowed."""

    minimum: int
    maximum: int
    letters: int = 0
    digits: int = 0
    specials: str | None = None
    most_specials: int = 0
    blocklist: frozenset[str] = frozenset()


CLASSIC = PasswordPolicy(8, 16, letters=2, digits=2, specials="!@#$%^&*() -_+[{]}?/=`~", most_specials=1)
MODERN_ALONE = PasswordPolicy(15, 128)
MODERN_WITH_SECOND_FACTOR = PasswordPolicy(8, 128)
LONGEST_PASSWORD = 128


def normalised(password: str) -> str:
    """The one form in which a password is hashed and checked (SEC-6)."""
    return unicodedata.normalize("NFC", password)


def faults(password: str, policy: PasswordPolicy) -> tuple[PasswordFault, ...]:
    """Every rule a new password breaks, in the order in which people read them; empty when it is good (F37)."""
    letters = sum(character in string.ascii_letters for character in password)
    digits = sum(character in string.digits for character in password)
    others = [one for one in password if one not in string.ascii_letters + string.digits]
    specials = others if policy.specials is None else [one for one in others if one in policy.specials]
    broken = {
        PasswordFault.TOO_SHORT: len(password) < policy.minimum,
        PasswordFault.TOO_LONG: len(password) > policy.maximum,
        PasswordFault.TOO_FEW_LETTERS: letters < policy.letters,
        PasswordFault.TOO_FEW_DIGITS: digits < policy.digits,
        PasswordFault.CHARACTER_NOT_ALLOWED: len(specials) < len(others),
        PasswordFault.TOO_MANY_SPECIALS: policy.specials is not None and len(specials) > policy.most_specials,
        PasswordFault.COMMON: password.casefold() in policy.blocklist,
    }
    return tuple(fault for fault, is_broken in broken.items() if is_broken)
