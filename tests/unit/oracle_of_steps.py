"""The order of a login, single sign-on and the level demanded, stated a second time in symbols."""

from typing import NamedTuple

from .oracle import LADDER

# What each level needs beside the password.
SECOND = {"EH1": "", "EH2": "", "EH2+": "o", "EH3": "o", "EH4": "c"}


class Moment(NamedTuple):
    """A moment of a login. ``ways`` says of each way to act what the decision was.

    ``granted``; ``proof`` (its factor is missing); ``hidden`` and ``shown`` (refused, for reasons that may not or
    may be told yet). ``picked`` is the place of the chosen way, -1 for none and -2 for one that no longer exists.
    """

    asked: str
    known: bool
    proofs: str
    ways: tuple[str, ...]
    picked: int = -1
    wants_consent: bool = False
    consented: bool = False
    cancelled: bool = False


def step_of(moment: Moment) -> str:
    """What must be asked next."""
    if moment.cancelled:
        return "answer"
    if not moment.known or "p" not in moment.proofs:
        return "password"
    if set(moment.ways) <= {"shown"}:
        return "refused"
    # A certificate is stronger than a code, never the other way round.
    if SECOND[moment.asked] == "c" and "c" not in moment.proofs:
        return "certificate"
    if SECOND[moment.asked] == "o" and not {"o", "c"} & set(moment.proofs):
        return "code"
    granted = [place for place, way in enumerate(moment.ways) if way == "granted"]
    if not granted:
        return "refused"
    if moment.picked not in granted and (moment.picked != -1 or len(granted) > 1):
        return "choose"
    return "consent" if moment.wants_consent and not moment.consented else "answer"


class Return(NamedTuple):
    """Someone who comes back with a kept session. Ages are in seconds; ``clock`` is ``forward`` or ``back``."""

    session: str
    asked: str
    same_provider: bool
    force: bool
    service: bool
    party: bool
    age: int
    idle: int
    password_age: int
    max_age: int | None


def resumption(back: Return) -> str:
    """``nothing``, ``all``, ``all but consent``, ``all but the second factor`` (with ``and consent``): domain 13.5."""
    limits = (
        back.session == "EH4",
        back.asked == "EH4",
        back.force,
        not back.service,
        not back.party,
        back.age < 0,
        back.password_age > 7200,
        not 0 <= back.idle <= 900,
        back.max_age == 0,
        back.max_age is not None and back.age > back.max_age,
    )
    if any(limits):
        return "nothing"
    consent = not back.same_provider and back.asked == "EH3"
    if LADDER[back.asked] <= LADDER[back.session]:
        return "all but consent" if consent else "all"
    if back.password_age > 900:
        return "nothing"
    return "all but the second factor and consent" if consent else "all but the second factor"


class Wish(NamedTuple):
    """What a message asks of a service."""

    catalogue: str
    asked: tuple[str, ...]
    comparison: str
    strict: bool
    allow_lower: bool


NEXT = {"EH1": "EH2", "EH2": "EH2+", "EH2+": "EH3", "EH3": "EH4"}


def demanded(wish: Wish) -> str | tuple[str, str]:
    """The name of the fault, or the level to reach with the highest one to state (``""`` for the level reached)."""
    ranks = [LADDER[level] for level in wish.asked]
    if not ranks:
        return wish.catalogue, ""
    if wish.comparison == "exact":
        return _exact(wish)
    if wish.comparison == "maximum":
        highest = wish.asked[ranks.index(max(ranks))]
        return (wish.catalogue, highest) if LADDER[highest] >= LADDER[wish.catalogue] else "below_catalogue"
    level = wish.asked[ranks.index(min(ranks))]
    if wish.comparison == "better":
        strongest = wish.asked[ranks.index(max(ranks))]
        if strongest not in NEXT:
            return "no_such_level"
        level = NEXT[strongest]
    if wish.strict and LADDER[level] > LADDER[wish.catalogue]:
        return "above_catalogue"
    if not wish.allow_lower and LADDER[level] < LADDER[wish.catalogue]:
        return wish.catalogue, ""
    return level, ""


def _exact(wish: Wish) -> str | tuple[str, str]:
    """The first level asked that the catalogue lets stand, else what was wrong with the first."""
    faults = []
    for level in wish.asked:
        if LADDER[level] < LADDER[wish.catalogue] and not wish.allow_lower:
            faults.append("below_catalogue")
        elif LADDER[level] > LADDER[wish.catalogue] and wish.strict:
            faults.append("above_catalogue")
        else:
            return level, level
    return faults[0]
