"""The rules of a new password in words, and as patterns that a page can check while one types (F37)."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from flask_babel import gettext as _

from idp.domain.passwords import PasswordFault, PasswordPolicy


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: the fault of breaking it, the rule in words, and its pattern in JavaScript or ``""``."""

    fault: PasswordFault
    text: str
    pattern: str


def rules_of(policy: PasswordPolicy) -> list[tuple[str, str, str]]:
    """The rules of a policy in the order in which people read them, as ``parts/form.html`` checklist takes them."""
    made = (make(policy) for make in _RULES)
    return [(rule.fault.value, rule.text, rule.pattern) for rule in made if rule is not None]


def broken_rules(faults: tuple[PasswordFault, ...], policy: PasswordPolicy) -> str:
    """The rules that a password breaks, in one line (R04)."""
    texts = {name: text for name, text, _pattern in rules_of(policy)}
    return ", ".join(texts[fault][0].lower() + texts[fault][1:] for fault in faults if fault in texts)


def _shortest(policy: PasswordPolicy) -> Rule | None:
    text = _("Ten minste %(count)s tekens", count=policy.minimum)
    return Rule(PasswordFault.TOO_SHORT, text, f"^.{{{policy.minimum},}}$")


def _longest(policy: PasswordPolicy) -> Rule | None:
    text = _("Ten hoogste %(count)s tekens", count=policy.maximum)
    return Rule(PasswordFault.TOO_LONG, text, f"^.{{0,{policy.maximum}}}$")


def _letters(policy: PasswordPolicy) -> Rule | None:
    text = _("Ten minste %(count)s letters van a tot en met z", count=policy.letters)
    pattern = f"(?:[A-Za-z][^A-Za-z]*){{{policy.letters}}}"
    return Rule(PasswordFault.TOO_FEW_LETTERS, text, pattern) if policy.letters else None


def _digits(policy: PasswordPolicy) -> Rule | None:
    text = _("Ten minste %(count)s cijfers", count=policy.digits)
    pattern = f"(?:[0-9][^0-9]*){{{policy.digits}}}"
    return Rule(PasswordFault.TOO_FEW_DIGITS, text, pattern) if policy.digits else None


def _allowed(policy: PasswordPolicy) -> Rule | None:
    if policy.specials is None:
        return None
    text = _("Alleen letters, cijfers en deze tekens: %(characters)s en de spatie", characters=_shown(policy.specials))
    special = re.sub(r"([\\\]^-])", r"\\\1", policy.specials)
    return Rule(PasswordFault.CHARACTER_NOT_ALLOWED, text, f"^[A-Za-z0-9{special}]*$")


def _specials(policy: PasswordPolicy) -> Rule | None:
    if policy.specials is None:
        return None
    text = _("Ten hoogste %(count)s bijzonder teken", count=policy.most_specials)
    pattern = f"^[A-Za-z0-9]*(?:[^A-Za-z0-9][A-Za-z0-9]*){{0,{policy.most_specials}}}$"
    return Rule(PasswordFault.TOO_MANY_SPECIALS, text, pattern)


def _common(policy: PasswordPolicy) -> Rule | None:
    return Rule(PasswordFault.COMMON, _("Geen wachtwoord dat veel mensen gebruiken"), "") if policy.blocklist else None


def _shown(specials: str) -> str:
    return "".join(one for one in specials if one != " ")


_RULES: tuple[Callable[[PasswordPolicy], Rule | None], ...] = (
    _shortest,
    _longest,
    _letters,
    _digits,
    _allowed,
    _specials,
    _common,
)
