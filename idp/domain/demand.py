"""Which level a login has to reach: what the catalogue demands joined with what the message asks."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from idp.domain.assurance import Level


class Reading(StrEnum):
    """How the letter of the scheme is held against a relying party (RUL-24)."""

    STRICT = "strict"
    LENIENT = "lenient"


class Comparison(StrEnum):
    """How the asked levels compare with the level reached (SAML core 3.3.2.2.1, RUL-23)."""

    MINIMUM = "minimum"
    EXACT = "exact"
    BETTER = "better"
    MAXIMUM = "maximum"


@dataclass(frozen=True, slots=True)
class LevelPolicy:
    """What a service and a relying party make of a request: ``catalogue`` is the service's level."""

    catalogue: Level
    reading: Reading
    allow_lower: bool = False


@dataclass(frozen=True, slots=True)
class Demand:
    """The least level to reach, and the highest one to state (None: state the level reached, LOA-7)."""

    level: Level
    ceiling: Level | None = None


class Unattainable(StrEnum):
    """Why no level can answer a request (EH-P07)."""

    ABOVE_CATALOGUE = "above_catalogue"
    BELOW_CATALOGUE = "below_catalogue"
    NO_SUCH_LEVEL = "no_such_level"


def demand(policy: LevelPolicy, asked: Sequence[Level], comparison: Comparison) -> Demand | Unattainable:
    """The level a login has to reach; nothing asked means the catalogue's (LOA-2 to LOA-6, RUL-13, RUL-23).

    ``asked`` stands in order of preference. With ``minimum`` any of them will do, so the lowest counts.
    """
    if not asked:
        return Demand(policy.catalogue)
    match comparison:
        case Comparison.MINIMUM:
            return _minimum(policy, min(asked))
        case Comparison.BETTER:
            above = [level for level in Level if level > max(asked)]
            return _minimum(policy, min(above)) if above else Unattainable.NO_SUCH_LEVEL
        case Comparison.EXACT:
            answers = [_exact(policy, level) for level in asked]
            return next((one for one in answers if isinstance(one, Demand)), answers[0])
        case Comparison.MAXIMUM:
            highest = max(asked)
            if highest < policy.catalogue:
                return Unattainable.BELOW_CATALOGUE
            return Demand(policy.catalogue, highest)


def _minimum(policy: LevelPolicy, asked: Level) -> Demand | Unattainable:
    if asked > policy.catalogue and policy.reading is Reading.STRICT:
        return Unattainable.ABOVE_CATALOGUE
    return Demand(asked if policy.allow_lower else max(asked, policy.catalogue))


def _exact(policy: LevelPolicy, asked: Level) -> Demand | Unattainable:
    if asked < policy.catalogue and not policy.allow_lower:
        return Unattainable.BELOW_CATALOGUE
    if asked > policy.catalogue and policy.reading is Reading.STRICT:
        return Unattainable.ABOVE_CATALOGUE
    return Demand(asked, asked)
